#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""check_iscsi_snmp against a real snmpd and agent: each mode from OK over WARNING and CRITICAL back to OK
while paths of a host are cut, SNMPv1, v2c and v3, and what it says when it cannot know."""

import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
# pylint: disable=wrong-import-position
import lab as laboratory
from open_iscsi_host import OpenIscsiHost
from process import wait_for
from tap import Tap

PLUGIN = os.path.join(laboratory.BUILD, 'check_iscsi_snmp')
DISK = 'iqn.2004-10.org.example:disk-'
OK, WARNING, CRITICAL, UNKNOWN = range(4)
NAMES = ['OK', 'WARNING', 'CRITICAL', 'UNKNOWN']
V3 = ('createUser ops SHA-256 "authentication" AES "privatissimum"\n'
      'rouser ops authpriv -V lab\n'
      'createUser half SHA-256 "authentication"\nrouser half auth -V lab\n'
      'createUser bare\nrouser bare noauth -V lab\n')
LIO = os.path.join(laboratory.TOP, 'tests', 'fixtures', 'lio', 'login-failures.tree')


class Check:
    """Runs the plug-in against the snmpd of a lab."""

    def __init__(self, t, lab):
        self.t = t
        self.lab = lab
        self.seconds = []

    def run(self, *arguments, host='127.0.0.1'):
        started = time.monotonic()
        done = subprocess.run(
            [PLUGIN, '-H', host, '-p', str(self.lab.snmpd_port), '-t', '5', *arguments],
            capture_output=True, text=True, timeout=20, cwd=self.lab.directory, check=False,
            env={'PATH': os.environ['PATH']})
        self.seconds.append(time.monotonic() - started)
        return done

    def expect(self, status, pattern, *arguments, what, **options):
        """Waits until a poll of the agent has it; returns the output."""
        def fits():
            done[0] = self.run(*arguments, **options)
            return done[0].returncode == status and re.search(pattern, done[0].stdout, re.M)

        done = [None]
        try:
            wait_for(fits, 8, what, 0.2)
            good = True
        except TimeoutError:
            good = False
        lines = done[0].stdout.splitlines()
        self.t.ok(good and lines[0].startswith(f'ISCSI {NAMES[status]} - ')
                  and done[0].stderr == '', what, f'{done[0].returncode}: {done[0].stdout}',
                  done[0].stderr, f'wanted {status}: {pattern}')
        return done[0].stdout


def test_usage(t, check):
    for option, start in (('--help', 'Usage: check_iscsi_snmp'), ('--version', 'check_iscsi_snmp ')):
        done = check.run(option)
        t.ok(done.returncode == UNKNOWN and done.stdout.startswith(start),
             f'{option}: status 3, as nothing was checked', done.stdout)
    wrong = {'a mode that is none': ['-m', 'nix'], 'a range that is none': ['-w', '5:1'],
             'a port that is none': ['-p', '0'], 'an unknown option': ['--nix'],
             'an argument': ['nix'], 'no user for v3': ['-P', '3'],
             'an unknown version': ['-P', '4'],
             'a short passphrase': ['-P', '3', '-U', 'ops', '-A', 'short', '-X', 'privatissimum'],
             'no passphrase': ['-P', '3', '-U', 'ops'],
             'an unknown protocol': ['-P', '3', '-U', 'ops', '-a', 'ROT13', '-A', 'authentication'],
             'an unknown level': ['-P', '3', '-U', 'ops', '-L', 'some'],
             'thresholds of health': ['-w', '5'],
             'errors without a place': ['-m', 'errors'],
             'targets for sessions': ['-m', 'sessions', '-T', DISK + 'a'],
             'targets for health': ['-T', DISK + 'a'],
             'a list of no target': ['-m', 'paths', '-T', ', '],
             'inbound paths': ['-m', 'paths', '--inbound'],
             'a place for paths': ['-m', 'paths', '--state', '/tmp']}
    for what, arguments in wrong.items():
        done = check.run(*arguments)
        t.ok(done.returncode == UNKNOWN and done.stdout.startswith('ISCSI UNKNOWN - ')
             and done.stdout.count('\n') == 1 and not done.stderr,
             f'{what}: UNKNOWN, in one line', done.stdout, done.stderr)
    done = subprocess.run([PLUGIN], capture_output=True, text=True, check=False, timeout=10)
    t.ok(done.returncode == UNKNOWN and '-H' in done.stdout, 'a host must be named', done.stdout)


def test_cuts(t, check, host):
    """Two targets with two paths each."""
    everything = r'^ISCSI OK - 4 of 4 paths connected'
    check.expect(OK, everything + r' \| sessions=4;;;0 ', what='health of a whole host')
    check.expect(OK, everything + r' \| paths_down=0;;;0 paths_connected=4;;;0 paths=4;;;0 '
                 r'targets_lost=0;;;0\n\Z', '-m', 'paths', what='its paths')
    check.expect(OK, r'4 of 4 sessions connected, 0 failed \| sessions_connected=4;4:;2:;0 ', '-m',
                 'sessions', '-w', '4:', '-c', '2:', what='its sessions')
    check.expect(OK, r'0 of 4 expected paths missing', '-m', 'expected', what='what it expects')

    host.set_state(1, 'FAILED', 'failed')
    check.expect(WARNING, r'3 of 4 paths connected, 1 reconnecting', what='one path cut: health')
    check.expect(WARNING, rf'3 of 4 paths connected, {DISK}a 192\.0\.2\.1:3260 \(default\) '
                 r'reconnecting for \d+ s', '-m', 'paths', what='the path is named')
    check.expect(WARNING, '3 of 4 sessions connected, 1 failed', '-m', 'sessions', what='sessions')
    check.expect(OK, '3 of 4', '-m', 'paths', '-w', '1', '-c', '2', what='a range lets it pass')
    check.expect(CRITICAL, '3 of 4', '-m', 'paths', '-c', '0', what='another does not')
    check.expect(OK, '2 of 2 paths', '-m', 'paths', '-T', DISK + 'b', what='the other target is well')
    for mode in ('paths', 'expected'):
        check.expect(UNKNOWN, rf', no path fits {DISK}gone\n', '-m', mode, '-T', DISK + 'gone',
                     what=f'{mode} to a target that is not there')
    check.expect(OK, '0 of 4 expected', '-m', 'expected', what='a path that reconnects is not missing')

    host.set_state(2, 'FAILED', 'failed')
    check.expect(CRITICAL, f'no path to {DISK}a', what='both paths of a target cut: health')
    out = check.expect(CRITICAL, f'2 of 4 paths connected, no path to {DISK}a, ', '-m', 'paths',
                       what='the target is named')
    t.ok(out.splitlines()[0].count('reconnecting') == 2 and len(out.splitlines()) == 3,
         'both paths are, in the first line and below it', out)
    out = check.run('-m', 'paths', '-v').stdout
    t.equal(len(out.splitlines()), 5, 'with -v all paths')

    host.log_out(3)
    check.expect(CRITICAL, rf'1 of 4 expected paths missing, {DISK}b 192\.0\.2\.1:3260 \(default\) '
                 'disconnected', '-m', 'expected', what='a session logged out: the path is missing')
    check.expect(WARNING, '1 of 4', '-m', 'expected', '-w', '0', '-c', '1', what='by range')

    host.log_in(3)
    host.set_state(1, 'LOGGED_IN', 'up')
    host.set_state(2, 'LOGGED_IN', 'up')
    check.expect(OK, everything, what='all is back: health')
    check.expect(OK, everything, '-m', 'paths', what='paths')
    check.expect(OK, '4 of 4', '-m', 'sessions', what='sessions')
    check.expect(OK, '0 of 4', '-m', 'expected', what='expected')
    for number in range(1, 5):
        host.set_state(number, 'FAILED', 'failed')
    check.expect(CRITICAL, '0 of 4 sessions connected, 4 failed', '-m', 'sessions',
                 what='no session is left')
    for number in range(1, 5):
        host.set_state(number, 'LOGGED_IN', 'up')


def test_versions(t, check):
    v3 = ['-P', '3', '-U', 'ops', '-a', 'SHA-256', '-A', 'authentication', '-X', 'privatissimum']
    for what, arguments in (('SNMPv1', ['-P', '1']), ('SNMPv3', v3)):
        check.expect(OK, '4 of 4 paths', *arguments, '-m', 'paths', what=f'{what}: a table')
        check.expect(OK, '4 of 4 paths', *arguments, what=f'{what}: scalars')
    for level, arguments in (('authPriv', [*v3, '-x', 'AES', '-P', '3']),
                             ('authNoPriv', ['-P', '3', '-U', 'half', *v3[4:8]]),
                             ('noAuthNoPriv', ['-P', '3', '-U', 'bare'])):
        check.expect(OK, '4 of 4 paths', *arguments, '-L', level, what=f'SNMPv3, {level}')
    if laboratory.IPV6:
        check.expect(OK, '4 of 4', '-P', '2c', host='::1', what='IPv6')
    else:
        t.skip('IPv6', laboratory.NO_IPV6)
    user = 'another protocol (-a) than'
    for what, arguments, why in (
            ('a wrong passphrase', [*v3, '-A', 'authorisation'], f'a wrong passphrase (-A), or the user has {user} '),
            ('another protocol', [*v3, '-a', 'SHA'], f'{user} SHA\n'),
            ('a wrong passphrase of privacy', [*v3, '-X', 'privatissima'], 'are -X and -x those of the user?'),
            ('another protocol of privacy', [*v3, '-x', 'DES'], 'are -X and -x those of the user?'),
            ('an unknown user', ['-P', '3', '-U', 'nobody', *v3[4:]], ': Unknown user name'),
            ('a wrong community', ['-C', 'private'], ': no answer\n')):
        done = check.run('-t', '2', *arguments)
        t.ok(done.returncode == UNKNOWN and done.stdout.startswith('ISCSI UNKNOWN - 127.0.0.1: ')
             and why in done.stdout, f'{what}: UNKNOWN, and what may be wrong', done.stdout)


def test_silence(t, check, lab):
    lab.stop_agent()
    wait_for(lambda: check.run().returncode == UNKNOWN, 5, 'the agent is away')
    out = check.run().stdout
    t.ok('is iscsi-agentx running there' in out, 'without the agent: UNKNOWN, with what to look at',
         out)
    started = time.monotonic()
    done = check.run('-t', '1', '-p', '9')
    t.ok(done.returncode == UNKNOWN and 'ISCSI UNKNOWN' in done.stdout,
         'a host that does not answer: UNKNOWN', done.stdout)
    t.below(time.monotonic() - started, 1.3, 'within the time of the check, 1 s')
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(('127.0.0.1', 0))
        silent.settimeout(20)
        with subprocess.Popen([PLUGIN, '-H', '127.0.0.1', '-p', str(silent.getsockname()[1]), '-t', '60'],
                              stdout=subprocess.PIPE, text=True) as asked:
            silent.recv(4096)
            asked.send_signal(signal.SIGALRM)
            out = asked.communicate(timeout=20)[0]
    t.ok(asked.returncode == UNKNOWN and out.startswith('ISCSI UNKNOWN - no result within the time'),
         'when its time is over in the midst of a question: UNKNOWN, too', out)


def test_targets(t, check, lab):
    """Targets and counters, of a recorded LIO."""
    lab.start_agent(arguments=('--root', LIO), sources='lio')
    out = check.expect(OK, r'^ISCSI OK - (\d+) targets', '-m', 'targets', '-v', what='targets')
    names = out.splitlines()[1:]
    t.ok(names and f' {len(names)} targets ' in out, 'each has its line with -v', out)
    check.expect(OK, '- 1 targets', '-m', 'targets', '-T', names[0], what='one that is there')
    check.expect(CRITICAL, f'targets: missing {DISK}gone', '-m', 'targets', '-T',
                 f'{names[0]},{DISK}gone', what='one that is not')
    check.expect(WARNING, f'targets={len(names)};100:;;0', '-m', 'targets', '-w', '100:',
                 what='too few, by range')
    check.expect(OK, r'sessions_inbound=\d+;;;0$', '-m', 'sessions', '--inbound',
                 what='sessions at the targets')

    state = lab.path('checks')
    os.mkdir(state)
    arguments = ['-m', 'errors', '--state', state]
    out = check.expect(OK, 'first look', *arguments, what='errors, the first time')
    refused = int(re.search(r'logins_refused=(\d+)c', out).group(1))
    t.ok(refused > 0, f'the recording has {refused} refused logins')
    check.expect(OK, r'- 0 errors in \d+ s \| errors=0;0;;0 ', *arguments, what='nothing new')
    path, = [os.path.join(state, name) for name in os.listdir(state)]
    with open(path, encoding='utf-8') as file:
        lines = file.read().splitlines()
    head = lines[0].split(' ')
    head[2] = str(int(time.time()) - 60)  # magic, version, time
    lines[0] = ' '.join(head)
    at = next(i for i, line in enumerate(lines) if line.startswith('counter 4 ')) + 1
    fewer = 3
    while fewer:  # rows of refused logins, each with as many as it has
        index, value, seen = lines[at].split(' ')
        less = min(fewer, int(value))
        lines[at] = f'{index} {int(value) - less} {seen}'
        fewer -= less
        at += 1

    def remember():
        with open(path, 'w', encoding='utf-8') as file:
            file.write('\n'.join(lines) + '\n')

    remember()
    done = check.run(*arguments)
    t.ok(done.returncode == WARNING and
         re.search(r'^ISCSI WARNING - 3 errors, 3 logins refused by targets here in 6\d s', done.stdout),
         'three more than a minute ago: WARNING', done.stdout)
    done = check.run(*arguments)
    t.equal(done.returncode, OK, 'told once')
    remember()
    t.equal(check.run(*arguments, '-w', '5', '-c', '10').returncode, OK, 'ranges let it pass')
    remember()
    t.equal(check.run(*arguments, '-c', '2').returncode, CRITICAL, 'or make it critical')
    done = check.run('-m', 'errors', '--state', lab.path('absent'))
    t.ok(done.returncode == UNKNOWN and 'cannot be written' in done.stdout,
         'a place that is not there: UNKNOWN', done.stdout)


def main():
    with Tap() as t:
        why = laboratory.missing() or (
            None if os.access(PLUGIN, os.X_OK) else f'{PLUGIN} is not built')
        if why:
            t.skip_all(why)
        with laboratory.Lab() as lab:
            lab.start_snmpd(V3)
            host = OpenIscsiHost(lab.path('host'))
            for disk in 'ab':
                for address in ('192.0.2.1', '192.0.2.2'):
                    host.add_path(DISK + disk, address)
            lab.start_agent(arguments=('--root', lab.path('host')), sources='open-iscsi')
            check = Check(t, lab)
            test_usage(t, check)
            test_cuts(t, check, host)
            t.below(statistics.median(check.seconds), 0.5, 'a check, the median of all so far')
            test_versions(t, check)
            test_silence(t, check, lab)
            test_targets(t, check, lab)


if __name__ == '__main__':
    main()
