# SPDX-License-Identifier: BSD-2-Clause
"""A false SNMP agent over UDP (v1 and v2c): shows what no real one would, or answers with an error."""

import socket
import threading

from snmp_raw import GET, GET_BULK, ber_oid, items, read_oid, tlv

NO_ERROR, NO_SUCH_NAME, GEN_ERR, AUTHORIZATION_ERROR = 0, 2, 5, 16
RESPONSE, NO_SUCH_OBJECT, END_OF_VIEW = 0xa2, b'\x80\x00', b'\x82\x00'


def integer(value):
    return tlv(2, value.to_bytes(4, 'big'))


class FalseAgent:
    """At 127.0.0.1:port. `shown` maps OIDs (tuples) to BER values. While `error` is not 0 it is the
    answer to everything; so is `said`, a list of (OID, value), when it is not None. `version` and
    `community` are those of the last request as they are in the message: 0 v1, 1 v2c."""

    def __init__(self, shown=()):
        self.shown, self.error, self.said, self.asked = dict(shown), NO_ERROR, None, 0
        self.version = self.community = None
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(('127.0.0.1', 0))
        self.sock.settimeout(0.1)
        self.port, self.running = self.sock.getsockname()[1], True
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while self.running:
            try:
                octets, peer = self.sock.recvfrom(65535)
            except socket.timeout:
                continue
            self.asked += 1
            self.sock.sendto(self._answer(octets), peer)

    def _answer(self, octets):
        version, community, (tag, pdu) = items(items(octets)[0][1])
        self.version, self.community = version[1][0], community[1]
        number, _, repeat, names = items(pdu)
        name = items(items(names[1])[0][1])[0]
        error, rows = self.error, []
        if not error and self.said is not None:
            rows = self.said
        elif not error and tag == GET:
            asked = read_oid(name[1])
            error = NO_SUCH_NAME if self.version == 0 and asked not in self.shown else NO_ERROR
            rows = [] if error else [(asked, self.shown.get(asked, NO_SUCH_OBJECT))]
        elif not error:
            rows = [(n, self.shown[n]) for n in sorted(self.shown) if n > read_oid(name[1])]
            rows = rows[:int.from_bytes(repeat[1], 'big') if tag == GET_BULK else 1]
            if not rows and self.version == 0:
                error = NO_SUCH_NAME
        bindings = b''.join(tlv(0x30, ber_oid(n) + value) for n, value in rows) or tlv(
            0x30, tlv(*name) + (b'\x05\x00' if error else END_OF_VIEW))
        return tlv(0x30, tlv(*version) + tlv(*community) + tlv(
            RESPONSE, tlv(*number) + integer(error) + integer(1 if error else 0) +
            tlv(0x30, bindings)))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.running = False
        self.thread.join()
        self.sock.close()
