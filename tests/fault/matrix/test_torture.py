#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every allocation and every system call of every process fails once, in turn, while the daemon serves
all sources that a directory can have: nothing of ours crashes, no value is false, and all is back by
itself. By default some of them, evenly; FAULT_LONG=1: each one. libnetsnmp crashes when it gets no
memory: then the agent process is started again, which is counted. TAP."""

import collections
import errno
import os
import sys
import time

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)),
                os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../support')]
# pylint: disable=wrong-import-position
import lab as laboratory
from process import memory_kib
from tap import Tap, measured
from torture import CALL, KINDS, LIBRARY, MEMORY
from torture_lab import AGENT, LIFE, READERS, SAVER, SPEED, Scene

LONG = bool(os.environ.get('FAULT_LONG'))
AT_ONCE = (AGENT, SAVER, *READERS, 'main')
BURST = 40


def spread(count, wanted, length):
    """So many of the numbers from 1 to count, evenly; in a long run each, or each half of a burst."""
    wanted = -(-2 * count // (length + 1)) if LONG else min(count, wanted)
    return [1 + n * count // wanted for n in range(wanted)]


class Rounds:
    """Faults in all processes at once, each in its own turn, and what came of them."""

    def __init__(self, t, scene):
        self.t, self.s = t, scene
        self.done = collections.Counter()   # (role, kind) -> faults that happened
        self.functions = collections.defaultdict(collections.Counter)
        self.rounds, self.took, self.ended, self.lost = 0, [], collections.Counter(), []
        self.rested = {}                    # role -> when it may be hit again

    def count(self, kind):
        """How many calls of this kind each process makes when the host changes: a reader in a poll
        and somewhat more, the others until all is told and saved."""
        for role in AT_ONCE:
            self.s.torture.arm(role, kind, 0)
        self.s.toggle()
        time.sleep(1.2 / SPEED)
        counts = {role: self.s.torture.disarm(role)[0] for role in READERS}
        time.sleep(1.5 / SPEED)
        return counts | {role: self.s.torture.disarm(role)[0] for role in AT_ONCE
                         if role not in READERS}

    def run(self, kind, wanted, length=1, error=0):
        """All processes get their faults, until none has one left."""
        counts = self.count(kind)
        left = {role: spread(count, wanted, length) for role, count in counts.items() if count}
        while left:
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
        while time.monotonic() - start < 4 / SPEED:
            if all(s.torture.counted(role)[1] for role in hit):
                break
            walk = s.walk()
            if walk is not None:
                s.judge(walk, what)
        for role in hit:
            _, failed, function = s.torture.disarm(role)
            self.done[role, kind] += failed
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


def tell(t, rounds, counts, what):
    t.note(f'{what}: calls counted {counts}; failed so far '
           f'{sum(rounds.done.values())}, in {rounds.rounds} rounds')


def main():
    with Tap() as t:
        why = laboratory.missing() or (not os.path.exists(LIBRARY) and f'{LIBRARY} is not built')
        if why:
            t.skip_all(why)
        with laboratory.Lab() as lab:
            s = Scene(lab)
            s.start()
            s.learn()
            t.ok(len(s.truths[0]) > 400 and s.truths[0] != s.truths[1],
                 f'{len(s.truths[0])} values are the same each time')
            pids = [lab.agent.pid]
            rounds = Rounds(t, s)
            for what, wanted, settings in (
                    ('one allocation', 25, (MEMORY,)), ('one system call', 30, (CALL,)),
                    ('one interrupted call', 12, (CALL, 1, errno.EINTR)),
                    (f'{BURST} allocations', 6, (MEMORY, BURST)),
                    (f'{BURST} system calls', 6, (CALL, BURST))):
                tell(t, rounds, rounds.run(settings[0], wanted, *settings[1:]), what)
            crashes, mine, where = s.torture.crashes()
            for role, found in rounds.functions.items():
                t.note(f'{role}: {dict(found)}')
            t.note(f'started again: {dict(rounds.ended)}; crashes {crashes}, last: {where}')
            t.equal(rounds.lost[:5], [], f'{rounds.rounds} rounds: all is back each time')
            t.equal(sorted({w.split('}: ')[-1] for w in s.wrong})[:9], [], f'no value was false in {s.walks} walks')
            t.equal(mine, 0, 'no crash of ours')
            t.ok(lab.agent.running() and lab.agent.pid == pids[0], 'the parent is the same')
            took = sorted(rounds.took)
            p99 = took[int(len(took) * 0.99)]
            t.below(p99 / SPEED, 8, 'back after one fault in each process, p99')
            total = sum(rounds.done.values())
            t.ok(total > 100, f'{total} calls failed')
            measured('E19', 'failed_count', total)
            measured('E19', 'crashes_of_ours_count', mine)
            measured('E19', 'crashes_of_libraries_count', crashes - mine)
            measured('E19', 'restarts_count', sum(rounds.ended.values()))
            measured('E19', 'back_in_service_ms_p99', round(p99 * 1000))
            measured('E19', 'false_values_count', len(s.wrong))
            t.note(f'memory of the parent {memory_kib(lab.agent.pid)} KiB')
            s.host.close()
        t.equal(lab.leftovers, [], 'nothing is left running')


if __name__ == '__main__':
    main()
