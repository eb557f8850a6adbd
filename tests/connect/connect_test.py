"""Supervised connect: what a sandbox bound itself can be connected to as anywhere, nothing else can,
and a connect that blocks holds up nobody but its caller."""

import os
import pathlib
import shutil
import socket
import subprocess
import threading

from heeltest import Code, Heeld, ServerCase, main, mark, pb, places, wait_for

INSIDE = (pathlib.Path(__file__).parent / "inside.py").read_text()


class ConnectCase(ServerCase):
    def setUp(self):
        self.sandbox = self.create()
        row = {row.protection: row for row in self.sandbox.enforcement}[pb.PROTECTION_HOST_SOCKETS]
        if "supervised connect" not in row.mechanism:
            self.skipTest(f"connects aren't supervised here: {row.mechanism} {row.detail}")

    def python(self, script, sandbox=None, **command):
        """The script's output; it must end well."""
        answer = self.run_in(sandbox or self.sandbox, "python3", "-c", INSIDE + script, **command)
        self.assertEqual((answer.status.code, answer.stderr.decode()), (0, ""), answer)
        return answer.stdout.decode()


class InsideTest(ConnectCase):
    """What works as without a sandbox."""

    def test_the_report_names_it(self):
        row = {row.protection: row for row in self.sandbox.enforcement}[pb.PROTECTION_HOST_SOCKETS]
        self.assertEqual(row.state, pb.ENFORCEMENT_STATE_ACTIVE, row)

    def test_a_socket_of_ones_own_by_every_name(self):
        script = """
os.mkdir("d")
servers = [listen(path) for path in ("/tmp/a", "b", "d/c", "\\0abstract")]
os.symlink("b", "link"), os.link("b", "hard"), os.rename("d/c", "renamed")
os.chdir("d")
own = f"fd/{os.open('.', os.O_PATH)}/../b"
for name in (f"/proc/self/{own}", f"/proc/thread-self/{own}", f"/dev/{own}", "/tmp/a", "../b", "../link", "../hard", "../renamed", os.path.realpath("../b"), "\\0abstract"):
    say(outcome(connect, name))
"""
        self.assertEqual(self.python(script).split(), ["ok"] * 10)

    def test_in_each_folder_that_is_written_to(self):
        script = """
for folder in ("/tmp", "/dev/shm", os.environ["HOME"], os.getcwd()):
    server = listen(folder + "/s")
    say(outcome(connect, folder + "/s"), connect(folder + "/s").getpeername() == folder + "/s")
"""
        # The kernel says to whom one is connected by the name that it was bound to.
        self.assertEqual(self.python(script), "ok True\n" * 4)

    def test_errors_are_the_kernels(self):
        script = """
import struct
server = listen("s"); stale = listen("stale"); stale.close(); os.mkdir("d"); os.symlink("loop", "loop"); open("file", "w")
bound = socket.socket(UNIX); bound.bind("bound")
os.chmod("d", 0); os.chmod("s", 0o400)
for name in ("absent", "stale", "d/x", "loop", "file", "file/x", "d", "bound", "s", "\\0absent", "x" * 107):
    say(name[:6].strip("\\0"), outcome(connect, name))
os.chmod("s", 0o600)
say("seqpacket", outcome(connect, "s", socket.SOCK_SEQPACKET))
client = connect("s")
say("twice", outcome(client.connect, "s"))
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def raw(fd, address, length):
    return "ok" if libc.connect(fd, address, length) == 0 else errno.errorcode[ctypes.get_errno()]
new = socket.socket(UNIX)
say("bad address", raw(new.fileno(), ctypes.c_void_p(16), 110))
say("long", raw(new.fileno(), b"x" * 300, 300), "negative", raw(new.fileno(), b"x", -1), "empty", raw(new.fileno(), b"", 0))
say("other family", raw(new.fileno(), struct.pack("=H", socket.AF_INET) + b"/tmp/s" + bytes(8), 16))
say("unspecified", raw(new.fileno(), bytes(16), 16))
say("no descriptor", raw(999, b"x" * 16, 16), "no socket", raw(os.open("file", os.O_RDONLY), b"x" * 16, 16))
"""
        expected = subprocess.run(
            ["/usr/bin/python3", "-c", INSIDE + script], cwd=places.make_base(), capture_output=True, text=True, check=True
        ).stdout
        if os.geteuid() == 0:  # whom modes don't keep out
            expected = expected.replace("d/x ENOENT", "d/x EACCES").replace("\nd ECONNREFUSED", "\nd EACCES").replace("\ns ok", "\ns EACCES")
        self.assertEqual(self.python(script), expected)

    def test_non_blocking_and_timeouts(self):
        script = """
server = listen("s", 0)
kept = fill("s")
say(len(kept) > 0)
client = socket.socket(UNIX); client.setblocking(False)
say(outcome(client.connect, "s"))
client = socket.socket(UNIX); client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, b"\\0" * 8 + (50000).to_bytes(8, "little"))
begun = time.monotonic()
say(outcome(client.connect, "s"), time.monotonic() - begun > 0.04)
tcp = socket.socket(); tcp.bind(("127.0.0.1", 0)); tcp.listen(5)
client = socket.socket(); client.setblocking(False)
say(outcome(client.connect, tcp.getsockname()))
import select
select.select([], [client], [], 20)
say(client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), client.getpeername() == tcp.getsockname())
"""
        self.assertEqual(self.python(script), "True\nEAGAIN\nEAGAIN True\nEINPROGRESS\n0 True\n")

    def test_the_internets_families(self):
        script = """
for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
    server = socket.socket(family); server.bind((host, 0)); server.listen(5)
    client = socket.socket(family); client.connect(server.getsockname())
    peer, _ = server.accept(); peer.sendall(b"hello")
    say(client.recv(5), client.getpeername() == server.getsockname())
one, other = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
one.bind(("127.0.0.1", 0)); other.connect(one.getsockname()); other.send(b"datagram")
say(one.recv(99), outcome(socket.socket().connect, ("192.0.2.1", 80)), outcome(socket.socket().connect, ("127.0.0.1", 1)))
"""
        self.assertEqual(self.python(script), "b'hello' True\nb'hello' True\nb'datagram' ENETUNREACH ECONNREFUSED\n")

    def test_who_is_at_the_other_end(self):
        script = """
import struct
server = listen("s"); client = connect("s"); peer, _ = server.accept()
pid, uid, gid = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
say((uid, gid) == (os.getuid(), os.getgid()), os.path.exists(f"/proc/{pid}"))
"""
        self.assertEqual(self.python(script), "True True\n")

    def test_descriptors_are_passed(self):
        script = """
import array
server = listen("s"); client = connect("s"); peer, _ = server.accept()
file = open("file", "w+"); file.write("passed"); file.flush()
socket.send_fds(client, [b"x"], [file.fileno(), client.fileno()])
_, got, _, _ = socket.recv_fds(peer, 1, 2)
os.lseek(got[0], 0, 0)
say(os.read(got[0], 99))
os.write(got[1], b"by the passed socket"); say(peer.recv(99))
"""
        self.assertEqual(self.python(script), "b'passed'\nb'by the passed socket'\n")

    def test_threads_and_children_at_once(self):
        script = """
server = listen("s", 4096)
server.settimeout(30)
def many(count):
    for i in range(count):
        connect("s").close()
children = []
for _ in range(4):
    pid = os.fork()
    if pid == 0:
        os._exit(outcome(many, 100) != "ok")
    children.append(pid)
threads = [in_thread(many, 100) for _ in range(16)]
for _ in range(2000):
    if outcome(lambda: server.accept()[0].close()) != "ok":
        break
[thread.join() for thread in threads]
say({thread.outcome for thread in threads}, {os.waitpid(pid, 0)[1] for pid in children})
"""
        self.assertEqual(self.python(script), "{'ok'} {0}\n")

    def test_a_caller_under_a_timer_sees_no_connect_made_twice(self):
        """A connect that is interrupted after it was taken up would be made, and be made again."""
        script = """
import signal
signal.signal(signal.SIGALRM, lambda *_: None)
signal.siginterrupt(signal.SIGALRM, False)
signal.setitimer(signal.ITIMER_REAL, 0.003, 0.003)
server = listen("s", 4096)
seen = {}
for i in range(2000):
    client = socket.socket(UNIX)
    how = outcome(client.connect, "s")
    seen[how] = seen.get(how, 0) + 1
    server.accept()[0].close() if how == "ok" else None
say(seen)
"""
        self.assertEqual(self.python(script), "{'ok': 2000}\n")


