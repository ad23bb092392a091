/* SPDX-License-Identifier: BSD-2-Clause */
/* model/event_text.h: events in words, from all that is known and from nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/text.h"
#include "model/event_text.h"
#include "model/path.h"
#include "model/path_join.h"
#include "model/session_state.h"
#include "tests/support/handmade.h"

static struct snapshot *s;
static struct event_record record;

static int set_up(void **state)
{
	(void)state;
	s = handmade_new();
	memset(&record, 'x', sizeof(record));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	snapshot_put(s);
	return 0;
}

static void set_text(struct opt_str *field, const char *text)
{
	handmade_text(s, field, text, strlen(text));
}

static struct opt_addr address(uint8_t last)
{
	return (struct opt_addr){
		.known = 1, .type = 1, .length = 4, .octets = { 192, 0, 2, last }
	};
}

static void assert_texts(uint32_t type, const void *object, const char *subject, const char *text)
{
	event_describe(s, type, NULL, object, 32, &record);
	assert_string_equal(record.subject, subject);
	assert_string_equal(record.text, text);
}

static void failures_tell_cause_peer_and_count(void **state)
{
	struct node *node = handmade_add(s, OBJECT_NODE, NULL);
	struct instance *instance = handmade_add(s, OBJECT_INSTANCE, NULL);

	(void)state;
	set_text(&node->name, "iqn.t");
	assert_texts(EVENT_TARGET_LOGIN_FAILURE, node, "target iqn.t", "login failed");
	OPT_SET(node->target_last_failure_type, 5);
	set_text(&node->target_last_failure_name, "iqn.i");
	node->target_last_failure_address = address(7);
	OPT_SET(node->target_login_failures, 12);
	assert_texts(EVENT_TARGET_LOGIN_FAILURE, node, "target iqn.t",
		"login failed (authentication), initiator iqn.i at 192.0.2.7; 12 in all");
	OPT_SET(node->target_last_failure_port, 4711);
	OPT_SET(node->target_last_failure_type, 99);
	assert_texts(EVENT_TARGET_LOGIN_FAILURE, node, "target iqn.t",
		"login failed, initiator iqn.i at 192.0.2.7:4711; 12 in all");

	assert_texts(EVENT_INITIATOR_LOGIN_FAILURE, node, "initiator iqn.t", "login failed");
	OPT_SET(node->initiator_last_failure_type, 7);
	set_text(&node->initiator_last_failure_name, "iqn.u");
	node->initiator_last_failure_address = address(8);
	OPT_SET(node->initiator_last_failure_port, 3260);
	OPT_SET(node->initiator_login_failures, 1);
	assert_texts(EVENT_INITIATOR_LOGIN_FAILURE, node, "initiator iqn.t",
		"login failed (authorization), target iqn.u at 192.0.2.8:3260; 1 in all");

	OPT_SET(instance->number, 3);
	set_text(&instance->description, "open-iscsi");
	assert_texts(EVENT_SESSION_FAILURE, instance, "instance 3, open-iscsi", "session failed");
	OPT_SET(instance->last_failure_type, 2);
	set_text(&instance->last_failure_remote_name, "iqn.t");
	OPT_SET(instance->session_failures, 40);
	assert_texts(EVENT_SESSION_FAILURE, instance, "instance 3, open-iscsi",
		"session failed (connection timeout), other end iqn.t; 40 in all");
}

static void paths_are_told_apart(void **state)
{
	struct path *path = handmade_add(s, OBJECT_PATH, NULL);

	(void)state;
	set_text(&path->target_name, "iqn.t");
	set_text(&path->initiator_name, "iqn.i");
	OPT_SET(path->direction, PATH_OUTBOUND);
	path->portal_address = address(1);
	OPT_SET(path->portal_port, 3260);
	OPT_SET(path->status, PATH_RECONNECTING);
	assert_texts(EVENT_PATH_DOWN, path, "path to iqn.t at 192.0.2.1:3260",
		"connection lost, being connected again");
	set_text(&path->iface, "iface0");
	OPT_SET(path->status, PATH_DISCONNECTED);
	OPT_SET(path->last_error, 1022);
	assert_texts(EVENT_PATH_DOWN, path, "path to iqn.t at 192.0.2.1:3260, interface iface0",
		"disconnected; last error: NOP-Out not answered in time");
	set_text(&path->portal_name, "storage.example:3260");
	assert_texts(EVENT_PATH_UP, path, "path to iqn.t at storage.example:3260, interface iface0",
		"connected");
	OPT_SET(path->direction, PATH_INBOUND);
	assert_texts(EVENT_PATH_MISSING, path,
		"path from iqn.i at storage.example:3260, interface iface0",
		"no session, though its record wants one");
	event_describe(s, EVENT_PATH_FOUND, NULL, path, 0, &record);
	assert_string_equal(record.text, "has a session again");
	event_describe(s, EVENT_PRIMARY_PATH, NULL, path, 0, &record);
	assert_string_equal(record.text, "takes the I/O now");
	set_text(&path->map_name, "mpatha");
	event_describe(s, EVENT_PRIMARY_PATH, NULL, path, 0, &record);
	assert_string_equal(record.text, "takes the I/O now of mpatha");
}

static void assert_up(const struct path *before, const struct path *path, const char *text)
{
	event_describe(s, EVENT_PATH_UP, before, path, 0, &record);
	assert_string_equal(record.text, text);
}

static void only_the_outage_that_is_over_now_is_told(void **state)
{
	struct path before = { .direction = { .value = PATH_OUTBOUND, .known = 1 } };
	struct path path = before;

	(void)state;
	OPT_SET(path.outage_ms, 61999);
	path.outage_end = (struct opt_time){ .ns = 90 * NS_PER_S, .known = 1 };
	assert_up(&before, &path, "connected after an outage of 61.9 s");
	assert_up(NULL, &path, "connected");
	OPT_SET(before.outage_ms, 300);
	before.outage_end = (struct opt_time){ .ns = 20 * NS_PER_S, .known = 1 };
	assert_up(&before, &path, "connected after an outage of 61.9 s");
	/* It began before anybody listened. */
	path.outage_ms.known = 0;
	assert_up(&before, &path, "connected");
	/* It was logged out and in. */
	OPT_SET(path.outage_ms, 61999);
	before = path;
	assert_up(&before, &path, "connected");
	before.status_time = (struct opt_time){ .ns = 300 * NS_PER_S, .known = 1 };
	assert_up(&before, &path, "connected");
	/* The login was told of while sysfs had the path down yet, or in the middle of a login. */
	path.status_time = (struct opt_time){ .ns = 91 * NS_PER_S, .known = 1 };
	before.status_time.ns = 30 * NS_PER_S;
	assert_up(&before, &path, "connected after an outage of 61.9 s");
	before.status_time.ns = 90 * NS_PER_S + 50 * NS_PER_MS;
	assert_up(&before, &path, "connected after an outage of 61.9 s");
	/* It was logged out half a second after that login, and in an hour later. */
	before.status_time.ns = 90 * NS_PER_S + 500 * NS_PER_MS;
	path.status_time.ns = 3690 * NS_PER_S;
	assert_up(&before, &path, "connected");
}

