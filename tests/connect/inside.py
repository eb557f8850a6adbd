"""What the tests' programs inside a sandbox have in common; it is sent in with each."""

import errno
import os
import socket
import sys
import threading
import time

UNIX = socket.AF_UNIX


def listen(path, backlog=50, kind=socket.SOCK_STREAM):
    server = socket.socket(UNIX, kind)
    server.bind(path)
    server.listen(backlog)
    return server


def connect(path, kind=socket.SOCK_STREAM):
    """The connected socket."""
    client = socket.socket(UNIX, kind)
    client.connect(path)
    return client


def outcome(call, *arguments):
    """"ok", or the name of the errno that it failed with."""
    try:
        call(*arguments)
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
    return "ok"


def fill(path):
    """Non-blocking connects until the backlog is full; they are to be kept."""
    clients = []
    while True:
        client = socket.socket(UNIX)
        client.setblocking(False)
        if outcome(client.connect, path) != "ok":
            return clients
        clients.append(client)


def wait_until(condition, seconds=20):
    """Whether it came true."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def in_thread(call, *arguments):
    """The thread; `.outcome` is there once it has ended."""

    def run():
        thread.outcome = outcome(call, *arguments)

    thread = threading.Thread(target=run, daemon=True)
    thread.outcome = None
    thread.start()
    return thread


def in_connect(pid="self"):
    """How many threads of the process are in the system call connect()."""
    count = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/syscall") as file:
                count += file.read().split()[0] == "42"
        except (FileNotFoundError, ProcessLookupError, IndexError):
            pass
    return count


def hands():
    """The pids of the sandbox's hands, in order."""
    found = []
    for pid in os.listdir("/proc"):
        try:
            with open(f"/proc/{pid}/comm") as file:
                if file.read() == "heel-hand\n":
                    found.append(int(pid))
        except (FileNotFoundError, NotADirectoryError, ProcessLookupError):
            pass
    return sorted(found)


def say(*words):
    print(*words)
    sys.stdout.flush()
