"""The first root of a guest: an archive in the format that the kernel unpacks (cpio, "newc")."""

import os
import re
import stat
import subprocess

_TRAILER = "TRAILER!!!"


class Initramfs:
    """Everything in it is root's. Write it with save() when all has been added."""

    def __init__(self):
        self._entries = {}  # by path without the leading slash: (mode, content)

    def folder(self, path, mode=0o755):
        """With those above it."""
        above = os.path.dirname(path)
        if above not in ("", "/"):
            if above.strip("/") not in self._entries:
                self.folder(above)
        self._entries[path.strip("/")] = (stat.S_IFDIR | mode, b"")

    def text(self, path, text, mode=0o644):
        self._add(path, stat.S_IFREG | mode, text.encode())

    def link(self, path, target):
        self._add(path, stat.S_IFLNK | 0o777, target.encode())

    def program(self, path, source, mode=0o755):
        """A program of this machine, and the libraries that it is linked with, where they lie here."""
        self._add(path, stat.S_IFREG | mode, _content(source))
        listed = subprocess.run(["ldd", source], capture_output=True, text=True, check=False).stdout
        for library in re.findall(r"(/\S+) \(0x", listed):
            if library.strip("/") not in self._entries:
                self._add(library, stat.S_IFREG | 0o755, _content(library))

    def _add(self, path, mode, content):
        if os.path.dirname(path).strip("/") not in self._entries:
            self.folder(os.path.dirname(path))
        self._entries[path.strip("/")] = (mode, content)

    def save(self, path):
        with open(path, "wb") as file:
            for inode, (name, (mode, content)) in enumerate(self._entries.items(), 1):
                _write(file, name, inode, mode, content)
            _write(file, _TRAILER, 0, 0, b"")


def _content(path):
    with open(path, "rb") as file:
        return file.read()


def _write(file, name, inode, mode, content):
    """A header of 13 numbers, the name with its NUL, the content; the last two end at multiples of 4."""
    named = name.encode() + b"\0"
    numbers = (inode, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(named), 0)
    header = b"070701" + b"".join(b"%08x" % number for number in numbers)
    file.write(header + named + bytes(-(len(header) + len(named)) % 4))
    file.write(content + bytes(-len(content) % 4))
