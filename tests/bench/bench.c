/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/bench.h"

#include <stdarg.h>

void bench_die(const char *format, ...)
{
	va_list args;

	fputs("bench: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(EXIT_FAILURE);
}

void bench_parse_name(const char *text, struct bench_name *ret)
{
	const char *at = text + (*text == '.');

	ret->length = 0;
	for (;;) {
		char part[16];
		size_t length = strspn(at, "0123456789");
		uint32_t id;

		if (!length || length >= sizeof(part) || ret->length + 1 == ARRAY_SIZE(ret->ids))
			bench_die("%s: no OID in numbers", text);
		memcpy(part, at, length);
		part[length] = '\0';
		if (text_to_u32(part, UINT32_MAX, &id) < 0)
			bench_die("%s: no OID in numbers", text);
		ret->ids[ret->length++] = id;
		at += length;
		if (!*at)
			return;
		if (*at++ != '.')
			bench_die("%s: no OID in numbers", text);
	}
}

int bench_compare(const struct bench_name *a, const struct bench_name *b)
{
	for (size_t i = 0; i < a->length && i < b->length; i++) {
		if (a->ids[i] != b->ids[i])
			return a->ids[i] < b->ids[i] ? -1 : 1;
	}
	return a->length < b->length ? -1 : a->length > b->length;
}
