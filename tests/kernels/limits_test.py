"""Limits that the kernel holds: cgroups, as root and as an ordinary user who was given a subtree."""

import json
import unittest

from guest import boot, read_script
from heeltest import main_once

BYTES = str(16 << 20)


class LimitsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.steps = boot("6.12", {"limits": read_script("limits")})["limits"]

    def check_end(self, name, reason, words):
        """The last message of the command's stream."""
        status = json.loads(self.steps[name].said.strip().splitlines()[-1])["exited"]["status"]
        self.assertEqual(status["reason"], f"EXIT_REASON_{reason}", self.steps[name])
        self.assertIn(words, status.get("message", ""))

    def test_ends(self):
        for who in ("root", "user"):
            self.assertRegex(self.steps[f"{who}-doctor"].said, r"(?m)^ok +cgroups +works")
            for name in ("one", "child", "tmp"):
                self.check_end(f"{who}-{name}", "OOM", "more than 16 MiB of memory (limits.memory_bytes)")
            self.check_end(f"{who}-cpu", "LIMIT", "more than 0.5 s of CPU time (limits.cpu_time)")
            self.check_end(f"{who}-processes", "LIMIT", "more than 9 processes (limits.max_processes)")
            self.assertEqual(self.steps[f"{who}-enough"].said.strip(), "it ran")

    def test_report(self):
        rows = json.loads(self.steps["report"].said)["enforcement"]
        (row,) = [row for row in rows if row["protection"] == "PROTECTION_LIMITS"]
        self.assertEqual((row["state"], row.get("detail", "")), ("ENFORCEMENT_STATE_ACTIVE", ""))
        self.assertIn("cgroup v2", row["mechanism"])

    def test_group(self):
        self.assertEqual(self.steps["groups"].said.split(), [BYTES, "50000", "100000"])
        self.assertEqual(self.steps["groups-left"].said.strip(), "")

    def test_what_fills_memory_can_be_removed(self):
        self.check_end("full", "OOM", "16 MiB")
        self.assertEqual(self.steps["free"].status, 0, self.steps["free"])
        self.check_end("full-again", "OOM", "16 MiB")

    def test_a_kill_is_not_taken_for_the_kernels(self):
        self.check_end("killed", "SIGNALED", "")


if __name__ == "__main__":
    main_once()
