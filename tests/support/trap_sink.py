# SPDX-License-Identifier: BSD-2-Clause
"""A private snmptrapd: what it receives, as varbinds, with the time at which that was seen."""
import collections
import os
import threading
import time

import snmp
from process import Process

SYS_UPTIME = snmp.SYS_UPTIME
TRAP_OID = (1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0)

Trap = collections.namedtuple('Trap', 'at oid uptime objects user')

# SNMPv3, as the README's recipe has it.
ENGINE, USER = '0x80001f8804697363736961', 'iscsi-traps'
PASSWORDS = ('authentication-pass', 'encryption-pass')
RECEIVER = ('authCommunity log public\n'
            f'createUser -e {ENGINE} {USER} SHA {PASSWORDS[0]} AES {PASSWORDS[1]}\n'
            f'authUser log {USER} priv\n')


class TrapSink:
    """Receives v2c (community public) and v3 notifications at one port of 127.0.0.1."""

    def __init__(self, lab, program, port):
        self.port, self.traps, self.lab = port, [], lab
        name = lab.unique('snmptrapd')
        self.path = lab.path(name + '.traps')
        persistent = lab.path(name + '.persistent')
        os.makedirs(persistent)
        configuration = lab.path(name + '.conf')
        with open(configuration, 'w', encoding='utf-8') as file:
            file.write(RECEIVER + 'format2 BEGIN %u\\n%V\\n%v\\nEND\\n\n')
        self.process = lab.add(Process(
            name, [program, '-f', '-C', '-c', configuration, '-Lf', self.path, '-n', '-On', '-Oe',
                   '-Ox', '-m', '', f'udp:127.0.0.1:{port}'], lab.directory,
            {'SNMP_PERSISTENT_DIR': persistent, 'MIBS': '', 'SNMPCONFPATH': persistent}))
        self.offset = 0
        self.lock = threading.Lock()
        self.running = True
        threading.Thread(target=self._follow, daemon=True).start()

    def lines(self, v3=True):
        """For snmpd.conf: the lines that send notifications here."""
        text = f'trapsess -v 2c -c public udp:127.0.0.1:{self.port}\n'
        if v3:
            text += (f'trapsess -v 3 -e {ENGINE} -u {USER} -l authPriv -a SHA -A {PASSWORDS[0]} '
                     f'-x AES -X {PASSWORDS[1]} udp:127.0.0.1:{self.port}\n')
        return text

    def _follow(self):
        while self.running:
            self._read()
            time.sleep(0.005)

    def _read(self):
        try:
            with open(self.path, encoding='utf-8', errors='replace') as file:
                file.seek(self.offset)
                text = file.read()
        except OSError:
            return
        with self.lock:
            while 'END\n' in text:
                block, _, text = text.partition('END\n')
                self.offset += len((block + 'END\n').encode())
                if 'BEGIN ' in block:
                    self.traps.append(self._parse(block[block.index('BEGIN ') + 6:]))

    @staticmethod
    def _parse(block):
        user, _, rest = block.partition('\n')
        varbinds = snmp.parse('\n'.join(rest.lstrip('\n').split('\t')))
        assert varbinds[0].oid == SYS_UPTIME and varbinds[1].oid == TRAP_OID, varbinds
        return Trap(time.monotonic(), varbinds[1].value, varbinds[0].value, varbinds[2:], user)

    def all(self, *oids, user=None):
        """What has come so far, of these notifications, as this user (all: None)."""
        with self.lock:
            return [t for t in self.traps
                    if (not oids or t.oid in oids) and (user is None or t.user == user)]

    def clear(self):
        with self.lock:
            self.traps.clear()
