#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The templates below conf/zabbix are what make_zabbix.py writes; every OID in them is an object of
the agent and of the MIB modules, every key, identifier and name is used rightly, and the macros are
those of the README. AGENT_BINARY names the program (build/iscsi-agentx)."""

import os
import re
import subprocess
import sys
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'support'))
# pylint: disable=wrong-import-position
import lab as laboratory
from tap import Tap
sys.path.insert(0, os.path.join(laboratory.TOP, 'conf', 'zabbix'))
import content
import rules

# Prints how net-snmp prints one octet of an object: OID, octet.
PRINT = """
import ctypes, ctypes.util, sys
library = ctypes.CDLL(ctypes.util.find_library('netsnmp'))
library.snmp_varlist_add_variable.restype = ctypes.c_void_p
library.init_snmp(b'test')
arcs = [int(arc) for arc in sys.argv[1].split('.')]
name, length = (ctypes.c_ulong * len(arcs))(*arcs), ctypes.c_size_t(len(arcs))
variable, text = ctypes.c_void_p(), ctypes.create_string_buffer(100)
library.snmp_varlist_add_variable(ctypes.byref(variable), name, length, ctypes.c_ubyte(4),
                                  bytes([int(sys.argv[2])]), ctypes.c_size_t(1))
library.snprint_value(text, ctypes.c_size_t(100), name, length, variable)
print(text.value.decode())
"""

PROGRAM = os.environ.get('AGENT_BINARY', laboratory.AGENT)
CONF = os.path.join(laboratory.TOP, 'conf/zabbix')
NAME = 'iSCSI by SNMP'
UNITS = {'s': 1, 'm': 60, 'h': 3600}
# Rule, trigger, values of its item [(seconds ago, value)], whether there is a problem now.
CASES = [
    ('sources', 'unreadable', [(240, 1), (120, 3), (60, 3), (0, 3)], True),
    ('sources', 'unreadable', [(180, 3), (120, 2), (60, 1), (0, 3)], False),
    # The agent or snmpd has gone, and no source could not be read (a false alarm for each of them).
    ('sources', 'unreadable', [(320, 1), (260, 1), (200, 1)], False),
    # A tgtd that has ended was seen in the one poll in which it was said to be gone, or was not; then
    # it has no row.
    ('sources', 'unreadable', [(290, 3), (240, 3), (170, 3)], True),
    ('sources', 'unreadable', [(290, 3), (240, 3), (181, 3)], False),
    ('sources', 'unreadable', [(420, 3), (360, 3), (301, 3)], False),
    ('sources', 'gone', [(180, 3), (120, 4)], True),
    ('sources', 'gone', [(660, 3), (600, 4)], False),
    ('sources', 'gone', [(120, 1), (60, 4), (0, 4)], True),
    ('sources', 'gone', [(120, 4), (60, 4), (0, 1)], False),
    ('probes', 'fails', [(120, 2), (60, 3)], True),
    ('probes', 'fails', [(120, 3), (60, 0)], False),
]
# What the variables of src/model are of.
ROWS = {'ret': 'summary', 'summary': 'summary', 'agent': 'agent_info'}


def read(*path):
    with open(os.path.join(CONF, *path), encoding='utf-8') as file:
        return file.read()


def columns():
    """{OID: name} of the agent."""
    listing = subprocess.run([PROGRAM, '--list-columns'], check=True, capture_output=True, text=True)
    rows = [line.split('\t') for line in listing.stdout.splitlines()]
    return {r[4]: r[5] for r in rows if r[0] == 'column'}


def modules():
    """{OID: name} of the MIB modules, by net-snmp's own parser."""
    mibs = os.path.join(laboratory.TOP, 'mibs')
    text = subprocess.run(
        ['snmptranslate', '-M', f'{mibs}/base:{mibs}', '-m', 'ISCSI-MIB:ISCSI-PATH-MIB', '-Tz'],
        env=dict(os.environ, MIBS=''), capture_output=True, text=True, check=True).stdout
    return {m[2]: m[1] for m in re.finditer(r'^"(\w+)"\s+"([\d.]+)"$', text, re.M)}


