/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asking the kernel for statistics, open_iscsi_stats.h: after 32 requests there is a pause for
 * others to read. What the kernel says in it is taken.
 */
#include "tests/support/stats_lab.h"

#define BURST	 32u
#define SESSIONS 40u

/* __wrap_root_netlink_open: stats_lab.h */
uint64_t __wrap_clock_now_ns(void);

static unsigned int looks; /* at the clock, after a burst */

/* With each look something is said, also with the one that begins the pause. */
uint64_t __wrap_clock_now_ns(void)
{
	if (fake_kernel.requests == BURST && looks < 10) {
		fake_kernel_event(OISCSI_EVENT_UNBOUND, 7, 0);
		looks++;
	}
	now_ns += NS_PER_MS;
	return now_ns;
}

static int begin(void **state)
{
	int rc = stats_begin(state);

	for (uint32_t sid = 1; sid <= SESSIONS; sid++)
		add_session(sid);
	return rc;
}

/* A logout begins: no more is asked. */
static void what_is_said_in_the_pause_is_taken(void **state)
{
	(void)state;
	oiscsi_stats_ask(&asker, &o, now_ns, now_ns + NS_PER_S);
	assert_int_equal(fake_kernel.requests, BURST);
	assert_true(sessions[BURST - 1]->connections[0].statistics_ns > 0);
	assert_int_equal(sessions[BURST]->connections[0].statistics_ns, 0);
	assert_true(looks >= 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_is_said_in_the_pause_is_taken, begin, stats_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