class ProgramsTest(ConnectCase):
    """Real programs and libraries."""

    def test_multiprocessing(self):
        script = """
import multiprocessing, multiprocessing.managers
context = multiprocessing.get_context("forkserver")
if __name__ == "__main__":
    with multiprocessing.Manager() as manager:
        shared = manager.dict(); shared["a"] = 1
        say(dict(shared))
    import math
    with context.Pool(2) as pool:
        say(pool.map(math.sqrt, [4, 9]))
"""
        self.python("open('program.py', 'w').write(" + repr(INSIDE + script) + ")")
        answer = self.run_in(self.sandbox, "python3", "program.py")
        self.assertEqual(answer.stdout.decode(), "{'a': 1}\n[2.0, 3.0]\n", answer)

    def test_asyncio(self):
        script = """
import asyncio
async def echo(reader, writer):
    writer.write(await reader.readline()); await writer.drain(); writer.close()
async def one(path):
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(b"line\\n"); return await reader.readline()
async def run():
    async with await asyncio.start_unix_server(echo, "s"):
        say(set(await asyncio.gather(*(one("s") for _ in range(100)))))
asyncio.run(run())
"""
        self.assertEqual(self.python(script), "{b'line\\n'}\n")

    def test_node(self):
        if not shutil.which("node"):
            self.skipTest("there is no node")
        script = """
const net = require('net'), http = require('http');
http.createServer((q, a) => a.end('unix')).listen('/tmp/n', () =>
  http.get({socketPath: '/tmp/n', path: '/'}, r => { r.on('data', d => console.log(String(d)));
    const server = http.createServer((q, a) => a.end('tcp')).listen(0, '127.0.0.1', () =>
      fetch('http://127.0.0.1:' + server.address().port).then(r => r.text()).then(t => { console.log(t); process.exit(0) })) }));
"""
        answer = self.run_in(self.sandbox, "node", "-e", script)
        self.assertEqual(answer.stdout.decode(), "unix\ntcp\n", answer)

    def test_curl(self):
        if not shutil.which("curl"):
            self.skipTest("there is no curl")
        script = """
import http.server, subprocess
class Server(http.server.HTTPServer):
    address_family = UNIX
    def server_bind(self): self.socket.bind(self.server_address)
class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self): self.wfile.write(b"HTTP/1.0 200 OK\\r\\n\\r\\nanswer")
    def log_message(self, *_): pass
    def address_string(self): return ""
server = Server("s", Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
say(subprocess.run(["curl", "-s", "--unix-socket", "s", "http://x/"], capture_output=True, text=True).stdout)
"""
        self.assertEqual(self.python(script), "answer\n")


