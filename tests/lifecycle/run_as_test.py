"""Whom sandboxes run as: who may name whom, with whose rights paths are used, and what root's are like."""

import os
import pathlib
import subprocess

from heeltest import Agent, Code, Heeld, ServerCase, TestCase, main, pb, process_pb
from heeltest.places import MADE_UP_UIDS

ALICE, BOB = (MADE_UP_UIDS + 70_000_000 + 2 * os.getpid() + number for number in (0, 1))
NOBODY = 4294967295
IDENTITY = "id -u; id -g; grep -E '^(Groups|CapEff|CapBnd):' /proc/self/status | cut -f2"


def named(uid, gid=None):
    return pb.RunAs(uid=uid, gid=uid if gid is None else gid)


alice = None


def setUpModule():
    global alice
    if os.geteuid() == 0:
        alice = Agent(ALICE)


def tearDownModule():
    if alice:
        alice.kill()


class RunAsCase(ServerCase):
    def identity(self, sandbox):
        answer = self.run_in(sandbox.sandbox_id, "sh", "-c", IDENTITY)
        self.assertEqual(answer.status.code, 0, answer)
        return [line.strip() for line in answer.stdout.decode().splitlines()]

    def refused(self, run_as, code, reason, field):
        with self.fails(code, reason, field):
            self.create(run_as=run_as)

    def not_allowed(self, run_as):
        self.refused(run_as, Code.PERMISSION_DENIED, "IDENTITY_NOT_ALLOWED", "spec.run_as")

    def privileges(self, sandbox):
        return next(row for row in sandbox.enforcement if row.protection == pb.PROTECTION_PRIVILEGES)


class AnyTest(RunAsCase):
    def test_what_can_be_nobody(self):
        for run_as, field in (
            (named(NOBODY, 1), "uid"),
            (named(1, NOBODY), "gid"),
            (named(0, 1), "gid"),
            (named(1, 0), "gid"),
        ):
            with self.subTest(str(run_as)):
                self.refused(run_as, Code.INVALID_ARGUMENT, "INVALID_FIELD", f"spec.run_as.{field}")


class TwoServersTest(TestCase):
    def uid_in_sandbox(self, server):
        request = pb.RunCommandRequest(spec=pb.SandboxSpec(), command=process_pb.Command(argv=["id", "-u"]))
        return int(server.stub.RunCommand(request).stdout)

    def test_no_uid_is_given_out_twice(self):
        """Both have the same range, as all have that no flag says otherwise of."""
        self.root_only()
        if not os.access("/run", os.W_OK):
            self.skipTest("/run can't be written, where heelds tell each other which uids they have")
        first, second = Heeld(), Heeld(start=False)
        self.addCleanup(first.end)
        second.uids = first.uids
        second.start()
        self.addCleanup(second.end)
        uids = [self.uid_in_sandbox(server) for server in (first, second, first, second)]
        self.assertEqual(set(uids[::2]) & set(uids[1::2]), set(), uids)
        for uid in uids:
            self.assertTrue(first.uids[0] <= uid <= first.uids[1], uids)


class UserTest(RunAsCase):
    def setUp(self):
        self.user_only()

    def test_itself(self):
        own = (os.geteuid(), os.getegid())
        sandbox = self.create("own", run_as=named(*own))
        self.assertEqual(self.identity(sandbox)[:2], [str(number) for number in own])
        self.assertEqual(sandbox.effective_spec.run_as, named(*own))

    def test_nobody_else(self):
        for run_as in (named(os.geteuid() + 1), named(0), named(os.geteuid(), os.getegid() + 1)):
            with self.subTest(str(run_as)):
                self.not_allowed(run_as)


