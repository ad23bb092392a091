/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is believed of the targets and nexuses in the texts that initiators write into. The texts
 * are those of a tgtd 1.0.85 with initiators that forge (tests/support/tgt_lab.py), and forgeries
 * by hand where the attacker would need luck with time or memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/tgt_slices.h"

static const uint32_t both[] = { 1, 2 };

/* The certain heading of a target, or NULL. */
static const struct tgt_heading *heading_of(
	const struct tgt_heading *headings, size_t count, uint32_t tid)
{
	for (size_t i = 0; i < count; i++)
		if (headings[i].tid == tid && headings[i].certain)
			return &headings[i];
	return NULL;
}

static size_t judge(
	struct tgt_slice text, const uint32_t *tids, size_t tid_count, struct tgt_heading **ret)
{
	size_t count;

	assert_int_equal(tgt_headings_find(&text, ret, &count), 0);
	assert_int_equal(tgt_headings_judge(*ret, count, tids, tid_count), 0);
	return count;
}

static void assert_name(const struct tgt_heading *heading, const char *name)
{
	assert_non_null(heading);
	assert_true(tgt_slice_is(&heading->name, name));
}

static void test_no_targets(void **state)
{
	CLEANUP_FREE struct tgt_heading *headings = NULL;

	(void)state;
	assert_int_equal(judge(slice(""), both, 2, &headings), 0);
}

static void test_targets_of_an_honest_text(void **state)
{
	CLEANUP_FREE struct tgt_heading *headings = NULL;
	CLEANUP_BUF struct buf b = BUF_INIT(1 << 20);
	struct tgt_slice driver;
	size_t count = judge(fixture(&b, "tgt/sessions-t0.txt"), both, 2, &headings);

	(void)state;
	assert_int_equal(count, 2);
	assert_name(heading_of(headings, count, 1), "iqn.2026-11.org.example:disk1");
	assert_name(heading_of(headings, count, 2), "iqn.2026-11.org.example:disk2");
	assert_true(tgt_section_driver(&headings[1].section, &driver));
	assert_true(tgt_slice_is(&driver, "iscsi"));
}

static void test_target_that_does_not_exist_is_not_certain(void **state)
{
	static const uint32_t one[] = { 1 };
	CLEANUP_FREE struct tgt_heading *headings = NULL;
	CLEANUP_BUF struct buf b = BUF_INIT(1 << 20);
	size_t count = judge(fixture(&b, "tgt/sessions-t0.txt"), one, 1, &headings);

	(void)state;
	assert_non_null(heading_of(headings, count, 1));
	assert_null(heading_of(headings, count, 2));
}

static void test_forged_target_is_never_certain(void **state)
{
	CLEANUP_FREE struct tgt_heading *headings = NULL;
	CLEANUP_BUF struct buf b = BUF_INIT(1 << 20);
	size_t count = judge(fixture(&b, "tgt/forged-alias-t0.txt"), both, 2, &headings);

	(void)state;
	assert_int_equal(count, 3);
	assert_name(heading_of(headings, count, 1), "iqn.2026-11.org.example:disk1");
	/* Both are near a nexus: neither can be told from the other. */
	assert_null(heading_of(headings, count, 2));
}

static void test_target_far_from_any_nexus_is_its_own_proof(void **state)
{
	CLEANUP_FREE struct tgt_heading *headings = NULL;
	CLEANUP_BUF struct buf b = BUF_INIT(1 << 20);
	size_t count = judge(fixture(&b, "tgt/forged-unit-t0.txt"), both, 2, &headings);

	(void)state;
	assert_int_equal(count, 3);
	assert_name(heading_of(headings, count, 1), "iqn.2026-11.org.example:disk1");
	assert_name(heading_of(headings, count, 2), "iqn.2026-11.org.example:disk2");
}

static void test_two_far_headings_prove_nothing(void **state)
{
	CLEANUP_FREE struct tgt_heading *headings = NULL;
	size_t count = judge(slice("Target 1: a\nTarget 1: b\nTarget 2: c\n"), both, 2, &headings);

	(void)state;
	assert_null(heading_of(headings, count, 1));
	assert_name(heading_of(headings, count, 2), "c");
}

static void test_headings_begin_lines(void **state)
{
	CLEANUP_FREE struct tgt_heading *headings = NULL;
	size_t count = judge(slice("Target 1: a\n Target 2: b\nTarget x: c\nTarget 2 : d\n"
				   "Target 99999999999: e\nTarget 2: f"),
		both, 2, &headings);

	(void)state;
	assert_int_equal(count, 2);
	assert_name(heading_of(headings, count, 2), "f");
}

