"""limits.memory_bytes: whatever memory is made of, it is stopped, with its reason; nothing else is."""

import mmap
import signal

from heeltest import ServerCase, main, pb, process_pb

MIB = 1 << 20
LIMIT = 256 * MIB
OOM = process_pb.EXIT_REASON_OOM

# Each writes a byte to its standard output for each MiB that it has taken, so that the answer tells
# how far all of them came.
TAKE = """
import ctypes, mmap, os, signal, sys

libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
MIB = 1 << 20
block = b"x" * MIB

def said(done=True):
    os.write(1, b"." if done else b"!")

def touch(memory, count):
    for i in range(count):
        memory[i * MIB : (i + 1) * MIB] = block
        said()

def forks(processes, each):
    for _ in range(processes):
        if os.fork() == 0:
            memory = mmap.mmap(-1, each * MIB, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            touch(memory, each)
            signal.pause()

def write(fd, count):
    for _ in range(count):
        os.write(fd, block)
        said()

def segments(count):
    for _ in range(count // 8):
        segment = libc.shmget(0, 8 * MIB, 0o1600)
        address = libc.shmat(segment, None, 0)
        ctypes.memset(address, 1, 8 * MIB)
        libc.shmdt(ctypes.c_void_p(address))
        os.write(1, b"." * 8)

def shared_by_one_that_is_gone(count):
    memory = mmap.mmap(-1, count * MIB)
    for i in range(count):
        if os.fork() == 0:
            memory[i * MIB : (i + 1) * MIB] = block
            os._exit(0)
        os.wait()
        said()

def mapped_and_closed(count):
    held = []
    for _ in range(count):
        fd = os.memfd_create("m")
        os.write(fd, block)
        held.append(mmap.mmap(fd, MIB))
        os.close(fd)
        said()

"""
END = "\nsignal.pause()\n"


def taking(what):
    return ("python3", "-c", TAKE + what + END)


