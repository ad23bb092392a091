/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The answer to a request of the master: a function from the octets of one PDU and the views to
 * the octets of its Response (RFC 2741 section 7.2.3 and 7.2.4). Called by the guard
 * (agentx_transport.c) in the agent process; knows neither sockets nor net-snmp; allocates nothing,
 * waits for nothing.
 *
 * Why not the library's handlers: they turn each PDU into some 26 allocations, seven copies of
 * each varbind and a trip through two pipes; their GetBulk passes the end of the search range;
 * their SET keeps state for each transaction that a second PDU frees under the first (a
 * use-after-free in 5.9.3 and later). Here a request has no state at all.
 */
#ifndef AGENT_AGENTX_ANSWER_H
#define AGENT_AGENTX_ANSWER_H

#include "agent/agentx_wire.h"
#include "agent/mib.h"

/* True for the types that agentx_answer takes: Get, GetNext, GetBulk and the four of SET. */
bool agentx_is_request(uint8_t type);

/*
 * Answers the request with header `h` and `h->length` octets at `payload` from `views`, sorted by
 * the roots of their modules. `response` holds AGENTX_PDU_MAX octets. Returns the octets written;
 * 0 when the protocol wants no Response (CleanupSet).
 *
 * Everything is read-only: TestSet is notWritable. A Get or GetNext whose Response would pass
 * AGENTX_PDU_MAX is tooBig, at the varbind that did not fit; a GetBulk is cut there (RFC 2741
 * section 7.2.3.3). What is malformed is parseError, what has a context unsupportedContext.
 */
size_t agentx_answer(const struct mib_view *const views[], size_t view_count,
	const struct agentx_header *h, const uint8_t *payload, uint8_t *response);

#endif
