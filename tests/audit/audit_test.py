"""What Landlock refuses, seen in the kernel's audit records."""

import pathlib
import tempfile

from heeltest import ServerCase, event_pb, main, pb, process_pb
from auditing import Auditing

OBSERVED = process_pb.DENIAL_KIND_OBSERVED

# Each of argv[2:], in its way, and then waits to be told to end.
TRY = """
import os, sys
ways = {
    "read": lambda path: open(path),
    "write": lambda path: open(path, "a"),
    "make": lambda path: os.mkdir(path),
    "remove": lambda path: os.rmdir(path),
    "execute": lambda path: os.execv(path, [path]),
    "device": lambda path: os.mknod(path, 0o020600, os.makedev(1, 3)),
}
print(os.getpid(), flush=True)
for name in sys.argv[2:]:
    try:
        ways[sys.argv[1]](name)
    except OSError as error:
        print(error, file=sys.stderr)
    else:
        print("not refused", file=sys.stderr)
sys.stdin.read()
"""


class AuditCase(ServerCase):
    @classmethod
    def setUpClass(cls):
        cls.auditing = Auditing()
        cls.addClassCleanup(cls.auditing.restore)
        cls.auditing.switch_on()
        super().setUpClass()

    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir="/var/tmp")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.folder.chmod(0o755)

    def file(self, name="file", mode=0o666):
        path = self.folder / name
        path.write_text("#!/bin/sh\n")
        path.chmod(mode)
        return str(path)

    def watch(self):
        watch = self.stub.WatchEvents(pb.WatchEventsRequest(kinds=[event_pb.EVENT_KIND_DENIAL]), timeout=60)
        next(watch)
        self.addCleanup(watch.cancel)
        return watch

    def refused(self, sandbox, way, *names, process_id="tries"):
        """What is told of it while it runs, of as many as there are names; and its own account."""
        watch = self.watch()
        call = self.exec_in(sandbox, "python3", "-c", TRY, way, *names, process_id=process_id)
        events = []
        while len(events) < len(names):
            event = next(watch).event
            if event.sandbox_id == sandbox.sandbox_id and event.denial.process_id == process_id:
                events.append(event.denial.denial)
        call.close_stdin()
        return events, call.finish()


class BareTest(AuditCase):
    flags = ("--namespaces", "never")

    def check(self, way, name, target, right):
        (denial,), outcome = self.refused(self.create(), way, name)
        self.assertNotIn(b"not refused", outcome.stderr)
        self.assertEqual((denial.kind, denial.target, denial.right), (OBSERVED, target, right), denial)
        self.assertTrue(denial.rule, denial)
        # And what it wrote itself makes no second denial of it.
        self.assertEqual(list(outcome.exited.denials), [denial])
        return denial, outcome

    def test_reading(self):
        path = self.file()
        denial, outcome = self.check("read", path, path, "read")
        self.assertIn(f'READ for "{path}"', denial.remedy)
        self.assertRegex(denial.program, "/python3[0-9.]*$")
        self.assertEqual(denial.pid, int(outcome.stdout))

    def test_writing(self):
        path = self.file()
        denial, _ = self.check("write", path, path, "write")
        self.assertIn("WRITE", denial.remedy)

    def test_executing(self):
        path = self.file(mode=0o755)
        self.check("execute", path, path, "execute")

    def test_making_and_removing_is_writing_to_the_folder(self):
        self.folder.chmod(0o777)
        (self.folder / "there").mkdir()
        self.check("make", f"{self.folder}/new", str(self.folder), "write")
        self.check("remove", f"{self.folder}/there", str(self.folder), "write")

    def test_names_are_escaped(self):
        path = self.file("a \x1b[31m\n\"b")
        denial, _ = self.refused(self.create(), "read", path)
        self.assertEqual(denial[0].target, f'{self.folder}/a \\x1b[31m\\n\\"b')

    def test_a_denying_rule_is_named(self):
        path = self.file()
        rules = [
            pb.PathRule(path=str(self.folder), access=pb.PATH_ACCESS_READ),
            pb.PathRule(path=path, access=pb.PATH_ACCESS_DENY),
        ]
        (denial,), _ = self.refused(self.create(filesystem=pb.Filesystem(paths=rules)), "read", path)
        self.assertEqual((denial.kind, denial.target), (OBSERVED, path))
        self.assertIn(f'denies "{path}"', denial.rule)

    def test_each_sandbox_is_told_its_own(self):
        one, other = self.create(), self.create()
        paths = [self.file("one"), self.file("other")]
        watch = self.watch()
        calls = [
            self.exec_in(sandbox, "python3", "-c", TRY, "read", path)
            for sandbox, path in zip((one, other), paths)
        ]
        events = [next(watch).event for _ in range(2)]
        self.assertEqual(
            {(event.sandbox_id, event.denial.denial.target) for event in events},
            set(zip((one.sandbox_id, other.sandbox_id), paths)),
        )
        for call in calls:
            call.close_stdin()
            call.finish()

    def test_a_program_s_own_domain_is_not_the_sandbox_s(self):
        """It may refuse itself more, and heel does not say that it did."""
        own, path = self.file(), self.file("outside")
        script = (
            "import ctypes, struct, sys\n"
            "call = ctypes.CDLL(None).syscall\n"
            "attributes = struct.pack('=QQQ', 4, 0, 0)\n"
            "ruleset = call(444, attributes, len(attributes), 0)\n"
            "assert ruleset >= 0 and call(446, ruleset, 0) == 0\n"
        ) + TRY
        allowed = pb.PathRule(path=own, access=pb.PATH_ACCESS_READ)
        sandbox = self.create(filesystem=pb.Filesystem(paths=[allowed]))
        watch = self.watch()
        call = self.exec_in(sandbox, "python3", "-c", script, "read", own)
        call.read_until(b"\n")
        later = self.exec_in(sandbox, "python3", "-c", TRY, "read", path)
        self.assertEqual(next(watch).event.denial.denial.target, path)
        later.close_stdin()
        call.close_stdin()
        self.assertEqual([denial for denial in call.finish().exited.denials if denial.kind == OBSERVED], [])

    def test_a_flood_is_bounded_and_heeld_serves_others(self):
        path = self.file()
        script = "import sys\nfor _ in range(2000):\n try: open(sys.argv[1])\n except OSError: pass\n"
        flood = self.start_run(self.create(), "python3", "-c", script, path)
        self.check_ended(self.run_in(self.create(), "true").status, code=0)
        denials = flood.result().denials
        self.assertEqual({denial.target for denial in denials} - {path}, set())
        self.assertLessEqual(len(denials), 64)


class NamespacesTest(AuditCase):
    """There mounts refuse most things before Landlock is asked."""

    def test_a_device_node(self):
        sandbox = self.create()
        (denial,), outcome = self.refused(sandbox, "device", "node")
        self.assertNotIn(b"not refused", outcome.stderr)
        self.assertEqual((denial.kind, denial.target, denial.right), (OBSERVED, sandbox.working_dir, "write"))
        self.assertEqual(denial.pid, int(outcome.stdout))


if __name__ == "__main__":
    main()
