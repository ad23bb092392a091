# SPDX-License-Identifier: BSD-2-Clause
"""What may be in a walk, by what the soak run itself has done: the judge of every value.

A view is a dictionary of facts, {(what, key): value}. The truth changes by steps of the run. While
something goes on, a view may show any truth of the last LAG seconds (polls take time, and a source
that fails keeps its rows), fact by fact, and may lack any of it; afterwards it is the truth and
nothing else. The number of a row is never given to anything else.
"""

import collections
import time

# pollInterval, pollTimeout and staleMax of the run, and a machine that is busy with other things.
LAG = 20
# How long a notification may be on its way, while the master agent is away.
NOTIFICATION_LAG = 60
# The value of a fact that is told by a row whose owner has gone: true for a while, see judge_number.
ENDED = 'ended'


class Oracle:
    """Keeps the truths with their times, and the numbers that rows have had."""

    def __init__(self):
        self.truths = collections.deque()  # (until when it was true or None, facts)
        self.owners = {}    # (kind, number) -> whose it is
        self.numbers = {}   # (kind, owner) -> number
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

    def is_true(self, facts):
        """Whether a view is all of the truth and nothing else."""
        return facts == self.truth()

    def judge(self, facts, quiet, what):
        """One view. quiet: nothing goes on, so it must be the truth."""
        self.values += len(facts)
        if not quiet:
            for name, value in facts.items():
                if value != ENDED and not self.was(name, value, LAG):
                    self.complain(f'{what}: {name} is {value!r}, which it was not')
        elif not self.is_true(facts):
            now = self.truth()
            self.complain(f'{what}: missing '
                          f'{sorted(map(str, set(now.items()) - set(facts.items())))[:4]}, false '
                          f'{sorted(map(str, set(facts.items()) - set(now.items())))[:4]}')

    def judge_number(self, kind, number, owner, what):
        """A row's number belongs to one owner for ever, and goes with it."""
        self.values += 1
        first = self.owners.setdefault((kind, number), owner)
        ended = self.ended.get((kind, number))
        if first != owner:
            self.complain(f'{what}: {kind} {number} was {first!r} and is {owner!r}')
        elif ended and ended < time.monotonic() - LAG:
            self.complain(f'{what}: {kind} {number} of {owner!r} is there again')
        else:
            self.numbers[kind, owner] = number

    def has_ended(self, kind, number):
        return (kind, number) in self.ended

    def end(self, kind, is_owner):
        """The owners of which this is true have gone: their numbers never come back."""
        for (known_kind, owner), number in list(self.numbers.items()):
            if known_kind == kind and is_owner(owner):
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
