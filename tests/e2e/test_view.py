#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The lines of SECURITY.md for a manager, in the real snmpd: its user sees what they say by SNMPv3
authPriv, and nothing else; nobody else sees anything. TAP. Needs root, snmpd, snmp, tgt."""

import os
import re
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
sys.path.insert(0, os.path.join(TOP, 'tests', 'support'))
# pylint: disable=wrong-import-position
import lab as laboratory
from initiator import session
from process import wait_for
from snmp import ISCSI_MIB, ISCSI_OBJECTS, SnmpError, oid
from tap import Tap

NAME = 'iqn.2004-10.org.example:'
SYSTEM = oid('1.3.6.1.2.1.1')
PRIVATE = oid(laboratory.PRIVATE_ROOT)
DOCUMENTED_ROOT = '1.3.6.1.4.1.8072.9999.9999.7147'
USER = re.compile(r'createUser (\S+) (\S+) "([^"]*)" (\S+) "([^"]*)"')


def documented():
    """The block of lines in SECURITY.md that begins with createUser."""
    with open(os.path.join(TOP, 'SECURITY.md'), encoding='utf-8') as file:
        block = re.search(r'^ +createUser .*\n(?: +\S.*\n)+', file.read(), re.M)[0]
    lines = re.sub(r'^ +', '', block, flags=re.M)
    return lines.replace(DOCUMENTED_ROOT, laboratory.PRIVATE_ROOT)


def manager(lab, level, account, **changes):
    """A manager of SNMPv3, with an account or one that differs in `user` or `words`."""
    one = lab.manager()
    user, auth, words, cipher = account
    words = changes.get('words', words)
    one.options = ['-v3', '-l', level, '-u', changes.get('user', user), '-t', '2', '-r', '0']
    if level != 'noAuthNoPriv':
        one.options += ['-a', auth, '-A', words[0]]
    if level == 'authPriv':
        one.options += ['-x', cipher, '-X', words[1]]
    return one


def says(one, root):
    """(exit status and output of a GETNEXT, whether there is an object in it)."""
    done = one.run('snmpgetnext', ['.' + '.'.join(map(str, root))], ['-On'])
    return f'{done.returncode}: {done.stdout}{done.stderr}', done.stdout.startswith('.')


def check_excluded(t, lab, lines, good):
    """The line of SECURITY.md that hides who may log in."""
    with open(os.path.join(TOP, 'SECURITY.md'), encoding='utf-8') as file:
        line, root = re.search(r'^ +(view iscsi excluded \.(\S+)\n)', file.read(), re.M).groups()
    count = len(good.bulkwalk(oid(root)))
    t.ok(count > 0, f'{count} objects tell who may log in')
    lab.stop_snmpd()
    lab.start_snmpd(access=lines + line)

    def rest():
        try:
            return good.bulkwalk(ISCSI_MIB)
        except SnmpError:
            return []
    wait_for(rest, 20, 'the agent has found snmpd again')
    t.equal(len(good.bulkwalk(oid(root))), 0, f'none with `{line.strip()}`')


def main():
    with Tap() as t:
        why = laboratory.missing()
        if why:
            t.skip_all(why)
        lines = documented()
        user, auth, word, cipher, secret = USER.search(lines).groups()
        account = (user, auth, (word, secret), cipher)
        with laboratory.Lab() as lab:
            lab.start_snmpd(access=lines)
            tgtd = lab.start_tgtd(ipv6=False)
            tgtd.add_target(NAME + 'one')
            lab.start_initiator(session(tgtd.portals()[0], NAME + 'one', NAME + 'host'))
            lab.start_agent(wait=0)
            good = manager(lab, 'authPriv', account)

            def sessions():
                try:
                    return good.bulkwalk(ISCSI_OBJECTS + (10,))
                except SnmpError:
                    return []
            wait_for(sessions, 20, 'the session of the target')
            everything = [v.oid for v in good.bulkwalk(oid('1.3'))]
            for root, what in ((SYSTEM, 'the system group'), (ISCSI_MIB, 'ISCSI-MIB'),
                               (PRIVATE, 'the private modules')):
                count = sum(o[:len(root)] == root for o in everything)
                t.ok(count > 5, f'{user} sees {what} by authPriv: {count} objects')
                everything = [o for o in everything if o[:len(root)] != root]
            t.equal(everything, [], 'and nothing else')
            done = good.run('snmpset', ['.1.3.6.1.2.1.142.1.1.1.1.2.1', 's', 'x'])
            t.ok('noAccess' in done.stderr, 'a SET is refused by snmpd', done.stderr)
            for what, one in (
                    ('without encryption', manager(lab, 'authNoPriv', account)),
                    ('without a pass phrase', manager(lab, 'noAuthNoPriv', account)),
                    ('with a wrong pass phrase',
                     manager(lab, 'authPriv', account, words=('not this one', secret))),
                    ('with a wrong key', manager(lab, 'authPriv', account,
                                                 words=(word, 'not this one'))),
                    ('another user', manager(lab, 'authPriv', account, user='stranger')),
                    ('the community public', lab.manager(timeout=0.5, retries=0))):
                answer, shown = says(one, ISCSI_OBJECTS)
                t.ok(not shown, f'{what}: {" ".join(answer.split())[:60]}', answer)
            t.ok(says(good, ISCSI_OBJECTS)[1], 'the user still sees it')
            check_excluded(t, lab, lines, good)


if __name__ == '__main__':
    main()
