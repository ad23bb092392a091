#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The judge of the soak run (tests/soak/oracle.py), what it takes from a walk, and its measures: what it
must complain of, and what it must let pass."""

import collections
import os
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '..', 'soak')]
# pylint: disable=wrong-import-position
import measure
import oracle
import saving
import snmp
import soak
import worlds
from tap import Tap
from trap_sink import Trap

LIVES = """
import signal, subprocess, sys
sys.path[:0] = sys.argv[1:3]
import soak

class Sleeper(subprocess.Popen):
    def wait(self, timeout=None):
        print('waiting', flush=True)
        return super().wait(timeout)

for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)  # this may have been started with one ignored
soak.laboratory.missing = lambda: None
# Each ends with this process at the latest: then its input does.
soak.start_world = lambda *_: Sleeper(['cat'], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
soak.main()
"""


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
        t.equal(complaints(judge, judge.judge, oracle.View(facts, {}), quiet), wanted,
                f'{what}: {"wrong" if wanted else "right"}')
    for rows, quiet, wanted, what in (
            (1, True, 0, 'a row for each fact'), (2, True, 1, 'a row too many, in quiet'),
            (0, True, 1, 'a row too few, in quiet'), (2, False, 0, 'while something goes on')):
        view = oracle.View({('path', 1): 'down'}, {('path', 'table'): rows})
        t.equal(complaints(judge, judge.judge, view, quiet), wanted,
                f'{what}: {"wrong" if wanted else "right"}')
        t.equal(judge.is_true(view), rows == 1, f'{rows} for one fact: {"all" if rows == 1 else "not"} '
                'the truth')
    clock.now += oracle.LAG + 1
    t.equal(complaints(judge, judge.judge, oracle.View({('path', 1): 'up'}, {}), False), 1,
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
    t.equal([complaints(judge, judge.judge_number, 'path', number, 'b') for number in (5, 77, 5)],
            [0, 1, 0], 'another number of an owner that is there: wrong, once')
    judge.end('path', lambda owner: owner == 'b')
    clock.now += oracle.LAG + 1
    t.equal([complaints(judge, judge.judge_number, 'path', number, 'b') for number in (5, 77, 78)],
            [1, 1, 0], 'all numbers of an owner end with it, and another life has another one')


class Shown:
    """Walks of a clock's time, each begun a second after the last one."""

    def __init__(self, clock):
        self.clock, self.judge = clock, oracle.Oracle()

    def begin(self):
        self.clock.now += 1
        self.judge.began = self.clock.now

    def walk(self, number, began=True):
        """How often it complains when this number of the owner a is shown."""
        if began:
            self.begin()
        self.clock.now += 0.5
        return complaints(self.judge, self.judge.judge_number, 'session', number, 'a')


def test_restarts(t, clock):
    """Another number after the end of the agent process."""
    shown = Shown(clock)
    shown.walk(1)
    shown.judge.agent_ended(clock.now)
    t.equal(shown.walk(2), 1, 'another number, but what was seen is saved: wrong')
    shown = Shown(clock)
    shown.walk(1)
    shown.judge.agent_ended(clock.now - 1)
    t.equal((shown.walk(2), shown.walk(2)), (0, 0), 'another number, what was seen is not saved: right')
    t.equal(shown.walk(3), 1, 'but once: then wrong')
    clock.now += oracle.LAG
    t.equal(shown.walk(1), 1, 'the number of before again: wrong')
    shown = Shown(clock)
    shown.walk(1)
    shown.judge.agent_ended(clock.now - 1)
    shown.walk(1)
    shown.judge.agent_ended(clock.now - 100)
    t.equal(shown.walk(2), 1, 'a number that was read from the file is lost with the next end: wrong')
    shown = Shown(clock)
    shown.begin()
    shown.judge.agent_ended(clock.now - 1)
    t.equal((shown.walk(1, began=False), shown.walk(2, began=False)), (0, 0),
            'a walk shows what two processes gave: right')
    t.equal(shown.walk(2), 0, 'and the later one goes on to be shown')
    shown.judge.agent_ended(clock.now - 100)
    t.equal(shown.walk(3), 0, 'that it was given again was not saved: right')
    shown = Shown(clock)
    shown.judge.agent_ended(clock.now)
    shown.walk(1)
    t.equal(shown.walk(2), 1, 'given after the end, by a process that goes on: wrong')


class Lives:
    """Processes of which a test says whether they live: instead of /proc."""

    def __init__(self):
        self.agent, self.saver, self.living = 1, 11, {1, 11}

    def find(self, name):
        return getattr(self, name) if getattr(self, name) in self.living else None

    def replace(self, name, pid):
        self.living.discard(getattr(self, name))
        self.living.add(pid)
        setattr(self, name, pid)


def test_saving(t, clock):
    lives, judge = Lives(), oracle.Oracle()
    saving.alive = lambda pid: pid in lives.living
    looker = saving.Saving(judge, lambda: lives.find('agent'), lambda: lives.find('saver'))

    def ended():
        """How long ago that was what is saved of a process whose end is seen now; None without one."""
        ends = len(judge.ends)
        looker.look()
        return clock.now - judge.ends[-1][0] if len(judge.ends) > ends else None

    t.equal(ended(), None, 'an agent process is there')
    clock.now += 60
    t.equal(ended(), None, 'and stays')
    lives.replace('agent', 2)
    clock.now += 1
    t.equal((ended(), ended()), (saving.SAVE_LAG + 1, None), 'it ends: what is older was saved')
    looker.look()
    lives.replace('saver', 12)
    clock.now += saving.SAVER_LIFE - 1
    looker.look()
    clock.now += saving.SAVER_LIFE - 1
    lives.replace('agent', 3)
    t.equal(ended(), saving.SAVE_LAG + 2 * (saving.SAVER_LIFE - 1),
            'a new saver has saved nothing for certain')
    for seconds, wanted in ((0.1, 0.1), (0.2, saving.SAVE_LAG + 0.2)):
        def order(took=seconds):
            clock.now += took
            lives.replace('agent', lives.agent + 1)

        clock.now += 60
        looker.look()
        looker.end_in_order(order, lambda: None)
        t.ok(abs(ended() - wanted) < 0.001, f'an end in order within {seconds} s')
    clock.now += 60
    looker.look()
    lives.living.discard(12)
    looker.end_in_order(lambda: lives.replace('agent', 99), lambda: None)
    t.equal(ended(), saving.SAVE_LAG, 'an end in order without a saver')


def varbinds(entry, index, columns):
    return [snmp.Varbind(entry + (column, *index), 'any', value) for column, value in columns.items()]


PATH_NAME = ('iqn.2004-10.org.example:disk-1', '10.0.0.1:3260')


def path_row(index, status, columns=(2, 6, 8)):
    row = {2: status, 6: PATH_NAME[0].encode(), 8: PATH_NAME[1].encode()}
    return varbinds(worlds.PATH, (index,), {column: row[column] for column in columns})


class Sink:
    """Notifications that a test makes."""

    def __init__(self):
        self.traps = []

    def all(self):
        return self.traps

    def tell(self, kind, index, status, columns=(2, 6, 8)):
        """The event has a number of its own."""
        event = varbinds(worlds.PRIVATE + (8, 1), (100 + len(self.traps),), {5: b'date'})
        self.traps.append(Trap(0, worlds.PRIVATE[:-1] + (0, kind), 0,
                               event + path_row(index, status, columns), ''))


def paths():
    """A world with one path of session 7, whose row has number 5."""
    world = worlds.Paths(None, 1)
    world.host = collections.namedtuple('Host', 'paths sids')([('iqn.2004-10.org.example:disk-1',
                                                                '10.0.0.1')], {1: 7})
    world.sink, world.seen = Sink(), 0
    world.made, world.told = collections.Counter(), collections.defaultdict(set)
    world.states = {1: worlds.CONNECTED}
    world.state_truth()
    return world


def test_path_rows(t):
    """What is more in a walk than the truth is seen in quiet, whatever is in it."""
    session = (varbinds(worlds.SESSION, (1, 1, 3), {5: PATH_NAME[0].encode()}) +
               varbinds(worlds.PROPERTIES, (1, 1, 3), {23: 7}))
    for more, wanted, what in (
            ([], 0, 'one path, one session'),
            (path_row(77, worlds.CONNECTED), 2, 'a path with two numbers at once'),
            (path_row(77, 1, columns=(2,)), 1, 'a path without its names'),
            (varbinds(worlds.SESSION, (1, 1, 4), {5: b'iqn'}), 1, 'a session without its number'),
            (varbinds(worlds.PROPERTIES, (1, 1, 4), {20: 1}), 1, 'properties of no session')):
        world = paths()
        view = world.judge_walk(session + path_row(5, worlds.CONNECTED) + more, 'test')
        world.oracle.judge(view, True, 'test')
        t.equal(len(world.oracle.wrong), wanted, f'{what}: {"wrong" if wanted else "right"}')


def test_target_rows(t):
    for node, session, wanted, what in (
            ({}, {}, 0, 'one target, one session'), ({3: 1}, {}, 1, 'a node without its name'),
            ({}, {4: b'x'}, 1, 'a session with its initiator only')):
        world = worlds.Targets(None, 1)
        world.oracle.set_truth({('node', 'disk'): True, ('session', 'keeper'): 'disk'})
        walk = (varbinds(worlds.NODE, (1, 1), {2: b'disk'}) + varbinds(worlds.NODE, (1, 2), node) +
                varbinds(worlds.SESSION, (1, 1, 3), {4: b'keeper', 6: 9}) +
                varbinds(worlds.SESSION, (1, 1, 4), session) +
                varbinds(worlds.STATISTICS, (1, 1, 3), {1: 100}))
        world.oracle.judge(world.judge_walk(walk, 'test'), True, 'test')
        t.equal(len(world.oracle.wrong), wanted, f'{what}: {"wrong" if wanted else "right"}')


def test_notifications(t, clock):
    down, up, missing, found = 1, 2, 3, 4
    for kind, index, status, wanted, what in (
            (down, 5, worlds.RECONNECTING, 0, 'down, and reconnecting'),
            (down, 5, worlds.CONNECTED, 1, 'down, and connected'),
            (up, 5, worlds.CONNECTED, 0, 'up, and connected'),
            (up, 5, worlds.RECONNECTING, 1, 'up, and reconnecting'),
            (missing, 5, worlds.DISCONNECTED, 1, 'missing, which it was not'),
            (found, 5, worlds.DISCONNECTED, 1, 'found, and disconnected'),
            (down, 6, worlds.RECONNECTING, 1, 'with the number of no path')):
        world = paths()
        world.oracle.judge_number('path', (5,), PATH_NAME, 'test')
        world.states[1] = worlds.RECONNECTING
        clock.now += 1
        world.state_truth()
        for made in ('down', 'up', 'missing', 'found'):
            world.made[made, PATH_NAME] = 1
        world.sink.tell(kind, index, status)
        world.judge_notifications('test')
        t.equal(len(world.oracle.wrong), wanted, f'told {what}: {"wrong" if wanted else "right"}')
        t.equal(len(world.untold()), 3, 'three of four events are not told')
    world.sink.tell(down, 5, worlds.RECONNECTING, columns=(6, 8))
    t.equal(complaints(world.oracle, world.judge_notifications), 1, 'without a status: wrong')
    clock.now += oracle.NOTIFICATION_LAG + 1
    world.states[1] = worlds.CONNECTED
    world.state_truth()
    clock.now += oracle.NOTIFICATION_LAG + 1
    world.state_truth()
    world.made['down', PATH_NAME] = 9
    world.sink.tell(down, 5, worlds.RECONNECTING)
    t.equal(complaints(world.oracle, world.judge_notifications), 1,
            'with a status of too long ago: wrong')


class Recorder(Tap):
    """Counts failures and prints nothing."""

    def ok(self, condition, what, *details):
        self.failures += not condition
        return bool(condition)

    def note(self, text):
        pass


def good_result():
    """Of a world in which all is well."""
    process = {'slope': 1.0, 'memory': [1, 1, 1], 'descriptors': [4, 4]}
    return {'each': {}, 'back': {}, 'wrong': [], 'broken': [], 'zombies': 0, 'walks': 1, 'answers': 1,
            'judged': 1, 'steps': {}, 'age': {'p99': 1}, 'leftovers': [],
            'ours': ['parent', 'reader'], 'made': 200, 'told': 200,
            'before_kills': {'made': 100, 'untold': []}, 'all': {},
            'unkilled': {'parent': dict(process), 'reader': dict(process),
                         'snmpd': dict(process, slope=None)}}


def test_results(t):
    """What soak.py makes of a world's result."""
    def change(path, value):
        result = good_result()
        at = result
        for key in path[:-1]:
            at = at[key]
        if value is None:
            del at[path[-1]]
        else:
            at[path[-1]] = value
        return result

    unknown = {'slope': None, 'memory': [1, 1, 1], 'descriptors': [4, 4]}
    for result, seconds, wanted, what in (
            (good_result(), soak.LONG, 0, 'all is well'),
            (change(('unkilled', 'reader'), None), 60, 1, 'a process that was not measured'),
            (change(('unkilled', 'reader'), unknown), soak.LONG, 1, 'one whose growth is unknown'),
            (change(('unkilled', 'reader'), unknown), 60, 0, 'that after a minute'),
            (change(('unkilled', 'other'), unknown), soak.LONG, 0, 'that of one that was seen once'),
            (change(('before_kills', 'untold'), ['one']), 60, 1, 'lost before anything is killed'),
            (change(('told',), 195), 60, 0, 'a few are lost when something is killed'),
            (change(('told',), 194), 60, 1, 'too many are'),
            (change(('told',), 201), 60, 1, 'more are told than there were')):
        recorder = Recorder()
        soak.judge(recorder, 'world', result, seconds)
        t.equal(recorder.failures, wanted, f'{what}: {"wrong" if wanted else "right"}')


def test_signals(t):
    """Each ends the worlds, too, which would go on for hours."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        with subprocess.Popen([sys.executable, '-c', LIVES, *sys.path[:2]], stdout=subprocess.PIPE,
                              stdin=subprocess.DEVNULL, text=True) as process:
            while process.stdout.readline() not in ('waiting\n', ''):
                pass
            process.send_signal(number)
            try:
                said = process.communicate(timeout=60)[0]
            except subprocess.TimeoutExpired:
                process.kill()
                said = 'it went on'
            t.ok(f'ended by {number.name}' in said, f'{number.name} ends it', said)



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
    oracle.time = saving.time = clock
    with Tap() as t:
        test_facts(t, clock)
        test_numbers(t, clock)
        test_restarts(t, clock)
        test_saving(t, clock)
        test_path_rows(t)
        test_target_rows(t)
        test_notifications(t, clock)
        test_results(t)
        test_signals(t)
        test_counters_and_events(t)
        test_measures(t)


if __name__ == '__main__':
    main()
