# SPDX-License-Identifier: BSD-2-Clause
"""A private tgtd on loopback for tests, a client of its management socket, and an initiator that
logs in with any name and alias, forged ones included. Standard library only; needs tgtd, tgtadm.

    with Tgtd() as tgtd:
        tgtd.adm("--op", "new", "--mode", "target", "--tid", "1", "-T", "iqn.2026-11.org.example:a")
        session = Session(tgtd.port, "iqn.2026-11.org.example:host", "iqn.2026-11.org.example:a")

As a program it records the answers of a real tgtd as fixtures: tgt_lab.py DIRECTORY
"""
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

from ports import free_port

SHOW, STATS = 2, 6
TARGET, DEVICE, PORTAL, SESSION, CONNECTION = 1, 2, 3, 5, 6


def ask(path, mode, op, tid=-1, sid=0, lun=0):
    """One request to a management socket: (error, text octets without the final NUL)."""
    request = struct.pack("=II64sIiQQIIIIII", mode, op, b"iscsi", 120, tid, sid, lun,
                          0, 0, 0, 0, 0, 0)
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(10)
        s.connect(path)
        s.sendall(request)
        answer = b""
        while len(answer) < 8 or len(answer) < struct.unpack("=II", answer[:8])[1]:
            part = s.recv(65536)
            if not part:
                raise EOFError(f"{path}: closed after {len(answer)} octets")
            answer += part
    return struct.unpack("=I", answer[:4])[0], answer[8:-1] if len(answer) > 8 else b""


