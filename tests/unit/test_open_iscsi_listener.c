/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Listening to the kernel: when it is begun, when given up, what happens after a loss of
 * messages, and when the agent is told to look. The time is the real
 * one.
 */
#include "tests/support/listener_lab.h"

int __wrap_root_netlink_open(
	struct root *root, int protocol, unsigned int group, struct netlink **ret);

int __wrap_root_netlink_open(struct root *r, int protocol, unsigned int group, struct netlink **ret)
{
	assert_ptr_equal(r, root);
	return fake_kernel_open(r, protocol, group, ret);
}

/* ---- beginning and end ---- */

static void it_listens_when_it_is_wanted(void **state)
{
	(void)state;
	assert_int_equal(oiscsi_listener_fd(&listener), -1);
	oiscsi_listener_follow(&listener, false);
	assert_int_equal(fake_kernel.opens, 0);
	listen_now();
	assert_int_equal(fake_kernel.last_protocol, 8);
	assert_int_equal(fake_kernel.last_group, 1);
	assert_true(oiscsi_listener_fd(&listener) >= 0);
	oiscsi_listener_follow(&listener, true);
	assert_int_equal(fake_kernel.opens, 1);
	/* The last driver is gone: the socket would keep the module. */
	oiscsi_listener_follow(&listener, false);
	assert_int_equal(fake_kernel.closes, 1);
	assert_int_equal(oiscsi_listener_fd(&listener), -1);
	assert_int_equal(oiscsi_listener_event(&listener), 0);
	assert_false(oiscsi_listener_pump(&listener, true));
}

static void each_begin_is_another_epoch(void **state)
{
	uint64_t first;

	(void)state;
	listen_now();
	first = listener.opened_ns;
	fake_kernel_event(OISCSI_EVENT_CREATED, 4, 0);
	oiscsi_listener_pump(&listener, true);
	assert_int_equal(listener.events.watch_count, 1);
	oiscsi_listener_follow(&listener, false);
	assert_int_equal(listener.events.watch_count, 0);
	listen_now();
	assert_true(listener.opened_ns > first);
}

static void why_it_does_not_listen(void **state)
{
	static const struct {
		int error;
		const char *note;
	} rows[] = {
		{ -EPERM,
			"may not listen to the kernel (CAP_NET_ADMIN): sessions have no counters, "
			"failures and logins are not seen" },
		{ -ENONET,
			"not in the network namespace of the kernel's initiator: sessions have no "
			"counters, failures and logins are not seen" },
		{ -EMFILE, "cannot listen to the kernel (Too many open files): sessions have no "
			   "counters, failures and logins are not seen" },
		{ -ENOENT, "" }, /* a recording */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		oiscsi_listener_follow(&listener, false);
		fake_kernel.open_error = rows[i].error;
		oiscsi_listener_follow(&listener, true);
		assert_null(listener.netlink);
		assert_string_equal(listener.note, rows[i].note);
		assert_int_equal(oiscsi_listener_fd(&listener), -1);
	}
}

static void it_tries_again_after_a_while(void **state)
{
	(void)state;
	fake_kernel.open_error = -EPERM;
	for (int i = 0; i < 10; i++)
		oiscsi_listener_follow(&listener, true);
	assert_int_equal(fake_kernel.opens, 1);
	assert_int_equal(listener.back_off_ns, NS_PER_S);
	for (int i = 0; i < 10; i++) {
		listener.retry_ns = 0;
		oiscsi_listener_follow(&listener, true);
	}
	assert_int_equal(fake_kernel.opens, 11);
	assert_int_equal(listener.back_off_ns, 60 * NS_PER_S);
	fake_kernel.open_error = 0;
	listener.retry_ns = 0;
	listen_now();
	oiscsi_listener_pump(&listener, true);
	assert_int_equal(listener.back_off_ns, 0);
}

static void a_module_that_is_being_loaded_is_waited_for(void **state)
{
	(void)state;
	fake_kernel.open_error = -EPROTONOSUPPORT;
	for (int i = 0; i < 10; i++)
		oiscsi_listener_follow(&listener, true);
	assert_int_equal(fake_kernel.opens, 10);
	fake_kernel.open_error = 0;
	oiscsi_listener_follow(&listener, true);
	assert_non_null(listener.netlink);
}

static void a_broken_socket_is_opened_anew(void **state)
{
	(void)state;
	listen_now();
	fake_kernel_event(OISCSI_EVENT_CREATED, 4, 0);
	oiscsi_listener_pump(&listener, true);
	fake_kernel.receive_error = -ENOTCONN;
	assert_false(oiscsi_listener_pump(&listener, true));
	assert_null(listener.netlink);
	assert_int_equal(listener.events.watch_count, 0);
	assert_non_null(strstr(listener.note, "not connected"));
	oiscsi_listener_follow(&listener, true);
	assert_int_equal(fake_kernel.opens, 1);
	listener.retry_ns = 0;
	listen_now();
}