class RootTest(RunAsCase):
    def setUp(self):
        self.root_only()

    def folder(self, name, owner, mode=0o700):
        path = self.server.base / name
        path.mkdir()
        (path / "file").write_text("there\n")
        for entry in (path, path / "file"):
            os.chown(entry, owner, owner)
        path.chmod(mode)
        return path

    def work_in(self, folder, run_as):
        sandbox = self.create(filesystem=pb.Filesystem(working_dir=str(folder)), run_as=run_as)
        answer = self.run_in(sandbox.sandbox_id, "sh", "-c", "cat file && echo new >new && stat -c %u file new")
        return answer.stdout.decode().split(), answer

    def test_unasked_it_is_nobody(self):
        sandbox = self.create()
        uid, gid, groups, effective, bounding = self.identity(sandbox)
        self.assertTrue(self.server.uids[0] <= int(uid) <= self.server.uids[1], uid)
        self.assertEqual((gid, groups, int(effective, 16), int(bounding, 16)), (uid, "", 0, 0))
        self.assertFalse(sandbox.effective_spec.HasField("run_as"))

    def test_another(self):
        sandbox = self.create(run_as=named(ALICE, BOB))
        self.assertEqual(self.identity(sandbox), [str(ALICE), str(BOB), "", "0" * 16, "0" * 16])
        self.assertEqual(os.stat(sandbox.host_working_dir).st_uid, ALICE)
        self.assertEqual(self.privileges(sandbox).state, pb.ENFORCEMENT_STATE_ACTIVE)

    def test_root(self):
        sandbox = self.create(run_as=named(0))
        self.assertEqual(self.identity(sandbox), ["0", "0", "", "0" * 16, "0" * 16])
        row = self.privileges(sandbox)
        self.assertEqual(row.state, pb.ENFORCEMENT_STATE_DEGRADED)
        self.assertIn("spec.run_as", row.detail)

    def test_its_files_are_its_own(self):
        said, answer = self.work_in(self.folder("hers", ALICE), named(ALICE))
        self.assertEqual(said, ["there", str(ALICE), str(ALICE)], answer)
        self.assertEqual((self.server.base / "hers/new").stat().st_uid, ALICE)

    def test_roots_files_are_roots_own(self):
        said, answer = self.work_in(self.folder("roots", 0), named(0))
        self.assertEqual(said, ["there", "0", "0"], answer)

    def test_others_files_are_not(self):
        for name, owner, run_as in (("his", BOB, ALICE), ("roots-private", 0, ALICE)):
            with self.subTest(name), self.fails(
                Code.PERMISSION_DENIED, "PATH_NOT_ACCESSIBLE", "spec.filesystem.working_dir"
            ):
                self.work_in(self.folder(name, owner), named(run_as))

    def test_root_without_capabilities_is_no_more_than_an_owner(self):
        folder = self.folder("private", ALICE)
        sandbox = self.create(filesystem=pb.Filesystem(paths=[pb.PathRule(path=str(folder), access=pb.PATH_ACCESS_WRITE)]), run_as=named(0))
        for script in (f"cat {folder}/file", f"touch {folder}/new", "chown 1 .", "mknod null c 1 3", "mount -t tmpfs none /tmp"):
            with self.subTest(script):
                self.assertNotEqual(self.run_in(sandbox.sandbox_id, "sh", "-c", script).status.code, 0)

    def test_root_changes_no_settings_of_the_kernel(self):
        script = "for f in $(find /proc/sys /sys /proc/sysrq-trigger -maxdepth 4 -type f 2>/dev/null); do (: >>$f) 2>/dev/null && echo $f; done; echo $(find /proc/sys /sys -maxdepth 4 -type f 2>/dev/null | wc -l)"
        for level in (pb.ISOLATION_LEVEL_STRICT, pb.ISOLATION_LEVEL_DEFAULT, pb.ISOLATION_LEVEL_PERMISSIVE):
            sandbox = self.create(level=level, run_as=named(0))
            with self.subTest(level):
                *opened, tried = self.run_in(sandbox.sandbox_id, "sh", "-c", script).stdout.decode().split()
                self.assertEqual(opened, [])
                self.assertGreater(int(tried), 500)

    def test_not_one_of_the_range(self):
        self.not_allowed(named(self.server.uids[0]))
        self.not_allowed(named(self.server.uids[1], 1))

    def test_callers_name_themselves_only(self):
        os.chmod(self.server.socket, 0o666)
        for run_as, allowed in (
            (named(ALICE), True),
            (named(BOB), False),
            (named(0), False),
            (named(ALICE, BOB), False),
            (named(self.server.uids[0]), False),
        ):
            answer, failure = self.run_for(alice, run_as)
            with self.subTest(str(run_as)):
                if allowed:
                    self.assertEqual(answer and answer.stdout.split(), [str(ALICE).encode()] * 2, failure)
                else:
                    self.check_failure(failure, Code.PERMISSION_DENIED, "IDENTITY_NOT_ALLOWED", "spec.run_as")

    def run_for(self, agent, run_as):
        request = pb.RunCommandRequest(
            spec=pb.SandboxSpec(run_as=run_as), command=process_pb.Command(argv=["sh", "-c", "id -u; id -g"])
        )
        return agent.call(self.server.address, "RunCommand", request, pb.RunCommandResponse)


class RangeTest(TestCase):
    """Uids that are somebody's are not given to sandboxes."""

    def start_with(self, uid_range):
        server = Heeld(start=False)
        self.addCleanup(server.end)
        command = [word for word in server.command()]
        if "--uid-range" in command:
            command[command.index("--uid-range") + 1] = uid_range
        return subprocess.run(command, capture_output=True, text=True, timeout=20, env=server.environment, check=False)

    def test_a_range_with_somebody_in_it(self):
        self.root_only()
        entry = next(line for line in pathlib.Path("/etc/passwd").read_text().splitlines() if line.split(":")[2] != "0")
        uid = entry.split(":")[2]
        done = self.start_with(f"{uid}-{uid}")
        self.assertEqual(done.returncode, 1, done)
        self.assertIn(entry, done.stderr)
        self.assertIn("--uid-range", done.stderr)


if __name__ == "__main__":
    main()
