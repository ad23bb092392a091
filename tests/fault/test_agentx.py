#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The agent against a false master: what a real one never says, in all phases of a session.

    test_agentx.py [HARNESS [COMMAND ...]]     COMMAND, such as valgrind, runs the harness

Without arguments: the harness of build/, and once more those tests that provoke memory errors with
the sanitized one where it has been built.
"""
import os
import random
import shutil
import signal
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))

from agentx_lab import PLAIN, PRIVATE_ROOT, SANITIZED, Harness, Lab, Scenarios, skip_all  # noqa: E402
from false_master import *  # noqa: E402,F403
from snmp_raw import percentile  # noqa: E402
from tap import measured  # noqa: E402

MODULE = (1, 3, 6, 1, 2, 1, 142)
DESCRIPTION = MODULE + (1, 1, 1, 1, 2, 1)       # iscsiInstDescr.1
TEXT = b'a snapshot made by a test'
HOLE = MODULE + (1, 1, 1, 1, 10, 1)             # a counter that the harness has not set
SESSIONS = MODULE + (1, 10, 1, 1)               # iscsiSessionAttributesEntry
CAPABILITIES = tuple(int(i) for i in PRIVATE_ROOT.split('.')) + (2, 1)
ALIAS = SESSIONS + (8,)                         # iscsiSsnInitiatorAlias
AFTER_ALIAS = SESSIONS + (9,)
NOT_WRITABLE, COMMIT_FAILED, UNDO_FAILED, TOO_BIG = 17, 14, 15, 1
NOT_OPEN, OPEN_FAILED, UNSUPPORTED_CONTEXT, DUPLICATE, PARSE = 257, 256, 262, 263, 266

BACK_WITHIN = 2.5  # s: connected again and answering
BACK = []          # s that it took, in all tests

HARNESS, PREFIX = PLAIN, []
CHOSEN = threading.local()  # .harness: another one, for the tests of this thread


class Scene:
    """A lab with a false master and a harness that is connected to it."""

    def __init__(self, *arguments, connect=True, prefix=None):
        self.lab = Lab(getattr(CHOSEN, 'harness', HARNESS), prefix or PREFIX)
        self.arguments, self.connect = arguments, connect

    def __enter__(self):
        self.lab.__enter__()
        try:
            self.master = FalseMaster(self.lab.path('master'))
            self.harness = Harness(self.lab, self.master.path, *self.arguments)
            if self.connect:
                self.c = self.master.accept(10).handshake()
                self.harness.ready()
        except BaseException:
            self.lab.__exit__()
            raise
        return self

    def __exit__(self, *error):
        alive = self.harness.alive()
        messages = self.harness.messages()
        self.lab.__exit__(*error)
        if error[0] is None:
            assert alive or self.harness.process.returncode == 0, 'it died: ' + messages

    def answers(self, c=None, seconds=2):
        r = (c or self.c).ask(GET, ranges([DESCRIPTION]), seconds)
        return r is not None and r.error == 0 and r.varbinds == [(OCTETS, DESCRIPTION, TEXT)]

    def back(self, within=BACK_WITHIN):
        """Accepts the next connection; s until it answers."""
        start = time.monotonic()
        self.c = self.master.accept(within).handshake(within)
        assert self.answers(), 'no answer after the reconnect'
        took = time.monotonic() - start
        assert took <= within, 'back after %.2f s' % took
        BACK.append(took)
        return took


# ---- requests ----

def handshake():
    """opens, registers 1.3.6.1.2.1.142 and adds the capabilities"""
    with Scene() as s:
        assert s.c.registered == [MODULE], s.c.registered
        assert s.c.capabilities == [CAPABILITIES]
        assert s.harness.state() == 'connected'


def get_in_both_orders():
    """GET in both byte orders: value, noSuchInstance for a hole, noSuchObject"""
    with Scene() as s:
        names = [DESCRIPTION, HOLE, MODULE + (1, 99), (1, 3, 6, 1, 2, 1, 1, 1, 0), ()]
        for order in '<>':
            r = s.c.ask(GET, ranges(names, order=order), order=order)
            assert r.order == order and r.error == 0
            assert [v[:2] for v in r.varbinds] == list(zip(
                (OCTETS, NO_SUCH_INSTANCE, NO_SUCH_OBJECT, NO_SUCH_OBJECT, NO_SUCH_OBJECT),
                names)), r.varbinds
            assert r.varbinds[0][2] == TEXT


def next_in_range():
    """GETNEXT honours include and the end of the range; endOfMibView has the name asked for"""
    with Scene() as s:
        def one(start, end=(), include=0):
            r = s.c.ask(GET_NEXT, ranges([start], end, include))
            assert r.error == 0 and len(r.varbinds) == 1
            return r.varbinds[0][:2]
        second = MODULE + (1, 1, 1, 1, 3, 1)
        assert one(MODULE) == (OCTETS, DESCRIPTION)
        assert one(DESCRIPTION) == (GAUGE32, second)
        assert one(DESCRIPTION, include=1) == (OCTETS, DESCRIPTION)
        assert one(MODULE, end=DESCRIPTION) == (END_OF_VIEW, MODULE)
        assert one(DESCRIPTION, end=second) == (END_OF_VIEW, DESCRIPTION)
        assert one(DESCRIPTION, end=second + (0,)) == (GAUGE32, second)
        assert one(MODULE[:-1] + (143,)) == (END_OF_VIEW, MODULE[:-1] + (143,))


def bulk_in_range():
    """GETBULK: non-repeaters, repetitions, range ends, and 65,535 of them"""
    with Scene('-n', 5) as s:
        columns = [ALIAS, SESSIONS + (7,)]
        end = AFTER_ALIAS
        r = s.c.ask(GET_BULK, bulk(1, 3, [MODULE] + columns, end))
        names = [v[1] for v in r.varbinds]
        assert r.error == 0 and len(names) == 7, r.varbinds
        assert names[0] == DESCRIPTION
        assert names[1::2] == [ALIAS + (1, 1, n) for n in (1, 2, 3)], names
        r = s.c.ask(GET_BULK, bulk(0, 65535, [ALIAS], end))
        assert [v[1] for v in r.varbinds] == [ALIAS + (1, 1, n) for n in (1, 2, 3, 4, 5, 5)]
        assert r.varbinds[-1][0] == END_OF_VIEW
        assert s.c.ask(GET_BULK, bulk(0, 0, columns)).varbinds == []
        assert len(s.c.ask(GET_BULK, bulk(9, 1, columns)).varbinds) == 2


def bulk_is_cut():
    """a GETBULK of more than 60,000 octets is cut, and the next one goes on"""
    with Scene('-n', 2000) as s:
        seen, start = [], ALIAS
        while True:
            r = s.c.ask(GET_BULK, bulk(0, 65535, [start], AFTER_ALIAS))
            assert r.error == 0 and len(r.octets) <= 60000
            seen += [v[1] for v in r.varbinds if v[0] != END_OF_VIEW]
            if r.varbinds[-1][0] == END_OF_VIEW:
                break
            start = seen[-1]
        assert seen == [ALIAS + (1, 1, n) for n in range(1, 2001)]


def too_big():
    """a response above 60,000 octets is tooBig at its varbind, and the session stays"""
    with Scene() as s:
        name = ALIAS + (1, 1, 1)
        r = s.c.ask(GET, ranges([name] * 1000, prefix=True))
        assert r.error == TOO_BIG and len(r.octets) == 28, (r.error, len(r.octets))
        assert 700 < r.index <= 1000, r.index
        fits = s.c.ask(GET, ranges([name] * (r.index - 1), prefix=True))
        assert fits.error == 0 and len(fits.varbinds) == r.index - 1
        assert 59900 < len(fits.octets) <= 60000, len(fits.octets)
        assert s.answers() and s.harness.status()['disconnects'] == 0


def too_big_request():
    """a request above 60,000 octets is tooBig too, and the session stays"""
    with Scene() as s:
        for count in (900, 5000, 60000):
            r = s.c.ask(GET_NEXT, ranges([ALIAS + (1, 1, 1)] * count))
            assert r.error == TOO_BIG, r.error
        assert s.answers() and s.harness.status()['disconnects'] == 0


def wrong_session():
    """another session's number is notOpen, a context unsupportedContext"""
    with Scene() as s:
        assert s.c.ask(GET, ranges([DESCRIPTION]), session=99).error == NOT_OPEN
        context = struct.pack('>I', 4) + b'none'
        assert s.c.ask(GET, context + ranges([DESCRIPTION]),
                       flags=CONTEXT).error == UNSUPPORTED_CONTEXT
        assert s.answers()


