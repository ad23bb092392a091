#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Each notification from a change of the host to a manager: through the real snmpd, by SNMPv2c and by
SNMPv3, to the real snmptrapd. It comes once, soon, with the values that a GET finds then, and with
the names of the MIB modules. (iscsiIntrLoginFailure needs the kernel's events: tests/vm.)"""

import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
# pylint: disable=wrong-import-position
import lab as laboratory
import snmp
from initiator import session
from initiator_host import InitiatorHost
from lab import find_program, free_port
from process import Process, wait_for
from tap import Tap
from trap_sink import RECEIVER, USER

RFC = snmp.ISCSI_MIB + (0,)
PRIVATE = snmp.oid(laboratory.PRIVATE_ROOT) + (1, 0)
TGT_LOGIN, SSN_FAILURE = RFC + (1,), RFC + (3,)
(DOWN, UP, MISSING, FOUND, PRIMARY, DEGRADED, RESTORED, HEALTH, LIMIT, STALE, RECOVERED,
 FLAPPING) = (PRIVATE + (number,) for number in range(1, 13))
NAMES = ('iscsiPathDown', 'iscsiPathUp', 'iscsiPathMissing', 'iscsiPathFound',
         'iscsiPathPrimaryChanged', 'iscsiMapDegraded', 'iscsiMapRestored',
         'iscsiSessionHealthChanged', 'iscsiTargetSessionLimit', 'iscsiSourceStale',
         'iscsiSourceRecovered')
LIO = os.path.join(laboratory.TOP, 'tests/fixtures/lio/login-failures.tree')
NAME = 'iqn.2004-10.org.example:'
TARGET = 'iqn.2026-11.lab.example:t3'
MIBS = os.path.join(laboratory.TOP, 'mibs')
POLL = 1.0
ABSENT = 4


class NamedSink:
    """A snmptrapd that knows the modules: what an administrator reads."""

    def __init__(self, lab):
        self.port, self.log = free_port(), lab.path('named.traps')
        configuration = lab.path('named.conf')
        with open(configuration, 'w', encoding='utf-8') as file:
            file.write('authCommunity log public\nformat2 %v\\n\n')
        lab.add(Process('named', [
            find_program('snmptrapd'), '-f', '-C', '-c', configuration, '-Lf', self.log, '-n',
            '-M', f'{MIBS}/base:{MIBS}', '-m', 'ALL', f'udp:127.0.0.1:{self.port}'],
            lab.directory, {'SNMPCONFPATH': lab.path('none'),
                            'SNMP_PERSISTENT_DIR': lab.path('named.persistent')}))

    def line(self):
        return f'trapsess -v 2c -c public udp:127.0.0.1:{self.port}\n'

    def text(self):
        with open(self.log, encoding='utf-8', errors='replace') as file:
            return file.read()


class Scene:
    """The lab with its receivers; `check` makes a change and looks at what comes."""

    def __init__(self, t, lab):
        self.t, self.lab = t, lab
        self.sink, self.named = lab.start_trap_sink(), NamedSink(lab)
        lab.start_snmpd(extra=self.sink.lines() + self.named.line())

    def ours(self):
        """What has come; snmpd's own coldStart left out."""
        return [trap for trap in self.sink.all() if trap.oid[:len(RFC)] == RFC or
                trap.oid[:len(PRIVATE)] == PRIVATE]

    def quiet(self, seconds=2 * POLL + 0.5):
        """Waits; what has come by then."""
        time.sleep(seconds)
        return self.ours()

    def start_agent(self, **settings):
        self.lab.start_agent(notifications='all', notifyLimit=0, notifyLimitAll=0,
                             notifyFlapChanges=0, **settings)
        wait_for(lambda: self.lab.manager().value(snmp.oid(laboratory.PRIVATE_ROOT) +
                                                  (1, 1, 1, 1, 0)), 8, 'all sources are read')

    def check(self, what, change, *oids, limit=2 * POLL + 1):
        """The change makes just these notifications, each once to each receiver."""
        t = self.t
        self.sink.clear()
        start = time.monotonic()
        change()
        try:
            wait_for(lambda: len(self.sink.all(*oids)) >= 2 * len(oids), limit + 10, what)
        except TimeoutError:
            pass
        got = self.ours()
        objects = [v for trap in got for v in trap.objects]
        current = dict((v.oid, v.value) for v in self.lab.manager().get(
            *sorted({v.oid for v in objects})))
        self.quiet()
        for user in ('', USER):
            found = sorted(trap.oid for trap in self.ours() if (trap.user == USER) == bool(user))
            t.equal(found, sorted(oids), f'{what}: {len(oids)} by SNMPv{3 if user else "2c"}')
        if got:
            t.below(max(trap.at for trap in got) - start, limit, f'{what}: how long it took')
        wrong = [f'{snmp.dotted(v.oid)}: {v.value!r}, but GET {current[v.oid]!r}' for v in objects
                 if (current[v.oid] or v.value) and current[v.oid] != v.value]
        t.ok(objects and not wrong, f'{what}: with the values of a GET', *wrong)
        return got


def test_host(t, s, root):
    """A host below a directory: open-iscsi, multipathd and LIO."""
    host = InitiatorHost(root, LIO)
    host.count_login(TARGET, 'authenticate_fails', NAME + 'early')
    s.start_agent(arguments=('--root', root), sources='open-iscsi lio multipath')
    t.equal(s.quiet(), [], 'nothing is told of what happened before the start')
    got = s.check('a login with a wrong secret',
                  lambda: host.count_login(TARGET, 'authenticate_fails', NAME + 'a'), TGT_LOGIN)
    t.equal(got and [v.value for v in got[0].objects][2], (NAME + 'a').encode(), 'whose it was')
    s.check('a login that is not allowed',
            lambda: host.count_login(TARGET, 'authorize_fails', NAME + 'b'), TGT_LOGIN)
    s.check('a login with keys that do not fit',
            lambda: host.count_login(TARGET, 'negotiate_fails', NAME + 'c'), TGT_LOGIN)
    s.sink.clear()
    host.count_login(TARGET, 'other_fails', NAME + 'd')
    t.equal(s.quiet(), [], 'a login that fails otherwise is counted, not told')
    s.check('a session that fails', lambda: host.count_session(TARGET), SSN_FAILURE)
    s.check('a lost connection', lambda: host.lose(1), DOWN, HEALTH, DEGRADED)
    s.check('the connection is back', lambda: host.find(1), UP, HEALTH, RESTORED)
    s.check('multipathd takes another path', lambda: host.multipathd.set(1, False), PRIMARY,
            DEGRADED)
    s.check('and the first one again', lambda: host.multipathd.set(1, True), PRIMARY, RESTORED)
    s.check('a session that should be there is not', lambda: host.logout(2), MISSING, DEGRADED)
    s.check('and is again', lambda: host.login(2), FOUND, RESTORED)
    s.check('multipathd gives a path up', lambda: host.multipathd.set(2, False), DEGRADED)
    s.check('and its session goes', lambda: host.logout(2), MISSING)
    s.check('a first login that is refused, and tried again', lambda: host.refuse(2), FOUND)
    s.sink.clear()
    host.stop_waiting(2)
    t.equal(s.quiet(), [], 'it goes on beyond the recovery timeout: nothing is lost')
    s.check('it is through', lambda: host.accept(2), UP, HEALTH)
    # Between two lives of the agent nobody looks.
    s.sink.clear()
    s.lab.stop_agent(signal.SIGTERM)
    host.lose(1)
    host.count_session(TARGET)
    s.start_agent(arguments=('--root', root), sources='open-iscsi lio multipath')
    t.equal(s.quiet(), [], 'nothing is told of what happened between two lives of the agent')
    s.lab.stop_agent(signal.SIGTERM)
    host.close()


def test_tgt(s):
    """A real tgtd: a limit of sessions, and a source that does not answer."""
    tgtd = s.lab.start_tgtd()
    tgtd.add_target(NAME + 'disk')
    s.start_agent(targetSessionLimit=1, staleMax=2, pollTimeout=1)
    s.quiet()
    initiators = []
    s.check('a target with as many sessions as allowed', lambda: initiators.append(
        s.lab.start_initiator(session(tgtd.portals()[0], NAME + 'disk',
                                      NAME + 'host'))), LIMIT, limit=2 * POLL + 3)
    s.check('a tgtd that does not answer', lambda: tgtd.send(signal.SIGSTOP), STALE, limit=10)
    s.check('and answers again', lambda: tgtd.send(signal.SIGCONT), RECOVERED, limit=6)
    s.check('it does not answer', lambda: tgtd.send(signal.SIGSTOP), STALE, limit=10)
    # Its row says so for one poll only: too short for the comparison with a GET.
    s.sink.clear()
    tgtd.stop(signal.SIGKILL)
    wait_for(lambda: len(s.sink.all(RECOVERED)) >= 2, 20, 'that it was stale has an end')
    s.t.equal({trap.objects[4].value for trap in s.sink.all(RECOVERED)}, {ABSENT},
              'a tgtd that did not answer and was ended: it is not there any more')


def test_names(t, s):
    text = s.named.text()
    missing = [name for name in NAMES
               if f'ISCSI-PATH-MIB::{name}' not in text]
    missing += [name for name in ('iscsiTgtLoginFailure', 'iscsiInstSessionFailure')
                if f'ISCSI-MIB::{name}' not in text]
    t.equal(missing, [], 'each has its name')
    for value in ('iscsiPathStatus.', 'INTEGER: disconnected(2)', 'iscsiMapStatus.1 = INTEGER: degraded(2)',
                  'iscsiSourceState.', 'INTEGER: stale(2)', 'iscsiTgtLoginFailures.2.'):
        t.ok(value in text, f'and names for its values: {value}')
    t.ok('enterprises' not in text, 'no number is left without a name',
         *[line for line in text.splitlines() if 'enterprises' in line][:3])


def test_recipe(t, s):
    """What this test has used is what the README says."""
    with open(os.path.join(laboratory.TOP, 'README.md'), encoding='utf-8') as file:
        readme = [line.strip() for line in file]
    lines = s.sink.lines().replace(f'127.0.0.1:{s.sink.port}', '192.0.2.10') + RECEIVER
    t.equal([line for line in lines.splitlines() if line not in readme], [],
            'the lines of snmpd.conf and snmptrapd.conf are those of the README')


def main():
    with Tap() as t:
        why = laboratory.missing()
        if not why and not find_program('snmptrapd'):
            why = 'snmptrapd is not installed (package snmptrapd)'
        if why:
            t.skip_all(why)
        with laboratory.Lab() as lab:
            s = Scene(t, lab)
            test_host(t, s, lab.path('root'))
            test_tgt(s)
            test_names(t, s)
            test_recipe(t, s)
        t.equal(lab.leftovers, [], 'nothing is left running')


if __name__ == '__main__':
    main()
