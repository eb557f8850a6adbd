"""What the sandbox refused, in a command's own answer: seen, or concluded from what it wrote."""

import os
import pwd
import socket
import subprocess
import tempfile

from heeltest import event_pb, main, pb, places, process_pb, wait_for
from processes import ProcessCase

OBSERVED = process_pb.DENIAL_KIND_OBSERVED
INFERRED = process_pb.DENIAL_KIND_INFERRED

CONNECT = """
import socket, sys
listener = socket.socket(socket.AF_UNIX)
try:
    listener.connect(sys.argv[1])
except OSError as error:
    print(error, file=sys.stderr)
"""


# 39 links, each of which leads to the next down a path of 1800 folders.
MAZE = """
import os, sys
top = os.getcwd()
bottom = top + "/a" * 1800
for _ in range(1800):
    os.mkdir("a")
    os.chdir("a")
for number in range(2, 40):
    os.symlink(f"{bottom}/l{number + 1}", f"l{number}")
os.chdir(top)
os.symlink(bottom + "/l2", "l1")
for number in range(16):
    print(f"cat: {top}/{'./' * number}l1: Permission denied", file=sys.stderr)
sys.exit(1)
"""


class DenialsTest(ProcessCase):
    def denials(self, *argv, sandbox=None, **command):
        return self.run_in(sandbox or self.sandbox, *argv, **command).denials

    def check(self, denial, kind, target, right):
        self.assertEqual((denial.kind, denial.target, denial.right), (kind, target, right), denial)
        self.assertTrue(denial.rule, denial)

    def test_writing_where_nothing_may_be_written(self):
        denials = self.denials("sh", "-c", "touch /usr/x; touch /usr/x; echo end")
        self.assertEqual(len(denials), 1)
        self.check(denials[0], INFERRED, "/usr/x", "write")

    def test_a_hidden_path(self):
        for argv in (("cat", "/etc/shadow"), ("python3", "-c", "open('/etc/shadow')")):
            sandbox = self.create(level=pb.ISOLATION_LEVEL_DEFAULT)
            denials = self.denials(*argv, sandbox=sandbox)
            self.assertLessEqual(len(denials), 1)
            for denial in denials:
                self.check(denial, INFERRED, "/etc/shadow", "read")

    def test_a_home_is_hidden(self):
        sandbox = self.create(level=pb.ISOLATION_LEVEL_DEFAULT)
        home = pwd.getpwnam("root").pw_dir
        self.check(self.denials("ls", home, sandbox=sandbox)[0], INFERRED, home, "read")

    def test_nothing_is_made_up(self):
        for script in ("cat no-such-file", "echo Permission denied >&2", "echo all well at /usr >&2; exit 1"):
            self.assertFalse(self.denials("sh", "-c", script), script)

    def test_a_maze_is_not_walked_to_its_end(self):
        """The kernel would be busy with it for an hour, and all of heeld's threads with several."""
        calls = []
        for _ in range(6):
            work = places.make_base()
            self.addCleanup(subprocess.run, ["rm", "-rf", str(work)])  # Python's own recurses
            work.chmod(0o777)
            sandbox = self.create(filesystem=pb.Filesystem(working_dir=str(work)))
            calls.append(self.exec_in(sandbox, "python3", "-c", MAZE))
        for call in calls:
            exited = call.finish().exited
            self.assertEqual((exited.status.code, len(exited.denials)), (1, 0), exited)
        self.check(self.denials("touch", "/usr/x", sandbox=self.create())[0], INFERRED, "/usr/x", "write")

    def test_on_a_stream_and_afterwards(self):
        call = self.exec_in(self.sandbox, "touch", "/usr/x", process_id="streamed")
        exited = call.finish().exited
        self.check(exited.denials[0], INFERRED, "/usr/x", "write")
        process = self.get_process(process_pb.Process(sandbox_id=self.sandbox.sandbox_id, process_id="streamed"))
        self.assertEqual(list(process.denials), list(exited.denials))

    def waited_for(self, script):
        """The process as WaitProcess has it; the call was there before the end."""
        process = self.start("sh", "-c", f"read line; {script}")
        request = pb.WaitProcessRequest(sandbox_id=process.sandbox_id, process_id=process.process_id)
        call = self.stub.WaitProcess.future(request, timeout=30)
        stream = self.attach(process)
        stream.next("started")
        stream.stdin(b"go on\n")
        return call.result().process

    def test_who_waits_is_told(self):
        over = self.waited_for("touch /usr/x")
        self.assertEqual(len(over.denials), 1)
        self.check(over.denials[0], INFERRED, "/usr/x", "write")
        again = self.wait(over)
        self.assertEqual((again.status, list(again.denials)), (over.status, list(over.denials)))

    def test_who_waits_does_not_wait_for_what_it_left_behind(self):
        over = self.waited_for("touch /usr/x; sleep 1000 &")
        self.check(over.denials[0], INFERRED, "/usr/x", "write")

    def test_who_waits_for_a_captured_command_is_told(self):
        self.run_in(self.sandbox, "mkfifo", "gate")
        run = self.start_run(self.sandbox, "sh", "-c", "read line <gate; touch /usr/x", process_id="run")
        wait_for(lambda: self.processes().processes)
        process = self.processes().processes[0]
        request = pb.WaitProcessRequest(sandbox_id=process.sandbox_id, process_id="run")
        call = self.stub.WaitProcess.future(request, timeout=30)
        self.run_in(self.sandbox, "sh", "-c", "echo go on >gate")
        self.assertEqual(list(call.result().process.denials), list(run.result().denials))
        self.check(run.result().denials[0], INFERRED, "/usr/x", "write")

    def test_on_a_terminal(self):
        call = self.exec_in(self.sandbox, "touch", "/usr/x", terminal=process_pb.Terminal())
        self.check(call.finish().exited.denials[0], INFERRED, "/usr/x", "write")

    def test_in_a_private_sandbox(self):
        self.check(self.denials("touch", "/usr/x", sandbox=pb.SandboxSpec())[0], INFERRED, "/usr/x", "write")

    def test_what_a_program_names_is_escaped(self):
        denials = self.denials("sh", "-c", 'echo >"$0"', "/usr/\x1b[31mx")
        self.assertEqual(len(denials), 1)
        self.assertNotIn("\x1b", denials[0].target)

    def test_they_are_bounded(self):
        run = self.run_in(self.sandbox, "sh", "-c", "for i in $(seq 100); do touch /usr/$i; done")
        self.assertLessEqual(len(run.denials), 64)

    def test_a_refused_connect_is_seen(self):
        watch = self.stub.WatchEvents(pb.WatchEventsRequest(kinds=[event_pb.EVENT_KIND_DENIAL]), timeout=60)
        next(watch)
        with tempfile.TemporaryDirectory(dir="/var/tmp") as folder, socket.socket(socket.AF_UNIX) as listener:
            os.chmod(folder, 0o777)
            listener.bind(f"{folder}/host")
            os.chmod(f"{folder}/host", 0o777)
            listener.listen()
            shared = self.create("sharing", filesystem=pb.Filesystem(working_dir=folder))
            run = self.run_in(shared, "python3", "-c", CONNECT, "host", process_id="connects")
        seen = [denial for denial in run.denials if denial.kind == OBSERVED]
        self.assertEqual([(denial.target, denial.right) for denial in seen], [("host", "connect")])
        event = next(watch).event
        self.assertEqual((event.denial.process_id, event.denial.denial), ("connects", seen[0]))
        watch.cancel()

    def test_the_end_of_the_sandbox_meanwhile(self):
        for number in range(20):
            sandbox = self.create(f"brief-{number}")
            run = self.start_run(sandbox, "touch", "/usr/x")
            wait_for(lambda sandbox=sandbox: self.get(sandbox.sandbox_id).running_commands or run.done())
            self.delete(sandbox.sandbox_id)
            run.result()


main()
