/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that fails once, for the one file of a test that includes this. The file must name what is
 * wrapped, for the linker's list (Makefile):
 *	__wrap_malloc __wrap_calloc __wrap_realloc __wrap_reallocarray
 */
#ifndef TESTS_SUPPORT_FAILING_MEMORY_H
#define TESTS_SUPPORT_FAILING_MEMORY_H

#include "base/base.h"

/* Set allocations to 0 and fail_at to n: the nth from then on fails. fail_at 0: none does. */
static unsigned long allocations, fail_at;

static bool fails_now(void)
{
	return fail_at && ++allocations == fail_at;
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
	return fails_now() ? NULL : __real_malloc(size);
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
	return fails_now() ? NULL : __real_calloc(count, size);
}

void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size)
{
	return fails_now() ? NULL : __real_realloc(old, size);
}

void *__real_reallocarray(void *old, size_t count, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
	return fails_now() ? NULL : __real_reallocarray(old, count, size);
}

#endif
