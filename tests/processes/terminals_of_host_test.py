"""More terminals than the host has for sandboxes. Takes them all for a moment, so it runs alone."""

import grpc

from heeltest import Code, Failure, main_once, pb, process_pb
from processes import ProcessCase

OF_ONE_SANDBOX = 256
MANY = 4096


def read_sysctl(name):
    with open(f"/proc/sys/kernel/pty/{name}", encoding="ascii") as file:
        return int(file.read())


class HostTest(ProcessCase):
    def use_up(self):
        """Starts commands with terminals until one is refused; how."""
        command = process_pb.Command(argv=["sleep", "1000"], terminal=process_pb.Terminal())
        for number in range(MANY):
            if number % OF_ONE_SANDBOX == 0:
                sandbox_id = self.create().sandbox_id
            try:
                self.stub.StartProcess(pb.StartProcessRequest(sandbox_id=sandbox_id, command=command), timeout=30)
            except grpc.RpcError as error:
                return Failure.of(error)
        raise AssertionError(f"{MANY} terminals, and none was refused")

    def test_none_is_left(self):
        left = read_sysctl("max") - read_sysctl("reserve")
        if left >= MANY:
            self.skipTest(f"kernel.pty.max leaves {left} terminals: too many to use them up")
        failure = self.use_up()
        self.check_failure(failure, Code.RESOURCE_EXHAUSTED, "LIMIT_REACHED")
        self.assertEqual(failure.metadata, {"limit": "kernel.pty.max"})
        self.assertIn("kernel.pty.max", failure.message)


main_once()
