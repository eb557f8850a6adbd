"""Properties of heeld's own dealings with what code leaves for it: files that it looks at later,
names that it tells, programs that it starts; and what it was given itself."""

import os
import shutil
import socket
import subprocess

import grpc

from heeltest import ExecCall, Heeld, pb, places, process_pb
from matrix import LEVELS, SECONDS, Result, spec_of
from properties import ALL, DEFAULT, READERS
from stage import TOKEN

ESCAPES = "\x1b]0;title\x07\x1b[31m"
REFUSALS = (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.NOT_FOUND)
FLIPS = 40
HOSTILE = b"\xff\x1b[2J\n\t"


def _text(answer):
    return (answer.stdout + answer.stderr).decode(errors="replace")


def _judge(ways, way, held, detail):
    ways[way] = ("shut" if held else "open", str(detail).strip()[:80] or "nothing")


# ---- between sandboxes


def shared_socket(at, level):
    """Two sandboxes work in one folder: a socket of the first there is none of the second's."""
    cell = at.stage.cell()
    first, second = at.create(level, cell), at.create(level, cell)
    path = str(cell / "socket")
    listener = ExecCall(at.stub, at.probe("listen_unix"), path, sandbox_id=first)
    listener.read_until(b"listening\n")
    command = process_pb.Command(argv=[at.probe("unix_stream")], environment={"SOCKET": path})
    answer = at.stub.RunCommand(pb.RunCommandRequest(sandbox_id=second, command=command), timeout=SECONDS)
    listener.cancel()
    for sandbox in (first, second):
        at.delete(sandbox)
    shutil.rmtree(cell, ignore_errors=True)
    return Result.read(_text(answer))


def neighbours_files(at, level):
    """The ephemeral folder of one sandbox, by its path on the host, in another."""
    ways, owner, other = {}, at.create(level), at.create(level)
    at.run(owner, "sh", "-c", "echo secret >file; chmod -R a+rwX .")
    folder = at.stub.GetSandbox(pb.GetSandboxRequest(sandbox_id=owner), timeout=SECONDS).sandbox.host_working_dir
    said = _text(at.run(other, "sh", "-c", f"cat {folder}/file; ls {folder}"))
    _judge(ways, "read", "secret" not in said and "file\n" not in said, said)
    at.run(other, "sh", "-c", f"echo changed >{folder}/file; echo >{folder}/made; chmod 0 {folder}")
    said = _text(at.run(owner, "sh", "-c", "cat file; ls"))
    _judge(ways, "write", said == "secret\nfile\n", said)
    for sandbox in (owner, other):
        at.delete(sandbox)
    return Result(ways)


# ---- paths that come later, or lead elsewhere


def _made_before_the_next(at, level, ways):
    """Sandboxes that nothing sets apart: the launcher has what they begin with ready."""
    request = pb.RunCommandRequest(
        spec=pb.SandboxSpec(level=LEVELS[level]), command=process_pb.Command(argv=["cat", str(at.stage.later)])
    )
    for _ in range(5):
        at.stub.RunCommand(request, timeout=SECONDS)
    at.stage.later.parent.mkdir()
    at.stage.later.write_text(TOKEN)
    for way in ("before the next sandbox", "and one more"):
        said = _text(at.stub.RunCommand(request, timeout=SECONDS))
        _judge(ways, way, TOKEN not in said, said)
    shutil.rmtree(at.stage.later.parent)


def made_later(at, level):
    """What is denied or protected, and made outside only after the sandbox."""
    ways, cell = {}, at.stage.cell()
    spec = spec_of(at.stage, level, cell, environment=at.stage.environment.items())
    spec.filesystem.paths.append(pb.PathRule(path=str(cell / "later"), access=pb.PATH_ACCESS_DENY))
    try:
        denied = at.stub.CreateSandbox(pb.CreateSandboxRequest(spec=spec), timeout=SECONDS).sandbox.sandbox_id
        (cell / "later").mkdir()
        (cell / "later/secret").write_text(TOKEN)
        said = _text(at.run(denied, "cat", str(cell / "later/secret")))
        _judge(ways, "denied", TOKEN not in said, said)
        at.delete(denied)
    except grpc.RpcError as error:
        _judge(ways, "denied", error.code() in REFUSALS, "refused: " + error.details())
    sandbox = at.create(level, cell)
    later = at.stage.home / ".later"
    later.mkdir()
    (later / "secret").write_text(TOKEN)
    said = _text(at.run(sandbox, "cat", str(later / "secret")))
    _judge(ways, "in a home", TOKEN not in said, said)
    at.delete(sandbox)
    shutil.rmtree(later)
    _made_before_the_next(at, level, ways)
    shutil.rmtree(cell, ignore_errors=True)
    return Result(ways)