class WaitingTest(ConnectCase):
    """A connect that blocks, on a listener whose backlog is full, and hands that are killed."""

    FULL = """
server = listen("full", 0); kept = fill("full")
def hold(count):
    threads = [in_thread(connect, "full") for _ in range(count)]
    assert wait_until(lambda: in_connect() == count and len(hands()) >= count)
    return threads
def let_go(threads):
    server.settimeout(20)
    for _ in range(len(kept) + len(threads)):
        server.accept()
    return wait_until(lambda: all(thread.outcome for thread in threads)) and {thread.outcome for thread in threads}
"""

    def test_it_waits_and_is_made_in_the_end(self):
        script = self.FULL + """
threads = hold(5)
say({thread.outcome for thread in threads})
say(let_go(threads))
"""
        self.assertEqual(self.python(script), "{None}\n{'ok'}\n")

    def test_it_holds_up_no_other_connect_of_its_sandbox(self):
        script = self.FULL + """
threads = hold(7); other = listen("other")
say({outcome(connect, "other") for _ in range(20)})
say(let_go(threads))
"""
        self.assertEqual(self.python(script), "{'ok'}\n{'ok'}\n")

    def test_nor_another_sandbox_nor_the_server(self):
        holding = self.FULL + "threads = hold(8); say('held'); os.read(0, 1)"
        call = self.exec_in(self.sandbox, "python3", "-c", INSIDE + holding)
        self.addCleanup(call.cancel)
        call.read_until(b"held")
        other = self.create()
        self.assertEqual(self.python("server = listen('s'); say(outcome(connect, 's'))", other), "ok\n")
        self.assertEqual(len(self.list()), 2)

    def test_more_than_eight_at_once_are_refused(self):
        script = self.FULL + """
threads = hold(8); other = listen("other")
say(outcome(connect, "other"), outcome(connect, "other"))
server.accept()
say(wait_until(lambda: sum(thread.outcome == "ok" for thread in threads) == 1), outcome(connect, "other"))
"""
        self.assertEqual(self.python(script), "EAGAIN EAGAIN\nTrue ok\n")

    def test_a_caller_that_is_killed_frees_its_hand(self):
        script = self.FULL + """
pid = os.fork()
if pid == 0:
    hold(8); open("held", "w"); time.sleep(99)
wait_until(lambda: os.path.exists("held"))
before = hands()
os.kill(pid, 9); os.waitpid(pid, 0)
other = listen("other")
say(len(before), wait_until(lambda: outcome(connect, "other") == "ok"), wait_until(lambda: not set(hands()) & set(before)))
"""
        self.assertEqual(self.python(script), "8 True True\n")

    def test_a_killed_hand_is_a_refusal_and_is_replaced(self):
        script = self.FULL + """
threads = hold(3); other = listen("other"); before = hands()
[os.kill(pid, 9) for pid in before]
say(wait_until(lambda: all(thread.outcome for thread in threads)), {thread.outcome for thread in threads})
say(wait_until(lambda: outcome(connect, "other") == "ok"), not set(hands()) & set(before))
"""
        self.assertEqual(self.python(script), "True {'ECONNREFUSED'}\nTrue True\n")

    def test_everything_that_can_be_killed(self):
        """kill(-1) also hits a hand between two connects; the next is made by another."""
        script = """
server = listen("s", 100); connect("s"); before = hands()
os.kill(-1, 9)
say(len(before), wait_until(lambda: outcome(connect, "s") == "ok"), not set(hands()) & set(before))
"""
        self.assertEqual(self.python(script), "1 True True\n")

    def test_a_stopped_hand_holds_up_its_caller_alone(self):
        script = """
import signal
server = listen("s", 100); connect("s"); stopped = hands()
[os.kill(pid, signal.SIGSTOP) for pid in stopped]
thread = in_thread(connect, "s"); wait_until(lambda: in_connect() == 1)
say(outcome(connect, "s"), thread.outcome)
[os.kill(pid, signal.SIGCONT) for pid in stopped]
say(wait_until(lambda: thread.outcome) and thread.outcome)
"""
        self.assertEqual(self.python(script), "ok None\nok\n")

    def test_hands_go_when_they_are_not_needed(self):
        script = self.FULL + """
threads = hold(6); let_go(threads)
say(wait_until(lambda: len(hands()) == 1), wait_until(lambda: not hands()), outcome(connect, "full"))
"""
        self.assertEqual(self.python(script), "True True ok\n")

    def test_hands_count_for_no_limit(self):
        sandbox = self.create(limits=pb.Limits(max_processes=2))
        script = self.FULL + "threads = hold(7); time.sleep(0.5); say(let_go(threads))"
        self.assertEqual(self.python(script, sandbox), "{'ok'}\n")

    def test_no_hand_without_a_connect(self):
        self.assertEqual(self.python("import subprocess; subprocess.run(['true']); say(hands())"), "[]\n")

    def test_a_hand_is_out_of_reach(self):
        script = """
import ctypes
server = listen("s"); connect("s"); pid = hands()[0]
libc = ctypes.CDLL(None, use_errno=True)
say(libc.ptrace(16, pid, 0, 0), libc.prlimit(pid, 7, None, None))
for file in ("mem", "maps", "environ", "fd", "syscall", "cwd", "exe"):
    path = f"/proc/{pid}/{file}"
    try:
        say(file, "reached", os.listdir(path) if file == "fd" else os.readlink(path) if file in ("cwd", "exe") else open(path).read())
    except OSError as error:
        say(file, errno.errorcode[error.errno] in ("EACCES", "EPERM"))
"""
        said = self.python(script)
        files = ("mem", "maps", "environ", "fd", "syscall", "cwd", "exe")
        self.assertEqual(said, "-1 -1\n" + "".join(f"{file} True\n" for file in files))


