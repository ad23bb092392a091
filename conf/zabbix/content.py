# SPDX-License-Identifier: BSD-2-Clause
"""What the Zabbix template "iSCSI by SNMP" monitors, for both versions: make_zabbix.py.

An item is (object, name, settings). Settings: `map` its enumeration becomes a value map; `per` its
change per second is kept; `times` it is multiplied; `units`; `float`, `text`: the type of the value
(else an unsigned number); `keep` what has not changed is kept once in so long; `hole` False: it
always has a value (else an object that has no instance gives no value, and that is no error);
`tag` its component.
"""
from rules import RULES  # noqa: F401  pylint: disable=unused-import

TEMPLATE = "iSCSI by SNMP"

DESCRIPTION = """\
The iSCSI of a Linux host, initiators and targets, as iscsi-agentx shows it over SNMP by ISCSI-MIB and ISCSI-PATH-MIB.

The host needs snmpd with iscsi-agentx and a view that includes both modules; in Zabbix it needs an SNMP interface. Nothing else has to be configured: paths, maps, targets and sources are discovered.

A value that the agent does not know is not there in SNMP. Its item stays without a value; it does not become not supported."""

# Thresholds are those of ../prometheus/rules.yml, which says why.
MACROS = [
    ("{$ISCSI.INTERVAL}", "1m", "How often values are read."),
    ("{$ISCSI.DISCOVERY.INTERVAL}", "5m",
     "How often paths, maps, targets and sources are looked for."),
    ("{$SNMP.TIMEOUT}", "5m", "For how long SNMP may give no answer."),
    ("{$ISCSI.NODATA.TIME}", "5m",
     "For how long snmpd may answer without iscsi-agentx, and a source without a row is a problem."),
    ("{$ISCSI.SNAPSHOT.AGE.MAX}", "600",
     "Seconds that what the agent shows may be old. Twice the longest of its poll intervals."),
    ("{$ISCSI.SNAPSHOT.TIME}", "3m", "For how long it must be older to be a problem."),
    ("{$ISCSI.SOURCE.TIME}", "3m", "For how long a source must be unreadable to be a problem."),
    ("{$ISCSI.NOTICE.TIME}", "10m",
     "For how long a restart of the agent, and lost notifications, are a problem."),
    ("{$ISCSI.STATUS.TIME}", "2m", "For how long the host must be critical to be a problem."),
    ("{$ISCSI.PATH.DOWN.TIME}", "2m", "For how long a path must be lost to be a problem."),
    ("{$ISCSI.PATH.OUTAGES.MAX}", "3",
     "Outages of a path in {$ISCSI.PATH.OUTAGES.TIME} from which it is flapping."),
    ("{$ISCSI.PATH.OUTAGES.TIME}", "1h", "See {$ISCSI.PATH.OUTAGES.MAX}."),
    ("{$ISCSI.PATH.RTT.MAX}", "0.02",
     "Seconds of TCP round-trip time that are too many on average over "
     "{$ISCSI.PERFORMANCE.TIME}."),
    ("{$ISCSI.PATH.RETRANSMITS.MAX}", "1",
     "TCP segments a second that are sent again and too many, on average."),
    ("{$ISCSI.PERFORMANCE.TIME}", "10m", "Over how long times and rates are averaged."),
    ("{$ISCSI.LOGIN.FAILURES.MAX}", "5",
     "Failed logins in {$ISCSI.LOGIN.FAILURES.TIME} that are too many."),
    ("{$ISCSI.LOGIN.FAILURES.TIME}", "15m", "See {$ISCSI.LOGIN.FAILURES.MAX}."),
    ("{$ISCSI.MAP.TIME}", "2m", "For how long a multipath map must be short of paths."),
    ("{$ISCSI.PROBE.FAILURES.MAX}", "3", "Failed tries of a probe, one after the other."),
    ("{$ISCSI.SESSIONS.MIN}", "0",
     "Sessions that this host's initiators must have. 0: any number is right."),
    ("{$ISCSI.INBOUND.MIN}", "0",
     "Sessions that this host's targets must have. 0: any number is right."),
    ("{$ISCSI.TARGET.MATCHES}", ".*", "Names of targets whose paths and logins are discovered."),
    ("{$ISCSI.TARGET.NOT_MATCHES}", "CHANGE_IF_NEEDED", "Those that are left out."),
    ("{$ISCSI.INITIATOR.MATCHES}", ".*",
     "Names of initiators whose sessions at targets of this host are discovered."),
    ("{$ISCSI.INITIATOR.NOT_MATCHES}", "CHANGE_IF_NEEDED", "Those that are left out."),
]

