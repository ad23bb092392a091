# SPDX-License-Identifier: BSD-2-Clause
"""What ISCSI-MIB should say of the kernel's target, by its configfs as cat reads it, by the other end
of its sessions, and by the socket table of its network namespace."""

from compare_rules import HOLE, Maybe, OneOf, Same, Stamp, digests, truth
from compare_walk import LIO, Oid
from compare_witness import address_type, end_point, octets

NO_POINTER = Oid(".0.0")
READ_ONLY, ACTIVE, NOT_IN_SERVICE, TCP = 5, 1, 2, 6
ROLE_TARGET, TASK_RFC3720 = b"\x80", b"\x80"

# Files of iscsi_login_stats, and what each counter is in ISCSI-MIB; negotiate_fails is none of them.
LOGIN_FAILURES = {
    "authenticate_fails": "iscsiTgtLoginAuthenticateFails",
    "authorize_fails": "iscsiTgtLoginAuthorizeFails",
    "other_fails": "iscsiTgtLoginOtherFails",
    "redirects": "iscsiTgtLoginRedirects",
}
CONNECTION_STATES = {"XPT_UP": 1, "IN_LOGIN": 1, "LOGGED_IN": 2, "IN_LOGOUT": 3,
                     "LOGOUT_REQUESTED": 3, "CLEANUP_WAIT": 3}
SESSION_ERRORS = {"1": "iscsiInstSsnDigestErrors", "2": "iscsiInstSsnCxnTimeoutErrors",
                  "3": "iscsiInstSsnFormatErrors"}


