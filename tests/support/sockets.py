# SPDX-License-Identifier: BSD-2-Clause
"""/proc/net/tcp and tcp6 read anew for the tests: a witness for addresses and ports."""

import collections
import os
import struct

Socket = collections.namedtuple('Socket', 'local local_port remote remote_port')
ESTABLISHED = '01'


def _address(text):
    """`0100007F` and the like: 32-bit words in the order of this machine."""
    return b''.join(struct.pack('=I', int(text[at:at + 8], 16)) for at in range(0, len(text), 8))


def established():
    """The established connections of this network namespace; addresses as octets."""
    found = set()
    for path in filter(os.path.exists, ('/proc/net/tcp', '/proc/net/tcp6')):  # the second with IPv6
        with open(path, encoding='ascii') as file:
            for line in file.readlines()[1:]:
                fields = line.split()
                if fields[3] != ESTABLISHED:
                    continue
                (local, local_port), (remote, remote_port) = (f.split(':') for f in fields[1:3])
                found.add(Socket(_address(local), int(local_port, 16), _address(remote),
                                 int(remote_port, 16)))
    return found
