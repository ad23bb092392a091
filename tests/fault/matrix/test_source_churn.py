#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Sessions that come and go while they are read: nobody else's row is lost, no row is half of one
session and half of another, 10,000 of them cost no memory and no descriptor, and no number is given
twice."""

import os
import random
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
from source_lab import (ERROR, LONG, OK, PATHS, PRIVATE, RESTARTS, SESSIONS, STATE, column, laboratory,
                        rows, source, wait_for, wait_polls)
import fault_fs
from open_iscsi_host import OpenIscsiHost
from process import memory_kib
from tap import Tap, measured

STEADY, RESTLESS = 3, 12
NAME, LIFE = 'iqn.2004-10.org.example:disk-{}', 'iqn.2004-10.org.example:life-{}'
TARGET, PATH_STATUS, PATH_TARGET, PATH_PORTAL, PATH_LOCAL = 5, 2, 6, 8, 10
CONNECTIONS = SESSIONS[:-3] + (11, 1, 1)
PROPERTIES, KERNEL_NUMBER = PRIVATE + (1, 1, 4, 1), 23
CHURN_S = 60 if LONG else 10
# Octets. A session that is gone is remembered for a while: it would get its number again.
LIMITS = {'agent': ('agent_octets_a_session', 1024), 'reader': ('reader_octets_a_session', 512)}
ROUNDS, AT_ONCE = (200 if LONG else 20), 500


def address(number):
    return f'10.0.{number // 250}.{number % 250 + 1}'


def local_address(number):
    return address(number).replace('10.0.', '10.1.')


ENDS = {5: local_address, 8: address}  # iscsiCxnLocalAddr, iscsiCxnRemoteAddr


class Churn(threading.Thread):
    """Sessions are logged out and in all the time, at any moment of a poll; each login is to another
    target, at another address, from another one."""

    def __init__(self, host):
        super().__init__(daemon=True)
        self.host, self.running, self.times, self.error = host, True, 0, None
        self.there = set(range(STEADY + 1, STEADY + RESTLESS + 1))

    def run(self):
        chance = random.Random(7)
        try:
            while self.running:
                number = chance.randrange(STEADY + 1, STEADY + RESTLESS + 1)
                if number in self.there:
                    self.host.log_out(number)
                    self.there.remove(number)
                else:
                    self.times += 1
                    life(self.host, number, STEADY + RESTLESS + self.times)
                    self.there.add(number)
                time.sleep(0.001)
        except OSError as error:
            self.error = error


def number_of(name):
    """Of the session that comes and goes whose target this is; None of any other."""
    head, _, number = (name or b'').decode().rpartition('-')
    return int(number) if head + '-{}' == LIFE else None


def mixed(lab, paths):
    """Of the sessions that come and go: how many of their rows tell addresses, and the rows of paths and
    connections in which one is not of the session whose target it is."""
    known, found = 0, []
    for row in paths.values():
        number = number_of(row.get(PATH_TARGET))
        if number is not None and PATH_PORTAL in row:
            known += 1
            found += [row] * (row[PATH_PORTAL].decode() != f'{address(number)}:3260'
                              or row.get(PATH_LOCAL, b'').decode() not in ('', local_address(number)))
    names, ends = column(lab, SESSIONS, TARGET), rows(lab, CONNECTIONS)
    for index, row in ends.items():
        number = number_of(names.get(index[:-1]))
        if number is not None:
            wanted = {end: socket.inet_aton(where(number)) for end, where in ENDS.items()}
            known += any(row.get(end) for end in ENDS)
            found += [row] * any(row.get(end) not in (None, b'', wanted[end]) for end in ENDS)
    return known, found


def steady_rows(lab):
    """What is shown of the sessions that stay: {target: index}, and of their paths {target: status}."""
    wanted = [NAME.format(i).encode() for i in range(1, STEADY + 1)]
    sessions = {row[TARGET]: i for i, row in rows(lab, SESSIONS).items() if row.get(TARGET) in wanted}
    paths = rows(lab, PATHS)
    return (sessions, {row[PATH_TARGET]: row.get(PATH_STATUS) for row in paths.values()
                       if row.get(PATH_TARGET) in wanted}), paths


def vanish(t, lab, host):
    """S1: what is read vanishes and comes at any moment."""
    start(lab, 'host')
    before, _ = steady_rows(lab)
    t.equal((len(before[0]), set(before[1].values())), (STEADY, {1}), 'three sessions that stay')
    churn = Churn(host)
    churn.start()
    walks = lost = known = 0
    halves, failed = [], []
    end = time.monotonic() + CHURN_S
    while time.monotonic() < end:
        now, paths = steady_rows(lab)
        walks += 1
        lost += now != before
        whole, halves_now = mixed(lab, paths)
        known, halves = known + whole, halves + halves_now
        row = source(lab, 'open-iscsi')
        if row.get(STATE) != OK:
            failed.append(row.get(ERROR))
    churn.running = False
    churn.join()
    t.ok(not churn.error and churn.times > 30, f'{churn.times} sessions came and went', churn.error)
    t.ok(lost == 0, f'the rows of sessions that stay are there in each of {walks} walks', lost)
    t.equal(halves, [], 'no row is half of one session and half of another')
    t.ok(known > 100, f'{known} rows of them have addresses')
    t.equal(failed, [], 'no poll fails because something vanished')
    measured('S1', 'rows_lost', lost)
    measured('S1', 'logins', churn.times)
    wait_polls(lab, 'open-iscsi', 3)
    shown = {row[TARGET] for row in rows(lab, SESSIONS).values()}
    t.equal(shown, {host.paths[i - 1][0].encode() for i in churn.there | set(range(1, STEADY + 1))},
            'at its end what is there is shown')
    t.equal(lab.agent.text().count('\n') < 20, True, 'few lines in the log')


def life(host, number, sid):
    """The next session of a SCSI host; its names have its number."""
    host.log_in_elsewhere(number, sid, LIFE.format(sid), address(sid), local_address(sid))


def replaced(t, lab, host):
    """S1: a session goes while its SCSI host is read, which is another session's when that read ends."""
    first = STEADY + RESTLESS + 1
    with fault_fs.FaultFs(lab.path('host'), lab.path('mount')) as fs:
        start(lab, 'mount')
        host.log_out(first - 1)
        fs.set(f'*/host{first - 1}/ipaddress', fault_fs.HANG)
        life(host, first - 1, first)
        wait_for(fs.waiting, 15, 'the local address is being read')
        host.log_out(first - 1)
        life(host, first - 1, first + 1)
        fs.clear()
        shown, halves, end = False, [], time.monotonic() + 15
        while not shown and time.monotonic() < end:
            paths = rows(lab, PATHS)
            halves += mixed(lab, paths)[1]
            shown = LIFE.format(first + 1).encode() in [
                row.get(PATH_TARGET) for row in paths.values() if row.get(PATH_STATUS) == 1]
        t.ok(shown, 'replaced while it is read: the new session is shown')
        t.equal(halves, [], 'replaced while it is read: no row is half of one and half of another')
        lab.stop_agent()


