# SPDX-License-Identifier: BSD-2-Clause
"""The measures, one function each. They return {name: value}; names and goals are in results.py."""

import math
import os
import re
import subprocess

import subject
from own_agent import OwnAgent
from subject import CONNECTION, SESSION, Counted, Subject, cpu_ns, laboratory, program, wait_for

WALK = '1.3.6.1.2.1.142'
HR_SW_RUN = '1.3.6.1.2.1.25.4.2.1.2'
TYPES = {'INTEGER': 'integer', 'Gauge32': 'gauge', 'Counter32': 'counter', 'OID': 'objectid',
         'Counter64': 'counter64', 'Timeticks': 'timeticks', 'STRING': 'string',
         'Hex-STRING': 'octet'}


def walk_text(lab, tree):
    lab.write_agent_config(**subject.SETTINGS)
    return lab.run_agent('--root', tree, '--walk', timeout=300).stdout


def columns_of(lab, trees, count=26):
    """The first columns that have a value for every session, of the smallest tree."""
    found = []
    text = walk_text(lab, trees.make(100, lean=True))
    for entry in (SESSION, CONNECTION):
        for column in re.findall(rf'^\.({re.escape(entry)}\.\d+)\.', text, re.MULTILINE):
            if column not in found:
                found.append(column)
    if len(found) < count:
        raise OSError(f'only {len(found)} columns are known')
    return found[:count]


# ---- a: instructions -------------------------------------------------------------------------

def instructions(lab, trees, sizes):
    columns = columns_of(lab, trees)
    found = {}
    for size in sizes:
        one = Counted(lab, trees.make(size, lean=True))
        for name, command in (
                ('1 column', ['next', 2000, columns[0]]),
                ('26 columns', ['next', 20000, *columns]),
                ('GET 20', ['get', 20, 20000, size, columns[0]]),
                ('GETBULK 50', ['bulk', 50, 20000, columns[0]])):
            varbinds, count = one.instructions(*command)
            found[f'instructions, {name}, N={size}'] = count / varbinds
        one.close()
    for name in ('1 column', '26 columns', 'GET 20', 'GETBULK 50'):
        few, many = (found[f'instructions, {name}, N={size}'] for size in (sizes[0], sizes[-1]))
        found[f'growth, {name}'] = many / few
    return found


# ---- b: system calls -------------------------------------------------------------------------

def system_calls(lab, trees):
    columns = columns_of(lab, trees)
    one = Subject(lab, trees.make(100, lean=True))
    answered = []
    counts = subject.system_calls(one.pid, lab.path('strace'), lambda: answered.append(
        one.ask('next', 5000, columns[0])))
    one.close()
    return {'system calls per PDU': sum(counts.values()) / answered[0][0]}


# ---- c: beside others, with the real master --------------------------------------------------

def load(lab, repetitions, varbinds, *columns):
    """Varbinds answered to the cheap manager."""
    done = subprocess.run([*subject.PIN, program('snmp_load'), str(lab.snmpd_port),
                           str(repetitions), str(varbinds), *columns],
                          capture_output=True, text=True, check=True)
    return int(done.stdout.split()[2])


def cost(lab, pids, repetitions, varbinds, *columns):
    """Processor nanoseconds for a varbind of these processes, the least of three tries."""
    def once():
        before = cpu_ns(*pids)
        answered = load(lab, repetitions, varbinds, *columns)
        return (cpu_ns(*pids) - before) / answered

    once()
    return min(once() for _ in range(3))


def start_snmpd(lab, extra=''):
    laboratory.SNMPD_MODULES += ',' + ','.join(('swrun', 'hrSWRunTable', 'pass_persist', 'pass'))
    snmpd = lab.start_snmpd('view lab included .1.3.6.1.2.1.25.4\n' + extra)
    os.sched_setaffinity(snmpd.pid, {subject.PROCESSOR})
    return snmpd.pid


def write_table(lab, text, columns):
    """The values of these columns as one table, for the programs that serve it in another way."""
    cells = {}
    for column in columns:
        pattern = rf'^\.{re.escape(column)}\.(\d+\.\d+\.\d+)(?:\.\d+)? = (?:([\w-]+): )?(.*)$'
        for index, kind, value in re.findall(pattern, text, re.MULTILINE):
            value = value.strip().strip('"')
            ticks = re.match(r'\((\d+)\)', value)
            value = ticks[1] if ticks else value.lstrip('.') if kind == 'OID' else value
            cells.setdefault(tuple(map(int, index.split('.'))), []).append(
                f'{TYPES[kind or "STRING"]} {value}')
    rows = sorted(cells)
    path = lab.path('table')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(f'{SESSION} {len(rows)} {len(columns)}\n')
        for row in rows:
            file.write('.'.join(map(str, row)) + '\n' + '\n'.join(cells[row]) + '\n')
    return path


