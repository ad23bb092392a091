/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asking the kernel for statistics: each rule of open_iscsi_stats.h, against a kernel that hangs
 * the test (fake_kernel) where the real one would hang the machine.
 */
#include "tests/support/stats_lab.h"

#define SECOND NS_PER_S

/* __wrap_root_netlink_open: stats_lab.h */
uint64_t __wrap_clock_now_ns(void);

static uint64_t tick_ns; /* by which the time goes on with each look at the clock */

uint64_t __wrap_clock_now_ns(void)
{
	now_ns += tick_ns;
	return now_ns;
}

static int begin(void **state)
{
	tick_ns = 0;
	return stats_begin(state);
}

static void add_sessions(uint32_t count)
{
	for (uint32_t sid = 1; sid <= count; sid++)
		add_session(sid);
}

/* A poll; returns how many were asked for in it. */
static unsigned int ask(void)
{
	unsigned int before = fake_kernel.requests;

	now_ns += 5 * SECOND;
	oiscsi_stats_ask(&asker, &o, now_ns, now_ns + SECOND);
	return fake_kernel.requests - before;
}

static uint64_t octets(uint32_t position)
{
	return sessions[position]->connections[0].statistics.tx_octets;
}

/* ---- it works ---- */

static void each_session_gets_its_own(void **state)
{
	(void)state;
	add_sessions(3);
	assert_int_equal(ask(), 3);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(octets(i), 1001 + i);
		assert_int_equal(sessions[i]->connections[0].statistics_ns, now_ns);
	}
	assert_string_equal(asker.note, "");
	fake_kernel_connection(2)->statistics.tx_octets = 5;
	assert_int_equal(ask(), 3);
	assert_int_equal(octets(1), 5);
}

static void answers_to_others_are_taken_if_they_fit(void **state)
{
	const struct oiscsi_statistics statistics = { .tx_octets = 77 };
	struct frame frame;

	(void)state;
	add_sessions(2);
	frame = frame_statistics(2, 0, &statistics, 3);
	fake_kernel_say(&frame);
	frame = frame_statistics(2, 1, &statistics, 3); /* no such connection */
	fake_kernel_say(&frame);
	frame = frame_statistics(3, 0, &statistics, 3); /* no such session */
	fake_kernel_say(&frame);
	frame = frame_statistics(1, 0, &statistics, 33); /* nonsense */
	fake_kernel_say(&frame);
	oiscsi_listener_pump(&listener, true);
	assert_int_equal(octets(1), 77);
	assert_int_equal(sessions[1]->connections[0].statistics_ns, now_ns);
	assert_int_equal(sessions[0]->connections[0].statistics_ns, 0);
}

static void an_answer_to_somebody_else_is_not_ours(void **state)
{
	(void)state;
	add_sessions(1);
	fake_kernel.answers_twice = true;
	assert_int_equal(ask(), 1);
	assert_int_equal(octets(0), 1001);
	assert_int_equal(fake_kernel.count, 0);
}

/* ---- rule 1: joined, and certain to have room ---- */

static void nothing_is_asked_without_a_socket(void **state)
{
	(void)state;
	add_sessions(1);
	oiscsi_listener_follow(&listener, false);
	assert_int_equal(ask(), 0);
}

static void the_queue_is_emptied_before_each_request(void **state)
{
	(void)state;
	add_sessions(3);
	for (int i = 0; i < 100; i++)
		fake_kernel_event(OISCSI_EVENT_CONNECTION_ERROR, 1, 1020);
	assert_int_equal(ask(), 3);
}

static void say_something(unsigned int requests)
{
	(void)requests;
	for (int i = 0; i < 20; i++)
		fake_kernel_event(OISCSI_EVENT_CONNECTION_ERROR, 1, 1020);
}

static void also_when_events_come_with_the_answers(void **state)
{
	(void)state;
	add_sessions(10);
	fake_kernel.asked = say_something;
	assert_int_equal(ask(), 10);
	for (uint32_t i = 0; i < 10; i++)
		assert_int_equal(octets(i), 1001 + i);
}

