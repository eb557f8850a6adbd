"""Working directories in which the code left what is hard to remove; what links lead to stays."""

import os
import pathlib
import signal
import subprocess

from heeltest import ServerCase, main, pb, wait_for
from heeltest.cli import Cli, isolate

# A thousand levels with names so long that no path reaches the end, folders and files that nobody
# may enter or read, a pipe and a socket, links of all kinds, names that no terminal likes.
NASTY = r"""
import os, socket, sys
top, outside = os.getcwd(), sys.argv[1]
for level in range(1000):
    os.mkdir("n" * 200)
    os.chdir("n" * 200)
open("deepest", "w").close()
os.chdir(top)
os.makedirs("closed/inner/innermost")
open("closed/inner/innermost/file", "w").close()
os.mkfifo("pipe")
try:
    socket.socket(socket.AF_UNIX).bind("socket")
except PermissionError:
    pass  # without namespaces there are none
os.symlink(outside, "out")
os.symlink(outside + "/folder", "closed/out")
os.symlink(outside + "/file", "out-file")
os.symlink("..", "up")
os.symlink("loop", "loop")
os.symlink("/nowhere", "dangling")
open("one", "w").close()
os.link("one", "two")
for name in (b"\xff\xfe", b"new\nline", b"-rf", b" ", b"\x1b[2J", b"n" * 255):
    os.mkdir(os.path.join(os.fsencode(top), name), 0o000)
os.mkdir("many")
for number in range(2000):
    open("many/%d" % number, "w").close()
for mode, name in ((0o000, "closed/inner/innermost"), (0o111, "closed/inner"), (0o444, "closed"), (0o222, "many")):
    os.chmod(name, mode)
os.chmod(top, 0)
print("made")
"""


def setUpModule():
    isolate()


class WorkingDirTest(ServerCase):
    def setUp(self):
        self.outside = self.server.base / "outside"
        (self.outside / "folder").mkdir(parents=True, exist_ok=True)
        self.outside.chmod(0o777)
        (self.outside / "folder").chmod(0o777)
        (self.outside / "file").write_text("precious\n")
        (self.outside / "folder" / "file").write_text("precious\n")

    def tearDown(self):
        super().tearDown()
        self.assertEqual((self.outside / "file").read_text(), "precious\n")
        self.assertEqual((self.outside / "folder" / "file").read_text(), "precious\n")
        self.assertEqual(sorted(path.name for path in self.outside.iterdir()), ["file", "folder"])

    def make_nasty(self, target):
        answer = self.run_in(target, "python3", "-c", NASTY, str(self.outside))
        self.assertEqual((answer.stdout, answer.stderr), (b"made\n", b""), answer.status)
        return answer

    def test_it_is_removed(self):
        for _ in range(2):
            sandbox = self.create()
            self.make_nasty(sandbox)
            self.delete(sandbox.sandbox_id)
            self.assertFalse(os.path.lexists(sandbox.host_working_dir))
            self.assertEqual(self.server.stored(), [])

    def test_where_links_lead_to_what_may_be_written(self):
        rules = [pb.PathRule(path=str(self.outside), access=pb.PATH_ACCESS_WRITE)]
        sandbox = self.create(filesystem=pb.Filesystem(paths=rules))
        self.make_nasty(sandbox)
        self.delete(sandbox.sandbox_id)
        self.assertEqual(self.server.stored(), [])

    def test_of_a_private_sandbox(self):
        self.make_nasty(pb.SandboxSpec())
        self.assertEqual(self.server.stored(), [])

    def test_while_other_calls_are_answered(self):
        """A removal takes its time elsewhere than in the loop."""
        sandboxes = [self.create(f"nasty-{number}") for number in range(2)]
        for sandbox in sandboxes:
            self.make_nasty(sandbox)
        calls = [
            self.stub.DeleteSandbox.future(pb.DeleteSandboxRequest(sandbox_id=sandbox.sandbox_id))
            for sandbox in sandboxes
        ]
        answered = 0
        while not all(call.done() for call in calls):
            self.stub.ListSandboxes(pb.ListSandboxesRequest(), timeout=1)
            answered += 1
        for call in calls:
            call.result()
        self.assertGreater(answered, 0)
        self.assertEqual(self.server.stored(), [])

    def test_that_is_swept_by_the_next_start(self):
        sandbox = self.create()
        self.make_nasty(sandbox)
        launcher = self.server.launcher().pid
        os.kill(self.server.pid, signal.SIGSTOP)  # or it would clean up after its launcher
        self.server.kill(launcher)
        wait_for(lambda: not self.server.strays(), what=self.server.strays)
        self.server.start()
        wait_for(lambda: not os.path.lexists(sandbox.host_working_dir))
        wait_for(lambda: not self.server.stored(), what=self.server.stored)

    def test_kept_it_stays_as_it_is(self):
        sandbox = self.create(filesystem=pb.Filesystem(keep_working_dir=True))
        self.make_nasty(sandbox)
        kept = self.delete(sandbox.sandbox_id).kept_working_dir
        pathlib.Path(kept).chmod(0o700)
        self.assertTrue(os.path.islink(os.path.join(kept, "out")))
        self.assertEqual(self.server.stored(), [])
        subprocess.run(["chmod", "-R", "u+rwx", kept], check=True)
        subprocess.run(["rm", "-rf", kept], check=True)

    def test_of_heelcli(self):
        cli = Cli()
        answer = cli("run", "--", "python3", "-c", NASTY, self.outside)
        self.assertEqual((answer.returncode, answer.stdout), (0, "made\n"), answer.stderr)
        wait_for(lambda: not cli.instances(), what=cli.instances)


if __name__ == "__main__":
    main()
