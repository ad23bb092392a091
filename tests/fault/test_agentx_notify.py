#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Notifications to a false master that reads slowly, not at all, answers late, wrongly or never, or
goes away: none is lost, none comes out of order, and GETs are answered all the time.

    test_agentx_notify.py [HARNESS [COMMAND ...]]     COMMAND, such as valgrind, runs the harness

The harness makes bursts of notifications that are numbered; no limit but the queue's holds them back.
"""
import os
import signal
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))

import test_agentx  # noqa: E402
from agentx_lab import PLAIN, SANITIZED, Scenarios, skip_all, wait_for  # noqa: E402
from false_master import *  # noqa: E402,F403
from process import cpu_seconds  # noqa: E402
from test_agentx import DESCRIPTION, NOT_OPEN, Scene, close_at, sanitized  # noqa: E402

UPTIME = (1, 3, 6, 1, 2, 1, 1, 3, 0)
TRAP = (1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0)
SESSION_FAILURE = (1, 3, 6, 1, 2, 1, 142, 0, 3)
COUNTER = (1, 3, 6, 1, 2, 1, 142, 1, 1, 1, 1, 10, 1)
PROCESSING = 268
FLYING_MAX = 8
GAP_MS = 400     # a send waits for 200 at most (STREAM_SEND_MS), and this machine has other work


class Notified:
    """Scene in which the master notes the notifications: [(number, sysUpTime)]."""

    def __init__(self, burst, *more, queue=20000, answer=None):
        self.scene = Scene('-b', burst, '-q', queue, *more)
        self.answer = answer
        self.got = []

    def __enter__(self):
        s = self.scene.__enter__()
        s.notified = self
        self.attend(s.c)
        return s

    def __exit__(self, *error):
        return self.scene.__exit__(*error)

    def attend(self, c):
        c.answer[NOTIFY] = self.take

    def take(self, c, pdu):
        assert pdu.session == c.session and pdu.order == '>' and not pdu.flags & CONTEXT
        uptime, trap, counter = pdu.varbinds
        assert uptime[:2] == (TIMETICKS, UPTIME), uptime
        assert trap == (OBJECT_ID, TRAP, SESSION_FAILURE), trap
        assert counter[:2] == (COUNTER32, COUNTER), counter
        self.got.append((counter[2], uptime[2]))
        if self.answer is None:
            c.respond(pdu)
        else:
            self.answer(c, pdu)

    def numbers(self):
        return [number for number, _ in self.got]


def burst(s):
    os.kill(s.harness.pid, signal.SIGHUP)


def counts(s):
    return {k: v for k, v in s.harness.status().items() if k in (
        'queued', 'sent', 'refused', 'unconfirmed', 'resent', 'dropped', 'waiting')}


def expect(s, **wanted):
    found = counts(s)
    assert found == {**dict.fromkeys(found, 0), **wanted}, found


def serve_until(c, condition, seconds, asking=True):
    """Answers calls until the condition holds, with a GET now and then; how long the slowest took."""
    deadline, slowest, asked = time.monotonic() + seconds, 0, 0
    while not condition():
        assert time.monotonic() < deadline, 'not within %g s' % seconds
        c.run(0.01)
        if asking and time.monotonic() - asked > 0.05:
            asked = time.monotonic()
            r = c.ask(GET, ranges([DESCRIPTION]), 2)
            assert r is not None and r.error == 0, 'no answer to a GET'
            slowest = max(slowest, time.monotonic() - asked)
    return slowest


def one_notification():
    """a Notify has sysUpTime.0, snmpTrapOID.0, then its objects; it is answered and gone"""
    with Notified(1) as s:
        time.sleep(0.3)
        burst(s)
        serve_until(s.c, lambda: s.notified.got, 2, asking=False)
        (number, uptime), now = s.notified.got[0], s.c.uptime()
        assert number == 1 and now - 30 <= uptime <= now, (uptime, now)
        wait_for(lambda: counts(s)['sent'] == 1, 2, 'the answer is read')
        expect(s, queued=1, sent=1)


def burst_of_ten_thousand():
    """10,000 at once: each once, in order, GETs are answered meanwhile, 8 unanswered at most"""
    with Notified(10000) as s:
        s.harness.forget_gaps()
        start = time.monotonic()
        burst(s)
        slowest = serve_until(s.c, lambda: len(s.notified.got) >= 10000, 30)
        took = time.monotonic() - start
        assert s.notified.numbers() == list(range(1, 10001))
        wait_for(lambda: counts(s)['sent'] == 10000, 2, 'all are answered')
        status = s.harness.status()
        assert status['longest_gap_ms'] < GAP_MS and status['disconnects'] == 0, status
        expect(s, queued=10000, sent=10000)
        return '%.0f a second, slowest GET %.0f ms' % (10000 / took, slowest * 1000)


def slow_master():
    """10,000 to a master that asks without reading, then reads slowly: no deadlock"""
    with Notified(10000) as s:
        start = time.monotonic()
        burst(s)
        # The deadlock of the library: both sides write, nobody reads.
        asked = 40
        for _ in range(asked):
            s.c.send(s.c.pdu(GET, ranges([DESCRIPTION] * 5)))
            time.sleep(0.01)
        responses = 0
        deadline = time.monotonic() + 60
        while (len(s.notified.got) < 10000 or responses < asked) and time.monotonic() < deadline:
            pdu = s.c.receive(1)
            if pdu is None:
                continue
            if pdu.type == RESPONSE:
                responses += 1
                continue
            s.c.serve(pdu)
            if len(s.notified.got) % 100 == 0:
                time.sleep(0.01)
        assert responses == asked, (responses, asked)
        assert s.notified.numbers() == list(range(1, 10001))
        status = s.harness.status()
        assert status['disconnects'] == 0 and status['send_timeouts'] == 0, status
        assert status['longest_gap_ms'] < GAP_MS, status
        return '%.1f s, loop silent for %d ms' % (time.monotonic() - start, status['longest_gap_ms'])


def stopped_master():
    """a master that stops for 3 s in a burst: the loop is never silent, all come afterwards"""
    with Notified(10000) as s:
        burst(s)
        serve_until(s.c, lambda: len(s.notified.got) > 500, 10, asking=False)
        before = len(s.notified.got)
        s.harness.forget_gaps()
        for _ in range(6):
            time.sleep(0.5)
            assert s.harness.status()['longest_gap_ms'] < GAP_MS
        # What came meanwhile: no more than may be unanswered.
        unread = []
        while (pdu := s.c.receive(0.1)) is not None:
            unread.append(pdu)
        came = sum(pdu.type == NOTIFY for pdu in unread)
        assert came <= FLYING_MAX, came
        for pdu in unread:
            s.c.serve(pdu)
        assert len(s.notified.got) == before + came
        serve_until(s.c, lambda: len(s.notified.got) >= 10000, 30)
        assert s.notified.numbers() == list(range(1, 10001))
        assert s.harness.status()['disconnects'] == 0


def count_notifies(octets):
    """Of the whole PDUs at the beginning of a stream, those that are Notifies."""
    count = 0
    while len(octets) >= 20:
        count += octets[1] == NOTIFY
        octets = octets[20 + int.from_bytes(octets[16:20], 'big'):]
    return count


def full_socket():
    """a socket that is full: notifications wait without turning the loop, nothing ends"""
    with Notified(500, '-s', 2048, '-p', 60) as s:
        burst(s)
        time.sleep(0.2)
        s.harness.forget_gaps()
        before = cpu_seconds(s.harness.pid)
        time.sleep(1.5)
        used = cpu_seconds(s.harness.pid) - before
        status = s.harness.status()
        assert status['disconnects'] == 0 and status['longest_gap_ms'] < GAP_MS, status
        assert used < 0.2 or test_agentx.PREFIX, '%.2f s of CPU' % used
        # Looked at, not read: what is read makes room, and more comes at once.
        came = count_notifies(s.c.sock.recv(65536, socket.MSG_PEEK))
        assert 0 < came < FLYING_MAX, came
        serve_until(s.c, lambda: len(s.notified.got) >= 500, 10)
        assert s.notified.numbers() == list(range(1, 501))
        return 'full with %d' % came


def never_answered():
    """a master that answers everything but Notify: it is served, the rest is told, none twice"""
    with Notified(20, answer=lambda c, p: None) as s:
        burst(s)
        slowest = serve_until(s.c, lambda: len(s.notified.got) >= 20, 40)
        assert s.notified.numbers() == list(range(1, 21))
        status = s.harness.status()
        assert status['disconnects'] == 0 and status['unconfirmed'] >= 12, status
        return 'slowest GET %.0f ms' % (slowest * 1000)


def master_away():
    """a burst without a master is told after the reconnect, with the sysUpTime of the events"""
    with Notified(300) as s:
        born = s.c.uptime_born
        s.c.close()
        wait_for(lambda: s.harness.state() == 'disconnected', 3, 'the loss is seen')
        time.sleep(0.5)
        burst(s)
        burst_at = time.monotonic()
        expect(s, queued=300, waiting=300)
        c = s.master.accept(5)
        # The same master, as if only the connection had been lost.
        c.uptime_born = born
        s.notified.attend(c)
        c.handshake()
        time.sleep(0.5)
        serve_until(c, lambda: len(s.notified.got) >= 300, 5)
        assert s.notified.numbers() == list(range(1, 301))
        off = [abs(uptime - (burst_at - born) * 100) for _, uptime in s.notified.got]
        assert max(off) <= 10, max(off)
        wait_for(lambda: counts(s)['sent'] == 300, 2, 'all are answered')
        expect(s, queued=300, sent=300)


def another_master():
    """to a master that began after the events they have the sysUpTime 0"""
    with Notified(3) as s:
        s.c.close()
        wait_for(lambda: s.harness.state() == 'disconnected', 3, 'the loss is seen')
        burst(s)
        time.sleep(0.5)
        c = s.master.accept(5)
        s.notified.attend(c)
        c.handshake()
        c.run(0.3)
        burst(s)
        serve_until(c, lambda: len(s.notified.got) >= 6, 5)
        uptimes = [uptime for _, uptime in s.notified.got]
        assert uptimes[:3] == [0, 0, 0] and min(uptimes[3:]) > 0, uptimes


def lost_in_between():
    """connections that end in a burst: what was not answered is sent again, in order, no more"""
    with Notified(2000) as s:
        burst(s)
        c = s.c
        for limit in (1, 7, 8, 9, 500, 1000):
            # From here on read but not answered, or not even read. Decided when it comes: a fast
            # machine has answered all of them before a loop beside it has looked.
            def cut(c, pdu, limit=limit):
                if len(s.notified.got) < limit:
                    c.respond(pdu)
                elif limit % 2:
                    close_at(c, pdu)
            s.notified.answer = cut
            try:
                serve_until(c, lambda limit=limit: len(s.notified.got) >= limit, 5, asking=False)
                c.run(0.3)
                c.close()
            except Gone:
                pass
            s.notified.answer = None
            c = s.master.accept(5)
            s.notified.attend(c)
            c.handshake()
        serve_until(c, lambda: s.notified.numbers()[-1:] == [2000], 10)
        numbers = s.notified.numbers()
        assert sorted(set(numbers)) == list(range(1, 2001))
        again = [n for i, n in enumerate(numbers) if n in numbers[:i]]
        assert len(again) <= 6 * FLYING_MAX, again
        wait_for(lambda: counts(s)['waiting'] == 0, 2, 'all are answered')
        found = counts(s)
        assert found['sent'] == 2000 and 0 < found['resent'] <= 6 * FLYING_MAX, found
        return '%d twice' % len(again)


def forgotten_session():
    """a Notify answered notOpen opens a new session, and is sent in it"""
    with Notified(5, answer=lambda c, p: c.respond(p, NOT_OPEN)) as s:
        burst(s)
        try:
            s.c.run(2.5)
        except Gone:
            pass
        s.notified.answer = None
        s.notified.got.clear()
        c = s.master.accept(5)
        s.notified.attend(c)
        c.handshake()
        serve_until(c, lambda: len(s.notified.got) >= 5, 5)
        assert s.notified.numbers() == [1, 2, 3, 4, 5]


def refused():
    """a Notify answered with an error is not sent again, and holds up no other"""
    with Notified(20, answer=lambda c, p: c.respond(
            p, PROCESSING if p.varbinds[2][2] % 2 else 0)) as s:
        burst(s)
        serve_until(s.c, lambda: len(s.notified.got) >= 20, 5)
        s.c.run(0.3)
        assert s.notified.numbers() == list(range(1, 21))
        expect(s, queued=20, sent=10, refused=10)


def bounded():
    """10,000 for a queue of 100 without a master: the newest 100 are told, the others counted"""
    with Notified(10000, queue=100) as s:
        s.c.close()
        wait_for(lambda: s.harness.state() == 'disconnected', 3, 'the loss is seen')
        burst(s)
        expect(s, queued=10000, dropped=9900, waiting=100)
        c = s.master.accept(5)
        s.notified.attend(c)
        c.handshake()
        serve_until(c, lambda: len(s.notified.got) >= 100, 5)
        assert s.notified.numbers() == list(range(9901, 10001))
        before = s.harness.resident_kb()
        for _ in range(5):
            burst(s)
            serve_until(c, lambda: counts(s)['waiting'] == 0, 10)
        assert s.harness.resident_kb() - before <= 512 or s.lab.harness != PLAIN or s.lab.prefix


TESTS = (one_notification, burst_of_ten_thousand, slow_master, stopped_master, full_socket,
         never_answered, master_away, another_master, lost_in_between, forgotten_session, refused,
         bounded)


def main():
    if not os.access(test_agentx.HARNESS, os.X_OK):
        return skip_all(test_agentx.HARNESS + ' is not built')
    tests = Scenarios(os.environ.get('TESTS'))
    for test in TESTS:
        tests.add(test)
    if test_agentx.HARNESS == PLAIN and os.access(SANITIZED, os.X_OK):
        for test in (lost_in_between, forgotten_session, refused, bounded, stopped_master):
            tests.add(sanitized(test), what=test.__doc__ + ' (sanitized)')
    return tests.run()


if __name__ == '__main__':
    if len(sys.argv) > 1:
        test_agentx.HARNESS, test_agentx.PREFIX = os.path.abspath(sys.argv[1]), sys.argv[2:]
    sys.exit(main())
