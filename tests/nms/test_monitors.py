#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""check_iscsi_snmp under the monitors it is for: a real Nagios, without web, runs it by the commands that
are installed with it, and goes from OK over WARNING and CRITICAL back to OK as paths of a host are
cut; Icinga 2 accepts its command and runs it too.

Needs root, the user nagios and Debian's packages of section [nms].
"""

import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

sys.path.insert(0, str(ROOT / 'tests' / 'support'))
# pylint: disable=wrong-import-position
import lab as laboratory
from open_iscsi_host import OpenIscsiHost
from process import Process, wait_for
from tap import Tap

DISK = 'iqn.2004-10.org.example:disk-'
TOOLS = {'nagios4': 'nagios4-core', 'icinga2': 'icinga2-bin', 'setpriv': 'util-linux'}
STATES = ['OK', 'WARNING', 'CRITICAL', 'UNKNOWN']

NAGIOS = '''
cfg_file={top}/etc/nagios-plugins/config/iscsi-snmp.cfg
cfg_file={top}/objects.cfg
log_file={top}/nagios.log
object_cache_file={top}/objects.cache
precached_object_file={top}/objects.precache
status_file={top}/status.dat
state_retention_file={top}/retention.dat
temp_file={top}/nagios.tmp
temp_path={top}
lock_file={top}/nagios.lock
command_file={top}/nagios.cmd
query_socket={top}/nagios.qh
check_result_path={top}/results
status_update_interval=1
check_result_reaper_frequency=1
interval_length=1
execute_service_checks=1
service_inter_check_delay_method=n
host_inter_check_delay_method=n
use_syslog=0
check_for_updates=0
'''

OBJECTS = '''
define timeperiod {{
	timeperiod_name always
	alias           always
	sunday          00:00-24:00
	monday          00:00-24:00
	tuesday         00:00-24:00
	wednesday       00:00-24:00
	thursday        00:00-24:00
	friday          00:00-24:00
	saturday        00:00-24:00
}}
define command {{
	command_name nothing
	command_line /bin/true
}}
define contact {{
	contact_name                  nobody
	host_notification_period      always
	service_notification_period   always
	host_notification_options     n
	service_notification_options  n
	host_notification_commands    nothing
	service_notification_commands nothing
}}
define host {{
	host_name           db1
	address             127.0.0.1
	max_check_attempts  1
	check_period        always
	notification_period always
	contacts            nobody
}}
'''

SERVICE = '''
define service {{
	host_name             db1
	service_description   {name}
	check_command         check_iscsi_snmp!iscsi!{name}!-p {port}
	check_interval        1
	retry_interval        1
	max_check_attempts    1
	check_period          always
	notification_period   always
	contacts              nobody
}}
'''

ICINGA = '''
const PluginDir = "/nonexistent"
include <itl>
include "{top}/usr/share/icinga2/include/iscsi-snmp.conf"
object CheckerComponent "checker" {{ }}
object FileLogger "log" {{
	severity = "notice"
	path = "{top}/icinga.log"
}}
object PerfdataWriter "results" {{
	service_perfdata_path = "{top}/perfdata"
	service_temp_path = "{top}/perfdata.tmp"
	host_temp_path = "{top}/perfdata-host.tmp"
	rotation_interval = 1s
	service_format_template = "$service.name$ $service.state$ $service.output$ $service.perfdata$"
}}
object Host "db1" {{
	address = "127.0.0.1"
	check_command = "dummy"
}}
apply Service for (mode in ["health", "paths"]) {{
	check_command = "iscsi_snmp"
	check_interval = 1s
	vars.iscsi_snmp_mode = mode
	vars.iscsi_snmp_port = "{port}"
	assign where true
}}
'''


class Place:
    """A directory of the user nagios, with the plug-in installed below it."""

    def __init__(self, directory, port):
        self.top = Path(directory)
        self.port = port
        subprocess.run(
            ['make', '-s', '-o', 'build/check_iscsi_snmp', 'install-plugin', f'DESTDIR={self.top}',
             'PREFIX=/usr'], cwd=ROOT, check=True, timeout=60)
        for name in ('etc/nagios-plugins/config/iscsi-snmp.cfg', 'usr/share/icinga2/include/iscsi-snmp.conf'):
            commands = self.top / name
            commands.write_text(commands.read_text().replace('/usr/lib', f'{self.top}/usr/lib'))
        for name in ('results', 'icinga'):
            (self.top / name).mkdir()
        self.write('nagios.cfg', NAGIOS)
        self.write('objects.cfg', OBJECTS)
        with open(self.top / 'objects.cfg', 'a', encoding='utf-8') as file:
            for name in ('health', 'paths', 'sessions', 'expected'):
                file.write(SERVICE.format(name=name, port=port))
        self.write('icinga2.conf', ICINGA)
        user = pwd.getpwnam('nagios')
        for path in [self.top, *self.top.rglob('*')]:
            os.chown(path, user.pw_uid, user.pw_gid)

    def write(self, name, template):
        (self.top / name).write_text(template.format(top=self.top, port=self.port))

    def command(self, *argv):
        return ['setpriv', '--reuid=nagios', '--regid=nagios', '--init-groups', *argv]


def results(place):
    """{service: (state, output)} of Nagios's status file."""
    try:
        text = (place.top / 'status.dat').read_text()
    except OSError:
        return {}
    found = {}
    for block in re.findall(r'^servicestatus \{(.*?)^\s*\}', text, re.M | re.S):
        fields = dict(re.findall(r'^\s*(\w+)=(.*)$', block, re.M))
        if fields['has_been_checked'] == '1':
            found[fields['service_description']] = (STATES[int(fields['current_state'])],
                                                    fields['plugin_output'])
    return found


