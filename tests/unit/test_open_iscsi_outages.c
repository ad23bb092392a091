/* SPDX-License-Identifier: BSD-2-Clause */
/* source/open_iscsi_outages.h: what the kernel's events make of the outages of a path. */
#include "tests/support/events_lab.h"
#include "tests/support/failing_memory.h" /* __wrap_malloc __wrap_calloc __wrap_realloc __wrap_reallocarray */

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define PATH "o host default disk 10.0.0.1:3260"

static void attach(uint32_t sid, const char *path, bool is_lost)
{
	struct oiscsi_watch *watch = oiscsi_watch_find(&events, sid);

	assert_non_null(watch);
	assert_int_equal(oiscsi_outages_attach(&events, watch, path, is_lost), 0);
}

static const struct oiscsi_outages *outages_of(const char *path)
{
	return &oiscsi_path_events_find(&events, path)->outages;
}

static void assert_outages(const char *path, uint64_t failures, uint64_t reconnects)
{
	const struct oiscsi_outages *outages = outages_of(path);

	assert_int_equal(outages->failures, failures);
	assert_int_equal(outages->reconnects, reconnects);
	assert_int_equal(outages->lost, failures > reconnects);
}

/* `ms` below 0: its length is not known. */
static void assert_last(const char *path, uint64_t end_ns, int64_t ms)
{
	const struct oiscsi_outages *outages = outages_of(path);

	assert_int_equal(outages->end_ns, end_ns);
	assert_int_equal(outages->ms.known, ms >= 0);
	if (ms >= 0)
		assert_int_equal(outages->ms.value, ms);
}

static void nothing_has_happened(void **state)
{
	(void)state;
	logged_in(1);
	assert_outages(PATH, 0, 0);
	attach(1, PATH, false);
	assert_outages(PATH, 0, 0);
	assert_last(PATH, 0, -1);
	assert_int_equal(events.path_count, 0);
}

static void an_outage_from_the_error_to_the_login(void **state)
{
	(void)state;
	logged_in(1);
	attach(1, PATH, false);
	lost(1, 1022);
	now_ns += 3 * MS;
	lost(1, 1020); /* the same loss, told twice */
	assert_outages(PATH, 1, 0);
	now_ns += 2000 * MS;
	lost(1, 1020); /* a login that came to nothing */
	now_ns += 2000 * MS;
	accepted(1, 8, NULL);
	assert_outages(PATH, 1, 1);
	assert_last(PATH, now_ns, 4003);
	now_ns += 60 * NS_PER_S;
	lost(1, 1011);
	assert_outages(PATH, 2, 1);
	assert_last(PATH, now_ns - 60 * NS_PER_S, 4003);
	now_ns += 500 * MS;
	accepted(1, 9, NULL);
	assert_outages(PATH, 2, 2);
	assert_last(PATH, now_ns, 500);
}

static void what_was_counted_before_the_path_was_known(void **state)
{
	(void)state;
	logged_in(1);
	lost(1, 1022);
	now_ns += 700 * MS;
	accepted(1, 8, NULL);
	lost(1, 1022);
	assert_outages(PATH, 0, 0);
	attach(1, PATH, true);
	assert_outages(PATH, 2, 1);
	assert_last(PATH, now_ns, 700);
	attach(1, PATH, true); /* once only */
	attach(1, "another", true);
	assert_outages(PATH, 2, 1);
	assert_outages("another", 0, 0);
	now_ns += 100 * MS;
	accepted(1, 9, NULL);
	assert_outages(PATH, 2, 2);
	assert_last(PATH, now_ns, 100);
}

static void a_login_that_only_sysfs_shows(void **state)
{
	(void)state;
	logged_in(1);
	attach(1, PATH, false);
	lost(1, 1022);
	now_ns += NS_PER_S;
	oiscsi_events_seen(&events, 1, OISCSI_LOGGED_IN, now_ns); /* not yet taken down */
	assert_outages(PATH, 1, 0);
	oiscsi_events_seen(&events, 1, OISCSI_FAILED, now_ns);
	now_ns += NS_PER_S;
	oiscsi_events_seen(&events, 1, OISCSI_LOGGED_IN, now_ns);
	assert_outages(PATH, 1, 1);
	assert_last(PATH, now_ns, 2000);
	accepted(1, 9, NULL); /* its event comes late */
	assert_outages(PATH, 1, 1);
}

