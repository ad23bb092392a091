#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""conf/librenms: the discovery definition by its rules, and against a recorded host that a real snmpsim
plays back and that is walked as LibreNMS would: each sensor has a value, a state that the definition
knows, and a description. What is played back is what the agent shows.

LibreNMS itself is in no Debian, and its schema is under the GPL and so not here: the rules below are
our own words for what it demands of these keys. LIBRENMS may name a checkout of LibreNMS; then its
schema judges too (python3-jsonschema).

Needs root and Debian's packages of section [nms]."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CONF = ROOT / 'conf' / 'librenms'

sys.path[:0] = [str(ROOT / 'tests' / 'support'), str(CONF)]
# pylint: disable=wrong-import-position
import lab as laboratory
import make_snmprec
from snmp import oid
from snmp_host import SnmpHost
from snmpsim import Snmpsim, to_snmprec
from tap import Tap

PRIVATE = oid(laboratory.PRIVATE_ROOT)
ISCSI = oid('1.3.6.1.2.1.142')
CLASSES = {'state', 'count', 'delay'}
KEYS = {'oid', 'value', 'num_oid', 'index', 'group', 'descr', 'skip_values', 'warn_limit',
        'high_limit', 'divisor', 'state_name', 'states'}
# Of what is as old as the walk, or tells what a poll took.
MOVING = re.compile('iscsi(Agent|Source(Age|LastGood|Polls|Duration|Cpu)|Event)')
NAME = re.compile(r'ISCSI-PATH-MIB::(\w+)')


def objects():
    """{name: (OID, table)} of ISCSI-PATH-MIB; a table has its entry's OID."""
    text = subprocess.run([laboratory.AGENT, '--list-columns'], check=True, capture_output=True,
                          text=True).stdout
    rows = [line.split('\t') for line in text.splitlines()]
    found = {}
    for row in rows:
        if row[0] == 'column':
            found[row[5]] = (re.sub(r'\.0$', '', row[4]), row[2])
            if row[8:] and row[8]:
                found[row[2]] = (row[4].rpartition('.')[0], row[2])
    return found


def check_definition(t, sensors, known):
    entries = [(kind, entry) for kind, block in sensors.items() for entry in block['data']]
    t.equal(set(sensors), CLASSES, 'sensors of these classes')
    t.equal([e['descr'] for kind, e in entries if set(e) - KEYS
             or not {'oid', 'num_oid', 'descr', 'index', 'value'} <= set(e)
             or ('states' in e) != (kind == 'state')], [], 'each has the keys that it must have')
    t.equal([e for _, e in entries for name in NAME.findall(json.dumps(e)) if name not in known], [],
            'and names objects of the agent')
    wrong = []
    for _, e in entries:
        value = NAME.fullmatch(e['value'])[1]
        if e['num_oid'] != f'.{known[value][0]}.{{{{ $index }}}}' or e['index'] != value + '.{{ $index }}':
            wrong.append(e)
    t.equal(wrong, [], 'num_oid is the OID of the value, index names it')
    t.equal(len({e['index'] for _, e in entries}), len(entries), 'no two sensors are the same')
    wrong = [e['state_name'] for kind, e in entries if kind == 'state' and (
        any(set(s) != {'value', 'generic', 'graph', 'descr'} or s['generic'] not in range(4)
            for s in e['states']) or not any(s['generic'] == 0 for s in e['states']))]
    t.equal(wrong, [], 'states are OK, warning, critical or unknown, and one of them is OK')
    wrong = {}
    for kind, e in entries:
        if kind == 'state':
            numbers = enumeration(NAME.fullmatch(e['value'])[1])
            if numbers != {s['value']: s['descr'] for s in e['states']}:
                wrong[e['state_name']] = numbers
    t.equal(wrong, {}, 'they are those of the MIB, by number and name')
    return entries


def enumeration(name):
    """{number: name} of an object of ISCSI-PATH-MIB, by its syntax or its textual convention."""
    text = (ROOT / 'mibs' / 'ISCSI-PATH-MIB').read_text()
    syntax = re.search(rf'^{name} OBJECT-TYPE\n    SYNTAX +(.*?)\n    MAX', text, re.M | re.S)[1]
    if 'INTEGER' not in syntax:
        syntax = re.search(rf'^{syntax} ::= TEXTUAL-CONVENTION.*?SYNTAX +INTEGER \{{(.*?)\}}', text,
                           re.M | re.S)[1]
    return {int(number): word for word, number in re.findall(r'(\w+)\((\d+)\)', syntax)}


def check_schema(t, text):
    checkout = os.environ.get('LIBRENMS')
    if not checkout:
        t.note("LibreNMS's own schema was not asked: LIBRENMS names no checkout of it")
        return
    import jsonschema  # pylint: disable=import-outside-toplevel
    schema = json.loads((Path(checkout) / 'resources/definitions/schema/discovery_schema.json'
                         ).read_text())
    faults = [f'{list(e.path)}: {e.message}' for e in jsonschema.Draft202012Validator(schema
                                                                                     ).iter_errors(text)]
    t.equal(faults, [], "LibreNMS's schema accepts it")


