/* SPDX-License-Identifier: BSD-2-Clause */
/* model/event_find.h: what of that which was said of a row is true of it as it is now. */
#include "model/event_find.h"
#include "model/own.h"
#include "model/path.h"
#include "model/path_join.h"
#include "model/session_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define BIT(type) (UINT32_C(1) << (type))

/* All types whose subject is the given one and that are true of the object. */
static uint32_t truths(enum event_subject subject, const void *object)
{
	uint32_t types = 0;

	for (uint32_t type = 1; type < EVENT_TYPES; type++) {
		if (event_type_subject(type) == subject && event_is_still_true(type, object))
			types |= BIT(type);
	}
	return types;
}

static void of_a_path(void **state)
{
	enum { UNKNOWN = 0 };
	static const struct {
		uint32_t status;
		bool session, expected;
		uint32_t true_types;
	} cases[] = {
		{ PATH_CONNECTED, true, true, BIT(EVENT_PATH_UP) | BIT(EVENT_PATH_FOUND) },
		{ PATH_DISCONNECTED, true, true, BIT(EVENT_PATH_DOWN) | BIT(EVENT_PATH_FOUND) },
		{ PATH_RECONNECTING, true, false, BIT(EVENT_PATH_DOWN) | BIT(EVENT_PATH_FOUND) },
		/* Missing is down as before. */
		{ PATH_DISCONNECTED, false, true, BIT(EVENT_PATH_DOWN) | BIT(EVENT_PATH_MISSING) },
		{ PATH_DISCONNECTED, false, false, BIT(EVENT_PATH_DOWN) },
		{ UNKNOWN, true, true, BIT(EVENT_PATH_FOUND) },
		{ UNKNOWN, false, true, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct path path = { .session = cases[i].session ? 4 : LINK_NONE };

		OPT_SET(path.direction, PATH_OUTBOUND);
		OPT_SET(path.expected, cases[i].expected);
		if (cases[i].status)
			OPT_SET(path.status, cases[i].status);
		assert_int_equal(truths(SUBJECT_PATH_STATUS, &path), cases[i].true_types);
		assert_int_equal(truths(SUBJECT_PATH_PRIMARY, &path), 0);
		OPT_SET(path.primary, 0);
		assert_int_equal(truths(SUBJECT_PATH_PRIMARY, &path), 0);
		OPT_SET(path.primary, 1);
		assert_int_equal(truths(SUBJECT_PATH_PRIMARY, &path), BIT(EVENT_PRIMARY_PATH));
	}
}

/* One that has failed is not well, as one that is degraded. */
static void of_a_map(void **state)
{
	struct map map = { .object = { .index = 1 } };

	(void)state;
	assert_int_equal(truths(SUBJECT_MAP_STATUS, &map), 0);
	OPT_SET(map.status, MAP_OK);
	assert_int_equal(truths(SUBJECT_MAP_STATUS, &map), BIT(EVENT_MAP_RESTORED));
	OPT_SET(map.status, MAP_DEGRADED);
	assert_int_equal(truths(SUBJECT_MAP_STATUS, &map), BIT(EVENT_MAP_DEGRADED));
	OPT_SET(map.status, MAP_FAILED);
	assert_int_equal(truths(SUBJECT_MAP_STATUS, &map), BIT(EVENT_MAP_DEGRADED));
}

static void of_a_source(void **state)
{
	struct source_info source = { .object = { .index = 1 } };

	(void)state;
	assert_int_equal(truths(SUBJECT_SOURCE_STATE, &source), 0);
	OPT_SET(source.state, HEALTH_STALE);
	assert_int_equal(truths(SUBJECT_SOURCE_STATE, &source), BIT(EVENT_SOURCE_STALE));
	OPT_SET(source.state, HEALTH_OK);
	assert_int_equal(truths(SUBJECT_SOURCE_STATE, &source), BIT(EVENT_SOURCE_RECOVERED));
	OPT_SET(source.state, HEALTH_ABSENT);
	assert_int_equal(truths(SUBJECT_SOURCE_STATE, &source), BIT(EVENT_SOURCE_RECOVERED));
}

/* A health is another one whenever it is told; too many sessions are so each time. */
static void of_what_has_one_type(void **state)
{
	const struct session session = { .object = { .index = 1 } };
	const struct node node = { .object = { .index = 1 } };

	(void)state;
	assert_int_equal(truths(SUBJECT_SESSION_HEALTH, &session), 0);
	assert_int_equal(truths(SUBJECT_TARGET_SESSIONS, &node), BIT(EVENT_SESSION_LIMIT));
	assert_int_equal(truths(SUBJECT_FLAPPING, &node), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_a_path),
		cmocka_unit_test(of_a_map),
		cmocka_unit_test(of_a_source),
		cmocka_unit_test(of_what_has_one_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