/* iscsid is dead, and the queue cannot be emptied: more comes than is taken. */
static void with_iscsid_dead_and_a_full_queue_nothing_is_asked(void **state)
{
	(void)state;
	add_sessions(3);
	fake_kernel.others = 0;
	for (unsigned int i = 0; i < FAKE_QUEUE_MAX; i++)
		fake_kernel_event(OISCSI_EVENT_CONNECTION_ERROR, 1, 1020);
	assert_int_equal(ask(), 0);
	assert_true(fake_kernel.count > 0);
}

static void a_kernel_that_does_not_tell_is_not_asked(void **state)
{
	(void)state;
	add_sessions(3);
	fake_kernel.cannot_measure = true;
	assert_int_equal(ask(), 0);
	assert_string_equal(asker.note,
		"this kernel does not tell whether it is safe to ask it for statistics: sessions "
		"have no counters of PDUs and octets");
}

static struct netlink_ops stuck_ops;

static int something_is_queued(struct netlink *nl, struct netlink_memory *ret)
{
	(void)nl;
	*ret = (struct netlink_memory){ .queued = 1 };
	return 0;
}

/* What the kernel says of its memory counts, not that nothing is to be read. */
static void memory_that_is_in_use_is_no_room(void **state)
{
	(void)state;
	add_sessions(3);
	stuck_ops = *listener.netlink->ops;
	stuck_ops.memory = something_is_queued;
	listener.netlink->ops = &stuck_ops;
	assert_int_equal(ask(), 0);
}

/* ---- rule 2: one at a time ---- */

static void an_answer_that_does_not_come_ends_the_round(void **state)
{
	(void)state;
	add_sessions(5);
	fake_kernel.loses_answers = true;
	assert_int_equal(ask(), 1);
	assert_int_equal(sessions[0]->connections[0].statistics_ns, 0);
	/* The next poll begins with another one. */
	fake_kernel.loses_answers = false;
	assert_int_equal(ask(), 5);
}

static void a_socket_that_breaks_ends_the_round(void **state)
{
	(void)state;
	add_sessions(5);
	fake_kernel.receive_error = -ENOTCONN;
	assert_int_equal(ask(), 0);
	assert_null(listener.netlink);
}

static void a_request_that_cannot_be_sent(void **state)
{
	(void)state;
	add_sessions(5);
	fake_kernel.send_error = -ECONNREFUSED;
	assert_int_equal(ask(), 0);
	assert_non_null(strstr(asker.note, "cannot ask the kernel for statistics"));
	fake_kernel.send_error = 0;
	ask();
	assert_string_equal(asker.note, "");
}

/* ---- rule 3: bursts ---- */

static unsigned int tables_before;

static void count_a_burst(unsigned int requests)
{
	/* A look at the others' queues before the 1st, 33rd, 65th … request. */
	assert_int_equal(fake_kernel.tables - tables_before, (requests + 31) / 32);
}

static void after_32_requests_the_others_are_looked_at(void **state)
{
	(void)state;
	add_sessions(100);
	fake_kernel.others = 1;
	tables_before = fake_kernel.tables;
	fake_kernel.asked = count_a_burst;
	assert_int_equal(ask(), 100);
}

static void the_others_are_not_flooded(void **state)
{
	(void)state;
	add_sessions(3);
	fake_kernel.others = 1;
	fake_kernel.others_queued = 20000;
	assert_int_equal(ask(), 0);
	fake_kernel.others_queued = 10000;
	assert_int_equal(ask(), 3);
	fake_kernel.table_error = -EACCES;
	assert_int_equal(ask(), 0);
	fake_kernel.table_error = 0;
	fake_kernel.other_namespace = true;
	assert_int_equal(ask(), 0);
}

static void stop_reading(unsigned int requests)
{
	if (requests == 32)
		fake_kernel.others_queued = 32 * 1280;
}

