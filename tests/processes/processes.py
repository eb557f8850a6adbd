"""Calls about processes, in short."""

from heeltest import AttachCall, ServerCase, pb, process_pb

RUNNING = process_pb.PROCESS_STATE_RUNNING
EXITED = process_pb.PROCESS_STATE_EXITED
BLOCK = process_pb.WHEN_FULL_BLOCK
DROP_OLDEST = process_pb.WHEN_FULL_DROP_OLDEST


class ProcessCase(ServerCase):
    def setUp(self):
        self.sandbox = self.create()
        self.streams = []

    def tearDown(self):
        for stream in self.streams:
            stream.cancel()
        super().tearDown()

    def start(self, *argv, close_stdin=False, **command):
        request = pb.StartProcessRequest(
            sandbox_id=self.sandbox.sandbox_id,
            command=process_pb.Command(argv=argv, **command),
            close_stdin=close_stdin,
        )
        return self.stub.StartProcess(request, timeout=30).process

    def sh(self, script, **options):
        return self.start("sh", "-c", script, **options)

    def attach(self, process, **options):
        stream = AttachCall(self.stub, process, **options)
        self.streams.append(stream)
        return stream

    def _about(self, request_type, process, **fields):
        return request_type(sandbox_id=process.sandbox_id, process_id=process.process_id, **fields)

    def get_process(self, process):
        return self.stub.GetProcess(self._about(pb.GetProcessRequest, process), timeout=30).process

    def wait(self, process, timeout=30):
        return self.stub.WaitProcess(self._about(pb.WaitProcessRequest, process), timeout=timeout).process

    def signal(self, process, scope=process_pb.SIGNAL_SCOPE_UNSPECIFIED, **which):
        signal = pb.SendSignal(scope=scope, **which)
        return self.stub.SignalProcess(self._about(pb.SignalProcessRequest, process, signal=signal), timeout=30)

    def processes(self, **request):
        request["sandbox_id"] = self.sandbox.sandbox_id
        return self.stub.ListProcesses(pb.ListProcessesRequest(**request), timeout=30)

    def output(self, process):
        """All that is kept, once it is over."""
        return self.attach(process).finish()
