/* SPDX-License-Identifier: BSD-2-Clause */
/* model/event_find.h: which change of state is an event, and what none is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "model/event_find.h"
#include "model/path.h"
#include "model/path_join.h"
#include "model/session_state.h"
#include "tests/support/failing_memory.h" /* __wrap_malloc __wrap_calloc __wrap_realloc __wrap_reallocarray */
#include "tests/support/handmade.h"

#define FOUND_MAX 16

struct found {
	uint32_t type;
	uint32_t key[EVENT_KEY_MAX];
	const void *object;
	uint64_t when_ns;
};

static struct found found[FOUND_MAX];
static size_t found_count;

static void note(void *context, uint32_t type, const void *before, const void *object,
	const uint32_t key[EVENT_KEY_MAX], uint64_t when_ns)
{
	assert_ptr_equal(context, found);
	assert_ptr_not_equal(before, object);
	assert_int_equal(
		((const struct object *)before)->index, ((const struct object *)object)->index);
	/* What is said is so; but of a health only that it is another one. */
	assert_int_equal(event_is_still_true(type, object), type != EVENT_SESSION_HEALTH);
	assert_true(found_count < FOUND_MAX);
	found[found_count] = (struct found){ .type = type, .object = object, .when_ns = when_ns };
	memcpy(found[found_count++].key, key, sizeof(found[0].key));
}

/* An initiator and a target with an inbound session, in one instance; all objects have rows. */
struct host {
	struct snapshot *s;
	struct node *node;
	struct session *session, *inbound;
	struct path *path;
	struct source_info *source;
	struct map *map;
};

static void *add(struct snapshot *s, enum object_kind kind, uint32_t number)
{
	struct object *object = handmade_add(s, kind, NULL);

	object->index = number;
	return object;
}

static struct host host_at(uint64_t seconds)
{
	static const struct source_status units[] = { { .source = "multipath", .state = SOURCE_OK },
		{ .source = "open-iscsi", .state = SOURCE_OK },
		{ .source = "tgt", .unit = "0", .state = SOURCE_OK } };
	struct host h = { .s = handmade_new() };
	struct instance *instance = add(h.s, OBJECT_INSTANCE, 3);

	h.s->made_ns = seconds * NS_PER_S;
	h.s->units = malloc(sizeof(units));
	assert_non_null(h.s->units);
	memcpy(h.s->units, units, sizeof(units));
	h.s->unit_count = ARRAY_SIZE(units);
	OPT_SET(instance->number, 3);
	h.node = add(h.s, OBJECT_NODE, 4);
	h.node->instance = 0;
	add(h.s, OBJECT_SESSION, 5);
	add(h.s, OBJECT_SESSION, 6);
	h.session = h.s->arrays[OBJECT_SESSION].objects;
	h.inbound = h.session + 1;
	for (int i = 0; i < 2; i++) {
		h.session[i].instance = h.session[i].node = 0;
		h.session[i].object.unit = i ? 2 : 1;
		OPT_SET(h.session[i].direction, i ? PATH_INBOUND : PATH_OUTBOUND);
		OPT_SET(h.session[i].condition, SESSION_UP);
	}
	h.path = add(h.s, OBJECT_PATH, 7);
	h.path->session = 0;
	OPT_SET(h.path->direction, PATH_OUTBOUND);
	OPT_SET(h.path->status, PATH_CONNECTED);
	h.path->expected = (struct opt_bool){ .value = 1, .known = 1 };
	h.source = add(h.s, OBJECT_SOURCE, 8);
	OPT_SET(h.source->state, 1);
	h.map = add(h.s, OBJECT_MAP, 9);
	OPT_SET(h.map->status, MAP_OK);
	return h;
}

/* Compares; frees both. Returns how many were found. */
static size_t compare_with(struct host *before, struct host *now, uint32_t session_limit)
{
	found_count = 0;
	assert_int_equal(event_find(before->s, now->s, session_limit, note, found), 0);
	snapshot_put(before->s);
	snapshot_put(now->s);
	return found_count;
}

