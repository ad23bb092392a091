# SPDX-License-Identifier: BSD-2-Clause
"""What the Zabbix template discovers: content.py has the meaning of items and triggers.

A rule has `id`, `name`, `macros` {macro: object} of the discovered row, `filter` [(macro, wanted,
regular expression)], `label` the beginning of the names of its items (and `join` what follows it), `items`, `triggers`, `graphs`
[(name, [(colour, object)])] and `tags` {tag: value} of its items. `row` is what follows an object's
OID; items with `session` are of the session of the path, by its pointer.
"""
SECONDS = dict(units="s", float=True)
MICROSECONDS = dict(SECONDS, times="0.000001")
RATE = dict(per=True, float=True)

# The row of a session, out of the pointer to its connection: iscsiCxnCid.INSTANCE.NODE.SESSION.CXN.
# What stands before these numbers depends on the MIB modules that the Zabbix server knows.
SESSION_ROW = r'{{#CONNECTION}.regsub("([0-9]+\.[0-9]+\.[0-9]+)\.[0-9]+$","\1")}'
HAS_SESSION = r"([0-9]+\.){3}[0-9]+$"

SESSION = [
    ("iscsiSsnPropHealthState", "Session: Health", dict(map=True, session=True)),
    ("iscsiSsnPropDevicesFaulty", "Session: SCSI devices that cannot do I/O", dict(session=True)),
    ("iscsiSsnTxDataOctets", "Session: Data sent", dict(RATE, units="Bps", session=True)),
    ("iscsiSsnRxDataOctets", "Session: Data received", dict(RATE, units="Bps", session=True)),
    ("iscsiSsnCmdPDUs", "Session: SCSI commands per second",
     dict(RATE, units="!cmd/s", session=True)),
    ("iscsiSsnCxnDigestErrors", "Session: Digest errors", dict(session=True)),
    ("iscsiSsnCxnTimeoutErrors", "Session: Timeouts", dict(session=True)),
]
TCP = [
    ("iscsiPathTcpRtt", "TCP round-trip time", MICROSECONDS),
    ("iscsiPathTcpRetransmits", "TCP segments sent again per second",
     dict(RATE, units="!seg/s")),
]
TRAFFIC = [("2774A4", "iscsiSsnRxDataOctets"), ("1A7C11", "iscsiSsnTxDataOctets")]
CONNECTED = "max(iscsiPathStatus,{$ISCSI.PATH.DOWN.TIME})=1"
LOST = ("min(iscsiPathStatus,{$ISCSI.PATH.DOWN.TIME})=3 and "
        "max(iscsiPathStatus,{$ISCSI.PATH.DOWN.TIME})=3")
GONE = LOST.replace("=3", "=2")
ERRORS = ("last(iscsiSsnCxnDigestErrors)>min(iscsiSsnCxnDigestErrors,{$ISCSI.PERFORMANCE.TIME})")
FLAPPING = ("last(iscsiPathFailures)-min(iscsiPathFailures,{$ISCSI.PATH.OUTAGES.TIME})"
            ">={$ISCSI.PATH.OUTAGES.MAX}")
NETWORK = [
    ("slow", "iscsiPathTcpRtt",
     "avg(iscsiPathTcpRtt,{$ISCSI.PERFORMANCE.TIME})>{$ISCSI.PATH.RTT.MAX}",
     "the network is slow", dict(
         priority="WARNING", scope="performance", after=["lost", "old"],
         event="TCP round-trip time above {$ISCSI.PATH.RTT.MAX} s",
         data="Round trip: {ITEM.LASTVALUE1}",
         text="What TCP measures on this connection; the disks have no part in it.")),
    ("retransmits", "iscsiPathTcpRetransmits",
     "avg(iscsiPathTcpRetransmits,{$ISCSI.PERFORMANCE.TIME})>{$ISCSI.PATH.RETRANSMITS.MAX}",
     "the network loses segments", dict(
         priority="WARNING", scope="performance", after=["lost", "old"],
         data="Sent again: {ITEM.LASTVALUE1}",
         text="Look for errors of the ports and cables on the way.")),
]
DIGESTS = ("digests", "iscsiSsnCxnDigestErrors", ERRORS, "digest errors", dict(
    priority="WARNING", scope="availability", after=["lost", "old"],
    data="Digest errors: {ITEM.LASTVALUE1}",
    text="Data was changed on the way: a network adapter, a switch or a memory is broken."))
