#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""CONTRIBUTING.md against .ci/run and the Makefile: what it says is part of .ci/run is, what it says is
not is not, and each target of make that it names is there."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

sys.path.insert(0, str(ROOT / 'tests' / 'support'))
# pylint: disable=wrong-import-position
from tap import Tap


def points():
    """The points of its first list, each as one line."""
    text = (ROOT / 'CONTRIBUTING.md').read_text().partition('\n## ')[0]
    return [' '.join(point.split()) for point in re.split(r'^- ', text, flags=re.MULTILINE)[1:]]


def targets(text):
    return re.findall(r'`make ([a-z-]+)', text)


def main():
    with Tap() as t:
        run = re.findall(r'^make ([a-z-]+)', (ROOT / '.ci' / 'run').read_text(), re.MULTILINE)
        part = next(point for point in points() if '`.ci/run`' in point)
        rest = next(point for point in points() if point.startswith('Not part of it'))
        t.ok(len(run) > 1, f'.ci/run makes {", ".join(run)}')
        t.equal(targets(part), run, 'CONTRIBUTING.md says so')
        t.equal(sorted(set(targets(rest)) & set(run)), [], 'and of none of them that it is no part of it')
        made = {name for line in re.findall(r'^([\w -]+):', (ROOT / 'Makefile').read_text(), re.MULTILINE)
                for name in line.split()}
        named = set(targets((ROOT / 'CONTRIBUTING.md').read_text()))
        t.equal(sorted(named - made), [], f'the Makefile has each of {len(named)} targets that it names')


if __name__ == '__main__':
    main()
