"""The properties: each one is a probe, aimed at sandboxes of some levels and at nothing (control)."""

import dataclasses

STRICT, DEFAULT, PERMISSIVE = "strict", "default", "permissive"
ALL, READERS = (STRICT, DEFAULT, PERMISSIVE), (STRICT, DEFAULT)


@dataclasses.dataclass(frozen=True)
class Property:
    """id: of the catalogue, or A and a number where that has none. tried: what the probe does."""

    id: str
    title: str
    tried: str
    probe: str
    levels: tuple = ALL
    env: tuple = ()  # pairs; a value of "@NAME" is that of the stage
    denied: bool = False  # the spec denies denied/ and deep/denied/
    needs_mounts: bool = False  # of the stage, which only root can make
    apart: bool = False  # the spec says write_xor_execute
    control: str = ""  # why there is none, where there is none


PROPERTIES = (
    # ---- files
    Property("F01", "protected files can't be read", "open, openat2, /proc/*/root, links, rename", "read_hidden", READERS),
    Property("F01b", "STRICT reads nothing that was not granted", "the same on an ungranted folder", "read_hidden", (STRICT,), (("SECRET", "@OUTSIDE_SECRET"),)),
    Property("F01c", "protected files can't be read where they are mounted a second time", "the same on a bind mount", "read_hidden", READERS, (("SECRET", "@ALIAS_SECRET"),), needs_mounts=True),
    Property("F02", "nothing is written outside the grants", "create, truncate, rename, link, mkdir, mkfifo, O_TMPFILE", "write_outside", READERS),
    Property("F03", "STRICT runs nothing that was not granted", "execve, ld.so, mmap PROT_EXEC", "exec_outside", (STRICT,)),
    Property("F04", "no metadata is changed outside the grants", "chmod, utimes, chown, xattr, by path and O_PATH", "metadata_outside", READERS),
    Property("F05", "nobody learns that a protected file exists", "stat, statx, access, O_PATH, statfs, xattr, inotify, chdir", "stat_hidden", READERS),
    Property("F06", "init's memory, environment and files stay its own", "/proc/1/*", "other_processes_files"),
    Property("F07", "processes outside are invisible", "/proc listing, command lines, getpgid", "process_list"),
    Property("F07b", "nor by another /proc of the host's", "a second procfs among the host's mounts", "process_list", ALL, (("PROC", "@OTHER_PROC"),), needs_mounts=True),
    Property("F08", "a denied path is denied by every alias", "links, dots, rename, exchange, openat2, O_PATH", "deny_aliases", denied=True),
    Property("F09", "the denial isn't racy", "a thread flips the path, another a link", "deny_race", denied=True),
    Property("F12", "what acts outside later stays as it is (F11)", "git hooks and config, nested repositories, submodules, .vscode, rc files", "acts_outside_later", READERS, (("ACTING", "acting"),)),
    Property("F13", "nor is it made where there was none", "the same in a folder that has nothing of it", "acts_outside_later", READERS, (("ACTING", "fresh"),)),
    Property("F14", "no descriptor is inherited", "F_GETFD on 70,000 numbers", "inherited_fds"),
    Property("F17", "set-user-ID programs gain nothing", "a program of root's with the bit", "setuid_program"),
    Property("F18", "only harmless devices are there", "mknod; opening 28 nodes", "devices"),
    Property("F19", "devices that are there can't be set up", "ioctls on /dev/urandom and random", "device_control"),
    Property("F20", "a memfd runs only what may be run", "fexecve", "memory_program"),
    Property("F28", "what may be written can't be executed, where the spec says so", "execve, \"#!\", ld.so, mappings, O_TMPFILE, memfds (F20), in every folder that may be written", "write_then_execute", READERS, apart=True),
    Property("F21", "the kernel's settings are read-only", "38 files of /proc, /sys, cgroups opened for writing", "kernel_settings"),
    Property("F24", "/tmp, /var/tmp and /dev/shm are the sandbox's own", "a file that was left there outside", "shared_folders"),
    Property("F29", "nobody watches what goes on in protected files", "inotify by path and O_PATH, dnotify", "watch_hidden", READERS, (("WATCHED", "@HIDDEN"),)),
    Property("F29b", "STRICT watches nothing that was not granted", "the same on an ungranted folder", "watch_hidden", (STRICT,), (("WATCHED", "@OUTSIDE"),)),
    Property("F30", "a file granted for reading stays as it is", "fchmod, futimens, xattr, flags, version, disk hints, /proc/self/fd, O_PATH, link, mmap", "read_only_metadata", READERS),
    Property("F30b", "a file granted for reading can't be locked", "flock, record locks", "read_only_lock", READERS),
    Property("F31", "heel's own folder and socket are out of reach", "list, write, connect", "heel_state"),
    Property("A01", "no way leads upwards from the working directory", "dots by path, descriptor, moved folder, link, rename", "escape_upwards", READERS),
    Property("A02", "nobody plants a set-user-ID file", "chmod family, open, creat, mknod, O_TMPFILE, a socket's node, capabilities, high bits", "plant_set_user_id"),
    Property("A03", "a set-user-ID file in the working directory can't be rewritten and keep the bit", "a shared mapping", "rewrite_set_user_id"),
    Property("A04", "the kernel's secrets are kept", "addresses, logs, memory, keys, firmware: 26 files", "kernel_secrets"),
    Property("A12", "what is protected stays where it is", "renameat2: exchange, whiteout; unlink", "exchange_protected", READERS, (("ACTING", "acting"),)),
    Property("A13", "nothing is left that can't be removed, or counts as somebody else's", "immutable and append-only flags, project quota, trusted and security attributes", "inode_flags"),
    Property("A14", "file systems can't be frozen, trimmed or shut down", "FIFREEZE, FITHAW, FITRIM, shutdown", "file_system_control"),
    Property("A15", "a descriptor for reading doesn't become one for writing", "/proc: fd of thread and process, map_files; /dev/fd", "widen_descriptor", READERS),
    Property("A16", "STRICT runs no interpreter that was not granted", "of scripts, of scripts' scripts, in memory, a program's linker", "interpreters", (STRICT,)),
    # ---- processes
    Property("P01", "init can't be debugged (P02, P03)", "ptrace, process_vm, pidfd_getfd, process_madvise, kcmp, move_pages", "trace"),
    Property("P04", "no signal gets out", "kill, tkill, tgkill, sigqueue, pidfd, SIGIO by F_SETOWN", "signals"),
    Property("P12", "terminals can't be typed into (P13)", "TIOCSTI, TIOCLINUX, TIOCCONS, TIOCSETD, with high bits", "terminal"),
    Property("P14", "other terminals can't be opened", "a pts of the host's", "foreign_terminals"),
    Property("P15", "no terminal is taken over", "TIOCSCTTY, by force, by opening", "take_terminal"),
    Property("P16", "nothing that a command does to itself exposes init", "dumpable, ptracer, subreaper", "expose_init"),
    Property("A31", "no helper of heel's in the sandbox can be taken hold of", "every process of heel's: descriptors, memory, folders, ptrace", "helpers", control="there is none of heel's outside"),
    Property("P17", "no personality is changed", "ADDR_NO_RANDOMIZE, READ_IMPLIES_EXEC, MMAP_PAGE_ZERO", "personality"),
    Property("P18", "a crash starts no core handler outside", "RLIMIT_CORE set to anything but 1", "core_dump"),
    Property("P21", "init's limits and priorities are its own (P06)", "prlimit, nice, affinity, scheduler, ioprio, oom_score_adj, timerslack", "tuning"),
    Property("P21b", "no program is leased, which would hold up who starts it", "F_SETLEASE", "leases"),
    Property("A17", "nobody comes before the others", "realtime, deadlines, niceness, disk", "priorities"),
    Property("A34", "nobody outlasts the others when memory runs out", "oom_score_adj, 64 MiB locked", "survival", env=(("MEMORY", "kept"),)),
    Property("A35", "the kernel's null pointers lead to nothing of a sandbox's", "mmap of the first page", "survival", env=(("MEMORY", "first page"),)),
    Property("A18", "nobody wakes the machine", "alarm timers", "wake_alarms"),
    Property("P11", "orphans are reaped", "200 double forks", "zombies", control="outside it is the host's init that reaps"),
    # ---- the kernel
    Property("K01", "no io_uring", "setup, enter, register", "io_uring"),
    Property("K02", "no new namespaces", "unshare, clone, clone3, each kind, high bits", "namespaces"),
    Property("K03", "no foreign ABI (K04, K05)", "int 0x80, x32", "foreign_abi"),
    Property("K06", "an argument's upper half hides nothing", "10 filtered arguments with bit 32 set", "high_bits"),
    Property("K07", "nothing can be mounted or unmounted", "mount with 15 flags, the new mount API, pivot_root", "mounts"),
    Property("K08", "no namespace is entered, no root changed", "setns, pidfd, NS_GET_PARENT, chroot", "enter_namespaces"),
    Property("K09", "the kernel's large and little used parts are shut (K10, K11, K12)", "bpf, perf, userfaultfd, keys, handles, fanotify, quota, syslog", "kernel_surface"),
    Property("K13", "the machine can't be administered", "reboot, kexec, modules, swap, acct, clocks, ports", "administration"),
    Property("K14", "no socket families but Unix and internet ones (K15, N05, N08, N09)", "every family by number, netlink protocols, MPTCP, SCTP, raw, ping", "socket_families"),
    Property("K16", "no second seccomp listener", "NEW_LISTENER, with other flags, high bits", "listeners"),
    Property("K20", "confinement that is added only tightens", "17 Landlock layers, a filter that allows", "nested_confinement", READERS),
    Property("K21", "threads and children are confined as their maker is", "pthread, shared memory", "new_threads"),
    Property("A05", "no identity or capability can be had", "setresuid, setgroups, setfsuid, capset, secure bits", "privileges"),
    Property("A06", "no kernel module is loaded by asking", "SIOCGIFBR, SIOCGIFVLAN", "module_loading"),
    Property("A19", "no way leads around the filter", "a debugger changes the call, SUSPEND_SECCOMP, user dispatch", "around_the_filter"),
    Property("A20", "namespaces outside can't be found", "listns, pidfd", "other_namespaces"),
    Property("A36", "mounts outside can't be found", "listmount, statmount, NS_MNT_GET_NEXT and PREV", "other_mounts"),
    Property("A21", "nobody signs with another's number", "SCM_CREDENTIALS", "forged_sender"),
    Property("A37", "nobody changes what the kernel holds it to be", "PR_SET_MM, PR_SET_IO_FLUSHER, uid_map, loginuid", "self_description"),
    Property("A22", "sockets get no privileged options", "9 options", "socket_options"),
    Property("A38", "sockets load no programs, and speak no IPsec", "SO_ATTACH_FILTER, SO_ATTACH_REUSEPORT_CBPF, UDP_ENCAP", "socket_programs"),
    Property("A43", "no filters fill the memory that the kernel has for those of all users", "seccomp, prctl, high bits", "own_filters"),
    Property("A44", "no memory is taken that counts as nobody's", "memfd_secret, huge pages by mapping and memfd", "uncounted_memory"),
    # ---- communication
    Property("I01", "abstract sockets outside can't be reached", "connect, /proc/net/unix", "abstract"),
    Property("I02", "Unix sockets outside can't be reached (I04)", "a stream socket in a protected folder", "unix_stream", READERS, (("SOCKET", "@HIDDEN_SOCKET"),)),
    Property("I02b", "nor those in folders that can be read", "a stream socket beside a granted file", "unix_stream", ALL),
    Property("I03", "no datagram reaches a Unix socket outside", "sendto by path and abstract name, from a pair", "unix_datagram"),
    Property("I05", "System V and POSIX objects outside can't be reached (I06)", "by key, by number, by name", "system_v"),
    Property("N01", "no TCP gets out (N07)", "loopback, wildcard, mapped, the host's address", "tcp"),
    Property("N02", "no UDP gets out (N03)", "sendto, sendmmsg, connect", "udp"),
    Property("N06", "no TCP Fast Open", "MSG_FASTOPEN, TCP_FASTOPEN_CONNECT", "fast_open"),
    Property("N13", "loopback is the only interface, and stays as it is (N14)", "if_nameindex, rtnetlink, ioctl", "interfaces"),
    Property("A23", "nothing tells of the host's network and locks", "/sys/class/net, /proc/net, /proc/locks", "network_tables"),
)
