#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""make demo: real targets, real sessions, snmpd and iscsi-agentx on loopback; prints the tables.

Two targets of tgtd on two portals (IPv4 and IPv6), one of them with CHAP and an access list by
initiator name; four sessions of libiscsi with I/O, two of them from one initiator. Whatever is
printed below a command line was printed by that command: it came over SNMP.

libiscsi makes no session of the kernel, and without one there is no path of an initiator. So there
is a second agent, with a snmpd of its own, which sees a recorded machine (tests/fixtures): that
part says so.

KEEP=1 make demo leaves everything running and says how to ask and how to stop it.
"""

import os
import re
import secrets
import socket
import subprocess
import sys
import textwrap
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
# pylint: disable=wrong-import-position
import lab as laboratory
from initiator import session

WIDTH = 100
NAME = 'iqn.2004-10.org.example:'
DISK_A, DISK_B = NAME + 'disk-a', NAME + 'disk-b'
RECORDING = os.path.join('tests', 'fixtures', 'open-iscsi', 'multipath.tree')
RECORDED = '--recorded'  # the argument for that part alone
MODULES = ('ISCSI-MIB', 'ISCSI-PATH-MIB')
MIBS = [os.path.join(laboratory.TOP, 'mibs', 'base'), os.path.join(laboratory.TOP, 'mibs')]


def say(text=''):
    print(textwrap.fill(text, WIDTH, break_on_hyphens=False) if text else '', flush=True)


class View:
    """Runs snmpbulkwalk with the MIB's names and lays out what it prints."""

    def __init__(self, port, source):
        self.options = ['-v2c', '-c', 'public', '-M', ':'.join(MIBS), '-m', ':'.join(MODULES)]
        self.address = f'127.0.0.1:{port}'
        self.source = source
        self.columns = self._columns()

    @staticmethod
    def _columns():
        """Names of all columns of the modules by OID, as snmptranslate has them."""
        text = subprocess.run(
            ['snmptranslate', '-M', ':'.join(MIBS), '-m', ':'.join(MODULES), '-Tz'],
            env=dict(os.environ, MIBS=''), capture_output=True, text=True, check=True).stdout
        return {m.group(2): m.group(1) for m in re.finditer(r'^"(\w+)"\s+"([\d.]+)"$', text, re.M)}

    def command(self, name):
        """What to type; relative to the source directory."""
        return (f'snmpbulkwalk -v2c -c public -M mibs/base:mibs -m {module_of(name)} -Os '
                f'{self.address} \\\n    {name}')

    def walk(self, name):
        """{index: {column: text}} in the order of the answer."""
        text = subprocess.run(
            ['snmpbulkwalk', *self.options, '-Os', self.address, f'{module_of(name)}::{name}'],
            env=dict(os.environ, MIBS='', SNMPCONFPATH='/dev/null'), capture_output=True,
            text=True, check=True).stdout
        rows = {}
        for line in text.splitlines():
            match = re.match(r"(\w+)\.('.*'\.[\d.]+|[\d.]+) = (?:([\w-]+): )?(.*?)\s*$", line)
            if not match or 'No more variables' in line:
                continue
            column, index, kind, value = match.groups()
            rows.setdefault(index, {})[column] = readable(column, kind, value, rows.get(index))
        return rows

    def missing(self, table, rows):
        """Accessible columns of the table without any value."""
        seen = {column for row in rows.values() for column in row}
        root = next(oid for oid, name in self.columns.items() if name == table) + '.1.'
        return [name for oid, name in self.columns.items()
                if oid.startswith(root) and name not in seen and not name.endswith('Index')]

    def print_scalars(self, group, prefix):
        """Name and value of each scalar of a group."""
        rows = self.walk(group)
        say()
        print('$ ' + self.command(group))
        if not rows:
            raise SystemExit(f'demo: {group} is empty')
        for column, value in rows['0'].items():
            paragraph(column.removeprefix(prefix), value)
        return rows['0']

    def print_table(self, table, prefix):
        """Columns that are the same in all rows in one paragraph, the others as a table."""
        rows = self.walk(table)
        say()
        print('$ ' + self.command(table))
        if not rows:
            raise SystemExit(f'demo: {table} is empty')
        columns = list(dict.fromkeys(column for row in rows.values() for column in row))
        same = [c for c in columns
                if len(rows) > 1 and len({row.get(c) for row in rows.values()}) == 1]
        head = [c for c in columns if c not in same]
        print_rows(rows, head, prefix)
        if same:
            first, quotes = next(iter(rows.values())), '""'
            paragraph('in each row',
                      ', '.join(f'{c.removeprefix(prefix)} {first[c] or quotes}' for c in same))
        holes = self.missing(table, rows)
        if holes:
            paragraph(f'not known from {self.source}, so not there',
                      ', '.join(c.removeprefix(prefix) for c in holes))
        return rows