/* Whatever it is: to go on and show zeros would be a lie. */
static void messages_that_are_not_understood_end_it(void **state)
{
	struct frame frame = frame_event(OISCSI_EVENT_CREATED, 4, 0, 0);

	(void)state;
	listen_now();
	frame.length = 40;
	fake_kernel_say(&frame);
	oiscsi_listener_pump(&listener, true);
	assert_null(listener.netlink);
	assert_non_null(strstr(listener.note, "Bad message"));
}

/* ---- loss ---- */

static void lose_something(void (*lose)(void))
{
	uint64_t epoch;

	listen_now();
	epoch = listener.opened_ns;
	fake_kernel_event(OISCSI_EVENT_CREATED, 4, 0);
	oiscsi_listener_pump(&listener, true);
	oiscsi_events_seen(&listener.events, 4, OISCSI_LOGGED_IN, clock_now_ns());
	fake_kernel_event(OISCSI_EVENT_CONNECTION_ERROR, 4, 1022);
	oiscsi_listener_pump(&listener, true);
	assert_int_equal(listener.events.failures, 1);
	while (oiscsi_listener_event(&listener) > 0)
		continue;
	lose();
	oiscsi_listener_pump(&listener, true);
	assert_non_null(listener.netlink);
	assert_true(listener.opened_ns > epoch);
	assert_int_equal(listener.events.failures, 0);
	assert_int_equal(listener.events.watch_count, 0);
	assert_ptr_equal(listener.events.records, &records);
	assert_true(oiscsi_listener_event(&listener) > 0);
	/* … and goes on. */
	epoch = listener.opened_ns;
	oiscsi_events_seen(&listener.events, 4, OISCSI_LOGGED_IN, clock_now_ns());
	fake_kernel_event(OISCSI_EVENT_CONNECTION_ERROR, 4, 1022);
	oiscsi_listener_pump(&listener, true);
	assert_int_equal(listener.events.failures, 1);
	assert_true(listener.opened_ns == epoch);
}

static void fill_the_queue(void)
{
	fake_kernel.room = 10;
	for (int i = 0; i < 11; i++)
		fake_kernel_event(OISCSI_EVENT_CONNECTION_ERROR, 4, 1022);
	fake_kernel.room = FAKE_QUEUE_MAX;
}

static void lose_on_an_old_kernel(void)
{
	fake_kernel.receive_error = -ENOBUFS;
}

static void send_something_huge(void)
{
	fake_kernel.receive_error = -EMSGSIZE;
}

static void after_an_overflow_all_begins_anew(void **state)
{
	(void)state;
	lose_something(fill_the_queue);
}

static void likewise_on_an_old_kernel(void **state)
{
	(void)state;
	lose_something(lose_on_an_old_kernel);
}

static void likewise_after_a_cut_message(void **state)
{
	(void)state;
	lose_something(send_something_huge);
}

/* ---- messages ---- */

static void nothing_of_a_login_stays_in_memory(void **state)
{
	struct frame frame = frame_login_response(4,
		&(struct login_response){ .text = "CHAP_N=canary|CHAP_R=0xcanary|TargetAlias=x|" });

	(void)state;
	listen_now();
	fake_kernel_event(OISCSI_EVENT_CREATED, 4, 0);
	fake_kernel_say(&frame);
	oiscsi_listener_pump(&listener, true);
	assert_int_equal(listener.events.watches[0]->answers, 1);
	assert_string_equal(listener.events.watches[0]->keys.target_alias, "x");
	assert_null(memmem(listener.frame, frame.length, "canary", 6));
	assert_null(memmem(listener.events.watches[0], sizeof(struct oiscsi_watch), "canary", 6));
}

/* A poll looks at the session when the kernel has begun to use it, and the last answer waits. */
static void a_login_that_a_poll_comes_upon_keeps_its_keys(void **state)
{
	struct frame one =
		frame_login_response(4, &(struct login_response){ .stat_sn = 1,
						.text = "TargetAlias=x|DefaultTime2Wait=3|" });
	struct frame last = frame_login_response(
		4, &(struct login_response){ .flags = 0x87, .tsih = 7, .stat_sn = 2 });
	const struct oiscsi_watch *watch;

	(void)state;
	listen_now();
	fake_kernel_event(OISCSI_EVENT_CREATED, 4, 0);
	fake_kernel_say(&one);
	oiscsi_listener_pump(&listener, true);
	fake_kernel_say(&last);
	assert_int_equal(oiscsi_listener_seen(&listener, 4, OISCSI_LOGGED_IN), 0);
	oiscsi_listener_pump(&listener, true);
	watch = oiscsi_watch_find(&listener.events, 4);
	assert_true(watch->learned.known);
	assert_int_equal(watch->learned.tsih, 7);
	assert_string_equal(watch->learned.target_alias, "x");
	assert_int_equal(watch->learned.time2wait.value, 3);
	assert_int_equal(watch->logins, 1);
}

