/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads a Notify PDU, as notify_encode.h and agentx_write.h make it, by the decoder of Responses:
 * for unit tests. What is malformed fails the test.
 */
#ifndef TESTS_SUPPORT_NOTIFY_DECODE_H
#define TESTS_SUPPORT_NOTIFY_DECODE_H

#include "agent/mib.h"
#include "tests/support/agentx_decode.h"

#define NOTIFY_OBJECTS_MAX 8u

struct decoded_notify {
	uint8_t response[16384]; /* the varbinds, behind the head of a Response */
	uint32_t uptime;
	unsigned long trap[128];
	size_t trap_length;
	struct agentx_decoded_binding objects[NOTIFY_OBJECTS_MAX];
	size_t count;
};

void notify_decode(const uint8_t *octets, size_t length, struct decoded_notify *ret);

/*
 * True when the varbind has the value that a GET finds in the view, or, where GET finds a hole, the
 * value that says nothing: 0, no octets, 0.0.
 */
bool notify_equals_get(const struct mib_view *view, const struct agentx_decoded_binding *binding);

#endif