def function_body(path, name):
    with open(os.path.join(laboratory.TOP, path), encoding='utf-8') as file:
        return re.search(rf'^\w[^;]*?\b{name}\([^;]*?\)\n{{\n(.*?)^}}', file.read(), re.M | re.S)[1]


def always_there():
    """Objects of the summary and the agent that every snapshot has: the columns of agent/path_mib.c
    whose fields are set under no condition, which is: where a function's outermost lines are."""
    fields = set()
    for path, function in (('src/model/summary.c', 'summary_make'), ('src/model/own.c', 'own_fill'),
                           ('src/model/snapshot.c', 'snapshot_set_agent')):
        # Without success there is no snapshot.
        body = function_body(path, function).replace('\tif (rc == 0)\n\t', '')
        fields |= {(ROWS[m[1]], m[2]) for m in re.finditer(
            r'^\t(?:OPT_SET\(|set_text\(&own, &)?(ret|summary|agent)->(\w+)(?:,| = )', body, re.M)}
    with open(os.path.join(laboratory.TOP, 'agent/path_mib.c'), encoding='utf-8') as file:
        tables = re.findall(r'^#define ROW struct (\w+)\n(.*?)^#undef ROW', file.read(), re.M | re.S)
    found = {m[1] for row, text in tables for m in re.finditer(r'COL_\w+\(\d+, (\w+), (\w+),', text)
             if (row, m[2]) in fields}
    # Its age is counted when it is asked for.
    if re.match(r'\treturn mib_show_number\(',
                function_body('agent/path_mib_values.c', 'encode_snapshot_age')):
        found.add('iscsiAgentSnapshotAge')
    return found


def test_holes(t, version, text):
    """An item of what may have no instance would become not supported; a step takes care of that."""
    items = re.split(r'^ +- uuid: .*\n', text, flags=re.M)
    careless = {m[1] for item in items if (m := re.search(r'^ +(iscsi[A-Z]\w+): ', item, re.M))
                and not re.search('CHECK_NOT_SUPPORTED|DISCARD_VALUE', item)}
    t.ok(len(careless) > 10, f'{version}: {len(careless)} items count on a value')
    t.equal(sorted(careless - always_there()), [],
            f'{version}: they are of objects that every snapshot has')


def without(text, value):
    """The value of a line `key: value`, without YAML's quotes."""
    found = re.findall(rf'^ *(?:- )?{value}: (.*)$', text, re.M)
    return [v[1:-1].replace("''", "'") if v[:1] == "'" else v for v in found]


def test_traps(t, version, text):
    """The item for notifications knows each, as Zabbix's receivers and snmptt write it; no other."""
    listing = subprocess.run([PROGRAM, '--list-columns'], check=True, capture_output=True, text=True)
    traps = [r for r in (line.split('\t') for line in listing.stdout.splitlines())
             if r[0] == 'notification']
    item = re.compile(re.search(r'^ +key: \'snmptrap\["(.*)"\]\'$', text, re.M)[1])
    limit = re.compile(re.search(r'"regexp","(.*)"\)=1', text)[1])
    forms = [(r[2], form) for r in traps for form in (
        f'  .1.3.6.1.6.3.1.1.4.1.0  type=6  value=OID: .{r[3]}', f'value=OID: iso.{r[3][2:]}\n',
        f'SNMPv2-MIB::snmpTrapOID.0 {r[1]}::{r[2]}', f'.{r[3]} Critical {r[2]}: what happened')]
    t.ok(len(traps) > 10 and all(item.search(form) for _, form in forms),
         f'{version}: each of {len(traps)} notifications is known in each form',
         [form for _, form in forms if not item.search(form)])
    t.equal({name for name, form in forms if limit.search(form)}, {'iscsiTargetSessionLimit'},
            f'{version}: one is a problem')
    t.equal(sum(bool(limit.search(form)) for _, form in forms), 4, f'{version}: in each form')
    t.equal([form for form in ('value=OID: .1.3.6.1.4.1.8072.4.0.2', 'SNMPv2-MIB::coldStart',
                               '.1.3.6.1.6.3.1.1.5.1 Normal coldStart: Device reinitialized')
             if item.search(form)], [], f'{version}: those of others are not')


