"""example.py reaches every call of the contract and of grpc.health.v1, with nothing but grpcio."""

import contextlib
import io
import pathlib
import sys

from heeltest import Heeld, TestCase, pb
from heeltest import main as run_tests

sys.path.insert(0, str(pathlib.Path(__file__).absolute().parent))
import example  # noqa: E402

WANTED = """\
Check: SERVING
Watch: SERVING
GetServerInfo: linux
CreateSandbox: SANDBOX_STATE_READY
GetSandbox: /work
ListSandboxes: 1
UpdateSandbox: done
ExplainPolicy: /etc/passwd True False
RunCommand: b'out\\n' b'err\\n' 3
Exec: b'who?\\nhello world\\n' 0
WatchEvents: started
StartProcess: lasting process_started
GetProcess: PROCESS_STATE_RUNNING
ListProcesses: lasting
Attach: b'kept\\n'
PauseSandbox: SANDBOX_STATE_PAUSED
ResumeSandbox: SANDBOX_STATE_READY
SignalProcess: True
WaitProcess: 15
DeleteSandbox: NOT_FOUND SANDBOX_NOT_FOUND []
an error: INVALID_ARGUMENT UNKNOWN_FIELD ['spec.level']
"""


class EveryCallTest(TestCase):
    def test_example(self):
        with Heeld() as server, contextlib.redirect_stdout(io.StringIO()) as said:
            example.main(server.address)
        self.assertEqual(said.getvalue(), WANTED)

    def test_it_leaves_no_call_out(self):
        service = pb.DESCRIPTOR.services_by_name["SandboxService"]
        for method in service.methods:
            self.assertIn(method.name + ":", WANTED)


if __name__ == "__main__":
    run_tests()
