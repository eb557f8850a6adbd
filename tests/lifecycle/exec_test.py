"""Exec: the stream's messages in both directions, its back-pressure, and its many ends."""

import hashlib
import signal
import time

from heeltest import Agent, Code, ServerCase, alive_with, duration, main, mark, pb, places, process_pb, wait_for
from heeltest.processes import resident_bytes, still_alive

MIB = 1 << 20
CONTROL = 64 << 10

victim = None


def setUpModule():
    global victim
    victim = Agent()


def tearDownModule():
    victim.kill()


class ExecCase(ServerCase):
    def setUp(self):
        self.sandbox = self.create()
        self.exec_calls = []

    def tearDown(self):
        for call in self.exec_calls:
            call.cancel()
        super().tearDown()

    def open(self, *argv, target=None, **options):
        call = self.exec_in(target if target is not None else self.sandbox, *argv, **options)
        self.exec_calls.append(call)
        return call

    def sh(self, script, **options):
        return self.open("sh", "-c", script, **options)


class DialogTest(ExecCase):
    def test_question_and_answer(self):
        call = self.open("cat", process_id="mine")
        started = call.next()
        self.assertEqual((started.process_id, started.sandbox_id), ("mine", self.sandbox.sandbox_id))
        for number in range(50):
            line = b"line %d\n" % number
            call.stdin(line)
            call.read_until(line)
        call.close_stdin()
        outcome = call.finish()
        self.check_ended(outcome.status, code=0)
        self.assertEqual(call.taken, sum(len(b"line %d\n" % number) for number in range(50)))

    def test_half_close_leaves_stdin_open(self):
        call = self.sh("echo up; read line || echo eof; echo got $line")
        call.read_until(b"up")
        call.half_close()
        with self.assertRaises(AssertionError):
            wait_for(lambda: self.get(self.sandbox.sandbox_id).running_commands == 0, 0.3)
        self.delete(self.sandbox.sandbox_id)
        self.check_ended(call.finish().status, signal=9, reason=process_pb.EXIT_REASON_DELETED)

    def test_output_comes_on_after_half_close(self):
        call = self.sh("read line; echo $line; sleep 0.2; seq 100000")
        call.stdin(b"hello\n")
        call.half_close()
        outcome = call.finish()
        self.assertTrue(outcome.stdout.startswith(b"hello\n1\n2\n"), outcome.stdout[:50])
        self.assertTrue(outcome.stdout.endswith(b"99999\n100000\n"))

    def test_close_stdin_is_end_of_file(self):
        call = self.open("wc", "-c")
        call.stdin(b"x" * 1000)
        call.close_stdin()
        self.assertEqual(call.finish().stdout, b"1000\n")

    def test_stdin_after_close_stdin_is_dropped(self):
        call = self.sh("cat; sleep 0.1")
        call.stdin(b"before")
        call.close_stdin()
        call.stdin(b"after")
        call.close_stdin()
        self.assertEqual(call.finish().stdout, b"before")

    def test_empty_stdin_is_no_end(self):
        call = self.open("cat")
        call.stdin(b"")
        call.stdin(b"x")
        call.read_until(b"x")
        call.close_stdin()
        self.check_ended(call.finish().status, code=0)

    def test_stderr_apart(self):
        outcome = self.sh("for i in 1 2 3; do echo o$i; echo e$i >&2; done; exit 5").finish()
        self.assertEqual((outcome.stdout, outcome.stderr), (b"o1\no2\no3\n", b"e1\ne2\ne3\n"))
        self.check_ended(outcome.status, code=5)

    def test_a_silent_command(self):
        outcome = self.open("true").finish()
        self.assertEqual((outcome.stdout, outcome.stderr), (b"", b""))
        self.assertTrue(outcome.exited.HasField("usage"))

    def test_signals(self):
        call = self.sh("trap 'echo usr1' USR1; echo up; while :; do sleep 0.01; done")
        call.read_until(b"up")
        call.signal(signal.SIGUSR1)
        call.read_until(b"usr1")
        call.signal(signal.SIGTERM)
        self.check_ended(call.finish().status, signal=15, reason=process_pb.EXIT_REASON_SIGNALED)

    def test_signals_reach_the_group(self):
        argument = mark()
        call = self.sh(f"sleep {argument} & echo up; wait")
        call.read_until(b"up")
        wait_for(lambda: len(alive_with(argument)) >= 2)
        call.signal(signal.SIGTERM)
        self.check_ended(call.finish().status, signal=15, reason=process_pb.EXIT_REASON_SIGNALED)
        wait_for(lambda: not alive_with(argument))

    def test_stop_and_continue(self):
        call = self.sh("echo up; read line; echo back")
        call.read_until(b"up")
        call.signal(signal.SIGSTOP)
        call.stdin(b"\n")
        call.signal(signal.SIGCONT)
        self.assertEqual(call.finish().stdout, b"back\n")

    def test_not_found(self):
        outcome = self.open("no-such-program").finish()
        self.assertIsNone(outcome.started)
        self.check_ended(outcome.status, code=127, reason=process_pb.EXIT_REASON_START_FAILED)

    def test_messages_after_exited_are_ignored(self):
        call = self.open("true")
        for kind, message in call:
            if kind == "exited":
                break
        call.stdin(b"late")
        call.signal(9)
        call.close_stdin()
        self.assertEqual(list(call), [])
        self.assertEqual(call.call.code(), Code.OK)

    def test_a_background_child_holds_no_stream(self):
        argument = mark()
        outcome = self.sh(f"sleep {argument} & echo done").finish()
        self.assertEqual(outcome.stdout, b"done\n")
        wait_for(lambda: alive_with(argument))  # not while it becomes sleep

    def test_timeout(self):
        argument = mark()
        outcome = self.sh(f"echo up; setsid sleep {argument} & sleep 99", timeout=duration(0.7)).finish()
        self.assertEqual(outcome.stdout, b"up\n")
        self.check_ended(outcome.status, signal=9, reason=process_pb.EXIT_REASON_TIMEOUT)
        wait_for(lambda: not alive_with(argument))

    def test_request_id_is_echoed(self):
        call = self.open("true", metadata=[("heel-request-id", "abc-123")])
        call.finish()
        self.assertIn(("heel-request-id", "abc-123"), call.call.initial_metadata())

    def test_a_process_id_runs_once(self):
        self.open("true", process_id="one").finish()
        with self.fails(Code.ALREADY_EXISTS, "PROCESS_EXISTS"):
            self.open("true", process_id="one").finish()
        with self.fails(Code.ALREADY_EXISTS, "PROCESS_EXISTS"):
            self.run_in(self.sandbox, "true", process_id="one")