static void what_is_no_outage(void **state)
{
	struct frame logout = frame_logout_response(3);

	(void)state;
	for (uint32_t sid = 1; sid <= 3; sid++)
		logged_in(sid);
	attach(1, "1", false);
	attach(2, "2", false);
	attach(3, "3", false);
	goes_on(1, OISCSI_SECURITY); /* iscsid was started anew, and logs in to all */
	accepted(1, 8, NULL);
	happens(OISCSI_EVENT_UNBOUND, 2, 0);
	lost(2, 1020);
	happens(OISCSI_EVENT_DESTROYED, 2, 0);
	take(&logout); /* the target asked for it */
	lost(3, 1020);
	accepted(3, 9, NULL);
	for (int i = 0; i < 3; i++)
		assert_outages((const char *[]){ "1", "2", "3" }[i], 0, 0);
	assert_int_equal(events.path_count, 0);
}

/* It began before anybody listened, so nobody counts its beginning. */
static void an_outage_that_was_there_before(void **state)
{
	(void)state;
	oiscsi_events_seen(&events, 1, OISCSI_FAILED, now_ns);
	attach(1, PATH, true);
	assert_int_equal(outages_of(PATH)->failures, 0);
	assert_true(outages_of(PATH)->lost);
	now_ns += NS_PER_S;
	accepted(1, 8, NULL);
	assert_int_equal(outages_of(PATH)->reconnects, 1);
	assert_last(PATH, now_ns, -1);
	lost(1, 1020);
	now_ns += 20 * MS;
	accepted(1, 9, NULL);
	assert_int_equal(outages_of(PATH)->reconnects, 2);
	assert_last(PATH, now_ns, 20);
}

/* Nobody knows whether it was ever logged in, and sysfs shows no outage. */
static void a_first_login_ends_none(void **state)
{
	(void)state;
	oiscsi_events_seen(&events, 1, OISCSI_FREE, now_ns);
	attach(1, PATH, false);
	accepted(1, 8, NULL);
	assert_outages(PATH, 0, 0);
}

static void another_session_ends_it(void **state)
{
	(void)state;
	for (int attached = 0; attached < 2; attached++) {
		events_end(state);
		events_begin(state);
		logged_in(1);
		attach(1, PATH, false);
		lost(1, 1020);
		now_ns += NS_PER_S;
		happens(OISCSI_EVENT_UNBOUND, 1, 0);
		happens(OISCSI_EVENT_DESTROYED, 1, 0);
		assert_outages(PATH, 1, 0);
		now_ns += NS_PER_S;
		created(2);
		if (attached)
			attach(2, PATH, false);
		accepted(2, 8, NULL);
		now_ns += 10 * NS_PER_S;
		attach(2, PATH, false);
		assert_outages(PATH, 1, 1);
		assert_last(PATH, now_ns - 10 * NS_PER_S, 2000);
	}
}

static void a_session_that_ends_takes_nothing_with_it(void **state)
{
	(void)state;
	for (uint32_t sid = 1; sid <= 5; sid++) {
		logged_in(sid);
		attach(sid, PATH, false);
		lost(sid, 1020);
		now_ns += NS_PER_S;
		accepted(sid, 8, NULL);
		happens(OISCSI_EVENT_DESTROYED, sid, 0);
	}
	assert_int_equal(events.watch_count, 0);
	assert_outages(PATH, 5, 5);
}

static void each_path_has_its_own(void **state)
{
	enum { PATHS = 300 };
	char path[16];

	(void)state;
	for (uint32_t sid = 0; sid < PATHS; sid++) {
		logged_in(sid);
		snprintf(path, sizeof(path), "%u", sid * 7919 % PATHS);
		attach(sid, path, false);
	}
	for (uint32_t sid = 0; sid < PATHS; sid++) {
		for (uint32_t i = 0; i < sid % 3; i++) {
			lost(sid, 1020);
			now_ns += NS_PER_S;
			accepted(sid, 8, NULL);
		}
	}
	for (uint32_t sid = 0; sid < PATHS; sid++) {
		snprintf(path, sizeof(path), "%u", sid * 7919 % PATHS);
		assert_outages(path, sid % 3, sid % 3);
	}
	oiscsi_events_clear(&events);
	assert_outages("1", 0, 0);
}

static void a_length_beyond_the_field(void **state)
{
	(void)state;
	logged_in(1);
	attach(1, PATH, false);
	lost(1, 1020);
	now_ns += UINT64_C(60) * 86400 * NS_PER_S;
	accepted(1, 8, NULL);
	assert_last(PATH, now_ns, UINT32_MAX);
}

