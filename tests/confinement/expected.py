"""What is known not to hold. Nothing here may be weaker than what heel reports: a protection that is
named must be DEGRADED or DISABLED in the sandbox's report, and None is for what the report promises
nothing of."""

import dataclasses
import os

from properties import ALL, DEFAULT, PERMISSIVE, READERS

BOTH = ("root", "user")


@dataclasses.dataclass(frozen=True)
class Weakness:
    levels: tuple
    protection: str | None  # of heel.v1.Protection
    reason: str
    ways: tuple = ()  # of the probe; empty: any
    users: tuple = BOTH  # that it is so for


EXPECTED = {
    "F13": Weakness(READERS, None, "what isn't there can't be kept from being made: it is found and named when the sandbox ends"),
    "F20": Weakness(ALL, "WRITE_XOR_EXECUTE", "there is no list of programs that may be run: whatever can be read or made can be run"),
    "F30b": Weakness(READERS, "METADATA", "whoever may read a file may lock it"),
    "F31": Weakness((DEFAULT, PERMISSIVE), None, "its name is there, and it refuses", ways=("see its socket",)),
    "A03": Weakness(ALL, None, "the kernel keeps the bit when a file is written by a shared mapping"),
    "R12f": Weakness((DEFAULT,), "KERNEL_QUOTAS", "the kernel counts it per user, whose sandboxes share that", users=("user",)),
}


def weakness(row, level):
    """What is expected of this cell; None if it is to hold."""
    found = EXPECTED.get(row)
    user = "root" if os.geteuid() == 0 else "user"
    return found if found and level in found.levels and user in found.users else None


# Ways that no control can show to work, so that their being shut proves less.
UNSHOWN = {
    ("F01c", "hard link"): "no link leads from one mount to another",
    ("F01c", "rename"): "the same",
    ("F18", "/dev/vda"): "a disk may be in use, and then root can't open it either",
    ("F21", "/proc/sys/user/max_user_namespaces"): "root lacks CAP_SYS_RESOURCE in many containers",
    ("F21", "/proc/sys/user/max_inotify_instances"): "the same",
    ("A17", "RLIMIT_RTPRIO"): "root lacks CAP_SYS_RESOURCE in many containers",
    ("A34", "oom_score_adj -999"): "the same",
    ("A34", "oom_score_adj one less"): "the same",
    ("A37", "another program"): "the same",
    ("A37", "other memory"): "the same",
    ("A37", "a disk's helper"): "the same",
    ("A37", "a user map"): "it is written once, by who makes the namespace",
    ("A37", "a group map"): "the same",
    ("P12", "TIOCCONS"): "root would get the console's messages",
    ("K08", "the user namespace above"): "there is none above the host's",
    ("K08", "the pid namespace above"): "there is none above the host's",
    ("K09", "keyctl SESSION_TO_PARENT"): "it takes a parent with a session keyring",
    ("K14", "ping"): "ping_group_range is empty by default",
    ("K14", "ping, IPv6"): "ping_group_range is empty by default",
    ("A05", "supplementary groups"): "neither user of this test has any",
}
