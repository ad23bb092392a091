#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""make install and uninstall: exactly these files, and none left; the unit and the completion."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BINARY = ROOT / 'build' / 'iscsi-agentx'

sys.path[:0] = [str(ROOT / 'tests' / 'support'), str(ROOT / 'tests' / 'docs')]
# pylint: disable=wrong-import-position
from tap import Tap
from test_man8 import of_help

MIBS = ['ISCSI-AGENTX-CAPABILITIES', 'ISCSI-AGENTX-SMI', 'ISCSI-MIB', 'ISCSI-PATH-MIB',
        'base/INET-ADDRESS-MIB', 'base/SNMP-FRAMEWORK-MIB', 'base/SNMPv2-CONF',
        'base/SNMPv2-MIB', 'base/SNMPv2-SMI', 'base/SNMPv2-TC']
CONFIG = ['etc/snmp/iscsi-agentx.conf', 'etc/snmp/snmpd.conf.d/iscsi-agentx.conf']
FOR_MONITORS = ['grafana/iscsi.json', 'librenms/README.md', 'librenms/linux-iscsi.yaml',
                'prometheus/README.md', 'prometheus/generator.yml', 'prometheus/prometheus.yml',
                'prometheus/rules.yml', 'prometheus/rules_test.yml', 'prometheus/snmp-0.22.yml',
                'prometheus/snmp.yml',
                'snmptt/iscsi-agentx.conf', 'zabbix/6.0/template_app_iscsi_snmp.yaml',
                'zabbix/7.0/template_app_iscsi_snmp.yaml', 'zabbix/README.md']
# Below PREFIX; the program alone is executable.
BELOW_PREFIX = ['lib/systemd/system/iscsi-agentx.service', 'lib/sysusers.d/iscsi-agentx.conf',
                'sbin/iscsi-agentx', 'share/bash-completion/completions/iscsi-agentx',
                'share/man/man5/iscsi-agentx.conf.5', 'share/man/man8/iscsi-agentx.8',
                *('share/iscsi-agentx/' + name for name in FOR_MONITORS),
                *('share/iscsi-agentx/mibs/' + mib for mib in MIBS)]
# Of install-plugin.
PLUGIN_CONFIG = ['etc/nagios-plugins/config/iscsi-snmp.cfg']
PLUGIN_BELOW_PREFIX = ['lib/nagios/plugins/check_iscsi_snmp', 'share/man/man1/check_iscsi_snmp.1',
                       'share/icinga2/include/iscsi-snmp.conf']
# Tenths, of systemd-analyze security: the unit, and what its process that talks to snmpd has left.
EXPOSURE_MAX, AGENT_EXPOSURE_MAX = 25, 15
CALLS = ROOT / 'src/base/sandbox_calls.c'


def make(goal, **variables):
    """The program is taken as it is: what is tested here is not the compiler."""
    done = subprocess.run(
        ['make', '-s', '-o', 'build/iscsi-agentx', '-o', 'build/check_iscsi_snmp', goal,
         *(f'{name}={value}' for name, value in variables.items())],
        cwd=ROOT, capture_output=True, text=True, timeout=60,
        env={k: v for k, v in os.environ.items() if k not in ('MAKEFLAGS', 'MFLAGS', 'DESTDIR')})
    if done.returncode != 0:
        raise RuntimeError(f'make {goal}: {done.stdout}{done.stderr}')
    return done.stdout


def files(top):
    return sorted(str(p.relative_to(top)) for p in Path(top).rglob('*') if not p.is_dir())


def check_places(t, top, prefix, **places):
    """Installs twice and removes."""
    wanted = sorted(CONFIG + [f'{prefix}/{name}' for name in BELOW_PREFIX])
    make('install', DESTDIR=top, **places)
    t.equal(files(top), wanted, f'below /{prefix}: exactly the listed files')
    modes = {name: oct(os.stat(top / name).st_mode & 0o7777) for name in wanted}
    odd = {name: mode for name, mode in modes.items()
           if mode != ('0o755' if name.endswith('sbin/iscsi-agentx') else '0o644')}
    t.equal(odd, {}, 'only the program is executable, nothing is writable by others')
    make('install', DESTDIR=top, **places)
    t.equal(files(top), wanted, 'installing again changes nothing of it')
    make('uninstall', DESTDIR=top, **places)
    t.equal(files(top), [], 'uninstall leaves no file')
    t.equal([str(p) for p in top.rglob('iscsi-agentx*')], [], 'and no directory of its own')


