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


def background(stub, name):
    """A process that lives on by itself, and what happens to it."""
    watch = stub.WatchEvents(sandbox_pb2.WatchEventsRequest(sandbox_id=name))
    print("WatchEvents:", next(watch).WhichOneof("message"))

    command = process_pb2.Command(argv=["cat"], process_id="lasting")
    process = stub.StartProcess(sandbox_pb2.StartProcessRequest(sandbox_id=name, command=command)).process
    print("StartProcess:", process.process_id, next(watch).event.WhichOneof("payload"))
    which = {"sandbox_id": name, "process_id": process.process_id}
    got = stub.GetProcess(sandbox_pb2.GetProcessRequest(**which)).process
    print("GetProcess:", process_pb2.ProcessState.Name(got.state))
    running = [process_pb2.PROCESS_STATE_RUNNING]
    listed = stub.ListProcesses(sandbox_pb2.ListProcessesRequest(sandbox_id=name, states=running)).processes
    print("ListProcesses:", *(one.process_id for one in listed))

    requests = [
        sandbox_pb2.AttachRequest(start=sandbox_pb2.AttachStart(**which)),
        sandbox_pb2.AttachRequest(stdin=b"kept\n"),
    ]
    for response in stub.Attach(iter(requests)):
        if response.HasField("stdout"):
            print("Attach:", response.stdout.data)
            break

    paused = stub.PauseSandbox(sandbox_pb2.PauseSandboxRequest(sandbox_id=name)).sandbox
    print("PauseSandbox:", sandbox_pb2.SandboxState.Name(paused.state))
    resumed = stub.ResumeSandbox(sandbox_pb2.ResumeSandboxRequest(sandbox_id=name)).sandbox
    print("ResumeSandbox:", sandbox_pb2.SandboxState.Name(resumed.state))

    signal = sandbox_pb2.SendSignal(name="TERM", scope=process_pb2.SIGNAL_SCOPE_TREE)
    print("SignalProcess:", stub.SignalProcess(sandbox_pb2.SignalProcessRequest(signal=signal, **which)) is not None)
    over = stub.WaitProcess(sandbox_pb2.WaitProcessRequest(**which)).process
    print("WaitProcess:", over.status.signal)
    watch.cancel()


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
    background(stub, name)

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
