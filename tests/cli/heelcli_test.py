"""heelcli from end to end: exit codes, descriptors, signals, autostart, what it prints."""

import json
import os
import resource
import signal
import subprocess

from heeltest import Heeld, TestCase, main, mark, places, wait_for
from heeltest.cli import Cli, isolate
from heeltest.processes import alive_with, read_process

PIPE = subprocess.PIPE


def setUpModule():
    isolate()


class CliCase(TestCase):
    def setUp(self):
        self.cli = Cli()

    def check(self, answer, code=0, stdout=None, stderr=None):
        self.assertEqual(answer.returncode, code, answer)
        if stdout is not None:
            self.assertEqual(answer.stdout, stdout, answer)
        if stderr is not None:
            self.assertEqual(answer.stderr, stderr, answer)
        return answer

    def check_sentence(self, answer, code=125):
        """One line on stderr, of heelcli's own, nothing on stdout."""
        self.check(answer, code, stdout="")
        self.assertRegex(answer.stderr, r"\Aheelcli: [^\n]+\n\Z")
        return answer.stderr


class RunTest(CliCase):
    def test_exit_codes(self):
        for arguments, code in (
            (["true"], 0),
            (["false"], 1),
            (["sh", "-c", "exit 42"], 42),
            (["sh", "-c", "kill -TERM $$"], 128 + 15),
            (["sh", "-c", "kill -KILL $$"], 128 + 9),
            (["sh", "-c", "kill -SEGV $$"], 128 + 11),
            (["no-such-program"], 127),
            (["/etc/passwd"], 126),
        ):
            self.check(self.cli("run", "--", *arguments), code)
            self.check(self.cli("run", *arguments), code)
        self.check(self.cli("run", "--timeout", "300ms", "sleep", "60"), 124)

    def test_errors_of_its_own(self):
        for arguments, wanted in (
            (["run"], "COMMAND"),
            (["run", "--nothing", "true"], "--nothing"),
            (["run", "--level", "none", "true"], "strict"),
            (["run", "--network", "allow_all", "true"], "later"),
            (["run", "--timeout", "soon", "true"], "500ms"),
            (["run", "--env", "X", "true"], "NAME=VALUE"),
            (["run", "--working-dir", "/no/such", "true"], "/no/such"),
            (["run", "--readable", "/no/such", "true"], "/no/such"),
            (["run", "--server", "unix:/no/such", "true"], "/no/such"),
            (["exec", "--no-autostart", "x", "true"], "--no-autostart"),
        ):
            with self.subTest(arguments):
                self.assertIn(wanted, self.check_sentence(self.cli(*arguments)))

    def test_streams_are_apart(self):
        answer = self.cli("run", "--", "sh", "-c", "echo out; echo err >&2")
        self.check(answer, 0, "out\n", "err\n")

    def test_standard_input(self):
        self.check(self.cli("run", "cat", input="hello\n"), 0, "hello\n")
        data = "0123456789abcdef" * 500_000
        self.check(self.cli("run", "wc", "-c", input=data), 0, f"{len(data)}\n")
        self.check(self.cli("run", "cat"), 0, "")  # /dev/null

    def test_input_without_end(self):
        """Nobody waits for it."""
        with subprocess.Popen(["yes"], stdout=PIPE) as yes:
            answer = self.cli("run", "sh", "-c", "head -n 2; exit 5", stdin=yes.stdout)
            yes.kill()
        self.check(answer, 5, "y\ny\n")

    def test_input_that_never_comes(self):
        reading, writing = os.pipe()
        self.check(self.cli("run", "sh", "-c", "exit 6", stdin=reading), 6)
        os.close(reading)
        os.close(writing)

    def test_closed_descriptors(self):
        for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
            script = f'exec {closed}; "$@"'
            command = ["sh", "-c", script, "sh", places.binary("heelcli"), "run", "sh", "-c", "echo x; echo y >&2; exit 7"]
            result = subprocess.run(command, env=self.cli.environment, capture_output=True, text=True, timeout=30)
            with self.subTest(closed):
                self.assertIn(result.returncode, (7, 125), result)

    def test_a_folder_that_another_could_have_made_is_in_nobodys_way(self):
        self.cli.runtime.mkdir(exist_ok=True)
        self.cli.runtime.chmod(0o755)
        self.addCleanup(self.cli.runtime.chmod, 0o700)
        self.check(self.cli("run", "echo", "x"), 0, "x\n", "")
        self.assertIn("mode 0700", self.check_sentence(self.cli("list"), 1))

    def test_as_root_of_a_user_namespace(self):
        if os.geteuid() == 0:
            self.skipTest("root's folders are its own there, too")
        command = ["unshare", "--user", "--map-root-user", places.binary("heelcli"), "run", "echo", "x"]
        answer = subprocess.run(
            command, env=self.cli.environment, cwd=self.cli.base, capture_output=True, text=True, timeout=60, check=False
        )
        self.check(answer, 0, "x\n", "")

    def test_a_server_of_its_own_that_can_not_be(self):
        cli = Cli(XDG_STATE_HOME="/proc/nothing")
        if os.geteuid() == 0:
            subprocess.run(["umount", "/var/lib/heel"], check=True)
            self.addCleanup(isolate)
            subprocess.run(["mount", "-t", "proc", "proc", "/var/lib/heel"], check=True)
            self.addCleanup(subprocess.run, ["umount", "/var/lib/heel"], check=True)
        self.assertRegex(self.check_sentence(cli("run", "true")), "cannot make the (state )?folder ")

    def test_few_descriptors(self):
        """gRPC would abort it."""
        for most in (8, 20, 40):
            few = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
            answer = self.cli("run", "true", preexec_fn=few)
            self.assertRegex(self.check_sentence(answer), rf"left of the {most} that RLIMIT_NOFILE allows")

    def test_output_of_any_size(self):
        answer = self.cli("run", "seq", "1000000")
        self.check(answer, 0, "".join(f"{n}\n" for n in range(1, 1000001)))

    def test_a_reader_that_leaves(self):
        client = self.cli.start("run", "yes", stdout=PIPE, stderr=PIPE)
        client.stdout.read(10)
        client.stdout.close()
        self.assertIn(client.wait(20), (128 + 13, 125, 1))
        client.stderr.close()

    def test_signals_are_passed_on(self):
        script = "trap 'echo int; exit 3' INT; trap 'echo term; exit 4' TERM; echo up; while :; do sleep 0.01; done"
        for number, said, code in ((signal.SIGINT, b"int\n", 3), (signal.SIGTERM, b"term\n", 4)):
            for stdin in (["sleep", "99"], ["yes"]):
                with subprocess.Popen(stdin, stdout=PIPE) as feeder:
                    client = self.cli.start("run", "sh", "-c", script, stdin=feeder.stdout, stdout=PIPE)
                    self.assertEqual(client.stdout.readline(), b"up\n")
                    client.send_signal(number)
                    self.assertEqual(client.communicate(timeout=20)[0], said, (number, stdin))
                    self.assertEqual(client.returncode, code)
                    feeder.kill()

    def test_an_unhandled_signal(self):
        argument = mark()
        client = self.cli.start("run", "sh", "-c", f"echo up; exec sleep {argument}", stdout=PIPE)
        self.assertEqual(client.stdout.readline(), b"up\n")
        client.terminate()
        client.communicate(timeout=20)
        self.assertEqual(client.returncode, 128 + 15)

    def test_working_dir_and_paths(self):
        mine = self.cli.base / "mine"
        mine.mkdir()
        mine.chmod(0o777)
        (mine / "file").write_text("hello\n")
        self.check(self.cli("run", "--working-dir", mine, "cat", "file"), 0, "hello\n")
        self.check(self.cli("run", "--working-dir", ".", "cat", "file", cwd=mine), 0, "hello\n")
        self.check(self.cli("run", "--readable", mine, "cat", mine / "file"), 0, "hello\n")
        self.check(self.cli("run", "--readable", mine, "sh", "-c", f"echo >{mine}/new"), 2)
        self.check(self.cli("run", "--writable", mine, "sh", "-c", f"echo new >{mine}/new"), 0)
        self.assertEqual((mine / "new").read_text(), "new\n")
        self.check(self.cli("run", "cat", mine / "file"), 1)
        self.check(self.cli("run", "--level", "permissive", "--deny", mine, "cat", mine / "file"), 1)

    def test_a_link_that_an_earlier_run_planted(self):
        mine, secret = self.cli.base / "planted", self.cli.base / "secret"
        for folder in (mine, secret):
            folder.mkdir()
            folder.chmod(0o777)
        self.check(self.cli("run", "--working-dir", mine, "ln", "-s", secret, "out"), 0)
        for flag in ("--writable", "--readable", "--executable", "--working-dir"):
            for path in (mine / "out", "out", "./out"):
                refusal = self.check_sentence(self.cli("run", flag, path, "true", cwd=mine))
                self.assertIn(f'the symbolic link "{mine}/out"', refusal)

    def test_write_xor_execute(self):
        script = "cp /bin/true mine && ./mine"
        self.check(self.cli("run", "sh", "-c", script), 0)
        self.check(self.cli("run", "--write-xor-execute", "sh", "-c", script), 126)
        self.check(self.cli("run", "--write-xor-execute", "sh", "-c", "echo exit 7 >mine && sh mine"), 7)
        self.check(self.cli("run", "--write-xor-execute", "--require", "write-xor-execute", "true"), 0)
        self.check_sentence(self.cli("run", "--write-xor-execute", "--level", "permissive", "true"))

    def test_policy(self):
        allowed = self.check(self.cli("policy", "--test", "/etc/passwd", "--test", "/bin/sh:execute"))
        self.assertIn("allowed read /etc/passwd\n", allowed.stdout)
        self.assertIn("    it is /usr/bin/", allowed.stdout)
        refused = self.check(self.cli("policy", "--test", "/etc/passwd:write"), 1)
        wanted = r'refused write /etc/passwd\n    by rule "/etc" .*\[level STRICT\]\n    to allow it: '
        self.assertRegex(refused.stdout, wanted)
        if places.lends():
            here = self.check(self.cli("policy", "--working-dir", ".", "--test", "new:write", cwd=self.cli.base))
            self.assertIn(f"allowed write {self.cli.base}/new", here.stdout)
        plan = self.check(self.cli("policy", "--level", "default", "--explain")).stdout
        for part in ("MOUNT\n", 'bind "/usr" execute optional  [level DEFAULT]\n', "LANDLOCK_RULE\n", "unshare"):
            self.assertIn(part, plan)
        answer = json.loads(self.check(self.cli("policy", "--output", "json", "--test", "/root"), 1).stdout)
        self.assertNotIn("allowed", answer["verdicts"][0])
        self.assertTrue(answer["entries"] and answer["enforcement"])
        self.assertIn("NOT_FOUND", self.cli("policy", "--sandbox", "none", "--output", "json").stderr)

    def test_environment(self):
        answer = self.cli("run", "--env", "A=1", "--env-passthrough", "B", "--env-passthrough", "C", "env", env={"B": "2"})
        lines = set(answer.stdout.splitlines())
        self.assertLessEqual({"A=1", "B=2"}, lines)
        self.assertFalse([line for line in lines if line.startswith(("C=", "XDG_"))])

    def test_json(self):
        answer = self.check(self.cli("run", "--output", "json", "sh", "-c", "echo hi; exit 3"), 3)
        messages = [json.loads(line) for line in answer.stdout.splitlines()]
        self.assertEqual(messages[-1]["exited"]["status"]["code"], 3)
        self.assertIn("started", messages[0])

    def test_kept_working_dir(self):
        answer = self.cli("run", "--keep-working-dir", "sh", "-c", "echo kept >file")
        self.check(answer)
        kept = list((self.cli.state / "kept").iterdir())
        self.assertEqual([(path / "file").read_text() for path in kept], ["kept\n"])


