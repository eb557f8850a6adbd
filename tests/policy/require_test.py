"""What a spec requires is held, or there is no sandbox and nothing left of the attempt."""

import shutil

from heeltest import Code, ServerCase, main, pb
from heeltest.cli import Cli, isolate

DEFAULT, PERMISSIVE = pb.ISOLATION_LEVEL_DEFAULT, pb.ISOLATION_LEVEL_PERMISSIVE


def setUpModule():
    isolate()


class RequireTest(ServerCase):
    def states(self, sandbox):
        return {row.protection: row.state for row in sandbox.enforcement}

    def refused(self, protection, state, **spec):
        with self.fails(Code.FAILED_PRECONDITION, "PROTECTION_UNAVAILABLE") as failure:
            self.create(require=[pb.Protection.Value("PROTECTION_" + protection)], **spec)
        self.assertEqual((failure.metadata["protection"], failure.metadata["state"]), (protection, state))
        self.assertTrue(failure.metadata["detail"])
        self.assertIn(failure.metadata["detail"], failure.message)
        self.assertEqual(self.list(), [])
        self.assertEqual(self.stored(), [])
        return failure.metadata["detail"]

    def test_each_protection_is_given_or_refused(self):
        plain = self.create(level=DEFAULT)
        states = self.states(plain)
        self.delete(plain.sandbox_id)
        for protection, state in states.items():
            name = pb.Protection.Name(protection)[len("PROTECTION_") :]
            with self.subTest(name):
                if state == pb.ENFORCEMENT_STATE_ACTIVE:
                    made = self.create(level=DEFAULT, require=[protection])
                    self.assertEqual(self.states(made)[protection], state)
                    self.assertEqual(list(made.effective_spec.require), [protection])
                    self.delete(made.sandbox_id)
                else:
                    self.refused(name, pb.EnforcementState.Name(state)[len("ENFORCEMENT_STATE_") :], level=DEFAULT)

    def test_the_rest_of_the_spec_counts(self):
        self.assertIn("PERMISSIVE", self.refused("FILESYSTEM", "DISABLED", level=PERMISSIVE))
        group = pb.ProtectionSwitch(group=pb.PROTECTED_GROUP_CLOUD)
        switched = pb.Filesystem(protections=[group])
        self.assertIn("CLOUD", self.refused("HIDDEN_PATHS", "DEGRADED", level=DEFAULT, filesystem=switched))

    def test_a_grant_of_what_acts_later_counts(self):
        work = self.server.base / "work"
        work.mkdir()
        work.chmod(0o777)
        kept = pb.Filesystem(working_dir=str(work))
        made = self.create(level=DEFAULT, filesystem=kept, require=[pb.PROTECTION_ACTING_FILES])
        self.delete(made.sandbox_id)
        (work / ".git").mkdir()
        (work / ".git").chmod(0o777)
        kept.paths.add(path=str(work / ".git"), access=pb.PATH_ACCESS_WRITE)
        self.assertIn(".git", self.refused("ACTING_FILES", "DEGRADED", level=DEFAULT, filesystem=kept))
        shutil.rmtree(work)

    def test_nothing_runs_before(self):
        work = self.server.base / "run"
        work.mkdir()
        work.chmod(0o777)
        spec = pb.SandboxSpec(filesystem=pb.Filesystem(working_dir=str(work)))
        self.assertEqual(self.run_in(spec, "touch", "allowed").status.code, 0)
        spec.require.append(pb.PROTECTION_LIMITS)
        with self.fails(Code.FAILED_PRECONDITION, "PROTECTION_UNAVAILABLE"):
            self.run_in(spec, "touch", "refused")
        self.assertEqual([path.name for path in work.iterdir()], ["allowed"])
        shutil.rmtree(work)

    def test_a_kept_working_dir_of_a_refused_sandbox_is_removed(self):
        self.refused("LIMITS", "DISABLED", filesystem=pb.Filesystem(keep_working_dir=True))
        self.assertEqual(list((self.server.state / "kept").glob("*")), [])

    def test_heelcli(self):
        cli = Cli()
        self.assertEqual(cli("run", "--require", "network", "--", "true").returncode, 0)
        answer = cli("run", "--level", "permissive", "--require", "filesystem", "--", "echo", "ran")
        self.assertEqual((answer.returncode, answer.stdout), (125, ""))
        self.assertIn("FILESYSTEM", answer.stderr)


if __name__ == "__main__":
    main()
