/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/registry_sample.h"

#include "model/kept.h"

struct registry_entry *registry_sample_add(struct registry *r, enum index_kind kind,
	uint32_t parent, const char *key, size_t length, uint64_t now_ns)
{
	struct registry_entry *e = NULL;

	if (registry_number(r, kind, parent, key, length, now_ns, &e, NULL) < 0)
		abort();
	return e;
}

static const char odd[] = "x \0\n%\x7f\xff end";

/* Octets that the field can have, at the end of their range. */
static size_t sample_value(const struct kept_field *field, uint8_t out[KEPT_VALUE_MAX])
{
	const struct kept_count count = { UINT64_MAX, 7 };
	static const uint64_t numbers[] = { UINT64_MAX, UINT32_MAX, 65535, 3600, 255, 7, 6, 4, 1 };
	size_t length = 0;

	if (field->policy == KEPT_AS_COUNT) {
		memcpy(out, &count, sizeof(count));
		return sizeof(count);
	}
	switch (field->type) {
	case FIELD_str:
		memcpy(out, odd, sizeof(odd) - 1);
		return sizeof(odd) - 1;
	case FIELD_addr: /* ipv6z: type, length, octets */
		memset(out, 0xfe, 22);
		out[0] = 4;
		out[1] = 20;
		return 22;
	case FIELD_isid:
		memcpy(out, "\x00\x02\x3d \n%", 6);
		return 6;
	default:
		for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
			struct kept_value value = { .octets = out };

			length = kept_put_number(field, numbers[i], out);
			value.length = (uint8_t)length;
			if (length && kept_is_valid(field, &value))
				break;
		}
		return length;
	}
}

static void sample_keep(struct registry *r, struct registry_entry *e)
{
	struct kept_record record;

	record.length = 0;
	for (unsigned int i = 0; i < KEPT_FIELDS; i++) {
		uint8_t octets[KEPT_VALUE_MAX];
		size_t length;

		if (kept_fields[i].kind != kept_kind(e->kind))
			continue;
		length = sample_value(&kept_fields[i], octets);
		kept_put(&record, i, octets, length);
	}
	if (registry_keep(r, e, record.octets, record.length) < 0)
		abort();
}

void registry_sample_fill(struct registry *r)
{

	registry_sample_add(r, INDEX_SESSION, 1, "gone", 4, 1);
	registry_sample_add(r, INDEX_CONNECTION, 9, "gone", 4, 1);
	registry_sweep(r, 1);
	for (enum index_kind k = 0; k < INDEX_KINDS; k++) {
		struct registry_entry *e = registry_sample_add(r, k, 7, "key", 3, 1000 + k);

		e->discontinuity_ns = 2000 + k;
		e->incarnation = UINT64_MAX - k;
		e->epoch = 3000 + k;
		sample_keep(r, e);
		registry_sample_add(r, k, 7, odd, sizeof(odd) - 1, 0);
	}
	registry_sweep(r, 1);
}

static bool same_kept(const struct registry_kept *x, const struct registry_kept *y)
{
	if (!x || !y)
		return !x && !y;
	return x->length == y->length && memcmp(x->octets, y->octets, x->length) == 0;
}

static bool same_entry(
	const struct registry_entry *x, const struct registry_entry *y, bool persistent)
{
	if (!y || y->number != x->number || !y->seen != !x->seen)
		return false;
	return persistent ||
	       (y->since_ns == x->since_ns && y->discontinuity_ns == x->discontinuity_ns &&
		       y->incarnation == x->incarnation && y->epoch == x->epoch &&
		       same_kept(x->kept, y->kept));
}

bool registry_sample_same(const struct registry *a, struct registry *b, bool persistent)
{
	const struct registry_entry *e = NULL;

	while ((e = registry_entries(a, e))) {
		if (persistent && !index_kind_persists(e->kind))
			continue;
		if (!same_entry(e, registry_find(b, e->kind, e->parent, e->key, e->key_length),
			    persistent)) {
			fprintf(stderr, "%s %u of parent %u differs\n", index_kind_name(e->kind),
				e->number, e->parent);
			return false;
		}
	}
	for (enum index_kind k = 0; k < INDEX_KINDS; k++) {
		if (persistent && !index_kind_persists(k))
			continue;
		if (registry_count(a, k) != registry_count(b, k))
			return false;
		for (uint32_t parent = 0; parent < 12; parent++) {
			if (registry_next(a, k, parent) != registry_next(b, k, parent))
				return false;
		}
	}
	return true;
}
