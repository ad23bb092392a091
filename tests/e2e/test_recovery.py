#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What dies, stops or restarts around the agent and inside it: how soon the tables are back, and
that rows keep their index numbers where they must. The times measured are in the output."""

import os
import pwd
import re
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
# pylint: disable=wrong-import-position
import lab as laboratory
import snmp
from initiator import session
from process import alive, children, stat_fields, wait_for
from tap import Tap

NAME = 'iqn.2004-10.org.example:'
SESSION = snmp.ISCSI_OBJECTS + (10, 1, 1)
NODE = snmp.ISCSI_OBJECTS + (5, 1, 1)
PORTAL = snmp.ISCSI_OBJECTS + (2, 1, 1)
STALE_MAX = 4
POLL_TIMEOUT = 1


class Scene:
    """Two targets and three sessions that log in again whenever they are lost."""

    def __init__(self, lab):
        self.lab = lab
        lab.start_snmpd()
        self.tgtd = lab.start_tgtd()
        self.tgtd.add_target(NAME + 'disk-a')
        self.tgtd.add_target(NAME + 'disk-b')
        v4, v6 = self.tgtd.both_portals()
        self.initiator = lab.start_initiator(
            session(v4, NAME + 'disk-a', NAME + 'host-1', rate=20, retry=1),
            session(v6, NAME + 'disk-b', NAME + 'host-2', rate=20, retry=1),
            session(v6, NAME + 'disk-a', NAME + 'host-3', retry=1))
        # Only the end of a log is of interest: from here on.
        self.log_at = 0

    def start_agent(self):
        return self.lab.start_agent(staleMax=STALE_MAX, pollTimeout=POLL_TIMEOUT)

    def rows(self, timeout=0.3):
        """{table: {index: what tells the row}}; {} when snmpd does not answer in time."""
        manager = self.lab.manager(timeout=timeout, retries=0)
        try:
            walk = manager.bulkwalk(snmp.ISCSI_OBJECTS)
        except snmp.SnmpError:
            return {}
        found = {}
        for name, entry, columns in (('session', SESSION, (4, 6)), ('node', NODE, (2,)),
                                     ('portal', PORTAL, (4,))):
            found[name] = {index: tuple(row[c].value for c in columns if c in row)
                           for index, row in snmp.table(walk, entry).items()}
        return found

    def stamps(self):
        """iscsiSsnDiscontinuityTime of each session, in 1/100 s."""
        walk = self.lab.manager().bulkwalk(SESSION)
        return {index: row[21].value for index, row in snmp.table(walk, SESSION).items()}

    def complete(self):
        rows = self.rows()
        return bool(rows) and (len(rows['session']), len(rows['node'])) == (3, 2)

    def wait_saved(self):
        """Until the numbers of all sessions shown are in the file: two seconds and what the disk takes."""
        path = self.lab.path('run', 'index.run')

        def saved():
            if not os.path.exists(path):
                return False
            with open(path, encoding='utf-8') as file:
                numbers = set(re.findall(r'^session (\d+) (\d+) ', file.read(), re.M))
            shown = self.rows().get('session')
            return bool(shown) and {(str(i[0]), str(i[2])) for i in shown} <= numbers
        wait_for(saved, 20, 'the numbers are saved')

    def mark(self):
        self.log_at = len(self.lab.agent.text())

    def log(self):
        return self.lab.agent.text()[self.log_at:]

    def back_within(self, t, seconds, what, start=None):
        """Waits for all rows; the time is a test. Returns the rows."""
        start = start or time.monotonic()
        try:
            wait_for(self.complete, seconds + 10, what, interval=0.02)
        except TimeoutError:
            t.note(f'log: {self.log()}')
        t.below(time.monotonic() - start, seconds, what)
        return self.rows()


def test_snmpd(t, s, before):
    for number, name in ((signal.SIGKILL, 'killed'), (signal.SIGTERM, 'restarted')):
        s.mark()
        s.lab.stop_snmpd(number)
        time.sleep(0.5)
        s.lab.start_snmpd()
        after = s.back_within(t, 3, f'snmpd {name}: all rows are back after it answers')
        t.equal(after, before, 'with the same index numbers')
        t.ok('lost the master agent' in s.log() and 'connected to the master' in s.log(),
             'the loss and the connection are logged', s.log())
    s.mark()
    s.lab.snmpd.send(signal.SIGSTOP)
    time.sleep(4)
    agent_pid = s.lab.agent.agent_pid()
    s.lab.snmpd.send(signal.SIGCONT)
    after = s.back_within(t, 3, 'snmpd stopped for 4 s: all rows are back')
    t.equal((after, s.lab.agent.agent_pid()), (before, agent_pid),
            'with the same numbers, from the same process')


def test_agent_process(t, s, before):
    old = s.lab.agent.agent_pid()
    s.mark()
    os.kill(old, signal.SIGKILL)
    start = time.monotonic()
    wait_for(lambda: s.lab.agent.agent_pid() not in (None, old), 5, 'a new agent process')
    after = s.back_within(t, 3, 'agent process killed: all rows are back', start)
    t.equal(after, before, 'sessions have the same numbers: they outlive the process')
    t.ok('starting it again' in s.log(), 'the restart is logged', s.log())


def test_reader(t, s, before):
    old = s.lab.agent.reader_pid()
    s.mark()
    os.kill(old, signal.SIGKILL)
    start = time.monotonic()
    seen, new = [], False
    while (took := time.monotonic() - start) < 2.5 or (not new and took < 15):
        # An answer that is late on a loaded machine lacks no row; one that never comes does.
        seen.append(s.rows(timeout=5))
        new = s.lab.agent.reader_pid() not in (None, old)
        time.sleep(0.05)
    t.equal([rows for rows in seen if rows != before], [],
            f'reader killed: no row is missing at any time, in {len(seen)} walks')
    t.ok(new, 'there is a new reader')

    s.mark()
    stuck = s.lab.agent.reader_pid()
    os.kill(stuck, signal.SIGSTOP)
    wait_for(lambda: s.lab.agent.reader_pid() not in (None, stuck), 10,
             'a reader that hangs is replaced')
    s.back_within(t, 2, 'reader stopped for good: replaced, all rows there')
    t.ok(not alive(stuck), 'and it is ended')


def test_saver(t, s, before):
    for number, how in ((signal.SIGKILL, 'killed'), (signal.SIGSTOP, 'stopped')):
        old = s.lab.agent.saver_pid()
        os.kill(old, number)
        guest = s.lab.start_initiator(session(s.tgtd.portals()[0], NAME + 'disk-b',
                                              f'{NAME}guest-{how}'), name='guest')
        start = time.monotonic()
        try:
            wait_for(lambda: len(s.rows().get('session', {})) == 4, 5, 'the guest is shown')
        except TimeoutError:
            pass
        t.below(time.monotonic() - start, 2.5, f'saver {how}: rows are served and come as ever')
        if number == signal.SIGKILL:
            wait_for(lambda: s.lab.agent.saver_pid() not in (None, old), 5, 'another saver')
            s.wait_saved()
            now = s.rows()
            os.kill(s.lab.agent.agent_pid(), signal.SIGKILL)
            wait_for(lambda: len(s.rows().get('session', {})) == 4, 10, 'served again')
            t.equal(s.rows(), now, 'another one has saved the new number')
        else:
            os.kill(old, signal.SIGCONT)
        s.lab.stop_initiator(guest)
        s.back_within(t, 3, 'the guest is gone')
    t.equal(s.rows(), before, 'the others have their numbers')


def test_parent(t, s, before):
    family = [s.lab.agent.pid, s.lab.agent.agent_pid(), s.lab.agent.reader_pid(),
              s.lab.agent.saver_pid()]
    t.equal(sorted(pid for pid in children(s.lab.agent.pid) if alive(pid)), sorted(family[1:]),
            'the parent has an agent process, one reader and the saver of files')
    s.lab.agent.send(signal.SIGKILL)
    s.lab.agent.wait(2)
    start = time.monotonic()
    try:
        wait_for(lambda: not any(alive(pid) for pid in family), 5, 'the children end', 0.01)
    except TimeoutError:
        pass
    t.below(time.monotonic() - start, 1, 'parent killed: its children are gone')
    wait_for(lambda: not s.rows().get('node'), 3, 'snmpd notices')
    t.ok(True, 'and snmpd has none of our rows')
    s.lab.remove(s.lab.agent)
    start = time.monotonic()
    s.start_agent()
    after = s.back_within(t, 2, 'started again: all rows are back', start)
    t.equal(after, before, 'with the same index numbers')


def test_tgtd_stopped(t, s, before):
    s.mark()
    s.tgtd.send(signal.SIGSTOP)
    start = time.monotonic()
    wait_for(lambda: 'rows stay' in s.log(), 6, 'the log says that tgtd does not answer')
    t.below(time.monotonic() - start, POLL_TIMEOUT + 2.5, 'tgtd stopped: logged')
    t.equal(s.rows(), before, 'its rows stay')
    wait_for(lambda: s.rows().get('session') == {}, STALE_MAX + 8, 'the rows go')
    took = time.monotonic() - start
    t.ok(STALE_MAX - 1.5 <= took <= STALE_MAX + 3,
         f'after staleMax ({STALE_MAX} s) they are gone: {took:.1f} s')
    t.ok('its rows are gone' in s.log(), 'which is logged', s.log())
    t.ok(s.log().count('\n') <= 4, 'with few lines: once per change, not per poll', s.log())
    s.tgtd.send(signal.SIGCONT)
    # Its initiators may have given the sessions up; what matters is the targets and portals.
    start = time.monotonic()
    after = s.back_within(t, 4, 'tgtd goes on: all rows are back', start)
    t.equal((after['node'], after['portal']), (before['node'], before['portal']),
            'nodes and portals with the same numbers')
    t.equal(after['session'], before['session'], 'and the sessions, which are the same')


def test_tgtd_killed(t, s, before):
    s.mark()
    s.tgtd.send(signal.SIGKILL)
    s.tgtd.wait(2)
    start = time.monotonic()
    wait_for(lambda: s.rows().get('node') == {}, 10, 'the rows of a tgtd that ended go')
    t.below(time.monotonic() - start, 2.5, 'tgtd killed: its rows are gone')
    s.tgtd = s.lab.restart_tgtd(s.tgtd)
    after = s.back_within(t, 6, 'tgtd restarted: targets, and sessions logged in again')
    t.equal((after['node'], after['portal']), (before['node'], before['portal']),
            'nodes and portals have their old numbers')
    t.ok(len(after['session']) == 3 and not set(after['session']) & set(before['session']),
         'the new sessions have new numbers: none is used again', after, before)
    return after


def test_stamps(t, s):
    """A new process measures the master's time anew, which must not show: not once in some tries."""
    before, seen = s.stamps(), []
    for _ in range(4):
        s.lab.stop_agent()
        s.start_agent()
        wait_for(s.complete, 5, 'all rows are back', interval=0.05)
        seen.append(s.stamps())
    t.ok(all(before.values()), 'sessions that began while the agent was there have a time', before)
    t.equal(seen, [before] * 4, 'the times are what they were after each of four restarts')


