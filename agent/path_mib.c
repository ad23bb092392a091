/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ISCSI-PATH-MIB (mibs/ISCSI-PATH-MIB) as data: scalars of the host and of the agent, paths, the
 * properties of sessions, SCSI devices, sources, probes, multipath maps. The words are explained in
 * mib_columns.h, the row sets in mib_rows.h; columns that are more than one field have an encoder
 * in path_mib_values.h.
 */
#include "agent/mib_rows.h"
#include "agent/path_mib_values.h"
#include "agent/private_oid.h"

enum { CIM_NOT_APPLICABLE = 12 }; /* RequestedState */
enum { CIM_BIDIRECTIONAL = 2 };	  /* Directionality */

#define ROW struct summary

static const struct mib_column iscsiPathSummaryScalars[] = {
	COL_INTEGER(1, iscsiSumStatus, status, READ_ONLY, HOLE),
	COL_TEXT(2, iscsiSumText, text, READ_ONLY, HOLE),
	COL_GAUGE32(3, iscsiSumSessions, sessions, READ_ONLY, HOLE),
	COL_GAUGE32(4, iscsiSumSessionsFull, sessions_full, READ_ONLY, HOLE),
	COL_GAUGE32(5, iscsiSumSessionsFailed, sessions_failed, READ_ONLY, HOLE),
	COL_GAUGE32(6, iscsiSumSessionsInbound, sessions_inbound, READ_ONLY, HOLE),
	COL_GAUGE32(7, iscsiSumTargets, targets, READ_ONLY, HOLE),
	COL_GAUGE32(8, iscsiSumPathsExpected, paths_expected, READ_ONLY, HOLE),
	COL_GAUGE32(9, iscsiSumPathsConnected, paths_connected, READ_ONLY, HOLE),
	COL_GAUGE32(10, iscsiSumPathsReconnecting, paths_reconnecting, READ_ONLY, HOLE),
	COL_GAUGE32(11, iscsiSumPathsMissing, paths_missing, READ_ONLY, HOLE),
	COL_GAUGE32(12, iscsiSumMaps, maps, READ_ONLY, HOLE),
	COL_GAUGE32(13, iscsiSumMapsShort, maps_short, READ_ONLY, HOLE),
	COL_GAUGE32(14, iscsiSumDevices, devices, READ_ONLY, HOLE),
	COL_GAUGE32(15, iscsiSumDevicesFaulty, devices_faulty, READ_ONLY, HOLE),
	COL_GAUGE32(16, iscsiSumSources, sources, READ_ONLY, HOLE),
	COL_GAUGE32(17, iscsiSumSourcesFailing, sources_failing, READ_ONLY, HOLE),
};

#undef ROW

#define ROW struct agent_info

static const struct mib_column iscsiPathAgentScalars[] = {
	COL_TEXT(1, iscsiAgentVersion, version, READ_ONLY, HOLE),
	COL_DATE(2, iscsiAgentStarted, started, READ_ONLY, HOLE),
	COL_COUNTER64(3, iscsiAgentGeneration, generation, READ_ONLY, HOLE),
	COL_TIME(4, iscsiAgentSnapshotTime, made, READ_ONLY, EMPTY),
	COL_DATE(5, iscsiAgentSnapshotDate, made, READ_ONLY, HOLE),
	COL_COMPUTED(6, iscsiAgentSnapshotAge, MIB_GAUGE32, READ_ONLY, encode_snapshot_age, HOLE),
	COL_COUNTER32(21, iscsiAgentNotifySent, notify_sent, READ_ONLY, HOLE),
	COL_GAUGE32(22, iscsiAgentNotifyWaiting, notify_waiting, READ_ONLY, HOLE),
	COL_COUNTER32(23, iscsiAgentNotifySuppressed, notify_suppressed, READ_ONLY, HOLE),
	COL_COUNTER32(24, iscsiAgentNotifyDropped, notify_dropped, READ_ONLY, HOLE),
};

#undef ROW

#define ROW struct path

