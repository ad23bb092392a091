# SPDX-License-Identifier: BSD-2-Clause
"""A world of the soak run: a laboratory in which something happens all the time, and an oracle.

One step after the other: something happens (a session comes, snmpd is killed, the agent process is
killed …) while a walk is under way; then walks follow until what they show is the truth, which is
timed; then it must stay the truth. What can happen to every agent is here, what happens in one sort
of world is in worlds.py.
"""

import collections
import os
import random
import re
import signal
import subprocess
import time

import lab as laboratory
import snmp
from measure import Processes, percentile
from oracle import NOTHING, Oracle
from process import alive, wait_for
from saving import Saving

PRIVATE = snmp.oid(laboratory.PRIVATE_ROOT) + (1, 1)
AGENT_SCALARS = PRIVATE + (2,)
EVENT = PRIVATE + (8, 1)
PATIENCE = 30  # seconds within which a walk has to be the truth again
SETTINGS = {'pollTimeout': 2, 'staleMax': 6, 'notifyLimit': 0, 'notifyLimitAll': 0,
            'notifyFlapChanges': 0}

# Walks that are under way: since when, and their programs.
Started = collections.namedtuple('Started', 'at programs')


class World:
    """See the head of this file. A subclass has the source, its changes and its facts."""

    arguments = ()

    def __init__(self, lab, seconds):
        self.lab, self.seconds = lab, seconds
        self.random = random.Random(f'{type(self).__name__} {seconds}')
        self.oracle = Oracle()
        self.processes = Processes({'snmpd': lambda: lab.snmpd})
        self.saving = Saving(self.oracle, lambda: lab.agent.agent_pid(),
                             lambda: lab.agent.saver_pid())
        self.walks = self.answers = 0
        self.steps = collections.Counter()
        self.took = collections.defaultdict(list)  # what happened -> seconds until it was over
        self.ages = []      # of snapshots in quiet, ms
        self.excuse = ''    # what the last walk's program had to say
        self.settings = {**SETTINGS, 'pollInterval': 1, 'agentXPingInterval': 1,
                         **self.source_settings()}
        self.started = time.monotonic()
        self.sampled = 0.0
        self.struck = None  # when the step began to hurt; what is timed begins here, or at its end
        self.broken = []    # steps that could not be done as they were meant
        self.killing = False
        self.unkilled = {}  # what was measured before the first of our processes was killed

    # -- what a subclass has -------------------------------------------------------------------

    def source_settings(self):
        raise NotImplementedError

    def prepare(self):
        """Before the agent is started."""
        raise NotImplementedError

    def changes(self):
        """[(weight, function)]: what happens to the storage; each sets the truth."""
        raise NotImplementedError

    def judge_walk(self, walk, what):
        """Judges numbers and counters; returns the View of a walk, which may be cut short."""
        raise NotImplementedError

    def before_killing(self):
        """Before the first of our processes is killed: what is to be judged then."""

    def finish(self):
        """After the last step: what is to be judged then."""

    # -- looking -------------------------------------------------------------------------------

    def walk_command(self, root):
        return ['snmpbulkwalk', *self.lab.manager(timeout=1, retries=0).options, '-Cr10',
                *snmp.PLAIN, f'udp:127.0.0.1:{self.lab.snmpd_port}', snmp.dotted(root)]

    def start_walk(self):
        """Both modules, one process each: they go on while something happens."""
        environment = dict(os.environ, MIBS='', SNMPCONFPATH='/dev/null',
                           SNMP_PERSISTENT_DIR='/dev/null')
        return Started(time.monotonic(), [
            subprocess.Popen(self.walk_command(root), env=environment, text=True,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)
            for root in (snmp.ISCSI_OBJECTS, PRIVATE)])

    def take_walk(self, started, what):
        """The View of a walk, which may be cut short; None when nobody answered."""
        walk, self.excuse = [], ''
        for process in started.programs:
            text, said = process.communicate(timeout=60)
            self.excuse += said
            text = self.without_nulls(text, what)
            try:
                walk += [v for v in snmp.parse(text) if v.kind not in snmp.EXCEPTIONS]
            except snmp.SnmpError as error:
                # A last line that was cut off is no answer.
                if process.returncode == 0:
                    self.oracle.complain(f'{what}: {error}')
        self.walks += 1
        self.look_after_agent(what)
        self.oracle.began = started.at
        if not walk:
            self.excuse += text
            return None
        self.answers += len(walk)
        names = [v.oid for v in walk]
        if names != sorted(set(names)):
            self.oracle.complain(f'{what}: the walk is out of order')
        events = {index[0]: tuple(row[c].value for c in (2, 3, 5, 6))
                  for index, row in snmp.table(walk, EVENT).items() if {2, 3, 5, 6} <= set(row)}
        self.oracle.judge_events(events, what)
        for varbind in walk:
            if varbind.oid == AGENT_SCALARS + (6, 0):
                self.age = varbind.value
        return self.judge_walk(walk, what)

    def without_nulls(self, text, what):
        """A master that ends in the middle of a request has answered it with a NULL, once in 116
        restarts. The agent writes no such value (agentx_write.c), so at other times it is wrong."""
        empty = re.findall(r'^(\S+) = NULL$', text, re.M)
        if empty and what not in [f'during {f.__name__}' for f in self.master_faults()]:
            self.oracle.complain(f'{what}: NULL is no value: {empty[:3]}')
        return re.sub(r'^\S+ = NULL\n?', '', text, flags=re.M) if empty else text

    def look_after_agent(self, what):
        """Its end is to be known before what was shown meanwhile is judged."""
        ends = self.saving.ends
        self.saving.look()
        if self.saving.ends > ends and not self.killing:
            self.oracle.complain(f'{what}: the agent process has ended, and nobody has ended it')

    def look(self, what, quiet=False):
        """One walk, judged; its View or None."""
        view = self.take_walk(self.start_walk(), what)
        if view is not None or quiet:
            self.oracle.judge(view or NOTHING, quiet, self.with_excuse(what))
        return view

    def with_excuse(self, what):
        """What is said when a walk is not the truth: with what its program said."""
        return f'{what} ({self.excuse.strip()})' if self.excuse else what

    # -- steps ---------------------------------------------------------------------------------

    def step(self, function):
        """Something happens, in the middle of a walk; then all is as it should be."""
        what = function.__name__
        self.steps[what] += 1
        walk = self.start_walk()
        time.sleep(self.random.random() * 0.03)
        self.struck = None
        try:
            function()
        except (OSError, snmp.SnmpError, subprocess.SubprocessError) as error:  # TimeoutError too
            self.broken.append(f'{time.strftime("%H:%M:%S")} {what}: {error}')
        start = self.struck or time.monotonic()
        # Up to a second of what is timed is this walk's, which waits for a master that is gone; and
        # the one that shows the truth takes half a second.
        self.take_walk(walk, f'during {what}')
        while True:
            view = self.look(f'after {what}')
            took = time.monotonic() - start
            if view is not None and self.oracle.is_true(view):
                break
            if took > PATIENCE:
                self.oracle.judge(view or NOTHING, True,
                                  self.with_excuse(f'{PATIENCE} s after {what}'))
                break
            time.sleep(0.02)
        self.took[what].append(took)
        for _ in range(2):
            time.sleep(self.random.random() * 0.5)
            self.look(f'in quiet after {what}', quiet=True)
            self.ages.append(self.age)

    def sample(self):
        self.processes.take(self.lab.agent.pid if self.lab.agent.running() else None)
        self.sampled = time.monotonic()

    def begin_killing(self):
        """At first nothing of ours is killed: that is when memory tells something, and when nothing may
        be lost."""
        self.unkilled = self.measures()
        self.before_killing()
        self.killing = True

    def is_shown(self):
        view = self.look('at the start')
        return view is not None and self.oracle.is_true(view)

    def run(self, report_every, report):
        """All of it; report(text) is called now and then."""
        self.prepare()
        self.start_agent()
        wait_for(self.is_shown, PATIENCE, 'all is there')
        reported = self.started = time.monotonic()
        while (elapsed := time.monotonic() - self.started) < self.seconds:
            if not self.killing and elapsed > self.seconds * 0.6:
                self.begin_killing()
            chosen = self.changes()
            chosen += [(1, f) for f in self.master_faults()]
            chosen += [(1, f) for f in (self.own_faults() if self.killing else ())]
            known = len(self.oracle.wrong)
            self.step(self.random.choices([f for _, f in chosen], [w for w, _ in chosen])[0])
            for wrong in self.oracle.wrong[known:known + 3]:
                report(f'wrong: {wrong}')
            if time.monotonic() - self.sampled >= min(10, self.seconds / 30):
                self.sample()
            if time.monotonic() - reported >= report_every:
                reported = time.monotonic()
                report(self.describe())
        if not self.killing:  # a short run, and a long step
            self.begin_killing()
        self.finish()
        self.sample()
        report(self.describe())

    def measures(self):
        settle = self.seconds * 0.2
        return {name: {'slope': self.processes.slope(name, settle),
                       'memory': self.processes.memory(name),
                       'descriptors': self.processes.descriptors(name)}
                for name in self.processes.samples}

    def describe(self):
        memory = ', '.join(f'{name} {self.processes.memory(name)[2]}'
                           for name in sorted(self.processes.samples))
        return (f'{time.monotonic() - self.started:.0f} s: {sum(self.steps.values())} steps, '
                f'{self.walks} walks, {self.answers} values, wrong {len(self.oracle.wrong)}, '
                f'zombies {self.processes.zombies}; KiB: {memory}')

    def result(self):
        """What soak.py judges."""
        master = [took for f in self.master_faults() for took in self.took[f.__name__]]
        own = [took for f in self.own_faults() for took in self.took[f.__name__]]
        changes = [took for _, f in self.changes() for took in self.took[f.__name__]]
        return {'wrong': self.oracle.wrong, 'broken': self.broken, 'walks': self.walks, 'answers': self.answers,
                'judged': self.oracle.values, 'steps': dict(self.steps),
                'zombies': self.processes.zombies,
                'back': {'master faults': summary(master), 'own processes': summary(own),
                         'changes': summary(changes)},
                'each': {what: summary(took) for what, took in sorted(self.took.items())},
                'age': summary([age / 1000 for age in self.ages]),
                'ours': self.own_processes(), 'unkilled': self.unkilled, 'all': self.measures()}

    def own_processes(self):
        """The names by which they are measured."""
        return ['parent', 'iscsi-agentx-a', 'iscsi-agentx-s',
                f'iscsi-r-{self.settings["sources"]}'[:15]]

    # -- the agent, and what happens to any ----------------------------------------------------

    def start_agent(self):
        self.lab.start_agent(arguments=self.arguments, wait=0, **self.settings)

    def master_faults(self):
        return [self.snmpd_killed, self.snmpd_restarted, self.snmpd_stopped,
                self.configuration_followed, self.configuration_refused]

    def own_faults(self):
        return [self.agent_process_killed, self.agent_process_stopped, self.reader_killed,
                self.reader_stopped, self.saver_killed, self.saver_stopped, self.agent_restarted,
                self.agent_killed, self.configuration_anew]

    def _restart_snmpd(self, number):
        self.lab.stop_snmpd(number)
        time.sleep(self.random.random())
        self.lab.start_snmpd(self.snmpd_lines())

    def snmpd_lines(self):
        return ''

    def snmpd_killed(self):
        self._restart_snmpd(signal.SIGKILL)

    def snmpd_restarted(self):
        self._restart_snmpd(signal.SIGTERM)

    def snmpd_stopped(self):
        self.lab.snmpd.send(signal.SIGSTOP)
        time.sleep(self.random.uniform(0.5, 3))
        self.lab.snmpd.send(signal.SIGCONT)

    def configuration_followed(self):
        self.settings['pollInterval'] = 3 - self.settings['pollInterval']
        self.lab.write_agent_config(**self.settings)
        self.lab.agent.send(signal.SIGHUP)

    def configuration_refused(self):
        self.lab.write_agent_config(extra='pollInterval nonsense\n', **self.settings)
        self.lab.agent.send(signal.SIGHUP)
        time.sleep(0.3)
        self.lab.write_agent_config(**self.settings)

    def configuration_anew(self):
        """All processes but the parent are started anew."""
        self.settings['agentXPingInterval'] = 3 - self.settings['agentXPingInterval']
        old = self.lab.agent.agent_pid()
        self.struck = time.monotonic()
        self.lab.write_agent_config(**self.settings)
        self.saving.end_in_order(
            lambda: self.lab.agent.send(signal.SIGHUP),
            lambda: wait_for(lambda: not alive(old), PATIENCE, 'the agent process ends',
                             interval=0.01))
        self._wait_for_other(self.lab.agent.agent_pid, old)

    @staticmethod
    def _wait_for_other(find, old):
        wait_for(lambda: find() not in (None, old), PATIENCE, 'another process', interval=0.01)

    def _signal(self, find, number, timed=True):
        """Sends to a child of the agent, as soon as it is there; returns its pid."""
        pid = wait_for(find, PATIENCE, 'the process is there', interval=0.01)
        self.struck = time.monotonic() if timed else None
        os.kill(pid, number)
        return pid

    def agent_process_killed(self):
        self._wait_for_other(self.lab.agent.agent_pid,
                             self._signal(self.lab.agent.agent_pid, signal.SIGKILL))

    def agent_process_stopped(self):
        pid = self._signal(self.lab.agent.agent_pid, signal.SIGSTOP, timed=False)
        time.sleep(self.random.uniform(0.5, 3))
        os.kill(pid, signal.SIGCONT)

    def _reader(self):
        return self.lab.agent.reader_pid(self.settings['sources'])

    def reader_killed(self):
        self._signal(self._reader, signal.SIGKILL)

    def reader_stopped(self):
        """For good: another one is started when it does not answer."""
        pid = self._signal(self._reader, signal.SIGSTOP)
        wait_for(lambda: not alive(pid), PATIENCE, 'the reader that hangs is ended')

    def saver_killed(self):
        self._signal(self.lab.agent.saver_pid, signal.SIGKILL)

    def saver_stopped(self):
        pid = self._signal(self.lab.agent.saver_pid, signal.SIGSTOP, timed=False)
        time.sleep(self.random.uniform(0.5, 3))
        if alive(pid):
            os.kill(pid, signal.SIGCONT)

    def agent_restarted(self):
        self.saving.end_in_order(self.lab.stop_agent, lambda: None)
        self.struck = time.monotonic()
        self.start_agent()

    def agent_killed(self):
        self.lab.stop_agent(signal.SIGKILL)
        self.struck = time.monotonic()
        self.start_agent()


def summary(values):
    """count, median, p99 and largest."""
    return {'count': len(values), 'p50': percentile(values, 50), 'p99': percentile(values, 99),
            'max': max(values, default=None)}
