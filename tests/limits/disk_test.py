"""Limits on files: the size of one, and what all of them take."""

import os
import signal

from heeltest import ServerCase, main, pb, process_pb

LIMIT = process_pb.EXIT_REASON_LIMIT
MIB = 1 << 20


class FilesCase(ServerCase):
    def make(self, **limits):
        return self.create(limits=pb.Limits(**limits))

    def python(self, target, script):
        return self.run_in(target, "python3", "-c", "import os, signal\n" + script)

    def check_limit(self, status, limit, words, number=signal.SIGKILL):
        self.check_ended(status, signal=number, reason=LIMIT)
        self.assertEqual(process_pb.Limit.Name(status.limit), limit)
        self.assertIn(words, status.message)


class OneFileTest(FilesCase):
    WORDS = "beyond 4 MiB (limits.max_file_size_bytes)"
    HEED = "signal.signal(signal.SIGXFSZ, signal.SIG_DFL)\n"

    def setUp(self):
        self.sandbox = self.make(max_file_size_bytes=4 * MIB)

    def check_signal(self, script):
        answer = self.python(self.sandbox, self.HEED + script)
        self.check_limit(answer.status, "LIMIT_MAX_FILE_SIZE_BYTES", self.WORDS, signal.SIGXFSZ)

    def test_written(self):
        self.check_signal("fd = os.open('f', os.O_CREAT | os.O_WRONLY)\nwhile True: os.write(fd, bytes(1 << 20))")
        self.assertEqual(self.run_in(self.sandbox, "stat", "-c", "%s", "f").stdout, b"4194304\n")

    def test_set_aside(self):
        self.check_signal("fd = os.open('f', os.O_CREAT | os.O_WRONLY)\nos.posix_fallocate(fd, 0, 10 << 30)")

    def test_with_a_hole(self):
        self.check_signal("open('f', 'w').truncate(10 << 30)")

    def test_in_memory(self):
        self.check_signal("os.truncate(os.memfd_create('m'), 10 << 30)")

    def test_who_ignores_the_signal_gets_an_error(self):
        answer = self.python(self.sandbox, """
try:
    open('f', 'w').truncate(10 << 30)
except OSError as error:
    print(error.errno)
""")
        self.assertEqual(answer.stdout, b"27\n")
        self.check_ended(answer.status, code=0)

    def test_many_small_ones_are_fine(self):
        answer = self.python(self.sandbox, "for i in range(9): open(str(i), 'wb').write(bytes(4 << 20))")
        self.check_ended(answer.status, code=0)


class AllFilesTest(FilesCase):
    BYTES = "took more than 32 MiB (limits.disk_bytes)"
    INODES = "more than 2000 files (limits.disk_inodes)"

    def setUp(self):
        self.sandbox = self.make(disk_bytes=32 * MIB, disk_inodes=2000)

    def check_bytes(self, script):
        answer = self.python(self.sandbox, script + "\nsignal.pause()")
        self.check_limit(answer.status, "LIMIT_DISK_BYTES", self.BYTES)

    def check_inodes(self, script):
        answer = self.python(self.sandbox, script + "\nsignal.pause()")
        self.check_limit(answer.status, "LIMIT_DISK_INODES", self.INODES)

    def test_bytes(self):
        self.check_bytes("for i in range(40): open(str(i), 'wb').write(bytes(1 << 20))")

    def test_bytes_where_their_owner_may_not_look(self):
        self.check_bytes("""
os.mkdir('d')
os.chdir('d')
os.chmod('.', 0o300)
for i in range(40): open(str(i), 'wb').write(bytes(1 << 20))
""")

    def test_bytes_without_a_name(self):
        self.check_bytes("""
held = []
for i in range(40):
    held.append(open('f', 'wb', buffering=0))
    os.unlink('f')
    held[-1].write(bytes(1 << 20))
""")

    def test_bytes_set_aside(self):
        self.check_bytes("for i in range(40): os.posix_fallocate(os.open(str(i), os.O_CREAT | os.O_RDWR), 0, 1 << 20)")

    def test_a_million_files(self):
        self.check_inodes("for i in range(1_000_000): os.close(os.open(str(i), os.O_CREAT | os.O_WRONLY))")
        self.assertLess(len(os.listdir(self.sandbox.host_working_dir)) if os.geteuid() == 0 else 0, 500_000)

    def test_a_deep_tree(self):
        self.check_inodes("""
for i in range(100_000):
    os.mkdir('directory')
    os.chdir('directory')
""")
        self.delete(self.sandbox.sandbox_id)

    def test_1000_levels_are_fine_and_go(self):
        answer = self.python(self.sandbox, "for i in range(1000):\n    os.mkdir('d')\n    os.chdir('d')")
        self.check_ended(answer.status, code=0)
        self.delete(self.sandbox.sandbox_id)
        self.assertFalse(os.path.exists(self.sandbox.host_working_dir))

    def test_holes_take_nothing(self):
        answer = self.python(self.sandbox, "for i in range(9): open(str(i), 'w').truncate(30 << 20)")
        self.check_ended(answer.status, code=0)

    def test_what_is_there_can_be_removed(self):
        self.check_bytes("for i in range(60): open(str(i), 'wb').write(bytes(1 << 20))")
        answer = self.run_in(self.sandbox, "sh", "-c", "ls | wc -l; rm -f *; sleep 0.5; ls | wc -l")
        self.check_ended(answer.status, code=0)
        self.assertEqual(answer.stdout.split()[1], b"0")
        self.check_bytes("for i in range(60): open(str(i), 'wb').write(bytes(1 << 20))")

    def test_more_of_it_is_too_much_again(self):
        for _ in range(2):
            self.check_bytes("n = len(os.listdir())\nfor i in range(n, n + 1000): open(str(i), 'wb').write(bytes(1 << 20))")

    def test_no_file_is_larger_than_all(self):
        answer = self.run_in(self.sandbox, "dd", "if=/dev/zero", "of=f", "bs=64M", "count=1", "status=none")
        self.check_limit(answer.status, "LIMIT_DISK_BYTES", self.BYTES, signal.SIGXFSZ)

    def test_tmp_is_full(self):
        for script in (
            "for i in range(40): open(f'/tmp/{i}', 'wb').write(bytes(1 << 20))",
            "for i in range(2500): open(f'/dev/shm/{i}', 'w').close()",
        ):
            answer = self.python(self.make(disk_bytes=32 * MIB, disk_inodes=2000), script)
            self.check_ended(answer.status, code=1)
            self.assertIn(b"No space left on device", answer.stderr)

    def test_the_next_sandbox_has_its_own(self):
        """They share what their mounts are made of."""
        for _ in range(3):
            self.test_tmp_is_full()
            answer = self.python(self.create(), "for i in range(40): open(f'/tmp/{i}', 'wb').write(bytes(1 << 20))")
            self.check_ended(answer.status, code=0)

    def test_neighbours_are_left_alone(self):
        neighbour = self.make(disk_bytes=32 * MIB)
        echo = self.exec_in(neighbour, "cat")
        echo.next("started")
        self.check_bytes("for i in range(60): open(str(i), 'wb').write(bytes(1 << 20))")
        echo.close_stdin()
        self.check_ended(echo.finish().status, code=0)


main()
