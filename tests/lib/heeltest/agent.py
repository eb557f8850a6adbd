"""A client in a process of its own: one with another uid, or one that can be killed."""

import os
import pickle
import signal
import struct

from heeltest import api


class Agent:
    """Forked from the test before that uses gRPC, which doesn't survive a fork: in setUpModule.

    uid: who it is, where that isn't the test itself (root only); gid is the same number.
    """

    def __init__(self, uid=None):
        ours, theirs = os.pipe(), os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(ours[1])
            os.close(theirs[0])
            _serve(ours[0], theirs[1], uid)
        os.close(ours[0])
        os.close(theirs[1])
        self.requests, self.answers = ours[1], theirs[0]

    def call(self, address, method, request, response_type, timeout=30):
        """A unary call. The response, or raises nothing: (response, None) or (None, Failure)."""
        _send(self.requests, ("unary", address, method, request.SerializeToString(), timeout))
        response, failure = _receive(self.answers)
        return (None, failure) if failure else (response_type.FromString(response), None)

    def start_exec(self, address, requests):
        """Opens an Exec stream, sends these, returns when the command was started; keeps it open."""
        raw = [request.SerializeToString() for request in requests]
        _send(self.requests, ("exec", address, raw))
        return api.pb.ExecResponse.FromString(_receive(self.answers))

    def open_path(self, path):
        """Whether the agent could open this itself."""
        _send(self.requests, ("open", path))
        return _receive(self.answers)

    def kill(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            os.close(self.requests)
            os.close(self.answers)
        self.pid = 0


def _send(fd, message):
    data = pickle.dumps(message)
    os.write(fd, struct.pack("<I", len(data)) + data)


def _read_exactly(fd, size):
    data = b""
    while len(data) < size:
        part = os.read(fd, size - len(data))
        if not part:
            os._exit(0)  # the test is gone
        data += part
    return data


def _receive(fd):
    return pickle.loads(_read_exactly(fd, struct.unpack("<I", _read_exactly(fd, 4))[0]))


def _unary(channels, address, method, request, timeout):
    call = _channel(channels, address).unary_unary("/heel.v1.SandboxService/" + method)
    try:
        return call(request, timeout=timeout), None
    except api.grpc.RpcError as error:
        return None, api.Failure.of(error)


def _exec(channels, address, requests):
    def open_ended():
        yield from requests
        signal.pause()

    stream = _channel(channels, address).stream_stream("/heel.v1.SandboxService/Exec")(open_ended())
    channels["streams"] = [*channels.get("streams", []), stream]
    return next(stream)


def _open(channels, path):
    try:
        os.close(os.open(path, os.O_RDONLY))
        return True
    except OSError:
        return False


def _channel(channels, address):
    if address not in channels:
        channels[address] = api.open_channel(address)
    return channels[address]


def _serve(requests, answers, uid):
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    channels = {}
    while True:
        kind, *arguments = _receive(requests)
        handler = {"unary": _unary, "exec": _exec, "open": _open}[kind]
        _send(answers, handler(channels, *arguments))
