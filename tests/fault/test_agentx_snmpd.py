#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The agent with a real snmpd that is killed, stopped, doubled and asked for too much.

    test_agentx_snmpd.py [HARNESS [COMMAND ...]]     COMMAND, such as valgrind, runs the harness

The snmpd is private: its own configuration, socket, port and persistent directory.
"""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))

from agentx_lab import (  # noqa: E402
    PLAIN, PRIVATE_ROOT, Harness, Lab, Scenarios, Snmpd, skip_all, wait_for)
from snmp_raw import ber_oid, tlv  # noqa: E402
from tap import measured  # noqa: E402

MODULE = '.1.3.6.1.2.1.142'
DESCRIPTION = MODULE + '.1.1.1.1.2.1'
TEXT = 'a snapshot made by a test'
CAPABILITIES = f'.{PRIVATE_ROOT}.2.1'
HARNESS, PREFIX = PLAIN, []


class Scene:
    def __init__(self, *arguments, snmpd_first=True):
        self.lab, self.arguments = Lab(HARNESS, PREFIX), arguments
        self.snmpd_first = snmpd_first

    def __enter__(self):
        self.lab.__enter__()
        try:
            self.snmpd = Snmpd(self.lab)
            if self.snmpd_first:
                self.snmpd.start()
            self.harness = Harness(self.lab, self.snmpd.socket_path, *self.arguments).ready()
        except BaseException:
            self.lab.__exit__()
            raise
        return self

    def __exit__(self, *error):
        alive = self.harness.alive()
        messages = self.harness.messages()
        self.lab.__exit__(*error)
        if error[0] is None:
            assert alive or self.harness.process.returncode == 0, 'it died: ' + messages

    def served(self):
        return TEXT in self.snmpd.get(DESCRIPTION, timeout=1)


def agent_first():
    """the agent before snmpd: one message, connected within 3 s of its start"""
    with Scene(snmpd_first=False) as s:
        time.sleep(2.2)
        start = time.monotonic()
        s.snmpd.start()
        wait_for(s.served, 3, 'served')
        took = time.monotonic() - start
        assert took <= 3, took
        measured('E4', 'connected_ms', round(took * 1000))
        lines = s.harness.messages().splitlines()
        assert len(lines) == 2, lines
        assert 'cannot connect' in lines[0] and 'connected to the master agent' in lines[1], lines
        return '%.2f s' % took


def walks():
    """GETNEXT and GETBULK walks are what the agent itself prints, octet by octet"""
    with Scene('-n', 300) as s:
        wait_for(s.served, 3, 'served')
        own = s.harness.walk()
        assert own.count('\n') > 300 * 10
        assert s.snmpd.walk('snmpwalk', MODULE) == own
        for repetitions in (1, 10, 50):
            walk = s.snmpd.walk('snmpbulkwalk', MODULE, '-Cr%d' % repetitions)
            assert walk == own, repetitions
        return '%d values' % own.count('\n')


def many_columns():
    """GETBULK of several columns gives each column as GETNEXT does"""
    with Scene('-n', 20) as s:
        wait_for(s.served, 3, 'served')
        entry = MODULE + '.1.10.1.1'
        columns = [entry + '.%d' % c for c in (3, 16, 21, 4)]
        out = s.snmpd.command('snmpbulkget', '-Cr20', s.snmpd.address(), *columns)
        for column in columns:
            single = s.snmpd.walk('snmpwalk', column).splitlines()
            assert len(single) == 20, single
            for line in single:
                assert line in out.splitlines(), line
        assert len(out.splitlines()) == 80


def set_refused():
    """SET is notWritable with v2c, noSuchName with v1; the wrong community has no access"""
    with Scene() as s:
        wait_for(s.served, 3, 'served')
        for name in (DESCRIPTION, MODULE + '.1.5.1.1.17.1.1', MODULE + '.1.99.1'):
            assert 'notWritable' in s.snmpd.set(name)
            assert 'noSuchName' in s.snmpd.set(name, version='1')
        out = s.snmpd.command('snmpset', s.snmpd.address(), DESCRIPTION, 's', 'x')
        assert 'noAccess' in out, out
        assert s.served() and s.harness.status()['connects'] == 1


def capabilities():
    """sysORTable has the capabilities, and loses them with the agent"""
    with Scene() as s:
        wait_for(s.served, 3, 'served')
        table = s.snmpd.walk('snmpwalk', '.1.3.6.1.2.1.1.9.1')
        assert 'OID: ' + CAPABILITIES in table and 'ISCSI-MIB' in table, table
        s.harness.stop()
        assert CAPABILITIES not in s.snmpd.walk('snmpwalk', '.1.3.6.1.2.1.1.9.1')


def orderly_stop():
    """after an orderly stop snmpd has no subtree of ours at once"""
    with Scene() as s:
        wait_for(s.served, 3, 'served')
        took = s.harness.stop()
        assert took <= 300 and 'No Such Object' in s.snmpd.get(DESCRIPTION)
        return '%d ms' % took


def killed_master():
    """snmpd killed and started again, 10 times: served within 3 s of its start"""
    with Scene() as s:
        wait_for(s.served, 3, 'served')
        took = []
        for i in range(10):
            if i == 2:
                descriptors = s.harness.descriptors()
            s.snmpd.kill()
            start = time.monotonic()
            s.snmpd.start()
            wait_for(s.served, 3, 'served')
            took.append(time.monotonic() - start)
        assert max(took) <= 3, took
        status = s.harness.status()
        assert s.harness.descriptors() == descriptors
        assert status['connects'] == 11 and status['gap_ms'] < 400, status
        assert len(s.harness.messages().splitlines()) == 21, s.harness.messages()
        return ' '.join('%.2f' % t for t in took)


def removed_socket():
    """the socket's file removed: the session stays, and is found again after a restart"""
    with Scene() as s:
        wait_for(s.served, 3, 'served')
        os.unlink(s.snmpd.socket_path)
        time.sleep(1.5)
        assert s.served()
        s.snmpd.kill()
        s.snmpd.start()
        wait_for(s.served, 3, 'served')


