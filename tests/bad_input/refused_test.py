"""Requests that can't be granted: which code, reason and field each gets, and that nothing changes."""

import os

from heeltest import Code, ServerCase, duration, main, pb, process_pb, wait_for
from heeltest import places
from heeltest.api import health_pb2

BAD = Code.INVALID_ARGUMENT
FIELD = "INVALID_FIELD"
LONG = "/" + "x" * (1 << 20)
MANY = 100_000


def make_file():
    """One that everybody may read, write and execute."""
    path = places.make_base() / "file"
    path.touch()
    path.chmod(0o777)
    return str(path)


FILE = make_file()

COMMAND = process_pb.Command(argv=["true"])
WRITE, DENY = pb.PATH_ACCESS_WRITE, pb.PATH_ACCESS_DENY
PERMISSIVE = pb.ISOLATION_LEVEL_PERMISSIVE


def files(**fields):
    return {"filesystem": pb.Filesystem(**fields)}


def rule(path, access=pb.PATH_ACCESS_READ):
    return files(paths=[pb.PathRule(path=path, access=access)])


def seconds(number, nanos=0):
    value = duration(0)
    value.seconds, value.nanos = number, nanos
    return value


def switch(**target):
    return files(protections=[pb.ProtectionSwitch(**target)])


def ttl(number, nanos=0):
    return {"lifetime": pb.Lifetime(ttl=seconds(number, nanos))}


def variables(**pairs):
    return {"environment": pb.Environment(variables=pairs)}


