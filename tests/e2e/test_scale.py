#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A thousand sessions: the walk is whole and in order, also while sessions come and go, and what it
costs is in the output. Slow group: make check-slow."""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
# pylint: disable=wrong-import-position
import lab as laboratory
import snmp
from initiator import session
from process import cpu_seconds, memory_kib, wait_for
from tap import Tap

NAME = 'iqn.2004-10.org.example:'
SESSIONS = 1000
TARGETS = 4
SESSION = snmp.ISCSI_OBJECTS + (10, 1, 1)
CONNECTION = snmp.ISCSI_OBJECTS + (11, 1, 1)
SESSION_NUMBER = snmp.ISCSI_OBJECTS + (1, 1, 1, 9, 3)


def names_of(walk):
    """{index: initiator} of the session rows."""
    return {v.oid[-3:]: v.value.decode() for v in walk if v.oid[:-3] == SESSION + (4,)}


def test_whole(t, lab, tgtd):
    manager = lab.manager()
    nexuses = [(target.name, s.initiator) for target in tgtd.show() for s in target.sessions]
    t.equal(len(nexuses), SESSIONS, 'tgtadm shows all sessions')
    walks = []
    for tool, call, limit in (('snmpbulkwalk', manager.bulkwalk, 10),
                              ('snmpwalk', manager.walk, 60)):
        start = time.monotonic()
        walk = call()
        took = time.monotonic() - start
        walks.append(walk)
        t.below(took, limit, f'{tool}: {len(walk)} values')
        t.note(f'{took / len(walk) * 1e6:.1f} microseconds for a value, snmpd and tool included')
        t.ok([v.oid for v in walk] == sorted({v.oid for v in walk}), 'in order, none twice')
    t.equal(sorted(names_of(walks[0]).values()), sorted(name for _, name in nexuses),
            'each session of tgtadm has its row, and no other has')
    t.equal([v.oid for v in walks[0]], [v.oid for v in walks[1]], 'both have the same names')
    t.equal(len(snmp.table(walks[0], CONNECTION)), SESSIONS, 'each has its connection')


def test_cost(t, lab):
    agent = lab.agent
    pids = {'agent process': agent.agent_pid(), 'reader': agent.reader_pid(),
            'parent': agent.pid}
    before = {name: cpu_seconds(pid) for name, pid in pids.items()}
    polls = 8
    time.sleep(polls)  # pollInterval is 1 s
    for name, pid in pids.items():
        spent = (cpu_seconds(pid) - before[name]) / polls
        t.below(spent, 0.25, f'{name}: processor time for a poll of {SESSIONS} sessions')
        t.below(memory_kib(pid) / 1024, 64, f'{name}: memory', 'MiB')


def test_churn(t, lab, keeper, tgtd):
    """100 of the sessions leave and others come, over and over, while managers walk."""
    manager = lab.manager()
    portal = tgtd.portals()[0]
    kept = {f'{NAME}keeper-{n}' for n in range(SESSIONS - 100)}
    before = {index: name for index, name in names_of(manager.bulkwalk(SESSION)).items()
              if name in kept}
    broken, moved = 0, 0
    for turn in range(4):
        guests = lab.start_initiator(session(portal, NAME + 'disk-0', f'{NAME}guest{turn}-%n',
                                             count=100), name='guests')
        for _ in range(2):
            walk = manager.bulkwalk(SESSION)
            broken += [v.oid for v in walk] != sorted({v.oid for v in walk})
            now = {i: name for i, name in names_of(walk).items() if name in kept}
            moved += now != before
        lab.stop_initiator(guests)
    t.equal((broken, moved), (0, 0),
            'while sessions come and go, walks are in order and the others keep their rows')
    t.ok(keeper.running(), 'the initiator of the others still runs')
    wait_for(lambda: manager.value(SESSION_NUMBER) == SESSIONS - 100, 10, 'the guests are gone')
    t.equal(len(names_of(manager.bulkwalk(SESSION))), SESSIONS - 100,
            'afterwards there are as many as stayed')


def main():
    with Tap() as t:
        why = laboratory.missing()
        if why:
            t.skip_all(why)
        with laboratory.Lab() as lab:
            lab.start_snmpd()
            tgtd = lab.start_tgtd()
            for number in range(TARGETS):
                tgtd.add_target(f'{NAME}disk-{number}')
            portals = tgtd.both_portals()
            start = time.monotonic()
            keeper = lab.start_initiator(
                *[session(portals[n % 2], f'{NAME}disk-{n}', f'{NAME}keeper-%n',
                          count=(SESSIONS - 100) // TARGETS) for n in range(TARGETS)], wait=60)
            guests = lab.start_initiator(session(portals[0], NAME + 'disk-0', NAME + 'first-%n',
                                                 count=100), name='guests', wait=30)
            t.note(f'{SESSIONS} logins in {time.monotonic() - start:.1f} s')
            lab.start_agent()
            wait_for(lambda: lab.manager().value(SESSION_NUMBER) == SESSIONS, 20,
                     'all sessions are shown')
            test_whole(t, lab, tgtd)
            test_cost(t, lab)
            lab.stop_initiator(guests)
            test_churn(t, lab, keeper, tgtd)
        t.equal(lab.leftovers, [], 'nothing is left running')


if __name__ == '__main__':
    main()
