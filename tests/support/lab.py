# SPDX-License-Identifier: BSD-2-Clause
"""A private laboratory: snmpd, tgtd, initiators and iscsi-agentx on loopback and free ports.

Everything is below one directory made by mkdtemp; nothing is read from or written to /etc, /var
or /run. Leaving the `with` block, an exception, SIGINT, SIGTERM and SIGHUP all stop what was
started, in reverse order and each by its number; a process that is left over is an error.

    with Lab() as lab:
        lab.start_snmpd()
        tgtd = lab.start_tgtd()
        target = tgtd.add_target('iqn.2004-10.org.example:one')
        agent = lab.start_agent()
        lab.manager().walk()
"""

import atexit
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile

import process
from initiator import Initiator
from ports import IPV6, free_port
from process import Process, alive, become_reaper, children, end_orphans, wait_for
from snmp import EXCEPTIONS, ISCSI_OBJECTS, Manager, SnmpError
from snmptt import Snmptt
from tgtd import Tgtd
from trap_sink import TrapSink

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get('BUILD', os.path.join(TOP, 'build'))
AGENT = os.environ.get('ISCSI_AGENTX', os.path.join(BUILD, 'iscsi-agentx'))
INITIATOR = os.environ.get('ISCSI_DEMO_INITIATOR', os.path.join(BUILD, 'iscsi-demo-initiator'))
PRIVATE_ROOT = os.environ.get('PRIVATE_OID', '1.3.6.1.4.1.8072.9999.9999.7147')

# The master agent and what a manager needs of it; not the host's interfaces, disks and processes.
SNMPD_MODULES = 'snmpv3mibs,usmConf,vacm_conf,vacm_vars,system_mib,sysORTable,snmp_mib,agentx'

NO_IPV6 = 'needs ::1: this machine has no IPv6'

_PROGRAMS = {'snmpd': 'snmpd', 'snmpwalk': 'snmp', 'tgtd': 'tgt', 'tgtadm': 'tgt'}


def find_program(name):
    """The path of a program, also where only root looks."""
    path = os.pathsep.join([os.environ.get('PATH', ''), '/usr/sbin', '/sbin'])
    return shutil.which(name, path=path)


def missing(agent=True, ipv6=False):
    """What keeps the lab from running, as a sentence, or None. ipv6: of a test that is about it."""
    if os.geteuid() != 0:
        return 'needs root: tgtd serves only its own user, and the agent gives up privileges'
    for program, package in _PROGRAMS.items():
        if not find_program(program):
            return f'{program} is not installed (package {package})'
    for path in [INITIATOR] + ([AGENT] if agent else []):
        if not os.access(path, os.X_OK):
            return f'{path} is not built'
    return NO_IPV6 if ipv6 and not IPV6 else None


class Agent(Process):
    """The agent's root parent; its children: the agent process, the readers, the saver of files."""

    def agent_pid(self):
        return self._child(lambda name: name == 'iscsi-agentx-a')

    def reader_pid(self, source='tgt'):
        return self._child(lambda name: name == f'iscsi-r-{source}'[:15])

    def saver_pid(self):
        return self._child(lambda name: name == 'iscsi-agentx-s')

    def _child(self, wanted):
        for pid, name in children(self.pid).items():
            if wanted(name) and alive(pid):
                return pid
        return None