/* Nothing is counted by halves: the caller begins anew. */
static void without_memory(void **state)
{
	struct oiscsi_watch *watch;

	(void)state;
	watch = logged_in(1);
	attach(1, PATH, false);
	allocations = 0;
	fail_at = 1;
	assert_int_equal(oiscsi_outage_begins(&events, watch, now_ns), -ENOMEM);
	fail_at = 0;
	assert_outages(PATH, 0, 0);
	assert_int_equal(oiscsi_outage_begins(&events, watch, now_ns), 0);
	assert_outages(PATH, 1, 0);
	/* What was counted before the path is known stays where it was. */
	watch = logged_in(2);
	lost(2, 1020);
	allocations = 0;
	fail_at = 1;
	assert_int_equal(oiscsi_outages_attach(&events, watch, "2", true), -ENOMEM);
	fail_at = 0;
	assert_null(watch->path_key);
	attach(2, "2", true);
	assert_outages("2", 1, 0);
	/* A refusal. */
	watch = created(3);
	watch->likely_path_key = strdup("3");
	answer(3, 2, 1, NULL);
	allocations = 0;
	fail_at = 1;
	assert_int_equal(oiscsi_refusal_remember(&events, watch), -ENOMEM);
	fail_at = 0;
	assert_int_equal(oiscsi_refusal_remember(&events, watch), 0);
	assert_int_equal(oiscsi_path_events_find(&events, "3")->refusal.login_class.value, 2);
}

/* ---- refused first logins ---- */

static const struct oiscsi_refusal *refusal_of(const char *path)
{
	return &oiscsi_path_events_find(&events, path)->refusal;
}

/* A session that logs in for the first time, whose names tell which path it is. */
static void begin_first_login(uint32_t sid)
{
	created(sid)->likely_path_key = strdup(PATH);
	now_ns += 10 * MS;
}

static void a_first_login_that_is_refused(void **state)
{
	(void)state;
	begin_first_login(1);
	answer(1, 2, 1, NULL);
	now_ns += MS;
	happens(OISCSI_EVENT_UNBOUND, 1, 0);
	happens(OISCSI_EVENT_DESTROYED, 1, 0);
	assert_int_equal(refusal_of(PATH)->login_class.value, 2);
	assert_int_equal(refusal_of(PATH)->login_detail.value, 1);
	assert_int_equal(refusal_of(PATH)->ns, now_ns - MS);
	assert_outages(PATH, 0, 0);
	begin_first_login(2); /* and again, for another reason */
	answer(2, 2, 2, NULL);
	happens(OISCSI_EVENT_DESTROYED, 2, 0);
	assert_int_equal(refusal_of(PATH)->login_detail.value, 2);
	begin_first_login(3); /* no answer at all changes nothing */
	happens(OISCSI_EVENT_DESTROYED, 3, 0);
	assert_int_equal(refusal_of(PATH)->login_detail.value, 2);
}

static void a_login_that_stands_makes_it_forgotten(void **state)
{
	(void)state;
	for (int attached = 0; attached < 2; attached++) {
		events_end(state);
		events_begin(state);
		begin_first_login(1);
		answer(1, 2, 1, NULL);
		happens(OISCSI_EVENT_DESTROYED, 1, 0);
		now_ns += NS_PER_S;
		begin_first_login(2);
		if (attached)
			attach(2, PATH, false);
		accepted(2, 7, NULL);
		attach(2, PATH, false);
		assert_int_equal(refusal_of(PATH)->ns, 0);
		/* What is refused later is that of a session that was logged in: it has a row. */
		lost(2, 1020);
		answer(2, 2, 3, NULL);
		happens(OISCSI_EVENT_DESTROYED, 2, 0);
		assert_int_equal(refusal_of(PATH)->ns, 0);
	}
}

static void a_session_of_an_unknown_path_is_not_remembered(void **state)
{
	(void)state;
	created(1);
	answer(1, 2, 1, NULL);
	happens(OISCSI_EVENT_DESTROYED, 1, 0);
	assert_int_equal(events.path_count, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, events_begin, events_end)
	const struct CMUnitTest tests[] = {
		TEST(nothing_has_happened),
		TEST(an_outage_from_the_error_to_the_login),
		TEST(what_was_counted_before_the_path_was_known),
		TEST(a_login_that_only_sysfs_shows),
		TEST(what_is_no_outage),
		TEST(an_outage_that_was_there_before),
		TEST(a_first_login_ends_none),
		TEST(another_session_ends_it),
		TEST(a_session_that_ends_takes_nothing_with_it),
		TEST(each_path_has_its_own),
		TEST(a_length_beyond_the_field),
		TEST(without_memory),
		TEST(a_first_login_that_is_refused),
		TEST(a_login_that_stands_makes_it_forgotten),
		TEST(a_session_of_an_unknown_path_is_not_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
