/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The windows of notifications against the rule itself, on random sequences of events. The model
 * remembers everything that ever happened and went out, and looks through all of it each time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "agent/notify_rate.h"
#include "tests/support/handmade.h"

#define SENT_MAX     20000u
#define SUBJECTS_MAX 12u

struct sent {
	uint64_t at;
	uint32_t type;
};

struct model {
	struct rate *rate;
	struct rate_settings settings;
	uint64_t now, seed;
	struct sent sent[SENT_MAX];
	size_t sent_count;
	uint64_t events, serial;
	/* Of each subject: the serial of the newest event, of the newest one told, since when it
	 * waits. */
	uint64_t newest[SUBJECTS_MAX], told[SUBJECTS_MAX], waits_since[SUBJECTS_MAX];
	uint32_t newest_type[SUBJECTS_MAX];
};

static struct model m;

/* How many of a type (RATE_TYPES: of all) went out in the period of window_ns that ends at `end`.
 */
static uint32_t in_window(uint32_t type, uint64_t end)
{
	uint64_t begin = end > m.settings.window_ns ? end - m.settings.window_ns : 0;
	uint32_t count = 0;

	for (size_t i = m.sent_count; i-- > 0 && m.sent[i].at >= begin;)
		count += m.sent[i].at <= end && (type == RATE_TYPES || m.sent[i].type == type);
	return count;
}

static bool may_go(uint32_t type)
{
	return (!m.settings.each || in_window(type, m.now) < m.settings.each) &&
	       (!m.settings.all || in_window(RATE_TYPES, m.now) < m.settings.all);
}

/* Takes all that may go; afterwards nothing that may go is left. */
static void take_all(void)
{
	struct rate_item item;

	while (rate_take(m.rate, m.now, &item)) {
		uint32_t subject = item.key[0];
		uint64_t serial;

		assert_true(item.length == sizeof(serial));
		memcpy(&serial, item.octets, sizeof(serial));
		free(item.octets);
		assert_true(may_go(item.type));
		/* Never an old state, and never one twice. */
		assert_int_equal(serial, m.newest[subject]);
		assert_int_equal(item.type, m.newest_type[subject]);
		assert_true(serial > m.told[subject]);
		/* Nobody who waits for longer could have gone instead. */
		for (uint32_t i = 0; i < SUBJECTS_MAX; i++)
			assert_false(m.told[i] < m.newest[i] &&
				     m.waits_since[i] < m.waits_since[subject] &&
				     may_go(m.newest_type[i]));
		m.told[subject] = serial;
		assert_true(m.sent_count < SENT_MAX);
		m.sent[m.sent_count++] = (struct sent){ .at = m.now, .type = item.type };
	}
	for (uint32_t i = 0; i < SUBJECTS_MAX; i++)
		assert_false(m.told[i] < m.newest[i] && may_go(m.newest_type[i]));
}

static void event(uint32_t subject, uint32_t type)
{
	struct rate_item item = { .type = type,
		.group = subject % 3,
		.key = { subject, 7 },
		.event_ns = m.now,
		.length = sizeof(m.serial) };

	m.serial++;
	m.events++;
	if (m.told[subject] == m.newest[subject])
		m.waits_since[subject] = m.serial;
	m.newest[subject] = m.serial;
	m.newest_type[subject] = type;
	item.octets = malloc(sizeof(m.serial));
	assert_non_null(item.octets);
	memcpy(item.octets, &m.serial, sizeof(m.serial));
	rate_put(m.rate, &item);
	take_all();
}

static void model_begin(uint64_t seed)
{
	memset(&m, 0, sizeof(m));
	m.seed = seed;
	m.settings.each = (uint32_t)handmade_chance(&m.seed, 5);
	m.settings.all = (uint32_t)handmade_chance(&m.seed, 8);
	m.settings.window_ns = 1 + handmade_chance(&m.seed, 200);
	m.rate = rate_new(&m.settings);
	assert_non_null(m.rate);
}

/* Time goes on, by what the windows ask for or by chance. */
static void pass_time(void)
{
	uint64_t due = rate_due(m.rate);

	if (due != UINT64_MAX && handmade_chance(&m.seed, 3) == 0) {
		size_t held = rate_held(m.rate);

		assert_true(due > m.now);
		m.now = due - 1;
		take_all();
		assert_int_equal(rate_held(m.rate), held);
		m.now = due;
		take_all();
		assert_true(rate_held(m.rate) < held);
		return;
	}
	m.now += handmade_chance(&m.seed, m.settings.window_ns / 2 + 2);
	take_all();
}

