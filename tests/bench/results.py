# SPDX-License-Identifier: BSD-2-Clause
"""The results of the benchmark: goals, comparison with those before, docs/performance.json and the
tables in docs/PERFORMANCE.md."""

import json
import os
import platform
import re
import subprocess

from subject import TOP

JSON = os.path.join(TOP, 'docs', 'performance.json')
TEXT = os.path.join(TOP, 'docs', 'PERFORMANCE.md')
BEGIN, END = '<!-- results -->', '<!-- end of results -->'
# Instruction counts do not depend on the load of a machine: only these can fail.
WORSE = 1.10

# measure: (relation, goal)
GOALS = {
    'instructions, 1 column, N=10000': ('<=', 9000),
    'instructions, 26 columns, N=10000': ('<=', 4000),
    'instructions, GET 20, N=10000': ('<=', 3400),
    'growth, 1 column': ('<=', 1.05),
    'growth, 26 columns': ('<=', 1.05),
    'growth, GET 20': ('<=', 1.05),
    'system calls per PDU': ('<=', 4),
    'over hrSWRunTable, 1 column': ('<=', 9.5),
    'over hrSWRunTable, 26 columns': ('<=', 1.2),
    'table_container over this, 1 column': ('>=', 1.4),
    'table_container over this, 26 columns': ('>=', 2),
    '-M over hrSWRunTable, varbinds per second, 1 column': ('>=', 1.7),
    'walk growth exponent, N=1000 to 50000': ('<=', 1.02),
    'steady poll, system calls per session, N=1000': ('<=', 12),
    'iscsiadm way over steady poll, CPU': ('>=', 20),
    'agent process, MiB, N=10000': ('<=', 40),
}


def _version(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return 'unknown'
    return (done.stdout + done.stderr).splitlines()[0].strip()


def machine():
    """What the figures depend on."""
    with open('/proc/cpuinfo', encoding='utf-8') as file:
        model = re.search(r'^model name\s*: (.*)$', file.read(), re.MULTILINE)
    return {'processor': model[1] if model else platform.machine(),
            'processors': os.cpu_count(), 'kernel': platform.release(),
            'compiler': _version([os.environ.get('CC', 'gcc').split()[-1], '--version']),
            'net-snmp': _version(['net-snmp-config', '--version']),
            'valgrind': _version(['valgrind', '--version'])}


def load():
    if not os.path.exists(JSON):
        return {}
    with open(JSON, encoding='utf-8') as file:
        return json.load(file)['measures']


def shown(value):
    """Three digits that count, no exponent."""
    if value == int(value) or abs(value) >= 1000:
        return f'{value:.0f}'
    return f'{value:.{max(0, 2 - len(str(int(abs(value)))) + 1)}f}'


def _verdict(name, value):
    if name not in GOALS:
        return '', ''
    relation, goal = GOALS[name]
    met = value <= goal if relation == '<=' else value >= goal
    return f'{relation} {goal}', 'yes' if met else '**no**'


def report(measures, before):
    """Prints them beside those of before; returns the instruction counts that are much worse."""
    worse = []
    for name, value in measures.items():
        goal, met = _verdict(name, value)
        change = ''
        if before.get(name):
            change = f'{(value / before[name] - 1) * 100:+.1f} %'
            if name.startswith('instructions') and value > before[name] * WORSE:
                worse.append(f'{name}: {shown(before[name])} -> {shown(value)}')
        print(f'{name:55} {shown(value):>9}  {change:>9}  '
              f'{"goal " + goal + ": " + met.strip("*") if goal else ""}', flush=True)
    return worse


def save(measures):
    """docs/performance.json, and the tables of docs/PERFORMANCE.md between its two marks."""
    host = machine()
    with open(JSON, 'w', encoding='utf-8') as file:
        json.dump({'machine': host,
                   'measures': {k: float(f'{v:.4g}') for k, v in measures.items()}}, file, indent=1)
        file.write('\n')
    lines = ['| machine | |', '|---|---|', *(f'| {k} | {v} |' for k, v in host.items()), '',
             '| measure | value | goal | reached |', '|---|---|---|---|']
    for name, value in measures.items():
        lines.append('| ' + ' | '.join((name, shown(value), *_verdict(name, value))) + ' |')
    with open(TEXT, encoding='utf-8') as file:
        text = file.read()
    start, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    with open(TEXT, 'w', encoding='utf-8') as file:
        file.write(text[:start] + '\n' + '\n'.join(lines) + '\n' + text[end:])
