"""heelcli, as somebody would run it who has a home and a runtime folder of their own."""

import ctypes
import os
import pathlib
import subprocess

from heeltest import places

# What heel uses as root, whatever the environment says.
ROOT_FOLDERS = (pathlib.Path("/run/heel"), pathlib.Path("/var/lib/heel"))

_CLONE_NEWNS = 0x20000
_MS_REC_PRIVATE = 0x4000 | 0x40000
_libc = ctypes.CDLL(None, use_errno=True)


def _call(function, *arguments):
    if function(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def isolate():
    """As root: this thread and what it starts see /run/heel and /var/lib/heel of their own. For
    setUpModule."""
    if os.geteuid() != 0:
        return
    _call(_libc.unshare, _CLONE_NEWNS)
    _call(_libc.mount, b"none", b"/", None, _MS_REC_PRIVATE, None)
    for folder, mode in zip(ROOT_FOLDERS, (0o700, 0o711)):
        folder.mkdir(mode=mode, exist_ok=True)  # on the host: with the mode that heel gives it
        _call(_libc.mount, b"tmpfs", bytes(folder), b"tmpfs", 0, f"mode={mode:o}".encode())


class Cli:
    """Call it to run heelcli to its end, or start() it. home, runtime, state: its folders."""

    def __init__(self, **environment):
        self.base = places.make_base()
        self.home = self.base / "home"
        self.home.mkdir()
        (self.base / "run").mkdir(mode=0o700)
        root = os.geteuid() == 0
        self.runtime = ROOT_FOLDERS[0] if root else self.base / "run" / "heel"
        self.state = ROOT_FOLDERS[1] if root else self.home / ".local/state/heel"
        self.socket = self.runtime / "heeld.sock"
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(self.base / "run"),
            "LANG": "C.UTF-8",
            **environment,
        }

    def start(self, *arguments, **options):
        options = {"cwd": self.base, "env": self.environment, "stdin": subprocess.DEVNULL, **options}
        return subprocess.Popen([places.binary("heelcli"), *map(str, arguments)], **options)

    def __call__(self, *arguments, timeout=60, env=None, **options):
        """A CompletedProcess with text in stdout and stderr."""
        options = {"cwd": self.base, "capture_output": True, "text": True, "errors": "replace", **options}
        if "input" not in options:
            options.setdefault("stdin", subprocess.DEVNULL)
        command = [places.binary("heelcli"), *map(str, arguments)]
        return subprocess.run(command, env={**self.environment, **(env or {})}, timeout=timeout, **options)

    def instances(self):
        """The folders of servers that were or are, private ones too."""
        return sorted(map(str, (self.state / "instances").glob("*")))
