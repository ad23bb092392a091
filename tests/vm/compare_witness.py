# SPDX-License-Identifier: BSD-2-Clause
"""What witness.sh wrote down, as objects: sessions as iscsiadm has them, the tree of LIO, sockets, and
what the log of kernel and iscsid says that happened to the initiator."""

import collections
import ipaddress
import os
import re

# The classes of connection errors (enum iscsi_err of the kernel) that are counted by themselves.
DIGEST_ERRORS = (1014, 1015)
TIMEOUTS = (1021, 1022)
FORMAT_ERRORS = tuple(range(1001, 1011)) + (1012, 1017)

# local and remote: (octets of the address, port).
Socket = collections.namedtuple("Socket", "local remote")


def octets(address):
    """An address in text as octets; b"" if it is none."""
    try:
        return ipaddress.ip_address(address.strip("[]")).packed
    except ValueError:
        return b""


def address_type(address):
    """InetAddressType of octets."""
    return {4: 1, 16: 2}.get(len(address), 0)


def end_point(text):
    """ADDRESS:PORT as (octets, port)."""
    address, _, port = text.rpartition(":")
    return octets(address), int(port)


def read(folder, name):
    """A file of a reading; empty text if the witness had nothing to say."""
    try:
        with open(os.path.join(folder, name), encoding="utf-8", errors="surrogateescape") as text:
            return text.read()
    except FileNotFoundError:
        return ""


def read_sessions(text):
    """{SID: {what iscsiadm -m session -P3 says}}; the target's name is Target, its end of the
    connection Portal, its portal group Group."""
    sessions, target, portal = {}, "", ""
    session = {}
    for line in text.splitlines():
        key, _, value = line.strip().partition(": ")
        if key == "Target":
            target = value.split(" ")[0]
        elif key == "Current Portal":
            portal, session = value, {}
        elif key == "SID":
            session.update(Target=target, Portal=end_point(portal.split(",")[0]),
                           Group="tpgt_" + portal.partition(",")[2])
            sessions[int(value)] = session
        else:
            session.setdefault(key, value)
    return sessions


def read_statistics(text):
    """{SID: {counter: number}} of iscsiadm -m session -s."""
    found, counters = {}, {}
    for line in text.splitlines():
        head = re.match(r"Stats for session \[sid: (\d+),", line)
        if head:
            counters = found.setdefault(int(head.group(1)), {})
        elif re.match(r"\s+\w+: \d+$", line):
            key, _, value = line.strip().partition(": ")
            counters[key] = int(value)
    return found


def read_sockets(text):
    """The established connections that ss -Htn lists."""
    words = [line.split() for line in text.splitlines()]
    return [Socket(end_point(line[3]), end_point(line[4])) for line in words
            if line and line[0] == "ESTAB"]


class Lio:
    """The tree of configfs below .../target/iscsi."""

    def __init__(self, files, folders):
        self.files = collections.defaultdict(list)
        for line in files.split("\n"):
            path, value = self._split(line[2:])
            self.files[path].append(value)
        self.folders = [line[2:] for line in folders.splitlines() if len(line) > 2]

    @staticmethod
    def _split(line):
        """PATH:VALUE: the name of an attribute is what follows the last slash of the path, and has
        no colon, but the value may have both."""
        match = re.match(r"((?:(?:iqn|naa|eui)\.[^/]*/)?(?:tpgt_\d+/)?(?:np/[^/]*/|acls/[^/]*/)?"
                         r"(?:\w+/)*\w+):(.*)$", line)
        return match.groups() if match else (line, "")

    def present(self):
        return "lio_version" in self.files

    def get(self, *path, default=""):
        """The first line of an attribute."""
        lines = self.files.get("/".join(path))
        return lines[0] if lines else default

    def number(self, *path):
        return int(self.get(*path, default="0") or 0)

    def below(self, *path):
        """The names of the folders in a folder."""
        prefix = "/".join(path) + "/" if path else ""
        return sorted(name[len(prefix):] for name in self.folders
                      if name.startswith(prefix) and "/" not in name[len(prefix):])

    def targets(self):
        return [name for name in self.below() if name.startswith(("iqn.", "eui.", "naa."))]

    def groups(self, target):
        """The tags of its portal groups, lowest first."""
        return sorted(int(name[5:]) for name in self.below(target) if name.startswith("tpgt_"))

    def group_of_node(self, target):
        """The portal group whose parameters are the target's: the lowest enabled one."""
        groups = self.groups(target)
        enabled = [tag for tag in groups if self.get(target, "tpgt_%d" % tag, "enable") == "1"]
        return "tpgt_%d" % (enabled or groups or [0])[0]

    def session(self, target, group, initiator):
        """The lines of `info` as {key: value} if there is a session, else None."""
        lines = self.files.get("/".join((target, group, "acls", initiator, "info")), [])
        text = "\n".join(lines)
        found = re.search(r"^LIO Session ID: (\d+)   ISID: 0x([0-9a-f ]+)  TSIH: (\d+)  "
                          r"SessionType: (\w+)$", text, re.M)
        if not found:
            return None
        return {"number": found.group(1), "isid": bytes.fromhex(found.group(2)),
                "tsih": int(found.group(3)), "type": found.group(4),
                "alias": lines[1].partition(": ")[2],
                "connections": re.findall(r"^CID: (\d+)  Connection State: TARG_CONN_STATE_(\w+)\n"
                                          r" +Address (\S+) (\w+)", text, re.M)}


