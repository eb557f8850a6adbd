"""Linux 6.12, which has Landlock ABI 6: the probes of tests/confinement, and a sandbox's life, as root
and as an ordinary user, in one guest."""

import json
import pathlib
import sys
import unittest

from guest import boot, read_script
from heeltest import main_once

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "confinement"))

import expected
import report
from matrix import Result
from properties import PROPERTIES
from stage import ACTING, PROBES

# Where a sandbox has most to hold, and where it may do most.
LEVEL_OF = {"user": 0, "root": -1}
IDENTITIES = {"root": "root", "user": "tester"}  # and the account
FLAGS_OF_DENIED = "--deny $stage/cell/denied --deny $stage/cell/deep/denied"

# Ways that no control shows in a guest, beside those that expected.py names.
UNSHOWN = {
    ("N13", "others than lo"): "a guest has no others",
    ("F17", "run it"): "root has nothing to gain by it",
    ("K06", "socket: family"): "the family is a module, and a guest has none",
    ("A19", "the same by SET_SYSCALL_INFO"): "Linux 6.16 brought it",
    ("F09", "the string"): "its processors take turns, so that nothing changes between two instructions",
}

# What a probe takes for open because a guest lacks what would have refused it.
LACKING = {
    ("A22", "the firewall's tables"): "they are a module",
}

# What a guest can't be asked.
LEFT_OUT = {
    "A20": "the shell has no names for mounts and namespaces that are unique",
    "A36": "the same",
    "F12": "the search for what acts outside later has 50 ms, which an emulated machine may not keep",
    "A12": "the same",
}
TRIED = [prop for prop in PROPERTIES if prop.id not in LEFT_OUT]

# Once each, by turns: all of it, at each level, is what tests/confinement does, on one kernel.
CONFINED = {"user": TRIED[::2], "root": TRIED[1::2]}

PREPARE = """#!/bin/sh
cd /srv/stage
mkdir -m 1777 homes alias proc
chmod 1777 .
chmod 4755 probes/suid_id
mount --bind homes alias
mount -t proc proc proc
printf '#!/bin/busybox sh\necho "$1" >>/run/cores\n' >/guest/core
chmod 755 /guest/core
echo "|/guest/core %e" >/proc/sys/kernel/core_pattern
"""

SCRIPT = """#!/bin/sh
if [ "$(id -un)" != {account} ]; then
    exec su -s /bin/sh -c "$0" {account}
fi
. /guest/steps.sh
. /guest/stage.sh
. /guest/lifecycle.sh
. /guest/crashes.sh
acting="{acting}"
open_stage
HOME=$HIDDEN
export HOME
lifecycle $stage/killed
start_heeld_in $stage
echo "LOCKED_INODE=:$(stat -c %i $stage/socket.lock)" >>$stage/environment
{probes}
crashes unix:$stage/socket
stop_heeld
"""


def _probe_line(prop, level):
    """A line of a guest's script, which lets the stage's variables stand where "@NAME" is."""
    pairs = [f'{name}="${value[1:]}"' if value.startswith("@") else f"{name}='{value}'" for name, value in prop.env]
    if level == "control":
        return " ".join(["try_control", prop.id, prop.probe, *pairs])
    flags = FLAGS_OF_DENIED if prop.denied else ""
    flags = f'"{flags} --write-xor-execute"' if prop.apart else f'"{flags}"'
    return " ".join(["try_confined", prop.id, level, prop.probe, flags, *pairs])


def _script(identity):
    lines = [_probe_line(prop, prop.levels[LEVEL_OF[identity]]) for prop in CONFINED[identity]]
    if identity == "root":
        lines += [_probe_line(prop, "control") for prop in TRIED if not prop.control]
    return SCRIPT.format(probes="\n".join(lines), account=IDENTITIES[identity], acting=" ".join(ACTING))


def _programs():
    programs = {"/bin/true": "/bin/true"}
    for probe in PROBES.iterdir():
        if probe.is_file() and "." not in probe.name:
            programs[f"/srv/stage/probes/{probe.name}"] = str(probe)
    return programs


