#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The template for Zabbix 7.0 in a real Zabbix server of Debian 13, in a root directory of that
release which is made once and kept below build/zabbix: zabbix_check.py.

Needs root, mmdebstrap and a Debian mirror; without one of them it is skipped and says so."""

import hashlib
import os
import shutil
import subprocess

import zabbix_check
from zabbix_check import laboratory, zabbix_lab
from tap import Tap

SUITE = 'trixie'
PACKAGES = ['zabbix-server-pgsql', 'zabbix-frontend-php', 'postgresql', 'php-cli', 'php-pgsql',
            'php-bcmath', 'php-gd', 'php-mbstring', 'php-xml', 'locales',
            'fonts-dejavu-core']


def make_root():
    """The directory with Zabbix 7.0 in it; made when it is not there yet."""
    name = hashlib.sha256(' '.join([SUITE, *PACKAGES]).encode()).hexdigest()[:12]
    path = os.path.join(zabbix_check.ROOT, 'build', 'zabbix', f'root-{name}')
    if os.path.isdir(path):
        return path
    os.makedirs(os.path.dirname(path), exist_ok=True)
    new = path + '.new'
    shutil.rmtree(new, ignore_errors=True)
    try:
        done = subprocess.run(
            ['mmdebstrap', '--quiet', '--mode=root', '--variant=minbase',
             '--dpkgopt=force-unsafe-io', '--include=' + ','.join(PACKAGES), SUITE, new], stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=600, check=False)
        if done.returncode != 0:
            raise OSError(done.stderr[-500:])
        os.rename(new, path)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return path


def main():
    with Tap() as t:
        why = laboratory.missing()
        if not why and not shutil.which('mmdebstrap'):
            why = 'mmdebstrap is not installed (package mmdebstrap)'
        if why:
            t.skip_all(why)
        try:
            root = make_root()
        except (OSError, subprocess.TimeoutExpired) as error:
            t.skip_all(f'no root of {SUITE}: {" ".join(str(error).split())[-300:]}')
        why = zabbix_lab.missing('7.0', root)
        t.ok(not why, 'the root has Zabbix', why)
        zabbix_check.run(t, '7.0', root)


if __name__ == '__main__':
    main()
