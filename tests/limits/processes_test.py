"""Limits on processes, their CPU time and their descriptors, and heelcli's flags for all limits."""

import signal

from heeltest import Code, ServerCase, duration, main, pb, process_pb
from heeltest.cli import Cli, isolate

LIMIT = process_pb.EXIT_REASON_LIMIT
MIB = 1 << 20

setUpModule = isolate


class LimitsCase(ServerCase):
    def make(self, **limits):
        return self.create(limits=pb.Limits(**limits))

    def python(self, target, script):
        return self.run_in(target, "python3", "-c", script)

    def check_limit(self, status, limit, words):
        self.check_ended(status, signal=signal.SIGKILL, reason=LIMIT)
        self.assertEqual(process_pb.Limit.Name(status.limit), limit)
        self.assertIn(words, status.message)


class ProcessesTest(LimitsCase):
    WORDS = "more than 20 processes (limits.max_processes)"

    def setUp(self):
        self.sandbox = self.make(max_processes=20)

    def check_bomb(self, script):
        answer = self.run_in(self.sandbox, "sh", "-c", script)
        self.check_limit(answer.status, "LIMIT_MAX_PROCESSES", self.WORDS)
        self.check_ended(self.run_in(self.sandbox, "true").status, code=0)

    def test_too_many(self):
        self.check_bomb("for i in $(seq 100); do sleep 99 & done; wait")

    def test_a_bomb(self):
        """Each stays: one of processes that end at once may be over, refused by the kernel, unseen."""
        self.check_bomb("bomb() { bomb | bomb & sleep 99; }; bomb & exec sleep 99")

    def test_a_bomb_that_detaches_itself(self):
        self.check_bomb("bomb() { setsid sh -c '(sleep 99 &) ' & bomb & }; bomb & exec sleep 99")

    def test_tasks_end_as_well(self):
        """Where all is not stopped before: at 16 * 20 + 64."""
        script = """
import os, signal
made = 0
try:
    while made < 5000:
        if os.fork() == 0:
            signal.pause()
        made += 1
except BlockingIOError:
    print("refused", made, flush=True)
signal.pause()
"""
        answer = self.python(self.sandbox, script)
        self.check_limit(answer.status, "LIMIT_MAX_PROCESSES", self.WORDS)
        self.assertTrue(not answer.stdout or int(answer.stdout.split()[1]) < 384, answer.stdout)

    def test_threads_are_not_processes(self):
        script = """
import threading
gate = threading.Barrier(101)
for _ in range(100):
    threading.Thread(target=gate.wait).start()
gate.wait()
"""
        self.check_ended(self.python(self.sandbox, script).status, code=0)

    def test_what_waits_to_be_waited_for_does_not_count(self):
        script = """
import os, signal
children = []
for _ in range(100):
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
"""
        self.check_ended(self.python(self.sandbox, script).status, code=0)

    def test_as_many_as_allowed(self):
        answer = self.run_in(self.sandbox, "sh", "-c", "for i in $(seq 19); do sleep 0.3 & done; wait; echo done")
        self.check_ended(answer.status, code=0)
        self.assertEqual(answer.stdout, b"done\n")


class CpuTimeTest(LimitsCase):
    WORDS = "more than 0.5 s of CPU time (limits.cpu_time)"

    def setUp(self):
        self.sandbox = self.make(cpu_time=duration(0.5))

    def check_spent(self, status):
        self.check_limit(status, "LIMIT_CPU_TIME", self.WORDS)
        with self.fails(Code.RESOURCE_EXHAUSTED, "LIMIT_REACHED") as failure:
            self.run_in(self.sandbox, "true")
        self.assertEqual(failure.metadata, {"limit": "limits.cpu_time"})
        self.assertIsNone(failure.retry_ms)

    def test_spinners(self):
        script = "for i in 1 2 3 4; do while :; do :; done & done; wait"
        self.check_spent(self.run_in(self.sandbox, "sh", "-c", script).status)

    def test_spinners_on_a_stream(self):
        self.check_spent(self.exec_in(self.sandbox, "sh", "-c", "while :; do :; done").finish().status)

    def test_many_short_ones(self):
        self.check_spent(self.run_in(self.sandbox, "sh", "-c", "while :; do (:); done").status)

    def test_short_ones_that_nobody_waits_for(self):
        script = """
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
while True:
    if os.fork() == 0:
        end = time.process_time() + 0.05
        while time.process_time() < end:
            pass
        os._exit(0)
    time.sleep(0.05)
"""
        self.check_spent(self.python(self.sandbox, script).status)

    def test_several_commands_together(self):
        script = "import time\nwhile time.process_time() < 0.2: pass"
        first = self.python(self.sandbox, script)
        self.check_ended(first.status, code=0)
        script = "import time\nwhile time.process_time() < 0.45: pass"
        self.check_spent(self.python(self.sandbox, script).status)

    def test_waiting_is_free(self):
        self.check_ended(self.run_in(self.sandbox, "sleep", "1").status, code=0)


