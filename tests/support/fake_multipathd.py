#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A false multipathd for fault tests: fake_multipathd.py ROOT MODE [MAPS [PATHS_OF_A_MAP]]

Listens below the directory ROOT, which the agent gets as --root, makes the pid file and /proc
entry that it looks for there, says "ready" on standard output and serves until it is ended. MODE:

  serve         a multipathd with maps in good order; formats of `raw format` as asked for
  abstract      the same, on the name that versions before 0.12 have only
  old           the same, as before 0.7.5: wildcards that it does not know are left out
  hang          takes the connection and says nothing
  no-accept     does not even take it: the backlog fills
  hang-mid      the first half of an answer, then nothing
  half          the first half of an answer, then it closes
  close         closes at once
  garbage       octets that are no answer
  noise         lines that are none
  fail, timeout, help, deny   what multipathd says in place of an answer
  empty         an answer of no octet, not even a NUL
  huge          announces 2^63 octets, sends a little
  long          announces 33 MiB
  lie           announces less than it sends
  nul           a text with NULs inside
  trickle       a good answer, one octet each 50 ms
  endless       announces 24 MiB and goes on sending lines
  forget        answers the first question well, then closes without an answer
  forge         good, but a target's name and a product forge entries of the JSON
  nvme          good, with lines of the kernel's NVMe multipath among the others
"""
import os
import re
import select
import signal
import socket
import struct
import sys
import time

WORD = struct.calcsize("N")
HELP = "multipath-tools v0.4.9 (04/04, 2009)\nCLI commands reference:\n list|show paths\n"
REFUSALS = {"fail": "fail\n", "timeout": "timeout\n", "help": HELP,
            "deny": "permission deny: need to be root"}
FORGED_NAME = ('iqn.2001-01.evil:x"},{"dev" : "sdb","dm_st" : "active","chk_st" : "ready","pri" : 99,'
               '"z" : "')


def disk_name(number):
    """sda … sdz, sdaa …, as the kernel counts."""
    name = ""
    number += 1
    while number:
        number, letter = divmod(number - 1, 26)
        name = chr(ord("a") + letter) + name
    return "sd" + name


class Daemon:
    """What is asked of multipathd, answered for maps with a good and a bad group each."""

    def __init__(self, maps, width, old=False, forge=False, nvme=False):
        self.known_maps, self.known_paths = "ndtQNwSr", "dDitToTpmwc"
        if not old:
            self.known_maps += "G"
            self.known_paths += "GP"
        self.forge, self.nvme = forge, nvme
        self.maps = [{"n": f"mpath{m}", "w": f"3600{m:012x}", "d": f"dm-{m}", "t": "active",
                      "Q": "3 chk", "N": str(width), "S": "1.0G", "r": "rw", "G": "--",
                      "paths": [self.path(m, p, width) for p in range(width)]}
                     for m in range(maps)]

    @staticmethod
    def path(m, p, width):
        number = m * width + p
        optimized = p < (width + 1) // 2
        return {"d": disk_name(number), "D": f"8:{16 * number}", "i": f"{p}:0:0:{m}",
                "t": "active", "T": "ready", "o": "running", "p": "50" if optimized else "10",
                "m": f"mpath{m}", "w": f"3600{m:012x}", "c": "tur", "P": "scsi:iscsi", "G": "--",
                "group": 1 if optimized else 2}

    @staticmethod
    def line(form, values, known):
        return re.sub("%(.)", lambda w: values.get(w[1], "") if w[1] in known else "", form) + "\n"

    def raw_maps(self, form):
        text = "".join(self.line(form, m, self.known_maps) for m in self.maps)
        if self.nvme:
            text += self.line(form, {"d": "nvme0n1", "t": "n/a", "Q": "n/a", "w": "uuid.1\n",
                                     "n": "nqn.x:nsid.1", "G": "nvme"}, self.known_maps)
        return text

    def raw_paths(self, form):
        text = ""
        if self.nvme:
            text += self.line(form, {"d": "nvme0c0n1", "i": "0:0:1:1", "t": "n/a",
                                     "T": "optimized\n", "p": "50", "P": "nvme", "m": "nvme0n1",
                                     "G": "[nvme]"}, self.known_paths)
        return text + "".join(self.line(form, p, self.known_paths)
                              for m in self.maps for p in m["paths"])

    def json(self):
        """In multipathd's own layout; texts are not escaped, as there."""
        maps = []
        for m in self.maps:
            groups = []
            for number in sorted({p["group"] for p in m["paths"]}):
                paths = ",".join(self.json_path(p) for p in m["paths"] if p["group"] == number)
                groups.append(
                    '{\n         "selector" : "service-time 0",\n'
                    f'         "pri" : {50 if number == 1 else 10},\n'
                    f'         "dm_st" : "{"active" if number == 1 else "enabled"}",\n'
                    '         "marginal_st" : "normal",\n'
                    f'         "group" : {number},\n         "paths": [{paths}]\n      }}')
            maps.append(
                f'{{\n      "name" : "{m["n"]}",\n      "uuid" : "{m["w"]}",\n'
                f'      "sysfs" : "{m["d"]}",\n      "paths" : {m["N"]},\n'
                '      "dm_st" : "active",\n      "vend" : "LAB",\n      "prod" : "DISK",\n'
                f'      "path_groups": [{",".join(groups)}]\n   }}')
        return ('{\n   "major_version": 0,\n   "minor_version": 1,\n'
                f'   "maps": [{",".join(maps)}]\n}}\n')

    def json_path(self, p):
        name = FORGED_NAME if self.forge and p["d"] == "sda" else "iqn.2001-01.example:disk"
        return (f'{{\n            "dev" : "{p["d"]}",\n            "dev_t" : "{p["D"]}",\n'
                '            "dm_st" : "active",\n            "dev_st" : "running",\n'
                f'            "chk_st" : "ready",\n            "pri" : {p["p"]},\n'
                '            "host_wwnn" : "[undef]",\n'
                f'            "target_wwnn" : "{name}",\n'
                '            "host_adapter" : "10.10.1.1"\n         }')

    def answer(self, command):
        for beginning, handler in (("show maps raw format ", self.raw_maps),
                                   ("show multipaths raw format ", self.raw_maps),
                                   ("show paths raw format ", self.raw_paths)):
            if command.startswith(beginning):
                return handler(command[len(beginning):]) or "ok\n"
        return self.json() if command == "show maps json" else HELP


