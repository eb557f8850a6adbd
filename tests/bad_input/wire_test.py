"""Bytes that no library would send: malformed, too deep, too much, unknown, twice."""

from heeltest import Code, ServerCase, main, pb, process_pb, wait_for
from heeltest.processes import resident_bytes
from heeltest.wire import field, nested, varint

BAD = Code.INVALID_ARGUMENT
MESSAGE, UNKNOWN = "INVALID_MESSAGE", "UNKNOWN_FIELD"
NEW = field(999, 1)  # a field that no message has
SERVICE = "/heel.v1.SandboxService/"

# CreateSandboxRequest.spec = 2; SandboxSpec: level 1, filesystem 2, network 3, limits 5,
# environment 6, lifetime 7, labels 8.
SPEC = 2


def spec(data):
    return field(SPEC, data)


# Bytes of a CreateSandboxRequest that are none: name, bytes, field (None: any).
MALFORMED = [
    ("a varint that ends early", b"\x08\xff\xff", None),
    ("a varint of eleven bytes", b"\x08" + b"\xff" * 10 + b"\x01", None),
    ("a length beyond the end", b"\x12\x7f\x00", None),
    ("a length beyond the message inside", spec(b"\x12\x05\x0a"), None),
    ("a length of 2^63", b"\x12" + varint(1 << 63), None),
    ("a tag of field 0", b"\x00\x00", None),
    ("a tag of wire type 6", b"\x0e", None),
    ("a tag of wire type 7", b"\x0f", None),
    ("a group", b"\x0b\x0c", None),
    ("the end of a group alone", b"\x0c", None),
    ("text where a message belongs", spec(field(2, b"\xff\xff\xff")), None),
    ("a number where text belongs", field(1, 5), "sandbox_id"),
    ("text where a number belongs", spec(field(1, "x")), "spec.level"),
    ("text that is no UTF-8", field(1, b"\xff"), "sandbox_id"),
    ("text that is overlong UTF-8", field(1, b"\xc0\x80"), "sandbox_id"),
    ("text with a surrogate", field(1, b"\xed\xa0\x80"), "sandbox_id"),
    ("an id with NUL", field(1, b"a\0b"), "sandbox_id"),
    ("a path with NUL", spec(field(2, field(1, b"/tmp\0/etc"))), "spec.filesystem.working_dir"),
    ("a rule's path with NUL", spec(field(2, field(3, field(1, b"/etc\0x") + field(2, 1)))),
     "spec.filesystem.paths[0].path"),
    ("a variable with NUL", spec(field(6, field(1, field(1, "A") + field(2, b"x\0")))), None),
    ("a label that is no UTF-8", spec(field(8, field(1, b"\xff") + field(2, "x"))), None),
    ("a spec given twice", spec(field(1, 1)) + spec(field(1, 3)), None),
    ("a filesystem given twice", spec(field(2, field(1, "/tmp")) + field(2, field(2, 1))), None),
    ("10^5 levels of nesting", nested(SPEC, 100_000), None),
    ("10^5 levels below the spec", spec(nested(2, 100_000)), None),
    ("10^6 empty submessages", spec(field(2, b"\x1a\x00" * 1_000_000)), None),
    ("10^6 empty labels", spec(b"\x42\x00" * 1_000_000), None),
    ("10^6 empty specs", b"\x12\x00" * 1_000_000, None),
    ("10^6 unknown fields", spec(b"\x98\x3f\x01" * 1_000_000), None),
]

# Unknown fields and values at each level of a spec: where, bytes of the spec.
UNKNOWNS = [
    ("spec.999", NEW),
    ("spec.40", field(40, b"")),
    ("spec.filesystem.999", field(2, NEW)),
    ("spec.filesystem.paths[1].999",
     field(2, field(3, field(1, "/etc") + field(2, 1)) + field(3, field(1, "/usr") + field(2, 1) + NEW))),
    ("spec.network.999", field(3, NEW)),
    ("spec.network.2", field(3, field(2, b""))),
    ("spec.network.deny_all.999", field(3, field(1, NEW))),
    ("spec.limits.999", field(5, NEW)),
    ("spec.limits.wall_time.999", field(5, field(1, field(1, 5) + NEW))),
    ("spec.environment.999", field(6, NEW)),
    ("spec.lifetime.999", field(7, NEW)),
    ("spec.lifetime.ttl.999", field(7, field(1, field(1, 500) + NEW))),
    ("spec.lifetime.idle_ttl.999", field(7, field(2, field(1, 500) + NEW))),
    ("spec.level", field(1, 4)),
    ("spec.999", field(999, nested(1, 100_000))),
    ("spec.filesystem.paths[0].access", field(2, field(3, field(1, "/etc") + field(2, 5)))),
]
# In the entries of maps: named by the map, whichever way.
UNKNOWN_IN_MAPS = [field(6, field(1, field(1, "A") + field(2, "x") + NEW)), field(8, field(1, "a") + field(2, "x") + NEW)]

