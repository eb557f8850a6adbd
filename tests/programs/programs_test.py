"""Real programs, as an agent would run them, at each level."""

import os
import shutil

from heeltest import Heeld, Skip, TestCase, main
from heeltest.cli import Cli, isolate
from programs import PROGRAMS

ONLY = os.environ.get("HEEL_TEST_PROGRAM", "")  # part of a name: tries only these
WITHIN = "/usr/local/bin:/usr/bin:/bin"  # where a sandbox looks for programs


def setUpModule():
    isolate()


class ProgramsTest(TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Heeld()
        cls.cli = Cli(HEEL_ADDRESS=cls.server.address)

    @classmethod
    def tearDownClass(cls):
        assert cls.server.stop() == 0
        assert not cls.server.leftovers(), cls.server.leftovers()

    def succeed(self, level, script):
        answer = self.cli("run", "--level", level, "--timeout", "120s", "sh", "-c", f"{{ {script}\n}} && echo fine", timeout=150)
        self.assertEqual((answer.returncode, answer.stdout.splitlines()[-1:]), (0, ["fine"]), answer)

    def run_all(self, level):
        missing = []
        for program in PROGRAMS:
            if ONLY not in program.name:
                continue
            if not all(shutil.which(name, path=WITHIN) for name in program.needs):
                missing.append(program.name)
            elif level in program.levels:
                with self.subTest(f"{program.name}, {level}"):
                    self.succeed(level, program.script)
        if missing:
            print(f"SKIP: not on this machine: {', '.join(missing)}")
        if len(missing) == len(PROGRAMS):
            raise Skip("none of them is on this machine")

    def test_strict(self):
        self.run_all("strict")

    def test_default(self):
        self.run_all("default")

    def test_permissive(self):
        self.run_all("permissive")


if __name__ == "__main__":
    main()
