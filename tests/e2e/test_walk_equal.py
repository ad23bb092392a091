#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""`iscsi-agentx --walk` prints what `snmpwalk -On -Oe` prints through snmpd and AgentX, line for
line: the same columns, encoders, order and index numbers, whichever way they are asked for."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
# pylint: disable=wrong-import-position
import lab as laboratory
import snmp
from initiator import session
from process import wait_for
from tap import Tap

NAME = 'iqn.2004-10.org.example:'
SAME_AS_NET_SNMP = ['-m', '', '-On', '-Oe', '-CI']

# Texts that a printer may treat in its own way.
ALIASES = ('plain', 'two  words ', 'quo"te', 'back\\slash', 'Größe', 'tab\there', 'x' * 200,
           '日本', "it's", '%s%n')


PRIVATE = '.1.3.6.1.4.1.8072.9999.9999.7147'


def snmpwalk(lab, start='.1.3.6.1.2.1.142'):
    lines = lab.manager().text('snmpwalk', [start], SAME_AS_NET_SNMP).splitlines()
    return [line for line in lines if 'No more variables left' not in line]


def own_walk(lab, start=None):
    done = lab.run_agent('--walk' + (f'={start}' if start else ''))
    if done.returncode != 0:
        raise OSError(f'--walk: exit {done.returncode}: {done.stderr}')
    # Ages and events of the private module differ from walk to walk: see compare_private.
    return [line for line in done.stdout.splitlines() if start or line.startswith('.1.3.6.1.2.1.')]


def names(lines):
    return [line.split(' = ', 1)[0] for line in lines]


def compare_private(t, lab, table, number):
    """The same cells are there; their values may be of two moments."""
    ours = names(own_walk(lab, table))
    theirs = names(snmpwalk(lab, f'{PRIVATE}.1.1.{number}'))
    t.ok(ours == theirs and ours, f'{table}: the same {len(theirs)} cells are there',
         *[f'one of them only: {name}' for name in sorted(set(ours) ^ set(theirs))[:10]])


def compare(t, lab, what, seconds=0.0):
    """Equal at once, or within the time that the agent has to save new numbers."""
    try:
        wait_for(lambda: own_walk(lab) == snmpwalk(lab), seconds, what, interval=0.3)
    except TimeoutError:
        pass
    theirs, ours = snmpwalk(lab), own_walk(lab)
    different = [pair for pair in zip(theirs, ours) if pair[0] != pair[1]]
    t.ok(ours == theirs and len(ours) > 100, f'{what}: {len(theirs)} lines are the same',
         f'{len(theirs)} lines of snmpwalk, {len(ours)} of --walk',
         *[f'snmpwalk: {a}\n  --walk: {b}' for a, b in different[:10]])
    return theirs


def main():
    with Tap() as t:
        why = laboratory.missing()
        if why:
            t.skip_all(why)
        with laboratory.Lab() as lab:
            lab.start_snmpd()
            tgtd = lab.start_tgtd()
            tgtd.add_target(NAME + 'disk-a')
            tgtd.add_target(NAME + 'disk-b', names=[NAME + 'host-2'],
                            parameters=[('InitialR2T', 'No'), ('HeaderDigest', 'CRC32C')])
            v4, v6 = tgtd.both_portals()
            lab.start_initiator(
                *[session(v4 if n % 2 else v6, NAME + 'disk-a', f'{NAME}host-{n}', alias=alias)
                  for n, alias in enumerate(ALIASES)])
            lab.start_agent()
            walk = compare(t, lab, 'idle sessions', seconds=5)
            for alias in ('plain', 'quo"te', 'back\\slash'):
                escaped = alias.replace('\\', '\\\\').replace('"', '\\"')
                t.ok(any(line.endswith(f'STRING: "{escaped}"') for line in walk),
                     f'the alias {alias} is among them')
            # Numbers and times of what came while the agent ran: from its files.
            late = lab.start_initiator(session(v6, NAME + 'disk-b', NAME + 'host-2'))
            wait_for(lambda: any('host-2' in line for line in snmpwalk(lab)), 5,
                     'the late session is shown')
            compare(t, lab, 'after a session came', seconds=5)
            lab.stop_initiator(late)
            tgtd.add_target(NAME + 'disk-0')
            wait_for(lambda: any('disk-0' in line for line in snmpwalk(lab)), 5,
                     'the late target is shown')
            compare(t, lab, 'after a session ended and a target came', seconds=5)

            compare_private(t, lab, 'iscsiPathTable', 3)
            compare_private(t, lab, 'iscsiSsnPropTable', 4)
            starts = {'iscsiSessionAttributesTable': (10, 1), 'iscsiSsnTSIH': (10, 1, 1, 6),
                      'iscsiConnectionAttributesTable': (11, 1), 'iscsiInstDescr': (1, 1, 1, 2)}
            for name, tail in starts.items():
                dots = snmp.dotted(snmp.ISCSI_OBJECTS + tail)
                part = snmpwalk(lab, dots)
                t.ok(part and own_walk(lab, name) == part, f'--walk={name} is that part')
                t.equal(own_walk(lab, dots), part, f'and so is --walk={dots}')
            t.equal(own_walk(lab, '.1.3.6.1.2.1.142.9'), [], 'nothing lies beyond the objects')
        t.equal(lab.leftovers, [], 'nothing is left running')


if __name__ == '__main__':
    main()
