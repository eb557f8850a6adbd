"""Processes as resources: started, found, waited for, signalled, and kept when they are over."""

import signal

from heeltest import Code, alive_with, main, mark, pb, process_pb, wait_for
from processes import EXITED, RUNNING, ProcessCase

TREE = process_pb.SIGNAL_SCOPE_TREE
GROUP = process_pb.SIGNAL_SCOPE_GROUP
ALONE = process_pb.SIGNAL_SCOPE_PROCESS


class LifeTest(ProcessCase):
    def test_it_outlives_the_call(self):
        process = self.start("cat")
        self.assertEqual((process.state, process.sandbox_id), (RUNNING, self.sandbox.sandbox_id))
        self.assertTrue(process.process_id)
        self.assertEqual(list(process.argv), ["cat"])
        self.assertFalse(process.HasField("status") or process.HasField("end_time"))
        self.assertEqual(self.get_process(process), process)

    def test_its_end_is_kept(self):
        process = self.sh("echo out; echo err >&2; exit 7")
        over = self.wait(process)
        self.assertEqual(over.state, EXITED)
        self.check_ended(over.status, code=7)
        self.assertGreaterEqual(over.end_time.ToNanoseconds(), over.start_time.ToNanoseconds())
        self.assertEqual((over.stdout.first, over.stdout.end, over.stderr.end), (0, 4, 4))
        self.assertEqual(self.get_process(process), over)
        outcome = self.output(process)
        self.assertEqual((outcome.stdout, outcome.stderr, outcome.status), (b"out\n", b"err\n", over.status))

    def test_a_program_that_is_not_there(self):
        process = self.start("no-such-program")
        self.assertEqual(process.state, EXITED)
        self.check_ended(process.status, code=127, reason=process_pb.EXIT_REASON_START_FAILED)
        self.assertIsNone(self.output(process).started)

    def test_exec_is_one_too(self):
        call = self.exec_in(self.sandbox, "cat", process_id="mine")
        call.next("started")
        found = self.processes().processes
        self.assertEqual([(one.process_id, one.state, one.readers) for one in found], [("mine", RUNNING, 1)])
        call.close_stdin()
        call.finish()
        self.assertEqual(self.get_process(found[0]).state, EXITED)

    def test_run_command_is_one_while_it_runs(self):
        run = self.start_run(self.sandbox, "sh", "-c", "echo said; read line", stdin=b"", process_id="run")
        wait_for(lambda: len(self.processes().processes) == 1 or run.done())
        run.result()
        run = self.start_run(self.sandbox, "sleep", "60", process_id="longer")
        wait_for(lambda: self.processes().processes)
        process = self.processes().processes[0]
        self.assertFalse(process.HasField("stdout"))
        with self.fails(Code.FAILED_PRECONDITION, "OUTPUT_CAPTURED"):
            self.attach(process).finish()
        self.signal(process, name="KILL")
        self.check_ended(run.result().status, signal=9, reason=process_pb.EXIT_REASON_SIGNALED)
        self.assertFalse(self.processes().processes)

    def test_deletion_ends_it(self):
        process = self.start("sleep", "1000")
        stream = self.attach(process)
        stream.next("started")
        self.delete(self.sandbox.sandbox_id)
        self.check_ended(stream.finish().status, signal=9, reason=process_pb.EXIT_REASON_DELETED)
        with self.fails(Code.NOT_FOUND, "SANDBOX_NOT_FOUND"):
            self.get_process(process)


class RetryTest(ProcessCase):
    def test_the_same_request_gets_the_same_process(self):
        script = "echo $$ >>runs; echo up; cat"
        first = self.sh(script, process_id="once")
        self.attach(first).read_until(b"up")
        again = self.sh(script, process_id="once")
        self.assertEqual((again.process_id, again.start_time), (first.process_id, first.start_time))
        self.signal(first, name="SIGTERM")
        over = self.wait(first)
        after = self.sh(script, process_id="once")
        self.assertEqual((after.start_time, after.status), (over.start_time, over.status))
        self.assertEqual(self.run_in(self.sandbox, "wc", "-l", "runs").stdout.split()[0], b"1")

    def test_another_command_with_its_id(self):
        self.start("cat", process_id="once")
        with self.fails(Code.ALREADY_EXISTS, "PROCESS_EXISTS") as failure:
            self.start("cat", "-n", process_id="once")
        self.assertEqual(failure.metadata["process_id"], "once")
        with self.fails(Code.ALREADY_EXISTS, "PROCESS_EXISTS"):
            self.exec_in(self.sandbox, "cat", process_id="once").finish()


class ListTest(ProcessCase):
    def test_pages_in_the_order_of_their_start(self):
        started = [self.start("cat").process_id for _ in range(5)]
        first = self.processes(page_size=2)
        rest = self.processes(page_size=10, page_token=first.next_page_token)
        self.assertEqual([one.process_id for one in [*first.processes, *rest.processes]], started)
        self.assertEqual(rest.next_page_token, "")

    def test_by_state(self):
        lasting, brief = self.start("cat"), self.start("true")
        self.wait(brief)
        for state, process in ((RUNNING, lasting), (EXITED, brief)):
            found = self.processes(states=[state]).processes
            self.assertEqual([one.process_id for one in found], [process.process_id])

    def test_those_that_are_over_are_bounded(self):
        for number in range(300):
            self.start("true", process_id=f"p{number}", close_stdin=True)
        wait_for(lambda: not self.processes(states=[RUNNING]).processes)
        found = self.processes(page_size=1000).processes
        self.assertEqual(len(found), 256)
        self.assertEqual(found[-1].process_id, "p299")

    def test_their_output_is_bounded(self):
        for number in range(5):
            ring = process_pb.OutputPolicy(ring_bytes=8 << 20)
            process = self.sh("head -c 8000000 /dev/zero", output=ring, process_id=f"p{number}")
            self.wait(process)
        kept = [one.process_id for one in self.processes().processes]
        self.assertEqual(kept, ["p3", "p4"])


