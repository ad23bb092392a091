# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of faulty sources share: how a source is by the agent's own table, whether its rows
are what they were, and how soon an object is answered meanwhile."""

import contextlib
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'support'))
# pylint: disable=wrong-import-position
import lab as laboratory
import snmp
from process import wait_for
from snmp_raw import Stopwatch

LONG = bool(os.environ.get('FAULT_LONG'))
PRIVATE = snmp.oid(laboratory.PRIVATE_ROOT)
SOURCES = PRIVATE + (1, 1, 6, 1)
NAME, UNIT, STATE, ERROR, AGE, LAST_GOOD, POLLS, RESTARTS = 2, 3, 4, 5, 7, 8, 9, 13
OK, STALE, FAILING, ABSENT, NO_PERMISSION, DISABLED, STARTING = range(1, 8)
PATHS, EVENTS = PRIVATE + (1, 1, 3, 1), PRIVATE + (1, 1, 8, 1)
SESSIONS = snmp.ISCSI_OBJECTS + (10, 1, 1)
ANSWER_MS = 10  # the goal for p99


def rows(lab, entry):
    """{index: {column: value}} of a table; {} while there is no answer."""
    try:
        walk = lab.manager(timeout=1, retries=1).bulkwalk(entry)
    except snmp.SnmpError:
        return {}
    return {index: {column: v.value for column, v in row.items()}
            for index, row in snmp.table(walk, entry).items()}


def column(lab, entry, number):
    """{index: value} of one column; {} while there is no answer."""
    name = entry + (number,)
    try:
        return {v.oid[len(name):]: v.value for v in lab.manager(timeout=1).bulkwalk(name)}
    except snmp.SnmpError:
        return {}


def source(lab, name, unit=''):
    """Its columns; {} while there is no such row. `unit`: an end of the unit's name."""
    for row in rows(lab, SOURCES).values():
        if row.get(NAME) == name.encode() and row.get(UNIT, b'').endswith(unit.encode()):
            return row
    return {}


def wait_state(lab, name, *states, seconds=15, unit=''):
    """Until the source has one of the states; how long that took, in s."""
    start = time.monotonic()
    try:
        wait_for(lambda: source(lab, name, unit).get(STATE) in states, seconds, 'a state', 0.03)
    except TimeoutError:
        raise TimeoutError(f'{name} not {states} in {seconds} s: {source(lab, name, unit)}') from None
    return time.monotonic() - start


def wait_polls(lab, name, count=2, seconds=15):
    """Until that many further polls are over, good or not."""
    last = source(lab, name).get(POLLS, 0) + count
    wait_for(lambda: source(lab, name).get(POLLS, 0) >= last, seconds, f'{count} polls of {name}')


def unscheduled_s(name):
    """How long a process or thread has waited for a processor so far."""
    with open(f'/proc/{name}/schedstat', encoding='ascii') as file:
        return int(file.read().split()[1]) / 1e9


class FairWatch(Stopwatch):
    """A Stopwatch that does not count what other programs of the machine cost: the time in which
    snmpd, the agent process or the asking thread wanted a processor and had none."""

    def __init__(self, lab, name):
        super().__init__(lab.snmpd_port, name)
        self.pids = ('thread-self', lab.snmpd.pid, lab.agent.agent_pid())

    def _waited(self):
        return sum(map(unscheduled_s, self.pids))

    def _run(self):
        while self.running:
            waited, start = self._waited(), time.monotonic()
            if self.asker.value(self.name, self.seconds) is None:
                self.lost += 1
            else:
                took = time.monotonic() - start
                self.took.append(max(0, took - (self._waited() - waited)))
            time.sleep(self.every)


@contextlib.contextmanager
def answering(t, lab, name, what):
    """Asks for an object all the time; how soon it is answered is a test. The Stopwatch."""
    with FairWatch(lab, name) as watch:
        yield watch
    t.ok(watch.lost == 0 and watch.took, f'{what}: every GET is answered meanwhile',
         f'{watch.lost} of {watch.lost + len(watch.took)} were not')
    t.below(watch.p99() * 1000, ANSWER_MS, f'{what}: answered within, p99', 'ms')


def first_name(lab, entry):
    """The first object below an OID, as a name to ask for."""
    return lab.manager().next(entry)[0].oid
