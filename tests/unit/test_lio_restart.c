/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the agent shows of LIO when the source's reader is started anew: the kernel tells neither
 * when a login last failed nor that a target was made anew, so a reader knows only what it saw.
 * And which rows stay when the kernel will not show them. From the files of the kernel to the
 * snapshot.
 *
 * Wrapped: __wrap_root_read __wrap_root_list __wrap_root_directory_object
 * __wrap_root_tcp_sockets
 */
#include "index/registry.h"
#include "model/snapshot.h"
#include "tests/support/lio_wraps.h"

#define CRC	     "iqn.2026-11.org.example:crc"
#define STATS	     CRC "/fabric_statistics/"
#define ACL	     CRC "/tpgt_1/acls/iqn.2026-11.org.example:host1/"
#define SESSION	     ACL "session "
#define LAB	     "iqn.2026-11.lab.example:"
#define GUEST	     LAB "t1/tpgt_1/dynamic/" LAB "init1/1 "
#define OTHER_GUEST  LAB "t1/tpgt_1/dynamic/" LAB "alt-initiator/1 "
#define COMMANDS     ACL "fabric_statistics/iscsi_sess_stats/cmd_pdus"
#define OCTETS	     ACL "fabric_statistics/iscsi_sess_stats/txdata_octs"
#define AUTHENTICATE 5 /* column of iscsiTargetLoginStatsTable */

static struct registry *registry;
static struct snapshot *shown;

static int set_up(void **state)
{
	registry = registry_new();
	return registry ? lio_set_up(state) : -1;
}

static int tear_down(void **state)
{
	snapshot_put(shown);
	shown = NULL;
	registry_free(registry);
	return lio_tear_down(state);
}

/* A poll, and what the agent makes of it. */
static void poll(void)
{
	struct source_status status = { .source = "lio", .state = SOURCE_OK };
	struct snapshot_input input = { .status = &status };

	lio_run_good();
	input.fragment = lio_poll.fragment;
	snapshot_put(shown);
	shown = NULL;
	assert_int_equal(snapshot_build(&input, 1, registry, NULL, 1, clock_now_ns(), &shown), 0);
	registry_sweep(registry, 1000);
}

/* Likewise; returns the target. */
static const struct node *poll_target(void)
{
	const struct node *nodes;

	poll();
	nodes = snapshot_nodes(shown);
	for (uint32_t i = 0; i < snapshot_count(shown, OBJECT_NODE); i++)
		if (strcmp(snapshot_text(shown, &nodes[i].name), CRC) == 0)
			return &nodes[i];
	fail_msg("the target is not shown");
	return nodes;
}

/* The session whose key begins so, after a poll; NULL when there is none. */
static const struct session *find_session(const char *key)
{
	const struct session *sessions;

	poll();
	sessions = snapshot_sessions(shown);
	for (uint32_t i = 0; i < snapshot_count(shown, OBJECT_SESSION); i++)
		if (strncmp(snapshot_text(shown, &sessions[i].key), key, strlen(key)) == 0)
			return &sessions[i];
	return NULL;
}

/* Likewise its number; 0 when there is none. */
static uint32_t poll_session(const char *key)
{
	const struct session *session = find_session(key);

	return session ? session->object.index : 0;
}

/* The kernel has counted this many logins that failed, and twice each, as it does. */
static void put_failures(const char *count, const char *name)
{
	char text[256];

	lio_put(STATS "iscsi_login_stats/authenticate_fails", count);
	lio_put(STATS "iscsi_login_stats/negotiate_fails", count);
	snprintf(text, sizeof(text), "%s\n", name);
	lio_put(STATS "iscsi_tgt_attr/fail_intr_name", text);
}

