/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The answers of tgtd that no initiator can write into: tables of numbers, portals, parameters of
 * targets. (Texts with names and aliases of initiators: tgt_text.h.)
 *
 * Pure functions over octets that may be anything: no I/O, no allocation, no state.
 */
#ifndef SOURCE_TGT_PARSE_H
#define SOURCE_TGT_PARSE_H

#include "base/text.h"
#include "model/opt.h"

/* A part of an answer's text; not NUL-terminated. */
struct tgt_slice {
	const char *at;
	size_t length; /* octets */
};

/* Takes the next line, without its newline, off the front; false at the end. */
bool tgt_next_line(struct tgt_slice *rest, struct tgt_slice *ret_line);

/* Takes `prefix` off the front; false, and nothing done, when it is not there. */
bool tgt_skip(struct tgt_slice *rest, const char *prefix);

/* Takes a decimal number off the front: digits, no sign, at most `high`; false otherwise. */
bool tgt_skip_number(struct tgt_slice *rest, uint64_t high, uint64_t *ret);

bool tgt_slice_equal(const struct tgt_slice *a, const struct tgt_slice *b);
bool tgt_slice_is(const struct tgt_slice *slice, const char *text);

/* A number in words of a slice, or an address, by text_to_address. 0 or its error, -EINVAL. */
int tgt_slice_address(const struct tgt_slice *slice, struct text_address *ret);

/*
 * TGT_ASK_NEXUSES, "tgt lun sid …": a line for each nexus. Begin checks the heading and skips it;
 * next gives 1 and the nexus (1..65535), 0 at the end. Both -EBADMSG when the text is not such a
 * table, or has a line of another target than `tid`.
 */
int tgt_nexuses_begin(struct tgt_slice *rest);
int tgt_nexuses_next(struct tgt_slice *rest, uint32_t tid, uint16_t *ret_nexus);

/* One connection in numbers. The PDU counters are of 32 bits and wrap. */
struct tgt_counters {
	uint32_t cid;		       /* 0..65535 */
	uint64_t rx_octets, tx_octets; /* of whole PDUs, seen from the target */
	uint32_t command_pdus;
	uint32_t response_pdus; /* always 0 over TCP: counted by the request's opcode */
};

/*
 * TGT_ASK_SESSION: the table above for this nexus, then "sid cid rxdata_octets …" with a line for
 * each connection. Begin skips to the latter; next as above. A session that has no connection has
 * no second table: next gives 0 at once. Begin gives -ENOENT when the nexus is of another target
 * than `tid`: tgtd keeps the nexus of an ended session while commands are under way, and may
 * have given its number again.
 */
int tgt_session_begin(struct tgt_slice *rest, uint32_t tid, uint16_t nexus);
int tgt_session_next(struct tgt_slice *rest, uint16_t nexus, struct tgt_counters *ret);

struct tgt_portal {
	struct text_address address;
	bool address_known;    /* false: a host name, or an address of an unknown interface */
	struct tgt_slice text; /* the address as printed, without brackets */
	uint16_t port;	       /* 1..65535 */
	uint16_t tag;	       /* portal group tag 1..65535 */
};

/* TGT_ASK_PORTALS, "Portal: 127.0.0.1:3260,1": 1, 0 at the end, -EBADMSG. */
int tgt_portal_next(struct tgt_slice *rest, struct tgt_portal *ret);

/* What a target is configured to offer and accept. Digests: 3 noDigest, 4 CRC32C preferred. */
struct tgt_parameters {
	struct opt_u32 max_recv_data_segment_length, header_digest, data_digest;
	struct opt_u32 max_outstanding_r2t, first_burst_length, max_burst_length;
	struct opt_u32 max_connections, default_time2wait, default_time2retain;
	struct opt_u32 error_recovery_level;
	struct opt_bool initial_r2t, immediate_data, data_pdu_in_order, data_sequence_in_order;
};

/*
 * TGT_ASK_PARAMETERS: key=value lines. Keys that are not there, come twice or have a value out of
 * the range of RFC 7143 stay unknown: all of them for a target that redirects.
 */
void tgt_parameters_parse(const char *text, size_t length, struct tgt_parameters *ret);

/* Makes unknown in `into` what is not known and the same in `other`. */
void tgt_parameters_intersect(struct tgt_parameters *into, const struct tgt_parameters *other);

#endif
