/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The units of all sources as the agent process knows them: the last good fragment of each, its
 * age, its health. A failing unit keeps its rows until staleMax; a unit that a completed poll did
 * not name is gone at once, but a stale one is absent until the next poll; when it comes back its
 * counts go on, unless UNITS_MAX others have gone since. Every change of a unit's state or note is
 * logged here, once.
 */
#ifndef READER_UNITS_H
#define READER_UNITS_H

#include "model/snapshot.h"

#define UNITS_MAX 64u /* of one source: control ports of tgtd and the like */

struct units;
struct source_ops;

/* `stale_max_ns`: how long a failing unit keeps its rows. NULL without memory. */
struct units *units_new(uint64_t stale_max_ns);
void units_free(struct units *u);
void units_set_stale_max(struct units *u, uint64_t stale_max_ns);

/* Adds a source; returns its number from 0, or -ENOMEM. `name` must outlive the table. */
int units_add_source(struct units *u, const char *name);

/*
 * Adds the sources of source_list that are not in `selected` (NULL at its end), as left out by the
 * configuration: they are shown and never polled. After all others. Returns 0 or -ENOMEM.
 */
int units_add_disabled(struct units *u, const struct source_ops *const selected[]);

/*
 * A fragment that has passed fragment_check, and owned by who has it. One that came in a sealed
 * memfd stays there: only its head is in memory, the rest is read when a snapshot is built.
 */
struct unit_fragment {
	const struct fragment *data; /* free(3) */
	bool is_sealed;
	int memfd; /* of a sealed one; close(2) */
};

void unit_fragment_free(struct unit_fragment *f);

/*
 * A poll named a unit, with a good result (takes `fragment` over) or with an error. `serial` is
 * that of the poll; `note` what the source remarks on the unit, "" nothing. These return 0, -ENOSPC
 * (too many units) or -ENOMEM, after which the poll ends as failed; the fragment is taken over in
 * any case.
 */
int units_good(struct units *u, int source, const char *unit, uint64_t serial,
	struct unit_fragment fragment, const char *note, uint64_t wall_ns, uint64_t cpu_ns);

/*
 * True when the unit's last poll was good and brought a sealed fragment of the same octets as
 * `data`. Then `data` needs no check, and units_same tells of the poll instead of units_good: the
 * unit keeps the fragment that it has. Returns 0, or -ENOENT: no such unit.
 */
bool units_is_same(
	const struct units *u, int source, const char *unit, const void *data, size_t length);
int units_same(struct units *u, int source, const char *unit, uint64_t serial, const char *note,
	uint64_t wall_ns, uint64_t cpu_ns);

int units_failed(struct units *u, int source, const char *unit, uint64_t serial, int error,
	const char *message);

/*
 * The poll is over. error 0: units that it did not name are gone. Else all of them that it did
 * not name have failed, and so has the source as a whole. `present` false: the stack is not here.
 */
void units_done(
	struct units *u, int source, uint64_t serial, bool present, int error, const char *message);

/* The reader was started anew; for the health row. */
void units_restarted(struct units *u, int source);

/* Drops rows that are too old now; returns true when there were any. */
bool units_expire(struct units *u);

/* When units_expire will next have something to do, CLOCK_MONOTONIC; UINT64_MAX never. */
uint64_t units_next_expiry(const struct units *u);

/*
 * True, once, after any change that a new snapshot must show. After units_same, and after each poll
 * while no unit is read, that is only when it was read: it waits until no poll is in flight
 * (`settled`), since one snapshot can show it together with what that poll brings; but not beyond
 * the unit's next poll.
 */
bool units_take_changed(struct units *u, bool settled);

/*
 * One input for each unit (and one for a source without units), for snapshot_build. *ret is
 * allocated (freed by the caller); it points into the table and is valid until the next change.
 * `known_before`: sessions found by the first poll are not of unknown age, since saved state told
 * of them. Returns the count or -ENOMEM.
 */
int units_inputs(struct units *u, bool known_before, struct snapshot_input **ret);

/* True when every source has completed a poll, with whatever result. */
bool units_all_polled(const struct units *u);

#endif
