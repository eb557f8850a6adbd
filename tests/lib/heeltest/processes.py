"""Who runs on this machine, and waiting for it with a deadline."""

import ctypes
import itertools
import os
import time
import typing
import unittest

Skip = unittest.SkipTest

_marks = itertools.count(1)


class Process(typing.NamedTuple):
    pid: int
    started: int  # with the pid: one process for ever
    ppid: int
    state: str
    comm: str

    @property
    def identity(self):
        return self.pid, self.started

    @property
    def uid(self):
        """-1 if it is gone. The owner of its folder would be root if it isn't dumpable."""
        for line in _read(f"/proc/{self.pid}/status").splitlines():
            if line.startswith(b"Uid:"):
                return int(line.split()[1])
        return -1


def _read(path):
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def read_process(pid):
    """The process, or None if it is gone; a zombie is one that is gone."""
    stat = _read(f"/proc/{pid}/stat").decode(errors="replace")
    if not stat:
        return None
    comm = stat[stat.index("(") + 1 : stat.rindex(")")]
    fields = stat[stat.rindex(")") + 2 :].split()
    if fields[0] in "ZX":
        return None
    return Process(pid, int(fields[19]), int(fields[1]), fields[0], comm)


def _every_pid():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def every_process():
    return [process for process in map(read_process, _every_pid()) if process]


def command_line(pid):
    return _read(f"/proc/{pid}/cmdline").decode(errors="replace").split("\0")


def below(pid, processes=None):
    """The descendants of a process."""
    children = {}
    for process in processes if processes is not None else every_process():
        children.setdefault(process.ppid, []).append(process)
    found, waiting = [], [pid]
    while waiting:
        here = children.get(waiting.pop(), [])
        found += here
        waiting += [process.pid for process in here]
    return found


def still_alive(processes):
    """Those of them that still run: the pid alone could have been given away again."""
    now = {process.pid: process for process in map(read_process, {p.pid for p in processes}) if process}
    return [p for p in processes if p.pid in now and now[p.pid].started == p.started]


def mark():
    """An argument for sleep(1) that nobody else on the machine uses: finds its process again."""
    return f"{4000 + next(_marks)}.{os.getpid():07}"


def alive_with(*arguments):
    """The pids of processes that have one of these arguments, or have it inside one."""
    wanted = [argument.encode() for argument in arguments]
    found = []
    for pid in _every_pid():
        line = _read(f"/proc/{pid}/cmdline")  # a zombie's is empty
        if pid != os.getpid() and any(argument in line for argument in wanted):
            found.append(pid)
    return found


def all_command_lines():
    return [_read(f"/proc/{pid}/cmdline").decode(errors="replace") for pid in _every_pid()]


def wait_for(condition, seconds=60, what=None):
    """Polls until the condition gives something true, and returns that."""
    end = time.monotonic() + seconds
    while True:
        got = condition()
        if got:
            return got
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what() if callable(what) else what or condition}")
        time.sleep(0.005)


def become_subreaper():
    """From now on whoever loses its parent becomes a child of the test: nobody gets away from below()."""
    PR_SET_CHILD_SUBREAPER = 36
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_CHILD_SUBREAPER")


def reap_orphans(known=()):
    """Waits for dead children that the test didn't start itself; the pids of those."""
    reaped = []
    for pid in _every_pid():
        stat = _read(f"/proc/{pid}/stat") if pid not in known else b""
        fields = stat[stat.rfind(b")") + 2 :].split()
        if fields and fields[0] == b"Z" and int(fields[1]) == os.getpid():
            os.waitpid(pid, 0)
            reaped.append(pid)
    return reaped


def resident_bytes(pid):
    for line in _read(f"/proc/{pid}/status").splitlines():
        if line.startswith(b"VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"process {pid} is gone")