class ServerTest(CliCase):
    def setUp(self):
        super().setUp()
        self.server = Heeld()
        self.addCleanup(self.server.end)
        self.cli.environment["HEEL_ADDRESS"] = self.server.address

    def create(self, *arguments):
        answer = self.check(self.cli("create", *arguments, "--output", "json"))
        return json.loads(answer.stdout)["sandboxId"]

    def test_a_life(self):
        made = self.create("--id", "mine", "--label", "job=1", "--ttl", "1h")
        self.assertEqual(made, "mine")
        self.check(self.cli("exec", "mine", "--", "sh", "-c", "echo kept > file"))
        self.check(self.cli("exec", "mine", "cat", "file"), 0, "kept\n")
        self.check(self.cli("exec", "mine", "--", "sh", "-c", "exit 9"), 9)
        self.check(self.cli("exec", "--working-dir", "/tmp", "mine", "pwd"), 0, "/tmp\n")
        self.assertIn("mine", self.check(self.cli("list")).stdout)
        self.assertIn("mine", self.check(self.cli("list", "--label", "job=1")).stdout)
        self.assertNotIn("mine", self.check(self.cli("list", "--label", "job=2")).stdout)
        listed = json.loads(self.check(self.cli("list", "--output", "json")).stdout)
        self.assertIn("mine", json.dumps(listed))
        self.assertIn("mine", self.check(self.cli("get", "mine")).stdout)
        got = json.loads(self.check(self.cli("get", "--output", "json", "mine")).stdout)
        self.assertEqual(got["sandboxId"], "mine")
        self.check(self.cli("delete", "mine"))
        self.assertIn("mine", self.check_sentence(self.cli("delete", "mine"), 1))
        self.check(self.cli("delete", "--allow-missing", "mine"))
        self.assertIn("mine", self.check_sentence(self.cli("get", "mine"), 1))
        self.assertIn("mine", self.check_sentence(self.cli("exec", "mine", "true")))

    def test_create_says_the_id(self):
        answer = self.check(self.cli("create"))
        self.assertIn(answer.stdout.strip(), self.cli("list").stdout)

    def test_run_uses_the_server(self):
        self.check(self.cli("run", "true"))
        self.assertEqual(self.cli.instances(), [])  # none of its own
        self.check(self.cli("run", "true", "--server", "/no/such"))  # the command's own flag

    def test_info(self):
        self.assertIn("linux", self.check(self.cli("info")).stdout)
        self.assertEqual(json.loads(self.check(self.cli("info", "--output", "json")).stdout)["backend"], "linux")

    def test_a_server_that_is_gone(self):
        self.server.stop()
        self.assertIn(self.server.socket, self.check_sentence(self.cli("list"), 1))