static void maps_count_their_paths(void **state)
{
	struct map *map = handmade_add(s, OBJECT_MAP, NULL);

	(void)state;
	set_text(&map->wwid, "36001405");
	OPT_SET(map->path_count, 4);
	OPT_SET(map->active_count, 3);
	OPT_SET(map->status, MAP_DEGRADED);
	assert_texts(EVENT_MAP_DEGRADED, map, "map without a name, 36001405",
		"degraded: 3 of 4 paths take I/O");
	set_text(&map->name, "mpatha");
	OPT_SET(map->missing_count, 0);
	OPT_SET(map->active_count, 4);
	OPT_SET(map->status, MAP_OK);
	assert_texts(EVENT_MAP_RESTORED, map, "map mpatha, 36001405",
		"restored: all of 4 paths take I/O");
	OPT_SET(map->missing_count, 2);
	OPT_SET(map->status, MAP_DEGRADED);
	assert_texts(EVENT_MAP_DEGRADED, map, "map mpatha, 36001405",
		"degraded: 4 of 4 paths take I/O, 2 missing");
	OPT_SET(map->status, MAP_FAILED);
	assert_texts(EVENT_MAP_DEGRADED, map, "map mpatha, 36001405",
		"failed: none of 4 paths takes I/O, 2 missing");
	set_text(&map->queueing, "12 chk");
	assert_texts(EVENT_MAP_DEGRADED, map, "map mpatha, 36001405",
		"failed: none of 4 paths takes I/O, 2 missing, queueing is 12 chk");
}

