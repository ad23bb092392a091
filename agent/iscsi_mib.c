/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ISCSI-MIB, RFC 7147, as data: 18 tables with 135 columns, and 3 notifications. The words are
 * explained in mib_columns.h, the row sets in mib_rows.h; docs/ADDING-A-COLUMN.md shows how to add
 * one. The comments give the rule of the RFC only where a column does not simply show its field.
 *
 * Every object is served read-only, whatever access the module gives it: nothing here can be set.
 */
#include "agent/mib_columns.h"
#include "agent/mib_rows.h"

enum { FALSE = 2 };		/* TruthValue */
enum { STORAGE_READ_ONLY = 5 }; /* StorageType */
enum { DIRECTION_INBOUND = 1, DIRECTION_OUTBOUND };

/* ---- 1: instances, one for each stack ---- */

#define ROW struct instance

static const struct mib_column iscsiInstanceAttributesTable[] = {
	COL_TEXT(2, iscsiInstDescr, description, READ_ONLY, EMPTY),
	COL_U32(3, iscsiInstVersionMin, version_min, READ_ONLY, OR(0)),
	COL_U32(4, iscsiInstVersionMax, version_max, READ_ONLY, OR(0)),
	COL_TEXT(5, iscsiInstVendorID, vendor, READ_ONLY, EMPTY),
	COL_TEXT(6, iscsiInstVendorVersion, vendor_version, READ_ONLY, EMPTY),
	COL_U32(7, iscsiInstPortalNumber, portal_count, READ_ONLY, HOLE),
	COL_U32(8, iscsiInstNodeNumber, node_count, READ_ONLY, HOLE),
	COL_U32(9, iscsiInstSessionNumber, session_count, READ_ONLY, HOLE),
	COL_COUNTER32(10, iscsiInstSsnFailures, session_failures, READ_ONLY, HOLE),
	COL_CAUSE(11, iscsiInstLastSsnFailureType, last_failure_type, READ_ONLY,
		iscsiInstanceSsnErrorStatsTable, 1),
	COL_ISCSI_NAME(12, iscsiInstLastSsnRmtNodeName, last_failure_remote_name, READ_ONLY, EMPTY),
	COL_TIME(13, iscsiInstDiscontinuityTime, discontinuity, READ_ONLY, EMPTY),
	COL_TEXT(14, iscsiInstXNodeArchitecture, node_architecture, READ_ONLY, EMPTY),
};

static const struct mib_column iscsiInstanceSsnErrorStatsTable[] = {
	COL_COUNTER32(1, iscsiInstSsnDigestErrors, digest_errors, READ_ONLY, HOLE),
	COL_COUNTER32(2, iscsiInstSsnCxnTimeoutErrors, connection_timeouts, READ_ONLY, HOLE),
	COL_COUNTER32(3, iscsiInstSsnFormatErrors, format_errors, READ_ONLY, HOLE),
	COL_COUNTER32(4, iscsiInstSsnTgtUnmappedErrors, target_unmapped, READ_ONLY, HOLE),
};

#undef ROW

/* ---- 2, 3, 4: portals ---- */

#define ROW struct portal

static const struct mib_column iscsiPortalAttributesTable[] = {
	COL_INTEGER(2, iscsiPortalRowStatus, row_status, READ_CREATE, HOLE),
	COL_BITS(3, iscsiPortalRoles, roles, READ_CREATE, HOLE),
	COL_ADDRESS_TYPE(4, iscsiPortalAddrType, address, READ_CREATE, HOLE),
	COL_ADDRESS(5, iscsiPortalAddr, address, READ_CREATE, HOLE),
	COL_U32(6, iscsiPortalProtocol, protocol, READ_CREATE, HOLE), /* iSER may have no number */
	COL_U32(7, iscsiPortalMaxRecvDataSegLength, max_recv_data_segment_length, READ_CREATE,
		HOLE),
	COL_INTEGER(8, iscsiPortalPrimaryHdrDigest, primary_header_digest, READ_CREATE, HOLE),
	COL_INTEGER(9, iscsiPortalPrimaryDataDigest, primary_data_digest, READ_CREATE, HOLE),
	COL_INTEGER(10, iscsiPortalSecondaryHdrDigest, secondary_header_digest, READ_CREATE, HOLE),
	COL_INTEGER(11, iscsiPortalSecondaryDataDigest, secondary_data_digest, READ_CREATE, HOLE),
	COL_TRUTH(12, iscsiPortalRecvMarker, recv_marker, READ_CREATE, OR(FALSE)),
	COL_CONSTANT(13, iscsiPortalStorageType, STORAGE_READ_ONLY, READ_CREATE),
	COL_TEXT(14, iscsiPortalDescr, description, READ_ONLY, EMPTY),
};

