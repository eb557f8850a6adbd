"""The verbs of processes and events: start, ps, logs, attach, kill, wait, pause, resume, events."""

import json
import signal
import subprocess

from heeltest import Heeld, TestCase, alive_with, main, mark, wait_for
from heeltest.cli import Cli, isolate

LOOP = "while :; do sleep 0.01; done"


def setUpModule():
    isolate()


class ProcessCase(TestCase):
    def setUp(self):
        self.cli = Cli()
        self.server = Heeld()
        self.addCleanup(self.server.end)
        self.cli.environment["HEEL_ADDRESS"] = self.server.address
        self.check("create", "--id", "box")

    def check(self, *arguments, code=0, **options):
        answer = self.cli(*arguments, **options)
        self.assertEqual(answer.returncode, code, answer)
        return answer.stdout

    def check_sentence(self, *arguments, code=1):
        answer = self.cli(*arguments)
        self.assertEqual((answer.returncode, answer.stdout), (code, ""), answer)
        self.assertRegex(answer.stderr, r"\Aheelcli: [^\n]+\n\Z")
        return answer.stderr

    def start(self, script, *flags):
        return self.check("start", *flags, "box", "--", "sh", "-c", script).strip()

    def start_loop(self, script=":"):
        """Runs until it is killed; returns when it has begun to."""
        process = self.start(f"{script}; echo up; {LOOP}")
        wait_for(lambda: "up\n" in self.check("logs", "box", process))
        return process


class OutputTest(ProcessCase):
    def test_logs(self):
        process = self.start("echo hello; echo error >&2; exit 3")
        self.check("wait", "box", process, code=3)
        answer = self.cli("logs", "box", process)
        self.assertEqual((answer.stdout, answer.stderr), ("hello\n", "error\n"))
        answer = self.cli("logs", "--since-offset", "2", "--since-errors-offset", "6", "box", process)
        self.assertEqual((answer.returncode, answer.stdout, answer.stderr), (0, "llo\n", ""))
        self.assertEqual(self.check("logs", "-f", "--since-offset", "6", "box", process), "")
        self.assertIn("start.stdout_offset", self.check_sentence("logs", "--since-offset", "7", "box", process))
        lines = [json.loads(line) for line in self.check("logs", "--output", "json", "-f", "box", process).splitlines()]
        self.assertIn("started", lines[0])
        self.assertEqual(lines[-1]["exited"]["status"]["code"], 3)

    def test_logs_of_one_that_runs(self):
        process = self.start_loop("echo first")
        self.assertEqual(self.check("logs", "box", process), "first\nup\n")
        follower = self.cli.start("logs", "-f", "box", process, stdout=subprocess.PIPE)
        self.assertEqual(follower.stdout.read(9), b"first\nup\n")
        self.check("kill", "box", process)
        self.assertEqual(follower.communicate(timeout=20)[0], b"")
        self.assertEqual(follower.returncode, 0)

    def test_an_interrupted_follower_leaves_it_running(self):
        process = self.start_loop()
        follower = self.cli.start("logs", "-f", "box", process, stdout=subprocess.PIPE)
        follower.stdout.read(3)
        follower.send_signal(signal.SIGINT)
        follower.communicate(timeout=20)
        self.assertEqual(follower.returncode, -signal.SIGINT)
        self.assertIn(process, self.check("ps", "box"))

    def test_old_output_is_forgotten_and_told_of(self):
        process = self.start("seq 300000")
        self.check("wait", "box", process)
        answer = self.cli("logs", "box", process)
        self.assertRegex(answer.stderr, r"\Aheelcli: of standard output the bytes from 0 up to \d+ are kept no more\n\Z")
        self.assertTrue(answer.stdout.endswith("299999\n300000\n"))
        self.assertGreater(len(answer.stdout), 1 << 19)

    def test_attach(self):
        process = self.start("read x; echo got $x; exit 5", "--interactive")
        answer = self.cli("attach", "--since-offset", "0", "box", process, input="this\n")
        self.assertEqual((answer.returncode, answer.stdout), (5, "got this\n"), answer)
        self.assertEqual(self.check("attach", "--since-offset", "4", "box", process, code=5), "this\n")
        self.assertEqual(self.check("attach", "box", process, code=5), "")

    def test_no_input_unless_asked_for(self):
        process = self.start("cat; echo over")
        self.check("wait", "box", process)
        self.assertEqual(self.check("logs", "box", process), "over\n")


