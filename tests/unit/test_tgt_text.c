/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is believed of the texts that initiators write into. The texts are those of a tgtd 1.0.85
 * with initiators that forge (tests/support/tgt_lab.py), and forgeries by hand where the attacker
 * would need luck with time or memory.
 */
#include "source/tgt_text.h"
#include "tests/support/fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct tgt_slice slice(const char *text)
{
	return (struct tgt_slice){ text, strlen(text) };
}

static struct tgt_slice fixture(struct buf *b, const char *name)
{
	assert_int_equal(fixture_read(name, b), 0);
	return (struct tgt_slice){ b->data, b->length };
}

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

#define VICTIM "iqn.2026-11.org.example:victim"
#define EVIL   "iqn.2026-11.org.example:evil"
#define OTHER  "iqn.2026-11.org.example:other"

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

static size_t records(struct tgt_slice text, const struct tgt_connection_id *ids, size_t id_count,
	struct tgt_record **ret)
{
	size_t count;

	assert_int_equal(tgt_records_find(&text, ret, &count), 0);
	assert_int_equal(tgt_records_judge(*ret, &count, ids, id_count), 0);
	return count;
}

static void assert_record(const struct tgt_record *record, const char *name, const char *address)
{
	assert_non_null(record);
	assert_true(tgt_slice_is(&record->name, name));
	assert_true(tgt_slice_is(&record->address, address));
}

static void test_connections_of_an_honest_text(void **state)
{
	static const struct tgt_connection_id ids[] = { { 1, 0 }, { 3, 0 } };
	CLEANUP_FREE struct tgt_record *r = NULL;
	CLEANUP_BUF struct buf b = BUF_INIT(1 << 20);
	size_t count = records(fixture(&b, "tgt/sessions-tc-1.txt"), ids, 2, &r);

	(void)state;
	assert_int_equal(count, 2);
	assert_record(tgt_record_find(r, count, 1, 0), VICTIM, "127.0.0.1");
	assert_record(tgt_record_find(r, count, 3, 0), OTHER, "127.0.0.1");
	assert_null(tgt_record_find(r, count, 1, 1));
}

static void test_two_connections_of_a_session(void **state)
{
	static const struct tgt_connection_id ids[] = { { 1, 0 }, { 3, 0 }, { 6, 0 }, { 6, 7 } };
	CLEANUP_FREE struct tgt_record *r = NULL;
	CLEANUP_BUF struct buf b = BUF_INIT(1 << 20);
	size_t count = records(fixture(&b, "tgt/two-connections-tc-1.txt"), ids, 4, &r);

	(void)state;
	assert_int_equal(count, 4);
	assert_record(tgt_record_find(r, count, 6, 7), EVIL, "127.0.0.1");
}

static void test_connections_that_do_not_match_the_numbers(void **state)
{
	static const struct tgt_connection_id one_more[] = { { 1, 0 }, { 3, 0 }, { 6, 0 }, { 6, 7 },
		{ 6, 8 } };
	static const struct tgt_connection_id one_less[] = { { 1, 0 }, { 3, 0 }, { 6, 0 } };
	static const struct tgt_connection_id twice[] = { { 1, 0 }, { 3, 0 }, { 6, 0 }, { 6, 0 } };
	CLEANUP_BUF struct buf b = BUF_INIT(1 << 20);
	struct tgt_slice text = fixture(&b, "tgt/two-connections-tc-1.txt");
	struct tgt_record *r = NULL;

	(void)state;
	assert_int_equal(records(text, one_more, 5, &r), 2);
	free(r);
	assert_int_equal(records(text, one_less, 3, &r), 2);
	free(r);
	assert_int_equal(records(text, twice, 4, &r), 2);
	free(r);
	assert_int_equal(records(text, NULL, 0, &r), 0);
	free(r);
}

static void test_forged_name_gives_nobody_an_address(void **state)
{
	static const struct tgt_connection_id ids[] = { { 1, 0 }, { 3, 0 }, { 5, 0 } };
	CLEANUP_FREE struct tgt_record *r = NULL;
	CLEANUP_BUF struct buf b = BUF_INIT(1 << 20);
	size_t count = records(fixture(&b, "tgt/forged-name-tc-1.txt"), ids, 3, &r);

	(void)state;
	/* 1 is there twice, 5 ends in the forged one; 3 is followed by the doubtful 1. */
	assert_null(tgt_record_find(r, count, 5, 0));
	assert_null(tgt_record_find(r, count, 1, 0));
	assert_null(tgt_record_find(r, count, 3, 0));
	assert_int_equal(count, 0);
}