def icinga_runs(prefix):
    """The programs that the installed file of Icinga runs."""
    text = (prefix / 'share/icinga2/include/iscsi-snmp.conf').read_text()
    return re.findall(r'^\tcommand = \[ "([^"]+)" \]$', text, re.M)


def check_nagios(t, top):
    """Where its files are differs from one distribution to another."""
    for where, places in (('/etc/nagios-plugins/config --state /var/lib/nagios4', {}),
                          ('/etc/nagios/conf.d --state /var/spool/nagios',
                           {'NAGIOSDIR': '/etc/nagios/conf.d', 'NAGIOSSTATE': '/var/spool/nagios'})):
        directory, state = where.split(' ', 1)
        make('install-plugin', DESTDIR=top, **places)
        text = (top / directory[1:] / 'iscsi-snmp.cfg').read_text()
        t.equal(re.findall(r'--state .*|(?<=cfg_dir=).*|@[A-Z]+@', text), [directory, state],
                f'Nagios with its definitions in {directory}: both directories are in them')
        make('uninstall-plugin', DESTDIR=top, **places)
        t.equal(files(top), [], 'and uninstall-plugin finds them there')


def check_plugin(t, top):
    wanted = sorted(PLUGIN_CONFIG + ['usr/' + name for name in PLUGIN_BELOW_PREFIX])
    make('install-plugin', DESTDIR=top, PREFIX='/usr')
    t.equal(files(top), wanted, 'install-plugin: exactly the listed files')
    t.equal([name for name in wanted if os.access(top / name, os.X_OK)],
            ['usr/lib/nagios/plugins/check_iscsi_snmp'], 'the plug-in is executable, nothing else')
    t.equal(set(re.findall(r'command_line +(\S+)', (top / PLUGIN_CONFIG[0]).read_text())),
            {'/usr/lib/nagios/plugins/check_iscsi_snmp'}, 'and is what the commands of Nagios run')
    t.equal(icinga_runs(top / 'usr'), ['/usr/lib/nagios/plugins/check_iscsi_snmp'], 'and that of Icinga')
    user, protocol = re.search(r'createUser (\S+) (\S+) "', (ROOT / 'README.md').read_text()).groups()
    v3 = [line for line in (top / PLUGIN_CONFIG[0]).read_text().splitlines() if ' -P 3 ' in line]
    t.ok(len(v3) == 1 and f' -a {protocol} ' in v3[0], f'SNMPv3 as the user of README has it, {protocol}: Nagios', v3)
    text = (top / 'usr' / PLUGIN_BELOW_PREFIX[2]).read_text()
    t.ok(f'vars.iscsi_snmp_user = "{user}"\n' in text and f'vars.iscsi_snmp_authproto = "{protocol}"\n' in text,
         'and Icinga')
    make('uninstall-plugin', DESTDIR=top, PREFIX='/usr')
    t.equal(files(top), [], 'uninstall-plugin leaves no file')
    make('install-plugin', DESTDIR=top)
    t.equal(icinga_runs(top / 'usr/local'), ['/usr/local/lib/nagios/plugins/check_iscsi_snmp'],
            'also below /usr/local, where Icinga would not look for it')
    make('uninstall-plugin', DESTDIR=top)
    check_nagios(t, top)


