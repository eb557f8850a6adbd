"""Attach: any number of readers, from any offset that is kept, and who makes a command wait."""

from heeltest import Code, main, pb, process_pb, wait_for
from processes import BLOCK, DROP_OLDEST, EXITED, RUNNING, ProcessCase

KIB = 1024


def ring(size, when_full=BLOCK):
    return process_pb.OutputPolicy(ring_bytes=size, when_full=when_full)


class OffsetTest(ProcessCase):
    def test_from_every_offset(self):
        text = bytes(range(256)) * 8
        process = self.start("sh", "-c", "cat")
        first = self.attach(process)
        first.stdin(text)
        first.close_stdin()
        self.assertEqual(first.finish().stdout, text)
        for offset in (0, 1, 255, 1024, len(text) - 1, len(text)):
            outcome = self.attach(process, stdout_offset=offset).finish()
            self.assertEqual(outcome.stdout, text[offset:])
            self.assertEqual(outcome.started.process_id, process.process_id)

    def test_reconnecting_loses_nothing(self):
        process = self.sh("seq 50000")
        text, offset = b"", 0
        while True:
            stream = self.attach(process, stdout_offset=offset)
            chunk = next((message for kind, message in stream if kind in ("stdout", "exited")), None)
            if isinstance(chunk, pb.ProcessExited):
                break
            text += chunk.data
            offset = chunk.offset + len(chunk.data)
            stream.cancel()
        self.assertEqual(text, b"".join(b"%d\n" % number for number in range(1, 50001)))

    def test_beyond_the_end(self):
        process = self.sh("echo said")
        self.wait(process)
        for field, offset in (("start.stdout_offset", {"stdout_offset": 6}), ("start.stderr_offset", {"stderr_offset": 1})):
            with self.fails(Code.OUT_OF_RANGE, "OFFSET_OUT_OF_RANGE") as failure:
                self.attach(process, **offset).finish()
            self.assertEqual(failure.fields, [field])

    def test_what_comes_from_now_on(self):
        process = self.start("cat")
        self.attach(process).stdin(b"early\n")
        wait_for(lambda: self.get_process(process).stdout.end == 6)
        late = self.attach(process, from_end=True)
        late.next("started")
        late.offsets["stdout"] = 6
        late.stdin(b"late\n")
        self.assertEqual(late.next("stdout").data, b"late\n")


class FullTest(ProcessCase):
    def test_drop_oldest_tells_the_gap(self):
        process = self.sh("head -c 1000000 /dev/zero | tr '\\0' x; echo end", output=ring(64 * KIB, DROP_OLDEST))
        self.wait(process)
        stream = self.attach(process)
        outcome = stream.finish()
        self.assertEqual([(getattr(gap, "from"), gap.to) for gap in stream.gaps], [(0, 1000004 - 64 * KIB)])
        self.assertEqual(len(outcome.stdout), 64 * KIB)
        self.assertTrue(outcome.stdout.endswith(b"xend\n"))

    def test_block_waits_for_a_reader(self):
        process = self.sh("head -c 3000000 /dev/zero; echo done >&2", output=ring(64 * KIB))
        wait_for(lambda: self.get_process(process).stdout.end == 64 * KIB)
        self.assertEqual(self.get_process(process).state, RUNNING)
        outcome = self.attach(process).finish()
        self.assertEqual((len(outcome.stdout), outcome.stderr), (3000000, b"done\n"))

    def test_a_slow_reader_delays_no_other(self):
        process = self.sh("read line; head -c 6000000 /dev/zero", output=ring(64 * KIB))
        slow, fast = self.attach(process), self.attach(process, required=True)
        slow.next("started"), fast.next("started")
        fast.stdin(b"\n")
        slow.next("stdout")
        for kind, message in fast:
            if kind == "exited":
                break
        self.assertEqual((fast.offsets["stdout"], fast.gaps), (6000000, []))
        slow.finish()
        self.assertTrue(slow.gaps)

    def test_a_required_reader_is_waited_for(self):
        process = self.sh("head -c 6000000 /dev/zero", output=ring(64 * KIB))
        required = self.attach(process, required=True)
        required.next("stdout")
        other = self.attach(process)
        for kind, message in other:
            if kind == "stdout" and message.offset > 64 * KIB:
                break
        self.assertEqual(self.get_process(process).state, RUNNING)
        outcome = required.finish()
        self.assertFalse(required.gaps)
        self.assertEqual(required.offsets["stdout"], 6000000)
        self.check_ended(outcome.status, code=0)

    def test_a_required_reader_that_leaves_lets_go(self):
        process = self.sh("head -c 5000000 /dev/zero", output=ring(64 * KIB))
        required = self.attach(process, required=True)
        required.next("stdout")
        required.cancel()
        self.attach(process).finish()
        self.assertEqual(self.get_process(process).state, EXITED)

    def test_sizes_that_are_refused(self):
        for size in (1, 4095, (1 << 27) + 1):
            with self.fails(Code.INVALID_ARGUMENT, "INVALID_FIELD", "command.output.ring_bytes"):
                self.start("true", output=ring(size))
        with self.fails(Code.INVALID_ARGUMENT, "INVALID_FIELD", "command.output.when_full"):
            self.start("true", output=ring(4096, 7))


