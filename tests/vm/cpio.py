# SPDX-License-Identifier: BSD-2-Clause
"""Writes cpio archives of the kind that the kernel unpacks as initramfs ("newc").

Everything belongs to root in the archive, whoever runs this, and no root rights are needed; so the
image does not depend on the cpio program or on fakeroot. The kernel accepts several archives one
after the other, later ones win: a test's files are appended to the image that way.
"""

import os
import stat

BLOCK = 512


class Archive:
    """One archive, written to `out`, a binary file opened for writing. close() ends it."""

    def __init__(self, out):
        self._out = out
        self._inode = 0
        self._known_dirs = set()

    def _member(self, name, mode, size):
        """The header and name of one member; its `size` octets of data must follow."""
        self._inode += 1
        raw = name.encode() + b"\0"
        fields = (self._inode, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, len(raw), 0)
        self._out.write(b"070701" + b"".join(b"%08X" % field for field in fields) + raw)
        self._pad(110 + len(raw))

    def _pad(self, length):
        self._out.write(b"\0" * (-length % 4))

    def directory(self, name, mode=0o755):
        """A directory, with those above it that this archive has not named yet."""
        name = name.strip("/")
        if not name or name in self._known_dirs:
            return
        self.directory(os.path.dirname(name))
        self._known_dirs.add(name)
        self._member(name, stat.S_IFDIR | mode, 0)

    def data(self, name, content, mode=0o644):
        """A regular file with the octets `content`."""
        name = name.strip("/")
        self.directory(os.path.dirname(name))
        self._member(name, stat.S_IFREG | mode, len(content))
        self._out.write(content)
        self._pad(len(content))

    def symlink(self, name, target):
        name = name.strip("/")
        self.directory(os.path.dirname(name))
        raw = target.encode()
        self._member(name, stat.S_IFLNK | 0o777, len(raw))
        self._out.write(raw)
        self._pad(len(raw))

    def file(self, name, path):
        """The file `path` of the host under the name `name`, with its permission bits."""
        with open(path, "rb") as source:
            self.data(name, source.read(), stat.S_IMODE(os.stat(path).st_mode))

    def tree(self, root, prefix=""):
        """Everything below the directory `root`: directories, files and symbolic links."""
        for path, dirs, files in os.walk(root):
            dirs.sort()
            base = os.path.join(prefix, os.path.relpath(path, root))
            base = "" if base == "." else os.path.normpath(base)
            self.directory(base, stat.S_IMODE(os.stat(path).st_mode))
            for entry in sorted(files + dirs):
                source = os.path.join(path, entry)
                name = os.path.join(base, entry)
                if os.path.islink(source):
                    self.symlink(name, os.readlink(source))
                elif os.path.isfile(source):
                    self.file(name, source)

    def close(self):
        """The end mark, filled up to a whole block so that another archive may follow."""
        self._member("TRAILER!!!", 0, 0)
        self._out.write(b"\0" * (-self._out.tell() % BLOCK))
