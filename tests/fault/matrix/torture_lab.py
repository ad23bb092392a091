# SPDX-License-Identifier: BSD-2-Clause
"""A daemon with every source that a directory can have, under torture.c, and its judge.

The host of the directory has two states: a path is connected, or lost. What of a walk is the same
each time that the host is in a state, whatever was started anew before, is the truth of it. A walk
may lack some of it while something fails, but every value has to be that of one of the states, and
no row may be there that never was; afterwards all of it has to be back.
"""

import os
import re
import signal
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '../../support'))
# pylint: disable=wrong-import-position
import lab as laboratory
import snmp
import unpack_tree
from initiator_host import InitiatorHost
from process import Process, wait_for
from torture import Torture

FIXTURES = os.path.join(laboratory.TOP, 'tests/fixtures')
PRIVATE = snmp.oid(laboratory.PRIVATE_ROOT) + (1, 1)
SUMMARY, AGENT_GROUP, PATH, SOURCE, EVENT = (PRIVATE + (number,) for number in (1, 2, 3, 6, 8))
INSTANCE, ROW_COUNTS = snmp.ISCSI_OBJECTS + (1, 1, 1), (7, 8, 9)
# The types of the address that a login failed with.
TARGET_FAILURE, INITIATOR_FAILURE = (snmp.ISCSI_OBJECTS + (group, 1, 1, 5) for group in (6, 8))
SOURCE_NOW, PATH_HISTORY = (2, 3, 4, 6, 14), range(30, 43)
SOURCE_POLLS, SOURCES = SOURCE + (1, 9), 5
AGENT, SAVER = 'iscsi-agentx-a', 'iscsi-agentx-s'
READERS = ('iscsi-r-open-is', 'iscsi-r-lio', 'iscsi-r-tgt', 'iscsi-r-scst', 'iscsi-r-multipa')
ROLES = ('main', 'child', AGENT, SAVER, *READERS)
SPEED = 5      # of the agent's clock
PATIENCE = 30  # seconds of this machine, which may have much other work
# A process that lived for so long is started anew at once when it ends (agent/parent.c).
LIFE = 10 / SPEED + 0.3


def is_history(oid):
    """What happened, and what is remembered of it: not what is so now."""
    return (oid[:len(EVENT)] in (AGENT_GROUP, EVENT)
            or (oid[:len(SOURCE)] == SOURCE and oid[len(SOURCE) + 1] not in SOURCE_NOW)
            or (oid[:len(PATH)] == PATH and oid[len(PATH) + 1] in PATH_HISTORY))


def is_less(oid, value, truth):
    """What says less is not false: fewer of the words of a text (of an address without its port, of a
    session's description), and where RFC 7147 has values for what is not known, no text and 0.0;
    fewer rows than there are when some could not be read, and their number."""
    rfc = oid[:len(snmp.ISCSI_MIB)] == snmp.ISCSI_MIB
    if isinstance(value, bytes) and isinstance(truth, bytes):
        words = set(re.findall(rb'[\w.]+', value))
        if not value or not words or not (value + truth).isascii() or not (value + truth).decode(
                ).isprintable():
            return rfc and not value  # octets of an address, an ISID, BITS: they are so, or not
        return words <= set(re.findall(rb'[\w.]+', truth))
    if oid[:len(TARGET_FAILURE)] in (TARGET_FAILURE, INITIATOR_FAILURE):
        return value == 0  # unknown(0), as the address beside it
    if oid[:len(INSTANCE)] == INSTANCE and oid[len(INSTANCE)] in ROW_COUNTS:
        return value <= truth
    return rfc and value == (0, 0)


