/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * model/event.h: the log, and what a snapshot has of it. Wrapped: __wrap_malloc __wrap_calloc
 * __wrap_realloc __wrap_reallocarray
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "model/event.h"
#include "tests/support/failing_memory.h"
#include "tests/support/handmade.h"

static const struct event_record a_record = { .type = EVENT_PATH_UP,
	.row_type = EVENT_PATH_UP,
	.told = TOLD_OFF,
	.wall_ns = UINT64_C(1700000000000000000),
	.time_ns = 12345,
	.key = { 7, 8, 9, 10 },
	.subject = "path to somewhere",
	.text = "connected" };

static struct event_log *log_of(size_t limit, size_t count)
{
	struct event_log *log = event_log_new(limit);

	assert_non_null(log);
	for (size_t i = 0; i < count; i++)
		assert_non_null(event_log_add(log, &a_record));
	return log;
}

static void numbers_go_up_by_one_and_the_newest_stay(void **state)
{
	struct event_log *log = event_log_new(3);
	uint64_t changes = 0;

	(void)state;
	assert_int_equal(event_log_next(log), 1);
	for (uint32_t i = 1; i <= 50; i++) {
		event_log_begin(log);
		assert_int_equal(event_log_add(log, &a_record)->number, i);
		assert_int_equal(event_log_next(log), i + 1);
		assert_true(event_log_changes(log) > changes);
		changes = event_log_changes(log);
		assert_true(event_log_count(log) <= 4);
		assert_int_equal(event_log_at(log, event_log_count(log) - 1)->number, i);
	}
	event_log_begin(log);
	assert_int_equal(event_log_count(log), 3);
	assert_int_equal(event_log_at(log, 0)->number, 48);
	assert_true(event_log_changes(log) > changes);
	changes = event_log_changes(log);
	event_log_begin(log); /* nothing to forget */
	assert_int_equal(event_log_changes(log), changes);
	event_log_set_limit(log, 1);
	assert_int_equal(event_log_limit(log), 1);
	event_log_begin(log);
	assert_int_equal(event_log_at(log, 0)->number, 50);
	event_log_set_limit(log, 0);
	assert_int_equal(event_log_limit(log), 1);
	event_log_free(log);
	event_log_free(NULL);
}

/* So that each event of a snapshot can be looked at in it. */
static void within_a_round_there_may_be_more(void **state)
{
	struct event_log *log = log_of(3, 1000);

	(void)state;
	assert_int_equal(event_log_count(log), 1000);
	event_log_begin(log);
	assert_int_equal(event_log_count(log), 3);
	event_log_free(log);
}

static void after_the_last_number_comes_the_first(void **state)
{
	struct event_log *log = event_log_new(3);

	(void)state;
	assert_int_equal(event_log_restore(log, &a_record, 0, UINT32_MAX), 0);
	assert_int_equal(event_log_add(log, &a_record)->number, UINT32_MAX);
	assert_int_equal(event_log_add(log, &a_record)->number, 1);
	event_log_free(log);
}

static void assert_shown(const struct snapshot *s, const struct event *event, uint32_t number)
{
	assert_int_equal(event->object.index, number);
	assert_int_equal(event->type.value, EVENT_PATH_UP);
	assert_int_equal(event->row_type.value, EVENT_PATH_UP);
	assert_int_equal(event->told.value, TOLD_OFF);
	assert_int_equal(event->wall_ns.value, a_record.wall_ns);
	assert_int_equal(event->time.ns, a_record.time_ns);
	assert_true(event->time.known);
	assert_int_equal(event->row_0.value, 7);
	assert_int_equal(event->row_3.value, 10);
	assert_string_equal(snapshot_text(s, &event->subject), "path to somewhere");
	assert_int_equal(event->subject.length, strlen("path to somewhere"));
	assert_string_equal(snapshot_text(s, &event->text), "connected");
}

static void a_snapshot_has_a_copy(void **state)
{
	struct event_log *log = log_of(10, 2);
	struct snapshot *s = handmade_new();
	struct opt_str before;

	(void)state;
	handmade_text(s, &before, "of another", 10);
	assert_int_equal(event_log_put(log, s), 0);
	assert_int_equal(snapshot_count(s, OBJECT_EVENT), 2);
	for (uint32_t i = 0; i < 2; i++)
		assert_shown(s, &snapshot_events(s)[i], i + 1);
	assert_string_equal(snapshot_text(s, &before), "of another");
	event_log_add(log, &a_record);
	assert_int_equal(snapshot_count(s, OBJECT_EVENT), 2);
	/* In place of what is there. */
	assert_int_equal(event_log_put(log, s), 0);
	assert_int_equal(snapshot_count(s, OBJECT_EVENT), 3);
	assert_shown(s, &snapshot_events(s)[2], 3);
	snapshot_put(s);
	event_log_free(log);
}

