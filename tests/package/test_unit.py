#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The unit that `make install` puts in place, in a booted Debian, beside Debian's snmpd and tgtd with
their own configuration: starts, serves, gives up what it should, and survives what is restarted.

A system call that the unit does not allow kills the process here, so that none goes unnoticed.
Needs root and systemd-nspawn; the first run makes the root with mmdebstrap.
"""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

sys.path[:0] = [str(ROOT / 'tests' / 'support'), str(ROOT / 'tests' / 'package')]
# pylint: disable=wrong-import-position
import machine as machine_module
from machine import Machine
from process import wait_for
from service import NODE_NAME, SUMMARY, UNIT, Service, target, walk
from tap import Tap

BIT = {'chown': 0, 'kill': 5, 'setgid': 6, 'setuid': 7, 'setpcap': 8, 'net_admin': 12,
       'sys_admin': 21}
PARENT_SET = sum(1 << bit for bit in BIT.values())
OPEN_ISCSI_SET = 1 << BIT['net_admin'] | 1 << BIT['sys_admin']
WATCHDOG = 2  # s, instead of the unit's: what is shown is that it is fed, and what when not
TEST_DROP_IN = f'[Service]\nSystemCallErrorNumber=kill\nWatchdogSec={WATCHDOG}\n'


def install(machine):
    subprocess.run(['make', '-s', '-o', 'build/iscsi-agentx', 'install', 'PREFIX=/usr',
                    f'DESTDIR={machine.root}'], cwd=ROOT, check=True, timeout=60,
                   stdout=subprocess.DEVNULL)
    drop_in = machine.root / 'etc/systemd/system' / (UNIT + '.d') / 'test.conf'
    drop_in.parent.mkdir(parents=True)
    drop_in.write_text(TEST_DROP_IN)
    wants = machine.root / 'etc/systemd/system/multi-user.target.wants'
    (wants / UNIT).symlink_to('/usr/lib/systemd/system/' + UNIT)


def check_start(t, machine, service):
    shown = service.show('ActiveState', 'SubState', 'NRestarts', 'Result')
    t.equal(shown, {'ActiveState': 'active', 'SubState': 'running', 'NRestarts': '0',
                    'Result': 'success'}, 'the service is up after the boot')
    target(machine, 1, 'iqn.2004-10.org.example:one')
    target(machine, 2, 'iqn.2004-10.org.example:two')
    wait_for(service.connected, 10, 'it serves through snmpd')
    rows = wait_for(lambda: len(r := walk(machine, NODE_NAME)) == 2 and r, 15, 'both targets')
    t.equal(sorted(rows.values()), ['iqn.2004-10.org.example:one', 'iqn.2004-10.org.example:two'],
            "a walk as the community that is installed shows the targets")
    uptime = machine.run('snmpget', '-v2c', '-c', 'iscsi', '-m', '', '-On', 'localhost',
                         '.1.3.6.1.2.1.25.1.1.0').stdout
    t.ok('Timeticks: (' in uptime, "and the host's uptime, which tells a boot", uptime)
    public = machine.run('snmpgetnext', '-v2c', '-c', 'public', '-m', '', '-On', 'localhost',
                         '.1.3.6.1.2.1.142').stdout
    t.ok('.1.3.6.1.2.1.142.' not in public, "Debian's public, which is open to all, does not see them",
         public)
    summary = machine.run('snmpget', '-v2c', '-c', 'iscsi', '-m', '', '-On', 'localhost',
                          SUMMARY).stdout
    t.ok('STRING: "' in summary, 'and the private module', summary)
    t.equal(service.journal('--priority=warning'), '', 'no warning in the journal')
    t.ok('<6>' not in service.journal() and service.journal(),
         'its messages are there, with their priorities taken off')
    check = machine.run('iscsi-agentx', '--check')
    t.ok(check.returncode == 0, '--check finds nothing wrong', check.stdout + check.stderr)


def check_privileges(t, machine, service):
    user = machine.run('id', '-u', 'iscsi-agentx').stdout.strip()
    parent = machine.run('cat', f'/proc/{service.pid()}/comm').stdout.strip()
    processes = service.processes()
    t.ok({'iscsi-agentx-a', 'iscsi-agentx-s', 'iscsi-r-tgt', 'iscsi-r-open-is'} <= set(processes),
         f'the processes: {" ".join(sorted(processes))}')
    filters = int(processes[parent]['Seccomp_filters'])
    for name, fields in sorted(processes.items()):
        unprivileged = name in ('iscsi-agentx-a', 'iscsi-agentx-s')
        kept = OPEN_ISCSI_SET if name == 'iscsi-r-open-is' else 0
        bounds = 0
        if name == parent:
            kept = bounds = PARENT_SET
        wanted = {
            'Uid': '\t'.join([user if unprivileged else '0'] * 4),
            'CapEff': f'{bounds:016x}', 'CapPrm': f'{kept:016x}', 'CapBnd': f'{bounds:016x}',
            'CapInh': f'{0:016x}', 'CapAmb': f'{0:016x}',
            'NoNewPrivs': '1', 'Seccomp': '2', 'core': '0'}
        # Beside the unit's filters, which the parent has, one of its own.
        wanted['Seccomp_filters'] = str(filters + (name != parent))
        t.equal({key: fields[key] for key in wanted}, wanted,
                f'{name}: user, capabilities, no new privileges, filters, no core')
    groups = {processes[name]['Groups'] for name in ('iscsi-agentx-a', 'iscsi-agentx-s')}
    t.equal(groups, {''}, 'the agent process has no group beside its own')


def check_sandbox(t, machine, service):
    """The machine as the processes of the service see it."""
    mounts = machine.run('cat', f'/proc/{service.pid()}/mountinfo').stdout
    options = {m.group(1): m.group(2).split(',')[0]
               for m in re.finditer(r'^\d+ \d+ \S+ \S+ (\S+) (\S+)', mounts, re.M)}
    t.equal([options.get(path) for path in
             ('/', '/sys', '/var/lib/iscsi-agentx', '/run/iscsi-agentx')],
            ['ro', 'ro', 'rw', 'rw'], 'the machine is read-only, but for two directories')
    check_directories(t, machine, 'these two')
    check_hidden(t, machine, service)


def check_hidden(t, machine, service):
    """Who would start programs for root: to be found on the machine, and not from the service."""
    inside = ('nsenter', '-t', service.pid(), '-m', '--')
    for path in ('/run/dbus/system_bus_socket', '/run/systemd/private'):
        t.equal(machine.run('stat', '-c', '%F', path).stdout.strip(), 'socket', f'{path} is there')
    found = machine.run(*inside, 'stat', '/run/dbus/system_bus_socket')
    t.ok(found.returncode != 0 and 'No such file' in found.stderr,
         'the system bus cannot be found from the service', found.stdout + found.stderr)
    asked = machine.run(*inside, 'systemctl', 'show', '--property=Version')
    t.ok(asked.returncode != 0 and 'Failed to connect' in asked.stderr,
         "nor can systemd be asked by its own socket", asked.stdout + asked.stderr)
    for path in ('/run/systemd/notify', '/run/systemd/journal/dev-log'):
        found = machine.run(*inside, 'stat', '-c', '%F', path)
        t.equal(found.stdout.strip(), 'socket', f'{path} is what the service needs, and stays')


def check_directories(t, machine, when):
    """systemd gives them to root whenever it runs a command of the service, with all that is in them."""
    stat = machine.run('sh', '-c', 'stat -c "%U %G %a" /var/lib/iscsi-agentx /run/iscsi-agentx '
                       '/var/lib/iscsi-agentx/* /run/iscsi-agentx/*').stdout.splitlines()
    user = 'iscsi-agentx iscsi-agentx '
    t.equal(set(stat), {user + '700', user + '600'},
            f"{when}: they are the agent process's, and nobody else looks into them")


def check_snmpd_restart(t, machine, service):
    service.ctl('restart', 'snmpd')
    started = time.monotonic()
    wait_for(lambda: walk(machine, NODE_NAME), 15, 'a walk answers again', 0.02)
    t.below(time.monotonic() - started, 3, 'a walk answers after snmpd was restarted')
    pid = service.pid()
    service.ctl('stop', 'snmpd')
    wait_for(lambda: not service.connected(), 10, 'the status says that snmpd is away')
    t.equal(service.show('ActiveState', 'MainPID'), {'ActiveState': 'active', 'MainPID': pid},
            'without snmpd the service goes on')
    service.ctl('start', 'snmpd')
    wait_for(lambda: walk(machine, NODE_NAME), 15, 'a walk answers again')


def check_reload(t, machine, service):
    pid = service.pid()
    path = machine.root / 'etc/snmp/iscsi-agentx.conf'
    path.write_text(path.read_text() + 'pollInterval 1\n')
    t.equal(service.ctl('reload', UNIT).returncode, 0, 'systemctl reload')
    wait_for(lambda: 'new intervals and rules in force' in service.journal(), 5,
             'the configuration is read again')
    t.equal(service.pid(), pid, 'by the same process')
    check_directories(t, machine, 'after it')


def check_numbers(t, machine, service):
    """The first target goes, and the other keeps its number over a restart of the service."""
    before = walk(machine, NODE_NAME)
    target(machine, 1)
    wait_for(lambda: len(walk(machine, NODE_NAME)) == 1, 10, 'the target has gone')
    kept = walk(machine, NODE_NAME)
    started = time.monotonic()
    t.equal(service.ctl('restart', UNIT).returncode, 0,
            f'systemctl restart, {time.monotonic() - started:.2f} s')
    wait_for(lambda: walk(machine, NODE_NAME), 15, 'a walk answers again')
    t.equal(walk(machine, NODE_NAME), kept, 'rows keep their index numbers over it')
    target(machine, 3, 'iqn.2004-10.org.example:three')
    wait_for(lambda: len(walk(machine, NODE_NAME)) == 2, 10, 'a new target')
    new = set(walk(machine, NODE_NAME)) - set(kept)
    t.equal(new & set(before), set(), 'and none is given again')


def check_watchdog(t, machine, service):
    pid = service.pid()
    time.sleep(2.5 * WATCHDOG)
    t.equal(service.show('MainPID', 'NRestarts'), {'MainPID': pid, 'NRestarts': '0'},
            f'the watchdog of {WATCHDOG} s is fed')
    machine.run('kill', '-STOP', pid)
    wait_for(lambda: service.show('NRestarts')['NRestarts'] == '1' and service.connected(), 20,
             'a parent that hangs is started anew')
    t.ok(service.pid() != pid, 'a parent that hangs is ended by it and started anew')
    t.equal(len([name for name in service.processes() if name == 'iscsi-agentx-a']), 1,
            'and nothing of the old one is left')


def own_agent_drop_in():
    """That of the man page."""
    page = (ROOT / 'docs/man/iscsi-agentx.8').read_text()
    text = page[page.index('.Sh WITHOUT SNMPD'):]
    return re.search(r'\.Bd -literal -offset indent\n(.*?)\.Ed', text, re.S).group(1)


def check_own_agent(t, machine, service):
    """With -M, at snmpd's port, with what the man page says."""
    service.ctl('mask', '--now', 'snmpd')
    access = machine.root / 'etc/snmp/iscsi-agentx-access.conf'
    access.write_text('rocommunity iscsi\n')
    access.chmod(0o600)
    drop_in = machine.root / 'etc/systemd/system' / (UNIT + '.d') / 'own.conf'
    drop_in.write_text(own_agent_drop_in())
    service.ctl('daemon-reload')
    t.equal(service.ctl('restart', UNIT).returncode, 0, 'as an agent of its own it starts')
    wait_for(lambda: len(walk(machine, NODE_NAME)) == 2, 15, 'both targets, without snmpd')
    t.ok('an SNMP agent of its own' in service.show('StatusText')['StatusText'],
         'and shows both targets without snmpd')
    user = machine.run('id', '-u', 'iscsi-agentx').stdout.strip()
    fields = service.processes()['iscsi-agentx-a']
    t.equal([fields[key] for key in ('Uid', 'CapEff', 'CapPrm', 'CapBnd', 'Seccomp')],
            ['\t'.join([user] * 4), *['0' * 16] * 3, '2'],
            'the process that listens at port 161 has no privilege')
    engine = machine.run('stat', '-c', '%a %U', '/var/lib/iscsi-agentx/engine').stdout.strip()
    t.equal(engine, '600 iscsi-agentx', 'its engine is saved')
    drop_in.unlink()
    (machine.root / 'var/lib/iscsi-agentx/engine').unlink()
    service.ctl('daemon-reload')
    service.ctl('unmask', 'snmpd')
    service.ctl('start', 'snmpd')
    service.ctl('restart', UNIT)
    wait_for(service.connected, 15, 'it serves through snmpd again')


