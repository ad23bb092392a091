# SPDX-License-Identifier: BSD-2-Clause
"""What ISCSI-MIB should say of the initiator, by iscsiadm, the socket table, the other end, and the log
of kernel and iscsid."""

import re

from compare_rules import Between, Maybe, NotLess, OneOf, Same, Stamp, digest, digests, truth
from compare_walk import OPEN_ISCSI, Oid
from compare_witness import address_type

NO_POINTER = Oid(".0.0")
READ_ONLY, ACTIVE, TCP = 5, 1, 6
ROLE_INITIATOR, TASK_RFC3720 = b"\x40", b"\x80"

# What iscsid takes for a key that iscsid.conf does not have.
DEFAULTS = {
    "node.session.iscsi.InitialR2T": "No", "node.session.iscsi.ImmediateData": "Yes",
    "node.session.iscsi.FirstBurstLength": "262144", "node.session.iscsi.MaxBurstLength": "16776192",
    "node.session.iscsi.MaxOutstandingR2T": "1", "node.session.iscsi.DefaultTime2Wait": "2",
    "node.session.iscsi.DefaultTime2Retain": "0", "node.conn[0].iscsi.HeaderDigest": "None",
    "node.conn[0].iscsi.DataDigest": "None",
    "node.conn[0].iscsi.MaxRecvDataSegmentLength": "262144",
}


