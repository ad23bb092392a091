#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Recordings of machines against what is shown of them, line by line. TAP.

For each tests/fixtures/DIR/NAME.tree (format: src/base/root_tree.c) the program prints its objects
and its MIB, once and without a daemon:

    iscsi-agentx -C --root NAME.tree --dump=text    tests/golden/DIR/NAME.dump
    iscsi-agentx -C --root NAME.tree --walk         tests/golden/DIR/NAME.walk

What is said on standard error is at the end of either. Masked are ages, times of this machine, and
the lines of sources that a recording has nothing of, so that a new source changes no golden; for
that reason a walk is shown without iscsiSourceTable (tests/unit/test_own.c has it).

AGENT_BINARY names the program (build/iscsi-agentx); UPDATE=1 writes the goldens anew (`make
golden`): read the difference before it is committed. Arguments are names to look at: DIR/NAME.
"""
import difflib
import os
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / 'tests' / 'support'))
from tap import Tap  # pylint: disable=wrong-import-position

AGENT = os.environ.get('AGENT_BINARY', str(TOP / 'build' / 'iscsi-agentx'))
UPDATE = os.environ.get('UPDATE', '') not in ('', '0')
FIXTURES = TOP / 'tests' / 'fixtures'
GOLDEN = TOP / 'tests' / 'golden'
COMMANDS = {'.dump': ['--dump=text'], '.walk': ['--walk']}

# Fields that are a time of the machine that runs this (CLOCK_MONOTONIC).
TIMES = '|'.join(re.findall(r'^FIELD\(time, (\w+),', (TOP / 'src/model/model.def').read_text(),
                            re.MULTILINE))
# Of ISCSI-PATH-MIB: what the agent says of itself, which is not of the recording.
PRIVATE = re.escape('.' + os.environ.get('PRIVATE_OID', '1.3.6.1.4.1.8072.9999.9999.7147'))
MASKS = [
    (re.compile(rf'^{PRIVATE}\.1\.1\.(?:2|6\.1)\..*\n', re.MULTILINE), ''),
    (re.compile(rf'^{PRIVATE}', re.MULTILINE), '.PRIVATE'),
    # a DateAndTime with its zone
    (re.compile(r'Hex-STRING: 07 (?:[0-9A-F]{2} ){7}2[BD] [0-9A-F]{2} [0-9A-F]{2} $',
                re.MULTILINE), 'DateAndTime: N'),
    (re.compile(r'^source \w\S* "" absent.*\n', re.MULTILINE), ''),
    (re.compile(r'^(source .*), read \d+ ms ago', re.MULTILINE), r'\1, read N ms ago'),
    (re.compile(rf'^(  (?:{TIMES}) +)[1-9]\d*$', re.MULTILINE), r'\1N'),
    (re.compile(r'Timeticks: \([1-9]\d*\).*'), 'Timeticks: (N)'),
]


def show(tree, arguments):
    """What is printed of a recording, masked."""
    done = subprocess.run([AGENT, '-C', '--root', str(tree), *arguments], cwd=TOP,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=60, check=False)
    text = done.stdout.decode('utf-8', 'backslashreplace')
    for pattern, replacement in MASKS:
        text = pattern.sub(replacement, text)
    said = done.stderr.decode('utf-8', 'backslashreplace').replace(f'{TOP}/', '')
    text += ''.join(f'stderr: {line}\n' for line in said.splitlines())
    return text + (f'exit status: {done.returncode}\n' if done.returncode else '')


def check(t, tree, suffix):
    name = tree.relative_to(FIXTURES).with_suffix(suffix)
    golden = GOLDEN / name
    got = show(tree, COMMANDS[suffix])
    if UPDATE:
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(got, encoding='utf-8')
    if not golden.exists():
        t.ok(False, f'{name} is as before', 'there is none: make golden')
        return
    wanted = golden.read_text(encoding='utf-8')
    t.ok(got == wanted, f'{name} is as before',
         *difflib.unified_diff(wanted.splitlines(), got.splitlines(), 'wanted', 'got', lineterm='',
                               n=2))


def main():
    with Tap() as t:
        trees = sorted(FIXTURES.glob('*/*.tree'))
        names = {str(tree.relative_to(FIXTURES).with_suffix('')): tree for tree in trees}
        for name in sys.argv[1:]:
            t.ok(name in names, f'there is a recording {name}')
        for name, tree in names.items():
            for suffix in COMMANDS:
                if name in sys.argv[1:] or not sys.argv[1:]:
                    check(t, tree, suffix)
        orphans = [str(g.relative_to(GOLDEN)) for suffix in COMMANDS
                   for g in sorted(GOLDEN.glob(f'*/*{suffix}'))
                   if str(g.relative_to(GOLDEN).with_suffix('')) not in names]
        t.equal(orphans, [], 'no golden is without its recording')


if __name__ == '__main__':
    main()