static void the_others(void **state)
{
	struct node *node = handmade_add(s, OBJECT_NODE, NULL);
	struct session *session = handmade_add(s, OBJECT_SESSION, NULL);
	struct source_info *source = handmade_add(s, OBJECT_SOURCE, NULL);
	const struct session_meaning *lost = session_meaning_of(SESSION_LOST, false, false);
	char text[EVENT_TEXT_MAX + 1];

	(void)state;
	set_text(&node->name, "iqn.t");
	assert_texts(
		EVENT_SESSION_LIMIT, node, "target iqn.t", "has reached the limit of 32 sessions");

	session->object.index = 9;
	set_text(&session->initiator_name, "iqn.i");
	assert_texts(
		EVENT_SESSION_HEALTH, session, "session 9 with iqn.i", "health is 0: not known");
	set_text(&session->target_name, "iqn.t");
	OPT_SET(session->condition, SESSION_LOST);
	snprintf(text, sizeof(text), "health is %u: %s", lost->health_state, lost->text);
	assert_texts(EVENT_SESSION_HEALTH, session, "session 9 with iqn.t", text);

	set_text(&source->name, "tgt");
	assert_texts(EVENT_SOURCE_RECOVERED, source, "source tgt", "is read again");
	OPT_SET(source->state, 4);
	assert_texts(EVENT_SOURCE_RECOVERED, source, "source tgt", "is not there any more");
	set_text(&source->unit, "/run/tgtd.0");
	set_text(&source->last_error, "no answer");
	assert_texts(EVENT_SOURCE_STALE, source, "source tgt /run/tgtd.0",
		"cannot be read, its rows are gone: no answer");

	assert_texts(EVENT_AGENT_STARTED, NULL, "", "");
	snprintf(record.subject, sizeof(record.subject), "kept");
	event_describe_flapping(5, 60 * NS_PER_S, &record);
	assert_string_equal(record.subject, "kept");
	assert_string_equal(record.text,
		"flaps: 5 changes within 60 s; more is told when it has been quiet as long");
}

/* Names come from peers: control characters, no UTF-8, as long as they like. */
static void what_peers_say_is_made_safe_and_cut(void **state)
{
	struct node *node = handmade_add(s, OBJECT_NODE, NULL);
	char name[600];

	(void)state;
	handmade_text(s, &node->name, "iqn.\x1b[31m\xff\n", 11);
	event_describe(s, EVENT_SESSION_LIMIT, NULL, node, 1, &record);
	assert_string_equal(record.subject, "target iqn.?[31m??");
	memset(name, 0xc3, sizeof(name));
	for (size_t i = 1; i < sizeof(name); i += 2)
		name[i] = (char)0xa9; /* é, é, … */
	handmade_text(s, &node->name, name, sizeof(name));
	event_describe(s, EVENT_SESSION_LIMIT, NULL, node, 1, &record);
	assert_in_range(strlen(record.subject), EVENT_TEXT_MAX - 1, EVENT_TEXT_MAX);
	assert_true(text_is_clean(record.subject, strlen(record.subject), EVENT_TEXT_MAX));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(failures_tell_cause_peer_and_count),
		TEST(paths_are_told_apart),
		TEST(only_the_outage_that_is_over_now_is_told),
		TEST(maps_count_their_paths),
		TEST(the_others),
		TEST(what_peers_say_is_made_safe_and_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
