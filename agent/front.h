/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What stands between the daemon and who asks: a master agent over AgentX (agentx.h), or, with -M,
 * the managers themselves (snmp_front.h). The daemon knows this interface only. Agent process, its
 * one thread; how each function behaves is said in agentx.h at the one of the same name.
 */
#ifndef AGENT_FRONT_H
#define AGENT_FRONT_H

#include "agent/mib.h"

#include <poll.h>

#define FRONT_MODULES_MAX 4

/* Notifications, since the start. */
struct front_counts {
	uint64_t sent;	  /* a master has accepted them; to a trap sink: they were sent */
	uint64_t lost;	  /* dropped, refused, or never answered */
	uint64_t waiting; /* now */
};

struct front {
	void (*serve)(struct mib_view *const views[]);
	int (*notify)(const uint8_t *octets, size_t length, uint64_t event_ns);
	uint64_t (*notify_waiting)(void);
	void (*set_notify_queue)(uint32_t limit);
	size_t (*prepare)(struct pollfd *fds, size_t capacity, int *timeout_ms);
	bool (*answer_requests)(const struct pollfd *fds, size_t count);
	void (*dispatch)(const struct pollfd *fds, size_t count);
	uint64_t (*uptime_zero_ns)(void);
	void (*counts)(struct front_counts *ret);
	/* How it is, in some words, for `systemctl status`. Static text. */
	const char *(*status)(void);
	void (*stop)(void);
};

extern const struct front agentx_front, snmp_front;

#endif
