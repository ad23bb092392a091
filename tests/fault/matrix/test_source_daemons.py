#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Daemons that are asked and do not answer, tgtd and multipathd: their rows stay, it is said after poll
and deadline, one request is in flight and no more, and managers are answered meanwhile."""

import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
from source_lab import (AGE, ERROR, FAILING, OK, PRIVATE, RESTARTS, SESSIONS, answering, column,
                        first_name, laboratory, rows, source, wait_for, wait_state)
from initiator import session
from process import Process
from tap import Tap, measured

POLL, DEADLINE = 1, 1
NAME = 'iqn.2004-10.org.example:'
INITIATOR = 4  # the column of a session with its initiator's name
MAPS = PRIVATE + (1, 1, 9)
HELD_S = 4


def descriptors(pid):
    return len(os.listdir(f'/proc/{pid}/fd'))


def sockets(pid):
    """How many a process has."""
    found = 0
    for name in os.listdir(f'/proc/{pid}/fd'):
        try:
            found += os.readlink(f'/proc/{pid}/fd/{name}').startswith('socket:')
        except FileNotFoundError:
            pass  # it was closed just now
    return found


def range_of_sockets(pid, seconds):
    """(fewest, most) of a process meanwhile."""
    seen, end = set(), time.monotonic() + seconds
    while time.monotonic() < end:
        seen.add(sockets(pid))
        time.sleep(0.02)
    return min(seen), max(seen)


def silence(t, lab, row, name, daemon, shown, asked):
    """The daemon is stopped and goes on. `shown`: its rows, as a function; `asked`: a name to get."""
    before, pid = shown(), lab.agent.reader_pid(name)
    fds = descriptors(lab.agent.agent_pid())
    idle, _ = range_of_sockets(pid, POLL)
    daemon.send(signal.SIGSTOP)
    start = time.monotonic()
    with answering(t, lab, asked, f'{row}, {name} hangs') as watch:
        wait_state(lab, name, FAILING)
        visible = time.monotonic() - start
        t.below(visible, POLL + DEADLINE + 1, f'{name} hangs: it is said after poll and deadline')
        age = source(lab, name)[AGE]
        _, most = range_of_sockets(pid, HELD_S)
        now = source(lab, name)
    t.equal(shown(), before, f'{name} hangs: its rows stay')
    t.ok(b'in time' in now[ERROR], f'{name} hangs: the reason is told', now)
    t.ok(now[AGE] >= age + 1000 * (HELD_S - 2), f'{name} hangs: the age of its rows grows', now)
    t.equal(most, idle + 1, f'{name} hangs: one request is in flight and no more')
    t.equal((lab.agent.reader_pid(name), now[RESTARTS]), (pid, 0),
            f'{name} hangs: its reader gives up by itself, no new one is needed')
    daemon.send(signal.SIGCONT)
    back = wait_state(lab, name, OK)
    t.below(back, 5, f'{name} goes on: read again')
    t.equal(shown(), before, f'{name} goes on: the rows are the same')
    t.ok(descriptors(lab.agent.agent_pid()) <= fds, f'{name} goes on: no descriptor is left over')
    measured(row, 'visible_s', round(visible, 2))
    measured(row, 'get_ms_p99', round(watch.p99() * 1000, 2))
    measured(row, 'back_s', round(back, 2))


def test_tgtd(t, lab):
    tgtd = lab.start_tgtd()
    tgtd.add_target(NAME + 'disk')
    lab.start_initiator(session(tgtd.portals()[0], NAME + 'disk', NAME + 'host', rate=20, retry=1))
    lab.start_agent(pollInterval=POLL, pollTimeout=DEADLINE, staleMax=60)
    wait_for(lambda: rows(lab, SESSIONS), 15, 'the session is shown')
    silence(t, lab, 'S4', 'tgt', tgtd, lambda: column(lab, SESSIONS, INITIATOR),
            first_name(lab, SESSIONS))
    lab.stop_agent()


def fake_multipathd(lab, root, mode):
    fake = lab.add(Process(lab.unique('multipathd'), [
        sys.executable, os.path.join(laboratory.TOP, 'tests', 'support', 'fake_multipathd.py'), root,
        mode], lab.directory))
    wait_for(lambda: 'ready' in fake.text(), 10, 'the false multipathd listens')
    return fake


def test_multipathd(t, lab):
    root = lab.path('host')
    os.mkdir(root)
    daemon = fake_multipathd(lab, root, 'serve')
    lab.start_agent(wait=0, arguments=('--root', root), sources='multipath', pollInterval=POLL,
                    pollTimeout=DEADLINE, staleMax=60)
    wait_state(lab, 'multipath', OK)
    wait_for(lambda: lab.manager().bulkwalk(MAPS), 10, 'maps')
    silence(t, lab, 'S5', 'multipath', daemon, lambda: lab.manager().bulkwalk(MAPS),
            first_name(lab, MAPS))
    lab.remove(daemon)
    daemon.stop(signal.SIGKILL)
    lab.stop_agent()


def main():
    with Tap() as t:
        why = laboratory.missing()
        if why:
            t.skip_all(why)
        with laboratory.Lab() as lab:
            lab.start_snmpd()
            test_tgtd(t, lab)
            test_multipathd(t, lab)
        t.equal(lab.leftovers, [], 'nothing is left running')


if __name__ == '__main__':
    main()