def module_of(name):
    """Of the two modules, the one that has a table or group of this name."""
    return MODULES[bool(re.match('iscsi(Path|SsnProp|Dev|Source|Map|Event|Agent)', name))]


def readable(column, kind, value, row):
    """Octets of addresses as addresses, enumerations without their number; no other change."""
    if kind == 'INTEGER':
        return re.sub(r'\(-?\d+\)$', '', value)
    if kind == 'BITS':
        return ' '.join(re.findall(r'([A-Za-z]\w*)\(\d+\)', value)) or value
    if kind == 'STRING' and value.startswith('"') and value.endswith('"'):
        value = value[1:-1]
    if kind == 'Timeticks':
        return re.sub(r'^\(\d+\) ', '', value)
    if value == '""':
        return ''
    if kind == 'Hex-STRING' and column.endswith('Addr') and row:
        octets = bytes.fromhex(value)
        family = {4: socket.AF_INET, 16: socket.AF_INET6}.get(len(octets))
        return socket.inet_ntop(family, octets) if family else value
    return value


def paragraph(head, text):
    print(textwrap.fill(f'{head}: {text}', WIDTH, initial_indent='  ', subsequent_indent='    ',
                        break_on_hyphens=False))


def print_rows(rows, columns, prefix, index_head='index'):
    """A table, in parts when it is wider than WIDTH; `?` for a value that is not there."""
    index_width = max(len(index_head), *(len(index) for index in rows))
    part, width = [], index_width
    parts = [part]
    for column in columns:
        texts = [column.removeprefix(prefix)] + [row.get(column, '?') for row in rows.values()]
        size = max(len(text) for text in texts)
        if part and width + 2 + size > WIDTH:
            part, width = [], index_width
            parts.append(part)
        part.append((column, size))
        width += 2 + size
    for part in parts:
        print('  '.join([index_head.ljust(index_width)]
                        + [c.removeprefix(prefix).ljust(size) for c, size in part]).rstrip())
        for index, row in rows.items():
            print('  '.join([index.ljust(index_width)]
                            + [row.get(c, '?').ljust(size) for c, size in part]).rstrip())


def print_statistics(view, seconds):
    """The session counters twice, and how far each has moved."""
    table = 'iscsiSessionStatsTable'
    first = view.walk(table)
    time.sleep(seconds)
    second = view.walk(table)
    say()
    print('$ ' + view.command(table) + f'    # twice, {seconds} s apart')
    columns = list(dict.fromkeys(column for row in second.values() for column in row))
    shown = {}
    moved = 0
    for index, row in second.items():
        shown[index] = {}
        for column in columns:
            old, new = (counter(r.get(index, {}).get(column)) for r in (first, second))
            if old is None or new is None:
                continue
            moved += new > old
            shown[index][column] = f'{old} +{new - old}'
    print_rows(shown, columns, 'iscsiSsn')
    paragraph('moved', f'{moved} counters; the number after + is by how much')
    holes = view.missing(table, second)
    if holes:
        paragraph(f'not known from {view.source}, so not there',
                  ', '.join(c.removeprefix('iscsiSsn') for c in holes))
    return moved


def counter(text):
    """The number of "12 PDUs"."""
    match = re.match(r'\d+', text or '')
    return int(match.group(0)) if match else None


