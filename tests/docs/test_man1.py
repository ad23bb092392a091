#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""check_iscsi_snmp(1) against the plug-in: the options and modes of `--help`, and nothing else, are
in the page."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = os.environ.get('PLUGIN_BINARY', str(ROOT / 'build' / 'check_iscsi_snmp'))
PAGE = ROOT / 'docs' / 'man' / 'check_iscsi_snmp.1'

sys.path[:0] = [str(ROOT / 'tests' / 'support'), str(ROOT / 'tests' / 'docs')]
# pylint: disable=wrong-import-position
from tap import Tap
from test_man8 import of_help, of_page


def main():
    with Tap() as t:
        program, page = of_help(PROGRAM), of_page(PAGE)
        t.ok(len(program) > 30, f'--help has {len(program)} options')
        t.equal(sorted(program - page), [], 'each of them has an entry in the page')
        t.equal(sorted(page - program), [], 'the page has no other')
        text = subprocess.run([PROGRAM, '--help'], check=False, capture_output=True,
                              text=True).stdout
        modes = re.findall(r'^ {8}(\w+) {3,}', text, re.M)
        t.ok(len(modes) >= 6, f'--help has {len(modes)} modes')
        described = re.findall(r'^\.It Cm (\w+)$', PAGE.read_text(), re.M)
        t.equal(sorted(described), sorted(modes), 'the page describes them, and no other')


if __name__ == '__main__':
    main()
