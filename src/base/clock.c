/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"

#include <time.h>

static uint64_t read_clock(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

uint64_t clock_now_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t clock_cpu_ns(void)
{
	return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t clock_wall_zero_ns(void)
{
	static uint64_t kept;
	uint64_t zero = read_clock(CLOCK_REALTIME) - clock_now_ns();
	uint64_t difference = zero > kept ? zero - kept : kept - zero;

	if (difference > NS_PER_S / 20)
		kept = zero;
	return kept;
}

int clock_ms_until(uint64_t deadline_ns, int cap_ms)
{
	uint64_t now = clock_now_ns(), ms;

	if (deadline_ns <= now)
		return 0;
	/* Rounded up: poll(2) must not return before the deadline and spin. */
	ms = (deadline_ns - now + NS_PER_MS - 1) / NS_PER_MS;
	return ms > (uint64_t)cap_ms ? cap_ms : (int)ms;
}
