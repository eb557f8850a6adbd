"""Sandboxes without namespaces (--namespaces=never): what holds them then, and how they end."""

import os
import pathlib
import shutil
import signal
import subprocess

from heeltest import Code, Heeld, ServerCase, TestCase, cli, container, main, mark, pb, places, process_pb, wait_for
from heeltest.processes import alive_with

READ, WRITE, DENY = pb.PATH_ACCESS_READ, pb.PATH_ACCESS_WRITE, pb.PATH_ACCESS_DENY
ACTIVE, DEGRADED = pb.ENFORCEMENT_STATE_ACTIVE, pb.ENFORCEMENT_STATE_DEGRADED

# Detaches itself as daemons do, and leads neither its session nor its process group.
DAEMON = """
import os, sys, time
if os.fork(): sys.exit()
os.setsid()
if os.fork(): os._exit(0)
os.execvp("sleep", ["sleep", sys.argv[1]])
"""

# Always one process, and never for long the same, in sessions of their own.
RUNNER = """
import os, sys, time
open(sys.argv[1], "w").close()
while True:
    if os.fork(): os._exit(0)
    os.setsid()
"""


class BareCase(ServerCase):
    flags = () if places.NAMESPACES else ("--namespaces", "never")

    def python(self, sandbox, script, *arguments):
        return self.run_in(sandbox, "python3", "-c", script, *arguments)

    def errno_of(self, sandbox, script):
        """That with which it fails; "" if it doesn't."""
        caught = f"import ctypes, errno, os, socket, sys\ntry:\n {script}\nexcept OSError as e: print(errno.errorcode[e.errno])"
        answer = self.python(sandbox, caught)
        self.assertEqual((answer.status.code, answer.stderr), (0, b""), answer)
        return answer.stdout.decode().strip()


# Stops what bears commands, which is a child of the same parent, for as long as it lives.
STOPPER = """
import os, signal
with open(f"/proc/{os.getppid()}/task/{os.getppid()}/children") as file:
    nursery = [int(pid) for pid in file.read().split() if int(pid) != os.getpid()][0]
os.fork()
open("started", "w").close()
while True:
    os.kill(nursery, signal.SIGSTOP)
"""


class HolderTest(BareCase):
    def test_commands_of_a_sandbox_reach_each_other_and_nobody_else(self):
        one, other = self.create(), self.create()
        mine, theirs = mark(), mark()
        self.start_run(one, "sleep", mine)
        self.start_run(other, "sleep", theirs)
        own, foreign = (wait_for(lambda a=argument: alive_with(a))[0] for argument in (mine, theirs))
        holder = self.server.sandbox_tree(mine)[0].pid
        for pid in (foreign, holder, self.server.pid, self.server.launcher().pid):
            for number in (0, signal.SIGKILL, signal.SIGSTOP):
                self.assertEqual(self.errno_of(one, f"os.kill({pid}, {number})"), "EPERM", pid)
        self.assertEqual(self.errno_of(one, f"os.kill({own}, 9)"), "")
        wait_for(lambda: not alive_with(mine))
        self.assertTrue(alive_with(theirs))

    def test_nothing_outside_can_be_traced(self):
        sandbox, argument = self.create(), mark()
        self.start_run(sandbox, "sleep", argument)
        wait_for(lambda: alive_with(argument))
        attach = "r = ctypes.CDLL(None, use_errno=True).ptrace(16, {}, 0, 0)\n if r: raise OSError(ctypes.get_errno(), '')"
        for process in self.server.sandbox_tree(argument)[:1] + [self.server.launcher()]:
            self.assertEqual(self.errno_of(sandbox, attach.format(process.pid)), "EPERM")

    def test_who_kills_everything_inside_has_killed_everything(self):
        """kill(-1) hits what bears commands, too; the next command finds another one."""
        sandbox, argument = self.create(), mark()
        call = self.start_run(sandbox, "sleep", argument)
        wait_for(lambda: alive_with(argument))
        answer = self.python(sandbox, "import os; os.kill(-1, 9)")
        self.check_ended(call.result().status, signal=signal.SIGKILL, reason=process_pb.EXIT_REASON_SIGNALED)
        self.assertIn(answer.status.WhichOneof("outcome"), ("code", "signal"))
        for _ in range(3):
            self.check_ended(self.run_in(sandbox, "sh", "-c", "exit 3").status, code=3)

    def test_who_stops_everything_inside_stops_no_start(self):
        sandbox = self.create()
        self.python(sandbox, "import os; os.kill(-1, 19)")
        self.check_ended(self.run_in(sandbox, "true").status, code=0)


    def test_who_stops_it_without_end_stops_no_start(self):
        """Or loses everything inside: else nothing could be killed either that has taken too much."""
        sandbox, argument = self.create(level=pb.ISOLATION_LEVEL_DEFAULT), mark()
        self.start_run(sandbox, "python3", "-c", STOPPER, argument)
        wait_for(pathlib.Path(sandbox.host_working_dir, "started").exists)
        for _ in range(3):
            self.check_ended(self.run_in(sandbox, "true").status, code=0)
        self.delete(sandbox.sandbox_id)
        self.assertEqual(alive_with(argument), [])


