#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""--dump=prom of every recording, read by a parser that allows nothing but what the text format of
Prometheus (0.0.4) does, and compared with --dump=json of the same. TAP."""
import json
import os
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / 'tests' / 'support'))
from tap import Tap  # pylint: disable=wrong-import-position

AGENT = os.environ.get('AGENT_BINARY', str(TOP / 'build' / 'iscsi-agentx'))
NAME = r'[a-zA-Z_:][a-zA-Z0-9_:]*'
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"')
SAMPLE = re.compile(rf'({NAME})(?:\{{(.*)\}})? (\d+(?:\.\d+)?)')
ESCAPES = {'\\\\': '\\', '\\"': '"', '\\n': '\n'}
# Metric and field of the objects that are compared one by one.
COMPARED = {'session': [('iscsi_session_connections', 'connection_count'),
                        ('iscsi_session_transmit_bytes_total', 'tx_octets'),
                        ('iscsi_session_condition', 'condition')],
            'path': [('iscsi_path_status', 'status'), ('iscsi_path_failures_total', 'failures')],
            'device': [('iscsi_device_commands_total', 'requests'),
                       ('iscsi_device_state', 'state')]}


class Malformed(Exception):
    """Prometheus would refuse this."""


def read_labels(text):
    """{name: value} of what is between the braces."""
    labels, at = {}, 0
    while at < len(text):
        match = LABEL.match(text, at)
        if not match or match[1] in labels or match[1].startswith('__'):
            raise Malformed(f'labels {text!r} at {at}')
        labels[match[1]] = re.sub(r'\\[\\"n]', lambda m: ESCAPES[m[0]], match[2])
        at = match.end()
        if at < len(text):
            if text[at] != ',' or at + 1 == len(text):
                raise Malformed(f'labels {text!r} at {at}')
            at += 1
    return labels


def read_exposition(octets):
    """{metric: (type, [(labels, value)…])}. Raises Malformed."""
    text = octets.decode('utf-8')
    if not text.endswith('\n') or '\r' in text:
        raise Malformed('the last line does not end')
    families, helped, current, seen = {}, set(), None, set()
    for line in text[:-1].split('\n'):
        match = re.fullmatch(rf'# HELP ({NAME}) (\S.*)', line)
        if match:
            if match[1] in helped or '\\' in match[2]:
                raise Malformed(line)
            helped.add(match[1])
            current = None
            continue
        match = re.fullmatch(rf'# TYPE ({NAME}) (counter|gauge)', line)
        if match:
            if match[1] in families or match[1] not in helped:
                raise Malformed(line)
            current = match[1]
            families[current] = (match[2], [])
            if (match[2] == 'counter') != current.endswith('_total'):
                raise Malformed(f'a counter ends with _total, nothing else does: {line}')
            continue
        match = SAMPLE.fullmatch(line)
        if not match or match[1] != current:
            raise Malformed(line)
        labels = read_labels(match[2] or '')
        key = (current, tuple(sorted(labels.items())))
        if key in seen:
            raise Malformed(f'twice: {line}')
        seen.add(key)
        value = match[3]
        families[current][1].append((labels, float(value) if '.' in value else int(value)))
    for name, (_, samples) in families.items():
        if not samples or not name.startswith('iscsi_'):
            raise Malformed(f'{name}: no samples, or no name of ours')
    return families


def dump(tree, form):
    done = subprocess.run([AGENT, '-C', '--root', str(tree), f'--dump={form}'], cwd=TOP,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    if done.returncode != 0:
        raise Malformed(done.stderr.decode('utf-8', 'replace'))
    return done.stdout


def compare(t, name, families, objects):
    """Each known field that is compared has its sample, and there are no others."""
    for kind, pairs in COMPARED.items():
        for metric, field in pairs:
            wanted = sorted(one[field] for one in objects[kind + 's'] if field in one)
            got = sorted(value for _, value in families.get(metric, ('', []))[1])
            if wanted or got:
                t.equal(got, wanted, f'{name}: {metric} is the field {field}')


def test_parser(t):
    """What the parser is for: it refuses what is wrong."""
    good = b'# HELP iscsi_a A.\n# TYPE iscsi_a gauge\niscsi_a{b="c\\"\\\\\\n"} 1\n'
    t.equal(read_exposition(good), {'iscsi_a': ('gauge', [({'b': 'c"\\\n'}, 1.0)])},
            'the parser reads labels with escapes')
    for wrong, what in ((good[:-1], 'an unfinished line'),
                        (good.replace(b'\\n"', b'\\t"'), 'an unknown escape'),
                        (good.replace(b'HELP', b'HELLO'), 'an unknown comment'),
                        (good + b'iscsi_a{b="c\\"\\\\\\n"} 2\n', 'a sample that is there twice'),
                        (good + b'iscsi_b 2\n', 'a sample without a head'),
                        (good.replace(b' 1\n', b' one\n'), 'a value that is no number'),
                        (good.replace(b'gauge', b'counter'), 'a counter without _total'),
                        (good.replace(b'\\"', b'"'), 'a quote without escape')):
        try:
            read_exposition(wrong)
            t.ok(False, f'the parser refuses {what}')
        except Malformed:
            t.ok(True, f'the parser refuses {what}')


def main():
    with Tap() as t:
        test_parser(t)
        metrics = set()
        for tree in sorted((TOP / 'tests' / 'fixtures').glob('*/*.tree')):
            name = f'{tree.parent.name}/{tree.stem}'
            try:
                families = read_exposition(dump(tree, 'prom'))
            except Malformed as why:
                t.ok(False, f'{name} is well-formed', str(why))
                continue
            t.ok('iscsi_status' in families, f'{name} is well-formed')
            metrics |= set(families)
            objects = json.loads(dump(tree, 'json'))
            compare(t, name, families, objects)
            names = {labels.get('target') for labels, _ in
                     families.get('iscsi_path_status', ('', []))[1]}
            t.equal(names, {path.get('target_name') for path in objects['paths'] if 'status' in path},
                    f'{name}: the names of targets come through')
        t.ok(len(metrics) > 25, f'{len(metrics)} metrics have a sample in the recordings')


if __name__ == '__main__':
    main()
