#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A tgtd that lies, hangs or floods beside a good one: only its own rows suffer. They stay what
they were or go, and are never made of what it said; the good one is read as if it were alone."""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
# pylint: disable=wrong-import-position
import false_tgtd
import lab as laboratory
import snmp
from initiator import session
from process import Process, memory_kib, wait_for
from raw_initiator import RawSession
from tap import Tap

NAME = 'iqn.2004-10.org.example:'
GOOD, FALSE = 3, 301  # the instances of the control ports 0 and 1
SESSION = snmp.ISCSI_OBJECTS + (10, 1, 1)
COMMANDS = snmp.ISCSI_OBJECTS + (10, 2, 1, 1)
# Time stamps and counters move by themselves.
INDEX_AT = len(SESSION) + 1


def rows_of(walk, instance):
    """Everything of one instance; its index is the first arc after table, entry and column."""
    return {v.oid: v.value for v in walk if v.oid[INDEX_AT] == instance}


def without_counters(rows):
    return {oid: value for oid, value in rows.items() if oid[:len(COMMANDS) - 1] != COMMANDS[:-1]}


class Scene:
    """The good tgtd with I/O, the false one with its mode."""

    def __init__(self, lab):
        self.lab = lab
        lab.start_snmpd()
        self.tgtd = lab.start_tgtd()
        self.tgtd.add_target(NAME + 'disk-a')
        self.initiator = lab.start_initiator(
            session(self.tgtd.portals()[0], NAME + 'disk-a', NAME + 'host-1', rate=50))
        self.mode_file = lab.path('mode')
        self.set_mode('good')
        self.false = lab.add(Process(
            'false-tgtd', [sys.executable, false_tgtd.__file__, lab.path('tgt.1'), self.mode_file],
            lab.directory))
        wait_for(lambda: os.path.exists(lab.path('tgt.1')), 5, 'the false tgtd listens')
        lab.start_agent(staleMax=60, pollTimeout=1)

    def set_mode(self, mode):
        with open(self.mode_file + '.new', 'w', encoding='ascii') as file:
            file.write(mode)
        os.rename(self.mode_file + '.new', self.mode_file)

    def walk(self):
        return self.lab.manager().bulkwalk()

    def rows(self, instance):
        return rows_of(self.walk(), instance)


def stable(rows):
    """After another content was shown, a session has another number, and has come just now."""
    kept = {}
    for oid, value in without_counters(rows).items():
        if oid[:len(SESSION) + 1] != SESSION + (21,):
            kept[oid[:-2] if oid[8] in (10, 11) else oid] = value
    return kept


def recovered(rows, wanted, broken):
    """All as before; after another content, a result may be unknown, but not different."""
    if broken:
        return without_counters(rows) == without_counters(wanted)
    now, then = stable(rows), stable(wanted)
    fixed = {oid for oid in then if oid[8] not in (10, 11)}
    return now.items() <= then.items() and fixed <= set(now) and any(o[8] == 11 for o in now)


def test_mode(t, s, mode, good, false):
    """One way of lying, for a poll or some."""
    broken = mode in false_tgtd.BROKEN
    log_at = len(s.lab.agent.text())

    def log():
        return s.lab.agent.text()[log_at:]

    s.set_mode(mode)
    # A session of the good tgtd that comes meanwhile is shown: it is read, not remembered.
    guest = RawSession(s.tgtd.portals()[0], NAME + 'disk-a', NAME + 'guest-' + mode)
    walk = s.walk()
    start = time.monotonic()
    while time.monotonic() - start < 5:
        walk = s.walk()
        noticed = '; its rows stay' in log() if broken else time.monotonic() - start > 1.5
        if noticed and guest.initiator.encode() in rows_of(walk, GOOD).values():
            break
        time.sleep(0.1)
    mine, theirs = rows_of(walk, FALSE), rows_of(walk, GOOD)
    t.ok(guest.initiator.encode() in theirs.values() and good.items() <= theirs.items(),
         f'{mode}: the good tgtd is read as before', log())
    guest.close()
    if broken:
        t.ok('tgt.1: ' in log() and '; its rows stay' in log(), f'{mode}: is noticed', log())
        t.equal(without_counters(mine), false, f'{mode}: its rows stay what they were')
    t.equal([v for v in mine.values() if isinstance(v, bytes)
             and (b'\x1b' in v or b'\r' in v or b'\n' in v)], [], f'{mode}: no forged text')
    t.equal([c for c in log() if not c.isprintable() and c != '\n'], [],
            f'{mode}: none in the log')

    s.set_mode('good')
    try:
        wait_for(lambda: (not broken or 'tgt.1: read again' in log())
                 and recovered(s.rows(FALSE), false, broken), 5, 'good again', 0.1)
        t.ok(True, f'{mode}: good again, with the same numbers')
    except TimeoutError as error:
        t.ok(False, f'{mode}: {error}', log())
    t.ok(log().count('\n') <= 4, f'{mode}: few lines in the log', log())
    return log()


def main():
    with Tap() as t:
        why = laboratory.missing()
        if why:
            t.skip_all(why)
        with laboratory.Lab() as lab:
            s = Scene(lab)
            wait_for(lambda: s.rows(FALSE) and s.rows(GOOD), 5, 'both are shown')
            good, false = without_counters(s.rows(GOOD)), without_counters(s.rows(FALSE))
            # What changes when a guest comes.
            good = {oid: value for oid, value in good.items() if oid[8:] != (1, 1, 1, 9, GOOD)
                    and oid[8:12] != (11, 1, 1, 9)}
            t.ok(false_tgtd.INITIATOR.encode() in false.values(), 'the false one is shown at first')
            before, reader = lab.agent.agent_pid(), lab.agent.reader_pid()
            commands = [v for oid, v in s.rows(GOOD).items() if oid[:len(COMMANDS)] == COMMANDS]
            logged = ''
            for mode in [*false_tgtd.BROKEN, *false_tgtd.CONTENT]:
                logged += test_mode(t, s, mode, good, false)
            after = [v for oid, v in s.rows(GOOD).items() if oid[:len(COMMANDS)] == COMMANDS]
            t.ok(max(after) > commands[0] + 500, 'the counters of the good one went on')
            t.equal((lab.agent.agent_pid(), lab.agent.reader_pid()), (before, reader),
                    'agent process and reader are those of the start')
            t.below(memory_kib(reader) / 1024, 64, 'memory of the reader', 'MiB')
            t.below(memory_kib(before) / 1024, 64, 'memory of the agent process', 'MiB')
            t.ok('tgt.1' in logged and 'tgt.0' not in logged, 'only the false one is complained of')
        t.equal(lab.leftovers, [], 'nothing is left running')


if __name__ == '__main__':
    main()
