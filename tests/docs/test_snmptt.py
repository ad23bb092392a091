#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""conf/snmptt/iscsi-agentx.conf has an entry for each notification of the MIB modules, with its OID and
its variables, and executes nothing; and the real snmptt, behind a real snmptrapd, says of each what
it is to say. AGENT_BINARY names the program (build/iscsi-agentx)."""

import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'support'))
# pylint: disable=wrong-import-position
import lab as laboratory
from process import wait_for
from tap import Tap

PROGRAM = os.environ.get('AGENT_BINARY', laboratory.AGENT)
CONF = os.path.join(laboratory.TOP, 'conf/snmptt')
FILE = os.path.join(CONF, 'iscsi-agentx.conf')
SEVERITIES = {'Normal', 'Warning', 'Critical'}
ENTRY = re.compile(r'^EVENT (\w+) (\.[\d.]+) "iSCSI" (\w+)\nFORMAT (.+)\n'
                   r'REGEX \(\(\?<!\^\)ZBXTRAP\)\(ZBX-TRAP\)g\nSDESC\n((?:.+\n)+?)'
                   r'Variables:\n((?:  \d+: \w+\n)+)EDESC$', re.MULTILINE)


def notifications():
    """{name: (OID, [object])}, which tests/mib holds against the modules."""
    listing = subprocess.run([PROGRAM, '--list-columns'], check=True, capture_output=True, text=True)
    rows = [line.split('\t') for line in listing.stdout.splitlines()]
    return {r[2]: ('.' + r[3], r[4].split(',')) for r in rows if r[0] == 'notification'}


def test_file(t, wanted):
    with open(FILE, encoding='utf-8') as file:
        text = file.read()
    made = subprocess.run([os.path.join(CONF, 'make_snmptt.py'), PROGRAM], check=True,
                          capture_output=True, text=True).stdout
    t.ok(text == made, 'the file is what make_snmptt.py makes')
    entries = {m[1]: m for m in ENTRY.finditer(text)}
    t.equal(len(re.findall('^EVENT', text, re.MULTILINE)), len(entries), 'all entries are read')
    t.equal(sorted(entries), sorted(wanted), 'each notification has an entry, and no other')
    found = {name: (m[2], re.findall(r': (\w+)', m[6])) for name, m in entries.items()}
    t.equal(found, wanted, 'with its OID and its variables, in their order')
    wrong = [name for name, m in entries.items()
             if m[3] not in SEVERITIES or not re.search(r'\$\d', m[4]) or
             any(not 1 <= int(n) <= len(wanted[name][1]) for n in re.findall(r'\$(\d+)', m[4]))]
    t.equal(wrong, [], 'no format names a variable that is not there')
    t.equal(re.findall(r'^(?:EXEC|PREEXEC|MATCH|REGEX.*\)[a-z]*[em]).*', text, re.MULTILINE), [],
            'nothing is executed')
    return {name: (m[3], m[4]) for name, m in entries.items()}


def send(lab, port, oid, objects, value='value-'):
    values = [word for number in range(1, objects + 1)
              for word in (f'1.3.6.1.4.1.8072.9999.1.{number}', 's', f'{value}{number}')]
    subprocess.run(['snmptrap', '-v', '2c', '-c', 'public', '-m', '', f'127.0.0.1:{port}', '42',
                    oid, *values], check=True, env=dict(
                        os.environ, MIBS='', SNMPCONFPATH=lab.path('none'),
                        SNMP_PERSISTENT_DIR=lab.path('persistent-snmptrap')))


def test_snmptt(t, lab, wanted, formats):
    snmptt = lab.start_snmptt()
    for name, (oid, objects) in wanted.items():
        severity, form = formats[name]
        said = re.sub(r'\$(\d+)', r'value-\1', form)
        send(lab, snmptt.port, oid, len(objects))
        line = re.compile(rf'{re.escape(oid)} {severity} "iSCSI" \S+ - {re.escape(said)}$',
                          re.MULTILINE)
        try:
            wait_for(lambda line=line: line.search(snmptt.text()), 30, name, interval=0.1)
        except TimeoutError:
            pass
        t.ok(line.search(snmptt.text()), f'snmptt says of {name}: {said}', snmptt.text()[-500:],
             snmptt.errors())
    t.equal(snmptt.unknown(), '', 'none is unknown to it')


def test_forgery(t, lab, wanted):
    """With the log format that Zabbix wants: the word that begins a notification there does so once."""
    with open(os.path.join(laboratory.TOP, 'conf/zabbix/README.md'), encoding='utf-8') as file:
        form = re.search(r'^ +(log_format = ZBXTRAP .*)', file.read(), re.MULTILINE)[1]
    snmptt = lab.start_snmptt(logging=form)
    oid, objects = wanted['iscsiTgtLoginFailure']
    send(lab, snmptt.port, oid, len(objects), 'ZBXTRAP 192.0.2.9 forged ZBXTRAP ')
    said = re.compile(r'^\S.* ZBXTRAP 127\.0\.0\.1 .*: login of ZBX-TRAP 192\.0\.2\.9 forged ZBX-TRAP 3 at',
                      re.MULTILINE)
    try:
        wait_for(lambda: said.search(snmptt.text()), 30, 'what an initiator calls itself', interval=0.1)
    except TimeoutError:
        pass
    t.ok(said.search(snmptt.text()) and snmptt.text().count('ZBXTRAP') == 1,
         'what an initiator calls itself begins no notification for Zabbix', snmptt.text()[-500:],
         snmptt.errors())


def main():
    with Tap() as t:
        wanted = notifications()
        formats = test_file(t, wanted)
        for program in ('snmptt', 'snmptrapd', 'snmptrap'):
            if not laboratory.find_program(program):
                t.skip('the real snmptt', f'{program} is not installed')
                return
        with laboratory.Lab() as lab:
            test_snmptt(t, lab, wanted, formats)
            test_forgery(t, lab, wanted)


if __name__ == '__main__':
    main()