static void test_section_ends_at_the_next_certain_heading(void **state)
{
	CLEANUP_FREE struct tgt_heading *headings = NULL;
	size_t count = judge(
		slice("Target 1: a\nx\nTarget 9: forged\ny\nTarget 2: b\nz\n"), both, 2, &headings);

	(void)state;
	assert_true(
		tgt_slice_is(&heading_of(headings, count, 1)->section, "x\nTarget 9: forged\ny\n"));
	assert_true(tgt_slice_is(&heading_of(headings, count, 2)->section, "z\n"));
}

/* Joins the items of a list with blanks. */
static const char *items(struct tgt_slice list, char *out, size_t capacity)
{
	struct tgt_slice item;
	size_t length = 0;

	*out = 0;
	while (tgt_access_next(&list, &item))
		length += (size_t)snprintf(
			out + length, capacity - length, "%.*s;", (int)item.length, item.at);
	assert_int_equal(list.length, 0);
	return out;
}

static void assert_access(const char *file, uint32_t tid, const char *accounts, const char *acl)
{
	CLEANUP_FREE struct tgt_heading *headings = NULL;
	CLEANUP_BUF struct buf b = BUF_INIT(1 << 20);
	size_t count = judge(fixture(&b, file), both, 2, &headings);
	const struct tgt_heading *heading = heading_of(headings, count, tid);
	struct tgt_slice accounts_list, acl_list;
	char text[256];

	assert_non_null(heading);
	if (!accounts) {
		assert_false(tgt_section_access(&heading->section, &accounts_list, &acl_list));
		return;
	}
	assert_true(tgt_section_access(&heading->section, &accounts_list, &acl_list));
	assert_string_equal(items(accounts_list, text, sizeof(text)), accounts);
	assert_string_equal(items(acl_list, text, sizeof(text)), acl);
}

static void test_accounts_and_acls(void **state)
{
	(void)state;
	assert_access("tgt/accounts-t0.txt", 1, "", "ALL;");
	assert_access("tgt/accounts-t0.txt", 2, "alice;bob (outgoing);",
		"127.0.0.0/8;::1;iqn.2026-11.org.example:victim;");
}

static void test_forged_lists_make_their_target_doubtful_and_no_other(void **state)
{
	(void)state;
	assert_access("tgt/forged-alias-t0.txt", 1, NULL, NULL);
	assert_access("tgt/forged-unit-t0.txt", 1, NULL, NULL);
	assert_access(
		"tgt/forged-unit-t0.txt", 2, "", "127.0.0.0/8;::1;iqn.2026-11.org.example:victim;");
}

/* A long alias glues the next line to its end; the lists do not depend on it. */
static void test_lists_after_a_cut_alias(void **state)
{
	(void)state;
	assert_access("tgt/long-alias-t0.txt", 1, "", "ALL;");
}

static void assert_no_lists(const char *text)
{
	struct tgt_slice section = slice(text), accounts, acl;

	assert_false(tgt_section_access(&section, &accounts, &acl));
}

static void test_lists_with_strange_lines_are_doubtful(void **state)
{
	(void)state;
	assert_no_lists("");
	assert_no_lists("    Account information:\n");
	assert_no_lists("    ACL information:\n    Account information:\n");
	assert_no_lists("    Account information:\n    x\n    ACL information:\n");
	assert_no_lists("    Account information:\n    ACL information:\n        ALL\nx\n");
	assert_no_lists("    Account information:\n    ACL information:\n         ALL\n");
	assert_no_lists("    Account information:\n    ACL information:\n        \n");
	assert_no_lists(" x    Account information:\n    ACL information:\n");
}

/* "alias", "-" when in doubt. */
static const char *alias_of(const char *file, uint32_t tid, uint16_t nexus, const char *name)
{
	static char out[64];
	CLEANUP_FREE struct tgt_heading *headings = NULL;
	CLEANUP_FREE struct tgt_nexus_text *texts = NULL;
	CLEANUP_BUF struct buf b = BUF_INIT(1 << 20);
	size_t count = judge(fixture(&b, file), both, 2, &headings), text_count;
	const struct tgt_heading *heading = heading_of(headings, count, tid);
	struct tgt_slice alias, name_slice = slice(name);

	assert_non_null(heading);
	assert_int_equal(tgt_nexus_texts_find(&heading->section, &texts, &text_count), 0);
	if (!tgt_alias_find(texts, text_count, nexus, &name_slice, &alias))
		return "-";
	snprintf(out, sizeof(out), "%.*s", (int)alias.length, alias.at);
	return out;
}

static void test_aliases(void **state)
{
	(void)state;
	assert_string_equal(alias_of("tgt/sessions-t0.txt", 1, 1, VICTIM), "victim's alias");
	assert_string_equal(alias_of("tgt/sessions-t0.txt", 1, 3, OTHER), ""); /* "none" */
	assert_string_equal(alias_of("tgt/sessions-t0.txt", 2, 2, VICTIM), "");
}

