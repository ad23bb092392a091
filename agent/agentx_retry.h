/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When a master that is gone is looked for again. The library does so once in agentXPingInterval; a
 * master that is started anew is there within a fraction of that. So where nobody listens, which is
 * known at once, the wait is a quarter of the time that has passed, from 100 ms up to the interval.
 * Where somebody listens and does not answer, a try may take 300 ms of the loop's time, and a
 * session that the master ends as soon as it has begun, or that we end since it says nothing or
 * what none says, will not do better by haste: the interval holds.
 *
 * Agent process, agentx.c. Pure: no call of the library, no clock.
 */
#ifndef AGENT_AGENTX_RETRY_H
#define AGENT_AGENTX_RETRY_H

#include "base/base.h"

#define RETRY_FIRST_NS UINT64_C(100000000)

struct retry {
	uint64_t interval_ns;
	uint64_t opened_ns; /* the last session; 0 none yet */
	uint64_t lost_ns;   /* since when there is no master */
	uint64_t last_ns;   /* the last try, or lost_ns */
	bool in_haste;
};

/* At the start, when there is no session yet. */
void retry_begin(struct retry *r, uint64_t interval_ns, uint64_t now_ns);

/* A session is open; it is lost, and the master has ended it or we have. */
void retry_opened(struct retry *r, uint64_t now_ns);
void retry_lost(struct retry *r, bool by_master, uint64_t now_ns);

/* There was a try: `result` 0, or the negative errno of connect(2). */
void retry_tried(struct retry *r, int result, uint64_t now_ns);

/* When to try again, while there is no session; UINT64_MAX: when the library does. */
uint64_t retry_due_ns(const struct retry *r);

#endif
