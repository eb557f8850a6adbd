"""One Exec or Attach stream, driven step by step."""

import dataclasses
import hashlib
import queue

from heeltest.api import pb, process_pb


@dataclasses.dataclass
class Outcome:
    """What a stream said from its first message to its last."""

    started: pb.ProcessStarted | None = None
    exited: pb.ProcessExited | None = None
    stdout: bytes = b""
    stderr: bytes = b""

    @property
    def status(self):
        return self.exited.status


class ProcessCall:
    """Sends start at once. Iterate over it, or read to the end with finish()."""

    def __init__(self, method, request_type, start=None, deadline=60, metadata=None):
        self.requests = queue.SimpleQueue()
        self.request_type = request_type
        self.taken = 0
        self.gaps = []
        self.offsets = {"stdout": 0, "stderr": 0}
        self.digests = {"stdout": hashlib.sha256(), "stderr": hashlib.sha256()}
        if start is not None:
            self.send(start=start)
        self.call = method(iter(self.requests.get, None), timeout=deadline, metadata=metadata)

    def send(self, **fields):
        self.requests.put(self.request_type(**fields))

    def stdin(self, data):
        self.send(stdin=data)

    def close_stdin(self):
        self.send(close_stdin=pb.CloseStdin())

    def signal(self, number):
        self.send(signal=pb.SendSignal(signal=number))

    def resize(self, rows, columns):
        self.send(resize=pb.ResizeTerminal(rows=rows, columns=columns))

    def half_close(self):
        self.requests.put(None)

    def cancel(self):
        self.call.cancel()
        self.half_close()

    def __iter__(self):
        """Messages as (kind, message); the offsets of chunks must follow each other."""
        for response in self.call:
            kind = response.WhichOneof("message")
            message = getattr(response, kind)
            if kind in self.offsets:
                self._take_chunk(kind, message)
            elif kind == "gap":
                self._take_gap(message)
            elif kind == "stdin_taken":
                assert message.offset > self.taken, (message.offset, self.taken)
                self.taken = message.offset
            yield kind, message

    def _take_gap(self, gap):
        kind = {1: "stdout", 2: "stderr"}[gap.stream]
        assert getattr(gap, "from") == self.offsets[kind] < gap.to, (gap, self.offsets)
        self.offsets[kind] = gap.to
        self.gaps.append(gap)

    def _take_chunk(self, kind, chunk):
        assert chunk.data, f"an empty chunk of {kind}"
        assert chunk.offset == self.offsets[kind], (kind, chunk.offset, self.offsets[kind])
        assert len(chunk.data) < 1 << 20, len(chunk.data)
        self.offsets[kind] += len(chunk.data)
        self.digests[kind].update(chunk.data)

    def next(self, wanted=None):
        """The next message of this kind (or any), past those of other kinds."""
        for kind, message in self:
            if wanted in (None, kind):
                return message
        raise AssertionError(f"the stream ended before {wanted}")

    def read_until(self, data, stream="stdout"):
        """Reads this stream until it has said this."""
        got = b""
        for kind, message in self:
            got += message.data if kind == stream else b""
            if data in got:
                return got
        raise AssertionError(f"the stream ended before {data!r}: {got!r}")

    def finish(self, keep=True):
        """Reads to the end: exactly one started first, exactly one exited last."""
        outcome, kinds = Outcome(), []
        for kind, message in self:
            kinds.append(kind)
            if kind in ("started", "exited"):
                setattr(outcome, kind, message)
            elif kind in self.offsets and keep:
                setattr(outcome, kind, getattr(outcome, kind) + message.data)
        self.half_close()
        assert kinds and kinds[-1] == "exited" and kinds.count("exited") == 1, kinds
        assert kinds.count("started") <= 1 and "started" not in kinds[1:], kinds
        return outcome


class ExecCall(ProcessCall):
    def __init__(self, stub, *argv, deadline=60, start=True, metadata=None, sandbox_id="", spec=None, **command):
        target = {"spec": spec} if spec is not None else {"sandbox_id": sandbox_id}
        first = pb.ExecStart(command=process_pb.Command(argv=argv, **command), **target) if start else None
        super().__init__(stub.Exec, pb.ExecRequest, first, deadline, metadata)


class AttachCall(ProcessCall):
    def __init__(self, stub, process, deadline=60, start=True, **options):
        first = pb.AttachStart(sandbox_id=process.sandbox_id, process_id=process.process_id, **options)
        super().__init__(stub.Attach, pb.AttachRequest, first if start else None, deadline)
        self.offsets = {"stdout": options.get("stdout_offset", 0), "stderr": options.get("stderr_offset", 0)}