# What a spec can't be: name, its fields, reason, the field below the spec, and the code if it is another.
SPECS = [
    ("relative working dir", files(working_dir="tmp"), FIELD, "filesystem.working_dir"),
    ("dot working dir", files(working_dir="./"), FIELD, "filesystem.working_dir"),
    ("absent working dir", files(working_dir="/no/such/folder"), "PATH_NOT_FOUND", "filesystem.working_dir"),
    ("working dir that is a file", files(working_dir=FILE), FIELD, "filesystem.working_dir"),
    ("working dir that is a device", files(working_dir="/dev/null"), FIELD, "filesystem.working_dir"),
    ("working dir of a mebibyte", files(working_dir=LONG[:700_000]), FIELD, "filesystem.working_dir"),
    ("working dir of 4,096 bytes", files(working_dir=LONG[:4096]), FIELD, "filesystem.working_dir"),
    ("kept working dir of the caller", files(working_dir="/tmp", keep_working_dir=True), FIELD,
     "filesystem.keep_working_dir"),
    ("all written, nothing executed", {"level": PERMISSIVE, **files(write_xor_execute=True)}, FIELD,
     "filesystem.write_xor_execute"),
    ("written and executed", files(write_xor_execute=True, paths=[
        pb.PathRule(path=path, access=access) for path, access in ((FILE, WRITE), (FILE, pb.PATH_ACCESS_EXECUTE))
    ]), FIELD, "filesystem.paths[1].path"),
    ("empty path", rule(""), FIELD, "filesystem.paths[0].path"),
    ("relative path", rule("etc"), FIELD, "filesystem.paths[0].path"),
    ("absent path", rule("/no/such/path"), "PATH_NOT_FOUND", "filesystem.paths[0].path"),
    ("path below a file", rule("/etc/passwd/x"), "PATH_NOT_FOUND", "filesystem.paths[0].path"),
    ("path with a name of 300 bytes", rule("/" + "x" * 300), "PATH_NOT_FOUND", "filesystem.paths[0].path"),
    ("path of 4,096 bytes", rule(LONG[:4096]), FIELD, "filesystem.paths[0].path"),
    ("path without an access", rule("/etc", pb.PATH_ACCESS_UNSPECIFIED), FIELD, "filesystem.paths[0].access"),
    ("path with an unknown access", rule("/etc", 77), "UNKNOWN_FIELD", "filesystem.paths[0].access"),
    ("the third path is bad",
     files(paths=[pb.PathRule(path=path, access=1) for path in ("/etc", "/usr", "no")]), FIELD,
     "filesystem.paths[2].path"),
    ("1,025 paths", files(paths=[pb.PathRule(path="/etc", access=1)] * 1025), FIELD, "filesystem.paths"),
    ("grant at permissive", {"level": PERMISSIVE, **rule("/etc", WRITE)}, FIELD, "filesystem.paths[0].access"),
    ("switch without a target", switch(), FIELD, "filesystem.protections[0]"),
    ("switch of no group", switch(group=0), FIELD, "filesystem.protections[0]"),
    ("switch of an unknown group", switch(group=99), "UNKNOWN_FIELD", "filesystem.protections[0].group"),
    ("switch of a relative path", switch(path=".ssh"), FIELD, "filesystem.protections[0].path"),
    ("switch of an absent path", switch(path="/no/such/path"), "PATH_NOT_FOUND", "filesystem.protections[0].path"),
    ("switch of what is not protected", switch(path="/etc/passwd"), FIELD, "filesystem.protections[0].path"),
    ("a group switched twice", files(protections=[pb.ProtectionSwitch(group=4, on=on) for on in (True, False)]), FIELD,
     "filesystem.protections[1]"),
    ("257 switches", files(protections=[pb.ProtectionSwitch(path="/etc")] * 257), FIELD, "filesystem.protections"),
    ("requirement of nothing", {"require": [4, 0]}, FIELD, "require[1]"),
    ("requirement of the unknown", {"require": [77]}, "UNKNOWN_FIELD", "require[0]"),
    ("65 requirements", {"require": [4] * 65}, FIELD, "require"),
    ("unknown level", {"level": 9}, "UNKNOWN_FIELD", "level"),
    ("negative level", {"level": -1}, "UNKNOWN_FIELD", "level"),
    ("negative wall time", {"limits": pb.Limits(wall_time=seconds(-1))}, FIELD, "limits.wall_time"),
    ("no wall time at all", {"limits": pb.Limits(wall_time=seconds(0))}, FIELD, "limits.wall_time"),
    ("wall time beyond any", {"limits": pb.Limits(wall_time=seconds(315576000001))}, FIELD, "limits.wall_time"),
    ("wall time of odd nanoseconds", {"limits": pb.Limits(wall_time=seconds(1, 10**9))}, FIELD, "limits.wall_time"),
    ("wall time of negative nanoseconds", {"limits": pb.Limits(wall_time=seconds(1, -1))}, FIELD, "limits.wall_time"),
    ("too much output", {"limits": pb.Limits(max_output_bytes=491521)}, FIELD, "limits.max_output_bytes"),
    ("hardly any memory", {"limits": pb.Limits(memory_bytes=8388607)}, FIELD, "limits.memory_bytes"),
    ("more memory than there can be", {"limits": pb.Limits(memory_bytes=2**63)}, FIELD, "limits.memory_bytes"),
    ("no CPU time at all", {"limits": pb.Limits(cpu_time=seconds(0))}, FIELD, "limits.cpu_time"),
    ("negative CPU time", {"limits": pb.Limits(cpu_time=seconds(-1))}, FIELD, "limits.cpu_time"),
    ("hardly any processor", {"limits": pb.Limits(cpu_share=0.009)}, FIELD, "limits.cpu_share"),
    ("a negative share", {"limits": pb.Limits(cpu_share=-1)}, FIELD, "limits.cpu_share"),
    ("a share that is no number", {"limits": pb.Limits(cpu_share=float("nan"))}, FIELD, "limits.cpu_share"),
    ("infinitely many processors", {"limits": pb.Limits(cpu_share=float("inf"))}, FIELD, "limits.cpu_share"),
    ("too many processes", {"limits": pb.Limits(max_processes=4097)}, FIELD, "limits.max_processes"),
    ("too large files", {"limits": pb.Limits(max_file_size_bytes=2**64 - 1)}, FIELD, "limits.max_file_size_bytes"),
    ("too few descriptors", {"limits": pb.Limits(max_open_files=15)}, FIELD, "limits.max_open_files"),
    ("hardly any disk", {"limits": pb.Limits(disk_bytes=1048575)}, FIELD, "limits.disk_bytes"),
    ("hardly any files", {"limits": pb.Limits(disk_inodes=1023)}, FIELD, "limits.disk_inodes"),
    ("all output", {"limits": pb.Limits(max_output_bytes=2**64 - 1)}, FIELD, "limits.max_output_bytes"),
    ("negative ttl", ttl(-5), FIELD, "lifetime.ttl"),
    ("zero ttl", ttl(0), FIELD, "lifetime.ttl"),
    ("ttl of two signs", ttl(5, -5), FIELD, "lifetime.ttl"),
    ("ttl of the least number", ttl(-(2**63)), FIELD, "lifetime.ttl"),
    ("negative idle ttl", {"lifetime": pb.Lifetime(idle_ttl=seconds(-1))}, FIELD, "lifetime.idle_ttl"),
    ("variable without a name", variables(**{"": "x"}), FIELD, "environment.variables"),
    ("variable with an equals sign", variables(**{"A=B": "x"}), FIELD, "environment.variables"),
    ("4,097 variables", variables(**{f"V{n}": "" for n in range(4097)}), FIELD, "environment.variables"),
    ("65 labels", {"labels": {f"l{n}": "" for n in range(65)}}, FIELD, "labels"),
    ("empty label key", {"labels": {"": "x"}}, FIELD, "labels"),
    ("label key with a space", {"labels": {"a b": "x"}}, FIELD, "labels"),
    ("label key of 129 bytes", {"labels": {"k" * 129: "x"}}, FIELD, "labels"),
    ("label value of 257 bytes", {"labels": {"k": "v" * 257}}, FIELD, "labels"),
    ("spec of more than 786,432 bytes", variables(**{f"V{n}": "x" * 99_000 for n in range(8)}), FIELD, ""),
]

