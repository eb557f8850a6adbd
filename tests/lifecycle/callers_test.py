"""Two callers of one heeld that root runs: neither sees the other's sandboxes, nor gets at more files."""

import os
import pathlib
import subprocess

from heeltest import Agent, Code, Heeld, TestCase, main, pb, process_pb
from heeltest.places import MADE_UP_UIDS

ALICE, BOB = (MADE_UP_UIDS + 50_000_000 + 2 * os.getpid() + number for number in (0, 1))

IDENTITIES_OF_A_USER = 64

# Says what the server says first, its settings, if it takes the connection.
CONNECT = """
import socket, sys
with socket.socket(socket.AF_UNIX) as peer:
    peer.settimeout(60)
    peer.connect(sys.argv[1])
    sys.exit(not peer.recv(1))
"""

alice = bob = None


def setUpModule():
    global alice, bob
    if os.geteuid() == 0:
        alice, bob = Agent(ALICE), Agent(BOB)


def tearDownModule():
    for agent in (alice, bob):
        if agent:
            agent.kill()


class CallersTest(TestCase):
    def setUp(self):
        self.root_only()
        self.server = Heeld()
        self.addCleanup(self.server.end)
        os.chmod(self.server.socket, 0o666)

    def call(self, agent, method, response=None, **fields):
        """The response, or the Failure."""
        request = getattr(pb, method + "Request")(**fields)
        kind = getattr(pb, method + "Response")
        answer, failure = agent.call(self.server.address, method, request, kind)
        return failure or answer

    def create(self, agent, sandbox_id="", **spec):
        return self.call(agent, "CreateSandbox", sandbox_id=sandbox_id, spec=pb.SandboxSpec(**spec))

    def run_in(self, agent, sandbox_id, *argv):
        return self.call(agent, "RunCommand", sandbox_id=sandbox_id, command=process_pb.Command(argv=argv))

    def test_each_sees_its_own(self):
        self.create(alice, "hers")
        self.create(bob, "his")
        self.server.stub.CreateSandbox(pb.CreateSandboxRequest(sandbox_id="roots"))
        for agent, wanted in ((alice, ["hers"]), (bob, ["his"])):
            self.assertEqual([s.sandbox_id for s in self.call(agent, "ListSandboxes").sandboxes], wanted)
        listed = self.server.stub.ListSandboxes(pb.ListSandboxesRequest()).sandboxes
        self.assertEqual([sandbox.sandbox_id for sandbox in listed], ["roots"])

    def test_each_watches_its_own(self):
        """Nor does the numbering tell that others do something."""
        self.create(alice, "hers")
        self.run_in(alice, "hers", "true")
        stub = self.server.stub
        watches = [stub.WatchEvents(pb.WatchEventsRequest(**fields), timeout=30) for fields in ({}, {"after": {}}, {"sandbox_id": "hers"})]
        self.assertEqual([next(watch).started.sequence for watch in watches], [0, 0, 0])
        stub.CreateSandbox(pb.CreateSandboxRequest(sandbox_id="roots"), timeout=30)
        for watch in watches[:2]:
            event = next(watch).event
            self.assertEqual((event.sequence, event.sandbox_id), (1, "roots"))
        stub.CreateSandbox(pb.CreateSandboxRequest(sandbox_id="hers"), timeout=30)
        event = next(watches[2]).event
        self.assertEqual((event.sequence, event.sandbox_id), (2, "hers"))
        for watch in watches:
            watch.cancel()

    def test_anothers_is_as_good_as_absent(self):
        self.create(alice, "hers")
        command = process_pb.Command(argv=["true"])
        mask = {"update_mask": {"paths": ["labels"]}}
        process = {"process_id": "any"}
        for method, fields in (
            ("GetSandbox", {}),
            ("DeleteSandbox", {}),
            ("UpdateSandbox", mask),
            ("RunCommand", {"command": command}),
            ("StartProcess", {"command": command}),
            ("PauseSandbox", {}),
            ("ResumeSandbox", {}),
            ("GetProcess", process),
            ("ListProcesses", {}),
            ("WaitProcess", process),
            ("SignalProcess", {**process, "signal": pb.SendSignal(signal=9)}),
        ):
            hers = self.call(bob, method, sandbox_id="hers", **fields)
            none = self.call(bob, method, sandbox_id="none", **fields)
            self.check_failure(hers, Code.NOT_FOUND, "SANDBOX_NOT_FOUND")
            self.assertEqual(vars(none).keys(), vars(hers).keys())
            self.assertEqual(str(none).replace("none", "hers"), str(hers))
        self.call(bob, "DeleteSandbox", sandbox_id="hers", allow_missing=True)
        self.assertEqual(self.call(alice, "GetSandbox", sandbox_id="hers").sandbox.sandbox_id, "hers")

    def test_both_may_use_the_same_id(self):
        for agent, text in ((alice, "1"), (bob, "2")):
            self.create(agent, "same", labels={"of": text})
            self.run_in(agent, "same", "sh", "-c", f"echo {text} >file")
        self.assertEqual(self.run_in(alice, "same", "cat", "file").stdout, b"1\n")
        self.assertEqual(self.run_in(bob, "same", "cat", "file").stdout, b"2\n")

    def test_commands_of_different_callers_have_different_uids(self):
        uids = set()
        for agent in (alice, bob):
            self.create(agent, "a")
            uid = int(self.run_in(agent, "a", "stat", "-c", "%u", ".").stdout or -1)
            uids.add(os.stat(self.call(agent, "GetSandbox", sandbox_id="a").sandbox.host_working_dir).st_uid)
            self.assertGreaterEqual(uid, 0)
        self.assertEqual(len(uids), 2, uids)
        self.assertFalse(uids & {0, ALICE, BOB}, uids)

    def is_taken(self, uid, *groups):
        command = ["/usr/bin/python3", "-c", CONNECT, str(self.server.socket)]
        return subprocess.run(command, user=uid, group=uid, extra_groups=groups).returncode == 0

    def test_a_user_has_a_bounded_number_of_identities(self):
        for number in range(IDENTITIES_OF_A_USER):
            self.assertTrue(self.is_taken(ALICE, ALICE + number), number)
        self.assertFalse(self.is_taken(ALICE, BOB + IDENTITIES_OF_A_USER))
        self.assertIn(f"uid {ALICE} has come with {IDENTITIES_OF_A_USER} sets of groups", self.server.log)
        self.assertTrue(self.is_taken(ALICE, ALICE + 1))
        self.assertTrue(self.is_taken(BOB, ALICE))

    # ---- paths

    def folder(self, name, owner, mode):
        path = self.server.base / name
        path.mkdir()
        (path / "file").write_text("secret\n")
        os.chown(path / "file", owner, owner)
        (path / "file").chmod(0o600)
        os.chown(path, owner, owner)
        path.chmod(mode)
        return str(path)

    def test_a_path_that_it_could_not_open_itself(self):
        private = self.folder("private", ALICE, 0o700)
        shadow = "/etc/shadow"
        for path, access in (
            (private, pb.PATH_ACCESS_READ),
            (private, pb.PATH_ACCESS_WRITE),
            (private + "/file", pb.PATH_ACCESS_READ),
            (private + "/nothing", pb.PATH_ACCESS_READ),
            (shadow, pb.PATH_ACCESS_READ),
            ("/root", pb.PATH_ACCESS_READ),
            ("/etc", pb.PATH_ACCESS_WRITE),
        ):
            rule = pb.PathRule(path=path, access=access)
            failure = self.create(bob, filesystem=pb.Filesystem(paths=[rule]))
            with self.subTest(f"{path} {access}"):
                self.check_failure(
                    failure, Code.PERMISSION_DENIED, "PATH_NOT_ACCESSIBLE", "spec.filesystem.paths[0].path"
                )
        failure = self.create(bob, filesystem=pb.Filesystem(working_dir=private))
        self.check_failure(
            failure, Code.PERMISSION_DENIED, "PATH_NOT_ACCESSIBLE", "spec.filesystem.working_dir"
        )
        self.assertEqual(list(self.call(bob, "ListSandboxes").sandboxes), [])

    def test_a_link_leads_no_further_than_its_caller(self):
        private = self.folder("private", ALICE, 0o700)
        hers = self.folder("hers", ALICE, 0o755)
        os.symlink(private, hers + "/link")
        rule = pb.PathRule(path=hers + "/link", access=pb.PATH_ACCESS_READ)
        failure = self.create(bob, filesystem=pb.Filesystem(paths=[rule]))
        self.check_failure(failure, Code.PERMISSION_DENIED, "PATH_NOT_ACCESSIBLE")

    def test_where_a_process_of_anothers_stands_is_not_told(self):
        """The links in /proc/PID are for whoever may trace it, which heeld itself may."""
        place = self.folder("a-name-that-nobody-knows", 0, 0o755)
        process = subprocess.Popen(["sleep", "999"], cwd=place)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        for name in ("cwd", "exe"):
            rule = pb.PathRule(path=f"/proc/{process.pid}/{name}", access=pb.PATH_ACCESS_READ)
            spec = pb.SandboxSpec(filesystem=pb.Filesystem(paths=[rule]))
            for answer in (self.create(bob, filesystem=spec.filesystem), self.call(bob, "ExplainPolicy", spec=spec)):
                self.check_failure(answer, Code.PERMISSION_DENIED, "PATH_NOT_ACCESSIBLE")
                self.assertNotIn("nobody-knows", str(answer))

    def test_what_it_may_name_it_can_use_as_itself(self):
        hers = self.folder("hers", ALICE, 0o700)
        made = self.create(alice, "w", filesystem=pb.Filesystem(working_dir=hers))
        self.assertIsInstance(made, pb.CreateSandboxResponse, made)
        answer = self.run_in(alice, "w", "sh", "-c", "cat file; echo new >new; id -u")
        self.assertEqual(answer.stdout.splitlines()[0], b"secret", answer)
        new = pathlib.Path(hers, "new")
        self.assertEqual((new.read_text(), new.stat().st_uid), ("new\n", ALICE))


if __name__ == "__main__":
    main()
