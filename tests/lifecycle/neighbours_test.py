"""Two sandboxes of one caller share nothing: files, processes, sockets, shared memory, entries of /proc."""

import os
import pathlib

from heeltest import ExecCall, Heeld, ServerCase, TestCase, main, pb, process_pb
from heeltest.processes import mark

PORT = "47231"
LISTEN = """
import os, socket, sys
sockets = []
for family, address in ((socket.AF_INET, ("127.0.0.1", int(sys.argv[1]))), (socket.AF_UNIX, "\\0heel-neighbour")):
    one = socket.socket(family); one.bind(address); one.listen(); sockets.append(one)
open("/dev/shm/heel-neighbour", "w").write("mine")
import ctypes
libc = ctypes.CDLL(None)
assert libc.shmget(0x6865656c, 4096, 0o1666) >= 0
assert libc.mq_open(b"/heel-neighbour", os.O_CREAT | os.O_RDWR, 0o666, None) >= 0
print(os.getpid(), flush=True)
sys.stdin.read()
"""
REACH = """
import ctypes, os, socket, sys
port, mark, pid = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
libc = ctypes.CDLL(None)
def says(what):
    print(what)
for name, family, address in (("TCP", socket.AF_INET, ("127.0.0.1", port)), ("abstract", socket.AF_UNIX, "\\0heel-neighbour")):
    try:
        socket.socket(family).connect(address); says(name)
    except OSError: pass
if os.path.exists("/dev/shm/heel-neighbour"): says("/dev/shm/heel-neighbour")
if libc.shmget(0x6865656c, 4096, 0) >= 0: says("System V shared memory")
if libc.mq_open(b"/heel-neighbour", os.O_RDWR) >= 0: says("message queue")
for entry in os.listdir("/proc"):
    try:
        line = open(f"/proc/{entry}/cmdline").read()
        if mark in line and int(entry) != os.getpid(): says("/proc/" + entry)
    except (OSError, ValueError): pass
try:
    if mark in open(f"/proc/{pid}/cmdline").read() and pid != os.getpid(): says("its number outside")
except OSError: pass
print("end")
"""


class NeighboursTest(ServerCase):
    def test_nothing_of_one_is_there_in_the_other(self):
        first, second = (self.create(level=pb.ISOLATION_LEVEL_PERMISSIVE).sandbox_id for _ in range(2))
        word = mark()
        owner = ExecCall(self.stub, "python3", "-c", LISTEN, PORT, word, sandbox_id=first)
        owner.read_until(b"\n")
        outside = str(self.server.sandbox_tree(word)[-1].pid)
        answer = self.run_in(second, "python3", "-c", REACH, PORT, word, outside)
        self.assertEqual(answer.stdout.decode().splitlines(), ["end"], answer)
        inside = self.run_in(first, "python3", "-c", REACH, PORT, word, "1").stdout.decode()
        for what in ("TCP", "abstract", "/dev/shm/heel-neighbour", "System V shared memory", "message queue", "/proc/"):
            self.assertIn(what, inside)
        owner.cancel()

    def test_working_directories_are_ones_own(self):
        first, second = (self.create(level=pb.ISOLATION_LEVEL_PERMISSIVE) for _ in range(2))
        self.run_in(first.sandbox_id, "sh", "-c", "echo mine >file; chmod 666 file; chmod 777 .")
        there = pathlib.Path(first.host_working_dir)
        self.assertTrue((there / "file").exists())
        for script in (f"cat {there}/file", f"ls {there}", f"echo x >{there}/new", f"ls {there.parent}"):
            with self.subTest(script):
                answer = self.run_in(second.sandbox_id, "sh", "-c", script)
                self.assertNotEqual(answer.status.code, 0, answer)

    def test_each_of_roots_has_a_uid_of_its_own(self):
        self.root_only()
        uids = {self.run_in(self.create().sandbox_id, "id", "-u").stdout for _ in range(3)}
        self.assertEqual(len(uids), 3, uids)


class TwoServersTest(TestCase):
    """One keeps its sandboxes' files where it is told to, the other in the usual place."""

    def test_the_usual_place_is_hidden_from_others(self):
        self.user_only()
        with Heeld() as first, Heeld(start=False) as second:
            second.environment["XDG_STATE_HOME"] = str(first.base)
            second.start()
            usual = first.base / "heel"
            usual.mkdir(mode=0o700)
            (usual / "secret").write_text("of another heeld's sandbox")
            spec = pb.SandboxSpec(level=pb.ISOLATION_LEVEL_DEFAULT)
            spec.filesystem.paths.append(pb.PathRule(path=str(first.base), access=pb.PATH_ACCESS_WRITE))
            command = process_pb.Command(argv=["sh", "-c", f"cat {usual}/secret; echo >{usual}/made"])
            said = second.stub.RunCommand(pb.RunCommandRequest(spec=spec, command=command), timeout=20)
            self.assertEqual(said.stdout, b"")
            self.assertEqual([path.name for path in usual.iterdir()], ["secret"])


if __name__ == "__main__":
    main()