static void a_member_that_falls_behind_ends_the_round(void **state)
{
	(void)state;
	add_sessions(100);
	fake_kernel.others = 1;
	fake_kernel.asked = stop_reading;
	assert_int_equal(ask(), 32);
	/* It has read: the others get their turn, and then those of before. */
	fake_kernel.others_queued = 0;
	fake_kernel.asked = NULL;
	assert_int_equal(ask(), 100);
	assert_int_equal(fake_kernel.asked_sids[32], 33);
}

/* ---- rule 4: not often, and in turns ---- */

static void each_session_at_most_every_five_seconds(void **state)
{
	(void)state;
	add_sessions(3);
	assert_int_equal(ask(), 3);
	for (int i = 0; i < 48; i++) {
		now_ns += SECOND / 10;
		oiscsi_stats_ask(&asker, &o, now_ns, now_ns + SECOND);
	}
	assert_int_equal(fake_kernel.requests, 3);
	now_ns += SECOND / 5;
	oiscsi_stats_ask(&asker, &o, now_ns, now_ns + SECOND);
	assert_int_equal(fake_kernel.requests, 6);
}

static void when_the_time_is_not_enough_they_take_turns(void **state)
{
	unsigned int times[501] = { 0 }, least = UINT32_MAX, most = 0;

	(void)state;
	add_sessions(500);
	tick_ns = 5 * NS_PER_MS;
	for (int i = 0; i < 20; i++)
		assert_true(ask() < 200);
	for (unsigned int i = 0; i < fake_kernel.requests; i++)
		times[fake_kernel.asked_sids[i]]++;
	for (uint32_t sid = 1; sid <= 500; sid++) {
		least = times[sid] < least ? times[sid] : least;
		most = times[sid] > most ? times[sid] : most;
	}
	assert_true(least >= 1 && most <= least + 1);
}

static void nothing_is_asked_when_the_time_is_over(void **state)
{
	(void)state;
	add_sessions(3);
	oiscsi_stats_ask(&asker, &o, now_ns, now_ns);
	assert_int_equal(fake_kernel.requests, 0);
}

/* ---- rule 6, and whom to ask ---- */

static void nothing_is_asked_during_a_logout(void **state)
{
	(void)state;
	add_sessions(3);
	fake_kernel_event(OISCSI_EVENT_UNBOUND, 2, 0);
	assert_int_equal(ask(), 0);
	fake_kernel_event(OISCSI_EVENT_DESTROYED, 2, 0);
	sessions[1]->present = false;
	assert_int_equal(ask(), 2);
}

/* The target asked for it: iscsid logs in again, if it is let in. */
static void a_logout_on_request_ends_nothing(void **state)
{
	struct frame frame = frame_logout_response(2);

	(void)state;
	add_sessions(3);
	oiscsi_events_seen(&listener.events, 2, OISCSI_LOGGED_IN, now_ns);
	fake_kernel_say(&frame);
	assert_int_equal(ask(), 3);
}

/* iscsid died before it destroyed the session: nobody will, and others must not pay for it. */
static void an_end_that_does_not_come_is_not_waited_for(void **state)
{
	(void)state;
	add_sessions(3);
	fake_kernel_event(OISCSI_EVENT_UNBOUND, 2, 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(ask(), 0);
		/* What it hears of it meanwhile is no new end. */
		fake_kernel_event(OISCSI_EVENT_CONNECTION_ERROR, 2, 1020);
	}
	now_ns += 30 * SECOND;
	fake_kernel_event(OISCSI_EVENT_CONNECTION_ERROR, 2, 1020);
	assert_int_equal(ask(), 3);
}

static void begin_a_logout(unsigned int requests)
{
	if (requests == 2)
		fake_kernel_event(OISCSI_EVENT_UNBOUND, 1, 0);
}

static void also_when_it_begins_in_the_middle(void **state)
{
	(void)state;
	add_sessions(10);
	fake_kernel.asked = begin_a_logout;
	assert_int_equal(ask(), 2);
}

static void who_is_not_asked_for(void **state)
{
	(void)state;
	add_sessions(5);
	sessions[0]->present = false;
	sessions[1]->login.known = false; /* it has never logged in */
	sessions[2]->unbinding = true;
	sessions[3]->transport = oiscsi_transport_find("somebody's");
	assert_int_equal(ask(), 1);
	assert_int_equal(fake_kernel.asked_sids[0], 5);
}

