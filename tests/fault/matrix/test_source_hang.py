#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A read of the kernel that does not return, down to true D state: the rows stay with their age, which
shows soon; requests are answered; there is one stuck reader and never a second; the agent ends while
it is stuck; all is well when the kernel answers."""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
from source_lab import (AGE, ERROR, FAILING, OK, PATHS, SESSIONS, STARTING, answering, first_name,
                        laboratory, rows, source, wait_for, wait_state)
import fault_fs
from open_iscsi_host import OpenIscsiHost
from process import alive, children, stat_fields
from snmp_raw import percentile
from tap import Tap, measured

POLL, DEADLINE = 1, 2
# How a read hangs: (glob, operation).
WAYS = {'read': ('*/iscsi_session/session1/state', 'read'),
        'open': ('*/iscsi_connection/connection2:0/*', 'open'),
        'look-up': ('/sys/class/iscsi_session', 'lookup'),
        'list': ('/sys/class/iscsi_session', 'list')}


def readers(lab):
    """The readers of this lab's agents, wherever they hang: {pid: state}. What outlives its agent is
    the test's own child."""
    found = {}
    for parent in {lab.agent.pid, os.getpid()}:
        for pid, name in children(parent).items():
            fields = stat_fields(pid)
            if name == 'iscsi-r-open-iscsi'[:15] and fields and fields[1] not in 'ZX':
                found[pid] = fields[1]
    return found


def fixed(lab):
    """The rows of sessions and paths without what goes on by itself: iscsiPathStatusAge."""
    return ({i: row for i, row in rows(lab, SESSIONS).items()},
            {i: {c: v for c, v in row.items() if c != 39} for i, row in rows(lab, PATHS).items()})


def hang(t, lab, fs, way):
    """One way of hanging, and the recovery: times of answers, until it was said, until it was back."""
    before, name = fixed(lab), first_name(lab, SESSIONS)
    fs.set(WAYS[way][0], fault_fs.HANG, WAYS[way][1])
    wait_for(fs.waiting, 15, f'{way}: the reader hangs')
    hung_at = time.monotonic()
    with answering(t, lab, name, f'hung {way}') as watch:
        wait_state(lab, 'open-iscsi', FAILING)
        visible = time.monotonic() - hung_at
        t.below(visible, POLL + DEADLINE + 1, f'hung {way}: it is said after poll and deadline')
        wait_for(lambda: 'D' in readers(lab).values(), 5, 'true D state')
        most, age = 0, source(lab, 'open-iscsi')[AGE]
        end = time.monotonic() + 2 * (POLL + DEADLINE)
        while time.monotonic() < end:
            most = max(most, len(readers(lab)))
            time.sleep(0.1)
        row = source(lab, 'open-iscsi')
    t.ok('D' in readers(lab).values(), f'hung {way}: the reader is in D state')
    t.equal(most, 1, f'hung {way}: never a second reader')
    t.equal(fixed(lab), before, f'hung {way}: the rows are those of the last good poll')
    t.ok(row[AGE] > age + 2000, f'hung {way}: their age grows', row)
    t.ok(b'in time' in row[ERROR], f'hung {way}: the reason is told', row)
    fs.clear()
    back = wait_state(lab, 'open-iscsi', OK)
    t.below(back, 15, f'hung {way}: read again after the kernel answers')
    t.equal((fixed(lab), len(readers(lab))), (before, 1),
            f'hung {way}: the same rows under the same numbers, from one reader')
    return watch.took, visible, back


def end_while_hung(t, lab, fs):
    """SIGTERM while the reader cannot be ended."""
    fs.set(WAYS['read'][0], fault_fs.HANG)
    wait_for(lambda: 'D' in readers(lab).values(), 15, 'true D state')
    family = children(lab.agent.pid)
    start = time.monotonic()
    status = lab.stop_agent(grace=10)
    took = time.monotonic() - start
    t.below(took, 2, 'SIGTERM with the reader in D state: ended')
    measured('S3', 'stop_s', round(took, 2))
    t.equal(status, 0, 'SIGTERM with the reader in D state: exit status 0')
    t.equal([name for pid, name in family.items() if alive(pid) and stat_fields(pid)[1] != 'D'], [],
            'SIGTERM with the reader in D state: nothing else is left')


def start_while_hung(t, lab, fs):
    """Started while the kernel hangs: it serves what else there is, and comes up by itself."""
    stuck = set(readers(lab))
    lab.start_agent(wait=0, **settings(lab))
    took = wait_state(lab, 'open-iscsi', FAILING, STARTING)
    t.below(took, 10, 'started while the kernel hangs: serves, and says so')
    wait_state(lab, 'open-iscsi', FAILING)
    t.equal(rows(lab, SESSIONS), {}, 'started while the kernel hangs: no rows are made up')
    fs.clear()
    wait_state(lab, 'open-iscsi', OK)
    wait_for(lambda: len(rows(lab, SESSIONS)) == 3, 5, 'its rows come')
    t.ok(True, 'started while the kernel hangs: its rows come when it answers')
    wait_for(lambda: not stuck & set(readers(lab)), 5, 'the stuck reader ends')
    t.equal(len(readers(lab)), 1, 'started while the kernel hangs: one reader at last')


def settings(lab):
    return {'arguments': ('--root', lab.path('mount')), 'sources': 'open-iscsi', 'staleMax': 60,
            'pollInterval': POLL, 'pollTimeout': DEADLINE}


def main():
    with Tap() as t:
        why = laboratory.missing() or fault_fs.missing()
        if why:
            t.skip_all(why)
        with laboratory.Lab() as lab:
            host = OpenIscsiHost(lab.path('host'))
            for i in range(1, 4):
                host.add_path(f'iqn.2004-10.org.example:disk-{i}', f'10.0.0.{i}')
            lab.start_snmpd()
            with fault_fs.FaultFs(lab.path('host'), lab.path('mount')) as fs:
                lab.start_agent(**settings(lab))
                wait_for(lambda: len(rows(lab, SESSIONS)) == 3, 15, 'three sessions')
                took, visible, back = zip(*[hang(t, lab, fs, way) for way in WAYS])
                measured('S3', 'get_ms_p99', round(percentile(sum(took, []), 99) * 1000, 2))
                measured('S3', 'visible_s', round(max(visible), 2))
                measured('S3', 'back_s', round(max(back), 2))
                end_while_hung(t, lab, fs)
                start_while_hung(t, lab, fs)
                lab.stop_agent()
        t.equal(lab.leftovers, [], 'nothing is left running')


if __name__ == '__main__':
    main()
