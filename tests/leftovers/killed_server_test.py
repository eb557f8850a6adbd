"""heeld is killed, alone and with its launcher: what ends at once, and what the next start sweeps."""

import os
import signal

from heeltest import Heeld, TestCase, main, mark, pb, process_pb, wait_for
from heeltest.processes import still_alive

ROUNDS = 50
BUSY = "mkdir -p a/b; touch a/b/file $HOME/file /dev/shm/file; setsid sleep {0} & setsid setsid yes {0} >/dev/null & yes {0}"
# Folders that only root could enter, were they not made to let their remover in.
CLOSED = "mkdir -p c/d/e; touch c/d/e/file; mkfifo c/pipe; chmod 0 c/d/e c/d c; "


class KilledCase(TestCase):
    def start(self, *flags, **options):
        server = Heeld(*flags, **options)
        self.addCleanup(server.end)
        return server

    def start_busy(self, server, before=""):
        """Two sandboxes with running trees, one more being made, and a stream at full speed."""
        calls, trees = [], []
        for sandbox_id in ("one", "two"):
            server.stub.CreateSandbox(pb.CreateSandboxRequest(sandbox_id=sandbox_id), timeout=30)
            argument = mark()
            command = process_pb.Command(argv=["sh", "-c", before + BUSY.format(argument)])
            request = pb.RunCommandRequest(sandbox_id=sandbox_id, command=command)
            calls.append(server.stub.RunCommand.future(request))
            trees += server.sandbox_tree(argument)
        wait_for(lambda: len(server.stored()) == 2)
        server.stub.CreateSandbox.future(pb.CreateSandboxRequest(sandbox_id="three"))
        return calls, trees

    def check_gone(self, left):
        wait_for(lambda: not left(), what=left)


class ServerTest(KilledCase):
    def test_nothing_outlives_it_for_long(self):
        for _ in range(ROUNDS):
            server = self.start()
            self.start_busy(server)
            server.kill()
            self.check_gone(server.leftovers)

    def test_even_what_is_hard_to_remove(self):
        server = self.start()
        self.start_busy(server, CLOSED)
        server.kill()
        self.check_gone(server.leftovers)

    def test_while_it_starts(self):
        for number in range(ROUNDS // 2):
            server = self.start(start=False)
            server.start_unready(after=number * 0.001)
            server.process.kill()
            server.process.wait()
            # Killed before its launcher knew of the socket it leaves that, for the next one to take over.
            self.check_gone(lambda: [left for left in server.leftovers() if left != server.socket])
            server.start()
            self.assertEqual(server.stop(), 0)
            self.assertEqual(server.leftovers(), [])

    def test_the_launcher_alone(self):
        """Its sandboxes die with it; heeld says that it can make no more, and ends cleanly."""
        server = self.start()
        calls, trees = self.start_busy(server)
        os.kill(server.launcher().pid, signal.SIGKILL)
        wait_for(lambda: not still_alive(trees))
        for call in calls:
            self.assertIsNotNone(call.exception(timeout=20) or call.result().status.signal)
        with self.assertRaises(Exception):
            server.stub.CreateSandbox(pb.CreateSandboxRequest(), timeout=20)
        server.stop()
        server.start()
        server.stop()
        self.check_gone(server.leftovers)


class BothTest(KilledCase):
    def test_the_next_start_sweeps(self):
        base = None
        for number in range(ROUNDS):
            server = self.start(base=base)
            base = server.base
            self.check_gone(lambda: list((server.state / "instances").iterdir())[1:])
            _, trees = self.start_busy(server, CLOSED if number % 10 == 0 else "")
            seen, launcher = server.processes(), server.launcher().pid
            os.kill(server.pid, signal.SIGSTOP)  # or it would clean up after its launcher
            server.kill(launcher)
            self.check_gone(lambda: still_alive(seen + trees) + server.strays())
            self.assertTrue(server.stored())
        server = self.start(base=base)
        self.check_gone(server.stored)
        self.assertEqual(server.stop(), 0)
        self.assertEqual(server.leftovers(), [])

    def test_a_server_that_lives_is_not_swept(self):
        server = self.start()
        server.stub.CreateSandbox(pb.CreateSandboxRequest(sandbox_id="lives"))
        command = process_pb.Command(argv=["touch", "file"])
        server.stub.RunCommand(pb.RunCommandRequest(sandbox_id="lives", command=command))
        stored = server.stored()
        other = self.start("--state-dir", str(server.state))
        self.assertEqual(other.stop(), 0)
        self.assertEqual((server.stored(), len(stored)), (stored, 1))
        self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    main()
