#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What a service manager is told (sd_notify(3)): READY once the rows are served, whether or not there
is a master agent; a STATUS for each change; WATCHDOG in time; STOPPING at the end. And the same
when its socket is gone: nothing happens."""

import os
import signal
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
# pylint: disable=wrong-import-position
import lab as laboratory
from process import wait_for
from tap import Tap


class Manager:
    """The service manager's end: collects datagrams."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.messages = []

    def read(self):
        while True:
            try:
                text = self.socket.recv(4096, socket.MSG_DONTWAIT).decode()
            except BlockingIOError:
                return self.messages
            self.messages += [(time.monotonic(), line) for line in text.splitlines()]

    def has(self, start):
        return any(line.startswith(start) for _, line in self.read())

    def statuses(self):
        return [line[7:] for _, line in self.read() if line.startswith('STATUS=')]


def main():
    with Tap() as t:
        why = laboratory.missing()
        if why:
            t.skip_all(why)
        with laboratory.Lab() as lab:
            path = lab.path('notify')
            manager = Manager(path)
            lab.start_tgtd()
            lab.start_agent(wait=0, environment={'NOTIFY_SOCKET': path, 'WATCHDOG_USEC': '2000000'})
            wait_for(lambda: manager.has('READY=1'), 5, 'READY')
            t.ok(True, 'READY=1 comes without a master agent')
            t.ok('no master agent' in manager.statuses()[0], 'the status says that there is none')
            lab.start_snmpd()
            wait_for(lambda: manager.statuses()[-1].startswith('serving'), 5, 'a new status')
            t.ok(True, 'the status changes when there is one')
            end = time.monotonic() + 3.5
            while time.monotonic() < end:
                manager.read()
                time.sleep(0.05)
            beats = [when for when, line in manager.read() if line == 'WATCHDOG=1']
            t.ok(len(beats) >= 3, f'WATCHDOG=1 comes: {len(beats)} times')
            gaps = [b - a for a, b in zip(beats, beats[1:])]
            t.below(max(gaps), 1.5, 'the longest time between two of them, of 2 s allowed')
            t.equal(sum(1 for _, line in manager.read() if line == 'READY=1'), 1, 'READY=1 came once')
            same = len(manager.statuses())
            time.sleep(1.5)
            t.equal(len(manager.statuses()), same, 'no status without a change')
            t.equal(lab.stop_agent(signal.SIGTERM), 0, 'it ends')
            t.ok(manager.has('STOPPING=1'), 'STOPPING=1 comes')
            manager.socket.close()
            lab.start_agent(environment={'NOTIFY_SOCKET': path})
            t.ok(lab.serving(), 'without a listener at NOTIFY_SOCKET it serves all the same')
            lab.stop_agent()
            name = f'iscsi-agentx-test-{os.getpid()}'
            manager = Manager('\0' + name)
            lab.start_agent(wait=0, environment={'NOTIFY_SOCKET': '@' + name})
            wait_for(lambda: manager.has('READY=1'), 10, 'READY')
            t.ok(True, 'a socket of the abstract namespace, as containers have it, is told, too')
            manager.socket.close()
        t.equal(lab.leftovers, [], 'nothing is left running')


if __name__ == '__main__':
    main()
