#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""iscsi-agentx(8) against the program: the options of `--help`, and nothing else, are in the page;
and its lines for snmpd.conf against the installed ones."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BINARY = os.environ.get('AGENT_BINARY', str(ROOT / 'build' / 'iscsi-agentx'))
PAGE = ROOT / 'docs' / 'man' / 'iscsi-agentx.8'
PRIVATE_OID = '1.3.6.1.4.1.8072.9999.9999.7147'

sys.path.insert(0, str(ROOT / 'tests' / 'support'))
# pylint: disable=wrong-import-position
from tap import Tap


def of_help(program=BINARY):
    """Options of the lines that begin with one: {"-f", "--once", …}."""
    text = subprocess.run([program, '--help'], check=False, capture_output=True, text=True).stdout
    options = set()
    for line in text.splitlines():
        head = re.match(r' {2,6}(-.*?)(  |$| [A-Z]|\[|=)', line)
        if head:
            options |= set(re.findall(r'--?[A-Za-z][a-z-]*', head.group(1)))
    return options


def of_page(page=PAGE):
    """Options that have an entry of their own: `.It Fl x`, `.It Fl -walk Ns …`, `.It Fl h , Fl -help`."""
    options = set()
    for line in page.read_text().splitlines():
        if line.startswith('.It Fl'):
            options |= {'-' + o for o in re.findall(r'Fl (-?[A-Za-z][a-z-]*)', line)}
    return options


def of_program(options):
    """Those that the program does not know."""
    unknown = []
    for option in options:
        done = subprocess.run([BINARY, option], capture_output=True, text=True, timeout=20,
                              env={'PATH': os.environ['PATH'], 'SNMPCONFPATH': '/dev/null'})
        if 'unrecognized option' in done.stderr or 'invalid option' in done.stderr:
            unknown.append(option)
    return unknown


def main():
    with Tap() as t:
        program, page = of_help(), of_page()
        t.ok(len(program) > 15, f'--help has {len(program)} options')
        t.equal(sorted(program - page), [], 'each of them has an entry in the page')
        t.equal(sorted(page - program), [], 'the page has no other')
        # Those that print and end; the others would start a daemon or want an argument.
        t.equal(of_program(sorted(o for o in page if o in (
            '--once', '--dump', '--walk', '--list-columns', '--list-sources', '-H', '-h', '-v',
            '--help', '--version', '--sample-config'))), [], 'the program knows them')
        page_text = PAGE.read_text()
        for word in ('SIGHUP', 'SIGTERM', 'EXIT STATUS'):
            t.ok(word in page_text, f'the page speaks of {word}')
        block = re.search(r'^master agentx\n(.*\n)+?(?=\.Ed)', page_text, re.M)[0]
        drop_in = (ROOT / 'conf/snmpd.conf.d/iscsi-agentx.conf').read_text()
        t.equal(block.replace('.' + PRIVATE_OID, '.@PRIVATE_OID@').splitlines(),
                [line for line in drop_in.splitlines() if re.match('[a-z]', line)],
                'its lines for snmpd.conf are those that are installed')


if __name__ == '__main__':
    main()