def expect(t, place, what, **wanted):
    """Waits until each service has its state; `seconds` is how long that took."""
    started = time.monotonic()

    def fits():
        return all(results(place).get(name, ('',))[0] == state for name, state in wanted.items())
    try:
        wait_for(fits, 30, what, 0.2)
    except TimeoutError:
        pass
    t.ok(fits(), f'{what}, after {time.monotonic() - started:.1f} s: '
         + ', '.join(f'{name} {state}' for name, state in wanted.items()), results(place))


def check_nagios(t, lab, place, host):
    config = str(place.top / 'nagios.cfg')
    done = subprocess.run(place.command('nagios4', '-v', config), capture_output=True, text=True,
                          timeout=60, check=False)
    t.ok(done.returncode == 0, 'Nagios accepts the commands', done.stdout[-2000:])
    nagios = lab.add(Process('nagios-output', place.command('nagios4', config), str(place.top)))
    expect(t, place, 'Nagios: a whole host', health='OK', paths='OK', sessions='OK', expected='OK')
    host.set_state(1, 'FAILED', 'failed')
    expect(t, place, 'one path cut', health='WARNING', paths='WARNING', sessions='WARNING',
           expected='OK')
    host.log_out(2)
    expect(t, place, 'and the other logged out', health='CRITICAL', paths='CRITICAL',
           expected='CRITICAL')
    output = results(place).get('paths', ('', ''))[1]
    t.ok(f'no path to {DISK}a' in output and '192.0.2.1:3260' in output,
         f'what the operator reads: {output}')
    host.log_in(2)
    host.set_state(1, 'LOGGED_IN', 'up')
    expect(t, place, 'recovery', health='OK', paths='OK', sessions='OK', expected='OK')
    lab.remove(nagios)
    nagios.stop()


def check_icinga(t, lab, place):
    """Icinga writes its results as performance data; its own files go below the place."""
    argv = place.command('icinga2', 'daemon', '-c', str(place.top / 'icinga2.conf'))
    argv += [f'-D{name}={place.top}/icinga' for name in
             ('DataDir', 'CacheDir', 'LogDir', 'SpoolDir', 'InitRunDir', 'ConfigDir')]
    argv += ['-DRunAsUser=nagios', '-DRunAsGroup=nagios']
    done = subprocess.run([*argv, '-C'], capture_output=True, text=True, timeout=60, check=False)
    t.ok(done.returncode == 0, 'Icinga accepts the command', done.stdout[-2000:] + done.stderr)
    icinga = lab.add(Process('icinga-output', argv, str(place.top)))

    def seen():
        lines = ''.join(p.read_text() for p in place.top.glob('perfdata.*'))
        return all(re.search(rf'^{mode} OK 4 of 4 paths|^{mode} OK ISCSI OK - 4 of 4 paths', lines,
                             re.M) for mode in ('health', 'paths'))
    try:
        wait_for(seen, 30, 'results of Icinga', 0.2)
    except TimeoutError:
        t.note(icinga.text()[-2000:])
        t.note([p.read_text()[-500:] for p in place.top.glob('perfdata.*')])
    t.ok(seen(), 'Icinga runs it: health and paths are OK')
    lab.remove(icinga)
    icinga.stop(grace=10)


def main():
    with Tap() as t:
        why = laboratory.missing() or next(
            (f'{program} is not installed (package {package})'
             for program, package in TOOLS.items() if not shutil.which(program)), None)
        if why:
            t.skip_all(why)
        with laboratory.Lab() as lab, tempfile.TemporaryDirectory() as directory:
            lab.start_snmpd()
            host = OpenIscsiHost(lab.path('host'))
            for disk in 'ab':
                for address in ('192.0.2.1', '192.0.2.2'):
                    host.add_path(DISK + disk, address)
            lab.start_agent(arguments=('--root', lab.path('host')), sources='open-iscsi')
            place = Place(directory, lab.snmpd_port)
            check_nagios(t, lab, place, host)
            check_icinga(t, lab, place)


if __name__ == '__main__':
    main()