def mounted_later(at, level):
    """A home that is mounted elsewhere after the sandbox was made, in a place where it looks."""
    if os.geteuid() != 0:
        return Result({"read": ("absent", "it takes root to mount")})
    point, folder = at.stage.base / "plug", at.stage.home.name
    sandbox = at.create(level)
    subprocess.run(["mount", "--bind", at.stage.home.parent, point / "later"], check=True)
    try:
        said = _text(at.run(sandbox, "cat", str(point / "later" / folder / "secret")))
        visible = _text(at.run(sandbox, "cat", "/proc/self/mountinfo"))
    finally:
        subprocess.run(["umount", point / "later"], check=True)
    at.delete(sandbox)
    ways = {}
    _judge(ways, "read", TOKEN not in said, said)
    _judge(ways, "see the mount", str(point / "later") not in visible, "mountinfo")
    return Result(ways)


def planted_links(at, level):
    """Names that heeld looks for lead out of the working directory when the next sandbox is made."""
    ways, cell, stage = {}, at.stage.cell(), at.stage
    leads = {
        ".git": stage.home, "a/.git": stage.outside, ".vscode": stage.outside, ".bashrc": stage.home / "secret",
        ".envrc": stage.outside / "plain", ".claude": "/etc", "b/.git/hooks": stage.outside, "c": stage.home,
    }  # fmt: skip
    for name, target in leads.items():
        (cell / name).parent.mkdir(parents=True, exist_ok=True)
        (cell / name).symlink_to(target)
    (cell / "d").mkdir()
    (cell / "d/.git").write_text(f"gitdir: {stage.home}\n")
    before = (stage.outside / "plain").read_text()
    try:
        sandbox = at.create(level, cell)
    except grpc.RpcError as error:
        return at.judged("create", error.code() in REFUSALS, error.details()[:80])
    said = _text(at.run(sandbox, "sh", "-c", "cat .git/secret .bashrc c/secret d/.git/secret"))
    _judge(ways, "read", TOKEN not in said, said)
    said = _text(at.run(sandbox, "sh", "-c", "for f in a/.git .vscode b/.git/hooks; do echo x >$f/plain; echo x >$f/new; done; echo x >.envrc"))
    intact = (stage.outside / "plain").read_text() == before and not (stage.outside / "new").exists()
    _judge(ways, "write", intact, said)
    at.delete(sandbox)
    _judge(ways, "remove", (stage.outside / "plain").exists() and (stage.home / "secret").exists(), "what they lead to")
    shutil.rmtree(cell, ignore_errors=True)
    return Result(ways)


def flipped_grant(at, level):
    """A granted folder that is, half of the time, a link into a home: by the time it is looked at."""
    ways, cell = {}, at.stage.cell()
    (cell / "out").mkdir()
    (cell / "link").symlink_to(at.stage.home)
    cell.chmod(0o777)
    flipper = at.create(level, cell)
    call = ExecCall(at.stub, at.probe("flip"), sandbox_id=flipper)
    call.read_until(b"flipping\n")
    made = refused = 0
    told = ""
    for _ in range(FLIPS):
        spec = spec_of(at.stage, level)
        spec.filesystem.paths.append(pb.PathRule(path=str(cell / "out"), access=pb.PATH_ACCESS_READ))
        command = process_pb.Command(argv=["cat", str(cell / "out/secret"), str(cell / "link/secret"), str(at.stage.home / "secret")])
        try:
            told += _text(at.stub.RunCommand(pb.RunCommandRequest(spec=spec, command=command), timeout=SECONDS))
            made += 1
        except grpc.RpcError:
            refused += 1
    call.cancel()
    at.delete(flipper)
    shutil.rmtree(cell, ignore_errors=True)
    _judge(ways, "read", TOKEN not in told, f"granted {made} times, refused {refused} times")
    return Result(ways)