def check_config(t, top):
    """What an administrator wrote stays as it is."""
    make('install', DESTDIR=top)
    t.equal(make('install', DESTDIR=top).count('stays'), 0, 'install says nothing of files that are the new ones')
    for name in CONFIG:
        (top / name).write_text('# mine\n')
    said = [line for line in make('install', DESTDIR=top).splitlines() if 'stays' in line]
    t.equal([re.search(r'(\S+) stays .* (conf/\S+):', line).groups() for line in said],
            [(f'{top / name}', f'conf/{name[9:]}') for name in CONFIG],
            'install names those that differ, and what to compare them with')
    output = make('uninstall', DESTDIR=top)
    t.equal(files(top), sorted(CONFIG), 'changed configuration files stay')
    t.equal([(top / name).read_text() for name in CONFIG], ['# mine\n'] * 2, 'as they were')
    t.equal(output.count('was changed and stays'), 2, 'and uninstall says so')


def check_private_oid(t, top):
    make('install', DESTDIR=top, PRIVATE_OID='1.3.6.1.4.1.424242.5')
    drop_in = (top / CONFIG[1]).read_text()
    t.equal(re.findall(r'^view.*', drop_in, re.M),
            [f'view iscsi included .1.3.6.1.{tree}' for tree in
             ('2.1.1', '2.1.25.1.1', '2.1.142', '4.1.424242.5')],
            "snmpd's views follow PRIVATE_OID")
    module = (top / 'usr/local/share/iscsi-agentx/mibs/ISCSI-AGENTX-SMI').read_text()
    t.ok(re.search(r'::= \{ enterprises 424242 5 \}', module), 'and so does the module')
    texts = {name: (top / 'usr/local/share/iscsi-agentx' / name).read_text() for name in FOR_MONITORS}
    t.equal([name for name, text in texts.items() if re.search(r'8072\\?\.9999\\?\.9999', text)], [],
            'no file for a monitor has another one')
    t.equal([name for name, text in texts.items() if '1.3.6.1.4.1.424242.5.1' in text],
            ['librenms/linux-iscsi.yaml', 'prometheus/README.md', 'prometheus/snmp-0.22.yml',
             'prometheus/snmp.yml', 'snmptt/iscsi-agentx.conf',
             'zabbix/6.0/template_app_iscsi_snmp.yaml', 'zabbix/7.0/template_app_iscsi_snmp.yaml',
             'zabbix/README.md'], 'those that name OIDs have this one')


def complaints(unit):
    """What systemd has to say against a unit. Its exit status is about all that is installed."""
    done = subprocess.run(['systemd-analyze', 'verify', '--man=no', unit], capture_output=True,
                          text=True, timeout=60)
    return [line for line in done.stderr.splitlines() if 'iscsi-agentx' in line]


def check_unit(t, top):
    """A unit whose program is there: systemd reads it, and finds it closed enough."""
    prefix = top / 'usr'
    make('install', PREFIX=prefix, SYSCONFDIR=top / 'etc')
    unit = prefix / 'lib/systemd/system/iscsi-agentx.service'
    text = unit.read_text()
    t.ok(f'ExecStart={prefix}/sbin/iscsi-agentx -f\n' in text, 'the unit starts this program')
    t.equal(re.findall(r'@\w+@', text), [], 'no placeholder is left in it')
    if not shutil.which('systemd-analyze'):
        t.skip('systemd-analyze', 'is not installed (package systemd)')
        return
    t.equal(complaints(unit), [], 'systemd has nothing to say against it')
    check_drop_ins(t, unit)
    check_exposure(t, unit, EXPOSURE_MAX, 'the whole service')
    check_agent_exposure(t, unit)
    check_system_calls(t)


def check_drop_ins(t, unit):
    """Those for -M and for the probe: what the manual pages say is what the unit says, and systemd takes it."""
    said = []
    for page in ('iscsi-agentx.8', 'iscsi-agentx.conf.5'):
        said += re.findall(r'\.Bd -literal -offset indent\n(\[Service\]\n.*?)\.Ed',
                           (ROOT / 'docs/man' / page).read_text(), re.S)
    program = re.search(r'^ExecStart=(\S+)', unit.read_text(), re.M)[1]
    said = [text.replace('/usr/sbin/iscsi-agentx', program) for text in said]
    comments = re.findall(r'^#   (\[Service\]\n(?:#   .*\n)+)', unit.read_text(), re.M)
    t.equal(sorted(said), sorted(text.replace('#   ', '') for text in comments),
            'the drop-ins of its comments are those of the manual pages')
    drop_in = unit.with_name(unit.name + '.d') / 'test.conf'
    drop_in.parent.mkdir()
    for text in said:
        drop_in.write_text(text)
        t.equal(complaints(unit), [], f'and systemd takes that with {text.splitlines()[-2]}')
    drop_in.write_text('[Service]\nExecStartPre=no/absolute/path\n')
    t.ok(complaints(unit), 'but not one that is wrong')
    drop_in.unlink()
    drop_in.parent.rmdir()