class ProtocolTest(ExecCase):
    def test_the_first_message_must_be_start(self):
        for fields in ({"stdin": b"x"}, {"close_stdin": pb.CloseStdin()}, {"signal": pb.SendSignal(signal=9)}, {}):
            call = self.open(start=False)
            call.send(**fields)
            with self.fails(Code.INVALID_ARGUMENT, "INVALID_FIELD", "start"):
                list(call)

    def test_no_message_at_all(self):
        call = self.open(start=False)
        call.half_close()
        with self.fails(Code.INVALID_ARGUMENT, "INVALID_FIELD", "start"):
            list(call)

    def test_a_second_start_ends_the_command(self):
        argument = mark()
        call = self.open("sleep", argument)
        call.next("started")
        call.send(start=pb.ExecStart(sandbox_id=self.sandbox.sandbox_id))
        with self.fails(Code.INVALID_ARGUMENT, "INVALID_FIELD", "start"):
            list(call)
        self.assertEqual(alive_with(argument), [])

    def test_an_empty_message_ends_the_command(self):
        call = self.open("sleep", "99")
        call.next("started")
        call.send()
        with self.fails(Code.INVALID_ARGUMENT, "INVALID_FIELD", "message"):
            list(call)

    def test_a_bad_signal_ends_the_command(self):
        for number in (0, -1, 65, 2**31 - 1):
            call = self.open("sleep", "99")
            call.next("started")
            call.signal(number)
            with self.fails(Code.INVALID_ARGUMENT, "INVALID_FIELD", "signal.signal"):
                list(call)
        self.assertEqual(self.get(self.sandbox.sandbox_id).running_commands, 0)

    def test_unknown_sandbox(self):
        with self.fails(Code.NOT_FOUND, "SANDBOX_NOT_FOUND"):
            self.open("true", target="no-such").finish()