def folder_of_command(at, level):
    """A command's working directory is a link that an earlier command made, out of the sandbox."""
    ways, cell = {}, at.stage.cell()
    sandbox = at.create(level, cell)
    at.run(sandbox, "sh", "-c", f"ln -s {at.stage.home} home; ln -s {at.stage.outside} out; ln -s /proc/1/root root; ln -s /proc/1/cwd cwd")
    for name, secret in (("home", "secret"), ("out", "secret"), ("root", "etc/shadow"), ("cwd", "secret")):
        if name == "out" and level == DEFAULT:
            continue  # which may read it
        command = process_pb.Command(argv=["cat", secret], working_dir=str(cell / name))
        try:
            request = pb.RunCommandRequest(sandbox_id=sandbox, command=command)
            said = at.stub.RunCommand(request, timeout=SECONDS)
            _judge(ways, name, not said.stdout, _text(said))
        except grpc.RpcError as error:
            _judge(ways, name, error.code() in REFUSALS, error.details())
    at.delete(sandbox)
    shutil.rmtree(cell, ignore_errors=True)
    return Result(ways)


def granted_state(at, level):
    """Grants of heel's own folder, or of one around it."""
    ways = {}
    for way, path in (("itself", at.server.state), ("the one around it", at.server.base)):
        for access in (pb.PATH_ACCESS_READ, pb.PATH_ACCESS_WRITE):
            spec = spec_of(at.stage, level)
            spec.filesystem.paths.append(pb.PathRule(path=str(path), access=access))
            command = process_pb.Command(argv=["sh", "-c", f"ls {at.server.state}/*; echo x >{at.server.state}/made"])
            try:
                said = at.stub.RunCommand(pb.RunCommandRequest(spec=spec, command=command), timeout=SECONDS)
                found = said.stdout.decode(errors="replace")
            except grpc.RpcError as error:
                found = "" if error.code() in REFUSALS else error.details()
            name = f"{way}, {pb.PathAccess.Name(access)[len('PATH_ACCESS_'):].lower()}"
            _judge(ways, name, not found and not (at.server.state / "made").exists(), found)
    return Result(ways)


def granted_kernel(at, level):
    """Grants of folders in which the kernel shows itself, or of all there is."""
    ways, pid = {}, at.stage.environment["VICTIM_PID"]
    for path in ("/proc", "/dev", "/sys", "/"):
        spec = spec_of(at.stage, level)
        spec.filesystem.paths.append(pb.PathRule(path=path, access=pb.PATH_ACCESS_WRITE))
        tried = f"cat /proc/{pid}/cmdline; cat /proc/sysrq-trigger; head -c 9 /dev/kmsg; head -c 9 /dev/mem; cat {at.stage.home}/secret"
        tried += "; for f in /proc/sys/kernel/core_pattern /sys/power/state /sys/kernel/uevent_helper; do true 2>&- >>$f && echo $f; done"
        try:
            command = process_pb.Command(argv=["sh", "-c", tried])
            said = at.stub.RunCommand(pb.RunCommandRequest(spec=spec, command=command), timeout=SECONDS)
            found = said.stdout.decode(errors="replace")
        except grpc.RpcError as error:
            found = "" if error.code() in REFUSALS else error.details()
        _judge(ways, path, not found, found)
    return Result(ways)


def kept_output(at, level):
    """A daemon that keeps its command's output open doesn't keep the caller waiting."""
    sandbox, ways = at.create(level), {}
    try:
        said = _text(at.run(sandbox, "sh", "-c", "sleep 600 & echo fine"))
        _judge(ways, "RunCommand", said == "fine\n", said)
    except grpc.RpcError as error:
        _judge(ways, "RunCommand", False, error.details())
    at.delete(sandbox)
    return Result(ways)


def with_terminal(at, level):
    """What types into terminals, from a command that has one."""
    sandbox = at.create(level)
    call = ExecCall(at.stub, at.probe("terminal"), sandbox_id=sandbox, terminal=process_pb.Terminal(rows=24, columns=80))
    said = call.finish().stdout.decode(errors="replace").replace("\r", "")
    at.delete(sandbox)
    return Result.read(said)


# ---- what heeld or init could stumble over