class AutostartTest(CliCase):
    def setUp(self):
        super().setUp()
        self.addCleanup(self.stop_server)

    def servers(self):
        """Of this test: nobody else has its copy of the program."""
        program = places.binary("heeld")
        return [pid for pid in alive_with("--idle-exit") if self.program_of(pid) == program]

    def program_of(self, pid):
        try:
            return os.readlink(f"/proc/{pid}/exe") if read_process(pid).uid == os.geteuid() else None
        except (AttributeError, FileNotFoundError, PermissionError):
            return None  # it is gone, or somebody else's

    def stop_server(self):
        for pid in self.servers():
            os.kill(pid, signal.SIGTERM)
        wait_for(lambda: not self.servers())

    def test_it_says_so_and_serves_the_others(self):
        self.check_sentence(self.cli("list", "--no-autostart"), 1)
        answer = self.check(self.cli("create", "--id", "a"))
        self.assertRegex(answer.stderr, r"\Aheelcli: no server was running: started your own[^\n]+\n\Z")
        self.check(self.cli("exec", "a", "echo", "x"), 0, "x\n", "")
        self.check(self.cli("list", "--no-autostart"), 0, stderr="")
        self.check(self.cli("run", "true"), 0, "", "")
        self.check(self.cli("delete", "a"), 0, stderr="")

    def test_many_at_once_start_one(self):
        clients = [self.cli.start("create", "--id", f"c{n}", stdout=PIPE, stderr=PIPE) for n in range(6)]
        said = [client.communicate(timeout=30)[1] for client in clients]
        self.assertEqual([client.returncode for client in clients], [0] * 6, said)
        self.assertEqual(len([text for text in said if b"started your own" in text]), 1, said)
        self.assertEqual(len(json.loads(self.cli("list", "--output", "json").stdout)), 6)
        self.assertEqual(len(self.servers()), 1)


class OtherTest(CliCase):
    def test_help_and_version(self):
        for arguments in (["help"], ["--help"], ["help", "run"], ["run", "--help"]):
            answer = self.check(self.cli(*arguments), 0, stderr="")
            self.assertIn("run", answer.stdout)
        self.assertRegex(self.check(self.cli("version")).stdout, r"\d+\.\d+\.\d+")
        self.assertIn("run", self.check_sentence(self.cli("rnu")))

    def test_doctor(self):
        answer = self.check(self.cli("doctor"))
        for word in ("Landlock", "seccomp"):
            self.assertIn(word.lower(), answer.stdout.lower())
        json.loads(self.check(self.cli("doctor", "--output", "json")).stdout)


if __name__ == "__main__":
    main()
