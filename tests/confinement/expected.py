"""What is known not to hold. Nothing here may be weaker than what heel reports: a protection that is
named must be DEGRADED in the report, and None is for what the report promises nothing of."""

import dataclasses

from properties import ALL


@dataclasses.dataclass(frozen=True)
class Weakness:
    levels: tuple
    protection: str | None  # of heel.v1.Protection
    reason: str
    ways: tuple = ()  # of the probe; empty: any


EXPECTED = {
    "I02b": Weakness(ALL, "HOST_SOCKETS", "below Landlock ABI 9 a stream socket that can be seen can be connected to"),
    "F12": Weakness(ALL, None, "files that act outside later are not protected yet"),
    "F20": Weakness(ALL, None, "there is no list of programs that may be run: whatever can be read or made can be run"),
}

# Ways that no control can show to work, so that their being shut proves less.
UNSHOWN = {
    ("F01c", "hard link"): "no link leads from one mount to another",
    ("F01c", "rename"): "the same",
    ("F18", "/dev/vda"): "a disk may be in use, and then root can't open it either",
    ("F21", "/proc/sys/user/max_user_namespaces"): "root lacks CAP_SYS_RESOURCE in many containers",
    ("F21", "/proc/sys/user/max_inotify_instances"): "the same",
    ("P12", "TIOCCONS"): "root would get the console's messages",
    ("K08", "the user namespace above"): "there is none above the host's",
    ("K08", "the pid namespace above"): "there is none above the host's",
    ("K09", "keyctl SESSION_TO_PARENT"): "it takes a parent with a session keyring",
    ("K14", "ping"): "ping_group_range is empty by default",
    ("K14", "ping, IPv6"): "ping_group_range is empty by default",
    ("X05", "supplementary groups"): "neither user of this test has any",
}
