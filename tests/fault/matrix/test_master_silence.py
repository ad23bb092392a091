#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""How long the agent's loop is silent with 10,000 sessions: while it takes over what its reader has
read, and while the reader hangs.

The master is a false one that asks all the time, so that no answer is later than the loop was silent.
What an answer took is counted without the time in which the agent or this test had no processor
(/proc/PID/schedstat): other programs of the machine are not what is measured.
"""

import os
import signal
import subprocess
import sys
import time

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
sys.path.insert(0, os.path.join(TOP, 'support'))
# pylint: disable=wrong-import-position
import lab as laboratory
from false_master import GET, GET_NEXT, OCTETS, FalseMaster, ranges
from snmp import oid
from snmp_raw import percentile
from tap import Tap, measured

SESSIONS = 10000
SESSION_COUNT = (1, 3, 6, 1, 2, 1, 142, 1, 1, 1, 1, 9)  # iscsiInstSessionNumber
PRIVATE = oid(laboratory.PRIVATE_ROOT)
GENERATION = PRIVATE + (1, 1, 2, 3, 0)
LAST_ERROR = PRIVATE + (1, 1, 6, 1, 5)  # iscsiSourceLastError
POLL, TIMEOUT = 5, 8


def unscheduled_s(pid):
    """How long a process has waited for a processor so far."""
    with open(f'/proc/{pid}/schedstat', encoding='ascii') as file:
        return int(file.read().split()[1]) / 1e9


class Scene:
    """The agent with a host of 10,000 sessions, and its master."""

    def __init__(self, lab):
        self.lab, tree = lab, lab.path('host.tree')
        subprocess.run([os.path.join(TOP, 'bench', 'replicate.py'), str(SESSIONS), tree], check=True)
        self.master = FalseMaster(lab.master_socket)
        lab.start_agent(wait=0, arguments=('--root', tree), sources='open-iscsi', pollInterval=POLL,
                        pollTimeout=TIMEOUT, staleMax=60, openIscsiDevices=100000)
        self.c = self.master.accept(10).handshake(10)
        self.pid = lab.agent.agent_pid()

        self.whole, self.took = [], []

    def ask(self, name, kind=GET):
        """The first varbind of the answer; notes how long that took, in s, and how long without the
        time that there was no processor for it."""
        waited = unscheduled_s(self.pid) + unscheduled_s('self')
        start = time.monotonic()
        response = self.c.ask(kind, ranges([name]), 20)
        self.whole.append(time.monotonic() - start)
        waited = unscheduled_s(self.pid) + unscheduled_s('self') - waited
        self.took.append(max(0, self.whole[-1] - waited))
        return response.varbinds[0]

    def watch(self, until, seconds=60):
        """Asks until the condition holds."""
        self.whole, self.took = [], []
        end = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < end, 'not within %g s' % seconds
            time.sleep(0.001)

    def sessions(self):
        return self.ask(SESSION_COUNT, GET_NEXT)[2]

    def generation(self):
        return self.ask(GENERATION)[2]


def tell(t, s, limit, what, longest, p99):
    whole, took = s.whole, s.took
    t.note(f'{what}: {len(took)} answers, the slowest took {max(whole) * 1000:.0f} ms')
    t.below(max(took), limit, f'{what}: the loop is never silent for long')
    measured('E8', longest, round(max(took) * 1000))
    measured('E8', p99, round(percentile(took, 99) * 1000, 2))


def test_polls(t, s):
    """The first poll brings all rows, three further ones what is new."""
    s.watch(lambda: s.sessions() == SESSIONS)
    tell(t, s, 1, f'the first poll of {SESSIONS} sessions', 'silent_first_poll_ms_max',
         'silent_first_poll_ms_p99')
    last = s.generation() + 3
    s.watch(lambda: s.generation() >= last)
    tell(t, s, 0.5, f'polls of {SESSIONS} sessions', 'silent_ms_max', 'silent_ms_p99')


def test_reader_hangs(t, s):
    """Its rows stay, its row in the table of sources says what is wrong."""
    reader = s.lab.agent.reader_pid('open-iscsi')
    time.sleep(1)
    os.kill(reader, signal.SIGSTOP)
    start = time.monotonic()

    def visible():
        found = s.ask(LAST_ERROR, GET_NEXT)
        return found[0] == OCTETS and found[1][:-1] == LAST_ERROR and found[2]
    s.watch(visible)
    noticed = time.monotonic() - start
    tell(t, s, 0.5, 'the reader hangs', 'reader_hangs_ms_max', 'reader_hangs_ms_p99')
    t.below(noticed, POLL + TIMEOUT + 4, 'it is said after a poll and its deadline')
    measured('E8', 'visible_s', round(noticed, 1))
    t.equal(s.sessions(), SESSIONS, 'and the rows stay')


def main():
    with Tap() as t:
        why = laboratory.missing()
        if why:
            t.skip_all(why)
        with laboratory.Lab() as lab:
            s = Scene(lab)
            test_polls(t, s)
            test_reader_hangs(t, s)
        t.equal(lab.leftovers, [], 'nothing is left running')


if __name__ == '__main__':
    main()
