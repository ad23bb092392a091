# SPDX-License-Identifier: BSD-2-Clause
"""The service in a booted machine (machine.py): what systemd, /proc and a manager see of it."""

import os
import re

UNIT = 'iscsi-agentx.service'
NODE_NAME = '.1.3.6.1.2.1.142.1.5.1.1.2'  # iscsiNodeName
PRIVATE_ROOT = os.environ.get('PRIVATE_OID', '1.3.6.1.4.1.8072.9999.9999.7147')
SUMMARY = f'.{PRIVATE_ROOT}.1.1.1.2.0'  # iscsiSumText


class Service:
    """The service as systemd in the machine sees it."""

    def __init__(self, machine):
        self.machine = machine

    def ctl(self, *argv):
        return self.machine.run('systemctl', *argv)

    def show(self, *properties):
        text = self.ctl('show', UNIT, *(f'--property={p}' for p in properties)).stdout
        return dict(line.split('=', 1) for line in text.splitlines() if '=' in line)

    def pid(self):
        return self.show('MainPID')['MainPID']

    def connected(self):
        return 'serving through the master' in self.show('StatusText')['StatusText']

    def journal(self, *arguments):
        """Messages of the service since the machine has booted."""
        return self.machine.run('journalctl', '--no-pager', '--output=cat', '--unit', UNIT,
                                *arguments).stdout

    def processes(self):
        """{name: {field: value}} of /proc/PID/status; `core` is the limit of core files."""
        found = {}
        # One hierarchy, or the older arrangements with systemd's beside those of the controllers.
        pids = self.machine.run('cat', *(f'/sys/fs/cgroup{place}/system.slice/{UNIT}/cgroup.procs'
                                         for place in ('', '/unified', '/systemd'))).stdout
        for pid in set(pids.split()):
            status = self.machine.run('cat', f'/proc/{pid}/status').stdout
            fields = dict(re.findall(r'^(\w+):[ \t]*(.*?) *$', status, re.M))
            if fields:
                limits = self.machine.run('cat', f'/proc/{pid}/limits').stdout
                fields['core'] = re.search(r'Max core file size\s+(\S+)', limits).group(1)
                found[fields['Name']] = fields
        return found


def walk(machine, oid):
    """{last two sub-identifiers: value} of a walk through snmpd, as the community that is installed."""
    text = machine.run('snmpbulkwalk', '-v2c', '-c', 'iscsi', '-m', '', '-On', '-t', '1', '-r', '0',
                       'localhost', oid).stdout
    return {index: value for index, value in
            re.findall(r'^\S+\.(\d+\.\d+) = STRING: "(.*)"$', text, re.M)}


def target(machine, number, name=None):
    """A target of tgtd, made or (without a name) removed."""
    what = ['new', '--targetname', name] if name else ['delete']
    done = machine.run('tgtadm', '--lld', 'iscsi', '--mode', 'target', '--tid', str(number), '--op',
                       *what)
    if done.returncode != 0:
        raise RuntimeError(f'tgtadm: {done.stderr}')
