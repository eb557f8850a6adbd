"""A program on the screen of a terminal, which tmux plays: keys go in, and what is seen comes out."""

import re
import subprocess

from heeltest.processes import wait_for

SECONDS = 30


class Screen:
    """Starts the program on a screen of its own. folder: where it begins, and where tmux has its socket."""

    def __init__(self, *argv, env, folder, rows=24, columns=80):
        self.socket = str(folder / "screen")
        self.env = {**env, "TERM": "xterm-256color"}
        size = ["-x", str(columns), "-y", str(rows)]
        self._tmux("-f", "/dev/null", "new-session", "-d", "-c", str(folder), *size, "--", *map(str, argv))

    def _tmux(self, *arguments):
        command = ["tmux", "-S", self.socket, *arguments]
        return subprocess.run(command, env=self.env, capture_output=True, check=True, timeout=SECONDS).stdout

    def close(self):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], env=self.env, capture_output=True, check=False)

    def type(self, text):
        self._tmux("send-keys", "-l", "--", text)

    def press(self, *keys):
        """As tmux names them: Enter, Escape, Up, C-c."""
        self._tmux("send-keys", *keys)

    def line(self, text):
        self.type(text)
        self.press("Enter")

    def resize(self, rows, columns):
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def text(self):
        """Without the blanks at the ends of lines."""
        return self._tmux("capture-pane", "-p").decode()

    def shows(self, pattern):
        """Waits until this regular expression is seen; ^ and $ are those of lines."""
        found = re.compile(pattern, re.MULTILINE)
        return wait_for(lambda: found.search(self.text()), SECONDS, lambda: f"{pattern} in:\n{self.text()}")
