"""Programs that take a whole terminal, in heelcli shell: what is seen on the screen."""

import shutil

from heeltest import TestCase, main, places
from heeltest.cli import Cli, isolate
from heeltest.screen import Screen


def setUpModule():
    isolate()


class ScreenTest(TestCase):
    def setUp(self):
        if not shutil.which("tmux"):
            self.skipTest("tmux, which shows the screen, is not installed")
        self.cli = Cli()
        environment = {**self.cli.environment, "PS1": "outer> "}
        self.screen = Screen("bash", "--norc", "--noprofile", env=environment, folder=self.cli.base)
        self.addCleanup(self.screen.close)
        self.screen.shows(r"^outer>$")
        self.screen.line("stty -g > before; clear")
        self.screen.line(f"{places.binary('heelcli')} shell --level default")
        self.screen.shows(r"\$$")
        self.screen.line("PS1='inner> '; clear")
        self.screen.shows(r"^inner>$")

    def need(self, program):
        if not shutil.which(program):
            self.skipTest(f"{program} is not installed")

    def leave(self):
        """The shell ends, and the outer one has its terminal as it was."""
        self.screen.line("clear; exit 8")
        self.screen.shows(r"^outer>$")
        self.screen.line("stty -g > after; echo code=$?; cmp before after && echo same")
        self.screen.shows(r"^code=0\n(?:.*\n)*same$")

    def test_vim(self):
        self.need("vim")
        self.screen.line("vim -u NONE -N text")
        self.screen.shows(r'^"text" \[New\]')
        self.screen.type("ihello")
        self.screen.press("Escape")
        self.screen.type("yy3p:set nu")
        self.screen.press("Enter")
        self.screen.shows(r"^ +1 hello\n +2 hello\n +3 hello\n +4 hello\n~")
        self.screen.resize(30, 100)
        self.screen.shows(r"(?:^~\n){20}")
        self.screen.line(":wq")
        self.screen.shows(r"^inner>$")
        self.screen.line("wc -l text")
        self.screen.shows(r"^4 text$")
        self.leave()

    def test_a_killed_vim(self):
        """The shell after it is on the ordinary screen again."""
        self.need("vim")
        self.screen.line("exec vim -u NONE -N text")
        self.screen.shows(r'^"text" \[New\]')
        self.screen.line(":!kill -KILL $PPID")
        self.screen.shows(r"^outer>$")
        self.screen.line("echo code=$?")
        self.screen.shows(r"outer> \$?.*\n?(?:.*\n)*code=137$")

    def test_less(self):
        self.need("less")
        self.screen.line("echo kept; seq 1000 | less")
        self.screen.shows(r"^1\n2\n3\n(?:\d+\n)*23\n:$")
        self.screen.press("G")
        self.screen.shows(r"^999\n1000\n\(END\)$")
        self.screen.type("?^500$")
        self.screen.press("Enter")
        self.screen.shows(r"^500\n501\n")
        self.screen.press("q")
        self.screen.shows(r"^kept\ninner>$")
        self.leave()

    def test_top(self):
        program = "htop" if shutil.which("htop") else "top"
        self.need(program)
        self.screen.line(program)
        self.screen.shows(r"^ *PID USER")
        self.screen.shows(rf" {program}$")
        self.screen.press("q")
        self.screen.shows(r"inner>$")
        self.leave()

    def test_python(self):
        self.screen.line("/usr/bin/python3 -q")
        self.screen.shows(r"^>>>$")
        self.screen.line("6 * 7")
        self.screen.shows(r"^42\n>>>$")
        self.screen.press("Up")
        self.screen.shows(r"^>>> 6 \* 7$")
        self.screen.press("Left", "8", "Enter")
        self.screen.shows(r"^522\n>>>$")
        self.screen.line("import time; time.sleep(1000)")
        self.screen.press("C-c")
        self.screen.shows(r"^KeyboardInterrupt\n>>>$")
        self.screen.press("C-d")
        self.screen.shows(r"inner>$")
        self.leave()

    def test_tmux_inside(self):
        self.screen.line("tmux -f /dev/null new -s deep")
        self.screen.shows(r"^\[deep\] 0:")
        self.screen.line("echo $((6 * 7)) in $TERM")
        self.screen.shows(r"42 in (?:screen|tmux)")
        self.screen.press("C-b")
        self.screen.type('"')
        self.screen.shows(r"^─{80}$")
        self.screen.press("C-b", "d")
        self.screen.shows(r"detached \(from session deep\)")
        self.screen.line("tmux kill-server")
        self.leave()


if __name__ == "__main__":
    main()
