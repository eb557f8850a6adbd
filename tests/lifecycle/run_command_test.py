"""RunCommand: how commands end, what they get and give, retries, cancellation."""

import hashlib
import os
import signal
import time

from heeltest import Code, ServerCase, alive_with, duration, main, mark, pb, places, process_pb, wait_for
from heeltest.processes import command_line, still_alive

# Leaves its process group and session and its parent: only the sandbox still holds it.
DAEMON = """
import os, sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execvp("sleep", ["sleep", sys.argv[1]])
    os._exit(0)
os.wait()
"""
WAITING_DAEMON = DAEMON + "import time; time.sleep(99)"


class RunCase(ServerCase):
    def setUp(self):
        self.sandbox = self.create()

    def sh(self, script, **command):
        return self.run_in(self.sandbox, "sh", "-c", script, **command)


class OutcomeTest(RunCase):
    def test_exit_codes(self):
        for code in (0, 1, 2, 126, 127, 128, 255):
            answer = self.sh(f"exit {code}")
            self.check_ended(answer.status, code=code)
            self.assertEqual(answer.status.message, "")

    def test_signals(self):
        for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV, signal.SIGUSR1):
            answer = self.sh(f"kill -{int(number)} $$")
            self.check_ended(answer.status, signal=number, reason=process_pb.EXIT_REASON_SIGNALED)

    def test_a_stop_as_if_traced_is_no_exit(self):
        """PTRACE_TRACEME makes init the tracer, and a tracer is told of stops as parents are of ends."""
        script = "import ctypes, os; ctypes.CDLL(None).ptrace(0, 0, 0, 0); os.kill(os.getpid(), 19); print('on')"
        answer = self.run_in(self.sandbox, "python3", "-c", script)
        self.check_ended(answer.status, signal=signal.SIGKILL, reason=process_pb.EXIT_REASON_SIGNALED)
        self.assertEqual(answer.stdout, b"")

    def test_not_found_and_not_executable(self):
        self.sh("echo text >plain; mkdir folder; printf '#!/no/such/interpreter\\n' >script; chmod +x script")
        for program, code in (
            ("no-such-program", 127),
            ("/no/such/path", 127),
            ("./plain", 126),
            ("./folder", 126),
            ("./script", 127),
        ):
            answer = self.run_in(self.sandbox, program)
            self.check_ended(answer.status, code=code, reason=process_pb.EXIT_REASON_START_FAILED)
            self.assertIn(program, answer.status.message)
            self.assertEqual((answer.stdout, answer.stderr), (b"", b""))

    def test_a_script_without_an_interpreter_line_is_what_execvp_makes_of_it(self):
        self.sh("echo 'echo ran' >script; chmod +x script")
        answer = self.run_in(self.sandbox, "./script")
        self.assertIn(answer.status.code, (0, 126), answer)

    def test_the_answer_names_process_and_sandbox(self):
        answer = self.run_in(self.sandbox, "true", process_id="p.1")
        self.assertEqual((answer.process_id, answer.sandbox_id), ("p.1", self.sandbox.sandbox_id))
        ids = {self.run_in(self.sandbox, "true").process_id for _ in range(3)}
        self.assertEqual(len(ids), 3)
        self.assertNotIn("", ids)

    def test_usage(self):
        answer = self.run_in(self.sandbox, "python3", "-c", "x = bytearray(60_000_000)\nfor i in range(2_000_000): pass")
        self.check_ended(answer.status, code=0)
        self.assertGreater(answer.usage.max_rss_bytes, 60_000_000)
        self.assertGreater(answer.usage.user_time.ToMilliseconds(), 5)
        self.assertGreaterEqual(
            answer.usage.wall_time.ToMilliseconds() + 100,
            (answer.usage.user_time.ToMilliseconds() + answer.usage.system_time.ToMilliseconds()),
        )

    def test_wall_time_is_measured(self):
        answer = self.run_in(self.sandbox, "sleep", "0.3")
        self.assertGreaterEqual(answer.usage.wall_time.ToMilliseconds(), 290)
        self.assertLess(answer.usage.wall_time.ToMilliseconds(), 5000)


