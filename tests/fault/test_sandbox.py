#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every process of the daemon in its sandbox (src/base/sandbox.h), looked on by strace while all that
happens to an agent happens to it: it serves, and no call that it makes is refused. And what /proc
says of each. TAP. Needs root, strace, snmpd, tgt."""

import glob
import os
import re
import signal
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
sys.path.insert(0, os.path.join(ROOT, 'tests', 'support'))
# pylint: disable=wrong-import-position
import lab as laboratory
from initiator import session
from own_agent import OwnAgent
from process import children, wait_for
from snmp import ISCSI_OBJECTS
from tap import Tap

SESSION = ISCSI_OBJECTS + (10,)
NAME = 'iqn.2004-10.org.example:'
ENTERED = re.compile(r'^seccomp\(SECCOMP_SET_MODE_FILTER.* = 0$', re.M)
REFUSED = re.compile(r'^(\w+)\(.*= -1 (EPERM|ENOSYS) .*$', re.M)
# What libiscsi and getaddrinfo(3) do without in a try: a seed of random numbers, and nscd.
EXPECTED = ('openat(AT_FDCWD, "/dev/urandom", O_RDONLY) = -1 EPERM',
            'socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, 0) = -1 EPERM')
RECORDINGS = ('lio/sessions', 'scst/two-targets', 'open-iscsi/two-targets')


class Traces:
    """What strace wrote: a file for each process."""

    def __init__(self, lab, name):
        self.directory = lab.path(name)
        os.mkdir(self.directory)

    def prefix(self):
        return ['strace', '-ff', '-s', '16', '-o', os.path.join(self.directory, 'trace')]

    def names(self):
        found = set()
        for path in glob.glob(os.path.join(self.directory, 'trace.*')):
            with open(path, encoding='utf-8', errors='replace') as file:
                found |= set(re.findall(r'^prctl\(PR_SET_NAME, "([^"]*)"', file.read(), re.M))
        return found

    def judge(self, t, wanted):
        """Each of the processes `wanted` entered its sandbox, and nothing was refused afterwards."""
        counts, refused = {}, []
        for path in glob.glob(os.path.join(self.directory, 'trace.*')):
            with open(path, encoding='utf-8', errors='replace') as file:
                text = file.read()
            name = (re.findall(r'^prctl\(PR_SET_NAME, "([^"]*)"', text, re.M) or ['parent'])[-1]
            entered = ENTERED.search(text)
            if entered:
                inside = text[entered.end():]
                counts[name] = counts.get(name, 0) + inside.count('\n')
                refused += [f'{name}: {m[0]}' for m in REFUSED.finditer(inside)
                            if not (name == 'iscsi-probe' and m[0].startswith(EXPECTED))]
        t.equal(sorted(wanted - set(counts)), [],
                f'in a sandbox: {", ".join(sorted(counts))}')
        t.equal(refused, [], f'of {sum(counts.values())} system calls in '
                             'them none was refused')


def status_of(pid):
    with open(f'/proc/{pid}/status', encoding='utf-8') as file:
        return dict(line.rstrip('\n').split(':\t', 1) for line in file if ':\t' in line)


def check_status(t, lab):
    """Of the agent's children, as /proc shows them; the parent is the service manager's business."""
    agent = lab.agent_parent
    nobody = '\t'.join(['65534'] * 4)
    found = {}
    for pid, name in sorted(children(agent).items()):
        shown = status_of(pid)
        with open(f'/proc/{pid}/limits', encoding='utf-8') as file:
            core = re.search(r'Max core file size +(\S+) +(\S+)', file.read()).groups()
        found[name] = shown
        kept = shown['CapPrm'] if name in ('iscsi-r-open-is', 'iscsi-r-probe') else f'{0:016x}'
        wanted = {'Seccomp': '2', 'NoNewPrivs': '1', 'CapPrm': kept, 'CapBnd': f'{0:016x}',
                  'CapAmb': f'{0:016x}'}
        t.equal(({key: shown[key] for key in wanted}, core), (wanted, ('0', '0')),
                f'{name}: a filter, no new privileges, no capability beyond its own, no core')
    for name in ('iscsi-agentx-a', 'iscsi-agentx-s'):
        t.equal((found[name]['Uid'], found[name]['CapEff']), (nobody, f'{0:016x}'),
                f'{name}: nobody, and no capability in effect')


def traced(lab, traces, **settings):
    """The daemon under strace; its own pid is that of strace's child."""
    strace = lab.start_agent(prefix=traces.prefix(), wait=40, **settings)
    lab.agent_parent = next(iter(children(strace.pid)))
    return strace


def end(t, lab):
    os.kill(lab.agent_parent, signal.SIGTERM)
    t.equal(lab.agent.wait(10), 0, 'it ends in order')
    lab.remove(lab.agent)


