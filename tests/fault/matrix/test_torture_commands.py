#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The commands that end by themselves (--dump, --walk, --once, --check, --record) with one allocation or
one system call failing, in turn, in the process itself and in the child that reads the
configuration: none crashes or hangs, and none prints what is not so; one that fails says why. By
default some, evenly; FAULT_LONG=1: each one. TAP."""

import os
import re
import subprocess
import sys
import tempfile

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)),
                os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../support')]
# pylint: disable=wrong-import-position
import lab as laboratory
import snmp
from tap import Tap, measured
from torture import CALL, KINDS, LIBRARY, MEMORY, Torture

LONG = bool(os.environ.get('FAULT_LONG'))
WANTED = 60
FIXTURES = os.path.join(laboratory.TOP, 'tests/fixtures')
SOURCE_OF_TRUTH = {'open-iscsi': 'multipath.tree', 'lio': 'login-failures.tree',
                   'scst': 'two-targets.tree'}
# What is told of a source, of the agent itself and of all in sum; how many rows there are; of the words
# about a session those that say '?' for what is not known.
PRIVATE = snmp.dotted(snmp.oid(laboratory.PRIVATE_ROOT) + (1, 1))
OTHER = re.compile(re.escape(PRIVATE) + r'\.([1268]\.|4\.1\.2\..*\?)|^source '
                   r'|^\.1\.3\.6\.1\.2\.1\.142\.1\.1\.1\.1\.[789]\.')


def objects(text):
    """The lines about objects: not the sums over them."""
    return re.sub(r'^summary 0\n(  .*\n)*', '', text, flags=re.M).splitlines()


class Command:
    """One command line; what it prints when nothing fails."""

    def __init__(self, directory, source, *arguments):
        self.directory, self.arguments = directory, arguments
        self.torture = Torture(os.path.join(directory, 'torture'), ('main', 'child'))
        self.config = os.path.join(directory, f'{source}.conf')
        with open(self.config, 'w', encoding='utf-8') as file:
            file.write(f'sources {source}\nstateDir {directory}/state\nrunDir {directory}/run\n'
                       f'agentXSocket {directory}/none\n')
        self.root = os.path.join(FIXTURES, source, SOURCE_OF_TRUTH[source])
        self.truth = set(objects(self.run().stdout))

    def run(self):
        return subprocess.run(
            [laboratory.AGENT, '-C', '-c', self.config, '--root', self.root, *self.arguments],
            capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL,
            env=dict(os.environ, **self.torture.environment(), LC_ALL='C',
                     SNMP_PERSISTENT_DIR='/dev/null', SNMPCONFPATH='/dev/null'))

    def count(self, role, kind):
        self.torture.arm(role, kind, 0)
        self.run()
        return self.torture.disarm(role)[0]


def judge(command, done, what):
    """What is wrong with a run in which something failed, or None."""
    if done.returncode < 0:
        return f'{what}: ended by signal {-done.returncode}: {command.torture.crashes()[2]}'
    if done.returncode == 0 and '--record' not in command.arguments and not done.stdout:
        return f'{what}: success, but nothing is printed'
    if done.returncode and not done.stderr.strip() and not done.stdout.strip():
        return f'{what}: exit status {done.returncode} without a word'
    if '--walk' in command.arguments or '--dump' in command.arguments:
        false = [line for line in objects(done.stdout)
                 if line not in command.truth and not OTHER.search(line)]
        if false:
            return f'{what}: prints {false[:3]}'
    return None


def main():
    with Tap() as t, tempfile.TemporaryDirectory(prefix='iscsi-agentx-torture.') as directory:
        if not os.path.exists(LIBRARY):
            t.skip_all(f'{LIBRARY} is not built')
        failed = crashes = tried = 0
        for source, arguments in (('open-iscsi', ['--dump']), ('lio', ['--walk']),
                                  ('scst', ['--dump=json']), ('open-iscsi', ['--walk']),
                                  ('scst', ['--once']), ('open-iscsi', ['--check']),
                                  ('lio', ['--dump=prom']),
                                  ('open-iscsi', ['--record', os.path.join(directory, 'record')])):
            command = Command(directory, source, *arguments)
            for role, kind in (('main', MEMORY), ('main', CALL), ('child', MEMORY),
                               ('child', CALL)):
                count, wrong, statuses = command.count(role, kind), [], {}
                # The reader of the configuration does the same for each command.
                part = WANTED if role == 'main' else WANTED // 10 if tried else count
                wanted = count if LONG else min(count, part)
                for turn in range(wanted):
                    number = 1 + turn * count // wanted
                    command.torture.arm(role, kind, number)
                    try:
                        done = command.run()
                    except subprocess.TimeoutExpired:
                        wrong.append(f'call {number}: hangs')
                        continue
                    _, happened, function = command.torture.disarm(role)
                    failed += happened
                    statuses[done.returncode] = statuses.get(done.returncode, 0) + 1
                    what = f'call {number} ({function})'
                    found = judge(command, done, what)
                    if found:
                        wrong.append(found)
                name = f'{" ".join(arguments[:1])} of {source}: {wanted} of {count} {KINDS[kind]} in '
                t.equal(wrong[:5], [], name + ('the program' if role == 'main' else
                                               'the reader of the configuration')
                        + f' fail, exit statuses {statuses}')
            tried += 1
            crashes += command.torture.crashes()[1]
        t.ok(failed > 300, f'{failed} calls failed')
        measured('E19', 'commands_failed_count', failed)
        measured('E19', 'commands_crashes_count', crashes)


if __name__ == '__main__':
    main()
