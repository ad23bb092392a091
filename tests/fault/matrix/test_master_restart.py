#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The whole agent with a snmpd that is killed over and over, that stands still for half a minute,
and the agent process that stands still itself: how soon a manager is served again.

Service is asked for every few milliseconds. FAULT_LONG=1: 200 restarts instead of 25.
"""

import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'support'))
# pylint: disable=wrong-import-position
import lab as laboratory
import snmp
from process import memory_kib, wait_for
from snmp_raw import Asker, Stopwatch, percentile
from tap import Tap, measured

RESTARTS = 200 if os.environ.get('FAULT_LONG') else 25
STOPPED = 30  # s
NAME = 'iqn.2004-10.org.example:'
DESCRIPTION = snmp.ISCSI_OBJECTS + (1, 1, 1, 2)
PATH = snmp.oid(laboratory.PRIVATE_ROOT) + (1,)
SOURCE = PATH + (1, 6, 1)
STATE, POLLS, OK = 4, 9, 1
GENERATION = PATH + (1, 2, 3, 0)


class Scene:
    """One target, one session, and a manager that asks for the first instance's description."""

    def __init__(self, lab):
        self.lab = lab
        lab.start_snmpd()
        self.tgtd = lab.start_tgtd()
        self.tgtd.add_target(NAME + 'disk')
        lab.start_agent()
        wait_for(lambda: lab.manager().next(DESCRIPTION)[0].kind == 'STRING', 10, 'it is served')
        self.object = lab.manager().next(DESCRIPTION)[0].oid
        self.asker = Asker(lab.snmpd_port)
        self.log_at = 0

    def served(self, seconds=0.25):
        found = self.asker.value(self.object, seconds)
        return found is not None and found[0] == 4  # OCTET STRING

    def back(self, limit=20):
        """s until it is served."""
        start = time.monotonic()
        wait_for(self.served, limit, 'it is served again', interval=0.005)
        return time.monotonic() - start

    def value(self, name):
        """An integer, None without an answer."""
        found = self.asker.value(name)
        return int.from_bytes(found[1], 'big') if found and found[0] in (2, 65, 66, 70) else None

    def source(self, column):
        """A column of the source tgt's row."""
        rows = snmp.table(self.lab.manager().bulkwalk(SOURCE), SOURCE)
        return next(row[column].value for row in rows.values() if row[2].value == b'tgt')

    def mark(self):
        self.log_at = len(self.lab.agent.text())

    def log(self):
        return self.lab.agent.text()[self.log_at:]


def descriptors(pid):
    return len(os.listdir(f'/proc/{pid}/fd'))


def test_killed(t, s):
    """The time without a master differs from turn to turn, so that the retries fall anywhere."""
    pid, took, since_start = s.lab.agent.agent_pid(), [], []
    s.mark()
    for i in range(RESTARTS):
        if i == 5:
            memory, files = memory_kib(pid), descriptors(pid)
        s.lab.stop_snmpd(signal.SIGKILL)
        time.sleep(0.1 + i * 0.37 % 1)
        start = time.monotonic()
        s.lab.start_snmpd()
        took.append(s.back())
        since_start.append(time.monotonic() - start)
        # Requests are answered before the last registration is: the next kill waits for that.
        wait_for(lambda i=i: s.log().count('connected to the master') == i + 1, 10, 'it says so')
    p99 = percentile(took, 99)
    t.below(p99, 3, f'snmpd killed {RESTARTS} times: back in service after it answers, p99')
    measured('E1', 'restarts', RESTARTS)
    measured('E1', 'back_in_service_ms_p50', round(percentile(took, 50) * 1000))
    measured('E1', 'back_in_service_ms_p99', round(p99 * 1000))
    measured('E1', 'since_its_start_ms_p99', round(percentile(since_start, 99) * 1000))
    t.equal(s.lab.agent.agent_pid(), pid, 'by the same agent process')
    t.equal(descriptors(pid), files, 'which has as many descriptors as before')
    t.below(memory_kib(pid) - memory, 512, 'and no more memory', 'KiB')
    lines = s.log().splitlines()
    t.equal(len(lines), 2 * RESTARTS, 'each time two lines are logged: lost, and connected')
    wait_for(lambda: s.source(STATE) == OK, 5, 'the source is read')
    t.ok(s.served(), 'and all is served')


def test_stopped(t, s):
    polls, generation, pid = s.source(POLLS), s.value(GENERATION), s.lab.agent.agent_pid()
    s.lab.snmpd.send(signal.SIGSTOP)
    s.tgtd.add_target(NAME + 'meanwhile')
    time.sleep(STOPPED)
    s.lab.snmpd.send(signal.SIGCONT)
    took = s.back()
    t.below(took, 3, f'snmpd stopped for {STOPPED} s: back in service')
    measured('E2', 'stopped_s', STOPPED)
    measured('E2', 'back_in_service_ms', round(took * 1000))
    done = s.source(POLLS) - polls
    t.ok(done >= STOPPED * 0.6, f'sources were read {done} times meanwhile, every second')
    measured('E2', 'polls_meanwhile', done)
    t.ok(s.value(GENERATION) > generation, 'what was new has been put together')
    names = [v.value for v in s.lab.manager().bulkwalk(snmp.ISCSI_OBJECTS + (5, 1, 1, 2))]
    t.ok((NAME + 'meanwhile').encode() in names, 'and is served')
    t.equal(s.lab.agent.agent_pid(), pid, 'by the same process: nobody took it for hung')


def test_socket_removed(t, s):
    os.unlink(s.lab.master_socket)
    time.sleep(1.2)
    t.ok(s.served(2), 'the socket removed: the session goes on')
    s.lab.stop_snmpd(signal.SIGTERM)
    time.sleep(0.3)
    s.lab.start_snmpd()
    took = s.back()
    t.below(took, 3, 'and after a restart, with another socket: back in service')
    measured('E5', 'back_in_service_ms', round(took * 1000))


def test_agent_stopped(t, s):
    """The agent process stands still: snmpd's other objects are answered, the parent starts another
    agent process."""
    old = s.lab.agent.agent_pid()
    s.mark()
    with Stopwatch(s.lab.snmpd_port, snmp.SYS_UPTIME) as others:
        os.kill(old, signal.SIGSTOP)
        start = time.monotonic()
        wait_for(lambda: s.lab.agent.agent_pid() not in (None, old), 20, 'another agent process')
        noticed = time.monotonic() - start
        wait_for(lambda: s.served(8), 20, 'it is served again')
        took = time.monotonic() - start
    t.below(noticed, 7, 'the agent process stopped: another one is started')
    t.below(took, 20, 'and serves')
    measured('E16', 'replaced_ms', round(noticed * 1000))
    measured('E16', 'back_in_service_ms', round(took * 1000))
    t.ok('has been silent for 4 s, starting it anew' in s.log(), 'which is logged', s.log())
    t.ok(others.took and not others.lost, f"snmpd's own objects are answered meanwhile: "
         f'{len(others.took)} times')
    measured('E16', 'get_of_snmpd_ms_p99', round(others.p99() * 1000, 1))


def main():
    with Tap() as t:
        why = laboratory.missing()
        if why:
            t.skip_all(why)
        with laboratory.Lab() as lab:
            s = Scene(lab)
            test_killed(t, s)
            test_stopped(t, s)
            test_socket_removed(t, s)
            test_agent_stopped(t, s)
        t.equal(lab.leftovers, [], 'nothing is left running')


if __name__ == '__main__':
    main()
