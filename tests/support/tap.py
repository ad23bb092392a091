# SPDX-License-Identifier: BSD-2-Clause
"""TAP output for the Python tests: `ok 1 - what`, comments, skips with a reason, a plan.

    from tap import Tap
    with Tap() as t:
        t.equal(got, wanted, 'what must hold')
"""

import os
import signal
import sys
import traceback


def measured(row, key, value):
    """A measured value of a row of the fault matrix (tests/fault/matrix), for docs/RELIABILITY.md.
    In one write, since threads do it."""
    sys.stdout.write(f'# measured {row} {key} {value}\n')
    sys.stdout.flush()


class Tap:
    """Counts and prints the tests of one program; leaving the block prints the plan and exits.

    Within the block SIGTERM and SIGHUP are a SystemExit, so that what the test has made is taken away:
    tests/run.py sends SIGTERM when it is interrupted, and when the time is up. Not where the program has
    a handler of its own, or ignores the signal."""

    ENDING = (signal.SIGTERM, signal.SIGHUP)

    def __init__(self):
        self.count = 0
        self.failures = 0
        self.skipped_all = None
        self.owner = os.getpid()

    def ok(self, condition, what, *details):
        """One test. The details (texts) are printed when it fails. Returns the condition."""
        self.count += 1
        if not condition:
            self.failures += 1
        print(f'{"ok" if condition else "not ok"} {self.count} - {what.replace("#", "No.")}')
        if not condition:
            for detail in details:
                self.note(detail)
        sys.stdout.flush()
        return bool(condition)

    def equal(self, got, wanted, what):
        return self.ok(got == wanted, what, f'     got: {got!r}', f'  wanted: {wanted!r}')

    def below(self, value, limit, what, unit='s'):
        """A measured value against its limit; the value is in the output in any case."""
        return self.ok(value < limit, f'{what}: {value:.3f} {unit} (limit {limit} {unit})')

    def skip(self, what, why):
        self.count += 1
        print(f'ok {self.count} - {what} # SKIP {why}')
        sys.stdout.flush()

    def skip_all(self, why):
        """Nothing can be tested here: the whole program is skipped."""
        self.skipped_all = why
        raise SystemExit(0)

    def note(self, text):
        for line in str(text).splitlines() or ['']:
            print(f'# {line}')
        sys.stdout.flush()

    def __enter__(self):
        for number in self.ENDING:
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, self._ended)
        return self

    def _ended(self, number, _frame):
        """The first signal; a second one would cut short what takes things away."""
        if os.getpid() != self.owner:
            # A forked child has nothing to take away: it ends as if there were no handler.
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        for other in self.ENDING:
            if signal.getsignal(other) == self._ended:
                # A function, since SIG_IGN would be inherited by the programs that are run to clear up.
                signal.signal(other, lambda *_: None)
        raise SystemExit(f'ended by {signal.Signals(number).name}')

    def __exit__(self, kind, value, trace):
        if self.skipped_all is not None and self.count == 0:
            print(f'1..0 # SKIP {self.skipped_all}')
            sys.stdout.flush()
            sys.exit(0)
        if kind is not None and kind is not SystemExit:
            self.ok(False, f'the test program ended by {kind.__name__}: {value}',
                    ''.join(traceback.format_exception(kind, value, trace)))
        elif kind is SystemExit and value.code not in (0, None):
            self.ok(False, f'the test program ended early: {value}')
        print(f'1..{self.count}')
        sys.stdout.flush()
        sys.exit(1 if self.failures or self.count == 0 else 0)
