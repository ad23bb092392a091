/* SPDX-License-Identifier: BSD-2-Clause */
/* The pull parser of JSON: what is JSON and in which pieces it comes, and what is not. */
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* The events of a text as letters, k and s and n with their values; "!" at the end when refused. */
static const char *events(const char *text, size_t length)
{
	static const char letters[] = ".{}[]ksntf0";
	static char out[512];
	/* A copy of its own, so that a read beyond it is seen. */
	char *copy = malloc(length + 1);
	size_t n = 0;

	assert_non_null(copy);
	memcpy(copy, text, length);
	{
		struct json j = JSON_INIT(copy, length);

		for (;;) {
			int event = json_next(&j);

			if (event <= JSON_END) {
				assert_int_equal(json_next(&j), event);
				out[n++] = event == JSON_END ? '.' : '!';
				break;
			}
			out[n++] = letters[event];
			if (event == JSON_KEY || event == JSON_STRING || event == JSON_NUMBER) {
				memcpy(out + n, j.value, j.value_length);
				n += j.value_length;
			}
			assert_true(n < sizeof(out) - 64);
		}
	}
	free(copy);
	out[n] = '\0';
	return out;
}

static const char *events_of(const char *text)
{
	return events(text, strlen(text));
}

static void values_come_in_their_order(void **state)
{
	(void)state;
	assert_string_equal(events_of("{}"), "{}.");
	assert_string_equal(events_of(" [ ] \n"), "[].");
	assert_string_equal(events_of("\"\""), "s.");
	assert_string_equal(events_of("-12.5e+3"), "n-12.5e+3.");
	assert_string_equal(events_of("0"), "n0.");
	assert_string_equal(events_of("[true,false,null]"), "[tf0].");
	assert_string_equal(
		events_of("{\"a\":1,\"b\":[{\"c\":\"d\"},2],\"e\":{}}"), "{kan1kb[{kcsd}n2]ke{}}.");
	assert_string_equal(events_of("{\r\n\t\"a\" : \"x y\" }"), "{kasx y}.");
	assert_string_equal(events_of("\"\\\"\\\\\\/\\b\\u00e9\""), "s\\\"\\\\\\/\\b\\u00e9.");
	assert_string_equal(events_of("\"\xff\x80\""), "s\xff\x80.");
}

static void what_is_no_json_is_refused(void **state)
{
	static const char *const texts[] = { "", " ", "{", "[", "\"", "\"a", "{\"a\"",
		"{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{,}", "{a:1}", "{\"a\" 1}",
		"{1:2}", "[1,]", "[,1]", "[1 2]", "[1", "[1}", "{\"a\":1]", "]", "}", "1 2", "{} x",
		"01", "-", "+1", ".5", "1.", "1e", "1e+", "tru", "True", "nul", "'a'", "\"a\nb\"",
		"\"a\tb\"", "\"\\x\"", "\"\\u12g4\"", "\"\\u12\"", "\"\\", "\"\\u",
		"{\"a\":1 \"b\":2}", "[1],", "// c\n1", "\xef\xbb\xbf{}", "NaN", "[\"a\" \"b\"]" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const char *got = events_of(texts[i]);

		if (got[strlen(got) - 1] != '!')
			fail_msg("\"%s\" was taken: %s", texts[i], got);
	}
	assert_string_equal(events("\"a\0b\"", 5), "!");
	assert_string_equal(events("1\0", 2), "n1!");
}

static void a_text_that_is_cut_anywhere_is_refused(void **state)
{
	static const char text[] = "{\"maps\": [{\"a\" : \"b\\n\", \"n\" : -1}, true]}";

	(void)state;
	for (size_t length = 0; length < strlen(text); length++) {
		const char *got = events(text, length);

		assert_int_equal(got[strlen(got) - 1], '!');
	}
	assert_string_equal(events_of(text), "{kmaps[{kasb\\nknn-1}t]}.");
}

static void nesting_has_a_limit(void **state)
{
	char text[2 * JSON_DEPTH_MAX + 3];

	(void)state;
	memset(text, '[', JSON_DEPTH_MAX);
	memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
	text[2 * JSON_DEPTH_MAX] = '\0';
	assert_null(strchr(events_of(text), '!'));
	memset(text, '[', JSON_DEPTH_MAX + 1);
	memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
	text[2 * JSON_DEPTH_MAX + 2] = '\0';
	assert_non_null(strchr(events_of(text), '!'));
}

static void what_is_not_looked_at_is_skipped(void **state)
{
	static const char text[] = "{\"a\":{\"b\":[1,{\"c\":2}]},\"d\":7,\"e\":[[]],\"f\":8}";
	struct json j = JSON_INIT(text, strlen(text));

	(void)state;
	assert_int_equal(json_next(&j), JSON_OBJECT);
	assert_int_equal(json_next(&j), JSON_KEY);
	assert_true(json_is(&j, "a"));
	assert_false(json_is(&j, ""));
	assert_false(json_is(&j, "ab"));
	assert_int_equal(json_skip(&j, JSON_KEY), 0);
	assert_int_equal(json_next(&j), JSON_KEY);
	assert_true(json_is(&j, "d"));
	assert_int_equal(json_skip(&j, json_next(&j)), 0);
	assert_int_equal(json_next(&j), JSON_KEY);
	assert_true(json_is(&j, "e"));
	assert_int_equal(json_skip(&j, json_next(&j)), 0);
	assert_int_equal(json_next(&j), JSON_KEY);
	assert_true(json_is(&j, "f"));
	assert_int_equal(json_next(&j), JSON_NUMBER);
	assert_int_equal(json_next(&j), JSON_OBJECT_END);
	assert_int_equal(json_next(&j), JSON_END);
	assert_int_equal(json_skip(&j, -EBADMSG), -EBADMSG);
	{
		struct json cut = JSON_INIT("[[1", 3);

		assert_int_equal(json_skip(&cut, json_next(&cut)), -EBADMSG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_come_in_their_order),
		cmocka_unit_test(what_is_no_json_is_refused),
		cmocka_unit_test(a_text_that_is_cut_anywhere_is_refused),
		cmocka_unit_test(nesting_has_a_limit),
		cmocka_unit_test(what_is_not_looked_at_is_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
