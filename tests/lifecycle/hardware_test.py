"""spec.hardware: device nodes lent to a sandbox. A second /dev/zero plays the hardware."""

import os
import pathlib
import stat

from heeltest import Code, ServerCase, main, pb

ACCELERATORS = pathlib.Path("/dev/accel")
USE = "head -c 4 {0} | od -An -tx1 && echo x >{0}"


def asks(**hardware):
    return {"hardware": pb.Hardware(**hardware)}


class HardwareTest(ServerCase):
    def make_node(self, mode):
        """A neural processor, as far as anybody can tell by its name."""
        self.root_only()
        if ACCELERATORS.exists():
            self.skipTest("this machine has accelerators of its own")
        ACCELERATORS.mkdir(mode=0o755)
        self.addCleanup(ACCELERATORS.rmdir)
        node = ACCELERATORS / "accel0"
        try:
            os.mknod(node, stat.S_IFCHR, os.makedev(1, 5))
            self.addCleanup(node.unlink)
            with open(node, "rb"):
                pass
        except OSError as error:
            self.skipTest(f"no device node can be made here: {error}")
        node.chmod(mode)
        return node

    def test_a_node_that_is_asked_for(self):
        node = self.make_node(0o666)
        for level in (pb.ISOLATION_LEVEL_STRICT, pb.ISOLATION_LEVEL_DEFAULT, pb.ISOLATION_LEVEL_PERMISSIVE):
            for hardware in ({"npu": True}, {"all_devices": True}):
                sandbox = self.create(level=level, **asks(**hardware))
                answer = self.run_in(sandbox, "sh", "-c", USE.format(node))
                self.assertEqual((answer.stdout, answer.stderr), (b" 00 00 00 00\n", b""), (level, hardware))
                self.assertEqual(sandbox.effective_spec.hardware, pb.Hardware(**hardware))

    def test_what_is_not_asked_for_is_absent(self):
        self.make_node(0o666)
        lent = self.run_in(self.create(**asks(npu=True)), "ls", "/dev").stdout.decode().split()
        plain = self.run_in(self.create(), "ls", "/dev").stdout.decode().split()
        self.assertEqual(set(lent) - set(plain), {"accel"})

    def test_a_node_that_the_sandbox_could_not_open(self):
        node = self.make_node(0o600)
        with self.fails(Code.FAILED_PRECONDITION, "HOST_UNSUPPORTED", field="spec.hardware.npu") as failure:
            self.create(**asks(npu=True))
        self.assertIn(str(node), failure.message)

    def test_hardware_that_is_not_there(self):
        kinds = {"gpu": ("/dev/nvidiactl", "/dev/dri", "/dev/kfd", "/dev/dxg"), "npu": ("/dev/accel",)}
        absent = [kind for kind, nodes in kinds.items() if not any(map(os.path.exists, nodes))]
        if not absent:
            self.skipTest("this machine has a GPU and an NPU")
        for kind in absent:
            with self.fails(Code.FAILED_PRECONDITION, "HOST_UNSUPPORTED", field=f"spec.hardware.{kind}") as failure:
                self.create(**asks(**{kind: True}))
            self.assertIn(kinds[kind][0], failure.message)

    def test_all_devices_are_no_way_to_the_host(self):
        sandbox = self.create(**asks(all_devices=True))
        listing = ("find", "/dev", "!", "-type", "d", "!", "-type", "l", "-exec", "stat", "-c", "%n:%F", "{}", "+")
        lines = self.run_in(sandbox, *listing).stdout.decode().split("\n")
        kinds = dict(line.split(":") for line in lines if line)
        self.assertEqual(kinds.get("/dev/null"), "character special file", kinds)
        for node in ("/dev/mem", "/dev/kmsg", "/dev/kvm", "/dev/fuse", "/dev/console", "/dev/loop-control", "/dev/tty1"):
            self.assertNotIn(node, kinds)
        self.assertNotIn("block special file", kinds.values())

    def test_the_report_says_so(self):
        def row(**spec):
            rows = {row.protection: row for row in self.create(**spec).enforcement}
            return rows[pb.PROTECTION_DEVICES]

        lent = row(**asks(all_devices=True))
        self.assertEqual(lent.state, pb.ENFORCEMENT_STATE_DISABLED, lent)
        self.assertIn("spec.hardware.all_devices", lent.detail)
        self.assertEqual(row().state, pb.ENFORCEMENT_STATE_ACTIVE)


if __name__ == "__main__":
    main()
