"""heelcli in a terminal: what a person sees, and the terminal they get back."""

import json
import os
import signal

from heeltest import Heeld, TestCase, alive_with, main, mark, places, wait_for
from heeltest.cli import Cli, isolate
from heeltest.terminal import Terminal

# What undoes nothing where nothing was done.
HARMLESS = b"\x1b>\x1b[0m\x1b(B\x0f"


def setUpModule():
    isolate()


class InteractiveCase(TestCase):
    def setUp(self):
        self.cli = Cli()

    def open(self, *arguments, **options):
        terminal = Terminal(
            places.binary("heelcli"), *arguments, env=self.cli.environment, cwd=self.cli.base, **options
        )
        self.addCleanup(terminal.close)
        return terminal

    def open_shell(self, *arguments, **options):
        """One whose prompt can be told from everything else."""
        terminal = self.open(*arguments, **options)
        terminal.type("PS1=re; PS1=${PS1}ady:; bind 'set enable-bracketed-paste off'\r")
        terminal.expect("ready:")
        return terminal

    def check_end(self, terminal, code):
        self.assertEqual(terminal.wait(), code, terminal.seen)
        self.assertTrue(terminal.is_restored, terminal.settings())

    def check_line(self, terminal, line, wanted):
        """What it prints; the line itself is echoed before."""
        terminal.type(line + "\r")
        found = terminal.expect(r"\r\n(?:\x1b\[\?2004l\r)?(.*?)(?:\r\n)?ready:")
        self.assertEqual(found.group(1).decode(), wanted, terminal.seen)


