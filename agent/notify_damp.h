/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hold-down of what flaps: a path that goes up and down all the time would fill the windows of
 * notify_rate.h with what nobody wants to read. After so many changes within a time there is one
 * notification that says so, and nothing more of this subject until it has not changed for that
 * time; then its last state is told. Pure; the caller has the clock (notify.c, agent process).
 */
#ifndef AGENT_NOTIFY_DAMP_H
#define AGENT_NOTIFY_DAMP_H

#include "agent/notify_rate.h"

struct damp_settings {
	uint32_t changes;   /* so many are flapping; 0: nothing ever is */
	uint64_t window_ns; /* within this time; and for so long it must be quiet */
};

#define DAMP_CHANGES_MAX 100u

enum damp_result {
	DAMP_PASSES, /* to be told */
	DAMP_BEGINS, /* from now on the subject flaps: that is to be told */
	DAMP_HOLDS,  /* it flaps */
};

struct damp;

/* NULL without memory. */
struct damp *damp_new(const struct damp_settings *settings);
void damp_free(struct damp *d);

/* Other settings from now on; what flaps goes on flapping until it is quiet. */
void damp_configure(struct damp *d, const struct damp_settings *settings);

/*
 * A change of the subject that the item is about (its group and key); the octets of the item are
 * not looked at. Without memory it passes. `now_ns` never goes back.
 */
enum damp_result damp_change(struct damp *d, uint64_t now_ns, const struct rate_item *item);

/*
 * Keeps the item, whose octets it takes over, as the last one of its subject, which flaps. True
 * when that leaves one that will never be told: the one that was kept before, or this one.
 */
bool damp_keep(struct damp *d, const struct rate_item *item);

/*
 * Forgets what is kept of the item's subject, unless its type is one of `still_true` (bits: 1 <<
 * type): what is so now is not to be told. Of the item only the subject is looked at. True when
 * there was one, which will never be told.
 */
bool damp_forget(struct damp *d, const struct rate_item *item, uint32_t still_true);

/*
 * True with the item that was kept last of a subject that has been quiet for long enough: the
 * caller's to tell. Without octets: none was kept.
 */
bool damp_take(struct damp *d, uint64_t now_ns, struct rate_item *ret);

/* When damp_take has to be called; UINT64_MAX: nothing flaps. */
uint64_t damp_due(const struct damp *d);

/* Subjects that flap now. */
size_t damp_flapping(const struct damp *d);

#endif
