#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the other torture tests count as a crash of ours: one that is made on purpose in a call of our
code is, whatever name the program was started by, and one in a call of a library is not. TAP."""

import collections
import os
import re
import signal
import sys
import tempfile
import time

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)),
                os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../support')]
# pylint: disable=wrong-import-position
import lab as laboratory
from process import wait_for
from tap import Tap, measured
from test_torture_commands import SANITIZED, Command
from torture import CALL, CRASH, KINDS, LIBRARY, MEMORY
from torture_lab import AGENT, PATIENCE, SPEED, Scene

LOADED = 10  # of 1 s: the clock is faster, and this machine has other work


def whose(text):
    """Who has made the call, by the names in what is told of a crash."""
    frames = text.partition(': ')[2].split()
    return next((re.split(r'[+.]', frame)[0] for frame in frames
                 if not re.match(r'libc\.so|\S*=__nss_', frame)), None)


def crashes(command, role, kind, numbers):
    """{who has made the call: {(exit status, all crashes, ours)}} of runs with a crash in one of these
    calls."""
    found = collections.defaultdict(set)
    for number in numbers:
        before = command.torture.crashes()
        command.torture.arm(role, kind, number, error=CRASH)
        status = command.run().returncode
        command.torture.disarm(role)
        after = command.torture.crashes()
        found[whose(after[2])].add((status, after[0] - before[0], after[1] - before[1]))
    return found


def test_ours(t, directory, names):
    """The program under each of its names."""
    for what, path in names.items():
        command = Command(path, directory, 'lio', '--dump')
        for kind in (MEMORY, CALL):
            found = crashes(command, 'main', kind, (1, 7))
            t.equal(found['iscsi-agentx'], {(-signal.SIGILL, 1, 1)},
                    f'{what}: a crash of ours in one of its {KINDS[kind]} is counted as ours')


def test_library(t, directory):
    """libnetsnmp reads the configuration, in a child whose end is said."""
    found = crashes(Command(laboratory.AGENT, directory, 'lio', '--dump'), 'child', MEMORY, (1, 51))
    t.equal(found['libnetsnmp'], {(2, 1, 0)}, 'a crash of a library is not counted as ours')


def test_daemon(t, path):
    """A process that has given up all, of a daemon with this name."""
    laboratory.AGENT = path
    with laboratory.Lab() as lab:
        s = Scene(lab)
        s.start()
        s.torture.arm(AGENT, CALL, 1, error=CRASH)
        wait_for(lambda: s.torture.counted(AGENT)[1], PATIENCE, 'the crash', 0.001)
        crashed_at = time.monotonic()
        wait_for(lambda: s.torture.counted(AGENT)[0] > 1, PATIENCE, 'a call of another process', 0.001)
        took = (time.monotonic() - crashed_at) * SPEED
        s.torture.disarm(AGENT)
        t.below(took, LOADED, 'the process is started again, by its clock')
        measured('E19', 'started_again_ms', round(took * 1000))
        wait_for(lab.serving, PATIENCE, 'the agent serves again')
        crashed, mine, where = s.torture.crashes()
        t.equal((crashed, mine), (1, 1), f'a crash of the agent process is counted as ours ({where[:60]})')
        t.equal(s.endings(s.log()), [('agent process', f'was ended by signal {int(signal.SIGILL)}')],
                'and it has ended it')
        t.equal(lab.stop_agent(), 0, 'exit status 0')
        s.host.close()
    t.equal(lab.leftovers, [], 'nothing is left running')


def main():
    with Tap() as t, tempfile.TemporaryDirectory(prefix='iscsi-agentx-crash.') as directory:
        why = laboratory.missing() or (not os.path.exists(LIBRARY) and f'{LIBRARY} is not built')
        if why:
            t.skip_all(why)
        link = os.path.join(directory, 'link')
        os.symlink(os.path.dirname(laboratory.AGENT), link)
        linked = os.path.join(link, os.path.basename(laboratory.AGENT))
        names = {'by its path': laboratory.AGENT, 'by a symbolic link': linked,
                 'by a relative path': os.path.relpath(laboratory.AGENT)}
        if os.path.exists(SANITIZED):
            names['with AddressSanitizer'] = SANITIZED
        test_ours(t, directory, names)
        test_library(t, directory)
        test_daemon(t, linked)


if __name__ == '__main__':
    main()