static const struct mib_column iscsiPathTable[] = {
	COL_INTEGER(2, iscsiPathStatus, status, READ_ONLY, HOLE),
	COL_TRUTH(3, iscsiPathExpected, expected, READ_ONLY, HOLE),
	COL_INTEGER(4, iscsiPathDirection, direction, READ_ONLY, HOLE),
	COL_TEXT(5, iscsiPathInitiatorName, initiator_name, READ_ONLY, HOLE),
	COL_TEXT(6, iscsiPathTargetName, target_name, READ_ONLY, HOLE),
	COL_TEXT(7, iscsiPathIface, iface, READ_ONLY, HOLE),
	COL_COMPUTED(8, iscsiPathPortal, MIB_OCTETS, READ_ONLY, encode_portal, HOLE),
	COL_U32(9, iscsiPathPortalTag, portal_tag, READ_ONLY, HOLE),
	COL_COMPUTED(10, iscsiPathLocalPortal, MIB_OCTETS, READ_ONLY, encode_local_portal, HOLE),
	COL_COMPUTED(11, iscsiPathLocalAddrType, MIB_INTEGER, READ_ONLY, encode_local_address_type,
		HOLE),
	COL_COMPUTED(12, iscsiPathLocalAddr, MIB_OCTETS, READ_ONLY, encode_local_address, HOLE),
	COL_COMPUTED(13, iscsiPathLocalPort, MIB_UNSIGNED32, READ_ONLY, encode_local_port, HOLE),
	COL_COMPUTED(14, iscsiPathRemotePortal, MIB_OCTETS, READ_ONLY, encode_remote_portal, HOLE),
	COL_COMPUTED(15, iscsiPathRemoteAddrType, MIB_INTEGER, READ_ONLY,
		encode_remote_address_type, HOLE),
	COL_COMPUTED(16, iscsiPathRemoteAddr, MIB_OCTETS, READ_ONLY, encode_remote_address, HOLE),
	COL_COMPUTED(17, iscsiPathRemotePort, MIB_UNSIGNED32, READ_ONLY, encode_remote_port, HOLE),
	COL_TEXT(18, iscsiPathNetdev, netdev, READ_ONLY, HOLE),
	COL_TEXT(19, iscsiPathTransport, transport, READ_ONLY, HOLE),
	COL_COMPUTED(20, iscsiPathConnection, MIB_OBJECT_ID, READ_ONLY, encode_connection_pointer,
		EMPTY),
	COL_COMPUTED(
		21, iscsiPathUniqueConnectionId, MIB_COUNTER64, READ_ONLY, encode_unique_id, HOLE),
	COL_GAUGE32(22, iscsiPathLinkSpeed, link_speed, READ_ONLY, HOLE),
	COL_U32(23, iscsiPathWeight, weight, READ_ONLY, HOLE),
	COL_COMPUTED(24, iscsiPathPrimary, MIB_INTEGER, READ_ONLY, encode_primary, HOLE),
	COL_TRUTH(25, iscsiPathTcpOffload, tcp_offload, READ_ONLY, HOLE),
	COL_TEXT(26, iscsiPathMapName, map_name, READ_ONLY, HOLE),
	COL_TEXT(27, iscsiPathMapWwid, map_wwid, READ_ONLY, HOLE),
	COL_INTEGER(28, iscsiPathChecker, checker_state, READ_ONLY, HOLE),
	COL_INTEGER(29, iscsiPathAccess, access_state, READ_ONLY, HOLE),
	COL_COUNTER32(30, iscsiPathReconnects, reconnects, READ_ONLY, HOLE),
	COL_COUNTER32(31, iscsiPathFailures, failures, READ_ONLY, HOLE),
	COL_U32(32, iscsiPathLastError, last_error, READ_ONLY, HOLE),
	COL_COMPUTED(33, iscsiPathLastErrorText, MIB_OCTETS, READ_ONLY, encode_error_text, HOLE),
	COL_DATE(34, iscsiPathLastErrorDate, last_error_time, READ_ONLY, HOLE),
	COL_U32(35, iscsiPathLoginClass, login_class, READ_ONLY, HOLE),
	COL_U32(36, iscsiPathLoginDetail, login_detail, READ_ONLY, HOLE),
	COL_COMPUTED(37, iscsiPathLoginText, MIB_OCTETS, READ_ONLY, encode_login_text, HOLE),
	COL_DATE(38, iscsiPathLoginDate, login_time, READ_ONLY, HOLE),
	COL_COMPUTED(39, iscsiPathStatusAge, MIB_GAUGE32, READ_ONLY, encode_status_age, HOLE),
	COL_COMPUTED(40, iscsiPathStatusDate, MIB_OCTETS, READ_ONLY, encode_status_date, HOLE),
	COL_GAUGE32(41, iscsiPathLastOutage, outage_ms, READ_ONLY, HOLE),
	COL_DATE(42, iscsiPathLastOutageEnd, outage_end, READ_ONLY, HOLE),
	COL_U32(43, iscsiPathRecoveryTimeout, recovery_timeout, READ_ONLY, HOLE),
	COL_U32(44, iscsiPathNopInterval, nop_interval, READ_ONLY, HOLE),
	COL_U32(45, iscsiPathNopTimeout, nop_timeout, READ_ONLY, HOLE),
	COL_GAUGE32(46, iscsiPathTcpRtt, tcp_rtt, READ_ONLY, HOLE),
	COL_COUNTER32(47, iscsiPathTcpRetransmits, tcp_retransmits, READ_ONLY, HOLE),
	COL_TIME(48, iscsiPathDiscontinuityTime, discontinuity, READ_ONLY, EMPTY),
	COL_COMPUTED(
		49, iscsiPathSessionNumber, MIB_UNSIGNED32, READ_ONLY, encode_session_number, HOLE),
};

