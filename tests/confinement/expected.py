"""What is known not to hold. Nothing here may be weaker than what heel reports: a protection that is
named must be DEGRADED or DISABLED in the sandbox's report, and None is for what the report promises
nothing of."""

import dataclasses
import os

from heeltest import places
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
    "A03": Weakness((PERMISSIVE,), "ACTING_FILES", "the kernel keeps the bit when a file is written by a shared mapping"),
    "R12f": Weakness((DEFAULT,), "KERNEL_QUOTAS", "the kernel counts it per user, whose sandboxes share that", users=("user",)),
}


SEEN = "nothing covers what lies there: it can be seen, and not opened"
UNMOUNTED = "without mounts the grant of a folder is a grant of all in it"
NOT_SEEN = "neither Landlock nor the filter sees which file it is"

# Instead of those above, where there are no namespaces (heeld --namespaces=never).
WITHOUT_NAMESPACES = {
    "F04": Weakness(READERS, "METADATA", NOT_SEEN, users=("user",)),
    "F05": Weakness(READERS, "HIDDEN_PATHS", SEEN),
    "F07": Weakness(ALL, "PROCESSES", "there is one /proc, and a number of a process is told by what kill answers"),
    "F07b": Weakness(ALL, "PROCESSES", "the same"),
    "F12": Weakness(READERS, "ACTING_FILES", UNMOUNTED, users=("user",)),
    "F13": dataclasses.replace(EXPECTED["F13"], users=("user",)),
    "A03": dataclasses.replace(EXPECTED["A03"], levels=ALL, users=("user",)),
    "F24": Weakness(ALL, "HIDDEN_PATHS", SEEN),
    "F28": Weakness(READERS, "WRITE_XOR_EXECUTE", "there are no mounts that forbid mapping"),
    "F30": Weakness(READERS, "METADATA", NOT_SEEN, users=("user",)),
    "F31": Weakness(ALL, None, "its name is there, and it refuses", ways=("see its socket",)),
    "F31b": Weakness(ALL, "METADATA", NOT_SEEN, ways=("write",), users=("user",)),
    "A12": Weakness(READERS, "ACTING_FILES", UNMOUNTED, users=("user",)),
    "P04": Weakness(ALL, None, "the kernel takes the wish and sends nothing: the victim would tell", ways=("F_SETOWN and SIGIO", "F_SETOWN of its group")),
    "P14": Weakness(ALL, "HIDDEN_PATHS", SEEN, ways=("see",)),
    "A05": Weakness(ALL, None, "dropping it takes a capability, and with no_new_privs nothing comes of it", ways=("bounding set",), users=("user",)),
    "A36": Weakness(ALL, "HIDDEN_PATHS", "they are the sandbox's own, too"),
    "I01": Weakness((DEFAULT, PERMISSIVE), None, "there is one /proc/net, and connecting is refused", ways=("see it",)),
    "A23": Weakness((DEFAULT, PERMISSIVE), None, "there is one /proc/net and /sys/class/net; nothing there can be reached"),
    "A28": Weakness((DEFAULT,), "HIDDEN_PATHS", "a mount that comes later lies where reading is allowed", users=("root",)),
    "R12d": Weakness((DEFAULT,), "KERNEL_QUOTAS", "the kernel counts it per user", users=("user",)),
    "R12i": Weakness((DEFAULT,), "KERNEL_QUOTAS", "the same", users=("user",)),
}

NO_SOCKETS = "nothing can be bound or listened on: there is no loopback of the sandbox's own"
NO_TERMINALS = "there are no terminals without a devpts of the sandbox's own"

NOT_APPLICABLE_WITHOUT_NAMESPACES = {
    "N10": NO_SOCKETS,
    "A10": NO_SOCKETS,
    "A11": NO_SOCKETS,
    "I10": NO_SOCKETS,
    "P12": NO_TERMINALS,
    "A32": NO_TERMINALS,
}


NEVER = places.NAMESPACES == "never"
WEAKNESSES = {**EXPECTED, **WITHOUT_NAMESPACES} if NEVER else EXPECTED
NOT_APPLICABLE = NOT_APPLICABLE_WITHOUT_NAMESPACES if NEVER else {}


def weakness(row, level):
    """What is expected of this cell; None if it is to hold."""
    found = WEAKNESSES.get(row)
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
