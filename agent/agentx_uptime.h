/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When the master's sysUpTime was 0, from what it says of it in its Responses.
 *
 * Agent process, agentx.c. Pure: no call of the library, no clock.
 */
#ifndef AGENT_AGENTX_UPTIME_H
#define AGENT_AGENTX_UPTIME_H

#include "base/base.h"

/*
 * The zero, CLOCK_MONOTONIC in ns, never 0. `uptime_cs` is the sysUpTime of a Response (RFC 2741
 * 6.2.16: 32 bits of hundredths, so it begins anew after 497 days), which the master read between
 * sent_ns, when the request was sent, and now_ns. `known_ns` is what was known before, 0 nothing:
 * it stays unless the master cannot have begun then, however often its sysUpTime has wrapped. So a
 * late answer moves nothing, and neither does a wrap: for RFC 2579 a TimeStamp keeps its value
 * then.
 */
uint64_t agentx_uptime_zero(
	uint32_t uptime_cs, uint64_t sent_ns, uint64_t now_ns, uint64_t known_ns);

#endif