def traps(at, level):
    """A folder full of what blocks, loops or is closed, in names that heeld looks at: one sandbox
    makes it, and the next ones get it."""
    cell, ways = at.stage.cell(), {}
    script = """
        mkfifo .git; mkdir a b c d e; mkfifo a/.git b/.bashrc; mkdir b/.git; mkfifo b/.git/HEAD b/.git/config
        ln -s .git c/.git; mkdir d/.git; chmod 0 d/.git; mkfifo .vscode; truncate -s 1T e/.git
        mkdir f; ln -s .. f/up; ln -s f/up/f/up/f/up loop; i=0
        while [ $i -lt 100 ]; do mkdir -p many/$i; echo "gitdir: /proc/self/fd/0" >many/$i/.git; i=$((i+1)); done
    """
    try:
        sandbox = at.create(level, cell)
        at.run(sandbox, "sh", "-c", script)
        at.delete(sandbox)
        for way in ("create the next", "and one more"):
            sandbox = at.create(level, cell)
            said = _text(at.run(sandbox, "echo", "fine"))
            at.delete(sandbox)
            _judge(ways, way, said == "fine\n", said)
    except grpc.RpcError as error:
        _judge(ways, "create", error.code() != grpc.StatusCode.DEADLINE_EXCEEDED, error.details())
    subprocess.run(["chmod", "-R", "u+rwX", cell], stderr=subprocess.DEVNULL, check=False)
    shutil.rmtree(cell, ignore_errors=True)
    return Result(ways)


def blocked_starts(at, level):
    """While a command hangs in its start, if it does, others start."""
    ways, cell = {}, at.stage.cell()
    sandbox = at.create(level, cell)
    at.run(
        sandbox, "sh", "-c",
        "mkfifo fifo; chmod 755 fifo; printf '#!%s/fifo\\n' $PWD >script; printf '#!/proc/self/fd/0\\n' >stdin;"
        "ln -s loop loop; mkdir folder; printf '\\177ELF' >broken; printf '#!./self\\n' >self; chmod 755 *",
    )  # fmt: skip
    for name in ("fifo", "script", "stdin", "loop", "folder", "broken", "self"):
        call = ExecCall(at.stub, f"./{name}", sandbox_id=sandbox)
        try:
            said = _text(at.run(sandbox, "echo", "fine"))
            _judge(ways, name, said == "fine\n", said)
        except grpc.RpcError as error:
            _judge(ways, name, False, error.details())
        call.cancel()
    try:
        command = process_pb.Command(argv=["true"], working_dir=str(cell / "fifo"))
        status = at.stub.RunCommand(pb.RunCommandRequest(sandbox_id=sandbox, command=command), timeout=SECONDS).status
        _judge(ways, "a pipe as its folder", status.code != 0, status.message)
    except grpc.RpcError as error:
        _judge(ways, "a pipe as its folder", error.code() != grpc.StatusCode.DEADLINE_EXCEEDED, error.details())
    at.delete(sandbox)
    shutil.rmtree(cell, ignore_errors=True)
    return Result(ways)


# ---- what it tells


def told_raw(at, level):
    """What a sandbox chose comes to no terminal and into no log as it is."""
    ways, sandbox = {}, at.create(level)
    answer = subprocess.run(
        [places.binary("heelcli"), "exec", sandbox, "--", ESCAPES + "missing"],
        env={"HEEL_ADDRESS": at.server.address, "HOME": "/"}, capture_output=True, stdin=subprocess.DEVNULL, timeout=SECONDS, check=False,
    )  # fmt: skip
    _judge(ways, "heelcli", b"missing" in answer.stderr and b"\x1b" not in answer.stderr, answer.stderr)
    at.run(sandbox, "sh", "-c", "mkdir -p \"$(printf '%b' '\\033[31m')/.git/hooks\"")
    at.delete(sandbox)
    _judge(ways, "heeld's log", "\x1b" not in at.server.log, "no escape")
    return Result(ways)


def hostile_names(at, level):
    """Repositories whose names are no text: heeld's answers stay readable."""
    ways, cell = {}, at.stage.cell()
    for name in (HOSTILE, b"a" * 255, b"'\"$(x)", b"..."):
        os.makedirs(os.path.join(bytes(cell), name, b".git/objects"))
        os.makedirs(os.path.join(bytes(cell), name, b".git/refs"))
        with open(os.path.join(bytes(cell), name, b".git/HEAD"), "w") as head:
            head.write("ref: refs/heads/main\n")
    try:
        sandbox = at.create(level, cell)
        at.stub.GetSandbox(pb.GetSandboxRequest(sandbox_id=sandbox), timeout=SECONDS)
        at.run(sandbox, "sh", "-c", "for d in *; do mkdir -p \"new/$d/.git/hooks\"; cp \"$d/.git/HEAD\" \"new/$d/.git\"; done")
        at.stub.DeleteSandbox(pb.DeleteSandboxRequest(sandbox_id=sandbox), timeout=SECONDS)
        _judge(ways, "delete", True, "answered")
    except grpc.RpcError as error:
        _judge(ways, "answer", False, error.details())
    shutil.rmtree(bytes(cell), ignore_errors=True)
    return Result(ways)


