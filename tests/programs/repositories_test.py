"""git in a repository that was there before: what works without a grant, and what takes one."""

import os
import shutil
import subprocess

from heeltest import Heeld, Skip, TestCase, main, places
from heeltest.cli import Cli, isolate

LEVELS = ("strict", "default")  # at permissive nothing of a repository is held
SETTINGS = {
    "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b.test", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b.test",
    "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*",
}  # fmt: skip


def setUpModule():
    isolate()


class RepositoriesTest(TestCase):
    @classmethod
    def setUpClass(cls):
        if not shutil.which("git"):
            raise Skip("git is not on this machine")
        cls.server = Heeld()
        cls.cli = Cli(HEEL_ADDRESS=cls.server.address)

    @classmethod
    def tearDownClass(cls):
        assert cls.server.stop() == 0

    def setUp(self):
        self.needs_lent_files()
        self.work = places.make_base()
        self.outside("git init -q . && echo 1 >f && git add f && git commit -qm one")
        self.outside("git init -q nested && cd nested && echo 2 >g && git add g && git commit -qm two")
        self.outside("echo nested >.git/info/exclude")

    def outside(self, script):
        done = subprocess.run(
            ["sh", "-c", script], cwd=self.work, env={**os.environ, **SETTINGS}, capture_output=True, text=True, check=False
        )
        self.assertEqual(done.returncode, 0, done)
        return done.stdout

    def inside(self, level, script, *flags):
        environment = [flag for name, value in SETTINGS.items() for flag in ("--env", f"{name}={value}")]
        return self.cli("run", "--level", level, "--working-dir", self.work, *environment, *flags, "sh", "-c", script)

    def test_status_and_log_of_it_and_of_a_nested_one(self):
        for level in LEVELS:
            with self.subTest(level):
                self.outside("git checkout -q f")
                answer = self.inside(level, "echo x >>f && git status --porcelain && git log --oneline && git -C nested log --oneline && git diff")
                self.assertEqual(answer.returncode, 0, answer)
                for text in (" M f", "one", "two", "+x"):
                    self.assertIn(text, answer.stdout)

    def test_commit_is_refused_without_a_grant(self):
        for level in LEVELS:
            with self.subTest(level):
                answer = self.inside(level, "echo y >>f && git commit -qam three")
                self.assertNotEqual(answer.returncode, 0, answer)
                self.assertEqual(self.outside("git log --format=%s").split(), ["one"])

    def test_commit_with_a_grant(self):
        for level in LEVELS:
            with self.subTest(level):
                answer = self.inside(level, f"echo {level} >>f && git commit -qam {level}", "--writable", self.work / ".git")
                self.assertEqual(answer.returncode, 0, answer)
                self.assertIn(level, self.outside("git log --format=%s"))
                self.outside("git fsck && git status")

    def test_a_new_one_and_a_clone(self):
        for level in LEVELS:
            with self.subTest(level):
                script = f"git init -q new-{level} && cd new-{level} && echo 3 >h && git add h && git commit -qm new && cd .. && git clone -q . clone-{level} && git -C clone-{level} log --oneline"
                answer = self.inside(level, script)
                self.assertEqual(answer.returncode, 0, answer)
                self.assertIn("one", answer.stdout)


if __name__ == "__main__":
    main()
