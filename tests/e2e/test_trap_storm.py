#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Notifications when there are too many of them, or nobody takes them: the limit of RFC 7147 in the
receiver's eyes, flapping, a snmpd that stands still and one that is restarted in a storm."""

import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
# pylint: disable=wrong-import-position
import lab as laboratory
import snmp
from initiator_host import InitiatorHost
from lab import find_program
from process import wait_for
from tap import Tap

TGT_LOGIN, SSN_FAILURE = (snmp.ISCSI_MIB + (0, number) for number in (1, 3))
PATH = snmp.oid(laboratory.PRIVATE_ROOT) + (1,)
DOWN, UP, FLAPPING = (PATH + (0, number) for number in (1, 2, 12))
EVENT = PATH + (1, 8, 1)
TYPE, TOLD, SENT = 2, 8, 1
SESSION_FAILURE_KIND, PATH_DOWN_KIND, PATH_UP_KIND = 3, 4, 5
LIO = os.path.join(laboratory.TOP, 'tests/fixtures/lio/login-failures.tree')
TARGETS = [f'iqn.2026-11.lab.example:t{number}' for number in (2, 3, 4)]
NAME = 'iqn.2004-10.org.example:'
POLL = 1
FLYING_MAX = 8  # QUEUE_FLYING_MAX of agent/agentx_queue.h


class Scene:
    """The lab, the host, and the agent with other settings from part to part."""

    def __init__(self, lab):
        self.lab = lab
        self.sink = lab.start_trap_sink()
        self.start_snmpd()
        self.host = InitiatorHost(lab.path('root'), LIO)
        self.since = 0  # events up to this number are of the part before

    def start_snmpd(self):
        self.lab.start_snmpd(extra=self.sink.lines(v3=False))

    def start_agent(self, **settings):
        if self.lab.agent:
            self.lab.stop_agent(signal.SIGTERM)
        self.lab.start_agent(arguments=('--root', self.host.root), pollInterval=POLL,
                             sources='open-iscsi lio multipath', **settings)
        time.sleep(2 * POLL)
        self.sink.clear()
        self.since = 0
        self.since = max(self.events())

    def events(self):
        """{number: {column: value}} of the event table. A walk asks for column after column: of an
        event that came meanwhile it may have the last ones only."""
        walk = self.lab.manager(timeout=1).bulkwalk(EVENT)
        rows = {index[0]: {column: v.value for column, v in row.items()}
                for index, row in snmp.table(walk, EVENT).items()}
        return {number: row for number, row in rows.items() if number > self.since and TYPE in row}

    def count(self, kind):
        return sum(row[TYPE] == kind for row in self.events().values())


def test_limit(t, s):
    """Three in any window, of all types together; at last the newest counters."""
    window = 4
    s.start_agent(notifyWindow=window, notifyFlapChanges=0, notifications='all')
    failures = 0
    end = time.monotonic() + 3 * window
    while time.monotonic() < end:
        for target in TARGETS:
            s.host.count_login(target, 'authenticate_fails', NAME + 'host')
            s.host.count_session(target)
        failures += 1
        time.sleep(0.3)
    time.sleep(3 * window)
    traps = s.sink.all(TGT_LOGIN, SSN_FAILURE)
    # What the receiver notes is late now and then: of the window a second is left to that.
    crowd = [trap.at for trap, third in zip(traps, traps[3:]) if third.at - trap.at < window - 1]
    t.ok(traps and not crowd, f'of {4 * failures} failures {len(traps)} notifications, never more '
         f'than three in {window} s', *[str(trap.at) for trap in traps])
    newest = {}
    for trap in traps:
        for varbind in trap.objects[:1]:
            newest[varbind.oid] = varbind.value
    current = {v.oid: v.value for v in s.lab.manager().get(*sorted(newest))}
    t.equal(newest, current, 'the last one about each row has the newest counter')
    t.equal(len(newest), len(TARGETS) + 1, 'and each row has one')
    t.equal(len({(trap.oid, trap.objects[0].oid, trap.objects[0].value) for trap in traps}),
            len(traps), 'none comes twice')


def test_flapping(t, s):
    s.start_agent(notifyLimit=0, notifyLimitAll=0, notifyFlapChanges=3, notifyFlapWindow=15,
                  notifications='pathDown pathUp flapping')
    for _ in range(4):
        for change, kind in ((s.host.lose, PATH_DOWN_KIND), (s.host.find, PATH_UP_KIND)):
            seen = s.count(kind)
            change(1)
            wait_for(lambda kind=kind, seen=seen: s.count(kind) > seen, 10, 'the change is seen')
    s.host.lose(1)
    try:
        wait_for(lambda: len(s.sink.all()) >= 4, 40, 'it has been quiet, and is told')
    except TimeoutError as late:
        t.note(f'{late}: {s.sink.all()}')
    time.sleep(2 * POLL)
    t.equal([trap.oid for trap in s.sink.all()], [DOWN, UP, FLAPPING, DOWN],
            'of nine changes two are told, that it flaps, and how it is when it is quiet')
    t.ok(b'192.0.2.1' in s.sink.all(FLAPPING)[0].objects[2].value, 'and what it is that flaps')
    s.host.find(1)