SUMMARY = [
    ("iscsiSumStatus", "Status of the host", dict(map=True, hole=False, tag="health")),
    ("iscsiSumText", "Status in words", dict(text=True, hole=False, tag="health")),
    ("iscsiSumSessions", "Sessions of initiators", dict(hole=False)),
    ("iscsiSumSessionsFull", "Sessions of initiators, logged in and connected", dict(hole=False)),
    ("iscsiSumSessionsFailed", "Sessions of initiators, failed", dict(hole=False)),
    ("iscsiSumSessionsInbound", "Sessions at targets", dict(hole=False)),
    ("iscsiSumTargets", "Targets", dict(hole=False)),
    ("iscsiSumPathsExpected", "Paths expected", dict(hole=False)),
    ("iscsiSumPathsConnected", "Paths connected", dict(hole=False)),
    ("iscsiSumPathsReconnecting", "Paths reconnecting", dict(hole=False)),
    ("iscsiSumPathsMissing", "Paths missing", dict(hole=False)),
    ("iscsiSumMaps", "Multipath maps", {}),
    ("iscsiSumMapsShort", "Multipath maps short of paths", {}),
    ("iscsiSumDevices", "SCSI devices", {}),
    ("iscsiSumDevicesFaulty", "SCSI devices that cannot do I/O", {}),
    ("iscsiSumSources", "Sources", dict(hole=False, tag="agent")),
    ("iscsiSumSourcesFailing", "Sources that cannot be read", dict(hole=False, tag="agent")),
    ("iscsiAgentVersion", "Agent: Version", dict(text=True, keep="1d", hole=False, tag="agent")),
    ("iscsiAgentGeneration", "Agent: Snapshots since its start", dict(hole=False, tag="agent")),
    ("iscsiAgentSnapshotAge", "Agent: Age of the snapshot",
     dict(times="0.001", units="s", float=True, hole=False, tag="agent")),
    ("iscsiAgentNotifySent", "Agent: Notifications sent", dict(hole=False, tag="agent")),
    ("iscsiAgentNotifyWaiting", "Agent: Notifications waiting", dict(hole=False, tag="agent")),
    ("iscsiAgentNotifySuppressed", "Agent: Notifications suppressed",
     dict(hole=False, tag="agent")),
    ("iscsiAgentNotifyDropped", "Agent: Notifications lost", dict(hole=False, tag="agent")),
]

