"""Terminals."""

from heeltest import Code, alive_with, main, mark, process_pb, wait_for
from processes import ProcessCase


def terminal(rows=24, columns=80, **options):
    return process_pb.Terminal(rows=rows, columns=columns, **options)


SIZES = """
import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGWINCH})
print("up", flush=True)
while True:
    signal.sigwait({signal.SIGWINCH})
    size = os.get_terminal_size()
    print(size.lines, size.columns, flush=True)
"""


class TerminalTest(ProcessCase):
    def is_running(self, name):
        return self.run_in(self.sandbox, "sh", "-c", f"grep -qx {name} /proc/[0-9]*/comm").status.code == 0

    def open(self, *argv, rows=24, columns=80, **options):
        call = self.exec_in(self.sandbox, *argv, terminal=terminal(rows, columns), **options)
        self.streams.append(call)
        return call

    def bash(self, script, **options):
        return self.open("bash", "-c", script, **options)

    def test_it_is_one(self):
        call = self.bash("tty; [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo three; stty size; echo $TERM")
        text = call.finish().stdout.decode().split()
        self.assertEqual(text, ["/dev/pts/0", "three", "24", "80", "xterm-256color"])

    def test_size_and_type(self):
        call = self.exec_in(
            self.sandbox, "sh", "-c", "stty size; echo $TERM", terminal=terminal(50, 132, type="vt100")
        )
        self.assertEqual(call.finish().stdout.split(), [b"50", b"132", b"vt100"])

    def test_resize(self):
        call = self.open("python3", "-c", SIZES)
        call.read_until(b"up")
        for rows, columns in ((10, 20), (65535, 65535), (1, 1)):
            call.resize(rows, columns)
            call.read_until(b"%d %d\r\n" % (rows, columns))

    def test_many_resizes(self):
        """The last one is what counts, and the program hears of it."""
        call = self.open("python3", "-c", SIZES)
        call.read_until(b"up")
        for number in range(1000):
            call.resize(1 + number % 200, 1 + number % 300)
        call.resize(33, 44)
        call.read_until(b"33 44\r\n")

    def test_its_size_is_there_before_the_program(self):
        for _ in range(20):
            call = self.exec_in(self.sandbox, "stty", "size", terminal=terminal(17, 71))
            self.assertEqual(call.finish().stdout, b"17 71\r\n")

    def test_line_editing_and_echo(self):
        call = self.open("cat")
        call.stdin(b"ab\x7fc\n")
        self.assertEqual(call.read_until(b"ac\r\n").count(b"ac\r\n"), 1)

    def test_end_of_file(self):
        for text in (b"", b"line\n", b"half"):
            call = self.open("cat")
            call.next("started")
            call.stdin(text)
            call.close_stdin()
            self.check_ended(call.finish().status, code=0)

    def test_end_of_file_before_it_is_there(self):
        call = self.open("cat")
        call.close_stdin()
        self.check_ended(call.finish().status, code=0)

    def test_interrupt_reaches_the_foreground(self):
        call = self.open("bash", "--norc", "-i")
        call.stdin(b"sleep 1000; echo status $?\n")
        wait_for(lambda: self.is_running("sleep"))
        call.stdin(b"\x03")
        call.stdin(b"echo al''ive\n")
        call.read_until(b"alive")
        call.stdin(b"exit 3\n")
        self.check_ended(call.finish().status, code=3)

    def test_job_control(self):
        call = self.open("bash", "--norc", "-i")
        call.stdin(b"cat\n")
        wait_for(lambda: self.is_running("cat"))
        call.stdin(b"\x1a")
        call.read_until(b"Stopped")
        call.stdin(b"fg\n")
        call.read_until(b"\rcat\r\n")
        call.stdin(b"echoed\n")
        call.read_until(b"echoed\r\nechoed")
        call.stdin(b"\x04")
        call.stdin(b"exit\n")
        call.finish()

    def test_binary_clean_when_raw(self):
        every = bytes(range(256)) * 64
        call = self.bash(f"stty raw -echo; echo up; head -c {len(every)}; sleep 0")
        call.read_until(b"up")
        call.stdin(every)
        got = call.finish().stdout
        self.assertEqual(got[-len(every) :], every)

    def test_ten_megabytes_out(self):
        """Every value of a byte, and nothing is lost."""
        script = "stty raw -echo; exec python3 -c 'import sys; sys.stdout.buffer.write(bytes(range(256)) * 40000)'"
        got = self.bash(script).finish().stdout
        self.assertEqual(len(got), 10240000)
        self.assertEqual(got, bytes(range(256)) * 40000)

    def test_ten_megabytes_without_newline(self):
        call = self.bash("stty raw -echo; echo up; head -c 10000000 | wc -c")
        call.read_until(b"up")
        sent = 0
        while sent < 10000000:
            call.stdin(b"x" * 100000)
            sent += 100000
            while sent - call.taken > 1 << 20:
                call.next("stdin_taken")
        self.assertEqual(call.finish().stdout.split()[-1], b"10000000")

    def test_much_output(self):
        call = self.bash("seq 200000")
        lines = call.finish().stdout.split()
        self.assertEqual((len(lines), lines[-1]), (200000, b"200000"))

    def test_hang_up(self):
        seconds = mark()
        call = self.bash(f"sleep {seconds} & echo up; wait")
        call.read_until(b"up")
        wait_for(lambda: alive_with(seconds))
        call.cancel()
        wait_for(lambda: not alive_with(seconds))

    def test_background_jobs_hear_of_the_end(self):
        call = self.bash("(trap 'echo hung up >heard; exit' HUP; while :; do sleep 0.01; done) & sleep 0.1; exit 0")
        call.finish()
        wait_for(lambda: self.run_in(self.sandbox, "cat", "heard").stdout == b"hung up\n")

    def test_terminals_are_apart(self):
        call = self.bash("echo secret; sleep 1000")
        call.read_until(b"secret")
        other = self.create()
        seen = self.run_in(other, "sh", "-c", "ls /dev/pts; cat </dev/pts/0; tty")
        self.assertEqual(seen.stdout.split(), [b"ptmx", b"not", b"a", b"tty"])

    def test_replay(self):
        process = self.start("bash", "-c", "echo one; sleep 0; echo two", terminal=terminal())
        self.wait(process)
        self.assertEqual(self.output(process).stdout, b"one\r\ntwo\r\n")
        self.assertEqual(self.get_process(process).terminal.type, "xterm-256color")

    def test_refused(self):
        for options, field in (
            ({"rows": 65536}, "rows"),
            ({"columns": 1 << 31}, "columns"),
            ({"type": "no type"}, "type"),
            ({"type": "x" * 129}, "type"),
        ):
            with self.fails(Code.INVALID_ARGUMENT, "INVALID_FIELD", f"command.terminal.{field}"):
                self.start("true", terminal=terminal(**options))
        with self.fails(Code.INVALID_ARGUMENT, "INVALID_FIELD", "command.terminal"):
            self.run_in(self.sandbox, "true", terminal=terminal())

    def test_more_than_there_are(self):
        """A sandbox has 256. Who gets none is told so, and can try the same again."""
        for number in range(256):
            self.start("cat", terminal=terminal(), process_id=f"p{number}")
        with self.fails(Code.RESOURCE_EXHAUSTED, "LIMIT_REACHED") as failure:
            self.start("cat", terminal=terminal(), process_id="more")
        self.assertEqual(failure.metadata, {"limit": "terminals of one sandbox"})
        with self.fails(Code.RESOURCE_EXHAUSTED, "LIMIT_REACHED") as failure:
            self.open("cat", process_id="more").finish()
        self.assertEqual(failure.metadata, {"limit": "terminals of one sandbox"})
        self.assertGreater(failure.retry_ms, 0)
        last = process_pb.Process(sandbox_id=self.sandbox.sandbox_id, process_id="p255")
        self.signal(last, name="KILL")
        self.wait(last)
        self.assertEqual(self.start("cat", terminal=terminal(), process_id="more").process_id, "more")

    def test_resize_after_the_end(self):
        call = self.bash("exit 0")
        call.next("exited")
        call.resize(1, 1)
        self.check_ended(self.wait(self.processes().processes[0]).status, code=0)


main()
