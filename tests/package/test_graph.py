#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""README.md and conf/prometheus/README.md, read literally, from a tree of sources to a graph: their
commands run in a booted Debian that has nothing but the packages which they name, host and monitor in
one, and a tgtd to look at.

What is replaced: `apt install` was done when the root was made, since the machine has no network; HOST
and the addresses of the examples are the machine itself, and what a human does with an editor is done
here. tests/package/test_deb.py has what README.md says of packages.

Needs root; takes minutes the first time (packages from Debian's mirror)."""

import errno
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

sys.path[:0] = [str(ROOT / 'tests' / 'support'), str(ROOT / 'tests' / 'package')]
# pylint: disable=wrong-import-position
import machine as machines
from process import wait_for
from service import target
from tap import Tap

README = ROOT / 'README.md'
PROMETHEUS = ROOT / 'conf' / 'prometheus' / 'README.md'
SOURCES = '/root/iscsi-agentx'
QUERY = 'http://127.0.0.1:9090/api/v1/query?query=iscsiSumPathsConnected'
TARGET = 'iqn.2004-10.org.example:one'
# As root's own shell has it, and with what README.md sets once.
SHELL = f'PATH=/usr/local/sbin:$PATH; cd {SOURCES}; M=/usr/local/share/iscsi-agentx/mibs\n'


def section(path, heading):
    """{first word: text} of the indented blocks below a heading that begins so."""
    text = re.search(rf'^## {heading}.*?\n(.*?)(?=^## |\Z)', path.read_text(), re.M | re.S)[1]
    blocks = re.findall(r'(?:^ {4}.*\n)+', text, re.M)
    return {block.split()[0]: re.sub('^ {4}', '', block, flags=re.M) for block in blocks}, text


def packages():
    """Those of the lines with `apt install`."""
    named = {name for path in (README, PROMETHEUS)
             for line in re.findall(r'\bapt install ([\w. -]+)', path.read_text())
             for name in line.split() if not name.startswith('.')}
    return sorted(named | {'dbus', 'procps', 'systemd-sysv', 'tgt'})


def adapted(commands):
    """For this machine, and with the patience of a human where a service has just been started."""
    commands = re.sub(r'192\.0\.2\.(9|10|0/24)|\bHOST\b', '127.0.0.1', commands)
    commands = commands.replace('curl ', 'curl -sS --retry 60 --retry-connrefused --retry-delay 1 ')
    commands = re.sub(r'^(iscsi-agentx --check).*',
                      r'for n in $(seq 60); do sleep 1; ! \1 || break; done; \1', commands, flags=re.M)
    return re.sub(r'^apt install .*\n', '', commands, flags=re.M)


def run(t, machine, what, commands, seconds=300):
    """One shell for all of them; returns what they print."""
    script = adapted(commands)
    done = machine.run('sh', '-exc', SHELL + script, seconds=seconds)
    t.ok(done.returncode == 0, f'{what}: {len(script.splitlines())} lines', done.stdout[-2000:],
         done.stderr[-2000:])
    return done.stdout


def unpack(machine):
    """The sources as `git clone` has them."""
    place = machine.root / SOURCES[1:]
    place.mkdir(parents=True)
    subprocess.run(['make', '-s', 'dist'], cwd=ROOT, check=True, timeout=60)
    tar = next(machines.BUILD.glob('iscsi-agentx-*.tar.gz'))
    subprocess.run(['tar', '-C', place, '--strip-components=1', '-xf', tar], check=True, timeout=60)


def check_install(t, machine):
    target(machine, 1, TARGET)
    blocks, text = section(README, 'Install and run')
    shown = run(t, machine, 'README.md, built and installed', blocks['apt'], 900)
    t.ok(shown.endswith('0 wrong\n'), '--check finds nothing wrong', shown[-2000:])
    shown = run(t, machine, 'two walks with names', blocks['M=/usr/local/share/iscsi-agentx/mibs'])
    t.ok(re.search(r'^ISCSI-PATH-MIB::iscsiSumText\.0 = STRING: OK: ', shown, re.M) and
         f'STRING: {TARGET}' in shown, 'show the status and the target', shown)
    empty = run(t, machine, 'a table without a row',
                blocks['M=/usr/local/share/iscsi-agentx/mibs'].replace('Node', 'Session'))
    t.ok(re.search(r'`(No Such .*?)`', text, re.S)[1].replace('\n', ' ') in empty,
         'answers what README.md says', empty)
    drop_in = (machine.root / 'etc/snmp/snmpd.conf.d/iscsi-agentx.conf').read_text()
    t.equal(blocks['master'].splitlines(),
            [line for line in drop_in.splitlines() if re.match('[a-z]', line)],
            'the lines that everybody forgets are those that were installed')


def check_user(t, machine):
    """The user of SNMPv3."""
    blocks, _ = section(README, 'Install and run')
    shown = run(t, machine, 'README.md, SNMPv3', blocks['systemctl'])
    t.ok('0 wrong' in shown and re.search(r'STRING: "OK: .*"\n\Z', shown), 'shows the status to its user',
         shown)


def check_messages(t):
    """Those that README.md explains are those of the program, or of the C library's errno."""
    text = section(README, 'When it shows nothing')[1]
    program = re.sub(r'"\s+"', '', (ROOT / 'agent/check.c').read_text())
    topics = re.findall(r'\b(?:good|wrong)\((?:c, )?"([^"]+)"', program)
    known = program + ''.join(map(os.strerror, (errno.ECONNREFUSED, errno.ENOENT, errno.EACCES)))
    known = known.replace('%s shows', 'snmpd shows').replace('of %s', 'of ISCSI-MIB')
    rows = re.findall(r'^\| ([^|]+) \| ([^|]+) \| .* \|$', text, re.M)[1:]
    t.ok(len(rows) > 5 and {topic for topic, _ in rows} <= set(topics), 'README.md: topics of --check')
    said = [words for _, cell in rows for words in re.findall('`(.*?)`', cell)]
    t.equal([words for words in said if words.replace('localhost', '%s') not in known], [],
            f'and {len(said)} of its messages')


def check_notifications(t, machine):
    """A tgtd that does not answer any more, told by SNMPv2c and by SNMPv3."""
    blocks, _ = section(README, 'Notifications')
    (machine.root / 'etc/snmp/snmpd.conf.d/traps.conf').write_text(adapted(blocks['trapsess']))
    (machine.root / 'etc/snmp/snmptrapd.conf').write_text(blocks['authCommunity'])
    with (machine.root / 'etc/snmp/iscsi-agentx.conf').open('a', encoding='utf-8') as file:
        file.write('staleMax 0\n')
    receiver = blocks['systemctl'].rstrip() + ' >/root/traps 2>&1 &\n'
    run(t, machine, 'a receiver', 'systemctl restart snmpd iscsi-agentx\n' + receiver)
    log = machine.root / 'root/traps'
    wait_for(lambda: 'NET-SNMP version' in log.read_text(), 30, 'it listens')
    wait_for(lambda: TARGET in machine.run('snmpwalk', '-v2c', '-c', 'iscsi', 'localhost',
                                           '.1.3.6.1.2.1.142').stdout, 30, 'the target is seen')
    run(t, machine, 'tgtd hangs', 'kill -STOP $(pidof tgtd)\n')

    def told():
        return re.findall(r'snmpTrapOID\.0 = OID: (ISCSI-PATH-MIB::iscsiSourceStale)', log.read_text())
    wait_for(lambda: len(told()) == 2, 60, 'two notifications')
    t.equal(len(told()), 2, 'comes by both, with names')
    run(t, machine, 'tgtd goes on', 'kill -CONT $(pidof tgtd)\n')


def check_without_snmpd(t, machine):
    blocks, text = section(README, 'Without snmpd')
    mask = re.search(r'`(systemctl mask .*?)`', text)[1]
    run(t, machine, 'an agent of its own', f'{mask}\n' + blocks['systemctl'])
    walk = ('for n in $(seq 60); do sleep 1; ! snmpwalk -v2c -c iscsi localhost .1.3.6.1.2.1.142 | '
            f'grep {TARGET} || break; done\nkill $(pidof iscsi-agentx)\n')
    t.ok(TARGET in run(t, machine, 'is asked', walk), 'shows the target')
    shown = run(t, machine, 'without SNMP', blocks['iscsi-agentx'].replace('FILE', '/tmp/host.tree'))
    t.ok(shown.count(TARGET) >= 4, 'and so does each command', shown[-2000:])


def edit(machine):
    """Step 3 in words: the job with this host, and the line of rule_files."""
    path = machine.root / 'etc/prometheus/prometheus.yml'
    job = (ROOT / 'conf/prometheus/prometheus.yml').read_text().partition('scrape_configs:\n')[2]
    job = re.sub(r'( +- targets:\n)(?: +- .*\n)+', r'\1          - 127.0.0.1\n', job)
    text = path.read_text()
    path.write_text(re.sub(r'^rule_files:\n', 'rule_files:\n  - rules.yml\n', text, flags=re.MULTILINE)
                    .rstrip() + '\n' + job)


def first_value(machine):
    found = machine.run('curl', '-s', QUERY).stdout
    result = json.loads(found or '{}').get('data', {}).get('result')
    return result[0] if result else None


def check_graph(t, machine):
    """The steps of conf/prometheus/README.md."""
    steps = [section(PROMETHEUS, f'{number}. ')[0] for number in (1, 2, 3)]
    shown = run(t, machine, 'Prometheus, step 1', ''.join(steps[0].values()))
    t.ok('0 wrong' in shown, '--check finds nothing wrong', shown)
    asked = re.search(r'`(snmpget .*)`', PROMETHEUS.read_text())[1]

    def answer():
        return machine.run('sh', '-c', adapted(asked)).stdout
    # The agent finds the snmpd that was just started anew.
    wait_for(lambda: 'STRING' in answer(), 60, 'an answer', 0.5)
    t.ok('STRING: "OK: ' in answer(), 'the host answers with one line about its iSCSI', answer())
    shown = run(t, machine, 'Prometheus, step 2', ''.join(steps[1].values()))
    t.ok('iscsiSumStatus 1' in shown, 'snmp_exporter shows its status', shown)
    run(t, machine, 'Prometheus, step 3', steps[2]['cp'])
    edit(machine)
    run(t, machine, 'its configuration', steps[2]['promtool'])
    value = wait_for(lambda: first_value(machine), 180, 'the first value', 1)
    t.equal(value['metric']['instance'], '127.0.0.1', 'and Prometheus has a value to draw')


def main():
    with Tap() as t:
        why = machines.missing()
        if why:
            t.skip_all(why)
        check_messages(t)
        machines.PACKAGES = packages()
        with tempfile.TemporaryDirectory() as directory, machines.Machine(directory) as machine:
            unpack(machine)
            machine.boot()
            check_install(t, machine)
            check_user(t, machine)
            check_graph(t, machine)
            check_notifications(t, machine)
            check_without_snmpd(t, machine)


if __name__ == '__main__':
    main()