BY_NAME = [("{#TARGET}", True, "{$ISCSI.TARGET.MATCHES}"),
           ("{#TARGET}", False, "{$ISCSI.TARGET.NOT_MATCHES}")]

PATHS = dict(
    id="paths", name="Paths of initiators", label="Path {#TARGET} at {#PORTAL} ({#IFACE})",
    text="A path is an initiator, an interface record, a target and a portal. It keeps its number, "
         "and so its history, over logins, restarts and reboots. The items of its session follow "
         "the session that the path has now.",
    macros={"{#STATUS}": "iscsiPathStatus", "{#DIRECTION}": "iscsiPathDirection",
            "{#INITIATOR}": "iscsiPathInitiatorName", "{#TARGET}": "iscsiPathTargetName",
            "{#IFACE}": "iscsiPathIface", "{#PORTAL}": "iscsiPathPortal",
            "{#CONNECTION}": "iscsiPathConnection"},
    filter=[("{#DIRECTION}", True, "^2$"), *BY_NAME],
    tags={"component": "path", "target": "{#TARGET}", "portal": "{#PORTAL}"},
    items=[
        ("iscsiPathStatus", "Status", dict(map=True)),
        ("iscsiPathExpected", "Wanted by its node record", dict(map=True, keep="1h")),
        ("iscsiPathPrimary", "Takes I/O", dict(map=True)),
        ("iscsiPathFailures", "Outages", {}),
        ("iscsiPathLastOutage", "Last outage", dict(SECONDS, times="0.001", keep="1h")),
        ("iscsiPathLastErrorText", "Last error", dict(text=True, keep="1h")),
        ("iscsiPathLoginText", "Last login response", dict(text=True, keep="1h")),
        ("iscsiPathLinkSpeed", "Link speed", dict(times="1000000", units="bps", keep="1h")),
        *TCP, *SESSION],
    triggers=[
        ("lost", "iscsiPathStatus", LOST, "connection lost", dict(
            priority="AVERAGE", scope="availability", after=["old"],
            event="connection lost, reconnecting for more than {$ISCSI.PATH.DOWN.TIME}",
            text="The initiator tries to connect again. Initiator: {#INITIATOR}. Is the portal "
                 "reachable from this interface? Does the target serve it?")),
        ("gone", "iscsiPathStatus",
         GONE + " and last(iscsiPathExpected)=1", "missing: no session, though its node record wants one",
         dict(priority="AVERAGE", scope="availability", after=["old"],
              text="Nobody tries to connect it. Initiator: {#INITIATOR}. On the host: "
                   "iscsiadm -m node -T {#TARGET} -p {#PORTAL} --login")),
        ("abandoned", "iscsiPathStatus",
         GONE + " and last(iscsiPathExpected)=2", "connection lost, and nobody reconnects it",
         dict(priority="AVERAGE", scope="availability", after=["old"],
              text="The session is there, but has no connection, and iscsid does not care for it. "
                   "Does iscsid run? Initiator: {#INITIATOR}.")),
        ("flapping", "iscsiPathFailures", FLAPPING, "connection comes and goes", dict(
            priority="WARNING", scope="availability", after=["lost", "gone", "abandoned", "old"],
            event="at least {$ISCSI.PATH.OUTAGES.MAX} outages in {$ISCSI.PATH.OUTAGES.TIME}",
            data="Outages: {ITEM.LASTVALUE1}",
            text="Look at the item Last error, and for errors of the ports on the way.")),
        ("health", "iscsiSsnPropHealthState",
         f"min(iscsiSsnPropHealthState,{{$ISCSI.PATH.DOWN.TIME}})>=10 and {CONNECTED}",
         "session is not well", dict(
             priority="WARNING", scope="availability", after=["lost", "gone", "abandoned", "old"], data="Health: {ITEM.LASTVALUE1}",
             text="The path is connected, but its session or its devices are not in order.")),
        ("devices", "iscsiSsnPropDevicesFaulty",
         f"min(iscsiSsnPropDevicesFaulty,{{$ISCSI.PATH.DOWN.TIME}})>0 and {CONNECTED}",
         "SCSI devices cannot do I/O", dict(priority="WARNING", scope="availability",
              after=["lost", "gone", "abandoned", "health", "old"],
              data="Devices: {ITEM.LASTVALUE1}",
              text="On the host: iscsiadm -m session -P 3, and cat /sys/block/*/device/state")),
        *NETWORK, DIGESTS],
    graphs=[("Traffic", TRAFFIC), ("TCP round-trip time", [("7E57C2", "iscsiPathTcpRtt")]),
            ("Status", [("F7941D", "iscsiPathStatus")])])