COMMAND = field(1, "true")


class WireTest(ServerCase):
    def raw(self, method, data):
        call = self.server.channel.unary_unary(SERVICE + method, request_serializer=None, response_deserializer=None)
        return call(data, timeout=60)

    def check_refused(self, name, method, data, reason, field_path=None):
        with self.subTest(f"{method}: {name}"):
            with self.fails(BAD, reason) as failure:
                self.raw(method, data)
            if field_path:
                self.assertEqual(failure.fields, [field_path], failure)
            self.assertEqual(self.list(), [])
            self.assertEqual(self.server.stored(), [])

    def test_malformed(self):
        for name, data, path in MALFORMED:
            self.check_refused(name, "CreateSandbox", data, MESSAGE, path)

    def test_malformed_in_an_exec(self):
        for name, data, _ in MALFORMED:
            with self.subTest(name):
                call = self.server.channel.stream_stream(SERVICE + "Exec")
                with self.fails(BAD, MESSAGE):
                    list(call(iter([field(1, data)]), timeout=60))

    def test_malformed_once_the_command_runs(self):
        self.create("runs")
        start = pb.ExecStart(sandbox_id="runs", command=process_pb.Command(argv=["sleep", "99"]))
        call = self.server.channel.stream_stream(SERVICE + "Exec")
        with self.fails(BAD, MESSAGE):
            list(call(iter([field(1, start), b"\x0b\x0c"]), timeout=60))
        wait_for(lambda: self.get("runs").running_commands == 0)

    def test_unknown_fields_in_a_spec(self):
        for path, data in UNKNOWNS:
            self.check_refused(path, "CreateSandbox", spec(data), UNKNOWN, path)
            request = spec(data) + field(3, COMMAND)
            self.check_refused(path, "RunCommand", request, UNKNOWN, path)
            call = self.server.channel.stream_stream(SERVICE + "Exec")
            with self.subTest(f"Exec: {path}"), self.fails(BAD, UNKNOWN, "start." + path):
                list(call(iter([field(1, spec(data) + field(3, COMMAND))]), timeout=60))

    def test_unknown_fields_in_the_maps_of_a_spec(self):
        for number, data in enumerate(UNKNOWN_IN_MAPS):
            self.check_refused(f"map {number}", "CreateSandbox", spec(data), UNKNOWN)

    def test_keys_given_twice(self):
        label = field(8, field(1, "a") + field(2, "1"))
        variable = field(1, field(1, "A") + field(2, "1"))
        self.check_refused("labels", "CreateSandbox", spec(label + label), "INVALID_FIELD", "spec.labels")
        data = spec(field(6, variable + variable))
        self.check_refused("variables", "CreateSandbox", data, "INVALID_FIELD", "spec.environment.variables")
        data = spec(b"") + field(3, COMMAND + field(3, field(1, "A")) + field(3, field(1, "A")))
        self.check_refused("of a command", "RunCommand", data, "INVALID_FIELD", "command.environment")

    def test_unknown_fields_elsewhere_are_ignored(self):
        created = pb.CreateSandboxResponse.FromString(self.raw("CreateSandbox", NEW + field(1, "made") + NEW))
        self.assertEqual(created.sandbox.sandbox_id, "made")
        self.raw("GetSandbox", field(1, "made") + NEW)
        self.raw("GetServerInfo", NEW)
        self.raw("ListSandboxes", NEW + field(998, nested(1, 100_000)))
        command = field(3, COMMAND + NEW)
        answer = pb.RunCommandResponse.FromString(self.raw("RunCommand", field(1, "made") + command + NEW))
        self.assertEqual(answer.status.code, 0)
        self.raw("UpdateSandbox", field(1, "made") + field(2, field(1, "labels") + NEW) + NEW)
        self.raw("DeleteSandbox", field(1, "made") + NEW)

    def test_a_message_that_is_too_large(self):
        for size in ((4 << 20) + 1, 16 << 20):
            with self.fails(Code.RESOURCE_EXHAUSTED):
                self.raw("CreateSandbox", field(1, b"x" * size))
        with self.fails(BAD, "INVALID_FIELD", "sandbox_id"):
            self.raw("CreateSandbox", field(1, b"x" * ((4 << 20) - 10)))

    def test_methods_and_services_that_are_none(self):
        for path in (SERVICE + "Nothing", "/heel.v2.SandboxService/GetSandbox", "/", "/x", SERVICE):
            with self.subTest(path), self.fails(Code.UNIMPLEMENTED):
                self.server.channel.unary_unary(path)(b"", timeout=30)

    def test_it_costs_no_memory(self):
        self.test_malformed()
        before = resident_bytes(self.server.pid)
        for _ in range(3):
            self.test_malformed()
        self.assertLess(resident_bytes(self.server.pid) - before, 8 << 20)


if __name__ == "__main__":
    main()
