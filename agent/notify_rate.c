/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/notify_rate.h"

#include "agent/mib_view.h"

/* The last times at which something went out, oldest first. */
struct window {
	uint64_t at[RATE_LIMIT_MAX];
	uint32_t count;
};

struct rate {
	struct rate_settings settings;
	struct window types[RATE_TYPES], all;
	struct rate_item held[RATE_HELD_MAX]; /* those that wait longest first */
	size_t held_count;
	struct rate_counts counts;
};

static struct rate_settings bounded(const struct rate_settings *settings)
{
	struct rate_settings s = *settings;

	s.each = s.each > RATE_LIMIT_MAX ? RATE_LIMIT_MAX : s.each;
	s.all = s.all > RATE_LIMIT_MAX ? RATE_LIMIT_MAX : s.all;
	return s;
}

struct rate *rate_new(const struct rate_settings *settings)
{
	struct rate *r = calloc(1, sizeof(*r));

	if (r)
		r->settings = bounded(settings);
	return r;
}

void rate_free(struct rate *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->held_count; i++)
		free(r->held[i].octets);
	free(r);
}

void rate_configure(struct rate *r, const struct rate_settings *settings)
{
	r->settings = bounded(settings);
}

/* ---- windows ---- */

/* The first moment at which one more may go out. */
static uint64_t opens_at(const struct rate *r, const struct window *w, uint32_t limit)
{
	if (!limit || w->count < limit)
		return 0;
	/* Both ends of a period belong to it, so the next one begins behind its end. */
	return w->at[w->count - limit] + r->settings.window_ns + 1;
}

static uint64_t type_opens_at(const struct rate *r, uint32_t type)
{
	uint64_t each = opens_at(r, &r->types[type], r->settings.each);
	uint64_t all = opens_at(r, &r->all, r->settings.all);

	return each > all ? each : all;
}

static void note(struct window *w, uint64_t at_ns)
{
	if (w->count == RATE_LIMIT_MAX) {
		memmove(w->at, w->at + 1, (RATE_LIMIT_MAX - 1) * sizeof(w->at[0]));
		w->count--;
	}
	w->at[w->count++] = at_ns;
}

static void delay(struct window *w, uint64_t since_ns, uint64_t now_ns)
{
	for (uint32_t i = 0; i < w->count; i++) {
		if (w->at[i] >= since_ns)
			w->at[i] = now_ns;
	}
}

void rate_delayed(struct rate *r, uint64_t since_ns, uint64_t now_ns)
{
	for (size_t i = 0; i < RATE_TYPES; i++)
		delay(&r->types[i], since_ns, now_ns);
	delay(&r->all, since_ns, now_ns);
}

/* ---- what is held ---- */

static void remove_held(struct rate *r, size_t at)
{
	r->held_count--;
	memmove(&r->held[at], &r->held[at + 1], (r->held_count - at) * sizeof(r->held[0]));
}

/* What is held of the item's subject; NULL: nothing is. */
static struct rate_item *find_held(struct rate *r, const struct rate_item *item)
{
	for (size_t i = 0; i < r->held_count; i++) {
		struct rate_item *held = &r->held[i];

		if (held->group == item->group &&
			view_compare_keys(held->key, item->key, MIB_KEY_MAX) == 0)
			return held;
	}
	return NULL;
}

void rate_put(struct rate *r, const struct rate_item *item)
{
	struct rate_item *held = find_held(r, item);

	if (held) {
		r->counts.suppressed++;
		free(held->octets);
		*held = *item; /* keeps its place: it waits for as long */
		return;
	}
	if (r->held_count == RATE_HELD_MAX) {
		r->counts.dropped++;
		free(r->held[0].octets);
		remove_held(r, 0);
	}
	r->held[r->held_count++] = *item;
}

void rate_forget(struct rate *r, const struct rate_item *item, uint32_t still_true)
{
	struct rate_item *held = find_held(r, item);

	if (!held || still_true >> held->type & 1)
		return;
	r->counts.suppressed++;
	free(held->octets);
	remove_held(r, (size_t)(held - r->held));
}

bool rate_take(struct rate *r, uint64_t now_ns, struct rate_item *ret)
{
	/* In a storm it is asked thousands of times: mostly there is nothing to look for. */
	if (opens_at(r, &r->all, r->settings.all) > now_ns)
		return false;
	for (size_t i = 0; i < r->held_count; i++) {
		if (type_opens_at(r, r->held[i].type) > now_ns)
			continue;
		*ret = r->held[i];
		remove_held(r, i);
		note(&r->types[ret->type], now_ns);
		note(&r->all, now_ns);
		return true;
	}
	return false;
}

uint64_t rate_due(const struct rate *r)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < r->held_count; i++) {
		uint64_t at = type_opens_at(r, r->held[i].type);

		next = at < next ? at : next;
	}
	return next;
}

size_t rate_held(const struct rate *r)
{
	return r->held_count;
}

const struct rate_counts *rate_counts(const struct rate *r)
{
	return &r->counts;
}
