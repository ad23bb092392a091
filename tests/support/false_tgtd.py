#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A tgtd that is only a management socket, and lies in a chosen way.

    false_tgtd.py SOCKET MODE_FILE

Each request is answered in the mode that the file names at that moment: `good` as tgtd 1.0.85
answers for one target with one session, the others as no tgtd should. A program of its own, so
that a mode may block, and be ended, without harm to the test.
"""

import os
import socket
import struct
import sys
import threading
import time

REQUEST_OCTETS = 120
TARGET, DEVICE, PORTAL, SESSION, CONNECTION = 1, 2, 3, 5, 6
SHOW, STATS = 2, 6
NAME = 'iqn.2004-10.org.example:false'
INITIATOR = 'iqn.2004-10.org.example:host-of-the-false'

SHOW_ALL = f"""Target 1: {NAME}
    System information:
        Driver: iscsi
        State: ready
    I_T nexus information:
        I_T nexus: 1
            Initiator: {INITIATOR} alias: none
            Connection: 0
                IP Address: 127.0.0.1
    LUN information:
    Account information:
    ACL information:
        ALL
"""
PARAMETERS = """MaxRecvDataSegmentLength=8192
HeaderDigest=None
DataDigest=None
InitialR2T=Yes
MaxOutstandingR2T=1
ImmediateData=Yes
FirstBurstLength=65536
MaxBurstLength=262144
DataPDUInOrder=Yes
DataSequenceInOrder=Yes
ErrorRecoveryLevel=0
IFMarker=No
OFMarker=No
DefaultTime2Wait=2
DefaultTime2Retain=20
MaxConnections=1
"""
CONNECTIONS = f"""Session: 1
    Connection: 0
        Initiator: {INITIATOR}
        IP Address: 127.0.0.1
"""
UNIT_STATISTICS = (
    'tgt lun sid rd_subm(bytes,cmds) rd_done(bytes,cmds) wr_subm(bytes,cmds) '
    'wr_done(bytes,cmds) errs\n'
    '  1   0   1            0      0            0      0            0      0            0      0'
    '    0\n')
CONNECTION_STATISTICS = (
    'sid cid rxdata_octets txdata_octets dataout_pdus datain_pdus cmd_pdus rsp_pdus\n'
    '  1   0          4711          4712            0           0       17        0\n')


def good_text(mode, operation, tid):
    """What tgtd says, or an error number."""
    if (mode, operation) == (PORTAL, SHOW):
        return 'Portal: 127.0.0.1:3299,1\n'
    if (mode, operation) == (TARGET, SHOW):
        return PARAMETERS if tid > 0 else SHOW_ALL
    if (mode, operation) == (CONNECTION, SHOW):
        return CONNECTIONS
    return {(DEVICE, STATS): UNIT_STATISTICS,
            (SESSION, STATS): UNIT_STATISTICS + '\n' + CONNECTION_STATISTICS,
            (CONNECTION, STATS): CONNECTION_STATISTICS}.get((mode, operation), 17)


def frame(text):
    """The answer: error, length, text with its NUL."""
    if isinstance(text, int):
        return struct.pack('=II', text, 8)
    data = text.encode('utf-8', 'surrogateescape') + b'\0'
    return struct.pack('=II', 0, 8 + len(data)) + data


class Liar:
    """One method for each mode; each gets the connection and the good text."""

    def good(self, connection, text):
        connection.sendall(frame(text))

    def close(self, connection, text):
        """Without an answer: what tgtd does to a peer of another user."""

    def silent(self, connection, text):
        time.sleep(30)

    def half_header(self, connection, text):
        connection.sendall(b'\0\0\0\0\x40')

    def half_text(self, connection, text):
        connection.sendall(frame(text)[:-7])

    def half_and_silent(self, connection, text):
        connection.sendall(frame(text)[:-7])
        time.sleep(30)

    def drip(self, connection, text):
        for octet in frame(text):
            connection.sendall(bytes([octet]))
            time.sleep(0.1)

    def length_zero(self, connection, text):
        connection.sendall(struct.pack('=II', 0, 0))

    def length_huge(self, connection, text):
        connection.sendall(struct.pack('=II', 0, 0xffffffff) + b'x' * 100000)

    def endless(self, connection, text):
        connection.sendall(struct.pack('=II', 0, 0x7fffffff))
        while True:
            connection.sendall(b'Target 1: x\n' * 5000)

    def error(self, connection, text):
        connection.sendall(frame(17))

    def error_unknown(self, connection, text):
        connection.sendall(struct.pack('=II', 0xdeadbeef, 8))

    def noise(self, connection, text):
        connection.sendall(struct.pack('=II', 0, 8 + 4096) + os.urandom(4096))

    def empty(self, connection, text):
        connection.sendall(frame(''))

    def no_target_line(self, connection, text):
        lines = text.splitlines(keepends=True) if isinstance(text, str) else []
        connection.sendall(frame(''.join(line for line in lines if not line.startswith('Target'))
                                 or text))

    def numbers(self, connection, text):
        """Numbers that no field can hold."""
        connection.sendall(frame(text.replace('1', '99999999999999999999')
                                 if isinstance(text, str) else text))

    def negative(self, connection, text):
        connection.sendall(frame(text.replace(': 1', ': -1').replace('=1', '=-1')
                                 if isinstance(text, str) else text))

    def terminal(self, connection, text):
        """Names that would forge a line of the log, or move a terminal's cursor."""
        connection.sendall(frame(text.replace('false', 'x\x1b[2J\rforged line\x07' * 3)
                                 if isinstance(text, str) else text))


def mode_of(path):
    with open(path, encoding='ascii') as file:
        return file.read().strip()


def serve(connection, mode_file):
    with connection:
        try:
            request = b''
            while len(request) < REQUEST_OCTETS:
                part = connection.recv(REQUEST_OCTETS - len(request))
                if not part:
                    return
                request += part
            mode, operation = struct.unpack('=II', request[:8])
            tid = struct.unpack('=i', request[76:80])[0]
            getattr(Liar(), mode_of(mode_file))(connection, good_text(mode, operation, tid))
        except OSError:
            pass  # the peer has lost patience, as it should


def main(path, mode_file):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(16)
        while True:
            if mode_of(mode_file) == 'deaf':  # connections wait for ever, then the backlog is full
                time.sleep(0.05)
                continue
            listener.settimeout(0.05)
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            connection.settimeout(30)
            threading.Thread(target=serve, args=(connection, mode_file), daemon=True).start()


# Lies that can be known as such, by the frame, the time or the form of the text; and lies that look
# like another tgtd, of which only what no field can hold can be refused.
CONTENT = ['empty', 'no_target_line', 'numbers', 'negative', 'terminal']
BROKEN = [name for name in vars(Liar)
          if not name.startswith('_') and name not in ['good', *CONTENT]] + ['deaf']

if __name__ == '__main__':
    main(*sys.argv[1:])
