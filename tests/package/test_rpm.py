#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The RPM package as far as Debian's rpm can judge it: built twice alike, the listed files, installed
into an empty root and erased. Its scripts and dependencies are for a distribution of that kind."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

sys.path[:0] = [str(ROOT / 'tests' / 'support'), str(ROOT / 'tests' / 'docs'),
                str(ROOT / 'tests' / 'package')]
# pylint: disable=wrong-import-position
from tap import Tap
from test_install import BELOW_PREFIX, PLUGIN_BELOW_PREFIX, PLUGIN_CONFIG, icinga_runs

PLACE = ROOT / 'build' / 'package' / 'rpm'
DOCUMENTS = ['ARCHITECTURE.md', 'CHANGELOG.md', 'CIM-MAPPING.md', 'COVERAGE.md', 'FLEET.md', 'OPERATIONS.md',
             'PERFORMANCE.md', 'README.md', 'RELIABILITY.md', 'SECURITY.md', 'SOURCES.md', 'snmpd.conf.example']


def run(*argv):
    return subprocess.run(argv, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=600)


def build(t, what):
    """{name: digest} of the packages, or None."""
    done = run('make', 'rpm')
    if not t.ok(done.returncode == 0, f'make rpm{what}', done.stdout[-3000:]):
        return None
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in PLACE.glob('*RPMS/**/*.rpm')}


def check_content(t, package, version):
    wanted = ['/usr/' + name for name in BELOW_PREFIX] + ['/etc/snmp/iscsi-agentx.conf']
    wanted += [f'/usr/share/doc/iscsi-agentx-{version}/{name}' for name in DOCUMENTS]
    wanted += [f'/usr/share/licenses/iscsi-agentx-{version}/LICENSE']
    listed = run('rpm', '-qp', '--queryformat', '[%{FILEMODES:perms} %{FILENAMES}\n]', package)
    # Manual pages are compressed where rpm is told to; build-id is the compiler's.
    found = [line.split()[1].removesuffix('.gz') for line in listed.stdout.splitlines()
             if not line.startswith('d') and '/.build-id/' not in line]
    t.equal(sorted(found), sorted(wanted), 'exactly the files of make install, and documents')
    config = run('rpm', '-qp', '--configfiles', package).stdout.split()
    t.equal(config, ['/etc/snmp/iscsi-agentx.conf'], 'the configuration is known as such')
    plugin = run('rpm', '-qpl', package.replace('/iscsi-agentx-', '/nagios-plugins-iscsi-snmp-'))
    t.equal(sorted(name.split('/')[-1].removesuffix('.gz') for name in plugin.stdout.split()
                   if '/iscsi-' in name or '/check_' in name),
            sorted(name.split('/')[-1] for name in PLUGIN_CONFIG + PLUGIN_BELOW_PREFIX),
            'the plug-in has a package of its own')


def check_install(t, package, root):
    rpm = ['rpm', '--root', root, '--nodeps', '--noscripts']
    done = run(*rpm, '-i', package)
    t.ok(done.returncode == 0, 'installed into an empty root', done.stdout)
    version = run(f'{root}/usr/sbin/iscsi-agentx', '--version')
    t.ok(version.stdout.startswith('iscsi-agentx '), 'the program runs', version.stdout)
    unit = Path(root, 'usr/lib/systemd/system/iscsi-agentx.service').read_text()
    t.ok('ExecStart=/usr/sbin/iscsi-agentx -f\n' in unit, 'the unit starts it')
    done = run(*rpm, '-e', 'iscsi-agentx')
    left = [str(p) for p in Path(root).rglob('*') if 'agentx' in p.name]
    t.ok(done.returncode == 0 and not left, 'erased, nothing is left', done.stdout, left)


def check_plugin(t, package, root):
    """Its place is that of Red Hat's plug-ins, and what the monitors run."""
    libdir = run('rpm', '--eval', '%{_libdir}').stdout.strip()
    plugin = f'{libdir}/nagios/plugins/check_iscsi_snmp'
    done = run('rpm', '--root', root, '--nodeps', '--noscripts', '-i',
               package.replace('/iscsi-agentx-', '/nagios-plugins-iscsi-snmp-'))
    t.ok(done.returncode == 0 and os.access(root + plugin, os.X_OK), f'{plugin} is installed', done.stdout)
    t.equal(icinga_runs(Path(root, 'usr')), [plugin], 'and is what Icinga runs')
    commands = Path(root, 'etc/nagios/conf.d/iscsi-snmp.cfg').read_text()
    t.equal(set(re.findall(r'command_line +(\S+)', commands)), {plugin}, "and Nagios, with EPEL's directory")
    t.equal(re.findall('--state .*', commands), ['--state /var/spool/nagios'], 'and that of its user')


def main():
    with Tap() as t, tempfile.TemporaryDirectory() as root:
        if not shutil.which('rpmbuild'):
            t.skip_all('rpmbuild is not installed (package rpm)')
        first = build(t, '')
        if not first:
            return
        t.equal(build(t, ' once more'), first, 'gives the same packages, octet by octet')
        version = re.search(r'^VERSION := (\S+)', (ROOT / 'Makefile').read_text(), re.M).group(1)
        package = next((str(p) for p in PLACE.glob(f'RPMS/*/iscsi-agentx-{version}-*.rpm')), None)
        if t.ok(package, f'its version is that of the Makefile, {version}'):
            check_content(t, package, version)
            check_install(t, package, root)
            check_plugin(t, package, root)


if __name__ == '__main__':
    main()