static void test_alias_of_another_name_or_nexus_is_none(void **state)
{
	(void)state;
	assert_string_equal(alias_of("tgt/sessions-t0.txt", 1, 1, OTHER), "-");
	assert_string_equal(alias_of("tgt/sessions-t0.txt", 1, 1, "iqn.2026-11"), "-");
	assert_string_equal(alias_of("tgt/sessions-t0.txt", 1, 2, VICTIM), "-");
}

static void test_forger_changes_no_alias_but_its_own(void **state)
{
	(void)state;
	assert_string_equal(alias_of("tgt/forged-alias-t0.txt", 1, 1, VICTIM), "victim's alias");
	assert_string_equal(alias_of("tgt/forged-alias-t0.txt", 1, 3, OTHER), "");
	assert_string_equal(alias_of("tgt/forged-unit-t0.txt", 1, 1, VICTIM), "victim's alias");
}

static void test_cut_alias_is_in_doubt_and_no_other(void **state)
{
	(void)state;
	assert_string_equal(alias_of("tgt/long-alias-t0.txt", 1, 6, EVIL), "-");
	assert_string_equal(alias_of("tgt/long-alias-t0.txt", 1, 1, VICTIM), "victim's alias");
}

/*
 * Found by the fuzzer: what tgtd cuts off may end with a heading without its number. The one that
 * follows, which is tgtd's own, begins within it and was not seen, so that the forged one was the
 * only one.
 */
static void test_heading_that_begins_within_a_cut_one_is_seen(void **state)
{
	CLEANUP_FREE struct tgt_nexus_text *texts = NULL;
	struct tgt_slice section = slice("        I_T nexus: 3\n"
					 "            Initiator: evil alias: x\n"
					 "        I_T nexus: 4\n"
					 "            Initiator: v alias: forged\n"
					 "            Connection: 0\n"
					 "        I_T nexus:        I_T nexus: 4\n"
					 "            Initiator: v alias: true\n"
					 "            Connection: 0\n");
	struct tgt_slice alias, v = slice("v");
	size_t count;

	(void)state;
	assert_int_equal(tgt_nexus_texts_find(&section, &texts, &count), 0);
	assert_int_equal(count, 3);
	assert_false(tgt_alias_find(texts, count, 4, &v, &alias));
}

/* Nexus 6 is printed after a cut alias, without its newline, and once by the forger. */
static void test_nexus_twice_is_in_doubt_even_in_the_middle_of_a_line(void **state)
{
	CLEANUP_FREE struct tgt_nexus_text *texts = NULL;
	struct tgt_slice section = slice("        I_T nexus: 5\n"
					 "            Initiator: evil alias: x\n"
					 "            Connection: 0\n"
					 "        I_T nexus: 6\n"
					 "            Initiator: v alias: forged\n"
					 "            Connection: 0\npad        I_T nexus: 6\n"
					 "            Initiator: v alias: true\n"
					 "            Connection: 0\n"
					 "cut        I_T nexus: 7\n"
					 "            Initiator: w alias: one\n"
					 "            Connection: 3\n");
	struct tgt_slice alias, v = slice("v"), w = slice("w");
	size_t count;

	(void)state;
	assert_int_equal(tgt_nexus_texts_find(&section, &texts, &count), 0);
	assert_int_equal(count, 4);
	assert_false(tgt_alias_find(texts, count, 6, &v, &alias));
	assert_true(tgt_alias_find(texts, count, 7, &w, &alias));
	assert_true(tgt_slice_is(&alias, "one"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_targets),
		cmocka_unit_test(test_targets_of_an_honest_text),
		cmocka_unit_test(test_target_that_does_not_exist_is_not_certain),
		cmocka_unit_test(test_forged_target_is_never_certain),
		cmocka_unit_test(test_target_far_from_any_nexus_is_its_own_proof),
		cmocka_unit_test(test_two_far_headings_prove_nothing),
		cmocka_unit_test(test_headings_begin_lines),
		cmocka_unit_test(test_section_ends_at_the_next_certain_heading),
		cmocka_unit_test(test_accounts_and_acls),
		cmocka_unit_test(test_forged_lists_make_their_target_doubtful_and_no_other),
		cmocka_unit_test(test_lists_after_a_cut_alias),
		cmocka_unit_test(test_lists_with_strange_lines_are_doubtful),
		cmocka_unit_test(test_aliases),
		cmocka_unit_test(test_alias_of_another_name_or_nexus_is_none),
		cmocka_unit_test(test_forger_changes_no_alias_but_its_own),
		cmocka_unit_test(test_cut_alias_is_in_doubt_and_no_other),
		cmocka_unit_test(test_heading_that_begins_within_a_cut_one_is_seen),
		cmocka_unit_test(test_nexus_twice_is_in_doubt_even_in_the_middle_of_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
