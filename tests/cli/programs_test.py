"""Real programs, as an agent would run them, at each level that lets them work."""

import shutil

from heeltest import Heeld, Skip, TestCase, main
from heeltest.cli import Cli, isolate

# Name, the programs it needs, a shell script that succeeds.
PROGRAMS = [
    ("python", ["python3"], "python3 -c 'import ssl, sqlite3, json, hashlib, ctypes, asyncio; asyncio.run(asyncio.sleep(0))'"),
    ("python's multiprocessing", ["python3"],
     "python3 -c 'import multiprocessing as m; p = m.Pool(2); assert p.map(abs, [-1, -2]) == [1, 2]; p.close(); p.join()'"),
    ("python's locks and shared memory", ["python3"],
     "python3 -c 'from multiprocessing import shared_memory, Lock; Lock(); s = shared_memory.SharedMemory(create=True, size=9); s.unlink()'"),
    ("python's tempfile", ["python3"], "python3 -c 'import tempfile; tempfile.NamedTemporaryFile().write(b\"x\")'"),
    ("python on loopback", ["python3"],
     "python3 -c 'import socket as s; a = s.create_server((\"127.0.0.1\", 80)); s.create_connection(a.getsockname())'"),
    ("a virtual environment", ["python3"], "python3 -m venv --without-pip v && v/bin/python -c 'import sys; assert sys.prefix.endswith(\"/v\")'"),
    ("node", ["node"], "node -e 'require(\"fs\").writeFileSync(\"x\", \"1\"); setTimeout(() => 0, 1)'"),
    ("git", ["git"],
     "git init -q a && cd a && git config user.email a@b && git config user.name a && echo 1 >f && git add f && "
     "git commit -qm one && cd .. && git clone -q a b && test -s b/f && git -C b log --oneline"),
    ("gcc", ["gcc"], "printf '#include <stdio.h>\\nint main(void){puts(\"x\");return 0;}' >x.c && gcc -O2 x.c -o x && ./x"),
    ("make", ["make", "gcc"], "printf 'all: a b\\na b:\\n\\ttouch $@\\n' >Makefile && make -j2 && test -e b"),
    ("perl", ["perl"], "perl -MPOSIX -e 'open F, \">x\" or die; print F getpid(); exit 0' && test -s x"),
    ("tar and gzip", ["tar", "gzip"], "mkdir d && echo 1 >d/f && tar czf d.tgz d && rm -r d && tar xzf d.tgz && test -s d/f"),
    ("sort", ["sort"], "seq 200000 | sort -rn --parallel=2 -S 1M | head -1 | grep -qx 200000"),
    ("awk, sed, find, xargs", ["awk"], "seq 9 | awk '{s+=$1} END {print s}' | sed s/45/ok/ | grep -q ok && find / -maxdepth 1 | xargs -P2 echo"),
    ("a terminal of its own", ["script"], "script -qec 'tty; stty size' /dev/null </dev/null | grep -q /dev/pts/"),
    ("pipes, jobs and here documents", ["bash"], "bash -c 'cat <(echo a) <<<b; sleep 0 & wait; ulimit -n; echo $((1+1))'"),
    ("clocks and randomness", ["date"], "date && head -c 9 /dev/urandom >/dev/null && cat /proc/uptime && nproc"),
    ("who one is", ["id"], "id && whoami && hostname && getent passwd $(id -u)"),
]


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

    def run_all(self, level):
        missing = []
        for name, programs, script in PROGRAMS:
            if not all(shutil.which(program, path="/usr/bin:/bin") for program in programs):
                missing.append(name)
                continue
            with self.subTest(f"{name}, {level}"):
                answer = self.cli("run", "--level", level, "--timeout", "60s", "sh", "-c", f"{{ {script}; }} && echo fine")
                self.assertEqual((answer.returncode, answer.stdout.splitlines()[-1:]), (0, ["fine"]), answer)
        if missing:
            print(f"not on this machine: {', '.join(missing)}")
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
