# SPDX-License-Identifier: BSD-2-Clause
"""The test runner tested: what it must count, and what it must not let through."""

import os
import signal
import subprocess
import sys
import tempfile
import time

from process import wait_for
from tap import Tap

RUN = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'run.py')


class Bench:
    """Small programs in a directory, given to the runner."""

    def __init__(self, directory):
        self.directory = directory
        self.number = 0

    def program(self, body, shell=True):
        """A program; its path."""
        self.number += 1
        suffix, head = ('sh', '#!/bin/sh\n') if shell else ('py', '')
        path = os.path.join(self.directory, f'program{self.number}.{suffix}')
        with open(path, 'w', encoding='utf-8') as file:
            file.write(head + body)
        os.chmod(path, 0o755)
        return path

    @staticmethod
    def run(*arguments):
        """(exit status, all lines)"""
        done = subprocess.run([sys.executable, RUN, *arguments], capture_output=True, text=True,
                              timeout=60, check=False)
        return done.returncode, done.stdout.splitlines()


def test_counts(t, b):
    good = b.program('echo 1..2; echo "ok 1 - a"; echo "ok 2 - b"')
    status, lines = b.run(good)
    t.equal((status, lines[-1]), (0, '2 passed, 0 failed, 0 skipped'), 'passed tests are counted')
    t.ok(len(lines) == 2 and good in lines[0], 'a good program has one line', lines)

    bad = b.program('echo 1..2; echo "not ok 1 - a"; echo "# why"; echo "ok 2 - b"; exit 1')
    status, lines = b.run(good, bad)
    t.equal((status, lines[-1]), (1, '3 passed, 1 failed, 0 skipped'), 'failed tests are counted')
    t.ok(any('# why' in line for line in lines), 'the output of a failing program is shown')

    late = b.program("print('ok 1 - a')\nprint('1..1')\n", shell=False)
    t.equal(b.run(late)[1][-1], '1 passed, 0 failed, 0 skipped',
            'Python scripts run, and the plan may come last')

    groups = b.program('echo 1..1; echo "ok 1 - a"; echo 1..2; echo "ok 1 - b"; echo "ok 2 - c"')
    t.equal(b.run(groups)[1][-1], '3 passed, 0 failed, 0 skipped', 'plans of groups add up')


def test_skips(t, b):
    skip = b.program('echo 1..3; echo "ok 1 - a # SKIP no snmpd"; echo "not ok 2 # SKIP b"; '
                     'echo "ok 3 - c"')
    status, lines = b.run(skip)
    t.equal((status, lines[-1]), (0, '1 passed, 0 failed, 2 skipped'),
            'skips are counted, those of cmocka too')
    t.ok(any('no snmpd' in line for line in lines[1:]), 'the reason of a skip is shown', lines)
    whole = b.program('echo "1..0 # SKIP needs root"')
    status, lines = b.run(whole)
    t.equal((status, lines[-1]), (0, '0 passed, 0 failed, 1 skipped'),
            'a program that skips all is one skip')
    t.ok('  - skipped: needs root' in lines, 'and says why', lines)


def test_broken_programs(t, b):
    one = 'echo "ok 1 - a"; '
    broken = {
        'no output': 'true',
        'no plan': one,
        'a short plan': f'echo 1..2; {one}',
        'more tests than planned': f'echo 1..1; {one}{one}',
        'an exit status without a failed test': f'echo 1..1; {one}exit 3',
        'a crash after the last test': f'echo 1..1; {one}kill -SEGV $$',
        'a crash in the middle': f'echo 1..2; {one}kill -ABRT $$',
        'Bail out!': f'echo 1..1; {one}echo "Bail out! no disk"',
        'no tests, and no word of why': 'echo 1..0',
        'a skip without a reason': f'echo 1..2; {one}echo "ok 2 - b # SKIP"',
    }
    for what, body in broken.items():
        status, lines = b.run(b.program(body))
        failed = int(lines[-1].split()[2])
        t.ok(status == 1 and failed >= 1, f'{what} is a failure', lines)
        if 'crash' in what:
            t.ok(any(line.startswith('  ! ended by SIG') for line in lines),
                 f'the signal of {what} is named', lines)
    status, lines = b.run(os.path.join(b.directory, 'absent'))
    t.ok(status == 1 and lines[-1] == '0 passed, 1 failed, 0 skipped',
         'a program that does not exist is a failure', lines)


