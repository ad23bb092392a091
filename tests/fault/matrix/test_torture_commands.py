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
from torture import BUILD, CALL, KINDS, LIBRARY, MEMORY, Torture
from torture_claims import false_claims

LONG = bool(os.environ.get('FAULT_LONG'))
WANTED = 60
REPORT = 99  # exit status when AddressSanitizer finds something, a leak at the end for example
SANITIZED = os.path.join(BUILD, 'san', 'iscsi-agentx')
FIXTURES = os.path.join(laboratory.TOP, 'tests/fixtures')
SOURCE_OF_TRUTH = {'open-iscsi': 'multipath.tree', 'lio': 'login-failures.tree',
                   'scst': 'two-targets.tree'}
# What is told of a source, of the agent itself and of all in sum; how many rows there are; the words
# about a session, which are fewer when less is known.
PRIVATE = snmp.dotted(snmp.oid(laboratory.PRIVATE_ROOT) + (1, 1))
OTHER = re.compile(re.escape(PRIVATE) + r'\.([1268]\.|4\.1\.2\.)'
                   r'|^\.1\.3\.6\.1\.2\.1\.142\.1\.1\.1\.1\.[789]\.')


class Command:
    """One command line; what it prints when nothing fails."""

    def __init__(self, program, directory, source, *arguments):
        self.program, self.directory, self.arguments = program, directory, arguments
        self.torture = Torture(os.path.join(directory, 'torture'), ('main', 'child'))
        self.config = os.path.join(directory, f'{source}.conf')
        with open(self.config, 'w', encoding='utf-8') as file:
            file.write(f'sources {source}\nstateDir {directory}/state\nrunDir {directory}/run\n'
                       f'agentXSocket {directory}/none\n')
        self.root = os.path.join(FIXTURES, source, SOURCE_OF_TRUTH[source])
        self.good = self.run().stdout
        self.truth = set(self.good.splitlines())

    def run(self):
        return subprocess.run(
            [self.program, '-C', '-c', self.config, '--root', self.root, *self.arguments],
            capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL,
            env=dict(os.environ, **self.torture.environment(), LC_ALL='C',
                     SNMP_PERSISTENT_DIR='/dev/null', SNMPCONFPATH='/dev/null',
                     ASAN_OPTIONS=f'verify_asan_link_order=0:handle_segv=0:exitcode={REPORT}'))

    def count(self, role, kind):
        self.torture.arm(role, kind, 0)
        self.run()
        return self.torture.disarm(role)[0]


def judge(command, done, what):
    """What is wrong with a run in which something failed, or None."""
    if done.returncode < 0:
        return f'{what}: ended by signal {-done.returncode}: {command.torture.crashes()[2]}'
    if done.returncode == REPORT:
        return f'{what}: {done.stderr[-1500:]}'
    if done.returncode == 0 and '--record' not in command.arguments and not done.stdout:
        return f'{what}: success, but nothing is printed'
    if done.returncode and not done.stderr.strip() and not done.stdout.strip():
        return f'{what}: exit status {done.returncode} without a word'
    false = []
    if '--walk' in command.arguments:
        false = [line for line in done.stdout.splitlines()
                 if line not in command.truth and not OTHER.search(line)]
    elif command.arguments[0].startswith('--dump') and done.returncode == 0:
        false = false_claims(command.arguments[0], done.stdout, command.good)
    return f'{what}: prints {false[:3]}' if false else None


class Suite:
    """All commands, one after the other."""

    def __init__(self, t, directory):
        self.t, self.directory = t, directory
        self.failed = self.crashes = self.tried = 0

    def one(self, command, role, kind, wanted):
        """Runs of one command; (what is wrong, how many of which exit status, calls there are)."""
        count, wrong, statuses = command.count(role, kind), [], {}
        wanted = count if LONG else min(count, wanted)
        for turn in range(wanted):
            command.torture.arm(role, kind, 1 + turn * count // wanted)
            try:
                done = command.run()
            except subprocess.TimeoutExpired:
                wrong.append(f'call {1 + turn * count // wanted}: hangs')
                continue
            _, happened, function = command.torture.disarm(role)
            self.failed += happened
            statuses[done.returncode] = statuses.get(done.returncode, 0) + 1
            found = judge(command, done, f'call {1 + turn * count // wanted} ({function})')
            if found:
                wrong.append(found)
        return wrong, statuses, f'{wanted} of {count}'

    def command(self, source, *arguments):
        command = Command(laboratory.AGENT, self.directory, source, *arguments)
        for role, where in (('main', 'the program'), ('child', 'the reader of the configuration')):
            for kind in (MEMORY, CALL):
                # The reader of the configuration does the same for each command.
                wanted = WANTED if role == 'main' else WANTED // 10 if self.tried else 1000
                wrong, statuses, parts = self.one(command, role, kind, wanted)
                self.t.equal(wrong[:5], [], f'{arguments[0]} of {source}: {parts} {KINDS[kind]} in '
                             f'{where} fail, exit statuses {statuses}')
        self.tried += 1
        crashes, mine, where = command.torture.crashes()
        self.t.equal(mine, 0, f'{arguments[0]} of {source}: no crash of ours, {crashes - mine} of libraries '
                     f'({where[:60]})')
        self.crashes += crashes - mine

    def sanitized(self, source, *arguments):
        """With AddressSanitizer: nothing is used after its end, and all is given back."""
        command = Command(SANITIZED, self.directory, source, *arguments)
        for kind in (MEMORY, CALL):
            wrong, statuses, parts = self.one(command, 'main', kind, WANTED // 2)
            self.t.equal(wrong[:2], [], f'{arguments[0]} of {source} with AddressSanitizer: {parts} '
                         f'{KINDS[kind]} fail, exit statuses {statuses}')
        _, mine, _ = command.torture.crashes()
        self.t.equal(mine, 0, f'{arguments[0]} of {source} with AddressSanitizer: no crash of ours')


def main():
    with Tap() as t, tempfile.TemporaryDirectory(prefix='iscsi-agentx-torture.') as directory:
        if not os.path.exists(LIBRARY):
            t.skip_all(f'{LIBRARY} is not built')
        suite = Suite(t, directory)
        suite.command('open-iscsi', '--dump')
        suite.command('lio', '--walk')
        suite.command('scst', '--dump=json')
        suite.command('open-iscsi', '--walk')
        suite.command('scst', '--once')
        suite.command('open-iscsi', '--check')
        suite.command('lio', '--dump=prom')
        suite.command('open-iscsi', '--record', os.path.join(directory, 'record'))
        if os.path.exists(SANITIZED):
            for source in SOURCE_OF_TRUTH:
                suite.sanitized(source, '--walk')
                suite.sanitized(source, '--record', os.path.join(directory, 'record'))
        else:
            t.skip('leaks', f'{SANITIZED} is not built')
        t.ok(suite.failed > 300, f'{suite.failed} calls failed')
        measured('E19', 'commands_failed_count', suite.failed)
        measured('E19', 'commands_crashes_of_libraries_count', suite.crashes)


if __name__ == '__main__':
    main()