def check_stop(t, machine, service):
    started = time.monotonic()
    service.ctl('stop', UNIT)
    t.below(time.monotonic() - started, 1, 'stopped')
    t.equal(service.show('ActiveState', 'ExecMainStatus', 'ExecMainCode'),
            {'ActiveState': 'inactive', 'ExecMainStatus': '0', 'ExecMainCode': '1'},
            'in order: exit status 0')
    t.equal(service.processes(), {}, 'no process is left')
    t.ok('cannot save' not in service.journal(), 'all that was to be saved was saved')
    left = machine.run('sh', '-c', 'cd / && ls /var/lib/iscsi-agentx /run/iscsi-agentx').stdout
    t.equal(left.split(), ['/run/iscsi-agentx:', 'index.run', '/var/lib/iscsi-agentx:', 'events', 'index'],
            'the index numbers are kept, of this boot too')


def main():
    with Tap() as t, tempfile.TemporaryDirectory() as scratch:
        why = machine_module.missing()
        if why:
            t.skip_all(why)
        with Machine(scratch) as machine:
            install(machine)
            machine.boot()
            service = Service(machine)
            try:
                check_start(t, machine, service)
                check_privileges(t, machine, service)
                check_sandbox(t, machine, service)
                check_snmpd_restart(t, machine, service)
                check_reload(t, machine, service)
                check_numbers(t, machine, service)
                check_watchdog(t, machine, service)
                check_own_agent(t, machine, service)
                check_stop(t, machine, service)
            finally:
                if t.failures or sys.exc_info()[0]:
                    t.note(machine.nspawn.text())
                    t.note(service.ctl('status', '--no-pager', '--lines=0', UNIT).stdout)
                    t.note(service.journal())


if __name__ == '__main__':
    main()
