/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugin/sample.h"

void sample_free(struct sample *sample)
{
	for (int i = 0; i < SAMPLE_COUNTERS; i++) {
		free(sample->counters[i].list);
		sample->counters[i] = (struct sample_rows){ .count = 0 };
	}
}

uint64_t sample_sum(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static int reserve(struct sample_rows *rows, size_t more)
{
	size_t room = rows->room ? rows->room : 64;
	struct sample_row *list;

	while (room - rows->count < more)
		room *= 2;
	if (room == rows->room)
		return 0;
	list = reallocarray(rows->list, room, sizeof(*list));
	if (!list)
		return -ENOMEM;
	rows->list = list;
	rows->room = room;
	return 0;
}

int sample_add(
	struct sample *sample, int counter, const uint32_t *index, size_t length, uint64_t value)
{
	struct sample_rows *rows = &sample->counters[counter];
	struct sample_row row = { .value = value, .length = (uint32_t)length };
	int rc;

	if (length == 0 || length > SAMPLE_INDEX)
		return 0;
	rc = reserve(rows, 1);
	if (rc < 0)
		return rc;
	memcpy(row.index, index, length * sizeof(*index));
	rows->list[rows->count++] = row;
	return 0;
}

static int by_index(const void *a, const void *b)
{
	const struct sample_row *x = a, *y = b;

	for (uint32_t i = 0; i < x->length && i < y->length; i++) {
		if (x->index[i] != y->index[i])
			return x->index[i] < y->index[i] ? -1 : 1;
	}
	return (x->length > y->length) - (x->length < y->length);
}

/* The newest first; of one age those with the higher numbers, which were given later. */
static int by_age(const void *a, const void *b)
{
	const struct sample_row *x = a, *y = b;

	if (x->seen != y->seen)
		return x->seen > y->seen ? -1 : 1;
	return by_index(b, a);
}

/* What the sample before tells of the rows of one counter. */
struct past {
	const struct sample_rows *rows;
	bool whole;
	bool booted; /* the host was, since: what is counted began at 0 */
};

/* Where `before` was not whole, a row that it does not have may be an old one. */
static uint64_t growth_of(const struct sample_row *row, const struct sample_row *before,
	const struct past *past, bool old_at_sight)
{
	if (past->booted && !old_at_sight)
		return row->value;
	if (before && row->value >= before->value)
		return row->value - before->value;
	return old_at_sight || (!before && !past->whole) ? 0 : row->value;
}

/* A row that is away comes back with what it has counted since a boot. */
static void put_gone(
	struct sample_rows *gone, const struct sample_row *row, const struct past *past)
{
	struct sample_row *put = &gone->list[gone->count++];

	*put = *row;
	if (past->booted)
		put->value = 0;
}

/*
 * Goes through both lists, which are sorted. Rows of the past alone are copied into `gone`, which
 * holds them all.
 */
static uint64_t compare(
	const struct sample_rows *now, const struct past *past, struct sample_rows *gone)
{
	const struct sample_rows *before = past->rows;
	uint64_t growth = 0;
	size_t b = 0;

	for (size_t n = 0; n < now->count; n++) {
		const struct sample_row *row = &now->list[n], *known = NULL;

		while (b < before->count && by_index(&before->list[b], row) < 0)
			put_gone(gone, &before->list[b++], past);
		if (b < before->count && by_index(&before->list[b], row) == 0)
			known = &before->list[b++];
		growth = sample_sum(growth, growth_of(row, known, past, now->old_at_sight));
	}
	while (b < before->count)
		put_gone(gone, &before->list[b++], past);
	return growth;
}

static int follow(struct sample_rows *now, const struct past *past, uint64_t *ret_growth)
{
	const struct sample_rows *before = past->rows;
	struct sample_rows gone = { .count = 0 };
	uint64_t bound;
	int rc = reserve(&gone, before->count);

	if (rc < 0)
		return rc;
	*ret_growth = compare(now, past, &gone);
	if (before->most > now->most)
		now->most = before->most;
	bound = now->most > SAMPLE_GONE ? now->most : SAMPLE_GONE;
	if (gone.count > bound) {
		qsort(gone.list, gone.count, sizeof(*gone.list), by_age);
		gone.count = bound;
	}
	rc = reserve(now, gone.count);
	if (rc == 0 && gone.count) {
		memcpy(now->list + now->count, gone.list, gone.count * sizeof(*gone.list));
		now->count += gone.count;
		qsort(now->list, now->count, sizeof(*now->list), by_index);
	}
	free(gone.list);
	return rc;
}

/* Room for a clock that is set, and for the time that a check takes to ask. */
#define CLOCKS_DIFFER_S 60

/*
 * True when it is sure that the host began after the check before: its uptime is smaller than then,
 * or than the time since. Not where it may have begun anew by itself, after 497 days.
 */
static bool is_booted(const struct sample *now, const struct sample *before)
{
	uint64_t passed_s = now->time_s > before->time_s ? now->time_s - before->time_s : 0;

	if (!now->uptime || !before->uptime || passed_s >= (UINT32_MAX - before->uptime) / 100)
		return false;
	return now->uptime < before->uptime || now->uptime / 100 + CLOCKS_DIFFER_S < passed_s;
}

int sample_follow(struct sample *now, const struct sample *before, uint64_t growth[SAMPLE_COUNTERS])
{
	now->check = before ? before->check + 1 : 1;
	for (int i = 0; i < SAMPLE_COUNTERS; i++) {
		struct sample_rows *rows = &now->counters[i];
		int rc = 0;

		growth[i] = 0;
		rows->here = rows->count;
		rows->most = rows->count;
		for (size_t n = 0; n < rows->count; n++)
			rows->list[n].seen = now->check;
		if (rows->count)
			qsort(rows->list, rows->count, sizeof(*rows->list), by_index);
		if (before) {
			struct sample_rows old = before->counters[i];
			struct past past = { .rows = &old,
				.whole = before->whole,
				.booted = is_booted(now, before) };

			if (rows->old_at_sight && past.booted)
				old.count = 0;
			rc = follow(rows, &past, &growth[i]);
		}
		if (rc < 0)
			return rc;
	}
	return 0;
}
