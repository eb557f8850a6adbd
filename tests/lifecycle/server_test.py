"""heeld itself: what it says of itself, how it starts, listens, admits, drains and ends."""

import os
import pathlib
import signal
import socket
import stat
import subprocess
import time

from heeltest import Code, Heeld, TestCase, main, mark, pb, process_pb, wait_for
from heeltest import health_pb2 as health
from heeltest import places, sandbox_pb2_grpc
from heeltest.api import open_channel
from heeltest.cli import ROOT_FOLDERS, isolate
from heeltest.exec_call import ExecCall
from heeltest.processes import alive_with, still_alive

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

SERVING = health.HealthCheckResponse.SERVING
NOT_SERVING = health.HealthCheckResponse.NOT_SERVING


def setUpModule():
    isolate()


class HeeldCase(TestCase):
    def start(self, *flags, **options):
        server = Heeld(*flags, **options)
        self.addCleanup(server.end)
        return server

    def run_request(self, *argv, sandbox_id=None, **command):
        where = {"sandbox_id": sandbox_id} if sandbox_id else {"spec": pb.SandboxSpec()}
        return pb.RunCommandRequest(command=process_pb.Command(argv=argv, **command), **where)

    def start_sleep(self, server):
        """A private RunCommand that runs; the call and its argument."""
        argument = mark()
        call = server.stub.RunCommand.future(self.run_request("sleep", argument))
        wait_for(lambda: alive_with(argument))
        return call, argument

    def refused(self, *flags, environment=None):
        """heeld that doesn't start; its exit status and what it said."""
        home = places.make_base()
        result = subprocess.run(
            [places.binary("heeld"), "--state-dir", str(home / "state"), *flags],
            env={"PATH": os.environ["PATH"], "HOME": str(home), **(environment or {})},
            capture_output=True, text=True, timeout=20,
        )
        self.assertNotEqual(result.returncode, 0, result)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        return result.stderr


class InfoTest(HeeldCase):
    def test_info(self):
        server = self.start("--default-level", "default", "--max-sandboxes", "7", "--max-processes-per-caller=9")
        info = server.stub.GetServerInfo(pb.GetServerInfoRequest())
        said = subprocess.run([places.binary("heeld"), "--version"], capture_output=True, text=True).stdout
        self.assertEqual(said, f"heeld {info.version}\n")
        self.assertEqual((info.backend, info.kernel_release), ("linux", os.uname().release))
        self.assertGreaterEqual(info.landlock_abi, 4)
        self.assertEqual(info.default_level, pb.ISOLATION_LEVEL_DEFAULT)
        self.assertEqual((info.limits.max_sandboxes, info.limits.max_processes_per_caller), (7, 9))
        self.assertEqual(info.limits.max_request_bytes, 4 << 20)
        self.assertEqual(
            sorted(row.protection for row in info.protections),
            sorted(set(pb.Protection.values()) - {pb.PROTECTION_UNSPECIFIED}),
        )
        made = server.stub.CreateSandbox(pb.CreateSandboxRequest()).sandbox
        self.assertEqual(made.effective_spec.level, pb.ISOLATION_LEVEL_DEFAULT)
        self.assertEqual(server.stop(), 0)

    def test_flags_that_are_none(self):
        for flags, wanted in (
            (["--nothing"], "--nothing"),
            (["extra"], "extra"),
            (["--grace", "soon"], "--grace"),
            (["--listen"], "--listen"),
            (["--listen", "unix:relative"], "unix:/PATH"),
            (["--listen", "unix:/" + "x" * 120], "longer"),
            (["--state-dir", "relative"], "absolute"),
            (["--max-sandboxes", "0"], "--max-sandboxes"),
            (["--uid-range", "0-5"], "--uid-range"),
            (["--uid-range", "4294967297-4294967300"], "--uid-range"),
            (["--default-level", "none"], "--default-level"),
            (["--log-level", "loud"], "--log-level"),
            (["--ready-fd", "x"], "--ready-fd"),
        ):
            with self.subTest(flags):
                self.assertIn(wanted, self.refused(*flags))

    def test_tcp_is_refused_with_its_reason(self):
        for address in ("tcp:127.0.0.1:0", "tcp://0.0.0.0:7000", "ipv4:127.0.0.1:7000", "dns:localhost:7000"):
            self.assertIn("can't tell callers apart over TCP", self.refused("--listen", address))


