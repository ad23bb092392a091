/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * model/session_state.h and model/session_now.h: each transition, each meaning, and that
 * docs/CIM-MAPPING.md says the same. (That its words are those of the MIB modules:
 * tests/docs/test_cim_mapping.py.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/buf.h"
#include "model/session_now.h"
#include "model/session_state.h"

#define PAGE	 "docs/CIM-MAPPING.md"
#define CELLS	 8u
#define CELL_MAX 120u

/* ---- transitions ---- */

/*
 * What an administrator would say of it: an order of what is seen has one end, and each line is a
 * reason. Written anew, not derived from the table.
 */
static const struct {
	const char *why;
	enum session_condition before;
	enum session_condition
		after[SESSION_SEEN_COUNT]; /* login up logout lost expired abandoned */
} wanted[] = {
	{ "what is seen first is believed", SESSION_NEW,
		{ SESSION_STARTING, SESSION_UP, SESSION_STOPPING, SESSION_LOST, SESSION_EXPIRED,
			SESSION_ABANDONED } },
	{ "a first login goes on, or does not", SESSION_STARTING,
		{ SESSION_STARTING, SESSION_UP, SESSION_STOPPING, SESSION_LOST, SESSION_EXPIRED,
			SESSION_ABANDONED } },
	{ "a login of one that was up: it is lost until that is through", SESSION_UP,
		{ SESSION_LOST, SESSION_UP, SESSION_STOPPING, SESSION_LOST, SESSION_EXPIRED,
			SESSION_ABANDONED } },
	{ "a logout takes the connection down: that is no loss, unless the kernel says so",
		SESSION_STOPPING,
		{ SESSION_STOPPING, SESSION_UP, SESSION_STOPPING, SESSION_LOST, SESSION_STOPPING,
			SESSION_STOPPING } },
	{ "it is lost until the login is through", SESSION_LOST,
		{ SESSION_LOST, SESSION_UP, SESSION_STOPPING, SESSION_LOST, SESSION_EXPIRED,
			SESSION_ABANDONED } },
	{ "I/O fails until the login is through", SESSION_EXPIRED,
		{ SESSION_EXPIRED, SESSION_UP, SESSION_STOPPING, SESSION_LOST, SESSION_EXPIRED,
			SESSION_ABANDONED } },
	{ "a login shows that somebody tries again", SESSION_ABANDONED,
		{ SESSION_EXPIRED, SESSION_UP, SESSION_STOPPING, SESSION_LOST, SESSION_EXPIRED,
			SESSION_ABANDONED } },
};

static void each_transition(void **state)
{
	(void)state;
	assert_int_equal(ARRAY_SIZE(wanted), SESSION_CONDITIONS);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		assert_int_equal(wanted[i].before, i);
		for (enum session_seen seen = 0; seen < SESSION_SEEN_COUNT; seen++) {
			enum session_condition after =
				session_condition_next(wanted[i].before, seen);

			if (after != wanted[i].after[seen])
				fail_msg("%s: %s, then %s is %s", wanted[i].why,
					session_condition_name(wanted[i].before),
					session_seen_name(seen), session_condition_name(after));
		}
	}
}

/* Whatever was before: what is seen twice changes nothing the second time. */
static void what_is_seen_again_changes_nothing(void **state)
{
	(void)state;
	for (enum session_condition before = 0; before < SESSION_CONDITIONS; before++) {
		for (enum session_seen seen = 0; seen < SESSION_SEEN_COUNT; seen++) {
			enum session_condition once = session_condition_next(before, seen);

			assert_int_equal(session_condition_next(once, seen), once);
			assert_int_not_equal(once, SESSION_NEW);
		}
	}
}

/* ---- meanings ---- */

