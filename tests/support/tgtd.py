# SPDX-License-Identifier: BSD-2-Clause
"""tgtd in the lab: started with a private management socket, set up and read by tgtadm.

The reading half is a witness for the tests: it is written from tgtadm's output alone and shares
nothing with the agent's source.
"""

import collections
import os
import re
import signal
import subprocess

from process import Process, wait_for

Session = collections.namedtuple('Session', 'tid nexus initiator alias connections')
Connection = collections.namedtuple('Connection', 'cid address')
Target = collections.namedtuple('Target', 'tid name sessions accounts acl')
COUNTERS = ('rx_octets', 'tx_octets', 'data_out', 'data_in', 'commands', 'responses')


class Tgtd(Process):
    """One tgtd. The socket is `prefix`.<control port>, as TGT_IPC_SOCKET makes it."""

    stop_signal = signal.SIGKILL  # it ignores SIGTERM while it has targets

    def __init__(self, name, directory, program, admin, control_port, prefix, port4, port6):
        self.program = program
        self.admin_program = admin
        self.control_port = control_port
        self.prefix = prefix
        self.port4 = port4
        self.port6 = port6
        self.history = []
        portals = self.portals()
        super().__init__(
            name, [program, '-f', '-C', str(control_port), '-t', '1',
                   '--iscsi', f'portal={portals[0]}'],
            directory, {'TGT_IPC_SOCKET': prefix})

    def portals(self):
        """ADDRESS:PORT of each, as tgtadm and the initiator write it."""
        found = [f'127.0.0.1:{self.port4}']
        if self.port6:
            found.append(f'[::1]:{self.port6}')
        return found

    def both_portals(self):
        """One of IPv4 and one of IPv6, for tests that are not about the difference: on a machine without
        IPv6 the one that there is, twice."""
        portals = self.portals()
        return portals[0], portals[-1]

    @property
    def socket(self):
        return f'{self.prefix}.{self.control_port}'

    def come_up(self):
        """Waits until it serves its portals. False when it does not."""
        try:
            wait_for(lambda: not self.running() or self._answers(), 10, 'tgtd answers')
            if not self.running():
                return False
            for portal in self.portals()[1:]:
                self.admin('portal', 'new', '--param', f'portal={portal}', record=False)
            return sorted(self.portals()) == sorted(p for p, _ in self.show_portals())
        except (TimeoutError, subprocess.CalledProcessError):
            return False

    def successor(self, name):
        """Another process with the same ports and, from the history, the same objects."""
        tgtd = Tgtd(name, os.path.dirname(self.log), self.program, self.admin_program,
                    self.control_port, self.prefix, self.port4, self.port6)
        history, come_up = self.history, tgtd.come_up

        def come_up_and_replay():
            if not come_up():
                return False
            for arguments in history:
                tgtd.admin(*arguments)
            return True

        tgtd.come_up = come_up_and_replay
        return tgtd

    def _answers(self):
        return os.path.exists(self.socket) and self._run('portal', 'show').returncode == 0

    def _run(self, mode, operation, *arguments):
        return subprocess.run(
            [self.admin_program, '-C', str(self.control_port), '--lld', 'iscsi', '--mode', mode,
             '--op', operation, *arguments],
            env=dict(os.environ, TGT_IPC_SOCKET=self.prefix), text=True, capture_output=True,
            timeout=20, check=False, stdin=subprocess.DEVNULL)

    def admin(self, mode, operation, *arguments, record=True):
        """tgtadm; a failure is an exception. What changes something is kept for a successor."""
        done = self._run(mode, operation, *arguments)
        if done.returncode != 0:
            raise subprocess.CalledProcessError(
                done.returncode, f'tgtadm {mode} {operation}', done.stdout, done.stderr)
        if record and operation not in ('show', 'stat'):
            self.history.append((mode, operation, *arguments))
        return done.stdout

    # -- set-up --------------------------------------------------------------------------------

    def add_target(self, name, tid=None, luns=1, megabytes=16, acl=('ALL',), names=(),
                   accounts=(), parameters=()):
        """A target with sparse files as LUNs. accounts: (name, secret) pairs. Returns the tid."""
        tid = tid or 1 + max([t.tid for t in self.show()], default=0)
        self.admin('target', 'new', '--tid', str(tid), '--targetname', name)
        for parameter, value in parameters:
            self.admin('target', 'update', '--tid', str(tid), '--name', parameter,
                       '--value', value)
        for lun in range(1, luns + 1):
            path = f'{self.prefix}.{self.control_port}.{tid}.{lun}.disk'
            with open(path, 'ab') as file:
                file.truncate(megabytes << 20)
            self.admin('logicalunit', 'new', '--tid', str(tid), '--lun', str(lun),
                       '--backing-store', path)
        for user, secret in accounts:
            self.admin('account', 'new', '--user', user, '--password', secret)
            self.admin('account', 'bind', '--tid', str(tid), '--user', user)
        for address in acl:
            self.admin('target', 'bind', '--tid', str(tid), '--initiator-address', address)
        for initiator in names:
            self.admin('target', 'bind', '--tid', str(tid), '--initiator-name', initiator)
        return tid

    def remove_target(self, tid):
        self.admin('target', 'delete', '--force', '--tid', str(tid))

    # -- the witness ---------------------------------------------------------------------------

    def show_portals(self):
        """[(ADDRESS:PORT, tag)]"""
        return [(m.group(1), int(m.group(2))) for m in
                re.finditer(r'^Portal: (\S+),(\d+)$', self.admin('portal', 'show'), re.M)]

    def show(self):
        """All targets with their sessions, accounts and access lists."""
        targets, section = [], ''
        for line in self.admin('target', 'show').splitlines():
            text = line.strip()
            if match := re.match(r'Target (\d+): (.*)$', line):
                targets.append(Target(int(match.group(1)), match.group(2), [], [], []))
            elif re.match(r' {4}\S.*:$', line):
                section = text
            elif section == 'I_T nexus information:':
                self._show_nexus(targets[-1], text)
            elif section == 'Account information:' and text:
                targets[-1].accounts.append(text)
            elif section == 'ACL information:' and text:
                targets[-1].acl.append(text)
        return targets

    @staticmethod
    def _show_nexus(target, text):
        if match := re.match(r'I_T nexus: (\d+)$', text):
            target.sessions.append(
                Session(target.tid, int(match.group(1)), None, None, []))
        elif match := re.match(r'Initiator: (\S+) alias: (.*)$', text):
            target.sessions[-1] = target.sessions[-1]._replace(
                initiator=match.group(1), alias=match.group(2))
        elif match := re.match(r'Connection: (\d+)$', text):
            target.sessions[-1].connections.append(Connection(int(match.group(1)), None))
        elif match := re.match(r'IP Address: (\S+)$', text):
            connections = target.sessions[-1].connections
            connections[-1] = connections[-1]._replace(address=match.group(1))

    def parameters(self, tid):
        """The configured values of a target: {key: text}."""
        text = self.admin('target', 'show', '--tid', str(tid))
        return dict(line.split('=', 1) for line in text.splitlines() if '=' in line)

    def connections(self, tid):
        """[(nexus, cid)] of a target."""
        found, nexus = [], None
        for line in self.admin('conn', 'show', '--tid', str(tid)).splitlines():
            if match := re.match(r'Session: (\d+)$', line.strip()):
                nexus = int(match.group(1))
            elif match := re.match(r'Connection: (\d+)$', line.strip()):
                found.append((nexus, int(match.group(1))))
        return found

    def stat(self, tid):
        """{(nexus, cid): {counter: number}} of a target."""
        found = {}
        for nexus, cid in self.connections(tid):
            text = self.admin('conn', 'stat', '--tid', str(tid), '--sid', str(nexus),
                              '--cid', str(cid))
            numbers = [int(field) for field in text.splitlines()[-1].split()]
            found[nexus, cid] = dict(zip(COUNTERS, numbers[2:], strict=True))
        return found