class InputTest(RunCase):
    def test_stdin_bytes(self):
        data = bytes(range(256)) * 3000
        answer = self.run_in(self.sandbox, "sha256sum", stdin=data)
        self.assertEqual(answer.stdout.split()[0].decode(), hashlib.sha256(data).hexdigest())

    def test_stdin_that_nobody_reads(self):
        answer = self.run_in(self.sandbox, "true", stdin=b"x" * 900_000)
        self.check_ended(answer.status, code=0)

    def test_no_stdin_is_end_of_file(self):
        self.assertEqual(self.run_in(self.sandbox, "cat").stdout, b"")

    def test_environment_is_exactly_the_documented_one(self):
        lines = self.run_in(self.sandbox, "env").stdout.decode().splitlines()
        given = dict(line.split("=", 1) for line in lines)
        self.assertEqual(
            set(given), {"PATH", "HOME", "TMPDIR", "LANG", "TERM", "USER", "LOGNAME", "SHELL"}, given
        )
        self.assertEqual(given["HOME"], self.sandbox.home_dir)
        self.assertEqual(given["TMPDIR"], self.sandbox.temp_dir)
        self.assertEqual(given, dict(self.sandbox.effective_spec.environment.variables))

    def test_environment_of_spec_and_command(self):
        variables = {"A": "spec", "B": "spec", "TERM": "xterm"}
        sandbox = self.create(environment=pb.Environment(variables=variables))
        answer = self.run_in(sandbox, "env", "-0", environment={"B": "command", "C": "", "D": "ä =\n"})
        given = set(answer.stdout.decode().split("\0"))
        self.assertLessEqual({"A=spec", "B=command", "C=", "TERM=xterm", "D=ä =\n"}, given)
        self.assertIn("B=spec", self.run_in(sandbox, "env", "-0").stdout.decode().split("\0"))

    def test_path_of_the_command_finds_the_program(self):
        self.sh("mkdir bin; printf '#!/bin/sh\\necho mine $*\\n' >bin/tool; chmod +x bin/tool")
        answer = self.run_in(self.sandbox, "tool", "a b", environment={"PATH": f"{self.sandbox.working_dir}/bin:/usr/bin:/bin"})
        self.assertEqual(answer.stdout, b"mine a b\n", answer)
        answer = self.run_in(self.sandbox, "tool")
        self.check_ended(answer.status, code=127, reason=process_pb.EXIT_REASON_START_FAILED)

    def test_arguments_arrive_as_they_are(self):
        arguments = ["", " ", "a b", "$HOME", "*", "ä€😀", "-n", "\n", "x" * 100_000]
        script = "import sys; print(ascii(sys.argv[1:]))"
        answer = self.run_in(self.sandbox, "python3", "-c", script, *arguments)
        self.assertEqual(answer.stdout.decode().strip(), ascii(arguments), answer.stderr)

    def test_many_arguments(self):
        answer = self.run_in(self.sandbox, "sh", "-c", "echo $#", "sh", *(["x"] * 65532))
        self.assertEqual(answer.stdout, b"65532\n", answer.status)

    def test_working_dir(self):
        self.sh("mkdir -p sub/deep")
        inside = self.sandbox.working_dir
        for folder in ("/", "/tmp", f"{inside}/sub/deep"):
            self.assertEqual(self.run_in(self.sandbox, "pwd", working_dir=folder).stdout.decode().strip(), folder)
        answer = self.run_in(self.sandbox, "pwd", working_dir=f"{inside}/none")
        self.assertEqual(answer.status.reason, process_pb.EXIT_REASON_START_FAILED, answer)
        self.assertIn(answer.status.code, (126, 127), answer)


