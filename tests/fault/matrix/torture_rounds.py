# SPDX-License-Identifier: BSD-2-Clause
"""Rounds of torture while the daemon serves: faults in all of its processes at once, and the wait until
all is back. Used by test_torture.py and test_torture_sanitized.py."""

import collections
import os
import time

from torture import KINDS
from torture_lab import AGENT, LIFE, READERS, SAVER, SPEED

LONG = bool(os.environ.get('FAULT_LONG'))
HAPPENED = 0.5  # of the faults of a part, at least
AT_ONCE = (AGENT, SAVER, *READERS, 'main')


def spread(count, wanted, length):
    """So many of the numbers from 1 to count, evenly, also if the end is left out; in a long run
    each, or each half of a burst."""
    wanted = -(-2 * count // (length + 1)) if LONG else min(count, wanted)
    numbers = [1 + n * count // wanted for n in range(wanted)]
    return numbers if LONG else numbers[::2] + numbers[1::2]


class Rounds:
    """Faults in all processes at once, each in its own turn, and what came of them."""

    def __init__(self, t, scene):
        self.t, self.s = t, scene
        self.done = collections.Counter()   # (role, kind) -> faults that happened
        self.functions = collections.defaultdict(collections.Counter)
        self.rounds, self.took, self.ended, self.lost = 0, [], collections.Counter(), []
        self.rested = {}                    # role -> when it may be hit again
        self.parts = []                     # of each run: [what failed, armed, happened]

    def tell_parts(self):
        """A fault that never happens shows nothing: a call is counted when nothing fails, and a process
        may make fewer when something else has failed before. Most of each part have happened."""
        for what, armed, happened in self.parts:
            self.t.ok(happened >= armed * HAPPENED > 0,
                      f'{what}: {happened} of {armed} faults have happened')

    def count(self, kind):
        """How many calls of this kind each process makes when the host changes: a reader in a poll
        and somewhat more, the others until all is told and saved."""
        for role in AT_ONCE:
            self.s.torture.arm(role, kind, 0)
        self.s.toggle()
        self.s.wait_polls(1)
        counts = {role: self.s.torture.disarm(role)[0] for role in READERS}
        time.sleep(3 / SPEED)
        return counts | {role: self.s.torture.disarm(role)[0] for role in AT_ONCE
                         if role not in READERS}

    def run(self, seconds, kind, wanted, length=1, error=0):
        """All processes get their faults, until none has one left or the time is over."""
        counts, end = self.count(kind), time.monotonic() + seconds
        how = ' in a row' if length > 1 else ' interrupted' if error else ''
        self.parts.append([f'{length} of {KINDS[kind]}{how}', 0, 0])
        left = {role: spread(count, wanted, length) for role, count in counts.items() if count}
        while left:
            if time.monotonic() > end:
                self.t.note(f'the time is over: {sum(map(len, left.values()))} faults were left')
                break
            now = time.monotonic()
            hit = {role: left[role].pop(0) for role in left if self.rested.get(role, 0) <= now}
            left = {role: numbers for role, numbers in left.items() if numbers}
            if hit:
                self.round(kind, hit, length, error)
            else:
                time.sleep(0.05)
        return counts

    def round(self, kind, hit, length, error):
        s, what = self.s, f'{KINDS[kind]} {hit}'
        start = time.monotonic()
        for role, number in hit.items():
            s.torture.arm(role, kind, number, length, error)
        s.toggle()
        while time.monotonic() - start < 6 / SPEED:
            if all(s.torture.counted(role)[1] for role in hit):
                break
            walk = s.walk()
            if walk is not None:
                s.judge(walk, what)
        for role in hit:
            _, failed, function = s.torture.disarm(role)
            self.done[role, kind] += failed
            self.parts[-1][1] += 1
            self.parts[-1][2] += bool(failed)
            if failed:
                self.functions[role][function] += 1
        hurt = time.monotonic()
        if not s.wait_whole(what):
            self.lost.append(f'{what}: {s.missing}')
            self.t.note(self.lost[-1])
            self.t.note(self.s.lab.agent.text()[-600:])
        if length == 1:  # many faults in a row make processes end again and again
            self.took.append((time.monotonic() - hurt) * SPEED)
        self.rounds += 1
        if os.environ.get('TORTURE_TRACE'):
            self.t.note(f'{what}: {hurt - start:.2f} s, {time.monotonic() - hurt:.2f} s '
                        f'{s.torture.crashes()}')
        for name, how in s.endings(s.log()):
            self.ended[name, how] += 1
            for role in AT_ONCE if name == 'agent process' else hit:
                self.rested[role] = time.monotonic() + LIFE