class LifeTest(ProcessCase):
    def test_ps(self):
        running, over = self.start_loop(), self.start("exit 4")
        self.check("wait", "box", over, code=4)
        self.assertIn(running, self.check("ps", "box"))
        self.assertNotIn(over, self.check("ps", "box"))
        self.assertRegex(self.check("ps", "--all", "box"), rf"{over} +EXITED 4 ")
        listed = json.loads(self.check("ps", "-a", "--output", "json", "box"))
        self.assertEqual([process["processId"] for process in listed], [running, over])
        self.assertEqual(json.loads(self.check("ps", "--output", "json", "box"))[0]["argv"][:2], ["sh", "-c"])

    def test_an_id_of_ones_own(self):
        self.assertEqual(self.start(LOOP, "--id", "mine"), "mine")
        self.assertEqual(self.start(LOOP, "--id", "mine"), "mine")  # the same
        self.assertEqual(len(json.loads(self.check("ps", "--output", "json", "box"))), 1)
        self.check_sentence("start", "--id", "mine", "box", "true", code=125)

    def test_what_cannot_be_started(self):
        self.assertIn("no-such-program", self.check_sentence("start", "box", "no-such-program", code=125))

    def test_kill(self):
        for flags, code in (([], 143), (["--signal", "KILL"], 137), (["-s", "SIGINT"], 130), (["-s9"], 137)):
            process = self.start_loop()
            self.check("kill", *flags, "box", process)
            self.check("wait", "box", process, code=code)
            self.check("kill", "box", process)  # over, and no error

    def test_scopes(self):
        """A grandchild that left the group is reached by tree alone."""
        for scope, dies in (("process", False), ("group", False), ("tree", True)):
            argument = mark()
            process = self.start_loop(f"setsid sleep {argument} & :")
            wait_for(lambda argument=argument: alive_with(argument))
            self.check("kill", "--scope", scope, "--signal", "KILL", "box", process)
            self.check("wait", "box", process, code=137)
            if dies:
                wait_for(lambda argument=argument: not alive_with(argument))
            self.assertEqual(bool(alive_with(argument)), not dies, scope)

    def test_bad_signals(self):
        process = self.start_loop()
        for flags, wanted in (
            (["--signal", "NONE"], "signal"),
            (["--signal", "0"], "signal"),
            (["--signal", "65"], "64"),
            (["--signal", "99999999999"], "signal"),
            (["--scope", "all"], "tree"),
        ):
            self.assertIn(wanted, self.check_sentence("kill", *flags, "box", process))
        for verb in ("kill", "logs"):
            self.assertIn("nobody", self.check_sentence(verb, "box", "nobody"))
        for verb in ("attach", "wait"):
            self.assertIn("nobody", self.check_sentence(verb, "box", "nobody", code=125))

    def test_wait(self):
        process = self.start_loop()
        waiting = self.cli.start("wait", "--output", "json", "box", process, stdout=subprocess.PIPE)
        self.check("kill", "box", process)
        told = json.loads(waiting.communicate(timeout=20)[0])
        self.assertEqual((waiting.returncode, told["status"]["signal"]), (143, 15))

    def test_pause_and_resume(self):
        process = self.start("while :; do echo x; sleep 0.01; done")
        self.assertEqual(self.check("pause", "box"), "")
        self.assertRegex(self.check("list"), r"box +PAUSED")
        before = self.check("logs", "box", process)
        self.assertEqual(self.check("logs", "box", process), before)
        self.assertEqual(json.loads(self.check("resume", "--output", "json", "box"))["state"], "SANDBOX_STATE_READY")
        wait_for(lambda: len(self.check("logs", "box", process)) > len(before))


class EventsTest(ProcessCase):
    def events(self, *flags):
        return [json.loads(line) for line in self.check("events", "--output", "json", *flags).splitlines()]

    def test_what_has_happened(self):
        process = self.start("exit 6")
        self.check("wait", "box", process, code=6)
        text = self.check("events")
        self.assertRegex(text, r"\A1  \S+ \S+  box  CREATED\n")
        self.assertIn(f"box  {process} started: sh -c exit 6\n", text)
        self.assertIn(f"box  {process} ended: EXITED 6\n", text)
        self.assertEqual(self.check("events", "--after", "1"), "".join(text.splitlines(True)[1:]))
        self.assertEqual(self.check("events", "--after", "3"), "")
        self.assertEqual(len(self.check("events", "--kind", "process-exited").splitlines()), 1)
        self.assertEqual(self.check("events", "--sandbox", "other"), "")
        self.assertIn("started", self.events()[0])
        self.assertEqual([event["event"]["sequence"] for event in self.events()[1:]], ["1", "2", "3"])
        self.check_sentence("events", "--after", "99")
        self.assertIn("process-exited", self.check_sentence("events", "--kind", "all"))

    def test_follow(self):
        follower = self.cli.start("events", "-f", "--after", "0", "--sandbox", "box", stdout=subprocess.PIPE)
        self.assertIn(b"CREATED", follower.stdout.readline())
        self.check("create", "--id", "other")
        self.check("pause", "box")
        self.assertIn(b"box  PAUSED", follower.stdout.readline())
        self.check("delete", "box")
        self.assertIn(b"box  DELETED", follower.stdout.readline())
        self.server.stop()
        follower.communicate(timeout=20)
        self.assertEqual(follower.returncode, 1)


if __name__ == "__main__":
    main()
