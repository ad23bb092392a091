# SPDX-License-Identifier: BSD-2-Clause
"""Ports for servers of a test."""

import os
import socket

# Below those that the kernel gives to clients: a client of another test took a port of 200 that were
# all chosen before the first of them was bound.
FIRST, LAST, BLOCK = 12000, 29999, 256


def has_ipv6():
    """Whether there is ::1: containers and machines with ipv6.disable=1 have none."""
    try:
        with socket.socket(socket.AF_INET6) as holder:
            holder.bind(('::1', 0))
        return True
    except OSError:
        return False


IPV6 = has_ipv6()
LOOPBACK = [(socket.AF_INET, '127.0.0.1')] + [(socket.AF_INET6, '::1')] * IPV6


def usable(port):
    holders = []
    try:
        for family, address in LOOPBACK:
            holders.append(socket.create_server((address, port), family=family))
            holders.append(socket.socket(family, socket.SOCK_DGRAM))
            holders[-1].bind((address, port))
        return True
    except OSError:
        return False
    finally:
        for holder in holders:
            holder.close()


def candidates():
    """Each port once, from a place of this process's own on: tests that run side by side do not meet."""
    count = LAST + 1 - FIRST
    start = os.getpid() * BLOCK
    for i in range(count):
        yield FIRST + (start + i) % count


LEFT = {}


def free_port():
    """A port that is free for TCP and UDP on 127.0.0.1 and, if there is one, ::1 (until somebody else takes it), and that
    this process was not given before."""
    left = LEFT.setdefault(os.getpid(), candidates())
    for port in left:
        if usable(port):
            return port
    raise OSError('no free port on the loopback addresses')
