#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Hosts as no kernel, administrator or peer should make them, and what is shown of them. TAP.

A good recording is changed in one thing (hostile_*.py: named changes, and a sweep that puts each
kind of nonsense and each errno into each attribute). After every change:

- --dump and --walk end well and in time;
- every value in the walk is what its MIB module allows (tests/mib/mib_values.py), in order;
- a hole is all that nonsense may make: every field has the value that it has without the change, or
  none; fields that may have another one, and rows that may be lost, are named with the change;
- where rows are lost for what they hold, the source says so;
- what is planted as a secret is nowhere;
- what a change costs is exactly what tests/golden/hostile/STACK.txt says (UPDATE=1 writes it anew).

AGENT_BINARY names the program (build/iscsi-agentx). Arguments: stacks to look at.
"""
import difflib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
for directory in ('support', 'mib', 'fault'):
    sys.path.insert(0, str(TOP / 'tests' / directory))
# pylint: disable=wrong-import-position
import hostile
import hostile_lio
import hostile_open_iscsi
import hostile_scst
import mib_values
import smi
import snmp
from recording import Recording
from tap import Tap

AGENT = os.environ.get('AGENT_BINARY', str(TOP / 'build' / 'iscsi-agentx'))
UPDATE = os.environ.get('UPDATE', '') not in ('', '0')
GOLDEN = TOP / 'tests' / 'golden' / 'hostile'
SECRET = b'CANARY'
SECONDS = 60
# A machine may be slow: what takes longer than half of that is given up by the agent itself.
SETTINGS = tempfile.NamedTemporaryFile('w', prefix='hostile.', suffix='.conf')
SETTINGS.write(f'pollTimeout {SECONDS // 2}\n')
SETTINGS.flush()
os.fchmod(SETTINGS.fileno(), 0o644)
STACKS = {'open-iscsi': hostile_open_iscsi, 'lio': hostile_lio, 'scst': hostile_scst}

KINDS = ('instances', 'portals', 'nodes', 'auths', 'sessions', 'connections', 'paths', 'devices',
         'maps', 'map_paths')
LINKS = ('instance', 'node', 'session', 'map')
# Counts of rows, and what is made by comparing a path with the others.
DERIVED = {'instance.portal_count', 'instance.node_count', 'instance.session_count',
           'instance.sessions_hidden', 'instance.sessions_reported', 'session.connection_count',
           'session.device_count', 'session.device_fault_count', 'path.weight', 'path.primary'}


class Shown:
    """What the program shows of a recording or directory, run by a user (a number, None: this), who
    must be able to reach the program."""

    def __init__(self, tree, user=None, program=AGENT):
        self.faults = []
        self.user = user
        self.program = program
        self.dump, self.walk = self.run(tree, ('--dump=json',), ('--walk',))
        self.remarks = []
        self.objects = {}
        if self.faults:
            return
        try:
            self.take(json.loads(self.dump))
        except ValueError as error:
            self.faults.append(f'--dump=json is no JSON: {error}')

    def run(self, tree, *commands):
        """What each of them prints; they run at the same time."""
        running = [subprocess.Popen([self.program, '-C', '-c', SETTINGS.name, '--root', str(tree),
                                     *arguments], cwd=TOP,
                                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE, user=self.user)
                   for arguments in commands]
        return [self.result(child, arguments) for child, arguments in zip(running, commands)]

    def result(self, child, arguments):
        with child:
            try:
                out, said = child.communicate(timeout=SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                self.faults.append(f'{arguments} has not ended after {SECONDS} s')
                return b''
        if child.returncode:
            self.faults.append(f'{arguments} ended with {child.returncode}: {said!r}')
        if SECRET in out + said:
            self.faults.append(f'{arguments} shows a secret')
        return out

    def take(self, dump):
        for source in dump['sources']:
            said = source.get('note') or source.get('message')
            if source['state'] != 'absent' and said:
                self.remarks.append(f'{source["source"]} {source["state"]}: {said}')
        # Objects by names that stay when others come and go: their keys.
        names = {}
        for plural in KINDS:
            for at in dump[plural]:
                above = [names[link, at[link]] for link in ('session', 'map')
                         if link in at and plural in ('connections', 'devices', 'map_paths')]
                name = ' '.join([*above, at['key']])
                names[plural[:-1], at['index']] = name
                at['name'] = name
        for plural in KINDS:
            for at in dump[plural]:
                fields = {k: v for k, v in at.items() if k not in ('index', 'name', 'connection')}
                for link in LINKS:
                    if link in at:
                        fields[link] = names[link, at[link]]
                self.objects[f'{plural[:-1]} {at["name"]}'] = fields


def difference(base, changed):
    """(lines of what is gone, what is new, what has a hole, what has another value)"""
    gone = [name for name in base.objects if name not in changed.objects]
    new = [name for name in changed.objects if name not in base.objects]
    holes, others = [], []
    for name, fields in base.objects.items():
        kind = name.split(' ', 1)[0]
        for field in sorted({*fields, *changed.objects.get(name, fields)}):
            full = f'{kind}.{field}'
            before = fields.get(field)
            after = changed.objects.get(name, fields).get(field)
            if full in DERIVED or before == after:
                continue
            if after is None:
                holes.append((full, f'{name}: {field}'))
            else:
                others.append((full, f'{name}: {field} {before!r} is {after!r}'))
    return gone, new, holes, others


def judge(base, changed, change, rules):
    """What is wrong after a change."""
    if changed.faults:
        return changed.faults
    try:
        faults = rules.faults(snmp.parse(changed.walk.decode('utf-8', 'backslashreplace')))
    except snmp.SnmpError as error:
        faults = [str(error)]
    gone, new, _, others = difference(base, changed)
    faults += [f'is lost: {name}' for name in gone if not any(part in name for part in change.gone)]
    faults += [f'is new: {name}' for name in new if f'new {name.split(" ", 1)[0]}' not in change.gives]
    faults += [line for full, line in others if full not in change.gives]
    if gone and not change.quiet and set(changed.remarks) <= set(base.remarks):
        faults.append('rows are lost and nothing is said of it')
    return faults


def shorten(text, limit=150):
    text = text.encode('utf-8', 'backslashreplace').decode()
    text = re.sub(r'(.)\1{40,}', lambda m: f'{m[1]}…', text)
    return text if len(text) < limit else text[:limit] + '…'


def group(names):
    """Names of objects; of more than three of a kind their number."""
    kinds = {}
    for name in names:
        kinds.setdefault(name.split(' ', 1)[0], []).append(name)
    return [line for kind, of_kind in kinds.items()
            for line in (of_kind if len(of_kind) < 4 else [f'{len(of_kind)} {kind}s'])]


def tell(base, change, changed):
    """What the change costs, for the golden text."""
    gone, new, holes, others = difference(base, changed)
    fields = {}
    for _, line in holes:
        name, _, field = line.rpartition(': ')
        fields.setdefault(name, []).append(field)
    alike = {}
    for name, of_name in fields.items():
        alike.setdefault(', '.join(of_name), []).append(name)
    lines = [f'lost {name}' for name in group(gone)] + [f'new {name}' for name in group(new)]
    lines += [f'hole {name}: {of_name}' for of_name, names in alike.items()
              for name in group(names)]
    lines += [f'other {line}' for _, line in others]
    lines += [f'said {remark}' for remark in changed.remarks if remark not in base.remarks]
    return [f'{change.name}:', *(f'  {shorten(line, 240)}' for line in lines or ['nothing'])]


def sweep(stack, tree):
    """Attribute number i gets nonsense number i + turn: all meet all in as many turns as there are
    kinds of nonsense."""
    paths = [p for p in tree.files(*stack.SWEEP) if p.rsplit('/', 1)[1] not in stack.IDENTITY]
    contents = list(hostile.CONTENTS.values())

    def with_contents(turn):
        def edit(changed):
            for i, path in enumerate(paths):
                changed.file(path, contents[(i + turn) % len(contents)])
        return edit

    def with_errors(turn):
        def edit(changed):
            for i, path in enumerate(paths):
                changed.error(path, hostile.ERRORS[(i + turn) % len(hostile.ERRORS)])
        return edit

    more = {'gives': stack.SWEEP_GIVES, 'gone': stack.SWEEP_GONE, 'quiet': True}
    result = [hostile.Change(f'nonsense in {len(paths)} attributes, turn {turn}',
                             with_contents(turn), **more) for turn in range(len(contents))]
    result += [hostile.Change(f'errors in {len(paths)} attributes, turn {turn}',
                              with_errors(turn), **more) for turn in range(len(hostile.ERRORS))]
    return result


def check_stack(t, name, rules, directory):
    stack = STACKS[name]
    tree = Recording(TOP / 'tests' / 'fixtures' / f'{stack.BASE}.tree')
    file = pathlib.Path(directory) / 'changed.tree'
    tree.save(file)
    base = Shown(file)
    t.ok(not base.faults and len(base.objects) > 10, f'{name}: the recording is good as it is',
         *base.faults)
    golden = []
    for change in stack.CHANGES + sweep(stack, tree):
        changed_tree = tree.copy()
        change.edit(changed_tree)
        changed_tree.save(file)
        changed = Shown(file)
        t.ok(changed_tree.nodes != tree.nodes and not (why := judge(base, changed, change, rules)),
             f'{name}: {change.name}', *map(shorten, why[:20]))
        if change in stack.CHANGES:
            golden += tell(base, change, changed)
    path = GOLDEN / f'{name}.txt'
    if UPDATE:
        path.parent.mkdir(exist_ok=True)
        path.write_text('\n'.join(golden) + '\n', encoding='utf-8')
    wanted = path.read_text(encoding='utf-8').splitlines() if path.exists() else []
    t.ok(golden == wanted, f'{name}: each change costs what it did',
         *difflib.unified_diff(wanted, golden, 'wanted', 'got', lineterm='', n=2))


def main():
    with Tap() as t:
        try:
            rules = mib_values.Judge()
        except smi.Tap.Skip as why:
            t.skip_all(str(why))
        with tempfile.TemporaryDirectory() as directory:
            for name in sys.argv[1:] or STACKS:
                check_stack(t, name, rules, directory)


if __name__ == '__main__':
    main()
