/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * model/summary.h: when a host is ok, degraded, critical or unknown, and the line that says why.
 */
#include "model/summary.h"

#include "model/path.h"
#include "model/path_join.h"
#include "model/session_state.h"
#include "tests/support/handmade.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { NO_SESSION = -1 };
enum { UNTOLD = 0 };

static struct snapshot *s;
static struct summary summary;
static char line[SUMMARY_TEXT_MAX];
static struct source_status units[4];

static int setup(void **state)
{
	(void)state;
	s = handmade_new();
	memset(units, 0, sizeof(units));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	s->units = NULL;
	s->unit_count = 0;
	snapshot_put(s);
	return 0;
}

static void begin_anew(void)
{
	teardown(NULL);
	setup(NULL);
}

static void add_source(const char *name, enum source_state state, bool was_good)
{
	struct source_status *unit = &units[s->unit_count];

	snprintf(unit->source, sizeof(unit->source), "%s", name);
	unit->state = state;
	unit->has_rows = was_good;
	s->units = units;
	s->unit_count++;
}

static void add_session(enum session_condition condition)
{
	struct session *session = handmade_add(s, OBJECT_SESSION, NULL);

	session->object.index = snapshot_count(s, OBJECT_SESSION);
	OPT_SET(session->direction, PATH_OUTBOUND);
	OPT_SET(session->condition, condition);
	OPT_SET(session->device_count, 0);
	OPT_SET(session->device_fault_count, 0);
}

static struct path *add_path(const char *target, uint32_t status, int session)
{
	struct path *path = handmade_add(s, OBJECT_PATH, NULL);

	path->object.index = snapshot_count(s, OBJECT_PATH);
	OPT_SET(path->direction, PATH_OUTBOUND);
	if (status)
		OPT_SET(path->status, status);
	OPT_SET(path->expected, 1);
	path->session = session == NO_SESSION ? LINK_NONE : (uint32_t)session;
	handmade_text(s, &path->target_name, target, strlen(target));
	handmade_text(s, &path->initiator_name, "iqn.me", 6);
	return path;
}

/* `wwid` NULL: in no map. */
static void add_device(uint32_t session, const char *wwid)
{
	struct device *device = handmade_add(s, OBJECT_DEVICE, NULL);

	device->session = session;
	if (wwid)
		handmade_text(s, &device->map_wwid, wwid, strlen(wwid));
}

static void look(void)
{
	memset(&summary, 0, sizeof(summary));
	assert_int_equal(summary_make(s, &summary, line), 0);
}

static void assert_host(enum summary_status status, const char *text)
{
	look();
	assert_string_equal(line, text);
	assert_int_equal(summary.status.value, status);
}

static void assert_paths(
	uint32_t expected, uint32_t connected, uint32_t reconnecting, uint32_t missing)
{
	assert_int_equal(summary.paths_expected.value, expected);
	assert_int_equal(summary.paths_connected.value, connected);
	assert_int_equal(summary.paths_reconnecting.value, reconnecting);
	assert_int_equal(summary.paths_missing.value, missing);
}

/* ---- paths ---- */

static void all_paths_are_connected(void **state)
{
	(void)state;
	add_path("iqn.a", PATH_CONNECTED, NO_SESSION);
	assert_host(SUMMARY_OK, "OK: 1 of 1 path connected");
	add_path("iqn.b", PATH_CONNECTED, NO_SESSION);
	assert_host(SUMMARY_OK, "OK: 2 of 2 paths connected");
	assert_paths(2, 2, 0, 0);
}

static void another_path_to_the_target_is(void **state)
{
	(void)state;
	add_path("iqn.a", PATH_CONNECTED, NO_SESSION);
	add_path("iqn.a", PATH_RECONNECTING, NO_SESSION);
	assert_host(SUMMARY_DEGRADED, "DEGRADED: 1 of 2 paths connected, 1 reconnecting");
	add_path("iqn.a", PATH_DISCONNECTED, NO_SESSION);
	assert_host(
		SUMMARY_DEGRADED, "DEGRADED: 1 of 3 paths connected, 1 reconnecting, 1 missing");
	assert_paths(3, 1, 1, 1);
}