def live(t, lab):
    """The sources of this machine: a tgtd, and the probe of its portal."""
    traces = Traces(lab, 'live')
    tgtd = lab.start_tgtd(ipv6=False)
    tgtd.add_target(NAME + 'one')
    lab.start_initiator(session(tgtd.portals()[0], NAME + 'one', NAME + 'host', rate=5))
    probes = f'probe {tgtd.portals()[0]} {NAME}one\nprobe 127.0.0.1:9\n'
    traced(lab, traces, sources='all', arguments=['-D', 'iscsi', '-Lf', lab.path('file.log')],
           extra=probes)
    manager = lab.manager(timeout=10)
    wait_for(lambda: manager.bulkwalk(SESSION), 20, 'the row of the session')
    check_status(t, lab)
    t.ok(manager.walk(SESSION), 'a walk gives the session of a target')
    wait_for(lambda: 'iscsi-probe' in traces.names(), 20, 'a try of the probe')
    lab.stop_snmpd()
    lab.start_snmpd()
    wait_for(lab.serving, 30, 'it serves again')
    t.ok(True, 'snmpd was restarted: it serves again')
    wait_for(lambda: os.path.exists(lab.path('state', 'index')), 20, 'the saver saves')
    lab.write_agent_config(sources='all', pollTimeout=9, extra=probes)
    os.kill(lab.agent_parent, signal.SIGHUP)
    wait_for(lambda: 'new intervals and rules' in lab.agent.text(), 20, 'read again')
    lab.write_agent_config(sources='tgt multipath', pollTimeout=9)
    os.kill(lab.agent_parent, signal.SIGHUP)
    wait_for(lambda: 'starting the processes anew' in lab.agent.text(), 20, 'started anew')
    wait_for(lab.serving, 40, 'it serves after that')
    t.ok(True, 'the configuration was read twice, the second time with other sources')
    end(t, lab)
    traces.judge(t, {'iscsi-agentx-a', 'iscsi-agentx-s', 'iscsi-r-tgt', 'iscsi-r-lio',
                     'iscsi-r-scst', 'iscsi-r-open-is', 'iscsi-r-multipa', 'iscsi-r-probe',
                     'iscsi-probe'})


def recorded(t, lab):
    """The stacks that this machine does not have, below --root, and a multipathd."""
    traces = Traces(lab, 'recorded')
    top = lab.path('host')
    for name in RECORDINGS:
        subprocess.run([sys.executable, os.path.join(ROOT, 'tests/support/unpack_tree.py'),
                        os.path.join(ROOT, 'tests/fixtures', name + '.tree'), top], check=True)
    daemon = lab.add(laboratory.Process(
        'multipathd', [sys.executable, os.path.join(ROOT, 'tests/support/fake_multipathd.py'), top,
                       'serve'], lab.directory))
    wait_for(lambda: 'ready' in daemon.text(), 10, 'the false multipathd')
    traced(lab, traces, sources='all', arguments=['--root', top])
    manager = lab.manager(timeout=10)

    def sources_found():
        return set(re.findall(r'source ([\w-]+)[^:]*: found', lab.agent.text()))
    wait_for(lambda: sources_found() >= {'lio', 'scst', 'open-iscsi', 'multipath'}, 30,
             'all sources are found')
    t.ok(len(manager.bulkwalk()) > 100, f'served: {", ".join(sorted(sources_found()))}')
    end(t, lab)
    traces.judge(t, {'iscsi-agentx-a', 'iscsi-agentx-s', 'iscsi-r-lio', 'iscsi-r-scst',
                     'iscsi-r-open-is', 'iscsi-r-multipa'})


def own_agent(t, lab):
    """With -M it takes connections, and net-snmp does more with its sockets."""
    traces = Traces(lab, 'own')
    own = OwnAgent(lab)
    own.start(prefix=traces.prefix(), wait=40, sources='tgt')
    lab.agent_parent = next(iter(children(lab.agent.pid)))
    for protocol in ('udp', 'tcp'):
        t.ok(own.manager('all', protocol, timeout=10).walk(ISCSI_OBJECTS),
             f'an agent of its own answers by {protocol}')
    end(t, lab)
    traces.judge(t, {'iscsi-agentx-a', 'iscsi-agentx-s', 'iscsi-r-tgt'})


def switched_off(t, lab):
    agent = lab.start_agent(sandbox='no')
    filters = {name: status_of(pid)['Seccomp'] for pid, name in children(agent.pid).items()}
    outside = status_of(os.getpid())['Seccomp']
    t.equal(set(filters.values()), {outside}, '`sandbox no`: no filter of its own in any process')
    lab.stop_agent()


def main():
    with Tap() as t:
        why = laboratory.missing() or (not laboratory.find_program('strace') and
                                       'strace is not installed')
        if why:
            t.skip_all(why)
        with laboratory.Lab() as lab:
            lab.start_snmpd()
            live(t, lab)
            recorded(t, lab)
            switched_off(t, lab)
            lab.stop_snmpd()
            own_agent(t, lab)


if __name__ == '__main__':
    main()