static void each_condition_has_a_meaning(void **state)
{
	(void)state;
	for (enum session_condition c = SESSION_STARTING; c < SESSION_CONDITIONS; c++) {
		for (int flags = 0; flags < 4; flags++) {
			const struct session_meaning *m =
				session_meaning_of(c, flags & 1, flags & 2);

			assert_non_null(m);
			assert_int_equal(m->condition, c);
			/* Only of a session that is up do its devices and errors say anything. */
			if (c != SESSION_UP)
				assert_ptr_equal(m, session_meaning_of(c, false, false));
		}
	}
	assert_null(session_meaning_of(SESSION_NEW, false, false));
	assert_null(session_meaning_of(SESSION_CONDITIONS, true, true));
	assert_null(session_meaning_of(UINT32_MAX, false, false));
}

static void an_up_session_by_devices_and_errors(void **state)
{
	(void)state;
	assert_int_equal(session_meaning_of(SESSION_UP, false, false)->health_state, 5);
	assert_int_equal(session_meaning_of(SESSION_UP, false, true)->health_state, 10);
	assert_int_equal(session_meaning_of(SESSION_UP, false, true)->operational_status, 2);
	assert_int_equal(session_meaning_of(SESSION_UP, true, false)->operational_status, 3);
	assert_int_equal(session_meaning_of(SESSION_UP, true, true)->operational_status, 3);
}

/* Nothing that stops I/O looks healthy, and a path is connected where I/O works. */
static void health_agrees_with_the_path(void **state)
{
	(void)state;
	for (size_t i = 0; i < session_meaning_count; i++) {
		const struct session_meaning *m = &session_meanings[i];
		bool works = m->path_status == PATH_CONNECTED;

		assert_int_equal(m->health_state >= 20, !works && m->condition != SESSION_STARTING);
		assert_int_equal(m->enabled_state == 2, m->condition == SESSION_UP);
		assert_in_range(strlen(m->status), 1, 10); /* MaxLen of the class */
	}
}

/* ---- now ---- */

static const struct session_meaning *look(struct session *session, uint64_t now_ns)
{
	const struct snapshot s = { .made_ns = now_ns };

	return session_meaning_now(&s, session);
}

static void an_error_is_recent_for_five_minutes(void **state)
{
	const uint64_t at_ns = 1000000;
	struct session session = { .condition = { .value = SESSION_UP, .known = 1 },
		.last_error_time = { .ns = at_ns, .known = 1 } };

	(void)state;
	assert_true(look(&session, at_ns)->recent);
	assert_true(look(&session, at_ns + SESSION_RECENT_NS - 1)->recent);
	assert_false(look(&session, at_ns + SESSION_RECENT_NS)->recent);
	session.last_error_time.ns = 0; /* none ever */
	assert_false(look(&session, 1)->recent);
	session.last_error_time = (struct opt_time){ .ns = at_ns, .known = 0 };
	assert_false(look(&session, at_ns)->recent);
}

static void what_is_not_known_says_nothing(void **state)
{
	struct session session = { .condition = { .value = SESSION_UP, .known = 0 } };

	(void)state;
	assert_null(look(&session, 1));
	session.condition.known = 1;
	assert_false(look(&session, 1)->faults); /* of its devices nothing is known */
	OPT_SET(session.device_fault_count, 1);
	assert_true(look(&session, 1)->faults);
}

/* ---- the page ---- */

static char page[1 << 16];

static int read_page(void **state)
{
	FILE *file = fopen(PAGE, "r");
	size_t length;

	(void)state;
	assert_non_null(file);
	length = fread(page, 1, sizeof(page) - 1, file);
	fclose(file);
	page[length] = '\0';
	return 0;
}

/* Splits "| a | b |" into its cells without blanks around; returns their number. */
static size_t split(const char *line, char cells[CELLS][CELL_MAX])
{
	size_t count = 0;

	for (line++; *line && *line != '\n' && count < CELLS; line++) {
		size_t length = strcspn(line, "|\n");
		const char *end = line + length, *from = line, *to = end;

		while (from < to && *from == ' ')
			from++;
		while (to > from && to[-1] == ' ')
			to--;
		assert_true((size_t)(to - from) < CELL_MAX);
		snprintf(cells[count++], CELL_MAX, "%.*s", (int)(to - from), from);
		line = end;
		if (*line != '|')
			break;
	}
	return count;
}