def malformed_requests():
    """requests cut at each word, and OIDs of 129 and 255 sub-identifiers, are parseError"""
    with Scene() as s:
        whole = ranges([DESCRIPTION])
        for kind, payload in ((GET, whole), (GET_NEXT, whole), (GET_BULK, bulk(0, 1, [MODULE]))):
            for at in range(4, len(payload), 4):
                r = s.c.ask(kind, payload[:at])
                assert r and (r.error == PARSE or kind == GET_BULK and at == 4), (kind, at)
        for count in (129, 255):
            long = struct.pack('4B', count, 0, 1, 0) + bytes(4 * count)
            assert s.c.ask(GET_NEXT, long + long).error == PARSE
            assert s.c.ask(GET, struct.pack('4B', count, 0, 0, 0)).error == PARSE
        assert s.c.ask(GET, struct.pack('4B', 124, 2, 0, 0) + bytes(496) + oid(())).error == PARSE
        assert s.answers() and s.harness.status()['connects'] == 1


# ---- SET ----

SET_STATES = [
    [TEST_SET, CLEANUP_SET], [TEST_SET, CLEANUP_SET, CLEANUP_SET],
    [TEST_SET, COMMIT_SET, UNDO_SET, CLEANUP_SET], [TEST_SET, UNDO_SET], [TEST_SET, TEST_SET],
    [TEST_SET, COMMIT_SET, COMMIT_SET, CLEANUP_SET], [TEST_SET, TEST_SET, UNDO_SET, UNDO_SET],
    [TEST_SET, COMMIT_SET, CLEANUP_SET, COMMIT_SET], [UNDO_SET], [COMMIT_SET], [CLEANUP_SET],
    [TEST_SET, CLEANUP_SET, TEST_SET, COMMIT_SET, UNDO_SET, CLEANUP_SET],
    [COMMIT_SET, TEST_SET, CLEANUP_SET, UNDO_SET], [TEST_SET, COMMIT_SET, TEST_SET, CLEANUP_SET],
]
SET_ERRORS = {TEST_SET: NOT_WRITABLE, COMMIT_SET: COMMIT_FAILED, UNDO_SET: UNDO_FAILED}


