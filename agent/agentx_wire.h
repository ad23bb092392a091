/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AgentX on the wire (RFC 2741 section 6): the numbers of the protocol and the 20 octets that
 * begin every PDU. Used by the guard (agentx_stream.c, agentx_transport.c) and by the answers
 * (agentx_answer.c) of the agent process. Nothing here knows net-snmp, sockets or the MIB.
 */
#ifndef AGENT_AGENTX_WIRE_H
#define AGENT_AGENTX_WIRE_H

#include "base/base.h"

#include <endian.h>

#define AGENTX_HEADER_SIZE 20u /* octets */

/*
 * The longest PDU given to the master or read from it, header included. net-snmp's parser refuses
 * 65,536 octets and then drops the whole session; 60,000 leaves room.
 */
#define AGENTX_PDU_MAX 60000u

/*
 * The longest payload that can be meant: a manager that asks for thousands of objects in one
 * request makes the master send more than AGENTX_PDU_MAX. That must not cost the session, so such
 * a request is skipped and answered tooBig.
 */
#define AGENTX_PAYLOAD_MAX (16u * 1024 * 1024)

enum agentx_pdu_type {
	AGENTX_PDU_OPEN = 1,
	AGENTX_PDU_CLOSE,
	AGENTX_PDU_REGISTER,
	AGENTX_PDU_UNREGISTER,
	AGENTX_PDU_GET,
	AGENTX_PDU_GET_NEXT,
	AGENTX_PDU_GET_BULK,
	AGENTX_PDU_TEST_SET,
	AGENTX_PDU_COMMIT_SET,
	AGENTX_PDU_UNDO_SET,
	AGENTX_PDU_CLEANUP_SET,
	AGENTX_PDU_NOTIFY,
	AGENTX_PDU_PING,
	AGENTX_PDU_INDEX_ALLOCATE,
	AGENTX_PDU_INDEX_DEALLOCATE,
	AGENTX_PDU_ADD_CAPS,
	AGENTX_PDU_REMOVE_CAPS,
	AGENTX_PDU_RESPONSE,
};

/* Bits of the flags octet that matter here. */
#define AGENTX_FLAG_CONTEXT	  0x08u /* a context name follows the header */
#define AGENTX_FLAG_NETWORK_ORDER 0x10u /* big-endian numbers, else little-endian */

/* Values of res.error: SNMP's, and from 256 on AgentX's own. */
enum agentx_error {
	AGENTX_ERROR_NONE = 0,
	AGENTX_ERROR_TOO_BIG = 1,
	AGENTX_ERROR_COMMIT_FAILED = 14,
	AGENTX_ERROR_UNDO_FAILED = 15,
	AGENTX_ERROR_NOT_WRITABLE = 17,
	AGENTX_ERROR_NOT_OPEN = 257,
	AGENTX_ERROR_UNSUPPORTED_CONTEXT = 262,
	AGENTX_ERROR_DUPLICATE_REGISTRATION = 263,
	AGENTX_ERROR_PARSE = 266,
	AGENTX_ERROR_REQUEST_DENIED = 267,
	AGENTX_ERROR_PROCESSING = 268,
};

struct agentx_header {
	uint8_t type;  /* enum agentx_pdu_type */
	uint8_t flags; /* AGENTX_FLAG_… */
	uint32_t session;
	uint32_t transaction;
	uint32_t packet;
	uint32_t length; /* octets that follow the header */
};

static inline uint16_t agentx_get_u16(const uint8_t *at, bool big)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return big ? be16toh(value) : le16toh(value);
}

static inline uint32_t agentx_get_u32(const uint8_t *at, bool big)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return big ? be32toh(value) : le32toh(value);
}

static inline void agentx_put_u16(uint8_t *at, bool big, uint16_t value)
{
	value = big ? htobe16(value) : htole16(value);
	memcpy(at, &value, sizeof(value));
}

static inline void agentx_put_u32(uint8_t *at, bool big, uint32_t value)
{
	value = big ? htobe32(value) : htole32(value);
	memcpy(at, &value, sizeof(value));
}

/* `count` sub-identifiers; one loop for each order, since this is half of the work of a request. */
static inline void agentx_get_ids(unsigned long *to, const uint8_t *from, size_t count, bool big)
{
	if (big) {
		for (size_t i = 0; i < count; i++)
			to[i] = agentx_get_u32(from + 4 * i, true);
	} else {
		for (size_t i = 0; i < count; i++)
			to[i] = agentx_get_u32(from + 4 * i, false);
	}
}

static inline void agentx_put_ids(uint8_t *to, const unsigned long *from, size_t count, bool big)
{
	if (big) {
		for (size_t i = 0; i < count; i++)
			agentx_put_u32(to + 4 * i, true, (uint32_t)from[i]);
	} else {
		for (size_t i = 0; i < count; i++)
			agentx_put_u32(to + 4 * i, false, (uint32_t)from[i]);
	}
}

static inline bool agentx_is_big(const struct agentx_header *h)
{
	return h->flags & AGENTX_FLAG_NETWORK_ORDER;
}

/*
 * Reads the header of a PDU, 20 octets. Returns 0, or -EPROTO for one that no master sends: version
 * not 1, type not 1..18, reserved octet not 0, or a length that is no multiple of 4 or above
 * AGENTX_PAYLOAD_MAX. After that nothing in the stream can be trusted.
 */
int agentx_header_read(const uint8_t octets[AGENTX_HEADER_SIZE], struct agentx_header *ret);

/* Writes the 20 octets of a header, version 1. */
void agentx_header_write(uint8_t octets[AGENTX_HEADER_SIZE], const struct agentx_header *h);

/* The octets of a Response without variable bindings. */
#define AGENTX_RESPONSE_MIN (AGENTX_HEADER_SIZE + 8u)

/*
 * Writes the Response to the PDU with header `to` that says `error` (enum agentx_error) at the
 * varbind `index` (1 the first, 0 none). Returns AGENTX_RESPONSE_MIN.
 */
size_t agentx_response_write(uint8_t octets[AGENTX_RESPONSE_MIN], const struct agentx_header *to,
	uint16_t error, uint16_t index);

#endif
