#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""make soak: what happens to an agent in a long life, in a short one, all the time. SOAK: seconds
(7200).

Two worlds side by side, each in a process of its own (worlds.py): targets of a real tgtd, and the
paths of an initiator with their notifications. Something happens every second or two; all that is
walked meanwhile is judged (oracle.py). In the first 60 % nothing of the agent is killed, so that
its memory tells something. Prints reports, and the results as TAP.
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, '..', 'support'), HERE]
# pylint: disable=wrong-import-position
import lab as laboratory
import worlds
from tap import Tap

WORLDS = {'targets': worlds.Targets, 'paths': worlds.Paths}
PR_SET_PDEATHSIG = 1
REPORTS = 24

# Of a long run; below, start-up and the machine's load are more than what is to be seen.
LONG = 3600
SLOPE_LIMIT = 256    # KiB an hour, beside what is remembered of logins that are over:
LOGIN_KIB = 0.85     # in the agent process, of each with a name of its own
LOGINS_MAX = 4096    # REGISTRY_UNSEEN_MAX: beyond it memory must not grow at all
BACK_LIMIT = 5       # seconds, p99; the goal is 2 on a machine that has nothing else to do
AGE_LIMIT = 5        # seconds, p99: the age of what is shown


def run_world(name, seconds, path):
    """In a process of its own: the lab is for one thread."""
    def report(text):
        print(f'# {name}: {text}', flush=True)

    with laboratory.Lab() as lab:
        world = WORLDS[name](lab, seconds)
        try:
            world.run(seconds / REPORTS, report)
        finally:
            result = world.result()
    result['leftovers'] = lab.leftovers
    with open(path, 'w', encoding='utf-8') as file:
        json.dump(result, file)


def start_world(name, seconds, directory):
    def die_with_parent():
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)

    return subprocess.Popen(  # pylint: disable=subprocess-popen-preexec-fn
        [sys.executable, os.path.abspath(__file__), '--world', name, str(seconds),
         os.path.join(directory, name)], stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)


def number(value, unit=''):
    return 'unknown' if value is None else f'{value:.3g}{unit}'


def judge_events(t, name, result):
    """What waits when the agent process is killed is lost; all others are told."""
    before = result['before_kills']
    t.equal(before['untold'], [], f'{name}: {before["made"]} events of paths before anything of the '
            'agent was killed: each was told')
    made = result['made'] - before['made']
    t.ok(0 <= result['made'] - result['told'] <= max(1, made * 0.05),
         f'{name}: {result["made"]} events of paths, {result["told"]} told')


def judge(t, name, result, seconds):
    """The results of one world as tests, and what was measured as comments."""
    for what, summary in result['each'].items():
        t.note(f'{name}: {what} {summary["count"]} times, until the truth is shown: median '
               f'{number(summary["p50"], " s")}, p99 {number(summary["p99"], " s")}')
    for what in ('unkilled', 'all'):
        for process, m in sorted(result[what].items()):
            t.note(f'measured soak {name}.{what}.{process.replace(" ", "-")}.slope '
                   f'{number(m["slope"])} KiB/h; memory first, most, last '
                   f'{m["memory"]} KiB; descriptors {m["descriptors"]}')
    for what in ('walks', 'answers', 'judged'):
        t.note(f'measured soak {name}.{what} {result[what]}')
    t.equal(result['wrong'][:20], [], f'{name}: {result["judged"]} facts in {result["walks"]} walks '
            f'({result["answers"]} values): none is wrong')
    t.equal(result['broken'], [], f'{name}: {sum(result["steps"].values())} steps, each was done')
    t.equal(result['zombies'], 0, f'{name}: no child stays a zombie')
    for what, summary in result['back'].items():
        if summary['count']:
            limit = BACK_LIMIT if what != 'own processes' else BACK_LIMIT * 2
            t.below(summary['p99'], limit, f'{name}: the truth again after {what} '
                    f'({summary["count"]}), p99')
    t.below(result['age']['p99'], AGE_LIMIT, f'{name}: age of the snapshot in quiet, p99')
    t.equal(sorted(set(result['ours']) - set(result['unkilled'])), [],
            f'{name}: of each process memory and descriptors were measured')
    for process, m in sorted(result['unkilled'].items()):
        if process in ('snmpd', 'tgtd'):
            continue  # not ours, and tgtd has a descriptor for each session
        first, last = m['descriptors']
        t.ok(last <= first + 2, f'{name}: {process}: descriptors {first:g} at first, {last:g} at '
             'last')
        if seconds >= LONG and process in result['ours']:
            t.ok(m['slope'] is not None, f'{name}: {process}: it is known how its memory grows')
        # A child that only reads the configuration may have been seen, too.
        if seconds >= LONG and m['slope'] is not None:
            remembered = 0
            if process == 'iscsi-agentx-a':
                remembered = min(result.get('logins', 0), LOGINS_MAX) * LOGIN_KIB / (seconds / 3600)
            t.below(m['slope'] - remembered, SLOPE_LIMIT, f'{name}: {process}: memory grows, beside '
                    f'{remembered:.0f} KiB/h for logins that are over, by', 'KiB/h')
    if 'made' in result:
        judge_events(t, name, result)
    if 'compared' in result:
        t.ok(result['compared'] or seconds < 60, f'{name}: the counters of '
             f'{result["compared"]} sessions are those that tgtadm shows')
    t.equal(result['leftovers'], [], f'{name}: nothing is left running')


def main():
    if sys.argv[1:2] == ['--world']:
        run_world(sys.argv[2], float(sys.argv[3]), sys.argv[4])
        return
    seconds = float(os.environ.get('SOAK', 7200))
    with Tap() as t, tempfile.TemporaryDirectory(prefix='iscsi-agentx-soak.') as directory:
        why = laboratory.missing()
        if why:
            t.skip_all(why)
        running = {name: start_world(name, seconds, directory) for name in WORLDS}

        def interrupted(number, _frame):
            for process in running.values():
                process.terminate()
            raise SystemExit(f'ended by {signal.Signals(number).name}')

        for ending in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(ending) is not signal.SIG_IGN:  # nohup
                signal.signal(ending, interrupted)
        try:
            status = {name: process.wait() for name, process in running.items()}
        finally:
            for process in running.values():
                process.wait()
        for name in WORLDS:
            if t.equal(status[name], 0, f'{name}: the run came to its end'):
                with open(os.path.join(directory, name), encoding='utf-8') as file:
                    judge(t, name, json.load(file), seconds)


if __name__ == '__main__':
    main()