static void no_path_to_the_target_is(void **state)
{
	(void)state;
	add_path("iqn.a", PATH_CONNECTED, NO_SESSION);
	add_path("iqn.b", PATH_RECONNECTING, NO_SESSION);
	assert_host(SUMMARY_CRITICAL,
		"CRITICAL: no path to iqn.b, 1 of 2 paths connected, 1 reconnecting");
	add_path("iqn.c", PATH_DISCONNECTED, NO_SESSION);
	add_path("iqn.d", PATH_DISCONNECTED, NO_SESSION);
	assert_host(SUMMARY_CRITICAL,
		"CRITICAL: no path to iqn.b and 2 other targets, 1 of 4 paths connected, "
		"1 reconnecting, 2 missing");
}

/* Two initiators of one host: each has its own disks. */
static void no_path_of_one_initiator_is(void **state)
{
	(void)state;
	add_path("iqn.a", PATH_CONNECTED, NO_SESSION);
	handmade_text(s, &add_path("iqn.a", PATH_RECONNECTING, NO_SESSION)->initiator_name,
		"iqn.other", 9);
	look();
	assert_int_equal(summary.status.value, SUMMARY_CRITICAL);
}

static void a_path_of_unknown_status(void **state)
{
	(void)state;
	add_path("iqn.a", PATH_CONNECTED, NO_SESSION);
	add_path("iqn.b", UNTOLD, NO_SESSION);
	assert_host(SUMMARY_UNKNOWN, "UNKNOWN: 1 of 2 paths connected, 1 of unknown status");
	/* It may be the one that is left. */
	add_path("iqn.b", PATH_RECONNECTING, NO_SESSION);
	look();
	assert_int_equal(summary.status.value, SUMMARY_DEGRADED);
}

static void paths_that_do_not_count(void **state)
{
	(void)state;
	OPT_SET(add_path("iqn.a", PATH_DISCONNECTED, NO_SESSION)->expected, 0);
	add_path("iqn.b", PATH_DISCONNECTED, NO_SESSION)->expected.known = 0;
	OPT_SET(add_path("iqn.c", PATH_DISCONNECTED, NO_SESSION)->direction, PATH_INBOUND);
	add_path("iqn.d", PATH_DISCONNECTED, NO_SESSION)->object.index = 0;
	look();
	assert_int_equal(summary.status.value, SUMMARY_OK);
	assert_paths(0, 0, 0, 0);
	/* One with a session counts, whoever expects it. */
	add_session(SESSION_LOST);
	OPT_SET(add_path("iqn.e", PATH_RECONNECTING, 0)->expected, 0);
	look();
	assert_paths(1, 0, 1, 0);
}

/* ---- paths and maps ---- */

/*
 * Target b is lost, with a disk of session 0 in the map `lost`; target a has a connected session 1
 * with a disk in the map `left`.
 */
static void lose_one_of_two_targets(
	const char *lost, const char *left, enum session_condition other)
{
	begin_anew();
	add_session(SESSION_LOST);
	add_session(other);
	add_path("iqn.b", PATH_RECONNECTING, 0);
	add_path("iqn.a", PATH_CONNECTED, 1);
	add_device(0, lost);
	add_device(1, left);
	look();
}

static void a_map_over_two_targets_holds(void **state)
{
	(void)state;
	lose_one_of_two_targets("1", "1", SESSION_UP);
	assert_int_equal(summary.status.value, SUMMARY_DEGRADED);
	lose_one_of_two_targets("1", "2", SESSION_UP);
	assert_int_equal(summary.status.value, SUMMARY_CRITICAL);
	lose_one_of_two_targets("1", "1", SESSION_LOST);
	assert_int_equal(summary.status.value, SUMMARY_CRITICAL);
	lose_one_of_two_targets(NULL, "1", SESSION_UP);
	assert_int_equal(summary.status.value, SUMMARY_CRITICAL);
	lose_one_of_two_targets("", "", SESSION_UP); /* of a map without a WWID */
	assert_int_equal(summary.status.value, SUMMARY_CRITICAL);
	/* And a second disk of the lost one that is in none. */
	lose_one_of_two_targets("1", "1", SESSION_UP);
	add_device(0, NULL);
	look();
	assert_int_equal(summary.status.value, SUMMARY_CRITICAL);
}