def discover(walked, entries, known):
    """What LibreNMS would make of the walk: {index: (value, description, entry)}."""
    sensors = {}
    for _, entry in entries:
        value = oid(known[NAME.fullmatch(entry['value'])[1]][0])
        for name, number in walked.items():
            if name[:len(value)] != value or number in entry.get('skip_values', []):
                continue
            row = name[len(value):]

            def fill(match, row=row):
                return walked.get((*oid(known[match[1]][0]), *row), b'').decode()
            at = '.'.join(map(str, row))
            sensors[entry['index'].replace('{{ $index }}', at)] = (
                number, re.sub(r'\{\{ ISCSI-PATH-MIB::(\w+) \}\}', fill, entry['descr']).strip(), entry)
    return sensors


def check_sensors(t, walked, entries, known):
    sensors = discover(walked, entries, known)
    t.ok(len(sensors) > 20, f'{len(sensors)} sensors are discovered')
    t.equal([s for s in sensors.values() if not s[1] or '{{' in s[1]], [], 'each has a description')
    t.equal([s for s in sensors.values() if 'states' in s[2]
             and s[0] not in [state['value'] for state in s[2]['states']]], [],
            'and a state that is known')

    def generic(index):
        value, _, entry = sensors[index]
        return next(s['generic'] for s in entry['states'] if s['value'] == value)
    t.equal([generic(f'iscsiPathStatus.{n}') for n in range(1, 6)], [0, 1, 0, 1, 2],
            'of five paths two are lost (warning), and one is missing (critical)')
    t.equal(sensors['iscsiPathStatus.5'][1], 'iqn.2026-11.lab.example:t2 by [fd00:1::2]:3260',
            'a path is described by its target and portal')
    t.equal((generic('iscsiSumStatus.0'), generic('iscsiMapStatus.1')), (1, 1),
            'the host and a map are degraded')
    t.equal([sensors[f'{name}.0'][0] for name in ('iscsiSumSessions', 'iscsiSumSessionsFull',
                                                  'iscsiSumPathsMissing', 'iscsiSumMapsShort')],
            [4, 2, 1, 3], 'sessions, those logged in, missing paths and maps that lack paths')
    t.equal(sorted(s[1] for index, s in sensors.items() if index.startswith('iscsiSourceState')),
            ['multipath', 'open-iscsi'], 'sources that are not on the host are no sensors')


def moving(name, known):
    """True of an OID whose value is another one each time."""
    return any(MOVING.match(word) and name[:len(oid(number))] == oid(number)
               for word, (number, _) in known.items())


def check_recording(t, committed, known):
    """The committed file is what the agent makes of the recording, but for what moves."""
    def still(text):
        return [line for line in text.splitlines()
                if not moving(oid(line.partition('|')[0]), known)]
    made = to_snmprec(make_snmprec.SYSTEM + make_snmprec.walk(laboratory.AGENT))
    t.equal([line.partition('|')[0] for line in committed.splitlines()],
            [line.partition('|')[0] for line in made.splitlines()],
            'linux_iscsi.snmprec has the objects that make_snmprec.py gets from the agent')
    t.ok(still(committed) == still(made), 'with the same values',
         *sorted(set(still(committed)) ^ set(still(made)))[:10])


def check_replay(t, lab, committed, known):
    """By snmpsim the same walk as by snmpd and the agent. Returns {OID: value} of the replay."""
    simulated = Snmpsim(lab, committed, laboratory.free_port()).manager()
    host = SnmpHost(lab, 'live')
    host.start_snmpd()
    host.start_agent(arguments=('--root', str(make_snmprec.RECORDING)),
                     sources='open-iscsi multipath lio tgt scst probe')
    replayed = simulated.walk(ISCSI) + simulated.walk(PRIVATE)
    lines = to_snmprec(make_snmprec.SYSTEM + replayed)
    t.ok(lines == committed, f'snmpsim plays back {len(replayed)} values as they are in the file')
    live = host.manager().walk(ISCSI) + host.manager().walk(PRIVATE)
    wanted, got = ([v for v in walk if not moving(v.oid, known)] for walk in (live, replayed))
    t.ok(wanted == got, f'a walk of it is that of snmpd and the agent: {len(got)} values',
         *sorted(set(wanted) ^ set(got))[:10])
    return {v.oid: v.value for v in replayed}


def main():
    with Tap() as t:
        why = laboratory.missing()
        if not why and not shutil.which('snmpsimd'):
            why = 'snmpsimd is not installed (package snmpsim)'
        try:
            import yaml  # pylint: disable=import-outside-toplevel
        except ImportError:
            why = why or 'no module yaml (package python3-yaml)'
        if why:
            t.skip_all(why)
        definition = yaml.safe_load((CONF / 'linux-iscsi.yaml').read_text())
        known = objects()
        entries = check_definition(t, definition['modules']['sensors'], known)
        check_schema(t, definition)
        committed = (CONF / 'linux_iscsi.snmprec').read_text()
        check_recording(t, committed, known)
        with laboratory.Lab() as lab:
            check_sensors(t, check_replay(t, lab, committed, known), entries, known)


if __name__ == '__main__':
    main()