class VolumeTest(ExecCase):
    def test_a_hundred_megabytes_out(self):
        count = 13_000_000
        call = self.open("seq", str(count))
        outcome = call.finish(keep=False)
        self.check_ended(outcome.status, code=0)
        wanted = hashlib.sha256()
        for begin in range(1, count, 100_000):
            wanted.update(("\n".join(map(str, range(begin, min(begin + 100_000, count + 1)))) + "\n").encode())
        self.assertEqual(call.digests["stdout"].hexdigest(), wanted.hexdigest())
        self.assertGreater(call.offsets["stdout"], 100_000_000)

    def test_both_streams_in_turn(self):
        call = self.sh("head -c 20000000 /dev/zero & head -c 20000000 /dev/zero >&2; wait")
        self.check_ended(call.finish(keep=False).status, code=0)
        self.assertEqual(call.offsets, {"stdout": 20_000_000, "stderr": 20_000_000})

    def test_a_stalled_reader_costs_no_memory(self):
        call = self.open("yes")
        call.next("stdout")
        time.sleep(0.5)  # windows and buffers fill
        before = resident_bytes(self.server.pid)
        end, most = time.monotonic() + 2, before
        while time.monotonic() < end:
            most = max(most, resident_bytes(self.server.pid))
            time.sleep(0.05)
        self.assertLess(most - before, 2 * MIB)
        self.assertLess(most, 64 * MIB)
        call.signal(signal.SIGKILL)
        self.check_ended(call.finish(keep=False).status, signal=9, reason=process_pb.EXIT_REASON_SIGNALED)

    def test_much_stdin(self):
        """A client that keeps to the window: at most 1 MiB beyond what was taken."""
        piece, total, sent = b"0123456789abcdef" * 4096, 40 * MIB, 0
        call = self.open("sha256sum")
        messages, digest, output = iter(call), hashlib.sha256(), b""
        while sent < total:
            while sent < total and sent + len(piece) - call.taken <= MIB:
                call.stdin(piece)
                digest.update(piece)
                sent += len(piece)
            kind, message = next(messages)
            output += message.data if kind == "stdout" else b""
        call.close_stdin()
        output += call.finish().stdout
        self.assertEqual(output.split()[0].decode(), digest.hexdigest())
        self.assertEqual(call.taken, total)

    def test_a_signal_passes_stdin_that_nobody_reads(self):
        call = self.open("sleep", "99")
        for _ in range(MIB // CONTROL):
            call.stdin(b"x" * CONTROL)
        call.signal(signal.SIGTERM)
        begin = time.monotonic()
        self.check_ended(call.finish().status, signal=15, reason=process_pb.EXIT_REASON_SIGNALED)
        self.assertLess(time.monotonic() - begin, 10)

    def test_stdin_without_end_costs_no_memory(self):
        call = self.open("sleep", "99")
        call.next("started")
        before = resident_bytes(self.server.pid)
        for _ in range(64 * MIB // CONTROL):
            call.stdin(b"x" * CONTROL)
        end, most = time.monotonic() + 1, before
        while time.monotonic() < end:
            most = max(most, resident_bytes(self.server.pid))
            time.sleep(0.05)
        self.assertLess(most - before, 24 * MIB)

    def test_stdin_of_a_program_that_stops_reading_is_dropped(self):
        call = self.sh("head -c 10; exec 0<&-; echo; read x </dev/zero & sleep 0.3; echo end")
        for _ in range(8):
            call.stdin(b"y" * CONTROL)
        outcome = call.finish()
        self.assertTrue(outcome.stdout.endswith(b"end\n"), outcome.stdout)

    def test_many_streams_at_once(self):
        calls = [self.sh(f"read x; echo {number} $x; exit {number}") for number in range(40)]
        for number, call in reversed(list(enumerate(calls))):
            call.stdin(b"in%d\n" % number)
        for number, call in enumerate(calls):
            outcome = call.finish()
            self.assertEqual(outcome.stdout, b"%d in%d\n" % (number, number))
            self.check_ended(outcome.status, code=number)


class LossTest(ExecCase):
    def test_cancel_kills_the_tree(self):
        argument = mark()
        call = self.sh(f"setsid sleep {argument} & echo up; sleep {argument}")
        call.read_until(b"up")
        wait_for(lambda: len(alive_with(argument)) >= 3)
        call.cancel()
        wait_for(lambda: not alive_with(argument))
        wait_for(lambda: self.get(self.sandbox.sandbox_id).running_commands == 0)

    def test_cancel_at_full_speed(self):
        argument = mark()
        call = self.sh(f"yes {argument}")
        call.next("stdout")
        call.cancel()
        wait_for(lambda: not alive_with(argument))

    def test_deadline_kills(self):
        argument = mark()
        call = self.open("sleep", argument, deadline=0.7)
        with self.fails(Code.DEADLINE_EXCEEDED):
            list(call)
        wait_for(lambda: not alive_with(argument))

    def test_a_killed_client_takes_its_command_along(self):
        argument = mark()
        command = process_pb.Command(argv=["sh", "-c", f"trap '' HUP TERM PIPE; sleep {argument} & yes {argument}"])
        start = pb.ExecStart(spec=pb.SandboxSpec(), command=command)
        victim.start_exec(self.server.address, [pb.ExecRequest(start=start)])
        tree = self.server.sandbox_tree(argument)
        victim.kill()
        wait_for(lambda: not still_alive(tree))
        wait_for(lambda: not self.stored())


class PrivateTest(ExecCase):
    def test_it_is_gone_before_exited(self):
        call = self.open("sh", "-c", "sleep 99 & pwd", target=pb.SandboxSpec())
        outcome = call.finish()
        if not places.NAMESPACES:
            self.assertEqual(outcome.stdout, b"/work\n")
        self.check_gone(outcome.started.sandbox_id)
        self.assertEqual(self.stored(), [])

    def test_messages_sent_at_once_wait_for_it(self):
        call = self.open("cat", target=pb.SandboxSpec())
        call.stdin(b"early")
        call.close_stdin()
        call.half_close()
        self.assertEqual(call.finish().stdout, b"early")

    def test_cancel_while_it_is_made(self):
        for _ in range(20):
            self.open("sleep", "99", target=pb.SandboxSpec()).cancel()
        wait_for(lambda: not self.stored(), what=self.stored)
        # The launcher, the init of self.sandbox, and one init that heeld may keep in readiness.
        wait_for(lambda: len(self.server.processes()) <= 3, what=self.server.processes)

    def test_a_start_that_fails(self):
        outcome = self.open("no-such-program", target=pb.SandboxSpec()).finish()
        self.check_ended(outcome.status, code=127, reason=process_pb.EXIT_REASON_START_FAILED)
        self.assertEqual(self.stored(), [])


if __name__ == "__main__":
    main()
