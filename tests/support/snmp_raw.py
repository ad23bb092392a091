# SPDX-License-Identifier: BSD-2-Clause
"""SNMPv2c over UDP without a tool: a request costs no process, so thousands can be timed, and what
no tool would send can be sent."""

import select
import socket
import threading
import time

GET, GET_NEXT, GET_BULK, SET = 0xa0, 0xa1, 0xa5, 0xa3
COUNTER32 = 0x41
SYS_UPTIME = (1, 3, 6, 1, 2, 1, 1, 3, 0)


def tlv(tag, octets):
    n = len(octets)
    head = bytes([n]) if n < 128 else bytes([0x82]) + n.to_bytes(2, 'big')
    return bytes([tag]) + head + octets


def ber_oid(ids):
    """An OID, of a tuple or of text with dots."""
    if isinstance(ids, str):
        ids = [int(i) for i in ids.strip('.').split('.')]
    octets = bytes([ids[0] * 40 + ids[1]])
    for i in ids[2:]:
        groups = [i & 127]
        while i > 127:
            i >>= 7
            groups.append(i & 127 | 128)
        octets += bytes(reversed(groups))
    return tlv(6, octets)


def message(tag, names, number=0x1234, community=b'public', second=0, third=0, value=b'\x05\x00'):
    """A request. `second` and `third`: non-repeaters and max-repetitions of a GETBULK."""
    bindings = b''.join(tlv(0x30, ber_oid(n) + value) for n in names)
    pdu = tlv(tag, tlv(2, number.to_bytes(4, 'big')) + tlv(2, second.to_bytes(3, 'big')) +
              tlv(2, third.to_bytes(3, 'big')) + tlv(0x30, bindings))
    return tlv(0x30, tlv(2, b'\1') + tlv(4, community) + pdu)


def items(octets):
    """The (tag, content) of each element of a BER sequence's content."""
    at, found = 0, []
    while at < len(octets):
        tag, length, at = octets[at], octets[at + 1], at + 2
        if length > 127:
            size = length & 127
            length, at = int.from_bytes(octets[at:at + size], 'big'), at + size
        found.append((tag, octets[at:at + length]))
        at += length
    return found


def read_oid(octets):
    ids, value = list(divmod(octets[0], 40)), 0
    for octet in octets[1:]:
        value = value << 7 | octet & 127
        if octet < 128:
            ids.append(value)
            value = 0
    return tuple(ids)


def read(octets):
    """(number, error-status, [(OID, tag, value's octets)]) of a Response or SNMPv2-Trap."""
    pdu = items(items(items(octets)[0][1])[2][1])
    bindings = [items(b) for _, b in items(pdu[3][1])]
    return (int.from_bytes(pdu[0][1], 'big'), int.from_bytes(pdu[1][1], 'big'),
            [(read_oid(name[1]), value[0], value[1]) for name, value in bindings])


class Asker:
    """Asks the agent at 127.0.0.1:port; one request at a time."""

    def __init__(self, port, community=b'public'):
        self.address, self.community, self.number = ('127.0.0.1', port), community, 1
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def ask(self, tag, names, seconds=2.0, **more):
        """(error-status, bindings), or None without an answer within `seconds`."""
        self.number += 1
        self.sock.sendto(message(tag, names, self.number, self.community, **more), self.address)
        end = time.monotonic() + seconds
        while select.select([self.sock], [], [], max(0, end - time.monotonic()))[0]:
            try:
                number, status, bindings = read(self.sock.recv(65535))
            except ConnectionRefusedError:  # nobody listens there
                time.sleep(max(0, min(0.005, end - time.monotonic())))
                return None
            if number == self.number:
                return status, bindings
        return None

    def value(self, name, seconds=2.0):
        """(tag, octets) of one object, or None."""
        response = self.ask(GET, [name], seconds)
        return response[1][0][1:] if response and not response[0] else None

    def uptime(self, seconds=2.0):
        """sysUpTime in 1/100 s, or None."""
        found = self.value(SYS_UPTIME, seconds)
        return int.from_bytes(found[1], 'big') if found else None

    def close(self):
        self.sock.close()


class Stopwatch:
    """Asks for one object again and again in a thread of its own: how long each answer took (s)."""

    def __init__(self, port, name, every=0.005, seconds=5.0):
        self.took, self.lost, self.running = [], 0, True
        self.asker, self.name, self.every, self.seconds = Asker(port), name, every, seconds
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        while self.running:
            start = time.monotonic()
            if self.asker.value(self.name, self.seconds) is None:
                self.lost += 1
            else:
                self.took.append(time.monotonic() - start)
            time.sleep(self.every)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.running = False
        self.thread.join()
        self.asker.close()

    def p99(self):
        return percentile(self.took, 99)


class Datagrams:
    """A receiver of SNMPv2 notifications that only keeps them: [(when, octets)]. It has room for
    tens of thousands, so that none is lost at this end."""

    ROOM = 64 << 20

    def __init__(self):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(('127.0.0.1', 0))
        try:
            self.sock.setsockopt(socket.SOL_SOCKET, 33, self.ROOM)  # SO_RCVBUFFORCE
        except PermissionError:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.ROOM)
        self.sock.settimeout(0.1)
        self.port = self.sock.getsockname()[1]
        self.got, self.running = [], True
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while self.running:
            try:
                self.got.append((time.monotonic(), self.sock.recv(65535)))
            except socket.timeout:
                pass

    def numbers(self, trap):
        """[(when, sysUpTime, number)] of the notifications `trap` with one object, a Counter32."""
        found = []
        for when, octets in list(self.got):
            bindings = read(octets)[2]
            if read_oid(bindings[1][2]) == trap and bindings[2][1] == COUNTER32:
                found.append((when, int.from_bytes(bindings[0][2], 'big'),
                              int.from_bytes(bindings[2][2], 'big')))
        return found

    def close(self):
        self.running = False
        self.thread.join()
        self.sock.close()


def percentile(values, percent):
    """The smallest value that `percent` of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]