def rename(host, old, new):
    """The sessions of one number become others: new directories, new links, of another number."""
    top = str(host.top) + '/sys/'
    host_dir = f'{top}devices/platform/host{new}'
    for kind, tail in (('iscsi_session', f'session{old}'), ('iscsi_connection', f'connection{old}:0'),
                       ('scsi_host', f'host{old}')):
        os.unlink(f'{top}class/{kind}/{tail}')
    os.rename(f'{top}devices/platform/host{old}', host_dir)
    for at, name in ((f'{host_dir}', 'session{}'),
                     (f'{host_dir}/session{new}/iscsi_session', 'session{}'),
                     (f'{host_dir}/session{new}', 'connection{}:0'),
                     (f'{host_dir}/session{new}/connection{new}:0/iscsi_connection', 'connection{}:0'),
                     (f'{host_dir}/scsi_host', 'host{}')):
        os.rename(f'{at}/{name.format(old)}', f'{at}/{name.format(new)}')
    base = f'../../devices/platform/host{new}'
    for kind, name, place in (
            ('scsi_host', f'host{new}', f'{base}/scsi_host/host{new}'),
            ('iscsi_connection', f'connection{new}:0',
             f'{base}/session{new}/connection{new}:0/iscsi_connection/connection{new}:0'),
            ('iscsi_session', f'session{new}', f'{base}/session{new}/iscsi_session/session{new}')):
        os.symlink(place, f'{top}class/{kind}/{name}')