def as_macro(oid, octet, mib):
    """What Zabbix takes for the value of one octet in a discovery: what net-snmp prints in hexadecimal
    or as BITS, and the octet itself of what it prints in quotes."""
    mibs = os.path.join(laboratory.TOP, 'mibs')
    printed = subprocess.run(
        [sys.executable, '-c', PRINT, oid + '.1.1', str(octet)], check=True, text=True,
        capture_output=True, env=dict(os.environ, MIBS=mib, MIBDIRS=f'{mibs}/base:{mibs}',
                                      SNMPCONFPATH='/nonexistent', LC_ALL='C.UTF-8')).stdout.rstrip('\n')
    kind, _, value = printed.partition(': ')
    return value if kind in ('Hex-STRING', 'BITS') else chr(octet)


def role_octets(oid):
    """{octet: {how: value of the macro}} of all that iscsiNodeRoles can be."""
    return {octet: {'without the MIB module': as_macro(oid, octet, ''),
                    'with it': as_macro(oid, octet, 'ISCSI-MIB')}
            for octet in (0x80, 0x40, 0xC0, 0x00)}


def test_roles(t, version, text, octets):
    """Whether a node is discovered as a target and as an initiator, by the filters of the rules; a
    printable octet looks other than the rest, if the server does not know the MIB module."""
    filters = re.findall(r"macro: '\{#ROLES\}'\n *value: '(.*)'$", text, re.M)
    t.equal(len(filters), 2, f'{version}: targets and initiators are told by their roles')
    for octet, roles in ((0x80, [True, False]), (0x40, [False, True]), (0xC0, [True, True]),
                         (0x00, [False, False])):
        for how, value in octets[octet].items():
            t.equal([bool(re.search(one, value)) for one in filters], roles,
                    f'{version}: iscsiNodeRoles 0x{octet:02X} that is "{value}" {how}')


def is_problem(expression, values):
    """What Zabbix makes of an expression of one item: it does so when a value comes, and without one
    each 30 s only if the expression has a function of time, of which nodata is the one that we use."""
    macros = {m[0]: int(m[1][:-1]) * UNITS[m[1][-1]] if m[1][-1] in UNITS else m[1]
              for m in content.MACROS}
    now = 0 if 'nodata(' in expression else min(ago for ago, _ in values)

    def call(found):
        name, period, more = found[1], macros.get(found[2]), found[3]
        within = [value for ago, value in values if not period or ago < now + period]
        if name == 'count' and more:
            within = [value for value in within if re.search(more.split('"')[3], str(value))]
        return str({'last': lambda: values[-1][1], 'count': lambda: len(within),
                    'nodata': lambda: int(not within)}[name]())
    text = re.sub(r'(\w+)\(\w+(?:,(\{[^,)]*\}))?((?:,"[^"]*")*)\)', call, expression)
    text = re.sub(r'\{\$[A-Z.]+\}', lambda m: macros[m[0]], text)

    def holds(comparison):
        left, operator, right = re.fullmatch(r'(\d+)(>=|>|=)(\d+)', comparison).groups()
        return int(right) in {'=': range(int(left), int(left) + 1), '>': range(int(left)),
                              '>=': range(int(left) + 1)}[operator]
    return all(holds(one) for one in text.split(' and '))


def test_expressions(t):
    """The problems of some histories."""
    every = {(r['id'], one[0]): one[2] for r in rules.RULES for one in r['triggers']}
    for rule, trigger, values, problem in CASES:
        t.equal(is_problem(every[rule, trigger], values), problem,
                f'{rule}, {trigger}: {"a" if problem else "no"} problem after '
                + ', '.join(f'{value} {ago} s ago' for ago, value in values))


