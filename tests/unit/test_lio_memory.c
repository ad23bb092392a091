/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The source lio without memory: each allocation of two polls fails in turn.
 *
 * Wrapped: __wrap_root_read __wrap_root_list __wrap_root_directory_object
 * __wrap_root_tcp_sockets
 */
#include "tests/support/lio_wraps.h"

#include "source/lio_memory.h"

static unsigned allocations, fail_at;

static bool fails(void)
{
	return ++allocations == fail_at;
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}

void *__real_reallocarray(void *old, size_t count, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
	return fails() ? NULL : __real_reallocarray(old, count, size);
}

char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);
char *__wrap_strdup(const char *text)
{
	return fails() ? NULL : __real_strdup(text);
}

/* Returns whether the poll was good: if not, it failed for want of memory. */
static bool is_good_poll(void)
{
	int rc = lio_run();

	assert_true(rc == 0 || rc == -ENOMEM);
	if (rc == 0 && !lio_poll.good)
		assert_int_equal(lio_poll.error, -ENOMEM);
	return lio_poll.good;
}

/* In the first poll, and in the second, which finds another session in an ACL's place. */
static void check_each_allocation(bool second)
{
	bool good = false;

	for (unsigned k = 1; !good || allocations >= k; k++) {
		fail_at = 0;
		lio_put_back();
		lio_load("digests");
		if (second)
			lio_run_good();
		lio_poll.good = 0;
		allocations = 0;
		fail_at = k;
		good = is_good_poll();
		fail_at = 0;
		lio_run_good();
		assert_int_equal(lio_count_of(OBJECT_NODE), 3);
		assert_int_equal(lio_count_of(OBJECT_SESSION), 4);
		assert_int_equal(lio_count_of(OBJECT_CONNECTION), 5);
		assert_int_equal(lio_count_of(OBJECT_PORTAL), 3);
		for (uint32_t i = 0; i < 4; i++)
			assert_non_null(strstr(
				lio_text_of(&LIO_ARRAY(SESSION, session)[i].key), "life 0.0"));
		assert_true(k < 10000);
	}
}

static void test_each_allocation_of_the_first_poll(void **state)
{
	(void)state;
	check_each_allocation(false);
}

static void test_each_allocation_of_the_second_poll(void **state)
{
	(void)state;
	check_each_allocation(true);
}

/* Names come and go: of those that are gone only so many lives are remembered. */
static void test_targets_without_number_are_forgotten(void **state)
{
	struct lio_memory memory = { .targets = NULL };
	struct lio_target *stays;
	char name[64];

	(void)state;
	fail_at = 0;
	/* Half of them in a poll that fails: it does not come to its end. */
	for (int half = 0; half < 2; half++) {
		lio_memory_begin(&memory);
		assert_non_null(lio_memory_target(&memory, "iqn.2026-11.example:stays"));
		for (int i = 0; i < 2100; i++) {
			struct lio_target *target;

			snprintf(name, sizeof(name), "iqn.2026-11.example:%d.%d", half, i);
			target = lio_memory_target(&memory, name);
			assert_non_null(target);
			assert_non_null(lio_target_group(target, 1));
		}
		if (half)
			lio_memory_sweep(&memory);
	}
	/* As long as they are not too many their lives are kept. */
	assert_int_equal(memory.target_count, 1 + 2 * 2100);
	lio_memory_begin(&memory);
	stays = lio_memory_target(&memory, "iqn.2026-11.example:stays");
	assert_int_equal(stays->life, 0);
	lio_memory_sweep(&memory);
	assert_int_equal(memory.target_count, 1);
	assert_string_equal(memory.targets[0].name, "iqn.2026-11.example:stays");
	/* A name that comes back is a new one. */
	lio_memory_begin(&memory);
	assert_int_equal(lio_memory_target(&memory, "iqn.2026-11.example:1.7")->life, 0);
	lio_memory_clear(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_each_allocation_of_the_first_poll),
		TEST(test_each_allocation_of_the_second_poll),
		TEST(test_targets_without_number_are_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