def test_hangup(t, s, before):
    agent_pid = s.lab.agent.agent_pid()
    s.mark()
    s.lab.write_agent_config(extra='pollInterval nonsense\n', staleMax=STALE_MAX,
                             pollTimeout=POLL_TIMEOUT)
    s.lab.agent.send(signal.SIGHUP)
    wait_for(lambda: 'the one in force stays' in s.log(), 6, 'the bad file is refused')
    t.ok('iscsi-agentx.conf' in s.log() and 'nonsense' in s.log(),
         'SIGHUP with a bad line: named, and the configuration in force stays', s.log())
    t.equal((s.rows(), s.lab.agent.agent_pid()), (before, agent_pid), 'nothing else changes')

    s.mark()
    s.lab.write_agent_config(staleMax=STALE_MAX, pollTimeout=POLL_TIMEOUT, pollInterval=2)
    s.lab.agent.send(signal.SIGHUP)
    wait_for(lambda: 'configuration read again' in s.log(), 6, 'the good file is taken')
    after = s.back_within(t, 3, 'SIGHUP with a good file: in force, all rows there')
    t.equal(after, before, 'with the same numbers')
    s.lab.write_agent_config(staleMax=STALE_MAX, pollTimeout=POLL_TIMEOUT)
    s.lab.agent.send(signal.SIGHUP)
    s.back_within(t, 3, 'and back to the old one')


