"""Kernels that can't hold what heel promises: everything is refused there, and says what is missing."""

import json
import unittest

from guest import boot, read_script
from heeltest import main_once

NEED = "ABI 4 (Linux 6.7)"


class RefusedTest(unittest.TestCase):
    def check_refused(self, steps, have):
        missing = f"Landlock: have {have}, need {NEED}"
        for name in ("run", "user-run"):
            self.assertEqual(steps[name].status, 125, steps[name])
            self.assertIn(missing, steps[name].said)
        for name in ("create", "run-there"):
            error = json.loads(steps[name].said)["error"]
            self.assertEqual((error["code"], error["reason"]), ("FAILED_PRECONDITION", "HOST_UNSUPPORTED"), error)
            self.assertEqual(error["metadata"], {"feature": "Landlock", "have": have, "need": NEED})
            self.assertIn(missing, error["message"])
        self.assertEqual(json.loads(steps["list"].said), [])
        for name, step in steps.items():
            self.assertNotIn("it ran", step.said, name)
        self.assertEqual(steps["heeld-ended"].status, 0, steps["heeld-ended"])

    def check_doctor(self, steps, have):
        for name in ("doctor", "user-doctor"):
            self.assertEqual(steps[name].status, 1, steps[name])
            self.assertRegex(steps[name].said, rf"(?m)^MISSING +Landlock +{have} +needs ABI 4 \(Linux 6\.7\)$")
            self.assertIn("No sandbox can be made here.", steps[name].said)
        report = json.loads(steps["doctor-json"].said)
        self.assertFalse(report["fit"])
        self.assertEqual([check["name"] for check in report["checks"] if not check["passed"]], ["Landlock"])
        states = {row["state"] for row in report["server"]["protections"]}
        self.assertEqual(states, {"ENFORCEMENT_STATE_DISABLED"}, report)

    def test_linux_6_1(self):
        steps = boot("6.1", {"refused": read_script("refused")})["refused"]
        self.assertTrue(steps["kernel"].said.startswith("6.1."), steps["kernel"])
        self.check_refused(steps, "ABI 2")
        self.check_doctor(steps, "ABI 2")

    def test_linux_6_12_without_landlock(self):
        steps = boot("6.12", {"refused": read_script("refused")}, append="lsm=yama")["refused"]
        self.assertTrue(steps["kernel"].said.startswith("6.12."), steps["kernel"])
        self.check_refused(steps, "none")
        self.check_doctor(steps, "none")
        self.assertIn("lsm=", steps["doctor"].said)


if __name__ == "__main__":
    main_once()