class Linux612Test(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scripts = {identity: _script(identity) for identity in IDENTITIES}
        cls.said = boot(
            "6.12", scripts, _programs(), prepare=PREPARE, afterwards=read_script("no_user_namespaces")
        )

    def each(self, name):
        """The step of that name of each identity."""
        for identity in IDENTITIES:
            self.assertIn(name, self.said[identity], f"{identity}: it came to no end")
        return [self.said[identity][name] for identity in IDENTITIES]

    def check_each(self, name, said, status):
        for step in self.each(name):
            self.assertEqual((step.said, step.status), (said, status))

    # ---- a sandbox's life

    def test_commands(self):
        self.check_each("exec-write", "", 7)
        self.check_each("exec-read", "kept\n", 0)
        self.check_each("exec-signal", "", 128 + 15)
        for step in self.each("exec-missing"):
            self.assertEqual(step.status, 127, step)
        for step in self.each("timeout"):
            self.assertEqual(step.status, 124, step)

    def test_sandbox_is_confined(self):
        for step in self.each("exec-identity"):
            self.assertRegex(step.said, r"CapEff:\t0+\n")
            self.assertRegex(step.said, r"CapBnd:\t0+\n")
            self.assertRegex(step.said, r"NoNewPrivs:\t1\n")
            self.assertRegex(step.said, r"Seccomp:\t2\n")
        for step in self.each("get"):
            enforcement = {row["protection"]: row for row in json.loads(step.said)["enforcement"]}
            row = enforcement["PROTECTION_FILESYSTEM"]
            self.assertEqual(row["state"], "ENFORCEMENT_STATE_ACTIVE", row)
            self.assertIn("Landlock ABI 6", row["mechanism"])

    def test_delete_leaves_nothing(self):
        for step in self.each("sleeper-there"):
            self.assertEqual(step.status, 0, step)
        self.check_each("delete", "", 0)
        self.check_each("sleeper-gone", "", 1)
        for step in self.each("get-deleted"):
            self.assertIn("SANDBOX_NOT_FOUND", step.said)

    def test_killed_heeld_leaves_nothing(self):
        for step in self.each("second-there"):
            self.assertEqual(step.status, 0, step)
        self.check_each("processes-gone", "", 1)
        self.check_each("mounts-gone", "", 1)

    def test_heeld_ends(self):
        self.check_each("heeld-ended", "", 0)

    # ---- confinement

    def test_no_core_leaves(self):
        """A crash inside doesn't start the program that core_pattern pipes to; one outside does."""
        for name in ("crash", "crash-default", "crash-permissive", "crash-outside"):
            for step in self.each(name):
                self.assertEqual(step.status, 128 + 11, step)
        for step in self.each("cores"):
            self.assertRegex(step.said, r"^(outside-(root|tester)\n+)+$")

    def test_no_user_namespaces(self):
        """Without them a sandbox is confined all the same, or refused."""
        steps = self.said["afterwards"]
        for whose in ("", "user-"):
            doctor, run = steps[f"{whose}doctor"], steps[f"{whose}run"]
            self.assertRegex(doctor.said, r"(?m)^(MISSING|lacking) +user namespaces")
            if doctor.status == 0:
                self.assertEqual(run.said.count("/secret': Permission denied"), 2, run)
            else:
                self.assertEqual(run.status, 125, run)
                self.assertRegex(run.said, "user namespaces|a user and a network namespace")
            self.assertNotIn("secret of the stage", run.said)

    def test_probes(self):
        """As tests/confinement judges, with what it expects."""
        wrong = []
        for identity in IDENTITIES:
            steps = self.said[identity]
            for prop in CONFINED[identity]:
                level = prop.levels[LEVEL_OF[identity]]
                verdict, surprises = report.verdict(
                    _weakness(prop, level, identity), _result(steps, f"confined {prop.id} {level}")
                )
                lacking = tuple(f"{way}:" for row, way in LACKING if row == prop.id)
                surprises = [surprise for surprise in surprises if not surprise.startswith(lacking)]
                wrong += [f"{identity}: {prop.id} at {level}: {verdict}: {surprise}" for surprise in surprises]
        self.assertFalse(wrong, "\n" + "\n".join(wrong))

    def test_controls(self):
        """Each way works in this guest where nothing confines it, or we know why it doesn't."""
        controls = {}
        for prop in TRIED:
            if not prop.control:
                result = _result(self.said["root"], f"control {prop.id}")
                self.assertFalse(result.trouble, f"{prop.id}: {result.trouble}")
                controls[prop.id, "control"] = {"ways": result.ways}
        unproven = report.unproven([prop.id for prop in TRIED], {"root": controls})
        wrong = [way for way in unproven if way[:2] not in UNSHOWN]
        self.assertFalse(wrong, "no control gets through:\n" + "\n".join(map(str, wrong)))


def _weakness(prop, level, identity):
    found = expected.EXPECTED.get(prop.id)
    return found if found and level in found.levels and identity in found.users else None


def _result(steps, name):
    step = steps.get(name)
    return Result.read(step.said) if step else Result({}, "it came to no end")


if __name__ == "__main__":
    main_once()
