#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The comparer of the virtual machines, without one: a recorded run holds, and whatever is changed,
left out or added in what was served is found, for each value of each table."""

import glob
import os
import shutil
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, 'tests', 'vm'))

# pylint: disable=wrong-import-position
import compare
import compare_walk
from compare_rules import Before, Stamp
from compare_witness import Happened
from tap import Tap

RECORDED = os.path.join(TOP, 'tests', 'vm', 'recorded')

# LIO shows the newest session of an initiator only: the TSIH of the older one is in no file.
FREE = {('iscsiSsnTSIH', (compare_walk.OPEN_ISCSI, sid)) for sid in (3, 4)}


def other(column, value):
    """Another value of the same kind. Of times and octets it is known only between which two others
    they lie."""
    if isinstance(value, int):
        return value + (1000000 if column.endswith(('Time', 'Octets')) else 1)
    if isinstance(value, compare_walk.Oid):
        return compare_walk.Oid(value + '.1')
    return bytes([value[0] ^ 1]) + value[1:] if value else b'x'


def readings(place):
    """The recorded readings in a folder of their own. Of the second one only what differs is kept."""
    folder = os.path.join(place, 'stacks')
    shutil.copytree(RECORDED, folder)
    for name in os.listdir(folder):
        part = os.path.join(folder, name)
        if os.path.isdir(part):
            for file in os.listdir(os.path.join(part, 'a')):
                if not os.path.exists(os.path.join(part, 'b', file)):
                    shutil.copy(os.path.join(part, 'a', file), os.path.join(part, 'b', file))
    return folder


def changes(step):
    """Each change of one value of a scenario that was not noticed, as (row, column, what was done)."""
    for row, cells in step.rows.rows.items():
        for column, value in list(cells.items()):
            cells[column] = other(column, value)
            if not step.compare({row}).wrong:
                yield row, column, 'changed'
            del cells[column]
            if not step.compare({row}).wrong:
                yield row, column, 'left out'
            cells[column] = value


def check_values(t, step):
    missed = list(changes(step))
    count = sum(map(len, step.rows.rows.values()))
    t.ok(count > 600, f'{step.name}: {count} values to change')
    found = [(row, column, what) for row, column, what in missed
             if what == 'left out' or (column, row[1]) not in FREE]
    t.ok(not found, f'{step.name}: each change and each value left out is found', *map(str, found))


def check_rows(t, step):
    missed = []
    for row in list(step.rows.rows):
        cells = step.rows.rows.pop(row)
        if not step.compare({row}).wrong:
            missed.append(f'{row} left out')
        more = (row[0], ('no such thing',) + row[1])
        step.rows.rows[more] = cells
        step.rows.rows[row] = cells
        if len(step.compare({row, more}).wrong) != 1:
            missed.append(f'{row} there twice')
        del step.rows.rows[more]
    t.ok(not missed, f'{step.name}: each row left out or added is found', *missed)


TARGET = 'iqn.2026-11.org.example:t'
UP = f'Connection2:0 to [target: {TARGET}, portal: 10.10.1.2,3260] through [iface: i] is operational now'
AGAIN = 're-opening session 2 (reopen_cnt %d)'
# Where session 1 of the recorded readings goes to.
PLACE_OF_1 = b'iqn.2026-11.org.example:alpha', bytes((10, 10, 2, 2)), 3260


def happened(*lines):
    return Happened(''.join(f'12,1,1,-;{line}\n' for line in lines))


def check_given_up(t):
    """A CI run was called wrong: iscsid had let a login go after its timeout, the target had answered,
    and the witness knew of refusals only."""
    said = happened(UP, AGAIN % 0, AGAIN % 0, AGAIN % 1, 'connection2:0 is operational after recovery '
                    '(2 attempts)', AGAIN % 0, AGAIN % 1, AGAIN % 2)
    t.equal((said.given_up, said.failures), ([(0, 2)] * 3, []), 'logins that were given up are known')
    said = happened(UP, AGAIN % 0, 'connect to 10.10.1.2:3260 failed (No route to host)', AGAIN % 1,
                    'connection2:0 login rejected: target error (03/01)', AGAIN % 2, AGAIN % 3)
    t.equal((said.given_up, len(said.failures)), ([(1, 2)], 1), 'those that have a reason are none')


def insert_into_log(folder, scenario, line):
    """As if kernel or iscsid had written this before the first reading of a scenario."""
    text = f'12,1,1,-;{line}\n'.encode()
    at = None
    for path in sorted(glob.glob(os.path.join(folder, '*', '[ab]', 'mark'))):
        with open(path, encoding='ascii') as file:
            mark, *others = file.read().split()
        if os.path.relpath(path, folder) >= scenario:
            at = int(mark) if at is None else at
            with open(path, 'w', encoding='ascii') as file:
                file.write(' '.join([str(int(mark) + len(text)), *others]))
    with open(os.path.join(folder, 'kernel.log'), 'r+b') as file:
        log = file.read()
        file.seek(0)
        file.write(log[:at] + text + log[at:])


def check_doubtful_login(t, folder):
    """Whether the agent has counted a login that was given up or not, its row is right; not more."""
    insert_into_log(folder, '02-link-cut', AGAIN.replace('2', '1') % 1)
    steps = compare.steps(folder)
    next(steps).compare().remember()
    step = next(steps)
    row = next(row for row in step.rows.rows if row[0] == 'iscsiInitiatorAttributes')
    cells = step.rows.rows[row]
    t.equal(step.compare({row}).wrong, [], 'a login that was given up need not be counted')
    name, octets, port = PLACE_OF_1
    cells.update(iscsiIntrLoginFailures=1, iscsiIntrLastFailureTime=step.uptime,
                 iscsiIntrLastFailureType=compare_walk.Oid('.0.0'), iscsiIntrLastTgtFailureName=name,
                 iscsiIntrLastTgtFailureAddrType=1, iscsiIntrLastTgtFailureAddr=octets,
                 iscsiIntrLastTgtFailurePort=port)
    t.equal(step.compare({row}).wrong, [], 'it may be')
    cells['iscsiIntrLoginFailures'] = 2
    t.equal(len(step.compare({row}).wrong), 1, 'but not twice')
    said = '\n'.join(step.log)
    t.ok('re-opening session 1' in said and 'is operational now' not in said,
         'the log of a scenario is that of its time', *step.log)


def check_stamps(t):
    """Stamps of a walk at 500, after one of 100 at 400 for the fifth event."""
    before = Before()
    before.uptime, before.cells, before.stamps = 400, {'c': 100}, {'c': [Stamp(5)]}
    t.equal([(value, rule.token, rule.doubt) for rule in (Stamp(5), Stamp(6), Stamp(5, 1))
             for value in (100, 450, 300, 501) if before.fits('c', rule, value, 500)],
            [(100, 5, 0), (450, 6, 0), (100, 5, 1), (450, 5, 1)],
            'a stamp moves when something happened, and may when something may have')
    t.equal([value for value in (0, 450) if before.fits('d', Stamp(None), value, 500)], [0],
            'without an event it is 0')
    t.equal([value for value in (0, 300, 450) if before.fits('d', Stamp(None, 1), value, 500)], [0, 450],
            'and if there may have been one, either')


def main():
    with Tap() as t, tempfile.TemporaryDirectory() as place:
        check_given_up(t)
        check_stamps(t)
        folder = readings(place)
        scenarios = list(compare.compare(folder))
        t.equal([scenario.name for scenario in scenarios], ['input output', 'link cut', 'refused'],
                'the recorded scenarios are compared in their order')
        for scenario in scenarios:
            t.ok(scenario.compared > 600 and not scenario.wrong, compare.line_of(scenario),
                 *scenario.wrong)
        for step in compare.steps(folder):
            check_values(t, step)
            check_rows(t, step)
            step.compare().remember()
        check_doubtful_login(t, folder)
        for name in ('walk', 'uptime'):
            os.unlink(os.path.join(folder, '01-input-output', name))
        broken = list(compare.compare(folder))
        t.ok(broken[0].wrong, 'readings without a walk are no success')
        os.unlink(os.path.join(folder, '02-link-cut', 'b', 'mark'))
        try:
            t.equal(len(list(compare.compare(folder))), 1, 'readings that end early are an error')
        except ValueError as error:
            t.ok('02-link-cut' in str(error), f'readings that end early are an error: {error}'
                 .replace(place, ''))


if __name__ == '__main__':
    main()