#define RECORD(sid, name) \
	"Session: " sid "\n    Connection: 0\n        Initiator: " name "\n        IP Address: "

static void test_name_cannot_give_its_connection_another_address(void **state)
{
	static const struct tgt_connection_id ids[] = { { 5, 0 }, { 6, 0 } };
	static const char *const forged[] = {
		/* a session that does not exist */
		RECORD("5", "evil\n        IP Address: 9.9.9.9\nSession: 7\n    Connection: 0\n"
			    "        Initiator: x") "1.1.1.1\n" RECORD("6", "v") "2.2.2.2\n",
		/* a connection of its own that does not exist */
		RECORD("5", "evil\n        IP Address: 9.9.9.9\nSession: 5\n    Connection: 1\n"
			    "        Initiator: x") "1.1.1.1\n" RECORD("6", "v") "2.2.2.2\n",
		/* nothing after it */
		RECORD("5", "evil\n        IP Address: 9.9.9.9") "1.1.1.1\n" RECORD(
			"6", "v") "2.2.2.2"
				  "\n",
		RECORD("5", "evil\n        IP Address: 9.9.9.9\n") "1.1.1.1\n" RECORD(
			"6", "v") "2.2."
				  "2.2\n",
		/* no address line at all */
		RECORD("5", "evil\nSession: 7") "1.1.1.1\n" RECORD("6", "v") "2.2.2.2\n",
		RECORD("5", "evil\n        \nSession: 8\n    Connection: 0\n        Initiator: y") "1.1.1.1\n" RECORD(
			"6", "v") "2.2.2.2\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forged); i++) {
		struct tgt_record *r = NULL;
		size_t count = records(slice(forged[i]), ids, 2, &r);

		assert_null(tgt_record_find(r, count, 5, 0));
		assert_record(tgt_record_find(r, count, 6, 0), "v", "2.2.2.2");
		free(r);
	}
}

static void test_forger_cannot_speak_for_another_session(void **state)
{
	static const struct tgt_connection_id ids[] = { { 5, 0 }, { 6, 0 } };
	struct tgt_record *r = NULL;
	size_t count =
		records(slice(RECORD("6", "v") "2.2.2.2\n" RECORD("5",
				"evil\n        IP Address: 1.1.1.1\nSession: 6\n    Connection: 0\n"
				"        Initiator: w") "1.1.1.1\n"),
			ids, 2, &r);

	(void)state;
	assert_int_equal(count, 0);
	free(r);
}

static void test_rdma_and_missing_addresses(void **state)
{
	static const struct tgt_connection_id ids[] = { { 5, 0 }, { 6, 0 } };
	CLEANUP_FREE struct tgt_record *r = NULL;
	size_t count = records(slice("Session: 5\n    Connection: 0\n        Initiator: a\n"
				     "        RDMA IP Address: 192.0.2.7\n"
				     "Session: 6\n    Connection: 0\n        Initiator: b\n"
				     "        \n"),
		ids, 2, &r);

	(void)state;
	assert_int_equal(count, 2);
	assert_record(tgt_record_find(r, count, 5, 0), "a", "192.0.2.7");
	assert_true(tgt_record_find(r, count, 5, 0)->rdma);
	assert_record(tgt_record_find(r, count, 6, 0), "b", "");
	assert_false(tgt_record_find(r, count, 6, 0)->rdma);
}

static void test_record_cut_at_the_end_is_not_whole(void **state)
{
	static const struct tgt_connection_id ids[] = { { 5, 0 } };
	static const char whole[] = RECORD("5", "a") "1.1.1.1\n";

	(void)state;
	for (size_t length = 0; length <= strlen(whole); length++) {
		struct tgt_slice text = { whole, length };
		struct tgt_record *r = NULL;
		size_t count = records(text, ids, 1, &r);
		assert_int_equal(count, length == strlen(whole) ? 1 : 0);
		free(r);
	}
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
		cmocka_unit_test(test_nexus_twice_is_in_doubt_even_in_the_middle_of_a_line),
		cmocka_unit_test(test_connections_of_an_honest_text),
		cmocka_unit_test(test_two_connections_of_a_session),
		cmocka_unit_test(test_connections_that_do_not_match_the_numbers),
		cmocka_unit_test(test_forged_name_gives_nobody_an_address),
		cmocka_unit_test(test_name_cannot_give_its_connection_another_address),
		cmocka_unit_test(test_forger_cannot_speak_for_another_session),
		cmocka_unit_test(test_rdma_and_missing_addresses),
		cmocka_unit_test(test_record_cut_at_the_end_is_not_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
