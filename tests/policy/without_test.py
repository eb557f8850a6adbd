"""Nothing is weaker than reported: each mechanism that is taken away shows in the report, or there
are no sandboxes."""

from heeltest import Code, Heeld, TestCase, main, pb

DEFAULT = pb.ISOLATION_LEVEL_DEFAULT
NAMESPACES = ["HIDDEN_PATHS", "PROCESSES", "NETWORK", "IPC", "ACTING_FILES", "METADATA"]


def report(server, **spec):
    """Each row of a new sandbox: state, mechanism."""
    request = pb.CreateSandboxRequest(spec=pb.SandboxSpec(level=DEFAULT, **spec))
    sandbox = server.stub.CreateSandbox(request, timeout=30).sandbox
    server.stub.DeleteSandbox(pb.DeleteSandboxRequest(sandbox_id=sandbox.sandbox_id), timeout=30)
    name = pb.Protection.Name
    return {name(row.protection)[len("PROTECTION_") :]: (row.state, row.mechanism) for row in sandbox.enforcement}


class WithoutTest(TestCase):
    @classmethod
    def setUpClass(cls):
        with Heeld() as server:
            cls.full = report(server)
            cls.abi = server.stub.GetServerInfo(pb.GetServerInfoRequest(), timeout=5).landlock_abi

    def changed(self, *flags):
        """The rows that differ from those of a sandbox that has everything; none may be stronger."""
        with Heeld(*flags) as server:
            rows = report(server)
            info = server.stub.GetServerInfo(pb.GetServerInfoRequest(), timeout=5)
        for name, (state, _) in rows.items():
            if state == pb.ENFORCEMENT_STATE_ACTIVE:
                self.assertEqual(self.full[name][0], pb.ENFORCEMENT_STATE_ACTIVE, name)
        told = {row.protection: row.mechanism for row in info.protections}
        for name in {name for name in rows if rows[name] != self.full[name]}:
            self.assertEqual(told[pb.Protection.Value("PROTECTION_" + name)], rows[name][1], name)
        return {name: rows[name] for name in rows if rows[name] != self.full[name]}

    def check_refused(self, reason, *flags):
        with Heeld(*flags) as server:
            with self.fails(Code.FAILED_PRECONDITION, reason) as failure:
                report(server)
            self.assertEqual(list(server.stub.ListSandboxes(pb.ListSandboxesRequest(), timeout=5).sandboxes), [])
        return failure

    def test_landlock(self):
        for abi in (0, 1, 3):
            failure = self.check_refused("HOST_UNSUPPORTED", "--without", f"landlock-abi={abi}")
            self.assertEqual(failure.metadata["feature"], "Landlock")
        if self.abi >= 6:
            changed = self.changed("--without", "landlock-abi=5")
            self.assertIn("ABI 5", changed["FILESYSTEM"][1])
            self.assertIn("PROCESSES", changed)
            self.assertIn("IPC", changed)

    def test_namespaces(self):
        for mechanism in ("userns", "pidns"):
            self.check_refused("HOST_UNSUPPORTED", "--without", mechanism, "--namespaces", "require")
            changed = self.changed("--without", mechanism)
            for name in NAMESPACES:
                self.assertIn(name, changed)
                self.assertNotIn("namespace", changed[name][1], name)

    def test_seccomp(self):
        failure = self.check_refused("HOST_UNSUPPORTED", "--without", "seccomp")
        self.assertEqual(failure.metadata["feature"], "seccomp")

    def test_listener(self):
        changed = self.changed("--without", "listener")
        self.assertEqual(changed["HOST_SOCKETS"][0], pb.ENFORCEMENT_STATE_DEGRADED)
        with Heeld("--without", "listener") as server:
            with self.fails(Code.FAILED_PRECONDITION, "PROTECTION_UNAVAILABLE"):
                report(server, require=[pb.PROTECTION_HOST_SOCKETS])

    def test_several_and_none(self):
        changed = self.changed("--without", "userns,landlock-abi=5")
        self.assertIn("ABI 5", changed["FILESYSTEM"][1])
        self.assertIn("HIDDEN_PATHS", changed)
        with self.assertRaises(AssertionError) as refused:
            Heeld("--without", "gravity")
        self.assertIn("gravity", str(refused.exception))


if __name__ == "__main__":
    main()