static void the_last_failed_login_outlives_the_reader(void **state)
{
	const struct node *node;
	uint64_t then;

	(void)state;
	lio_load("digests");
	assert_int_equal(poll_target()->target_last_failure_time.ns, 0);
	put_failures("1\n", "iqn.2026-11.org.example:host1");
	then = poll_target()->target_last_failure_time.ns;
	assert_true(then > 0);

	lio_load("digests"); /* a new reader */
	node = poll_target();
	assert_false(lio_node(CRC)->target_last_failure_time.known);
	assert_true(node->target_last_failure_time.known);
	assert_int_equal(node->target_last_failure_time.ns, then);
	assert_int_equal(node->target_last_failure_type.value, AUTHENTICATE);
	assert_int_equal(node->discontinuity.ns, 0);
	assert_int_equal(node->target_login_failures.value, 1);

	put_failures("2\n", "iqn.2026-11.org.example:host2"); /* which the new reader sees */
	assert_true(poll_target()->target_last_failure_time.ns > then);
}

static void a_failure_that_no_reader_saw_has_no_time(void **state)
{
	const struct node *node;

	(void)state;
	lio_load("digests");
	poll_target();
	put_failures("1\n", "iqn.2026-11.org.example:host1");
	poll_target();
	put_failures("2\n", "iqn.2026-11.org.example:host1");
	lio_load("digests");
	for (int i = 0; i < 2; i++) {
		node = poll_target();
		assert_false(node->target_last_failure_time.known);
		assert_int_equal(node->target_login_failures.value, 2);
	}
}

static void a_discontinuity_outlives_the_reader(void **state)
{
	uint64_t then;

	(void)state;
	lio_load("digests");
	lio_put(STATS "iscsi_login_stats/accepts", "9\n");
	assert_int_equal(poll_target()->discontinuity.ns, 0);
	lio_put(STATS "iscsi_login_stats/accepts", "1\n"); /* made anew under its eyes */
	then = poll_target()->discontinuity.ns;
	assert_true(then > 0);
	lio_load("digests");
	assert_int_equal(poll_target()->discontinuity.ns, then);
	assert_false(lio_node(CRC)->discontinuity.known);

	lio_put(STATS "iscsi_login_stats/accepts", "0\n"); /* again, behind its back */
	lio_load("digests");
	assert_true(poll_target()->discontinuity.ns > then);
	assert_false(lio_node(CRC)->discontinuity.known);
}

/*
 * A target that is made anew counts its sessions from 1 again. Which one they are of tells the
 * directory of the group, and to a reader that was not there it tells the same.
 */
static void check_made_anew(const char *recording, const char *key)
{
	uint32_t first, second;

	lio_load(recording);
	lio_fake.object = 7;
	first = poll_session(key);
	assert_true(first > 0);
	assert_int_equal(poll_session(key), first);
	lio_fake.object = 8; /* between two polls, with the same numbers */
	second = poll_session(key);
	assert_true(second > 0 && second != first);
	lio_load(recording); /* a new reader */
	assert_int_equal(poll_session(key), second);
}

static void a_session_of_a_group_made_anew_has_one_number(void **state)
{
	(void)state;
	check_made_anew("digests", SESSION);
}

static void a_guest_of_a_group_made_anew_has_one_number(void **state)
{
	(void)state;
	check_made_anew("sessions", GUEST);
}

/* Whatever was missing, or counted back, under the eyes of one reader. */
static void a_session_of_one_group_keeps_its_number(void **state)
{
	uint32_t index;

	(void)state;
	lio_load("digests");
	lio_fake.object = 7;
	index = poll_session(SESSION);
	assert_true(index > 0);
	lio_put(COMMANDS, "1\n");
	assert_int_equal(poll_session(SESSION), index);
	lio_put(CRC, "fabric_statistics\n"); /* its group is missing once */
	assert_int_equal(poll_session(SESSION), 0);
	lio_put(CRC, "fabric_statistics\ntpgt_1\n");
	assert_int_equal(poll_session(SESSION), index);
	lio_load("digests");
	assert_int_equal(poll_session(SESSION), index);
}

static void make_anew(const char *path)
{
	if (strstr(path, CRC "/tpgt_1/dynamic_sessions"))
		lio_fake.object = 8;
}

