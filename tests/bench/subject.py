# SPDX-License-Identifier: BSD-2-Clause
"""What is measured, and how it is asked: the agent alone under tests/bench/agentx_master.c, trees
that are made once, processor time and system calls of processes."""

import os
import re
import shutil
import signal
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, 'tests', 'support'))
# pylint: disable=wrong-import-position
import lab as laboratory
import process
from process import Process, children, stat_fields, wait_for

BENCH = os.path.join(laboratory.BUILD, 'bench')
REPLICATE = os.path.join(TOP, 'tests', 'bench', 'replicate.py')
SESSION = '1.3.6.1.2.1.142.1.10.1.1'
CONNECTION = '1.3.6.1.2.1.142.1.11.1.1'
# All that is measured runs on one processor: two of them double the costs of a round trip, or not,
# as the scheduler likes. A container may have any of them, without the first.
PROCESSOR = min(os.sched_getaffinity(0))
PIN = ['taskset', '-c', str(PROCESSOR)]

# One poll, whatever it takes; nothing else but requests afterwards.
SETTINGS = {'sources': 'open-iscsi', 'pollInterval': 300, 'pollTimeout': 60,
            'openIscsiDevices': 100000, 'agentXPingInterval': 60}


def program(name):
    return os.path.join(BENCH, name)


def cpu_ns(*pids):
    """Processor time of processes so far, exact."""
    total = 0
    for pid in pids:
        with open(f'/proc/{pid}/schedstat', encoding='ascii') as file:
            total += int(file.read().split()[0])
    return total


class Trees:
    """Replicated hosts, each made once."""

    def __init__(self, directory):
        self.directory = directory

    def make(self, count, lean=False, directory=False, iscsiadm=False):
        """The path of a recording, or directory, of `count` sessions; `iscsiadm`: a directory with
        what that program reads."""
        options = (['--lean'] * lean + ['--directory'] * (directory or iscsiadm)
                   + ['--iscsiadm'] * iscsiadm)
        path = os.path.join(self.directory, '-'.join(['tree', str(count), *options]))
        if not os.path.exists(path):
            if directory or iscsiadm:
                os.mkdir(path)
            subprocess.run([REPLICATE, *options, str(count), path], check=True)
        return path

    def drop(self, path):
        if os.path.isdir(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)


class Speaker:
    """tests/bench/agentx_master.c: the master of one subagent, which start(socket) starts."""

    def __init__(self, lab, start):
        socket = lab.path(lab.unique('speaker'))
        self.speaker = subprocess.Popen([*PIN, program('agentx_master'), socket],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._expect('listening')
        start(socket)
        self._expect('ready')

    def _expect(self, word):
        line = self.speaker.stdout.readline().split()
        if not line or line[0] != word:
            raise OSError(f'the speaker says {line}, not {word}')
        return [int(part) for part in line[1:]]

    def ask(self, *words):
        """A command of the speaker: PDUs, varbinds, nanoseconds."""
        self.speaker.stdin.write(' '.join(str(word) for word in words) + '\n')
        self.speaker.stdin.flush()
        return self._expect('done')

    def close(self):
        self.speaker.stdin.close()
        self.speaker.wait(10)
        self.speaker.stdout.close()


class Subject(Speaker):
    """The agent with a tree of N sessions, and the master that asks it, in a lab of its own."""

    def __init__(self, lab, tree, **settings):
        self.lab = lab
        super().__init__(lab, lambda socket: lab.start_agent(
            PIN, wait=0, arguments=('--root', tree),
            **{**SETTINGS, 'agentXSocket': socket, **settings}))
        self.pid = wait_for(lab.agent.agent_pid, 10, 'the agent process')
        # The first poll is not what is measured here.
        wait_for(lambda: 'source open-iscsi: found' in lab.agent.text(), 120, 'the first poll')

    def close(self):
        super().close()
        self.lab.stop_agent()


class Counted(Speaker):
    """tests/bench/agent_alone.c under callgrind, which counts the instructions of answering: what
    is below the function that waits for requests."""

    def __init__(self, lab, tree):
        self.lab = lab
        self.directory = lab.path(lab.unique('callgrind'))
        os.mkdir(self.directory)
        self.agent = None
        self.dumps = 0
        super().__init__(lab, lambda socket: self._start(tree, socket))

    def _start(self, tree, socket):
        self.agent = self.lab.add(Process(
            self.lab.unique('alone'),
            ['valgrind', '--tool=callgrind', '--quiet', '--toggle-collect=serve_requests*',
             '--dump-before=begin_count', f'--callgrind-out-file={self.directory}/out',
             program('agent_alone'), tree, socket], self.lab.directory))

    def _dump(self):
        """Begins to count anew; the text of what was counted until now."""
        self.dumps += 1
        path = f'{self.directory}/out.{self.dumps}'
        self.agent.send(signal.SIGUSR1)

        def whole():
            if not os.path.exists(path):
                return None
            with open(path, encoding='utf-8', errors='replace') as file:
                return re.search(r'^(?:totals|summary): (\d+)', file.read(), re.MULTILINE)
        return int(wait_for(whole, 60, path)[1])

    def instructions(self, *command):
        """(varbinds, instructions) of a command."""
        self._dump()
        varbinds = self.ask(*command)[1]
        return varbinds, self._dump()

    def close(self):
        super().close()
        self.lab.remove(self.agent)
        self.agent.stop()


def system_calls(pid, path, action):
    """How many system calls a running process makes during the action; {name: count}."""
    tracer = subprocess.Popen(['strace', '-c', '-f', '-o', path, '-p', str(pid)],
                              stderr=subprocess.PIPE, text=True)
    tracer.stderr.readline()  # "Process N attached"
    action()
    tracer.send_signal(signal.SIGINT)
    tracer.wait(10)
    tracer.stderr.close()
    return strace_counts(path)


def strace_counts(path):
    """{system call: how often} of `strace -c` output."""
    with open(path, encoding='utf-8') as file:
        rows = [line.split() for line in file]
    return {row[-1]: int(row[3]) for row in rows
            if len(row) >= 5 and re.fullmatch(r'[\d.]+', row[0]) and row[-1] != 'total'}


