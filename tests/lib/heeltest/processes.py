"""Who runs on this machine, and waiting for it with a deadline."""

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
    uid: int

    @property
    def identity(self):
        return self.pid, self.started


def _read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def read_process(pid):
    """The process, or None if it is gone; a zombie is one that is gone."""
    stat = _read(f"/proc/{pid}/stat").decode(errors="replace")
    try:
        uid = os.stat(f"/proc/{pid}").st_uid  # root's if it isn't dumpable
    except FileNotFoundError:
        return None
    for line in _read(f"/proc/{pid}/status").splitlines():
        if line.startswith(b"Uid:"):
            uid = int(line.split()[1])
    if not stat:
        return None
    comm = stat[stat.index("(") + 1 : stat.rindex(")")]
    fields = stat[stat.rindex(")") + 2 :].split()
    if fields[0] in "ZX":
        return None
    return Process(pid, int(fields[19]), int(fields[1]), fields[0], comm, uid)


def every_process():
    found = (read_process(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return [process for process in found if process]


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


def alive_with(argument):
    """The pids of processes that have this argument, or have it inside one."""
    wanted = argument.encode()
    return [
        process.pid
        for process in every_process()
        if wanted in _read(f"/proc/{process.pid}/cmdline") and process.pid != os.getpid()
    ]


def wait_for(condition, seconds=10, what=None):
    """Polls until the condition gives something true, and returns that."""
    end = time.monotonic() + seconds
    while True:
        got = condition()
        if got:
            return got
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what() if callable(what) else what or condition}")
        time.sleep(0.005)


def resident_bytes(pid):
    for line in _read(f"/proc/{pid}/status").splitlines():
        if line.startswith(b"VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"process {pid} is gone")