static void maps(void **state)
{
	struct map *map;

	(void)state;
	add_source("multipath", SOURCE_OK, true);
	map = handmade_add(s, OBJECT_MAP, NULL);
	map->object.index = 1;
	OPT_SET(map->status, MAP_OK);
	look();
	assert_int_equal(summary.status.value, SUMMARY_OK);
	assert_int_equal(summary.maps.value, 1);
	OPT_SET(map->status, MAP_DEGRADED);
	look();
	assert_int_equal(summary.status.value, SUMMARY_DEGRADED);
	assert_int_equal(summary.maps_short.value, 1);
	OPT_SET(map->status, MAP_FAILED);
	look();
	assert_int_equal(summary.status.value, SUMMARY_CRITICAL);
	map->object.index = 0; /* of another transport */
	look();
	assert_int_equal(summary.status.value, SUMMARY_OK);
	assert_int_equal(summary.maps.value, 0);
}

/* ---- sessions and devices ---- */

static struct session *session_at(uint32_t at)
{
	return (struct session *)s->arrays[OBJECT_SESSION].objects + at;
}

static void sessions_are_counted_by_condition(void **state)
{
	(void)state;
	for (enum session_condition c = SESSION_STARTING; c < SESSION_CONDITIONS; c++)
		add_session(c);
	add_session(SESSION_UP);
	OPT_SET(session_at(6)->direction, PATH_INBOUND);
	add_session(SESSION_LOST);
	session_at(7)->object.index = 0;
	/* Of an initiator that was switched off: nothing is wrong with this host. */
	add_session(SESSION_LOST);
	OPT_SET(session_at(8)->direction, PATH_INBOUND);
	look();
	assert_int_equal(summary.sessions.value, 6);
	assert_int_equal(summary.sessions_full.value, 1);
	assert_int_equal(summary.sessions_failed.value, 3);
	assert_int_equal(summary.sessions_inbound.value, 2);
	assert_int_equal(summary.status.value, SUMMARY_OK);
}

static void faulty_devices(void **state)
{
	(void)state;
	add_session(SESSION_UP);
	add_session(SESSION_UP);
	add_path("iqn.a", PATH_CONNECTED, 0);
	OPT_SET(session_at(0)->device_count, 3);
	OPT_SET(session_at(1)->device_count, 1);
	OPT_SET(session_at(0)->device_fault_count, 1);
	assert_host(
		SUMMARY_DEGRADED, "DEGRADED: 1 of 1 path connected; 1 of 4 devices cannot do I/O");
	assert_int_equal(summary.devices.value, 4);
	assert_int_equal(summary.devices_faulty.value, 1);
	/* Of one session it is not known how many: there is no sum, but a fault is one. */
	session_at(1)->device_count.known = 0;
	session_at(1)->device_count.value = 0;
	session_at(1)->device_fault_count.known = 0;
	look();
	assert_int_equal(summary.status.value, SUMMARY_DEGRADED);
	assert_false(summary.devices.known || summary.devices_faulty.known);
	/* That none is faulty is not known when of one it is not. */
	OPT_SET(session_at(1)->device_count, 1);
	OPT_SET(session_at(0)->device_fault_count, 0);
	look();
	assert_int_equal(summary.devices.value, 4);
	assert_false(summary.devices_faulty.known);
}

/* ---- sources ---- */

static void sources_by_state(void **state)
{
	static const struct {
		enum source_state state;
		bool was_good;
		uint32_t sources, failing;
		enum summary_status status;
		const char *text;
	} rows[] = {
		{ SOURCE_OK, true, 1, 0, SUMMARY_OK, "OK: no path is expected" },
		{ SOURCE_FAILING, true, 1, 1, SUMMARY_OK,
			"OK: no path is expected; 1 source cannot be read" },
		{ SOURCE_FAILING, false, 1, 1, SUMMARY_UNKNOWN,
			"UNKNOWN: no path is expected; 1 source cannot be read" },
		{ SOURCE_STALE, true, 1, 1, SUMMARY_UNKNOWN,
			"UNKNOWN: no path is expected; 1 source cannot be read" },
		{ SOURCE_STARTING, false, 1, 0, SUMMARY_UNKNOWN,
			"UNKNOWN: no path is expected; 1 source not read yet" },
	};
	static const enum source_state none[] = { SOURCE_ABSENT, SOURCE_DISABLED };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		begin_anew();
		add_source("tgt", rows[i].state, rows[i].was_good);
		assert_host(rows[i].status, rows[i].text);
		assert_int_equal(summary.sources.value, rows[i].sources);
		assert_int_equal(summary.sources_failing.value, rows[i].failing);
	}
	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		begin_anew();
		add_source("tgt", none[i], false);
		look();
		assert_int_equal(summary.status.value, SUMMARY_OK);
		assert_int_equal(summary.sources.value, 0);
	}
}