def test_timeout(t, b):
    slow = b.program('echo 1..1; sleep 60 & echo "ok 1 - a"; sleep 60')
    started = time.monotonic()
    status, lines = b.run('--timeout', '0.5', slow)
    t.equal((status, lines[-1]), (1, '1 passed, 1 failed, 0 skipped'), 'a timeout is a failure')
    t.ok('  ! did not end within 0.5 s' in lines, 'and is named', lines)
    t.below(time.monotonic() - started, 10, 'the program is ended with all it started')


def test_parallel(t, b):
    naps = [b.program('echo 1..1; sleep 1; echo "ok 1 - a"') for _ in range(4)]
    started = time.monotonic()
    _, lines = b.run('-j', '4', *naps)
    t.below(time.monotonic() - started, 3, 'four programs run at a time')
    t.equal([line.split()[1] for line in lines[:4]], naps, 'and are shown in the given order')


def test_sum(t, b):
    first, second = (os.path.join(b.directory, name) for name in ('first', 'second'))
    good = b.program('echo 1..1; echo "ok 1 - a"')
    bad = b.program('echo 1..2; echo "not ok 1 - a"; echo "ok 2 - b # SKIP x"; exit 1')
    b.run('--save', first, good, good)
    b.run('--save', second, bad, bad)
    b.run('--save', second, good, bad)
    status, lines = b.run('--sum', first, second)
    t.equal((status, lines), (1, ['3 passed, 1 failed, 1 skipped']), 'saved runs add up')
    t.equal(b.run('--sum', first), (0, ['2 passed, 0 failed, 0 skipped']), 'one run is a sum')
    status, lines = b.run('--sum', first, os.path.join(b.directory, 'absent'))
    t.equal((status, lines[-1]), (1, '2 passed, 1 failed, 0 skipped'),
            'a run that was not saved is a failure')
    t.equal(b.run()[0], 2, 'no program at all is wrong usage')


VICTIM = """
import os, signal, subprocess, sys, tempfile, time
sys.path.insert(0, {support!r})
from tap import Tap
for number in Tap.ENDING:
    signal.signal(number, signal.SIG_DFL)  # below nohup one of them is ignored
{before}
with Tap() as t, tempfile.TemporaryDirectory() as directory:
    t.ok(True, 'a')
    {begin}
    print('#', directory, flush=True)
    {wait}
    t.ok(True, 'b')
"""
WAIT = "subprocess.run(['sleep', '60'])"
ENDS = {
    # what: (before the block, in it, what it waits for, exit status, failed, the last test)
    'a test program': ('', '', WAIT, 1, 1, 'ended early: ended by {}'),
    # The signal that is ignored has come before the end of the sleep.
    'one that ignores it': ('signal.signal(signal.{name}, signal.SIG_IGN)', '', 'time.sleep(1)', 0, 0, 'b'),
    'one with a handler': ('signal.signal(signal.{name}, lambda *_: seen.append(1)); seen = []', '',
                           'while not seen: time.sleep(0.01)', 0, 0, 'b'),
    'one that forked': ('', 'ready, tell = os.pipe(); child = os.fork()\n'
                        '    if not child: os.write(tell, b"x"); time.sleep(60)\n'
                        '    os.read(ready, 1); os.kill(child, signal.{name}); status = os.waitpid(child, 0)[1]\n'
                        '    t.equal(os.WTERMSIG(status), signal.{name}, "child")', WAIT, 1, 1,
                        'ended early: ended by {}'),
}


