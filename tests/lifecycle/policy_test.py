"""ExplainPolicy: what it says, and that what it says of an access is what a sandbox then does."""

import json
import os
import pathlib

from heeltest import Code, ServerCase, main, pb, places

READ, WRITE, EXECUTE = pb.PATH_ACCESS_READ, pb.PATH_ACCESS_WRITE, pb.PATH_ACCESS_EXECUTE
LEVELS = (pb.ISOLATION_LEVEL_STRICT, pb.ISOLATION_LEVEL_DEFAULT, pb.ISOLATION_LEVEL_PERMISSIVE)

# Makes each access of a list that it is given, and says which were had.
ACCESSES = r"""
import errno, json, os, select, sys

def read(path):
    if os.path.isdir(path):
        os.listdir(path)
    else:
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY))

def write(path):
    if os.path.isdir(path):
        path += "/made-by-the-test"
    there = os.path.exists(path)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK | os.O_NOCTTY, 0o600))
    if not there:
        os.unlink(path)

def execute(path):
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            null = os.open("/dev/null", os.O_RDWR)
            for fd in range(3):
                os.dup2(null, fd)
            os.execve(path, [path, "--version"], {})
        except OSError as error:
            os.write(tell, str(error.errno).encode())
        os._exit(1)
    os.close(tell)
    said = os.read(told, 16)
    os.kill(child, 9)
    os.waitpid(child, 0)
    if said and int(said) != errno.ENOEXEC:
        raise OSError(int(said), os.strerror(int(said)))

had = []
for path, access in json.loads(sys.argv[1]):
    try:
        {1: read, 2: write, 3: execute}[access](path)
        had.append("")
    except OSError as error:
        had.append(errno.errorcode[error.errno])
print(json.dumps(had))
"""

SYSTEM = """
/ /usr /usr/bin/env /usr/./bin/../bin//env /bin/sh /bin/no-such-program /usr/bin/env/x /usr/lib /usr/share/new
/usr/bin/passwd /usr/bin/sudo /etc /etc/passwd /etc/shadow /etc/hosts /etc/hostname /etc/os-release /etc/nsswitch.conf
/etc/resolv.conf /etc/new /var /var/tmp /var/log /var/lib/dpkg/status /var/cache /opt /srv /mnt /boot /root
/root/.bashrc /root/.ssh/id_rsa /home /home/nobody-has-this /tmp /tmp/new /dev /dev/null /dev/zero /dev/full
/dev/urandom /dev/shm /dev/shm/new /dev/sda /dev/mem /dev/kmsg /dev/pts /dev/fd /dev/new /proc /proc/version
/proc/self/status /proc/self/comm /proc/sys /proc/sys/kernel/core_pattern /proc/sys/kernel/osrelease /proc/kcore
/proc/keys /proc/cmdline /sys /sys/kernel /sys/devices/system/cpu/online /sys/class/net /run /run/lock /run/new
/work /work/new /lost+found
""".split()


class VerdictsTest(ServerCase):
    """Every access to every path, told beforehand and then made."""

    def setUp(self):
        super().setUp()
        self.base = places.make_base()
        self.base.chmod(0o755)

    def folder(self, name, mode=0o777):
        path = self.base / name
        path.mkdir()
        path.chmod(mode)
        return path

    def file(self, path, text="text\n", mode=0o666):
        path.write_text(text)
        path.chmod(mode)
        return path

    def compare(self, spec, paths):
        wanted = [(str(path), access) for path in paths for access in (READ, WRITE, EXECUTE)]
        tests = [pb.PolicyTest(path=path, access=access) for path, access in wanted]
        told = self.stub.ExplainPolicy(pb.ExplainPolicyRequest(spec=spec, tests=tests), timeout=20).verdicts
        sandbox = self.stub.CreateSandbox(pb.CreateSandboxRequest(spec=spec), timeout=20).sandbox
        again = pb.ExplainPolicyRequest(sandbox_id=sandbox.sandbox_id, tests=tests)
        of_it = self.stub.ExplainPolicy(again, timeout=20).verdicts
        # Nobody executes a directory; /work is one inside, whatever it is here.
        pairs = [pair for pair in wanted if pair[1] != EXECUTE or not (os.path.isdir(pair[0]) or pair[0] == "/work")]
        answer = self.run_in(sandbox, "python3", "-c", ACCESSES, json.dumps(pairs))
        self.check_ended(answer.status, code=0)
        had = dict(zip(pairs, json.loads(answer.stdout)))
        for pair, verdict, its in zip(wanted, told, of_it):
            self.assertEqual((verdict.path, verdict.access), pair)
            if pair not in had:
                continue
            with self.subTest(path=pair[0], access=pb.PathAccess.Name(pair[1])):
                self.assertEqual(verdict.allowed, not had[pair], f"it got {had[pair] or 'it'}, told was {verdict}")
                self.assertEqual(its.allowed, verdict.allowed, its)
                self.assertTrue(verdict.rule, verdict)
                self.assertFalse(verdict.allowed and verdict.remedy, verdict)
        return len(had)

    def test_system_paths(self):
        state = self.server.state
        for level in LEVELS:
            spec = pb.SandboxSpec(level=level)
            compared = self.compare(spec, [*SYSTEM, pathlib.Path.home(), state, state / "x"])
            self.assertGreater(compared, 120)

    def make_places(self):
        work, more, tools = self.folder("work"), self.folder("more"), self.folder("tools")
        self.file(work / "file")
        (work / ".git").mkdir(mode=0o777)
        (work / ".git").chmod(0o777)
        self.file(work / ".git" / "config")
        self.file(work / ".envrc")
        (work / "link").symlink_to("file")
        (work / "out").symlink_to(self.base / "unnamed" / "file")
        for name in ("secret", "plain"):
            (more / name).mkdir(mode=0o777)
            (more / name).chmod(0o777)
            self.file(more / name / "file")
        self.file(tools / "program", "#!/bin/sh\n", 0o755)
        self.file(self.folder("unnamed") / "file")
        rules = [(more, WRITE), (more / "secret", pb.PATH_ACCESS_DENY), (tools, EXECUTE), (more / "plain", READ)]
        names = """
            work work/file work/new work/link work/out work/.git work/.git/config work/.git/hooks work/.envrc
            more more/new more/secret more/secret/file more/plain more/plain/file more/plain/new tools tools/program
            tools/new unnamed unnamed/file work/../more/new work/../unnamed/file
        """.split()
        return work, rules, [self.base, *(self.base / name for name in names)]

    def test_what_a_spec_names(self):
        work, rules, paths = self.make_places()
        for level in LEVELS:
            spec = pb.SandboxSpec(level=level)
            spec.filesystem.working_dir = str(work)
            for path, access in rules:
                if level != LEVELS[2] or access == pb.PATH_ACCESS_DENY:
                    spec.filesystem.paths.add(path=str(path), access=access)
            self.compare(spec, paths)


