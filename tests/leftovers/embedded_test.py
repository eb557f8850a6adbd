"""heelcli run is killed: nothing of the server that it brought along remains."""

import os
import pathlib
import signal
import subprocess
import time

from heeltest import TestCase, main, mark, wait_for
from heeltest.cli import Cli, isolate
from heeltest.processes import become_subreaper, below, reap_orphans

ROUNDS = 50
# Leaves its session and its group, writes to all that it has, and says so at full speed.
BUSY = "mkdir -p a/b; touch a/b/file $HOME/file /dev/shm/file; setsid sleep {0} & setsid setsid yes {0} >/dev/null & yes {0}"


def setUpModule():
    become_subreaper()
    isolate()


class EmbeddedCase(TestCase):
    def setUp(self):
        self.cli = Cli()
        self.mounts = pathlib.Path("/proc/self/mountinfo").read_text()

    def left(self):
        """All that can be left of a heelcli that ended; empty is good."""
        reap_orphans()
        found = [str(process) for process in below(os.getpid())]
        found += self.cli.instances()
        # Root's heelds share a file of locks, which is empty and stays.
        found += [str(path) for path in self.cli.runtime.glob("*") if path.name != "uids"]
        found += [str(path) for path in self.cli.base.iterdir() if path.name not in ("home", "run")]
        if pathlib.Path("/proc/self/mountinfo").read_text() != self.mounts:
            found.append("mounts")
        return found

    def check_nothing_is_left(self):
        wait_for(lambda: not self.left(), what=self.left)

    def start_busy(self):
        """A heelcli run whose output has begun."""
        script = BUSY.format(mark())
        client = self.cli.start("run", "--", "sh", "-c", script, stdout=subprocess.PIPE)
        self.assertEqual(len(client.stdout.read(4096)), 4096)
        return client

    def check_it_ends(self, client):
        """By itself, with a failure, while somebody reads its output."""
        try:
            client.communicate(timeout=20)
        finally:
            client.kill()
            client.wait(20)
        self.assertGreater(client.returncode, 0)

    def kill(self, client):
        client.kill()
        client.wait(30)
        client.stdout.close()


class KilledTest(EmbeddedCase):
    def test_in_the_middle_of_a_run(self):
        for _ in range(ROUNDS):
            client = self.start_busy()
            self.assertGreaterEqual(len(below(client.pid)), 4)
            self.assertEqual(len(self.cli.instances()), 1)
            self.kill(client)
            self.check_nothing_is_left()

    def test_at_any_moment_of_its_start(self):
        for number in range(ROUNDS):
            client = self.cli.start("run", "--", "sh", "-c", "touch a; sleep 99", stdout=subprocess.PIPE)
            time.sleep(number * 0.0005)  # not to wait for something: to be early, late and in between
            self.kill(client)
            self.check_nothing_is_left()

    def test_with_its_launcher(self):
        """Nobody is left to remove its files: the next run does."""
        for _ in range(10):
            client = self.start_busy()
            launcher = [process for process in below(client.pid) if process.ppid == client.pid]
            self.assertEqual([process.comm for process in launcher], ["heel-launcher"])
            os.kill(launcher[0].pid, signal.SIGKILL)
            self.kill(client)
            wait_for(lambda: not reap_orphans() and not below(os.getpid()))
            self.assertEqual(self.cli("run", "true").returncode, 0)
            self.check_nothing_is_left()

    def test_the_launcher_alone(self):
        """The run can't go on without it: heelcli says so and ends."""
        for _ in range(10):
            client = self.start_busy()
            launcher = [process for process in below(client.pid) if process.ppid == client.pid]
            os.kill(launcher[0].pid, signal.SIGKILL)
            self.check_it_ends(client)
            wait_for(lambda: not reap_orphans() and not below(os.getpid()))
        self.assertEqual(self.cli("run", "true").returncode, 0)
        self.check_nothing_is_left()


class EndedTest(EmbeddedCase):
    def test_by_itself(self):
        for _ in range(ROUNDS):
            answer = self.cli("run", "--", "sh", "-c", "mkdir a; touch a/b; sleep 99 & exit 3")
            self.assertEqual(answer.returncode, 3, answer)
            self.check_nothing_is_left()

    def test_by_signals(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
            client = self.start_busy()
            client.send_signal(number)
            self.check_it_ends(client)
            self.check_nothing_is_left()

    def test_when_nobody_reads_its_output_any_more(self):
        client = self.start_busy()
        client.stdout.close()
        self.assertNotEqual(client.wait(30), 0)
        self.check_nothing_is_left()


if __name__ == "__main__":
    main()