def beside_others(lab, trees, size=1000):
    columns = columns_of(lab, trees)
    tree = trees.make(size, lean=True)
    table = write_table(lab, walk_text(lab, tree), columns)
    renumbered = [f'{SESSION}.{n}' for n in range(1, len(columns) + 1)]
    snmpd = start_snmpd(lab)
    built_in = cost(lab, [snmpd], 50, 20000, HR_SW_RUN)

    def both(pids, names):
        return cost(lab, pids, 50, 40000, names[0]), cost(lab, pids, 50, 100000, *names)

    agent = lab.start_agent(subject.PIN, wait=60, arguments=('--root', tree),
                            **{**subject.SETTINGS, 'agentXSocket': lab.master_socket})
    pid = wait_for(agent.agent_pid, 10, 'the agent process')
    wait_for(lambda: 'source open-iscsi: found' in agent.text(), 60, 'the first poll')
    ours, master = both([snmpd, pid], columns), both([snmpd], columns)
    lab.stop_agent()

    other = lab.add(subject.Process('container', [*subject.PIN, program('table_container'),
                                                  lab.master_socket, table], lab.directory))
    wait_for(lab.serving, 10, 'the table_container serves')
    container = both([snmpd, other.pid], renumbered)
    lab.remove(other)
    other.stop()
    lab.stop_snmpd()

    snmpd = start_snmpd(lab, f'pass_persist .{SESSION} {program("table_pass")} {table}\n')
    wait_for(lab.serving, 10, 'pass_persist serves')
    helper = next(iter(subject.children(snmpd)))
    os.sched_setaffinity(helper, {subject.PROCESSOR})
    persist = both([snmpd, helper], renumbered)
    lab.stop_snmpd()

    found = {}
    for at, name in enumerate(('1 column', '26 columns')):
        found[f'over hrSWRunTable, {name}'] = ours[at] / built_in
        found[f'master alone over hrSWRunTable, {name}'] = master[at] / built_in
        found[f'table_container over this, {name}'] = container[at] / ours[at]
        found[f'pass_persist over this, {name}'] = persist[at] / ours[at]
    return found


# ---- an agent of its own, without a master ----------------------------------------------------

def rate(lab, pid, varbinds, column):
    """Varbinds in a nanosecond of one processor that the agent and its manager share, R=50; the best of
    five tries. Of processor time, so that what else runs there does not count."""
    def once():
        before = cpu_ns(pid)
        manager = subprocess.Popen([*subject.PIN, program('snmp_load'), str(lab.snmpd_port), '50',
                                    str(varbinds), column], stdout=subprocess.PIPE, text=True)
        answered = int(manager.stdout.read().split()[2])
        manager.stdout.close()
        usage = os.wait4(manager.pid, 0)[2]
        manager.returncode = 0
        return answered / (cpu_ns(pid) - before + (usage.ru_utime + usage.ru_stime) * 1e9)

    once()
    return max(once() for _ in range(5))


def own_agent(lab, trees, size=1000, varbinds=400000):
    columns, tree = columns_of(lab, trees), trees.make(size, lean=True)
    snmpd = start_snmpd(lab)
    built_in = rate(lab, snmpd, varbinds, HR_SW_RUN)
    built_in_cost = cost(lab, [snmpd], 50, varbinds, HR_SW_RUN)
    lab.stop_snmpd()
    own = OwnAgent(lab)
    own.start(wait=60, arguments=('--root', tree), prefix=subject.PIN, **subject.SETTINGS)
    pid = wait_for(lab.agent.agent_pid, 10, 'the agent process')
    wait_for(lambda: 'source open-iscsi: found' in lab.agent.text(), 60, 'the first poll')
    found = {'-M over hrSWRunTable, varbinds per second, 1 column':
             rate(lab, pid, varbinds, columns[0]) / built_in,
             '-M, CPU of a varbind over hrSWRunTable, 1 column':
             cost(lab, [pid], 50, varbinds, columns[0]) / built_in_cost,
             '-M, CPU of a varbind over hrSWRunTable, 26 columns':
             cost(lab, [pid], 50, varbinds, *columns) / built_in_cost}
    own.stop()
    return found