static const struct mib_column iscsiTgtPortalAttributesTable[] = {
	COL_U32(2, iscsiTgtPortalPort, port, READ_WRITE, HOLE),
	COL_U32(3, iscsiTgtPortalTag, tag, READ_WRITE, HOLE),
};

static const struct mib_column iscsiIntrPortalAttributesTable[] = {
	COL_U32(2, iscsiIntrPortalTag, tag, READ_WRITE, HOLE),
};

#undef ROW

/* ---- 5: nodes; 6, 8: what they count as target and as initiator ---- */

#define ROW struct node

static const struct mib_column iscsiNodeAttributesTable[] = {
	COL_ISCSI_NAME(2, iscsiNodeName, name, READ_ONLY, HOLE),
	COL_TEXT(3, iscsiNodeAlias, alias, READ_ONLY, HOLE),
	COL_BITS(4, iscsiNodeRoles, roles, READ_ONLY, HOLE),
	COL_NO_POINTER(5, iscsiNodeTransportType, READ_ONLY), /* 0.0: no SCSI-MIB is served */
	COL_TRUTH(6, iscsiNodeInitialR2T, initial_r2t, READ_ONLY, HOLE),
	COL_TRUTH(7, iscsiNodeImmediateData, immediate_data, READ_WRITE, HOLE),
	COL_U32(8, iscsiNodeMaxOutstandingR2T, max_outstanding_r2t, READ_WRITE, HOLE),
	COL_U32(9, iscsiNodeFirstBurstLength, first_burst_length, READ_WRITE, HOLE),
	COL_U32(10, iscsiNodeMaxBurstLength, max_burst_length, READ_WRITE, HOLE),
	COL_U32(11, iscsiNodeMaxConnections, max_connections, READ_WRITE, HOLE),
	COL_TRUTH(12, iscsiNodeDataSequenceInOrder, data_sequence_in_order, READ_WRITE, HOLE),
	COL_TRUTH(13, iscsiNodeDataPDUInOrder, data_pdu_in_order, READ_WRITE, HOLE),
	COL_U32(14, iscsiNodeDefaultTime2Wait, default_time2wait, READ_WRITE, HOLE),
	COL_U32(15, iscsiNodeDefaultTime2Retain, default_time2retain, READ_WRITE, HOLE),
	COL_U32(16, iscsiNodeErrorRecoveryLevel, error_recovery_level, READ_WRITE, HOLE),
	COL_TIME(17, iscsiNodeDiscontinuityTime, discontinuity, READ_ONLY, EMPTY),
	COL_CONSTANT(18, iscsiNodeStorageType, STORAGE_READ_ONLY, READ_WRITE),
};

static const struct mib_column iscsiTargetAttributesTable[] = {
	COL_COUNTER32(1, iscsiTgtLoginFailures, target_login_failures, READ_ONLY, HOLE),
	COL_TIME(2, iscsiTgtLastFailureTime, target_last_failure_time, READ_ONLY, EMPTY),
	COL_CAUSE(3, iscsiTgtLastFailureType, target_last_failure_type, READ_ONLY,
		iscsiTargetLoginStatsTable, 2),
	COL_ISCSI_NAME(4, iscsiTgtLastIntrFailureName, target_last_failure_name, READ_ONLY, EMPTY),
	COL_ADDRESS_TYPE(
		5, iscsiTgtLastIntrFailureAddrType, target_last_failure_address, READ_ONLY, EMPTY),
	COL_ADDRESS(6, iscsiTgtLastIntrFailureAddr, target_last_failure_address, READ_ONLY, EMPTY),
	COL_U32(7, iscsiTgtLastIntrFailurePort, target_last_failure_port, READ_ONLY, OR(0)),
};

