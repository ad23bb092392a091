#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The tools of the benchmark measure what they say, on a few sessions. TAP. What they count without
a clock is held here as well: system calls of a request and of a poll."""

import io
import contextlib
import json
import os
import re
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
import measures
import results
from subject import SETTINGS, Subject, Trees, laboratory
from tap import Tap

SESSIONS = 20
# What changes in a session: its state, that of its target, connection and disk, the status number
# and port that tell of a new login, four counts and the access state of the disk. Twelve with its
# part of asking for what TCP measures.
STEADY = 11
# Listings, the hosts and what is read once a poll, and 16 disks that are asked which map is on them
# (five calls each), shared by 20 sessions.
SHARED = (48 + 16 * 5) / SESSIONS


def objects(lab, tree):
    """{kind: number} of what --dump shows."""
    lab.write_agent_config(**SETTINGS)
    shown = json.loads(lab.run_agent('--root', tree, '--dump=json').stdout)
    return {kind: len(rows) for kind, rows in shown.items()}


def test_trees(t, lab, trees):
    recording = objects(lab, trees.make(SESSIONS))
    t.equal([recording[kind] for kind in ('sessions', 'connections', 'devices', 'paths')],
            [SESSIONS] * 4, 'a replicated host has its sessions, connections, disks and paths')
    t.equal(objects(lab, trees.make(SESSIONS, directory=True)), recording,
            'as a directory it is the same host')


def test_speaker(t, lab, trees):
    tree = trees.make(SESSIONS, lean=True)
    columns = measures.columns_of(lab, trees)
    text = measures.walk_text(lab, tree)
    values = len(re.findall(rf'^\.{re.escape(measures.WALK)}\.', text, re.MULTILINE))
    one = Subject(lab, tree)
    t.equal(one.ask('walk', measures.WALK)[:2], [values + 1, values],
            'the speaker walks over what --walk shows, with one PDU more for the end')
    t.equal(one.ask('next', 26 * SESSIONS, *columns)[:2], [SESSIONS, 26 * SESSIONS],
            'a GetNext has a varbind for each column')
    t.equal(one.ask('get', 20, 100, SESSIONS, columns[0])[:2], [5, 100], 'a Get has 20')
    t.equal(one.ask('bulk', 10, SESSIONS, columns[0])[:2], [2, SESSIONS],
            'a GetBulk has one for each repetition')
    one.close()


def test_counts(t, lab, trees):
    calls = measures.system_calls(lab, trees)['system calls per PDU']
    t.below(calls, 3.1, 'system calls for a request', 'calls')
    tree = trees.make(SESSIONS, directory=True)
    first, second = (measures.poll_calls(lab, tree, count) for count in (1, 2))
    t.below((second - first) / SESSIONS, STEADY + SHARED,
            'system calls for a session in a steady poll', 'calls')


def test_report(t):
    name = 'instructions, 1 column, N=100'
    with contextlib.redirect_stdout(io.StringIO()) as out:
        worse = results.report({name: 1111.0, 'system calls per PDU': 9.0},
                               {name: 1000.0, 'system calls per PDU': 3.0})
    t.equal(len(worse), 1, 'more instructions than a tenth above those before are a failure')
    t.ok('+11.1 %' in out.getvalue() and 'goal <= 4: no' in out.getvalue(),
         'change and goal are printed', out.getvalue())


def main():
    with Tap() as t:
        why = laboratory.missing()
        if not why and not shutil.which('strace'):
            why = 'strace is not installed (package strace)'
        if why:
            t.skip_all(why)
        with laboratory.Lab() as lab:
            trees = Trees(lab.directory)
            test_trees(t, lab, trees)
            test_speaker(t, lab, trees)
            test_counts(t, lab, trees)
        t.equal(lab.leftovers, [], 'nothing is left running')
        test_report(t)


if __name__ == '__main__':
    main()