#undef ROW

#define ROW struct session

static const struct mib_column iscsiSsnPropTable[] = {
	COL_COMPUTED(1, iscsiSsnPropCaption, MIB_OCTETS, READ_ONLY, encode_caption, HOLE),
	COL_COMPUTED(2, iscsiSsnPropDescription, MIB_OCTETS, READ_ONLY, encode_description, HOLE),
	COL_COMPUTED(3, iscsiSsnPropElementName, MIB_OCTETS, READ_ONLY, encode_element_name, HOLE),
	COL_COMPUTED(4, iscsiSsnPropName, MIB_OCTETS, READ_ONLY, encode_name, HOLE),
	COL_COMPUTED(5, iscsiSsnPropInstanceID, MIB_OCTETS, READ_ONLY, encode_instance_id, HOLE),
	COL_COMPUTED(
		6, iscsiSsnPropEndPointName, MIB_OCTETS, READ_ONLY, encode_end_point_name, HOLE),
	COL_DATE(7, iscsiSsnPropInstallDate, created, READ_ONLY, HOLE),
	COL_COMPUTED(8, iscsiSsnPropOperationalStatus, MIB_INTEGER, READ_ONLY,
		encode_operational_status, HOLE),
	COL_COMPUTED(9, iscsiSsnPropStatusDescriptions, MIB_OCTETS, READ_ONLY,
		encode_status_descriptions, HOLE),
	COL_COMPUTED(10, iscsiSsnPropStatus, MIB_OCTETS, READ_ONLY, encode_status, HOLE),
	COL_COMPUTED(
		11, iscsiSsnPropHealthState, MIB_INTEGER, READ_ONLY, encode_health_state, HOLE),
	COL_COMPUTED(
		12, iscsiSsnPropEnabledState, MIB_INTEGER, READ_ONLY, encode_enabled_state, HOLE),
	COL_CONSTANT(13, iscsiSsnPropRequestedState, CIM_NOT_APPLICABLE, READ_ONLY),
	COL_INTEGER(14, iscsiSsnPropEnabledDefault, enabled_default, READ_ONLY, HOLE),
	COL_COMPUTED(15, iscsiSsnPropOtherEnabledState, MIB_OCTETS, READ_ONLY, mib_encode_nothing,
		EMPTY),
	COL_COMPUTED(16, iscsiSsnPropTimeOfLastStateChange, MIB_OCTETS, READ_ONLY,
		encode_condition_date, HOLE),
	COL_COMPUTED(17, iscsiSsnPropAggregationBehavior, MIB_INTEGER, READ_ONLY,
		encode_aggregation, HOLE),
	COL_CONSTANT(18, iscsiSsnPropDirectionality, CIM_BIDIRECTIONAL, READ_ONLY),
	COL_U32(19, iscsiSsnPropMaxConnections, negotiated_max_connections, READ_ONLY, HOLE),
	COL_U32(20, iscsiSsnPropDefaultTimeToWait, negotiated_time2wait, READ_ONLY, HOLE),
	COL_U32(21, iscsiSsnPropDefaultTimeToRetain, negotiated_time2retain, READ_ONLY, HOLE),
	COL_COMPUTED(
		22, iscsiSsnPropSessionType, MIB_INTEGER, READ_ONLY, encode_session_type, HOLE),
	COL_U32(23, iscsiSsnPropKernelNumber, kernel_number, READ_ONLY, HOLE),
	COL_U32(24, iscsiSsnPropHostNumber, host_number, READ_ONLY, HOLE),
	COL_TEXT(25, iscsiSsnPropTransport, transport, READ_ONLY, HOLE),
	COL_TEXT(26, iscsiSsnPropIface, iface, READ_ONLY, HOLE),
	COL_TEXT(27, iscsiSsnPropNetdev, netdev, READ_ONLY, HOLE),
	COL_GAUGE32(28, iscsiSsnPropDevices, device_count, READ_ONLY, HOLE),
	COL_GAUGE32(29, iscsiSsnPropDevicesFaulty, device_fault_count, READ_ONLY, HOLE),
};

