# SPDX-License-Identifier: BSD-2-Clause
"""A login by hand (RFC 7143, 11.12 and 11.13): every octet of it is known, also the ISID, the CID
and the TSIH, which neither libiscsi nor tgtadm tells.

Operational stage only, no authentication, no SCSI command; the session ends with the socket.
"""

import os
import socket
import struct


class RawSession:
    """One normal session on one connection."""

    def __init__(self, portal, target, initiator, alias='', cid=0, keys=()):
        address, _, port = portal.rpartition(':')
        self.portal = portal
        self.initiator = initiator
        self.alias = alias
        self.cid = cid
        self.isid = b'\x80' + os.urandom(5)
        self.socket = socket.create_connection((address.strip('[]'), int(port)), timeout=5)
        texts = [f'InitiatorName={initiator}', f'TargetName={target}', 'SessionType=Normal',
                 *([f'InitiatorAlias={alias}'] if alias else []), 'HeaderDigest=None',
                 'DataDigest=None', *keys]
        self.answer_keys = {}
        self.tsih = self._login(b''.join(text.encode() + b'\0' for text in texts))

    def local(self):
        return self.socket.getsockname()[:2]

    def _login(self, text):
        # Opcode 0x03, immediate; transit from operational (1) to full feature phase (3).
        header = struct.pack('>BBBBB3s6sHIHHII16x', 0x43, 0x87, 0, 0, 0,
                             len(text).to_bytes(3, 'big'), self.isid, 0, 1, self.cid, 0, 1, 0)
        self.socket.sendall(header + text + bytes(-len(text) % 4))
        answer = self._receive(48)
        length = int.from_bytes(answer[5:8], 'big')
        data = self._receive(length + -length % 4)[:length]
        opcode, flags, status = answer[0] & 0x3f, answer[1], answer[36:38]
        if opcode != 0x23 or status != b'\0\0' or flags & 0x83 != 0x83:
            raise OSError(f'login refused: opcode {opcode:#x}, flags {flags:#x}, '
                          f'status {status.hex()}')
        if answer[8:14] != self.isid:
            raise OSError('the target answers with another ISID')
        for item in data.split(b'\0'):
            if b'=' in item:
                key, _, value = item.decode().partition('=')
                self.answer_keys[key] = value
        return struct.unpack('>H', answer[14:16])[0]

    def _receive(self, length):
        data = b''
        while len(data) < length:
            part = self.socket.recv(length - len(data))
            if not part:
                raise OSError('the target closed the connection during the login')
            data += part
        return data

    def close(self):
        self.socket.close()