static const struct mib_column iscsiTargetLoginStatsTable[] = {
	COL_COUNTER32(1, iscsiTgtLoginAccepts, target_login_accepts, READ_ONLY, HOLE),
	COL_COUNTER32(2, iscsiTgtLoginOtherFails, target_login_other_fails, READ_ONLY, HOLE),
	COL_COUNTER32(3, iscsiTgtLoginRedirects, target_login_redirects, READ_ONLY, HOLE),
	COL_COUNTER32(
		4, iscsiTgtLoginAuthorizeFails, target_login_authorize_fails, READ_ONLY, HOLE),
	COL_COUNTER32(5, iscsiTgtLoginAuthenticateFails, target_login_authenticate_fails, READ_ONLY,
		HOLE),
	COL_COUNTER32(
		6, iscsiTgtLoginNegotiateFails, target_login_negotiate_fails, READ_ONLY, HOLE),
};

static const struct mib_column iscsiTargetLogoutStatsTable[] = {
	COL_COUNTER32(1, iscsiTgtLogoutNormals, target_logout_normals, READ_ONLY, HOLE),
	COL_COUNTER32(2, iscsiTgtLogoutOthers, target_logout_others, READ_ONLY, HOLE),
	COL_COUNTER32(3, iscsiTgtLogoutCxnClosed, target_logout_cxn_closed, READ_ONLY, HOLE),
	COL_COUNTER32(4, iscsiTgtLogoutCxnRemoved, target_logout_cxn_removed, READ_ONLY, HOLE),
};

static const struct mib_column iscsiInitiatorAttributesTable[] = {
	COL_COUNTER32(1, iscsiIntrLoginFailures, initiator_login_failures, READ_ONLY, HOLE),
	COL_TIME(2, iscsiIntrLastFailureTime, initiator_last_failure_time, READ_ONLY, EMPTY),
	COL_CAUSE(3, iscsiIntrLastFailureType, initiator_last_failure_type, READ_ONLY,
		iscsiInitiatorLoginStatsTable, 2),
	COL_ISCSI_NAME(
		4, iscsiIntrLastTgtFailureName, initiator_last_failure_name, READ_ONLY, EMPTY),
	COL_ADDRESS_TYPE(5, iscsiIntrLastTgtFailureAddrType, initiator_last_failure_address,
		READ_ONLY, EMPTY),
	COL_ADDRESS(
		6, iscsiIntrLastTgtFailureAddr, initiator_last_failure_address, READ_ONLY, EMPTY),
	COL_U32(7, iscsiIntrLastTgtFailurePort, initiator_last_failure_port, READ_ONLY, OR(0)),
};

static const struct mib_column iscsiInitiatorLoginStatsTable[] = {
	COL_COUNTER32(1, iscsiIntrLoginAcceptRsps, initiator_login_accepts, READ_ONLY, HOLE),
	COL_COUNTER32(2, iscsiIntrLoginOtherFailRsps, initiator_login_other_fails, READ_ONLY, HOLE),
	COL_COUNTER32(3, iscsiIntrLoginRedirectRsps, initiator_login_redirects, READ_ONLY, HOLE),
	COL_COUNTER32(4, iscsiIntrLoginAuthFailRsps, initiator_login_auth_fails, READ_ONLY, HOLE),
	COL_COUNTER32(5, iscsiIntrLoginAuthenticateFails, initiator_login_authenticate_fails,
		READ_ONLY, HOLE),
	COL_COUNTER32(
		6, iscsiIntrLoginNegotiateFails, initiator_login_negotiate_fails, READ_ONLY, HOLE),
	COL_COUNTER32(
		7, iscsiIntrLoginAuthorizeFails, initiator_login_authorize_fails, READ_ONLY, HOLE),
};

static const struct mib_column iscsiInitiatorLogoutStatsTable[] = {
	COL_COUNTER32(1, iscsiIntrLogoutNormals, initiator_logout_normals, READ_ONLY, HOLE),
	COL_COUNTER32(2, iscsiIntrLogoutOthers, initiator_logout_others, READ_ONLY, HOLE),
};

#undef ROW

/* ---- 7, 9: who may use a target, whom an initiator uses ---- */

#define ROW struct auth

