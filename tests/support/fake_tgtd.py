#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A false tgtd for fault tests: fake_tgtd.py SOCKET MODE [DIRECTORY]

Listens on SOCKET (made anew; its directory must exist), says "ready" on standard output and
serves until it is ended. MODE:

  hang          takes the connection and says nothing
  no-accept     does not even take it: the backlog fills
  hang-mid      the first half of an answer, then nothing
  half          the first half of an answer, then it closes
  close         closes at once, as tgtd does for another user
  garbage       octets that are no answer
  error         tgtd's error 1 to everything
  no-driver     tgtd's error 3 to everything: a tgtd without iSCSI
  huge          announces 4 GiB, sends a little
  short         announces less than the header of an answer
  lie           announces less than it sends
  nul           a text with NULs inside
  trickle       a good answer, one octet each 50 ms
  endless       announces 24 MiB of text and goes on sending lines
  forget        answers the first question of each kind well, then closes without an answer
  serve         recorded texts from DIRECTORY (default: tests/fixtures/tgt, scene "sessions")
  serve:SCENE   texts of another scene there, those that it lacks from "sessions"
"""
import os
import signal
import socket
import struct
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
FIXTURES = os.path.join(HERE, "..", "fixtures", "tgt")
TARGET, DEVICE, PORTAL, SESSION, CONNECTION = 1, 2, 3, 5, 6
SHOW, STATS = 2, 6
NO_DRIVER, NO_TARGET, NO_SESSION, INVALID = 3, 4, 6, 17


def frame(text, error=0):
    """An answer of tgtd: header, text, NUL."""
    body = text + b"\0" if text else b""
    return struct.pack("=II", error, 8 + len(body)) + body


def read_fixture(directory, scene, name):
    for prefix in (scene + "-", "sessions-", ""):
        try:
            with open(os.path.join(directory, prefix + name + ".txt"), "rb") as file:
                return file.read()
        except FileNotFoundError:
            continue
    return None


def serve(request, directory, scene):
    """What a tgtd with these texts answers."""
    mode, op = struct.unpack_from("=II", request)
    tid, sid = struct.unpack_from("=iQ", request, 76)
    if op not in (SHOW, STATS):
        print(f"forbidden operation {op}", flush=True)
        return frame(b"", INVALID)
    name, error = {
        (PORTAL, SHOW): ("portals", INVALID),
        (TARGET, SHOW): ("t0" if tid < 0 else "default-t1", NO_TARGET),
        (CONNECTION, SHOW): (f"tc-{tid}", NO_TARGET),
        (DEVICE, STATS): (f"nexus-{tid}", NO_TARGET),
        (SESSION, STATS): (f"session-{sid}", NO_SESSION),
    }.get((mode, op), (None, INVALID))
    text = read_fixture(directory, scene, name) if name else None
    return frame(b"", error) if text is None else frame(text)


def exactly(connection, count):
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def hang():
    while True:
        time.sleep(3600)


def endless(connection):
    connection.sendall(struct.pack("=II", 0, 24 << 20))
    line = b"Target 1: iqn.2026-11.org.example:again\n"
    while True:
        connection.sendall(line * 100)


def handle(connection, mode, directory, seen):
    """One connection, to its end."""
    if mode == "close":
        return
    request = exactly(connection, 120)
    scene = mode.partition(":")[2] or "sessions"
    answer = serve(request, directory, scene)
    kind = request[:8]
    if mode == "hang":
        hang()
    elif mode == "hang-mid":
        connection.sendall(answer[:len(answer) // 2])
        hang()
    elif mode == "half":
        connection.sendall(answer[:len(answer) // 2])
    elif mode == "garbage":
        connection.sendall(bytes(range(255, 0, -1)) * 4)
    elif mode == "error":
        connection.sendall(frame(b"", 1))
    elif mode == "no-driver":
        connection.sendall(frame(b"", NO_DRIVER))
    elif mode == "huge":
        connection.sendall(struct.pack("=II", 0, 0xffffffff) + b"x" * 100)
        hang()
    elif mode == "short":
        connection.sendall(struct.pack("=II", 0, 7))
    elif mode == "lie":
        connection.sendall(answer[:4] + struct.pack("=I", len(answer) - 5) + answer[8:])
    elif mode == "nul":
        connection.sendall(frame(b"Target 1: iqn\0 and more\n"))
    elif mode == "trickle":
        for octet in answer:
            connection.sendall(bytes([octet]))
            time.sleep(0.05)
    elif mode == "endless":
        endless(connection)
    elif mode == "forget" and kind in seen:
        return
    else:
        connection.sendall(answer)
    seen.add(kind)


MODES = {"hang", "no-accept", "hang-mid", "half", "close", "garbage", "error", "no-driver", "huge",
         "short", "lie", "nul", "trickle", "endless", "forget", "serve"}


def main():
    if len(sys.argv) not in (3, 4) or sys.argv[2].partition(":")[0] not in MODES:
        sys.exit(__doc__)
    path, mode = sys.argv[1:3]
    directory = sys.argv[3] if len(sys.argv) == 4 else FIXTURES
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    if os.path.exists(path):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(0 if mode == "no-accept" else 32)
    if mode == "no-accept":
        # One in the backlog makes it full.
        waiting = socket.socket(socket.AF_UNIX)
        waiting.connect(path)
    print("ready", flush=True)
    if mode == "no-accept":
        hang()
    seen = set()
    while True:
        connection, _ = listener.accept()
        with connection:
            try:
                handle(connection, mode, directory, seen)
            except (EOFError, OSError):
                pass


if __name__ == "__main__":
    main()
