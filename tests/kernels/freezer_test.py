"""PauseSandbox where the kernel's freezer does it. What holds of every pause is in tests/processes."""

import json
import unittest

from guest import boot, read_script
from heeltest import main_once


class FreezerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.steps = boot("6.12", {"freezer": read_script("freezer")})["freezer"]

    def said(self, name):
        return self.steps[name].said.strip()

    def check(self, *names, status=0):
        for name in names:
            step = self.steps[name]
            self.assertEqual(step.status, status, f"{name}: {step}")

    def test_all_stand_still_and_go_on(self):
        self.check("create", "up", "pause", "still", "resume", "moves")
        paused, resumed = json.loads(self.said("pause")), json.loads(self.said("resume"))
        self.assertEqual((paused["state"], paused["pauseMechanism"]), ("SANDBOX_STATE_PAUSED", "PAUSE_MECHANISM_FREEZER"))
        self.assertEqual(resumed["state"], "SANDBOX_STATE_READY")
        self.assertNotIn("pauseMechanism", resumed)
        self.assertEqual(self.said("frozen"), "frozen 1")

    def test_nothing_is_started(self):
        self.check("exec-paused", status=125)
        self.assertIn("sandbox box is paused", self.said("exec-paused"))

    def test_a_signal_does_not_end_it(self):
        self.check("continued", "still-continued")
        self.assertEqual(self.said("still-frozen"), "frozen 1")

    def test_nobody_is_stopped(self):
        """As nobody can see, then, but where it is done by signals."""
        self.assertEqual((self.said("state"), self.said("state-plain")), ("S", "T"))

    def test_what_stands_still_can_be_killed(self):
        self.check("kill")
        self.check("killed", status=128 + 9)
        self.assertEqual(self.said("frozen-killed"), "frozen 1")

    def test_deletion(self):
        self.check("delete")
        self.assertEqual(self.said("left"), "")
        self.check("groups", status=1)

    def test_without_limits_there_is_no_cgroup(self):
        self.assertEqual(json.loads(self.said("pause-plain"))["pauseMechanism"], "PAUSE_MECHANISM_SIGNALS")

    def test_the_death_of_heeld(self):
        self.check("pause-last")
        self.check("gone", status=1)


if __name__ == "__main__":
    main_once()