def stopped_master(seconds):
    with Scene() as s:
        wait_for(s.served, 3, 'served')
        s.harness.status()
        s.snmpd.process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        status = s.harness.status()
        s.snmpd.process.send_signal(signal.SIGCONT)
        took = wait_for(s.served, 3, 'served')
        assert status['gap_ms'] < 1200, status
        if seconds > 5:
            measured('E2', 'loop_silent_ms_max', status['gap_ms'])
        return 'silent for %d ms, served %.2f s after' % (status['gap_ms'], took)


def stop_with_stopped_master():
    """the agent stops within 300 ms though snmpd is stopped"""
    with Scene() as s:
        wait_for(s.served, 3, 'served')
        s.snmpd.process.send_signal(signal.SIGSTOP)
        took = s.harness.stop()
        assert took <= 300, took
        return '%d ms' % took


def full_backlog():
    """snmpd stopped with a full backlog: the loop is not silent, and it recovers"""
    with Scene(snmpd_first=False) as s:
        s.snmpd.start()
        s.snmpd.process.send_signal(signal.SIGSTOP)
        idle = []
        for _ in range(64):
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sock.setblocking(False)
            idle.append(sock)
            try:
                sock.connect(s.snmpd.socket_path)
            except BlockingIOError:
                break
        else:
            raise AssertionError('the backlog is never full')
        time.sleep(1)
        s.harness.status()
        time.sleep(3)
        status = s.harness.status()
        assert status['gap_ms'] < 500, status
        measured('E2b', 'loop_silent_ms_max', status['gap_ms'])
        for sock in idle:
            sock.close()
        s.snmpd.process.send_signal(signal.SIGCONT)
        took = wait_for(s.served, 3, 'served')
        return 'silent for %d ms, served %.2f s after' % (status['gap_ms'], took)


def two_agents():
    """a second agent is refused, says so once, and takes over when the first is killed"""
    with Scene() as s:
        wait_for(s.served, 3, 'served')
        second = Harness(s.lab, s.snmpd.socket_path).ready()
        time.sleep(2.5)
        assert second.state() == 'refused' and s.harness.state() == 'connected'
        assert second.messages().count('duplicateRegistration') == 1, second.messages()
        assert len(second.messages().splitlines()) <= 2, second.messages()
        os.kill(s.harness.pid, signal.SIGKILL)
        s.harness.process.wait()
        took = wait_for(lambda: s.served() and second.state() == 'connected', 3, 'taken over')
        measured('E9', 'taken_over_ms', round(took * 1000))
        s.harness = second
        return '%.2f s' % took