class EndTest(BareCase):
    def test_deletion_leaves_no_daemon(self):
        sandbox, argument = self.create(), mark()
        for _ in range(5):
            self.check_ended(self.python(sandbox, DAEMON, argument).status, code=0)
        wait_for(lambda: len(alive_with(argument)) == 5)
        self.delete(sandbox.sandbox_id)
        self.assertEqual(alive_with(argument), [])

    def test_deletion_catches_what_never_stands_still(self):
        sandbox, argument = self.create(), mark()
        started = pathlib.Path(sandbox.host_working_dir, "started")
        self.start_run(sandbox, "python3", "-c", RUNNER, "started", argument)
        wait_for(started.exists)
        self.delete(sandbox.sandbox_id)
        self.assertEqual(alive_with(argument), [])

    def test_timeout_kills_a_daemon_and_no_other(self):
        sandbox, argument, other = self.create(), mark(), mark()
        self.start_run(sandbox, "sleep", other)
        wait_for(lambda: alive_with(other))
        command = {"timeout": {"seconds": 3}}
        call = self.start_run(sandbox, "sh", "-c", f"python3 -c '{DAEMON}' {argument}; sleep 99", **command)
        wait_for(lambda: alive_with(argument))
        self.check_ended(call.result().status, signal=signal.SIGKILL, reason=process_pb.EXIT_REASON_TIMEOUT)
        wait_for(lambda: not alive_with(argument))
        self.assertTrue(alive_with(other))


class KilledTest(TestCase):
    def test_a_killed_holder_leaves_nothing(self):
        """Nobody should do that; its sandbox is lost."""
        with Heeld(*BareCase.flags) as server:
            argument = mark()
            server.stub.CreateSandbox(pb.CreateSandboxRequest(sandbox_id="lost"), timeout=30)
            daemon = process_pb.Command(argv=["python3", "-c", DAEMON, argument])
            server.stub.RunCommand(pb.RunCommandRequest(sandbox_id="lost", command=daemon), timeout=30)
            command = process_pb.Command(argv=["sleep", argument])
            call = server.stub.RunCommand.future(pb.RunCommandRequest(sandbox_id="lost", command=command))
            wait_for(lambda: len(alive_with(argument)) == 2)
            os.kill(server.sandbox_tree(argument)[0].pid, signal.SIGKILL)
            wait_for(lambda: not alive_with(argument))
            self.assertEqual(call.result(timeout=30).status.signal, signal.SIGKILL)
            wait_for(lambda: not server.stored(), what=server.stored)
        self.assertEqual(server.leftovers(), [])


