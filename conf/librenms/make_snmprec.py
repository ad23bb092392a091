#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes linux_iscsi.snmprec: a recorded initiator with multipath maps, one of whose networks was just
cut, as snmpsim serves it and as LibreNMS tests its definitions with (tests/snmpsim).

usage: make_snmprec.py BINARY > conf/librenms/linux_iscsi.snmprec

The values are those of `BINARY --root RECORDING --walk`, beside a sysDescr and sysObjectID that make
LibreNMS take it for Linux. Events are left out: they tell when this was made."""
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
RECORDING = TOP / 'tests' / 'fixtures' / 'open-iscsi' / 'multipath.tree'
sys.path.insert(0, str(TOP / 'tests' / 'support'))
# pylint: disable=wrong-import-position
import snmp
from snmpsim import to_snmprec

PRIVATE = snmp.oid('1.3.6.1.4.1.8072.9999.9999.7147')
EVENTS = (*PRIVATE, 1, 1, 8)
SYSTEM = [snmp.Varbind((1, 3, 6, 1, 2, 1, 1, 1, 0), 'STRING',
                       b'Linux db1 6.1.0-56-amd64 #1 SMP PREEMPT_DYNAMIC Debian x86_64'),
          snmp.Varbind((1, 3, 6, 1, 2, 1, 1, 2, 0), 'OID', snmp.oid('1.3.6.1.4.1.8072.3.2.10'))]


def walk(binary):
    """The varbinds of the recording, as snmpwalk would get them."""
    done = subprocess.run([binary, '-C', '--root', RECORDING, '--walk'], check=True,
                          capture_output=True, text=True)
    return [v for v in snmp.parse(done.stdout) if v.oid[:len(EVENTS)] != EVENTS]


if __name__ == '__main__':
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    sys.stdout.write(to_snmprec(SYSTEM + walk(sys.argv[1])))