class Lab:
    """See the head of this file. `keep` leaves everything running at the end (make demo KEEP=1)."""

    def __init__(self, keep=False):
        self.keep = keep
        self.directory = None
        self.processes = []
        self.snmpd = None
        self.snmpd_port = 0
        self.agent = None
        self.agent_settings = {}
        self.tgtds = []
        self.names = set()
        self.leftovers = []
        self.handlers = {}  # of signals, as they were before
        self.owner = os.getpid()

    # -- life ----------------------------------------------------------------------------------

    def __enter__(self):
        become_reaper()
        process.die_with_parent = not self.keep
        self.directory = tempfile.mkdtemp(prefix='iscsi-agentx-lab.')
        os.chmod(self.directory, 0o755)  # the agent's user passes through
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self.handlers[number] = signal.signal(number, self._interrupted)
        atexit.register(self.close)
        return self

    def __exit__(self, kind, value, trace):
        if kind not in (None, SystemExit) and os.environ.get('LAB_LOGS'):
            self.print_logs()
        if not self.keep:
            self.close()

    @staticmethod
    def _interrupted(number, _frame):
        raise SystemExit(f'ended by {signal.Signals(number).name}')

    def close(self):
        """Stops everything; may be called twice. What had to be found first is in leftovers."""
        if self.owner != os.getpid() or self.directory is None or self.keep:
            return
        # Nothing may interrupt this: it is short and bounded.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        while self.processes:
            one = self.processes.pop()
            try:
                one.stop(one.stop_signal)
            except (OSError, TimeoutError) as error:
                print(f'lab: {one.name} cannot be stopped: {error}', file=sys.stderr)
        self.leftovers += end_orphans()
        if self.leftovers:
            print(f'lab: left running, now ended: {", ".join(self.leftovers)}', file=sys.stderr)
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory = None
        # What follows in the program can be ended again, and what it starts does not inherit SIG_IGN.
        for number, handler in self.handlers.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)

    def write_stop_script(self):
        """For a lab that is kept: a script that stops it and removes its directory."""
        path = self.path('stop')
        with open(path, 'w', encoding='utf-8') as file:
            file.write('#!/bin/sh\n')
            for one in reversed(self.processes):
                file.write(f'kill -{int(one.stop_signal)} {one.pid}  # {one.name}\n')
                file.write('sleep 0.2\n')
            file.write(f'rm -r {self.directory}\n')
        return path

    def path(self, *parts):
        return os.path.join(self.directory, *parts)

    def print_logs(self):
        for one in self.processes:
            print(f'# ---- {one.log}')
            for line in one.text().splitlines()[-40:]:
                print(f'# {line}')

    def unique(self, name):
        """The name, or the name with a number when it is taken: log files are not shared."""
        number, candidate = 1, name
        while candidate in self.names:
            number += 1
            candidate = f'{name}-{number}'
        self.names.add(candidate)
        return candidate

    def add(self, one):
        self.processes.append(one)
        return one

    def remove(self, one):
        if one in self.processes:
            self.processes.remove(one)

    # -- snmpd ---------------------------------------------------------------------------------

    @property
    def master_socket(self):
        return self.path('master')

    def manager(self, **settings):
        return Manager(f'udp:127.0.0.1:{self.snmpd_port}', **settings)

    def manager6(self, **settings):
        return Manager(f'udp6:[::1]:{self.snmpd_port}', **settings)

    def start_snmpd(self, extra='', show=True, access=None):
        """The master agent; the second start uses the same port and socket. show: whether its
        view has ISCSI-MIB. access: lines that say who may see what, instead of the lab's."""
        self.snmpd_port = self.snmpd_port or free_port()
        os.makedirs(self.path('persistent'), exist_ok=True)
        own = access is not None
        if not own:
            access = ('view lab included .1.3.6.1.2.1.1\n'
                      f'view lab {"included" if show else "excluded"} .1.3.6.1.2.1.142\n'
                      f'view lab included .{PRIVATE_ROOT}\n'
                      'rocommunity public 127.0.0.1 -V lab\n'
                      'rocommunity iscsi 127.0.0.1 -V lab\n'
                      'rocommunity6 public ::1 -V lab\n'
                      'rocommunity6 iscsi ::1 -V lab\n')
        with open(self.path('snmpd.conf'), 'w', encoding='utf-8') as file:
            file.write('master agentx\n'
                       f'agentXSocket {self.master_socket}\n'
                       f'agentAddress udp:127.0.0.1:{self.snmpd_port}'
                       f'{f",udp6:[::1]:{self.snmpd_port}" if IPV6 else ""}\n'
                       f'{access}'
                       'dontLogTCPWrappersConnects yes\n' + extra)
        self.snmpd = self.add(Process(
            self.unique('snmpd'),
            [find_program('snmpd'), '-f', '-C', '-c', self.path('snmpd.conf'), '-Lo',
             '-I', SNMPD_MODULES],
            self.directory, {'SNMP_PERSISTENT_DIR': self.path('persistent'), 'MIBS': '',
                             'SNMPCONFPATH': self.path('persistent')}))
        manager = self.manager(timeout=0.2, retries=0)

        def listens():
            # Who may ask it is the business of `access`; this is what it says when it does.
            return 'NET-SNMP version' in self.snmpd.text() if own else manager.uptime() is not None
        wait_for(lambda: listens() or not self.snmpd.running(), 10, 'snmpd answers')
        if not self.snmpd.running():
            raise OSError(f'snmpd ended: {self.snmpd.text()[-500:]}')
        return self.snmpd

    def stop_snmpd(self, number=signal.SIGTERM):
        self.remove(self.snmpd)
        return self.snmpd.stop(number)

    # -- snmptrapd -----------------------------------------------------------------------------

    def start_trap_sink(self):
        """A receiver of notifications; its lines() go into snmpd's configuration."""
        program = find_program('snmptrapd')
        if not program:
            raise OSError('snmptrapd is not installed')
        return TrapSink(self, program, free_port())

    def start_snmptt(self, **settings):
        """Another one, with snmptt behind it; settings: snmptt.Snmptt."""
        return Snmptt(self, find_program('snmptrapd'), find_program('snmptt'), free_port(), **settings)

    # -- tgtd ----------------------------------------------------------------------------------

    def start_tgtd(self, control_port=0, ipv6=True):
        """A target daemon with one portal on 127.0.0.1 and, with ipv6 and where there is one, one on ::1."""
        if not find_program('tgtd'):
            raise OSError('tgtd is not installed')
        for attempt in range(3):
            tgtd = Tgtd(self.unique(f'tgtd{control_port}'), self.directory,
                        find_program('tgtd'), find_program('tgtadm'), control_port,
                        self.path('tgt'), free_port(), free_port() if ipv6 and IPV6 else 0)
            self.add(tgtd)
            if tgtd.come_up():
                self.tgtds.append(tgtd)
                return tgtd
            tgtd.stop(signal.SIGKILL)
            self.remove(tgtd)
        raise OSError(f'tgtd does not start ({attempt + 1} tries): {tgtd.text()[-500:]}')

    def restart_tgtd(self, old, number=signal.SIGKILL):
        """Ends a tgtd, starts another one with the same ports, targets, LUNs and accounts."""
        self.remove(old)
        old.stop(number)
        tgtd = old.successor(self.unique(f'tgtd{old.control_port}'))
        self.add(tgtd)
        if not tgtd.come_up():
            raise OSError(f'tgtd does not start again: {tgtd.text()[-500:]}')
        self.tgtds = [tgtd if t is old else t for t in self.tgtds]
        return tgtd

    # -- initiators ----------------------------------------------------------------------------

    def start_initiator(self, *sessions, name='initiator', wait=15):
        """One process with these sessions (initiator.session); waits until all are ready."""
        initiator = self.add(Initiator(self.unique(name), self.directory, INITIATOR, sessions))
        if wait:
            initiator.wait_ready(wait)
        return initiator

    def stop_initiator(self, initiator):
        self.remove(initiator)
        return initiator.stop()

    # -- the agent -----------------------------------------------------------------------------

    def write_agent_config(self, extra='', **settings):
        """Writes the agent's configuration file; everything in the lab. Returns its path."""
        user = pwd.getpwnam('nobody')
        for name in ('state', 'run'):
            if not os.path.isdir(self.path(name)):
                os.mkdir(self.path(name), 0o700)
                os.chown(self.path(name), user.pw_uid, user.pw_gid)
        values = {'agentXSocket': self.master_socket, 'agentXPingInterval': 1,
                  'agentUser': 'nobody', 'pollInterval': 1, 'staleMax': 5, 'sources': 'tgt',
                  'stateDir': self.path('state'), 'runDir': self.path('run'),
                  'tgtSocket': self.path('tgt'), **settings}
        self.agent_settings = values
        path = self.path('iscsi-agentx.conf')
        with open(path, 'w', encoding='utf-8') as file:
            for token, value in values.items():
                file.write(f'{token} {value}\n')
            file.write(extra)
        return path

    def agent_command(self, *arguments):
        """The agent's command line with the lab's configuration and no other."""
        return [AGENT, '-C', '-c', self.path('iscsi-agentx.conf'), *arguments]

    def agent_environment(self):
        """No configuration, state or MIB of this machine."""
        return {'SNMP_PERSISTENT_DIR': self.path('persistent-agent'),
                'SNMPCONFPATH': self.path('none'), 'LC_ALL': 'C'}

    def run_agent(self, *arguments, config=True, timeout=60):
        """One of the commands that end by themselves; returns the CompletedProcess."""
        command = self.agent_command(*arguments) if config else [AGENT, *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=timeout,
                              check=False, stdin=subprocess.DEVNULL, cwd=self.directory,
                              env=dict(os.environ, **self.agent_environment()))

    def start_agent(self, prefix=(), wait=15, environment=None, arguments=(), **settings):
        """Starts the daemon in the foreground; waits until snmpd shows one of its objects."""
        self.write_agent_config(**settings)
        self.agent = self.add(Agent(
            self.unique('agent'), [*prefix, *self.agent_command('-f', '-Lo', *arguments)],
            self.directory, {**self.agent_environment(), **(environment or {})},
            death=signal.SIGTERM))
        if wait:
            wait_for(lambda: self.serving() or not self.agent.running(), wait, 'the agent serves')
            if not self.agent.running():
                raise OSError(f'the agent ended: {self.agent.text()[-2000:]}')
        return self.agent

    def stop_agent(self, number=signal.SIGTERM, grace=5):
        self.remove(self.agent)
        return self.agent.stop(number, grace)

    def serving(self):
        """True when a GETNEXT at the start of ISCSI-MIB comes to an object of it."""
        try:
            found = self.manager(timeout=0.5, retries=0).next(ISCSI_OBJECTS)
        except SnmpError:
            return False
        return (bool(found) and found[0].kind not in EXCEPTIONS
                and found[0].oid[:len(ISCSI_OBJECTS)] == ISCSI_OBJECTS)