class TimeTest(RunCase):
    def run_with_timeout(self, target, seconds, *argv):
        return self.run_in(target, *argv, timeout=duration(seconds))

    def test_timeout_kills_the_tree_and_no_other(self):
        mine, other = mark(), mark()
        self.start_run(self.sandbox, "sleep", other)
        wait_for(lambda: alive_with(other))
        script = DAEMON + "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(99)"
        call = self.start_run(self.sandbox, "python3", "-c", script, mine, timeout=duration(1.5))
        wait_for(lambda: ["sleep", mine, ""] in [command_line(pid) for pid in alive_with(mine)])
        answer = call.result()
        self.check_ended(answer.status, signal=signal.SIGKILL, reason=process_pb.EXIT_REASON_TIMEOUT)
        self.assertTrue(answer.status.message)
        self.assertGreaterEqual(answer.usage.wall_time.ToMilliseconds(), 1400)
        wait_for(lambda: not alive_with(mine))
        self.assertTrue(alive_with(other))

    def test_timeout_keeps_what_was_said(self):
        answer = self.run_with_timeout(self.sandbox, 0.5, "sh", "-c", "echo before; sleep 99")
        self.assertEqual(answer.stdout, b"before\n")
        self.check_ended(answer.status, signal=signal.SIGKILL, reason=process_pb.EXIT_REASON_TIMEOUT)

    def test_wall_time_of_the_spec(self):
        sandbox = self.create(limits=pb.Limits(wall_time=duration(0.4)))
        answer = self.run_in(sandbox, "sleep", "99")
        self.check_ended(answer.status, signal=signal.SIGKILL, reason=process_pb.EXIT_REASON_TIMEOUT)
        self.check_ended(self.run_with_timeout(sandbox, 30, "sleep", "0.8").status, code=0)

    def test_what_ends_in_time_is_no_timeout(self):
        answer = self.run_with_timeout(self.sandbox, 20, "sh", "-c", "exit 9")
        self.check_ended(answer.status, code=9)

    def test_deadline_of_the_call_kills(self):
        argument = mark()
        with self.fails(Code.DEADLINE_EXCEEDED):
            self.start_run(self.sandbox, "python3", "-c", WAITING_DAEMON, argument, deadline=1.5).result()
        wait_for(lambda: not alive_with(argument))
        self.assertEqual(self.get(self.sandbox.sandbox_id).state, pb.SANDBOX_STATE_READY)

    def test_cancel_kills(self):
        argument = mark()
        call = self.start_run(self.sandbox, "python3", "-c", WAITING_DAEMON, argument)
        wait_for(lambda: alive_with(argument))
        call.cancel()
        wait_for(lambda: not alive_with(argument))
        wait_for(lambda: self.get(self.sandbox.sandbox_id).running_commands == 0)
        self.check_ended(self.run_in(self.sandbox, "true").status, code=0)


class OutputTest(RunCase):
    def test_both_streams(self):
        answer = self.sh("echo out; echo err >&2")
        self.assertEqual((answer.stdout, answer.stderr), (b"out\n", b"err\n"))
        self.assertFalse(answer.stdout_truncated or answer.stderr_truncated)

    def test_bytes_are_kept(self):
        answer = self.sh("printf '\\000\\377\\200ok'")
        self.assertEqual(answer.stdout, b"\0\xff\x80ok")

    def test_the_cap(self):
        for limit in (1, 1000, 65536, 491520):
            sandbox = self.create(limits=pb.Limits(max_output_bytes=limit))
            for extra in (-1, 0, 1):
                script = f"head -c {limit + extra} /dev/zero; head -c {limit + extra} /dev/zero >&2"
                answer = self.run_in(sandbox, "sh", "-c", script)
                kept = min(limit, limit + extra)
                self.assertEqual((len(answer.stdout), len(answer.stderr)), (kept, kept), (limit, extra))
                self.assertEqual(
                    (answer.stdout_truncated, answer.stderr_truncated), (extra > 0, extra > 0), (limit, extra)
                )
                self.assertLess(answer.ByteSize(), 1 << 20)

    def test_default_cap_and_far_more(self):
        answer = self.sh("head -c 300000000 /dev/zero; echo end >&2")
        self.check_ended(answer.status, code=0)
        self.assertEqual((len(answer.stdout), answer.stdout_truncated), (262144, True))
        self.assertEqual((answer.stderr, answer.stderr_truncated), (b"end\n", False))

    def test_a_background_child_holds_no_answer(self):
        argument = mark()
        begin = time.monotonic()
        answer = self.sh(f"sleep {argument} & echo done")
        self.assertEqual(answer.stdout, b"done\n")
        self.check_ended(answer.status, code=0)
        self.assertLess(time.monotonic() - begin, 10)
        wait_for(lambda: alive_with(argument))  # it belongs to the sandbox, not to the command

    def test_a_background_child_that_writes_on_holds_no_answer(self):
        answer = self.sh("yes & echo $!")
        self.check_ended(answer.status, code=0)
        self.assertIn("\n", answer.stdout.decode())


