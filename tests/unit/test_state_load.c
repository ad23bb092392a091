/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * agent/state.h: what was saved is there after a start in which memory is wanting once, or the boot
 * cannot be told at first. Wrapped: __wrap_malloc __wrap_calloc __wrap_realloc __wrap_reallocarray
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/state.h"
#include "base/boot.h"
#include "index/event_store.h"
#include "index/store.h"
#include "tests/support/failing_memory.h"
#include "tests/support/scratch.h"

#include <sys/stat.h>

int __real_boot_id_read(char out[BOOT_ID_LENGTH + 1]);
int __wrap_boot_id_read(char out[BOOT_ID_LENGTH + 1]);

static unsigned int boots_unread; /* so many times it cannot be read */

int __wrap_boot_id_read(char out[BOOT_ID_LENGTH + 1])
{
	int rc = __real_boot_id_read(out);

	if (!boots_unread)
		return rc;
	boots_unread--;
	memset(out, '0', 8);
	return -EMFILE;
}

static struct config config;

/* A node has the number 1 for ever, a session in this boot: both are found again. */
static uint32_t number(struct registry *r, enum index_kind kind, const char *key)
{
	struct registry_entry *entry;
	bool is_new;

	assert_int_equal(registry_number(r, kind, 1, key, 1, 1, &entry, &is_new), 0);
	return is_new ? 0 : entry->number;
}

static int set_up(void **state)
{
	struct registry *registry = registry_new();
	char boot[BOOT_ID_LENGTH + 1];
	struct store_run run = { .uptime_zero_ns = 7 };

	(void)state;
	scratch_begin();
	config_defaults(&config);
	snprintf(config.state_dir, sizeof(config.state_dir), "%s", scratch_path("/s"));
	snprintf(config.run_dir, sizeof(config.run_dir), "%s", scratch_path("/r"));
	mkdir(config.state_dir, 0700);
	mkdir(config.run_dir, 0700);
	__real_boot_id_read(boot);
	number(registry, INDEX_NODE, "n");
	number(registry, INDEX_SESSION, "s");
	assert_int_equal(store_save(registry, config.state_dir, true, boot, &run), 0);
	assert_int_equal(store_save(registry, config.run_dir, false, boot, &run), 0);
	registry_free(registry);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scratch_end();
	return 0;
}

/* Opens it with the nth allocation failing; returns whether there were so many. */
static bool open_with_failure(unsigned long nth)
{
	struct registry *registry = registry_new();
	struct state *s;
	bool failed;

	allocations = 0;
	fail_at = nth;
	s = state_open(&config, registry, NULL);
	failed = allocations >= nth;
	fail_at = 0;
	if (s) {
		assert_int_equal(number(registry, INDEX_NODE, "n"), 1);
		assert_int_equal(number(registry, INDEX_SESSION, "s"), 1);
		assert_true(state_known_before(s));
		assert_int_equal(state_uptime_zero(s), 7);
		state_close(s, 0);
	} else {
		assert_int_equal(nth, 1); /* then it is not even begun */
	}
	registry_free(registry);
	return failed;
}

static void an_allocation_that_fails_loses_no_number(void **state)
{
	unsigned long nth = 1;

	(void)state;
	while (open_with_failure(nth))
		nth++;
	assert_true(nth > 10);
}

static void a_boot_that_cannot_be_told_at_first_is_asked_again(void **state)
{
	(void)state;
	boots_unread = 2;
	assert_false(open_with_failure(1000000));
	assert_int_equal(boots_unread, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_allocation_that_fails_loses_no_number),
		TEST(a_boot_that_cannot_be_told_at_first_is_asked_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
