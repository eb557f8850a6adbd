"""What one caller may have at a time, and that none of it holds up the end of the server."""

import os
import pathlib
import subprocess

import grpc
from heeltest import Code, Heeld, TestCase, main, pb, process_pb, wait_for
from heeltest import health_pb2 as health
from heeltest.exec_call import ProcessCall
from processes import BLOCK, ProcessCase

MIB = 1 << 20


class StreamsTest(ProcessCase):
    flags = ("--max-streams-per-caller", "2")

    def setUp(self):
        super().setUp()
        self.process = self.start("cat")
        for _ in range(2):
            self.attach(self.process).next("started")

    def refused(self):
        return self.fails(Code.RESOURCE_EXHAUSTED, "LIMIT_REACHED")

    def watch_events(self):
        return self.server.stub.WatchEvents(pb.WatchEventsRequest(), timeout=30)

    def watch_health(self):
        return self.server.health.Watch(health.HealthCheckRequest(), timeout=30)

    def test_each_kind_counts(self):
        openings = (
            lambda: self.attach(self.process).next("started"),
            lambda: self.exec_in(self.sandbox, "cat").next("started"),
            lambda: self.wait(self.process),
            lambda: next(self.watch_events()),
            lambda: next(self.watch_health()),
        )
        for opening in openings:
            with self.refused() as failure:
                opening()
            self.assertEqual(failure.metadata, {"limit": "streams of one caller", "maximum": "2"})
            self.assertGreater(failure.retry_ms or 0, 0)

    def test_what_ends_makes_room(self):
        for end in (lambda: self.streams.pop().cancel(), lambda: self.signal(self.process, signal=9)):
            end()
            for opening in (self.watch_events, self.watch_health):
                for _ in range(3):
                    wait_for(lambda opening=opening: self.begins(opening))
        self.assertEqual(self.wait(self.process).status.signal, 9)

    def begins(self, opening):
        """Whether there was room; the stream is over then."""
        stream = opening()
        try:
            next(stream)
        except grpc.RpcError as error:
            self.assertEqual(error.code(), Code.RESOURCE_EXHAUSTED)
            return False
        stream.cancel()
        return True


class FewDescriptors(Heeld):
    """As a shell's `ulimit -n` has it."""

    LIMIT = 256

    def command(self):
        return ["prlimit", f"--nofile={self.LIMIT}:{self.LIMIT}", *super().command()]


def may_raise_limits():
    """Whether who runs this has CAP_SYS_RESOURCE, which root lacks in many containers."""
    return subprocess.run(["prlimit", "--nofile=1048576:1048576", "true"], check=False, capture_output=True).returncode == 0


class OpenFilesTest(TestCase):
    def setUp(self):
        server = FewDescriptors()
        self.addCleanup(server.end)
        self.stub = server.stub
        self.limits = pathlib.Path(f"/proc/{server.process.pid}/limits").read_text(encoding="utf-8")
        self.sandbox_id = self.stub.CreateSandbox(pb.CreateSandboxRequest()).sandbox.sandbox_id

    def start(self, *argv, **command):
        request = pb.StartProcessRequest(sandbox_id=self.sandbox_id, command=process_pb.Command(argv=argv, **command))
        return self.stub.StartProcess(request, timeout=30).process

    def use_up(self, **command):
        """Starts commands until one is refused, and returns them."""
        started = []
        with self.fails(Code.RESOURCE_EXHAUSTED, "LIMIT_REACHED") as failure:
            while len(started) < FewDescriptors.LIMIT:
                started.append(self.start("cat", **command))
        self.assertEqual(failure.metadata, {"limit": "RLIMIT_NOFILE"})
        self.assertIn("ulimit -n", failure.message)
        self.assertGreater(failure.retry_ms or 0, 0)
        return started

    def check_goes_on(self, **command):
        started = self.use_up(**command)
        about = {"sandbox_id": self.sandbox_id, "process_id": started[0].process_id}
        self.stub.SignalProcess(pb.SignalProcessRequest(**about, signal=pb.SendSignal(signal=9)), timeout=30)
        self.stub.WaitProcess(pb.WaitProcessRequest(**about), timeout=30)
        self.start("true", **command)

    def needs_the_limit(self):
        if may_raise_limits():
            self.skipTest("heeld raises the limit where it may")

    def test_pipes(self):
        self.needs_the_limit()
        self.check_goes_on()

    def test_terminals(self):
        self.needs_the_limit()
        self.check_goes_on(terminal=process_pb.Terminal())

    def test_root_has_more_for_itself_alone(self):
        if os.geteuid() != 0 or not may_raise_limits():
            self.skipTest("needs root with CAP_SYS_RESOURCE")
        most = int(pathlib.Path("/proc/sys/fs/nr_open").read_text(encoding="utf-8"))
        self.assertRegex(self.limits, rf"Max open files +{min(most, 262144)} ")
        command = process_pb.Command(argv=["sh", "-c", "ulimit -Hn"])
        answer = self.stub.RunCommand(pb.RunCommandRequest(sandbox_id=self.sandbox_id, command=command), timeout=30)
        self.assertEqual(answer.stdout, b"%d\n" % (FewDescriptors.LIMIT // 4))


class KeptOutputTest(ProcessCase):
    flags = ("--max-kept-output-per-caller", "1")

    def test_less_is_kept(self):
        ring = process_pb.OutputPolicy(ring_bytes=8 * MIB, when_full=BLOCK)
        held = self.sh("head -c 4000000 /dev/zero", output=ring)
        wait_for(lambda: self.get_process(held).stdout.end >= 500000)
        self.assertLessEqual(self.get_process(held).stdout.end, MIB)
        self.assertEqual(len(self.output(held).stdout), 4000000)

    def test_many_sandboxes_keep_the_last_of_each(self):
        for number in range(4):
            self.sandbox = self.create(f"s{number}")
            for turn in range(6):
                self.wait(self.sh("head -c 100000 /dev/zero", process_id=f"p{turn}"))
        for number in range(4):
            self.sandbox = self.get(f"s{number}")
            kept = self.processes().processes
            self.assertEqual(kept[-1].process_id, "p5")
        self.assertLess(len(kept), 6)


class DrainTest(TestCase):
    def test_open_calls_hold_up_nothing(self):
        server = Heeld("--grace", "200ms")
        self.addCleanup(server.end)
        sandbox = server.stub.CreateSandbox(pb.CreateSandboxRequest()).sandbox
        command = process_pb.Command(argv=["sh", "-c", "yes & cat"])
        start = pb.StartProcessRequest(sandbox_id=sandbox.sandbox_id, command=command)
        process = server.stub.StartProcess(start).process
        about = {"sandbox_id": process.sandbox_id, "process_id": process.process_id}
        streams = [
            ProcessCall(server.stub.Attach, pb.AttachRequest, pb.AttachStart(**about)),  # nobody reads it
            ProcessCall(server.stub.Attach, pb.AttachRequest),
            ProcessCall(server.stub.Exec, pb.ExecRequest),
            server.stub.WatchEvents(pb.WatchEventsRequest(), timeout=60),
        ]
        wait = server.stub.WaitProcess.future(pb.WaitProcessRequest(**about), timeout=60)
        wait_for(lambda: server.stub.GetProcess(pb.GetProcessRequest(**about)).process.readers)
        server.seen += server.processes()
        server.process.terminate()
        self.assertEqual(server.process.wait(20), 0)
        self.assertEqual(wait.result().process.status.reason, process_pb.EXIT_REASON_DELETED)
        self.assertEqual(server.leftovers(), [])
        for stream in streams:
            stream.cancel()


main()
