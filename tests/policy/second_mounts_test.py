"""What is hidden stays hidden when the host mounts it a second time, also while heeld runs."""

import contextlib
import pathlib
import shutil
import subprocess
import tempfile

from heeltest import Heeld, ServerCase, main, pb
from heeltest.cli import isolate

DEFAULT, PERMISSIVE = pb.ISOLATION_LEVEL_DEFAULT, pb.ISOLATION_LEVEL_PERMISSIVE
OFTEN = 6  # the third is made from what the first two left


def setUpModule():
    isolate()  # the mounts below are seen by this test alone


@contextlib.contextmanager
def mounted(*arguments):
    subprocess.run(["mount", *map(str, arguments)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(arguments[-1])], check=True)


class SecondMountsTest(ServerCase):
    def setUp(self):
        self.root_only()
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="heel-mounts-", dir="/srv"))
        self.addCleanup(shutil.rmtree, self.base)
        self.base.chmod(0o755)
        for name in ("home", "again", "proc"):
            (self.base / name).mkdir()
        (self.base / "home" / "notes").write_text("secret")
        self.own = Heeld(environment={"HOME": str(self.base / "home")})
        self.addCleanup(self.own.stop)

    def seen(self, level, path):
        """What sandboxes of the level read there, one after the other."""
        request = self.run_request(pb.SandboxSpec(level=level), "sh", "-c", f"cat {path} 2>/dev/null")
        return {self.own.stub.RunCommand(request, timeout=30).stdout for _ in range(OFTEN)}

    def test_a_home(self):
        again = self.base / "again"
        (again / "notes").write_text("plain")
        self.assertEqual(self.seen(DEFAULT, again / "notes"), {b"plain"})
        with mounted("--bind", self.base / "home", again):
            self.assertEqual((again / "notes").read_text(), "secret")
            self.assertEqual(self.seen(DEFAULT, again / "notes"), {b""})
            self.assertEqual(self.seen(PERMISSIVE, again / "notes"), {b"secret"})
        self.assertEqual(self.seen(DEFAULT, again / "notes"), {b"plain"})

    def test_what_lies_above_a_home(self):
        with mounted("--bind", self.base, self.base / "again"):
            self.assertEqual(self.seen(DEFAULT, self.base / "again" / "home" / "notes"), {b""})

    def test_what_lies_in_a_home(self):
        (self.base / "home" / "part").mkdir()
        (self.base / "home" / "part" / "notes").write_text("secret")
        with mounted("--bind", self.base / "home" / "part", self.base / "again"):
            self.assertEqual(self.seen(DEFAULT, self.base / "again" / "notes"), {b""})

    def test_heels_own_folders_and_run(self):
        pathlib.Path("/run/heel-mounts-test").write_text("secret")
        self.addCleanup(pathlib.Path("/run/heel-mounts-test").unlink)
        (self.own.state / "mark").write_text("secret")
        for source, name in ((self.own.state, "mark"), ("/run", "heel-mounts-test")):
            with mounted("--bind", source, self.base / "again"):
                self.assertEqual((self.base / "again" / name).read_text(), "secret")
                for level in (DEFAULT, PERMISSIVE):
                    self.assertEqual(self.seen(level, self.base / "again" / name), {b""}, source)
            (self.own.state / "mark").unlink(missing_ok=True)

    def test_interfaces_of_the_kernel(self):
        for kind, name in (("proc", "version"), ("sysfs", "kernel/vmcoreinfo")):
            with mounted("-t", kind, "none", self.base / "proc"):
                self.assertTrue((self.base / "proc" / name).exists())
                for level in (DEFAULT, PERMISSIVE):
                    self.assertEqual(self.seen(level, self.base / "proc" / name), {b""}, kind)


if __name__ == "__main__":
    main()
