# SPDX-License-Identifier: BSD-2-Clause
"""A walk as .snmprec, the format that Debian's snmpsim serves and that LibreNMS tests with: a line
for each value, OID|TAG|VALUE, in the order of the OIDs."""

import os

from process import Process, wait_for
from snmp import Manager, dotted

# Numbers of the ASN.1 types; 4x: octets in hexadecimal.
TAGS = {'INTEGER': '2', 'STRING': '4x', 'OID': '6', 'IpAddress': '64x', 'Counter32': '65',
        'Gauge32': '66', 'Timeticks': '67', 'Counter64': '70'}


def text(value):
    if isinstance(value, bytes):
        return value.hex()
    return dotted(value)[1:] if isinstance(value, tuple) else str(value)


def to_snmprec(varbinds, variations=()):
    """The varbinds of a walk. `variations`: {OID: (tag, text)} beside or in place of them, such as
    ('65:numeric', 'rate=1000') of a counter that grows."""
    lines = {v.oid: (TAGS[v.kind], text(v.value)) for v in varbinds}
    lines.update(variations)
    return ''.join(f'{dotted(oid)[1:]}|{tag}|{value}\n' for oid, (tag, value) in sorted(lines.items()))


class Snmpsim:
    """An agent that answers with `records` (to_snmprec) to the communities public and iscsi, on 127.0.0.1."""

    def __init__(self, lab, records, port):
        self.top = lab.path(lab.unique('snmpsim-data'))
        for name in ('data', 'cache'):
            os.makedirs(os.path.join(self.top, name))
        for community in ('public', 'iscsi'):
            with open(os.path.join(self.top, 'data', community + '.snmprec'), 'w', encoding='ascii') as file:
                file.write(records)
        for path in (self.top, os.path.join(self.top, 'cache')):
            os.chmod(path, 0o777)  # it gives up root
        self.port = port
        self.process = lab.add(Process(
            lab.unique('snmpsim'),
            ['snmpsimd', f'--data-dir={self.top}/data', f'--cache-dir={self.top}/cache',
             f'--agent-udpv4-endpoint=127.0.0.1:{port}', '--process-user=nobody',
             '--process-group=nogroup', '--logging-method=stderr'], lab.directory))
        manager = self.manager(timeout=0.5, retries=0)
        wait_for(lambda: manager.next_or_none() or not self.process.running(), 30, 'snmpsim answers')
        if not self.process.running():
            raise OSError(f'snmpsimd ended: {self.process.text()[-1000:]}')

    def manager(self, **settings):
        return SimManager(f'udp:127.0.0.1:{self.port}', **settings)


class SimManager(Manager):
    def next_or_none(self):
        """The first value, or None when nobody answers."""
        done = self.run('snmpgetnext', ['.1.3'])
        return done.stdout if done.returncode == 0 else None
