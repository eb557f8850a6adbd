"""Runs a test file's cases, as root twice: as root, and as an ordinary user that nobody else is."""

import atexit
import os
import sys
import tempfile
import unittest

from heeltest import places

PASSED, FAILED, SKIPPED = 0, 1, 77


def _become_ordinary():
    uid = places.MADE_UP_UIDS + os.getpid()
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    home = places.make_base()
    home.chmod(0o700)
    os.environ.update(HOME=str(home), USER="tester", LOGNAME="tester")
    for name in ("XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        os.environ.pop(name, None)


def _run_cases(arguments):
    """All that the test file holds, or what the arguments name."""
    module = sys.modules["__main__"]
    loader = unittest.defaultTestLoader
    suite = loader.loadTestsFromNames(arguments, module) if arguments else loader.loadTestsFromModule(module)
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    for test, reason in result.skipped:
        print(f"SKIP: {test}: {reason}", file=sys.stderr)
    if not result.wasSuccessful():
        return FAILED
    # A class that was skipped as a whole is in result.skipped, and not counted in testsRun.
    if result.testsRun == sum(isinstance(test, unittest.TestCase) for test, _ in result.skipped):
        return SKIPPED
    return PASSED


def _run_as(ordinary, output, arguments):
    """In a child, which is all that knows gRPC; the child's pid."""
    pid = os.fork()
    if pid > 0:
        return pid
    os.dup2(output.fileno(), 1)
    os.dup2(output.fileno(), 2)
    status = FAILED
    try:
        if ordinary:
            _become_ordinary()
        status = _run_cases(arguments)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        atexit._run_exitfuncs()
        os._exit(status)


def _report(name, output, status):
    output.seek(0)
    print(f"==== as {name}", file=sys.stderr)
    sys.stderr.write(output.read().decode(errors="replace"))
    return FAILED if status not in (PASSED, SKIPPED) else status


def main_once():
    """As main(), for a test to which it makes no difference who runs it: once, as whoever that is."""
    places.copy_binaries()
    sys.exit(_run_cases(sys.argv[1:]))


def main():
    """The end of every test file. Arguments name cases as in `SandboxTest.test_create`; --root and
    --user restrict who runs them."""
    arguments = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
    places.copy_binaries()
    names = ["root", "user"] if os.geteuid() == 0 else ["user"]
    names = [name for name in names if "--root" not in sys.argv or name == "root"]
    names = [name for name in names if "--user" not in sys.argv or name == "user"]
    outputs = {name: tempfile.TemporaryFile() for name in names}
    children = {
        name: _run_as(name == "user" and os.geteuid() == 0, outputs[name], arguments) for name in names
    }
    statuses = []
    for name, pid in children.items():
        _, status = os.waitpid(pid, 0)
        statuses.append(_report(name, outputs[name], os.waitstatus_to_exitcode(status)))
    if FAILED in statuses:
        sys.exit(FAILED)
    sys.exit(PASSED if PASSED in statuses else SKIPPED)
