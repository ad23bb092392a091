#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Two whole agents on one host: with directories of their own the second one stands by and takes over;
one that would write the first one's index numbers does not start."""

import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'support'))
# pylint: disable=wrong-import-position
import lab as laboratory
import snmp
from process import alive, children, wait_for
from snmp_raw import Asker
from tap import Tap, measured

NAME = 'iqn.2004-10.org.example:'
FAILURE = 1
IN_USE = 'another iscsi-agentx keeps its index numbers there: not starting'


class Scene:
    """A first agent that serves a target."""

    def __init__(self, lab):
        self.lab = lab
        lab.start_snmpd()
        lab.start_tgtd().add_target(NAME + 'disk')
        self.first = lab.start_agent()
        self.object = lab.manager().next(snmp.ISCSI_OBJECTS + (1, 1, 1, 2))[0].oid
        self.asker = Asker(lab.snmpd_port)
        wait_for(lambda: os.path.exists(lab.path('state', 'index')), 20, 'its numbers are saved')

    def served(self, seconds=0.25):
        found = self.asker.value(self.object, seconds)
        return found is not None and found[0] == 4  # OCTET STRING

    def start_another(self, **settings):
        self.lab.start_agent(wait=0, **settings)
        return self.lab.agent

    def numbers(self):
        """The file of numbers that outlive a reboot; nothing of what it tells changes here."""
        with open(self.lab.path('state', 'index'), 'rb') as file:
            return file.read()


def test_same_directory(t, s, what, **settings):
    before = s.numbers()
    another = s.start_another(**settings)
    try:
        t.equal(another.wait(10), FAILURE, f'{what}: a second agent ends with a failure')
    except TimeoutError as error:
        t.ok(False, f'{what}: {error}', another.text())
        s.lab.stop_agent()
        return
    s.lab.remove(another)
    t.ok(IN_USE in another.text(), f'{what}: and says why', another.text())
    t.equal(s.numbers(), before, f'{what}: the numbers are those of the first one')
    t.ok(s.first.running() and s.served(2), f'{what}: which serves')


def own_directories(s):
    """stateDir and runDir of a second agent."""
    first = s.lab.path('state'), s.lab.path('run')
    paths = []
    for path in first:
        os.makedirs(path + '-2', exist_ok=True)
        os.chown(path + '-2', *os.stat(path)[4:6])
        os.chmod(path + '-2', 0o700)
        paths.append(path + '-2')
    return paths


def test_takes_over(t, s):
    state, run = own_directories(s)
    second = s.start_another(stateDir=state, runDir=run)
    wait_for(lambda: 'refuses to register' in second.text(), 10, 'the second one is refused')
    time.sleep(2.2)
    t.equal(second.text().count('refuses to register'), 1,
            'with directories of its own it is refused by snmpd, and says so once')
    t.ok(s.served(2), 'the first one serves')
    family = [s.first.pid, *children(s.first.pid)]
    os.kill(s.first.pid, signal.SIGKILL)
    start = time.monotonic()
    wait_for(lambda: 'connected to the master' in second.text() and s.served(), 20, 'taken over')
    took = time.monotonic() - start
    t.below(took, 5, 'the first one is killed: the second one has taken over')
    measured('E9', 'whole_agent_taken_over_ms', round(took * 1000))
    t.equal([pid for pid in family[1:] if alive(pid)], [], 'nothing of the first one is left')
    s.lab.remove(s.first)


def test_lock_is_gone(t, s):
    """A lock ends with its process, however that ends."""
    third = s.start_another()
    wait_for(lambda: 'refuses to register' in third.text() or not third.running(), 10, 'it runs')
    t.ok(third.running(), 'the directories of an agent that was killed can be used', third.text())
    os.kill(third.agent_pid(), signal.SIGKILL)
    wait_for(lambda: third.text().count('refuses to register') == 2 or not third.running(), 10,
             'another agent process')
    t.ok(third.running() and IN_USE not in third.text(),
         'also by the next agent process of the same agent', third.text())


def main():
    with Tap() as t:
        why = laboratory.missing()
        if why:
            t.skip_all(why)
        with laboratory.Lab() as lab:
            s = Scene(lab)
            test_same_directory(t, s, 'the same directories')
            state, run = own_directories(s)
            test_same_directory(t, s, 'the same runDir', stateDir=state)
            test_same_directory(t, s, 'the same stateDir', runDir=run)
            test_takes_over(t, s)
            test_lock_is_gone(t, s)
        t.equal(lab.leftovers, [], 'nothing is left running')


if __name__ == '__main__':
    main()
