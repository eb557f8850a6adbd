"""What the probes are aimed at: folders, a victim, a terminal, all thrown away afterwards."""

import ctypes
import fcntl
import os
import pathlib
import shutil
import socket
import subprocess
import sys

from heeltest import places

PROBES = places.BINARIES / "tests/confinement/probes"
NS_GET_MNTNS_ID = 0x8008B705
STATX_MNT_ID_UNIQUE, STATX_MNT_ID_OFFSET = 0x4000, 0x90
TOKEN = "secret of the stage\n"
# In a cell's folder "acting"; "fresh" has none of it.
ACTING = (
    "repo/.git/HEAD", "repo/.git/config", "repo/.git/hooks/x", "repo/nested/.git/HEAD", "repo/nested/.git/hooks/x",
    "module/.git", ".vscode/tasks.json", ".bashrc", ".envrc", ".mcp.json", ".npmrc", ".yarnrc.yml", ".bazelrc", ".gdbinit", "mise.toml",
    ".selected_editor", ".ssh/config",
)  # fmt: skip


def copy_probes(base):
    """Into base/probes, where any user can run them; as root one of them gets the set-user-ID bit."""
    to = base / "probes"
    to.mkdir()
    to.chmod(0o755)
    for probe in PROBES.iterdir():
        if probe.is_file() and os.access(probe, os.X_OK) and "." not in probe.name:
            shutil.copy(probe, to / probe.name)
            (to / probe.name).chmod(0o755)
    if os.geteuid() == 0:
        (to / "suid_id").chmod(0o4755)


def make_mounts(base):
    """As root, in a mount namespace of the test's own (heeltest.cli.isolate): base/homes a second
    time as base/alias, a second procfs, and base/plug, whose mounts spread. Not as root there are
    only the folders."""
    for name in ("homes", "alias", "proc", "plug"):
        (base / name).mkdir()
        (base / name).chmod(0o1777)
    if os.geteuid() == 0:
        subprocess.run(["mount", "--bind", base / "homes", base / "alias"], check=True)
        subprocess.run(["mount", "-t", "proc", "none", base / "proc"], check=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "none", base / "plug"], check=True)
        subprocess.run(["mount", "--make-shared", base / "plug"], check=True)
        (base / "plug/later").mkdir()


def unmount(base):
    for name in ("alias", "proc", "plug") if os.geteuid() == 0 else ():
        subprocess.run(["umount", "--lazy", base / name], check=False)
    if os.path.ismount(base):
        subprocess.run(["umount", "--lazy", base], check=False)


def _host_address():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
            return probe.getsockname()[0]
        except OSError:
            return "127.0.0.1"


def _mount_namespace():
    """The unique number of the one that this test, and the victim, lives in."""
    answer = bytearray(8)
    with open("/proc/self/ns/mnt") as namespace:
        fcntl.ioctl(namespace, NS_GET_MNTNS_ID, answer)
    return int.from_bytes(answer, sys.byteorder)


def _mount_of(path):
    """The unique number of a mount, as statx tells it."""
    answer = ctypes.create_string_buffer(256)
    ctypes.CDLL(None, use_errno=True).statx(-100, path.encode(), 0, STATX_MNT_ID_UNIQUE, answer)
    return int.from_bytes(answer.raw[STATX_MNT_ID_OFFSET:][:8], sys.byteorder)