# A trigger is (id, the item it belongs to, expression, name, settings). In an expression an object
# stands for its item, and told(NAME) for: the last notification is this one. Settings: `priority`;
# `scope`; `after` ids that it depends on; `event` the name of the problem when it has more to say;
# `data` the value beside it; `manual` it is closed by hand, with `once` by that only; `text` what to do.
TRIGGERS = [
    ("silent", "available", "max(available,{$SNMP.TIMEOUT})=0", "iSCSI: No SNMP data collection",
     dict(priority="WARNING", scope="availability",
          data="Current state: {ITEM.LASTVALUE1}",
          text="snmpd of the host gives no answer. Nothing else can be said of its iSCSI.")),
    # Zabbix needs a minute or more to see that SNMP is silent; by then this must not have been raised.
    ("absent", "iscsiAgentSnapshotAge",
     "nodata(iscsiAgentSnapshotAge,{$ISCSI.NODATA.TIME})=1 and "
     "min(available,{$ISCSI.NODATA.TIME})=1",
     "iSCSI: snmpd answers, but iscsi-agentx does not",
     dict(priority="AVERAGE", scope="availability", after=["silent"],
          text="iscsi-agentx does not run, is not connected to snmpd, or is not in the view of "
               "this community or user. On the host: systemctl status iscsi-agentx; "
               "iscsi-agentx --check.")),
    ("old", "iscsiAgentSnapshotAge",
     "min(iscsiAgentSnapshotAge,{$ISCSI.SNAPSHOT.TIME})>{$ISCSI.SNAPSHOT.AGE.MAX}",
     "iSCSI: iscsi-agentx shows nothing new",
     dict(priority="AVERAGE", scope="availability", after=["absent"],
          event="iSCSI: iscsi-agentx shows nothing new for more than "
                "{$ISCSI.SNAPSHOT.AGE.MAX} s",
          data="Age: {ITEM.LASTVALUE1}",
          text="The agent process stands still: all values are as old as its last snapshot.")),
    # Neither of these two waits for another: what raises it comes once, maybe while that one still is.
    ("restarted", "iscsiAgentGeneration",
     "last(iscsiAgentGeneration)<max(iscsiAgentGeneration,{$ISCSI.NOTICE.TIME})",
     "iSCSI: iscsi-agentx has been restarted",
     dict(priority="INFO", scope="notice",
          text="The agent process began anew. It is restarted by itself when it fails: look at its "
               "log when nobody did it.")),
    ("critical", "iscsiSumStatus",
     "min(iscsiSumStatus,{$ISCSI.STATUS.TIME})=3 and max(iscsiSumStatus,{$ISCSI.STATUS.TIME})=3",
     "iSCSI: no working path is left to a target or a multipath map",
     dict(priority="HIGH", scope="availability", after=["old"],
          event="iSCSI: {?last(/{HOST.HOST}/iscsi.sum.text)}",
          text="An initiator of this host has no connected path to a target that it should reach, "
               "or no path of a multipath map takes I/O. The problems of the paths say where.")),
    ("few", "iscsiSumSessionsFull",
     "max(iscsiSumSessionsFull,{$ISCSI.PATH.DOWN.TIME})<{$ISCSI.SESSIONS.MIN}",
     "iSCSI: fewer sessions of initiators than there should be",
     dict(priority="AVERAGE", scope="availability", after=["old"],
          event="iSCSI: fewer than {$ISCSI.SESSIONS.MIN} sessions of initiators",
          data="Sessions: {ITEM.LASTVALUE1}",
          text="{$ISCSI.SESSIONS.MIN} says how many there should be.")),
    ("lonely", "iscsiSumSessionsInbound",
     "max(iscsiSumSessionsInbound,{$ISCSI.PATH.DOWN.TIME})<{$ISCSI.INBOUND.MIN}",
     "iSCSI: fewer sessions at targets than there should be",
     dict(priority="AVERAGE", scope="availability", after=["old"],
          event="iSCSI: fewer than {$ISCSI.INBOUND.MIN} sessions at targets",
          data="Sessions: {ITEM.LASTVALUE1}",
          text="{$ISCSI.INBOUND.MIN} says how many there should be.")),
    ("lost", "iscsiAgentNotifyDropped",
     "last(iscsiAgentNotifyDropped)>min(iscsiAgentNotifyDropped,{$ISCSI.NOTICE.TIME})",
     "iSCSI: iscsi-agentx has lost notifications",
     dict(priority="INFO", scope="notice",
          data="Lost: {ITEM.LASTVALUE1}",
          text="snmpd took them too slowly or not at all. What happened is in iscsiEventTable.")),
    # The only notification that no value tells as well: what the limit is, only the host knows.
    ("limit", "notifications", "told(iscsiTargetSessionLimit)",
     "iSCSI: a target has reached its limit of sessions",
     dict(priority="WARNING", scope="capacity", manual=True, once=True,
          data="{ITEM.LASTVALUE1}",
          text="targetSessionLimit in the iscsi-agentx.conf of the host says how many that is. The "
               "item Notifications says which target it is. Needs an SNMP trapper.")),
]

# (name, [(drawtype, colour, object)], stacked)
GRAPHS = [
    ("iSCSI: Paths", [("1A7C11", "iscsiSumPathsConnected"), ("F7941D", "iscsiSumPathsReconnecting"),
                      ("F63100", "iscsiSumPathsMissing")], True),
    ("iSCSI: Sessions", [("2774A4", "iscsiSumSessionsFull"), ("F63100", "iscsiSumSessionsFailed"),
                         ("A54F10", "iscsiSumSessionsInbound")], False),
]