# ---- what it was given


class Favoured(Heeld):
    """Has what an administrator gives a service that is to stay up, and a secret."""

    def command(self):
        favours = ["nice", "-n", "-5", "ionice", "-c", "1", "chrt", "--rr", "1"] if os.geteuid() == 0 else []
        return ["env", "API_TOKEN=" + TOKEN.strip(), "sh", "-c", 'umask 0; trap "" HUP PIPE; exec "$0" "$@"', *favours, *super().command()]


def favours(at, level):
    """What heeld was given, its sandboxes don't have."""
    base = at.stage.root / f"favoured-{level}"
    base.mkdir()
    server = Favoured(base=base, environment=at.server.environment)
    try:
        spec = spec_of(at.stage, level)
        command = process_pb.Command(argv=[at.probe("favours")])
        answer = server.stub.RunCommand(pb.RunCommandRequest(spec=spec, command=command), timeout=SECONDS)
    finally:
        server.stop()
    return Result.read(_text(answer))


def nested(at, level):
    """heel in heel: it starts a sandbox or says why it doesn't, and never one that is none."""
    sandbox, ways = at.create(level), {}
    shutil.copy(places.binary("heelcli"), at.stage.readable)
    shutil.copy(places.binary("heeld"), at.stage.readable)
    answer = at.run(sandbox, str(at.stage.readable / "heelcli"), "run", "--", "sh", "-c", "echo ran >/tmp/inner; id")
    said = _text(answer)
    ran = _text(at.run(sandbox, "cat", "/tmp/inner"))
    _judge(ways, "inside", answer.status.code != 0 and "ran" not in ran, said)
    at.delete(sandbox)
    return Result(ways)


FEW = (DEFAULT,)

# As in scenarios.py.
PLANTED = [
    ("I10", "a socket in a shared folder belongs to the sandbox that made it (I09)", "connect from another", READERS, shared_socket, "see I02"),
    ("F31b", "another sandbox's folder is out of reach", "by its path on the host: list, read, write", ALL, neighbours_files, "see F31"),
    ("F10", "what is denied or protected is so when it comes later", "a denied folder, a folder in a home; a file outside of homes before the next sandbox", READERS, made_later, "nothing is denied outside"),
    ("A28", "what is mounted later doesn't show", "a home, mounted a second time meanwhile", FEW, mounted_later, "the mount is outside's"),
    ("F23", "names that are looked for lead nowhere", "links as .git, .vscode, .bashrc, hooks; gitdir files", READERS, planted_links, "nobody looks for them outside"),
    ("A30", "a grant isn't racy", "40 sandboxes are granted a folder that becomes a link all the time", FEW, flipped_grant, "nothing is granted outside"),
    ("A32", "a command's terminal is for reading and writing only (P12)", "TIOCSTI, TIOCLINUX, TIOCCONS, TIOCSETD", FEW, with_terminal, "see P12"),
    ("A39", "a command's folder leads nowhere", "links to a home, outside, /proc/1/root and cwd as its working directory", READERS, folder_of_command, "see F01"),
    ("A40", "no grant opens heel's own folder", "of it, of the one around it", READERS, granted_state, "nothing is granted outside"),
    ("A41", "no grant brings the host's processes, devices or settings in", "of /proc, /dev, /sys, /", READERS, granted_kernel, "nothing is granted outside"),
    ("A42", "a daemon doesn't keep its command's caller waiting", "it keeps the output open", FEW, kept_output, "there is no caller outside"),
    ("A24", "nothing in a folder holds up who makes the next sandbox on it", "pipes, loops, closed folders, a file of 1 TB, 100 repositories, where .git is looked for", FEW, traps, "nobody looks for them outside"),
    ("A25", "a command that doesn't come to start holds up no other", "a pipe, a script of a pipe, of its input, of itself, a broken program", FEW, blocked_starts, "there is no init of ours outside"),
    ("A26", "what a sandbox chose is told in plain letters", "escape sequences in names", FEW, told_raw, "nothing is told outside"),
    ("A27", "names that are no text spoil no answer", "repositories called so", READERS, hostile_names, "nothing is told outside"),
    ("A29", "what heeld was given isn't passed on", "niceness, disk and realtime priority, umask, ignored signals, environment", FEW, favours, "heeld has them"),
    ("A33", "heel in heel refuses, or confines", "heelcli run in a sandbox", FEW, nested, "outside it is heel as it is"),
]