class Scene:
    """The host, snmpd, and a daemon that can be started again."""

    def __init__(self, lab):
        self.lab = lab
        self.root = lab.path('root')
        self.host = InitiatorHost(self.root, os.path.join(FIXTURES, 'lio/login-failures.tree'))
        # The creator of a session is in its key, if it can be read at first: then a fault gives
        # another number, which is meant so.
        # The tag of the portal group is that of the record, if the session cannot be read.
        for number in (1, 2):
            session = (f'sys/devices/platform/host{number}/session{number}/iscsi_session/'
                       f'session{number}')
            os.unlink(os.path.join(self.root, session, 'creator'))
            self.host.write(f'{session}/tpgt', '1')
        unpack_tree.unpack(os.path.join(FIXTURES, 'scst/two-targets.tree'), self.root)
        lab.add(Process('fake-tgtd', [
            sys.executable, os.path.join(HERE, '../../support/fake_tgtd.py'),
            os.path.join(self.root, 'tgt.0'), 'serve'], lab.directory))
        self.torture = Torture(lab.path('torture'), ROLES, SPEED)
        lab.start_snmpd()
        self.lost = 0
        self.truths = [{}, {}]  # of each state: {oid: value}
        self.seen = set()       # names that were there before anything failed
        self.wrong, self.walks, self.missing = [], 0, []
        self.log_at = 0

    def start(self, wait=15):
        self.lab.start_agent(
            wait=wait, environment=self.torture.environment(), arguments=('--root', self.root),
            sources='open-iscsi lio tgt scst multipath', tgtSocket='/tgt', pollTimeout=10,
            staleMax=60, notifyLimit=0, notifyLimitAll=0, notifyFlapChanges=0)
        self.log_at = 0

    def log(self):
        """What was logged since this was asked last."""
        text = self.lab.agent.text()
        new, self.log_at = text[self.log_at:], len(text)
        return new

    def toggle(self):
        self.lost = 1 - self.lost
        (self.host.lose if self.lost else self.host.find)(1)

    # -- walks ---------------------------------------------------------------------------------

    def walk(self):
        """{oid: value} of what does not change by itself, or None when nobody answers."""
        manager = self.lab.manager(timeout=1, retries=0)
        try:
            found = manager.bulkwalk(snmp.ISCSI_OBJECTS) + manager.bulkwalk(PRIVATE)
        except snmp.SnmpError:
            return None
        self.walks += 1
        return {v.oid: v.value for v in found if v.kind != 'Timeticks' and not is_history(v.oid)}

    def polls(self):
        """{row of iscsiSourceTable: its polls} of those that are read, {} when nobody answers."""
        try:
            found = self.lab.manager(timeout=1, retries=0).bulkwalk(SOURCE_POLLS)
        except snmp.SnmpError:
            return {}
        return {v.oid: v.value for v in found if v.value}

    def wait_polls(self, number, patience=PATIENCE):
        """Until each source was read so often from now on, and that is served; False: not in time."""
        end, before = time.monotonic() + patience, {}
        while time.monotonic() < end:
            now = self.polls()
            if len(now) == SOURCES:
                # A source has another row before its unit is found; an agent process that was
                # started anew counts from 0.
                before = before if set(before) == set(now) else dict(now)
                before.update({row: 0 for row, count in now.items() if count < before[row]})
                if all(count >= before[row] + number for row, count in now.items()):
                    return True
            time.sleep(0.02)
        return False

    def learn(self):
        """What is true in each state: what is the same each time, with everything started anew."""
        walks = [[], []]
        for turn in range(6):
            for _ in range(2):
                if not self.wait_polls(4):
                    raise TimeoutError(f'sources are not read: {self.log()[-600:]}')
                walks[self.lost].append(wait_for(self.walk, PATIENCE, 'the agent answers'))
            if turn in (1, 3):
                os.kill(self.lab.agent.agent_pid(), signal.SIGKILL)
                wait_for(self.lab.serving, PATIENCE, 'the agent serves again')
            self.toggle()
        # What changes in one state says nothing in the other one either.
        moving = set()
        for state in walks:
            moving |= {oid for walk in state for oid in walk
                       if any(w.get(oid) != state[0].get(oid) for w in state)}
        for number, state in enumerate(walks):
            self.seen |= {oid for walk in state for oid in walk}
            self.truths[number] = {oid: value for oid, value in state[0].items()
                                   if oid not in moving}

    def judge(self, walk, what):
        """A walk while something fails. A source that cannot be read says so, and the sum too."""
        for oid, value in walk.items():
            if oid[:len(SUMMARY)] == SUMMARY or oid[:len(SOURCE)] == SOURCE:
                continue
            if oid not in self.seen:
                self.wrong.append(f'{what}: {snmp.dotted(oid)} is {value!r}, which never was')
            elif any(oid in t for t in self.truths) and not any(
                    t.get(oid) == value or is_less(oid, value, t.get(oid)) for t in self.truths):
                self.wrong.append(f'{what}: {snmp.dotted(oid)} is {value!r}, not '
                                  f'{[t.get(oid) for t in self.truths]!r}')

    def is_whole(self, walk):
        """All that is true is there, and nothing else."""
        truth = self.truths[self.lost]
        return all(walk.get(oid) == value for oid, value in truth.items()) and set(walk) <= self.seen

    def wait_whole(self, what, patience=PATIENCE):
        """Judges walks until one is whole; False when none is in time: missing has what the last lacked."""
        end, self.missing = time.monotonic() + patience, ['nobody answers']
        while True:
            walk = self.walk()
            if walk is not None:
                self.judge(walk, what)
                if self.is_whole(walk):
                    return True
            if time.monotonic() > end or not self.lab.agent.running():
                if walk is not None:
                    truth = self.truths[self.lost]
                    self.missing = [f'{snmp.dotted(o)}: {walk.get(o)!r} for {v!r}'
                                    for o, v in truth.items() if walk.get(o) != v][:5]
                    self.missing += [f'{snmp.dotted(o)}: {walk[o]!r} was never there'
                                     for o in sorted(set(walk) - self.seen)][:5]
                return False
            time.sleep(0.01)

    # -- what the log tells ----------------------------------------------------------------------

    @staticmethod
    def endings(log):
        """[(process, how)] of the processes that the parent started again."""
        return re.findall(r'the (agent process|process for [\w\- ]+?) '
                          r'(was ended by signal \d+|ended with status \d+)', log)