#undef ROW

#define ROW struct device

static const struct mib_column iscsiDevTable[] = {
	COL_TEXT(2, iscsiDevAddress, hctl, READ_ONLY, HOLE),
	COL_TEXT(3, iscsiDevName, name, READ_ONLY, HOLE),
	COL_COUNTER64(4, iscsiDevSize, size, READ_ONLY, HOLE),
	COL_TEXT(5, iscsiDevVendor, vendor, READ_ONLY, HOLE),
	COL_TEXT(6, iscsiDevModel, model, READ_ONLY, HOLE),
	COL_INTEGER(7, iscsiDevState, state, READ_ONLY, HOLE),
	COL_INTEGER(8, iscsiDevAccess, access_state, READ_ONLY, HOLE),
	COL_TRUTH(9, iscsiDevPreferred, preferred, READ_ONLY, HOLE),
	COL_TEXT(10, iscsiDevMapName, map_name, READ_ONLY, HOLE),
	COL_TEXT(11, iscsiDevMapWwid, map_wwid, READ_ONLY, HOLE),
	COL_COUNTER32(12, iscsiDevRequests, requests, READ_ONLY, HOLE),
	COL_COUNTER32(13, iscsiDevCompletions, completions, READ_ONLY, HOLE),
	COL_COUNTER32(14, iscsiDevErrors, errors, READ_ONLY, HOLE),
	COL_COUNTER32(15, iscsiDevTimeouts, timeouts, READ_ONLY, HOLE),
	COL_INTEGER(16, iscsiDevMapPathState, map_path_state, READ_ONLY, HOLE),
	COL_INTEGER(17, iscsiDevMapChecker, map_checker, READ_ONLY, HOLE),
	COL_U32(18, iscsiDevMapPriority, map_priority, READ_ONLY, HOLE),
	COL_U32(19, iscsiDevMapGroup, map_group, READ_ONLY, HOLE),
	COL_INTEGER(20, iscsiDevMapGroupState, map_group_state, READ_ONLY, HOLE),
};

#undef ROW

#define ROW struct source_info

static const struct mib_column iscsiSourceTable[] = {
	COL_TEXT(2, iscsiSourceName, name, READ_ONLY, HOLE),
	COL_TEXT(3, iscsiSourceUnit, unit, READ_ONLY, EMPTY),
	COL_INTEGER(4, iscsiSourceState, state, READ_ONLY, HOLE),
	COL_TEXT(5, iscsiSourceLastError, last_error, READ_ONLY, EMPTY),
	COL_U32(6, iscsiSourceInstance, instance_number, READ_ONLY, OR(0)),
	COL_COMPUTED(7, iscsiSourceAge, MIB_GAUGE32, READ_ONLY, encode_source_age, HOLE),
	COL_COMPUTED(8, iscsiSourceLastGood, MIB_OCTETS, READ_ONLY, encode_source_good, HOLE),
	COL_COUNTER32(9, iscsiSourcePolls, polls, READ_ONLY, HOLE),
	COL_COUNTER32(10, iscsiSourceFailures, failures, READ_ONLY, HOLE),
	COL_GAUGE32(11, iscsiSourceDuration, wall_us, READ_ONLY, HOLE),
	COL_GAUGE32(12, iscsiSourceCpu, cpu_us, READ_ONLY, HOLE),
	COL_COUNTER32(13, iscsiSourceRestarts, restarts, READ_ONLY, HOLE),
	COL_GAUGE32(14, iscsiSourceRows, rows, READ_ONLY, HOLE),
};

#undef ROW

#define ROW struct probe

