/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel's iSCSI netlink says (protocol NETLINK_ISCSI, group 1): one message in a
 * datagram, a netlink header, an event of fixed size, and with some of them a PDU or statistics
 * behind it. Pure functions over octets of any origin; used by open_iscsi_listener.c and
 * open_iscsi_stats.c in the reader process.
 *
 * The layout is that of struct iscsi_uevent, include/scsi/iscsi_if.h of Linux (2.6.2x to 7.x), in
 * native octet order: two unions behind a common head, `u` of what a process asks, `r` of what the
 * kernel tells. It is the same wherever a number of 64 bits is aligned to 8 octets, and other on
 * i386, where it would depend on whether the kernel has 32 or 64 bits: there, nothing is parsed.
 *
 * Nothing else in an event may be looked at: the kernel does not clear what it does not set.
 */
#ifndef SOURCE_OPEN_ISCSI_WIRE_H
#define SOURCE_OPEN_ISCSI_WIRE_H

#include "base/base.h"

#define OISCSI_NETLINK_PROTOCOL 8u /* NETLINK_ISCSI */
#define OISCSI_NETLINK_GROUP	1u /* ISCSI_NL_GRP_ISCSID */
#define OISCSI_FRAME_MAX	(64u * 1024)

enum {
	OISCSI_FRAME_HEAD = 16, /* struct nlmsghdr */
	OISCSI_EVENT_OCTETS = 56,
	OISCSI_BHS_OCTETS = 48, /* struct iscsi_hdr, RFC 7143 11.2.1 */
	OISCSI_REQUEST_OCTETS = OISCSI_FRAME_HEAD + OISCSI_EVENT_OCTETS,
	OISCSI_STATISTICS_OCTETS = 96, /* struct iscsi_stats */
	OISCSI_CUSTOM_OCTETS = 72,     /* struct iscsi_stats_custom */
	OISCSI_CUSTOM_MAX = 32,	       /* ISCSI_STATS_CUSTOM_MAX */
};

/* enum iscsi_uevent_e: what matters here of it. */
enum oiscsi_event_type {
	OISCSI_EVENT_STATISTICS = 20,	     /* ISCSI_UEVENT_GET_STATS, asked and answered */
	OISCSI_EVENT_PDU = 101,		     /* ISCSI_KEVENT_RECV_PDU: one for iscsid */
	OISCSI_EVENT_CONNECTION_ERROR = 102, /* ISCSI_KEVENT_CONN_ERROR */
	OISCSI_EVENT_REFUSED = 103,	     /* ISCSI_KEVENT_IF_ERROR: the answer to what we sent */
	OISCSI_EVENT_DESTROYED = 104,	     /* ISCSI_KEVENT_DESTROY_SESSION */
	OISCSI_EVENT_UNBOUND = 105,	     /* ISCSI_KEVENT_UNBIND_SESSION: a logout begins */
	OISCSI_EVENT_CREATED = 106,	     /* ISCSI_KEVENT_CREATE_SESSION */
	OISCSI_EVENT_LOGIN_STATE = 109,	     /* ISCSI_KEVENT_CONN_LOGIN_STATE: of an adapter */
};

/* enum iscsi_conn_state, of OISCSI_EVENT_LOGIN_STATE. */
enum { OISCSI_LOGIN_FREE = 0, OISCSI_LOGIN_BEGUN = 2, OISCSI_LOGIN_DONE = 3 };

struct oiscsi_event {
	uint32_t type; /* mostly one of the above; the rest is 0 then where it has no meaning */
	uint32_t sid, cid;
	uint32_t code;	     /* CONNECTION_ERROR: enum iscsi_err; LOGIN_STATE: the state */
	int error;	     /* REFUSED: a negative errno */
	const uint8_t *data; /* in the frame: PDU, STATISTICS */
	size_t length;	     /* octets of it; a PDU may have up to 3 more than it says */
};

/*
 * Parses a datagram of `length` octets. Returns 0 (`ret` points into it), -EBADMSG when it is no
 * such event, or -EOPNOTSUPP on a machine whose layout is not known.
 */
int oiscsi_event_parse(const void *frame, size_t length, struct oiscsi_event *ret);

/* Counters of one connection, struct iscsi_stats. What a driver counts: open_iscsi_memory.h. */
struct oiscsi_statistics {
	uint64_t tx_octets, rx_octets;
	uint32_t command_pdus, response_pdus; /* SCSI Command and SCSI Response */
	uint32_t nop_sent_pdus, nop_received_pdus;
};

/*
 * Parses what follows an OISCSI_EVENT_STATISTICS; the driver's own counters behind it must be
 * complete. 0 or -EBADMSG.
 */
int oiscsi_statistics_parse(const void *data, size_t length, struct oiscsi_statistics *ret);

/*
 * Writes the request for the statistics of a connection. `handle` is the number that the kernel
 * knows the driver by (/sys/class/iscsi_transport/NAME/handle).
 */
void oiscsi_statistics_request(uint8_t out[OISCSI_REQUEST_OCTETS], uint32_t sequence,
	uint64_t handle, uint32_t sid, uint32_t cid);

#endif