/* The first row below the line that begins so and the ruler. */
static const char *table_after(const char *head)
{
	const char *at = strstr(page, head);

	if (!at)
		fail_msg("%s has no table %s", PAGE, head);
	for (int i = 0; i < 2; i++)
		at = strchr(at, '\n') + 1;
	return at;
}

static void the_page_has_the_transitions(void **state)
{
	const char *at = table_after("| before |");
	char cells[CELLS][CELL_MAX];
	enum session_condition before = 0;

	(void)state;
	for (; *at == '|'; at = strchr(at, '\n') + 1, before++) {
		assert_true(before < SESSION_CONDITIONS);
		assert_int_equal(split(at, cells), 1 + SESSION_SEEN_COUNT);
		assert_string_equal(cells[0], session_condition_name(before));
		for (enum session_seen seen = 0; seen < SESSION_SEEN_COUNT; seen++)
			assert_string_equal(cells[1 + seen],
				session_condition_name(session_condition_next(before, seen)));
	}
	assert_int_equal(before, SESSION_CONDITIONS);
}

static void the_page_names_the_columns(void **state)
{
	const char *head = strstr(page, "| before |");
	char cells[CELLS][CELL_MAX];

	(void)state;
	assert_non_null(head);
	assert_int_equal(split(head, cells), 1 + SESSION_SEEN_COUNT);
	for (enum session_seen seen = 0; seen < SESSION_SEEN_COUNT; seen++) {
		char item[CELL_MAX];

		assert_string_equal(cells[1 + seen], session_seen_name(seen));
		snprintf(item, sizeof(item), "\n- `%s`: ", session_seen_name(seen));
		assert_non_null(strstr(page, item));
	}
}

/* "connected(1)" */
static uint32_t number_in(const char *cell)
{
	const char *open = strchr(cell, '(');
	unsigned int number;

	if (!open || sscanf(open, "(%u)", &number) != 1) /* NOLINT(cert-err34-c) our own page */
		fail_msg("no number in %s", cell);
	return number;
}

static void the_page_has_the_meanings(void **state)
{
	const char *at = table_after("| condition |");
	char cells[CELLS][CELL_MAX];
	size_t i = 0;

	(void)state;
	for (; *at == '|'; at = strchr(at, '\n') + 1, i++) {
		const struct session_meaning *m = &session_meanings[i];

		assert_true(i < session_meaning_count);
		assert_int_equal(split(at, cells), 8);
		assert_string_equal(cells[0], session_condition_name(m->condition));
		assert_string_equal(cells[1], m->faults ? "devices" : m->recent ? "error" : "");
		assert_int_equal(number_in(cells[2]), m->path_status);
		assert_int_equal(number_in(cells[3]), m->operational_status);
		assert_int_equal(number_in(cells[4]), m->health_state);
		assert_int_equal(number_in(cells[5]), m->enabled_state);
		assert_string_equal(cells[6], m->status);
		assert_string_equal(cells[7], m->text);
	}
	assert_int_equal(i, session_meaning_count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_transition),
		cmocka_unit_test(what_is_seen_again_changes_nothing),
		cmocka_unit_test(each_condition_has_a_meaning),
		cmocka_unit_test(an_up_session_by_devices_and_errors),
		cmocka_unit_test(health_agrees_with_the_path),
		cmocka_unit_test(an_error_is_recent_for_five_minutes),
		cmocka_unit_test(what_is_not_known_says_nothing),
		cmocka_unit_test_setup(the_page_has_the_transitions, read_page),
		cmocka_unit_test_setup(the_page_names_the_columns, read_page),
		cmocka_unit_test_setup(the_page_has_the_meanings, read_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