class Tgtd:
    def __init__(self, control_port=0, portals=("127.0.0.1",)):
        self.directory = tempfile.mkdtemp(prefix="tgt_lab.")
        self.prefix = os.path.join(self.directory, "socket")
        self.path = f"{self.prefix}.{control_port}"
        self.control_port = control_port
        self.port = free_port()
        self.environment = dict(os.environ, TGT_IPC_SOCKET=self.prefix)
        arguments = ",".join(f"portal={a}:{self.port}" for a in portals)
        self.process = subprocess.Popen(
            ["tgtd", "-f", "-C", str(control_port), "--iscsi", arguments],
            env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self.wait_for_answer()
        except BaseException:   # SystemExit when the test is ended meanwhile
            self.close()
            raise

    def wait_for_answer(self):
        for _ in range(100):
            try:
                ask(self.path, PORTAL, SHOW)
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("tgtd does not answer")

    def adm(self, *arguments):
        subprocess.run(["tgtadm", "--lld", "iscsi", "-C", str(self.control_port), *arguments],
                       env=self.environment, check=True)

    def ask(self, mode, op, **what):
        return ask(self.path, mode, op, **what)

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def pad(data):
    return data + b"\0" * (-len(data) % 4)


class Session:
    """A logged-in normal session, or with `tsih` one more connection of a session."""

    def __init__(self, port, name, target, alias=None, address="127.0.0.1", isid=1, cid=0,
                 tsih=0):
        self.socket = socket.create_connection((address, port), timeout=10)
        keys = [b"InitiatorName=" + encode(name)]
        if alias is not None:
            keys.append(b"InitiatorAlias=" + encode(alias))
        keys += [b"TargetName=" + encode(target), b"SessionType=Normal", b"AuthMethod=None"]
        # Through the security stage: tgtd looks for the session of the TSIH only there.
        answer = self.login(0x81, isid, tsih, cid, keys)
        answer = self.login(0x87, isid, tsih, cid, [])
        self.tsih = struct.unpack(">H", answer[14:16])[0]
        self.stat_sn = struct.unpack(">I", answer[24:28])[0] + 1
        self.cmd_sn = 1

    def login(self, flags, isid, tsih, cid, keys):
        data = b"".join(key + b"\0" for key in keys)
        header = struct.pack(">BBHI", 0x43, flags, 0, len(data))
        header += bytes([0x80, 0, 0, 0]) + struct.pack(">HH", isid, tsih)
        header += struct.pack(">IHHII", 1, cid, 0, 1, 0) + b"\0" * 16
        assert len(header) == 48
        self.socket.sendall(header + pad(data))
        answer, _ = self.receive()
        if answer[36] or answer[37]:
            raise RuntimeError(f"login refused: {answer[36]:02x}{answer[37]:02x}")
        return answer

    def receive(self):
        header = self.exactly(48)
        length = int.from_bytes(header[5:8], "big")
        return header, self.exactly(length + (-length % 4))

    def exactly(self, count):
        data = b""
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            if not part:
                raise EOFError("target closed the connection")
            data += part
        return data

    def test_unit_ready(self):
        """TEST UNIT READY to LUN 0; waits for the SCSI response."""
        self.cmd_sn += 1
        header = struct.pack(">BB2xB3x8sIIII", 0x01, 0x81, 0, b"\0" * 8, self.cmd_sn, 0,
                             self.cmd_sn - 1, self.stat_sn) + b"\0" * 16
        self.socket.sendall(header)
        answer, _ = self.receive()
        self.stat_sn = struct.unpack(">I", answer[24:28])[0] + 1
        return answer

    def close(self):
        self.socket.close()


def encode(text):
    return text if isinstance(text, bytes) else text.encode()


BASE = "iqn.2026-11.org.example:"
VICTIM = BASE + "victim"
EVIL = BASE + "evil"

# Alias of a session that tries to change what is seen of others and of itself.
FORGED_ALIAS = (
    "x\n            Connection: 0\n                IP Address: 10.9.9.9\n"
    "        I_T nexus: 77\n            Initiator: iqn.2026-11.org.example:ghost alias: none\n"
    "            Connection: 0\n                IP Address: 10.9.9.8\n"
    "    LUN information:\n    Account information:\n        forged\n"
    "    ACL information:\n        ALL\n"
    "Target 2: iqn.2026-11.org.example:forged\n    System information:\n"
    "        Driver: iscsi\n        State: ready\n    I_T nexus information:\n"
    "        I_T nexus: 78\n            Initiator: iqn.2026-11.org.example:ghost2 alias: y")
FORGED_NAME = (
    EVIL + "\n        IP Address: 10.9.9.9\nSession: 1\n    Connection: 0\n"
    "        Initiator: iqn.2026-11.org.example:ghost")


def record(directory):
    def save(name, answer):
        error, text = answer
        if error:
            raise RuntimeError(f"{name}: error {error}")
        # Port and directory are chosen anew each time: the fixtures have fixed ones.
        text = text.replace(b":%d," % tgtd.port, b":32600,")
        text = text.replace(tgtd.directory.encode(), b"/var/tmp/tgt_lab")
        with open(os.path.join(directory, name + ".txt"), "wb") as f:
            f.write(text)

    def save_all(prefix, sessions):
        save(prefix + "-t0", tgtd.ask(TARGET, SHOW))
        for tid in (1, 2):
            save(f"{prefix}-tc-{tid}", tgtd.ask(CONNECTION, SHOW, tid=tid))
            save(f"{prefix}-nexus-{tid}", tgtd.ask(DEVICE, STATS, tid=tid))
        for sid in sessions:
            save(f"{prefix}-session-{sid}", tgtd.ask(SESSION, STATS, sid=sid))

    with Tgtd(portals=("127.0.0.1", "[::1]")) as tgtd:
        save("empty-t0", tgtd.ask(TARGET, SHOW))
        save("portals", tgtd.ask(PORTAL, SHOW))
        for tid, name in ((1, "disk1"), (2, "disk2")):
            tgtd.adm("--op", "new", "--mode", "target", "--tid", str(tid), "-T", BASE + name)
            for acl in (("-I", "ALL"),) if tid == 1 else (
                    ("-I", "127.0.0.0/8"), ("-I", "::1"), ("-Q", VICTIM)):
                tgtd.adm("--op", "bind", "--mode", "target", "--tid", str(tid), *acl)
        for user in ("alice", "bob"):
            tgtd.adm("--op", "new", "--mode", "account", "--user", user, "--password",
                     "canary-secret")
        tgtd.adm("--op", "update", "--mode", "target", "--tid", "2", "--name", "nop_interval",
                 "--value", "5")
        save("plain-t0", tgtd.ask(TARGET, SHOW))
        save("default-t1", tgtd.ask(TARGET, SHOW, tid=1))
        sessions = [Session(tgtd.port, VICTIM, BASE + "disk1", "victim's alias"),
                    Session(tgtd.port, VICTIM, BASE + "disk2", address="::1"),
                    Session(tgtd.port, BASE + "other", BASE + "disk1")]
        for _ in range(3):
            sessions[0].test_unit_ready()
        save_all("sessions", (1, 2, 3))
        sessions.append(Session(tgtd.port, EVIL, BASE + "disk1", FORGED_ALIAS, isid=9))
        save_all("forged-alias", (1, 2, 3, 4))
        sessions.pop().close()
        time.sleep(0.2)
        sessions.append(Session(tgtd.port, FORGED_NAME, BASE + "disk1", "plain", isid=9))
        save_all("forged-name", (1, 2, 3, 5))
        sessions.pop().close()
        time.sleep(0.2)
        sessions.append(Session(tgtd.port, EVIL, BASE + "disk1", "a" * 2000, isid=9))
        save_all("long-alias", (1, 2, 3, 6))
        second = Session(tgtd.port, EVIL, BASE + "disk1", "second", isid=9, cid=7,
                         tsih=sessions[-1].tsih)
        save_all("two-connections", (1, 2, 3, 6))
        second.close()
        sessions.pop().close()
        disk = os.path.join(tgtd.directory, "disk")
        with open(disk, "wb") as f:
            f.truncate(1 << 20)
        tgtd.adm("--op", "new", "--mode", "logicalunit", "--tid", "1", "--lun", "1", "-b", disk)
        sessions.append(Session(tgtd.port, EVIL, BASE + "disk1", FORGED_ALIAS, isid=9))
        save_all("forged-unit", (1, 2, 3, 7))
        for session in sessions:
            session.close()
        time.sleep(0.2)
        tgtd.adm("--op", "delete", "--mode", "logicalunit", "--tid", "1", "--lun", "1")
        tgtd.adm("--op", "bind", "--mode", "account", "--tid", "2", "--user", "alice")
        tgtd.adm("--op", "bind", "--mode", "account", "--tid", "2", "--user", "bob", "--outgoing")
        for name, value in (("MaxRecvDataSegmentLength", "65536"), ("HeaderDigest", "CRC32C"),
                            ("DataDigest", "CRC32C,None"), ("InitialR2T", "No"),
                            ("ImmediateData", "No"), ("MaxOutstandingR2T", "8"),
                            ("DataPDUInOrder", "No"), ("ErrorRecoveryLevel", "2")):
            tgtd.adm("--op", "update", "--mode", "target", "--tid", "2", "--name", name,
                     "--value", value)
        save("changed-t1", tgtd.ask(TARGET, SHOW, tid=2))
        for name, value in (("RedirectAddress", "192.0.2.1"), ("RedirectPort", "3260"),
                            ("RedirectReason", "Temporary")):
            tgtd.adm("--op", "update", "--mode", "target", "--tid", "1", "--name", name,
                     "--value", value)
        save("redirect-t1", tgtd.ask(TARGET, SHOW, tid=1))
        time.sleep(0.2)
        save("accounts-t0", tgtd.ask(TARGET, SHOW))


if __name__ == "__main__":
    record(sys.argv[1])
