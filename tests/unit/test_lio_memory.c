/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The source lio without memory: each allocation of two polls fails in turn.
 *
 * Wrapped: __wrap_root_read __wrap_root_list __wrap_root_tcp_sockets
 */
#include "tests/support/lio_wraps.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_each_allocation_of_the_first_poll),
		TEST(test_each_allocation_of_the_second_poll),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
