#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the torture tests take for a false value, without torture: each value of a recording's dumps is
put into another row, and found; what says less is not false. TAP."""

import json
import os
import re
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, 'tests', 'fault', 'matrix'))

# pylint: disable=wrong-import-position
import lab as laboratory
import snmp
from tap import Tap
from torture_claims import claims, false_claims, of_dump, of_json
from torture_lab import is_less

TREE = os.path.join(TOP, 'tests/fixtures/open-iscsi/multipath.tree')


def run(directory, option):
    with open(os.path.join(directory, 'conf'), 'w', encoding='utf-8') as file:
        file.write(f'sources open-iscsi\nstateDir {directory}/s\nrunDir {directory}/r\n'
                   f'agentXSocket {directory}/n\n')
    return subprocess.run([laboratory.AGENT, '-C', '-c', file.name, '--root', TREE, option],
                          capture_output=True, text=True, check=True, timeout=60).stdout


def test_rows(t, text, option):
    """Two rows of a kind swap their values, field by field."""
    blocks, missed, swapped = text.split('\n\n'), [], 0
    for kind in ('session', 'path', 'device', 'connection'):
        own = [n for n, block in enumerate(blocks) if re.match(rf'{kind} \d+\n', block)]
        one, two = (blocks[n].splitlines() for n in own[:2])
        for line in one[1:]:
            field = line.split()[0]
            other = next((l for l in two if l.split()[0] == field), line)
            if other == line or field == 'key':
                continue
            swapped += 1
            changed = list(blocks)
            changed[own[0]] = blocks[own[0]].replace(line, other)
            if not false_claims(option, '\n\n'.join(changed), text):
                missed.append((kind, line))
    t.ok(swapped > 20 and not missed, f'{option}: {swapped} values of another row are found', missed)


def test_less(t, text, option):
    t.equal(false_claims(option, text, text), [], f'{option}: the good run is not false')
    fewer = re.sub(r'\n\npath 2\n(  .*\n)*', '\n', text)
    fewer = re.sub(r'\n  (netdev|tcp_rtt|kernel_number) .*', '', fewer)
    t.ok(fewer != text and not false_claims(option, fewer, text),
         f'{option}: a row and values that are missing are not false')
    t.ok(false_claims(option, text, fewer), f'{option}: those that there are not are')


def test_words(t):
    address, private = snmp.ISCSI_OBJECTS + (11, 1, 1, 8, 1, 1, 1), (1, 3, 6, 1, 4, 1, 99, 1)
    good = [(address, b'', b'\n\0\0\1'), (private, b'10.0.0.1', b'10.0.0.1:3260'),
            (private, b'tcp, sda', b'tcp, ini1, sda')]
    bad = [(address, b'\n\0\0\2', b'\n\0\0\1'), (address, b'@', b'\x80'), (private, b'', b'a'),
           (address, b'\0\2=\0\0\2', b'\0\2=\0\0\1'), (private, b'10.0.0.2', b'10.0.0.1:3260'),
           (private, b'- -', b'a - b')]
    t.equal([case for case in good if not is_less(*case)], [], 'fewer words are less')
    t.equal([case for case in bad if is_less(*case)], [], 'other octets are not')


def main():
    with Tap() as t, tempfile.TemporaryDirectory(prefix='iscsi-agentx-claims.') as directory:
        text = run(directory, '--dump')
        test_less(t, text, '--dump')
        test_rows(t, text, '--dump')
        parsed = run(directory, '--dump=json')
        document = json.loads(parsed)
        document['paths'][0]['status'], document['paths'][1]['status'] = (
            document['paths'][1]['status'], document['paths'][0]['status'])
        t.equal(len(false_claims('--dump=json', json.dumps(document), parsed)), 2,
                '--dump=json: two values that are swapped are found')
        t.equal(len(claims(of_dump(text))), len(claims(of_json(parsed))),
                'both formats claim as much')
        lines = run(directory, '--dump=prom')
        t.equal(false_claims('--dump=prom', lines, lines), [], '--dump=prom: the good run is not false')
        false = re.sub(r'(iscsi_path_status\{.*path="2".*) 3\n', r'\1 1\n', lines)
        t.equal(len(false_claims('--dump=prom', false, lines)), 1,
                '--dump=prom: another value of a path is found')
        test_words(t)


if __name__ == '__main__':
    main()
