"""Where things lie: in Bazel's runfiles, or in a checkout when a test is run by hand.

By hand, HEEL_TEST_BINARIES names the folder that holds server/heeld and clients/c/heelcli.
"""

import atexit
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

TOP = pathlib.Path(os.path.abspath(__file__)).parents[3]  # unresolved: runfiles are links
PROTO = TOP / "proto"
BINARIES = pathlib.Path(os.environ.get("HEEL_TEST_BINARIES", TOP))

# What --namespaces every heeld of a test is started with, if any: "never" runs it all without.
NAMESPACES = "never" if "--without-namespaces" in sys.argv else os.environ.get("HEEL_TEST_NAMESPACES", "")

_PATHS = {"heeld": "server/heeld", "heelcli": "clients/c/heelcli", "race": "tests/connect/race"}
_copies = None


MADE_UP_UIDS = 200_000_000  # and above: runner.py takes one that nobody has


def is_made_up(uid):
    return MADE_UP_UIDS <= uid < 2 * MADE_UP_UIDS


def make_base():
    """A short-named folder that everybody may enter; removed at exit by whoever made it."""
    base = pathlib.Path(tempfile.mkdtemp(prefix="ht-", dir="/tmp"))
    base.chmod(0o755)
    atexit.register(_remove, base, os.getpid())
    return base


def _remove(base, maker):
    if os.getpid() == maker:
        shutil.rmtree(base, ignore_errors=True)


def lends(folder="/tmp"):
    """Whether what this user owns there, by default in make_base(), is its sandboxes' as well: root's is
    lent by id-mapped mounts, which overlayfs doesn't have."""
    kind = subprocess.run(["stat", "-f", "-c", "%T", folder], capture_output=True, text=True, check=True).stdout
    return os.geteuid() != 0 or kind.strip() != "overlayfs"


def copy_binaries():
    """Bazel's folders can be closed to the user that the tests become: copies can't."""
    global _copies
    _copies = make_base()
    for name, path in _PATHS.items():
        if (BINARIES / path).exists():
            shutil.copy(BINARIES / path, _copies / name)
            (_copies / name).chmod(0o755)


def binary(name):
    path = _copies / name
    if not path.exists():
        raise FileNotFoundError(f"{BINARIES / _PATHS[name]}: build it, or give HEEL_TEST_BINARIES")
    return str(path)
