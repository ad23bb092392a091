#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""No room on the disk and no descriptors: saving and polling fail softly, what is served stays, it is
said once, and all goes on by itself when there is room again."""

import contextlib
import ctypes
import os
import pwd
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
from source_lab import (FAILING, OK, SESSIONS, answering, column, first_name, laboratory, wait_for,
                        wait_polls, wait_state)
from open_iscsi_host import OpenIscsiHost
from tap import Tap, measured

NAME = 'iqn.2004-10.org.example:disk-{}'
TARGET = 5
FILES = {'state': ('index', 'events'), 'run': ('index.run',)}
LOWEST = (16, 20, 24, 32)

_libc = ctypes.CDLL(None, use_errno=True)


class SmallDisk:
    """A tmpfs of 64 KiB as one of the agent's directories."""

    def __init__(self, path):
        self.path, user = path, pwd.getpwnam('nobody')
        os.makedirs(path)
        options = f'size=64k,mode=0700,uid={user.pw_uid},gid={user.pw_gid}'
        if _libc.mount(b'small', os.fsencode(path), b'tmpfs', 0, options.encode()) != 0:
            raise OSError(ctypes.get_errno(), 'mount')

    def fill(self):
        with open(self.path + '/filler', 'wb', buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass

    def free(self):
        os.unlink(self.path + '/filler')

    def files(self):
        found = {}
        for name in sorted(os.listdir(self.path)):
            if name != 'filler':
                with open(f'{self.path}/{name}', 'rb') as file:
                    found[name] = file.read()
        return found

    def __enter__(self):
        return self

    def __exit__(self, *error):
        _libc.umount2(os.fsencode(self.path), 2)
        os.rmdir(self.path)


class Scene:
    """A host with sessions, and the agent's settings."""

    def __init__(self, lab):
        self.lab, self.host, self.count = lab, OpenIscsiHost(lab.path('host')), 0
        self.add(3)
        self.settings = {'arguments': ('--root', lab.path('host')), 'sources': 'open-iscsi',
                         'pollInterval': 1, 'pollTimeout': 2, 'staleMax': 60}
        lab.start_snmpd()

    def add(self, count):
        for _ in range(count):
            self.count += 1
            self.host.add_path(NAME.format(self.count), f'10.0.0.{self.count}')

    def all_shown(self, seconds=15):
        wait_for(lambda: len(column(self.lab, SESSIONS, TARGET)) == self.count, seconds,
                 f'{self.count} sessions')

    def numbers(self):
        return column(self.lab, SESSIONS, TARGET)


def test_disk(t, s):
    """S11: no room for any of the three files."""
    lab, disks = s.lab, {}
    with contextlib.ExitStack() as stack:
        for name in FILES:
            disks[name] = stack.enter_context(SmallDisk(lab.path(name)))
        stack.callback(lab.stop_agent)
        lab.start_agent(**s.settings)
        s.all_shown()
        wait_for(lambda: all(set(FILES[name]) <= set(disk.files()) for name, disk in disks.items()), 10,
                 'all three files are saved')
        for disk in disks.values():
            disk.fill()
        old = {name: disk.files() for name, disk in disks.items()}
        s.add(1)
        s.host.set_state(1, 'FAILED', 'failed')
        with answering(t, lab, first_name(lab, SESSIONS), 'disk full') as watch:
            s.all_shown()
            wait_for(lambda: lab.agent.text().count('cannot save') >= 3, 15, 'it is said')
            time.sleep(3)
        t.ok(True, 'disk full: a new session is shown all the same')
        t.equal({name: disk.files() for name, disk in disks.items()}, old,
                'disk full: the old files are whole, and nothing lies beside them')
        t.equal(lab.agent.text().count('cannot save'), 3, 'disk full: it is said once for each file')
        numbers = s.numbers()
        for disk in disks.values():
            disk.free()
        start = time.monotonic()
        wait_for(lambda: lab.agent.text().count('saved again') == 3, 90, 'saved again')
        measured('S11', 'saved_again_s', round(time.monotonic() - start, 1))
        t.ok(True, 'disk full: all three files are saved once there is room')
        measured('S11', 'get_ms_p99', round(watch.p99() * 1000, 2))
        # A kill, not a stop: what counts is what had been saved by itself.
        os.kill(lab.agent.agent_pid(), signal.SIGKILL)
        wait_for(lambda: s.numbers() == numbers, 10, 'the numbers')
        t.ok(True, 'disk full: what was saved then gives the rows their numbers')
        s.host.set_state(1, 'LOGGED_IN', 'up')


def owner(pid, what):
    """The real user or group ('Uid', 'Gid') of a process."""
    with open(f'/proc/{pid}/status', encoding='ascii') as file:
        return next(int(line.split()[1]) for line in file if line.startswith(what))


def limits(pid):
    """(soft, hard) limit of the descriptors of a running process."""
    with open(f'/proc/{pid}/limits', encoding='ascii') as file:
        words = next(line for line in file if line.startswith('Max open files')).split()
    return int(words[3]), int(words[4])


def limit(pid, number):
    """Sets it. As the user that the process has: even root needs a capability to do it to others."""
    subprocess.run(['prlimit', '--pid', str(pid), f'--nofile={number}:{limits(pid)[1]}'], check=True,
                   user=owner(pid, 'Uid'), group=owner(pid, 'Gid'), extra_groups=[])


def lowest_free(pid):
    """The number of the next descriptor that it would get: as its limit, it gets none."""
    there = set(map(int, os.listdir(f'/proc/{pid}/fd')))
    return min(set(range(len(there) + 1)) - there)


def test_reader(t, s):
    """S12: the reader can open nothing more."""
    lab, before = s.lab, s.numbers()
    pid = lab.agent.reader_pid('open-iscsi')
    high = limits(pid)[0]
    limit(pid, lowest_free(pid))
    wait_state(lab, 'open-iscsi', FAILING)
    t.equal(s.numbers(), before, 'EMFILE in the reader: the rows stay')
    t.ok('Too many open files' in lab.agent.text(), 'EMFILE in the reader: the reason is logged',
         lab.agent.text()[-500:])
    wait_polls(lab, 'open-iscsi', 2)
    limit(pid, high)
    wait_state(lab, 'open-iscsi', OK)
    t.equal((s.numbers(), lab.agent.reader_pid('open-iscsi')), (before, pid),
            'EMFILE in the reader: it goes on by itself')


def test_system(t, s):
    """S12: the whole system has no descriptor left, as strace makes it for each open of the reader."""
    lab, before, pid = s.lab, s.numbers(), s.lab.agent.reader_pid('open-iscsi')
    tracer = subprocess.Popen(['strace', '-qq', '-o', '/dev/null', '-p', str(pid), '-e',
                               'inject=openat,openat2:error=ENFILE'], stderr=subprocess.DEVNULL)
    try:
        took = wait_state(lab, 'open-iscsi', FAILING)
        t.ok(took < 10 and s.numbers() == before, 'ENFILE: the rows stay, the poll fails')
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.wait()
    wait_state(lab, 'open-iscsi', OK)
    t.equal(s.numbers(), before, 'ENFILE: it goes on by itself')


def test_agent(t, s):
    """S12: the agent process has no descriptor for what a reader hands over."""
    lab, before, pid = s.lab, s.numbers(), s.lab.agent.agent_pid()
    reader, high = lab.agent.reader_pid('open-iscsi'), limits(pid)[0]
    limit(pid, lowest_free(pid))
    wait_state(lab, 'open-iscsi', FAILING)
    wait_polls(lab, 'open-iscsi', 2)
    t.equal(s.numbers(), before, 'EMFILE in the agent process: it serves what it had')
    t.ok('no descriptor to take it' in lab.agent.text(),
         'EMFILE in the agent process: it says so, and blames nobody else', lab.agent.text()[-500:])
    limit(pid, high)
    back = wait_state(lab, 'open-iscsi', OK)
    measured('S12', 'agent_back_s', round(back, 1))
    t.equal((s.numbers(), lab.agent.agent_pid(), lab.agent.reader_pid('open-iscsi')),
            (before, pid, reader), 'EMFILE in the agent process: it goes on, and so does the reader')


def test_parent(t, s):
    """S12: the parent can make no socket for a new reader."""
    lab, before, pid = s.lab, s.numbers(), s.lab.agent.pid
    high = limits(pid)[0]
    limit(pid, lowest_free(pid))
    os.kill(lab.agent.reader_pid('open-iscsi'), signal.SIGKILL)
    time.sleep(2)
    t.ok(lab.agent.running() and s.numbers() == before, 'EMFILE in the parent: the rows are served')
    limit(pid, high)
    wait_for(lambda: lab.agent.reader_pid('open-iscsi'), 40, 'a new reader')
    wait_state(lab, 'open-iscsi', OK)
    t.equal(s.numbers(), before, 'EMFILE in the parent: the reader is started when it can be')


def test_lowest(t, s):
    """S12: started with few descriptors: serves, or ends and says why; never hangs."""
    lab, serving = s.lab, []
    for number in LOWEST:
        agent = lab.start_agent(wait=0, prefix=('prlimit', f'--nofile={number}:{number}'),
                                **s.settings)
        try:
            wait_for(lambda: not agent.running() or len(s.numbers()) == s.count, 15, 'it serves')
            state = 'serves' if agent.running() else 'ends'
        except TimeoutError:
            state = 'does neither'
        lines = agent.text().count('\n')
        t.ok(state == 'serves' or (state == 'ends' and lines), f'RLIMIT_NOFILE {number}: {state}',
             agent.text()[-500:])
        t.ok(lines < 30, f'RLIMIT_NOFILE {number}: {lines} lines in the log')
        serving += [number] if state == 'serves' else []
        lab.stop_agent()
    t.ok(serving, 'with few descriptors it serves', serving)
    measured('S12', 'serves_with_descriptors', min(serving, default=0))


def fill(pipe):
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(pipe, bytes(4096))


def test_log(t, s):
    """S13: the log goes into a pipe that is full, and nobody reads it."""
    lab, fifo = s.lab, s.lab.path('fifo')
    os.mkfifo(fifo)
    pipe = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
    settings = {**s.settings, 'arguments': (*s.settings['arguments'], '-Lf', fifo)}
    try:
        fill(pipe)
        lab.start_agent(**settings)
        s.all_shown()
        wait_polls(lab, 'open-iscsi', 2)
        t.ok(True, 'a full pipe for the log: it serves all the same')
        os.read(pipe, 1 << 20)
        os.kill(lab.agent.reader_pid('open-iscsi'), signal.SIGSTOP)  # something to tell
        text = []

        def told():
            with contextlib.suppress(BlockingIOError):
                text.append(os.read(pipe, 1 << 20))
            return all(part in b''.join(text) for part in (b'were dropped', b'in time'))
        wait_for(told, 15, 'what is said then')
        t.ok(True, 'a full pipe for the log: when it is read, it is said that messages are missing')
        fill(pipe)
        start = time.monotonic()
        status = lab.stop_agent(grace=10)
        t.below(time.monotonic() - start, 2, 'a full pipe for the log: SIGTERM ends it')
        t.equal(status, 0, 'a full pipe for the log: exit status 0')
    finally:
        os.close(pipe)


def main():
    with Tap() as t:
        why = laboratory.missing()
        if why:
            t.skip_all(why)
        with laboratory.Lab() as lab:
            s = Scene(lab)
            test_disk(t, s)
            lab.start_agent(**s.settings)
            s.all_shown()
            for test in (test_reader, test_system, test_agent, test_parent):
                test(t, s)
            lab.stop_agent()
            test_lowest(t, s)
            test_log(t, s)
        t.equal(lab.leftovers, [], 'nothing is left running')


if __name__ == '__main__':
    main()