def set_up(lab):
    """Targets, sessions, snmpd, agent. Returns what to say about it."""
    secret = secrets.token_hex(7)
    lab.start_snmpd()
    tgtd = lab.start_tgtd()
    tgtd.add_target(DISK_A)
    tgtd.add_target(DISK_B, acl=(), names=[NAME + 'host-2'], accounts=[('demo', secret)],
                    parameters=[('HeaderDigest', 'CRC32C')])
    v4, v6 = tgtd.both_portals()
    lab.start_initiator(
        session(v4, DISK_A, NAME + 'host-1', alias='first host', rate=40),
        session(v6, DISK_A, NAME + 'host-1', alias='first host', rate=20),
        session(v4, DISK_B, NAME + 'host-2', alias='second host', rate=30, user='demo',
                secret=secret, header_digest='crc32c'),
        session(v4, DISK_A, NAME + 'host-3', rate=10))
    lab.start_agent()
    return v4, v6


def show_private_mib(view):
    """The host in a few numbers, where they come from, and what ISCSI-MIB lacks of sessions."""
    view.print_scalars('iscsiPathSummary', 'iscsiSum')
    view.print_table('iscsiSourceTable', 'iscsiSource')
    view.print_table('iscsiSsnPropTable', 'iscsiSsnProp')
    return view.print_table('iscsiPathTable', 'iscsiPath')


def show_recording():
    """Another agent, which sees a recorded initiator; with its snmpd, and stopped at once."""
    why = laboratory.missing()
    if why:
        raise SystemExit(f'demo: {why}')
    with laboratory.Lab() as lab:
        lab.start_snmpd()
        lab.start_agent(arguments=['--root', os.path.join(laboratory.TOP, RECORDING)],
                        sources='open-iscsi multipath')
        say()
        say(f'RECORDED: from here on nothing is of this machine. Another iscsi-agentx reads {RECORDING}, '
            'the files and answers of a machine with open-iscsi and multipathd whose second network '
            'was just cut.')
        view = View(lab.snmpd_port, 'the recording')
        summary = view.print_scalars('iscsiPathSummary', 'iscsiSum')
        paths = view.print_table('iscsiPathTable', 'iscsiPath')
        view.print_table('iscsiMapTable', 'iscsiMap')
        if len(paths) != 5 or summary['iscsiSumStatus'] != 'degraded':
            raise SystemExit('demo: the recorded paths are not shown')
    if lab.leftovers:
        raise SystemExit('demo: something was left running')


def main():
    keep = os.environ.get('KEEP') == '1'
    why = laboratory.missing()
    if why:
        raise SystemExit(f'demo: {why}')
    with laboratory.Lab(keep=keep) as lab:
        v4, v6 = set_up(lab)
        say(f'tgtd with two targets on {" and ".join(dict.fromkeys((v4, v6)))}; disk-b wants CHAP and lets in host-2 only. '
            f'Four sessions with I/O. snmpd on port {lab.snmpd_port} with iscsi-agentx as its '
            'subagent.')
        view = View(lab.snmpd_port, 'tgtd')
        view.print_table('iscsiNodeAttributesTable', 'iscsiNode')
        sessions = view.print_table('iscsiSessionAttributesTable', 'iscsiSsn')
        connections = view.print_table('iscsiConnectionAttributesTable', 'iscsiCxn')
        moved = print_statistics(view, 3)
        paths = show_private_mib(view)
        if len(sessions) != 4 or len(connections) != 4 or len(paths) != 4 or moved == 0:
            raise SystemExit('demo: not all sessions are shown, or no counter has moved')
        sys.stdout.flush()
        # A lab of its own, which ends all of its process's children.
        subprocess.run([sys.executable, os.path.abspath(__file__), RECORDED], check=True)
        say()
        if keep:
            stop = lab.write_stop_script()
            say('Left running. From the source directory:')
            print(f'  {view.command("iscsiSessionAttributesTable")}\n'
                  f'  snmptable -v2c -c public -M mibs/base:mibs -m ISCSI-MIB -Cib -Cw 100 '
                  f'{view.address} iscsiSessionStatsTable\n'
                  f'  {" ".join(lab.agent_command("--walk"))}\n'
                  f'  less {lab.agent.log}\n'
                  f'Stop it with:\n  sh {stop}')
    if not keep:
        if lab.leftovers:
            raise SystemExit('demo: something was left running')
        say('Everything is stopped again. KEEP=1 make demo leaves it running.')


if __name__ == '__main__':
    if sys.argv[1:] == [RECORDED]:
        show_recording()
    else:
        main()