/* … and the socket breaks, or messages were lost, just then. */
static void a_poll_comes_upon_the_end_of_listening(void **state)
{
	static const int errors[] = { -ENOBUFS, -ENOTCONN };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		listener.retry_ns = 0;
		listen_now();
		fake_kernel_event(OISCSI_EVENT_CREATED, 4, 0);
		oiscsi_listener_pump(&listener, true);
		fake_kernel.receive_error = errors[i];
		assert_int_equal(oiscsi_listener_seen(&listener, 4, OISCSI_LOGGED_IN), 0);
		assert_int_equal(fake_kernel.receive_error, 0);
		assert_int_equal(listener.netlink != NULL, errors[i] == -ENOBUFS);
	}
}

static void statistics_are_passed_on(void **state)
{
	const struct oiscsi_statistics statistics = { .tx_octets = 1 };
	struct frame frame = frame_statistics(4, 0, &statistics, 0);

	(void)state;
	listen_now();
	fake_kernel_say(&frame);
	oiscsi_listener_pump(&listener, true);
	assert_int_equal(statistics_taken, 1);
	assert_int_equal(listener.events.watch_count, 0);
	assert_int_equal(oiscsi_listener_event(&listener), 0);
}

static void it_is_not_asked_too_often(void **state)
{
	(void)state;
	listen_now();
	oiscsi_listener_pump(&listener, true);
	listener.pumped_ns = clock_now_ns() + NS_PER_S; /* a moment ago, for a second */
	fake_kernel_event(OISCSI_EVENT_CREATED, 4, 0);
	assert_false(oiscsi_listener_pump(&listener, false));
	assert_int_equal(fake_kernel.count, 1);
	assert_true(oiscsi_listener_pump(&listener, true));
	assert_int_equal(fake_kernel.count, 0);
}

/* ---- news ---- */

static void the_agent_is_told_at_once_and_twice_again(void **state)
{
	uint64_t began = clock_now_ns(), first, second;

	(void)state;
	listen_now();
	assert_false(is_readable(0));
	fake_kernel_event(OISCSI_EVENT_CREATED, 4, 0);
	assert_true(is_readable(0));
	began = clock_now_ns();
	assert_true(oiscsi_listener_event(&listener) > 0);
	do
		assert_true(is_readable(2000));
	while (oiscsi_listener_event(&listener) == 0);
	first = clock_now_ns() - began;
	do
		assert_true(is_readable(2000));
	while (oiscsi_listener_event(&listener) == 0);
	second = clock_now_ns() - began;
	assert_in_range(first / MS, 150, 400);
	assert_in_range(second / MS, 1000, 1400);
	assert_false(is_readable(300));
}

static void an_answer_in_the_middle_of_a_login_is_no_news(void **state)
{
	struct frame frame = frame_login_response(4, &(struct login_response){ .stat_sn = 1 });

	(void)state;
	listen_now();
	fake_kernel_say(&frame);
	assert_true(is_readable(0));
	assert_int_equal(oiscsi_listener_event(&listener), 0);
}

static void what_a_poll_came_upon_is_news_after_it(void **state)
{
	(void)state;
	listen_now();
	fake_kernel_event(OISCSI_EVENT_UNBOUND, 4, 0);
	oiscsi_listener_pump(&listener, true);
	assert_int_equal(fake_kernel.count, 0);
	assert_true(oiscsi_listener_event(&listener) > 0);
	assert_int_equal(oiscsi_listener_event(&listener), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(it_listens_when_it_is_wanted),
		TEST(each_begin_is_another_epoch),
		TEST(why_it_does_not_listen),
		TEST(it_tries_again_after_a_while),
		TEST(a_module_that_is_being_loaded_is_waited_for),
		TEST(a_broken_socket_is_opened_anew),
		TEST(messages_that_are_not_understood_end_it),
		TEST(after_an_overflow_all_begins_anew),
		TEST(likewise_on_an_old_kernel),
		TEST(likewise_after_a_cut_message),
		TEST(nothing_of_a_login_stays_in_memory),
		TEST(a_login_that_a_poll_comes_upon_keeps_its_keys),
		TEST(a_poll_comes_upon_the_end_of_listening),
		TEST(statistics_are_passed_on),
		TEST(it_is_not_asked_too_often),
		TEST(the_agent_is_told_at_once_and_twice_again),
		TEST(an_answer_in_the_middle_of_a_login_is_no_news),
		TEST(what_a_poll_came_upon_is_news_after_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