class WaitTest(ProcessCase):
    def test_a_deadline(self):
        process = self.start("cat")
        with self.fails(Code.DEADLINE_EXCEEDED):
            self.wait(process, timeout=0.1)
        self.assertEqual(self.get_process(process).state, RUNNING)

    def test_many_who_wait(self):
        process = self.start("cat")
        request = pb.WaitProcessRequest(sandbox_id=process.sandbox_id, process_id=process.process_id)
        waits = [self.stub.WaitProcess.future(request, timeout=30) for _ in range(20)]
        waits[0].cancel()
        self.signal(process, signal=15)
        for wait in waits[1:]:
            self.check_ended(wait.result().process.status, signal=15, reason=process_pb.EXIT_REASON_SIGNALED)

    def test_unknown(self):
        process = process_pb.Process(sandbox_id=self.sandbox.sandbox_id, process_id="nobody")
        for call in (self.wait, self.get_process, lambda one: self.signal(one, signal=1)):
            with self.fails(Code.NOT_FOUND, "PROCESS_NOT_FOUND") as failure:
                call(process)
            self.assertEqual(failure.metadata, {"sandbox_id": self.sandbox.sandbox_id, "process_id": "nobody"})


class SignalTest(ProcessCase):
    """A shell with a child in its group and one, by setsid, in none."""

    SCRIPT = """
        trap 'echo shell' USR1
        sh -c 'trap "echo child" USR1; echo up; while :; do read x </dev/zero; done' &
        setsid sh -c 'trap "echo far" USR1; echo up; while :; do read x </dev/zero; done' &
        while :; do sleep 0.05; done"""

    def reached_by(self, **signal):
        process = self.start("bash", "-c", self.SCRIPT.replace("read x </dev/zero", "sleep 0.05"))
        stream = self.attach(process)
        got = b""
        while got.count(b"up") < 2:
            got += stream.next("stdout").data
        self.signal(process, **signal)
        # What was reached has said so before the next signal is sent to all.
        got += stream.read_until(b"shell")
        self.signal(process, signal=signal_of("USR2"), scope=TREE)
        got += stream.finish().stdout
        return sorted(set(got.split()) - {b"up"})

    def test_scopes(self):
        self.assertEqual(self.reached_by(name="USR1", scope=ALONE), [b"shell"])

    def test_group_reaches_the_group(self):
        process = self.sh("sleep 1000 & setsid sleep 1001 & echo up; wait")
        self.attach(process).read_until(b"up")
        self.signal(process, signal=signal.SIGTERM, scope=GROUP)
        self.check_ended(self.wait(process).status, signal=15, reason=process_pb.EXIT_REASON_SIGNALED)

    def test_tree_finds_what_left_its_session(self):
        seconds = mark()
        process = self.sh(f"setsid -f sleep {seconds}; setsid sh -c 'sleep {seconds} & wait' & echo up; wait")
        self.attach(process).read_until(b"up")
        wait_for(lambda: len(alive_with(seconds)) >= 2)
        self.signal(process, name="SIGKILL", scope=TREE)
        wait_for(lambda: not alive_with(seconds))

    def test_stop_and_continue(self):
        process = self.sh("while :; do echo tick; sleep 0.02; done")
        stream = self.attach(process)
        stream.read_until(b"tick")
        self.signal(process, name="STOP", scope=TREE)
        state = lambda: self.run_in(self.sandbox, "sh", "-c", "cat /proc/[0-9]*/stat").stdout.count(b"(sh) T")
        wait_for(lambda: state() == 1)
        self.signal(process, name="CONT", scope=TREE)
        stream.read_until(b"tick")
        self.assertEqual(state(), 0)

    def test_refused(self):
        process = self.start("cat")
        for which, field in (
            ({}, "signal.signal"),
            ({"signal": 0}, "signal.signal"),
            ({"signal": 65}, "signal.signal"),
            ({"signal": 999}, "signal.signal"),
            ({"signal": -1}, "signal.signal"),
            ({"name": "NOSUCH"}, "signal.name"),
            ({"name": ""}, "signal.name"),
            ({"name": "RTMIN+99"}, "signal.name"),
        ):
            with self.subTest(which), self.fails(Code.INVALID_ARGUMENT, "INVALID_FIELD", field):
                self.signal(process, **which)
        with self.fails(Code.INVALID_ARGUMENT, "INVALID_FIELD", "signal.scope"):
            self.signal(process, signal=1, scope=9)
        self.assertEqual(self.get_process(process).state, RUNNING)

    def test_one_that_is_over_is_left_alone(self):
        process = self.start("true")
        self.wait(process)
        self.signal(process, name="KILL", scope=TREE)
        self.check_ended(self.get_process(process).status, code=0)


def signal_of(name):
    return getattr(signal, f"SIG{name}")


main()