class PathTest(BareCase):
    def setUp(self):
        self.folder = places.make_base()
        self.folder.chmod(0o777)
        for name in ("open/file", "closed/file", "closed/lent/file", "fixed/file"):
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_text(name)
        for path in [*self.folder.rglob("*")]:
            path.chmod(0o777)

    def create_with(self, **rules):
        paths = [pb.PathRule(path=str(self.folder / path), access=access) for path, access in rules.items()]
        return self.create(filesystem=pb.Filesystem(working_dir=str(self.folder), paths=paths))

    def cat(self, sandbox, path):
        answer = self.run_in(sandbox, "cat", path)
        return answer.stdout.decode() if answer.status.code == 0 else answer.stderr.decode().split(": ")[-1].strip()

    def test_a_denied_path_has_no_way_in(self):
        sandbox = self.create_with(closed=DENY)
        self.assertEqual(self.cat(sandbox, "open/file"), "open/file")
        for path in ("closed/file", "open/../closed/file", "/proc/self/root" + str(self.folder / "closed/file")):
            self.assertEqual(self.cat(sandbox, path), "Permission denied", path)
        for script in ("ln -s ../closed open/link; cat open/link/file", "ln closed/file open/hard", "mv closed open/", "ls closed"):
            answer = self.run_in(sandbox, "sh", "-c", script)
            self.assertNotEqual(answer.status.code, 0, script)
            self.assertEqual(answer.stdout, b"", script)

    def test_denial_beats_a_grant_below_it(self):
        sandbox = self.create_with(closed=DENY, **{"closed/lent": WRITE})
        self.assertEqual(self.cat(sandbox, "closed/lent/file"), "Permission denied")

    def test_what_is_read_only_in_what_is_writable(self):
        sandbox = self.create_with(fixed=READ)
        self.assertEqual(self.cat(sandbox, "fixed/file"), "fixed/file")
        self.assertEqual(self.run_in(sandbox, "ls").stdout, b"closed\nfixed\nopen\n")
        for script in ("echo x >fixed/file", "echo x >fixed/new", "rm fixed/file", "mv fixed elsewhere"):
            self.assertNotEqual(self.run_in(sandbox, "sh", "-c", script).status.code, 0, script)
        self.check_ended(self.run_in(sandbox, "sh", "-c", "echo x >open/file; echo y >open/new").status, code=0)
        self.assertEqual((self.folder / "fixed/file").read_text(), "fixed/file")

    def test_what_comes_later_beside_a_hole_stays_out(self):
        sandbox = self.create_with(closed=DENY)
        (self.folder / "later").write_text("x")
        self.assertEqual(self.cat(sandbox, "later"), "Permission denied")

    def test_a_whole_grant_can_be_built_in(self):
        sandbox = self.create_with()
        script = "mkdir new && echo 'int main(void){return 7;}' >new/a.c && gcc -o new/a new/a.c; new/a"
        self.check_ended(self.run_in(sandbox, "sh", "-c", script).status, code=7)

    def test_what_may_be_written_is_not_executed_where_the_spec_says_so(self):
        """Also where a directory was opened, of which all can be read and executed but what is in it written."""
        paths = [pb.PathRule(path=str(self.folder / "fixed"), access=READ)]
        filesystem = pb.Filesystem(working_dir=str(self.folder), paths=paths, write_xor_execute=True)
        sandbox = self.create(filesystem=filesystem, level=pb.ISOLATION_LEVEL_DEFAULT)
        for folder in ("open", "$HOME", "$TMPDIR"):
            answer = self.run_in(sandbox, "sh", "-c", f"cp /bin/true {folder}/program && {folder}/program")
            self.check_ended(answer.status, code=126)

    def test_other_sandboxes_and_scratch_space_are_out_of_reach(self):
        one, other = self.create(level=pb.ISOLATION_LEVEL_DEFAULT), self.create()
        self.run_in(other, "sh", "-c", "echo x >file; chmod -R 777 .")
        self.assertEqual(self.cat(one, other.working_dir + "/file"), "Permission denied")
        for path in (other.home_dir, "/tmp", "/var/tmp", "/dev/shm", "/run"):
            self.assertNotEqual(self.run_in(one, "ls", path).status.code, 0, path)
        for folder in (one.home_dir, one.temp_dir, one.working_dir):
            self.check_ended(self.run_in(one, "sh", "-c", f"echo x >{folder}/file").status, code=0)

    def test_root_lends_nothing_that_its_sandboxes_cannot_open(self):
        self.root_only()
        (self.folder / "open").chmod(0o700)
        with self.fails(Code.PERMISSION_DENIED, "PATH_NOT_ACCESSIBLE") as failure:
            self.create(filesystem=pb.Filesystem(working_dir=str(self.folder / "open")))
        self.assertIn("uid", failure.message)


class SurfaceTest(BareCase):
    def test_no_socket_but_pairs(self):
        sandbox = self.create()
        for family in ("AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK"):
            for kind in ("SOCK_STREAM", "SOCK_DGRAM"):
                got = self.errno_of(sandbox, f"socket.socket(socket.{family}, socket.{kind})")
                self.assertIn(got, ("EACCES", "ESOCKTNOSUPPORT"), (family, kind))
        self.assertEqual(self.errno_of(sandbox, "socket.socketpair()"), "")

    def test_no_objects_of_the_hosts(self):
        sandbox = self.create()
        for call in ("shmget(0, 4096, 0o1600)", "semget(0, 1, 0o1600)", "msgget(0, 0o1600)"):
            script = f"r = ctypes.CDLL(None, use_errno=True).{call}\n if r < 0: raise OSError(ctypes.get_errno(), '')"
            self.assertEqual(self.errno_of(sandbox, script), "EACCES", call)

    def test_owner_attributes_and_watches(self):
        sandbox = self.create()
        self.run_in(sandbox, "touch", "f")
        self.assertEqual(self.errno_of(sandbox, "os.chown('f', os.getuid(), -1)"), "EPERM")
        self.assertEqual(self.errno_of(sandbox, "os.setxattr('f', 'user.x', b'')"), "ENOTSUP")
        script = "r = ctypes.CDLL(None, use_errno=True).inotify_init()\n if r < 0: raise OSError(ctypes.get_errno(), '')"
        self.assertEqual(self.errno_of(sandbox, script), "ENOSYS")
        self.assertEqual(self.errno_of(sandbox, "os.sched_setaffinity(os.getppid(), [0])"), "EPERM")

    def test_strict_shows_no_processes(self):
        sandbox = self.create()
        for path in (f"/proc/{self.server.pid}/cmdline", "/proc/self/status", "/proc/net/tcp"):
            self.assertNotEqual(self.run_in(sandbox, "cat", path).status.code, 0, path)
        self.check_ended(self.run_in(sandbox, "cat", "/proc/meminfo").status, code=0)

    def test_a_terminal_of_its_own(self):
        terminal = process_pb.Terminal(rows=24, columns=80)
        answer = self.exec_in(self.create(), "sh", "-c", "tty && stty size </dev/tty", terminal=terminal).finish()
        self.assertIn(b"24 80", answer.stdout)


