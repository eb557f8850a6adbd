"""Switches of protections: what each lets be seen, what none does, and what is said of it."""

import os
import pathlib
import shutil
import tempfile

from heeltest import Code, Heeld, ServerCase, main, pb
from heeltest.cli import Cli, isolate

DEFAULT, PERMISSIVE = pb.ISOLATION_LEVEL_DEFAULT, pb.ISOLATION_LEVEL_PERMISSIVE
GROUPS = [number for number in pb.ProtectedGroup.values() if number != pb.PROTECTED_GROUP_UNSPECIFIED]


def setUpModule():
    isolate()


def group(name, on):
    return pb.ProtectionSwitch(group=pb.ProtectedGroup.Value("PROTECTED_GROUP_" + name), on=on)


def path(where, on):
    return pb.ProtectionSwitch(path=str(where), on=on)


def fill_home(home):
    for name in (".ssh/id", ".aws/credentials", ".npmrc", "notes"):
        (home / name).parent.mkdir(exist_ok=True, parents=True)
        (home / name).write_text(name)


class SwitchesTest(ServerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.home = cls.server.home
        fill_home(cls.home)

    def setUp(self):
        super().setUp()
        self.needs_lent_files()

    def make(self, level, *switches, **filesystem):
        return self.create(level=level, filesystem=pb.Filesystem(protections=switches, **filesystem))

    def seen(self, sandbox, home=None):
        """The files of the home that can be read inside."""
        home = home or self.home
        script = f"cd {home} 2>/dev/null && for f in .ssh/id .aws/credentials .npmrc notes; do cat $f && echo; done"
        return set(self.run_in(sandbox, "sh", "-c", script).stdout.decode().split())

    def row(self, sandbox, name):
        return next(row for row in sandbox.enforcement if row.protection == pb.Protection.Value("PROTECTION_" + name))

    def test_default_shows_a_home_that_is_off(self):
        self.assertEqual(self.seen(self.make(DEFAULT)), set())
        sandbox = self.make(DEFAULT, group("USER_HOME", False))
        self.assertEqual(self.seen(sandbox), {"notes"})
        self.assertNotEqual(sandbox.home_dir, str(self.home))
        answer = self.run_in(sandbox, "sh", "-c", f"echo x > {self.home}/notes; echo x > {self.home}/new")
        self.assertNotEqual(answer.status.code, 0)
        self.assertEqual((self.home / "notes").read_text(), "notes")
        self.assertFalse((self.home / "new").exists())
        row = self.row(sandbox, "HIDDEN_PATHS")
        self.assertEqual(row.state, pb.ENFORCEMENT_STATE_DEGRADED)
        self.assertIn("USER_HOME", row.detail)

    def test_groups_are_switched_one_by_one(self):
        for name, shown in (("CREDENTIALS", ".ssh/id"), ("CLOUD", ".aws/credentials"), ("PACKAGES", ".npmrc")):
            with self.subTest(name):
                sandbox = self.make(DEFAULT, group("USER_HOME", False), group(name, False))
                self.assertEqual(self.seen(sandbox), {"notes", shown})
                self.assertIn(name, self.row(sandbox, "HIDDEN_PATHS").detail)

    def test_one_path_is_shown(self):
        sandbox = self.make(DEFAULT, path(self.home / ".npmrc", False))
        self.assertEqual(self.seen(sandbox), {".npmrc"})
        row = self.row(sandbox, "HIDDEN_PATHS")
        self.assertEqual(row.state, pb.ENFORCEMENT_STATE_DEGRADED)
        self.assertIn(".npmrc", row.detail)

    def test_one_path_stays_hidden(self):
        switches = [group("USER_HOME", False), group("CREDENTIALS", False), path(self.home / ".ssh", True)]
        self.assertEqual(self.seen(self.make(DEFAULT, *switches)), {"notes"})

    def test_a_grant_of_the_home_is_reported(self):
        sandbox = self.make(DEFAULT, paths=[pb.PathRule(path=str(self.home / ".ssh"), access=pb.PATH_ACCESS_READ)])
        self.assertEqual(self.seen(sandbox), {".ssh/id"})
        self.assertIn(".ssh", self.row(sandbox, "HIDDEN_PATHS").detail)

    def test_no_switch_opens_what_is_heels(self):
        sandbox = self.make(DEFAULT, *(group(name, False) for name in (
            "USER_HOME", "OTHER_HOMES", "PERSONAL", "SERVICES", "CREDENTIALS")))
        for where in (self.server.state, "/etc/heel", "/run/dbus"):
            answer = self.run_in(sandbox, "sh", "-c", f"ls -A {where} 2>/dev/null")
            self.assertEqual(answer.stdout, b"", where)
        for where in (self.server.state, "/run", "/usr", "/etc/passwd"):
            for on in (False, True):
                with self.fails(Code.INVALID_ARGUMENT, "INVALID_FIELD", "spec.filesystem.protections[1].path"):
                    self.make(DEFAULT, group("CLOUD", False), path(where, on))

    def test_acting_files(self):
        work = self.server.base / "work"
        work.mkdir()
        if os.geteuid() == 0:
            work.chmod(0o777)
        (work / ".envrc").write_text("old")
        (work / ".envrc").chmod(0o666)
        kept = self.make(DEFAULT, working_dir=str(work))
        self.assertNotEqual(self.row(kept, "ACTING_FILES").state, pb.ENFORCEMENT_STATE_DISABLED)
        self.assertNotEqual(self.run_in(kept, "sh", "-c", "echo new > .envrc").status.code, 0)
        loose = self.make(DEFAULT, group("ACTING_FILES", False), working_dir=str(work))
        self.assertEqual(self.row(loose, "ACTING_FILES").state, pb.ENFORCEMENT_STATE_DISABLED)
        self.assertEqual(self.run_in(loose, "sh", "-c", "echo new > .envrc").status.code, 0)
        self.assertEqual((work / ".envrc").read_text(), "new\n")
        shutil.rmtree(work)

    def test_the_effective_spec_has_every_group(self):
        sandbox = self.make(DEFAULT, path(self.home / ".npmrc", False), group("CLOUD", False))
        switches = list(sandbox.effective_spec.filesystem.protections)
        self.assertEqual(switches[0], path(self.home / ".npmrc", False))
        self.assertEqual(sorted(given.group for given in switches[1:]), GROUPS)
        self.assertEqual([given.group for given in switches[1:] if not given.on], [pb.PROTECTED_GROUP_CLOUD])
        permissive = self.make(PERMISSIVE).effective_spec.filesystem.protections
        self.assertEqual(sorted(given.group for given in permissive), GROUPS)
        self.assertFalse(any(given.on for given in permissive))


class PermissiveTest(ServerCase):
    """PERMISSIVE has a /tmp of its own: what it is to show has to lie elsewhere."""

    @classmethod
    def setUpClass(cls):
        cls.base = None
        if os.geteuid() == 0:
            cls.base = pathlib.Path(tempfile.mkdtemp(prefix="heel-switches-", dir="/srv"))
            cls.base.chmod(0o755)
            fill_home(cls.base)
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        if cls.base:
            shutil.rmtree(cls.base)

    def test_what_is_switched_on_is_hidden(self):
        self.root_only()
        with Heeld(environment={"HOME": str(self.base)}) as server:
            for switches, hidden in (
                ([], set()),
                ([group("CREDENTIALS", True)], {".ssh/id"}),
                ([group("CREDENTIALS", True), path(self.base / ".ssh", False)], set()),
                ([path(self.base / ".aws", True)], {".aws/credentials"}),
                ([group("USER_HOME", True)], {".ssh/id", ".aws/credentials", ".npmrc", "notes"}),
            ):
                spec = pb.SandboxSpec(level=PERMISSIVE, filesystem=pb.Filesystem(protections=switches))
                script = f"cd {self.base} && for f in .ssh/id .aws/credentials .npmrc notes; do cat $f && echo; done"
                answer = server.stub.RunCommand(self.run_request(spec, "sh", "-c", script), timeout=30)
                seen = set(answer.stdout.decode().split())
                self.assertEqual(seen, {".ssh/id", ".aws/credentials", ".npmrc", "notes"} - hidden, switches)


class CliTest(ServerCase):
    def test_flags(self):
        self.needs_lent_files()
        cli = Cli()
        fill_home(cli.home)
        ways = [str(cli.home / name) for name in (".ssh/id", "notes")]

        def run(*flags):
            return cli("run", "--level", "default", *flags, "--", "cat", *ways).stdout

        self.assertEqual(run(), "")
        self.assertEqual(run("--unprotect", "user-home"), "notes")
        self.assertEqual(run("--unprotect", "user-home", "--unprotect", "credentials"), ".ssh/idnotes")
        self.assertEqual(run("--unprotect", str(cli.home / ".ssh")), ".ssh/id")
        self.assertEqual(
            run("--unprotect", "user-home", "--unprotect=credentials", "--protect", str(cli.home / ".ssh")), "notes"
        )
        self.assertIn("user-home, other-homes", cli("help", "run").stdout)


if __name__ == "__main__":
    main()
