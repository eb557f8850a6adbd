"""The configuration file: profiles, what wins over them, and what is wrong with them."""

import json

from heeltest import TestCase, main
from heeltest.cli import Cli, isolate

FILE = """\
profiles:
  build:
    level: ISOLATION_LEVEL_DEFAULT
    filesystem:
      workingDir: .
      paths:
        - {path: %s, access: PATH_ACCESS_READ}
    limits: {wallTime: 1.5s, memoryBytes: "268435456"}
    environment: {variables: {A: "1", B: "2"}}
    labels: {version: 1.2.3}
  empty: {}
"""


def setUpModule():
    isolate()


class ConfigCase(TestCase):
    def setUp(self):
        self.cli = Cli()
        self.file = self.cli.home / ".config/heel/config.yaml"
        self.file.parent.mkdir(parents=True)
        self.granted = self.cli.base / "granted"
        self.granted.mkdir()
        self.granted.chmod(0o755)
        (self.granted / "file").write_text("granted\n")
        self.work = self.cli.base / "project"
        self.work.mkdir()
        self.work.chmod(0o777)
        self.file.write_text(FILE % self.granted)

    def run_cli(self, *arguments, code=0, **options):
        answer = self.cli(*arguments, cwd=self.work, **options)
        self.assertEqual(answer.returncode, code, answer)
        return answer.stdout

    def check_sentence(self, *arguments, code=125):
        answer = self.cli(*arguments, cwd=self.work)
        self.assertEqual((answer.returncode, answer.stdout), (code, ""), answer)
        self.assertRegex(answer.stderr, r"\Aheelcli: [^\n]+\n\Z")
        return answer.stderr


class ProfileTest(ConfigCase):
    def test_what_it_says_holds(self):
        run = ["run", "--profile", "build"]
        self.assertEqual(self.run_cli(*run, "--", "sh", "-c", "pwd; echo $A$B"), f"{self.work}\n12\n")
        self.assertEqual(self.run_cli(*run, "cat", self.granted / "file"), "granted\n")
        self.run_cli("run", "cat", self.granted / "file", code=1)
        self.run_cli(*run, "sleep", "60", code=124)
        self.assertEqual(self.run_cli("run", "--profile", "empty", "echo", "x"), "x\n")

    def test_flags_win(self):
        self.needs_lent_files()
        flags = ["--env", "A=3", "--working-dir", str(self.cli.base), "--timeout", "30s", "--deny", str(self.granted)]
        run = ["run", "--profile", "build", *flags, "--"]
        self.assertEqual(self.run_cli(*run, "sh", "-c", "pwd; echo $A$B"), f"{self.cli.base}\n32\n")
        self.run_cli(*run, "cat", self.granted / "file", code=1)

    def test_a_flag_switches_off_what_it_switches_on(self):
        self.file.write_text("profiles: {held: {filesystem: {writeXorExecute: true}, hardware: {allDevices: true}}}\n")
        run = ["run", "--profile", "held", "--no-all-devices"]
        script = "cp /bin/true a && ./a"
        self.run_cli(*run, "--", "sh", "-c", script, code=126)
        self.run_cli(*run, "--no-write-xor-execute", "--", "sh", "-c", script)
        self.run_cli(*run, "--no-write-xor-execute", "--write-xor-execute", "--", "sh", "-c", script, code=126)

    def test_a_projects_own_file_only_where_it_is_named(self):
        (self.work / "heel.yaml").write_text("profiles: {mine: {environment: {variables: {A: '9'}}}}\n")
        self.assertIn("no profile mine", self.check_sentence("run", "--profile", "mine", "true"))
        named = ["run", "--config", "heel.yaml", "--profile", "mine"]
        self.assertEqual(self.run_cli(*named, "sh", "-c", "echo $A"), "9\n")
        script = "echo x >heel.yaml; echo x >>heel.yaml; rm -f heel.yaml; cat heel.yaml"
        inside = self.run_cli("run", "--working-dir", ".", "--", "sh", "-c", script)
        self.assertIn("mine", inside)

    def test_errors_name_the_place(self):
        for text, wanted in (
            ("profiles:\n  x:\n    level: HIGH\n", "line 3"),
            ("profiles:\n  x:\n    levle: 1\n", "line 3"),
            ("profiles:\n  x:\n    limits:\n      wallTime: soon\n", "limits.wall"),
            ("profiles:\n  x:\n    level: 1\n    level: 2\n", "line 4"),
            ("profiles:\n  x: [1]\n", "line 2"),
            ("profile:\n  x: {}\n", f"{self.file}:1: "),
            ("profiles: [x]\n", f"{self.file}:1: "),
            ("profiles:\n  x: {\n", f"{self.file}:3: "),
            ("profiles:\n  x: &x {labels: *x}\n", "too deep"),
            ("", "no profile x"),
        ):
            self.file.write_text(text)
            with self.subTest(text):
                self.assertIn(wanted, self.check_sentence("run", "--profile", "x", "true"))
        self.file.unlink()
        self.assertIn("isn't there", self.check_sentence("run", "--profile", "x", "true"))
        self.assertIn("/no/such", self.check_sentence("run", "--config", "/no/such", "--profile", "x", "true"))


class ConfigTest(ConfigCase):
    def test_it_shows_where_each_setting_stands(self):
        shown = self.run_cli("config")
        self.assertTrue(shown.startswith(f"{self.file}  [by $HOME]\nprofile build  [line 3]\n"), shown)
        self.assertIn("  build.level = ISOLATION_LEVEL_DEFAULT  [line 3]\n", shown)
        self.assertIn(f"  build.filesystem.paths[0].path = {self.granted}  [line 7]\n", shown)
        self.assertIn("  build.labels.version = 1.2.3  [line 10]\n", shown)
        told = json.loads(self.run_cli("config", "--output", "json"))
        self.assertEqual((told["file"], told["found"]), (str(self.file), True))
        self.assertEqual(told["profiles"]["build"]["limits"]["wallTime"], "1.500s")
        self.assertEqual(told["profiles"]["empty"], {})

    def test_no_sandbox_sees_it(self):
        (self.cli.home / ".config/other").write_text("seen\n")
        run = ["run", "--level", "default", "--readable", self.cli.home, "cat"]
        self.assertEqual(self.run_cli(*run, self.cli.home / ".config/other"), "seen\n")
        self.run_cli(*run, self.file, code=1)

    def test_other_places(self):
        xdg = {"XDG_CONFIG_HOME": str(self.cli.base)}
        self.assertEqual(
            self.run_cli("config", env=xdg), f"{self.cli.base}/heel/config.yaml  [by $XDG_CONFIG_HOME]: not there\n"
        )
        named = self.work / "x.yaml"
        named.write_text("profiles: {}\n")
        self.assertEqual(self.run_cli("config", "--config", named), f"{named}  [by --config]\n")


if __name__ == "__main__":
    main()
