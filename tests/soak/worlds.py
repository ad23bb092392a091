# SPDX-License-Identifier: BSD-2-Clause
"""The two worlds of the soak run.

Targets: a real tgtd with sessions of libiscsi that read and write, and sessions that come and go.
Paths: an initiator's host as a directory that is changed underneath (tests/support/
open_iscsi_host.py), and the notifications of it, through snmpd to snmptrapd.
"""

import collections
import os
import signal
import time

import snmp
from initiator import session
from open_iscsi_host import OpenIscsiHost
from oracle import ENDED, NOTIFICATION_LAG, View
from process import wait_for
from raw_initiator import RawSession
from world import PRIVATE, World

NAME = 'iqn.2004-10.org.example:'
NODE = snmp.ISCSI_OBJECTS + (5, 1, 1)
SESSION = snmp.ISCSI_OBJECTS + (10, 1, 1)
STATISTICS = snmp.ISCSI_OBJECTS + (10, 2, 1)
PATH = PRIVATE + (3, 1)
PROPERTIES = PRIVATE + (4, 1)
COUNTERS = (1, 3, 4)  # commands, octets sent, received
CONNECTED, DISCONNECTED, RECONNECTING = 1, 2, 3
TARGETS = 3
GUESTS = 12
PATHS = 24


class Targets(World):
    """tgtd, with sessions that stay and sessions that come and go."""

    def source_settings(self):
        return {'sources': 'tgt'}

    def prepare(self):
        self.guests, self.guest_number = [], 0
        self.compared = 0  # sessions whose counters were
        self.lab.start_snmpd()
        self.tgtd = self.lab.start_tgtd()
        for number in range(TARGETS):
            self.tgtd.add_target(f'{NAME}disk-{number}')
        self.processes.others['tgtd'] = lambda: self.tgtd
        self.keepers = self.lab.start_initiator(
            *[session(self.tgtd.both_portals()[n % 2], f'{NAME}disk-{n}', f'{NAME}keeper-{n}', rate=20,
                      retry=1) for n in range(TARGETS)])
        self.state_truth()

    def state_truth(self):
        facts = {('node', f'{NAME}disk-{n}'): True for n in range(TARGETS)}
        facts |= {('session', f'{NAME}keeper-{n}'): f'{NAME}disk-{n}' for n in range(TARGETS)}
        for guest in self.guests:
            facts['session', guest.initiator] = guest.target
            facts['tsih', guest.initiator] = guest.tsih
        self.oracle.set_truth(facts)

    def judge_walk(self, walk, what):
        facts, nodes = {}, {}
        tables = {name: snmp.table(walk, name) for name in (NODE, SESSION, STATISTICS)}
        for index, row in tables[NODE].items():
            # A node or session that comes or goes while the walk is made has some of its columns.
            if 2 not in row:
                continue
            nodes[index] = row[2].value.decode()
            facts['node', nodes[index]] = True
            self.oracle.judge_number('node', index, nodes[index], what)
        for index, row in tables[SESSION].items():
            if not {4, 6} <= set(row) or index[:2] not in nodes:
                continue
            initiator, tsih = row[4].value.decode(), row[6].value
            self.oracle.judge_number('session', index, (initiator, tsih), what)
            if self.oracle.has_ended('session', index):
                facts['session', initiator] = ENDED
                continue
            facts['session', initiator] = nodes[index[:2]]
            if 'guest' in initiator:
                facts['tsih', initiator] = tsih
        for index, row in tables[STATISTICS].items():
            for column, value in row.items():
                self.oracle.judge_counter('session', index, column, value.value, what)
        return View(facts, {('node', 'nodes'): len(tables[NODE]),
                            ('session', 'sessions'): len(tables[SESSION]),
                            ('session', 'statistics'): len(tables[STATISTICS])})

    def changes(self):
        return [(8, self.sessions_come), (8, self.sessions_go), (2, self.counters_compared),
                (1, self.tgtd_killed), (1, self.tgtd_stopped)]

    def sessions_come(self):
        for _ in range(self.random.randint(1, 3)):
            if len(self.guests) < GUESTS:
                self.guest_number += 1
                target = f'{NAME}disk-{self.random.randrange(TARGETS)}'
                guest = RawSession(self.random.choice(self.tgtd.portals()), target,
                                   f'{NAME}guest-{self.guest_number}')
                guest.target = target
                self.guests.append(guest)
        self.state_truth()

    def sessions_go(self):
        for _ in range(self.random.randint(1, 3)):
            if self.guests:
                guest = self.guests.pop(self.random.randrange(len(self.guests)))
                guest.close()
                self.oracle.end('session', lambda owner, who=guest: owner[0] == who.initiator)
        self.state_truth()

    def counters_compared(self):
        """With all commands paused, the counters are what tgtadm shows."""
        self.keepers.pause()
        wanted = {}
        for target in self.tgtd.show():
            statistics = self.tgtd.stat(target.tid)
            for nexus in target.sessions:
                mine = [statistics[key] for key in statistics if key[0] == nexus.nexus]
                wanted[nexus.initiator] = tuple(
                    sum(s[what] for s in mine) for what in ('commands', 'tx_octets', 'rx_octets'))

        def shown():
            walk = self.lab.manager().bulkwalk(snmp.ISCSI_OBJECTS + (10,))
            rows = snmp.table(walk, STATISTICS)
            return {row[4].value.decode(): tuple(rows[index][c].value for c in COUNTERS
                                                 if c in rows[index])
                    for index, row in snmp.table(walk, SESSION).items()
                    if 4 in row and index in rows}

        try:
            wait_for(lambda: shown() == wanted, 10, 'the counters are those of tgtadm')
            self.compared += len(wanted)
        except TimeoutError:
            self.oracle.complain(f'counters_compared: {shown()}, but tgtadm says {wanted}')
        self.keepers.resume()

    def tgtd_killed(self):
        """All sessions end; those that stay log in again, and have other numbers."""
        logins = self.keepers.ready()
        old, self.guests = self.guests, []
        self.oracle.end('session', lambda owner: True)
        self.tgtd = self.lab.restart_tgtd(self.tgtd)
        for guest in old:
            guest.close()
        self.state_truth()
        wait_for(lambda: self.keepers.ready() >= logins + TARGETS, 30, 'the sessions are back')

    def tgtd_stopped(self):
        """Rows stay, since that is shorter than staleMax."""
        self.tgtd.send(signal.SIGSTOP)
        time.sleep(self.random.uniform(0.5, 3))
        self.tgtd.send(signal.SIGCONT)

    def result(self):
        return {**super().result(), 'compared': self.compared, 'logins': self.guest_number}