class Stage:
    """base: where it may make a folder of its own, of the same user's as the sandboxes."""

    def __init__(self, base, probes):
        self.name = "root" if os.geteuid() == 0 else "user"
        self.base, self.root = base, base / self.name
        self.root.mkdir()
        self.root.chmod(0o755)
        self.probes = probes
        self.home = base / "homes" / self.name
        self.home.mkdir()
        self.home.chmod(0o755)
        self.has_mounts = (base / "proc/self").exists()
        self.outside = self._folder("outside", 0o777)
        self.readable = self._folder("readable", 0o777)
        self.later = self.root / "later/config"  # which heeld is told to protect, and is absent
        (self.home / "secret").write_text(TOKEN)
        for folder in (self.outside, self.readable):
            for name in ("plain", "spare", "secret"):
                (folder / name).write_text(TOKEN)
                (folder / name).chmod(0o666)
        shutil.copy("/bin/true", self.outside / "program")
        shutil.copy("/lib64/ld-linux-x86-64.so.2", self.outside / "linker")
        self.mark = f"ht-mark-{os.getpid()}"
        for folder in ("/tmp", "/var/tmp", "/dev/shm"):
            pathlib.Path(folder, self.mark).touch()
        self.terminal = os.openpty()
        self._start_victim()
        self.cells = 0

    def _folder(self, name, mode):
        folder = self.root / name
        folder.mkdir()
        folder.chmod(mode)
        return folder

    def _start_victim(self):
        self.victim = subprocess.Popen(
            [self.probes / "victim", self.readable, self.mark],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self.environment = {}
        for line in self.victim.stdout:
            if line == "ready\n":
                break
            name, _, value = line.strip().partition("=")
            self.environment[name] = value
        self.locked = open(self.home / "secret")
        fcntl.flock(self.locked, fcntl.LOCK_SH)
        hidden_socket = socket.socket(socket.AF_UNIX)
        hidden_socket.bind(str(self.home / "socket"))
        hidden_socket.listen()
        self.hidden_socket = hidden_socket
        self.environment.update(
            PROBES=str(self.probes),
            ALIAS_SECRET=str(self.base / "alias" / self.name / "secret"),
            OTHER_PROC=str(self.base / "proc"),
            PROC="/proc",
            HIDDEN=str(self.home),
            SECRET=str(self.home / "secret"),
            HIDDEN_SOCKET=str(self.home / "socket"),
            OUTSIDE=str(self.outside),
            OUTSIDE_SECRET=str(self.outside / "secret"),
            READABLE=str(self.readable),
            MARK=self.mark,
            PTS=os.ttyname(self.terminal[1]),
            HOST_ADDRESS=_host_address(),
            LOCKED_INODE=f":{os.fstat(self.locked.fileno()).st_ino} ",
            MOUNT_NAMESPACE=str(_mount_namespace()),
            MOUNT=str(_mount_of("/")),
        )

    def cell(self):
        """A fresh working directory."""
        self.cells += 1
        # Without namespaces root's folders can't be lent to the uid of a sandbox.
        cell = self._folder(f"c{self.cells}", 0o777 if places.NAMESPACES == "never" else 0o755)
        for path in ("allowed/secret", "denied/secret", "deep/denied/secret"):
            (cell / path).parent.mkdir(parents=True)
            (cell / path).write_text(path + "\n")
        (cell / "fresh").mkdir()
        for path in ACTING:
            (cell / "acting" / path).parent.mkdir(parents=True, exist_ok=True)
            (cell / "acting" / path).write_text("")
        (cell / "suid").write_text("old" * 2000)
        (cell / "suid").chmod(0o4755)
        return cell

    def witnessed(self):
        """What reached the victim since the last time."""
        self.victim.stdin.write("x")
        self.victim.stdin.flush()
        seen = []
        for line in self.victim.stdout:
            if line == "sync\n":
                break
            seen.append(line.strip())
        if self.victim.poll() is not None:
            seen.append(f"the victim's end: {self.victim.returncode}")
        return seen

    def close(self):
        self.victim.stdin.close()
        self.victim.wait(10)
        for fd in self.terminal:
            os.close(fd)
        self.hidden_socket.close()
        for folder in ("/tmp", "/var/tmp", "/dev/shm"):
            pathlib.Path(folder, self.mark).unlink(missing_ok=True)
        subprocess.run(["chmod", "-R", "u+rwX", self.root], stderr=subprocess.DEVNULL, check=False)
        shutil.rmtree(self.root, ignore_errors=True)
