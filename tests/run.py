#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs test programs that speak TAP, and counts.

    tests/run.py [-j N] [--timeout SECONDS] [--save FILE] [--keep DIR] PROGRAM...
    tests/run.py --sum FILE...

A PROGRAM is an executable (cmocka programs are asked for TAP) or a Python script, with its
arguments in the same word if it has any ("program argument"). Each gets one line with its counts
and its time; what a failing one printed follows whole, and the reason of each skip. The last line
is `N passed, N failed, N skipped`: tests, not programs.

A program that ends by a signal, takes longer than the timeout, prints no plan or fewer or more
tests than planned, bails out, or exits with a failure without a failed test has failed once more.

--keep DIR writes what each program printed to DIR, in a file that is named after the program, with
hyphens for slashes, and .tap. --save FILE keeps the counts of the run; --sum FILE... prints the sum
of saved runs as the last line, with one failure for each file that is not there. Exit status: 0
nothing failed, 1 something did, 2 wrong usage.
"""

import argparse
import concurrent.futures
import dataclasses
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time

OUTPUT_LIMIT = 4 << 20  # octets of one program's output that are kept
GRACE = 30              # s for one whose time is up to take away what it has made: a machine is powered off


@dataclasses.dataclass
class Result:
    """What one program printed and how it ended."""
    name: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    output: str = ''
    faults: list = dataclasses.field(default_factory=list)
    skips: list = dataclasses.field(default_factory=list)


class Runner:
    """Runs programs, several at a time, and ends them when it is ended itself."""

    def __init__(self, timeout):
        self.timeout = timeout
        self.running = set()
        self.lock = threading.Lock()
        self.stopping = False

    def stop(self):
        with self.lock:
            self.stopping = True
            for process in self.running:
                end_group(process, signal.SIGTERM)

    def run(self, path):
        """Runs one program to its end or the timeout."""
        result = Result(path)
        started = time.monotonic()
        try:
            status, timed_out = self._execute(path, result)
            judge(result, status, timed_out and self.timeout)
        except OSError as error:
            result.failed += 1
            result.faults.append(f'cannot be run: {error.strerror}')
        result.seconds = time.monotonic() - started
        return result

    def _execute(self, path, result):
        command = shlex.split(path)
        if command[0].endswith('.py'):
            command.insert(0, sys.executable)
        elif os.sep not in command[0]:
            command[0] = os.path.join('.', command[0])
        with self.lock:
            if self.stopping:
                raise OSError(0, 'interrupted')
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, start_new_session=True,
                env=dict(os.environ, CMOCKA_MESSAGE_OUTPUT='TAP'))
            self.running.add(process)
        timed_out = threading.Event()

        def give_up():
            timed_out.set()
            end_group(process, signal.SIGTERM)  # a lab clears up in its handler
            try:
                process.wait(GRACE)
            except subprocess.TimeoutExpired:
                pass
            end_group(process, signal.SIGKILL)

        timer = threading.Timer(self.timeout, give_up)
        timer.daemon = True
        timer.start()
        try:
            result.output = read_all(process.stdout)
            status = process.wait()
        finally:
            timer.cancel()
            with self.lock:
                self.running.discard(process)
        return status, timed_out.is_set()


def end_group(process, number):
    """Sends to the session that run() made; the leader is not reaped yet or never was there."""
    if process.poll() is None or number == signal.SIGKILL:
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            pass


def read_all(stream):
    """Everything until the end; the middle of very long outputs is left out."""
    data = bytearray()
    dropped = 0
    while chunk := stream.read1(65536):
        data += chunk
        if len(data) > OUTPUT_LIMIT:
            middle = OUTPUT_LIMIT // 2
            excess = len(data) - OUTPUT_LIMIT
            del data[middle:middle + excess]
            dropped += excess
    text = data.decode('utf-8', 'replace')
    return text + (f'\n# {dropped} octets of output left out\n' if dropped else '')


def judge(result, status, timeout):
    """Counts the TAP lines and adds a failure for each broken rule."""
    plans = 0
    planned = 0
    for line in result.output.splitlines():
        if match := re.match(r'1\.\.(\d+)\s*(?:#\s*SKIP\S*\s*(.*))?$', line, re.I):
            plans += 1
            planned += int(match.group(1))
            if match.group(1) == '0':
                result.skipped += 1
                planned += 1
                result.skips.append(match.group(2) or 'no reason given')
                if not match.group(2):
                    result.faults.append('no tests at all, and no reason: 1..0 # SKIP WHY says it')
        elif match := re.match(r'(not )?ok\b\s*\d*\s*-?\s*(.*?)(?:#\s*SKIP\S*\s*(.*))?$', line,
                               re.I):
            if match.group(3) is not None:  # cmocka: "not ok 2 # SKIP name"
                result.skipped += 1
                what = ': '.join(t.strip() for t in match.groups()[1:] if t and t.strip())
                result.skips.append(what or 'no reason given')
                if not match.group(3).strip():
                    result.faults.append(f'a skip without a reason: {what}')
            elif match.group(1):
                result.failed += 1
            else:
                result.passed += 1
        elif line.startswith('Bail out!'):
            result.faults.append(line)
    seen = result.passed + result.failed + result.skipped
    if timeout:
        result.faults.append(f'did not end within {timeout:g} s')
    elif status < 0:
        result.faults.append(f'ended by {signal.Signals(-status).name}')
    elif status != 0 and result.failed == 0:
        result.faults.append(f'exit status {status} without a failed test')
    if plans == 0:
        result.faults.append('no plan')
    elif seen != planned:
        result.faults.append(f'{seen} tests, but {planned} planned')
    result.failed += len(result.faults)


def describe(result):
    counts = [f'{result.passed} passed']
    counts += [f'{result.failed} FAILED'] if result.failed else []
    counts += [f'{result.skipped} skipped'] if result.skipped else []
    head = f'{"FAIL" if result.failed else "ok  "} {result.name}'
    lines = [f'{head:<52} {result.seconds:6.2f} s  {", ".join(counts)}']
    if result.failed:
        lines += [f'  | {line}' for line in result.output.splitlines()]
        lines += [f'  ! {fault}' for fault in result.faults]
    lines += [f'  - skipped: {why}' for why in result.skips]
    return '\n'.join(lines)


def keep_output(directory, result):
    os.makedirs(directory, exist_ok=True)
    name = shlex.split(result.name)[0].replace(os.sep, '-') + '.tap'
    with open(os.path.join(directory, name), 'w', encoding='utf-8') as file:
        file.write(result.output)


def last_line(counts):
    return '{} passed, {} failed, {} skipped'.format(*counts)


def sum_up(paths):
    """The sum of saved runs; a run that is not there has failed."""
    total = [0, 0, 0]
    for path in paths:
        try:
            with open(path, encoding='utf-8') as file:
                counts = [int(number) for number in file.read().split()]
            total = [a + b for a, b in zip(total, counts, strict=True)]
        except (OSError, ValueError) as error:
            print(f'run.py: --sum {path}: {error}', file=sys.stderr)
            total[1] += 1
    return total


def finish(counts):
    print(last_line(counts), flush=True)
    return 1 if counts[1] or not sum(counts) else 0


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(description='Run test programs that speak TAP.')
    parser.add_argument('-j', type=int, default=1, metavar='N', help='programs at a time')
    parser.add_argument('--timeout', type=float, default=120, metavar='SECONDS',
                        help='for one program (120)')
    parser.add_argument('--save', metavar='FILE', help='write the counts to this file')
    parser.add_argument('--keep', metavar='DIR', help='write what each program prints there')
    parser.add_argument('--sum', nargs='+', metavar='FILE', help='print the sum of saved runs')
    parser.add_argument('programs', nargs='*', metavar='PROGRAM')
    options = parser.parse_args(arguments)
    if bool(options.sum) == bool(options.programs) or options.j < 1 or options.timeout <= 0:
        parser.error('either programs or --sum FILE...')
    return options


def main(arguments):
    options = parse_arguments(arguments)
    if options.sum:
        return finish(sum_up(options.sum))

    runner = Runner(options.timeout)

    def interrupted(_number, _frame):
        runner.stop()

    signal.signal(signal.SIGINT, interrupted)
    signal.signal(signal.SIGTERM, interrupted)
    counts = [0, 0, 0]
    with concurrent.futures.ThreadPoolExecutor(options.j) as pool:
        for result in pool.map(runner.run, options.programs):
            print(describe(result), flush=True)
            if options.keep:
                keep_output(options.keep, result)
            counts = [counts[0] + result.passed, counts[1] + result.failed,
                      counts[2] + result.skipped]
    if options.save:
        with open(options.save, 'w', encoding='utf-8') as file:
            file.write('{} {} {}\n'.format(*counts))
    return finish(counts)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