class InputTest(ProcessCase):
    def test_of_several(self):
        process = self.start("cat")
        one, other = self.attach(process), self.attach(process)
        for stream, text in ((one, b"one\n"), (other, b"other\n"), (one, b"again\n")):
            stream.stdin(text)
            one.read_until(text)
            other.read_until(text)
        self.assertEqual(one.next("stdin_taken").offset if one.taken < 10 else one.taken, 10)
        other.close_stdin()
        for stream in (one, other):
            self.check_ended(stream.finish().status, code=0)

    def test_closed_at_once(self):
        process = self.start("cat", close_stdin=True)
        self.check_ended(self.wait(process).status, code=0)

    def test_stdin_of_the_command_is_refused(self):
        with self.fails(Code.INVALID_ARGUMENT, "INVALID_FIELD", "command.stdin"):
            self.start("cat", stdin=b"x")


class DisconnectTest(ProcessCase):
    def test_the_last_one_kills(self):
        process = self.start("cat", kill_on_disconnect=True)
        self.assertTrue(process.kill_on_disconnect)
        one, other = self.attach(process), self.attach(process)
        one.next("started"), other.next("started")
        one.cancel()
        other.stdin(b"alive\n")
        other.read_until(b"alive")
        other.cancel()
        self.check_ended(self.wait(process).status, signal=9, reason=process_pb.EXIT_REASON_DISCONNECTED)

    def test_exec_that_is_to_be_outlived(self):
        call = self.exec_in(self.sandbox, "cat", process_id="lasting", kill_on_disconnect=False)
        process = call.next("started")
        call.stdin(b"said\n")
        call.read_until(b"said\n")
        call.cancel()
        wait_for(lambda: self.get_process(process).readers == 0)
        stream = self.attach(process)
        stream.close_stdin()
        outcome = stream.finish()
        self.assertEqual(outcome.stdout, b"said\n")
        self.check_ended(outcome.status, code=0)

    def test_private_exec_can_not_be_outlived(self):
        call = self.exec_in(pb.SandboxSpec(), "cat", kill_on_disconnect=False)
        with self.fails(Code.INVALID_ARGUMENT, "INVALID_FIELD", "start.command.kill_on_disconnect"):
            call.finish()


class ProtocolTest(ProcessCase):
    def test_a_broken_stream_is_all_that_breaks(self):
        process = self.start("cat")
        for fields, field in (
            ({"start": pb.AttachStart()}, "start"),
            ({}, "message"),
            ({"signal": pb.SendSignal(signal=99)}, "signal.signal"),
            ({"resize": pb.ResizeTerminal(rows=0, columns=1)}, "resize.rows"),
            ({"resize": pb.ResizeTerminal(rows=1, columns=65536)}, "resize.columns"),
        ):
            stream = self.attach(process)
            stream.send(**fields)
            with self.subTest(fields), self.fails(Code.INVALID_ARGUMENT, "INVALID_FIELD", field):
                stream.finish()
        stream = self.attach(process)
        stream.resize(24, 80)
        with self.fails(Code.FAILED_PRECONDITION, "NO_TERMINAL"):
            stream.finish()
        self.assertEqual(self.get_process(process).state, RUNNING)

    def test_the_first_message(self):
        process = self.start("cat")
        stream = self.attach(process, start=False)
        stream.stdin(b"x")
        with self.fails(Code.INVALID_ARGUMENT, "INVALID_FIELD", "start"):
            stream.finish()
        stream = self.attach(process, start=False)
        stream.half_close()
        with self.fails(Code.INVALID_ARGUMENT, "INVALID_FIELD", "start"):
            stream.finish()

    def test_unknown(self):
        with self.fails(Code.NOT_FOUND, "PROCESS_NOT_FOUND"):
            self.attach(process_pb.Process(sandbox_id=self.sandbox.sandbox_id, process_id="nobody")).finish()
        with self.fails(Code.NOT_FOUND, "SANDBOX_NOT_FOUND"):
            self.attach(process_pb.Process(sandbox_id="nowhere", process_id="nobody")).finish()


main()
