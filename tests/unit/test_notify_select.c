/* SPDX-License-Identifier: BSD-2-Clause */
/* agent/notify_select.h: the words of the option `notifications`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/notify_select.h"

static bool chosen[EVENT_TYPES];

static uint32_t count_chosen(void)
{
	uint32_t count = 0;

	for (uint32_t type = 0; type < EVENT_TYPES; type++)
		count += chosen[type];
	return count;
}

/* All that can be sent: agentStarted has no notification. */
#define ALL (EVENT_TYPES - 2u)

static void words_are_read_from_left_to_right(void **state)
{
	static const struct {
		const char *words;
		uint32_t count;
		bool path_down, path_up;
	} cases[] = {
		{ "all", ALL, true, true },
		{ "none", 0, false, false },
		{ "", 0, false, false },
		{ " \t,", 0, false, false },
		{ "pathDown", 1, true, false },
		{ "pathDown,pathUp", 2, true, true },
		{ " pathDown , pathUp ", 2, true, true },
		{ "PATHDOWN", 1, true, false },
		{ "-pathDown", ALL - 1, false, true },
		{ "-pathDown -pathUp", ALL - 2, false, false },
		{ "all -pathDown", ALL - 1, false, true },
		{ "all -pathDown pathDown", ALL, true, true },
		{ "all none pathUp", 1, false, true },
		{ "pathUp -pathUp", 0, false, false },
		{ "pathUp all", ALL, true, true },
		{ "none all", ALL, true, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		memset(chosen, 1, sizeof(chosen));
		assert_int_equal(notify_select(cases[i].words, chosen), 0);
		assert_int_equal(count_chosen(), cases[i].count);
		assert_int_equal(chosen[EVENT_PATH_DOWN], cases[i].path_down);
		assert_int_equal(chosen[EVENT_PATH_UP], cases[i].path_up);
		assert_false(chosen[EVENT_NONE]);
		assert_false(chosen[EVENT_AGENT_STARTED]);
	}
}

static void each_type_with_a_notification_can_be_chosen(void **state)
{
	(void)state;
	for (uint32_t type = 1; type < EVENT_TYPES; type++) {
		if (type == EVENT_AGENT_STARTED)
			continue;
		assert_int_equal(notify_select(event_type_word(type), chosen), 0);
		assert_int_equal(count_chosen(), 1);
		assert_true(chosen[type]);
	}
}

static void other_words_are_refused(void **state)
{
	static const char *const cases[] = { "pathDown sideways pathUp", "agentStarted", "pathDow",
		"pathDownn", "all --pathUp", "-", "pathUp -all",
		"none,,"
		"pathUp;" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		memset(chosen, 1, sizeof(chosen));
		assert_int_equal(notify_select(cases[i], chosen), -EINVAL);
		assert_int_equal(count_chosen(), EVENT_TYPES);
		assert_int_equal(notify_select(cases[i], NULL), -EINVAL);
	}
	assert_int_equal(notify_select("pathUp", NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_read_from_left_to_right),
		cmocka_unit_test(each_type_with_a_notification_can_be_chosen),
		cmocka_unit_test(other_words_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