static void model_end(void)
{
	const struct rate_counts *counts = rate_counts(m.rate);

	/* In the end everything is told. */
	for (uint64_t due; (due = rate_due(m.rate)) != UINT64_MAX;) {
		size_t held = rate_held(m.rate);

		assert_true(due > m.now);
		m.now = due;
		take_all();
		assert_true(rate_held(m.rate) < held);
	}
	assert_int_equal(rate_held(m.rate), 0);
	for (uint32_t i = 0; i < SUBJECTS_MAX; i++)
		assert_int_equal(m.told[i], m.newest[i]);
	assert_int_equal(counts->dropped, 0);
	assert_int_equal(counts->suppressed, m.events - m.sent_count);
	/* The rule, for every period that ends when something went out. */
	for (size_t i = 0; i < m.sent_count; i++) {
		if (m.settings.each)
			assert_true(in_window(m.sent[i].type, m.sent[i].at) <= m.settings.each);
		if (m.settings.all)
			assert_true(in_window(RATE_TYPES, m.sent[i].at) <= m.settings.all);
	}
	rate_free(m.rate);
}

static void random_events_keep_the_rule(void **state)
{
	uint64_t events = 0, sent = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 300; seed++) {
		model_begin(seed);
		for (int step = 0; step < 400; step++) {
			/* Storms and pauses. */
			if (handmade_chance(&m.seed, 4) == 0)
				pass_time();
			else
				event((uint32_t)handmade_chance(&m.seed, SUBJECTS_MAX),
					(uint32_t)handmade_chance(&m.seed, 4));
		}
		model_end();
		events += m.events;
		sent += m.sent_count;
	}
	print_message("%llu events, %llu went out\n", (unsigned long long)events,
		(unsigned long long)sent);
	assert_true(sent * 10 < events * 9);
}

static struct rate_item item_of(uint32_t type, uint32_t subject)
{
	struct rate_item item = { .type = type, .group = type, .key = { subject } };

	return item;
}

/* Puts one and takes what may go; how many went. */
static int put(struct rate *r, uint64_t now, uint32_t type, uint32_t subject)
{
	struct rate_item item = item_of(type, subject);
	int taken = 0;

	rate_put(r, &item);
	while (rate_take(r, now, &item))
		taken++;
	return taken;
}

static void three_in_ten_seconds(void **state)
{
	const struct rate_settings settings = { .each = 3, .all = 3, .window_ns = 10000 };
	struct rate *r = rate_new(&settings);
	struct rate_item item;

	(void)state;
	assert_non_null(r);
	assert_int_equal(put(r, 0, 0, 1), 1);
	assert_int_equal(put(r, 4000, 1, 1), 1);
	assert_int_equal(put(r, 5000, 0, 1), 1);
	/* The fourth and its repetitions are held, and told once when the first is 10 s old. */
	assert_int_equal(put(r, 5001, 0, 1), 0);
	assert_int_equal(put(r, 9000, 0, 1), 0);
	assert_int_equal(rate_due(r), 10001);
	assert_false(rate_take(r, 10000, &item));
	assert_true(rate_take(r, 10001, &item));
	assert_int_equal(rate_counts(r)->suppressed, 1);
	assert_int_equal(rate_due(r), UINT64_MAX);
	/* Now 4000, 5000 and 10001 count. */
	assert_int_equal(put(r, 14000, 2, 9), 0);
	assert_int_equal(rate_due(r), 14001);
	assert_true(rate_take(r, 14001, &item));
	rate_free(r);
}

static void each_type_has_its_window(void **state)
{
	const struct rate_settings settings = { .each = 1, .all = 0, .window_ns = 1000 };
	struct rate *r = rate_new(&settings);
	struct rate_item item;

	(void)state;
	assert_non_null(r);
	assert_int_equal(put(r, 10, 0, 1), 1);
	assert_int_equal(put(r, 20, 0, 2), 0);
	/* A held one of one type does not hold up another type. */
	assert_int_equal(put(r, 30, 1, 1), 1);
	assert_int_equal(rate_due(r), 1011);
	assert_true(rate_take(r, 1011, &item));
	assert_int_equal(item.key[0], 2);
	rate_free(r);
}

