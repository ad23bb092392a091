/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is believed of the connections in the texts that initiators write into: those of a tgtd
 * 1.0.85 with initiators that forge, and forgeries by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/tgt_slices.h"

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
