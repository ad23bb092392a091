/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many notifications may go out: RFC 7147 section 6.16 wants no more than three in any 10
 * seconds, and the same of each type. What may not go out now is held; of one subject (a row of a
 * type, or of types that contradict each other) only the newest is. When the window reopens the
 * held ones follow, the one that waits longest first: so the last state of every subject is told,
 * late, and a storm costs no more than that.
 *
 * A window slides: it is the time since the n-th last one went out, not a fixed period. Pure; the
 * caller has the clock (notify.c, in the agent process).
 */
#ifndef AGENT_NOTIFY_RATE_H
#define AGENT_NOTIFY_RATE_H

#include "agent/mib.h"

#define RATE_TYPES     32u   /* types are numbered from 0 */
#define RATE_LIMIT_MAX 100u  /* notifications in a window */
#define RATE_HELD_MAX  1000u /* subjects that may be held */

struct rate_settings {
	uint32_t each, all; /* how many of a type, and of all, in a window; 0: any number */
	uint64_t window_ns;
};

/* A notification that is to go out. */
struct rate_item {
	uint32_t type;	/* below RATE_TYPES */
	uint32_t group; /* with the key: the subject. Items of one subject replace each other */
	uint32_t key[MIB_KEY_MAX];
	uint32_t number;   /* of the event; not looked at, as all that follows */
	uint64_t event_ns; /* when it happened */
	uint8_t *octets;   /* what is to be sent: on the heap, owned */
	size_t length;
};

/* Since the start. */
struct rate_counts {
	uint64_t suppressed; /* replaced or made wrong by a newer one of the same subject while held
			      */
	uint64_t dropped;    /* the longest held of more than RATE_HELD_MAX */
};

struct rate;

/* NULL without memory. */
struct rate *rate_new(const struct rate_settings *settings);
void rate_free(struct rate *r);

/* Other limits from now on; what went out counts on. */
void rate_configure(struct rate *r, const struct rate_settings *settings);

/* Adds an item, whose octets it takes over. Always followed by rate_take until that is false. */
void rate_put(struct rate *r, const struct rate_item *item);

/*
 * Forgets what is held of the item's subject, unless its type is one of `still_true` (bits: 1 <<
 * type): it says what is not so any more, and what is so now is not to be told, or not here. Of the
 * item only the subject is looked at.
 */
void rate_forget(struct rate *r, const struct rate_item *item, uint32_t still_true);

/*
 * True with the next item that may go out at `now_ns`, which then counts as gone out; its octets
 * are the caller's. `now_ns` never goes back.
 */
bool rate_take(struct rate *r, uint64_t now_ns, struct rate_item *ret);

/* When rate_take has to be called again; UINT64_MAX: not before the next rate_put. */
uint64_t rate_due(const struct rate *r);

/*
 * What was taken since `since_ns` really goes out only at `now_ns` (there was no master): windows
 * are reckoned from then, so that nobody who listens sees more than the rule allows.
 */
void rate_delayed(struct rate *r, uint64_t since_ns, uint64_t now_ns);

size_t rate_held(const struct rate *r);
const struct rate_counts *rate_counts(const struct rate *r);

#endif
