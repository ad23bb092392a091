/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The counters of a row (KEPT_COUNT): what is shown never goes back without a discontinuity. The
 * cases are listed in ledger.h. 64 bits wrap as Counter64 does; columns of 32 bits show the low
 * ones. Agent process. Pure.
 */
#include "model/ledger_private.h"

static struct opt_counter *counter_of(const struct row *row, unsigned int position)
{
	return (struct opt_counter *)(void *)(row->object + kept_fields[position].offset);
}

static bool counts_anything(const struct row *row)
{
	for (unsigned int i = row->first; i < row->end; i++)
		if (kept_fields[i].policy == KEPT_AS_COUNT && counter_of(row, i)->known)
			return true;
	return false;
}

/* Returns true when the counter went back. */
static bool take_count(struct row *row, unsigned int position, bool epoch_ended)
{
	struct opt_counter *counter = counter_of(row, position);
	struct kept_count count = { 0, 0 };
	bool went_back = false;
	uint64_t old_total;

	if (row->old[position].octets)
		memcpy(&count, row->old[position].octets, sizeof(count));
	old_total = count.base + count.last;
	if (epoch_ended) /* what was there without an epoch was absolute */
		count = (struct kept_count){ row->entry->epoch ? old_total : 0, 0 };
	if (!row->instance->epoch && row->entry->epoch)
		counter->known = 0;
	row->counts[position] = FATE_HOLD;
	if (counter->known) {
		went_back = counter->value < count.last;
		if (went_back && row->instance->epoch)
			count.base = old_total;
		count.last = counter->value;
		counter->value = count.base + count.last;
		row->counts[position] = counter->value == old_total ? FATE_FILL : FATE_SOURCE;
	}
	if (count.base || count.last)
		kept_put(&row->record, position, &count, sizeof(count));
	return went_back;
}

/* Another life of the stack's object may have come to the same count as the one before. */
static void forget_old_life(struct row *row)
{
	for (unsigned int i = row->first; i < row->end; i++)
		if (kept_fields[i].policy == KEPT_AS_COUNT && row->counts[i] == FATE_FILL)
			row->counts[i] = FATE_SOURCE;
}

void ledger_take_counts(struct row *row)
{
	const struct registry_entry *entry = row->entry;
	uint64_t epoch = row->instance->epoch;
	bool by_epoch = epoch && counts_anything(row);
	bool epoch_ended = by_epoch && epoch != entry->epoch;
	bool source_told = row->discontinuity_ns != entry->discontinuity_ns;
	bool went_back = false;

	for (unsigned int i = row->first; i < row->end; i++)
		if (kept_fields[i].policy == KEPT_AS_COUNT)
			went_back |= take_count(row, i, epoch_ended);
	if (by_epoch) {
		row->epoch = epoch;
		if (row->discontinuity_ns < row->instance->discontinuity_ns)
			row->discontinuity_ns = row->instance->discontinuity_ns;
	} else if (went_back || source_told) {
		forget_old_life(row);
		if (source_told)
			went_back = false; /* the source knows better when */
	}
	/* A row that has just come up was not interrupted when it begins to count. */
	if (went_back || (epoch_ended && (entry->epoch || !entry->is_fresh)))
		row->discontinuity_ns = row->ledger->now_ns;
}
