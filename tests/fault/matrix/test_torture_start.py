#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The daemon is started again and again, and each time one allocation or one system call fails in each
of its processes while it starts: it serves all the same, or ends with a message, for the service
manager to start it again; never with a crash of ours, a false value or another configuration than
the file has. Some of the calls, evenly; FAULT_LONG=1: all, in some hours; with FAULT_PART=2/6 the second
sixth of them, so that several parts can run side by side. TAP."""

import collections
import os
import signal
import sys
import time

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)),
                os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../support')]
# pylint: disable=wrong-import-position
import lab as laboratory
from tap import Tap, measured
from torture import CALL, CRASH_SIGNALS, KINDS, LIBRARY, MEMORY, NUMBERED
from torture_lab import AGENT, READERS, SAVER, SPEED, Scene
from torture_rounds import HAPPENED

LONG = bool(os.environ.get('FAULT_LONG'))
CHILDREN = (AGENT, SAVER, *READERS)
# Whose calls, of which kind, and how many of them by default; TORTURE_PARTS=1,3: only these.
RUNS = ((CHILDREN, MEMORY, 10), (CHILDREN, CALL, 12), (('main',), MEMORY, 10), (('main',), CALL, 12),
        (('child',), MEMORY, 10), (('child',), CALL, 12), (READERS, NUMBERED, 8))
ONLY = os.environ.get('TORTURE_PARTS')
# Seconds for each start, on a machine with much other work: on an idle one it takes less than one.
TIME = 1e9 if LONG else 4
PART, PARTS = map(int, os.environ.get('FAULT_PART', '1/1').split('/'))


def spread(count, wanted):
    """So many of the numbers from 1 to count, evenly, also if the end is left out; or this part of all."""
    if LONG:
        return list(range(PART, count + 1, PARTS))
    wanted = min(count, wanted)
    numbers = [1 + n * count // wanted for n in range(wanted)]
    return numbers[::2] + numbers[1::2]


class Starts:
    """Starts the daemon with faults, and stops it."""

    def __init__(self, t, scene):
        self.t, self.s = t, scene
        self.outcomes, self.ended = collections.Counter(), collections.Counter()
        self.bad, self.took, self.failed = [], [], 0
        self.parts = []  # of each run: [what failed, armed, happened]

    def start(self):
        self.s.start(wait=0)

    def stop(self):
        """Ends it, if it has not; its log."""
        lab = self.s.lab
        text = lab.agent.text()
        if lab.agent.running():
            lab.stop_agent()
        else:
            lab.remove(lab.agent)
        return text

    def count(self, roles, kind):
        """The calls of each from its start until all is served."""
        for role in roles:
            self.s.torture.arm(role, kind, 0)
        self.start()
        self.s.wait_whole('start')
        counts = {role: self.s.torture.disarm(role)[0] for role in roles}
        self.stop()
        return counts

    def run(self, roles, kind, wanted):
        counts = self.count(roles, kind)
        left = {role: spread(count, wanted) for role, count in counts.items()}
        left = {role: numbers for role, numbers in left.items() if numbers}
        end = time.monotonic() + wanted * TIME
        self.parts.append([f'{KINDS[kind]} of {", ".join(roles)}', 0, 0])
        while left and time.monotonic() < end:
            hit = {role: numbers.pop(0) for role, numbers in left.items()}
            left = {role: numbers for role, numbers in left.items() if numbers}
            for role, number in hit.items():
                self.s.torture.arm(role, kind, number, 1)
            self.one(f'{KINDS[kind]} {hit}', hit)
        return counts

    def crashed_in_library(self, status, before):
        """The parent has, in this start, and has ended by that."""
        crashes, mine, where = self.s.torture.crashes()
        return (status is not None and -status in CRASH_SIGNALS and crashes > before[0]
                and mine == before[1] and where.startswith(f'main, signal {-status}:'))

    def one(self, what, hit):
        begun, crashes = time.monotonic(), self.s.torture.crashes()
        self.start()
        whole = self.s.wait_whole(what)
        took = time.monotonic() - begun
        agent = self.s.lab.agent
        # What was counted may have been more polls than this start has had so far.
        while whole and agent.running() and time.monotonic() - begun < took + 6 / SPEED:
            if all(self.s.torture.counted(role)[1] for role in hit):
                break
            time.sleep(0.02)
        whole = whole and self.s.wait_whole(what)
        functions = {}
        for role in hit:
            _, failed, functions[role] = self.s.torture.disarm(role)
            self.failed += failed
            self.parts[-1][1] += 1
            self.parts[-1][2] += bool(failed)
        text = self.stop()
        for name, how in self.s.endings(text):
            self.ended[name, how] += 1
        if whole:
            self.outcomes['served'] += 1
            self.took.append(took)
        elif agent.status() is not None and agent.status() > 0 and text.strip():
            self.outcomes[f'ended with status {agent.status()} and a message'] += 1
        elif self.crashed_in_library(agent.status(), crashes):
            self.outcomes['libc has crashed'] += 1
        else:
            self.bad.append(f'{what} {functions}: status {agent.status()}, {self.s.missing}, log '
                            f'{text[-800:]}')
        if os.environ.get('TORTURE_TRACE'):
            self.t.note(f'{what} {functions}: whole {whole}, {took:.2f} s, status '
                        f'{agent.status()} {self.s.torture.crashes()}'
                        f'{"" if whole else self.s.missing}')


def main():
    with Tap() as t:
        why = laboratory.missing() or (not os.path.exists(LIBRARY) and f'{LIBRARY} is not built')
        if why:
            t.skip_all(why)
        with laboratory.Lab() as lab:
            s = Scene(lab)
            s.start()
            s.learn()
            lab.stop_agent(signal.SIGTERM)
            s.lost or s.toggle()
            starts = Starts(t, s)
            for roles, kind, wanted in RUNS if not ONLY else [RUNS[int(n) - 1] for n in ONLY.split(',')]:
                counts = starts.run(roles, kind, wanted)
                t.note(f'{KINDS[kind]}: counted {counts}; so far {starts.failed} failed, '
                       f'{dict(starts.outcomes)}')
            crashes, mine, where = s.torture.crashes()
            t.note(f'started again: {dict(starts.ended)}; crashes {crashes}, last: {where}')
            t.equal(starts.bad[:3], [], f'{sum(starts.outcomes.values())} starts: all is served, or it '
                    f'ends with a message: {dict(starts.outcomes)}')
            t.equal(s.wrong[:5], [], f'no value was false in {s.walks} walks')
            t.equal(mine, 0, 'no crash of ours')
            for what, armed, happened in starts.parts:
                t.ok(happened >= armed * HAPPENED > 0, f'{what}: {happened} of {armed} have failed')
            measured('E19', 'start_failed_count', starts.failed)
            measured('E19', 'start_crashes_of_libraries_count', crashes - mine)
            measured('E19', 'start_served_s_max', round(max(starts.took, default=0), 1))
            s.host.close()
        t.equal(lab.leftovers, [], 'nothing is left running')


if __name__ == '__main__':
    main()
