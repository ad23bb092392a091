#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Holds every value of ISCSI-MIB that was served in a virtual machine against its witnesses.

    compare.py FOLDER       what witness.sh left: FOLDER/stacks/NN-NAME/{a,b,walk,uptime}

The witnesses were read before and after the walk. A value is right if it is what one of the two
readings says; a counter may also lie between them. A row or value that is served and that no witness
knows is wrong, and so is one that is missing. Prints TAP: one test for each scenario, and at the end
the sum. Called by test_vm.py for jobs that leave such a folder.
"""

import collections
import os
import re
import sys

import compare_walk
import compare_witness
from compare_initiator import Initiator
from compare_lio import Target
from compare_rules import HOLE, Before, Between, Maybe, Stamp, show

SHOWN = 40  # wrong values that are printed for each scenario
LOG_SHOWN = 30  # and lines of the log

Host = collections.namedtuple(
    "Host", "initiator name release architecture transport_version iscsid_conf")
# columns: names of those in which a value was right; wrong: texts; log: of the time since the one
# before.
Scenario = collections.namedtuple("Scenario", "name compared holes columns wrong log")


def read_host(folder):
    system, release, machine, version, name = compare_witness.read(folder, "host").split("\n")[:5]
    initiator = compare_witness.read(folder, "initiatorname.iscsi").partition("=")[2].strip()
    return Host(initiator, name, release, "%s %s %s" % (system, release, machine), version,
                compare_witness.read(folder, "iscsid.conf"))


class Comparison:
    """One scenario: cells are counted, and what is wrong is kept as text."""

    def __init__(self, rules, rows, before, uptime, counters, only=None):
        self._rules = rules  # of the two readings
        self._before = before
        self._uptime = uptime
        self._counters = counters
        self._right = {}
        self._stamps = {}
        self.compared = self.holes = 0
        self.wrong = []
        for table, index in rows.nameless:
            self._fail("%s.%s: the row does not tell what it is about, or is there twice"
                       % (table, ".".join(map(str, index))))
        known = set(rules[0]) | set(rules[1]) | set(rows.rows)
        for row in sorted(only or known, key=repr):
            self._row(row, rows.rows.get(row))

    def _fail(self, text):
        self.compared += 1
        self.wrong.append(text)

    def _row(self, row, cells):
        expected = [rules[row] for rules in self._rules if row in rules]
        if not expected:
            self._fail("%s: served, but there is no such thing" % self._name(row))
        elif cells is None:
            # What has come or gone between the readings may be shown or not.
            if len(expected) == 2:
                self._fail("%s: not served" % self._name(row))
        else:
            for column in sorted(set(cells).union(*expected)):
                self._cell(row + (column,), cells.get(column, HOLE),
                           [rules.get(column, HOLE) for rules in expected])

    def _cell(self, cell, value, rules):
        self.compared += 1
        if value is HOLE and all(isinstance(rule, Maybe) for rule in rules):
            self.compared -= 1
            self.holes += 1
            return
        if any(self._before.fits(cell, rule, value, self._uptime) for rule in rules) or (
                cell[2] in self._counters and self._is_between(value, rules)):
            if value is not HOLE:
                self._right[cell] = value
                self._stamps[cell] = [rule for rule in rules if isinstance(rule, Stamp)]
            return
        said = show(rules[0]) if rules[0] == rules[-1] else " then ".join(map(show, rules))
        self.wrong.append("%s %s: served %s, but the witness says %s"
                          % (cell[2], self._name(cell), show(value), said))

    @staticmethod
    def _is_between(value, rules):
        """Whether a counter was this at some time from the first reading to the second."""
        bounds = [Between(rule, rule) if isinstance(rule, int) else rule for rule in rules]
        return (len(rules) == 2 and isinstance(value, int) and
                all(isinstance(bound, Between) for bound in bounds) and
                min(bound.low for bound in bounds) <= value <= max(bound.high for bound in bounds))

    @staticmethod
    def _name(row):
        return "%s [%s]" % (row[0], ", ".join(
            compare_walk.text_of(part) for part in row[1]))

    def columns(self):
        return {cell[2] for cell in self._right}

    def remember(self):
        """Makes this scenario the one before."""
        self._before.uptime = self._uptime
        self._before.cells = self._right
        self._before.stamps = self._stamps


class Step:
    """A scenario ready to be compared: its rules of both readings, and the rows that were served."""

    def __init__(self, place, log, host, before, columns):
        oid = lambda name: compare_walk.oid_of(columns, name)
        self.name = os.path.basename(place)[3:].replace("-", " ")
        self._before = before
        self._counters = {column.name for column in columns.values() if column.counter}
        self._rules, reading = [], None
        for part in ("a", "b"):
            reading = compare_witness.Reading(os.path.join(place, part), log, reading)
            self._rules.append(dict(Initiator(reading, host, before, oid).rows))
            self._rules[-1].update(Target(reading, host, before, oid).rows)
        self.rows = compare_walk.Rows(compare_walk.read_walk(compare_witness.read(place, "walk"),
                                                             columns))
        self.uptime = int(compare_witness.read(place, "uptime") or 0)
        self.log = log[before.log_end:reading.log_end].decode("utf-8", "replace").splitlines()
        before.log_end = reading.log_end

    def compare(self, only=None):
        """The Comparison, of these (table, key) or of all."""
        return Comparison(self._rules, self.rows, self._before, self.uptime, self._counters, only)


def steps(folder):
    """The Steps of a folder `stacks`, in their order. The caller ends each by Comparison.remember."""
    columns = compare_walk.read_columns()
    host = read_host(folder)
    with open(os.path.join(folder, "kernel.log"), "rb") as text:
        log = text.read()
    before = Before()
    for name in sorted(os.listdir(folder)):
        if os.path.isdir(os.path.join(folder, name)):
            yield Step(os.path.join(folder, name), log, host, before, columns)


def compare(folder):
    """The Scenarios of a folder `stacks`, in their order."""
    for step in steps(folder):
        done = step.compare()
        done.remember()
        yield Scenario(step.name, done.compared, done.holes, done.columns(), done.wrong, step.log)


def line_of(scenario):
    """One scenario in a line."""
    return "%s: %d compared, %d wrong%s" % (
        scenario.name, scenario.compared, len(scenario.wrong),
        " (%d that the agent does not know)" % scenario.holes if scenario.holes else "")


def wrong_of(scenario):
    """What is wrong in it, and what kernel and iscsid wrote meanwhile, as lines; not more than a
    person reads."""
    if not scenario.wrong:
        return []
    more = len(scenario.wrong) - SHOWN
    log = [line for line in scenario.log if re.search("(?i)connect|session|login", line)]
    return (scenario.wrong[:SHOWN] + (["and %d more" % more] if more > 0 else []) +
            ["log: " + line[:200] for line in log[-LOG_SHOWN:]])


def sum_of(columns, compared, wrong):
    """All scenarios in a line."""
    return "%d of %d columns, %d compared, %d wrong" % (
        len(columns), len(compare_walk.read_columns()), compared, wrong)


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    compared = wrong = count = 0
    columns = set()
    for count, scenario in enumerate(compare(os.path.join(sys.argv[1], "stacks")), 1):
        compared += scenario.compared
        wrong += len(scenario.wrong)
        columns |= scenario.columns
        print("%s %d - %s" % ("not ok" if scenario.wrong else "ok", count, line_of(scenario)))
        for text in wrong_of(scenario):
            print("#   " + text)
    print("1..%d" % count)
    print("# " + sum_of(columns, compared, wrong))
    return 1 if wrong or not compared else 0


if __name__ == "__main__":
    sys.exit(main())