def pipelined_sets():
    """SET phases in 14 orders, each sent at once: every phase has its answer, CleanupSet none"""
    with Scene() as s:
        for phases in SET_STATES:
            s.c.transaction += 1
            octets, expected = b'', []
            for phase in phases:
                payload = varbind(DESCRIPTION, 5) if phase == TEST_SET else b''
                octets += s.c.pdu(phase, payload, new_transaction=False)
                if phase in SET_ERRORS:
                    expected.append((s.c.packet, SET_ERRORS[phase]))
            octets += s.c.pdu(GET, ranges([DESCRIPTION]))
            s.c.send(octets)
            got = []
            while len(got) <= len(expected):
                pdu = s.c.receive(2)
                assert pdu, 'no answer: %s of %s' % (got, phases)
                if pdu.type == RESPONSE:
                    got.append((pdu.packet, pdu.error))
                else:
                    s.c.serve(pdu)
            assert got == expected + [(s.c.packet, 0)], (phases, got)


def unfinished_sets():
    """20,000 SETs that are never cleaned up cost no memory"""
    with Scene() as s:
        def batch(count):
            for _ in range(count // 100):
                octets = b''.join(s.c.pdu(TEST_SET, varbind(DESCRIPTION, 5)) for _ in range(100))
                s.c.send(octets)
                assert s.c.run(3, s.c.packet).error == NOT_WRITABLE
        batch(1000)
        before = s.harness.resident_kb()
        batch(20000)
        grown = s.harness.resident_kb() - before
        assert grown <= 256 or PREFIX or HARNESS != PLAIN, 'grew by %d kB' % grown
        return '%d kB' % grown


# ---- hostile streams ----

def hostile_streams():
    payload = ranges([DESCRIPTION])
    get = struct.pack('4B', 1, GET, 0x10, 0)

    def head(version=1, kind=GET, flags=0x10, reserved=0, length=0):
        return struct.pack('4B4I', version, kind, flags, reserved, 7, 1, 1, length)[:4] + \
            struct.pack('>4I', 7, 1, 1, length)
    rng = random.Random(7147)
    return {
        'length 16 MiB + 4': head(length=(1 << 24) + 4),
        'length 2^31': head(length=1 << 31),
        'length 2^32-1': head(length=0xffffffff),
        'length 3': head(length=3) + b'abc',
        'length 60,004 and 1,000 octets': head(length=60004) + bytes(1000),
        'little-endian length in a big-endian header': get + struct.pack('<4I', 7, 1, 1, 44),
        'version 2': head(version=2, length=len(payload)) + payload,
        'version 0': head(version=0),
        'type 0': head(kind=0),
        'type 19': head(kind=19),
        'reserved octet 1': head(reserved=1),
        'a header cut in the middle': head()[:11],
        'a PDU cut in the middle': head(length=len(payload)) + payload[:-5],
        'a Response of no octets': head(kind=RESPONSE),
        'a Response of 60,004 octets': head(kind=RESPONSE, length=60004),
        'a Response of 4 octets': head(kind=RESPONSE, length=4) + bytes(4),
        '4,096 random octets': rng.randbytes(4096),
        '1 MiB of A': b'A' * (1 << 20),
        'the Close PDU': head(kind=CLOSE, length=4) + struct.pack('4B', 1, 0, 0, 0),
    }


def hostile_stream(octets):
    with Scene() as s:
        try:
            s.c.send(octets)
        except Gone:
            pass
        took = s.back()
        status = s.harness.status()
        assert status['disconnects'] == 1 and status['gap_ms'] < 400, status
        return 'back after %.2f s' % took


def ignored_pdus():
    """PDUs that no master sends, and Responses to nothing, change nothing"""
    with Scene() as s:
        for kind in (OPEN, REGISTER, UNREGISTER, NOTIFY, PING, ADD_CAPS, INDEX_ALLOCATE):
            s.c.send(s.c.pdu(kind, bytes(28)))
        for packet in (0, 1, 0x7fffffff, 0x80000001, 0xffffffff):
            s.c.send(struct.pack('4B4I', 1, RESPONSE, 0, 0, 7, 1, packet, 8) + bytes(8))
        s.c.send(struct.pack('4B', 1, RESPONSE, 0x10, 0) + struct.pack('>4I', 7, 1, 1, 4096) +
                 random.Random(1).randbytes(4096))
        assert s.answers() and s.harness.status()['connects'] == 1


def trickle():
    """a PDU that comes octet by octet is answered when it takes less than 0.7 s"""
    with Scene() as s:
        octets = s.c.pdu(GET, ranges([DESCRIPTION]))
        for i in range(len(octets)):
            s.c.send(octets[i:i + 1])
            if i % 8 == 7:  # not more: on a busy machine each takes longer
                time.sleep(0.02)
        assert s.c.run(2, s.c.packet).error == 0
        s.c.send(octets[:21])
        try:
            for i in range(21, len(octets)):
                s.c.send(octets[i:i + 1])
                time.sleep(0.1)
        except Gone:
            pass
        s.back()
        assert s.harness.status()['bad_pdus'] == 1


def master_does_not_read():
    """a master that asks and does not read is given up; the loop is never silent for 0.4 s"""
    with Scene('-n', 500) as s:
        s.harness.status()
        request = b''.join(s.c.pdu(GET_BULK, bulk(0, 65535, [SESSIONS])) for _ in range(20))
        s.c.send(request)
        time.sleep(0.5)
        s.back()
        status = s.harness.status()
        assert status['send_timeouts'] == 1 and status['gap_ms'] < 400, status


def random_pdus():
    """3,000 PDUs with random bodies, types and orders: it survives and answers"""
    rng = random.Random(142)
    kinds = [GET, GET_NEXT, GET_BULK, TEST_SET, COMMIT_SET, UNDO_SET, CLEANUP_SET]
    with Scene() as s:
        sent = 0
        while sent < 3000:
            try:
                for _ in range(rng.randrange(1, 8)):
                    kind = rng.choice(kinds) if rng.random() < 0.998 else rng.randrange(256)
                    body = bytearray(rng.choice([
                        ranges([DESCRIPTION, SESSIONS]), bulk(1, 9, [MODULE, ALIAS]),
                        varbind(DESCRIPTION, 5), rng.randbytes(rng.randrange(0, 200))]))
                    for _ in range(rng.randrange(0, 4)):
                        if body:
                            body[rng.randrange(len(body))] = rng.randrange(256)
                    sent += 1
                    if len(body) % 4 and rng.random() < 0.998:
                        body += bytes(-len(body) % 4)
                    s.c.send(s.c.pdu(kind, bytes(body), order=rng.choice('<>')))
                s.c.run(0.002)
            except Gone:
                s.c = s.master.accept(BACK_WITHIN).handshake(BACK_WITHIN)
        try:
            good = s.answers()
        except Gone:
            good = False
        if not good:
            s.back(BACK_WITHIN + 1)
        return '%d connections' % s.master.connections


# ---- the phases of a session ----

def bad_open(answer, within=BACK_WITHIN):
    with Scene(connect=False) as s:
        c = s.master.accept(10)
        c.answer[OPEN] = answer
        try:
            assert c.run(0.6) is None
        except Gone:
            pass
        s.harness.ready()
        took = s.back(within)
        status = s.harness.status()
        assert status['connects'] == 1 and status['gap_ms'] < 500, status
        return 'back after %.2f s' % took


def close_at(c, pdu):
    c.close()
    raise Gone('closed by the master')


BAD_OPENS = {
    'no answer to Open': None,
    'Open refused with openFailed': lambda c, p: c.respond(p, OPEN_FAILED),
    'an empty Response to Open': lambda c, p: c.respond(p, payload=b''),
    'a Response to Open with another packet number': lambda c, p: c.respond(p, packet=9999),
    'the connection closed instead of an answer to Open': close_at,
}


def broken_registration(kind, answer):
    with Scene(connect=False) as s:
        c = s.master.accept(10)
        c.answer[kind] = answer
        try:
            assert c.run(0.8) is None
        except Gone:
            pass
        s.harness.ready()
        took = s.back()
        status = s.harness.status()
        assert status['state'] == 'connected' and status['gap_ms'] < 800, status
        return 'back after %.2f s' % took


def no_capabilities():
    """no answer to AddAgentCaps: the session is good without"""
    with Scene(connect=False) as s:
        c = s.master.accept(10)
        c.answer[ADD_CAPS] = None
        c.run(1)
        s.harness.ready()
        assert s.harness.state() == 'connected' and s.answers(c)


def request_while_registering():
    """a request is answered while the registration waits for its answer"""
    with Scene(connect=False) as s:
        c = s.master.accept(10)
        seen = []

        def slow_register(c, pdu):
            c.send(c.pdu(GET, ranges([DESCRIPTION])))
            r = c.receive(0.2)
            seen.append(r.type == RESPONSE and r.packet == c.packet)
            c.respond(pdu)
            c.registered.append(pdu.oid(4)[0])
        c.answer[REGISTER] = slow_register
        c.handshake()
        s.harness.ready()
        assert seen == [True] and s.answers(c)


def refused_registration():
    """a refused registration is one message, is tried again, and taken when it is free"""
    with Scene(connect=False) as s:
        c = s.master.accept(10)
        c.answer[REGISTER] = lambda c, p: c.respond(p, DUPLICATE)
        c.handshake()
        s.harness.ready()
        c.run(2.5)
        assert s.harness.state() == 'refused'
        assert s.harness.messages().count('refuses to register ISCSI-MIB') == 1
        del c.answer[REGISTER]
        c.run(1.3)
        assert s.harness.state() == 'connected' and c.registered == [MODULE]
        messages = s.harness.messages().splitlines()
        assert len(messages) <= 3, messages
        assert s.answers(c)


def lost_while_refused():
    """a connection that ends during such a retry is made anew"""
    with Scene(connect=False) as s:
        c = s.master.accept(10)
        c.answer[REGISTER] = lambda c, p: c.respond(p, DUPLICATE)
        c.handshake()
        s.harness.ready()
        c.answer[REGISTER] = close_at
        try:
            c.run(3)
        except Gone:
            pass
        s.back()


def unanswered_ping():
    """a Ping without answer ends the session after 5 s, a late answer does not"""
    with Scene() as s:
        late = []

        def answer_late(c, pdu):
            if late:
                return c.respond(pdu)
            late.append(time.sleep(3))
            assert s.harness.status()['gap_ms'] < 200
            return c.respond(pdu)
        s.c.answer[PING] = answer_late
        s.c.run(5)
        assert late and s.answers() and s.harness.status()['connects'] == 1
        s.c.answer[PING] = None
        start = time.monotonic()
        try:
            s.c.run(8)
        except Gone:
            pass
        assert 4.5 < time.monotonic() - start < 7
        s.back()
        assert s.harness.status()['gap_ms'] < 200


def forgotten_session():
    """a Ping answered notOpen opens a new session"""
    with Scene() as s:
        s.c.answer[PING] = lambda c, p: c.respond(p, NOT_OPEN)
        try:
            s.c.run(2.5)
        except Gone:
            pass
        s.back()


def uptime_zero():
    """the master's start is known; late answers do not move it, a restart does"""
    with Scene() as s:
        zero = s.harness.status()['uptime_zero_ns']
        assert abs(zero - s.c.uptime_born * 1e9) < 0.1e9
        s.c.answer[PING] = lambda c, p: (time.sleep(0.9), c.respond(p))
        s.c.run(3)
        assert s.harness.status()['uptime_zero_ns'] == zero
        s.c.answer.clear()
        s.c.uptime_born += 0.5
        s.c.run(1.5)
        assert s.harness.status()['uptime_zero_ns'] == zero
        s.c.uptime_born -= 10
        s.c.run(1.5)
        assert abs(s.harness.status()['uptime_zero_ns'] - s.c.uptime_born * 1e9) < 0.1e9
        s.c.close()
        s.back()
        zero = s.harness.status()['uptime_zero_ns']
        assert abs(zero - s.c.uptime_born * 1e9) < 0.1e9


def many_reconnects():
    """40 lost connections: no descriptor and no memory is lost, two messages each"""
    with Scene() as s:
        for i in range(40):
            if i == 5:
                descriptors, resident = s.harness.descriptors(), s.harness.resident_kb()
            s.c.close()
            s.back()
        assert s.harness.descriptors() == descriptors
        grown = s.harness.resident_kb() - resident
        assert grown <= 256 or PREFIX or HARNESS != PLAIN, 'grew by %d kB' % grown
        lines = s.harness.messages().splitlines()
        assert len(lines) == 1 + 2 * 40, lines[:5]
        return '%d kB' % grown


def quiet_without_master():
    """without a master: one message, the right one, and no more"""
    with Lab(HARNESS, PREFIX) as lab:
        h = Harness(lab, lab.path('none')).ready()
        time.sleep(3.5)
        lines = h.messages().splitlines()
        assert len(lines) == 1 and 'No such file' in lines[0] and 'master agentx' in lines[0], lines
        assert h.state() == 'disconnected' and h.stop() <= 300


def stop_with_silent_master():
    """stops within 300 ms though the master does not answer, and does not read"""
    with Scene() as s:
        took = s.harness.stop()
        assert took <= 300, took
    with Scene('-n', 500) as s:
        s.c.send(b''.join(s.c.pdu(GET_BULK, bulk(0, 65535, [SESSIONS])) for _ in range(2)))
        took = s.harness.stop()
        assert took <= 300, took
        return '%d ms' % took


def valgrind_sees_nothing():
    """connections lost in each phase, then an orderly stop: valgrind sees no error and no leak"""
    if not shutil.which('valgrind'):
        return 'SKIP valgrind is not installed (package valgrind)'
    command = ['valgrind', '-q', '--leak-check=full', '--show-leak-kinds=definite',
               '--errors-for-leak-kinds=definite', '--error-exitcode=99']
    with Scene(connect=False, prefix=command) as s:
        for kind in (OPEN, REGISTER, ADD_CAPS, PING, None):
            c = s.master.accept(20)
            if kind == REGISTER:
                c.answer[REGISTER] = lambda c, p: c.respond(p, DUPLICATE)
                c.handshake(10)
            c.answer[kind] = close_at
            if kind == PING:
                c.handshake(10)
                c.ask(GET_NEXT, ranges([MODULE] * 20))
                c.ask(TEST_SET, varbind(DESCRIPTION, 5))
            try:
                c.run(0.5 if kind is None else 5)
            except Gone:
                pass
        s.harness.ready()
        os.kill(s.harness.pid, signal.SIGTERM)
        try:
            c.run(5)
        except Gone:
            pass
        s.harness.process.wait(20)
        assert s.harness.process.returncode == 0, s.harness.messages()


def full_backlog():
    """connecting to a master whose backlog is full does not wait"""
    with Lab(HARNESS, PREFIX) as lab:
        master = FalseMaster(lab.path('master'), backlog=1)
        idle = []
        while True:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sock.setblocking(False)
            idle.append(sock)
            try:
                sock.connect(master.path)
            except BlockingIOError:
                break
        h = Harness(lab, master.path).ready()
        time.sleep(2.5)
        status = h.status()
        assert status['state'] == 'disconnected' and status['gap_ms'] < 400, status
        for sock in idle:
            sock.close()
        for _ in idle[:-1]:
            master.accept(1)
        c = master.accept(2).handshake()
        assert c.ask(GET, ranges([DESCRIPTION])).error == 0 and h.state() == 'connected'


def descriptors_above_1024():
    """an AgentX descriptor above 1,024 works"""
    import resource
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2000:
        return 'SKIP RLIMIT_NOFILE is %d' % hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2000), hard))
    with Scene('-f', 1500) as s:
        assert '1500' in os.listdir('/proc/%d/fd' % s.harness.pid)
        assert s.answers()
        s.c.close()
        s.back()
    return None


