"""Every call of heel.v1 from a language that heel has no library for: Python, plain grpcio.

    python -m grpc_tools.protoc -Iproto --python_out=. --grpc_python_out=. proto/heel/v1/*.proto
    python example.py unix:/run/heel/heeld.sock

Prints a line for each call.
"""

import sys

import grpc
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from heel.v1 import process_pb2, sandbox_pb2, sandbox_pb2_grpc


def explain(error):
    """Why a call failed: the reason of error.proto, and the fields that are wrong."""
    status = status_pb2.Status()
    for key, value in error.trailing_metadata():
        if key == "grpc-status-details-bin":
            status.ParseFromString(value)
    info, bad_request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details:
        detail.Unpack(info) or detail.Unpack(bad_request)
    return info.reason, [violation.field for violation in bad_request.field_violations]


def dialog(stub, sandbox_id):
    """Exec: answers what the command asks, and gives what it wrote and how it ended."""
    command = process_pb2.Command(argv=["sh", "-c", "echo who?; read name; echo hello $name"])
    start = sandbox_pb2.ExecStart(sandbox_id=sandbox_id, command=command)
    requests = iter(
        [
            sandbox_pb2.ExecRequest(start=start),
            sandbox_pb2.ExecRequest(stdin=b"world\n"),
            sandbox_pb2.ExecRequest(close_stdin=sandbox_pb2.CloseStdin()),
        ]
    )
    output = b""
    for response in stub.Exec(requests):
        if response.HasField("stdout"):
            output += response.stdout.data
        elif response.HasField("exited"):
            return output, response.exited.status.code


def main(address):
    channel = grpc.insecure_channel(address)
    stub = sandbox_pb2_grpc.SandboxServiceStub(channel)
    health = health_pb2_grpc.HealthStub(channel)

    status = health.Check(health_pb2.HealthCheckRequest(service="heel.v1.SandboxService")).status
    print("Check:", health_pb2.HealthCheckResponse.ServingStatus.Name(status))
    watch = health.Watch(health_pb2.HealthCheckRequest())
    print("Watch:", health_pb2.HealthCheckResponse.ServingStatus.Name(next(watch).status))
    watch.cancel()

    info = stub.GetServerInfo(sandbox_pb2.GetServerInfoRequest())
    print("GetServerInfo:", info.backend)

    spec = sandbox_pb2.SandboxSpec(labels={"job": "example"})
    sandbox = stub.CreateSandbox(sandbox_pb2.CreateSandboxRequest(spec=spec)).sandbox
    name = sandbox.sandbox_id
    print("CreateSandbox:", sandbox_pb2.SandboxState.Name(sandbox.state))

    found = stub.GetSandbox(sandbox_pb2.GetSandboxRequest(sandbox_id=name)).sandbox
    print("GetSandbox:", found.working_dir)
    listed = stub.ListSandboxes(sandbox_pb2.ListSandboxesRequest(labels={"job": "example"})).sandboxes
    print("ListSandboxes:", len(listed))

    update = sandbox_pb2.UpdateSandboxRequest(sandbox_id=name, labels={"job": "done"})
    update.update_mask.paths.append("labels")
    print("UpdateSandbox:", stub.UpdateSandbox(update).sandbox.effective_spec.labels["job"])

    tests = [sandbox_pb2.PolicyTest(path="/etc/passwd", access=access) for access in (1, 2)]
    policy = stub.ExplainPolicy(sandbox_pb2.ExplainPolicyRequest(sandbox_id=name, tests=tests))
    print("ExplainPolicy:", policy.verdicts[0].path, *(verdict.allowed for verdict in policy.verdicts))

    command = process_pb2.Command(argv=["sh", "-c", "echo out; echo err >&2; exit 3"])
    answer = stub.RunCommand(sandbox_pb2.RunCommandRequest(sandbox_id=name, command=command))
    print("RunCommand:", answer.stdout, answer.stderr, answer.status.code)
    print("Exec:", *dialog(stub, name))

    stub.DeleteSandbox(sandbox_pb2.DeleteSandboxRequest(sandbox_id=name))
    try:
        stub.GetSandbox(sandbox_pb2.GetSandboxRequest(sandbox_id=name))
    except grpc.RpcError as error:
        print("DeleteSandbox:", error.code().name, *explain(error))
    try:
        stub.CreateSandbox(sandbox_pb2.CreateSandboxRequest(spec=sandbox_pb2.SandboxSpec(level=99)))
    except grpc.RpcError as error:
        print("an error:", error.code().name, *explain(error))


if __name__ == "__main__":
    main(sys.argv[1])