static void a_connection_that_is_gone_does_not_end_the_round(void **state)
{
	(void)state;
	add_sessions(3);
	fake_kernel_connection(2)->cid = 9;
	assert_int_equal(ask(), 3);
	assert_int_equal(sessions[1]->connections[0].statistics_ns, 0);
	assert_int_equal(octets(2), 1003);
	assert_string_equal(asker.note, "");
}

/* ---- who may ---- */

static const char may_not[] =
	"may not ask the kernel for statistics (CAP_SYS_ADMIN): sessions have "
	"no counters of PDUs and octets";

static void without_the_capability_the_kernel_refuses(void **state)
{
	(void)state;
	add_sessions(3);
	fake_kernel.no_sys_admin = true;
	assert_int_equal(ask(), 1);
	assert_string_equal(asker.note, may_not);
	fake_kernel.no_sys_admin = false;
	ask();
	assert_string_equal(asker.note, "");
}

static void load_driver_anew(unsigned int requests)
{
	char text[32];

	(void)requests;
	fake_kernel.handle += 0x1000;
	snprintf(text, sizeof(text), "%llu\n", (unsigned long long)fake_kernel.handle);
	scratch_text("/sys/class/iscsi_transport/tcp/handle", text);
}

static void a_driver_that_was_loaded_anew(void **state)
{
	(void)state;
	add_sessions(3);
	assert_int_equal(ask(), 3);
	load_driver_anew(0);
	assert_int_equal(ask(), 3); /* the old number may be another driver's now */
	assert_int_equal(octets(2), 1003);
	assert_int_equal(sessions[0]->connections[0].statistics_ns, now_ns);
	fake_kernel.asked = load_driver_anew;
	assert_int_equal(ask(), 2); /* the second with the old number: refused */
	fake_kernel.asked = NULL;
	assert_string_equal(asker.note, "");
	assert_int_equal(ask(), 3);
	assert_string_equal(asker.note, "");
}

static void a_number_that_cannot_be_read(void **state)
{
	(void)state;
	add_sessions(3);
	scratch_text("/sys/class/iscsi_transport/tcp/handle", "x\n");
	assert_int_equal(ask(), 0);
	assert_string_equal(asker.note, "cannot ask the kernel for statistics (Invalid argument): "
					"sessions have no counters of PDUs and octets");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, stats_end)
	const struct CMUnitTest tests[] = {
		TEST(each_session_gets_its_own),
		TEST(answers_to_others_are_taken_if_they_fit),
		TEST(an_answer_to_somebody_else_is_not_ours),
		TEST(nothing_is_asked_without_a_socket),
		TEST(the_queue_is_emptied_before_each_request),
		TEST(also_when_events_come_with_the_answers),
		TEST(with_iscsid_dead_and_a_full_queue_nothing_is_asked),
		TEST(a_kernel_that_does_not_tell_is_not_asked),
		TEST(memory_that_is_in_use_is_no_room),
		TEST(an_answer_that_does_not_come_ends_the_round),
		TEST(a_socket_that_breaks_ends_the_round),
		TEST(a_request_that_cannot_be_sent),
		TEST(after_32_requests_the_others_are_looked_at),
		TEST(the_others_are_not_flooded),
		TEST(a_member_that_falls_behind_ends_the_round),
		TEST(each_session_at_most_every_five_seconds),
		TEST(when_the_time_is_not_enough_they_take_turns),
		TEST(nothing_is_asked_when_the_time_is_over),
		TEST(nothing_is_asked_during_a_logout),
		TEST(a_logout_on_request_ends_nothing),
		TEST(an_end_that_does_not_come_is_not_waited_for),
		TEST(also_when_it_begins_in_the_middle),
		TEST(who_is_not_asked_for),
		TEST(a_connection_that_is_gone_does_not_end_the_round),
		TEST(without_the_capability_the_kernel_refuses),
		TEST(a_driver_that_was_loaded_anew),
		TEST(a_number_that_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