INBOUND = dict(
    id="inbound", name="Sessions at targets", prefix="inbound",
    walk="paths",
    label="Session {#INITIATOR} at {#TARGET}, {#PORTAL} [{#SNMPINDEX}]",
    text="Sessions of initiators elsewhere at targets of this host, by the way that they take, "
         "which keeps its number over logins.",
    macros=PATHS["macros"],
    filter=[("{#DIRECTION}", True, "^1$"), *BY_NAME,
            ("{#INITIATOR}", True, "{$ISCSI.INITIATOR.MATCHES}"),
            ("{#INITIATOR}", False, "{$ISCSI.INITIATOR.NOT_MATCHES}")],
    tags={"component": "session", "target": "{#TARGET}", "initiator": "{#INITIATOR}"},
    items=[("iscsiPathStatus", "Status", dict(map=True)),
           ("iscsiPathRemotePortal", "Address of the initiator", dict(text=True, keep="1h")),
           *(one for one in SESSION if one[0] != "iscsiSsnPropDevicesFaulty")],
    # A session whose initiator is away has no connection, so no path and no row: none can be "lost".
    triggers=[(*DIGESTS[:4], dict(DIGESTS[4], after=["old"]))],
    graphs=[("Traffic", TRAFFIC)])


# iscsiNodeRoles is BITS of one octet, which Zabbix has as net-snmp prints it: in hexadecimal, "80 " or
# "40 initiatorTypeNode(1) " where the MIB module is known; but without it a printable octet as it is,
# and 0x40, an initiator that is no target, is "@".
IS_TARGET, IS_INITIATOR = "^[89A-Fa-f]", "^[4-7C-Fc-f@]"


def failures(counter):
    return (f"last({counter})-min({counter},{{$ISCSI.LOGIN.FAILURES.TIME}})"
            ">={$ISCSI.LOGIN.FAILURES.MAX}")


TARGETS = dict(
    id="targets", name="Targets of this host", label="Target {#NODE}",
    text="Targets, and the logins at them.",
    macros={"{#NODE}": "iscsiNodeName", "{#ROLES}": "iscsiNodeRoles"},
    filter=[("{#ROLES}", True, IS_TARGET), ("{#NODE}", True, "{$ISCSI.TARGET.MATCHES}"),
            ("{#NODE}", False, "{$ISCSI.TARGET.NOT_MATCHES}")],
    tags={"component": "target", "target": "{#NODE}"},
    items=[
        ("iscsiTgtLoginAccepts", "Logins accepted", {}),
        ("iscsiTgtLoginFailures", "Logins failed", {}),
        ("iscsiTgtLoginAuthorizeFails", "Logins failed: not authorized", {}),
        ("iscsiTgtLoginAuthenticateFails", "Logins failed: authentication", {}),
        ("iscsiTgtLoginNegotiateFails", "Logins failed: negotiation", {}),
        ("iscsiTgtLoginOtherFails", "Logins failed: other reasons", {}),
        ("iscsiTgtLastIntrFailureName", "Initiator of the last failed login",
         dict(text=True, keep="1h")),
        ("iscsiTgtLogoutNormals", "Logouts", {}),
        ("iscsiTgtLogoutOthers", "Logouts, not in order", {})],
    triggers=[("logins", "iscsiTgtLoginFailures", failures("iscsiTgtLoginFailures"),
               "logins fail", dict(
                   priority="WARNING", scope="security", after=["old"],
                   event="at least {$ISCSI.LOGIN.FAILURES.MAX} logins failed in "
                         "{$ISCSI.LOGIN.FAILURES.TIME}", data="Failed: {ITEM.LASTVALUE1}",
                   text="Who it was: the item Initiator of the last failed login. Why: the "
                        "counts of the reasons."))],
    graphs=[("Logins", [("1A7C11", "iscsiTgtLoginAccepts"), ("F63100", "iscsiTgtLoginFailures")])])

