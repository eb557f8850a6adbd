"""What must keep working in a sandbox: real programs, each with a shell script that succeeds."""

import dataclasses

ALL = ("strict", "default", "permissive")

THREADS = r"""cat >t.c <<'END'
#include <pthread.h>
#include <stdio.h>
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int sum;
static void *add(void *n) { for (int i = 0; i < 100; i++) { pthread_mutex_lock(&lock); sum++; pthread_mutex_unlock(&lock); } return n; }
int main(void) {
    pthread_t threads[200];
    for (int i = 0; i < 200; i++) if (pthread_create(&threads[i], NULL, add, NULL)) return 1;
    for (int i = 0; i < 200; i++) pthread_join(threads[i], NULL);
    printf("%d\n", sum);
    return sum != 20000;
}
END
gcc -pthread t.c -o t && ./t"""

LEAK = r"""echo '#include <stdlib.h>
int main(int c, char **v) { char *p = malloc(9); p[0] = (char)c; return (p = NULL) != NULL; }' >l.c
gcc -fsanitize=address l.c -o l && { ./l 2>err; test $? -ne 0; } && grep -q 'detected memory leaks' err"""

DEBUGGED = """echo 'int deep(int n) { return n ? deep(n - 1) : *(volatile int *)0; } int main(void) { return deep(3); }' >c.c
gcc -g c.c -o c && gdb -q -batch -ex run -ex bt ./c >out 2>&1; grep -q 'SIGSEGV' out && grep -q 'deep (n=3)' out"""

JOBS = r"""mkdir sub; printf 'all:; @$(MAKE) -C sub x y z\n' >Makefile; printf 'x y z:; @echo $@ >../$@\n' >sub/Makefile
make -j3 && cat x y z | tr -d '\n' | grep -qx xyz"""

WAL = """sqlite3 d.db 'pragma journal_mode=wal; create table t(x); insert into t values(1)' &&
python3 -c "
import sqlite3
a, b = sqlite3.connect('d.db'), sqlite3.connect('d.db')
a.execute('insert into t values(2)'); assert b.execute('select count(*) from t').fetchone() == (1,)
a.commit(); assert b.execute('select count(*) from t').fetchone() == (2,)" """

PIPE = """python3 -c "
import os, threading
r, w = os.pipe(); data = os.urandom(1 << 20)
threading.Thread(target=lambda: (os.write(w, data[:9]), [os.write(w, data[i:i + 4096]) for i in range(9, 1 << 20, 4096)], os.close(w))).start()
assert b''.join(iter(lambda: os.read(r, 65536), b'')) == data" && test $(head -c 1048576 /dev/zero | cat | wc -c) = 1048576"""

WORKERS = """node -e '
const w = require("worker_threads");
const worker = new w.Worker("require(\\"worker_threads\\").parentPort.postMessage(new Int32Array(require(\\"worker_threads\\").workerData)[0])",
                            {eval: true, workerData: new Int32Array(new SharedArrayBuffer(4)).fill(7).buffer});
worker.on("message", n => process.exit(n === 7 ? 0 : 1));'"""

CHILDREN = """node -e '
const c = require("child_process");
if (c.execSync("echo a | cat").toString() !== "a\\n") process.exit(1);
const child = c.fork("./child.js"); child.on("message", m => { if (m !== "ok") process.exit(2); child.disconnect(); });'"""

FETCH = """node -e '
const s = require("http").createServer((q, r) => r.end("served")).listen(0, "127.0.0.1", async () => {
  const t = await (await fetch("http://127.0.0.1:" + s.address().port)).text(); process.exit(t === "served" ? 0 : 1); });'"""

# A slow resolver asks each server twice and waits 5 s each time: 9 s are less than it takes, and
# far more than a refusal takes on a busy machine.
NO_NAMES = "! timeout 9 getent hosts www.example.com && test $? -ne 124 && echo done"


@dataclasses.dataclass(frozen=True)
class Program:
    name: str
    needs: tuple  # programs; without one of them this is skipped
    script: str
    levels: tuple = ALL


