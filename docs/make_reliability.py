#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""docs/RELIABILITY.md from the fault matrix and what its tests printed (tests/run.py --keep DIR).

    make_reliability.py --programs         the programs of the matrix that make check and make
                                           check-fault run, one a line
    make_reliability.py --show DIR [COUNTS]  the matrix as text: which test shows each row, and how it
                                           went if its output is in DIR; a test that is missing in it
                                           is one more failure in COUNTS (tests/run.py --save)
    make_reliability.py DIR                the document; every program must have been run

Exit status: 0, or 1 when a test of make check-fault failed (--show), or any failed or did not run, or
a goal was missed (the document; it is printed all the same then).
"""

import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, 'tests', 'fault', 'matrix'))
# pylint: disable=wrong-import-position
import matrix

HEAD = '''# Reliability

What can go wrong around the agent, what must hold then, and what was measured. Each row of this
matrix is an automated test. `make check-fault` runs those that take longer, `make check` the others;
both are part of `.ci/run`. This file is written by `make docs/RELIABILITY.md`, which runs the tests
that it names, from [tests/fault/matrix](../tests/fault/matrix).

The column "plain libnetsnmpagent" is what a subagent does that is written in the documented way
(`agent_check_and_process(1)`), with net-snmp 5.9.3 of Debian 12: measured once, elsewhere, with a
test program of 103 lines. For sources it is what the usual way of reading does. The column "measured"
is of the run that wrote this file, through the snmpd 5.9.3 of Debian 12 or a false master, on a
machine with {processors} processors that had other work too. In the times of answers and of silence of E8, S3, S4, S5 and
S11 is not what the processes concerned waited for a processor that was at work for others.

A test fails beyond a bound that is often wider than what is required here, by up to 20 times where it is a
time: it has to hold on any machine, with any other work. Whether what is required was reached is
what the goals say, of the run that wrote this file: `make` writes it only when all of them were.
'''


def output_of(directory, program):
    """What a program printed, None when it was not run."""
    try:
        with open(os.path.join(directory, program.replace('/', '-') + '.tap'),
                  encoding='utf-8') as file:
            return file.read()
    except FileNotFoundError:
        return None


class Outputs:
    """What the programs of one run printed: verdicts and measured values."""

    def __init__(self, directory):
        self.directory, self.texts, self.values = directory, {}, {}
        for row in matrix.rows():
            for file, _ in row.shown:
                self.add(matrix.program(file))

    def add(self, program):
        if program in self.texts:
            return
        text = self.texts[program] = output_of(self.directory, program)
        for row, key, value in re.findall(r'^# measured (\w+) (\w+) (\S+)$', text or '', re.M):
            if (row, key) in self.values:
                raise SystemExit(f'{program}: {row} {key} was measured twice')
            self.values[row, key] = value

    def verdict(self, file, text):
        """ok, FAILED, skipped, not run, or missing: it ran, and no such test was in it."""
        output = self.texts[matrix.program(file)]
        if output is None:
            return 'not run'
        found = [line for line in re.findall(r'^(?:not )?ok\b.*$', output, re.M) if text in line]
        if not found:
            return 'skipped' if re.search(r'^1\.\.0 # SKIP', output, re.M) else 'missing'
        if any(line.startswith('not ok') for line in found):
            return 'FAILED'
        return 'skipped' if all('# SKIP' in line for line in found) else 'ok'


def number(text):
    """With commas, as the documents have it."""
    return f'{int(text):,}' if re.fullmatch(r'\d{4,}', text) else text


def measured_words(row, outputs):
    return [words.format(number(outputs.values[row.id, key])) for key, words in row.measured
            if (row.id, key) in outputs.values]


def add_failures(path, number):
    """Adds to the counts of a run. The other failures are there: their programs said so themselves."""
    with open(path, encoding='utf-8') as file:
        passed, failed, skipped = map(int, file.read().split())
    with open(path, 'w', encoding='utf-8') as file:
        file.write(f'{passed} {failed + number} {skipped}\n')


def show(directory, counts=None):
    outputs, bad, count, missing = Outputs(directory), 0, 0, 0
    for row in matrix.rows():
        print(f'{row.id:4} {row.fault}')
        for file, text in row.shown:
            verdict = outputs.verdict(file, text)
            # Others may be of an earlier run.
            ours = matrix.target(file) == 'check-fault'
            bad += verdict in ('FAILED', 'missing') and ours
            missing += verdict == 'missing' and ours
            count += 1
            where = f'make {matrix.target(file)}' if verdict == 'not run' else verdict
            print(f'     {where:16} tests/{file}: {text.strip(" :,")}')
        words = '; '.join(measured_words(row, outputs))
        if words:
            print(f'     measured         {words}')
    print(f'{len(matrix.rows())} faults, shown by {count} tests; {bad} of them failed here')
    if counts and missing:
        add_failures(counts, missing)
    return 1 if bad else 0


def cell(text):
    return text.replace('|', '\\|')


def reached(goal, outputs):
    value = float(outputs.values[goal.row, goal.key])
    below = goal.goal.startswith('<') and not goal.goal.startswith('<=')
    return value < goal.limit if below else value <= goal.limit


def goal_lines(outputs):
    yield '| measure | goal | measured | reached |'
    yield '|---|---|---|---|'
    for goal in matrix.goals():
        value = outputs.values[goal.row, goal.key]
        unit = 's' if goal.key.endswith('_s') else 'ms' if '_ms' in goal.key else \
            'KiB' if goal.key.endswith('_kib') else ''
        yield (f'| {cell(goal.measure)} ({goal.row}) | {cell(goal.goal)} | '
               f'{number(value)} {unit}'.rstrip() +
               f' | {"yes" if reached(goal, outputs) else "**no**"} |')


TORTURE = '''
## Torture

E19 is a sample: each call of each process fails once with FAULT_LONG=1 (`make check-torture`), which takes
hours. What was counted is the calls of one poll and of what follows when the host changes. Before version
0.9.0, on a machine with much other work:

- The agent while it serves: each allocation alone (346 rounds, in each of which calls of several processes
  fail), each system call alone (1,135), each interrupted (1,135), and 40 of them in a row (77): 12,170 calls.
  No crash, no false value in 6,067 walks; 138 times a process was started again. All was back each time but
  after five of the 77, when two values of LIO's targets stayed unknown until the next login: mended, and all
  was back in 136 such rounds since.
- Starts: up to 600 of the calls of each process, evenly, all of the parent and of the child that reads the
  configuration: 4,790 calls in 1,432 starts. 1,346 served, 84 ended with a message, 2 by a crash of libc; no
  crash of ours, no false value in 5,207 walks. Libraries crashed 48 times. Found and mended before: one
  refused allocation lost the saved index numbers, a unit that failed first had sessions that began "now",
  a path whose session could not be read counted as missing.
- Commands (--dump, --walk, --once, --check): all 8,597 calls. No crash of ours, also with
  AddressSanitizer, no leak, no false line. Libraries crashed 240 times, all in the process that reads the
  configuration.
- None of these were opens and listings of directories: sources make them by syscall(2), which was not
  among the calls that fail. Now it is: each of one poll (399), and 919 while readers start, one after the
  other: no crash, and all was back each time. Found and mended: an open of iscsi-scstd's files that was
  refused made it a stranger's daemon, and gave sessions other numbers for one poll; one of multipathd's
  made it absent.
- With AddressSanitizer and UndefinedBehaviorSanitizer in all processes, while it serves, only the sample; a
  sanitized build has no filter of system calls.
'''


def document(directory):
    outputs, faults = Outputs(directory), []
    for row in matrix.rows():
        faults += [f'{row.id}: tests/{file}: {text}: {verdict}' for file, text in row.shown
                   for verdict in [outputs.verdict(file, text)]
                   if verdict != 'ok' and matrix.target(file) in ('check', 'check-fault')]
        faults += [f'{row.id}: {key} was not measured' for key, _ in row.measured
                   if (row.id, key) not in outputs.values]
    if faults:
        print('\n'.join(faults), file=sys.stderr)
        return 1
    print(HEAD.format(processors=os.cpu_count()))
    print('## Goals\n')
    print('\n'.join(goal_lines(outputs)))
    print('\n## The matrix\n')
    print('| # | fault | plain libnetsnmpagent | required | measured |\n|---|---|---|---|---|')
    for row in matrix.rows():
        words = '; '.join(measured_words(row, outputs)) or 'as required'
        print(f'| {row.id} | ' + ' | '.join(cell(text) for text in (
            row.fault, row.plain or 'not known', row.required, words)) + ' |')
    print('\n## Which test shows what\n')
    print('| # | test | run by |\n|---|---|---|')
    for row in matrix.rows():
        for file, text in row.shown:
            print(f'| {row.id} | [{file}](../tests/{file}): {cell(text.strip(" :,"))} | '
                  f'make {matrix.target(file)} |')
    print(TORTURE, end='')
    missed = [goal for goal in matrix.goals() if not reached(goal, outputs)]
    for goal in missed:
        print(f'{goal.row}: the goal "{goal.measure} {goal.goal}" was missed: '
              f'{outputs.values[goal.row, goal.key]}', file=sys.stderr)
    return 1 if missed else 0


def main(arguments):
    if arguments == ['--programs']:
        files = dict.fromkeys(file for row in matrix.rows() for file, _ in row.shown)
        print('\n'.join(matrix.program(file) for file in files
                        if matrix.target(file) in ('check', 'check-fault')))
        return 0
    if len(arguments) in (2, 3) and arguments[0] == '--show':
        return show(*arguments[1:])
    if len(arguments) == 1 and not arguments[0].startswith('-'):
        return document(arguments[0])
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
