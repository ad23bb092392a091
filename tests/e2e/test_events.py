#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The event table is a memory: after the agent was stopped, killed or restarted the events are there
under their numbers, and no number is given twice; a file that is torn begins the table anew."""

import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
# pylint: disable=wrong-import-position
import lab as laboratory
import snmp
from initiator import session
from process import wait_for
from tap import Tap

NAME = 'iqn.2004-10.org.example:'
ENTRY = snmp.oid(laboratory.PRIVATE_ROOT) + (1, 1, 8, 1)
TYPE, DATE, TIME, SUBJECT, TEXT, ROW, TOLD = range(2, 9)
SESSION_LIMIT, AGENT_STARTED = 12, 16


def events(lab):
    """{number: {column: value}} of what snmpd shows; {} when it does not answer. A walk asks for
    column after column: of an event that came meanwhile it has the last ones only."""
    try:
        walk = lab.manager(timeout=0.5).bulkwalk(ENTRY)
    except snmp.SnmpError:
        return {}
    return {index[0]: {column: v.value for column, v in row.items()}
            for index, row in snmp.table(walk, ENTRY).items() if TYPE in row}


def starts(lab):
    return [n for n, row in events(lab).items() if row[TYPE] == AGENT_STARTED]


def same(before, now):
    """The events of before are there, as they were, but for the time since the master's start."""
    return all(n in now and {**now[n], TIME: 0} == {**row, TIME: 0} for n, row in before.items())


def reach_limit(lab, tgtd, number):
    """One more session at the target: an event when it has the first one."""
    def reached():
        return sum(row[TYPE] == SESSION_LIMIT for row in wait_for(lambda: events(lab), 8, 'a walk').values())

    count = reached()  # a poll may come as soon as the session is there
    initiator = lab.start_initiator(
        session(tgtd.portals()[0], NAME + 'disk', f'{NAME}host-{number}'))
    wait_for(lambda: reached() > count, 8, 'the event is in the table')
    lab.stop_initiator(initiator)


def test_stop(t, lab):
    before = events(lab)
    lab.stop_agent(signal.SIGTERM)
    lab.start_agent(targetSessionLimit=1)
    now = wait_for(lambda: events(lab) if len(starts(lab)) == 2 else None, 8, 'it has started')
    t.ok(same(before, now), 'after a stop and a start the events are as they were',
         f'before {before}', f'now {now}')
    t.equal(sorted(now), list(range(1, len(before) + 2)), 'and numbers go on without a gap')
    t.ok(all(row[TIME] > 0 for n, row in now.items() if n > 1), 'with the times of this boot')
    return now


def test_reload(t, lab, tgtd):
    """Another configuration for which the processes are started anew: they end in order."""
    reach_limit(lab, tgtd, 3)
    before, pid = events(lab), lab.agent.agent_pid()
    lab.write_agent_config(targetSessionLimit=1, agentXPingInterval=2)
    lab.agent.send(signal.SIGHUP)
    now = wait_for(lambda: events(lab) if len(starts(lab)) == 3 else None, 10, 'it runs again')
    t.ok(lab.agent.agent_pid() != pid, 'SIGHUP: another agent process')
    t.ok(same(before, now), 'an event that was not saved yet is there afterwards',
         f'before {before}', f'now {now}')
    t.equal(sorted(now), list(range(1, len(before) + 2)), 'numbers go on without a gap')
    return now


def wait_saved(lab):
    """Until the newest event is in the file: two seconds and what the disk takes."""
    def saved():
        with open(lab.path('state', 'events'), encoding='utf-8') as file:
            return f'\n{max(events(lab))} ' in file.read()
    wait_for(saved, 20, 'the newest event is saved')


def test_kill(t, lab, before):
    wait_saved(lab)
    os.kill(lab.agent.agent_pid(), signal.SIGKILL)
    now = wait_for(lambda: events(lab) if len(starts(lab)) == 4 else None, 10, 'it runs again')
    t.ok(same(before, now), 'after the agent process was killed the events are as they were',
         f'before {before}', f'now {now}')
    t.ok(max(now) > max(before) + 1, f'a gap says so: {max(before)}, then {max(now)}')
    return now


def test_kill_unsaved(t, lab, tgtd):
    """Killed before an event can have been saved: its number is not given again."""
    wait_saved(lab)
    reach_limit(lab, tgtd, 2)
    before = events(lab)
    os.kill(lab.agent.agent_pid(), signal.SIGKILL)
    now = wait_for(lambda: events(lab) if max(starts(lab), default=0) > max(before) else None, 10,
                   'it runs again')
    t.ok(min(set(now) - set(before)) > max(before), 'no number of an unsaved event is given again')
    t.ok(same({n: row for n, row in before.items() if n in now}, now), 'the others are as they were')


def test_walk(t, lab):
    wait_saved(lab)
    done = lab.run_agent('--walk=iscsiEventText')
    ours = [line.split(' = ')[0] for line in done.stdout.splitlines()]
    t.equal(ours, [snmp.dotted(ENTRY + (TEXT, n)) for n in sorted(events(lab))],
            '--walk shows the same events')


def test_torn(t, lab):
    lab.stop_agent(signal.SIGTERM)
    path = lab.path('state', 'events')
    with open(path, 'rb+') as file:
        file.truncate(os.path.getsize(path) - 30)
    lab.start_agent(targetSessionLimit=1)
    now = wait_for(lambda: events(lab), 8, 'it has started')
    t.equal([(n, row[TYPE]) for n, row in now.items()], [(1, AGENT_STARTED)],
            'after the file was torn the table begins anew')
    t.ok('set aside as events.bad, the event table begins anew' in lab.agent.text(),
         'which is logged', lab.agent.text()[-500:])
    t.ok(os.path.exists(path + '.bad'), 'and the file is set aside')


def main():
    with Tap() as t:
        why = laboratory.missing()
        if why:
            t.skip_all(why)
        with laboratory.Lab() as lab:
            lab.start_snmpd()
            tgtd = lab.start_tgtd()
            tgtd.add_target(NAME + 'disk')
            lab.start_agent(targetSessionLimit=1)
            wait_for(lambda: list(events(lab)) == [1], 8, 'the agent has started')
            reach_limit(lab, tgtd, 1)
            now = events(lab)
            t.equal([row[TYPE] for row in now.values()], [AGENT_STARTED, SESSION_LIMIT],
                    'the start and a target with as many sessions as allowed')
            now = test_stop(t, lab)
            now = test_reload(t, lab, tgtd)
            test_kill(t, lab, now)
            test_kill_unsaved(t, lab, tgtd)
            test_walk(t, lab)
            test_torn(t, lab)
        t.equal(lab.leftovers, [], 'nothing is left running')


if __name__ == '__main__':
    main()