static const struct mib_column iscsiPathProbeTable[] = {
	COL_INTEGER(2, iscsiPathProbeResult, result, READ_ONLY, HOLE),
	COL_TEXT(3, iscsiPathProbeText, text, READ_ONLY, HOLE),
	COL_COMPUTED(4, iscsiPathProbePortal, MIB_OCTETS, READ_ONLY, encode_probe_portal, HOLE),
	COL_ADDRESS_TYPE(5, iscsiPathProbeAddrType, portal_address, READ_ONLY, HOLE),
	COL_ADDRESS(6, iscsiPathProbeAddr, portal_address, READ_ONLY, HOLE),
	COL_U32(7, iscsiPathProbePort, portal_port, READ_ONLY, HOLE),
	COL_TEXT(8, iscsiPathProbeTargetName, target_name, READ_ONLY, HOLE),
	COL_TEXT(9, iscsiPathProbeInitiatorName, initiator_name, READ_ONLY, HOLE),
	COL_INTEGER(10, iscsiPathProbeOrigin, origin, READ_ONLY, HOLE),
	COL_GAUGE32(11, iscsiPathProbeConnectTime, connect_us, READ_ONLY, HOLE),
	COL_GAUGE32(12, iscsiPathProbeLoginTime, login_us, READ_ONLY, HOLE),
	COL_GAUGE32(13, iscsiPathProbePingTime, ping_us, READ_ONLY, HOLE),
	COL_U32(14, iscsiPathProbeLoginClass, login_class, READ_ONLY, HOLE),
	COL_U32(15, iscsiPathProbeLoginDetail, login_detail, READ_ONLY, HOLE),
	COL_COMPUTED(
		16, iscsiPathProbeLoginText, MIB_OCTETS, READ_ONLY, encode_probe_login_text, HOLE),
	COL_GAUGE32(17, iscsiPathProbeTargets, target_count, READ_ONLY, HOLE),
	COL_TEXT(18, iscsiPathProbeRedirect, redirect, READ_ONLY, HOLE),
	COL_TEXT(19, iscsiPathProbeAlias, alias, READ_ONLY, HOLE),
	COL_U32(20, iscsiPathProbePortalTag, tag, READ_ONLY, HOLE),
	COL_U32(21, iscsiPathProbeMaxRecv, max_recv_data_segment_length, READ_ONLY, HOLE),
	COL_TEXT(22, iscsiPathProbeKeys, keys, READ_ONLY, HOLE),
	COL_DATE(23, iscsiPathProbeLast, probed, READ_ONLY, HOLE),
	COL_DATE(24, iscsiPathProbeLastAnswer, answered, READ_ONLY, HOLE),
	COL_GAUGE32(25, iscsiPathProbeFailures, failures, READ_ONLY, HOLE),
};

#undef ROW

#define ROW struct event

static const struct mib_column iscsiEventTable[] = {
	COL_INTEGER(2, iscsiEventType, type, READ_ONLY, HOLE),
	COL_COMPUTED(3, iscsiEventDate, MIB_OCTETS, READ_ONLY, encode_event_date, HOLE),
	COL_TIME(4, iscsiEventTime, time, READ_ONLY, EMPTY),
	COL_TEXT(5, iscsiEventSubject, subject, READ_ONLY, EMPTY),
	COL_TEXT(6, iscsiEventText, text, READ_ONLY, EMPTY),
	COL_COMPUTED(7, iscsiEventRow, MIB_OBJECT_ID, READ_ONLY, encode_event_row, EMPTY),
	COL_INTEGER(8, iscsiEventTold, told, READ_ONLY, HOLE),
};

#undef ROW

#define ROW struct map

static const struct mib_column iscsiMapTable[] = {
	COL_TEXT(2, iscsiMapName, name, READ_ONLY, HOLE),
	COL_TEXT(3, iscsiMapWwid, wwid, READ_ONLY, HOLE),
	COL_INTEGER(4, iscsiMapStatus, status, READ_ONLY, HOLE),
	COL_TEXT(5, iscsiMapDevice, device, READ_ONLY, HOLE),
	COL_COUNTER64(6, iscsiMapSize, size, READ_ONLY, HOLE),
	COL_INTEGER(7, iscsiMapState, dm_state, READ_ONLY, HOLE),
	COL_TEXT(8, iscsiMapQueueing, queueing, READ_ONLY, HOLE),
	COL_GAUGE32(9, iscsiMapPaths, path_count, READ_ONLY, HOLE),
	COL_GAUGE32(10, iscsiMapPathsActive, active_count, READ_ONLY, HOLE),
	COL_GAUGE32(11, iscsiMapPathsIscsi, iscsi_count, READ_ONLY, HOLE),
	COL_GAUGE32(12, iscsiMapPathsMissing, missing_count, READ_ONLY, HOLE),
};