static const struct mib_column iscsiTgtAuthAttributesTable[] = {
	COL_INTEGER(2, iscsiTgtAuthRowStatus, row_status, READ_CREATE, HOLE),
	COL_NO_POINTER(3, iscsiTgtAuthIdentity, READ_CREATE), /* 0.0: no IPS-AUTH-MIB is served */
	COL_CONSTANT(4, iscsiTgtAuthStorageType, STORAGE_READ_ONLY, READ_CREATE),
};

static const struct mib_column iscsiIntrAuthAttributesTable[] = {
	COL_INTEGER(2, iscsiIntrAuthRowStatus, row_status, READ_CREATE, HOLE),
	COL_NO_POINTER(3, iscsiIntrAuthIdentity, READ_CREATE),
	COL_CONSTANT(4, iscsiIntrAuthStorageType, STORAGE_READ_ONLY, READ_CREATE),
};

#undef ROW

/* ---- 10: sessions ---- */

/*
 * The name of the node at the other end, in one of two columns; the other one is a zero-length
 * string. The name that belongs there and is not known is a hole.
 */
static bool encode_peer(const struct mib_cell *cell, uint32_t direction, const struct opt_str *name,
	struct mib_value *ret)
{
	const struct session *s = cell->row->object;

	if (s->direction.known && s->direction.value != direction)
		return mib_encode_nothing(cell, ret);
	return name->known && mib_show_iscsi_name(cell, name, ret);
}

static bool encode_session_initiator(const struct mib_cell *cell, struct mib_value *ret)
{
	const struct session *s = cell->row->object;

	return encode_peer(cell, DIRECTION_INBOUND, &s->initiator_name, ret);
}

static bool encode_session_target(const struct mib_cell *cell, struct mib_value *ret)
{
	const struct session *s = cell->row->object;

	return encode_peer(cell, DIRECTION_OUTBOUND, &s->target_name, ret);
}

#define ROW struct session

static const struct mib_column iscsiSessionAttributesTable[] = {
	COL_INTEGER(3, iscsiSsnDirection, direction, READ_ONLY, HOLE),
	COL_COMPUTED(
		4, iscsiSsnInitiatorName, MIB_OCTETS, READ_ONLY, encode_session_initiator, EMPTY),
	COL_COMPUTED(5, iscsiSsnTargetName, MIB_OCTETS, READ_ONLY, encode_session_target, EMPTY),
	COL_U32(6, iscsiSsnTSIH, tsih, READ_ONLY, HOLE),
	COL_ISID(7, iscsiSsnISID, isid, READ_ONLY, HOLE),
	COL_TEXT(8, iscsiSsnInitiatorAlias, initiator_alias, READ_ONLY, HOLE),
	COL_TEXT(9, iscsiSsnTargetAlias, target_alias, READ_ONLY, HOLE),
	COL_TRUTH(10, iscsiSsnInitialR2T, initial_r2t, READ_ONLY, HOLE),
	COL_TRUTH(11, iscsiSsnImmediateData, immediate_data, READ_ONLY, HOLE),
	COL_INTEGER(12, iscsiSsnType, type, READ_ONLY, HOLE),
	COL_U32(13, iscsiSsnMaxOutstandingR2T, max_outstanding_r2t, READ_ONLY, HOLE),
	COL_U32(14, iscsiSsnFirstBurstLength, first_burst_length, READ_ONLY, HOLE),
	COL_U32(15, iscsiSsnMaxBurstLength, max_burst_length, READ_ONLY, HOLE),
	COL_GAUGE32(16, iscsiSsnConnectionNumber, connection_count, READ_ONLY, HOLE),
	COL_NO_POINTER(17, iscsiSsnAuthIdentity, READ_ONLY),
	COL_TRUTH(18, iscsiSsnDataSequenceInOrder, data_sequence_in_order, READ_ONLY, HOLE),
	COL_TRUTH(19, iscsiSsnDataPDUInOrder, data_pdu_in_order, READ_ONLY, HOLE),
	COL_U32(20, iscsiSsnErrorRecoveryLevel, error_recovery_level, READ_ONLY, HOLE),
	COL_TIME(21, iscsiSsnDiscontinuityTime, discontinuity, READ_ONLY, EMPTY),
	COL_U32(22, iscsiSsnProtocolLevel, protocol_level, READ_ONLY, HOLE),
	COL_BITS(23, iscsiSsnTaskReporting, task_reporting, READ_ONLY, HOLE),
};