class Happened:
    """What kernel and iscsid wrote, counted as RFC 7147 has it. Lines come in the order of time:
    an error of a connection is the failure of a session only while that is logged in."""

    RULES = (
        (r"[Cc]onnection(\d+):0 (?:to \[.*\] through \[.*\] )?is operational", "logged_in"),
        (r"re-opening session (\d+) \(reopen_cnt (\d+)\)", "again"),
        (r"connect to (\S+) failed", "unconnected"),
        (r"(?:session |[Cc]onnection)(\d+)(?::0)? login rejected: (.*)", "rejected"),
        (r" *connection(\d+):0: detected conn error \((\d+)\)", "lost"),
        (r"Connection(\d+):0 to \[.*\] through \[.*\] is shutdown", "ended"),
    )
    PLACE = re.compile(r"Connection(\d+):0 to \[target: (\S+), portal: (\S+),(\d+)\]")

    def __init__(self, log):
        self.accepts = self.logouts = 0
        self.failures = []  # of logins, each (SID, name of the column that counts it or "")
        self.losses = []    # of sessions, likewise
        # Logins that iscsid gave up and does not say why of: the agent counts those in which the
        # target had answered. Each (how many of `failures` came before it, SID).
        self.given_up = []
        self.refused = collections.Counter()  # by the name of the column's ending
        self.errors = collections.Counter()
        self.by_session = collections.defaultdict(collections.Counter)
        self.up = set()
        self.places = {}  # SID: (target, end point): iscsid tells it with some of its lines only
        self._tried = collections.Counter()  # by SID: logins that failed since it was up, or began
        lines = [line.partition(";")[2] for line in log.splitlines() if ";" in line]
        for line in lines:
            place = self.PLACE.match(line)
            if place:
                self.places[int(place.group(1))] = (place.group(2),
                                                    end_point("%s:%s" % place.groups()[2:]))
        for line in lines:
            for pattern, event in self.RULES:
                found = re.match(pattern, line)
                if found:
                    getattr(self, "_" + event)(*found.groups())

    def _again(self, sid, failed):
        sid, failed = int(sid), int(failed)
        self.given_up += [(len(self.failures), sid)] * (failed - self._tried[sid])
        self._tried[sid] = max(failed, self._tried[sid])

    def _unconnected(self, place):
        """It does not tell whose: it may be of each session that goes there."""
        place = end_point(place)
        self._tried.update(sid for sid, (_, there) in self.places.items() if there == place)

    def _logged_in(self, sid):
        sid = int(sid)
        del self._tried[sid]
        self.accepts += 1
        self.up.add(sid)

    def _rejected(self, sid, why):
        sid = int(sid)
        self._tried[sid] += 1
        if "authentication" in why:
            kind = "AuthFailRsps"
        elif "authorization" in why:
            kind = "AuthorizeFails"
        elif "redirect" in why:
            kind = "RedirectRsps"
        else:
            kind = "OtherFailRsps"
        self.refused[kind] += 1
        self.failures.append((sid, "iscsiIntrLogin" + kind))

    def _lost(self, sid, error):
        sid = int(sid)
        if sid not in self.up:
            return
        self.up.discard(sid)
        kind = ("Digest" if int(error) in DIGEST_ERRORS else
                "CxnTimeout" if int(error) in TIMEOUTS else
                "Format" if int(error) in FORMAT_ERRORS else "")
        if kind:
            self.errors[kind] += 1
            self.by_session[sid][kind] += 1
        self.losses.append((sid, kind and "iscsiInstSsn%sErrors" % kind))

    def _ended(self, sid):
        sid = int(sid)
        del self._tried[sid]
        if sid in self.up:
            self.logouts += 1
            self.up.discard(sid)


class Reading:
    """One folder of witness.sh (a or b); log: the octets of the whole kernel.log; first: the Reading
    before the walk, if this is the one after it."""

    def __init__(self, folder, log, first=None):
        mark = read(folder, "mark").split()  # what is written last
        if not mark:
            raise ValueError("%s: the readings are not complete" % folder)
        self.sessions = read_sessions(read(folder, "sessions"))
        self.statistics = read_statistics(read(folder, "statistics"))
        self.sockets = read_sockets(read(folder, "sockets"))
        self.target_sockets = read_sockets(read(folder, "sockets-target"))
        self.lio = Lio(read(folder, "lio"), read(folder, "lio-folders"))
        self.transports = read(folder, "transports").split()
        self.restarts = int(read(folder, "restarts") or 0)  # of the agent, or its reader of this stack
        self.records = {line.split()[1] for line in read(folder, "nodes").splitlines()
                        if re.match(r"\S+,-?\d+ ", line)}
        self.log_end = int(mark[0])
        self.happened = Happened(log[:self.log_end].decode("utf-8", "replace"))
        known = (first or self).happened
        self.failures_known, self.losses_known = len(known.failures), len(known.losses)
