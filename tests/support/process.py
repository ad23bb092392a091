# SPDX-License-Identifier: BSD-2-Clause
"""Processes of a private lab: none outlives it, each is ended by its number.

The lab makes itself the reaper of orphans (prctl), so that whatever one of its processes leaves
behind becomes its own child and is found, reported and ended.
"""

import ctypes
import os
import re
import signal
import subprocess
import tempfile
import time

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True)

# What the kernel does to the processes of a lab whose Python is killed. Not in a lab that is kept.
die_with_parent = True  # pylint: disable=invalid-name


def become_reaper():
    if _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), 'prctl(PR_SET_CHILD_SUBREAPER)')


def wait_for(predicate, seconds, what, interval=0.05):
    """The predicate's first true value; TimeoutError after `seconds` (tried at least once)."""
    end = time.monotonic() + seconds
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() >= end:
            raise TimeoutError(f'not within {seconds} s: {what}')
        time.sleep(interval)


_links = None


def preload(path):
    """The value of LD_PRELOAD for a library. A blank or a colon of its path would end the name there:
    then it is that of a link, which goes with this program."""
    global _links  # pylint: disable=global-statement
    path = os.path.abspath(path)
    if not re.search('[ :]', path):
        return path
    if _links is None:
        _links = tempfile.TemporaryDirectory(prefix='iscsi-agentx-preload.')
        os.chmod(_links.name, 0o755)
    link = os.path.join(_links.name, os.path.basename(path))
    if not os.path.lexists(link):
        os.symlink(path, link)
    return link


def stat_fields(pid):
    """(name, state, parent, …) of /proc/PID/stat, or None when it is gone."""
    try:
        with open(f'/proc/{pid}/stat', encoding='utf-8', errors='replace') as file:
            text = file.read()
    except OSError:
        return None
    name = text[text.index('(') + 1:text.rindex(')')]
    return [name, *text[text.rindex(')') + 2:].split()]


def children(pid):
    """The direct children, zombies included: {pid: name}."""
    found = {}
    for entry in os.listdir('/proc'):
        if entry.isdigit():
            fields = stat_fields(entry)
            if fields and int(fields[2]) == pid:
                found[int(entry)] = fields[0]
    return found


def alive(pid):
    fields = stat_fields(pid)
    return bool(fields) and fields[1] not in 'ZX'


def cpu_seconds(pid):
    """User and system time of a process so far."""
    fields = stat_fields(pid)
    return (int(fields[12]) + int(fields[13])) / os.sysconf('SC_CLK_TCK') if fields else 0.0


def memory_kib(pid, field='VmRSS'):
    try:
        with open(f'/proc/{pid}/status', encoding='utf-8') as file:
            for line in file:
                if line.startswith(field + ':'):
                    return int(line.split()[1])
    except OSError:
        pass
    return 0


class Process:
    """One program of the lab, its output in a log file."""

    stop_signal = signal.SIGTERM  # what the lab ends it with

    def __init__(self, name, argv, directory, environment=None, death=signal.SIGKILL,
                 pass_fds=(), separate_errors=False):
        self.name = name
        self.argv = argv
        self.log = os.path.join(directory, name + '.log')
        self.errors = os.path.join(directory, name + '.err') if separate_errors else self.log

        def before_exec():
            if die_with_parent:
                _libc.prctl(_PR_SET_PDEATHSIG, int(death), 0, 0, 0)

        with open(self.log, 'ab') as out, open(self.errors, 'ab') as err:
            # The tests are single-threaded: running Python between fork and exec is safe.
            self.popen = subprocess.Popen(  # pylint: disable=subprocess-popen-preexec-fn
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err, pass_fds=pass_fds,
                cwd=directory, env=dict(os.environ, **(environment or {})),
                start_new_session=True, preexec_fn=before_exec)
        self.pid = self.popen.pid

    def running(self):
        return self.popen.poll() is None

    def status(self):
        return self.popen.poll()

    def send(self, number):
        if self.running():
            os.kill(self.pid, number)

    def wait(self, seconds):
        """The exit status; TimeoutError when it still runs after `seconds`."""
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f'{self.name} still runs after {seconds} s') from None

    def stop(self, number=signal.SIGTERM, grace=5):
        """Ends it, by force after the grace; returns its exit status."""
        self.send(number)
        try:
            return self.wait(grace)
        except TimeoutError:
            self.send(signal.SIGCONT)
            self.send(signal.SIGKILL)
            return self.wait(10)

    def text(self):
        with open(self.log, encoding='utf-8', errors='replace') as file:
            return file.read()

    def error_text(self):
        with open(self.errors, encoding='utf-8', errors='replace') as file:
            return file.read()


def end_orphans():
    """Ends and reaps every child that is left; returns the names of those that still lived."""
    left = {}  # by number: one that was killed may still be there the next time
    for _ in range(100):
        remaining = children(os.getpid())
        if not remaining:
            break
        for pid, name in remaining.items():
            if alive(pid):
                left.setdefault(pid, f'{name} ({pid})')
                os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            break
    return list(left.values())