def sanitized(function):
    """The same test with the harness that was built with SAN=1."""
    def test(*arguments):
        CHOSEN.harness = SANITIZED
        try:
            return function(*arguments)
        finally:
            del CHOSEN.harness
    test.__doc__ = function.__doc__
    return test


def add_memory_tests(tests, wrap=lambda function: function, suffix=''):
    """The tests in which the master provokes what a sanitizer sees."""
    for test in (malformed_requests, too_big, too_big_request, pipelined_sets, ignored_pdus,
                 random_pdus, lost_while_refused):
        tests.add(wrap(test), what=test.__doc__ + suffix)
    for name, octets in hostile_streams().items():
        tests.add(wrap(hostile_stream), octets, what=f'survives {name}, and is back{suffix}')
    for name, answer in BAD_OPENS.items():
        tests.add(wrap(bad_open), answer, what=f'survives {name}, and is back{suffix}')
    tests.add(wrap(broken_registration), REGISTER, None,
              what='survives no answer to Register' + suffix)
    for kind, word in ((REGISTER, 'Register'), (ADD_CAPS, 'AddAgentCaps')):
        tests.add(wrap(broken_registration), kind, close_at,
                  what=f'survives the end of the connection at {word}{suffix}')


def main():
    if not os.access(HARNESS, os.X_OK):
        return skip_all(HARNESS + ' is not built')
    tests = Scenarios(os.environ.get('TESTS'))
    for test in (handshake, get_in_both_orders, next_in_range, bulk_in_range, bulk_is_cut,
                 wrong_session, unfinished_sets, trickle, master_does_not_read):
        tests.add(test)
    add_memory_tests(tests)
    for test in (no_capabilities, request_while_registering, refused_registration,
                 unanswered_ping, forgotten_session, uptime_zero, many_reconnects,
                 quiet_without_master, stop_with_silent_master, valgrind_sees_nothing, full_backlog,
                 descriptors_above_1024):
        tests.add(test)
    if HARNESS == PLAIN and os.access(SANITIZED, os.X_OK):
        add_memory_tests(tests, sanitized, ' (sanitized)')
    status = tests.run()
    if BACK:
        measured('E13', 'lost_sessions', len(BACK))
        measured('E13', 'back_in_service_ms_p99', round(percentile(BACK, 99) * 1000))
    return status


if __name__ == '__main__':
    if len(sys.argv) > 1:
        HARNESS, PREFIX = os.path.abspath(sys.argv[1]), sys.argv[2:]
    sys.exit(main())
