"""A program in a terminal of its own, typed at and read like one."""

import errno
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
import time

SECONDS = 30  # how long anything may take


class Terminal:
    """Starts the program as the leader of a session that has this terminal. seen: all that it wrote."""

    def __init__(self, *argv, env, cwd="/", rows=24, columns=80):
        self.seen = b""
        self.read_to = 0  # where expect() goes on
        self.master, self.slave = os.openpty()
        self.resize(rows, columns)
        self.before = self.settings()
        self.process = subprocess.Popen(
            [str(part) for part in argv],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            env={**env, "TERM": "xterm-256color"},
            cwd=cwd,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        """Hangs up."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)

    def settings(self):
        return termios.tcgetattr(self.slave)

    @property
    def is_restored(self):
        return self.settings() == self.before

    @property
    def is_raw(self):
        return not self.settings()[3] & (termios.ICANON | termios.ECHO | termios.ISIG)

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.master, text if isinstance(text, bytes) else text.encode())

    def _read(self, seconds):
        if not select.select([self.master], [], [], max(seconds, 0))[0]:
            return
        try:
            self.seen += os.read(self.master, 65536)
        except OSError as error:
            if error.errno != errno.EIO:
                raise

    def expect(self, pattern):
        """Reads on until this regular expression is there, and gives the match."""
        pattern = re.compile(pattern.encode(), re.DOTALL)
        end = time.monotonic() + SECONDS
        while True:
            found = pattern.search(self.seen, self.read_to)
            if found:
                self.read_to = found.end()
                return found
            if time.monotonic() > end:
                raise AssertionError(f"no {pattern.pattern} in {self.seen[self.read_to :]}")
            self._read(0.1)

    def wait(self):
        """The exit code, and everything that the program wrote until then."""
        end = time.monotonic() + SECONDS
        while self.process.poll() is None:
            if time.monotonic() > end:
                raise AssertionError(f"still running: {self.seen[self.read_to :]}")
            self._read(0.01)
        while select.select([self.master], [], [], 0)[0]:
            self._read(0)
        code = self.process.returncode
        return code if code >= 0 else 128 - code