INITIATORS = dict(
    id="initiators", name="Initiators of this host", label="Initiator {#NODE}",
    text="Initiators, and their logins elsewhere.",
    macros=TARGETS["macros"],
    filter=[("{#ROLES}", True, IS_INITIATOR)],
    tags={"component": "initiator", "initiator": "{#NODE}"},
    items=[
        ("iscsiIntrLoginAcceptRsps", "Logins accepted", {}),
        ("iscsiIntrLoginFailures", "Logins failed", {}),
        ("iscsiIntrLoginAuthFailRsps", "Logins failed: refused by the target", {}),
        ("iscsiIntrLoginNegotiateFails", "Logins failed: negotiation", {}),
        ("iscsiIntrLastTgtFailureName", "Target of the last failed login",
         dict(text=True, keep="1h"))],
    triggers=[("logins", "iscsiIntrLoginFailures", failures("iscsiIntrLoginFailures"),
               "logins fail", dict(
                   priority="WARNING", scope="security", after=["old"],
                   event="at least {$ISCSI.LOGIN.FAILURES.MAX} logins failed in "
                         "{$ISCSI.LOGIN.FAILURES.TIME}", data="Failed: {ITEM.LASTVALUE1}",
                   text="Where it was: the item Target of the last failed login."))],
    graphs=[])

MAPS = dict(
    id="maps", name="Multipath maps", label="Map {#MAP} ({#WWID})",
    text="Multipath maps with a path over iSCSI, as multipathd knows them.",
    macros={"{#MAP}": "iscsiMapName", "{#WWID}": "iscsiMapWwid"}, filter=[],
    tags={"component": "map", "map": "{#MAP}"},
    items=[
        ("iscsiMapStatus", "Status", dict(map=True)),
        ("iscsiMapPaths", "Paths", {}),
        ("iscsiMapPathsActive", "Paths that take I/O", {}),
        ("iscsiMapPathsMissing", "Paths missing", {}),
        ("iscsiMapQueueing", "What happens to I/O without a path", dict(text=True, keep="1h")),
        ("iscsiMapSize", "Size", dict(units="B", keep="1h"))],
    triggers=[
        ("failed", "iscsiMapStatus", "min(iscsiMapStatus,{$ISCSI.MAP.TIME})=3",
         "no path takes I/O", dict(
             priority="HIGH", scope="availability", after=["old"],
             text="I/O to this disk fails or waits. On the host: multipath -ll {#MAP}")),
        ("short", "iscsiMapStatus", "min(iscsiMapStatus,{$ISCSI.MAP.TIME})=2",
         "fewer paths take I/O than there should", dict(
             priority="WARNING", scope="availability", after=["old"],
             text="There is less redundancy than was meant. On the host: multipath -ll {#MAP}"))],
    graphs=[("Paths", [("1A7C11", "iscsiMapPathsActive"), ("F63100", "iscsiMapPathsMissing")])])

