# SPDX-License-Identifier: BSD-2-Clause
"""A false AgentX master (RFC 2741): says to a subagent what a real one never would.

    master = FalseMaster(path)
    c = master.accept(3)
    c.handshake()
    response = c.ask(GET, ranges([OID]))

A Connection answers the subagent's own calls (Open, Register, Ping …) while it waits for
something, unless told otherwise: c.answer maps a PDU type to a function (connection, pdu) that
answers it, or to None (no answer).
"""
import os
import select
import socket
import struct
import time

(OPEN, CLOSE, REGISTER, UNREGISTER, GET, GET_NEXT, GET_BULK, TEST_SET, COMMIT_SET, UNDO_SET,
 CLEANUP_SET, NOTIFY, PING, INDEX_ALLOCATE, INDEX_DEALLOCATE, ADD_CAPS, REMOVE_CAPS,
 RESPONSE) = range(1, 19)

INTEGER, OCTETS, OBJECT_ID, COUNTER32, GAUGE32, TIMETICKS, COUNTER64 = 2, 4, 6, 65, 66, 67, 70
NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END_OF_VIEW = 128, 129, 130

NETWORK_ORDER = 0x10
CONTEXT = 0x08


class Gone(Exception):
    """The subagent has closed the connection."""


class Pdu:
    """One PDU received. Of a Response: error, index and varbinds [(type, oid, value)]; of a Notify
    the varbinds."""

    def __init__(self, octets):
        self.octets = octets
        self.type, self.flags = octets[1], octets[2]
        self.order = '>' if self.flags & NETWORK_ORDER else '<'
        self.session, self.transaction, self.packet = struct.unpack_from(
            self.order + '3I', octets, 4)
        self.payload = octets[20:]
        if self.type == RESPONSE:
            self.uptime, self.error, self.index = struct.unpack_from(
                self.order + 'IHH', self.payload)
            self.varbinds = self._varbinds(8)
        elif self.type == NOTIFY:
            self.varbinds = self._varbinds(0)

    def _u32(self, at):
        return struct.unpack_from(self.order + 'I', self.payload, at)[0]

    def oid(self, at):
        """The OID at `at` of the payload, and where it ends."""
        count, prefix = self.payload[at], self.payload[at + 1]
        ids = (1, 3, 6, 1, prefix) if prefix else ()
        end = at + 4 + 4 * count
        return ids + struct.unpack_from('%s%dI' % (self.order, count), self.payload, at + 4), end

    def _varbinds(self, at):
        found = []
        while at < len(self.payload):
            kind = struct.unpack_from(self.order + 'H', self.payload, at)[0]
            name, at = self.oid(at + 4)
            value = None
            if kind == OCTETS:
                length = self._u32(at)
                value = self.payload[at + 4:at + 4 + length]
                at += 4 + (length + 3 & ~3)
            elif kind == OBJECT_ID:
                value, at = self.oid(at)
            elif kind == COUNTER64:
                value = struct.unpack_from(self.order + 'Q', self.payload, at)[0]
                at += 8
            elif kind < NO_SUCH_OBJECT:
                value = self._u32(at)
                at += 4
            found.append((kind, name, value))
        return found


def oid(ids, include=0, order='>', prefix=False):
    """An OID on the wire; with `prefix`, 1.3.6.1.N is one octet."""
    if prefix and ids[:4] == (1, 3, 6, 1):
        return struct.pack('4B', len(ids) - 5, ids[4], include, 0) + b''.join(
            struct.pack(order + 'I', i) for i in ids[5:])
    return struct.pack('4B', len(ids) & 255, 0, include, 0) + b''.join(
        struct.pack(order + 'I', i & 0xffffffff) for i in ids)


def ranges(starts, end=(), include=0, order='>', prefix=False):
    """SearchRanges from each of `starts` to `end`."""
    return b''.join(oid(s, include, order, prefix) + oid(end, 0, order) for s in starts)


def bulk(non_repeaters, repetitions, starts, end=(), order='>'):
    return struct.pack(order + 'HH', non_repeaters, repetitions) + ranges(starts, end, 0, order)


def varbind(name, value, order='>'):
    """An INTEGER varbind, for TestSet."""
    return struct.pack(order + 'HH', INTEGER, 0) + oid(name, 0, order) + struct.pack(
        order + 'i', value)