#undef ROW

static const struct mib_table tables[] = {
	SCALARS(iscsiPathSummary, rows_summary, 1, 1),
	SCALARS(iscsiPathAgent, rows_agent, 1, 2),
	TABLE(iscsiPath, rows_path, 1, 3, 1),
	TABLE(iscsiSsnProp, rows_session, 1, 4, 1),
	TABLE(iscsiDev, rows_device, 1, 5, 1),
	TABLE(iscsiSource, rows_source, 1, 6, 1),
	TABLE(iscsiPathProbe, rows_probe, 1, 7, 1),
	TABLE(iscsiEvent, rows_event, 1, 8, 1),
	TABLE(iscsiMap, rows_map, 1, 9, 1),
};

#define EVENT_OBJECTS "iscsiEventDate", "iscsiEventText"
#define PATH_OBJECTS  "iscsiPathInitiatorName", "iscsiPathTargetName", "iscsiPathPortal"
#define MAP_OBJECTS \
	"iscsiMapName", "iscsiMapWwid", "iscsiMapStatus", "iscsiMapPaths", "iscsiMapPathsActive"

static const struct mib_notification notifications[] = {
	NOTIFICATION(iscsiPathDown, 1, rows_path, UNASKED, EVENT_OBJECTS, "iscsiPathStatus",
		PATH_OBJECTS, "iscsiPathLastErrorText"),
	NOTIFICATION(iscsiPathUp, 2, rows_path, UNASKED, EVENT_OBJECTS, "iscsiPathStatus",
		PATH_OBJECTS, "iscsiPathLastOutage"),
	NOTIFICATION(iscsiPathMissing, 3, rows_path, UNASKED, EVENT_OBJECTS, "iscsiPathStatus",
		PATH_OBJECTS),
	NOTIFICATION(iscsiPathFound, 4, rows_path, UNASKED, EVENT_OBJECTS, "iscsiPathStatus",
		PATH_OBJECTS),
	NOTIFICATION(iscsiPathPrimaryChanged, 5, rows_path, UNASKED, EVENT_OBJECTS,
		"iscsiPathPrimary", "iscsiPathWeight", "iscsiPathTargetName", "iscsiPathPortal",
		"iscsiPathMapName"),
	NOTIFICATION(iscsiMapDegraded, 6, rows_map, UNASKED, EVENT_OBJECTS, MAP_OBJECTS,
		"iscsiMapPathsMissing"),
	NOTIFICATION(iscsiMapRestored, 7, rows_map, UNASKED, EVENT_OBJECTS, MAP_OBJECTS),
	NOTIFICATION(iscsiSessionHealthChanged, 8, rows_session, UNASKED, EVENT_OBJECTS,
		"iscsiSsnPropHealthState", "iscsiSsnPropOperationalStatus",
		"iscsiSsnPropStatusDescriptions"),
	NOTIFICATION(
		iscsiTargetSessionLimit, 9, rows_event, UNASKED, EVENT_OBJECTS, "iscsiEventRow"),
	NOTIFICATION(iscsiSourceStale, 10, rows_source, UNASKED, EVENT_OBJECTS, "iscsiSourceName",
		"iscsiSourceUnit", "iscsiSourceState", "iscsiSourceLastError"),
	NOTIFICATION(iscsiSourceRecovered, 11, rows_source, UNASKED, EVENT_OBJECTS,
		"iscsiSourceName", "iscsiSourceUnit", "iscsiSourceState"),
	NOTIFICATION(iscsiFlapping, 12, rows_event, UNASKED, EVENT_OBJECTS, "iscsiEventSubject",
		"iscsiEventRow"),
};

static const mib_oid root[] = { ISCSI_AGENTX_PRIVATE_OID, 1 };

const struct mib_module path_mib = {
	.name = "ISCSI-PATH-MIB",
	.root = root,
	.root_length = ARRAY_SIZE(root),
	.tables = tables,
	.table_count = ARRAY_SIZE(tables),
	.notifications = notifications,
	.notification_count = ARRAY_SIZE(notifications),
};
