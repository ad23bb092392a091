#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Attributes that fail or hold nonsense, each session's in another way, read by the real agent from a
file system that does so: a value is then what it was, a hole or its documented default, and never
another one; other sessions are as before; all is back when the attributes are."""

import errno
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
from source_lab import (OK, PATHS, RESTARTS, SESSIONS, laboratory, rows, snmp, source, wait_for,
                        wait_polls, wait_state)
import fault_fs
import unpack_tree
from process import memory_kib
from tap import Tap, measured

FIXTURE = os.path.join(laboratory.TOP, 'tests', 'fixtures', 'open-iscsi', 'many.tree')
SESSION_COUNT = 10
# What names a session: without it there is no row to look at.
IDENTITY = ('targetname', 'ifacename', 'initiatorname', 'creator', 'persistent_address', 'persistent_port')
CONNECTIONS = snmp.ISCSI_OBJECTS + (11, 1, 1)
# Tables with the column that has the local port, which tells the session; sessions have their index.
TABLES = ((CONNECTIONS, 7), (PATHS, 13))


def strip(octets):
    return octets.rstrip(b'\n')


ACTIONS = {'EINVAL': errno.EINVAL, 'ENOTCONN': errno.ENOTCONN, 'EACCES': errno.EACCES,
           'EIO': errno.EIO, 'ENODEV': errno.ENODEV, 'ENXIO': errno.ENXIO, 'EAGAIN': errno.EAGAIN,
           'ENOENT': errno.ENOENT, 'EPERM': errno.EPERM, 'ELOOP': errno.ELOOP,
           'empty': b'', 'a newline': b'\n', 'no newline': strip, 'giant': fault_fs.ENDLESS,
           'a NUL': b'\0', 'not UTF-8': b'\xff\xfe\xfd\n'}
ROUNDS = (list(ACTIONS)[:8], list(ACTIONS)[8:])


def tables(lab):
    """{(table, index): {column: value}} of sessions, connections and paths."""
    found = {}
    for entry in (SESSIONS, CONNECTIONS, PATHS):
        for index, row in rows(lab, entry).items():
            found[entry, index] = row
    return found


def place(host, number, name):
    """The directory of a session or its connection, without links."""
    return os.path.realpath(f'{host}/sys/class/{name.format(number)}')


PLACES = 'iscsi_session/session{}', 'iscsi_connection/connection{}:0'


def attributes(host, number):
    """The attributes of a session and its connection, as paths of the agent."""
    for directory in (place(host, number, name) for name in PLACES):
        for name in sorted(os.listdir(directory)):
            if os.path.isfile(f'{directory}/{name}') and name not in IDENTITY:
                yield directory[len(os.path.realpath(host)):] + '/' + name


def rows_of(host, found, number):
    """The keys of the rows of a session."""
    with open(place(host, number, PLACES[1]) + '/local_port', encoding='ascii') as file:
        port = int(file.read())
    keys = [key for key, row in found.items() if row.get(dict(TABLES).get(key[0])) == port]
    return keys + [(SESSIONS, index[:3]) for entry, index in keys if entry == CONNECTIONS]


def compare(before, now, keys):
    """(holes, other values, new values) of these rows."""
    holes, others, new = [], [], []
    for key in keys:
        was, has = before[key], now.get(key, {})
        for column in sorted(set(was) | set(has)):
            if column not in has:
                holes.append((key, column))
            elif column not in was:
                new.append((key, column, has[column]))
            elif was[column] != has[column]:
                others.append((key, column, was[column], has[column]))
    return holes, others, new


def judge(t, host, before, now, kinds):
    """What each kind of failure costs; returns how many holes and wrong values there are."""
    holes = wrong = 0
    for number in range(1, SESSION_COUNT + 1):
        kind = kinds[number - 1] if number <= len(kinds) else None
        keys = rows_of(host, before, number)
        gone, others, new = compare(before, now, keys)
        holes += len(gone)
        wrong += len(others) + len(new)
        if kind is None:
            t.equal((len(keys), gone, others, new), (3, [], [], []),
                    f'beside {kinds[0]} and others: another session is as before')
            continue
        t.equal((len(keys), others, new), (3, [], []),
                f'{kind}: no value is another one than it was')
        if kind == 'no newline':
            t.equal(gone, [], f'{kind}: is no failure')
        else:
            t.ok(len(gone) > 10, f'{kind}: {len(gone)} values are holes')
            t.ok(all(key in now for key in keys), f'{kind}: its rows stay')
    return holes, wrong


def turn(t, lab, fs, before, kinds, settings):
    """A new agent, for which each session fails in a way of its own, until it does no more."""
    lab.stop_agent()
    for at, kind in enumerate(kinds):
        for path in attributes(lab.path('host'), at + 1):
            fs.set(path, ACTIONS[kind])
    lab.start_agent(wait=0, **settings)
    wait_state(lab, 'open-iscsi', OK, seconds=30)
    wait_polls(lab, 'open-iscsi', 2)
    holes, wrong = judge(t, lab.path('host'), before, tables(lab), kinds)
    t.below(memory_kib(lab.agent.reader_pid('open-iscsi')) / 1024, 32, 'memory of the reader', 'MiB')
    t.equal(source(lab, 'open-iscsi').get(RESTARTS), 0, 'it is the reader of the start')
    t.ok(lab.agent.text().count('\n') < 40, 'few lines in the log')
    fs.clear()
    start = time.monotonic()
    try:
        wait_for(lambda: tables(lab) == before, 60, 'all is as before')
        t.ok(True, f'after {kinds[0]} and others: all is read again')
    except TimeoutError:
        t.equal(compare(before, tables(lab), before), ([], [], []),
                f'after {kinds[0]} and others: all is read again')
    return holes, wrong, time.monotonic() - start


def main():
    with Tap() as t:
        why = laboratory.missing() or fault_fs.missing()
        if why:
            t.skip_all(why)
        with laboratory.Lab() as lab:
            unpack_tree.unpack(FIXTURE, lab.path('host'))
            lab.start_snmpd()
            settings = {'arguments': ('--root', lab.path('mount')), 'sources': 'open-iscsi',
                        'pollInterval': 1, 'pollTimeout': 10, 'staleMax': 60}
            with fault_fs.FaultFs(lab.path('host'), lab.path('mount')) as fs:
                lab.start_agent(**settings)
                wait_for(lambda: len(rows(lab, SESSIONS)) == SESSION_COUNT, 30, 'all sessions')
                before = tables(lab)
                found = [turn(t, lab, fs, before, kinds, settings) for kinds in ROUNDS]
                measured('S2', 'kinds', len(ACTIONS))
                measured('S2', 'holes', sum(holes for holes, _, _ in found))
                measured('S2', 'wrong_values', sum(wrong for _, wrong, _ in found))
                measured('S2', 'back_s', round(max(back for _, _, back in found), 1))
                lab.stop_agent()
        t.equal(lab.leftovers, [], 'nothing is left running')


if __name__ == '__main__':
    main()
