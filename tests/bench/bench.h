/* SPDX-License-Identifier: BSD-2-Clause */
/* What the programs of the benchmark share. None of them is installed, or runs but for bench.py. */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include "base/base.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>

struct bench_name {
	unsigned long ids[32];
	size_t length;
};

/* Ends the program with a message. */
void bench_die(const char *format, ...) PRINTF_LIKE(1, 2) __attribute__((noreturn));

/* An OID in numbers, at most 31 of them, with or without a leading dot; ends the program else. */
void bench_parse_name(const char *text, struct bench_name *ret);

/* <0, 0, >0 */
int bench_compare(const struct bench_name *a, const struct bench_name *b);

#endif
