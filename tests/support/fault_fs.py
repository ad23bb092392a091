# SPDX-License-Identifier: BSD-2-Clause
"""A file system that shows a directory and fails on demand, as a kernel's sysfs may: an error of any
number, a text of any form, a read that never ends. It speaks FUSE itself (linux/fuse.h), so it needs
root, /dev/fuse and no library.

    with FaultFs(lab.path('host'), lab.path('mount')) as fs:
        fs.set('/sys/*/state', errno.EIO)       # likewise: octets, HANG, ENDLESS
        fs.clear()                              # what hung is answered

It is served by a thread of the test; nothing in the test may read below the mount. A process that
waits for an answer can be killed no more once its request is on the way: true D state.
"""

import ctypes
import errno
import fnmatch
import os
import select
import stat
import struct
import threading

HANG = 'hang'        # the request is not answered
ENDLESS = 'endless'  # a read gives as much as was asked for, and never the end

LOOKUP, FORGET, GETATTR, READLINK, OPEN, READ, STATFS, RELEASE = 1, 2, 3, 5, 14, 15, 17, 18
FLUSH, INIT, OPENDIR, READDIR, RELEASEDIR, ACCESS, INTERRUPT, BATCH_FORGET = (
    25, 26, 27, 28, 29, 34, 36, 42)
SILENT = (FORGET, BATCH_FORGET, INTERRUPT)
# What can be hit, by its word in set().
OPERATIONS = {LOOKUP: 'lookup', OPEN: 'open', READ: 'read', READDIR: 'list', READLINK: 'readlink'}
DIRECT_IO, MNT_DETACH = 1, 2
HEAD, ANSWER = struct.Struct('<IIQQIIII'), struct.Struct('<IiQ')

_libc = ctypes.CDLL(None, use_errno=True)


def missing():
    """Why there can be none here, or None."""
    try:
        os.close(os.open('/dev/fuse', os.O_RDWR))
    except OSError as error:
        return f'/dev/fuse: {error.strerror}'
    return None


def _attributes(number, st):
    return struct.pack('<6Q10I', number, st.st_size, 0, 0, 0, 0, 0, 0, 0, st.st_mode, 1, 0, 0, 0,
                       4096, 0)


class FaultFs:
    """See the head of this file."""

    def __init__(self, below, mount):
        self.below, self.mount = below, mount
        self.paths, self.numbers = {1: ''}, {'': 1}
        self.rules, self.hung = [], []
        self.lock = threading.Lock()
        os.makedirs(mount, exist_ok=True)
        self.fd = os.open('/dev/fuse', os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
        options = f'fd={self.fd},rootmode=40000,user_id=0,group_id=0,allow_other'
        if _libc.mount(b'faults', os.fsencode(mount), b'fuse', 0, options.encode()) != 0:
            number = ctypes.get_errno()
            os.close(self.fd)
            raise OSError(number, f'mount: {os.strerror(number)}')
        self.wake, self.woken = os.pipe()
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        """Whoever waits for an answer gets ENOTCONN."""
        os.close(self.woken)
        self.thread.join()
        _libc.umount2(os.fsencode(self.mount), MNT_DETACH)
        os.close(self.fd)
        os.close(self.wake)

    def set(self, glob, action, *operations):
        """What happens to paths that match; without operations, when their content is read."""
        with self.lock:
            self.rules.append((glob, action, operations or ('read',)))

    def clear(self):
        """All is well again, and what hung goes on."""
        with self.lock:
            self.rules = []
            hung, self.hung = self.hung, []
        for request in hung:
            self._answer(*request)

    def waiting(self):
        """How many requests hang."""
        with self.lock:
            return len(self.hung)

    # -- inside ---------------------------------------------------------------------------------

    def _serve(self):
        while True:
            ready = select.select([self.fd, self.wake], [], [])[0]
            if self.wake in ready:
                return
            try:
                request = os.read(self.fd, 1 << 20)
            except BlockingIOError:
                continue
            except OSError as error:
                if error.errno in (errno.ENOENT, errno.EINTR):  # it was given up meanwhile
                    continue
                return
            _, operation, unique, node, *_ = HEAD.unpack_from(request)
            if operation not in SILENT:
                self._answer(operation, unique, node, request[HEAD.size:])

    def _action(self, operation, path):
        with self.lock:
            for glob, action, operations in self.rules:
                if OPERATIONS.get(operation) in operations and fnmatch.fnmatchcase(path, glob):
                    return action
        return None

    def _answer(self, operation, unique, node, body):
        path = self.paths.get(node, '')
        if operation == LOOKUP:
            path += '/' + os.fsdecode(body.split(b'\0')[0])
        action = self._action(operation, path)
        if action == HANG:
            with self.lock:
                self.hung.append((operation, unique, node, body))
            return
        error, octets = 0, b''
        try:
            if isinstance(action, int):
                raise OSError(action, '')
            octets = self._do(operation, path, body, action)
        except OSError as failure:
            error = failure.errno
        try:
            os.write(self.fd, ANSWER.pack(ANSWER.size + len(octets), -error, unique) + octets)
        except OSError:
            pass  # the one who asked has gone

    def _do(self, operation, path, body, action):
        real = self.below + path
        if operation == INIT:
            return struct.pack('<IIIIHHIIHHI28x', 7, 31, 0, 0, 12, 9, 4096, 1, 1, 0, 0)
        if operation == LOOKUP:
            st, number = os.lstat(real), self._number(path)
            return struct.pack('<QQQQII', number, 0, 0, 0, 0, 0) + _attributes(number, st)
        if operation == GETATTR:
            return struct.pack('<QII', 0, 0, 0) + _attributes(self.numbers[path], os.lstat(real))
        if operation == READLINK:
            return os.fsencode(os.readlink(real))
        if operation in (OPEN, OPENDIR):
            os.lstat(real)
            return struct.pack('<QII', 0, DIRECT_IO, 0)
        if operation == READ:
            _, offset, size = struct.unpack_from('<QQI', body)
            return self._content(real, action, offset, size)
        if operation == READDIR:
            _, offset, size = struct.unpack_from('<QQI', body)
            return self._names(real, offset, size)
        if operation == STATFS:
            return struct.pack('<5Q4I24x', 0, 0, 0, 0, 0, 4096, 255, 4096, 0)
        if operation in (RELEASE, RELEASEDIR, FLUSH, ACCESS):
            return b''
        raise OSError(errno.ENOSYS, '')

    def _number(self, path):
        number = self.numbers.setdefault(path, len(self.numbers) + 1)
        self.paths[number] = path
        return number

    @staticmethod
    def _content(real, action, offset, size):
        if action == ENDLESS:
            return b'1' * size
        if isinstance(action, bytes):
            return action[offset:offset + size]
        with open(real, 'rb') as file:
            octets = file.read()
        if callable(action):
            octets = action(octets)
        return octets[offset:offset + size]

    @staticmethod
    def _names(real, offset, size):
        octets = b''
        for at, name in enumerate(sorted(os.listdir(os.fsencode(real)))):
            kind = os.lstat(os.path.join(os.fsencode(real), name)).st_mode
            entry = struct.pack('<QQII', at + 1, at + 1, len(name), stat.S_IFMT(kind) >> 12) + name
            entry += bytes(-len(entry) % 8)
            if at < offset:
                continue
            if len(octets) + len(entry) > size:
                break
            octets += entry
        return octets