static size_t compare(struct host *before, struct host *now)
{
	return compare_with(before, now, 0);
}

static void the_same_is_no_event(void **state)
{
	struct host a = host_at(1), b = host_at(2);

	(void)state;
	assert_int_equal(compare_with(&a, &b, 1), 0);
}

static void a_path_goes_down_up_away_and_comes_back(void **state)
{
	enum { NONE = 0 }; /* no session */
	static const struct {
		uint32_t before, now;
		bool had, has, expected;
		uint32_t type;
	} cases[] = {
		{ PATH_CONNECTED, PATH_DISCONNECTED, true, true, true, EVENT_PATH_DOWN },
		{ PATH_CONNECTED, PATH_RECONNECTING, true, true, true, EVENT_PATH_DOWN },
		{ PATH_RECONNECTING, PATH_DISCONNECTED, true, true, true, EVENT_NONE },
		{ PATH_RECONNECTING, PATH_CONNECTED, true, true, true, EVENT_PATH_UP },
		{ PATH_DISCONNECTED, PATH_CONNECTED, true, true, true, EVENT_PATH_UP },
		{ PATH_CONNECTED, PATH_DISCONNECTED, true, false, true, EVENT_PATH_MISSING },
		{ PATH_RECONNECTING, PATH_DISCONNECTED, true, false, true, EVENT_PATH_MISSING },
		/* Nobody wants it to be there. */
		{ PATH_CONNECTED, PATH_DISCONNECTED, true, false, false, EVENT_PATH_DOWN },
		{ PATH_RECONNECTING, PATH_DISCONNECTED, true, false, false, EVENT_NONE },
		{ PATH_DISCONNECTED, PATH_CONNECTED, false, true, true, EVENT_PATH_FOUND },
		{ PATH_DISCONNECTED, PATH_RECONNECTING, false, true, true, EVENT_PATH_FOUND },
		{ PATH_DISCONNECTED, PATH_CONNECTED, false, true, false, EVENT_PATH_UP },
		{ PATH_DISCONNECTED, PATH_DISCONNECTED, false, false, true, EVENT_NONE },
		{ NONE, PATH_DISCONNECTED, true, true, true, EVENT_NONE },
		{ PATH_CONNECTED, NONE, true, true, true, EVENT_NONE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct host a = host_at(1), b = host_at(2);

		a.path->status = (struct opt_u32){ cases[i].before, cases[i].before != NONE };
		b.path->status = (struct opt_u32){ cases[i].now, cases[i].now != NONE };
		a.path->session = cases[i].had ? 0 : LINK_NONE;
		b.path->session = cases[i].has ? 0 : LINK_NONE;
		a.path->expected.value = b.path->expected.value = cases[i].expected;
		assert_int_equal(compare(&a, &b), cases[i].type != EVENT_NONE);
		if (!cases[i].type)
			continue;
		assert_int_equal(found[0].type, cases[i].type);
		assert_int_equal(found[0].key[0], 7);
		assert_int_equal(found[0].key[1], 0);
		assert_int_equal(found[0].when_ns, 2 * NS_PER_S);
	}
}

/*
 * What is not known now was known before: a path whose session cannot be told apart for a poll, and
 * one whose session goes.
 */
static void a_path_that_is_unknown_for_a_while(void **state)
{
	static const struct {
		uint32_t last, now; /* 0 unknown */
		bool had, has;
		uint32_t type;
	} cases[] = {
		{ PATH_DISCONNECTED, PATH_CONNECTED, false, true, EVENT_PATH_FOUND },
		{ PATH_DISCONNECTED, PATH_CONNECTED, true, true, EVENT_PATH_UP },
		{ PATH_RECONNECTING, PATH_CONNECTED, true, true, EVENT_PATH_UP },
		{ PATH_CONNECTED, PATH_RECONNECTING, true, true, EVENT_PATH_DOWN },
		{ PATH_CONNECTED, PATH_DISCONNECTED, true, false, EVENT_PATH_MISSING },
		{ PATH_CONNECTED, PATH_CONNECTED, true, true, EVENT_NONE },
		{ PATH_CONNECTED, PATH_CONNECTED, false, true, EVENT_NONE }, /* it was not away */
		{ PATH_DISCONNECTED, PATH_DISCONNECTED, false, false, EVENT_NONE },
		{ PATH_CONNECTED, 0, true, true, EVENT_NONE },
		{ 0, PATH_CONNECTED, false, true, EVENT_NONE }, /* since the start */
		{ 0, PATH_DISCONNECTED, true, false, EVENT_NONE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct host a = host_at(1), b = host_at(2);

		a.path->status.known = 0;
		a.path->status_of_time = (struct opt_u32){ cases[i].last, cases[i].last != 0 };
		b.path->status = (struct opt_u32){ cases[i].now, cases[i].now != 0 };
		a.path->session = cases[i].had ? 0 : LINK_NONE;
		b.path->session = cases[i].has ? 0 : LINK_NONE;
		assert_int_equal(compare(&a, &b), cases[i].type != EVENT_NONE);
		if (cases[i].type)
			assert_int_equal(found[0].type, cases[i].type);
	}
}

/* The row itself tells when, if that is of this change and lies between the snapshots. */
static void a_path_knows_when_it_went_down(void **state)
{
	static const struct {
		uint64_t time;
		uint32_t status;
		bool believed;
	} cases[] = { { 1500, PATH_DISCONNECTED, true }, { 1500, PATH_CONNECTED, false },
		{ 1000, PATH_DISCONNECTED, false }, { 900, PATH_DISCONNECTED, false },
		{ 2100, PATH_DISCONNECTED, false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct host a = host_at(1), b = host_at(2);

		OPT_SET(b.path->status, PATH_DISCONNECTED);
		b.path->status_time =
			(struct opt_time){ .ns = cases[i].time * NS_PER_MS, .known = 1 };
		OPT_SET(b.path->status_of_time, cases[i].status);
		assert_int_equal(compare(&a, &b), 1);
		assert_int_equal(found[0].when_ns,
			cases[i].believed ? cases[i].time * NS_PER_MS : 2 * NS_PER_S);
	}
}

static void a_path_becomes_primary(void **state)
{
	static const struct opt_bool no = { .known = 1 }, yes = { .value = 1, .known = 1 };
	static const struct opt_bool unknown = { .known = 0 };
	static const struct {
		const struct opt_bool *before, *now;
		bool is_event;
	} cases[] = { { &no, &yes, true }, { &yes, &no, false }, { &yes, &yes, false },
		{ &unknown, &yes, false }, { &no, &unknown, false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct host a = host_at(1), b = host_at(2);

		a.path->primary = *cases[i].before;
		b.path->primary = *cases[i].now;
		assert_int_equal(compare(&a, &b), cases[i].is_event);
		if (cases[i].is_event)
			assert_int_equal(found[0].type, EVENT_PRIMARY_PATH);
	}
}

/* Rows are the same by their number, wherever they are; one that comes or goes says nothing. */
static void only_rows_that_both_have_are_compared(void **state)
{
	struct host a = host_at(1), b = host_at(2);
	struct path *other;

	(void)state;
	a.path->object.index = 70;
	OPT_SET(b.path->status, PATH_DISCONNECTED);
	assert_int_equal(compare(&a, &b), 0);

	a = host_at(1);
	b = host_at(2);
	b.path->object.index = 0; /* has no row */
	OPT_SET(b.path->status, PATH_DISCONNECTED);
	assert_int_equal(compare(&a, &b), 0);

	/* Another order: 7, 6 before, 6, 7 now; 6 went down. */
	a = host_at(1);
	other = add(a.s, OBJECT_PATH, 6);
	OPT_SET(other->status, PATH_CONNECTED);
	b = host_at(2);
	b.path->object.index = 6;
	OPT_SET(b.path->status, PATH_RECONNECTING);
	other = add(b.s, OBJECT_PATH, 7);
	OPT_SET(other->status, PATH_CONNECTED);
	assert_int_equal(compare(&a, &b), 1);
	assert_int_equal(found[0].type, EVENT_PATH_DOWN);
	assert_int_equal(found[0].key[0], 6);
}

static void a_session_becomes_unwell(void **state)
{
	struct host a = host_at(1), b = host_at(2);

	(void)state;
	OPT_SET(b.session->condition, SESSION_LOST);
	assert_int_equal(compare(&a, &b), 1);
	assert_int_equal(found[0].type, EVENT_SESSION_HEALTH);
	assert_int_equal(found[0].key[0], 3);
	assert_int_equal(found[0].key[1], 4);
	assert_int_equal(found[0].key[2], 5);

	/* The health is the same: no event. */
	a = host_at(1);
	b = host_at(2);
	OPT_SET(a.session->condition, SESSION_EXPIRED);
	OPT_SET(b.session->condition, SESSION_EXPIRED);
	assert_int_equal(compare(&a, &b), 0);

	a = host_at(1);
	b = host_at(2);
	OPT_SET(b.session->condition, SESSION_LOST);
	b.node->object.index = 0; /* it has no index then */
	assert_int_equal(compare(&a, &b), 0);

	a = host_at(1);
	b = host_at(2);
	b.session->condition.known = 0;
	assert_int_equal(compare(&a, &b), 0);
}

static void a_target_reaches_its_limit_of_sessions(void **state)
{
	struct host a, b;

	(void)state;
	for (uint32_t limit = 0; limit < 4; limit++) {
		a = host_at(1);
		b = host_at(2);
		/* One inbound session before, two now; outbound ones do not count. */
		struct session *more = add(b.s, OBJECT_SESSION, 10);

		more->instance = more->node = 0;
		OPT_SET(more->direction, PATH_INBOUND);
		assert_int_equal(compare_with(&a, &b, limit), limit == 2);
		if (limit != 2)
			continue;
		assert_int_equal(found[0].type, EVENT_SESSION_LIMIT);
		assert_int_equal(found[0].key[0], 3);
		assert_int_equal(found[0].key[1], 4);
		assert_int_equal(found[0].key[2], 0);
	}
	/* One that has no row is not there for a manager. */
	a = host_at(1);
	b = host_at(2);
	a.inbound->object.index = 0;
	assert_int_equal(compare_with(&a, &b, 1), 1);
	a = host_at(1);
	b = host_at(2);
	b.inbound->object.index = 0;
	assert_int_equal(compare_with(&a, &b, 1), 0);
}

static void a_source_is_lost_and_found(void **state)
{
	enum { OK = 1, STALE, ERROR, ABSENT, STARTING = 7 };
	static const struct {
		uint32_t before, now, type;
	} cases[] = { { OK, STALE, EVENT_SOURCE_STALE }, { ERROR, STALE, EVENT_SOURCE_STALE },
		{ STALE, OK, EVENT_SOURCE_RECOVERED }, { OK, ERROR, EVENT_NONE },
		{ ERROR, OK, EVENT_NONE }, { STALE, ABSENT, EVENT_SOURCE_RECOVERED },
		{ ABSENT, OK, EVENT_NONE }, { OK, ABSENT, EVENT_NONE },
		{ STARTING, OK, EVENT_NONE }, { STALE, STALE, EVENT_NONE } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct host a = host_at(1), b = host_at(2);

		OPT_SET(a.source->state, cases[i].before);
		OPT_SET(b.source->state, cases[i].now);
		assert_int_equal(compare(&a, &b), cases[i].type != EVENT_NONE);
		if (!cases[i].type)
			continue;
		assert_int_equal(found[0].type, cases[i].type);
		assert_int_equal(found[0].key[0], 8);
	}
}

static void a_map_is_degraded_and_restored(void **state)
{
	static const struct {
		uint32_t before, now, type;
	} cases[] = { { MAP_OK, MAP_DEGRADED, EVENT_MAP_DEGRADED },
		{ MAP_OK, MAP_FAILED, EVENT_MAP_DEGRADED },
		{ MAP_DEGRADED, MAP_FAILED, EVENT_MAP_DEGRADED },
		{ MAP_FAILED, MAP_DEGRADED, EVENT_MAP_DEGRADED },
		{ MAP_DEGRADED, MAP_OK, EVENT_MAP_RESTORED },
		{ MAP_FAILED, MAP_OK, EVENT_MAP_RESTORED }, { MAP_FAILED, MAP_FAILED, EVENT_NONE },
		{ 0, MAP_FAILED, EVENT_NONE }, { MAP_DEGRADED, 0, EVENT_NONE } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct host a = host_at(1), b = host_at(2);

		a.map->status = (struct opt_u32){ cases[i].before, cases[i].before != 0 };
		b.map->status = (struct opt_u32){ cases[i].now, cases[i].now != 0 };
		assert_int_equal(compare(&a, &b), cases[i].type != EVENT_NONE);
		if (!cases[i].type)
			continue;
		assert_int_equal(found[0].type, cases[i].type);
		assert_int_equal(found[0].key[0], 9);
	}
}

/* What a map lacks is known from the initiator, too: then it is not the map that has changed. */
static void a_map_is_not_degraded_by_what_becomes_known_of_it(void **state)
{
	static const struct {
		enum source_state before, now;
		bool had_rows, has_rows; /* a good poll, and a session */
		bool is_event;
	} cases[] = { { SOURCE_OK, SOURCE_FAILING, true, true, true },
		{ SOURCE_FAILING, SOURCE_OK, true, true, true },
		{ SOURCE_STARTING, SOURCE_OK, false, true, false },
		{ SOURCE_FAILING, SOURCE_OK, false, true, false }, /* its first poll failed */
		{ SOURCE_STALE, SOURCE_OK, false, true, false },
		{ SOURCE_OK, SOURCE_STALE, true, false, false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct host a = host_at(1), b = host_at(2);

		OPT_SET(b.map->status, MAP_DEGRADED);
		a.s->units[1].state = cases[i].before;
		b.s->units[1].state = cases[i].now;
		if (cases[i].had_rows)
			a.s->units[1].has_rows = true;
		else
			OPT_SET(a.session->direction, PATH_INBOUND);
		if (cases[i].has_rows)
			b.s->units[1].has_rows = true;
		else
			OPT_SET(b.session->direction, PATH_INBOUND);
		assert_int_equal(compare(&a, &b), cases[i].is_event);
	}
	/* Another source may come and go. */
	struct host a = host_at(1), b = host_at(2);

	a.s->units[2].state = SOURCE_STALE;
	OPT_SET(b.map->status, MAP_DEGRADED);
	assert_int_equal(compare(&a, &b), 1);
}

static void without_memory_nothing_is_found(void **state)
{
	struct host a = host_at(1), b = host_at(2);
	unsigned long at;
	int rc = -ENOMEM;

	(void)state;
	OPT_SET(b.map->status, MAP_DEGRADED);
	for (at = 1; rc == -ENOMEM; at++) {
		found_count = allocations = 0;
		fail_at = at;
		rc = event_find(a.s, b.s, 1, note, found);
		fail_at = 0;
		assert_int_equal(found_count, rc == 0);
	}
	assert_int_equal(rc, 0);
	assert_true(at > 10);
	snapshot_put(a.s);
	snapshot_put(b.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_memory_nothing_is_found),
		cmocka_unit_test(the_same_is_no_event),
		cmocka_unit_test(a_path_goes_down_up_away_and_comes_back),
		cmocka_unit_test(a_path_that_is_unknown_for_a_while),
		cmocka_unit_test(a_path_knows_when_it_went_down),
		cmocka_unit_test(a_path_becomes_primary),
		cmocka_unit_test(only_rows_that_both_have_are_compared),
		cmocka_unit_test(a_session_becomes_unwell),
		cmocka_unit_test(a_target_reaches_its_limit_of_sessions),
		cmocka_unit_test(a_source_is_lost_and_found),
		cmocka_unit_test(a_map_is_degraded_and_restored),
		cmocka_unit_test(a_map_is_not_degraded_by_what_becomes_known_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
