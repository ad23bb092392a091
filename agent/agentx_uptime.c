/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/agentx_uptime.h"

#include "base/clock.h"

/* Clocks of two processes, and hundredths. */
#define TOLERANCE_NS NS_PER_S
#define WRAP_NS	     ((UINT64_C(1) << 32) * NS_PER_CS)

static bool may_be(uint64_t zero_ns, uint64_t earliest, uint64_t latest)
{
	return zero_ns + TOLERANCE_NS >= earliest && zero_ns <= latest + TOLERANCE_NS;
}

uint64_t agentx_uptime_zero(
	uint32_t uptime_cs, uint64_t sent_ns, uint64_t now_ns, uint64_t known_ns)
{
	uint64_t uptime = uptime_cs * NS_PER_CS, wrapped = 0;
	uint64_t earliest = sent_ns > uptime ? sent_ns - uptime : 1;
	uint64_t latest = now_ns > uptime ? now_ns - uptime : 1;

	if (known_ns && latest > known_ns)
		wrapped = (latest - known_ns + WRAP_NS / 2) / WRAP_NS * WRAP_NS;
	return known_ns && may_be(known_ns + wrapped, earliest, latest) ? known_ns : latest;
}