# What a command can't be: name, its fields, the field below the command.
COMMANDS = [
    ("no argv", {"argv": []}, "argv"),
    ("empty program", {"argv": [""]}, "argv"),
    ("10^5 arguments", {"argv": ["x"] * MANY}, "argv"),
    ("arguments of more than a mebibyte", {"argv": ["x", "y" * (1 << 20)]}, "argv"),
    ("relative working dir", {"argv": ["x"], "working_dir": "tmp"}, "working_dir"),
    ("working dir of a mebibyte", {"argv": ["x"], "working_dir": LONG}, "working_dir"),
    ("negative timeout", {"argv": ["x"], "timeout": seconds(-1)}, "timeout"),
    ("zero timeout", {"argv": ["x"], "timeout": seconds(0)}, "timeout"),
    ("odd timeout", {"argv": ["x"], "timeout": seconds(0, 2 * 10**9)}, "timeout"),
    ("variable without a name", {"argv": ["x"], "environment": {"": "x"}}, "environment"),
    ("variable with an equals sign", {"argv": ["x"], "environment": {"=": "x"}}, "environment"),
    ("4,097 variables", {"argv": ["x"], "environment": {f"V{n}": "" for n in range(4097)}}, "environment"),
    ("process id with a slash", {"argv": ["x"], "process_id": "a/b"}, "process_id"),
    ("process id that is hidden", {"argv": ["x"], "process_id": ".a"}, "process_id"),
    ("process id of 129 bytes", {"argv": ["x"], "process_id": "a" * 129}, "process_id"),
    ("process id that isn't ASCII", {"argv": ["x"], "process_id": "ä"}, "process_id"),
]

# Ids that nothing can have, and what each call says to them.
IDS = ["", "-a", ".", "..", "a/b", "a b", "a\n", "ä", "x" * 129, "x" * (1 << 20)]


def update(*paths, **fields):
    request = pb.UpdateSandboxRequest(sandbox_id="present", **fields)
    request.update_mask.paths.extend(paths)
    return request