static void a_contradiction_replaces(void **state)
{
	const struct rate_settings settings = { .each = 0, .all = 1, .window_ns = 1000 };
	struct rate *r = rate_new(&settings);
	struct rate_item item = item_of(4, 1);

	(void)state;
	assert_non_null(r);
	assert_int_equal(put(r, 0, 0, 1), 1);
	item.group = 9;
	rate_put(r, &item); /* down */
	item.type = 5;
	rate_put(r, &item); /* up again, before anybody was told */
	assert_int_equal(rate_held(r), 1);
	assert_true(rate_take(r, 1001, &item));
	assert_int_equal(item.type, 5);
	rate_free(r);
}

static void what_is_not_true_any_more_is_forgotten(void **state)
{
	const struct rate_settings settings = { .each = 0, .all = 1, .window_ns = 1000 };
	struct rate *r = rate_new(&settings);
	struct rate_item item = item_of(0, 3);

	(void)state;
	assert_non_null(r);
	for (uint32_t i = 1; i <= 4; i++)
		assert_int_equal(put(r, 0, 0, i), i == 1);
	rate_forget(r, &item, UINT32_C(1) << item.type);
	assert_int_equal(rate_held(r), 3);
	rate_forget(r, &item, ~(UINT32_C(1) << item.type));
	item.key[1] = 1; /* another subject */
	rate_forget(r, &item, 0);
	assert_int_equal(rate_held(r), 2);
	assert_int_equal(rate_counts(r)->suppressed, 1);
	assert_true(rate_take(r, 1001, &item));
	assert_int_equal(item.key[0], 2);
	assert_true(rate_take(r, 2002, &item));
	assert_int_equal(item.key[0], 4);
	assert_int_equal(rate_due(r), UINT64_MAX);
	rate_free(r);
}

static void what_was_delayed_counts_from_when_it_went(void **state)
{
	const struct rate_settings settings = { .each = 3, .all = 3, .window_ns = 10000 };
	struct rate *r = rate_new(&settings);

	(void)state;
	assert_non_null(r);
	assert_int_equal(put(r, 1000, 0, 1), 1);
	assert_int_equal(put(r, 8000, 0, 1), 1);
	assert_int_equal(put(r, 8500, 0, 1), 1);
	/* The master was away from 7000 to 9000. */
	rate_delayed(r, 7000, 9000);
	assert_int_equal(put(r, 9500, 0, 1), 0);
	assert_int_equal(rate_due(r), 11001);
	assert_int_equal(put(r, 11001, 0, 2), 1);
	assert_int_equal(put(r, 18501, 0, 3), 0); /* 8500 would have been long enough ago */
	assert_int_equal(rate_due(r), 19001);
	rate_free(r);
}

static void too_many_subjects_drop_the_oldest(void **state)
{
	const struct rate_settings settings = { .each = 1, .all = 1, .window_ns = 1000 };
	struct rate *r = rate_new(&settings);
	struct rate_item item;

	(void)state;
	assert_non_null(r);
	for (uint32_t i = 0; i <= RATE_HELD_MAX + 5; i++)
		put(r, 0, 0, i);
	assert_int_equal(rate_held(r), RATE_HELD_MAX);
	assert_int_equal(rate_counts(r)->dropped, 5);
	assert_true(rate_take(r, 1001, &item));
	assert_int_equal(item.key[0], 6);
	rate_free(r);
}

static void limits_change_at_once(void **state)
{
	struct rate_settings settings = { .each = 1, .all = 1, .window_ns = 1000 };
	struct rate *r = rate_new(&settings);
	struct rate_item item;

	(void)state;
	assert_non_null(r);
	put(r, 0, 0, 1);
	assert_int_equal(put(r, 1, 0, 2), 0);
	settings.each = settings.all = 5000; /* more than there is room for */
	rate_configure(r, &settings);
	assert_true(rate_take(r, 2, &item));
	for (uint32_t i = 2; i < RATE_LIMIT_MAX; i++)
		assert_int_equal(put(r, 3, 0, 10 + i), 1);
	assert_int_equal(put(r, 3, 0, 1), 0);
	settings.each = settings.all = 0;
	rate_configure(r, &settings);
	assert_true(rate_take(r, 3, &item));
	rate_free(r);
	rate_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_events_keep_the_rule),
		cmocka_unit_test(three_in_ten_seconds),
		cmocka_unit_test(each_type_has_its_window),
		cmocka_unit_test(a_contradiction_replaces),
		cmocka_unit_test(what_is_not_true_any_more_is_forgotten),
		cmocka_unit_test(what_was_delayed_counts_from_when_it_went),
		cmocka_unit_test(too_many_subjects_drop_the_oldest),
		cmocka_unit_test(limits_change_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
