"""A heeld of one's own, in a folder of its own."""

import itertools
import os
import select
import signal
import subprocess
import time

from heeltest import api, places, processes

READY_SECONDS = 20
STOP_SECONDS = 30
# The launcher, also while it becomes something else, and what it makes ahead of time.
AHEAD = ("heel-launcher", "heel-spare", "heel-template")
SPARE_FOLDERS = 64
_ranges = itertools.count()


def _uid_range():
    """One that no other test uses, so that whoever has such a uid belongs to this heeld."""
    first = 1_000_000_000 + (os.getpid() % 500_000) * 4096 + next(_ranges) % 16 * 256
    return first, first + 255


def _entries(folder):
    """What lies in it; nothing if it is gone."""
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _is_empty(folder):
    try:
        return folder.is_dir() and not folder.is_symlink() and not _entries(folder)
    except PermissionError:
        return False


class Heeld:
    """Starts in the constructor unless start=False; use as a context manager, or call stop().

    socket, state: its paths. stub, health: clients. log: what it said.
    """

    def __init__(self, *flags, start=True, base=None, environment=None, listen=True):
        self.base = base or places.make_base()
        self.socket = str(self.base / "s")
        self.state = self.base / "state"
        self.home = self.base / "home"
        self.home.mkdir(exist_ok=True)
        self.address = "unix:" + self.socket
        self.uids = _uid_range() if os.geteuid() == 0 else None
        self.flags = list(flags)
        self.listen = listen
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), **(environment or {})}
        self.process = None
        self.channel = None
        self.seen = []
        if start:
            self.start()

    def command(self):
        command = [places.binary("heeld"), "--state-dir", str(self.state)]
        if self.listen:
            command += ["--listen", self.address]
        if self.uids:
            command += ["--uid-range", "%d-%d" % self.uids]
        if places.NAMESPACES:
            command += ["--namespaces", places.NAMESPACES]
        return command + self.flags

    def start(self):
        readable, writable = os.pipe()
        with open(self.base / "log", "ab") as log:
            self.process = subprocess.Popen(
                [*self.command(), "--ready-fd", str(writable)],
                pass_fds=[writable],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment,
                cwd="/",
            )
        os.close(writable)
        try:
            self._await_ready(readable)
        finally:
            os.close(readable)
        self.connect()
        return self

    def start_unready(self, after):
        """Starts it and returns after so many seconds, in whatever state it is then."""
        with open(self.base / "log", "ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment
            )
        time.sleep(after)
        self.seen += self.processes()

    def _await_ready(self, readable):
        ready, _, _ = select.select([readable], [], [], READY_SECONDS)
        said = os.read(readable, 16) if ready else b""
        if said != b"\n":
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"heeld isn't ready: {said!r}\n{self.log}")

    def connect(self):
        self.channel = api.open_channel(self.address)
        self.stub = api.sandbox_pb2_grpc.SandboxServiceStub(self.channel)
        self.health = api.health_pb2_grpc.HealthStub(self.channel)

    @property
    def pid(self):
        return self.process.pid

    @property
    def log(self):
        return (self.base / "log").read_text(errors="replace")

    # ---- its end

    def stop(self, signal_number=signal.SIGTERM):
        """Ends it as an administrator would; its exit status."""
        if self.process.poll() is None:
            self.seen += self.processes()
            self.process.send_signal(signal_number)
        status = self.process.wait(STOP_SECONDS)
        self.channel.close()
        return status

    def kill(self, *others):
        """SIGKILL, to it and to other pids of its own first."""
        self.seen += self.processes()
        for pid in others:
            os.kill(pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait(STOP_SECONDS)
        self.channel.close()

    def end(self):
        """Whatever became of it, it is over."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait(STOP_SECONDS)
        if self.channel:
            self.channel.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()

    # ---- what there is of it

    def processes(self):
        """All that it started, and what these started."""
        return processes.below(self.pid)

    def of_sandboxes(self):
        """Those that belong to a sandbox: not the launcher, nor what it makes ahead of time."""
        return [process for process in self.processes() if process.comm not in AHEAD]

    def launcher(self):
        """Its one child; inits are below."""
        children = [process for process in self.processes() if process.ppid == self.pid]
        assert len(children) == 1, children
        return children[0]

    def sandbox_tree(self, argument):
        """Every process of the sandbox in which one has this argument, init first."""
        marked = processes.wait_for(lambda: processes.alive_with(argument))
        everyone = processes.every_process()
        by_pid = {process.pid: process for process in everyone}
        launcher = self.launcher().pid
        at = by_pid[marked[0]]
        while at.ppid != launcher:
            at = by_pid[at.ppid]
        return [at, *processes.below(at.pid, everyone)]

    def strays(self):
        """Processes that can only be this heeld's: seen before, or with a uid of its range."""
        found = {process.identity: process for process in processes.still_alive(self.seen)}
        for process in processes.every_process():
            if self._can_only_be_ours(process):
                found[process.identity] = process
        return list(found.values())

    def _can_only_be_ours(self, process):
        if self.uids:
            return self.uids[0] <= process.uid <= self.uids[1]
        # An ordinary user made for the tests runs nothing else, but other heelds of the same test.
        return places.is_made_up(process.uid) and process.uid == os.getuid() and process.comm in ("heel-init", "heel-spare")

    def stored(self):
        """What lies in its state folder of sandboxes, kept working directories aside.

        heeld sets some empty folders aside that sandboxes left as they were, for others to come.
        """
        instances = self.state / "instances"
        folders = [folder for instance in _entries(instances) for folder in _entries(instance)]
        # Without namespaces HOME and TMPDIR lie beside the working directory, and go with it.
        folders = [folder for folder in folders if folder.suffix != ".own" or folder.with_suffix("") not in folders]
        spare = [folder for folder in folders if folder.name.startswith(".spare-") and _is_empty(folder)]
        return [str(folder) for folder in folders if len(spare) > SPARE_FOLDERS or folder not in spare]

    def mounts(self):
        with open("/proc/self/mountinfo") as file:
            return [line for line in file if str(self.base) in line]

    def leftovers(self, running=False):
        """Everything of it that should not be there, as text; empty is good.

        running: heeld itself lives, its sandboxes are deleted.
        """
        left = self.stored() + self.mounts()
        if not running:
            left += [str(stray) for stray in self.strays()]
            left += [str(path) for path in _entries(self.state / "instances")]
            left += [self.socket] if os.path.lexists(self.socket) else []  # its .lock may stay
        return left
