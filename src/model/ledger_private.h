/* SPDX-License-Identifier: BSD-2-Clause */
/* One row while the ledger completes it: for ledger.c, ledger_count.c, ledger_learned.c. */
#ifndef MODEL_LEDGER_PRIVATE_H
#define MODEL_LEDGER_PRIVATE_H

#include "index/registry.h"
#include "model/kept.h"
#include "model/ledger.h"

/* What the rows of an instance need to know of it. */
struct ledger_instance {
	uint64_t epoch;		   /* hash of its event_epoch; 0: its source does not count */
	uint64_t discontinuity_ns; /* as the source says; 0 none */
};

/* What becomes of the fields that go with one leader. */
enum fate {
	FATE_SOURCE, /* the source's are shown and remembered, the old ones forgotten */
	FATE_FILL,   /* the same, but what the source does not know is filled in */
	FATE_FIRST,  /* what is remembered is shown, else the source's, and remembered */
	FATE_MEMORY, /* the remembered ones are shown, whatever the source says */
	FATE_HOLD,   /* the source's are shown, the old ones stay remembered */
};

struct row {
	struct ledger *ledger;
	unsigned int first, end; /* the kind's part of kept_fields */
	char *object;
	struct registry_entry *entry;
	const struct ledger_instance *instance; /* that the row belongs to */
	/* What the entry is to remember, once nothing can fail any more. */
	uint64_t discontinuity_ns, epoch, incarnation;
	struct kept_record record;
	/* By position in kept_fields: */
	struct kept_value old[KEPT_FIELDS];
	enum fate counts[KEPT_FIELDS]; /* of what goes with a count, if nothing else speaks */
};

/* Completes and remembers all counts of the row. */
void ledger_take_counts(struct row *row);

/* All other fields; after the counts. Returns 0 or -ENOMEM. */
int ledger_take_learned(struct row *row);

/* The time of a source's event; 0 when there is none, or when it lies ahead: it would stay the
 * newest for ever. */
static inline uint64_t ledger_past_ns(const struct ledger *l, const struct opt_time *time)
{
	return time->known && time->ns <= l->now_ns ? time->ns : 0;
}

#endif