class ReportTest(BareCase):
    def test_the_server_says_which_way_it_is(self):
        self.assertFalse(self.stub.GetServerInfo(pb.GetServerInfoRequest(), timeout=30).namespaces)
        answer = cli.Cli()("doctor", "--namespaces", "never", "--output", "json")
        self.assertEqual(answer.returncode, 0, answer)
        self.assertIn('"namespaces":false', answer.stdout)

    def test_it_says_what_holds(self):
        rows = {row.protection: row for row in self.create().enforcement}
        for protection in (pb.PROTECTION_FILESYSTEM, pb.PROTECTION_NETWORK, pb.PROTECTION_IPC, pb.PROTECTION_HOST_SOCKETS):
            self.assertEqual(rows[protection].state, ACTIVE, rows[protection])
            self.assertNotIn("namespace", rows[protection].mechanism)
        for protection in (pb.PROTECTION_PROCESSES, pb.PROTECTION_HIDDEN_PATHS, pb.PROTECTION_METADATA):
            self.assertEqual(rows[protection].state, DEGRADED, rows[protection])
            self.assertTrue(rows[protection].detail)

    def test_what_is_degraded_can_be_refused(self):
        with self.fails(Code.FAILED_PRECONDITION, "PROTECTION_UNAVAILABLE"):
            self.create(require=[pb.PROTECTION_METADATA])
        self.create(require=[pb.PROTECTION_NETWORK, pb.PROTECTION_FILESYSTEM])


class RequireTest(TestCase):
    def test_the_server_refuses_what_is_none_of_the_three(self):
        with self.assertRaises(AssertionError):
            Heeld("--namespaces", "sometimes")

    def test_where_there_are_none_auto_does_without_and_require_refuses(self):
        if os.geteuid() == 0:
            self.skipTest("root's limit on user namespaces is the host's")
        inside = ["unshare", "--user", "--map-current-user", "--keep-caps", "sh", "-c"]
        limit = "echo 0 >/proc/sys/user/max_user_namespaces && exec "
        client = cli.Cli()
        for mode, code in (("auto", 0), ("require", 125)):
            command = f"{limit} {places.binary('heelcli')} run --namespaces {mode} -- true"
            answer = subprocess.run(
                [*inside, command], env=client.environment, capture_output=True, text=True, timeout=60, check=False
            )
            self.assertEqual(answer.returncode, code, answer)


class ContainerTest(TestCase):
    """Where something stands above heel already."""

    def test_with_a_containers_filter(self):
        if os.uname().machine != "x86_64":
            self.skipTest("the filter is for x86-64")
        client = cli.Cli()
        answer = client("run", "--", "sh", "-c", "echo $((6 * 7)) | cat", preexec_fn=container.refuse_namespaces)
        self.assertEqual((answer.returncode, answer.stdout), (0, "42\n"), answer)
        answer = client("run", "--namespaces", "require", "--", "true", preexec_fn=container.refuse_namespaces)
        self.assertEqual(answer.returncode, 125, answer)

    def test_in_a_sandbox_there_is_no_other(self):
        programs = cli.Cli().base
        shutil.copy(places.binary("heelcli"), programs)
        inside = ["--level", "default", "--executable", programs, "--", f"{programs}/heelcli"]
        for flags in ([], ["--namespaces", "never"]):
            answer = cli.Cli()("run", *inside, "run", *flags, "--", "true")
            self.assertEqual(answer.returncode, 125, answer)
            self.assertIn("inside a sandbox of heel's there can be no other", answer.stderr)
        answer = cli.Cli()("run", *inside, "doctor")
        self.assertEqual(answer.returncode, 1, answer)
        self.assertIn("No sandbox can be made here.", answer.stdout)


def setUpModule():
    cli.isolate()


if __name__ == "__main__":
    main()
