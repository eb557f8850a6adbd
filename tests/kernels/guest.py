"""Boots a kernel of Debian's in QEMU, runs shell scripts in it, and tells what they said.

The guest has busybox, our programs and what they are linked with, and nothing else: no disk, no
network. bazel/test fetches what this needs and names the folder as HEEL_TEST_GUESTS.
"""

import dataclasses
import glob
import os
import pathlib
import platform
import re
import shutil
import subprocess
import tempfile
import unittest

from heeltest import places
from initramfs import Initramfs

HERE = pathlib.Path(__file__).parent
GUEST_SECONDS = 600  # many times what a guest takes on an idle machine; then QEMU is killed
PASSWD = "root:x:0:0:root:/root:/bin/sh\ntester:x:1000:1000:tester:/home/tester:/bin/sh\n"
GROUP = "root:x:0:\ntester:x:1000:\n"


@dataclasses.dataclass(frozen=True)
class Step:
    """What a step of a guest's script said, standard output and error together, its status, and the
    seconds that it took."""

    said: str
    status: int
    seconds: float


def _fetched():
    if platform.machine() != "x86_64":
        raise unittest.SkipTest("the guests are x86-64 machines, as this one is not")
    if "HEEL_TEST_GUESTS" not in os.environ:
        raise unittest.SkipTest("HEEL_TEST_GUESTS is not set: QEMU and the kernels could not be had")
    return pathlib.Path(os.environ["HEEL_TEST_GUESTS"])


def _kernel(version):
    found = glob.glob(f"{glob.escape(str(_fetched()))}/boot/vmlinuz-{version}.*")
    if not found:
        raise unittest.SkipTest(f"Debian's kernel {version} could not be had")
    return found[0]


def _program(name):
    """From what was fetched, or else the system's."""
    root = _fetched()
    path = f"{root}/usr/bin:{root}/bin:{os.environ['PATH']}"
    found = shutil.which(name, path=path)
    if not found:
        raise unittest.SkipTest(f"{name} could not be had")
    return found


def _initramfs(scripts, programs, more):
    initramfs = Initramfs()
    initramfs.text("/etc/passwd", PASSWD)
    initramfs.text("/etc/group", GROUP)
    initramfs.folder("/root", 0o700)
    initramfs.folder("/home/tester")
    initramfs.program("/bin/busybox", _program("busybox"))
    initramfs.link("/bin/sh", "busybox")
    for name in ("heeld", "heelcli"):
        initramfs.program(f"/usr/bin/{name}", places.binary(name))
    for path, source in programs.items():
        initramfs.program(path, source)
    initramfs.text("/init", (HERE / "guest/init").read_text(), 0o755)
    initramfs.text("/guest/main", (HERE / "guest/main").read_text(), 0o755)
    for path in HERE.glob("guest/*.sh"):
        initramfs.text(f"/guest/{path.name}", path.read_text())
    for name, script in scripts.items():
        initramfs.text(f"/guest/scripts/{name}", script, 0o755)
    for name, script in more.items():
        initramfs.text(f"/guest/{name}", script, 0o755)
    return initramfs


def _command(kernel, initramfs, lines, append):
    """Software emulation: hardware virtualisation is rare where tests run. All processors in one thread:
    in several, one may run what another has just patched of the kernel's code, which then panics. A
    panic ends the guest."""
    command = [_program("qemu-system-x86_64"), "-machine", "q35", "-accel", "tcg,thread=single", "-cpu", "max"]
    command += ["-smp", "2", "-m", "1024", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]
    command += ["-kernel", kernel, "-initrd", str(initramfs)]
    command += ["-append", f"console=ttyS0 quiet panic=-1 mitigations=off {append}"]
    for line in lines:
        command += ["-serial", f"file:{line}"]
    return command


def _run(command):
    libraries = f"{_fetched()}/usr/lib/x86_64-linux-gnu:{_fetched()}/lib/x86_64-linux-gnu"
    environment = {**os.environ, "LD_LIBRARY_PATH": libraries}
    try:
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=GUEST_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"QEMU was killed after {GUEST_SECONDS} s"
    return done.stderr.decode(errors="replace")


def _steps(said):
    """By name. A step that did not come to its end is not there."""
    found = re.findall(r"^>> (.*)\n((?:.*\n)*?)\n?<< \1 (\d+) (\S+) (\S+)$", said, re.MULTILINE)
    return {name: Step(text, int(status), float(to) - float(since)) for name, text, status, since, to in found}


def read_script(name):
    """One of those in guest/."""
    return (HERE / "guest" / f"{name}.sh").read_text()


def boot(version, scripts, programs=None, append="", **more):
    """Boots Debian's kernel `version`, as in "6.12", with more for its command line in `append`.

    scripts: by name, what to run side by side as root; at most two. `prepare` and
    `afterwards` in `more`: a script to run before and after them. programs: by the path that they
    get, programs of this machine to have there. Returns by script's name its Steps by name.
    Raises SkipTest where something to do this with is missing, AssertionError if the guest
    didn't come to its end.
    """
    kernel = _kernel(version)
    names = [*sorted(scripts), *(name for name in more if name == "afterwards")]
    with tempfile.TemporaryDirectory(prefix="ht-guest-", dir="/tmp") as folder:
        lines = [pathlib.Path(folder, name) for name in ("console", *names)]
        _initramfs(scripts, programs or {}, more).save(f"{folder}/initramfs")
        errors = _run(_command(kernel, f"{folder}/initramfs", lines, append))
        said = [line.read_text(errors="replace") if line.exists() else "" for line in lines]
    if "guest: done" not in said[0]:
        tails = "\n".join(f"---- {line.name}\n{text[-3000:]}" for line, text in zip(lines, said))
        raise AssertionError(f"the guest didn't come to its end\n{errors}\n{tails}")
    return {name: _steps(text) for name, text in zip(names, said[1:])}
