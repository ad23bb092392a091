/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `errors` counted the last time, in a file of its own: increases are told, not sums. The
 * value of each row is kept, also of rows that are gone: a source that cannot be read for a while,
 * a node record that is made anew, must not turn a whole history into news. What knows no SNMP is
 * here.
 */
#ifndef PLUGIN_SAMPLE_H
#define PLUGIN_SAMPLE_H

#include "base/base.h"

#define SAMPLE_COUNTERS 8
#define SAMPLE_INDEX	8	/* sub-identifiers of a row's index, at most */
#define SAMPLE_ROWS	1000000 /* of a counter in one check: a host must not fill the monitor */

/*
 * Rows that are gone are kept with a bound, since sessions and their devices come and go for ever:
 * so many of a counter, or as many as it had at the same time once, so that a source that was away
 * finds all of its rows. Those that were seen last stay.
 */
#define SAMPLE_GONE 1000

struct sample_row {
	uint64_t value;
	uint64_t seen; /* the check that saw it last */
	uint32_t index[SAMPLE_INDEX];
	uint32_t length; /* sub-identifiers used, 1 at least */
};

struct sample_rows {
	struct sample_row *list; /* by index, once sample_follow has returned */
	size_t count, room;
	size_t here;   /* of them, those that this check saw */
	uint64_t most; /* that one check saw */
	/*
	 * Set before sample_follow, not kept. Each login makes such rows: what one has when it is
	 * first seen is no news, it counts from then on; and a number is another row's once the
	 * host was booted.
	 */
	bool old_at_sight;
};

struct sample {
	uint64_t time_s; /* of the clock of the day */
	uint64_t uptime; /* of the host, hundredths of seconds modulo 2^32; 0: not known */
	uint64_t check;	 /* its number, from 1 */
	bool whole;	 /* every source was read: a row that is not here was not there */
	struct sample_rows counters[SAMPLE_COUNTERS];
};

/* Frees the rows; there are none afterwards. */
void sample_free(struct sample *sample);

/*
 * A row that this check sees; once each, and SAMPLE_ROWS of a counter at most. Returns 0 or
 * -ENOMEM. An index that no row of ours has (empty, or too long) is passed over.
 */
int sample_add(
	struct sample *sample, int counter, const uint32_t *index, size_t length, uint64_t value);

/*
 * Makes `now`, whose rows have been added, the sample that follows `before` (NULL: it is the
 * first), and tells in `growth` by how much each counter's rows have grown since each was last
 * seen. A value that is smaller than before began anew, so all of it is new; so is that of a row
 * that was never seen, unless `before` is not whole: that row may be an old one. With old_at_sight
 * neither is. When the host was booted since, as far as its uptime tells, each row began at 0, and
 * all of it is new; with old_at_sight `before` has no rows then. Rows that are gone are taken over
 * from `before`. Returns 0 or -ENOMEM.
 */
int sample_follow(
	struct sample *now, const struct sample *before, uint64_t growth[SAMPLE_COUNTERS]);

/* a + b, or the largest number: what a host says must not make 0 of many. */
uint64_t sample_sum(uint64_t a, uint64_t b);

/*
 * Returns 0, and a sample that sample_free frees; -ENOENT when there is none; -EINVAL when the file
 * is not one of ours, whole, and of this format; or -ENOMEM.
 */
int sample_load(const char *path, struct sample *ret);

/* Written aside and renamed; no link is followed. Returns 0 or a negative errno. */
int sample_save(const char *path, const struct sample *sample);

#endif