def check_exposure(t, unit, limit, what):
    done = subprocess.run(
        ['systemd-analyze', 'security', '--no-pager', '--offline=yes', f'--threshold={limit}', unit],
        capture_output=True, text=True, timeout=60)
    exposure = re.search(r'exposure level .*?: (\S+)', done.stdout)
    t.ok(done.returncode == 0 and exposure,
         f'{what}: exposure {exposure and exposure.group(1)} (limit {limit / 10})', done.stdout)


def agent_calls():
    """The system calls that the agent process has left, by the table of its filter."""
    return {name for who, name in
            re.findall(r'^\tCALL(?:_IF)?\(([\w| ]+), (\w+)', CALLS.read_text(), re.M)
            if who in ('ALL', 'CONNECTS') or 'SANDBOX_LOG' in who.split(' | ')}


def check_agent_exposure(t, unit):
    """systemd cannot judge one process of a service. A unit that says what the agent process has given
    up itself, beside what the service has, shows what that comes to. What of it the process really
    has, tests/package/test_unit.py and tests/fault/test_sandbox.py read in /proc, and
    tests/unit/test_sandbox.c asks the kernel; that it opens no file at all, no unit can say."""
    own = ('User=iscsi-agentx\nCapabilityBoundingSet=\nRestrictAddressFamilies=AF_UNIX\n'
           f'SystemCallFilter={" ".join(sorted(agent_calls()))}\n')
    text = re.sub(r'^(CapabilityBoundingSet|RestrictAddressFamilies|SystemCallFilter)=.*\n', '',
                  unit.read_text(), flags=re.M)
    alone = unit.with_name('iscsi-agentx-a.service')
    alone.write_text(text.replace('[Service]\n', '[Service]\n' + own, 1))
    count = len(agent_calls())
    t.ok(20 < count <= 60, f'the agent process has {count} system calls')
    said = {name: re.findall(r'\b(\d+)\s+(?:system )?calls\b', (ROOT / name).read_text()) for name in (
        'SECURITY.md', 'docs/ARCHITECTURE.md', 'conf/iscsi-agentx.service')}
    t.equal({name: set(counts) for name, counts in said.items()}, {name: {str(count)} for name in said},
            'and the documents say so')
    check_exposure(t, alone, AGENT_EXPOSURE_MAX, 'the agent process')


def groups():
    """{group or call: the system calls it stands for} of systemd."""
    text = subprocess.run(['systemd-analyze', 'syscall-filter'], check=True, capture_output=True,
                          text=True, timeout=60).stdout
    found, name = {}, None
    for line in text.splitlines():
        word = line.strip()
        if line.startswith('@'):
            name = word
            found[name] = []
        elif name and word and not word.startswith('#'):
            found[name].append(word)

    def calls(word):
        return set().union(*map(calls, found[word])) if word in found else {word}
    return {name: calls(name) for name in found}