class DescriptorsTest(LimitsCase):
    SCRIPT = """
files = []
try:
    while True:
        files.append(open("/dev/null"))
except OSError as error:
    print(error.errno, files[-1].fileno())
"""

    def test_open_files(self):
        answer = self.python(self.make(max_open_files=64), self.SCRIPT)
        self.assertEqual(answer.stdout, b"24 63\n")

    def test_no_more_than_the_server_gives(self):
        some = self.python(self.create(), self.SCRIPT)
        self.assertEqual(self.python(self.make(max_open_files=2**32 - 1), self.SCRIPT).stdout, some.stdout)

    def test_they_cannot_be_raised(self):
        script = "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (65, 65))"
        self.check_ended(self.python(self.make(max_open_files=64), script).status, code=1)

    def test_init_does_not_run_short(self):
        sandbox = self.make(max_open_files=16)
        streams = [self.exec_in(sandbox, "cat") for _ in range(40)]
        for stream in streams:
            stream.next("started")
        for stream in streams:
            stream.close_stdin()
            self.check_ended(stream.finish().status, code=0)


class CpuShareTest(LimitsCase):
    def test_whole_processors(self):
        answer = self.run_in(self.make(cpu_share=0.5), "nproc")
        self.assertEqual(answer.stdout, b"1\n")

    def test_more_than_there_are(self):
        self.assertEqual(
            self.run_in(self.make(cpu_share=4096), "nproc").stdout, self.run_in(self.create(), "nproc").stdout
        )


class FlagsTest(LimitsCase):
    def setUp(self):
        self.cli = Cli()

    def check(self, code, words, *arguments):
        answer = self.cli("run", *arguments)
        self.assertEqual(answer.returncode, code, answer)
        self.assertEqual(answer.stderr.count("\n"), 1, answer)
        self.assertIn(words, answer.stderr)

    def test_ends(self):
        memory = "x = bytearray(1 << 30)"
        spin = "while :; do :; done"
        self.check(137, "256 MiB of memory", "--max-memory", "256M", "--", "python3", "-c", memory)
        self.check(137, "0.25 s of CPU time", "--max-cpu-time", "250ms", "--", "sh", "-c", spin)
        bomb = "for i in $(seq 99); do sleep 9 & done; wait"
        self.check(137, "9 processes", "--max-processes", "9", "--", "sh", "-c", bomb)
        write = ("dd", "if=/dev/zero", "of=f", "bs=2M", "count=1", "status=none")
        self.check(153, "beyond 1 MiB", "--max-file-size", "1M", "--", *write)
        fill = "for i in $(seq 999); do dd if=/dev/zero of=$i bs=1M count=1 status=none; done"
        self.check(137, "64 MiB", "--max-disk", "64M", "--", "sh", "-c", fill)
        files = "for i in range(99999): open(str(i), 'w').close()"
        self.check(137, "1024 files", "--max-inodes", "1024", "--", "python3", "-c", files)

    def test_values(self):
        for flag, value in (
            ("--max-memory", "lots"),
            ("--max-memory", "-1M"),
            ("--max-memory", "0"),
            ("--max-disk", "99999999999G"),
            ("--max-cpu-time", "5"),
            ("--cpus", "none"),
            ("--max-processes", "1.5"),
            ("--max-open-files", "99999999999"),
        ):
            self.check(125, flag, flag, value, "--", "true")

    def test_they_arrive(self):
        flags = "--max-memory 1G --max-cpu-time 30s --cpus 1.5 --max-processes 64 --max-file-size 1GiB"
        flags += " --max-open-files 100 --max-disk 2G --max-inodes 5000"
        created = self.cli("create", "--server", self.server.address, *flags.split())
        self.assertEqual(created.returncode, 0, created)
        limits = self.get(created.stdout.strip()).effective_spec.limits
        self.assertEqual(
            (limits.memory_bytes, limits.cpu_time.seconds, limits.cpu_share, limits.max_processes),
            (1 << 30, 30, 1.5, 64),
        )
        self.assertEqual(
            (limits.max_file_size_bytes, limits.max_open_files, limits.disk_bytes, limits.disk_inodes),
            (1 << 30, 100, 2 << 30, 5000),
        )


main()
