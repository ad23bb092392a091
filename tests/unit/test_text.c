/* SPDX-License-Identifier: BSD-2-Clause */
/* base/text.h: safe text, strict numbers, addresses of all stacks; tables and random inputs. */
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static uint64_t random_state;

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static int start_random(void **state)
{
	(void)state;
	random_state = UINT64_C(0x9e3779b97f4a7c15);
	return 0;
}

static void check_sanitized(const char *in, size_t length, const char *expected)
{
	char out[256];

	assert_int_equal(text_sanitize(out, sizeof(out) - 1, in, length), strlen(expected));
	assert_string_equal(out, expected);
}

static void sanitize_keeps_valid_utf8(void **state)
{
	static const char *const good[] = { "", "iqn.2001-04.com.example:disk1", " ~", "\xc2\xa0",
		"\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
		"\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "Gr\xc3\xbc\xc3\x9f" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		check_sanitized(good[i], strlen(good[i]), good[i]);
		assert_true(text_is_clean(good[i], strlen(good[i]), 255));
	}
}

static void sanitize_replaces_each_octet_of_invalid_utf8(void **state)
{
	static const struct {
		const char *in, *out;
	} bad[] = {
		{ "\x80", "?" },
		{ "a\xff"
		  "b",
			"a?b" },
		{ "\xc0\xaf", "??" },					   /* overlong '/' */
		{ "\xc1\xbf", "??" },					   /* overlong DEL */
		{ "\xe0\x9f\xbf", "???" },				   /* overlong U+07FF */
		{ "\xf0\x8f\xbf\xbf", "????" },				   /* overlong U+FFFF */
		{ "\xed\xa0\x80", "???" },				   /* first surrogate */
		{ "\xed\xbf\xbf", "???" },				   /* last surrogate */
		{ "\xf4\x90\x80\x80", "????" },				   /* U+110000 */
		{ "\xf8\x88\x80\x80\x80", "?????" }, { "\xe2\x82", "??" }, /* cut */
		{ "\xe2\x82z", "??z" },					   /* broken by a letter */
		{ "\xe2\xc3\xa9", "?\xc3\xa9" }, /* broken by a good character */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		check_sanitized(bad[i].in, strlen(bad[i].in), bad[i].out);
		assert_false(text_is_clean(bad[i].in, strlen(bad[i].in), 255));
	}
}

static void sanitize_replaces_every_control_character(void **state)
{
	char out[8], in[3] = { 0 };

	(void)state;
	for (unsigned int c = 0; c < 0x20; c++) {
		in[0] = (char)c;
		assert_int_equal(text_sanitize(out, 7, in, 1), 1);
		assert_string_equal(out, "?");
		assert_false(text_is_clean(in, 1, 7));
	}
	check_sanitized("\x7f", 1, "?");
	for (unsigned int c = 0x80; c < 0xa0; c++) {
		in[0] = (char)0xc2;
		in[1] = (char)c;
		assert_int_equal(text_sanitize(out, 7, in, 2), 1);
		assert_string_equal(out, "?");
		assert_false(text_is_clean(in, 2, 7));
	}
	check_sanitized("alias\nLIO Session ID: 0", 23, "alias?LIO Session ID: 0");
	check_sanitized("a\0b", 3, "a?b");
}

static void sanitize_cuts_between_characters(void **state)
{
	char out[16];

	(void)state;
	assert_int_equal(text_sanitize(out, 3, "ab\xc3\xa9", 4), 2);
	assert_string_equal(out, "ab");
	assert_int_equal(text_sanitize(out, 4, "ab\xc3\xa9", 4), 4);
	assert_int_equal(text_sanitize(out, 0, "x", 1), 0);
	assert_string_equal(out, "");
	assert_int_equal(text_sanitize(out, 3, "\xf0\x90\x80\x80", 4), 0);
	assert_false(text_is_clean("abcd", 4, 3));
	assert_true(text_is_clean("abc", 3, 3));
}

/* Whatever comes in: never longer than the limit, clean, and a fixed point. */
static void sanitize_is_idempotent_on_random_octets(void **state)
{
	(void)state;
	for (int round = 0; round < 20000; round++) {
		char in[40], out[33], again[33];
		size_t length = next_random() % sizeof(in), limit = next_random() % 33, n;

		for (size_t i = 0; i < length; i++)
			in[i] = (char)(next_random() >> (round % 2 ? 0 : 57));
		memset(out, 0x55, sizeof(out));
		n = text_sanitize(out, limit, in, length);
		assert_true(n <= limit);
		assert_int_equal(out[n], 0);
		assert_int_equal(strlen(out), n);
		assert_true(text_is_clean(out, n, limit));
		assert_int_equal(text_sanitize(again, 32, out, n), n);
		assert_string_equal(out, again);
		assert_int_equal(
			text_is_clean(in, length, limit), n == length && memcmp(in, out, n) == 0);
	}
}