# Everything else: name, method, request, code, reason, field.
OTHERS = [
    ("no mask", "UpdateSandbox", pb.UpdateSandboxRequest(sandbox_id="present"), BAD, FIELD, "update_mask"),
    ("empty mask", "UpdateSandbox", update(labels={"a": "b"}), BAD, FIELD, "update_mask"),
    ("unknown path", "UpdateSandbox", update("spec"), BAD, FIELD, "update_mask"),
    ("one of two is unknown", "UpdateSandbox", update("labels", "level", labels={"a": "b"}), BAD, FIELD, "update_mask"),
    ("empty path", "UpdateSandbox", update(""), BAD, FIELD, "update_mask"),
    ("path of a folder", "UpdateSandbox", update("filesystem.working_dir"), BAD, FIELD, "update_mask"),
    ("negative ttl", "UpdateSandbox", update("ttl", ttl=seconds(-1)), BAD, FIELD, "ttl"),
    ("zero idle ttl", "UpdateSandbox", update("idle_ttl", idle_ttl=seconds(0)), BAD, FIELD, "idle_ttl"),
    ("bad label", "UpdateSandbox", update("labels", labels={"a b": "x"}), BAD, FIELD, "labels"),
    ("65 labels", "UpdateSandbox", update("labels", labels={f"l{n}": "" for n in range(65)}), BAD, FIELD, "labels"),
    ("negative page", "ListSandboxes", pb.ListSandboxesRequest(page_size=-1), BAD, FIELD, "page_size"),
    ("token that is none", "ListSandboxes", pb.ListSandboxesRequest(page_token="x"), BAD, FIELD, "page_token"),
    ("long token", "ListSandboxes", pb.ListSandboxesRequest(page_token="1" * 999), BAD, FIELD, "page_token"),
    ("negative token", "ListSandboxes", pb.ListSandboxesRequest(page_token="-1"), BAD, FIELD, "page_token"),
    ("unknown state", "ListSandboxes", pb.ListSandboxesRequest(states=[99]), BAD, FIELD, "states[0]"),
    ("unset state", "ListSandboxes", pb.ListSandboxesRequest(states=[1, 0]), BAD, FIELD, "states[1]"),
    ("no target", "RunCommand", pb.RunCommandRequest(command=COMMAND), BAD, FIELD, "sandbox_id"),
    ("no command", "RunCommand", pb.RunCommandRequest(sandbox_id="present"), BAD, FIELD, "command"),
    ("another spec", "CreateSandbox", pb.CreateSandboxRequest(sandbox_id="present", spec=pb.SandboxSpec(level=2)),
     Code.ALREADY_EXISTS, "SANDBOX_EXISTS", None),
]