static const struct mib_column iscsiSessionStatsTable[] = {
	COL_COUNTER32(1, iscsiSsnCmdPDUs, command_pdus, READ_ONLY, HOLE),
	COL_COUNTER32(2, iscsiSsnRspPDUs, response_pdus, READ_ONLY, HOLE),
	COL_COUNTER64(3, iscsiSsnTxDataOctets, tx_octets, READ_ONLY, HOLE),
	COL_COUNTER64(4, iscsiSsnRxDataOctets, rx_octets, READ_ONLY, HOLE),
	COL_COUNTER32(5, iscsiSsnLCTxDataOctets, tx_octets, READ_ONLY, HOLE),
	COL_COUNTER32(6, iscsiSsnLCRxDataOctets, rx_octets, READ_ONLY, HOLE),
	COL_COUNTER32(7, iscsiSsnNopReceivedPDUs, nop_received_pdus, READ_ONLY, HOLE),
	COL_COUNTER32(8, iscsiSsnNopSentPDUs, nop_sent_pdus, READ_ONLY, HOLE),
};

static const struct mib_column iscsiSessionCxnErrorStatsTable[] = {
	COL_COUNTER32(1, iscsiSsnCxnDigestErrors, connection_digest_errors, READ_ONLY, HOLE),
	COL_COUNTER32(2, iscsiSsnCxnTimeoutErrors, connection_timeouts, READ_ONLY, HOLE),
};

#undef ROW

/* ---- 11: connections ---- */

/*
 * iscsiCxnAddrType is the type of both addresses: of the remote one, which is the better known,
 * else of the local one. A local address of another type cannot be shown.
 */
static const struct opt_addr *typed_address(const struct mib_cell *cell)
{
	const struct connection *c = cell->row->object;

	return c->remote_address.known ? &c->remote_address : &c->local_address;
}

static bool encode_connection_address_type(const struct mib_cell *cell, struct mib_value *ret)
{
	return mib_show_address_type(cell, typed_address(cell), ret);
}

static bool encode_connection_local_address(const struct mib_cell *cell, struct mib_value *ret)
{
	const struct connection *c = cell->row->object;

	return c->local_address.type == typed_address(cell)->type &&
	       mib_show_address(cell, &c->local_address, ret);
}

#define ROW struct connection

static const struct mib_column iscsiConnectionAttributesTable[] = {
	/* Shown as it is, also 0: RFC 7143 allows that, and the MIB's range 1..65535 is an error.
	 */
	COL_U32(2, iscsiCxnCid, cid, READ_ONLY, HOLE),
	COL_INTEGER(3, iscsiCxnState, state, READ_ONLY, HOLE),
	COL_COMPUTED(
		4, iscsiCxnAddrType, MIB_INTEGER, READ_ONLY, encode_connection_address_type, HOLE),
	COL_COMPUTED(
		5, iscsiCxnLocalAddr, MIB_OCTETS, READ_ONLY, encode_connection_local_address, HOLE),
	COL_U32(6, iscsiCxnProtocol, protocol, READ_ONLY, HOLE), /* iSER may have no number */
	COL_U32(7, iscsiCxnLocalPort, local_port, READ_ONLY, HOLE),
	COL_ADDRESS(8, iscsiCxnRemoteAddr, remote_address, READ_ONLY, HOLE),
	COL_U32(9, iscsiCxnRemotePort, remote_port, READ_ONLY, HOLE),
	COL_U32(10, iscsiCxnMaxRecvDataSegLength, max_recv_data_segment_length, READ_ONLY, HOLE),
	COL_U32(11, iscsiCxnMaxXmitDataSegLength, max_xmit_data_segment_length, READ_ONLY, HOLE),
	COL_INTEGER(12, iscsiCxnHeaderIntegrity, header_digest, READ_ONLY, HOLE),
	COL_INTEGER(13, iscsiCxnDataIntegrity, data_digest, READ_ONLY, HOLE),
	COL_TRUTH(14, iscsiCxnRecvMarker, recv_marker, READ_ONLY, OR(FALSE)),
	COL_TRUTH(15, iscsiCxnSendMarker, send_marker, READ_ONLY, OR(FALSE)),
	COL_U32(16, iscsiCxnVersionActive, version_active, READ_ONLY, OR(0)),
};