/* What was read of two groups is shown of neither. */
static void a_group_made_anew_while_it_is_read_has_no_session(void **state)
{
	(void)state;
	lio_load("digests");
	lio_fake.object = 7;
	lio_fake.before_read = make_anew;
	assert_int_equal(poll_session(SESSION), 0);
	assert_true(poll_session(SESSION) > 0);
}

/*
 * Which group it is cannot be told once, at the first look-up or the second: want of descriptors is
 * no answer, and another error is no other group. A directory that is not there is.
 */
static void a_group_that_cannot_be_looked_up_once_is_the_same(void **state)
{
	static const int ends_poll[] = { -ENOMEM, -EMFILE, -ENFILE };
	unsigned objects;
	uint32_t index;

	(void)state;
	lio_load("digests");
	lio_fake.object = 7;
	index = poll_session(SESSION);
	assert_true(index > 0);
	objects = lio_fake.objects;
	assert_int_equal(objects, 6); /* two look-ups of three groups */
	for (unsigned k = 1; k <= objects; k++) {
		lio_fake.fail_object = k;
		for (size_t i = 0; i < ARRAY_SIZE(ends_poll); i++) {
			lio_fake.fail_error = ends_poll[i];
			assert_int_equal(lio_run(), 0);
			assert_int_equal(lio_poll.error, ends_poll[i]);
			assert_int_equal(lio_poll.good, 0);
		}
		lio_fake.fail_error = -EACCES;
		assert_int_equal(poll_session(SESSION), index);
		assert_int_equal(lio_count_of(OBJECT_SESSION), 4);
		lio_fake.fail_error = -ENOENT;
		poll();
		assert_true(lio_count_of(OBJECT_SESSION) < 4);
		lio_fake.fail_object = 0;
		assert_int_equal(poll_session(SESSION), index);
		assert_int_equal(lio_count_of(OBJECT_SESSION), 4);
	}
}

/* ---- counters of a kernel of 32 bits ---- */

/* When the counters of the session were interrupted last, after a poll in which they are `octets`.
 */
static uint64_t interrupted(uint64_t octets)
{
	const struct session *session = find_session(SESSION);

	assert_non_null(session);
	assert_true(session->tx_octets.known);
	assert_int_equal(session->tx_octets.value, octets);
	return session->discontinuity.ns;
}

/* What was carried is lost with the reader, and while a newer session hides this one. */
static void check_carried(const char *machine, bool is_narrow)
{
	const char *host = "iqn.2026-11.org.example:host1";
	uint64_t then, later;

	lio_put_back();
	lio_load("digests");
	lio_fake.object++; /* sessions of which nothing is remembered */
	lio_put("/proc/sys/kernel/arch", machine);
	lio_put(OCTETS, "4294967000\n");
	then = interrupted(4294967000);
	lio_put(OCTETS, "500\n");
	assert_int_equal(interrupted(UINT64_C(4294967796)), then);
	lio_load("digests"); /* a new reader */
	later = interrupted(500);
	assert_int_equal(later > then, is_narrow);
	assert_int_equal(interrupted(500), later);

	lio_put(ACL "info", lio_info_text(host, 3, "x"));
	lio_put(OCTETS, "7\n");
	then = interrupted(7); /* of the newer one: it begins when it is first seen */
	assert_int_equal(interrupted(7), then);
	lio_put(ACL "info", lio_info_text(host, 2, "host1"));
	lio_put(OCTETS, "300\n");
	assert_int_equal(interrupted(300) > later, is_narrow);
}

static void counters_that_were_carried_are_interrupted(void **state)
{
	(void)state;
	lio_fake.object = 7;
	check_carried("armv7l\n", true);
	check_carried("i686\n", true);
	check_carried("x86_64\n", false);
	check_carried("mips64\n", false);
	check_carried("\n", sizeof(long) == 4); /* not told */
	check_carried("?\n", sizeof(long) == 4);
}

/* ---- a list of guests that is too long to be read ---- */

