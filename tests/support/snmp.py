# SPDX-License-Identifier: BSD-2-Clause
"""The net-snmp tools as a manager: run them without any MIB module and read what they print.

Names are tuples of integers, values are Python's: int, bytes for OCTET STRING, tuple for OID;
`kind` is what the tool printed before the value (INTEGER, Counter64, …).
"""

import collections
import os
import re
import subprocess

ISCSI_MIB = (1, 3, 6, 1, 2, 1, 142)
ISCSI_OBJECTS = ISCSI_MIB + (1,)
SYS_UPTIME = (1, 3, 6, 1, 2, 1, 1, 3, 0)

NO_INSTANCE = 'noSuchInstance'
NO_OBJECT = 'noSuchObject'
END_OF_VIEW = 'endOfMibView'
EXCEPTIONS = (NO_INSTANCE, NO_OBJECT, END_OF_VIEW)

Varbind = collections.namedtuple('Varbind', 'oid kind value')

# Numbers, no MIB, all strings in hexadecimal: what is printed has one meaning only.
PLAIN = ['-m', '', '-On', '-Oe', '-Ox']

_EXCEPTIONS = (
    ('No Such Instance currently exists at this OID', NO_INSTANCE),
    ('No Such Object available on this agent at this OID', NO_OBJECT),
    ('No more variables left in this MIB View', END_OF_VIEW),
)


class SnmpError(Exception):
    """The tool failed: timeout, an error status, names out of order."""


def oid(text):
    return tuple(int(part) for part in text.strip('.').split('.'))


def dotted(name):
    return '.' + '.'.join(str(part) for part in name)


def _parse_value(text):
    for phrase, kind in _EXCEPTIONS:
        if text.startswith(phrase):
            return kind, None
    if text == '""':
        return 'STRING', b''
    kind, _, rest = text.partition(': ')
    if kind in ('Hex-STRING', 'BITS'):
        digits = re.match(r'(?:[0-9A-Fa-f]{2}\s*)*', rest).group(0)
        return 'STRING' if kind == 'Hex-STRING' else kind, bytes.fromhex(digits)
    if kind == 'STRING' and re.fullmatch(r'"(?:[^"\\]|\\["\\])*"', rest):  # without -Ox
        return kind, re.sub(r'\\(.)', r'\1', rest[1:-1]).encode()
    if kind in ('INTEGER', 'Gauge32', 'Counter32', 'Counter64', 'UInteger32', 'Unsigned32'):
        return kind, int(rest)
    if kind == 'Timeticks':
        return kind, int(re.match(r'\((\d+)\)', rest).group(1))
    if kind == 'OID':
        return kind, oid(rest)
    if kind == 'IpAddress':
        return kind, bytes(int(part) for part in rest.split('.'))
    raise SnmpError(f'cannot read the value {text!r}')


def parse(text):
    """The varbinds in what a tool printed; long hexadecimal strings go over several lines."""
    entries = []
    for line in text.splitlines():
        if re.match(r'\.\d[\d.]* = ', line):
            entries.append(line)
        elif entries and re.match(r'(?:[0-9A-F]{2} ?)+\s*$', line):
            entries[-1] += ' ' + line
        elif line.startswith(('No more variables left', 'End of MIB')):
            continue
        elif line.strip():
            raise SnmpError(f'cannot read the line {line!r}')
    result = []
    for entry in entries:
        name, _, value = entry.partition(' = ')
        result.append(Varbind(oid(name), *_parse_value(value.strip())))
    return result


class Manager:
    """Asks one agent. The address is net-snmp's: udp:127.0.0.1:161, udp6:[::1]:161."""

    def __init__(self, address, community='public', version='2c', timeout=3, retries=1):
        self.address = address
        self.options = ['-v', version, '-c', community, '-t', str(timeout), '-r', str(retries)]
        self.limit = 300

    def run(self, tool, arguments, options=(), environment=None):
        """Runs a tool; returns the CompletedProcess."""
        command = [tool, *self.options, *options, self.address, *arguments]
        env = dict(os.environ, MIBS='', SNMPCONFPATH='/dev/null', SNMP_PERSISTENT_DIR='/dev/null',
                   LC_ALL='C')
        env.update(environment or {})
        return subprocess.run(command, env=env, text=True, capture_output=True,
                              timeout=self.limit, check=False, stdin=subprocess.DEVNULL)

    def text(self, tool, arguments, options=()):
        done = self.run(tool, arguments, options)
        if done.returncode != 0:
            raise SnmpError(f'{tool} {" ".join(arguments)[:200]}: exit {done.returncode}: '
                            f'{done.stderr.strip() or done.stdout.strip()[-300:]}')
        return done.stdout

    def walk(self, name=ISCSI_MIB):
        """snmpwalk: GETNEXT after GETNEXT. An empty tree is an empty list."""
        return self._walk('snmpwalk', name, [])

    def bulkwalk(self, name=ISCSI_MIB, repetitions=25):
        return self._walk('snmpbulkwalk', name, [f'-Cr{repetitions}'])

    def _walk(self, tool, name, options):
        # -CI: the tool does not fall back to GET when the walk is empty.
        options = options if tool == 'snmpbulkwalk' else [*options, '-CI']
        found = parse(self.text(tool, [dotted(name)], [*PLAIN, *options]))
        return [v for v in found if v.kind not in EXCEPTIONS]

    def get(self, *names):
        """The varbinds of these names, in their order; asks in portions."""
        result = []
        for at in range(0, len(names), 25):
            part = [dotted(name) for name in names[at:at + 25]]
            result += parse(self.text('snmpget', part, PLAIN))
        return result

    def next(self, *names):
        return parse(self.text('snmpgetnext', [dotted(name) for name in names], PLAIN))

    def value(self, name):
        """One value, or None for an exception."""
        return self.get(name)[0].value

    def uptime(self):
        """sysUpTime in seconds, or None when the agent does not answer."""
        try:
            return self.value(SYS_UPTIME) / 100
        except SnmpError:
            return None


def table(varbinds, entry):
    """The rows below an entry's OID: {index tuple: {column number: varbind}}."""
    rows = {}
    for varbind in varbinds:
        if varbind.oid[:len(entry)] == entry and len(varbind.oid) > len(entry) + 1:
            column, index = varbind.oid[len(entry)], varbind.oid[len(entry) + 1:]
            rows.setdefault(index, {})[column] = varbind
    return rows