#undef ROW

/* ---- the module ---- */

/* The path is from the root to the row object: iscsiObjects, group, table, entry. */
static const struct mib_table tables[] = {
	TABLE(iscsiInstanceAttributes, rows_instance, 1, 1, 1, 1),
	TABLE(iscsiInstanceSsnErrorStats, rows_instance, 1, 1, 2, 1),
	TABLE(iscsiPortalAttributes, rows_portal, 1, 2, 1, 1),
	TABLE(iscsiTgtPortalAttributes, rows_tgt_portal, 1, 3, 1, 1),
	TABLE(iscsiIntrPortalAttributes, rows_intr_portal, 1, 4, 1, 1),
	TABLE(iscsiNodeAttributes, rows_node, 1, 5, 1, 1),
	TABLE(iscsiTargetAttributes, rows_target, 1, 6, 1, 1),
	TABLE(iscsiTargetLoginStats, rows_target, 1, 6, 2, 1),
	TABLE(iscsiTargetLogoutStats, rows_target, 1, 6, 3, 1),
	TABLE(iscsiTgtAuthAttributes, rows_tgt_auth, 1, 7, 1, 1),
	TABLE(iscsiInitiatorAttributes, rows_initiator, 1, 8, 1, 1),
	TABLE(iscsiInitiatorLoginStats, rows_initiator, 1, 8, 2, 1),
	TABLE(iscsiInitiatorLogoutStats, rows_initiator, 1, 8, 3, 1),
	TABLE(iscsiIntrAuthAttributes, rows_intr_auth, 1, 9, 1, 1),
	TABLE(iscsiSessionAttributes, rows_session, 1, 10, 1, 1),
	TABLE(iscsiSessionStats, rows_session, 1, 10, 2, 1),
	TABLE(iscsiSessionCxnErrorStats, rows_session, 1, 10, 3, 1),
	TABLE(iscsiConnectionAttributes, rows_connection, 1, 11, 1, 1),
};

/*
 * The triggers are the counters whose DESCRIPTION asks for the notification, and
 * iscsiIntrLoginAuthFailRsps: section 6.16 wants failed authentications told, and it counts those
 * that the target has found.
 */
static const struct mib_notification notifications[] = {
	NOTIFICATION(iscsiTgtLoginFailure, 1, rows_target,
		WHEN_GROWN("iscsiTgtLastFailureTime", "iscsiTgtLoginAuthorizeFails",
			"iscsiTgtLoginAuthenticateFails", "iscsiTgtLoginNegotiateFails"),
		"iscsiTgtLoginFailures", "iscsiTgtLastFailureType", "iscsiTgtLastIntrFailureName",
		"iscsiTgtLastIntrFailureAddrType", "iscsiTgtLastIntrFailureAddr",
		"iscsiTgtLastIntrFailurePort"),
	NOTIFICATION(iscsiIntrLoginFailure, 2, rows_initiator,
		WHEN_GROWN("iscsiIntrLastFailureTime", "iscsiIntrLoginAuthFailRsps",
			"iscsiIntrLoginAuthenticateFails", "iscsiIntrLoginNegotiateFails",
			"iscsiIntrLoginAuthorizeFails"),
		"iscsiIntrLoginFailures", "iscsiIntrLastFailureType", "iscsiIntrLastTgtFailureName",
		"iscsiIntrLastTgtFailureAddrType", "iscsiIntrLastTgtFailureAddr",
		"iscsiIntrLastTgtFailurePort"),
	NOTIFICATION(iscsiInstSessionFailure, 3, rows_instance,
		WHEN_GROWN(NULL, "iscsiInstSsnFailures"), "iscsiInstSsnFailures",
		"iscsiInstLastSsnFailureType", "iscsiInstLastSsnRmtNodeName"),
};

static const mib_oid root[] = { 1, 3, 6, 1, 2, 1, 142 };

const struct mib_module iscsi_mib = {
	.name = "ISCSI-MIB",
	.root = root,
	.root_length = ARRAY_SIZE(root),
	.tables = tables,
	.table_count = ARRAY_SIZE(tables),
	.notifications = notifications,
	.notification_count = ARRAY_SIZE(notifications),
};
