"""PauseSandbox and ResumeSandbox, by signals: this test's heeld has no cgroup v2 subtree. What the
freezer does is in tests/kernels."""

from heeltest import Code, alive_with, main, mark, pb, process_pb, wait_for
from processes import DROP_OLDEST, ProcessCase

PAUSED = pb.SANDBOX_STATE_PAUSED
READY = pb.SANDBOX_STATE_READY
TREE = process_pb.SIGNAL_SCOPE_TREE
ALONE = process_pb.SIGNAL_SCOPE_PROCESS

# Many that fork a successor with a session of its own and end, as fast as they can.
STORM = """
import os, signal
if os.fork():
    signal.pause()
for _ in range(3):
    os.fork()
while True:
    try:
        if os.fork():
            os._exit(0)
    except OSError:
        continue
    os.setsid()
    os.write(1, b".")
"""


def state_of_sleep(seconds):
    """Of the one process that sleeps so long."""
    states = []
    for pid in alive_with(seconds):
        with open(f"/proc/{pid}/stat", encoding="utf8") as stat:
            name, _, rest = stat.read().rpartition(")")
        if name.endswith("(sleep"):
            states.append(rest.split()[0])
    return "".join(states)


class PauseTest(ProcessCase):
    def pause(self):
        return self.stub.PauseSandbox(pb.PauseSandboxRequest(sandbox_id=self.sandbox.sandbox_id), timeout=30).sandbox

    def resume(self):
        return self.stub.ResumeSandbox(pb.ResumeSandboxRequest(sandbox_id=self.sandbox.sandbox_id), timeout=30).sandbox

    def storm(self, **command):
        """It says something with each fork: as long as it does not, nobody in it runs."""
        process = self.start("python3", "-c", STORM, output=process_pb.OutputPolicy(when_full=DROP_OLDEST), **command)
        self.written(process, 100)
        return process

    def written(self, process, least=0):
        """How much it has, once that is so much."""
        seen = []
        wait_for(lambda: seen.append(self.get_process(process).stdout.end) or seen[-1] >= least, seconds=30)
        return seen[-1]

    def check_goes_on(self, process):
        self.written(process, self.written(process) + 10)

    def silent(self, process):
        """What was in the pipe has been read, and nothing comes."""
        ends = [self.get_process(process).stdout.end for _ in range(200)]
        return len(set(ends[100:])) == 1

    def test_everything_stands_still_and_goes_on(self):
        seconds = mark()
        process = self.sh(f"setsid sleep {seconds} & while :; do sleep 0.01; echo tick; done")
        stream = self.attach(process)
        stream.read_until(b"tick")
        wait_for(lambda: state_of_sleep(seconds))
        self.assertEqual(self.pause().state, PAUSED)
        self.assertEqual(self.get(self.sandbox.sandbox_id).state, PAUSED)
        self.assertEqual(state_of_sleep(seconds), "T")
        written = self.get_process(process).stdout.end
        self.assertEqual(self.pause().state, PAUSED)
        self.assertEqual(self.get_process(process).stdout.end, written)
        self.assertEqual(self.resume().state, READY)
        self.assertEqual(self.resume().state, READY)
        wait_for(lambda: self.get_process(process).stdout.end > written)

    def test_how(self):
        for _ in range(2):
            self.assertEqual(self.pause().pause_mechanism, pb.PAUSE_MECHANISM_SIGNALS)
        self.assertEqual(self.get(self.sandbox.sandbox_id).pause_mechanism, pb.PAUSE_MECHANISM_SIGNALS)
        self.assertEqual(self.resume().pause_mechanism, pb.PAUSE_MECHANISM_UNSPECIFIED)

    def test_a_storm_stands_still(self):
        process = self.storm()
        for _ in range(5):
            self.pause()
            self.assertTrue(self.silent(process))
            self.resume()
            self.check_goes_on(process)

    def test_a_storm_is_stopped_by_a_signal(self):
        """To its whole tree; nobody else is."""
        process, other = self.storm(), self.sh("while :; do echo tick; sleep 0.01; done")
        for _ in range(5):
            self.signal(process, name="STOP", scope=TREE)
            wait_for(lambda: self.silent(process))
            self.check_goes_on(other)
            self.signal(process, name="CONT", scope=TREE)
            self.check_goes_on(process)

    def test_a_storm_is_killed(self):
        process = self.storm()
        self.signal(process, name="KILL", scope=TREE)
        self.check_ended(self.wait(process).status, signal=9, reason=process_pb.EXIT_REASON_SIGNALED)
        wait_for(lambda: self.run_in(self.sandbox, "sh", "-c", "ls -d /proc/[0-9]*").stdout.count(b"\n") <= 3)

    def test_a_fork_bomb_stands_still(self):
        process = self.sh("f() { sleep 0.001; f & f; }; f", timeout={"seconds": 20})
        wait_for(lambda: self.run_in(self.sandbox, "sh", "-c", "ls /proc").stdout.count(b"\n") > 100)
        self.pause()
        self.delete(self.sandbox.sandbox_id)
        self.check_gone(process.sandbox_id)

    def test_what_had_stopped_stays_stopped(self):
        seconds = mark()
        process = self.sh(f"sleep {seconds} & until grep -q sleep /proc/$!/comm; do :; done; kill -STOP $!; echo up; wait")
        self.attach(process).read_until(b"up")
        wait_for(lambda: state_of_sleep(seconds) == "T")
        self.pause()
        self.resume()
        self.assertEqual(state_of_sleep(seconds), "T")

    def test_nothing_can_be_started(self):
        self.pause()
        with self.fails(Code.FAILED_PRECONDITION, "SANDBOX_PAUSED"):
            self.start("true")
        with self.fails(Code.FAILED_PRECONDITION, "SANDBOX_PAUSED"):
            self.run_in(self.sandbox, "true")
        self.resume()
        self.assertEqual(self.run_in(self.sandbox, "true").status.code, 0)

    def test_continue_does_not_end_a_pause(self):
        process = self.start("cat")
        stream = self.attach(process)
        stream.next("started")
        self.pause()
        self.signal(process, name="CONT", scope=process_pb.SIGNAL_SCOPE_TREE)
        stream.stdin(b"later\n")
        stream.next("stdin_taken")
        self.assertEqual(self.get_process(process).stdout.end, 0)
        self.resume()
        stream.read_until(b"later")

    def test_of_stop_and_continue_the_last_counts(self):
        ticking = "while :; do echo tick; sleep 0.01; done"
        for scope in (ALONE, process_pb.SIGNAL_SCOPE_GROUP, TREE):
            stops, goes_on = self.sh(ticking), self.sh(ticking)
            self.written(stops, 5), self.written(goes_on, 5)
            self.signal(goes_on, name="STOP", scope=scope)
            wait_for(lambda process=goes_on: self.silent(process))
            self.pause()
            self.signal(stops, name="CONT", scope=scope)
            self.signal(stops, name="STOP", scope=scope)
            self.signal(goes_on, name="CONT", scope=scope)
            self.resume()
            self.check_goes_on(goes_on)
            self.assertTrue(self.silent(stops))
            self.signal(stops, name="CONT", scope=scope)
            self.check_goes_on(stops)

    def test_other_signals_wait(self):
        process = self.start("bash", "-c", "trap 'echo heard' USR1; echo up; while :; do sleep 0.01; done")
        stream = self.attach(process)
        stream.read_until(b"up")
        self.pause()
        self.signal(process, name="USR1", scope=ALONE)
        self.assertTrue(self.silent(process))
        self.resume()
        stream.read_until(b"heard")

    def test_what_stands_still_can_be_killed(self):
        for scope in (ALONE, process_pb.SIGNAL_SCOPE_GROUP, TREE):
            seconds = mark()
            process = self.sh(f"setsid sleep {seconds} & echo up; sleep {seconds}; wait")
            self.attach(process).read_until(b"up")
            self.pause()
            self.signal(process, name="KILL", scope=scope)
            self.check_ended(self.wait(process).status, signal=9, reason=process_pb.EXIT_REASON_SIGNALED)
            self.assertEqual(self.get(self.sandbox.sandbox_id).state, PAUSED)
            if scope == TREE:
                wait_for(lambda argument=seconds: not alive_with(argument))
            self.resume()

    def test_a_lost_stream_kills(self):
        call = self.exec_in(self.sandbox, "cat", process_id="mine")
        process = call.next("started")
        self.pause()
        call.cancel()
        found = process_pb.Process(sandbox_id=self.sandbox.sandbox_id, process_id=process.process_id)
        self.check_ended(self.wait(found).status, signal=9, reason=process_pb.EXIT_REASON_DISCONNECTED)

    def test_what_was_written_can_be_read(self):
        process = self.sh("echo before; exec cat")
        self.written(process, 7)
        self.pause()
        stream = self.attach(process)
        self.assertEqual(stream.read_until(b"before\n"), b"before\n")
        stream.stdin(b"after\n")
        self.assertTrue(self.silent(process))
        self.resume()
        stream.read_until(b"after\n")

    def test_a_terminal(self):
        """It is resized, and a character of it signals, when it goes on."""
        call = self.exec_in(self.sandbox, "bash", "-c", "trap 'stty size; exit' INT; echo up; while :; do sleep 0.01; done", terminal=process_pb.Terminal())
        self.streams.append(call)
        call.read_until(b"up")
        self.pause()
        call.resize(11, 22)
        call.stdin(b"\x03")
        self.resume()
        call.read_until(b"11 22")

    def test_deletion(self):
        seconds = mark()
        process = self.sh(f"setsid sleep {seconds} & sleep {seconds}")
        wait = self.stub.WaitProcess.future(self._about(pb.WaitProcessRequest, process), timeout=30)
        wait_for(lambda: len(alive_with(seconds)) == 3)
        self.pause()
        self.delete(self.sandbox.sandbox_id)
        self.assertFalse(alive_with(seconds))
        self.check_ended(wait.result().process.status, signal=9, reason=process_pb.EXIT_REASON_DELETED)

    def test_the_end_of_its_time(self):
        sandbox = self.create(lifetime=pb.Lifetime(ttl={"nanos": 500000000}))
        self.stub.PauseSandbox(pb.PauseSandboxRequest(sandbox_id=sandbox.sandbox_id), timeout=30)
        wait_for(lambda: sandbox.sandbox_id not in [one.sandbox_id for one in self.list()])

    def test_many_who_ask_at_once(self):
        """In the order in which they came: who asked last decides."""
        process = self.sh("while :; do echo tick; sleep 0.01; done")
        request = {"sandbox_id": self.sandbox.sandbox_id}
        calls = []
        for _ in range(20):
            calls.append(self.stub.PauseSandbox.future(pb.PauseSandboxRequest(**request), timeout=30))
            calls.append(self.stub.ResumeSandbox.future(pb.ResumeSandboxRequest(**request), timeout=30))
        states = [call.result().sandbox.state for call in calls]
        self.assertEqual(states[::2], [PAUSED] * 20)
        self.assertEqual(self.get(self.sandbox.sandbox_id).state, READY)
        self.check_goes_on(process)

    def test_time_goes_on(self):
        process = self.start("sleep", "1000", timeout={"nanos": 300000000})
        self.pause()
        over = self.wait(process)
        self.check_ended(over.status, signal=9, reason=process_pb.EXIT_REASON_TIMEOUT)
        self.assertEqual(self.get(self.sandbox.sandbox_id).state, PAUSED)

    def test_unknown(self):
        with self.fails(Code.NOT_FOUND, "SANDBOX_NOT_FOUND"):
            self.stub.PauseSandbox(pb.PauseSandboxRequest(sandbox_id="nowhere"), timeout=30)
        with self.fails(Code.NOT_FOUND, "SANDBOX_NOT_FOUND"):
            self.stub.ResumeSandbox(pb.ResumeSandboxRequest(sandbox_id="nowhere"), timeout=30)


main()
