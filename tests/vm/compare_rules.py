# SPDX-License-Identifier: BSD-2-Clause
"""What a served value can be held against. A rule is the value itself (int, bytes, text, Oid), or one
of these classes, where the witness knows less, or something that only time tells."""

from compare_walk import Oid, text_of


class OneOf:
    """One of several: the witness cannot tell which is this row's."""

    def __init__(self, values):
        self.values = set(values)

    def __eq__(self, other):
        return isinstance(other, OneOf) and self.values == other.values

    def __repr__(self):
        return "one of " + ", ".join(sorted(map(text_of, self.values)))


class Maybe:
    """This, or a hole: the agent may be unable to know it."""

    def __init__(self, rule):
        self.rule = rule

    def __eq__(self, other):
        return isinstance(other, Maybe) and self.rule == other.rule

    def __repr__(self):
        return "%s or a hole" % show(self.rule)


class Between:
    """A number of which the witness knows this much."""

    def __init__(self, low, high):
        self.low = low
        self.high = high

    def __eq__(self, other):
        return isinstance(other, Between) and (self.low, self.high) == (other.low, other.high)

    def __repr__(self):
        return "%d to %d" % (self.low, self.high)


class Stamp:
    """sysUpTime at an event. The token changes with each such event; None: there was none. `doubt`
    changes with each that may have been one."""

    def __init__(self, token, doubt=0):
        self.token = token
        self.doubt = doubt

    def __eq__(self, other):
        return isinstance(other, Stamp) and (self.token, self.doubt) == (other.token, other.doubt)

    def __repr__(self):
        return "the time of %s%s" % (self.token, " or later" if self.doubt else "")


class Same:
    """What was served for this cell in the scenario before: nobody else remembers it."""

    def __eq__(self, other):
        return isinstance(other, Same)

    def __repr__(self):
        return "what it was before"


class NotLess:
    """A counter that nobody else can read now: it has not gone back since the scenario before."""

    def __eq__(self, other):
        return isinstance(other, NotLess)

    def __repr__(self):
        return "not less than before"


HOLE = object()  # no value is served


def show(rule):
    """A rule or a value for people."""
    return "a hole" if rule is HOLE else \
        repr(rule) if isinstance(rule, (OneOf, Maybe, Between, Stamp, Same, NotLess)) else text_of(rule)


def truth(text):
    """TruthValue of Yes, No, 1, 0."""
    return 1 if text in ("Yes", "1") else 2


def digest(word):
    """IscsiDigestMethod of a word of HeaderDigest; an empty one is none(1)."""
    return {"": 1, "None": 3, "CRC32C": 4}.get(word, 2)


def digests(text):
    """(primary, secondary) of a list like CRC32C,None."""
    words = [word.strip() for word in text.split(",")] + [""]
    return digest(words[0] or "None"), digest(words[1])


class Before:
    """What the scenario before has left: values, stamps, and the time of its walk."""

    def __init__(self):
        self.uptime = 0
        self.cells = {}   # (table, key, column): value that was served and right
        self.stamps = {}  # (table, key, column): its Stamp; two if it changed around the walk
        self.log_end = 0  # how much of kernel.log there was
        self.local = {}   # SID: octets of the local address of its last connection

    def fits(self, cell, rule, value, uptime):
        """Whether a served value (or HOLE) is what the rule says. Times in 1/100 s."""
        if isinstance(rule, Maybe):
            return value is HOLE or self.fits(cell, rule.rule, value, uptime)
        if isinstance(rule, Same):
            return value == self.cells.get(cell, value)
        if value is HOLE or rule is HOLE:
            return value is rule
        if isinstance(rule, NotLess):
            return value >= self.cells.get(cell, 0)
        if isinstance(rule, OneOf):
            return value in rule.values
        if isinstance(rule, Between):
            return rule.low <= value <= rule.high
        if isinstance(rule, Stamp):
            return self._fits_stamp(cell, rule, value, uptime)
        if isinstance(rule, str) and not isinstance(rule, Oid):
            return value == rule.encode("utf-8", "surrogateescape")
        return value == rule

    def _fits_stamp(self, cell, rule, value, uptime):
        known = self.stamps.get(cell, ())
        if rule.token is None and value == 0:
            return True
        if rule.token is None and not rule.doubt:
            return False
        if any(rule.token == stamp.token for stamp in known) and value == self.cells.get(cell, value):
            return True
        return any(rule != stamp for stamp in known or (None,)) and self.uptime <= value <= uptime
