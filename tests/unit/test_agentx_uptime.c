/* SPDX-License-Identifier: BSD-2-Clause */
/* agent/agentx_uptime.h: when the master's sysUpTime was 0. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/agentx_uptime.h"
#include "base/clock.h"

#define BORN_NS (1000 * NS_PER_S)
#define WRAP_CS (UINT64_C(1) << 32)

/* What follows from the answer to a request of `late` ns ago, of a master that began at born_ns. */
static uint64_t after(uint64_t born_ns, uint64_t up_cs, uint64_t late, uint64_t known_ns)
{
	uint64_t now_ns = born_ns + up_cs * NS_PER_CS + late;

	return agentx_uptime_zero((uint32_t)up_cs, now_ns - late, now_ns, known_ns);
}

static void the_first_answer_says_it(void **state)
{
	(void)state;
	assert_int_equal(after(BORN_NS, 500, 0, 0), BORN_NS);
	/* A master that has run for longer than this machine has: not before its boot. */
	assert_int_equal(agentx_uptime_zero(500, NS_PER_S, 2 * NS_PER_S, 0), 1);
}

static void a_late_answer_moves_nothing(void **state)
{
	(void)state;
	assert_int_equal(after(BORN_NS, 500, 4 * NS_PER_S, BORN_NS), BORN_NS);
	assert_int_equal(after(BORN_NS + NS_PER_S / 2, 500, 0, BORN_NS), BORN_NS);
}

static void a_master_that_began_anew_moves_it(void **state)
{
	(void)state;
	assert_int_equal(after(BORN_NS + 5 * NS_PER_S, 500, 0, BORN_NS), BORN_NS + 5 * NS_PER_S);
	assert_int_equal(after(BORN_NS - 5 * NS_PER_S, 9000, 0, BORN_NS), BORN_NS - 5 * NS_PER_S);
	/* Also one that ran for 300 days: nearer to a wrap than to none. */
	assert_int_equal(after(BORN_NS + 300 * 86400 * NS_PER_S, 500, 0, BORN_NS),
		BORN_NS + 300 * 86400 * NS_PER_S);
	assert_int_equal(after(BORN_NS + WRAP_CS * NS_PER_CS - 5 * NS_PER_S, 2000, 0, BORN_NS),
		BORN_NS + WRAP_CS * NS_PER_CS - 5 * NS_PER_S);
}

/*
 * sysUpTime begins anew after 497 days. That looked like a restart of the master: all TimeStamps
 * and discontinuity times moved, and failures of last week had never been.
 */
static void a_wrap_moves_nothing(void **state)
{
	(void)state;
	for (uint64_t wraps = 1; wraps < 5; wraps++) {
		for (uint64_t late = 0; late < 4 * NS_PER_S; late += NS_PER_S) {
			assert_int_equal(
				after(BORN_NS, wraps * WRAP_CS - 100, late, BORN_NS), BORN_NS);
			assert_int_equal(after(BORN_NS, wraps * WRAP_CS, late, BORN_NS), BORN_NS);
			assert_int_equal(
				after(BORN_NS, wraps * WRAP_CS + 100, late, BORN_NS), BORN_NS);
		}
	}
	/* A request sent before the wrap, answered after it. */
	assert_int_equal(agentx_uptime_zero(50, BORN_NS + (WRAP_CS - 100) * NS_PER_CS,
				 BORN_NS + (WRAP_CS + 60) * NS_PER_CS, BORN_NS),
		BORN_NS);
	/* A second master after the wrap of the first one. */
	assert_int_equal(after(BORN_NS + (WRAP_CS + 70000) * NS_PER_CS, 500, 0, BORN_NS),
		BORN_NS + (WRAP_CS + 70000) * NS_PER_CS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_answer_says_it),
		cmocka_unit_test(a_late_answer_moves_nothing),
		cmocka_unit_test(a_master_that_began_anew_moves_it),
		cmocka_unit_test(a_wrap_moves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
