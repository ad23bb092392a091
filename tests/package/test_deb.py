#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The Debian packages: built twice alike, nothing for lintian to say, and what installation, upgrade,
removal and purge do, in a root that is not booted and in a machine that runs.

Needs root; takes minutes. piuparts and autopkgtest run too.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

sys.path[:0] = [str(ROOT / 'tests' / 'support'), str(ROOT / 'tests' / 'package')]
# pylint: disable=wrong-import-position
import machine as machine_module
from machine import Machine
from process import wait_for
from service import NODE_NAME, Service, target, walk
from tap import Tap
from test_install import icinga_runs

PACKAGE = 'iscsi-agentx'
PLUGIN = 'monitoring-plugins-iscsi-snmp'
PLACE = ROOT / 'build' / 'package' / 'deb'
AGAIN = ROOT / 'build' / 'package' / 'deb-again'
TOOLS = {'dpkg-buildpackage': 'dpkg-dev', 'dh': 'debhelper', 'lintian': 'lintian',
         'piuparts': 'piuparts', 'autopkgtest': 'autopkgtest'}
CONFIG = ['/etc/snmp/iscsi-agentx.conf', '/etc/snmp/snmpd.conf.d/iscsi-agentx.conf']


def run(*argv, seconds=600, **options):
    return subprocess.run(argv, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=seconds, **options)


def build(t):
    """Builds twice, in two places, zones and masks; returns the path of the binary package."""
    here = run('make', 'deb')
    # The second time without what makes no binary package: the source package and the tests.
    there = run('make', 'deb', f'DEB_DIR={AGAIN}', 'DEB_OPTIONS=--build=binary', umask=0o002,
                env=dict(os.environ, TZ='Pacific/Auckland', LC_ALL='C.UTF-8', DEB_BUILD_OPTIONS='nocheck'))
    done = here.returncode == 0 and there.returncode == 0
    if not t.ok(done, 'make deb, twice', here.stdout[-3000:], there.stdout[-3000:]):
        return None
    sums = [{deb.name: hashlib.sha256(deb.read_bytes()).hexdigest() for deb in place.glob('*.deb')}
            for place in (PLACE, AGAIN)]
    t.equal(sums[1], sums[0], 'gives the same packages, octet by octet')
    shutil.rmtree(AGAIN)
    version = re.search(r'^VERSION := (\S+)', (ROOT / 'Makefile').read_text(), re.M).group(1)
    deb = next((p for p in PLACE.glob(f'{PACKAGE}_{version}_*.deb')), None)
    t.ok(deb, f'its version is that of the Makefile, {version}')
    return deb


def plugin_of(deb):
    """The package of the plug-in that was built with the agent's."""
    return deb.with_name(deb.name.replace(PACKAGE, PLUGIN))


def check_lintian(t):
    changes = next(PLACE.glob('*.changes'))
    text = run('lintian', '-EI', '--pedantic', '--allow-root', str(changes)).stdout
    t.equal([line for line in text.splitlines() if re.match(r'[EW]:', line)], [],
            'lintian finds no error and nothing to warn of')


def files(machine):
    """Every path of a root that is not booted, but for what dpkg itself keeps of the past."""
    found = set()
    for top, directories, names in os.walk(machine.root):
        place = '/' + str(Path(top).relative_to(machine.root)).lstrip('.')
        found |= {os.path.join(place, name) for name in directories + names}
    return {path for path in found if not re.match(
        r'/var/(log|cache|lib/dpkg)/|/(dev|proc|sys|tmp)/|/etc/\.pwd\.lock|/etc/.*-$', path)}


def check_chroot(t, machine, deb):
    """Where no systemd runs: in an image that is being made."""
    before = files(machine)
    shutil.copy(deb, machine.root / 'agent.deb')
    shutil.copy(plugin_of(deb), machine.root / 'plugin.deb')
    done = machine.chroot('dpkg', '-i', '/agent.deb', '/plugin.deb')
    t.equal(done.returncode, 0, 'installed in a root that is not booted')
    t.ok('iscsi-agentx' in machine.chroot('id', '-un', 'iscsi-agentx').stdout, 'with its user')
    done = machine.chroot('iscsi-agentx', '--once')
    t.ok(done.returncode == 0, 'the program runs there', done.stdout + done.stderr)
    done = machine.chroot('/usr/lib/nagios/plugins/check_iscsi_snmp', '--version')
    t.ok(done.stdout.startswith('check_iscsi_snmp '), 'and so does the plug-in', done.stderr)
    t.equal(icinga_runs(machine.root / 'usr'), ['/usr/lib/nagios/plugins/check_iscsi_snmp'],
            'which is what Icinga runs')
    left = machine.chroot('dpkg', '-P', PACKAGE, PLUGIN)
    for name in ('agent.deb', 'plugin.deb'):
        (machine.root / name).unlink()
    t.ok(left.returncode == 0, 'purged', left.stderr)
    t.equal(sorted(files(machine) - before), [], 'nothing is left')
    t.equal(sorted(before - files(machine)), [], 'and nothing else is gone')


