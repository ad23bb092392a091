#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Long times without a master, and many masters: ten minutes of outage, a thousand restarts.

The agent's half is that of build/tests/agentx_harness, its clock that of fast_clock.c: its seconds
are FACTOR times as short. Everything else is as ever: it waits, tries and pings as often as it would
in ten real minutes. FAULT_LONG=1: ten thousand restarts.
"""
import os
import signal
import sys
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), *up)
                for up in (('..', '..', 'support'), ('..',))]

from agentx_lab import BUILD, PLAIN, Harness, Lab, Scenarios, skip_all  # noqa: E402
from false_master import *  # noqa: E402,F403
from process import preload  # noqa: E402
from tap import measured  # noqa: E402
from test_agentx import DESCRIPTION  # noqa: E402

FACTOR = 20
PRELOAD = os.path.join(BUILD, 'tests', 'fast_clock.so')
RESTARTS = 10000 if os.environ.get('FAULT_LONG') else 1000
WARM = 100           # restarts before which memory may still grow
OUTAGE = 600         # s of the agent's clock
BURST, QUEUE = 10, 1000


class FastLab(Lab):
    """A lab whose harness has the fast clock."""

    def __init__(self):
        super().__init__(PLAIN, ['env', 'LD_PRELOAD=' + preload(PRELOAD), 'FAST_CLOCK=%d' % FACTOR])


def connect(master, prepare=lambda c: None, seconds=60):
    """The next session. When this machine is slow, the agent's fast clock may have given up some."""
    deadline = time.monotonic() + seconds
    while True:
        c = master.accept(seconds)
        prepare(c)
        try:
            return c.handshake(1)
        except (Gone, AssertionError):
            c.close()
            assert time.monotonic() < deadline, 'no session within %g s' % seconds


def alive(c):
    r = c.ask(GET, ranges([DESCRIPTION]))
    return r is not None and r.error == 0


def many_restarts():
    """a thousand masters, one after the other: served by each, memory and descriptors flat"""
    with FastLab() as lab:
        path = lab.path('master')
        master = FalseMaster(path)
        harness = Harness(lab, path).ready()
        for i in range(RESTARTS + 1):
            c = connect(master)
            assert alive(c), i
            if i == WARM:
                memory, descriptors = harness.resident_kb(), harness.descriptors()
            # Its socket goes too, as when snmpd ends; the new one is there after a while or at once.
            c.close()
            master.close()
            if i % 2:
                time.sleep(0.02)
            master = FalseMaster(path)
        c = connect(master)
        assert alive(c)
        grown = harness.resident_kb() - memory
        counts = harness.status()
        assert counts['connects'] > RESTARTS and harness.descriptors() == descriptors, counts
        assert grown <= 256, 'grew by %d kB' % grown
        lines = len(harness.messages().splitlines())
        assert lines <= 1 + 4 * counts['connects'], lines
        measured('E6', 'restarts', counts['connects'] - 1)
        measured('E6', 'grown_kib', grown)
        measured('E6', 'more_descriptors', harness.descriptors() - descriptors)
        return '%d kB' % grown


def ten_minutes():
    """ten minutes without a master: the queue keeps its bound, the oldest are dropped and counted"""
    got = []

    def take(c, pdu):
        got.append((pdu.varbinds[2][2], pdu.varbinds[0][2]))
        c.respond(pdu)

    with FastLab() as lab:
        path = lab.path('master')
        master = FalseMaster(path)
        harness = Harness(lab, path, '-b', BURST, '-q', QUEUE).ready()
        c = connect(master)
        born = time.monotonic() - c.uptime() / 100

        def prepare(c):
            # The same master as before, by the agent's clock: only the connection was lost.
            c.uptime = lambda: int((time.monotonic() - born) * 100 * FACTOR)
            c.answer[NOTIFY] = take
        prepare(c)
        c.run(2 / FACTOR)
        master.listener.close()
        os.unlink(path)
        c.close()
        start, happened, memory, most = time.monotonic(), [], 0, 0
        while time.monotonic() - start < OUTAGE / FACTOR:
            os.kill(harness.pid, signal.SIGHUP)
            counts = harness.status()  # in the order of the signals: it has happened now
            happened.append(time.monotonic())
            assert counts['waiting'] <= QUEUE and counts['state'] == 'disconnected', counts
            most = max(most, counts['waiting'])
            memory = memory or (counts['waiting'] == QUEUE and harness.resident_kb())
            time.sleep(0.03)
        events = len(happened) * BURST
        assert events > 2 * QUEUE, events
        grown = harness.resident_kb() - memory
        assert counts['queued'] == events and counts['dropped'] == events - QUEUE, counts
        assert grown <= 256, 'grew by %d kB' % grown
        lines = harness.messages().splitlines()
        assert len(lines) <= 4, lines
        master = FalseMaster(path)
        c = connect(master, prepare)
        deadline = time.monotonic() + 30
        while len({number for number, _ in got}) < QUEUE and time.monotonic() < deadline:
            c.run(0.05)
        numbers = [number for number, _ in got]
        assert sorted(set(numbers)) == list(range(events - QUEUE + 1, events + 1)), len(numbers)
        # Of when they happened: that of the signal, with what a signal takes on a busy machine.
        off = [abs(uptime - (happened[(number - 1) // BURST] - born) * 100 * FACTOR)
               for number, uptime in got]
        assert max(off) <= 100 * FACTOR, max(off)
        assert len({uptime for _, uptime in got}) >= QUEUE / BURST / 2
        measured('E3c', 'outage_s', OUTAGE)
        measured('E3c', 'events', events)
        measured('E3c', 'waiting_max', most)
        measured('E3c', 'kept', QUEUE)
        measured('E3c', 'dropped', events - QUEUE)
        measured('E3c', 'grown_kib', grown)
        return '%d told, %d dropped' % (QUEUE, events - QUEUE)


def main():
    for path in (PLAIN, PRELOAD):
        if not os.access(path, os.X_OK):
            return skip_all(path + ' is not built')
    tests = Scenarios(os.environ.get('TESTS'), at_once=2)
    for test in (many_restarts, ten_minutes):
        tests.add(test)
    return tests.run()


if __name__ == '__main__':
    sys.exit(main())