def killed_agent():
    """the agent killed under walks, 20 times: snmpd survives, and every new agent serves"""
    with Scene('-n', 100) as s:
        for _ in range(20):
            wait_for(s.served, 3, 'served')
            walk = subprocess.Popen(
                ['snmpbulkwalk', '-v2c', '-cpublic', '-On', '-r0', '-t2', s.snmpd.address(), MODULE],
                env=s.snmpd.ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(0.02)
            os.kill(s.harness.pid, signal.SIGKILL)
            s.harness.process.wait()
            walk.wait()
            s.harness = Harness(s.lab, s.snmpd.socket_path, '-n', 100).ready()
        wait_for(s.served, 3, 'served')
        assert s.snmpd.process.poll() is None


# ---- more than fits ----

def error_status(snmpd, pdu_tag, names, seconds=4):
    """Sends one SNMPv2c request over UDP; the error-status of its response, None without one."""
    bindings = b''.join(tlv(0x30, ber_oid(n) + b'\x05\x00') for n in names)
    pdu = tlv(pdu_tag, tlv(2, b'\x12\x34') + tlv(2, b'\0') + tlv(2, b'\0') + tlv(0x30, bindings))
    message = tlv(0x30, tlv(2, b'\1') + tlv(4, b'public') + pdu)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(seconds)
        sock.sendto(message, ('127.0.0.1', snmpd.port))
        try:
            response = sock.recv(65535)
        except socket.timeout:
            return None
    at = response.index(b'\x02\x02\x12\x34') + 4
    return response[at + 2]


def too_big():
    """a request whose answer or own size passes 60,000 octets is tooBig, and the session stays"""
    with Scene() as s:
        wait_for(s.served, 3, 'served')
        alias = MODULE + '.1.10.1.1.8.1.1.1'
        assert error_status(s.snmpd, 0xa0, [alias] * 800) == 0
        results = []
        for count in (900, 2900):
            results.append(error_status(s.snmpd, 0xa0, [alias] * count))
            status = s.harness.status()
            assert status['connects'] == 1 and status['state'] == 'connected', status
            assert s.served(), count
        assert results == [1, 1], results


def untouched_files():
    """opens no file of net-snmp's: no configuration, no MIB, no persistent state"""
    if not shutil.which('strace'):
        return 'SKIP no strace'
    own = re.compile(r'/(var|etc/snmp|usr/share/snmp|root|home)')
    with Lab(HARNESS) as lab:
        trace = lab.path('trace')
        lab.prefix = ['strace', '-f', '-e', 'trace=file', '-o', trace]
        snmpd = Snmpd(lab).start()
        h = Harness(lab, snmpd.socket_path).ready()
        wait_for(lambda: TEXT in snmpd.get(DESCRIPTION), 3, 'served')
        h.stop()
        with open(trace) as f:
            paths = re.findall(r'\("([^"]+)"|, "([^"]+)"', f.read())
        paths = {a or b for a, b in paths}
        # The harness itself may lie there: what is meant are files of the machine.
        ours = os.path.realpath(os.path.join(os.path.dirname(__file__), '..', '..')) + '/'
        bad = [p for p in paths if own.match(p) and not p.startswith(ours)]
        assert not bad, bad
    return None


def main():
    if not os.access(HARNESS, os.X_OK):
        return skip_all(HARNESS + ' is not built')
    for program, package in (('snmpd', 'snmpd'), ('snmpwalk', 'snmp')):
        if not shutil.which(program, path='/usr/sbin:/usr/bin:/sbin:/bin'):
            return skip_all(f'{program} is not installed (package {package})')
    tests = Scenarios(os.environ.get('TESTS'), at_once=4)
    for test in (agent_first, walks, many_columns, set_refused, capabilities, orderly_stop,
                 killed_master, removed_socket):
        tests.add(test)
    tests.add(stopped_master, 5, what='snmpd stopped for 5 s: the loop is never silent for 1.2 s')
    tests.add(stopped_master, 9, what='snmpd stopped for 9 s, which is longer than a Ping waits')
    for test in (stop_with_stopped_master, full_backlog, two_agents, killed_agent, too_big,
                 untouched_files):
        tests.add(test)
    return tests.run()


if __name__ == '__main__':
    if len(sys.argv) > 1:
        HARNESS, PREFIX = os.path.abspath(sys.argv[1]), sys.argv[2:]
    sys.exit(main())