/* Which paths there should be says the initiator's source alone: while it is not heard nobody
 * knows. */
static void no_path_is_said_only_when_that_is_known(void **state)
{
	static const struct {
		enum source_state state;
		bool was_good;
		const char *text;
	} rows[] = {
		{ SOURCE_OK, true, "OK: no path is expected" },
		{ SOURCE_FAILING, true, "OK: no path is expected; 1 source cannot be read" },
		{ SOURCE_FAILING, false, "UNKNOWN: paths are not known; 1 source cannot be read" },
		{ SOURCE_STALE, true, "UNKNOWN: paths are not known; 1 source cannot be read" },
		{ SOURCE_STARTING, false, "UNKNOWN: paths are not known; 1 source not read yet" },
		{ SOURCE_ABSENT, false, "OK: no path is expected" },
		{ SOURCE_DISABLED, false, "OK: no path is expected" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		begin_anew();
		add_source("tgt", SOURCE_OK, true);
		add_source("open-iscsi", rows[i].state, rows[i].was_good);
		look();
		assert_string_equal(line, rows[i].text);
	}
}

/* What is known to be bad is more than what is not known. */
static void the_worst_counts(void **state)
{
	(void)state;
	add_source("tgt", SOURCE_STALE, true);
	add_path("iqn.a", UNTOLD, NO_SESSION);
	look();
	assert_int_equal(summary.status.value, SUMMARY_UNKNOWN);
	add_path("iqn.a", PATH_DISCONNECTED, NO_SESSION);
	look();
	assert_int_equal(summary.status.value, SUMMARY_DEGRADED);
	add_path("iqn.b", PATH_DISCONNECTED, NO_SESSION);
	look();
	assert_int_equal(summary.status.value, SUMMARY_CRITICAL);
}

static void the_line_has_its_limit(void **state)
{
	char name[1024];

	(void)state;
	memset(name, 'x', sizeof(name));
	name[0] = '\x1b'; /* a target may call itself anything */
	name[sizeof(name) - 1] = '\0';
	for (int i = 0; i < 4; i++)
		add_source("multipath", SOURCE_STALE, true);
	for (int i = 0; i < 40; i++) {
		name[5] = (char)('a' + i % 20);
		add_path(name, i % 2 ? PATH_RECONNECTING : PATH_DISCONNECTED, NO_SESSION);
	}
	add_path("iqn.z", UNTOLD, NO_SESSION);
	add_session(SESSION_UP);
	OPT_SET(session_at(0)->device_count, UINT32_MAX);
	OPT_SET(session_at(0)->device_fault_count, UINT32_MAX);
	look();
	assert_true(strlen(line) < SUMMARY_TEXT_MAX);
	assert_null(strchr(line, '\x1b'));
	assert_non_null(strstr(line, "CRITICAL: no path to "));
	assert_non_null(strstr(line, " and 19 other targets, 0 of 41 paths connected"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(all_paths_are_connected),
		TEST(another_path_to_the_target_is),
		TEST(no_path_to_the_target_is),
		TEST(no_path_of_one_initiator_is),
		TEST(a_path_of_unknown_status),
		TEST(paths_that_do_not_count),
		TEST(a_map_over_two_targets_holds),
		TEST(maps),
		TEST(sessions_are_counted_by_condition),
		TEST(faulty_devices),
		TEST(sources_by_state),
		TEST(no_path_is_said_only_when_that_is_known),
		TEST(the_worst_counts),
		TEST(the_line_has_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
