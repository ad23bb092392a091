/* SPDX-License-Identifier: BSD-2-Clause */
/* plugin/: ranges, what is printed, and lists of patterns. */
#include "plugin/pattern.h"
#include "plugin/range.h"
#include "plugin/result.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void ranges_alert_as_the_api_says(void **state)
{
	static const struct {
		const char *text;
		double value;
		bool alerts;
	} cases[] = {
		{ "10", -0.1, true },
		{ "10", 0, false },
		{ "10", 10, false },
		{ "10", 10.5, true },
		{ "10:", 9, true },
		{ "10:", 10, false },
		{ "10:", 1e9, false },
		{ "~:10", -1e9, false },
		{ "~:10", 11, true },
		{ "10:20", 9, true },
		{ "10:20", 15, false },
		{ "10:20", 21, true },
		{ "@10:20", 9, false },
		{ "@10:20", 10, true },
		{ "@10:20", 20, true },
		{ "@10:20", 21, false },
		{ "@5", 0, true },
		{ "@5", 6, false },
		{ "-5:5", -6, true },
		{ "-5:5", -5, false },
		{ "1.5", 1.6, true },
		{ "0", 1, true },
		{ "0", 0, false },
		{ "1:", 0, true },
		{ "~:", -1, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct range r;

		if (range_parse(cases[i].text, &r) < 0 ||
			range_alerts(&r, cases[i].value) != cases[i].alerts)
			fail_msg("%s at %g", cases[i].text, cases[i].value);
		assert_string_equal(r.text, cases[i].text);
	}
}

static void ranges_alert_whatever_is_added(void **state)
{
	static const struct {
		const char *text;
		double least;
		bool alerts;
	} cases[] = {
		{ "10", 10, false },
		{ "10", 10.5, true },
		{ "10:", 9, false },
		{ "10:", 11, false },
		{ "~:10", 11, true },
		{ "10:20", 9, false },
		{ "10:20", 21, true },
		{ "@10:20", 15, false },
		{ "@10:20", 21, false },
		{ "@10:", 9, false },
		{ "@10:", 10, true },
		{ "@~:", 0, true },
		{ "~:", 1e9, false },
	};
	struct range none = { .given = false };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct range r;

		assert_int_equal(range_parse(cases[i].text, &r), 0);
		if (range_alerts_from(&r, cases[i].least) != cases[i].alerts)
			fail_msg("%s from %g", cases[i].text, cases[i].least);
	}
	assert_false(range_alerts_from(&none, 5));
}

static void what_is_no_range_is_refused(void **state)
{
	static const char *const texts[] = { "", "@", ":", "a", "10a", "10:a", "20:10", "1:2:3",
		"~", "1e3", "inf", "nan", "0x10", "5:~", " 5", "--5", "1.2.3",
		"11111111111111111111111111111111111111111111111111" };
	struct range r = { .text = "untouched" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (range_parse(texts[i], &r) != -EINVAL)
			fail_msg("'%s' is taken", texts[i]);
	}
	assert_string_equal(r.text, "untouched");
}

static void none_given_never_alerts(void **state)
{
	struct range r = { .given = false };

	(void)state;
	assert_false(range_alerts(&r, 5));
}

static void the_worse_status_stays(void **state)
{
	struct result r = RESULT_INIT;

	(void)state;
	result_raise(&r, STATUS_UNKNOWN);
	assert_int_equal(r.status, STATUS_UNKNOWN);
	result_raise(&r, STATUS_WARNING);
	assert_int_equal(r.status, STATUS_WARNING);
	result_raise(&r, STATUS_UNKNOWN);
	assert_int_equal(r.status, STATUS_WARNING);
	result_raise(&r, STATUS_CRITICAL);
	result_raise(&r, STATUS_OK);
	assert_int_equal(r.status, STATUS_CRITICAL);
	result_free(&r);
}

/* What result_print writes for `r`; freed by the caller. */
static char *printed(const struct result *r, int status)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	assert_non_null(out);
	assert_int_equal(result_print(r, out), status);
	fclose(out);
	return text;
}

static void a_result_is_printed_as_the_api_says(void **state)
{
	struct result r = RESULT_INIT;
	struct range warning, critical;
	char *text;

	(void)state;
	assert_int_equal(range_parse("1", &warning), 0);
	assert_int_equal(range_parse("@5:6", &critical), 0);
	result_text(&r, "%d paths", 3);
	result_value(&r, "paths_down", 2, "", &warning, &critical);
	result_value(&r, "errors", UINT64_MAX, "c", NULL, NULL);
	result_detail(&r, "first %s", "line");
	result_detail(&r, "second");
	text = printed(&r, STATUS_WARNING);
	assert_string_equal(text, "ISCSI WARNING - 3 paths | paths_down=2;1;@5:6;0 "
				  "errors=18446744073709551615c;;;0\nfirst line\nsecond\n");
	free(text);
	result_value(&r, "n", 5, "", &warning, &critical);
	free(printed(&r, STATUS_CRITICAL));
	result_free(&r);
}

static void names_cannot_break_the_line(void **state)
{
	struct result r = RESULT_INIT;
	char *text;

	(void)state;
	result_text(&r, "%s", "iqn.x|ok=1\nISCSI OK\x1b[2J");
	result_detail(&r, "%s", "a\nb|c\x7f");
	text = printed(&r, STATUS_OK);
	assert_string_equal(text, "ISCSI OK - iqn.x?ok=1?ISCSI OK?[2J\na?b?c?\n");
	free(text);
	result_free(&r);
}

static void long_details_end_in_a_whole_line(void **state)
{
	struct result r = RESULT_INIT;
	char *text, *last;

	(void)state;
	for (int i = 0; i < 2000; i++)
		result_detail(&r, "line %04d", i);
	text = printed(&r, STATUS_OK);
	assert_true(strlen(text) < 17000);
	last = text + strlen(text) - strlen("\nline 0000\n");
	assert_memory_equal(last, "\nline ", 6);
	assert_int_equal(strspn(last + 6, "0123456789"), 4);
	free(text);
	result_free(&r);
}

static void lists_of_patterns_fit(void **state)
{
	static const char name[] = "iqn.2004-10.org.example:disk-a";
	const char *list = " one,, two ";
	char element[8];

	(void)state;
	assert_true(pattern_list_fits(NULL, name));
	assert_true(pattern_list_fits(name, name));
	assert_true(pattern_list_fits("x,*:DISK-?", name));
	assert_false(pattern_list_fits("disk-a", name));
	assert_false(pattern_list_fits("", name));
	assert_false(pattern_list_names(NULL, name));
	assert_false(pattern_list_names("*,iqn.2004-10.org.example:disk-?,x", name));
	assert_true(pattern_list_names("x, IQN.2004-10.org.example:disk-A", name));
	assert_true(pattern_next(&list, element, sizeof(element)));
	assert_string_equal(element, "one");
	assert_true(pattern_next(&list, element, 3));
	assert_string_equal(element, "tw");
	assert_false(pattern_next(&list, element, sizeof(element)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_alert_as_the_api_says),
		cmocka_unit_test(ranges_alert_whatever_is_added),
		cmocka_unit_test(what_is_no_range_is_refused),
		cmocka_unit_test(none_given_never_alerts),
		cmocka_unit_test(the_worse_status_stays),
		cmocka_unit_test(a_result_is_printed_as_the_api_says),
		cmocka_unit_test(names_cannot_break_the_line),
		cmocka_unit_test(long_details_end_in_a_whole_line),
		cmocka_unit_test(lists_of_patterns_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