def check_system_calls(t):
    """What the program calls by name is allowed by the unit. A boot shows that only for what happens
    in it: timerfd_create was once forbidden, and with it all events of the kernel's initiator, where
    the booted machine had none."""
    known = groups()
    allowed = set()
    for line in re.findall(r'^SystemCallFilter=(.*)', (ROOT / 'conf/iscsi-agentx.service').read_text(),
                           re.M):
        calls = set().union(*(known.get(word, {word}) for word in line.lstrip('~').split()))
        allowed = allowed - calls if line.startswith('~') else allowed | calls
    done = subprocess.run(['nm', '-D', '--undefined-only', BINARY], check=True, capture_output=True,
                          text=True, timeout=60)
    names = {line.split()[-1].split('@')[0] for line in done.stdout.splitlines()}
    # Those that have no function: syscall(SYS_…).
    for path in [*ROOT.glob('src/*/*.c'), *ROOT.glob('agent/*.c')]:
        names |= set(re.findall(r'\bsyscall\(\s*SYS_(\w+)', path.read_text()))
    used = {name.removesuffix('64') for name in names} & set().union(*known.values()) - {'syscall'}
    # Functions of the C library whose system call has another name.
    limits = {'getrlimit', 'setrlimit'}
    used = used - limits | ({'prlimit64'} if used & limits else set())
    t.ok(len(used) > 30, f'{len(used)} system calls by name')
    t.equal(sorted(used - allowed), [], 'the unit allows them all')
    # No machine here has systemd and the kernel's iSCSI at once. What the processes call there, the
    # jobs of tests/vm hold against this table.
    table = set(re.findall(r'^\tCALL(?:_IF)?\([\w| ]+, (\w+)', CALLS.read_text(), re.M))
    t.equal(sorted(table - allowed), [],
            f'and the {len(table)} that a process may make in its own sandbox')


def check_version(t):
    """One version, wherever it is said."""
    said = {name: re.findall(pattern, (ROOT / name).read_text(), re.M)[:1] for name, pattern in {
        'Makefile': r'^VERSION := (\S+)', 'CHANGELOG.md': r'^## (\d[\d.]*)',
        'debian/changelog': r'^iscsi-agentx \((\S+)\)', 'rpm/iscsi-agentx.spec': r'^Version: +(\S+)'}.items()}
    t.equal([version for version in said.values() if version != said['Makefile']], [],
            f'the packages and the change log have the version of the Makefile: {said}')
    spec = (ROOT / 'rpm/iscsi-agentx.spec').read_text()
    t.equal(set(re.findall(r'^docs/\S+|^\w+\.md', (ROOT / 'debian/iscsi-agentx.docs').read_text(), re.M)) -
            set(re.search(r'^%doc (.*)', spec, re.M).group(1).split()), set(),
            'and both packages the same documents')


def complete(*words):
    """What bash offers for the last word."""
    script = ('source conf/completion/iscsi-agentx; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
              '_iscsi_agentx; printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(['bash', '--norc', '-c', script, 'bash', *words], cwd=ROOT, check=True,
                          capture_output=True, text=True, timeout=20)
    return sorted(done.stdout.split()), done.stderr


def check_completion(t):
    program = str(BINARY)
    t.equal(complete(program, '-'), (sorted(of_help()), ''),
            'bash completes the options of --help, and no other')
    t.equal(complete(program, '--list')[0], ['--list-columns', '--list-sources'], 'by their start')
    t.equal(complete(program, '--dump', '=')[0], ['json', 'prom', 'text'],
            'formats after --dump=')
    t.equal(complete(program, '--dump', '=', 'j')[0], ['json'], 'by their start')
    t.equal(complete(program, '--walk', '=', 'iscsiSessionS')[0], ['iscsiSessionStatsTable'],
            'tables after --walk=')
    t.ok('--root' in complete(program, '--dump', '')[0], 'an option after --dump')
    t.equal(complete(program, '-c', 'conf/iscsi-agentx.c')[0], ['conf/iscsi-agentx.conf'],
            'files after -c')


def main():
    with Tap() as t, tempfile.TemporaryDirectory() as scratch:
        def place(name):
            (Path(scratch) / name).mkdir()
            return Path(scratch) / name

        if not os.access(BINARY, os.X_OK):
            t.skip_all(f'{BINARY} is not built')
        os.environ['TMPDIR'] = scratch  # systemd-analyze leaves what it has there when it is ended
        check_places(t, place('local'), 'usr/local')
        check_places(t, place('usr'), 'usr', PREFIX='/usr')
        check_plugin(t, place('plugin'))
        check_config(t, place('config'))
        check_private_oid(t, place('oid'))
        check_unit(t, place('unit'))
        check_completion(t)
        check_version(t)


if __name__ == '__main__':
    main()
