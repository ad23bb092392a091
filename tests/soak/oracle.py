# SPDX-License-Identifier: BSD-2-Clause
"""What may be in a walk, by what the soak run itself has done: the judge of every value.

A view has facts, {(what, key): value}, and how many rows each table has, whatever is in them. The
truth changes by steps of the run. While something goes on, a view may show any truth of the last LAG
seconds (polls take time, and a source that fails keeps its rows), fact by fact, and may lack any of
it; afterwards it is the truth and nothing else, with a row for each fact of its kind. The number of a
row is never given to anything else, and what the row tells of has no other one as long as it is
there: but for one that was not saved yet when the agent process ended (saving.py).
"""

import collections
import time

# pollInterval, pollTimeout and staleMax of the run, and a machine that is busy with other things.
LAG = 20
# How long a notification may be on its way, while the master agent is away.
NOTIFICATION_LAG = 60
# The value of a fact that is told by a row whose owner has gone: true for a while, see judge_number.
ENDED = 'ended'
# When a number was seen first that an agent process has read from its file.
FROM_FILE = (float('-inf'), float('-inf'))

# rows: {(kind of facts, table): rows}
View = collections.namedtuple('View', 'facts rows')
NOTHING = View({}, {})


class Oracle:
    """Keeps the truths with their times, and the numbers that rows have had."""

    def __init__(self):
        self.truths = collections.deque()  # (until when it was true or None, facts)
        self.began = time.monotonic()  # when the walk was begun that is being judged
        self.owners = {}    # (kind, number) -> whose it is
        self.numbers = {}   # (kind, owner) -> {number: when it was seen first: not before, not after}
        self.ends = []      # of agent processes: (what was seen until then is saved, when that was seen)
        self.ended = {}     # (kind, number) -> when its owner went for good
        self.counters = {}  # (kind, number, column) -> last value
        self.events = {}    # number -> what is told of it
        self.last_event = 0
        self.values = 0     # that were judged
        self.wrong = []

    def complain(self, text):
        self.wrong.append(f'{time.strftime("%H:%M:%S")} {text}')

    def truth(self):
        return self.truths[-1][1]

    def set_truth(self, facts):
        now = time.monotonic()
        if self.truths:
            self.truths[-1] = (now, self.truths[-1][1])
        self.truths.append((None, dict(facts)))
        while self.truths[0][0] and self.truths[0][0] < now - NOTIFICATION_LAG:
            self.truths.popleft()

    def was(self, name, value, seconds):
        """Whether this fact was true at some time of the last seconds."""
        oldest = time.monotonic() - seconds
        return any(facts.get(name) == value for until, facts in self.truths
                   if until is None or until >= oldest)

    def false_counts(self, view):
        """The tables that have not one row for each fact: {table: (rows, facts)}."""
        wanted = collections.Counter(kind for kind, _ in self.truth())
        return {table: (rows, wanted[kind]) for (kind, table), rows in view.rows.items()
                if rows != wanted[kind]}

    def is_true(self, view):
        """Whether a view is all of the truth and nothing else."""
        return view.facts == self.truth() and not self.false_counts(view)

    def judge(self, view, quiet, what):
        """One view. quiet: nothing goes on, so it must be the truth."""
        self.values += len(view.facts)
        if not quiet:
            for name, value in view.facts.items():
                if value != ENDED and not self.was(name, value, LAG):
                    self.complain(f'{what}: {name} is {value!r}, which it was not')
        elif not self.is_true(view):
            now, facts = self.truth(), view.facts
            self.complain(f'{what}: missing '
                          f'{sorted(map(str, set(now.items()) - set(facts.items())))[:4]}, false '
                          f'{sorted(map(str, set(facts.items()) - set(now.items())))[:4]}, '
                          f'tables with other (rows, facts) {self.false_counts(view)}')

    def judge_number(self, kind, number, owner, what):
        """A row's number belongs to one owner for ever, who has no other one, and goes with it."""
        self.values += 1
        first = self.owners.setdefault((kind, number), owner)
        ended = self.ended.get((kind, number))
        if first != owner:
            self.complain(f'{what}: {kind} {number} was {first!r} and is {owner!r}')
        elif ended and ended < time.monotonic() - LAG:
            self.complain(f'{what}: {kind} {number} of {owner!r} is there again')
        elif not ended:
            self._keep_number(kind, number, owner, what)

    def _keep_number(self, kind, number, owner, what):
        known = self.numbers.setdefault((kind, owner), {})
        if number in known:
            if self.ends and known[number][1] <= self.ends[-1][1] < self.began:
                known[number] = FROM_FILE  # another process shows it, too
            return
        for other in list(known):
            if self._may_be_lost(known[other]):
                self.ended[kind, other] = time.monotonic()
                del known[other]
            else:
                self.complain(f'{what}: {kind} {number} is {owner!r}, which is {other}')
        known[number] = (self.began, time.monotonic())

    def _may_be_lost(self, seen):
        """Whether a number was perhaps not saved when the process that gave it ended."""
        return any(saved < seen[1] and seen[0] <= ended for saved, ended in self.ends)

    def agent_ended(self, saved):
        """Since the last walk that was judged, or in the one that is, the agent process has ended.
        What was seen until `saved` is in its file, and so has the same number with the next one."""
        self.ends.append((saved, time.monotonic()))

    def has_ended(self, kind, number):
        return (kind, number) in self.ended

    def end(self, kind, is_owner):
        """The owners of which this is true have gone: their numbers never come back."""
        for (known_kind, owner), numbers in list(self.numbers.items()):
            if known_kind == kind and is_owner(owner):
                for number in numbers:
                    self.ended.setdefault((kind, number), time.monotonic())
                del self.numbers[known_kind, owner]

    def judge_counter(self, kind, number, column, value, what):
        """A counter never goes back."""
        self.values += 1
        before = self.counters.get((kind, number, column), 0)
        if value < before:
            self.complain(f'{what}: counter {column} of {kind} {number} went from {before} '
                          f'to {value}')
        self.counters[kind, number, column] = value

    def judge_events(self, rows, what):
        """The event table: {number: facts}. Each stays what it is, new ones have new numbers."""
        for number, facts in sorted(rows.items()):
            self.values += 1
            if number not in self.events and number <= self.last_event:
                self.complain(f'{what}: event {number} is new, but {self.last_event} was there')
            elif self.events.setdefault(number, facts) != facts:
                self.complain(f'{what}: event {number} was {self.events[number]!r} and is '
                              f'{facts!r}')
        self.last_event = max([self.last_event, *rows])