class HealthTest(HeeldCase):
    def check(self, server, service=""):
        return server.health.Check(health.HealthCheckRequest(service=service), timeout=10).status

    def test_check(self):
        server = self.start()
        for service in ("", "heel.v1.SandboxService", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"):
            self.assertEqual(self.check(server, service), SERVING)
        with self.fails(Code.NOT_FOUND):
            self.check(server, "heel.v1.Nothing")

    def test_watch_tells_of_a_drain(self):
        server = self.start("--grace", "20s")
        watches = [server.health.Watch(health.HealthCheckRequest(), timeout=30) for _ in range(3)]
        unknown = server.health.Watch(health.HealthCheckRequest(service="x"), timeout=30)
        self.assertEqual([next(watch).status for watch in watches], [SERVING] * 3)
        self.assertEqual(next(unknown).status, health.HealthCheckResponse.SERVICE_UNKNOWN)
        call, _ = self.start_sleep(server)
        server.process.terminate()
        self.assertEqual([next(watch).status for watch in watches], [NOT_SERVING] * 3)
        call.cancel()
        self.assertEqual(server.process.wait(20), 0)


class ReflectionTest(HeeldCase):
    """A client that has the server's address and nothing else."""

    def setUp(self):
        self.server = self.start()
        self.database = ProtoReflectionDescriptorDatabase(self.server.channel)

    def ask(self, package="grpc.reflection.v1", **requests):
        call = self.server.channel.stream_stream(
            f"/{package}.ServerReflection/ServerReflectionInfo",
            reflection_pb2.ServerReflectionRequest.SerializeToString,
            reflection_pb2.ServerReflectionResponse.FromString,
        )
        questions = [reflection_pb2.ServerReflectionRequest(**{key: value}) for key, value in requests.items()]
        return list(call(iter(questions), timeout=20))

    def test_a_method_can_be_called(self):
        self.assertIn("heel.v1.SandboxService", self.database.get_services())
        pool = descriptor_pool.DescriptorPool(self.database)
        method = pool.FindServiceByName("heel.v1.SandboxService").FindMethodByName("GetServerInfo")
        request, response = map(message_factory.GetMessageClass, (method.input_type, method.output_type))
        call = self.server.channel.unary_unary(
            f"/{method.containing_service.full_name}/{method.name}", request.SerializeToString, response.FromString
        )
        self.assertEqual(call(request(), timeout=10).backend, "linux")

    def test_every_symbol_is_found_in_its_file(self):
        for symbol, file in (
            ("heel.v1.SandboxService", "heel/v1/sandbox.proto"),
            ("heel.v1.SandboxService.Exec", "heel/v1/sandbox.proto"),
            ("heel.v1.ActingFiles.File", "heel/v1/event.proto"),
            ("heel.v1.ActingFiles.File.path", "heel/v1/event.proto"),
            ("heel.v1.ErrorReason", "heel/v1/error.proto"),
            ("grpc.health.v1.HealthCheckResponse.ServingStatus", "grpc/health/v1/health.proto"),
            ("google.protobuf.Duration", "google/protobuf/duration.proto"),
        ):
            for package in ("grpc.reflection.v1", "grpc.reflection.v1alpha"):
                by_symbol, by_name = self.ask(package, file_containing_symbol=symbol, file_by_filename=file)
                found = descriptor_pb2.FileDescriptorProto.FromString(
                    by_symbol.file_descriptor_response.file_descriptor_proto[0]
                )
                self.assertEqual(found.name, file)
                self.assertEqual(by_symbol.file_descriptor_response, by_name.file_descriptor_response)
                self.assertEqual(by_symbol.original_request.file_containing_symbol, symbol)

    def test_what_is_not_there(self):
        for question in (
            {"file_containing_symbol": "heel.v1"},
            {"file_containing_symbol": "heel.v1.SandboxServic"},
            {"file_containing_symbol": "heel.v1.SandboxService.Nothing"},
            {"file_containing_symbol": ""},
            {"file_by_filename": "heel/v1"},
            {"all_extension_numbers_of_type": "heel.v1.Sandbox"},
            {},
        ):
            question = question or {"host": "x"}
            for answer in self.ask(**question):
                self.assertEqual(answer.error_response.error_code, Code.NOT_FOUND.value[0], question)


class DrainTest(HeeldCase):
    def test_no_new_work(self):
        server = self.start("--grace", "20s")
        server.stub.CreateSandbox(pb.CreateSandboxRequest(sandbox_id="old"))
        call, _ = self.start_sleep(server)
        server.process.terminate()
        wait_for(lambda: "draining" in server.log)
        with self.fails(Code.UNAVAILABLE):
            server.stub.CreateSandbox(pb.CreateSandboxRequest(), timeout=10)
        with self.fails(Code.UNAVAILABLE):
            server.stub.RunCommand(self.run_request("true", sandbox_id="old"), timeout=10)
        with self.assertRaises(OSError):
            socket.socket(socket.AF_UNIX).connect(server.socket)
        call.cancel()
        self.assertEqual(server.process.wait(20), 0)
        self.assertEqual(server.leftovers(), [])

    def test_a_running_call_gets_its_grace(self):
        server = self.start("--grace", "20s")
        argument = mark()
        script = f"echo up; sleep 0.7; echo done; : {argument}"
        call = server.stub.RunCommand.future(self.run_request("sh", "-c", script))
        wait_for(lambda: alive_with(argument))
        begin = time.monotonic()
        server.seen += server.processes()
        server.process.terminate()
        self.assertEqual(call.result(timeout=20).stdout, b"up\ndone\n")
        self.assertEqual(server.process.wait(20), 0)
        self.assertLess(time.monotonic() - begin, 10)  # it waits no longer than the call takes
        self.assertEqual(server.leftovers(), [])

    def test_an_exec_stream_gets_its_grace(self):
        server = self.start("--grace", "20s")
        call = ExecCall(server.stub, "cat", spec=pb.SandboxSpec())
        call.next("started")
        server.process.terminate()
        wait_for(lambda: "draining" in server.log)
        call.stdin(b"still there")
        call.close_stdin()
        self.assertEqual(call.finish().stdout, b"still there")
        self.assertEqual(server.process.wait(20), 0)

    def test_then_everything_ends(self):
        server = self.start("--grace", "300ms")
        server.stub.CreateSandbox(pb.CreateSandboxRequest(sandbox_id="old"))
        call, argument = self.start_sleep(server)
        tree = server.processes()
        begin = time.monotonic()
        server.process.terminate()
        self.assertEqual(server.process.wait(20), 0)
        self.assertGreaterEqual(time.monotonic() - begin, 0.29)
        self.assertEqual((still_alive(tree), alive_with(argument), server.leftovers()), ([], [], []))
        self.assertTrue(call.exception(timeout=5) or call.result().status.signal)

    def test_signals_until_the_end(self):
        """Whoever repeats it must not turn an orderly end into a death by the signal."""
        server = self.start()
        server.stub.CreateSandbox(pb.CreateSandboxRequest())
        for _ in range(10000):
            server.process.terminate()
            try:
                server.process.wait(0.001)
                break
            except subprocess.TimeoutExpired:
                continue
        self.assertEqual(server.process.returncode, 0)
        self.assertEqual(server.leftovers(), [])

    def test_a_second_signal_cuts_it_short(self):
        for first, second in ((signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGTERM)):
            server = self.start("--grace", "60s")
            _, argument = self.start_sleep(server)
            server.seen += server.processes()
            begin = time.monotonic()
            server.process.send_signal(first)
            wait_for(lambda: "draining" in server.log)
            server.process.send_signal(second)
            self.assertEqual(server.process.wait(20), 0)
            self.assertLess(time.monotonic() - begin, 15)
            self.assertEqual((alive_with(argument), server.leftovers()), ([], []))


class ReadyTest(HeeldCase):
    def notified(self, address):
        """What a heeld with this NOTIFY_SOCKET says from its start to its end."""
        receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(receiver.close)
        receiver.bind(address.replace("@", "\0"))
        receiver.settimeout(10)
        if not address.startswith("@"):
            os.chmod(address, 0o666)
        server = self.start(environment={"NOTIFY_SOCKET": address})
        said = [receiver.recv(100)]
        server.stub.GetServerInfo(pb.GetServerInfoRequest(), timeout=10)
        self.assertEqual(server.stop(), 0)
        return said + [receiver.recv(100)]

    def test_notify_socket(self):
        for address in (str(places.make_base() / "notify"), f"@heel-test-{os.getpid()}"):
            self.assertEqual(self.notified(address), [b"READY=1", b"STOPPING=1"])

    def test_a_notify_socket_that_nobody_reads(self):
        server = self.start(environment={"NOTIFY_SOCKET": "/no/such/socket"})
        self.assertEqual(server.stop(), 0)

    def test_sandboxes_get_none_of_it(self):
        server = self.start(environment={"NOTIFY_SOCKET": "/no/such/socket", "SECRET": "x"})
        request = self.run_request("sh", "-c", "env; cat /proc/1/environ /proc/1/cmdline; ls /proc/self/fd")
        answer = server.stub.RunCommand(request)
        self.assertNotIn(b"SECRET", answer.stdout)
        self.assertNotIn(b"NOTIFY", answer.stdout)
        self.assertNotIn(b"state-dir", answer.stdout)


class SocketTest(HeeldCase):
    def test_its_mode(self):
        server = self.start()
        self.assertEqual(stat.S_IMODE(os.stat(server.socket).st_mode), 0o600)
        self.assertEqual(server.stop(), 0)
        self.assertFalse(os.path.lexists(server.socket))

    def test_a_live_one_is_refused(self):
        server = self.start()
        self.assertIn("listens on", self.refused("--listen", server.address))
        server.stub.GetServerInfo(pb.GetServerInfoRequest(), timeout=10)

    def test_a_live_one_of_another_program_is_refused(self):
        path = str(places.make_base() / "s")
        other = socket.socket(socket.AF_UNIX)
        self.addCleanup(other.close)
        other.bind(path)
        other.listen()
        self.assertIn("listens on", self.refused("--listen", "unix:" + path))

    def test_a_stale_one_is_taken_over(self):
        server = Heeld(start=False)
        self.addCleanup(server.end)
        with socket.socket(socket.AF_UNIX) as stale:
            stale.bind(server.socket)
        server.start()
        self.assertEqual(server.stop(), 0)

    def test_what_is_no_socket_stays(self):
        path = places.make_base() / "s"
        path.write_text("mine")
        self.assertIn("is not a socket", self.refused("--listen", f"unix:{path}"))
        self.assertEqual(path.read_text(), "mine")

    def test_of_two_at_once_one_wins(self):
        for _ in range(5):
            base = places.make_base()
            commands = [
                [places.binary("heeld"), "--state-dir", str(base / "state"), "--listen", f"unix:{base}/s"]
            ] * 4
            started = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for command in commands]
            with open_channel(f"unix:{base}/s") as channel:
                stub = sandbox_pb2_grpc.SandboxServiceStub(channel)
                stub.GetServerInfo(pb.GetServerInfoRequest(), timeout=20, wait_for_ready=True)
            wait_for(lambda: len([p for p in started if p.poll() is None]) == 1)
            for process in started:
                process.terminate()
            said = [process.communicate(timeout=20)[1] for process in started]
            self.assertEqual(sorted(process.returncode for process in started), [0, 1, 1, 1], said)

    def test_several(self):
        base = places.make_base()
        paths = [str(base / name) for name in ("a", "b")]
        server = self.start(*[f"--listen=unix:{path}" for path in paths])
        for path in paths:
            socket.socket(socket.AF_UNIX).connect(path)
        self.assertEqual(server.stop(), 0)
        self.assertEqual([path for path in paths if os.path.lexists(path)], [])


