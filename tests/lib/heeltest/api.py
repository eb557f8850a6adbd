"""The stubs of heel.v1, made by grpc_tools from the .proto files, and its errors, decoded."""

import dataclasses
import datetime
import os
import sys

# Before grpc is imported. Tests start programs while channels are open, and fork helpers before.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import grpc
import grpc._channel  # which it would load later
import grpc.experimental
import grpc_tools
from google.protobuf import duration_pb2
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status
from grpc_tools import protoc

from heeltest import places


def _make_stubs():
    to = places.make_base()
    well_known = os.path.join(os.path.dirname(grpc_tools.__file__), "_proto")
    files = [str(path) for path in sorted(places.PROTO.glob("heel/v1/*.proto"))]
    arguments = [f"-I{places.PROTO}", f"-I{well_known}", f"--python_out={to}"]
    status = protoc.main(["protoc", *arguments, f"--grpc_python_out={to}", *files])
    if status != 0 or not files:
        sys.exit(f"protoc can't make Python stubs of {places.PROTO}/heel/v1: {status}")
    sys.path.insert(0, str(to))


_make_stubs()

from heel.v1 import error_pb2, sandbox_pb2_grpc  # noqa: E402
from heel.v1 import event_pb2 as event_pb  # noqa: E402
from heel.v1 import process_pb2 as process_pb  # noqa: E402
from heel.v1 import sandbox_pb2 as pb  # noqa: E402

__all__ = ["event_pb", "health_pb2", "health_pb2_grpc", "pb", "process_pb", "sandbox_pb2_grpc"]

Code = grpc.StatusCode
REASONS = {name[len("ERROR_REASON_") :] for name in error_pb2.ErrorReason.keys()}
CHANNEL_OPTIONS = (("grpc.use_local_subchannel_pool", 1),)


def duration(seconds):
    message = duration_pb2.Duration()
    message.FromTimedelta(datetime.timedelta(seconds=seconds))
    return message


def open_channel(address):
    return grpc.insecure_channel(address, options=CHANNEL_OPTIONS)


@dataclasses.dataclass
class Failure:
    """A failed call with its details taken apart."""

    code: grpc.StatusCode
    message: str
    domain: str = ""
    reason: str = ""
    metadata: dict = dataclasses.field(default_factory=dict)
    fields: list = dataclasses.field(default_factory=list)
    preconditions: list = dataclasses.field(default_factory=list)
    retry_ms: int | None = None

    @classmethod
    def of(cls, error):
        failure = cls(error.code(), error.details() or "")
        status = rpc_status.from_call(error)
        for detail in status.details if status else ():
            failure._take(detail)
        return failure

    def _take(self, detail):
        for kind, take in (
            (error_details_pb2.ErrorInfo, self._take_info),
            (error_details_pb2.BadRequest, self._take_bad_request),
            (error_details_pb2.PreconditionFailure, self._take_precondition),
            (error_details_pb2.RetryInfo, self._take_retry),
        ):
            message = kind()
            if detail.Unpack(message):
                take(message)

    def _take_info(self, info):
        self.domain, self.reason, self.metadata = info.domain, info.reason, dict(info.metadata)

    def _take_bad_request(self, bad_request):
        self.fields += [violation.field for violation in bad_request.field_violations]

    def _take_precondition(self, failure):
        self.preconditions += [violation.type for violation in failure.violations]

    def _take_retry(self, retry):
        self.retry_ms = round(retry.retry_delay.ToTimedelta().total_seconds() * 1000)
