# SPDX-License-Identifier: BSD-2-Clause
"""A Debian root in a directory, and the machine that systemd-nspawn boots from it.

    with Machine(directory) as machine:      # unpacks the root
        machine.boot()
        machine.run('systemctl', 'is-active', 'snmpd')

The root is made once by mmdebstrap and kept as build/package/base-HASH.tar. The machine has a
network of its own with nothing but a loopback interface, and a name space of processes: what runs in
it ends with it. Commands are put into it by nsenter, from outside.
"""

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
BUILD = TOP / 'build' / 'package'

sys.path.insert(0, str(TOP / 'tests' / 'support'))
# pylint: disable=wrong-import-position
from process import Process, alive, children, wait_for

SUITE = 'bookworm'
# What the agent needs (snmpd brings libsnmp40), what it reads, and what the tests use in there
# (apt-utils: autopkgtest).
PACKAGES = ['apt-utils', 'dbus', 'procps', 'snmp', 'snmpd', 'systemd-sysv', 'tgt']
TOOLS = {'mmdebstrap': 'mmdebstrap', 'systemd-nspawn': 'systemd-container', 'nsenter': 'util-linux'}


def missing():
    """What keeps a machine from being made, as a sentence, or None."""
    if os.geteuid() != 0:
        return 'needs root: mounts, and name spaces of the kernel'
    for program, package in TOOLS.items():
        if not shutil.which(program):
            return f'{program} is not installed (package {package})'
    return None


def base():
    """The tar file of the root; made if it is not there (a minute or two, from Debian's mirror)."""
    name = hashlib.sha256(' '.join([SUITE, *PACKAGES]).encode()).hexdigest()[:12]
    path = BUILD / f'base-{name}.tar'
    if path.exists():
        return path
    BUILD.mkdir(parents=True, exist_ok=True)
    new = BUILD / f'base-{name}.{os.getpid()}.tar'
    try:
        done = subprocess.run(
            ['mmdebstrap', '--quiet', '--mode=root', '--variant=minbase',
             '--include=' + ','.join(PACKAGES), SUITE, new],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)
        if done.returncode != 0:
            raise RuntimeError(f'mmdebstrap: {done.stderr[-2000:]}')
        new.rename(path)
    finally:
        new.unlink(missing_ok=True)
    return path


def removed(path):
    """Removes a directory if that can be done; True when it is gone."""
    with contextlib.suppress(OSError):
        os.rmdir(path)
    return not os.path.exists(path)


class Machine:
    """See the head of this file. Leaving the block stops the machine and removes the root."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.root = self.directory / 'root'
        self.nspawn = None
        self.init = None
        self.groups = []  # control groups that systemd-nspawn makes, and leaves behind

    def __enter__(self):
        self.root.mkdir()
        subprocess.run(['tar', '-C', self.root, '-xf', base()], check=True, timeout=120)
        # A minimal root has none, and nobody to ask for names.
        (self.root / 'etc/hosts').write_text('127.0.0.1 localhost\n::1 localhost\n')
        return self

    def __exit__(self, kind, value, trace):
        try:
            self.stop()
        finally:
            shutil.rmtree(self.root, ignore_errors=True)

    def chroot(self, *argv, **options):
        """Runs a command in the root that is not booted; returns what subprocess.run does."""
        return subprocess.run(
            ['chroot', self.root, *argv], stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=120, env={'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL': 'C.UTF-8',
                              'DEBIAN_FRONTEND': 'noninteractive'}, **options)

    def boot(self):
        """Returns when systemd has started everything (or some of it has failed)."""
        self.groups = [path for top in ('', 'unified', 'systemd')
                       for name in ('payload', 'supervisor')
                       if not (path := Path('/sys/fs/cgroup', top, name)).exists()]
        self.nspawn = Process('nspawn', [
            'systemd-nspawn', '--quiet', '--register=no', '--keep-unit', '--private-network',
            '--console=pipe', '--boot', '--directory=' + str(self.root)], str(self.directory))
        self.init = wait_for(self._find_init, 20, 'process 1 of the machine')
        wait_for(lambda: self.state() in ('running', 'degraded'), 60, 'the machine has booted')

    def _find_init(self):
        if not self.nspawn.running():
            raise RuntimeError(f'systemd-nspawn ended: {self.nspawn.text()}')
        return next((pid for pid, name in children(self.nspawn.pid).items()
                     if name == 'systemd'), None)

    def state(self):
        return self.run('systemctl', 'is-system-running').stdout.strip()

    def run(self, *argv, seconds=30):
        """Runs a command in the machine."""
        return subprocess.run(
            ['nsenter', '-t', str(self.init), '-m', '-u', '-i', '-n', '-p', '-C', '--', *argv],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds,
            env={'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL': 'C.UTF-8'})

    def stop(self):
        if self.nspawn is None:
            return
        # systemd-nspawn passes SIGTERM on as an orderly power-off.
        try:
            self.nspawn.stop(signal.SIGTERM, 20)
        finally:
            # One that waits for a process that hangs outlives it.
            if self.init and alive(self.init):
                os.kill(self.init, signal.SIGKILL)
        wait_for(lambda: not alive(self.init), 30, 'the machine has ended')
        self.nspawn = None
        for group in self.groups:
            for path, _, _ in os.walk(group, topdown=False):
                # Busy for as long as a process of it is ending.
                with contextlib.suppress(TimeoutError):
                    wait_for(lambda path=path: removed(path), 5, 'an empty control group')
