/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads a Response back, by code that shares nothing with what wrote it, and strictly: reserved
 * octets and padding are 0, lengths fit to the octet. For the tests of agentx_answer.
 */
#ifndef TESTS_SUPPORT_AGENTX_DECODE_H
#define TESTS_SUPPORT_AGENTX_DECODE_H

#include "base/base.h"

struct agentx_decoded_binding {
	uint16_t type;
	unsigned long name[128];
	size_t name_length;
	uint64_t number;
	const uint8_t *octets;
	size_t octets_length;
	unsigned long ids[128]; /* of a value that is an OID */
	size_t ids_length;
};

struct agentx_decoded {
	uint16_t error, index;
	size_t count; /* of varbinds */
	const uint8_t *at, *end;
	bool big;
};

/*
 * Reads the head of a Response of `length` octets to the PDU whose 20 octets `request` are, and
 * checks all of it. False when anything is wrong.
 */
bool agentx_decode(const uint8_t *octets, size_t length, const uint8_t request[20],
	struct agentx_decoded *ret);

/* The next varbind: true, or false at the end (or when it is malformed: agentx_decode tells). */
bool agentx_decode_next(struct agentx_decoded *d, struct agentx_decoded_binding *ret);

#endif
