/* SPDX-License-Identifier: BSD-2-Clause */
/* A table of units with the one source "tgt", and a clock that stands still. After cmocka.h. */
#ifndef TESTS_SUPPORT_UNITS_LAB_H
#define TESTS_SUPPORT_UNITS_LAB_H

#include "base/clock.h"
#include "base/log.h"
#include "reader/units.h"

/* Time stands still in these tests but for what they add to it. */
static uint64_t fake_now_ns = 1000 * NS_PER_S;
uint64_t __wrap_clock_now_ns(void);
uint64_t __wrap_clock_now_ns(void)
{
	return fake_now_ns;
}

static char last_log[1024];
static unsigned logs;

static void keep_log(int priority, const char *message)
{
	(void)priority;
	snprintf(last_log, sizeof(last_log), "%s", message);
	logs++;
}

static int setup(void **state)
{
	struct units *u = units_new(60 * NS_PER_S);

	log_set_sink(keep_log);
	assert_int_equal(units_add_source(u, "tgt"), 0);
	logs = 0;
	*state = u;
	return 0;
}

static int teardown(void **state)
{
	units_free(*state);
	return 0;
}

static struct unit_fragment fragment(void)
{
	/* Its content does not matter here. */
	return (struct unit_fragment){ .data = calloc(1, sizeof(struct fragment)) };
}

static inline struct snapshot_input input(struct units *u, int expected_count)
{
	struct snapshot_input *inputs, first = { .fragment = NULL };

	assert_int_equal(units_inputs(u, false, &inputs), expected_count);
	if (expected_count)
		first = inputs[0];
	free(inputs);
	return first;
}

static void good(struct units *u, uint64_t serial)
{
	assert_int_equal(units_good(u, 0, "a", serial, fragment(), "", 1, 2), 0);
	units_done(u, 0, serial, true, 0, "");
}

static void bad(struct units *u, uint64_t serial)
{
	assert_int_equal(units_failed(u, 0, "a", serial, -ETIMEDOUT, "no answer"), 0);
	units_done(u, 0, serial, true, 0, "");
}

#endif
