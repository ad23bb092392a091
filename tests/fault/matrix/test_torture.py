#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every allocation and every system call of every process fails once, in turn, while the daemon serves
all sources that a directory can have: nothing of ours crashes, no value is false, and all is back by
itself. By default some of them, evenly; FAULT_LONG=1: each one, which takes an hour; TORTURE_PARTS=1,3
only these of the six parts. libnetsnmp crashes when it gets no memory: then the agent process is
started again, which is counted. TAP."""

import errno
import os
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)),
                os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../support')]
# pylint: disable=wrong-import-position
import lab as laboratory
from process import memory_kib
from tap import Tap, measured
from torture import CALL, LIBRARY, MEMORY, NUMBERED
from torture_lab import PATIENCE, SPEED, Scene
from torture_rounds import LONG, Rounds

BURST = 40
# What fails, how many times in each process, how.
PARTS = (('one allocation', 16, (MEMORY,)), ('one system call', 20, (CALL,)),
         ('one interrupted call', 6, (CALL, 1, errno.EINTR)),
         (f'{BURST} allocations', 4, (MEMORY, BURST)), (f'{BURST} system calls', 4, (CALL, BURST)),
         ('one open or listing of a directory', 8, (NUMBERED,)))
# Seconds for each time, on a machine with much other work: on an idle one it takes one.
TIME = 1e9 if LONG else 4
CHOSEN = os.environ.get('TORTURE_PARTS', '1,2,3,4,5,6').split(',')


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
            for number, (what, wanted, settings) in enumerate(PARTS, 1):
                if str(number) not in CHOSEN:
                    continue
                counts = rounds.run(wanted * TIME, settings[0], wanted, *settings[1:])
                tell(t, rounds, counts, what)
            crashes, mine, where = s.torture.crashes()
            for role, found in rounds.functions.items():
                t.note(f'{role}: {dict(found)}')
            t.note(f'started again: {dict(rounds.ended)}; crashes {crashes}, last: {where}')
            rounds.tell_parts()
            t.equal(rounds.lost[:5], [], f'{rounds.rounds} rounds: all is back each time')
            t.equal(sorted({w.split('}: ')[-1] for w in s.wrong})[:9], [], f'no value was false in {s.walks} walks')
            t.equal(mine, 0, 'no crash of ours')
            t.ok(lab.agent.running() and lab.agent.pid == pids[0], 'the parent is the same')
            took = sorted(rounds.took) or [0]  # none of the chosen parts has single faults
            p99 = took[int(len(took) * 0.99)]
            t.below(p99 / SPEED, PATIENCE / 2, 'back after one fault in each process, p99')
            total = sum(rounds.done.values())
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