# ---- d: full walks ---------------------------------------------------------------------------

def walks(lab, trees, sizes):
    spent, found = {}, {}
    for size in sizes:
        one = Subject(lab, trees.make(size, lean=True))
        tries = []
        for _ in range(max(1, 3000 // size)):
            before = cpu_ns(one.pid)
            varbinds = one.ask('walk', WALK)[1]
            tries.append(cpu_ns(one.pid) - before)
        one.close()
        spent[size] = min(tries)
        found[f'varbinds of a walk, N={size}'] = varbinds
    first, last = sizes[0], sizes[-1]
    found[f'walk growth exponent, N={first} to {last}'] = (
        math.log(spent[last] / spent[first]) / math.log(last / first))
    return found


# ---- e: polls --------------------------------------------------------------------------------

def run_poll(*command, strace=None):
    """What it prints, as numbers, and with `strace`, a path, its system calls: {name: count}."""
    prefix = ['strace', '-c', '-f', '-o', strace] if strace else []
    done = subprocess.run([*subject.PIN, *prefix, *command], capture_output=True, text=True,
                          check=True)
    return ([tuple(map(int, line.split()[1:])) for line in done.stdout.splitlines()],
            subject.strace_counts(strace) if strace else {})


def poll_calls(lab, tree, count):
    """The system calls of so many polls, and of what is before them."""
    return sum(run_poll(program('poll_cost'), tree, str(count),
                        strace=lab.path('strace'))[1].values())


def beside_iscsiadm(lab, tree, size, steady):
    """`steady`: CPU ns of a steady poll of this tree."""
    mock = min(run_poll(program('iscsiadm_mock'), tree)[0][0][0] for _ in range(3))
    calls = run_poll(program('iscsiadm_mock'), tree, strace=lab.path('strace'))[1]
    kept = (run_poll(program('poll_cost'), tree, '2', strace=lab.path('strace'))[1]['pread64']
            - run_poll(program('poll_cost'), tree, '1', strace=lab.path('strace'))[1]['pread64'])

    def file_cost(path):
        return [min(tries) for tries in zip(*(run_poll(program('file_cost'), path)[0][0]
                                              for _ in range(3)))]
    anew_more, kept_more = (of_sysfs - of_tree for of_sysfs, of_tree in zip(
        file_cost('/sys/class/net/lo/mtu'), file_cost(tree + '/proc/sys/kernel/ostype')))
    return {'iscsiadm way, system calls per session': sum(calls.values()) / size,
            'iscsiadm way over steady poll, CPU, files in memory': mock / steady,
            'iscsiadm way over steady poll, CPU': (mock + calls['read'] * anew_more)
                                                  / (steady + kept * kept_more)}


def polls(lab, trees, sizes, beside=1000):
    """`beside`: the size at which the poll is compared with what iscsiadm does."""
    found = {}
    for size in sizes:
        tree = trees.make(size, directory=True, iscsiadm=size == beside)
        none, first, second = (poll_calls(lab, tree, count) for count in (0, 1, 2))
        costs = run_poll(program('poll_cost'), tree, '4')[0]
        if costs[0][1] != size:
            raise OSError(f'{costs[0][1]} sessions of {size}')
        steady = min(cpu for cpu, _ in costs[1:])
        found[f'first poll, system calls per session, N={size}'] = (first - none) / size
        found[f'steady poll, system calls per session, N={size}'] = (second - first) / size
        found[f'first poll over steady poll, CPU, N={size}'] = costs[0][0] / steady
        if size == beside:
            found.update(beside_iscsiadm(lab, tree, size, steady))
        trees.drop(tree)
    return found


# ---- f: memory -------------------------------------------------------------------------------

def memory(lab, trees, size, polls_wanted=4):
    """After several polls: two generations lived for a moment in each."""
    one = Subject(lab, trees.make(size), pollInterval=2)
    spent = [cpu_ns(one.pid)]

    def is_rebuilt():
        """A new generation takes the agent process some milliseconds, all else much less."""
        spent.append(cpu_ns(one.pid))
        return spent[-1] - spent[-2] > 5e6

    for _ in range(polls_wanted):
        wait_for(is_rebuilt, 60, 'another poll', interval=0.3)
    kib = subject.process.memory_kib
    found = {f'agent process, MiB, N={size}': kib(one.pid) / 1024,
             f'agent process at most, MiB, N={size}': kib(one.pid, 'VmHWM') / 1024}
    one.close()
    return found
