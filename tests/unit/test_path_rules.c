/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of pathWeight and primaryPath: which are rules, and which paths they fit. */
#include "model/path_rules.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct path_rule weight(const char *line)
{
	struct path_rule rule;
	const char *wrong;

	if (path_rule_weight(line, &rule, &wrong) < 0)
		fail_msg("\"%s\" %s", line, wrong);
	return rule;
}

static void a_line_is_target_portal_and_value(void **state)
{
	struct path_rule rule = weight("  iqn.2001-01.a:x\t10.0.0.1:3260   7 ");
	const char *wrong;

	(void)state;
	assert_string_equal(rule.target, "iqn.2001-01.a:x");
	assert_string_equal(rule.portal, "10.0.0.1:3260");
	assert_int_equal(rule.value, 7);
	assert_int_equal(weight("* * 0").value, 0);
	assert_int_equal(weight("* * 2147483647").value, INT32_MAX);
	assert_int_equal(path_rule_primary("* * yes", &rule, &wrong), 0);
	assert_int_equal(rule.value, 1);
	assert_int_equal(path_rule_primary("* * no", &rule, &wrong), 0);
	assert_int_equal(rule.value, 0);
	assert_int_equal(path_rule_primary("* * yes", NULL, &wrong), 0);
}

static void what_is_no_rule_says_why(void **state)
{
	static const struct {
		const char *line, *words;
	} lines[] = { { "", "no TARGET" }, { "   ", "no TARGET" }, { "t", "no PORTAL" },
		{ "t p", "no weight" }, { "t p x", "no weight" }, { "t p -1", "no weight" },
		{ "t p 2147483648", "no weight" }, { "t p 1 2", "more than" } };
	struct path_rule rule = { .value = 99 };
	char line[400];
	const char *wrong;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		assert_int_equal(path_rule_weight(lines[i].line, &rule, &wrong), -EINVAL);
		assert_non_null(strstr(wrong, lines[i].words));
	}
	assert_int_equal(path_rule_primary("t p maybe", &rule, &wrong), -EINVAL);
	assert_non_null(strstr(wrong, "yes nor no"));
	snprintf(line, sizeof(line), "%0224d p 1", 0);
	assert_int_equal(path_rule_weight(line, &rule, &wrong), -EINVAL);
	snprintf(line, sizeof(line), "t %080d 1", 0);
	assert_int_equal(path_rule_weight(line, &rule, &wrong), -EINVAL);
	assert_int_equal(rule.value, 99);
	snprintf(line, sizeof(line), "%0223d %079d 1", 0, 0);
	assert_int_equal(path_rule_weight(line, &rule, &wrong), 0);
}

static bool rule_fits(const char *target, const char *portal, const struct path_names *names)
{
	char line[PATH_RULE_LINE_MAX];
	struct path_rule rule;

	snprintf(line, sizeof(line), "%s %s 1", target, portal);
	rule = weight(line);
	return path_rules_find(&rule, 1, names).known;
}

static void patterns_fit_all_of_a_name(void **state)
{
	static const struct path_names names = { "iqn.2001-01.a:disk1", "10.0.0.1",
		"10.0.0.1:3260" };

	(void)state;
	assert_true(rule_fits("*", "*", &names));
	assert_true(rule_fits("iqn.2001-01.a:disk1", "10.0.0.1", &names));
	assert_true(rule_fits("iqn.2001-01.a:disk?", "10.0.0.1:3260", &names));
	assert_true(rule_fits("*disk*", "10.0.*", &names));
	assert_true(rule_fits("*:*k1", "*:3260", &names));
	assert_true(rule_fits("**", "*1*1*3*0", &names));
	assert_false(rule_fits("iqn.2001-01.a:disk", "*", &names));
	assert_false(rule_fits("iqn.2001-01.a:disk1?", "*", &names));
	assert_false(rule_fits("disk1", "*", &names));
	assert_false(rule_fits("IQN*", "*", &names));
	assert_false(rule_fits("*", "10.0.0.2", &names));
	assert_false(rule_fits("*", "10.0.0.1:326", &names));
	assert_false(rule_fits("*", "*1*1*3*1", &names));
	/* Brackets are no pattern. */
	assert_false(rule_fits("*disk[1]", "*", &names));
}

static void an_address_may_be_written_in_any_form(void **state)
{
	static const struct path_names names = { "t", "fd00::1", "[fd00::1]:3260" };
	static const struct path_names host = { "t", "storage.example", "storage.example:3260" };

	(void)state;
	assert_true(rule_fits("*", "fd00::1", &names));
	assert_true(rule_fits("*", "fd00:0:0:0:0:0:0:1", &names));
	assert_true(rule_fits("*", "[FD00:0::1]:3260", &names));
	assert_true(rule_fits("*", "[fd00::*]:3260", &names));
	assert_false(rule_fits("*", "[fd00::1]:3261", &names));
	assert_true(rule_fits("*", "storage.example", &host));
	assert_true(rule_fits("*", "storage.*:3260", &host));
	assert_false(rule_fits("*", "storage", &host));
}

static void the_last_rule_that_fits_counts(void **state)
{
	static const struct path_names first = { "a", "10.0.0.1", "10.0.0.1:3260" };
	static const struct path_names second = { "b", "10.0.0.1", "10.0.0.1:3260" };
	static const struct path_names unknown = { "", "", "" };
	struct path_rule rules[3] = { weight("* * 1"), weight("a 10.0.0.1 2"), weight("b * 3") };

	(void)state;
	assert_int_equal(path_rules_find(rules, 3, &first).value, 2);
	assert_int_equal(path_rules_find(rules, 3, &second).value, 3);
	assert_int_equal(path_rules_find(rules, 1, &second).value, 1);
	assert_false(path_rules_find(rules, 0, &second).known);
	assert_int_equal(path_rules_find(rules, 3, &unknown).value, 1);
	assert_false(path_rules_find(rules + 1, 2, &unknown).known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_target_portal_and_value),
		cmocka_unit_test(what_is_no_rule_says_why),
		cmocka_unit_test(patterns_fit_all_of_a_name),
		cmocka_unit_test(an_address_may_be_written_in_any_form),
		cmocka_unit_test(the_last_rule_that_fits_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