static void what_became_of_an_event_is_in_both(void **state)
{
	struct event_log *log = log_of(10, 3);
	struct snapshot *s = handmade_new();
	uint64_t changes;

	(void)state;
	assert_int_equal(event_log_put(log, s), 0);
	changes = event_log_changes(log);
	event_log_set_told(log, s, 2, TOLD_HELD);
	assert_int_equal(event_log_at(log, 1)->told, TOLD_HELD);
	assert_int_equal(snapshot_events(s)[1].told.value, TOLD_HELD);
	assert_int_equal(snapshot_events(s)[0].told.value, TOLD_OFF);
	assert_int_equal(event_log_changes(log), changes + 1);
	event_log_set_told(log, s, 2, TOLD_HELD);
	event_log_set_told(log, s, 77, TOLD_HELD); /* of before */
	assert_int_equal(event_log_changes(log), changes + 1);
	snapshot_put(s);
	event_log_free(log);
}

/* A log that was restored may lack what could not be read: its numbers tell no place. */
static void an_event_is_found_across_a_gap(void **state)
{
	struct event_record records[3] = { a_record, a_record, a_record };
	struct event_log *log = event_log_new(10);
	struct snapshot *s = handmade_new();
	uint64_t changes;

	(void)state;
	records[0].number = 3;
	records[1].number = 4;
	records[2].number = 90;
	assert_int_equal(event_log_restore(log, records, ARRAY_SIZE(records), 91), 0);
	assert_int_equal(event_log_put(log, s), 0);
	changes = event_log_changes(log);
	event_log_set_told(log, s, 4, TOLD_HELD);
	assert_int_equal(event_log_at(log, 0)->told, TOLD_OFF);
	assert_int_equal(event_log_at(log, 1)->told, TOLD_HELD);
	assert_int_equal(event_log_at(log, 2)->told, TOLD_OFF);
	assert_int_equal(snapshot_events(s)[1].told.value, TOLD_HELD);
	assert_int_equal(event_log_changes(log), changes + 1);
	event_log_set_told(log, s, 89, TOLD_HELD); /* in the place of 4, if there were no gap */
	assert_int_equal(event_log_at(log, 2)->told, TOLD_OFF);
	assert_int_equal(event_log_changes(log), changes + 1);
	snapshot_put(s);
	event_log_free(log);
}

static void without_memory_all_stays_as_it_was(void **state)
{
	struct event_log *log = log_of(100, 15);
	struct snapshot *s = handmade_new();
	const struct event_record records[40] = { a_record };

	(void)state;
	event_log_add(log, &a_record); /* 16: the next one needs more room */
	allocations = 0;
	fail_at = 1;
	assert_null(event_log_add(log, &a_record));
	assert_int_equal(event_log_count(log), 16);
	assert_int_equal(event_log_next(log), 17);
	for (unsigned long at = 1; at <= 2; at++) {
		allocations = 0;
		fail_at = at;
		assert_int_equal(event_log_put(log, s), -ENOMEM);
		assert_int_equal(snapshot_count(s, OBJECT_EVENT), 0);
	}
	allocations = 0;
	fail_at = 1;
	assert_int_equal(event_log_restore(log, records, 40, 99), -ENOMEM);
	assert_int_equal(event_log_next(log), 17);
	allocations = 0;
	fail_at = 1;
	assert_null(event_log_new(3));
	fail_at = 0;
	assert_int_equal(event_log_put(log, s), 0);
	assert_int_equal(snapshot_count(s, OBJECT_EVENT), 16);
	snapshot_put(s);
	event_log_free(log);
}

static void each_type_has_its_words(void **state)
{
	(void)state;
	assert_null(event_type_word(EVENT_NONE));
	assert_null(event_type_notification(EVENT_NONE));
	assert_null(event_type_object(EVENT_NONE));
	assert_int_equal(event_type_subject(EVENT_NONE), SUBJECT_NONE);
	for (uint32_t type = EVENT_TYPES; type < EVENT_TYPES + 3; type++) {
		assert_null(event_type_word(type));
		assert_null(event_type_notification(type));
		assert_null(event_type_object(type));
		assert_int_equal(event_type_subject(type), SUBJECT_NONE);
	}
	for (uint32_t type = 1; type < EVENT_TYPES; type++) {
		assert_true(strlen(event_type_word(type)) > 0);
		assert_non_null(event_type_notification(type));
		assert_non_null(event_type_object(type));
		assert_int_not_equal(event_type_subject(type), SUBJECT_NONE);
	}
	assert_string_equal(event_type_word(EVENT_PATH_DOWN), "pathDown");
	assert_string_equal(event_type_notification(EVENT_AGENT_STARTED), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_go_up_by_one_and_the_newest_stay),
		cmocka_unit_test(within_a_round_there_may_be_more),
		cmocka_unit_test(after_the_last_number_comes_the_first),
		cmocka_unit_test(a_snapshot_has_a_copy),
		cmocka_unit_test(what_became_of_an_event_is_in_both),
		cmocka_unit_test(an_event_is_found_across_a_gap),
		cmocka_unit_test(without_memory_all_stays_as_it_was),
		cmocka_unit_test(each_type_has_its_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