class RetryTest(RunCase):
    def test_runs_once_and_answers_twice(self):
        first = self.sh("echo $$ >>ran; echo answer; exit 4", process_id="once")
        second = self.sh("echo $$ >>ran; echo answer; exit 4", process_id="once")
        self.assertEqual(first, second)
        self.check_ended(second.status, code=4)
        self.assertEqual(len(self.sh("cat ran").stdout.split()), 1)

    def test_concurrent_retries_share_one_run(self):
        script = "echo $$ >>ran; sleep 0.3; cat ran"
        calls = [self.start_run(self.sandbox, "sh", "-c", script, process_id="shared") for _ in range(8)]
        answers = [call.result() for call in calls]
        self.assertEqual([a for a in answers if a != answers[0]], [])
        self.assertEqual(len(answers[0].stdout.split()), 1)

    def test_one_of_two_gives_up(self):
        argument = mark()
        script = f"sleep {argument} & read line <pipe; echo told"
        self.sh("mkfifo pipe")
        calls = [self.start_run(self.sandbox, "sh", "-c", script, process_id="two") for _ in range(2)]
        wait_for(lambda: alive_with(argument))
        self.assertEqual(self.run_in(self.sandbox, "true").status.code, 0)
        calls[0].cancel()
        self.sh("echo go >pipe")
        self.assertEqual(calls[1].result().stdout, b"told\n")

    def test_another_command_on_the_same_id_is_refused(self):
        self.run_in(self.sandbox, "echo", "1", process_id="taken")
        with self.fails(Code.ALREADY_EXISTS, "PROCESS_EXISTS") as failure:
            self.run_in(self.sandbox, "echo", "2", process_id="taken")
        self.assertEqual(
            failure.metadata, {"sandbox_id": self.sandbox.sandbox_id, "process_id": "taken"}
        )

    def test_ids_of_two_sandboxes_are_apart(self):
        other = self.create()
        self.assertEqual(self.run_in(self.sandbox, "echo", "1", process_id="id").stdout, b"1\n")
        self.assertEqual(self.run_in(other, "echo", "2", process_id="id").stdout, b"2\n")

    def test_answers_are_kept_for_64_newer_ones(self):
        self.sh("echo x >>old", process_id="old")
        for number in range(63):
            self.run_in(self.sandbox, "true", process_id=f"n{number}")
        self.sh("echo x >>old", process_id="old")
        self.assertEqual(self.sh("cat old").stdout, b"x\n")


class HeelItselfTest(ServerCase):
    CONNECT = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1]); print('connected')"

    def test_its_socket_cannot_be_connected_to_where_its_folder_is_granted(self):
        folder = os.path.dirname(self.server.socket)
        grant = pb.PathRule(path=folder, access=pb.PATH_ACCESS_READ)
        for level in (pb.ISOLATION_LEVEL_STRICT, pb.ISOLATION_LEVEL_DEFAULT):
            made = self.create(level=level, filesystem=pb.Filesystem(paths=[grant]))
            answer = self.run_in(made.sandbox_id, "python3", "-c", self.CONNECT, self.server.socket)
            self.check_ended(answer.status, code=1)
            self.assertIn(b"Error", answer.stderr)
            self.assertEqual(answer.stdout, b"")
            # The folder itself was granted; without namespaces one with a hole can't be listed.
            if not places.NAMESPACES:
                seen = self.run_in(made.sandbox_id, "ls", folder)
                self.check_ended(seen.status, code=0)


class PrivateSandboxTest(ServerCase):
    def test_it_is_gone_with_the_answer(self):
        answer = self.run_in(pb.SandboxSpec(), "sh", "-c", "pwd; touch file; sleep 99 & exit 6")
        self.check_ended(answer.status, code=6)
        if not places.NAMESPACES:
            self.assertEqual(answer.stdout, b"/work\n")
        self.assertTrue(answer.sandbox_id)
        self.check_gone(answer.sandbox_id)
        self.assertEqual(self.server.stored(), [])

    def test_its_spec_counts(self):
        spec = pb.SandboxSpec(
            environment=pb.Environment(variables={"X": "1"}),
            limits=pb.Limits(max_output_bytes=3, wall_time=duration(0.5)),
        )
        answer = self.run_in(spec, "sh", "-c", "echo $X$X$X$X; sleep 99")
        self.assertEqual((answer.stdout, answer.stdout_truncated), (b"111", True))
        self.assertEqual(answer.status.reason, process_pb.EXIT_REASON_TIMEOUT)

    def test_cancel_takes_it_down(self):
        argument = mark()
        call = self.start_run(pb.SandboxSpec(), "sh", "-c", f"setsid sleep {argument} & sleep {argument}")
        tree = self.server.sandbox_tree(argument)
        call.cancel()
        wait_for(lambda: not still_alive(tree) and not self.server.stored())

    def test_many_at_once(self):
        calls = [self.start_run(pb.SandboxSpec(), "echo", str(n)) for n in range(20)]
        self.assertEqual([call.result().stdout for call in calls], [b"%d\n" % n for n in range(20)])
        self.assertEqual(self.server.stored(), [])


if __name__ == "__main__":
    main()
