# SPDX-License-Identifier: BSD-2-Clause
"""Targets on loopback that do wrong, or what no target here does: for the probe. Each connection
is served by a thread; what the initiator sent is kept. Layouts: RFC 7143, 11.12 and 11.13.

    with FalseTarget(silent) as target:
        … 127.0.0.1:target.port …
"""
import os
import socket
import struct
import threading
import time

LOGIN, TEXT, LOGOUT, NOP_OUT = 0x03, 0x04, 0x06, 0x00


def receive(connection, length):
    data = b''
    while len(data) < length:
        part = connection.recv(length - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def receive_pdu(connection):
    """(header, data)"""
    header = receive(connection, 48)
    length = int.from_bytes(header[5:8], 'big')
    return header, receive(connection, length + -length % 4)[:length]


def answer(connection, request, opcode, flags, data=b'', status=0, length=None, tsih=1):
    """One PDU for a request; `length` is what it claims if not the truth."""
    length = len(data) if length is None else length
    header = struct.pack('>BBH', opcode, flags, 0) + struct.pack('>I', length)
    header += request[8:14] + struct.pack('>H', tsih) if opcode == 0x23 else bytes(8)
    command = int.from_bytes(request[24:28], 'big')
    header += request[16:20] + b'\xff' * 4
    header += struct.pack('>III', 1, command, command + 32 & 0xffffffff)
    header += struct.pack('>H', status) + bytes(10)
    assert len(header) == 48
    connection.sendall(header + data + bytes(-len(data) % 4))


def accept_login(connection, keys=(), status=0):
    """The keys after HeaderDigest=None: libiscsi takes no answer to its offer for CRC32C."""
    header, _ = receive_pdu(connection)
    data = b''.join(key.encode('utf-8', 'surrogateescape') + b'\0' for key in
                    ['HeaderDigest=None', *keys])
    answer(connection, header, 0x23, 0x87 if status == 0 else 0x04, data, status)


# -- what a target does with a connection ---------------------------------------------------------

def silent(connection):
    """Takes everything, says nothing."""
    while connection.recv(4096):
        pass


def garbage(connection):
    """Something else than iSCSI, as a web server would."""
    connection.sendall(b'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n' * 4)
    silent(connection)


def noise(connection):
    """Random octets without an end."""
    while True:
        connection.sendall(os.urandom(4096))


def closing(connection):
    """Takes the login and closes."""
    receive_pdu(connection)


def redirecting(to, detail):
    def serve(connection):
        accept_login(connection, [f'TargetAddress={to}'], 0x0100 | detail)
        silent(connection)
    return serve


def refusing(status):
    def serve(connection):
        accept_login(connection, status=status)
        silent(connection)
    return serve


def mute_after_login(connection):
    """Accepts the login, and does not answer the NOP-Out."""
    accept_login(connection, ['TargetPortalGroupTag=1'])
    silent(connection)


def closing_after_login(connection):
    accept_login(connection)
    receive_pdu(connection)


def pinging_for_ever(connection):
    """Accepts the login and then asks and asks (NOP-In), so fast that nobody gets a word in."""
    accept_login(connection)
    request, _ = receive_pdu(connection)
    command = int.from_bytes(request[24:28], 'big')
    ping = struct.pack('>BBHI', 0x20, 0x80, 0, 0) + bytes(8) + b'\xff' * 4 + b'\0\0\0\1'
    ping += struct.pack('>III', 1, command, command + 32 & 0xffffffff) + bytes(12)
    while True:
        connection.sendall(ping * 200)


def promising(connection):
    """Announces as much data as libiscsi takes, and sends none of it."""
    header, _ = receive_pdu(connection)
    answer(connection, header, 0x23, 0x87, length=0x3fffc)
    silent(connection)


def working(keys, delay=0.0):
    """A target that does all of it, each answer after `delay` seconds."""
    def serve(connection):
        accept_login(connection, keys)
        while True:
            header, data = receive_pdu(connection)
            opcode = header[0] & 0x3f
            time.sleep(delay)
            if opcode == NOP_OUT:
                answer(connection, header, 0x20, 0x80, data)
            elif opcode == LOGOUT:
                answer(connection, header, 0x26, 0x80)
    return serve


class FalseTarget:
    def __init__(self, serve, address='127.0.0.1'):
        family = socket.AF_INET6 if ':' in address else socket.AF_INET
        self.serve = serve
        self.requests = []
        self.connections = 0
        self.active = self.peak = 0  # connections at a time
        self.open = []
        self.listener = socket.socket(family)
        self.listener.bind((address, 0))
        self.listener.listen(64)
        self.port = self.listener.getsockname()[1]
        self.portal = f'[{address}]:{self.port}' if ':' in address else f'{address}:{self.port}'
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            self.active += 1
            self.peak = max(self.peak, self.active)
            self.open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            # The first PDU stays where it is: serve reads it, too.
            first = connection.recv(4096, socket.MSG_PEEK)
            self.requests.append(first)
            self.serve(connection)
        except (OSError, EOFError):
            pass
        finally:
            self.active -= 1
            connection.close()

    def keys(self, at=-1):
        """The keys of the first PDU of a connection."""
        header, data = self.requests[at][:48], self.requests[at][48:]
        data = data[:int.from_bytes(header[5:8], 'big')]
        return dict(item.decode().split('=', 1) for item in data.split(b'\0') if item)

    def isid(self, at=-1):
        return self.requests[at][8:14]

    def close(self):
        self.listener.close()
        for connection in self.open:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