def check_install(t, machine, service, deb):
    """On a machine that runs: the service starts, and snmpd shows the tree at once."""
    shutil.copy(deb, machine.root / 'root/agent.deb')
    target(machine, 1, 'iqn.2004-10.org.example:one')
    target(machine, 2, 'iqn.2004-10.org.example:two')
    done = machine.run('env', 'DEBIAN_FRONTEND=noninteractive', 'dpkg', '-i', '/root/agent.deb',
                       seconds=90)
    t.ok(done.returncode == 0, 'installed on a machine that runs', done.stdout + done.stderr)
    t.equal(service.show('ActiveState', 'UnitFileState'),
            {'ActiveState': 'active', 'UnitFileState': 'enabled'}, 'the service runs, and will')
    rows = wait_for(lambda: walk(machine, NODE_NAME), 10, 'a walk answers')
    t.equal(sorted(rows.values()), ['iqn.2004-10.org.example:one', 'iqn.2004-10.org.example:two'],
            'a walk with nothing edited shows the targets')
    check = machine.run('iscsi-agentx', '--check')
    t.ok(check.returncode == 0, '--check finds nothing wrong', check.stdout)
    target(machine, 1)
    wait_for(lambda: len(walk(machine, NODE_NAME)) == 1, 20, 'the first target has gone')


def check_upgrade(t, machine, service):
    rows, pid = walk(machine, NODE_NAME), service.pid()
    done = machine.run('env', 'DEBIAN_FRONTEND=noninteractive', 'dpkg', '-i', '/root/agent.deb',
                       seconds=90)
    t.equal(done.returncode, 0, 'installed once more')
    t.ok(service.pid() not in ('0', pid), 'the service was restarted')
    wait_for(lambda: walk(machine, NODE_NAME), 15, 'a walk answers')
    t.equal(walk(machine, NODE_NAME), rows, 'rows keep their index numbers')


def present(machine):
    """What the machine has of the package, below its root but not in what dpkg and systemd log."""
    text = machine.run('find', '/', '-xdev', '-name', '*iscsi-agentx*', '-not', '-path', '/var/log/*',
                       '-not', '-path', '/var/lib/dpkg/*').stdout
    return sorted(text.split())


def check_removal(t, machine, service):
    done = machine.run('dpkg', '-r', PACKAGE, seconds=90)
    t.ok(done.returncode == 0, 'removed', done.stderr)
    t.equal(service.processes(), {}, 'no process is left')
    t.ok(set(CONFIG + ['/var/lib/iscsi-agentx']) <= set(present(machine)),
         'the configuration and the index numbers are')
    done = machine.run('dpkg', '-P', PACKAGE, seconds=90)
    t.ok(done.returncode == 0, 'purged', done.stderr)
    t.equal(present(machine), [], 'nothing of it is left')
    t.equal(machine.run('ls', '-d', '/run/iscsi-agentx').stdout, '', 'nor in /run')
    t.equal(machine.run('systemctl', 'is-active', 'snmpd').stdout, 'active\n', 'snmpd goes on')


def check_piuparts(t, deb, scratch):
    """Installation, removal and purge once more, by Debian's own judge, in a fresh root."""
    with Machine(scratch) as machine:
        # debconf's directory is apt-utils': it is made with the first package that is installed.
        done = run('piuparts', '-d', machine_module.SUITE, '-e', str(machine.root),
                   '--ignore-regex=^/?var/cache/debconf/tmp.ci/?$', str(deb))
    t.ok(done.returncode == 0, 'piuparts', done.stdout[-3000:])


def check_autopkgtest(t, machine, deb):
    """With the tree that was built: the root has nothing to unpack a source package with."""
    tree = next(path for path in PLACE.iterdir() if path.is_dir())
    done = run('autopkgtest', '-B', str(deb), str(plugin_of(deb)), f'{tree}/', '--', 'chroot', str(machine.root))
    t.ok(done.returncode == 0, 'autopkgtest: the smoke test of the package', done.stdout[-3000:])


def main():
    with Tap() as t, tempfile.TemporaryDirectory() as scratch:
        why = machine_module.missing() or next(
            (f'{program} is not installed (package {package})'
             for program, package in TOOLS.items() if not shutil.which(program)), None)
        if why:
            t.skip_all(why)
        deb = build(t)
        if not deb:
            return
        check_lintian(t)
        with Machine(scratch) as machine:
            check_chroot(t, machine, deb)
            machine.boot()
            service = Service(machine)
            check_install(t, machine, service, deb)
            check_upgrade(t, machine, service)
            check_removal(t, machine, service)
            machine.stop()
            check_autopkgtest(t, machine, deb)
        check_piuparts(t, deb, scratch)


if __name__ == '__main__':
    main()
