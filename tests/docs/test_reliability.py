#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The fault matrix names tests that there are, and docs/RELIABILITY.md has its rows."""

import os
import re
import subprocess
import sys
import tempfile

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
sys.path[:0] = [os.path.join(TOP, *path) for path in (
    ('tests', 'support'), ('tests', 'fault', 'matrix'))]
# pylint: disable=wrong-import-position
import matrix
from tap import Tap

DOCUMENT = os.path.join(TOP, 'docs', 'RELIABILITY.md')
# The rows that must be there.
MASTER = ['E1', 'E2', 'E2b', 'E3', 'E3b', 'E3c', *[f'E{number}' for number in range(4, 20)]]


def missing_tests(row):
    """What a row names and no file has."""
    for file, text in row.shown:
        path = os.path.join(matrix.TESTS, file)
        if not os.path.isfile(path):
            yield f'{row.id}: there is no tests/{file}'
        elif not matrix.stands_in(file, text):
            yield f'{row.id}: tests/{file} has no test with {text!r}'


def unmeasured(row):
    """The keys that no file of the row measures."""
    texts = []
    for file in {file for file, _ in row.shown}:
        with open(os.path.join(matrix.TESTS, file), encoding='utf-8') as source:
            texts.append(source.read())
    for key, words in row.measured:
        if not any(f"'{row.id}'" in text and f"'{key}'" in text for text in texts):
            yield f'{row.id}: {key}'
        if words.count('{}') != 1:
            yield f'{row.id}: {words!r} has not one {{}}'


def document_rows():
    """[(id, fault)] of the document's table."""
    with open(DOCUMENT, encoding='utf-8') as file:
        part = file.read().split('## The matrix')[1].split('\n## ')[0]
    return re.findall(r'^\| ([A-Z]\d+\w?) \| (.*?) \| ', part, re.M)


def check_missing(t):
    """Programs of which each said all of its tests but one: what counts as failed, and in the end."""
    shown = [(file, text) for row in matrix.rows() for file, text in row.shown
             if matrix.target(file) == 'check-fault']
    for left_out, wanted in ((None, (0, '9 0 2')), (shown[0], (1, '9 1 2'))):
        with tempfile.TemporaryDirectory() as directory:
            counts = os.path.join(directory, 'counts')
            with open(counts, 'w', encoding='utf-8') as file:
                file.write('9 0 2\n')
            for name in {name for name, _ in shown}:
                said = [text for other, text in shown if other == name]
                if left_out and name == left_out[0]:
                    said = [text for text in said if left_out[1] not in text]
                program = matrix.program(name).replace('/', '-')
                with open(os.path.join(directory, program + '.tap'), 'w', encoding='utf-8') as file:
                    file.write(''.join(f'ok {at} - {text}\n' for at, text in enumerate(said, 1)))
            done = subprocess.run([os.path.join(TOP, 'docs', 'make_reliability.py'), '--show', directory,
                                   counts], capture_output=True, text=True, timeout=60, check=False)
            with open(counts, encoding='utf-8') as file:
                t.equal((done.returncode, file.read().strip()), wanted,
                        'a test that is missing is a failure of the run' if left_out else
                        'when all is said, the counts stay')


def main():
    with Tap() as t:
        rows = matrix.rows()
        names = [row.id for row in rows]
        t.equal([name for name in names if name.startswith('E')], MASTER,
                'each fault of the master has its row, once')
        t.equal(len(names), len(set(names)), 'no row is there twice')
        t.equal([row.id for row in rows if not (row.fault and row.required and row.shown)], [],
                'each says what goes wrong, what must hold, and which test shows it')
        t.equal([text for row in rows for text in missing_tests(row)], [],
                'each test that is named is there')
        t.equal([text for row in rows for text in unmeasured(row)], [],
                'each value is measured by a test of its row')
        keys = {(row.id, key) for row in rows for key, _ in row.measured}
        t.equal([goal.measure for goal in matrix.goals() if (goal.row, goal.key) not in keys], [],
                'each goal is about a value that is measured')
        t.equal(document_rows(), [(row.id, row.fault.replace('|', '\\|')) for row in rows],
                'docs/RELIABILITY.md has these rows (make docs/RELIABILITY.md)')
        check_missing(t)


if __name__ == '__main__':
    main()