static void trim_finds_the_content(void **state)
{
	static const struct {
		const char *in;
		size_t at, length;
	} cases[] = { { "", 0, 0 }, { "\n", 0, 0 }, { "  \t", 3, 0 }, { "a b\n", 0, 3 },
		{ " a \n", 1, 1 }, { "a\n ", 0, 1 }, { "a\n\n", 0, 2 }, { "\na", 0, 2 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *start;

		assert_int_equal(text_trim(cases[i].in, &start), cases[i].length);
		assert_ptr_equal(start, cases[i].in + cases[i].at);
	}
}

static void numbers_are_the_whole_text(void **state)
{
	static const struct {
		const char *in;
		uint64_t value;
	} good[] = { { "0", 0 }, { " 42\n", 42 }, { "010", 10 }, { "\t7 ", 7 }, { "0x1F\n", 31 },
		{ "0Xff", 255 }, { "18446744073709551615", UINT64_MAX },
		{ "0xffffffffffffffff", UINT64_MAX }, { "00000000000000000000000001", 1 } };
	static const char *const bad[] = { "", " ", "\n", "-1", "+1", "1 2", "1\n\n", "0x", "x1",
		"0xg", "1a", "1.0", "(null)", "<NULL>", "off", "\v1", "1\r\n", "\xc2\xb2",
		"99999999999999999999999z" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		uint64_t value = 99;

		assert_int_equal(text_to_u64(good[i].in, UINT64_MAX, &value), 0);
		assert_true(value == good[i].value);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		uint64_t value = 99;

		assert_int_equal(text_to_u64(bad[i], UINT64_MAX, &value), -EINVAL);
		assert_true(value == 99);
	}
}

static void numbers_above_the_limit_are_erange(void **state)
{
	static const char *const over[] = { "18446744073709551616", "0x10000000000000000",
		"99999999999999999999999999999999" };
	uint64_t value = 99;
	uint32_t small = 99;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(over); i++)
		assert_int_equal(text_to_u64(over[i], UINT64_MAX, &value), -ERANGE);
	assert_int_equal(text_to_u64("101", 100, &value), -ERANGE);
	assert_true(value == 99);
	assert_int_equal(text_to_u64("100", 100, &value), 0);
	assert_int_equal(text_to_u32("4294967296", UINT32_MAX, &small), -ERANGE);
	assert_int_equal(small, 99);
	assert_int_equal(text_to_u32("4294967295", UINT32_MAX, &small), 0);
	assert_int_equal(small, UINT32_MAX);
	assert_int_equal(text_to_u32("1x", UINT32_MAX, &small), -EINVAL);
}

static void numbers_survive_printing(void **state)
{
	(void)state;
	for (int i = 0; i < 10000; i++) {
		uint64_t in = next_random() >> (next_random() % 64), out = ~in;
		char text[40];

		snprintf(text, sizeof(text), i % 2 ? "%llu\n" : "0x%llx", (unsigned long long)in);
		assert_int_equal(text_to_u64(text, UINT64_MAX, &out), 0);
		assert_true(in == out);
	}
}

static void truth_values(void **state)
{
	static const char *const yes[] = { "Yes", "yes\n", " 1 ", "true", "on" };
	static const char *const no[] = { "No\n", "no", "0", "false", "off" };
	static const char *const bad[] = { "", "2", "y", "YES", "yes no", "onn", "00", "None" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		bool value = false;

		assert_int_equal(text_to_bool(yes[i], &value), 0);
		assert_true(value);
	}
	for (size_t i = 0; i < ARRAY_SIZE(no); i++) {
		bool value = true;

		assert_int_equal(text_to_bool(no[i], &value), 0);
		assert_false(value);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		bool value = true;

		assert_int_equal(text_to_bool(bad[i], &value), -EINVAL);
		assert_true(value);
	}
}

/* An interface named eth7 has number 0x01020304. */
static int zone_for_test(void *context, const char *name, uint32_t *ret)
{
	(*(int *)context)++;
	if (strcmp(name, "eth7") != 0)
		return -ENOENT;
	*ret = 0x01020304;
	return 0;
}