class SharedFolderCase(ConnectCase):
    """A folder that sandboxes and the host share."""

    def setUp(self):
        super().setUp()
        self.folder = places.make_base()
        self.folder.chmod(0o777)

    def serve(self, path):
        """A server of the host's, which counts its connections."""
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(path))
        os.chmod(path, 0o777)
        server.listen(100)
        server.settimeout(20)
        self.addCleanup(server.close)
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(str(path))
        server.accept()[0].close()
        return server

    def check_untouched(self, server):
        server.setblocking(False)
        with self.assertRaises(BlockingIOError):
            server.accept()

    def sharing(self, **spec):
        spec.setdefault("filesystem", pb.Filesystem(working_dir=str(self.folder)))
        return self.create(**spec)


class OutsideTest(SharedFolderCase):
    """What nothing in a sandbox can be connected to, wherever it lies; each is connected to from outside first."""

    def test_a_server_in_a_shared_folder(self):
        self.needs_lent_files()
        server = self.serve(self.folder / "s")
        script = """
own = listen("own")
os.link("s", "hard"); os.symlink("s", "link"); os.mkdir("d"); os.rename("hard", "d/moved")
for name in ("s", "./s", "link", "d/moved", os.path.realpath("s"), f"/proc/self/fd/{os.open('s', os.O_PATH)}"):
    say(outcome(connect, name))
os.rename("own", "first"); os.rename("s", "own"); say(outcome(connect, "own"), outcome(connect, "first"))
"""
        said = self.python(script, self.sharing())
        self.assertEqual(said.split(), ["ECONNREFUSED"] * 7 + ["ok"])
        self.check_untouched(server)

    def test_at_every_level(self):
        server = self.serve(self.folder / "s")
        rule = pb.PathRule(path=str(self.folder), access=pb.PATH_ACCESS_READ)
        for level in (pb.ISOLATION_LEVEL_STRICT, pb.ISOLATION_LEVEL_DEFAULT, pb.ISOLATION_LEVEL_PERMISSIVE):
            spec = {"level": level}
            if level != pb.ISOLATION_LEVEL_PERMISSIVE:
                spec["filesystem"] = pb.Filesystem(paths=[rule])
            sandbox = self.create(**spec)
            said = self.python(f"say(outcome(connect, {str(self.folder / 's')!r}))", sandbox)
            self.assertIn(said, ("ECONNREFUSED\n", "ENOENT\n"), level)
        self.check_untouched(server)

    def test_each_others_sockets_in_a_shared_folder(self):
        if os.geteuid() == 0:
            self.folder.chmod(0o777)
        one, other = self.sharing(), self.sharing()
        call = self.start_run(one, "python3", "-c", INSIDE + "server = listen('s'); os.chmod('s', 0o777); server.accept(); say('reached')", mark())
        wait_for((self.folder / "s").exists)
        self.assertEqual(self.python("say(outcome(connect, 's'))", other), "ECONNREFUSED\n")
        self.assertFalse(call.done())
        self.assertEqual(self.python("say(outcome(connect, 's'))", one), "ok\n")
        self.assertEqual(call.result().stdout, b"reached\n")