class ExplainTest(ServerCase):
    def explain(self, **request):
        return self.stub.ExplainPolicy(pb.ExplainPolicyRequest(**request), timeout=20)

    def judge(self, path, access=READ, **request):
        (verdict,) = self.explain(tests=[pb.PolicyTest(path=path, access=access)], **request).verdicts
        return verdict

    def test_the_plan(self):
        spec = pb.SandboxSpec(level=pb.ISOLATION_LEVEL_DEFAULT)
        policy = self.explain(spec=spec)
        kinds = {entry.kind for entry in policy.entries}
        self.assertEqual(kinds, set(pb.PolicyEntryKind.values()) - {pb.POLICY_ENTRY_KIND_UNSPECIFIED})
        self.assertFalse(policy.entries_truncated)
        for entry in policy.entries:
            self.assertTrue(entry.text and entry.origin, entry)
        texts = [entry.text for entry in policy.entries]
        self.assertIn('bind "/usr" execute optional', texts)
        self.assertTrue(any("unshare" in text and "EPERM" in text for text in texts), texts)
        sandbox = self.create(level=spec.level)
        self.assertEqual(list(policy.enforcement), list(sandbox.enforcement))

    def test_it_makes_nothing(self):
        before = sorted(path.relative_to(self.server.state) for path in self.server.state.rglob("*"))
        self.explain(spec=pb.SandboxSpec(filesystem=pb.Filesystem(keep_working_dir=True)))
        after = sorted(path.relative_to(self.server.state) for path in self.server.state.rglob("*"))
        self.assertEqual([path for path in after if path not in before], [])
        self.assertEqual(list(self.stub.ListSandboxes(pb.ListSandboxesRequest()).sandboxes), [])

    def test_it_says_what_decided_and_what_would_help(self):
        verdict = self.judge("/etc/passwd", WRITE)
        self.assertEqual((verdict.allowed, verdict.origin), (False, "level STRICT"), verdict)
        self.assertIn('rule "/etc"', verdict.rule)
        self.assertIn('WRITE for "/etc/passwd"', verdict.remedy)
        verdict = self.judge("/run/docker.sock", WRITE)
        self.assertFalse(verdict.allowed, verdict)
        self.assertIn("none: it can't be granted", verdict.remedy)

    def test_a_sandbox_as_it_was_made(self):
        base = places.make_base()
        base.chmod(0o777)
        sandbox = self.create(filesystem=pb.Filesystem(paths=[pb.PathRule(path=str(base), access=READ)]))
        self.assertTrue(self.judge(str(base), sandbox_id=sandbox.sandbox_id).allowed)
        self.assertFalse(self.judge(str(base)).allowed)

    def test_refused(self):
        rule = pb.PathRule(path="/no/such/place", access=READ)
        for request, field in (
            ({"tests": [pb.PolicyTest(path="etc", access=READ)]}, "tests[0].path"),
            ({"tests": [pb.PolicyTest(path="/etc")]}, "tests[0].access"),
            ({"tests": [pb.PolicyTest(path="/etc", access=pb.PATH_ACCESS_DENY)]}, "tests[0].access"),
            ({"tests": [pb.PolicyTest(path="/", access=READ)] * 1025}, "tests"),
            ({"spec": pb.SandboxSpec(level=99)}, "spec.level"),
        ):
            with self.fails(Code.INVALID_ARGUMENT, field=field):
                self.explain(**request)
        with self.fails(Code.INVALID_ARGUMENT, "PATH_NOT_FOUND", field="spec.filesystem.paths[0].path"):
            self.explain(spec=pb.SandboxSpec(filesystem=pb.Filesystem(paths=[rule])))
        with self.fails(Code.NOT_FOUND, "SANDBOX_NOT_FOUND"):
            self.explain(sandbox_id="none")


if __name__ == "__main__":
    main()
