#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The maintainer scripts of the Debian package, run by a real dpkg in a root of its own: a package that
has nothing but them and the file for snmpd. snmpd is told to read it when it is another one, only then."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

sys.path[:0] = [str(ROOT / 'tests' / 'support')]
# pylint: disable=wrong-import-position
from tap import Tap

DROP_IN = 'etc/snmp/snmpd.conf.d/iscsi-agentx.conf'
OLD, NEW = 'view systemonly included .1.3.6.1.2.1.142\n', 'view iscsi included .1.3.6.1.2.1.142\n'
ASKED = '#!/bin/sh\necho "$@" >> {log}\nexit 1\n'
# How an older package was, which had no preinst.
FIRST = '#!/bin/sh\nset -e\n'


class Host:
    """A root in which dpkg installs, with a snmpd that only says that it was asked to start anew; it fails,
    which must not be the package's failure."""

    def __init__(self, top):
        self.top = Path(top)
        self.root, self.log, self.programs = self.top / 'root', self.top / 'asked', self.top / 'bin'
        for place in ('root/usr/sbin', 'root/run', 'admin/info', 'admin/updates', 'admin/triggers', 'bin'):
            (self.top / place).mkdir(parents=True)
        for name in ('status', 'available'):
            (self.top / 'admin' / name).touch()
        for program in (self.root / 'usr/sbin/snmpd', self.programs / 'invoke-rc.d'):
            program.write_text(ASKED.format(log=self.log))
            program.chmod(0o755)

    def package(self, version, text, **scripts):
        """Builds one with this drop-in; `scripts` in the place of ours."""
        tree = self.top / 'tree'
        (tree / 'DEBIAN').mkdir(parents=True)
        (tree / DROP_IN).parent.mkdir(parents=True)
        (tree / DROP_IN).write_text(text)
        (tree / 'DEBIAN/control').write_text(
            f'Package: iscsi-agentx\nVersion: {version}\nArchitecture: all\nMaintainer: nobody <a@b.example>\n'
            'Description: scripts and a file\n')
        (tree / 'DEBIAN/conffiles').write_text(f'/{DROP_IN}\n')
        for name in ('preinst', 'postinst'):
            script = tree / 'DEBIAN' / name
            script.write_text(scripts.get(name, (ROOT / f'debian/iscsi-agentx.{name}').read_text()))
            script.chmod(0o755)
        deb = self.top / f'{version}.deb'
        done = subprocess.run(['dpkg-deb', '--root-owner-group', '-Znone', '-b', tree, deb], check=False,
                              capture_output=True, text=True, timeout=60)
        shutil.rmtree(tree)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return deb

    def dpkg(self, *arguments):
        return subprocess.run(
            ['dpkg', f'--admindir={self.top}/admin', f'--instdir={self.root}', f'--log={self.top}/log',
             '--force-script-chrootless',
             *(['--force-confold'] if '--force-confnew' not in arguments else []), *arguments],
            env=dict(os.environ, PATH=f'{self.programs}:{os.environ["PATH"]}:/usr/sbin:/sbin'), check=False,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)

    def asked(self):
        """What snmpd was asked for since the last call."""
        found = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return found

    def records(self):
        return os.listdir(self.root / 'run')


def step(t, host, what, restarts, *arguments, good=True):
    done = host.dpkg(*arguments)
    t.ok((done.returncode == 0) == good, f'{what}: dpkg {"is content" if good else "fails"}', done.stdout, done.stderr)
    t.equal(host.asked(), ['snmpd try-restart'] * restarts,
            f'{what}: snmpd is {"asked to start anew" if restarts else "left alone"}')


def check_upgrades(t, host):
    step(t, host, 'first installation, of an older package', 1, '-i', host.package('1', OLD, preinst=FIRST))
    step(t, host, 'upgrade with another file', 1, '-i', host.package('2', NEW))
    t.equal((host.root / DROP_IN).read_text(), NEW, 'which is there')
    step(t, host, 'the same once more', 0, '-i', host.top / '2.deb')
    step(t, host, 'upgrade with the same file', 0, '-i', host.package('3', NEW))
    (host.root / DROP_IN).write_text('# mine\n')
    step(t, host, 'upgrade with another file, where the old one was edited', 0, '-i', host.package('4', OLD))
    t.equal((host.root / DROP_IN).read_text(), '# mine\n', 'which stays')
    step(t, host, 'and where the new one is taken', 1, '--force-confnew', '-i', host.package('5', NEW))
    t.equal((host.root / DROP_IN).read_text(), NEW, 'which is there')
    t.equal(host.records(), [], 'nothing is left in /run')


def check_oddities(t, host):
    (host.root / DROP_IN).unlink()
    step(t, host, 'upgrade where the file was removed', 0, '-i', host.package('6', OLD))
    t.ok(not (host.root / DROP_IN).exists(), 'it is not there')
    step(t, host, 'removal', 0, '-r', 'iscsi-agentx')
    (host.root / DROP_IN).parent.mkdir(parents=True, exist_ok=True)
    (host.root / DROP_IN).write_text(OLD)
    step(t, host, 'installation over the file of a removed package', 1, '--force-confnew', '-i',
         host.package('7', NEW))
    fails = '#!/bin/sh\nexit 1\n'
    step(t, host, 'upgrade that stops behind the file', 0, '-i', host.package('8', OLD, postinst=fails), good=False)
    t.equal((host.root / DROP_IN).read_text(), OLD, 'which is another one')
    step(t, host, 'upgrade with that file', 1, '-i', host.package('9', OLD))
    step(t, host, 'unpacked', 0, '--unpack', host.package('10', NEW))
    shutil.rmtree(host.root / 'run')
    step(t, host, 'configured after a boot', 0, '--configure', 'iscsi-agentx')
    step(t, host, 'upgrade without /run', 0, '-i', host.package('11', OLD))
    (host.root / 'run').mkdir()
    (host.root / 'usr/sbin/snmpd').unlink()
    step(t, host, 'upgrade without snmpd', 0, '-i', host.package('12', NEW))
    t.equal(host.records(), [], 'nothing is left in /run')


def main():
    with Tap() as t, tempfile.TemporaryDirectory() as scratch:
        if os.geteuid() != 0 or not shutil.which('dpkg-deb'):
            t.skip_all('dpkg installs as root, on Debian')
        host = Host(scratch)
        check_upgrades(t, host)
        check_oddities(t, host)


if __name__ == '__main__':
    main()
