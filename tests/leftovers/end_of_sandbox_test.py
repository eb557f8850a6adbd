"""Sandboxes that are deleted, or whose time is over, while they are as busy as they can be."""

import threading
import time

from heeltest import ServerCase, alive_with, duration, main, mark, pb, process_pb, wait_for
from heeltest.processes import all_command_lines, still_alive

ROUNDS = 50
BUSY = "mkdir -p a/b; touch a/b/file $HOME/file /dev/shm/file; setsid sleep {0} & setsid setsid yes {0} >/dev/null & yes {0}"


class EndCase(ServerCase):
    def start_busy(self, target, read=True):
        """An Exec stream at full speed that somebody reads, or nobody; its tree."""
        argument = mark()
        call = self.exec_in(target, "sh", "-c", BUSY.format(argument))
        call.next("stdout")
        tree = self.server.sandbox_tree(argument)
        call.reader = threading.Thread(target=self.read_all, args=[call])
        if read:
            call.reader.start()
        return call, tree

    def read_all(self, call):
        call.outcome = call.finish(keep=False)

    def check_end(self, call):
        if call.reader.ident is None:
            call.reader.start()
        call.reader.join(30)
        self.check_ended(call.outcome.status, signal=9, reason=process_pb.EXIT_REASON_DELETED)

    def check_nothing_is_left(self):
        self.assertEqual(self.server.stored(), [])
        self.assertEqual(self.server.mounts(), [])
        self.assertEqual(self.server.of_sandboxes(), [])


class DeleteTest(EndCase):
    def test_during_output_at_full_speed(self):
        for _ in range(ROUNDS):
            call, tree = self.start_busy(self.create())
            self.delete(self.list()[0].sandbox_id)
            self.assertEqual(still_alive(tree), [])
            self.check_nothing_is_left()
            self.check_end(call)

    def test_when_nobody_reads(self):
        for _ in range(5):
            call, tree = self.start_busy(self.create(), read=False)
            self.delete(self.list()[0].sandbox_id)
            self.assertEqual(still_alive(tree), [])
            self.check_nothing_is_left()
            self.check_end(call)

    def test_many_at_once(self):
        started = [self.start_busy(self.create()) for _ in range(8)]
        requests = [pb.DeleteSandboxRequest(sandbox_id=sandbox.sandbox_id) for sandbox in self.list()]
        for answer in [self.stub.DeleteSandbox.future(request, timeout=30) for request in requests]:
            answer.result()
        self.check_nothing_is_left()
        for call, tree in started:
            self.assertEqual(still_alive(tree), [])
            self.check_end(call)

    def test_while_its_processes_multiply(self):
        script = "f() { while :; do sleep 0.01 & sh -c : & done; }; f & f & echo up; f"
        for _ in range(5):
            sandbox = self.create()
            call = self.exec_in(sandbox, "sh", "-c", script)
            call.read_until(b"up")
            self.delete(sandbox.sandbox_id)
            self.check_nothing_is_left()
            call.cancel()


class TtlTest(EndCase):
    def spec(self, seconds, **lifetime):
        return {"lifetime": pb.Lifetime(ttl=duration(seconds), **lifetime)}

    def test_all_of_it_ends_and_none_before_its_time(self):
        waiting, late = [], []
        for _ in range(ROUNDS):
            argument = mark()
            sandbox = self.create(**self.spec(5))
            script = f"touch file; setsid sleep {argument} & sleep {argument}"
            waiting.append((sandbox, argument, self.start_run(sandbox, "sh", "-c", script)))
        runs = [run for _, _, run in waiting]
        wait_for(lambda: alive_with(waiting[-1][1]))
        while waiting:
            time.sleep(0.005)
            lines, stored, now = "".join(all_command_lines()), self.server.stored(), time.time()
            for row in list(waiting):
                if row[1] not in lines and row[0].host_working_dir not in stored:
                    late.append(now - row[0].expire_time.ToNanoseconds() / 1e9)
                    waiting.remove(row)
        self.assertGreaterEqual(min(late), 0, late)
        wait_for(lambda: not self.list(), what=self.list)
        self.check_nothing_is_left()
        for run in runs:
            self.check_ended(run.result().status, signal=9, reason=process_pb.EXIT_REASON_DELETED)

    def test_of_a_private_sandbox(self):
        call, tree = self.start_busy(pb.SandboxSpec(**self.spec(3)))
        self.check_end(call)
        self.assertEqual(still_alive(tree), [])

    def test_of_a_private_sandbox_whose_output_waits(self):
        """The sandbox is gone long before its call ends."""
        call, tree = self.start_busy(pb.SandboxSpec(**self.spec(3)), read=False)
        wait_for(lambda: not still_alive(tree) and not self.server.stored())
        self.create("other")  # what the call remembers of its own could lie here
        self.check_end(call)
        self.check_nothing_is_left_but("other")

    def test_idle_ttl_of_a_private_sandbox_whose_output_waits(self):
        argument = mark()
        spec = pb.SandboxSpec(lifetime=pb.Lifetime(idle_ttl=duration(0.1)))
        call = self.exec_in(spec, "sh", "-c", f"head -c 60000 /dev/zero; echo {argument} >file")
        wait_for(lambda: not alive_with(argument) and not self.server.stored())
        self.check_ended(call.finish().status, code=0)

    def test_of_a_private_sandbox_in_a_run(self):
        request = self.run_request(pb.SandboxSpec(**self.spec(3)), "sh", "-c", "echo said; sleep 99")
        answer = self.stub.RunCommand(request, timeout=30)
        self.check_ended(answer.status, signal=9, reason=process_pb.EXIT_REASON_DELETED)
        self.assertEqual(answer.stdout, b"said\n")

    def check_nothing_is_left_but(self, sandbox_id):
        self.assertEqual([sandbox.sandbox_id for sandbox in self.list()], [sandbox_id])
        self.delete(sandbox_id)
        self.check_nothing_is_left()


if __name__ == "__main__":
    main()