class RaceTest(SharedFolderCase):
    """Threads change descriptor, address and path under the check."""

    CONNECTS, SECONDS, FLIPS = 20_000, 10, 1_000_000

    def setUp(self):
        super().setUp()
        self.program = self.folder / "race"
        shutil.copy(places.binary("race"), self.program)
        self.program.chmod(0o755)
        self.outside = self.serve(self.folder / "outside")
        self.reached = 0
        thread = threading.Thread(target=self.count, daemon=True)
        thread.start()

    def count(self):
        self.outside.settimeout(None)
        while True:
            try:
                self.outside.accept()[0].close()
            except OSError:
                return
            self.reached += 1

    def test_nothing_gets_through(self):
        answer = self.run_in(self.sharing(), "./race", str(self.CONNECTS), str(self.SECONDS))
        self.assertEqual((answer.status.code, answer.stderr), (0, b""), answer)
        words = answer.stdout.split()
        self.assertGreater(int(words[5]), self.FLIPS, answer.stdout)
        self.assertGreater(int(words[3]), 100, "what is allowed gets through")
        self.assertEqual(self.reached, 0, answer.stdout)

    def test_without_a_sandbox_it_does(self):
        self.unconfined()
        self.assertGreater(self.reached, 0)

    def test_and_under_a_supervisor_that_lets_calls_go_on(self):
        self.unconfined("naive")
        self.assertGreater(self.reached, 0)

    def unconfined(self, *how):
        subprocess.run([self.program, str(10**9), "2", *how], cwd=self.folder, timeout=60, check=False)


