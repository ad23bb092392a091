/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of sessions, which are in sysfs for a moment only when a login is refused: how they are
 * found while there is time. The time is the real one.
 */
#include "tests/support/listener_lab.h"

int __wrap_root_netlink_open(
	struct root *root, int protocol, unsigned int group, struct netlink **ret);

int __wrap_root_netlink_open(struct root *r, int protocol, unsigned int group, struct netlink **ret)
{
	assert_ptr_equal(r, root);
	return fake_kernel_open(r, protocol, group, ret);
}

#define SESSION	   "/sys/class/iscsi_session/session4"
#define CONNECTION "/sys/class/iscsi_connection/connection4:0"

static void make_session(const char *target)
{
	scratch_dir("/sys");
	scratch_dir("/sys/class");
	scratch_dir("/sys/class/iscsi_session");
	scratch_dir("/sys/class/iscsi_connection");
	scratch_dir(SESSION);
	scratch_text(SESSION "/targetname", target);
	scratch_text(SESSION "/initiatorname", "(null)\n");
}

static void name_session(void)
{
	scratch_text(SESSION "/targetname", "iqn.target\n");
	scratch_text(SESSION "/initiatorname", "iqn.initiator\n");
	scratch_text(SESSION "/ifacename", "default\n");
	scratch_dir(CONNECTION);
	scratch_text(CONNECTION "/persistent_address", "10.0.0.9\n");
	scratch_text(CONNECTION "/persistent_port", "3261\n");
}

/* As the reader's loop does, for so long. */
static unsigned int events_for(unsigned int ms)
{
	uint64_t until = clock_now_ns() + ms * MS;
	unsigned int wakes = 0;

	while (clock_now_ns() < until) {
		if (is_readable(clock_ms_until(until, 1000)))
			wakes++;
		oiscsi_listener_event(&listener);
	}
	return wakes;
}

static void names_are_found_as_soon_as_they_are_there(void **state)
{
	struct oiscsi_watch *watch;
	unsigned int wakes = 0;
	char text[64];

	(void)state;
	listen_now();
	fake_kernel_event(OISCSI_EVENT_CREATED, 4, 0);
	oiscsi_listener_event(&listener);
	watch = oiscsi_watch_find(&listener.events, 4);
	assert_null(watch->target_name);
	make_session("(null)\n");
	/* It waits without holding anything up, every half millisecond; a busy machine is slower.
	 */
	for (int i = 0; i < 12 && wakes < 8; i++)
		wakes += events_for(50);
	assert_true(wakes >= 8);
	assert_null(watch->target_name);
	assert_true(watch->names_until_ns != 0);
	name_session();
	for (int i = 0; i < 40 && !watch->names_known; i++)
		events_for(5);
	assert_string_equal(watch->target_name, "iqn.target");
	assert_string_equal(watch->initiator_name, "iqn.initiator");
	assert_string_equal(watch->iface_name, "default");
	assert_string_equal(text_from_address(text, &watch->portal.address), "10.0.0.9");
	assert_int_equal(watch->portal.port.value, 3261);
	assert_true(watch->names_known);
	assert_int_equal(watch->names_until_ns, 0);
}

static void names_are_not_looked_for_without_end(void **state)
{
	struct oiscsi_watch *watch;

	(void)state;
	listen_now();
	fake_kernel_event(OISCSI_EVENT_CREATED, 4, 0);
	oiscsi_listener_event(&listener);
	events_for(1100);
	watch = oiscsi_watch_find(&listener.events, 4);
	assert_int_equal(watch->names_until_ns, 0);
	assert_true(events_for(100) <= 2);
	/* The next poll looks once more. */
	make_session("iqn.target\n");
	name_session();
	assert_int_equal(oiscsi_listener_seen(&listener, 4, OISCSI_FREE), 0);
	assert_string_equal(watch->target_name, "iqn.target");
}

static void the_end_of_a_session_ends_the_search(void **state)
{
	(void)state;
	listen_now();
	fake_kernel_event(OISCSI_EVENT_CREATED, 4, 0);
	oiscsi_listener_event(&listener);
	fake_kernel_event(OISCSI_EVENT_UNBOUND, 4, 0);
	fake_kernel_event(OISCSI_EVENT_DESTROYED, 4, 0);
	oiscsi_listener_event(&listener);
	assert_int_equal(listener.events.watch_count, 0);
	/* Nobody knows whose login it was: it counts for the initiator without a name. */
	assert_int_equal(oiscsi_node_events_find(&listener.events, NULL)->login[0], 1);
}

/*
 * A reader that comes late finds the beginning of a session and its end in the socket, while its
 * names are still there: a refused login once had no target, on a machine that was busy.
 */
static void names_are_read_before_what_needs_them(void **state)
{
	const struct oiscsi_node_events *node;

	(void)state;
	listen_now();
	make_session("iqn.target\n");
	name_session();
	fake_kernel_event(OISCSI_EVENT_CREATED, 4, 0);
	fake_kernel_event(OISCSI_EVENT_UNBOUND, 4, 0);
	fake_kernel_event(OISCSI_EVENT_DESTROYED, 4, 0);
	oiscsi_listener_event(&listener);
	assert_int_equal(listener.events.watch_count, 0);
	node = oiscsi_node_events_find(&listener.events, "iqn.initiator");
	assert_non_null(node);
	assert_int_equal(node->login[0], 1);
	assert_string_equal(node->failure_target, "iqn.target");
	assert_int_equal(node->failure_portal.port.value, 3261);
}

/* The session ends while a poll looks for its names: between two files of it. */
static void a_session_that_ends_between_two_files(void **state)
{
	(void)state;
	listen_now();
	make_session("iqn.target\n");
	name_session();
	fake_kernel_event(OISCSI_EVENT_CREATED, 4, 0);
	oiscsi_listener_pump(&listener, true);
	oiscsi_watch_find(&listener.events, 4)->names_known = false;
	listener.pumped_ns = 0;
	fake_kernel_event(OISCSI_EVENT_DESTROYED, 4, 0);
	assert_int_equal(oiscsi_listener_seen(&listener, 4, OISCSI_FREE), 0);
	listener.pumped_ns = 0;
	oiscsi_listener_pump(&listener, true);
	assert_int_equal(listener.events.watch_count, 0);
}

static void names_that_cannot_be_shown(void **state)
{
	struct oiscsi_watch *watch;
	char name[1200];

	(void)state;
	listen_now();
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	make_session(name);
	name_session();
	scratch_text(SESSION "/targetname", name);
	scratch_text(CONNECTION "/persistent_address", "storage.example.org\n");
	scratch_text(CONNECTION "/persistent_port", "0\n");
	fake_kernel_event(OISCSI_EVENT_CREATED, 4, 0);
	oiscsi_listener_pump(&listener, true);
	watch = oiscsi_watch_find(&listener.events, 4);
	assert_null(watch->target_name);
	assert_int_equal(watch->portal.address.type, 0);
	assert_false(watch->portal.port.known);
	/* A link-local address without its interface would be another one. */
	watch->portal_asked = false;
	scratch_text(CONNECTION "/persistent_address", "fe80::1\n");
	oiscsi_listener_seen(&listener, 4, OISCSI_FREE);
	assert_int_equal(watch->portal.address.type, 0);
	assert_true(watch->portal_asked);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(names_are_found_as_soon_as_they_are_there),
		TEST(names_are_not_looked_for_without_end),
		TEST(the_end_of_a_session_ends_the_search),
		TEST(names_are_read_before_what_needs_them),
		TEST(a_session_that_ends_between_two_files),
		TEST(names_that_cannot_be_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
