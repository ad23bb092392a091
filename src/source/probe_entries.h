/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is tried, and what came of it: one entry for each portal and target, whether the
 * configuration names it, a node record, or both. In the reader process of the source probe; no
 * I/O.
 */
#ifndef SOURCE_PROBE_ENTRIES_H
#define SOURCE_PROBE_ENTRIES_H

#include "source/open_iscsi_records.h"
#include "source/probe_child.h"
#include "source/source.h"

#define PROBE_KEY_MAX	  (PROBE_PORTAL_TEXT + PROBE_NAME_MAX + 1)
#define PROBE_ENTRIES_MAX 1000u

enum probe_origin { PROBE_CONFIGURED = 1, PROBE_RECORD = 2 };

struct probe_entry {
	char key[PROBE_KEY_MAX]; /* "10.0.0.1:3260 iqn.…" */
	struct probe_place place;
	enum probe_origin origin;
	bool wanted;		  /* by the last refresh */
	uint64_t due_ns;	  /* of the next try */
	struct probe_child child; /* the try that goes on, if pid is not 0 */

	uint64_t probed_ns; /* when the last try was over, 0 there was none: nothing below then */
	struct probe_outcome outcome;
	uint64_t answered_ns; /* of the last that was ok, refused or redirected; 0 never */
	uint32_t failures;    /* tries since then: others, a login response of class 3 too */
};

struct probe_entries {
	struct probe_entry **list; /* each stays where it is; sorted by key */
	size_t count, capacity;
	size_t left_out;   /* beyond PROBE_ENTRIES_MAX */
	bool without_zone; /* a line's zone is no interface now: it is left out */
};

/*
 * Makes the list what configuration and records say now: entries that are there stay with what is
 * known of them, new ones are due at once. Those that are not wanted any more are no longer in the
 * list but in *ret_gone (an array of pointers, freed with probe_entries_clear): the caller ends
 * their children. When not all records could be read, none that came from one goes. Returns 0 or
 * -ENOMEM, then nothing goes.
 */
int probe_entries_refresh(struct probe_entries *entries, const struct source_settings *settings,
	const struct oiscsi_records *records, uint64_t now_ns, struct probe_entries *ret_gone);

/* Takes what came of the child that has just ended. True when that is another result than before.
 */
bool probe_entry_finish(struct probe_entry *entry, uint64_t now_ns);

void probe_entries_clear(struct probe_entries *entries);

#endif