def test_thresholds(t):
    """Prometheus and Zabbix call the same things wrong."""
    with open(os.path.join(laboratory.TOP, 'conf/prometheus/rules.yml'), encoding='utf-8') as file:
        alerts = dict(re.findall(r'- alert: (\w+)\n +expr: (\S.*)\n', file.read()))
    macros = {m[0]: m[1] for m in content.MACROS}

    def above(alert):
        return float(re.search(r'> ([\d.]+)$', alerts[alert])[1])
    # A count that may be a fraction, as Prometheus reckons, is compared with half of one less.
    for alert, macro in (('IscsiPathFlapping', 'PATH.OUTAGES'), ('IscsiLoginsFail', 'LOGIN.FAILURES'),
                         ('IscsiTargetRefusesLogins', 'LOGIN.FAILURES')):
        t.equal((above(alert) + 0.5, re.search(r'\[(\w+)\]', alerts[alert])[1]),
                (float(macros[f'{{$ISCSI.{macro}.MAX}}']), macros[f'{{$ISCSI.{macro}.TIME}}']),
                f'{alert}: {macro}')
    for alert, macro, parts in (('IscsiAgentStandsStill', 'SNAPSHOT.AGE', 1000),
                                ('IscsiPathSlow', 'PATH.RTT', 1000000),
                                ('IscsiPathRetransmits', 'PATH.RETRANSMITS', 1)):
        t.equal(above(alert) / parts, float(macros[f'{{$ISCSI.{macro}.MAX}}']), f'{alert}: {macro}')
    t.equal(above('IscsiPortalNotAnswering') + 1, float(macros['{$ISCSI.PROBE.FAILURES.MAX}']),
            'IscsiPortalNotAnswering: PROBE.FAILURES')


# The rules whose rows come from some of the stacks, and those.
STACKS = ('lio', 'open-iscsi', 'scst', 'tgt')
FROM = [(rules.PATHS, ['open-iscsi']), (rules.INITIATORS, ['open-iscsi']),
        (rules.INBOUND, ['lio', 'scst', 'tgt']), (rules.TARGETS, ['lio', 'scst', 'tgt'])]


def test_filled(t):
    """Each item of a row has a value with one of the stacks that have such rows, and each state that a
    trigger compares it with is one that a stack tells: others are never raised."""
    with open(os.path.join(laboratory.TOP, 'docs/COVERAGE.md'), encoding='utf-8') as file:
        lines = file.read().splitlines()
    cells = {c[0]: dict(zip(STACKS, c[1:])) for c in (line[2:-2].split(' | ') for line in lines)
             if len(c) == 5}
    empty = {rule['id']: [one[0] for one in rule['items'] if not any(
        not re.match('noSuchInstance|no rows', cells[one[0]][stack]) for stack in kinds)]
             for rule, kinds in FROM}
    t.equal(empty, {rule: [] for rule in empty}, 'each item of a row has a value with one of the stacks')
    compared = [(rule['id'], trigger[0], item, state,
                 any(f'({state})' in cells[item][kind] for kind in kinds))
                for rule, kinds in FROM for trigger in rule['triggers']
                for item, state in re.findall(r'\b(?:min|max|last)\((\w+)[^)]*\)=(\d+)', trigger[2])]
    t.ok(len(compared) > 5, f'{len(compared)} states are compared')
    t.equal([one[:4] for one in compared if not one[4]], [], 'each of them is told by one of the stacks')


