"""Back-pressure: what heeld holds is bounded whatever both ends do, and many get their share."""

import contextlib
import subprocess
import threading

import grpc

from heeltest import main, process_pb, wait_for
from heeltest.processes import resident_bytes
from processes import BLOCK, ProcessCase

MIB = 1 << 20
RING = 256 * 1024
STREAMS = 200
SHARE = MIB  # of each stream, while all of them write as fast as they can
# Beside the rings: a message that is written and one that arrives, gRPC's windows, and its buffers.
OF_A_STREAM = RING + 3 * MIB


class MemoryTest(ProcessCase):
    def growth(self, act):
        before = resident_bytes(self.server.pid)
        act()
        return resident_bytes(self.server.pid) - before

    def stalled(self, process, written):
        """Its writer is stopped: no more comes."""
        seen = []
        wait_for(lambda: seen.append(self.get_process(process).stdout.end) or seen[-1] > written and len(seen) > 20 and len(set(seen[-20:])) == 1)

    def check_reader_that_stalls(self, **options):
        output = process_pb.OutputPolicy(ring_bytes=RING, when_full=BLOCK)
        process = self.sh("exec yes", output=output, **options)

        def stall():
            stream = self.attach(process, required=True)
            stream.next("started")
            self.stalled(process, RING)

        self.assertLess(self.growth(stall), OF_A_STREAM)

    def test_a_reader_that_stalls(self):
        self.check_reader_that_stalls()

    def test_a_reader_that_stalls_on_a_terminal(self):
        self.check_reader_that_stalls(terminal=process_pb.Terminal())

    def check_command_that_reads_slowly(self, script, **options):
        """64 MiB go through it, and some always wait."""
        total, piece = 64 * MIB, bytes(128 * 1024)
        call = self.exec_in(self.sandbox, "sh", "-c", script, **options)
        self.streams.append(call)
        call.read_until(b"up")
        peak = 0

        def feed():
            nonlocal peak
            sent = 0
            while sent < total:
                call.stdin(piece)
                sent += len(piece)
                while sent - call.taken > MIB:
                    call.next("stdin_taken")
                peak = max(peak, resident_bytes(self.server.pid))

        before = resident_bytes(self.server.pid)
        feed()
        self.assertLess(peak - before, 2 * OF_A_STREAM)

    def test_a_command_that_never_catches_up(self):
        self.check_command_that_reads_slowly("echo up; exec dd bs=64 of=/dev/null status=none")

    def test_a_terminal_that_is_not_read(self):
        """The terminal holds some, heeld no more than of a pipe; what it takes all arrives, in order."""
        total = 8 * MIB
        pattern = bytes(range(256)) * (MIB // 256)
        script = "stty raw -echo; echo up; read line <gate; head -c %d | cksum" % total
        self.run_in(self.sandbox, "mkfifo", "gate")
        call = self.exec_in(self.sandbox, "sh", "-c", script, terminal=process_pb.Terminal())
        self.streams.append(call)
        call.read_until(b"up")

        def send():
            for _ in range(total // MIB):
                call.stdin(pattern)
            call.next("stdin_taken")

        self.assertLess(self.growth(send), 2 * OF_A_STREAM)
        self.assertLess(call.taken, MIB)
        self.run_in(self.sandbox, "sh", "-c", "echo go on >gate")
        checked = subprocess.run(["cksum"], input=pattern * (total // MIB), capture_output=True, check=True).stdout
        self.assertEqual(call.finish().stdout.split(), checked.split())

    def test_a_command_that_never_reads(self):
        process = self.start("sleep", "1000")

        def send():
            stream = self.attach(process)
            stream.next("started")
            for _ in range(64):
                stream.stdin(bytes(MIB))
            # It is told of what the pipe took, and of no more.
            stream.next("stdin_taken")

        self.assertLess(self.growth(send), 2 * OF_A_STREAM)


class FairnessTest(ProcessCase):
    def test_none_starves(self):
        """Each of many gets its share although all others go on after theirs (how even the shares
        are, tests/bench tells)."""
        policy = process_pb.OutputPolicy(ring_bytes=RING)
        calls = [self.exec_in(self.sandbox, "yes", output=policy, deadline=300) for _ in range(STREAMS)]
        self.streams += calls
        got = [0] * STREAMS
        over = threading.Event()

        def read(number):
            with contextlib.suppress(grpc.RpcError):  # cancelled, when it is over
                for kind, message in calls[number]:
                    got[number] += len(message.data) if kind == "stdout" else 0
                    if over.is_set():
                        return

        readers = [threading.Thread(target=read, args=(number,), daemon=True) for number in range(STREAMS)]
        for reader in readers:
            reader.start()
        wait_for(lambda: min(got) >= SHARE, seconds=120, what=lambda: sorted(got)[:: STREAMS // 10])
        over.set()
        for call in calls:
            call.cancel()
        for reader in readers:
            reader.join(30)


main()
