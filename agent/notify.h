/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From what has changed between two snapshots to notifications:
 *
 *	snapshot -> notify_detect (counters of the modules), event_find (states)
 *	-> event log, and so the event table
 *	-> configuration -> notify_damp (what flaps) -> notify_rate (the windows)
 *	-> the master, by way of agentx.h
 *
 * Agent process, its one thread. Nothing here waits or reads anything but views; what the master
 * does is the business of agentx.h.
 */
#ifndef AGENT_NOTIFY_H
#define AGENT_NOTIFY_H

#include "agent/config.h"
#include "agent/mib.h"
#include "model/event.h"

struct notifier;

struct notifier_settings {
	const struct config *config; /* copied */
	struct event_log *log;	     /* outlives the notifier */
	/* agentx_notify, and the number of notifications that it has and the master has not. */
	int (*send)(const uint8_t *octets, size_t length, uint64_t event_ns);
	uint64_t (*waiting)(void);
};

/* NULL without memory. */
struct notifier *notifier_new(const struct notifier_settings *settings);
void notifier_free(struct notifier *n);

/* Another configuration from now on (SIGHUP); what is held stays held. */
void notifier_configure(struct notifier *n, const struct config *config);

/*
 * A new snapshot that is not served yet, with the view of iscsi_mib on it; `before` is the view
 * that is served until now, NULL the first time: then all that is there is the beginning. Adds what
 * has happened to the log, and puts the log into the snapshot. Returns 0 or -ENOMEM (the snapshot
 * lacks events, nothing else).
 */
int notifier_observe(struct notifier *n, const struct mib_view *before, struct snapshot *s,
	const struct mib_view *now);

/*
 * All views of that snapshot, in the order of mib_modules: tells what was found. They are looked at
 * until the next call; NULL: there are none any more.
 */
void notifier_tell(struct notifier *n, struct mib_view *const views[]);

/* One turn of the event loop: when a turn is needed, and the turn. No descriptors. */
void notifier_prepare(const struct notifier *n, int *timeout_ms);
void notifier_dispatch(struct notifier *n);

/* Since the start. */
struct notifier_counts {
	uint64_t suppressed; /* events that no notification of their own told */
	uint64_t dropped;    /* notifications that were lost before they came to `send` */
	uint32_t held;	     /* now: they wait for a window, or for quiet */
};
void notifier_counts(const struct notifier *n, struct notifier_counts *ret);

#endif