class MemoryCase(ServerCase):
    def setUp(self):
        self.sandbox = self.create(limits=pb.Limits(memory_bytes=LIMIT))

    def check_oom(self, status):
        self.check_ended(status, signal=signal.SIGKILL, reason=OOM)
        self.assertEqual(status.limit, process_pb.LIMIT_MEMORY_BYTES)
        self.assertEqual(status.message, "its sandbox used more than 256 MiB of memory (limits.memory_bytes)")

    def check_stopped(self, what):
        """How far past its limit it gets is a matter of time, which tests/bench is for."""
        answer = self.run_in(self.sandbox, *taking(what))
        self.check_oom(answer.status)
        self.assertGreater(len(answer.stdout), LIMIT // MIB // 2, "MiB were taken")
        self.check_usable()

    def check_usable(self):
        self.check_ended(self.run_in(self.sandbox, "sh", "-c", "rm -f /tmp/* /dev/shm/*; true").status, code=0)
        answer = self.run_in(self.sandbox, "echo", "on")
        self.assertEqual(answer.stdout, b"on\n")


class TooMuchTest(MemoryCase):
    def test_64_processes_of_32_mib(self):
        self.check_stopped("forks(64, 32)")

    def test_one_process(self):
        self.check_stopped("touch(mmap.mmap(-1, 2048 * MIB, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS), 2048)")

    def test_a_file_in_memory(self):
        self.check_stopped("write(os.memfd_create('m'), 1024)")

    def test_files_in_memory_that_nobody_may_look_into(self):
        self.check_stopped("libc.prctl(4, 0)\nwrite(os.memfd_create('m'), 1024)")

    def test_files_in_memory_that_are_mapped_and_closed(self):
        self.check_stopped("mapped_and_closed(1024)")

    def test_tmp(self):
        self.check_stopped("write(os.open('/tmp/f', os.O_CREAT | os.O_WRONLY), 1024)")

    def test_dev_shm(self):
        self.check_stopped("write(os.open('/dev/shm/f', os.O_CREAT | os.O_WRONLY), 1024)")

    def test_a_deleted_file_in_tmp(self):
        self.check_stopped("fd = os.open('/tmp/f', os.O_CREAT | os.O_WRONLY)\nos.unlink('/tmp/f')\nwrite(fd, 1024)")

    def test_segments_that_nobody_is_attached_to(self):
        answer = self.run_in(self.sandbox, *taking("segments(1024)"))
        self.check_oom(answer.status)

    def test_shared_memory_of_processes_that_are_gone(self):
        self.check_stopped("shared_by_one_that_is_gone(1024)")

    def test_on_a_stream(self):
        outcome = self.exec_in(self.sandbox, *taking("forks(64, 32)")).finish()
        self.check_oom(outcome.status)
        self.check_usable()

    def test_in_a_sandbox_of_the_calls_own(self):
        spec = pb.SandboxSpec(limits=pb.Limits(memory_bytes=LIMIT))
        self.check_oom(self.run_in(spec, *taking("forks(64, 32)")).status)

    def test_while_others_free_as_much(self):
        """The host's sum of such memory doesn't grow, and the program does nothing more afterwards."""
        elsewhere = mmap.mmap(-1, 3 * LIMIT)
        elsewhere.write(bytes(3 * LIMIT))
        script = f"""
import os, sys
print("ready", flush=True)
sys.stdin.readline()
os.posix_fallocate(os.memfd_create("m"), 0, {LIMIT + LIMIT // 4})
sys.stdin.readline()
"""
        call = self.exec_in(self.sandbox, "python3", "-c", script, deadline=60)
        call.read_until(b"ready")
        elsewhere.close()
        call.stdin(b"go on\n")
        self.check_oom(call.finish().status)

    def test_what_an_earlier_command_left_behind_counts(self):
        """And every command that runs then ends so."""
        idle = self.exec_in(self.sandbox, "sleep", "99")
        idle.next("started")
        self.check_ended(
            self.run_in(self.sandbox, "sh", "-c", "dd if=/dev/zero of=/tmp/f bs=1M count=200 status=none").status,
            code=0,
        )
        answer = self.run_in(self.sandbox, *taking("forks(8, 16)"))
        self.check_oom(answer.status)
        self.check_oom(idle.finish().status)
        self.check_usable()

    def test_neighbours_are_left_alone(self):
        neighbour = self.create(limits=pb.Limits(memory_bytes=LIMIT))
        echo = self.exec_in(neighbour, "cat")
        echo.next("started")
        self.check_stopped("forks(64, 32)")
        echo.stdin(b"still here")
        echo.read_until(b"still here")
        echo.close_stdin()
        self.check_ended(echo.finish().status, code=0)


class EnoughTest(MemoryCase):
    def check_done(self, what):
        answer = self.run_in(self.sandbox, "python3", "-c", TAKE + what)
        self.check_ended(answer.status, code=0)

    def test_a_large_mapping_of_which_little_is_used(self):
        """However much the host has of such memory elsewhere."""
        elsewhere = mmap.mmap(-1, 2 * LIMIT)
        for at in range(0, len(elsewhere), mmap.PAGESIZE):
            elsewhere[at] = 1
        script = "import mmap, time\nmemory = mmap.mmap(-1, 4 << 30)\nmemory[0] = 1\nfor _ in range(50): time.sleep(0.01)\n"
        self.check_ended(self.run_in(self.sandbox, "python3", "-c", script).status, code=0)

    def test_what_forks_share_counts_once(self):
        """Twelve processes that have 100 MiB in common, for as long as it takes to look at them often."""
        self.check_done("""
memory = mmap.mmap(-1, 100 * MIB, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
touch(memory, 100)
for _ in range(12):
    if os.fork() == 0:
        for i in range(300_000):
            pass
        os._exit(0)
for _ in range(12):
    os.wait()
""")

    def test_what_processes_map_together_counts_once(self):
        self.check_done("""
fd = os.memfd_create("m")
write(fd, 100)
for _ in range(12):
    if os.fork() == 0:
        memory = mmap.mmap(fd, 100 * MIB)
        sum(memory[i] for i in range(0, 100 * MIB, 4096))
        os._exit(0)
for _ in range(12):
    os.wait()
""")

    def test_what_was_given_back_does_not_count(self):
        self.check_done("""
for _ in range(8):
    memory = mmap.mmap(-1, 100 * MIB, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    touch(memory, 100)
    memory.close()
""")

    def test_reserved_is_not_used(self):
        self.check_done("memory = mmap.mmap(-1, 4096 * MIB, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)\ntouch(memory, 20)")


class ReportTest(ServerCase):
    def row(self, **limits):
        sandbox = self.create(limits=pb.Limits(**limits))
        (row,) = [row for row in sandbox.enforcement if row.protection == pb.PROTECTION_LIMITS]
        return row

    def test_no_limits(self):
        row = self.row(max_output_bytes=1000)
        self.assertEqual(row.state, pb.ENFORCEMENT_STATE_DISABLED)
        self.assertIn("spec.limits", row.detail)

    def test_what_the_kernel_holds_alone(self):
        row = self.row(max_open_files=64, max_file_size_bytes=MIB)
        self.assertEqual((row.state, row.detail), (pb.ENFORCEMENT_STATE_ACTIVE, ""))
        self.assertIn("rlimits", row.mechanism)

    def test_what_is_measured(self):
        for limits in ({"memory_bytes": LIMIT}, {"disk_bytes": MIB}, {"cpu_share": 1}):
            row = self.row(**limits)
            self.assertIn(row.state, (pb.ENFORCEMENT_STATE_DEGRADED, pb.ENFORCEMENT_STATE_ACTIVE))
            self.assertEqual(row.state == pb.ENFORCEMENT_STATE_DEGRADED, bool(row.detail))

    def test_effective_limits(self):
        limits = pb.Limits(memory_bytes=LIMIT, cpu_share=1.5, max_processes=7, disk_bytes=5 * MIB)
        limits.cpu_time.FromSeconds(9)
        effective = self.create(limits=limits).effective_spec.limits
        self.assertEqual(
            (effective.memory_bytes, effective.cpu_share, effective.max_processes, effective.disk_bytes),
            (LIMIT, 1.5, 7, 5 * MIB),
        )
        self.assertEqual((effective.cpu_time.seconds, effective.disk_inodes), (9, MIB))


main()
