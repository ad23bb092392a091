# SPDX-License-Identifier: BSD-2-Clause
"""The test's side of torture.c: lets allocations and system calls of the agent's processes fail."""

import mmap
import os
import signal
import struct
import time

from process import preload

BUILD = os.environ.get('BUILD', os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                             '../../../build'))
LIBRARY = os.path.abspath(os.path.join(BUILD, 'tests', 'torture.so'))
MEMORY, CALL, NUMBERED = 1, 2, 4
KINDS = {MEMORY: 'allocations', CALL: 'system calls', NUMBERED: 'system calls by number'}
CRASH = -1  # for error: they do not fail, the process crashes in them
CRASH_SIGNALS = (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE, signal.SIGILL)

# torture.h
_HEAD = struct.Struct('=IIIIQ')
_SLOT = struct.Struct('=16sIIIiII24s')
_SLOTS = 16
_TEXT = 480
_SIZE = _HEAD.size + _SLOTS * _SLOT.size + _TEXT


class Torture:
    """One file of shared memory for a daemon and all its processes, each of which has a slot."""

    def __init__(self, path, roles, speed=1):
        self.path = path
        self.roles = {role: at for at, role in enumerate(roles)}
        with open(path, 'w+b') as file:
            os.chmod(path, 0o666)
            file.truncate(_SIZE)
            self.memory = mmap.mmap(file.fileno(), _SIZE)
        _HEAD.pack_into(self.memory, 0, speed, 0, 0, 0, time.clock_gettime_ns(time.CLOCK_MONOTONIC))
        for role in roles:
            self._put(role)

    def environment(self):
        return {'LD_PRELOAD': preload(LIBRARY), 'TORTURE_FILE': self.path}

    def _at(self, role):
        return _HEAD.size + self.roles[role] * _SLOT.size

    def _put(self, role, kind=0, first=0, length=0, error=0):
        _SLOT.pack_into(self.memory, self._at(role), role.encode(), kind, first, length, error, 0,
                        0, b'')

    def arm(self, role, kind, first, length=1, error=0):
        """The calls from the first-th on fail, so many of them; first 0: they are only counted."""
        # The library looks at the kind first: nothing is counted while the rest is written.
        self._put(role)
        self._put(role, kind, first, length if first else 0, error)

    def disarm(self, role):
        """What came of it: (calls counted, failed, the function that failed last)."""
        fields = _SLOT.unpack_from(self.memory, self._at(role))
        self._put(role)
        return fields[5], fields[6], fields[7].rstrip(b'\0').decode()

    def counted(self, role):
        """(calls, failed) so far."""
        return _SLOT.unpack_from(self.memory, self._at(role))[5:7]

    def slow_down(self):
        """The clock goes back, and on as usual: what has a time from now on has it in full."""
        struct.pack_into('=I', self.memory, 0, 1)

    def crashes(self):
        """(all, in the program itself, where the last one was)."""
        head = _HEAD.unpack_from(self.memory, 0)
        text = self.memory[_SIZE - _TEXT:].split(b'\0')[0].decode(errors='replace')
        return head[1], head[2], text
