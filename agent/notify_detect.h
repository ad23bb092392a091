/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the counters of a module tell: the rows of which a trigger of a notification has grown
 * between two views. So every source that counts also notifies, and nothing but the module's
 * tables (iscsi_mib.c) says which counter tells what.
 *
 * Only what surely happened between the two is found. A row that is new, counters that are known
 * for the first time, that went back or wrapped, and a row (or its instance) whose discontinuity
 * time is another one begin anew: what they count was before. Pure; the agent process, once for
 * each new snapshot.
 */
#ifndef AGENT_NOTIFY_DETECT_H
#define AGENT_NOTIFY_DETECT_H

#include "agent/mib.h"

/*
 * One row; `when_ns` is when it happened, CLOCK_MONOTONIC: what the row itself says, if that lies
 * between the two views, else when the new one was made.
 */
typedef void notify_found_fn(void *context, const struct mib_notification *notification,
	const struct mib_row *row, uint64_t when_ns);

/*
 * Calls `found` for each row of `now` that a notification is due for, once for each notification,
 * in the order of the module and its rows. Both views are of one module.
 */
void notify_detect(const struct mib_view *before, const struct mib_view *now,
	notify_found_fn *found, void *context);

#endif
