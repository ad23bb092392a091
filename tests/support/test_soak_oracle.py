#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The judge of the soak run (tests/soak/oracle.py) and its measures: what it must complain of, and what it
must let pass."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '..', 'soak')]
# pylint: disable=wrong-import-position
import measure
import oracle
from tap import Tap


class Clock:
    """A time that the test sets."""

    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now

    @staticmethod
    def strftime(_format):
        return 'now'


def complaints(judge, function, *arguments):
    """How many more there are after this."""
    before = len(judge.wrong)
    function(*arguments, 'test')
    return len(judge.wrong) - before


def test_facts(t, clock):
    judge = oracle.Oracle()
    judge.set_truth({('path', 1): 'up', ('path', 2): 'up'})
    clock.now += 1
    judge.set_truth({('path', 1): 'down'})
    for facts, quiet, wanted, what in (
            ({('path', 1): 'down'}, True, 0, 'the truth'),
            ({('path', 1): 'up'}, False, 0, 'what was true until now'),
            ({}, False, 0, 'less than the truth while something goes on'),
            ({('path', 1): 'lost'}, False, 1, 'what never was'),
            ({('path', 3): 'up'}, False, 1, 'a row that never was'),
            ({('path', 1): oracle.ENDED}, False, 0, 'a row whose owner has gone'),
            ({}, True, 1, 'nothing, in quiet'),
            ({('path', 1): 'down', ('path', 2): 'up'}, True, 1, 'an old row, in quiet')):
        t.equal(complaints(judge, judge.judge, facts, quiet), wanted,
                f'{what}: {"wrong" if wanted else "right"}')
    clock.now += oracle.LAG + 1
    t.equal(complaints(judge, judge.judge, {('path', 1): 'up'}, False), 1,
            'what was true too long ago: wrong')


def test_numbers(t, clock):
    judge = oracle.Oracle()
    t.equal(complaints(judge, judge.judge_number, 'session', 5, 'a'), 0, 'a number is given')
    t.equal(complaints(judge, judge.judge_number, 'session', 5, 'a'), 0, 'and kept')
    t.equal(complaints(judge, judge.judge_number, 'path', 5, 'b'), 0, 'numbers are of a kind')
    t.equal(complaints(judge, judge.judge_number, 'session', 5, 'b'), 1, 'given to another: wrong')
    judge.end('session', lambda owner: owner == 'a')
    t.ok(judge.has_ended('session', 5), 'its owner ends')
    t.equal(complaints(judge, judge.judge_number, 'session', 5, 'a'), 0, 'it is shown for a while')
    clock.now += oracle.LAG + 1
    t.equal(complaints(judge, judge.judge_number, 'session', 5, 'a'), 1, 'for too long: wrong')


def test_counters_and_events(t):
    judge = oracle.Oracle()
    for value, wanted in ((3, 0), (3, 0), (7, 0), (6, 1)):
        t.equal(complaints(judge, judge.judge_counter, 'session', 1, 4, value), wanted,
                f'a counter comes to {value}: {"wrong" if wanted else "right"}')
    for rows, wanted, what in (
            ({1: 'a', 2: 'b'}, 0, 'two events'), ({2: 'b', 3: 'c'}, 0, 'the oldest goes'),
            ({3: 'c', 20003: 'd'}, 0, 'numbers are left out'), ({3: 'x'}, 1, 'one has changed'),
            ({4: 'e'}, 1, 'a new one with an old number')):
        t.equal(complaints(judge, judge.judge_events, rows), wanted,
                f'{what}: {"wrong" if wanted else "right"}')


def test_measures(t):
    samples = [measure.Sample(at, pid, 5000 + 1000 * pid + (at - start) / 36, 9)
               for pid, start in ((1, 0), (2, 400)) for at in range(start, start + 300, 10)]
    t.ok(abs(measure.slope(samples, 0) - 100) < 0.01, 'growth is that within lives, not between')
    t.equal(measure.slope(samples[:1], 0), None, 'and unknown with one sample')
    t.equal((measure.percentile(range(100), 99), measure.percentile([], 50)), (99, None),
            'percentiles')


def main():
    clock = Clock()
    oracle.time = clock
    with Tap() as t:
        test_facts(t, clock)
        test_numbers(t, clock)
        test_counters_and_events(t)
        test_measures(t)


if __name__ == '__main__':
    main()
