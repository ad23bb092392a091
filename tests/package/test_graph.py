#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""conf/prometheus/README.md, read literally: its commands run in a booted Debian that has been given the
packages it names, host and monitor in one, and at the end Prometheus has a value of the host.

What is replaced: `make install` is run from outside into the root, `apt install` was done when the root
was made, HOST and 192.0.2.9 are the machine itself, and what a human does with an editor is done here.

Needs root; takes minutes the first time (packages from Debian's mirror)."""

import json
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
from tap import Tap

README = ROOT / 'conf' / 'prometheus' / 'README.md'
ELSEWHERE = re.compile(r'make |apt install ')
QUERY = 'http://127.0.0.1:9090/api/v1/query?query=iscsiSumPathsConnected'


def steps():
    """{number: [command]} of the README's indented lines; a line that ends with && goes on."""
    found = {}
    for part in re.split(r'^## (?=\d)', README.read_text(), flags=re.MULTILINE)[1:]:
        number = int(part[0])
        found[number] = re.findall(r'^ {4}(\S.*(?:&&\n +.*)*)$', part, re.MULTILINE)
    return found


def adapted(command):
    """For this machine, and with the patience of a human where a service has just been started."""
    command = command.replace('192.0.2.9', '127.0.0.1').replace('HOST', '127.0.0.1')
    command = command.replace('curl ', 'curl -sS --retry 60 --retry-connrefused --retry-delay 1 ')
    command = re.sub(r'^(iscsi-agentx --check).*',
                     r'for n in $(seq 60); do sleep 1; ! \1 || break; done; \1', command)
    return re.sub(r'^make && make install && ', '', command)


def edit(machine):
    """Step 3 in words: the job with this host, and the line of rule_files."""
    path = machine.root / 'etc/prometheus/prometheus.yml'
    job = (ROOT / 'conf/prometheus/prometheus.yml').read_text().partition('scrape_configs:\n')[2]
    job = re.sub(r'( +- targets:\n)(?: +- .*\n)+', r'\1          - 127.0.0.1\n', job)
    text = path.read_text()
    path.write_text(re.sub(r'^rule_files:\n', 'rule_files:\n  - rules.yml\n', text, flags=re.MULTILINE)
                    .rstrip() + '\n' + job)


def run_steps(t, machine, number, commands):
    """One shell for the step, since it has a cd."""
    # As root's own shell has it.
    script = 'PATH=/usr/local/sbin:$PATH\n'
    script += '\n'.join(c for c in map(adapted, commands) if not ELSEWHERE.match(c))
    done = machine.run('sh', '-exc', script, seconds=300)
    t.ok(done.returncode == 0, f'step {number}: {len(script.splitlines()) - 1} commands', done.stdout,
         done.stderr[-2000:])
    return done.stdout


def first_value(machine):
    found = machine.run('curl', '-s', QUERY).stdout
    result = json.loads(found or '{}').get('data', {}).get('result')
    return result[0] if result else None


def main():
    with Tap() as t:
        why = machines.missing()
        if why:
            t.skip_all(why)
        machines.PACKAGES = [*machines.PACKAGES, 'curl', 'prometheus', 'prometheus-snmp-exporter']
        commands = steps()
        t.ok(all(commands.get(number) for number in (1, 2, 3)), 'the README has three steps to a graph')
        with tempfile.TemporaryDirectory() as directory, machines.Machine(directory) as machine:
            subprocess.run(['make', '-s', '-o', 'build/iscsi-agentx', 'install',
                            f'DESTDIR={machine.root}'], cwd=ROOT, check=True, timeout=60)
            machine.boot()
            t.ok('0 wrong' in run_steps(t, machine, 1, commands[1]), '--check finds nothing wrong')
            asked = re.search(r'`(snmpget .*)`', README.read_text())[1]

            def answer():
                return machine.run('sh', '-c', adapted(asked)).stdout
            # The agent finds the snmpd that was just started anew.
            wait_for(lambda: 'STRING' in answer(), 60, 'an answer', 0.5)
            t.ok('STRING: "OK: ' in answer(), 'the host answers with one line about its iSCSI', answer())
            t.ok('iscsiSumStatus 1' in run_steps(t, machine, 2, commands[2]),
                 'snmp_exporter shows its status')
            run_steps(t, machine, 3, commands[3][:1])
            edit(machine)
            run_steps(t, machine, 3, commands[3][1:])
            value = wait_for(lambda: first_value(machine), 180, 'the first value', 1)
            t.equal(value['metric']['instance'], '127.0.0.1', 'and Prometheus has a value to draw')


if __name__ == '__main__':
    main()
