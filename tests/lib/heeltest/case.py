"""Test cases: with errors decoded, and with a heeld that must be clean afterwards."""

import contextlib
import os
import unittest

import grpc

from heeltest import places
from heeltest.api import REASONS, Code, Failure, pb, process_pb
from heeltest.exec_call import ExecCall
from heeltest.heeld import Heeld
from heeltest.processes import wait_for


class TestCase(unittest.TestCase):
    @contextlib.contextmanager
    def fails(self, code, reason=None, field=None):
        """The call inside fails like this; gives a Failure that is filled when it has."""
        got = Failure(Code.OK, "")
        try:
            yield got
        except grpc.RpcError as error:
            vars(got).update(vars(Failure.of(error)))
        self.check_failure(got, code, reason, field)

    def check_failure(self, got, code, reason=None, field=None):
        self.assertEqual((got.code, got.reason), (code, reason or got.reason), got)
        self.assertTrue(got.message, got)
        if reason:
            self.assertIn(reason, REASONS, got)
            self.assertEqual(got.domain, "heel.v1", got)
        if field is not None:
            self.assertEqual(got.fields, [field], got)
            self.assertEqual(got.metadata.get("field", field), field, got)

    def user_only(self):
        if os.geteuid() == 0:
            self.skipTest("as an ordinary user only")

    def needs_lent_files(self):
        if not places.lends():
            self.skipTest("root's files can't be lent to sandboxes on this file system, overlayfs")

    def root_only(self):
        if os.geteuid() != 0:
            self.skipTest("needs root")


class ServerCase(TestCase):
    """One heeld for the class; each test deletes what it made, the class leaves nothing behind."""

    flags = ()

    @classmethod
    def setUpClass(cls):
        cls.server = Heeld(*cls.flags)
        cls.calls = []

    @classmethod
    def tearDownClass(cls):
        status = cls.server.stop()
        assert status == 0, f"heeld's exit status is {status}\n{cls.server.log}"
        assert "level=error" not in cls.server.log, cls.server.log
        wait_for(lambda: not cls.server.leftovers(), what=cls.server.leftovers)

    @property
    def stub(self):
        return self.server.stub

    def tearDown(self):
        if self.server.process.poll() is not None:
            tail = "\n".join(self.server.log.splitlines()[-5:])
            status = self.server.process.returncode
            self.server.start()  # for the tests to come
            self.fail(f"heeld ended: {status}\n{tail}")
        for sandbox in self.list():
            self.delete(sandbox.sandbox_id, allow_missing=True)

    # ---- calls in short

    def create(self, sandbox_id="", **spec):
        request = pb.CreateSandboxRequest(sandbox_id=sandbox_id, spec=pb.SandboxSpec(**spec))
        return self.stub.CreateSandbox(request, timeout=30).sandbox

    def get(self, sandbox_id):
        return self.stub.GetSandbox(pb.GetSandboxRequest(sandbox_id=sandbox_id), timeout=30).sandbox

    def list(self, **request):
        found, answer = [], None
        while answer is None or answer.next_page_token:
            request["page_token"] = answer.next_page_token if answer else ""
            answer = self.stub.ListSandboxes(pb.ListSandboxesRequest(**request), timeout=30)
            found += answer.sandboxes
        return found

    def stored(self):
        """What lies in heeld's state folder and belongs to no sandbox that lives."""
        living = set()
        for sandbox in self.list():
            # Without namespaces HOME lies there as well.
            living |= {sandbox.host_working_dir, os.path.dirname(sandbox.home_dir)}
        return [path for path in self.server.stored() if path not in living]

    def delete(self, sandbox_id, allow_missing=False):
        request = pb.DeleteSandboxRequest(sandbox_id=sandbox_id, allow_missing=allow_missing)
        return self.stub.DeleteSandbox(request, timeout=30)

    def run_request(self, target, *argv, **command):
        """target: a Sandbox, a sandbox's id, or a SandboxSpec."""
        if isinstance(target, pb.Sandbox):
            target = target.sandbox_id
        where = {"spec": target} if isinstance(target, pb.SandboxSpec) else {"sandbox_id": target}
        return pb.RunCommandRequest(command=process_pb.Command(argv=argv, **command), **where)

    def run_in(self, target, *argv, **command):
        return self.stub.RunCommand(self.run_request(target, *argv, **command), timeout=60)

    def start_run(self, target, *argv, deadline=60, **command):
        """RunCommand as a future."""
        call = self.stub.RunCommand.future(self.run_request(target, *argv, **command), timeout=deadline)
        self.calls.append(call)  # a future that nobody holds is cancelled
        return call

    def exec_in(self, target, *argv, **options):
        if isinstance(target, pb.Sandbox):
            target = target.sandbox_id
        where = {"spec": target} if isinstance(target, pb.SandboxSpec) else {"sandbox_id": target}
        return ExecCall(self.stub, *argv, **where, **options)

    def check_gone(self, sandbox_id):
        with self.fails(Code.NOT_FOUND, "SANDBOX_NOT_FOUND") as failure:
            self.get(sandbox_id)
        self.assertEqual(failure.metadata, {"sandbox_id": sandbox_id})

    def check_ended(self, status, *, code=None, signal=None, reason=process_pb.EXIT_REASON_EXITED):
        outcome = "code" if code is not None else "signal"
        self.assertEqual(
            (status.WhichOneof("outcome"), getattr(status, outcome), process_pb.ExitReason.Name(status.reason)),
            (outcome, code if code is not None else signal, process_pb.ExitReason.Name(reason)),
            status,
        )
