/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was learned once (KEPT_NEWEST, KEPT_WHILE, KEPT_FIRST): whether the source's or the
 * remembered values are the truth is decided for each leader and holds for all that goes with it.
 * Agent process. Pure.
 */
#include "model/ledger_private.h"

static struct kept_value get(const struct row *row, unsigned int position)
{
	return kept_get(&kept_fields[position], row->object, row->ledger->snapshot->arena);
}

static bool is_same(const struct kept_value *a, const struct kept_value *b)
{
	return a->length == b->length && memcmp(a->octets, b->octets, a->length) == 0;
}

/* The leader is what it was, and yet the source knows something else that goes with it. */
static bool is_contradicted(const struct row *row, unsigned int leader)
{
	for (unsigned int i = leader + 1; i < row->end; i++) {
		struct kept_value value;

		if (kept_fields[i].leader != leader || !row->old[i].octets)
			continue;
		value = get(row, i);
		if (value.octets && !is_same(&value, &row->old[i]))
			return true;
	}
	return false;
}

static enum fate fate_of_event(const struct row *row, unsigned int leader)
{
	const struct opt_time *time = (const void *)(row->object + kept_fields[leader].offset);
	uint64_t old_ns = 0;

	if (row->old[leader].octets)
		memcpy(&old_ns, row->old[leader].octets, sizeof(old_ns));
	if (time->known && time->ns > row->ledger->now_ns)
		return FATE_HOLD;
	if (ledger_past_ns(row->ledger, time) > old_ns)
		return FATE_SOURCE;
	if (old_ns == 0)
		return FATE_HOLD;
	return time->known && time->ns == old_ns ? FATE_FILL : FATE_MEMORY;
}

static enum fate fate_of_learned(const struct row *row, unsigned int leader)
{
	const struct kept_value *old = &row->old[leader];
	struct kept_value value;
	enum fate fate;

	if (kept_fields[leader].policy == KEPT_AS_COUNT) {
		fate = row->counts[leader];
	} else {
		value = get(row, leader);
		if (!value.octets)
			return FATE_HOLD;
		fate = old->octets && is_same(&value, old) ? FATE_FILL : FATE_SOURCE;
		if (fate == FATE_FILL && kept_fields[leader].policy == KEPT_AS_FIRST)
			return FATE_FIRST;
	}
	return fate == FATE_FILL && is_contradicted(row, leader) ? FATE_SOURCE : fate;
}

/* Puts a text that no fragment holds behind the others in the snapshot's arena. */
static int add_text(struct ledger *l, const struct kept_value *text, uint32_t *ret_offset)
{
	struct snapshot *s = l->snapshot;
	size_t length = s->arena_length + text->length + 1u;

	if (length > UINT32_MAX)
		return -ENOMEM;
	if (length > l->arena_capacity) {
		size_t capacity = length + length / 4 + 4096;
		char *arena = realloc(s->arena, capacity);

		if (!arena)
			return -ENOMEM;
		s->arena = arena;
		l->arena_capacity = capacity;
	}
	memcpy(s->arena + s->arena_length, text->octets, text->length);
	s->arena[length - 1] = '\0';
	*ret_offset = (uint32_t)s->arena_length;
	s->arena_length = length;
	return 0;
}

static int show_old(struct row *row, unsigned int position)
{
	const struct kept_field *field = &kept_fields[position];
	const struct kept_value *old = &row->old[position];
	uint32_t text_offset = 0;

	if (!old->octets) {
		kept_forget(field, row->object);
		return 0;
	}
	if (field->type == FIELD_str) {
		int rc = add_text(row->ledger, old, &text_offset);

		if (rc < 0)
			return rc;
	}
	kept_set(field, row->object, old, text_offset);
	return 0;
}

static int take_field(struct row *row, unsigned int position, enum fate fate)
{
	const struct kept_value value = get(row, position);
	const struct kept_value *old = &row->old[position], *keep = old;

	if (fate == FATE_FIRST)
		fate = old->octets && (!value.octets || !is_same(&value, old)) ? FATE_MEMORY
									       : FATE_SOURCE;
	if (fate == FATE_MEMORY || (fate == FATE_FILL && !value.octets && old->octets)) {
		int rc = show_old(row, position);

		if (rc < 0)
			return rc;
	} else if (fate == FATE_SOURCE || (fate == FATE_FILL && value.octets)) {
		keep = &value;
	}
	if (keep->octets)
		kept_put(&row->record, position, keep->octets, keep->length);
	return 0;
}

int ledger_take_learned(struct row *row)
{
	unsigned int leader = KEPT_FIELDS;
	enum fate fate = FATE_HOLD;
	int rc = 0;

	for (unsigned int i = row->first; i < row->end && rc == 0; i++) {
		const struct kept_field *field = &kept_fields[i];

		if (field->policy == KEPT_AS_COUNT)
			continue;
		if (field->leader != leader) {
			leader = field->leader;
			fate = field->policy == KEPT_AS_NEWEST ? fate_of_event(row, leader)
							       : fate_of_learned(row, leader);
		}
		if (fate != FATE_HOLD || row->old[i].octets)
			rc = take_field(row, i, fate);
	}
	return rc;
}