class DefaultSocketTest(HeeldCase):
    def listening(self, **environment):
        """A heeld without --listen, and where it listens."""
        server = Heeld(start=False, listen=False, environment=environment)
        server.channel = None
        server.connect = lambda: None
        self.addCleanup(server.end)
        server.start()
        return server, server.log.split('event="listening" socket="')[1].split('"')[0]

    def check_folder(self, path):
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode), 0o700)

    def test_as_root(self):
        self.root_only()
        server, path = self.listening(XDG_RUNTIME_DIR=str(places.make_base()))
        self.assertEqual(path, str(ROOT_FOLDERS[0] / "heeld.sock"))
        self.check_folder(path)

    def test_in_the_runtime_folder(self):
        self.user_only()
        runtime = places.make_base()
        server, path = self.listening(XDG_RUNTIME_DIR=str(runtime))
        self.assertEqual(path, f"{runtime}/heel/heeld.sock")
        self.check_folder(path)

    def test_without_one(self):
        self.user_only()
        server, path = self.listening()
        self.assertEqual(path, f"/tmp/heel-{os.getuid()}/heeld.sock")
        self.check_folder(path)
        server.process.terminate()
        server.process.wait(20)
        self.remove_temporary()

    def remove_temporary(self):
        subprocess.run(["rm", "-rf", f"/tmp/heel-{os.getuid()}"], check=True)

    def test_a_folder_that_others_may_enter_is_refused(self):
        self.user_only()
        folder = pathlib.Path(f"/tmp/heel-{os.getuid()}")
        self.addCleanup(self.remove_temporary)
        for mode in (0o755, 0o770, 0o701):
            folder.mkdir(exist_ok=True)
            folder.chmod(mode)
            self.assertIn("mode 0700", self.refused())
        folder.rmdir()
        folder.symlink_to(places.make_base())
        self.assertIn(str(folder), self.refused())

    def test_a_folder_of_somebody_else_is_refused(self):
        self.root_only()
        os.chown(ROOT_FOLDERS[0], 12345, 12345)
        self.addCleanup(os.chown, ROOT_FOLDERS[0], 0, 0)
        self.assertIn("mode 0700", self.refused())