class Target:
    """The rules of one reading; arguments as for compare_initiator.Initiator."""

    def __init__(self, reading, host, before, oid):
        self._reading = reading
        self._lio = reading.lio
        self._host = host
        self._before = before
        self._oid = oid
        self._identities = {}  # target: who may use it
        self.rows = {}
        if self._lio.present():
            for target in self._lio.targets():
                self._node(target)
                for tag in self._lio.groups(target):
                    self._group(target, tag)
                self._auth(target)
            self._instance()

    def _sum(self, *path):
        return sum(self._lio.number(target, "fabric_statistics", *path)
                   for target in self._lio.targets())

    def _rows_of(self, table):
        return sum(name == table for name, _ in self.rows)

    def _instance(self):
        targets = self._lio.targets()
        first = lambda name: self._lio.get(targets[0], "fabric_statistics", "iscsi_instance",
                                           name) if targets else ""
        failed = [target for target in targets
                  if self._lio.number(target, "fabric_statistics", "iscsi_instance", "fail_sess")]
        types = {self._lio.get(t, "fabric_statistics", "iscsi_instance", "fail_type") for t in failed}
        names = {self._lio.get(t, "fabric_statistics", "iscsi_instance", "fail_rem_name")
                 for t in failed}
        self.rows["iscsiInstanceAttributes", (LIO,)] = {
            "iscsiInstDescr": "LIO kernel target",
            "iscsiInstVersionMin": 0, "iscsiInstVersionMax": 0,
            "iscsiInstVendorID": first("vendor"),
            "iscsiInstVendorVersion": "%s, Linux %s" % (self._lio.get("lio_version"),
                                                        self._host.release),
            "iscsiInstPortalNumber": self._rows_of("iscsiPortalAttributes"),
            "iscsiInstNodeNumber": len(targets),
            "iscsiInstSessionNumber": self._rows_of("iscsiSessionAttributes"),
            "iscsiInstSsnFailures": self._sum("iscsi_instance", "fail_sess"),
            "iscsiInstLastSsnFailureType":
                OneOf(self._oid(SESSION_ERRORS[kind]) for kind in types if kind in SESSION_ERRORS)
                if failed else NO_POINTER,
            "iscsiInstLastSsnRmtNodeName":
                OneOf(name.encode() for name in names) if failed else "",
            "iscsiInstDiscontinuityTime": Stamp(None),
            "iscsiInstXNodeArchitecture": self._host.architecture,
        }
        self.rows["iscsiInstanceSsnErrorStats", (LIO,)] = {
            "iscsiInstSsnDigestErrors": self._sum("iscsi_sess_err", "digest_errors"),
            "iscsiInstSsnCxnTimeoutErrors": self._sum("iscsi_sess_err", "cxn_errors"),
            "iscsiInstSsnFormatErrors": self._sum("iscsi_sess_err", "format_errors"),
        }

    def _node(self, target):
        lio, group = self._lio, self._lio.group_of_node(target)
        param = lambda name: lio.get(target, group, "param", name)
        key = (LIO, target)
        self.rows["iscsiNodeAttributes", key] = {
            "iscsiNodeName": target, "iscsiNodeAlias": param("TargetAlias"),
            "iscsiNodeRoles": ROLE_TARGET, "iscsiNodeTransportType": NO_POINTER,
            "iscsiNodeInitialR2T": truth(param("InitialR2T")),
            "iscsiNodeImmediateData": truth(param("ImmediateData")),
            "iscsiNodeMaxOutstandingR2T": int(param("MaxOutstandingR2T")),
            "iscsiNodeFirstBurstLength": int(param("FirstBurstLength")),
            "iscsiNodeMaxBurstLength": int(param("MaxBurstLength")),
            "iscsiNodeMaxConnections": int(param("MaxConnections")),
            "iscsiNodeDataSequenceInOrder": truth(param("DataSequenceInOrder")),
            "iscsiNodeDataPDUInOrder": truth(param("DataPDUInOrder")),
            "iscsiNodeDefaultTime2Wait": int(param("DefaultTime2Wait")),
            "iscsiNodeDefaultTime2Retain": int(param("DefaultTime2Retain")),
            "iscsiNodeErrorRecoveryLevel": int(lio.get(target, group, "attrib", "default_erl")),
            "iscsiNodeDiscontinuityTime": Stamp(None), "iscsiNodeStorageType": READ_ONLY,
        }
        self._login_rows(target, key)
        self.rows["iscsiTargetLogoutStats", key] = {
            "iscsiTgtLogoutNormals": lio.number(target, "fabric_statistics", "iscsi_logout_stats",
                                                "normal_logouts"),
            "iscsiTgtLogoutOthers": lio.number(target, "fabric_statistics", "iscsi_logout_stats",
                                               "abnormal_logouts"),
        }

    def _login_rows(self, target, key):
        lio = self._lio
        count = lambda name: lio.number(target, "fabric_statistics", "iscsi_login_stats", name)
        fails = {column: count(name) for name, column in LOGIN_FAILURES.items()}
        # The kernel counts each failed login of a new session once more as one of these.
        fails["iscsiTgtLoginNegotiateFails"] = max(0, count("negotiate_fails") - sum(fails.values()))
        before = {name: self._before.cells.get(("iscsiTargetLoginStats", key, name), 0)
                  for name in fails}
        grown = [name for name in fails if fails[name] > before[name]]
        total = sum(fails.values())
        said = lambda name: lio.get(target, "fabric_statistics", "iscsi_tgt_attr", name)
        name, address = said("fail_intr_name"), octets(said("fail_intr_addr"))
        self.rows["iscsiTargetLoginStats", key] = dict(fails, iscsiTgtLoginAccepts=count("accepts"))
        self.rows["iscsiTargetAttributes", key] = {
            "iscsiTgtLoginFailures": total,
            "iscsiTgtLastFailureTime": Stamp(total or None),
            "iscsiTgtLastFailureType": NO_POINTER if not total else
                                       OneOf(map(self._oid, grown)) if grown else Same(),
            "iscsiTgtLastIntrFailureName": "" if name in ("None", "Unknown") else name,
            "iscsiTgtLastIntrFailureAddrType": address_type(address),
            "iscsiTgtLastIntrFailureAddr": address, "iscsiTgtLastIntrFailurePort": 0,
        }

    def _group(self, target, tag):
        lio, group = self._lio, "tpgt_%d" % tag
        param = lambda name: lio.get(target, group, "param", name)
        header, data = digests(param("HeaderDigest")), digests(param("DataDigest"))
        enabled = lio.get(target, group, "enable") == "1"
        for portal in lio.below(target, group, "np"):
            address, port = end_point(portal)
            key = (LIO, target, tag, address, port)
            self.rows["iscsiPortalAttributes", key] = {
                "iscsiPortalRowStatus": ACTIVE if enabled else NOT_IN_SERVICE,
                "iscsiPortalRoles": ROLE_TARGET,
                "iscsiPortalAddrType": address_type(address), "iscsiPortalAddr": address,
                "iscsiPortalProtocol": TCP,
                "iscsiPortalMaxRecvDataSegLength": int(param("MaxXmitDataSegmentLength")),
                "iscsiPortalPrimaryHdrDigest": header[0],
                "iscsiPortalPrimaryDataDigest": data[0],
                "iscsiPortalSecondaryHdrDigest": header[1],
                "iscsiPortalSecondaryDataDigest": data[1],
                "iscsiPortalRecvMarker": 2, "iscsiPortalStorageType": READ_ONLY,
                "iscsiPortalDescr": "tpgt %d of %s" % (tag, target),
            }
            self.rows["iscsiTgtPortalAttributes", key] = {
                "iscsiTgtPortalPort": port, "iscsiTgtPortalTag": tag}
        anyone = lio.get(target, group, "attrib", "generate_node_acls") == "1"
        acls = lio.below(target, group, "acls")
        self._identities.setdefault(target, set()).update(acls, ["anyone"] * anyone)
        for initiator in acls:
            seen = lio.session(target, group, initiator)
            if seen:
                self._session(target, group, initiator, seen)

    def _auth(self, target):
        """A row for each initiator, in however many portal groups it has an ACL."""
        for number in range(len(self._identities.get(target, ()))):
            self.rows["iscsiTgtAuthAttributes", (LIO, target, number + 1)] = {
                "iscsiTgtAuthRowStatus": ACTIVE, "iscsiTgtAuthIdentity": NO_POINTER,
                "iscsiTgtAuthStorageType": READ_ONLY}

    def _negotiated(self, target, group, initiator, seen, name):
        """What the initiator's iscsiadm says; of another initiator, what the target itself says."""
        if seen["isid"][:3] == b"\x00\x02\x3d":
            said = self._reading.sessions.get(int.from_bytes(seen["isid"][3:], "big"))
            if said and said["iSCSI Session State"] == "LOGGED_IN":
                return said[name]
        return self._lio.get(target, group, "acls", initiator, "param", name)

    def _session(self, target, group, initiator, seen):
        lio = self._lio
        negotiated = lambda name: self._negotiated(target, group, initiator, seen, name)
        param = lambda name: lio.get(target, group, "param", name)
        count = lambda name: lio.number(target, group, "acls", initiator, "fabric_statistics",
                                        "iscsi_sess_stats", name)
        key = (LIO, target, seen["isid"].hex())
        self.rows["iscsiSessionAttributes", key] = {
            "iscsiSsnDirection": 1, "iscsiSsnInitiatorName": initiator, "iscsiSsnTargetName": b"",
            "iscsiSsnTSIH": seen["tsih"], "iscsiSsnISID": seen["isid"],
            "iscsiSsnInitiatorAlias": seen["alias"], "iscsiSsnTargetAlias": param("TargetAlias"),
            "iscsiSsnInitialR2T": truth(negotiated("InitialR2T")),
            "iscsiSsnImmediateData": truth(negotiated("ImmediateData")),
            "iscsiSsnType": 1 if seen["type"] == "Normal" else 2,
            "iscsiSsnMaxOutstandingR2T": int(negotiated("MaxOutstandingR2T")),
            "iscsiSsnFirstBurstLength": int(negotiated("FirstBurstLength")),
            "iscsiSsnMaxBurstLength": int(negotiated("MaxBurstLength")),
            "iscsiSsnConnectionNumber": len(seen["connections"]) or HOLE,
            "iscsiSsnAuthIdentity": NO_POINTER,
            "iscsiSsnDataSequenceInOrder": truth(param("DataSequenceInOrder")),
            "iscsiSsnDataPDUInOrder": truth(param("DataPDUInOrder")),
            # What LIO offers; the initiator of the lab takes any.
            "iscsiSsnErrorRecoveryLevel": int(lio.get(target, group, "attrib", "default_erl")),
            "iscsiSsnDiscontinuityTime": Stamp("session %s" % seen["number"]),
            "iscsiSsnProtocolLevel": 1, "iscsiSsnTaskReporting": TASK_RFC3720,
        }
        self.rows["iscsiSessionStats", key] = {
            "iscsiSsnCmdPDUs": count("cmd_pdus"), "iscsiSsnRspPDUs": count("rsp_pdus"),
            "iscsiSsnTxDataOctets": count("txdata_octs"),
            "iscsiSsnRxDataOctets": count("rxdata_octs"),
            "iscsiSsnLCTxDataOctets": count("txdata_octs") & 0xffffffff,
            "iscsiSsnLCRxDataOctets": count("rxdata_octs") & 0xffffffff,
        }
        self.rows["iscsiSessionCxnErrorStats", key] = {
            "iscsiSsnCxnDigestErrors": count("conn_digest_errors"),
            "iscsiSsnCxnTimeoutErrors": count("conn_timeout_errors")}
        for number, (cid, state, address, transport) in enumerate(seen["connections"]):
            self._connection(key + (number + 1,), target, group, int(cid), state, octets(address),
                             transport)

    def _connection(self, key, target, group, cid, state, address, transport):
        param = lambda name: self._lio.get(target, group, "param", name)
        portals = [end_point(name) for name in self._lio.below(target, group, "np")]
        # The socket is in another namespace than the agent: it may tell what only one can be.
        sockets = [s for s in self._reading.target_sockets
                   if s.local in portals and s.remote[0] == address]
        only = lambda text: digests(text)[0] if digests(text)[1] == 1 else HOLE
        ports = {port for _, port in portals}
        self.rows["iscsiConnectionAttributes", key] = {
            "iscsiCxnCid": cid, "iscsiCxnState": CONNECTION_STATES[state],
            "iscsiCxnAddrType": address_type(address),
            "iscsiCxnLocalAddr": portals[0][0] if len(portals) == 1 else
                                 Maybe(OneOf(s.local[0] for s in sockets)),
            "iscsiCxnProtocol": TCP if transport == "TCP" else HOLE,
            "iscsiCxnLocalPort": ports.pop() if len(ports) == 1 else
                                 Maybe(OneOf(s.local[1] for s in sockets)),
            "iscsiCxnRemoteAddr": address,
            "iscsiCxnRemotePort": Maybe(OneOf(s.remote[1] for s in sockets)),
            "iscsiCxnMaxRecvDataSegLength": int(param("MaxXmitDataSegmentLength")),
            "iscsiCxnHeaderIntegrity": only(param("HeaderDigest")),
            "iscsiCxnDataIntegrity": only(param("DataDigest")),
            "iscsiCxnRecvMarker": 2, "iscsiCxnSendMarker": 2, "iscsiCxnVersionActive": 0,
        }
