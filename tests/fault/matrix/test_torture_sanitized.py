#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Some of torture (test_torture.py) with AddressSanitizer and UndefinedBehaviorSanitizer in all
processes: what fails leaves nothing behind, and nothing is used that is not there. Each process looks
for leaks when it ends: the readers and the saver when the agent process is killed, the others at the
end. FAULT_LONG=1: each call. TAP."""

import os
import re
import signal
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)),
                os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../support')]
# pylint: disable=wrong-import-position
from torture import BUILD, CALL, LIBRARY, MEMORY

SANITIZED = os.path.join(BUILD, 'san', 'iscsi-agentx')
REPORT = 99  # exit status of a process that has something to say
os.environ.update(ISCSI_AGENTX=SANITIZED, ASAN_OPTIONS='verify_asan_link_order=0:handle_segv=0:'
                  f'handle_abort=0:exitcode={REPORT}', LSAN_OPTIONS='log_threads=1')
# The program that the lab starts is chosen when it is imported.
import lab as laboratory
from process import wait_for
from tap import Tap, measured
from torture_lab import PATIENCE, SOURCES, Scene
from torture_rounds import LONG, Rounds

BURST = 40
PARTS = ((MEMORY, 10, 1), (CALL, 12, 1), (MEMORY, 3, BURST), (CALL, 3, BURST))
TIME = 1e9 if LONG else 5


def looked_for_leaks(text):
    """The processes that did."""
    return {int(pid) for pid in re.findall(r'Processing thread (\d+)', text)}


def reports(text):
    """What sanitizers have to say; one that could not look for leaks says so, too."""
    return re.findall(r'^.*(?:ERROR: \w+Sanitizer|runtime error|has encountered a fatal error'
                      rf'|SUMMARY: \w+Sanitizer|ended with status {REPORT}).*$', text, re.M)


def main():
    with Tap() as t:
        why = laboratory.missing() or next(
            (f'{file} is not built' for file in (LIBRARY, SANITIZED) if not os.path.exists(file)), None)
        if why:
            t.skip_all(why)
        with laboratory.Lab() as lab:
            s = Scene(lab)
            s.start(wait=PATIENCE)
            s.learn()
            rounds = Rounds(t, s)
            for kind, wanted, length in PARTS:
                rounds.run(wanted * TIME, kind, wanted, length)
                # What the readers and the saver have lost they tell now.
                os.kill(lab.agent.agent_pid(), signal.SIGKILL)
                wait_for(lab.serving, PATIENCE, 'the agent serves again')
            t.equal(rounds.lost[:3], [], f'{rounds.rounds} rounds: all is back each time')
            agent, pid, total = lab.agent, lab.agent.agent_pid(), sum(rounds.done.values())
            # handle_segv=0: a crash is no report of a sanitizer, and the process is started again.
            crashes, mine, where = s.torture.crashes()
            t.equal(mine, 0, f'no crash of ours, {crashes - mine} of libraries ({where[:60]})')
            s.torture.slow_down()
            t.equal(lab.stop_agent(grace=PATIENCE), 0, 'exit status 0')
            looked = looked_for_leaks(agent.text())
            t.ok(len(looked) > len(PARTS) * SOURCES, f'{len(looked)} processes looked for leaks')
            if pid in looked:
                t.ok(True, 'so did the agent process')
            else:
                t.skip('so did the agent process', 'it was not through when it was killed')
            t.equal(reports(agent.text())[:5], [], 'no error and no leak in any process')
            t.equal(s.wrong[:5], [], f'no value was false in {s.walks} walks')
            rounds.tell_parts()
            measured('E19', 'sanitized_failed_count', total)
            s.host.close()
        t.equal(lab.leftovers, [], 'nothing is left running')


if __name__ == '__main__':
    main()