PROGRAMS = [
    # ---- Python
    Program("python", ("python3",), "python3 -c 'import ssl, sqlite3, json, hashlib, ctypes, asyncio; ssl.create_default_context(); asyncio.run(asyncio.sleep(0))'"),
    Program("python's process pools", ("python3",),
            "python3 -c 'import multiprocessing as m; p = m.Pool(2); assert p.map(abs, [-1, -2]) == [1, 2]; p.close(); p.join()'"),
    Program("python's pools, spawned", ("python3",),
            "echo 'import concurrent.futures as f, multiprocessing as m\nif __name__ == \"__main__\":\n"
            " with f.ProcessPoolExecutor(2, mp_context=m.get_context(\"spawn\")) as p: assert list(p.map(abs, [-3])) == [3]' >p.py; python3 p.py"),
    Program("python's locks, semaphores and shared memory", ("python3",),
            "python3 -c 'from multiprocessing import shared_memory, Lock, Semaphore; Lock(); s = Semaphore(2); s.acquire(); s.release(); "
            "s = shared_memory.SharedMemory(create=True, size=9); s.unlink()'"),
    Program("python's temporary files", ("python3",), "python3 -c 'import tempfile as t; t.NamedTemporaryFile().write(b\"x\"); t.TemporaryDirectory().cleanup(); t.TemporaryFile()'"),
    Program("python on loopback", ("python3",),
            "python3 -c 'import socket as s; a = s.create_server((\"127.0.0.1\", 80)); s.create_connection(a.getsockname())'"),
    Program("python on a Unix socket", ("python3",),
            "python3 -c 'import socket as s; a = s.socket(s.AF_UNIX); a.bind(\"u\"); a.listen(); s.socket(s.AF_UNIX).connect(\"u\")'"),
    Program("a virtual environment", ("python3",), "python3 -m venv --without-pip v && v/bin/python -c 'import sys; assert sys.prefix.endswith(\"/v\")'"),
    Program("time zones in python", ("python3",), "python3 -c 'import zoneinfo; zoneinfo.ZoneInfo(\"Europe/Berlin\")'"),
    # ---- Node
    Program("node", ("node",), "node -e 'require(\"fs\").writeFileSync(\"x\", \"1\"); setTimeout(() => 0, 1)'"),
    Program("node's worker threads", ("node",), WORKERS),
    Program("node's children", ("node",), "echo 'process.send(\"ok\")' >child.js; " + CHILDREN),
    Program("node's fetch on loopback", ("node",), FETCH),
    # ---- C
    Program("gcc", ("gcc",), "printf '#include <stdio.h>\\nint main(void){puts(\"x\");return 0;}' >x.c && gcc -O2 x.c -o x && ./x"),
    Program("200 threads", ("gcc",), THREADS),
    Program("make, in parallel and recursive", ("make",), JOBS),
    Program("a leak checker", ("gcc",), LEAK),
    Program("gdb on a child", ("gcc", "gdb"), DEBUGGED),
    Program("strace", ("strace",), "strace -f -o log sh -c 'true | cat' && grep -q execve log"),
    # ---- other languages
    Program("java", ("java",), "echo 'public class H { public static void main(String[] a) throws Exception { "
            "Thread t = new Thread(() -> System.out.println(\"hello\")); t.start(); t.join(); } }' >H.java && java -Xmx64m -XX:+UseSerialGC H.java | grep -q hello"),
    Program("perl", ("perl",), "perl -MPOSIX -e 'open F, \">x\" or die; print F getpid(); exit 0' && test -s x"),
    Program("perl's locale", ("perl",), "LC_ALL=C.UTF-8 perl -e 'exit 0' 2>err; test ! -s err"),
    # ---- data
    Program("sqlite with a write-ahead log", ("sqlite3", "python3"), WAL),
    Program("tar and gzip", ("tar", "gzip"), "mkdir d && echo 1 >d/f && ln d/f d/g && ln -s f d/h && tar czf d.tgz d && rm -r d && tar xzf d.tgz && test -s d/h"),
    Program("sort", ("sort",), "seq 200000 | sort -rn --parallel=2 -S 1M | head -1 | grep -qx 200000"),
    Program("awk, sed, find, xargs", ("awk",), "seq 9 | awk '{s+=$1} END {print s}' | sed s/45/ok/ | grep -q ok && find / -maxdepth 1 | xargs -P2 echo"),
    Program("a mebibyte through pipes", ("python3",), PIPE),
    # ---- shells and terminals
    Program("pipes, jobs and here documents", ("bash",), "bash -c 'cat <(echo a) <<<b; sleep 0 & wait; ulimit -n; echo $((1+1))'"),
    Program("job control", ("bash", "script"), "script -qec \"bash -ic 'sleep 60 & kill %1; wait %1; echo over'\" /dev/null </dev/null | grep -q over"),
    Program("a terminal of its own", ("script",), "script -qec 'tty; stty size' /dev/null </dev/null | grep -q /dev/pts/"),
    Program("tmux", ("tmux",), "tmux -f /dev/null new-session -d 'echo typed >f; tmux wait-for -S done; sleep 60' && tmux wait-for done && grep -q typed f && tmux kill-server"),
    # ---- the system
    Program("git", ("git",),
            "git init -q a && cd a && git config user.email a@b && git config user.name a && echo 1 >f && git add f && "
            "git commit -qm one && cd .. && git clone -q a b && test -s b/f && git -C b log --oneline && git -C b gc -q"),
    Program("ps and kill", ("ps",), "sleep 60 & ps -ef | grep -q '[s]leep 60' && ps aux >/dev/null && kill $! && ! wait $!"),
    Program("su is refused cleanly", ("su",), "! su -c id root </dev/null >out 2>&1; ! grep -q uid=0 out"),
    Program("sudo is refused cleanly", ("sudo",), "! sudo -n id </dev/null >out 2>&1; ! grep -q uid=0 out"),
    Program("clocks and randomness", ("date",), "date && head -c 9 /dev/urandom >/dev/null && cat /proc/uptime && nproc"),
    Program("time zones", ("date",), "test ! -e /usr/share/zoneinfo/Europe/Berlin || test $(TZ=Europe/Berlin date -d 2024-07-01 +%Z) = CEST"),
    Program("locales", ("locale",), "LC_ALL=C.UTF-8 locale charmap | grep -qx UTF-8 && test $(printf 'ä' | LC_ALL=C.UTF-8 wc -m) = 1"),
    Program("who one is", ("id",), "id && whoami && hostname && getent passwd $(id -u)"),
    Program("names don't resolve, at once", ("getent",), NO_NAMES),
    Program("a missing program is 127", ("sh",), "no-such-program; test $? = 127"),
]  # fmt: skip