class Host(OpenIscsiHost):
    """Sessions get new numbers of the kernel at each login."""

    def __init__(self, directory):
        super().__init__(directory)
        self.last = 0

    def log_in(self, number):
        self.last += 1
        super().log_in(number, self.last)


class Paths(World):
    """An initiator's host: paths that fail, come back, go and are found again."""

    # What a notification tells, and the status that the path has then; here logins are through at once.
    KINDS = {1: ('down', RECONNECTING), 2: ('up', CONNECTED), 3: ('missing', DISCONNECTED),
             4: ('found', CONNECTED)}

    def source_settings(self):
        return {'sources': 'open-iscsi'}

    def prepare(self):
        root = self.lab.path('root')
        os.mkdir(root)
        self.arguments = ('--root', root)
        self.host = Host(root)
        self.states = {}  # number of the path -> its status, 0 without a session
        self.made, self.told = collections.Counter(), collections.defaultdict(set)
        self.seen = 0     # notifications that are judged
        self.before_kills = {}
        for number in range(1, PATHS + 1):
            self.host.add_path(f'{NAME}disk-{(number + 1) // 2}', f'10.0.{number % 2}.{number}')
            self.states[number] = CONNECTED
        self.sink = self.lab.start_trap_sink()
        self.lab.start_snmpd(self.snmpd_lines())
        self.state_truth()

    def snmpd_lines(self):
        return self.sink.lines(v3=False)

    def name(self, number):
        target, address = self.host.paths[number - 1]
        return target, f'{address}:3260'

    def state_truth(self):
        facts = {}
        for number, state in self.states.items():
            facts['path', self.name(number)] = state
            if number in self.host.sids:
                facts['session', self.host.sids[number]] = self.name(number)[0]
        self.oracle.set_truth(facts)

    def judge_walk(self, walk, what):
        facts, sids = {}, {}
        tables = {name: snmp.table(walk, name) for name in (PATH, SESSION, PROPERTIES)}
        for index, row in tables[PATH].items():
            if {2, 6, 8} <= set(row):
                name = row[6].value.decode(), row[8].value.decode()
                facts['path', name] = row[2].value
                self.oracle.judge_number('path', index, name, what)
        for index, row in tables[PROPERTIES].items():
            if 23 in row:
                sids[index] = row[23].value
        for index, row in tables[SESSION].items():
            if 5 in row and index in sids:
                facts['session', sids[index]] = row[5].value.decode()
                self.oracle.judge_number('session', index, sids[index], what)
        self.judge_notifications(what)
        return View(facts, {('path', 'paths'): len(tables[PATH]),
                            ('session', 'sessions'): len(tables[SESSION]),
                            ('session', 'properties'): len(tables[PROPERTIES])})

    def judge_notifications(self, what):
        """Each is about something that happened, with a value that was true."""
        traps = self.sink.all()[self.seen:]
        self.seen += len(traps)
        for trap in traps:
            if trap.oid[:-1] == PRIVATE[:-1] + (0,) and trap.oid[-1] in self.KINDS:
                self.judge_notification(trap, what)

    def judge_notification(self, trap, what):
        kind, status = self.KINDS[trap.oid[-1]]
        event = trap.objects[0].oid[-1]
        rows = snmp.table(trap.objects, PATH)
        if [set(row) >= {2, 6, 8} for row in rows.values()] != [True]:
            self.oracle.complain(f'{what}: told {kind} without the status and the names of one path: '
                                 f'{trap.objects}')
            return
        (index, row), = rows.items()
        name = row[6].value.decode(), row[8].value.decode()
        self.oracle.judge_number('path', index, name, what)
        if row[2].value != status or not self.oracle.was(('path', name), status, NOTIFICATION_LAG):
            self.oracle.complain(f'{what}: told {kind} of {name} with the status {row[2].value}, which '
                                 'it was not')
        self.told[kind, name].add(event)
        if len(self.told[kind, name]) > self.made[kind, name]:
            self.oracle.complain(f'{what}: told {kind} of {name} '
                                 f'{len(self.told[kind, name])} times, which happened '
                                 f'{self.made[kind, name]} times')

    def untold(self):
        """What happened and was not told."""
        return [f'{kind} of {name}: {made - len(self.told[kind, name])} of {made}'
                for (kind, name), made in sorted(self.made.items())
                if len(self.told[kind, name]) < made]

    def before_killing(self):
        """A notification waits while the master agent is away: until here none is lost."""
        def all_told():
            self.judge_notifications('before the first kill')
            return not self.untold()

        try:
            wait_for(all_told, NOTIFICATION_LAG, 'all is told')
        except TimeoutError:
            pass
        self.before_kills = {'made': sum(self.made.values()), 'untold': self.untold()}

    def changes(self):
        return [(6, self.paths_fail), (6, self.paths_return), (4, self.paths_go),
                (4, self.paths_are_found)]

    def _change(self, state, kind, function, to):
        """Some paths that are in this state come to another one."""
        found = [n for n, s in self.states.items() if s == state]
        self.random.shuffle(found)
        for number in found[:self.random.randint(1, 3)]:
            self.made[kind, self.name(number)] += 1
            function(number)
            self.states[number] = to
        self.state_truth()

    def paths_fail(self):
        self._change(CONNECTED, 'down', lambda n: self.host.set_state(n, 'FAILED', 'failed'),
                     RECONNECTING)

    def paths_return(self):
        self._change(RECONNECTING, 'up', lambda n: self.host.set_state(n, 'LOGGED_IN', 'up'),
                     CONNECTED)

    def paths_go(self):
        def log_out(number):
            sid = self.host.sids[number]
            self.oracle.end('session', lambda owner: owner == sid)
            self.host.log_out(number)

        self._change(CONNECTED, 'missing', log_out, DISCONNECTED)

    def paths_are_found(self):
        self._change(DISCONNECTED, 'found', self.host.log_in, CONNECTED)

    def finish(self):
        time.sleep(3)
        self.look('at the end', quiet=True)

    def result(self):
        told = sum(len(events) for events in self.told.values())
        return {**super().result(), 'made': sum(self.made.values()), 'told': told,
                'before_kills': self.before_kills}
