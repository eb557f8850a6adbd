"""Whether the kernel audits: one setting for the whole machine, which is its administrator's."""

import os
import socket
import struct
import unittest

NETLINK_AUDIT, AUDIT_GET, AUDIT_SET = 9, 1000, 1001
NLMSG_ERROR = 2
REQUEST, ACKNOWLEDGE = 1, 4
HEADER = struct.Struct("=IHHII")
STATUS = struct.Struct("=10I")  # of which the first says what is to be set
ENABLED = 1
LOCKED = 2

SWITCHABLE = "HEEL_TEST_AUDIT"


class Auditing:
    """Has the kernel audit for a while, and be as it was afterwards. Skips where that can't be done.

    Not all of it comes back: once a kernel has audited, what is started later makes system calls
    more slowly until the machine is booted again. So it is switched on only by who says that the
    machine is for that.
    """

    def __init__(self):
        if os.geteuid() != 0:
            raise unittest.SkipTest("needs root to read the kernel's audit records")
        try:
            self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_AUDIT)
            self.socket.settimeout(10)
            self._send(AUDIT_GET)
            _, self.before, _, self.daemon = STATUS.unpack(self._answer(AUDIT_GET)[: STATUS.size])[:4]
        except OSError as error:
            raise unittest.SkipTest(f"the kernel's auditing can't be asked: {error}") from error
        self.changed = False

    def switch_on(self):
        if self.before:
            return
        if self.daemon:
            raise unittest.SkipTest("an audit daemon runs, and auditing is switched off for it")
        if not os.environ.get(SWITCHABLE):
            raise unittest.SkipTest(f"auditing is off: {SWITCHABLE}=1 has it switched on, which slows this boot down")
        self.changed = True
        self._set(1)

    def restore(self):
        if self.changed:
            self._set(self.before)
        self.socket.close()

    def _set(self, enabled):
        self._send(AUDIT_SET, STATUS.pack(ENABLED, enabled, *[0] * 8))
        (error,) = struct.unpack("=i", self._answer(NLMSG_ERROR)[:4])
        if error:
            raise OSError(-error, "the kernel's auditing can't be switched")

    def _send(self, kind, body=b""):
        flags = REQUEST | (ACKNOWLEDGE if body else 0)
        self.socket.sendto(HEADER.pack(HEADER.size + len(body), kind, flags, 1, 0) + body, (0, 0))

    def _answer(self, wanted):
        while True:
            answer = self.socket.recv(8192)
            _, kind, *_ = HEADER.unpack(answer[: HEADER.size])
            if kind == wanted:
                return answer[HEADER.size :]
            if kind == NLMSG_ERROR:
                (error,) = struct.unpack_from("=i", answer, HEADER.size)
                raise OSError(-error, os.strerror(-error))