class Initiator:
    """The rules of one reading. host: Host of compare.py; before: Before; oid: column -> Oid."""

    def __init__(self, reading, host, before, oid):
        self._reading = reading
        self._host = host
        self._before = before
        self._oid = oid
        self._node = (OPEN_ISCSI, host.initiator)
        self.rows = {}
        if reading.transports:
            self._all()

    def _all(self):
        reading = self._reading
        for sid, said in reading.sessions.items():
            self._session(sid, said)
        portals = {self._local(sid) for sid in reading.sessions} - {None}
        for address in portals:
            self._portal(address)
        self._instance(len(portals))
        self._node_rows()

    def _conf(self, key):
        found = re.findall(r"^\s*%s\s*=\s*(.*?)\s*$" % re.escape(key), self._host.iscsid_conf, re.M)
        return found[-1] if found else DEFAULTS[key]

    def _conf_number(self, key):
        return int(self._conf(key))

    def _pointer(self, column):
        return self._oid(column) if column else NO_POINTER

    @staticmethod
    def _recent(events, known):
        """The last of them, and all that came after the reading before the walk: any of these was
        the last one while the walk was taken."""
        return events[max(known - 1, 0):] or [(None, "")]

    def _place(self, sid):
        """(target, (octets, port)) of a session that may be gone."""
        return self._reading.happened.places.get(sid, ("", (b"", 0)))

    def _up(self, sid):
        return self._reading.sessions[sid]["iSCSI Session State"] == "LOGGED_IN"

    def _sockets(self, sid):
        """Those that this session's connection may be; two sessions can go to one portal."""
        portal = self._reading.sessions[sid]["Portal"]
        return [s for s in self._reading.sockets if s.remote == portal]

    def _local(self, sid):
        """The local address of a session's last connection, or None."""
        addresses = {s.local[0] for s in self._sockets(sid)} if self._up(sid) else set()
        if len(addresses) == 1:
            self._before.local[sid] = addresses.pop()
        return self._before.local.get(sid)

    def _instance(self, portals):
        host, happened = self._host, self._reading.happened
        lost = self._recent(happened.losses, self._reading.losses_known)
        self.rows["iscsiInstanceAttributes", (OPEN_ISCSI,)] = {
            "iscsiInstDescr": "open-iscsi initiator (%s)" % ", ".join(self._reading.transports),
            "iscsiInstVersionMin": 0, "iscsiInstVersionMax": 0,
            "iscsiInstVendorID": "Open-iSCSI",
            "iscsiInstVendorVersion": "%s, Linux %s" % (host.transport_version, host.release),
            "iscsiInstPortalNumber": portals,
            "iscsiInstNodeNumber": 1,
            "iscsiInstSessionNumber": len(self._reading.sessions),
            "iscsiInstSsnFailures": len(happened.losses),
            "iscsiInstLastSsnFailureType": OneOf(self._pointer(column) for _, column in lost),
            "iscsiInstLastSsnRmtNodeName": OneOf(self._place(sid)[0].encode() for sid, _ in lost),
            "iscsiInstDiscontinuityTime": Stamp(self._reading.restarts or None),
            "iscsiInstXNodeArchitecture": host.architecture,
        }
        self.rows["iscsiInstanceSsnErrorStats", (OPEN_ISCSI,)] = {
            "iscsiInstSsnDigestErrors": happened.errors["Digest"],
            "iscsiInstSsnCxnTimeoutErrors": happened.errors["CxnTimeout"],
            "iscsiInstSsnFormatErrors": happened.errors["Format"],
            "iscsiInstSsnTgtUnmappedErrors": 0,
        }

    def _portal(self, address):
        header = digests(self._conf("node.conn[0].iscsi.HeaderDigest"))
        data = digests(self._conf("node.conn[0].iscsi.DataDigest"))
        self.rows["iscsiPortalAttributes", (OPEN_ISCSI, address)] = {
            "iscsiPortalRowStatus": ACTIVE, "iscsiPortalRoles": ROLE_INITIATOR,
            "iscsiPortalAddrType": address_type(address), "iscsiPortalAddr": address,
            "iscsiPortalProtocol": TCP,
            "iscsiPortalMaxRecvDataSegLength":
                self._conf_number("node.conn[0].iscsi.MaxRecvDataSegmentLength"),
            "iscsiPortalPrimaryHdrDigest": header[0], "iscsiPortalSecondaryHdrDigest": header[1],
            "iscsiPortalPrimaryDataDigest": data[0], "iscsiPortalSecondaryDataDigest": data[1],
            "iscsiPortalRecvMarker": 2, "iscsiPortalStorageType": READ_ONLY,
            "iscsiPortalDescr": "tcp",
        }
        self.rows["iscsiIntrPortalAttributes", (OPEN_ISCSI, address)] = {"iscsiIntrPortalTag": 1}

    def _node_rows(self):
        happened = self._reading.happened
        number = lambda key: self._conf_number("node.session.iscsi." + key)
        self.rows["iscsiNodeAttributes", self._node] = {
            "iscsiNodeName": self._host.initiator, "iscsiNodeAlias": self._host.name,
            "iscsiNodeRoles": ROLE_INITIATOR, "iscsiNodeTransportType": NO_POINTER,
            "iscsiNodeInitialR2T": truth(self._conf("node.session.iscsi.InitialR2T")),
            "iscsiNodeImmediateData": truth(self._conf("node.session.iscsi.ImmediateData")),
            "iscsiNodeMaxOutstandingR2T": number("MaxOutstandingR2T"),
            "iscsiNodeFirstBurstLength": number("FirstBurstLength"),
            "iscsiNodeMaxBurstLength": number("MaxBurstLength"), "iscsiNodeMaxConnections": 1,
            "iscsiNodeDataSequenceInOrder": 1, "iscsiNodeDataPDUInOrder": 1,
            "iscsiNodeDefaultTime2Wait": number("DefaultTime2Wait"),
            "iscsiNodeDefaultTime2Retain": number("DefaultTime2Retain"),
            "iscsiNodeErrorRecoveryLevel": 0,
            "iscsiNodeDiscontinuityTime": Stamp(self._reading.restarts or None),
            "iscsiNodeStorageType": READ_ONLY,
        }
        known = self._reading.failures_known
        failed = self._recent(happened.failures, known)
        # Those that nobody saw the reason of: no class counts them.
        doubtful = [(sid, "") for at, sid in happened.given_up if at >= known]
        failed += doubtful
        places = [self._place(sid) for sid, _ in failed]
        self.rows["iscsiInitiatorAttributes", self._node] = {
            "iscsiIntrLoginFailures": Between(
                len(happened.failures), len(happened.failures) + len(happened.given_up)),
            "iscsiIntrLastFailureTime": Stamp(len(happened.failures) or None, len(happened.given_up)),
            "iscsiIntrLastFailureType": OneOf(self._pointer(column) for _, column in failed),
            "iscsiIntrLastTgtFailureName": OneOf(target.encode() for target, _ in places),
            "iscsiIntrLastTgtFailureAddrType": OneOf(address_type(p[0]) for _, p in places),
            "iscsiIntrLastTgtFailureAddr": OneOf(p[0] for _, p in places),
            "iscsiIntrLastTgtFailurePort": OneOf(p[1] for _, p in places),
        }
        login = {"iscsiIntrLoginAcceptRsps": happened.accepts}
        for kind in ("OtherFailRsps", "RedirectRsps", "AuthFailRsps", "AuthenticateFails",
                     "NegotiateFails", "AuthorizeFails"):
            login["iscsiIntrLogin" + kind] = happened.refused[kind]
        self.rows["iscsiInitiatorLoginStats", self._node] = login
        self.rows["iscsiInitiatorLogoutStats", self._node] = {
            "iscsiIntrLogoutNormals": happened.logouts, "iscsiIntrLogoutOthers": 0}
        for number in range(len(self._reading.records)):
            self.rows["iscsiIntrAuthAttributes", self._node + (number + 1,)] = {
                "iscsiIntrAuthRowStatus": ACTIVE, "iscsiIntrAuthIdentity": NO_POINTER,
                "iscsiIntrAuthStorageType": READ_ONLY}

    def _other_end(self, sid, isid):
        """What the target says of this session. It shows the newest of an initiator only."""
        said = self._reading.sessions[sid]
        if said["Target"] not in self._reading.lio.targets():
            return None
        seen = self._reading.lio.session(said["Target"], said["Group"], self._host.initiator)
        return seen if seen and seen["isid"] == isid else None

    def _session(self, sid, said):
        up = self._up(sid)
        isid = b"\x00\x02\x3d" + sid.to_bytes(3, "big")
        seen = self._other_end(sid, isid)
        alias = self._reading.lio.get(said["Target"], said["Group"], "param", "TargetAlias")
        negotiated = lambda rule: rule if up else Same()
        key = (OPEN_ISCSI, sid)
        self.rows["iscsiSessionAttributes", key] = {
            "iscsiSsnDirection": 2, "iscsiSsnInitiatorName": b"",
            "iscsiSsnTargetName": said["Target"],
            "iscsiSsnTSIH": seen["tsih"] if up and seen else
                            OneOf(range(1, 65536)) if up else Same(),
            "iscsiSsnISID": isid, "iscsiSsnInitiatorAlias": self._host.name,
            "iscsiSsnTargetAlias": negotiated(alias) if alias else Same(),
            "iscsiSsnInitialR2T": negotiated(truth(said["InitialR2T"])),
            "iscsiSsnImmediateData": negotiated(truth(said["ImmediateData"])),
            "iscsiSsnType": 1,
            "iscsiSsnMaxOutstandingR2T": negotiated(int(said["MaxOutstandingR2T"])),
            "iscsiSsnFirstBurstLength": negotiated(int(said["FirstBurstLength"])),
            "iscsiSsnMaxBurstLength": negotiated(int(said["MaxBurstLength"])),
            "iscsiSsnConnectionNumber": 1, "iscsiSsnAuthIdentity": NO_POINTER,
            "iscsiSsnDataSequenceInOrder": 1, "iscsiSsnDataPDUInOrder": 1,
            "iscsiSsnErrorRecoveryLevel": 0,
            "iscsiSsnDiscontinuityTime": Stamp((sid, self._reading.restarts)),
            "iscsiSsnProtocolLevel": 1, "iscsiSsnTaskReporting": TASK_RFC3720,
        }
        # Without iscsid, iscsiadm tells no statistics; the kernel still does.
        counted = self._reading.statistics.get(sid, {})
        low = lambda name: counted[name] & 0xffffffff if name in counted else NotLess()
        self.rows["iscsiSessionStats", key] = {
            "iscsiSsnCmdPDUs": low("scsicmd_pdus"), "iscsiSsnRspPDUs": low("scsirsp_pdus"),
            "iscsiSsnTxDataOctets": counted.get("txdata_octets", NotLess()),
            "iscsiSsnRxDataOctets": counted.get("rxdata_octets", NotLess()),
            "iscsiSsnLCTxDataOctets": low("txdata_octets"),
            "iscsiSsnLCRxDataOctets": low("rxdata_octets"),
        }
        errors = self._reading.happened.by_session[sid]
        self.rows["iscsiSessionCxnErrorStats", key] = {
            "iscsiSsnCxnDigestErrors": errors["Digest"],
            "iscsiSsnCxnTimeoutErrors": errors["CxnTimeout"]}
        self._connection(key + (1,), sid, said, negotiated)

    def _connection(self, key, sid, said, negotiated):
        address, port = said["Portal"]
        self.rows["iscsiConnectionAttributes", key] = {
            "iscsiCxnCid": 0, "iscsiCxnState": 2 if self._up(sid) else 1,
            "iscsiCxnAddrType": address_type(address),
            "iscsiCxnLocalAddr": self._local(sid) or Maybe(Same()), "iscsiCxnProtocol": TCP,
            "iscsiCxnLocalPort": negotiated(OneOf(s.local[1] for s in self._sockets(sid))),
            "iscsiCxnRemoteAddr": address, "iscsiCxnRemotePort": port,
            "iscsiCxnMaxRecvDataSegLength": negotiated(int(said["MaxRecvDataSegmentLength"])),
            "iscsiCxnMaxXmitDataSegLength": negotiated(int(said["MaxXmitDataSegmentLength"])),
            "iscsiCxnHeaderIntegrity": negotiated(digest(said["HeaderDigest"])),
            "iscsiCxnDataIntegrity": negotiated(digest(said["DataDigest"])),
            "iscsiCxnRecvMarker": 2, "iscsiCxnSendMarker": 2, "iscsiCxnVersionActive": 0,
        }
