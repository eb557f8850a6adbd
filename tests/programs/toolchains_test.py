"""Compilers that may lie outside the system's folders, and so need a grant; and what they build, at each level."""

import dataclasses
import os
import pathlib
import shutil
import subprocess

from heeltest import Heeld, Skip, TestCase, main, places
from heeltest.cli import Cli, isolate

PLACES = os.pathsep.join([os.environ["PATH"], "/usr/local/go/bin", os.path.expanduser("~/.cargo/bin")])
LEVELS = ("strict", "default", "permissive")

# Of the standard library only what compiles soon.
GO = """mkdir m && cd m && cat >main.go <<'END'
package main

import "sync"

func main() {
	var all sync.WaitGroup
	for i := 0; i < 100; i++ {
		all.Add(1)
		go func() { defer all.Done() }()
	}
	all.Wait()
	println("from go")
}
END
export GOFLAGS=-mod=mod GOTOOLCHAIN=local GOPROXY=off GOCACHE=$CACHE CGO_ENABLED=0
"$ROOT/bin/go" mod init example.test/m && "$ROOT/bin/go" build -o out . && ./out 2>&1 | grep -q 'from go'"""

RUST = """cat >main.rs <<'END'
use std::{process::Command, sync::mpsc, thread};
fn main() {
    let (tx, rx) = mpsc::channel();
    for i in 0..20 { let tx = tx.clone(); thread::spawn(move || tx.send(i).unwrap()); }
    drop(tx);
    assert_eq!(rx.iter().sum::<i32>(), 190);
    let out = Command::new("echo").arg("from rust").output().unwrap();
    print!("{}", String::from_utf8_lossy(&out.stdout));
}
END
"$ROOT/bin/rustc" -O main.rs -o out && ./out | grep -q 'from rust'"""

CARGO = """export PATH="$ROOT/bin:$PATH" CARGO_NET_OFFLINE=true
cargo init -q --name made made && cd made && cargo build -q --offline && ./target/debug/made | grep -q 'Hello'"""


@dataclasses.dataclass(frozen=True)
class Toolchain:
    """script: finds the toolchain's folder as ROOT, and a folder of this test as CACHE."""

    name: str
    root: pathlib.Path | None
    script: str

    def usable(self):
        return self.root is not None and os.access(self.root / "bin", os.R_OK | os.X_OK)

    def in_a_home(self):
        return self.root.parts[1] in ("home", "root")


def _said(name, *arguments):
    program = shutil.which(name, path=PLACES)
    if not program:
        return None
    try:
        answer = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60, check=False)
    except OSError:
        return None
    return pathlib.Path(answer.stdout.strip()) if answer.returncode == 0 and answer.stdout.strip() else None


def toolchains():
    """Found by asking them, outside."""
    go, rust = _said("go", "env", "GOROOT"), _said("rustc", "--print", "sysroot")
    return [Toolchain("go", go, GO), Toolchain("rust", rust, RUST), Toolchain("cargo", rust, CARGO)]


def setUpModule():
    isolate()


class ToolchainsTest(TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Heeld()
        cls.cli = Cli(HEEL_ADDRESS=cls.server.address)
        cls.cache = places.make_base()
        cls.cache.chmod(0o777)

    @classmethod
    def tearDownClass(cls):
        assert cls.server.stop() == 0
        assert not cls.server.leftovers(), cls.server.leftovers()

    def build(self, toolchain, level):
        flags = ["--env", f"ROOT={toolchain.root}", "--env", f"CACHE={self.cache}"]
        if level != "permissive":
            flags += ["--executable", toolchain.root, "--writable", self.cache]
        answer = self.cli("run", "--level", level, *flags, "sh", "-c", f"{{ {toolchain.script}\n}} && echo fine", timeout=600)
        self.assertEqual((answer.returncode, answer.stdout.splitlines()[-1:]), (0, ["fine"]), answer)

    def test_each(self):
        usable = [toolchain for toolchain in toolchains() if toolchain.usable()]
        missing = {"go", "rust", "cargo"} - {toolchain.name for toolchain in usable}
        if missing:
            print(f"SKIP: not on this machine, or not for this user: {', '.join(sorted(missing))}")
        if not usable:
            raise Skip("none of them is on this machine")
        for toolchain in usable:
            for level in LEVELS:
                if level == "permissive" and toolchain.in_a_home():
                    continue  # which takes a grant, and that level has none
                with self.subTest(f"{toolchain.name}, {level}"):
                    self.build(toolchain, level)


if __name__ == "__main__":
    main()
