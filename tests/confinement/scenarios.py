"""Properties that take more than one sandbox, time, or an eye on heeld."""

import fcntl
import pathlib
import shutil
import socket
import subprocess
import time

import grpc

from heeltest import ExecCall, duration, pb, process_pb, wait_for
from heeltest.processes import resident_bytes
from matrix import SECONDS, Result, spec_of
from properties import ALL, DEFAULT, READERS

PORT = 47113
REFUSED = ("ENOSYS", "EPERM", "EACCES")  # to whoever asks for the first
TAKES = {"inotify": 4096, "aio": 4096, "terminals": 4500, "signals": 200000, "timers": 200000, "locked": 64, "queues": 64, "flight": 256, "pipes": 2000, "processes": 300}


class Scenarios:
    def __init__(self, stage, server):
        self.stage, self.server, self.stub = stage, server, server.stub

    # ---- in short

    def probe(self, name):
        return str(self.stage.probes / name)

    def create(self, level, cell=None, **lifetime):
        spec = spec_of(self.stage, level, cell, environment=self.stage.environment.items())
        return self.stub.CreateSandbox(pb.CreateSandboxRequest(spec=spec), timeout=SECONDS).sandbox.sandbox_id

    def delete(self, sandbox):
        self.stub.DeleteSandbox(pb.DeleteSandboxRequest(sandbox_id=sandbox, allow_missing=True), timeout=SECONDS)

    def run(self, sandbox, *argv, seconds=SECONDS, timeout=None):
        command = process_pb.Command(argv=argv, **({"timeout": duration(timeout)} if timeout else {}))
        return self.stub.RunCommand(pb.RunCommandRequest(sandbox_id=sandbox, command=command), timeout=seconds)

    def said(self, level, *argv, cell=None):
        """Of a probe in a sandbox of its own."""
        sandbox = self.create(level, cell)
        try:
            return Result.read(self.run(sandbox, *argv).stdout.decode(errors="replace"))
        finally:
            self.delete(sandbox)

    @staticmethod
    def judged(way, held, detail):
        return Result({way: ("shut" if held else "open", detail)})

    # ---- what outlives its command

    def daemons(self, level):
        """The beats of a daemon end with its sandbox, and with its command where that timed out."""
        ways = {}
        for how, timeout in (("plain", None), *((how, 0.15) for how in ("stay", "limit", "name", "state", "undumpable", "sibling", "traced"))):
            while how not in ways:
                self._daemon(level, how, timeout, ways)
                timeout = timeout and timeout * 2  # a busy machine: it had not begun
        return Result(ways)

    def _daemon(self, level, how, timeout, ways):
        cell = self.stage.cell()
        sandbox = self.create(level, cell)
        arguments = [how] if timeout is None else [how, "stay"]
        status = self.run(sandbox, self.probe("daemon"), *arguments, timeout=timeout).status
        if status.reason != process_pb.EXIT_REASON_TIMEOUT:  # then it may stay as long as the sandbox
            self.delete(sandbox)
        if (cell / "beats").exists():
            alive = self._grows(cell / "beats")
            ways[how] = ("open", "it goes on") if alive else ("shut", "it ended")
            if timeout and status.reason == process_pb.EXIT_REASON_EXITED:
                ways[how] = ("open", f"its command seems to have exited with {status.code}, and is only stopped")
        self.delete(sandbox)
        shutil.rmtree(cell)

    @staticmethod
    def _grows(path):
        time.sleep(0.02)
        size = path.stat().st_size
        time.sleep(0.05)
        return path.stat().st_size > size

    def held_up(self, level):
        """A timeout fires although init is kept busy, and the sandbox can be deleted."""
        ways = {}
        for how in ("signals", "orphans", "stops", "kills", "held exits"):
            sandbox = self.create(level)
            try:
                self.run(sandbox, self.probe("hold_up"), how, timeout=0.2, seconds=SECONDS)
                self.delete(sandbox)
                ways[how] = ("shut", "over in time")
            except grpc.RpcError as error:
                ways[how] = ("open", error.details())
        return Result(ways)

    # ---- between sandboxes

    def exhausted(self, level, what):
        """One sandbox takes all there is; a neighbour, and the same user outside, still get one, or no sandbox gets any."""
        with open(self.stage.base / "flood.lock") as turn:  # the other user of this test floods, too
            fcntl.flock(turn, fcntl.LOCK_EX)
            return self._exhausted(level, what)

    def _exhausted(self, level, what):
        ways = {}
        greedy = self.create(level)
        call = ExecCall(self.stub, self.probe("exhaust"), what, str(TAKES[what]), sandbox_id=greedy)
        try:
            call.read_until(b"\n")
            try:
                neighbour = self.create(level)
            except grpc.RpcError as error:
                return self.judged("another sandbox", False, error.details())
            answer = self.run(neighbour, self.probe("exhaust"), what, "1")
            said = answer.stdout.decode()
            ways["a neighbour"] = ("shut" if "took 1 " in said or any(refusal in said for refusal in REFUSED) else "open", said.strip())
            self.delete(neighbour)
            outside = subprocess.run(
                [self.probe("exhaust"), what, "1"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=SECONDS, check=False
            ).stdout.decode()
            ways["outside"] = ("shut" if "took 1 " in outside else "open", outside.strip())
        finally:
            call.cancel()
            self.delete(greedy)
        return Result(ways)

    def fresh_network(self, level):
        """A sandbox's network is as good as new, whoever had it before."""
        for _ in range(3):
            self.said(level, self.probe("network_memory"), str(PORT), "use")
        return self.said(level, self.probe("network_memory"), str(PORT))

    def smuggled(self, level):
        """Several times, as it depends on chance which network a sandbox gets."""
        for _ in range(3):
            result = self._smuggled_once(level)
            if result.open_ways():
                break
        return result

    def _smuggled_once(self, level):
        """A gives B a socket and is deleted; it must not lead into C, which may get A's old network."""
        cell = self.stage.cell()
        second, first = self.create(level, cell), self.create(level, cell)
        taker = ExecCall(self.stub, self.probe("smuggle"), "take", str(PORT), sandbox_id=second)
        taker.read_until(b"listening\n")
        given = self.run(first, self.probe("smuggle"), "give").stdout
        self.delete(first)
        others = [self.create(level) for _ in range(4)]
        listeners = [ExecCall(self.stub, self.probe("listen_on"), str(PORT), sandbox_id=other) for other in others]
        outcome = Result({"reach a third sandbox": ("shut", given.decode().strip())})
        if b"yes" in given:
            outcome = Result.read(taker.finish().stdout.decode(errors="replace"))
        else:
            taker.cancel()
        for listener in listeners:
            listener.cancel()
        for sandbox in (second, *others):
            self.delete(sandbox)
        shutil.rmtree(cell, ignore_errors=True)
        return outcome

    def listeners(self, level):
        """A port that a sandbox listens on isn't there outside."""
        sandbox = self.create(level)
        call = ExecCall(self.stub, self.probe("listen_on"), str(PORT), sandbox_id=sandbox)
        call.read_until(b"listening\n")
        try:
            with socket.socket() as connection:
                connection.settimeout(1)
                connection.connect((b"127.0.0.1", PORT))
                held = connection.recv(4) != b"mine"
        except OSError:
            held = True
        call.cancel()
        self.delete(sandbox)
        return self.judged("connect from outside", held, "refused" if held else "the sandbox answered")

    def private_scratch(self, level):
        """What one sandbox leaves in scratch folders, a second doesn't find."""
        sandbox = self.create(level)
        folders = ("/tmp", "/var/tmp", "/dev/shm", "$HOME", "/work", "/dev/mqueue")
        self.run(sandbox, "sh", "-c", "for d in %s; do echo x >$d/left-here; done" % " ".join(folders))
        other = self.create(level)
        found = self.run(other, "sh", "-c", "ls -d %s" % " ".join(f"{folder}/left-here" for folder in folders)).stdout
        found_later = b""
        self.delete(sandbox)
        third = self.create(level)
        found_later = self.run(third, "sh", "-c", "ls -dA %s" % " ".join(f"{folder}/left-here" for folder in folders)).stdout
        self.delete(other)
        self.delete(third)
        return Result(
            {
                "at the same time": ("open" if found else "shut", found.decode().strip() or "nothing"),
                "afterwards": ("open" if found_later else "shut", found_later.decode().strip() or "nothing"),
            }
        )

    # ---- heeld

    def litter(self, level):
        """Whatever a sandbox makes can be removed, and links out of it are not followed."""
        before = sorted(path.name for path in self.stage.outside.iterdir())
        sandbox = self.create(level)
        info = self.stub.GetSandbox(pb.GetSandboxRequest(sandbox_id=sandbox), timeout=5).sandbox
        Result.read(self.run(sandbox, self.probe("litter")).stdout.decode(errors="replace"))
        self.delete(sandbox)
        there = pathlib.Path(info.host_working_dir).exists()
        intact = before == sorted(path.name for path in self.stage.outside.iterdir())
        return Result(
            {
                "it stays": ("open" if there else "shut", info.host_working_dir),
                "links are followed": ("shut" if intact else "open", "what they lead to"),
            }
        )

    def flood(self, level):
        """Output that nobody reads doesn't fill heeld's memory."""
        sandbox = self.create(level)
        before = resident_bytes(self.server.pid)
        calls = [ExecCall(self.stub, "sh", "-c", "head -c 400000000 /dev/zero", sandbox_id=sandbox) for _ in range(2)]
        for call in calls:
            call.next("stdout")
        time.sleep(0.1)
        grown = resident_bytes(self.server.pid) - before
        for call in calls:
            call.cancel()
        self.delete(sandbox)
        return self.judged("unread output", grown < 64 << 20, f"heeld grew by {grown >> 20} MiB")

    def planted_grant(self, level):
        """A grant that leads through a link which a sandbox made is refused."""
        cell = self.stage.cell()
        sandbox = self.create(level, cell)
        self.run(sandbox, "ln", "-s", str(self.stage.home), "out")
        self.delete(sandbox)
        verdicts = []
        for access in (pb.PATH_ACCESS_READ, pb.PATH_ACCESS_WRITE, pb.PATH_ACCESS_EXECUTE):
            spec = spec_of(self.stage, level, cell)
            spec.filesystem.paths.append(pb.PathRule(path=str(cell / "out"), access=access))
            try:
                made = self.stub.CreateSandbox(pb.CreateSandboxRequest(spec=spec), timeout=SECONDS).sandbox.sandbox_id
                self.delete(made)
                verdicts.append(f"{pb.PathAccess.Name(access)} was granted")
            except grpc.RpcError as error:
                if str(cell / "out") not in error.details():
                    verdicts.append(f"the refusal doesn't name the link: {error.details()}")
        shutil.rmtree(cell, ignore_errors=True)
        return self.judged("a grant through LINK", not verdicts, "; ".join(verdicts) or "refused")

FEW = (DEFAULT,)
HARM = "unconfined it would take what the machine's other programs need"

# id, title, what is tried, levels, how to run it, why there is no control
SCENARIOS = [
    ("P07", "what a command starts ends with the sandbox, and when its time is up", "daemons with other limits, names, undumpable, siblings, traced by init", ALL, Scenarios.daemons, "a daemon outlives its parent"),
    ("P20", "init can't be held up", "SIGCHLD floods, orphan storms, SIGSTOP and SIGKILL to all, exits that a debugger holds", FEW, Scenarios.held_up, "there is no init of ours outside"),
    ("F24b", "sandboxes find nothing of each other's", "scratch folders, at the same time and later", ALL, Scenarios.private_scratch, "see F24"),
    ("F26", "what a sandbox makes can be removed", "closed folders, depth, names, links out", FEW, Scenarios.litter, "nothing is removed outside"),
    ("F27", "a grant follows no planted link", "run 1 makes it, run 2 is granted it", READERS, Scenarios.planted_grant, "nothing is granted outside"),
    ("N10", "ports of a sandbox are its own", "connect from outside", ALL, Scenarios.listeners, "see N01"),
    ("A10", "a sandbox's network is as good as new", "counters, connections, a port in TIME_WAIT", FEW, Scenarios.fresh_network, "the host's network is no sandbox's"),
    ("A11", "a socket that outlives its sandbox leads nowhere", "given to a neighbour in a shared folder", FEW, Scenarios.smuggled, "see A10"),
    ("R08", "unread output fills no memory of heeld's", "two streams of 400 MB", FEW, Scenarios.flood, "there is no heeld outside"),
] + [
    (f"R12{letter}", f"a flood of {what} hurts no neighbour", "taking all; then one more, in a new sandbox and outside", FEW, lambda self, level, kind=kind: self.exhausted(level, kind), HARM)
    for letter, kind, what in (
        ("j", "locked", "locked shared memory"),
        ("a", "inotify", "inotify instances"),
        ("b", "aio", "AIO contexts"),
        ("c", "terminals", "terminals"),
        ("d", "signals", "pending signals"),
        ("e", "queues", "message queues"),
        ("f", "flight", "descriptors in flight"),
        ("g", "pipes", "pipes"),
        ("h", "processes", "processes"),
        ("i", "timers", "timers"),
    )
]