def test_endless_file(t, s, before):
    """To read it took longer than the agent process may be silent. Its messages had waited in the
    socket all the time, but the parent looked at the clock first and killed it."""
    agent_pid, path = s.lab.agent.agent_pid(), s.lab.path('iscsi-agentx.conf')
    os.remove(path)
    os.mkfifo(path)
    s.mark()
    s.lab.agent.send(signal.SIGHUP)
    wait_for(lambda: 'could not be read: the one in force stays' in s.log(), 15, 'the file is given up')
    os.remove(path)
    s.lab.write_agent_config(staleMax=STALE_MAX, pollTimeout=POLL_TIMEOUT)
    s.lab.agent.send(signal.SIGHUP)  # what comes of this is said some turns later
    wait_for(lambda: 'nothing has changed' in s.log(), 10, 'the parent goes on')
    t.equal((s.rows(), s.lab.agent.agent_pid()), (before, agent_pid),
            'SIGHUP with a file that does not end: the agent process goes on')
    t.ok('silent' not in s.log(), 'nobody takes it for hung', s.log())


def test_user(t, s, before):
    """The user was chosen at the start only: the process went on as the old one, without a word. Of two
    users none is nobody, whose directories anybody may have: the second did not get them."""
    for name in ('games', 'daemon'):
        user = pwd.getpwnam(name).pw_uid
        s.lab.write_agent_config(staleMax=STALE_MAX, pollTimeout=POLL_TIMEOUT, agentUser=name)
        s.lab.agent.send(signal.SIGHUP)
        wait_for(lambda uid=user: os.stat(f'/proc/{s.lab.agent.agent_pid() or 1}').st_uid == uid, 6,
                 f'the agent process is that of {name}')
        after = s.back_within(t, 3, f'SIGHUP with another agentUser: the agent process is that of {name}')
        t.equal(after, before, 'with the same numbers')
        t.equal([os.stat(s.lab.path(directory)).st_uid for directory in ('state', 'run')],
                [user, user], 'the directories are, too')
    for retry in (2, 3):  # neither can be followed: the processes start anew
        s.mark()
        s.lab.write_agent_config(agentUser='no-such-user', tgtSocket=s.lab.path('tgt'),
                                 staleMax=STALE_MAX, pollTimeout=POLL_TIMEOUT,
                                 agentXPingInterval=retry)
        s.lab.agent.send(signal.SIGHUP)
        wait_for(lambda: 'starting the processes anew' in s.log(), 6, 'they start anew')
        t.equal(s.log().count('there is no user'), 1 if retry == 2 else 0,
                'the user is looked up' if retry == 2 else
                'not again for another reason: a directory service may keep us waiting')
        s.back_within(t, 4, 'all rows are back')