class ShellTest(InteractiveCase):
    def test_a_terminal_of_its_own(self):
        terminal = self.open_shell("shell", rows=31, columns=117)
        self.assertTrue(terminal.is_raw)
        self.check_line(terminal, "stty size", "31 117")
        self.check_line(terminal, "echo $TERM", "xterm-256color")
        self.check_line(terminal, "test -t 0 -a -t 1 -a -t 2 && tty", "/dev/pts/0")
        terminal.resize(40, 90)
        wait_for(lambda: self.size_of(terminal) == "40 90")
        terminal.type("exit 7\r")
        self.check_end(terminal, 7)

    def size_of(self, terminal):
        terminal.type("stty size\r")
        return terminal.expect(r"\r\n(\d+ \d+)\r\nready:").group(1).decode()

    def test_job_control(self):
        """Of a program that never starts another: one between vfork and exec can't be stopped by keys."""
        program = (
            "import os, signal as s; s.signal(s.SIGCONT, lambda *_: os.write(1, b'again\\n'))\n"
            "os.write(1, b'go\\n')\n"
            "while 1: s.pause()"
        )
        terminal = self.open_shell("shell", "--env", f"PROGRAM={program}")
        self.check_line(terminal, 'job() { /usr/bin/python3 -c "$PROGRAM"; }', "")
        terminal.type("job\r")
        terminal.expect("\r\ngo\r\n")
        self.stop(terminal)
        terminal.type("fg\r")
        terminal.expect("again\r\n")
        self.stop(terminal)
        terminal.type("bg\r")
        terminal.expect("again\r\n")
        terminal.type("kill -INT %1; wait %1; echo code $?\r")
        terminal.expect("\r\ncode 130\r\n.*ready:")
        terminal.type("job\r")
        terminal.expect("\r\ngo\r\n")
        terminal.type(b"\x03")
        terminal.expect("ready:")
        self.check_line(terminal, "echo $?", "130")
        terminal.type(b"\x04")  # ctrl-d
        self.check_end(terminal, 0)

    def stop(self, terminal):
        terminal.type(b"\x1a")
        terminal.expect(r"\[1\]\+  Stopped [^\n]*python3[^\n]*\n.*ready:")

    def test_bytes_go_through_as_they_are(self):
        terminal = self.open("run", "-it", "sh", "-c", "stty raw -echo; echo up; head -c 256 | od -An -v -tx1")
        terminal.expect("up")
        terminal.type(bytes(range(256)))
        self.check_end(terminal, 0)
        shown = terminal.seen[terminal.read_to :].split(b"\x1b")[0].split()
        self.assertEqual(bytes(int(part, 16) for part in shown), bytes(range(256)))

    def test_exit_codes(self):
        for script, code in (("exit 3", 3), ("kill -TERM $$", 143), ("exec no-such-program", 127)):
            self.check_end(self.open("run", "-t", "sh", "-c", script), code)
        self.check_end(self.open("run", "-it", "--timeout", "300ms", "sleep", "60"), 124)
        self.check_end(self.open("run", "-it", "no-such-program"), 127)

    def test_signals_of_keys_are_the_commands(self):
        terminal = self.open("run", "-it", "sh", "-c", "trap 'echo int; exit 5' INT; echo up; while :; do sleep 0.01; done")
        terminal.expect("up")
        terminal.type(b"\x03")
        terminal.expect("int")
        self.check_end(terminal, 5)

    def test_without_a_terminal(self):
        for arguments in (["run", "-t", "true"], ["run", "-it", "true"], ["shell"], ["exec", "--terminal", "x", "true"]):
            answer = self.cli(*arguments)
            self.assertEqual((answer.returncode, answer.stdout), (125, ""), answer)
            self.assertRegex(answer.stderr, r"\Aheelcli: standard input is no terminal[^\n]+\n\Z")
        self.assertEqual(self.cli("run", "-i", "cat", input="x").stdout, "x")
        self.assertIn("json", self.open("run", "-t", "--output", "json", "true").expect("[^\n]*\n")[0].decode())

    def test_what_programs_leave_on_is_undone(self):
        on = r"\033[?1049h\033[?25l\033[?1000;1006h\033[?2004h\033[>4;2m"
        terminal = self.open("run", "-it", "sh", "-c", f"printf '{on}up'; kill -KILL $$")
        self.check_end(terminal, 137)
        for mode in (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1000l", b"\x1b[?1006l", b"\x1b[?2004l", b"\x1b[>4m"):
            self.assertIn(mode, terminal.seen[terminal.seen.index(b"up") :])
        terminal = self.open("run", "-it", "echo", "plain")
        self.check_end(terminal, 0)
        self.assertEqual(terminal.seen, b"plain\r\n" + HARMLESS)

    def test_what_was_typed_too_late_is_dropped(self):
        terminal = self.open("run", "-it", "sh", "-c", "stty raw; echo up; head -c 1; exit 4")
        terminal.expect("up")
        terminal.type("x")
        terminal.type("rm -rf /\r")
        self.check_end(terminal, 4)
        os.set_blocking(terminal.slave, False)
        self.assertRaises(BlockingIOError, os.read, terminal.slave, 100)


class EndTest(InteractiveCase):
    """Whatever happens, the terminal is given back."""

    def setUp(self):
        super().setUp()
        self.server = Heeld()
        self.addCleanup(self.server.end)
        self.cli.environment["HEEL_ADDRESS"] = self.server.address

    def open_sleep(self):
        argument = mark()
        terminal = self.open("run", "-it", "sh", "-c", rf"printf '\033[?1049hup'; exec sleep {argument}")
        terminal.expect("up")
        self.assertTrue(terminal.is_raw)
        return terminal, argument

    def test_signals(self):
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
            terminal, argument = self.open_sleep()
            terminal.process.send_signal(number)
            self.check_end(terminal, 128 + number)
            self.assertIn(b"\x1b[?1049l", terminal.seen)
            wait_for(lambda: not alive_with(argument))

    def test_a_crash(self):
        terminal, _ = self.open_sleep()
        terminal.process.send_signal(signal.SIGSEGV)
        self.check_end(terminal, 128 + signal.SIGSEGV)

    def test_a_lost_server(self):
        terminal, argument = self.open_sleep()
        self.server.process.kill()
        self.check_end(terminal, 125)
        self.assertRegex(terminal.seen[terminal.read_to :], rb"heelcli:\S* [^\n]*server[^\n]* was lost [^\n]*\r\n\Z")
        wait_for(lambda: not alive_with(argument))

    def test_stop_and_continue(self):
        """Under a shell, which has the terminal meanwhile."""
        terminal = Terminal("bash", "--norc", "--noprofile", "-i", env={**self.cli.environment, "PS1": "outer:"})
        self.addCleanup(terminal.close)
        terminal.expect("outer:")
        cooked = terminal.settings()
        argument = mark()
        terminal.type(f"{places.binary('heelcli')} run -it sh -c 'echo up; read -r x; echo got $x {argument}'\r")
        terminal.expect("[\r\n]up\r\n")
        (client,) = children_of(terminal.process.pid)
        os.kill(client, signal.SIGTSTP)
        terminal.expect("Stopped.*outer:")
        self.assertEqual(terminal.settings()[3], cooked[3])
        self.check_outer(terminal)
        terminal.type("fg\r")
        wait_for(lambda: terminal.is_raw)
        terminal.type("hello\r")
        terminal.expect(f"got hello {argument}")
        terminal.expect("outer:")
        self.assertEqual(terminal.settings()[3], cooked[3])

    def check_outer(self, terminal):
        terminal.type("echo $((6 * 7))\r")
        terminal.expect("[\r\n]42\r\n.*outer:")


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", "rb") as file:
        return [int(part) for part in file.read().split()]


class AttachTest(InteractiveCase):
    def setUp(self):
        super().setUp()
        self.server = Heeld()
        self.addCleanup(self.server.end)
        self.cli.environment["HEEL_ADDRESS"] = self.server.address
        self.assertEqual(self.cli("create", "--id", "box").returncode, 0)

    def test_detach_and_attach(self):
        started = self.cli("start", "-t", "--id", "sh", "box", "bash", "--norc")
        self.assertEqual(started.stdout, "sh\n", started)
        terminal = self.open_shell("attach", "box", "sh", rows=33, columns=99)
        self.check_line(terminal, "stty size; x=kept", "33 99")
        terminal.type(b"\x10\x11")
        self.check_end(terminal, 0)
        self.assertIn(b"left sh running: heelcli attach box sh comes back", terminal.seen)
        listed = json.loads(self.cli("ps", "--output", "json", "box").stdout)
        self.assertEqual([process["processId"] for process in listed], ["sh"])
        again = self.open("attach", "--detach-keys", "ctrl-a,d", "box", "sh")
        again.expect("ready:")  # drawn anew for the new size
        again.type(b"\x10")  # no detach key any more: bash takes the line before
        self.check_line(again, "\x15echo $x", "kept")
        again.type("\x01d")
        self.check_end(again, 0)
        last = self.open("attach", "box", "sh")
        last.expect("ready:")  # though the size is the same
        last.type("exit 9\r")
        self.check_end(last, 9)

    def test_bad_detach_keys(self):
        self.cli("start", "-t", "--id", "sh", "box", "sh")
        terminal = self.open("attach", "--detach-keys", "ctrl-", "box", "sh")
        self.check_end(terminal, 125)
        self.assertIn(b"no detach keys", terminal.seen)

    def test_a_shell_in_a_sandbox(self):
        terminal = self.open_shell("shell", "box")
        self.check_line(terminal, "echo kept > file", "")
        terminal.type("exit\r")
        self.check_end(terminal, 0)
        terminal = self.open("exec", "-it", "box", "cat", "file")
        terminal.expect("kept")
        self.check_end(terminal, 0)
        terminal = self.open("shell", "--level", "default", "box")
        self.check_end(terminal, 125)
        self.assertIn(b"--level", terminal.seen)


if __name__ == "__main__":
    main()
