"""What a sandbox made that acts outside later is named when it ends; what was there is not."""

import shutil

from heeltest import ServerCase, event_pb, main, pb, process_pb
from heeltest.cli import Cli, isolate

DEFAULT = pb.ISOLATION_LEVEL_DEFAULT
MAKE = "mkdir -p new/.git/hooks new/.git/objects new/.git/refs sub/.vscode; echo x > new/.git/HEAD; echo x > .envrc"


def setUpModule():
    isolate()


class LeftFilesTest(ServerCase):
    def setUp(self):
        self.work = self.server.base / "work"
        (self.work / "old" / ".git").mkdir(parents=True)
        (self.work / "old" / ".git" / "HEAD").write_text("x")
        (self.work / ".npmrc").write_text("x")
        for folder in (self.work, self.work / "old"):
            folder.chmod(0o777)
        self.addCleanup(shutil.rmtree, self.work)
        self.new = [str(self.work / name) for name in (".envrc", "new/.git", "sub/.vscode")]

    def spec(self, **more):
        filesystem = pb.Filesystem(working_dir=str(self.work), **more)
        return pb.SandboxSpec(level=DEFAULT, filesystem=filesystem)

    def paths(self, acting_files):
        self.assertTrue(all(file.reason for file in acting_files.files))
        return sorted(file.path for file in acting_files.files)

    def make_in(self, sandbox, script=MAKE):
        answer = self.run_in(sandbox, "sh", "-c", script)
        self.assertEqual(answer.status.code, 0, answer)
        return answer

    def test_deletion_names_them(self):
        sandbox = self.create(level=DEFAULT, filesystem=self.spec().filesystem)
        self.assertFalse(self.make_in(sandbox).HasField("acting_files"))
        answer = self.delete(sandbox.sandbox_id)
        self.assertEqual(self.paths(answer.acting_files), self.new)
        self.assertFalse(answer.acting_files.incomplete)
        self.assertIn(".envrc", self.server.log)
        again = self.create(level=DEFAULT, filesystem=self.spec().filesystem)
        self.assertFalse(self.delete(again.sandbox_id).HasField("acting_files"))

    def test_the_event_names_them(self):
        watch = self.stub.WatchEvents(pb.WatchEventsRequest(kinds=[event_pb.EVENT_KIND_SANDBOX]), timeout=30)
        next(watch)
        sandbox = self.create(level=DEFAULT, filesystem=self.spec().filesystem)
        self.make_in(sandbox)
        self.delete(sandbox.sandbox_id)
        events = [next(watch).event.sandbox for _ in ("CREATED", "DELETED")]
        self.assertEqual(self.paths(events[1].acting_files), self.new)
        watch.cancel()

    def test_a_private_sandbox_names_them(self):
        self.assertEqual(self.paths(self.make_in(self.spec()).acting_files), self.new)
        self.assertFalse(self.make_in(self.spec(), "true").HasField("acting_files"))

    def test_a_stream_names_them(self):
        start = pb.ExecStart(spec=self.spec(), command=process_pb.Command(argv=["sh", "-c", MAKE]))
        answers = self.stub.Exec(iter([pb.ExecRequest(start=start)]), timeout=30)
        exited = next(answer.exited for answer in answers if answer.HasField("exited"))
        self.assertEqual(self.paths(exited.acting_files), self.new)

    def test_a_kept_working_dir_and_a_grant(self):
        kept = self.create(filesystem=pb.Filesystem(keep_working_dir=True))
        self.make_in(kept, "echo x > .bashrc")
        answer = self.delete(kept.sandbox_id)
        self.assertEqual(self.paths(answer.acting_files), [answer.kept_working_dir + "/.bashrc"])
        shutil.rmtree(answer.kept_working_dir)
        own = self.create(level=DEFAULT, filesystem=pb.Filesystem(
            paths=[pb.PathRule(path=str(self.work), access=pb.PATH_ACCESS_WRITE)]))
        self.make_in(own, f"echo x > {self.work}/.envrc; echo x > .envrc")
        self.assertEqual(self.paths(self.delete(own.sandbox_id).acting_files), self.new[:1])

    def test_a_removed_working_dir_leaves_nothing(self):
        own = self.create()
        self.make_in(own)
        self.assertFalse(self.delete(own.sandbox_id).HasField("acting_files"))

    def test_a_switch_ends_the_search(self):
        off = pb.ProtectionSwitch(group=pb.PROTECTED_GROUP_ACTING_FILES)
        self.assertFalse(self.make_in(self.spec(protections=[off])).HasField("acting_files"))

    def test_names_that_are_no_text(self):
        script = "mkdir \"$(printf 'a\\377\\033')\" && touch \"$(printf 'a\\377\\033')/.envrc\""
        files = self.make_in(self.spec(), script).acting_files.files
        self.assertEqual([file.path for file in files], [str(self.work) + "/a\\xff\\x1b/.envrc"])

    def test_very_many_leave_room_for_the_rest(self):
        script = "i=0; while [ $i -lt 500 ]; do mkdir d$i; : > d$i/.envrc; i=$((i+1)); done; head -c 2000000 /dev/zero"
        spec = self.spec()
        spec.limits.max_output_bytes = 491520
        answer = self.make_in(spec, script)
        self.assertTrue(answer.acting_files.incomplete)
        self.assertGreater(len(answer.acting_files.files), 100)
        self.assertLess(answer.ByteSize(), 1 << 20)

    def test_heelcli_notes_them(self):
        cli = Cli()
        work = ["--level", "default", "--working-dir", self.work]
        script = MAKE + "; mkdir \"$(printf 'a\\033[2J')\"; touch \"$(printf 'a\\033[2J')/.envrc\""
        answer = cli("run", *work, "--", "sh", "-c", script)
        notes = answer.stderr.splitlines()
        self.assertEqual((answer.returncode, len(notes)), (0, 4), answer)
        self.assertTrue(all(note.startswith("heelcli: it left \"") for note in notes), notes)
        self.assertNotIn("\033", answer.stderr)
        self.assertIn(r"a\x1b[2J/.envrc", answer.stderr)


if __name__ == "__main__":
    main()