static void addresses_of_all_stacks(void **state)
{
	static const struct {
		const char *in;
		uint8_t type;
		const char *out;
	} cases[] = {
		{ "192.0.2.7", 1, "192.0.2.7" },
		{ " 192.0.2.7\n", 1, "192.0.2.7" },
		{ "0.0.0.0", 1, "0.0.0.0" },
		{ "::ffff:192.0.2.7", 1, "192.0.2.7" },
		{ "[::ffff:c000:207]", 1, "192.0.2.7" },
		{ "0000:0000:0000:0000:0000:ffff:c000:0207", 1, "192.0.2.7" },
		{ "fe80:0000:0000:0000:5054:00ff:fe12:3456\n", 2, "fe80::5054:ff:fe12:3456" },
		{ "2001:DB8::1", 2, "2001:db8::1" },
		{ "[2001:db8::1]", 2, "2001:db8::1" },
		{ "[::]", 2, "::" },
		{ "::1", 2, "::1" },
		{ "fe80::1%eth7", 4, "fe80::1%16909060" },
		{ "[fe80::1%eth7]", 4, "fe80::1%16909060" },
		{ "fe80::1%12", 4, "fe80::1%12" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct text_address a, b;
		char out[64];
		int calls = 0;

		assert_int_equal(text_to_address_in(cases[i].in, zone_for_test, &calls, &a), 0);
		assert_int_equal(a.type, cases[i].type);
		assert_int_equal(a.length, a.type == 1 ? 4 : a.type == 2 ? 16 : 20);
		assert_ptr_equal(text_from_address(out, &a), out);
		assert_string_equal(out, cases[i].out);
		assert_int_equal(text_to_address_in(out, zone_for_test, &calls, &b), 0);
		assert_memory_equal(&a, &b, sizeof(a));
	}
}

static void what_is_not_an_address(void **state)
{
	static const char *const bad[] = { "", "\n", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.256",
		"0x1.2.3.4", "1.2.3.4%lo", "[1.2.3.4]", "[::1", "::1]", "[]", "[[::1]]",
		":::", "1::2::3", "fe80::1%", "fe80::1%%eth7", "fe80::1%0", "fe80::1%4294967296",
		"fe80::1%2147483648", "fe80::1%../x", "fe80::1%..", "fe80::1%.", "fe80::1%a/b",
		"fe80::1%eth 7", "fe80::1%abcdefghijklmnop", "::ffff:1.2.3.4%eth7",
		"target.example.com", "(null)", "<NULL>", "1.2.3.4 5", "::1\n\n", "Unknown family",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd:eeee:ffff" };
	const struct text_address untouched = { .type = 9 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct text_address a = untouched;
		int calls = 0;

		assert_int_equal(text_to_address_in(bad[i], zone_for_test, &calls, &a), -EINVAL);
		assert_int_equal(calls, 0);
		assert_memory_equal(&a, &untouched, sizeof(a));
	}
}

static void an_unknown_zone_is_enodev(void **state)
{
	struct text_address a = { .type = 9 };
	uint16_t port = 9;
	int calls = 0;

	(void)state;
	assert_int_equal(text_to_address_in("fe80::1%eth8", zone_for_test, &calls, &a), -ENODEV);
	assert_int_equal(calls, 1);
	assert_int_equal(text_to_address("fe80::1%no-such-if", &a), -ENODEV);
	assert_int_equal(text_to_endpoint("[fe80::1%no-such-if]:3260", &a, &port), -ENODEV);
	assert_int_equal(a.type, 9);
	assert_int_equal(port, 9);
}

static void the_live_zone_of_loopback_is_1(void **state)
{
	static const uint8_t expected[20] = { 0xfe, 0x80, [15] = 1, [19] = 1 };
	struct text_address a;

	(void)state;
	assert_int_equal(text_to_address("fe80::1%lo", &a), 0);
	assert_int_equal(a.length, 20);
	assert_memory_equal(a.octets, expected, 20);
}

static void addresses_survive_printing(void **state)
{
	(void)state;
	for (int i = 0; i < 5000; i++) {
		struct text_address a, b;
		uint64_t raw[2] = { next_random() & next_random(), next_random() & next_random() };
		char out[64];

		if (i % 3 == 0)
			text_address_from_ipv4(&a, raw);
		else
			text_address_from_ipv6(
				&a, raw, i % 3 == 1 ? 0 : 1 + (uint32_t)(raw[0] % INT32_MAX));
		assert_int_equal(text_to_address(text_from_address(out, &a), &b), 0);
		assert_memory_equal(&a, &b, sizeof(a));
		assert_true(text_address_equal(&a, &b));
	}
}

static void a_damaged_address_prints_as_nothing(void **state)
{
	static const struct text_address bad[] = { { .type = 0 }, { .type = 1, .length = 16 },
		{ .type = 2, .length = 4 }, { .type = 4, .length = 16 },
		{ .type = 16, .length = 4 } };
	char out[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_string_equal(text_from_address(out, &bad[i]), "");
		assert_false(text_address_is_wildcard(&bad[i]));
	}
}

static void equality_ignores_only_the_zone_of_one_side(void **state)
{
	static const uint8_t octets[16] = { 0xfe, 0x80, [15] = 1 };
	struct text_address plain, one, two, other, v4;

	(void)state;
	text_address_from_ipv6(&plain, octets, 0);
	text_address_from_ipv6(&one, octets, 1);
	text_address_from_ipv6(&two, octets, 2);
	text_address_from_ipv4(&v4, octets);
	other = plain;
	other.octets[15] = 2;
	assert_true(text_address_equal(&plain, &one));
	assert_true(text_address_equal(&two, &plain));
	assert_false(text_address_equal(&one, &two));
	assert_false(text_address_equal(&plain, &other));
	assert_false(text_address_equal(&one, &other));
	assert_false(text_address_equal(&plain, &v4));
	assert_true(text_address_equal(&v4, &v4));
}

static void wildcards(void **state)
{
	struct text_address a;

	(void)state;
	assert_int_equal(text_to_address("0.0.0.0", &a), 0);
	assert_true(text_address_is_wildcard(&a));
	assert_int_equal(text_to_address("[::]", &a), 0);
	assert_true(text_address_is_wildcard(&a));
	assert_int_equal(text_to_address("0.0.0.1", &a), 0);
	assert_false(text_address_is_wildcard(&a));
	assert_int_equal(text_to_address("::1", &a), 0);
	assert_false(text_address_is_wildcard(&a));
}

static void endpoints(void **state)
{
	static const struct {
		const char *in, *address;
		uint16_t port;
	} good[] = { { "192.0.2.7:3260", "192.0.2.7", 3260 }, { " 1.2.3.4:1\n", "1.2.3.4", 1 },
		{ "[::1]:65535", "::1", 65535 }, { "[fe80::1%3]:860", "fe80::1%3", 860 },
		{ "[::ffff:1.2.3.4]:03260", "1.2.3.4", 3260 } };
	static const char *const bad[] = { "", ":", "1.2.3.4", "1.2.3.4:", ":3260", "1.2.3.4:0",
		"1.2.3.4:65536", "1.2.3.4:100000", "1.2.3.4:0x10", "1.2.3.4:+1", "1.2.3.4:1 ,1",
		"1.2.3.4: 1", "::1:3260", "2001:db8::1:3260", "[::1]", "[::1]3260",
		"[1.2.3.4]:3260", "[::1]:", "1.2.3.4:3260,1", "host:3260" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct text_address a;
		uint16_t port = 0;
		char out[64];

		assert_int_equal(text_to_endpoint(good[i].in, &a, &port), 0);
		assert_string_equal(text_from_address(out, &a), good[i].address);
		assert_int_equal(port, good[i].port);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct text_address a = { .type = 9 };
		uint16_t port = 9;

		assert_int_equal(text_to_endpoint(bad[i], &a, &port), -EINVAL);
		assert_int_equal(a.type, 9);
		assert_int_equal(port, 9);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sanitize_keeps_valid_utf8),
		cmocka_unit_test(sanitize_replaces_each_octet_of_invalid_utf8),
		cmocka_unit_test(sanitize_replaces_every_control_character),
		cmocka_unit_test(sanitize_cuts_between_characters),
		cmocka_unit_test_setup(sanitize_is_idempotent_on_random_octets, start_random),
		cmocka_unit_test(trim_finds_the_content),
		cmocka_unit_test(numbers_are_the_whole_text),
		cmocka_unit_test(numbers_above_the_limit_are_erange),
		cmocka_unit_test_setup(numbers_survive_printing, start_random),
		cmocka_unit_test(truth_values),
		cmocka_unit_test(addresses_of_all_stacks),
		cmocka_unit_test(what_is_not_an_address),
		cmocka_unit_test(an_unknown_zone_is_enodev),
		cmocka_unit_test(the_live_zone_of_loopback_is_1),
		cmocka_unit_test_setup(addresses_survive_printing, start_random),
		cmocka_unit_test(a_damaged_address_prints_as_nothing),
		cmocka_unit_test(equality_ignores_only_the_zone_of_one_side),
		cmocka_unit_test(wildcards),
		cmocka_unit_test(endpoints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