def test_end(t, s, what, stuck=False):
    """The parent gives each 0.9 s, then ends it by force, and does not wait for what cannot end."""
    family = list(children(s.lab.agent.pid))
    s.mark()
    start = time.monotonic()
    status = s.lab.stop_agent()
    t.below(time.monotonic() - start, 1.3 if stuck else 1, f'SIGTERM {what}: ended')
    t.equal(status, 0, 'exit status 0')
    t.equal([p for p in family if alive(p)], [], 'with its children')
    if not stuck:
        t.ok(not any(f for f in map(stat_fields, family)), 'which are reaped')


def main():
    with Tap() as t:
        why = laboratory.missing()
        if why:
            t.skip_all(why)
        with laboratory.Lab() as lab:
            s = Scene(lab)
            s.start_agent()
            before = s.back_within(t, 3, 'the first start')
            s.wait_saved()
            test_snmpd(t, s, before)
            test_agent_process(t, s, before)
            test_reader(t, s, before)
            test_saver(t, s, before)
            test_parent(t, s, before)
            test_hangup(t, s, before)
            test_endless_file(t, s, before)
            test_tgtd_stopped(t, s, before)
            before = test_tgtd_killed(t, s, before)
            s.wait_saved()
            test_stamps(t, s)
            test_end(t, s, 'in quiet')
            s.start_agent()
            t.equal(s.back_within(t, 3, 'started again'), before, 'the numbers are the same')
            s.tgtd.send(signal.SIGSTOP)
            time.sleep(1.3)
            test_end(t, s, 'while a reader waits for a stopped tgtd')
            s.tgtd.send(signal.SIGCONT)
            s.start_agent()
            s.back_within(t, 3, 'started again')
            lab.snmpd.send(signal.SIGSTOP)
            time.sleep(1.5)
            test_end(t, s, 'while snmpd is stopped')
            lab.snmpd.send(signal.SIGCONT)
            s.start_agent()
            test_user(t, s, s.back_within(t, 3, 'started again'))
            os.kill(lab.agent.saver_pid(), signal.SIGSTOP)
            test_end(t, s, 'while the saver waits for a disk', stuck=True)
        t.equal(lab.leftovers, [], 'nothing is left running')


if __name__ == '__main__':
    main()
