# SPDX-License-Identifier: BSD-2-Clause
"""What the AgentX tests share: scenarios as TAP, the harness as a process, a private snmpd.

Everything lives in one temporary directory, on loopback and free ports; processes are ended by
their pid when the lab closes.
"""
import concurrent.futures
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

from ports import free_port


TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get('BUILD', os.path.join(TOP, 'build'))
PLAIN = os.path.join(BUILD, 'tests', 'agentx_harness')
SANITIZED = os.path.join(BUILD, 'san', 'tests', 'agentx_harness')
PRIVATE_ROOT = os.environ.get('PRIVATE_OID', '1.3.6.1.4.1.8072.9999.9999.7147')


class Scenarios:
    """Functions as tests, several at a time since they mostly wait; TAP in their order.

    A function passes its assertions, and may return a text for its line ("SKIP …" skips it).
    `only`: a regular expression that selects tests by what they say.
    """

    def __init__(self, only=None, at_once=6):
        self.only, self.at_once = only, at_once
        self.planned = []

    def add(self, function, *arguments, what=None):
        what = what or function.__doc__.split('\n')[0]
        if not self.only or re.search(self.only, what):
            self.planned.append((what, function, arguments))

    @staticmethod
    def _run(what, function, arguments):
        try:
            note = function(*arguments)
        except Exception as error:  # a test that breaks is a test that failed
            where = error.__traceback__
            while where.tb_next:
                where = where.tb_next
            text = f'{type(error).__name__} in line {where.tb_lineno}: {error}'
            return False, [f'- {what}'] + ['# ' + line for line in text.splitlines()]
        return True, [f'- {what}' + (f' # {note}' if note else '')]

    def run(self):
        """Runs them and prints TAP; the exit status."""
        failed = 0
        signal.signal(signal.SIGTERM, end_everything)
        signal.signal(signal.SIGINT, end_everything)
        with concurrent.futures.ThreadPoolExecutor(self.at_once) as pool:
            results = [pool.submit(self._run, *plan) for plan in self.planned]
            for number, result in enumerate(results, 1):
                good, lines = result.result()
                failed += not good
                lines[0] = ('ok' if good else 'not ok') + f' {number} {lines[0]}'
                print('\n'.join(lines), flush=True)
        print(f'1..{len(self.planned)}')
        return 1 if failed else 0


def skip_all(why):
    print(f'1..0 # SKIP {why}')
    return 0


def wait_for(condition, seconds, what):
    """Waits until condition() is true; returns how long that took."""
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > seconds:
            raise AssertionError('%s: not within %g s' % (what, seconds))
        time.sleep(0.02)
    return time.monotonic() - start


