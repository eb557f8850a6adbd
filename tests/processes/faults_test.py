"""Clients that break the protocol or vanish, and sandboxes that are deleted meanwhile: what each is
told exactly, and that heeld has no descriptor and no memory more for it, a thousand times over."""

import collections
import contextlib
import itertools
import os
import select
import socket
import threading

import grpc

from heeltest import Code, ExecCall, Failure, main, pb, process_pb, wait_for
from heeltest.api import open_channel, sandbox_pb2_grpc
from heeltest.processes import resident_bytes
from processes import DROP_OLDEST, ProcessCase

REPETITIONS = 1000
BATCHES = 10
MORE_BATCHES = 40  # as long as each has grown
EVENTS_KEPT = 4096  # of a caller; each command makes two
# What heeld needs at most at a time grows with luck, what it loses grows in every batch.
LEEWAY = 32768
BAD, FAILED = Code.INVALID_ARGUMENT, Code.FAILED_PRECONDITION


class FaultCase(ProcessCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.fill_events()

    @classmethod
    def fill_events(cls):
        """What heeld keeps up to a bound is there already when memory is counted, and is larger."""
        stub = cls.server.stub
        sandbox_id = stub.CreateSandbox(pb.CreateSandboxRequest(), timeout=30).sandbox.sandbox_id
        request = pb.RunCommandRequest(sandbox_id=sandbox_id, command=process_pb.Command(argv=["true", "x" * 1000]))
        for _ in range(EVENTS_KEPT // 2 // 64 + 1):
            for call in [stub.RunCommand.future(request, timeout=60) for _ in range(64)]:
                call.result()
        stub.DeleteSandbox(pb.DeleteSandboxRequest(sandbox_id=sandbox_id), timeout=60)

    def descriptors(self):
        """What heeld's descriptors are, without numbers: "socket:" and the like."""
        folder = f"/proc/{self.server.pid}/fd"
        kinds = []
        for name in os.listdir(folder):
            with contextlib.suppress(FileNotFoundError):
                kinds.append(os.readlink(f"{folder}/{name}").partition("[")[0])
        return sorted(kinds)

    def running(self):
        return sum(sandbox.running_commands for sandbox in self.list())

    def settle(self, running):
        """No more commands than so many run, nor is one paused; the descriptors that there are then."""
        for sandbox in self.list():
            self.stub.ResumeSandbox(pb.ResumeSandboxRequest(sandbox_id=sandbox.sandbox_id), timeout=30)
        wait_for(lambda: self.running() == running, what=self.running)
        counts = collections.deque(maxlen=20)
        wait_for(lambda: counts.append(len(self.descriptors())) or (len(counts) == 20 and len(set(counts)) == 1))
        return self.descriptors()

    def check_nothing_stays(self, fault, repetitions=REPETITIONS, running=None):
        """fault(number) leaves as many descriptors and as much memory as there were, and as many commands."""
        running = self.running() if running is None else running
        numbers = itertools.count()
        fault(next(numbers))
        descriptors = self.settle(running)
        growth = []
        while len(growth) < BATCHES or min(growth) > LEEWAY:
            before = resident_bytes(self.server.pid)
            for number in itertools.islice(numbers, repetitions // BATCHES):
                fault(number)
            self.assertEqual(collections.Counter(self.settle(running)), collections.Counter(descriptors))
            growth.append(resident_bytes(self.server.pid) - before)
            self.assertLess(len(growth), BATCHES + MORE_BATCHES, growth)


class MessageTest(FaultCase):
    """Streams with one message that they must not have."""

    def wrongs(self, process, over):
        """What is sent on which stream; the status, reason and field of its end."""
        unknown = {"sandbox_id": self.sandbox.sandbox_id, "process_id": "nobody"}
        known = {"sandbox_id": self.sandbox.sandbox_id, "process_id": process.process_id}
        dead = {"sandbox_id": self.sandbox.sandbox_id, "process_id": over.process_id}
        start = {"start": pb.AttachStart(**known)}

        def attach(**fields):
            return {"start": pb.AttachStart(**fields)}

        def signalled(**fields):
            return [start, {"signal": pb.SendSignal(**fields)}]

        def resized(rows, columns):
            return [start, {"resize": pb.ResizeTerminal(rows=rows, columns=columns)}]

        return [
            ([{"stdin": b"x"}], BAD, "INVALID_FIELD", "start"),
            ([{"close_stdin": pb.CloseStdin()}], BAD, "INVALID_FIELD", "start"),
            ([{"signal": pb.SendSignal(signal=15)}], BAD, "INVALID_FIELD", "start"),
            ([{"resize": pb.ResizeTerminal(rows=1, columns=1)}], BAD, "INVALID_FIELD", "start"),
            ([{}], BAD, "INVALID_FIELD", "start"),
            ([], BAD, "INVALID_FIELD", "start"),
            ([start, start], BAD, "INVALID_FIELD", "start"),
            ([start, {}], BAD, "INVALID_FIELD", "message"),
            (signalled(), BAD, "INVALID_FIELD", "signal.signal"),
            (signalled(signal=0), BAD, "INVALID_FIELD", "signal.signal"),
            (signalled(signal=65), BAD, "INVALID_FIELD", "signal.signal"),
            (signalled(signal=999), BAD, "INVALID_FIELD", "signal.signal"),
            (signalled(signal=-(1 << 31)), BAD, "INVALID_FIELD", "signal.signal"),
            (signalled(name="SIGNOT"), BAD, "INVALID_FIELD", "signal.name"),
            (signalled(signal=1, scope=99), BAD, "INVALID_FIELD", "signal.scope"),
            (resized(0, 80), BAD, "INVALID_FIELD", "resize.rows"),
            (resized(80, 65536), BAD, "INVALID_FIELD", "resize.columns"),
            (resized(0, 0), BAD, "INVALID_FIELD", "resize.rows"),
            (resized(24, 80), FAILED, "NO_TERMINAL", None),
            (resized(65535, 65535), FAILED, "NO_TERMINAL", None),
            ([attach(**unknown)], Code.NOT_FOUND, "PROCESS_NOT_FOUND", None),
            *(
                ([attach(**{**known, "process_id": odd})], BAD, "INVALID_FIELD", "start.process_id")
                for odd in ("", "no id", "a/b", "-a", "\x7f", "\u00e4", "x" * 129)
            ),
            *(
                ([attach(**{**known, "sandbox_id": odd})], BAD, "INVALID_FIELD", "start.sandbox_id")
                for odd in ("no id", "../a", "x" * 129)
            ),
            ([attach(**{**known, "sandbox_id": "nowhere"})], Code.NOT_FOUND, "SANDBOX_NOT_FOUND", None),
            ([attach(**dead, stdout_offset=6)], Code.OUT_OF_RANGE, "OFFSET_OUT_OF_RANGE", "start.stdout_offset"),
            ([attach(**known, stderr_offset=1 << 63)], Code.OUT_OF_RANGE, "OFFSET_OUT_OF_RANGE", "start.stderr_offset"),
        ]

    def refuse(self, messages, code, reason, field):
        requests = [pb.AttachRequest(**message) for message in messages]
        with self.fails(code, reason, field):
            list(self.stub.Attach(iter(requests), timeout=30))

    def test_each_and_what_it_leaves(self):
        process = self.start("cat")
        over = self.wait(self.sh("echo said"))
        wrongs = self.wrongs(process, over)
        for wrong in wrongs:
            with self.subTest(str(wrong[0])):
                self.refuse(*wrong)
        self.check_nothing_stays(lambda number: self.refuse(*wrongs[number % len(wrongs)]))
        self.assertEqual(self.get_process(process).readers, 0)
        self.check_ended(self.get_process(over).status, code=0)

    def test_exec_dies_of_it(self):
        """Its command would go with the connection, and goes with the stream."""
        for number in range(20):
            call = self.exec_in(self.sandbox, "cat", process_id=f"p{number}")
            call.next("started")
            call.resize(24, 80)
            with self.fails(FAILED, "NO_TERMINAL"):
                call.finish()
            found = process_pb.Process(sandbox_id=self.sandbox.sandbox_id, process_id=f"p{number}")
            self.check_ended(
                self.wait(found).status, signal=9, reason=process_pb.EXIT_REASON_DISCONNECTED
            )

    def test_what_comes_after_the_end(self):
        """Is left alone, whatever it is, and the stream ends as it would have."""
        for number, message in enumerate(
            (
                {"stdin": b"x"},
                {"close_stdin": pb.CloseStdin()},
                {"signal": pb.SendSignal(signal=9)},
                {"signal": pb.SendSignal(signal=999)},
                {"resize": pb.ResizeTerminal(rows=0, columns=0)},
                {},
            )
        ):
            call = self.exec_in(self.sandbox, "true", process_id=f"p{number}")
            call.next("exited")
            call.send(**message)
            self.assertEqual(list(call), [])
            self.assertEqual(call.call.code(), Code.OK)
            call.half_close()

    def test_sizes_of_a_terminal(self):
        for size, field in (((0, 0), "rows"), ((24, 0), "columns"), ((65536, 80), "rows"), ((80, 1 << 31), "columns")):
            process = self.start("cat", terminal=process_pb.Terminal())
            with self.fails(BAD, "INVALID_FIELD", f"resize.{field}"):
                list(self.stub.Attach(iter([pb.AttachRequest(start=pb.AttachStart(sandbox_id=process.sandbox_id, process_id=process.process_id)), pb.AttachRequest(resize=pb.ResizeTerminal(rows=size[0], columns=size[1]))]), timeout=30))
            self.assertEqual(self.get_process(process).terminal.rows, 24)

    def test_the_last_signal_there_is(self):
        process = self.start("cat")
        stream = self.attach(process)
        stream.next("started")
        stream.signal(64)
        self.check_ended(stream.finish().status, signal=64, reason=process_pb.EXIT_REASON_SIGNALED)

    def test_what_is_kept_no_more_is_a_gap(self):
        policy = process_pb.OutputPolicy(ring_bytes=4096, when_full=DROP_OLDEST)
        process = self.sh("head -c 100000 /dev/zero", output=policy)
        self.wait(process)
        stream = self.attach(process, stdout_offset=10)
        outcome = stream.finish()
        self.assertEqual([(getattr(gap, "from"), gap.to) for gap in stream.gaps], [(10, 95904)])
        self.assertEqual(len(outcome.stdout), 4096)


class Recording:
    """The bytes of one exchange, through a socket in between."""

    def __init__(self, server, base):
        self.path = os.path.join(base, "between")
        self.server = server
        self.sent = bytearray()
        self.answered = 0

    def of(self, exchange):
        """exchange(stub) is carried out once."""
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.path)
            listener.listen(1)
            forwarding = threading.Thread(target=self._forward, args=(listener,))
            forwarding.start()
            with open_channel("unix:" + self.path) as channel:
                exchange(sandbox_pb2_grpc.SandboxServiceStub(channel))
            forwarding.join()
        os.unlink(self.path)
        return self

    def _forward(self, listener):
        client, _ = listener.accept()
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(self.server)
            while True:
                readable, _, _ = select.select([client, server], [], [])
                for source in readable:
                    data = self._receive(source)
                    if not data:
                        return
                    if source is client:
                        self.sent += data
                    else:
                        self.answered += len(data)
                    with contextlib.suppress(BrokenPipeError):
                        (server if source is client else client).sendall(data)

    def _receive(self, source):
        try:
            return source.recv(65536)
        except ConnectionResetError:
            return b""


class VanishTest(FaultCase):
    """A client's bytes up to some point, and then its end of the connection is gone. It leaves bytes
    unread if there were any, which resets the connection."""

    def record(self, exchange):
        return Recording(self.server.socket, str(self.server.base)).of(exchange)

    def vanish(self, sent, wait_for_bytes=0):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self.server.socket)
            connection.settimeout(0.2)  # an answer may be some bytes shorter than the one before it
            with contextlib.suppress(TimeoutError, ConnectionError):
                connection.sendall(sent)
                while wait_for_bytes > 0:
                    got = len(connection.recv(min(wait_for_bytes, 4096)))
                    wait_for_bytes -= got or wait_for_bytes

    def exec_call(self, stub, *argv, **options):
        return ExecCall(stub, *argv, sandbox_id=self.sandbox.sandbox_id, **options)

    def interactive(self, stub):
        call = self.exec_call(stub, "cat", terminal=process_pb.Terminal())
        call.next("started")
        call.stdin(b"a line\n")
        call.read_until(b"a line")
        call.resize(10, 20)
        call.signal(28)
        call.close_stdin()
        call.finish()

    def plain(self, stub):
        call = self.exec_call(stub, "sh", "-c", "cat; echo said >&2")
        call.stdin(b"x" * 64)
        call.close_stdin()
        call.finish()

    def check_cut_everywhere(self, exchange):
        running = self.running()
        sent = self.record(exchange).sent
        cuts = itertools.cycle(range(len(sent) + 1))
        self.check_nothing_stays(
            lambda number: self.vanish(sent[: next(cuts)]), repetitions=max(REPETITIONS, len(sent)), running=running
        )

    def test_after_each_byte_of_a_terminal(self):
        self.check_cut_everywhere(self.interactive)

    def test_after_each_byte_of_a_command(self):
        self.check_cut_everywhere(self.plain)

    def test_after_each_byte_of_an_attach(self):
        process = self.start("cat")

        def attached(stub):
            attach = pb.AttachStart(sandbox_id=process.sandbox_id, process_id=process.process_id)
            stream = stub.Attach(iter([pb.AttachRequest(start=attach), pb.AttachRequest(stdin=b"said\n")]), timeout=30)
            next(stream)
            stream.cancel()

        self.check_cut_everywhere(attached)
        wait_for(lambda: self.get_process(process).readers == 0)
        stream = self.attach(process, from_end=True)
        stream.offsets["stdout"] = self.get_process(process).stdout.end
        stream.close_stdin()
        self.check_ended(stream.finish().status, code=0)

    def test_after_each_byte_of_an_answer(self):
        """All is said, and so much of the answer is read."""
        recording = self.record(self.plain)
        points = itertools.cycle(range(recording.answered + 1))
        self.check_nothing_stays(lambda number: self.vanish(recording.sent, next(points)), running=0)

    def test_after_each_byte_of_watching(self):
        def watched(stub):
            watch = stub.WatchEvents(pb.WatchEventsRequest(after=pb.EventPosition()), timeout=30)
            next(watch)
            next(watch)
            watch.cancel()

        self.check_cut_everywhere(watched)

    def test_after_each_byte_of_unary_calls(self):
        process = self.start("cat")
        about = {"sandbox_id": process.sandbox_id, "process_id": process.process_id}

        def calls(stub):
            wait = stub.WaitProcess.future(pb.WaitProcessRequest(**about), timeout=30)
            command = process_pb.Command(argv=["true"])
            stub.StartProcess(pb.StartProcessRequest(sandbox_id=process.sandbox_id, command=command), timeout=30)
            stub.PauseSandbox(pb.PauseSandboxRequest(sandbox_id=process.sandbox_id), timeout=30)
            stub.ResumeSandbox(pb.ResumeSandboxRequest(sandbox_id=process.sandbox_id), timeout=30)
            wait.cancel()

        self.check_cut_everywhere(calls)
        self.assertEqual(self.get_process(process).state, process_pb.PROCESS_STATE_RUNNING)


class DeletionTest(FaultCase):
    """DeleteSandbox while everything else is under way in it."""

    LATE = {
        (Code.NOT_FOUND, "SANDBOX_NOT_FOUND"),
        (Code.ABORTED, "SANDBOX_DELETED"),
        (FAILED, "SANDBOX_PAUSED"),
    }
    ROUNDS = 300  # of eight calls

    def outcome(self, call):
        """A unary call's response, or None where the deletion or the pause came before it."""
        try:
            return call.result()
        except grpc.RpcError as error:
            self.check_late(error)
            return None

    def check_late(self, error):
        failure = Failure.of(error)
        self.assertIn((failure.code, failure.reason), self.LATE, failure)

    def check_stream(self, stream):
        try:
            status = stream.finish().status
        except grpc.RpcError as error:
            self.check_late(error)
            return
        finally:
            stream.half_close()
        self.check_ended(status, signal=9, reason=process_pb.EXIT_REASON_DELETED)

    def check_over(self, process):
        if process.HasField("status"):
            self.check_ended(process.status, signal=9, reason=process_pb.EXIT_REASON_DELETED)

    def delete_in_the_middle(self, number):
        sandbox = self.create()
        about = {"sandbox_id": sandbox.sandbox_id}
        process = self.stub.StartProcess(
            pb.StartProcessRequest(**about, command=process_pb.Command(argv=["cat"])), timeout=30
        ).process
        streams = [
            self.exec_in(sandbox, "cat"),
            self.exec_in(sandbox, "cat", terminal=process_pb.Terminal()),
            self.attach(process),
        ]
        if number % 2:
            for stream in streams:
                stream.next("started")
        waiting = self.stub.WaitProcess.future(pb.WaitProcessRequest(**about, process_id=process.process_id), timeout=30)
        starting = self.stub.StartProcess.future(
            pb.StartProcessRequest(**about, command=process_pb.Command(argv=["sleep", "1000"])), timeout=30
        )
        # heeld looks for what was refused when such a command is over.
        failing = self.start_run(sandbox, "cat", "/root/none", "/proc/kcore")
        pausing = self.stub.PauseSandbox.future(pb.PauseSandboxRequest(**about), timeout=30)
        if number % 3 == 0:
            wait_for(lambda: failing.done() or pausing.done())
        self.delete(sandbox.sandbox_id)
        for stream in streams:
            self.check_stream(stream)
        for call in (waiting, starting):
            answer = self.outcome(call)
            if answer:
                self.check_over(answer.process)
        self.outcome(pausing)
        self.calls.clear()
        self.streams.clear()
        failed = self.outcome(failing)
        if failed and failed.status.WhichOneof("outcome") == "signal":
            self.check_ended(failed.status, signal=9, reason=process_pb.EXIT_REASON_DELETED)

    def test_everything_at_once(self):
        self.check_nothing_stays(self.delete_in_the_middle, repetitions=self.ROUNDS)


main()
