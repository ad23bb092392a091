#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The wall clock is set, by an hour or by decades, forward and back, under the running agent and while
it is not there: no age and no TimeStamp moves by it, polls go on, nothing is lost, and dates are those
of the clock as it is now."""

import datetime
import os
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
from source_lab import (AGE, EVENTS, LAST_GOOD, OK, PATHS, POLLS, RESTARTS, SESSIONS, STATE,
                        laboratory, rows, source, wait_for, wait_polls, wait_state)
from open_iscsi_host import OpenIscsiHost
from process import preload
from tap import Tap, measured

CLOCK = os.path.join(laboratory.BUILD, 'tests', 'step_clock.so')
YEAR = 365 * 86400
STEPS = (3600, -3600, 10 * YEAR, -20 * YEAR, 0)
DISCONTINUITY, STATUS_AGE, STATUS_DATE = 21, 39, 40
EVENT_DATE = 3


class Clock:
    """The offset of the agent's wall clock, in s."""

    def __init__(self, path):
        self.path, self.offset = path, 0
        with open(path, 'wb') as file:
            file.write(bytes(8))

    def set(self, offset):
        self.offset = offset
        with open(self.path, 'r+b', buffering=0) as file:
            file.write(struct.pack('=q', offset))

    def now(self):
        return time.time() + self.offset


def seconds(date):
    """A DateAndTime as seconds since 1970."""
    fields = struct.unpack('>HBBBBBB', date[:8])
    zone = datetime.timedelta(hours=date[9], minutes=date[10])
    moment = datetime.datetime(*fields[:6], fields[6] * 100000, datetime.timezone.utc)
    return (moment - zone if date[8:9] == b'+' else moment + zone).timestamp()


def stamps(lab):
    """What must not move: the time stamps of sessions."""
    return {i: row.get(DISCONTINUITY) for i, row in rows(lab, SESSIONS).items()}


def step(t, lab, host, clock, offset):
    """One setting of the clock under the running agent."""
    what = f'clock off by {offset} s'
    before, path = stamps(lab), rows(lab, PATHS)[(4,)]
    pids = lab.agent.agent_pid(), lab.agent.reader_pid('open-iscsi')
    polls, start = source(lab, 'open-iscsi')[POLLS], time.monotonic()
    clock.set(offset)
    wait_polls(lab, 'open-iscsi', 3)
    took = time.monotonic() - start
    row, now_path = source(lab, 'open-iscsi'), rows(lab, PATHS)[(4,)]
    t.below(took, 8, f'{what}: polls go on')
    t.equal((row[STATE], row[RESTARTS]), (OK, 0), f'{what}: the source is read as before')
    t.below(row[AGE], 4000, f'{what}: the age of its rows is that of a poll', 'ms')
    off = abs(seconds(row[LAST_GOOD]) - clock.now())
    t.below(off, 5, f'{what}: the date of the last poll is of the new clock')
    t.equal(stamps(lab), before, f'{what}: no TimeStamp of a session moves')
    grown = now_path[STATUS_AGE] - path[STATUS_AGE]
    t.ok(took - 3 <= grown <= took + 3, f'{what}: ages grow as time does', grown, took)
    t.below(abs(seconds(now_path[STATUS_DATE]) - (clock.now() - now_path[STATUS_AGE])), 5,
            f'{what}: a date is as long ago as its age says')
    # An event that happens now has the date of now.
    last = max(rows(lab, EVENTS), default=(0,))
    host.set_state(4, 'FAILED', 'failed')
    event = wait_for(lambda: rows(lab, EVENTS) if max(rows(lab, EVENTS), default=(0,)) > last else None,
                     10, 'an event')
    date = event[max(event)].get(EVENT_DATE)
    t.ok(date and abs(seconds(date) - clock.now()) < 15, f'{what}: an event has the date of now', date)
    host.set_state(4, 'LOGGED_IN', 'up')
    wait_for(lambda: rows(lab, PATHS)[(4,)].get(2) == 1, 10, 'the path is up')
    t.equal((lab.agent.agent_pid(), lab.agent.reader_pid('open-iscsi')), pids,
            f'{what}: the processes are those of the start')
    return off


def restart(t, lab, clock, settings):
    """The clock is set while the agent is not there: what it had saved holds."""
    before, events = stamps(lab), rows(lab, EVENTS)
    lab.stop_agent()
    clock.set(-5 * YEAR)
    lab.start_agent(**settings)
    wait_state(lab, 'open-iscsi', OK)
    wait_for(lambda: len(rows(lab, SESSIONS)) == len(before), 10, 'the sessions')
    t.equal(stamps(lab), before, 'clock set back while the agent is stopped: TimeStamps are kept')
    now = rows(lab, EVENTS)
    t.ok(set(events) <= set(now), 'clock set back while the agent is stopped: events are kept')
    t.ok(not os.path.exists(lab.path('state', 'index.bad')),
         'clock set back while the agent is stopped: no file is set aside')


def main():
    with Tap() as t:
        why = laboratory.missing()
        if why:
            t.skip_all(why)
        with laboratory.Lab() as lab:
            host = OpenIscsiHost(lab.path('host'))
            for i in range(1, 4):
                host.add_path(f'iqn.2004-10.org.example:disk-{i}', f'10.0.0.{i}')
            clock = Clock(lab.path('clock'))
            settings = {'arguments': ('--root', lab.path('host')), 'sources': 'open-iscsi',
                        'pollInterval': 1, 'pollTimeout': 5, 'staleMax': 60,
                        'environment': {'LD_PRELOAD': preload(CLOCK), 'STEP_CLOCK': clock.path}}
            lab.start_snmpd()
            lab.start_agent(**settings)
            wait_for(lambda: len(rows(lab, SESSIONS)) == 3, 15, 'all sessions')
            # One session that begins while the agent is there has a time.
            host.add_path('iqn.2004-10.org.example:disk-4', '10.0.0.4')
            wait_for(lambda: len(stamps(lab)) == 4 and any(stamps(lab).values()), 15, 'a time stamp')
            off = [step(t, lab, host, clock, offset) for offset in STEPS]
            measured('S10', 'steps', len(STEPS))
            measured('S10', 'date_off_s_max', round(max(off), 1))
            restart(t, lab, clock, settings)
            t.ok(lab.agent.text().count('\n') < 40, 'few lines in the log')
        t.equal(lab.leftovers, [], 'nothing is left running')


if __name__ == '__main__':
    main()