class RefusedTest(ServerCase):
    def setUp(self):
        self.create("present", labels={"it": "stays"})
        self.before = self.everything()

    def everything(self):
        """All that a request could change."""
        kept = sorted(os.listdir(self.server.state / "kept"))
        commands = [process.comm for process in self.server.of_sandboxes() if process.comm != "heel-init"]
        return self.list(), self.server.stored(), kept, commands

    def tearDown(self):
        """Inits of refused sandboxes are gone; the one sandbox that was there still is."""
        wait_for(lambda: len(self.server.of_sandboxes()) <= 1, what=self.server.processes)
        super().tearDown()

    def check(self, name, method, request, code, reason, field):
        with self.subTest(f"{method}: {name}"):
            with self.fails(code, reason, field):
                if method == "Exec":
                    list(self.stub.Exec(iter([request]), timeout=30))
                else:
                    getattr(self.stub, method)(request, timeout=30)
            self.assertEqual(self.everything(), self.before)

    def test_specs(self):
        for name, fields, reason, field in SPECS:
            spec = pb.SandboxSpec(**fields)
            below_spec = "spec." + field if field else "spec"
            self.check(name, "CreateSandbox", pb.CreateSandboxRequest(spec=spec), BAD, reason, below_spec)
            request = pb.RunCommandRequest(spec=spec, command=COMMAND)
            self.check(name, "RunCommand", request, BAD, reason, below_spec)
            request = pb.ExecRequest(start=pb.ExecStart(spec=spec, command=COMMAND))
            self.check(name, "Exec", request, BAD, reason, "start." + below_spec)

    def test_commands(self):
        for name, fields, field in COMMANDS:
            command = process_pb.Command(**fields)
            for target in ({"sandbox_id": "present"}, {"spec": pb.SandboxSpec()}):
                request = pb.RunCommandRequest(command=command, **target)
                self.check(name, "RunCommand", request, BAD, FIELD, "command." + field)
                request = pb.ExecRequest(start=pb.ExecStart(command=command, **target))
                self.check(name, "Exec", request, BAD, FIELD, "start.command." + field)

    def test_ids(self):
        for number, sandbox_id in enumerate(IDS):
            name, fields = f"id {number}", {"sandbox_id": sandbox_id}
            if sandbox_id:
                self.check(name, "CreateSandbox", pb.CreateSandboxRequest(**fields), BAD, FIELD, "sandbox_id")
            self.check(name, "GetSandbox", pb.GetSandboxRequest(**fields), BAD, FIELD, "sandbox_id")
            request = pb.DeleteSandboxRequest(allow_missing=True, **fields)
            self.check(name, "DeleteSandbox", request, BAD, FIELD, "sandbox_id")
            request = pb.RunCommandRequest(command=COMMAND, **fields)
            self.check(name, "RunCommand", request, BAD, FIELD, "sandbox_id")
            request = pb.UpdateSandboxRequest(**fields)
            request.update_mask.paths.append("labels")
            self.check(name, "UpdateSandbox", request, BAD, FIELD, "sandbox_id")
            request = pb.ExecRequest(start=pb.ExecStart(command=COMMAND, **fields))
            self.check(name, "Exec", request, BAD, FIELD, "start.sandbox_id")

    def test_unknown_ids(self):
        fields, none = {"sandbox_id": "absent"}, (Code.NOT_FOUND, "SANDBOX_NOT_FOUND", None)
        mask = pb.UpdateSandboxRequest(**fields)
        mask.update_mask.paths.append("labels")
        self.check("unknown", "GetSandbox", pb.GetSandboxRequest(**fields), *none)
        self.check("unknown", "DeleteSandbox", pb.DeleteSandboxRequest(**fields), *none)
        self.check("unknown", "UpdateSandbox", mask, *none)
        self.check("unknown", "RunCommand", pb.RunCommandRequest(command=COMMAND, **fields), *none)
        start = pb.ExecStart(command=COMMAND, **fields)
        self.check("unknown", "Exec", pb.ExecRequest(start=start), *none)

    def test_others(self):
        for row in OTHERS:
            self.check(*row)

    def test_exec(self):
        start = pb.ExecStart(command=COMMAND)
        self.check("no target", "Exec", pb.ExecRequest(start=start), BAD, FIELD, "start.sandbox_id")
        start = pb.ExecStart(sandbox_id="present")
        self.check("no command", "Exec", pb.ExecRequest(start=start), BAD, FIELD, "start.command")
        start = pb.ExecStart(sandbox_id="present", command=process_pb.Command(argv=["x"], stdin=b"x"))
        self.check("stdin in the start", "Exec", pb.ExecRequest(start=start), BAD, FIELD, "start.command.stdin")

    def test_paths_that_the_caller_could_not_open(self):
        self.user_only()
        for fields in (rule("/root/x"), rule("/etc/shadow"), files(working_dir="/root")):
            where = "spec.filesystem.paths[0].path" if "paths" in str(fields) else "spec.filesystem.working_dir"
            request = pb.CreateSandboxRequest(spec=pb.SandboxSpec(**fields))
            self.check(str(fields), "CreateSandbox", request, Code.PERMISSION_DENIED, "PATH_NOT_ACCESSIBLE", where)

    def test_an_unknown_service_of_health(self):
        with self.fails(Code.NOT_FOUND):
            self.server.health.Check(health_pb2.HealthCheckRequest(service="nobody"), timeout=30)

    def test_there_are_enough_of_them(self):
        self.assertGreaterEqual(len(SPECS) + len(COMMANDS) + len(IDS) + len(OTHERS), 60)


if __name__ == "__main__":
    main()