def storm(s, seconds, meanwhile):
    """Paths go down and up, sessions fail; in the middle of it `meanwhile` happens."""
    end, done = time.monotonic() + seconds, False
    while time.monotonic() < end:
        s.host.lose(1)
        s.host.count_session(TARGETS[0])
        time.sleep(POLL + 0.3)
        s.host.find(1)
        s.host.count_session(TARGETS[1])
        time.sleep(POLL + 0.3)
        if not done and time.monotonic() > end - 0.6 * seconds:
            meanwhile()
            done = True


def assert_complete(t, s, what):
    """What was told is what is in the event table: each event once, in its order. When the session
    with snmpd ended, what was under way is sent again: nobody knows whether it had been read."""
    kinds = {PATH_DOWN_KIND: DOWN, PATH_UP_KIND: UP, SESSION_FAILURE_KIND: SSN_FAILURE}
    wait_for(lambda: len(s.sink.all(*kinds.values())) >= sum(
        row[TOLD] == SENT for row in s.events().values()), 15, 'all have come')
    time.sleep(POLL)
    traps = s.sink.all(*kinds.values())
    events = s.events()
    told = [(n, kinds[row[TYPE]]) for n, row in sorted(events.items())
            if row[TYPE] in kinds and row[TOLD] == SENT]
    got = [(trap.objects[0].oid[-1], trap.oid) for trap in traps if trap.oid != SSN_FAILURE]
    wanted = [(n, oid) for n, oid in told if oid != SSN_FAILURE]
    counts = [trap.objects[0].value for trap in traps if trap.oid == SSN_FAILURE]
    twice = len(got) - len(set(got)) + len(counts) - len(set(counts))
    lost = 'lost the master agent' in s.lab.agent.text()
    t.equal(list(dict.fromkeys(got)), wanted, f'{what}: each event of a path is told, in its order')
    t.equal(sorted(set(counts)), list(dict.fromkeys(counts)),
            f'{what}: the counters of failed sessions go up')
    t.equal(len(set(counts)), len(told) - len(wanted), f'{what}: one for each event')
    t.ok(twice <= (FLYING_MAX if lost else 0), f'{what}: {twice} come twice, the session '
         f'{"ended" if lost else "did not end"}')
    t.ok(len(wanted) >= 6, f'{what}: {len(told)} events')


def test_standing_still(t, s):
    """A snmpd that stands still, so long that it may be taken for lost: nothing is lost."""
    s.start_agent(notifyLimit=0, notifyLimitAll=0, notifyFlapChanges=0,
                  notifications='pathDown pathUp sessionFailure')

    def stop():
        s.lab.snmpd.send(signal.SIGSTOP)
        time.sleep(3)
        s.host.lose(1)
        time.sleep(POLL + 0.3)
        s.host.find(1)
        time.sleep(POLL + 0.3)
        s.lab.snmpd.send(signal.SIGCONT)

    storm(s, 10, stop)
    assert_complete(t, s, 'snmpd stands still')


def test_restart(t, s):
    """Without a snmpd they wait; the new one has them with the sysUpTime 0, of before its start."""
    s.start_agent(notifyLimit=0, notifyLimitAll=0, notifyFlapChanges=0,
                  notifications='pathDown pathUp sessionFailure')
    away = []

    def restart():
        s.lab.stop_snmpd(signal.SIGKILL)
        away.append(time.monotonic())
        s.host.lose(1)
        time.sleep(POLL + 1)
        s.host.find(1)
        time.sleep(POLL + 1)
        away.append(time.monotonic())
        s.start_snmpd()

    storm(s, 10, restart)
    assert_complete(t, s, 'snmpd is restarted')
    late = [trap for trap in s.sink.all(DOWN, UP) if trap.uptime == 0]
    t.ok(len(late) >= 2 and all(trap.at > away[1] for trap in late),
         f'{len(late)} of what happened without it come afterwards, with the sysUpTime 0')


def main():
    with Tap() as t:
        why = laboratory.missing()
        if not why and not find_program('snmptrapd'):
            why = 'snmptrapd is not installed (package snmptrapd)'
        if why:
            t.skip_all(why)
        with laboratory.Lab() as lab:
            s = Scene(lab)
            test_limit(t, s)
            test_flapping(t, s)
            test_standing_still(t, s)
            test_restart(t, s)
            s.host.close()
        t.equal(lab.leftovers, [], 'nothing is left running')


if __name__ == '__main__':
    main()
