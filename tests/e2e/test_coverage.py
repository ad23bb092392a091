#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""src/source/tgt.coverage, from which docs/COVERAGE.md is made, against a walk of a real tgtd with
sessions: what it calls a hole is never there, what has no rows has none, everything else is there.
docs/COVERAGE.md is what is made from it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / 'tests' / 'support'))
sys.path.insert(0, str(ROOT / 'docs'))
# pylint: disable=wrong-import-position
import lab as laboratory
import make_coverage
from initiator import session
from tap import Tap

NAME = 'iqn.2004-10.org.example:'
# tgtd's count of responses is 0 and not true; a one-shot walk has seen no session begin.
NOT_HERE = {'iscsiSsnRspPDUs', 'iscsiSsnPropInstallDate'}
if not laboratory.IPV6:
    # Of two connections between the same addresses tgtd does not tell which session has which port.
    NOT_HERE |= {'iscsiCxnRemotePort', 'iscsiPathRemotePort'}


def served_columns(lab):
    """The names of the columns that a walk shows."""
    names = {}
    listing = lab.run_agent('--list-columns').stdout
    for line in listing.splitlines():
        fields = line.split('\t')
        if fields[0] == 'column':
            names['.' + fields[4]] = fields[5]
    found = set()
    for line in lab.run_agent('--walk').stdout.splitlines():
        if not line.startswith('.1.3.6'):
            continue
        parts = line.split(' ', 1)[0].split('.')
        for length in range(len(parts), 1, -1):
            name = names.get('.'.join(parts[:length]))
            if name:
                found.add(name)
                break
    return found


def main():
    with Tap() as t:
        why = laboratory.missing()
        if why:
            t.skip_all(why)
        with laboratory.Lab() as lab:
            tgtd = lab.start_tgtd()
            tgtd.add_target(NAME + 'disk-a')
            tgtd.add_target(NAME + 'disk-b', names=[NAME + 'host-2'],
                            parameters=[('ImmediateData', 'No')])
            v4, v6 = tgtd.both_portals()
            lab.start_initiator(session(v6, NAME + 'disk-a', NAME + 'host-1', alias='x'),
                                session(v4, NAME + 'disk-b', NAME + 'host-2'))
            binary = laboratory.AGENT
            columns = make_coverage.read_columns(binary)
            lab.write_agent_config()
            promised = make_coverage.read_coverage(ROOT / 'src' / 'source' / 'tgt.coverage', columns)
            served = served_columns(lab)
        for status in ('value', 'constant', 'nothing'):
            missing = sorted(c for c, p in promised.items()
                             if p[0] == status and c not in served | NOT_HERE)
            t.equal(missing, [], f'every column of the kind "{status}" is there')
        for status in ('hole', 'norows'):
            there = sorted(c for c, p in promised.items() if p[0] == status and c in served)
            t.equal(there, [], f'no column of the kind "{status}" is there')
        t.ok('iscsiSsnRspPDUs' not in served, 'iscsiSsnRspPDUs is not there: tgtd\'s 0 is not true')
        coverage = sorted(str(p) for p in (ROOT / 'src' / 'source').glob('*.coverage'))
        made = subprocess.run([sys.executable, str(ROOT / 'docs' / 'make_coverage.py'), binary,
                               *coverage], check=True, capture_output=True, text=True).stdout
        t.ok(made == (ROOT / 'docs' / 'COVERAGE.md').read_text(),
             'docs/COVERAGE.md is up to date (make docs/COVERAGE.md)')
        t.equal(lab.leftovers, [], 'nothing is left running')


if __name__ == '__main__':
    main()
