/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/agentx_retry.h"

void retry_begin(struct retry *r, uint64_t interval_ns, uint64_t now_ns)
{
	*r = (struct retry){
		.interval_ns = interval_ns, .lost_ns = now_ns, .last_ns = now_ns, .in_haste = true
	};
}

void retry_opened(struct retry *r, uint64_t now_ns)
{
	r->opened_ns = now_ns;
}

void retry_lost(struct retry *r, bool by_master, uint64_t now_ns)
{
	/* Otherwise the master is as it was before this session. */
	bool has_lived = now_ns - r->opened_ns >= r->interval_ns;

	r->in_haste = by_master && has_lived;
	if (has_lived)
		r->lost_ns = now_ns;
	r->last_ns = now_ns;
}

void retry_tried(struct retry *r, int result, uint64_t now_ns)
{
	r->in_haste = result == -ECONNREFUSED || result == -ENOENT;
	r->last_ns = now_ns;
}

uint64_t retry_due_ns(const struct retry *r)
{
	uint64_t wait_ns = (r->last_ns - r->lost_ns) / 4;

	if (!r->in_haste)
		return UINT64_MAX;
	if (wait_ns < RETRY_FIRST_NS)
		wait_ns = RETRY_FIRST_NS;
	return r->last_ns + (wait_ns < r->interval_ns ? wait_ns : r->interval_ns);
}