def frame(text):
    data = text.encode() + b"\0"
    return struct.pack("N", len(data)) + data


def receive(connection):
    """The command of a client; None when it has gone."""
    data = b""
    while len(data) < WORD or len(data) < WORD + struct.unpack("N", data[:WORD])[0]:
        part = connection.recv(4096)
        if not part:
            return None
        data += part
    return data[WORD:-1].decode()


def wait_for_end(connection):
    """Until the peer has lost patience."""
    select.select([connection], [], [], 30)


def misbehave(connection, mode, good, count):
    """One answer of a mode that is not good."""
    if mode in REFUSALS:
        connection.sendall(frame(REFUSALS[mode]))
    elif mode == "hang":
        wait_for_end(connection)
    elif mode == "hang-mid":
        connection.sendall(good[:len(good) // 2])
        wait_for_end(connection)
    elif mode == "half":
        connection.sendall(good[:len(good) // 2])
    elif mode == "garbage":
        connection.sendall(b"\xde\xad\xbe\xef" * 64)
    elif mode == "noise":
        connection.sendall(frame("a\x1b[2Jb|c\n" * 3))
    elif mode == "empty":
        connection.sendall(struct.pack("N", 0))
    elif mode == "huge":
        connection.sendall(struct.pack("N", 1 << 63) + b"mp:--|" * 100)
    elif mode == "long":
        connection.sendall(struct.pack("N", 33 << 20) + b"mp:--|" * 100)
    elif mode == "lie":
        connection.sendall(struct.pack("N", 20) + good[WORD:])
    elif mode == "nul":
        connection.sendall(frame("mp:--|dm-0\0active\n"))
    elif mode == "trickle":
        for octet in good:
            connection.sendall(bytes([octet]))
            time.sleep(0.05)
    elif mode == "endless":
        connection.sendall(struct.pack("N", 24 << 20))
        while True:
            connection.sendall(b"mp:--|x\n" * 4096)
    elif mode == "forget" and count == 0:
        connection.sendall(good)


def announce(root, mode):
    """The listening socket, and what tells that multipathd runs."""
    old_name = os.path.join(root, "@/org/kernel/linux/storage/multipathd")
    path = old_name if mode in ("abstract", "old") else os.path.join(root, "run/multipathd.socket")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    os.makedirs(os.path.join(root, "run"), exist_ok=True)
    os.makedirs(os.path.join(root, f"proc/{os.getpid()}"), exist_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(1)
    with open(os.path.join(root, f"proc/{os.getpid()}/comm"), "w", encoding="ascii") as file:
        file.write("multipathd\n")
    with open(os.path.join(root, "run/multipathd.pid"), "w", encoding="ascii") as file:
        file.write(f"{os.getpid()}\n")
    return listener


def main():
    root, mode = sys.argv[1:3]
    maps, width = (int(n) for n in (sys.argv[3:] + ["2", "2"])[:2])
    daemon = Daemon(maps, width, mode == "old", mode == "forge", mode == "nvme")
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    listener = announce(root, mode)
    print("ready", flush=True)
    count = 0
    while True:
        if mode == "no-accept":
            time.sleep(60)
            continue
        connection, _ = listener.accept()
        with connection:
            try:
                command = receive(connection)
                if command is None or mode == "close":
                    continue
                good = frame(daemon.answer(command))
                if mode in ("serve", "abstract", "old", "forge", "nvme"):
                    connection.sendall(good)
                else:
                    misbehave(connection, mode, good, count)
                count += 1
            except OSError:
                pass  # the peer has gone, as it should


if __name__ == "__main__":
    main()