class AdmissionTest(HeeldCase):
    def check_limit(self, failure, limit, maximum):
        self.assertEqual(failure.metadata, {"limit": limit, "maximum": maximum}, failure)
        self.assertGreater(failure.retry_ms or 0, 0)

    def create(self, server):
        return server.stub.CreateSandbox(pb.CreateSandboxRequest(), timeout=10).sandbox

    def test_sandboxes(self):
        for flag in ("--max-sandboxes", "--max-sandboxes-per-caller"):
            server = self.start(flag, "2")
            one, _ = self.create(server), self.create(server)
            with self.fails(Code.RESOURCE_EXHAUSTED, "LIMIT_REACHED") as failure:
                self.create(server)
            self.check_limit(failure, failure.metadata.get("limit"), "2")
            with self.fails(Code.RESOURCE_EXHAUSTED, "LIMIT_REACHED"):
                server.stub.RunCommand(self.run_request("true"))
            server.stub.DeleteSandbox(pb.DeleteSandboxRequest(sandbox_id=one.sandbox_id))
            self.create(server)
            self.assertEqual(server.stop(), 0)

    def test_commands(self):
        for flag in ("--max-processes", "--max-processes-per-caller"):
            server = self.start(flag, "1")
            sandbox = self.create(server)
            call, argument = self.start_sleep(server)
            for request in (self.run_request("true", sandbox_id=sandbox.sandbox_id), self.run_request("true")):
                with self.fails(Code.RESOURCE_EXHAUSTED, "LIMIT_REACHED") as failure:
                    server.stub.RunCommand(request, timeout=10)
                self.check_limit(failure, failure.metadata.get("limit"), "1")
            call.cancel()
            wait_for(lambda: not alive_with(argument))
            wait_for(lambda: self.runs(server, sandbox))
            listed = server.stub.ListSandboxes(pb.ListSandboxesRequest()).sandboxes
            self.assertEqual([other.sandbox_id for other in listed], [sandbox.sandbox_id])
            self.assertEqual(server.stop(), 0)

    def runs(self, server, sandbox):
        call = server.stub.RunCommand.future(self.run_request("true", sandbox_id=sandbox.sandbox_id))
        return call.exception() is None


class IdleExitTest(HeeldCase):
    def test_it_leaves_when_nobody_needs_it(self):
        server = self.start("--idle-exit", "300ms")
        self.assertEqual(server.process.wait(20), 0)
        self.assertEqual(server.leftovers(), [])

    def test_not_while_there_is_a_sandbox(self):
        server = self.start("--idle-exit", "300ms")
        server.stub.CreateSandbox(pb.CreateSandboxRequest(sandbox_id="one"))
        time.sleep(0.8)  # longer than it may idle
        self.assertIsNone(server.process.poll())
        server.stub.DeleteSandbox(pb.DeleteSandboxRequest(sandbox_id="one"))
        self.assertEqual(server.process.wait(20), 0)

    def test_not_during_a_private_run(self):
        server = self.start("--idle-exit", "300ms")
        answer = server.stub.RunCommand(self.run_request("sh", "-c", "sleep 0.8; echo done"))
        self.assertEqual(answer.stdout, b"done\n")
        self.assertEqual(server.process.wait(20), 0)


if __name__ == "__main__":
    main()