def test_table(t, readme):
    """The README's table of problems has each of the rows that are discovered, and no other."""
    said = {}
    for m in re.finditer(r'^\| ([^:|]+): ([^|]+) \| (\w+) \|', readme, re.M):
        for kind in re.findall(r'\b[A-Z]\w+', m[1]):
            said.update({(kind, title): m[3].upper() for title in m[2].split('; ')})
    made = {(r['label'].split()[0], one[3]): one[4]['priority']
            for r in rules.RULES for one in r['triggers']}
    t.ok(len(made) > 15, f'{len(made)} problems of rows')
    t.equal({key: how for key, how in said.items() if key[0] in {kind for kind, _ in made}}, made,
            'the README has each of them, with its severity')


def test_version(t, version, served, defined, octets):
    text = read(version, 'template_app_iscsi_snmp.yaml')
    made = subprocess.run([os.path.join(CONF, 'make_zabbix.py'), PROGRAM, version], check=True,
                          capture_output=True, text=True).stdout
    t.ok(text == made, f'{version}: the file is what make_zabbix.py writes')
    # Instances: a scalar ends in .0, a column in an index that discovery gives.
    oids = {re.sub(r'(\.0|\.\{.*)$', '', o) for o in re.findall(
        r'(?<![\d.])1\.3\.6\.1\.[\d.]*\d(?:\.\{\{?#)?', text) if '\\' not in o}
    # A walk may be of a whole group.
    groups = {o.rpartition('.')[0] for o in served}
    t.equal(sorted(o for o in oids if o not in served and o not in groups), [],
            f'{version}: each of {len(oids)} OIDs is an object of the agent, or a group of them')
    t.equal(sorted(o for o in oids if o not in defined or served.get(o, defined[o]) != defined[o]),
            [], f'{version}: and has the same name in the MIB modules')
    said = set(re.findall(r'^ *(iscsi[A-Z]\w+): ', text, re.M))
    t.equal(sorted(said - set(served.values())), [], f'{version}: descriptions name objects')
    identifiers = without(text, 'uuid')
    t.equal(sorted({u for u in identifiers if identifiers.count(u) > 1}), [],
            f'{version}: no identifier is there twice')
    wrong = [u for u in identifiers if uuid.UUID(u).version != 4 or len(u) != 32]
    t.equal(wrong, [], f'{version}: all are UUIDs of version 4')
    used = set(re.findall(r'\{\$[A-Z.]+(?:_[A-Z]+)*\}', text))
    declared = set(without(text, 'macro')) - {m for m in without(text, 'macro') if '#' in m}
    t.equal(sorted(used), sorted(declared), f'{version}: macros are declared and used')
    keys = set(without(text, 'key'))
    named = set(re.findall(rf'/{NAME}/([^,)]*?\[[^]]*\]|[^,)]*)(?=[,)])', text))
    t.equal(sorted(named - keys), [], f'{version}: triggers name items of the template')
    rows = [re.split(r'^ +dependencies:', one, flags=re.M)[0]
            for one in re.split(r'^ +- uuid: .*\n', text, flags=re.M)
            if re.match(r" +expression: '.*\{#SNMPINDEX\}", one)]
    t.ok(len(rows) > 15 and all(re.search("^ +manual_close: '?YES'?$", one, re.M) for one in rows),
         f'{version}: {len(rows)} problems of rows, which may go, can be closed by hand')
    test_traps(t, version, text)
    test_roles(t, version, text, octets)
    test_holes(t, version, text)
    return without(text, 'uuid'), declared


def main():
    with Tap() as t:
        served, defined = columns(), modules()
        octets = role_octets(next(oid for oid, name in served.items() if name == 'iscsiNodeRoles'))
        old, macros = test_version(t, '6.0', served, defined, octets)
        new, _ = test_version(t, '7.0', served, defined, octets)
        test_expressions(t)
        test_table(t, read('README.md'))
        test_thresholds(t)
        test_filled(t)
        t.equal(sorted(set(old) - set(new)), [], 'an upgrade to 7.0 keeps what 6.0 had')
        readme = read('README.md')
        t.equal(sorted(set(re.findall(r'^\| `(\{\$.*?\})`', readme, re.M))), sorted(macros),
                'the README explains each macro')


if __name__ == '__main__':
    main()
