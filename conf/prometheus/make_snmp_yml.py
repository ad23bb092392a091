#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes snmp-0.22.yml and snmp.yml: what snmp_exporter reads, up to 0.22 and from 0.23 on.

usage: make_snmp_yml.py [DIRECTORY]    (without it, beside generator.yml)

The generator of Debian 12 (prometheus-snmp-generator, package prometheus-snmp-exporter 0.21) makes
the older file from generator.yml, with its `auths` moved into the module. The newer file is the
same module below `modules`, beside `auths`: what the generator of 0.28 makes of generator.yml, but
for the width of its lines. GENERATOR names another program than prometheus-snmp-generator.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
MIBS = HERE.parent.parent / 'mibs'
GENERATOR = os.environ.get('GENERATOR', 'prometheus-snmp-generator')
OLD, NEW = 'snmp-0.22.yml', 'snmp.yml'
HEAD = ('# SPDX-License-Identifier: BSD-2-Clause\n'
        '# For snmp_exporter {versions}. Made by make_snmp_yml.py from generator.yml.\n')
AUTHS = re.compile(r'^auths:\n  (\w+):\n    version: (\d)\n    community: (\w+)\n\n', re.MULTILINE)
MODULE = re.compile(r'^modules:\n  (\w+):\n', re.MULTILINE)


def old_input(text):
    """generator.yml as 0.22 wants it: version and community in the module."""
    _, version, community = AUTHS.search(text).groups()
    text = AUTHS.sub('', text)
    return MODULE.sub(lambda m: f'{m[0]}    version: {version}\n'
                      f'    auth:\n      community: {community}\n', text)


def generate(text):
    """What the generator makes of its input."""
    with tempfile.TemporaryDirectory() as directory:
        top = pathlib.Path(directory)
        (top / 'generator.yml').write_text(text)
        done = subprocess.run([GENERATOR, 'generate'], cwd=top, check=False, text=True,
                              capture_output=True,
                              env=dict(os.environ, MIBDIRS=f'{MIBS}/base:{MIBS}', MIBS='ALL',
                                       SNMPCONFPATH=directory))
        if done.returncode != 0 or not (top / NEW).exists():
            raise SystemExit(f'{GENERATOR}: {done.stderr}')
        lines = (top / NEW).read_text().splitlines(keepends=True)
    return ''.join(line for line in lines if not line.startswith('#'))


def to_new(old, text):
    """The older file's text as the newer form, with the `auths` of generator.yml."""
    name, version, community = AUTHS.search(text).groups()
    module = re.sub(r'^  version: \d\n|^  auth:\n    community: \w+\n', '', old, flags=re.MULTILINE)
    return (f'auths:\n  {name}:\n    community: {community}\n    security_level: noAuthNoPriv\n'
            '    auth_protocol: MD5\n    priv_protocol: DES\n'
            f'    version: {version}\nmodules:\n'
            + ''.join(f'  {line}' for line in module.splitlines(keepends=True)))


def main():
    if len(sys.argv) > 2 or sys.argv[1:] in (['-h'], ['--help']):
        raise SystemExit(__doc__)
    if not shutil.which(GENERATOR):
        raise SystemExit(f'{GENERATOR} is not there (Debian: prometheus-snmp-exporter)')
    top = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    text = (HERE / 'generator.yml').read_text()
    old = generate(old_input(text))
    (top / OLD).write_text(HEAD.format(versions='up to 0.22') + old)
    (top / NEW).write_text(HEAD.format(versions='0.23 and newer') + to_new(old, text))


if __name__ == '__main__':
    main()