def descriptors(pid):
    return len(os.listdir(f'/proc/{pid}/fd'))


def costs(lab):
    """(KiB, descriptors) of agent process and reader."""
    pids = lab.agent.agent_pid(), lab.agent.reader_pid('open-iscsi')
    return [(memory_kib(pid), descriptors(pid)) for pid in pids]


def churns(t, lab, host):
    """S7: in each round all sessions are replaced by others."""
    start(lab, 'host')
    first = len(host.paths) + 1
    for i in range(first, first + AT_ONCE):
        host.add_path(NAME.format(i), address(i))
    numbers, given, doubles, cost = list(range(first, first + AT_ONCE)), set(), 0, []
    pids = lab.agent.agent_pid(), lab.agent.reader_pid('open-iscsi')
    begun = time.monotonic()
    for turn in range(ROUNDS + 1):
        indexes = wait_for(lambda: new_indexes(lab, numbers), 60, f'round {turn}: all are shown', 0.2)
        doubles += len(indexes & given)
        given |= indexes
        cost.append(costs(lab))
        if turn < ROUNDS:
            replaced = [i + AT_ONCE for i in numbers]
            for old, new in zip(numbers, replaced):
                rename(host, old, new)
            numbers = replaced
    took = time.monotonic() - begun
    t.ok(len(given) >= ROUNDS * AT_ONCE, f'{len(given)} sessions were shown')
    t.equal(doubles, 0, 'no session has a number that another one had')
    t.equal((lab.agent.agent_pid(), lab.agent.reader_pid('open-iscsi')), pids,
            'agent process and reader are those of the start')
    warm = len(cost) // 4
    for at, (who, (key, most)) in enumerate(LIMITS.items()):
        kib = [c[at][0] for c in cost]
        fds = [c[at][1] for c in cost]
        per_churn = (kib[-1] - kib[warm]) * 1024 / ((len(cost) - 1 - warm) * AT_ONCE)
        t.note(f'{who}: {kib[::max(1, len(kib) // 10)]} KiB, {min(fds[1:])} to {max(fds)} descriptors')
        t.below(per_churn, most, f'memory of the {who} for each further session', 'octets')
        t.ok(max(fds[warm:]) - fds[warm] <= 16, f'descriptors of the {who} stay as many', fds)
        measured('S7', key, round(per_churn, 1))
    measured('S7', 'sessions', len(given))
    measured('S7', 'doubles', doubles)
    t.note(f'{len(given) / took:.0f} sessions a second')
    t.equal(source(lab, 'open-iscsi').get(RESTARTS), 0, 'no reader was started anew')


def new_indexes(lab, numbers):
    """The indexes of the restless sessions, once those are shown that the kernel has these numbers for."""
    shown = {index: sid for index, sid in column(lab, PROPERTIES, KERNEL_NUMBER).items()
             if sid > STEADY + RESTLESS}
    return set(shown) if set(shown.values()) == set(numbers) and len(shown) == AT_ONCE else None


def start(lab, root):
    lab.start_snmpd()
    lab.start_agent(arguments=('--root', lab.path(root)), sources='open-iscsi', pollInterval=1,
                    pollTimeout=10, staleMax=60)
    wait_for(lambda: len(rows(lab, SESSIONS)) == STEADY + RESTLESS, 15, 'all sessions')


def main():
    with Tap() as t:
        why = laboratory.missing()
        if why:
            t.skip_all(why)
        for test in (vanish, replaced, churns):
            if test is replaced and fault_fs.missing():
                t.skip('replaced while it is read: no row is half of one and half of another',
                       fault_fs.missing())
                continue
            with laboratory.Lab() as lab:
                host = OpenIscsiHost(lab.path('host'))
                for i in range(1, STEADY + RESTLESS + 1):
                    host.add_path(NAME.format(i), address(i))
                test(t, lab, host)
            t.equal(lab.leftovers, [], 'nothing is left running')


if __name__ == '__main__':
    main()