class SupervisedHeeld(Heeld):
    """Its processes have a listener above them, as in some containers; a process tree can have but one."""

    UNDER = """
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
allow = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0x7FFF0000), 8)
program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", 1, ctypes.addressof(allow)), 16)
assert libc.prctl(38, 1, 0, 0, 0) == 0
listener = libc.syscall(317, 1, 8, program)
assert listener >= 0, ctypes.get_errno()
os.set_inheritable(listener, True)
os.execv(sys.argv[1], sys.argv[1:])
"""

    def command(self):
        return ["/usr/bin/python3", "-c", self.UNDER, *super().command()]


class WithoutListenerTest(ServerCase):
    @classmethod
    def setUpClass(cls):
        cls.server = SupervisedHeeld()
        cls.calls = []

    def check_degraded(self, rows):
        row = {row.protection: row for row in rows}[pb.PROTECTION_HOST_SOCKETS]
        if "Landlock" in row.mechanism:
            self.skipTest("Landlock holds Unix sockets here")
        self.assertEqual(row.state, pb.ENFORCEMENT_STATE_DEGRADED, row)
        self.assertNotIn("supervised", row.mechanism)
        return row

    def test_the_report_says_that_it_holds_less_and_why(self):
        sandbox = self.create()
        self.assertIn("another supervisor", self.check_degraded(sandbox.enforcement).detail)
        answer = self.run_in(sandbox, "python3", "-c", INSIDE + "server = listen('s'); say(outcome(connect, 's'), hands())")
        self.assertEqual(answer.stdout, b"ok []\n", answer)

    def test_the_server_says_it_of_the_host(self):
        self.check_degraded(self.stub.GetServerInfo(pb.GetServerInfoRequest(), timeout=30).protections)

    def test_who_requires_it_gets_no_sandbox(self):
        self.check_degraded(self.create().enforcement)
        with self.fails(Code.FAILED_PRECONDITION):
            self.create(require=[pb.PROTECTION_HOST_SOCKETS])


if __name__ == "__main__":
    main()