#define T1	 "t1/fabric_statistics/"
#define GUESTS	 "t1/tpgt_1/dynamic_sessions"
#define SESSIONS T1 "iscsi_instance/sessions"
#define ACCEPTS	 T1 "iscsi_login_stats/accepts"

static void guests_that_cannot_be_listed_stay_while_nobody_leaves(void **state)
{
	uint32_t index;

	(void)state;
	lio_load("sessions");
	lio_fake.object = 7;
	lio_put(SESSIONS, "5\n");
	lio_put(ACCEPTS, "10\n");
	index = poll_session(GUEST);
	assert_true(index > 0);
	lio_put_error(GUESTS, -EIO);
	assert_int_equal(poll_session(GUEST), index);
	assert_true(*lio_poll.note != 0);
	lio_put(SESSIONS, "12\n");
	lio_put(ACCEPTS, "17\n"); /* seven more */
	assert_int_equal(poll_session(GUEST), index);
	lio_put(SESSIONS, "11\n"); /* one has ended, perhaps this one */
	assert_int_equal(poll_session(GUEST), 0);
	lio_put(SESSIONS, "12\n");
	assert_int_equal(poll_session(GUEST), 0);
	lio_put_back();
	assert_int_equal(poll_session(GUEST), index);
}

static void guests_stay_only_while_it_is_known_that_nobody_left(void **state)
{
	static const char *const files[] = { SESSIONS, ACCEPTS };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		lio_put_back();
		lio_load("sessions");
		assert_true(poll_session(GUEST) > 0);
		lio_put_error(GUESTS, -EIO);
		lio_put_error(files[i], -EIO);
		assert_int_equal(poll_session(GUEST), 0);
		lio_put_back(); /* nor was it known before */
		lio_put_error(files[i], -EIO);
		assert_true(poll_session(GUEST) > 0);
		lio_put_back();
		lio_put_error(GUESTS, -EIO);
		assert_int_equal(poll_session(GUEST), 0);
	}
}

static void guests_of_a_group_that_goes_away_go_with_it(void **state)
{
	(void)state;
	lio_load("sessions");
	assert_true(poll_session(GUEST) > 0);
	lio_put_error(GUESTS, -ENODEV);
	assert_int_equal(poll_session(GUEST), 0);
	lio_put_error(GUESTS, -EIO);
	assert_int_equal(poll_session(GUEST), 0);
}

/* A guest gets an ACL: the session goes on, nothing is counted, and the ACL shows it. */
static void a_guest_that_gets_an_acl_has_one_row(void **state)
{
	uint32_t other;

	(void)state;
	lio_load("sessions");
	assert_true(poll_session(GUEST) > 0);
	other = poll_session(OTHER_GUEST);
	assert_true(other > 0);
	lio_put_error(GUESTS, -EIO);
	lio_put("t1/tpgt_1/acls", LAB "init1\n");
	lio_put("t1/tpgt_1/acls/" LAB "init1/info", lio_info_text(LAB "init1", 2, "x"));
	assert_int_equal(poll_session(GUEST), 0);
	assert_true(poll_session(LAB "t1/tpgt_1/acls/" LAB "init1/session 2 ") > 0);
	assert_int_equal(poll_session(OTHER_GUEST), other);
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		STORY(the_last_failed_login_outlives_the_reader),
		STORY(a_failure_that_no_reader_saw_has_no_time),
		STORY(a_discontinuity_outlives_the_reader),
		STORY(a_session_of_a_group_made_anew_has_one_number),
		STORY(a_guest_of_a_group_made_anew_has_one_number),
		STORY(a_session_of_one_group_keeps_its_number),
		STORY(a_group_made_anew_while_it_is_read_has_no_session),
		STORY(a_group_that_cannot_be_looked_up_once_is_the_same),
		STORY(counters_that_were_carried_are_interrupted),
		STORY(guests_that_cannot_be_listed_stay_while_nobody_leaves),
		STORY(guests_stay_only_while_it_is_known_that_nobody_left),
		STORY(guests_of_a_group_that_goes_away_go_with_it),
		STORY(a_guest_that_gets_an_acl_has_one_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
