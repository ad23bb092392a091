/* SPDX-License-Identifier: BSD-2-Clause */
/* agentx.h as a front. */
#include "agent/agentx.h"
#include "agent/front.h"

_Static_assert(AGENTX_MODULES_MAX == FRONT_MODULES_MAX, "the daemon keeps a view for each");

static void counts(struct front_counts *ret)
{
	struct agentx_counts c;

	agentx_counts(&c);
	*ret = (struct front_counts){
		.sent = c.notifications.sent,
		.lost = c.notifications.dropped + c.notifications.refused +
			c.notifications.unconfirmed,
		.waiting = c.waiting,
	};
}

static const char *status(void)
{
	static const char *const states[] = {
		[AGENTX_DISCONNECTED] = "no master agent, trying",
		[AGENTX_REFUSED] = "the master refuses the registration, trying",
		[AGENTX_CONNECTED] = "serving through the master agent",
	};

	return states[agentx_state()];
}

const struct front agentx_front = {
	.serve = agentx_serve,
	.notify = agentx_notify,
	.notify_waiting = agentx_notify_waiting,
	.set_notify_queue = agentx_set_notify_queue,
	.prepare = agentx_prepare,
	.answer_requests = agentx_answer_requests,
	.dispatch = agentx_dispatch,
	.uptime_zero_ns = agentx_uptime_zero_ns,
	.counts = counts,
	.status = status,
	.stop = agentx_stop,
};