def test_end(t, b):
    """What a program of ours has made is taken away when it is ended."""
    for name in ('SIGTERM', 'SIGHUP'):
        for what, (before, begin, wait, status, failed, last) in ENDS.items():
            path = b.program(VICTIM.format(support=os.path.dirname(os.path.abspath(__file__)), wait=wait,
                                           before=before.format(name=name), begin=begin.format(name=name)),
                             shell=False)
            with subprocess.Popen([sys.executable, path], stdout=subprocess.PIPE, text=True,
                                  start_new_session=True) as victim:
                lines = []
                while not lines or not lines[-1].startswith('# /'):
                    lines.append(victim.stdout.readline())
                    if not lines[-1]:
                        break
                os.killpg(victim.pid, getattr(signal, name))  # as the runner does it
                lines += victim.stdout.read().splitlines(keepends=True)
            tests = [line for line in lines if line.startswith(('ok', 'not ok'))]
            t.ok(victim.returncode == status and sum(line.startswith('not') for line in tests) == failed
                 and tests[-1].rstrip().endswith(last.format(name)) and lines[-1] == f'1..{len(tests)}\n',
                 f'{name}: {what} says its plan, exit status {status}', victim.returncode, *lines)
            t.ok(not os.path.exists(next(line for line in lines if line.startswith('# /'))[2:].rstrip()),
                 'and its directory is gone', *lines)


def test_interrupt(t, b):
    """^C of the runner, and the end of the time."""
    for what, timeout in (('^C', '60'), ('timeout', '1')):
        path = b.program(VICTIM.format(support=os.path.dirname(os.path.abspath(__file__)), before='', wait=WAIT,
                                       begin=f'open({b.directory + "/there"!r}, "w").write(directory)'),
                         shell=False)
        with subprocess.Popen([sys.executable, RUN, '--timeout', timeout, path], stdout=subprocess.PIPE,
                              text=True, preexec_fn=heed_interrupts) as run:
            directory = wait_for(lambda: read(os.path.join(b.directory, 'there')), 20, 'it runs')
            if what == '^C':
                run.send_signal(signal.SIGINT)
            out = run.stdout.read()
        os.unlink(os.path.join(b.directory, 'there'))
        t.ok(run.returncode == 1 and 'ended early: ended by SIGTERM' in out, f'{what}: a failure', out)
        t.ok(not os.path.exists(directory), f'{what}: the directory of the program is gone')


def heed_interrupts():
    """A shell lets what it runs in the background ignore them."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def read(path):
    try:
        with open(path, encoding='utf-8') as file:
            return file.read()
    except FileNotFoundError:
        return ''


def test_keep(t, b):
    kept = os.path.join(b.directory, 'kept', 'here')
    noisy = b.program('echo 1..1; echo "# measured E1 ms 5"; echo "ok 1 - $1"')
    b.run('--keep', kept, f'{noisy} a')
    name = noisy.replace('/', '-') + '.tap'
    t.equal(os.listdir(kept), [name], 'what a program prints is kept under its name')
    with open(os.path.join(kept, name), encoding='utf-8') as file:
        t.equal(file.read(), '1..1\n# measured E1 ms 5\nok 1 - a\n', 'all of it')


def test_arguments(t, b):
    taught = b.program('echo 1..$1; echo "ok 1 - $2"')
    t.equal(b.run(f"{taught} 1 'two words'")[1][-1], '1 passed, 0 failed, 0 skipped',
            'a program may have arguments')


def main():
    with Tap() as t, tempfile.TemporaryDirectory() as directory:
        bench = Bench(directory)
        for test in (test_counts, test_skips, test_broken_programs, test_timeout, test_parallel,
                     test_end, test_interrupt, test_sum, test_keep, test_arguments):
            test(t, bench)


if __name__ == '__main__':
    main()
