#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""All processes of the daemon under valgrind over 100 polls while sessions come and go, managers
walk, snmpd restarts and the configuration is read again: no error, nothing lost.

Slow group: make check-slow. POLLS=20 tests/e2e/test_valgrind.py for a shorter run.
"""

import glob
import os
import re
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
# pylint: disable=wrong-import-position
import lab as laboratory
import snmp
from initiator import session
from process import cpu_seconds, wait_for
from tap import Tap

NAME = 'iqn.2004-10.org.example:'
POLLS = int(os.environ.get('POLLS', '100'))
VALGRIND = ['valgrind', '--leak-check=full', '--show-leak-kinds=definite,indirect,possible',
            '--errors-for-leak-kinds=definite,indirect,possible', '--trace-children=yes',
            '--num-callers=30']


class Report:
    """What valgrind wrote about one process."""

    def __init__(self, path):
        with open(path, encoding='utf-8', errors='replace') as file:
            self.text = file.read()
        self.pid = int(path.rpartition('.')[2])
        errors = re.search(r'ERROR SUMMARY: (\d+) errors', self.text)
        self.errors = int(errors.group(1)) if errors else None
        self.lost = {kind: int(number.replace(',', '')) for kind, number in re.findall(
            r'(definitely|indirectly|possibly) lost: ([\d,]+) bytes', self.text)}

    def clean(self):
        """No error; of a process that was ended by force, at least none up to then."""
        return (not self.errors and not any(self.lost.values())
                and not re.search(r'==\s+(at|by) 0x', self.text))


def exercise(lab, tgtd, polls):
    """Everything that makes the agent work, for the time of so many polls of one second."""
    manager = lab.manager(timeout=10)
    portals = tgtd.both_portals()
    end = time.monotonic() + polls
    walks = turn = 0
    while time.monotonic() < end:
        turn += 1
        guests = lab.start_initiator(
            session(portals[turn % 2], NAME + 'disk-a', f'{NAME}guest-{turn}-%n', count=5,
                    rate=20, alias='guest'), name='guests')
        time.sleep(2)
        walks += len(manager.bulkwalk()) > 0
        walks += len(manager.walk(snmp.ISCSI_OBJECTS + (10,))) > 0
        lab.stop_initiator(guests)
        if turn % 6 == 1:
            tid = tgtd.add_target(f'{NAME}passing-{turn}')
            time.sleep(1.2)
            tgtd.remove_target(tid)
        if turn % 8 == 3:
            lab.stop_snmpd()
            time.sleep(1)
            lab.start_snmpd()
            wait_for(lab.serving, 20, 'reconnected')
        if turn % 10 == 5:
            before = lab.agent.text().count('read again')
            lab.write_agent_config(pollTimeout=4 + turn % 20)
            lab.agent.send(signal.SIGHUP)
            wait_for(lambda: lab.agent.text().count('read again') > before, 30, 'read again')
            wait_for(lab.serving, 30, 'serves after that')
    return walks


def judge(t, logs, pids):
    reports = {report.pid: report for report in map(Report, glob.glob(logs + '.*'))}
    for name in ('parent', 'agent process', 'first reader'):
        t.ok(pids[name] in reports and reports[pids[name]].errors is not None,
             f'there is a whole report of the {name}')
    t.note(f'{len(reports)} processes')
    for pid, report in sorted(reports.items()):
        name = next((n for n, p in pids.items() if p == pid), 'another process')
        t.ok(report.clean(), f'no error and nothing lost in {name} ({pid})',
             report.text[-6000:])


def main():
    with Tap() as t:
        why = laboratory.missing()
        if not why and not laboratory.find_program('valgrind'):
            why = 'valgrind is not installed (package valgrind)'
        if why:
            t.skip_all(why)
        with laboratory.Lab() as lab:
            lab.start_snmpd()
            tgtd = lab.start_tgtd()
            tgtd.add_target(NAME + 'disk-a')
            tgtd.add_target(NAME + 'disk-b', names=[NAME + 'host-2'],
                            accounts=[('demo', 'secret-of-the-demo')])
            lab.start_initiator(session(tgtd.portals()[0], NAME + 'disk-a', NAME + 'host-1',
                                        rate=10, count=3))
            logs = lab.path('valgrind')
            agent = lab.start_agent(prefix=[*VALGRIND, f'--log-file={logs}.%p'], wait=60,
                                    pollTimeout=4)
            # A reader ends in order, with a summary, when the agent process is gone. (When all end,
            # the parent gives it less time than valgrind needs.)
            exercise(lab, tgtd, POLLS / 4)
            first = agent.reader_pid()
            os.kill(agent.agent_pid(), signal.SIGKILL)
            wait_for(lambda: Report(f'{logs}.{first}').errors is not None, 20,
                     'the report of the first reader')
            wait_for(lambda: agent.agent_pid() and agent.reader_pid() and lab.serving(), 30,
                     'the agent serves again')

            time.sleep(2)
            opened = {pid: len(os.listdir(f'/proc/{pid}/fd'))
                      for pid in (agent.pid, agent.agent_pid(), agent.reader_pid())}
            walks = exercise(lab, tgtd, POLLS)
            t.ok(walks > POLLS / 5, f'{walks} walks in {POLLS} polls')
            pids = {'parent': agent.pid, 'agent process': agent.agent_pid(),
                    'reader': agent.reader_pid()}
            t.equal([len(os.listdir(f'/proc/{pid}/fd')) for pid in pids.values()],
                    list(opened.values()), 'as many files are open as at the start')
            t.note(', '.join(f'{name}: {cpu_seconds(pid):.1f} s of processor time'
                             for name, pid in pids.items()))
            t.equal(lab.stop_agent(grace=20), 0, 'SIGTERM ends it with exit status 0')
            judge(t, logs, {**pids, 'first reader': first})
        t.equal(lab.leftovers, [], 'nothing is left running')


if __name__ == '__main__':
    main()