SOURCES = dict(
    id="sources", name="Sources", label="Source {#SOURCE}: {#UNIT}", join=" ",
    text="What the agent reads: the stacks that are on this host.",
    macros={"{#SOURCE}": "iscsiSourceName", "{#UNIT}": "iscsiSourceUnit",
            "{#STATE}": "iscsiSourceState"},
    filter=[("{#STATE}", False, "^(4|6)$")],
    tags={"component": "source", "source": "{#SOURCE}"},
    items=[
        ("iscsiSourceState", "State", dict(map=True)),
        ("iscsiSourceLastError", "Last error", dict(text=True, keep="1h")),
        ("iscsiSourceAge", "Time since it was read well", dict(SECONDS, times="0.001")),
        ("iscsiSourceDuration", "Duration of a poll", MICROSECONDS),
        ("iscsiSourceCpu", "Processor time of a poll", MICROSECONDS),
        ("iscsiSourceFailures", "Polls that failed", {}),
        ("iscsiSourceRestarts", "Restarts of its reader", {}),
        ("iscsiSourceRows", "Rows", {})],
    triggers=[
        # The row of a tgtd that has ended is there for one poll more at most, and then has no value any
        # more: Zabbix would never look again at an expression without nodata(). Which makes it look at
        # times when there are no values, too, and none of them is all of them.
        ("unreadable", "iscsiSourceState",
         "nodata(iscsiSourceState,{$ISCSI.NODATA.TIME})=0 and "
         "count(iscsiSourceState,{$ISCSI.SOURCE.TIME})>0 and "
         "count(iscsiSourceState,{$ISCSI.SOURCE.TIME},\"regexp\",\"^[235]$\")="
         "count(iscsiSourceState,{$ISCSI.SOURCE.TIME})",
         "cannot be read", dict(
             priority="AVERAGE", scope="availability", after=["old"],
             data="State: {ITEM.LASTVALUE1}",
             text="What it shows is old, or gone: its paths and sessions are not known now. The "
                  "item Last error says why.")),
        ("gone", "iscsiSourceState",
         "last(iscsiSourceState)=4 and nodata(iscsiSourceState,{$ISCSI.NODATA.TIME})=0",
         "no longer on this host", dict(
            priority="WARNING", scope="notice", after=["old"],
            text="Its daemon or module has gone: was that meant?"))],
    graphs=[("Duration of a poll", [("2774A4", "iscsiSourceDuration"),
                                    ("A54F10", "iscsiSourceCpu")])])

INSTANCES = dict(
    id="instances", name="Instances", label="Instance {#INSTANCE}",
    text="Each stack of this host, and its errors in all sessions.",
    macros={"{#INSTANCE}": "iscsiInstDescr"}, filter=[],
    tags={"component": "instance", "instance": "{#INSTANCE}"},
    items=[
        ("iscsiInstSessionNumber", "Sessions", {}),
        ("iscsiInstSsnFailures", "Sessions failed", {}),
        ("iscsiInstSsnDigestErrors", "Sessions failed: digest errors", {}),
        ("iscsiInstSsnCxnTimeoutErrors", "Sessions failed: timeouts", {}),
        ("iscsiInstSsnFormatErrors", "Sessions failed: format errors", {})],
    triggers=[], graphs=[])

PROBES = dict(
    id="probes", name="Probes of portals", label="Probe {#PORTAL}: {#TARGET}", join=" ",
    text="Portals that the agent tries by a login of its own, when its configuration says so.",
    macros={"{#PORTAL}": "iscsiPathProbePortal", "{#TARGET}": "iscsiPathProbeTargetName"},
    filter=[], tags={"component": "probe", "portal": "{#PORTAL}"},
    items=[
        ("iscsiPathProbeResult", "Result", dict(map=True)),
        ("iscsiPathProbeText", "Result in words", dict(text=True, keep="1h")),
        ("iscsiPathProbeFailures", "Failures one after the other", {}),
        ("iscsiPathProbeConnectTime", "Time to connect", MICROSECONDS),
        ("iscsiPathProbeLoginTime", "Time to log in", MICROSECONDS),
        ("iscsiPathProbePingTime", "Time of a NOP-Out", MICROSECONDS)],
    triggers=[
        ("fails", "iscsiPathProbeFailures",
         "last(iscsiPathProbeFailures)>={$ISCSI.PROBE.FAILURES.MAX}", "no answer", dict(
             priority="AVERAGE", scope="availability", after=["old"],
             event="no answer, {$ISCSI.PROBE.FAILURES.MAX} times or more",
             data="Failures: {ITEM.LASTVALUE1}",
             text="No login was possible, nor was one refused, which would be an answer: the item "
                  "Result in words says why."))],
    graphs=[("Times", [("2774A4", "iscsiPathProbeConnectTime"),
                       ("1A7C11", "iscsiPathProbeLoginTime"),
                       ("A54F10", "iscsiPathProbePingTime")])])

RULES = [SOURCES, PATHS, INBOUND, MAPS, TARGETS, INITIATORS, INSTANCES, PROBES]
