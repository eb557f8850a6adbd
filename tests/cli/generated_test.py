"""What is made from the tables of verbs and flags: help, completion, the manual page; and colour."""

import re
import shutil
import subprocess

from heeltest import TestCase, main, places
from heeltest.cli import Cli, isolate
from heeltest.terminal import Terminal


def setUpModule():
    isolate()


class GeneratedCase(TestCase):
    def setUp(self):
        self.cli = Cli()

    def print(self, *arguments):
        answer = self.cli(*arguments)
        self.assertEqual((answer.returncode, answer.stderr), (0, ""), answer)
        return answer.stdout

    def verbs(self):
        found = re.findall(r"^  ([a-z]+)  +\S", self.print("help"), re.MULTILINE)
        self.assertGreater(len(found), 20)
        return found

    def flags(self, verb):
        """Each as it is typed, with those that switch off what takes no value."""
        flags = []
        for negation, name in re.findall(r"^  (?:-\w, )?--(\[no-\])?([a-z-]+)", self.print("help", verb), re.MULTILINE):
            flags += [f"--{name}", f"--no-{name}"] if negation else [f"--{name}"]
        return flags

    def feed(self, program, *arguments, script):
        if not shutil.which(program):
            self.skipTest(f"{program} is not installed")
        return subprocess.run([program, *arguments], input=script, capture_output=True, text=True, timeout=30, check=False)


class HelpTest(GeneratedCase):
    def test_every_verb_has_an_example(self):
        for verb in self.verbs():
            self.assertRegex(self.print("help", verb), rf"\n\nExample: (?:.*[(])?heelcli {verb}\b")
            self.assertEqual(self.print("help", verb), self.print(verb, "--help"))

    def test_flags_of_examples_exist(self):
        for verb in self.verbs():
            example = re.search(r"Example: (.*)", self.print("help", verb)).group(1)
            for flag in re.findall(r" (--[a-z-]+)", example):
                self.assertIn(flag, self.flags(verb))

    def test_what_was_meant(self):
        for arguments, meant in ((["shel"], "shell"), (["help", "atach"], "attach"), (["ps", "--al", "x"], "--all")):
            answer = self.cli(*arguments)
            self.assertNotEqual(answer.returncode, 0)
            self.assertIn(f"did you mean {meant}?", answer.stderr)

    def test_colour(self):
        for environment, coloured in (({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True)):
            terminal = Terminal(places.binary("heelcli"), "nothing", env={**self.cli.environment, **environment})
            self.addCleanup(terminal.close)
            self.assertEqual(terminal.wait(), 125)
            self.assertEqual(b"\x1b[" in terminal.seen, coloured, terminal.seen)
        self.assertNotIn("\x1b", self.cli("nothing").stderr)


class CompletionTest(GeneratedCase):
    def complete(self, *words):
        quoted = " ".join(f"'{word}'" for word in words)
        script = self.print("completion", "bash")
        script += f"COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _heelcli; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        answer = self.feed("bash", "--norc", "--noprofile", script=script)
        return answer.stdout.split()

    def test_bash(self):
        self.assertEqual(sorted(self.complete("heelcli", "")), sorted(self.verbs()))
        self.assertEqual(self.complete("heelcli", "p"), ["pause", "ps", "policy"])
        for verb in self.verbs():
            self.assertEqual(sorted(self.complete("heelcli", verb, "--")), sorted(self.flags(verb)), verb)
        self.assertEqual(self.complete("heelcli", "run", "--output", ""), ["text", "json"])
        self.assertEqual(self.complete("heelcli", "kill", "--scope", "g"), ["group"])
        self.assertEqual(self.complete("heelcli", "help", "at"), ["attach"])
        self.assertEqual(self.complete("heelcli", "completion", ""), ["bash", "zsh", "fish"])
        self.assertEqual(self.complete("heelcli", "run", "--level", "s"), ["strict"])
        self.assertEqual(self.complete("heelcli", "run", "--no-g"), ["--no-gpu"])
        self.assertEqual(self.complete("heelcli", "run", "--timeout", ""), [])

    def test_zsh(self):
        self.check_script("zsh", lambda verb, flag: re.escape(flag) + r"=?\[")

    def test_fish(self):
        self.check_script("fish", lambda verb, flag: rf"_from {verb}' -l {flag[2:]} " if flag != "--help" else "")

    def check_script(self, shell, pattern):
        script = self.print("completion", shell)
        for verb in self.verbs():
            for flag in self.flags(verb):
                self.assertTrue(re.search(pattern(verb, flag), script), (verb, flag))
        self.assertEqual(self.feed(shell, "--no-execute", script=script).stderr, "")

    def test_another_shell(self):
        self.assertIn("fish", self.cli("completion", "tcsh").stderr)


class ManualTest(GeneratedCase):
    def test_it_has_everything(self):
        page = self.print("help", "--man").replace("\\-", "-")
        for verb in self.verbs():
            self.assertIn(f'\n.SS "heelcli {verb} ', page)
            for flag in self.flags(verb):
                shown = (f"\\fB{flag}\\fR", f"\\fB--[no-]{flag[len('--no-') :]}\\fR", f"\\fB--[no-]{flag[2:]}\\fR")
                self.assertTrue(flag == "--help" or any(name in page for name in shown), flag)

    def test_troff_takes_it(self):
        answer = self.feed("groff", "-man", "-ww", "-Tutf8", script=self.print("help", "--man"))
        self.assertEqual((answer.returncode, answer.stderr), (0, ""))


if __name__ == "__main__":
    main()
