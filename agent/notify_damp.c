/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/notify_damp.h"

#include "agent/mib_view.h"
#include "base/hash.h"

#define BUCKETS 1024u

struct subject {
	struct subject *next; /* in its bucket */
	uint32_t group, key[MIB_KEY_MAX];
	bool flaps;
	struct rate_item last; /* while it flaps */
	uint32_t count, room;  /* of the times */
	uint64_t times[];      /* of its last changes, oldest first; never empty */
};

struct damp {
	struct damp_settings settings;
	struct subject *buckets[BUCKETS];
	size_t count, flapping;
	uint64_t sweep_ns; /* when those that are long quiet are to be forgotten */
};

struct damp *damp_new(const struct damp_settings *settings)
{
	struct damp *d = calloc(1, sizeof(*d));

	if (d)
		damp_configure(d, settings);
	return d;
}

static void subject_free(struct subject *s)
{
	free(s->last.octets);
	free(s);
}

static uint64_t last_change(const struct subject *s)
{
	return s->times[s->count - 1];
}

/* Forgets all that do not flap and have not changed since `before_ns`. */
static void forget(struct damp *d, uint64_t before_ns)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		struct subject **at = &d->buckets[i];

		while (*at) {
			struct subject *s = *at;

			if (s->flaps || last_change(s) >= before_ns) {
				at = &s->next;
				continue;
			}
			*at = s->next;
			subject_free(s);
			d->count--;
		}
	}
}

void damp_configure(struct damp *d, const struct damp_settings *settings)
{
	/* What does not flap has room for as many changes as were wanted before. */
	if (settings->changes != d->settings.changes)
		forget(d, UINT64_MAX);
	d->settings = *settings;
	if (d->settings.changes > DAMP_CHANGES_MAX)
		d->settings.changes = DAMP_CHANGES_MAX;
}

void damp_free(struct damp *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct subject *s = d->buckets[i]; s; s = s->next)
			s->flaps = false;
	}
	forget(d, UINT64_MAX);
	free(d);
}

static struct subject **find(struct damp *d, const struct rate_item *item)
{
	uint64_t hash = hash_bytes(HASH_INIT, &item->group, sizeof(item->group));
	struct subject **at;

	hash = hash_bytes(hash, item->key, sizeof(item->key));
	at = &d->buckets[hash % BUCKETS];
	while (*at && ((*at)->group != item->group ||
			      view_compare_keys((*at)->key, item->key, MIB_KEY_MAX) != 0))
		at = &(*at)->next;
	return at;
}

static void note_change(struct subject *s, uint64_t now_ns)
{
	if (s->count == s->room) {
		memmove(s->times, s->times + 1, (s->room - 1) * sizeof(s->times[0]));
		s->count--;
	}
	s->times[s->count++] = now_ns;
}

static bool is_too_much(const struct damp *d, const struct subject *s, uint64_t now_ns)
{
	return s->count >= d->settings.changes &&
	       now_ns - s->times[s->count - d->settings.changes] <= d->settings.window_ns;
}

enum damp_result damp_change(struct damp *d, uint64_t now_ns, const struct rate_item *item)
{
	struct subject **at = find(d, item), *s = *at;

	if (!s && !d->settings.changes)
		return DAMP_PASSES;
	if (!s) {
		s = calloc(1, sizeof(*s) + d->settings.changes * sizeof(s->times[0]));
		if (!s)
			return DAMP_PASSES;
		s->room = d->settings.changes;
		s->group = item->group;
		memcpy(s->key, item->key, sizeof(s->key));
		*at = s;
		d->count++;
	}
	note_change(s, now_ns);
	if (s->flaps)
		return DAMP_HOLDS;
	if (!d->settings.changes || !is_too_much(d, s, now_ns))
		return DAMP_PASSES;
	s->flaps = true;
	d->flapping++;
	return DAMP_BEGINS;
}

bool damp_keep(struct damp *d, const struct rate_item *item)
{
	struct subject *s = *find(d, item);
	bool lost;

	if (!s || !s->flaps) {
		free(item->octets);
		return true;
	}
	lost = s->last.octets;
	free(s->last.octets);
	s->last = *item;
	return lost;
}

bool damp_forget(struct damp *d, const struct rate_item *item, uint32_t still_true)
{
	struct subject *s = *find(d, item);

	if (!s || !s->last.octets || still_true >> s->last.type & 1)
		return false;
	free(s->last.octets);
	s->last = (struct rate_item){ .octets = NULL };
	return true;
}

bool damp_take(struct damp *d, uint64_t now_ns, struct rate_item *ret)
{
	for (size_t i = 0; i < BUCKETS && d->flapping; i++) {
		for (struct subject *s = d->buckets[i]; s; s = s->next) {
			if (!s->flaps || now_ns - last_change(s) <= d->settings.window_ns)
				continue;
			*ret = s->last;
			s->last = (struct rate_item){ .octets = NULL };
			s->flaps = false;
			d->flapping--;
			return true;
		}
	}
	if (d->count && now_ns > d->sweep_ns) {
		d->sweep_ns = now_ns + d->settings.window_ns;
		if (now_ns > d->settings.window_ns)
			forget(d, now_ns - d->settings.window_ns);
	}
	return false;
}

uint64_t damp_due(const struct damp *d)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < BUCKETS && d->flapping; i++) {
		for (const struct subject *s = d->buckets[i]; s; s = s->next) {
			uint64_t at = last_change(s) + d->settings.window_ns + 1;

			if (s->flaps && at < next)
				next = at;
		}
	}
	return next;
}

size_t damp_flapping(const struct damp *d)
{
	return d->flapping;
}