class Connection:
    def __init__(self, sock, session=7):
        self.sock, self.session = sock, session
        self.packet = self.transaction = 100
        self.buffer = b''
        self.born = time.monotonic()
        self.uptime_born = time.monotonic()
        self.pings = 0
        self.registered = []
        self.capabilities = []
        self.answer = {}

    def close(self):
        self.sock.close()

    def uptime(self):
        return int((time.monotonic() - self.uptime_born) * 100)

    def send(self, octets):
        try:
            self.sock.sendall(octets)
        except OSError as e:
            raise Gone(str(e)) from None

    def pdu(self, kind, payload=b'', order='>', version=1, length=None, session=None, flags=0,
            reserved=0, new_transaction=True):
        """The octets of a PDU to the subagent; its packet number is then self.packet."""
        self.packet += 1
        self.transaction += new_transaction
        return struct.pack('4B', version, kind,
                           flags | (NETWORK_ORDER if order == '>' else 0), reserved) + struct.pack(
            order + '4I', self.session if session is None else session, self.transaction,
            self.packet, len(payload) if length is None else length) + payload

    def receive(self, timeout):
        """The next PDU, None after `timeout` s, or Gone."""
        deadline = time.monotonic() + timeout
        while True:
            if len(self.buffer) >= 20:
                order = '>' if self.buffer[2] & NETWORK_ORDER else '<'
                end = 20 + struct.unpack_from(order + 'I', self.buffer, 16)[0]
                if len(self.buffer) >= end:
                    octets, self.buffer = self.buffer[:end], self.buffer[end:]
                    return Pdu(octets)
            left = deadline - time.monotonic()
            if not select.select([self.sock], [], [], max(0, left))[0]:
                return None
            try:
                octets = self.sock.recv(65536)
            except OSError as e:
                raise Gone(str(e)) from None
            if not octets:
                raise Gone('closed')
            self.buffer += octets

    def respond(self, to, error=0, payload=None, packet=None, session=None):
        if payload is None:
            payload = struct.pack(to.order + 'IHH', self.uptime(), error, 0)
        self.send(struct.pack('4B', 1, RESPONSE, to.flags & NETWORK_ORDER, 0) + struct.pack(
            to.order + '4I', self.session if session is None else session, to.transaction,
            to.packet if packet is None else packet, len(payload)) + payload)

    def serve(self, pdu):
        """Answers one call of the subagent."""
        if pdu.type in self.answer:
            if self.answer[pdu.type]:
                self.answer[pdu.type](self, pdu)
            return
        if pdu.type == PING:
            self.pings += 1
        self.respond(pdu)
        if pdu.type == REGISTER:
            self.registered.append(pdu.oid(4)[0])
        if pdu.type == ADD_CAPS:
            self.capabilities.append(pdu.oid(0)[0])

    def run(self, seconds, until=None):
        """Answers calls for `seconds`, or until a Response to packet `until`, which it returns."""
        deadline = time.monotonic() + seconds
        while True:
            pdu = self.receive(deadline - time.monotonic())
            if pdu is None:
                return None
            if pdu.type != RESPONSE:
                self.serve(pdu)
            elif pdu.packet == until:
                return pdu

    def handshake(self, seconds=3):
        """Answers calls until the subagent has added its capabilities, the last thing it does."""
        deadline = time.monotonic() + seconds
        while not self.capabilities:
            pdu = self.receive(deadline - time.monotonic())
            if pdu is None:
                raise AssertionError('no handshake within %g s' % seconds)
            if pdu.type != RESPONSE:
                self.serve(pdu)
        return self

    def ask(self, kind, payload=b'', seconds=2, **more):
        """Sends a request; its Response, or None when there is none within `seconds`."""
        self.send(self.pdu(kind, payload, **more))
        return self.run(seconds, self.packet)


class FalseMaster:
    def __init__(self, path, backlog=8):
        self.path, self.connections = path, 0
        if os.path.exists(path):
            os.unlink(path)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(path)
        self.listener.listen(backlog)

    def accept(self, timeout):
        self.listener.settimeout(timeout)
        sock, _ = self.listener.accept()
        sock.settimeout(5)
        self.connections += 1
        return Connection(sock, 7 + self.connections)

    def close(self):
        self.listener.close()
        os.unlink(self.path)