class Harness:
    """build/tests/agentx_harness as a process."""

    def __init__(self, lab, socket_path, *arguments):
        self.walk_path = lab.path('walk')
        self.errors = lab.path('log')
        self.log = open(self.errors, 'w')
        self.longest_gap_ms = 0
        command = lab.prefix + [lab.harness, '-o', self.walk_path, *map(str, arguments), socket_path]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.pid = self.process.pid
        lab.opened.append(self)

    def ready(self):
        line = self.process.stdout.readline()
        assert line.startswith('ready'), 'the harness did not start: %r %s' % (line, self.messages())
        self.pid = int(line.split('pid=')[1])
        return self

    def alive(self):
        return self.process.poll() is None

    def status(self):
        os.kill(self.pid, signal.SIGUSR1)
        line = self.process.stdout.readline()
        assert line, 'the harness has ended: %s' % self.messages()
        pairs = dict(word.split('=') for word in line.split())
        status = {k: int(v) if v.isdigit() else v for k, v in pairs.items()}
        # gap_ms begins anew each time that this is asked, wait_for() asks often.
        self.longest_gap_ms = status['longest_gap_ms'] = max(self.longest_gap_ms, status['gap_ms'])
        return status

    def forget_gaps(self):
        """The longest time away from poll(2) is counted from now on."""
        self.status()
        self.longest_gap_ms = 0

    def state(self):
        return self.status()['state']

    def walk(self):
        """What it serves, as snmpwalk -On -Oe prints it."""
        if os.path.exists(self.walk_path):
            os.unlink(self.walk_path)
        os.kill(self.pid, signal.SIGUSR2)

        def text():
            try:
                with open(self.walk_path) as f:
                    return f.read()
            except FileNotFoundError:
                return ''
        wait_for(lambda: text().endswith('END\n'), 10, 'walk of the harness')
        return text()[:-len('END\n')]

    def messages(self):
        with open(self.errors) as f:
            return f.read()

    def descriptors(self):
        return len(os.listdir('/proc/%d/fd' % self.pid))

    def resident_kb(self):
        with open('/proc/%d/status' % self.pid) as f:
            return int(re.search(r'VmRSS:\s*(\d+)', f.read()).group(1))

    def stop(self):
        """Ends it in the orderly way; ms that agentx_stop took."""
        os.kill(self.pid, signal.SIGTERM)
        rest = self.process.communicate(timeout=20)[0]
        assert self.process.returncode == 0, 'exit %d: %s' % (
            self.process.returncode, self.messages())
        return int(re.search(r'stopped after_ms=(\d+)', rest).group(1))

    def close(self):
        if self.alive():
            try:
                os.kill(self.pid, signal.SIGCONT)
                os.kill(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.communicate()
        self.log.close()


class Snmpd:
    """An snmpd of its own: private configuration, socket, port and persistent directory. `extra`:
    more lines of its configuration."""

    ENVIRONMENT = {'MIBS': '', 'MIBDIRS': '/dev/null', 'PATH': '/usr/sbin:/usr/bin:/sbin:/bin'}

    def __init__(self, lab, extra=''):
        self.lab, self.process = lab, None
        self.port = free_port()
        self.socket_path = lab.path('master')
        self.log_path = lab.path('snmpd.log')
        self.configuration = lab.path('snmpd.conf')
        self.persistent = lab.path('persistent')
        os.mkdir(self.persistent)
        with open(self.configuration, 'w') as f:
            f.write('master agentx\nagentXSocket %s\nrocommunity public 127.0.0.1\n'
                    'rwcommunity private 127.0.0.1\n' % self.socket_path + extra)
        lab.opened.append(self)

    def start(self):
        self.process = subprocess.Popen(
            [shutil.which('snmpd', path='/usr/sbin:/usr/bin'), '-f', '-Lf', self.log_path, '-C',
             '-c', self.configuration, '-I', '-smux,-diskio,-hr_disk',
             'udp:127.0.0.1:%d' % self.port],
            env={**self.ENVIRONMENT, 'SNMP_PERSISTENT_DIR': self.persistent,
                 'SNMPCONFPATH': self.persistent},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: '1.3.6.1.2.1.1.3.0' in self.get('1.3.6.1.2.1.1.3.0', timeout=1), 10,
                 'snmpd answers')
        return self

    def kill(self, number=signal.SIGKILL):
        self.process.send_signal(number)
        self.process.wait()

    def command(self, program, *arguments, version='2c', community='public', timeout=3):
        result = subprocess.run(
            [program, '-v' + version, '-c', community, '-t', str(timeout), '-r0', '-On', '-Oe',
             *arguments], env={**self.ENVIRONMENT, 'SNMPCONFPATH': self.persistent},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return result.stdout

    def get(self, *names, **more):
        return self.command('snmpget', self.address(), *names, **more)

    def walk(self, program, root, *options, **more):
        return self.command(program, *options, self.address(), root, **more)

    def set(self, name, **more):
        return self.command('snmpset', self.address(), name, 'i', '4', community='private', **more)

    def address(self):
        return 'udp:127.0.0.1:%d' % self.port

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.kill()


class Lab:
    """The temporary directory and the processes of one test."""

    open_labs = set()

    def __init__(self, harness, prefix=()):
        self.harness, self.prefix = harness, list(prefix)

    def __enter__(self):
        self.directory = tempfile.mkdtemp(prefix='agentx-')
        self.opened, self.files = [], 0
        self.open_labs.add(self)
        return self

    def path(self, name):
        self.files += 1
        return os.path.join(self.directory, '%d.%s' % (self.files, name))

    def __exit__(self, *unused):
        for thing in reversed(self.opened):
            thing.close()
        shutil.rmtree(self.directory)
        self.open_labs.discard(self)


def end_everything(number, _frame):
    """Interrupted: ends the processes of all labs by their pids, removes the directories."""
    for lab in list(Lab.open_labs):
        for thing in lab.opened:
            if thing.process and thing.process.poll() is None:
                os.kill(thing.process.pid, signal.SIGKILL)
        shutil.rmtree(lab.directory, ignore_errors=True)
    os._exit(128 + number)
