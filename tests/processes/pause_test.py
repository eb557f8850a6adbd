"""PauseSandbox and ResumeSandbox."""

from heeltest import Code, alive_with, main, mark, pb, process_pb, wait_for
from processes import ProcessCase

PAUSED = pb.SANDBOX_STATE_PAUSED
READY = pb.SANDBOX_STATE_READY


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
