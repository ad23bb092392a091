/* SPDX-License-Identifier: BSD-2-Clause */
/* model/event_find.h, of paths: which change of status is which event. */
#include "model/event_find.h"
#include "model/path.h"
#include "model/session_state.h"
#include "tests/support/handmade.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { UNTOLD = 0 };

struct look {
	uint32_t status;      /* 0 unknown */
	uint32_t last_status; /* that was known; 0 none */
	bool session;
};

static uint32_t found[8];
static size_t found_count;

static void take(void *context, uint32_t type, const void *before, const void *object,
	const uint32_t key[EVENT_KEY_MAX], uint64_t when_ns)
{
	(void)context, (void)before, (void)when_ns;
	assert_true(event_is_still_true(type, object));
	assert_int_equal(key[0], 7);
	assert_true(found_count < ARRAY_SIZE(found));
	found[found_count++] = type;
}

static struct snapshot *host(const struct look *look)
{
	struct snapshot *s = handmade_new();
	struct path *path = handmade_add(s, OBJECT_PATH, NULL);

	path->object.index = 7;
	OPT_SET(path->direction, PATH_OUTBOUND);
	OPT_SET(path->expected, 1);
	if (look->status)
		OPT_SET(path->status, look->status);
	if (look->last_status)
		OPT_SET(path->status_of_time, look->last_status);
	if (look->session) {
		struct session *session = handmade_add(s, OBJECT_SESSION, &path->session);
		struct node *node = handmade_add(s, OBJECT_NODE, &session->node);

		handmade_add(s, OBJECT_INSTANCE, &node->instance);
		session->instance = node->instance;
	}
	return s;
}

/* EVENT_NONE: none is found. */
static void assert_event(struct look before, struct look now, uint32_t wanted)
{
	struct snapshot *a = host(&before), *b = host(&now);

	found_count = 0;
	assert_int_equal(event_find(a, b, 0, take, NULL), 0);
	assert_int_equal(found_count, wanted != EVENT_NONE);
	if (wanted != EVENT_NONE)
		assert_int_equal(found[0], wanted);
	snapshot_put(a);
	snapshot_put(b);
}

static void each_change_of_status(void **state)
{
	static const uint32_t wanted[3][3] = {
		/* connected, disconnected, reconnecting: to … from */
		{ EVENT_NONE, EVENT_PATH_DOWN, EVENT_PATH_DOWN },
		{ EVENT_PATH_UP, EVENT_NONE, EVENT_NONE },
		{ EVENT_PATH_UP, EVENT_NONE, EVENT_NONE },
	};

	(void)state;
	for (uint32_t from = PATH_CONNECTED; from <= PATH_RECONNECTING; from++) {
		for (uint32_t to = PATH_CONNECTED; to <= PATH_RECONNECTING; to++)
			assert_event((struct look){ from, 0, true }, (struct look){ to, 0, true },
				wanted[from - 1][to - 1]);
	}
}

static void a_session_that_goes_and_comes(void **state)
{
	const struct look up = { PATH_CONNECTED, 0, true };
	const struct look gone = { PATH_DISCONNECTED, 0, false };

	(void)state;
	assert_event(up, gone, EVENT_PATH_MISSING);
	assert_event(gone, up, EVENT_PATH_FOUND);
	assert_event(gone, gone, EVENT_NONE);
}

/* A poll in which it is not known tells nothing, and loses nothing. */
static void a_status_that_is_not_known_for_a_while(void **state)
{
	const struct look up = { PATH_CONNECTED, 0, true }, down = { PATH_RECONNECTING, 0, true };
	const struct look was_up = { UNTOLD, PATH_CONNECTED, true };
	const struct look was_down = { UNTOLD, PATH_RECONNECTING, true };
	const struct look never_known = { UNTOLD, 0, true };

	(void)state;
	assert_event(up, was_up, EVENT_NONE);
	assert_event(was_up, was_up, EVENT_NONE);
	assert_event(was_up, up, EVENT_NONE);
	assert_event(was_up, down, EVENT_PATH_DOWN);
	assert_event(was_down, up, EVENT_PATH_UP);
	assert_event(never_known, down, EVENT_NONE);
	assert_event(never_known, up, EVENT_NONE);
}

/* A session that could not be read is not one that has gone. */
static void a_session_that_is_not_known_for_a_while(void **state)
{
	const struct look up = { PATH_CONNECTED, 0, true }, down = { PATH_RECONNECTING, 0, true };
	const struct look unread = { UNTOLD, PATH_CONNECTED, false };
	const struct look unread_missing = { UNTOLD, PATH_DISCONNECTED, false };
	const struct look gone = { PATH_DISCONNECTED, 0, false };

	(void)state;
	assert_event(up, unread, EVENT_NONE);
	assert_event(unread, up, EVENT_NONE);
	assert_event(unread, down, EVENT_PATH_DOWN);
	assert_event(unread, gone, EVENT_PATH_MISSING);
	assert_event(gone, unread_missing, EVENT_NONE);
	assert_event(unread_missing, gone, EVENT_NONE);
	assert_event(unread_missing, up, EVENT_PATH_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_change_of_status),
		cmocka_unit_test(a_session_that_goes_and_comes),
		cmocka_unit_test(a_status_that_is_not_known_for_a_while),
		cmocka_unit_test(a_session_that_is_not_known_for_a_while),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
