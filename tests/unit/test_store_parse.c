/* SPDX-License-Identifier: BSD-2-Clause */
/* index/store.h, the text: what was written is read, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/hash.h"
#include "index/store.h"
#include "tests/support/registry_sample.h"

#include <inttypes.h>

#define BOOT "01234567-89ab-cdef-0123-456789abcdef"

static int append(void *context, const char *data, size_t length)
{
	return buf_append(context, data, length);
}

static void put_end(struct buf *b)
{
	buf_printf(b, "end %016" PRIx64 "\n", hash_bytes(HASH_INIT, b->data, b->length));
}

#define HEAD  "iscsi-agentx-index 1 state\nboot " BOOT "\n"
#define RHEAD "iscsi-agentx-index 1 run\nboot " BOOT "\n"

/* The text is refused for this reason, and everything is as before. */
static void assert_bad(bool persistent, const struct buf *text, const char *expected)
{
	struct registry *r = registry_new();
	struct store_run run = { .uptime_zero_ns = 3 };
	char reason[STORE_REASON] = "";
	bool loaded = false;

	assert_int_equal(
		store_parse(r, text->data, text->length, persistent, BOOT, &run, &loaded, reason),
		-EBADMSG);
	assert_string_equal(reason, expected);
	assert_false(loaded);
	assert_int_equal(run.uptime_zero_ns, 3);
	assert_null(registry_entries(r, NULL));
	assert_null(registry_counters(r, NULL));
	registry_free(r);
}

static void every_wrong_line_is_named(void **state)
{
	(void)state;
	static const struct {
		bool persistent;
		const char *text, *reason; /* the checksum line is added */
	} cases[] = {
		{ true, "# something else\n", "line 1: this is no index file" },
		{ true, "iscsi-agentx-index 2 state\n",
			"line 1: format 2, but this program knows format 1" },
		{ true, "iscsi-agentx-index x state\n",
			"line 1: the format version is not a number" },
		{ true, "iscsi-agentx-index 1 run\n", "line 1: not a state file" },
		{ false, "iscsi-agentx-index 1 state\n", "line 1: not a run file" },
		{ true, "iscsi-agentx-index 1 state \n", "line 1: not a state file" },
		{ true, "iscsi-agentx-index 1 state\nboot x\n", "line 2: wrong boot_id" },
		{ true, "iscsi-agentx-index 1 state\nboat " BOOT "\n",
			"line 2: boot was expected" },
		{ true, "iscsi-agentx-index 1 state\n", "line 2: the file ends too early" },
		{ true, HEAD "count 0\n", "line 3: count is not a number" },
		{ true, HEAD "count 0 0 0\n", "line 3: the line is too long" },
		{ true, HEAD "count 0 01\n", "line 3: count is not a number" },
		{ true, HEAD "count 0 -1\n", "line 3: count is not a number" },
		{ true, HEAD "count 0 0x1\n", "line 3: count is not a number" },
		{ true, HEAD "count 0 18446744073709551616\n",
			"line 3: count 18446744073709551616 is out of range" },
		{ true, HEAD "count 0 18446744073709551615\n", "line 4: the file ends too early" },
		{ true, HEAD "count 0 0\nnode 1 1 1 x\n", "line 4: more lines than counted" },
		{ true, HEAD "count 0 1\nnode 1 1 1 x\n",
			"line 4: node 1 of parent 1 is not below the next number" },
		{ true, HEAD "count 1 0\nnode 1 1 1 x\n", "line 4: a counter was expected" },
		{ true, HEAD "count 1 0\nnext session 1 1\n", "line 4: not a line of this file" },
		{ true, HEAD "count 1 0\nnext instance 1 1\n", "line 4: not a counter" },
		{ true, HEAD "count 1 0\nnext node 1 0\n",
			"line 4: the next number 0 is out of range" },
		{ true, HEAD "count 1 0\nnext node 1 4294967297\n",
			"line 4: the next number 4294967297 is out of range" },
		{ true, HEAD "count 2 0\nnext node 1 2\nnext node 1 2\n",
			"line 5: a second counter of the same parent" },
		{ true, HEAD "count 1 0\nfloor node 2\n", "line 4: not a counter" },
		{ false, RHEAD "uptime_zero 0\ncount 1 0\nfloor session 1\n",
			"line 5: not a counter" },
		{ false, RHEAD "uptime_zero 0\ncount 2 0\nfloor session 2\nfloor session 3\n",
			"line 6: not a counter" },
		{ false, RHEAD "count 0 0\n", "line 3: uptime_zero was expected" },
		{ true, HEAD "count 1 1\nnext node 1 2\nnode 1 2 1 x\n",
			"line 5: node 2 of parent 1 is not below the next number" },
		{ true, HEAD "count 1 1\nnext node 1 2\nnode 1 0 1 x\n",
			"line 5: the number 0 is out of range" },
		{ true, HEAD "count 1 1\nnext node 1 2\nnode 1 1 2 x\n",
			"line 5: the seen mark 2 is out of range" },
		{ true, HEAD "count 1 1\nnext node 1 2\nnode 1 1 1 \n", "line 5: no key" },
		{ true, HEAD "count 1 1\nnext node 1 2\nnode 1 1 1\n", "line 5: no key" },
		{ true, HEAD "count 1 1\nnext node 1 2\nnode 1 1 1 x y\n",
			"line 5: the line goes on after the key" },
		{ true, HEAD "count 1 1\nnext node 1 2\nnode 1 1 1 x \n",
			"line 5: the line goes on after the key" },
		{ true, HEAD "count 1 1\nnext node 1 2\nnode 1 1 1 %2\n",
			"line 5: wrong % in the key" },
		{ true, HEAD "count 1 1\nnext node 1 2\nnode 1 1 1 %ff\n",
			"line 5: wrong % in the key" },
		{ true, HEAD "count 1 1\nnext node 1 2\nnode 1 1 1 %41\n",
			"line 5: wrong % in the key" },
		{ true, HEAD "count 1 1\nnext node 1 2\nnode 1 1 1 \x80\n",
			"line 5: octet 0x80 in the key" },
		{ true, HEAD "count 1 2\nnext node 1 3\nnode 1 1 1 x\nnode 1 2 1 x\n",
			"line 6: node 2 of parent 1: its key or number is there already" },
		{ true, HEAD "count 1 2\nnext node 1 3\nnode 1 1 1 x\nnode 1 1 1 y\n",
			"line 6: node 1 of parent 1: its key or number is there already" },
		{ true, HEAD "count 0 1\ninstance 3 4 1 x\n",
			"line 4: instance 4 of parent 3 is not below the next number" },
		{ true, HEAD "count 0 1\nsession 3 3 1 x\n", "line 4: not a line of this file" },
		{ true, HEAD "count 0 1\n\n", "line 4: not a line of this file" },
		{ false, RHEAD "uptime_zero 0\ncount 0 1\ninstance 3 3 1 0 0 x\n",
			"line 5: the incarnation is not a number" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct buf b = BUF_INIT(4096);

		buf_text(&b, cases[i].text);
		put_end(&b);
		assert_bad(cases[i].persistent, &b, cases[i].reason);
		buf_free(&b);
	}
}

static void a_key_that_is_too_long_is_refused(void **state)
{
	struct buf b = BUF_INIT(8192);

	(void)state;
	buf_text(&b, HEAD "count 1 1\nnext node 1 2\nnode 1 1 1 ");
	for (unsigned int i = 0; i <= REGISTRY_KEY_MAX; i++)
		buf_text(&b, "k");
	buf_text(&b, "\n");
	put_end(&b);
	assert_bad(true, &b, "line 5: the key is longer than 2048 octets");
	buf_free(&b);
}

/* Every file that was cut, and every one with one changed octet, is refused; nothing crashes. */
static void no_part_of_a_file_is_taken_for_a_file(void **state)
{
	struct registry *full = registry_new(), *r = registry_new();
	struct buf b = BUF_INIT(65536);
	char reason[STORE_REASON];
	bool loaded;

	(void)state;
	registry_sample_fill(full);
	assert_int_equal(store_format(full, false, BOOT, NULL, append, &b), 0);
	for (size_t length = 0; length < b.length; length++) {
		/* A copy of exactly this length: AddressSanitizer sees a read beyond it. */
		char *cut = malloc(length + 1);

		memcpy(cut, b.data, length);
		cut = realloc(cut, length ? length : 1);
		assert_int_equal(
			store_parse(r, cut, length, false, BOOT, NULL, &loaded, reason), -EBADMSG);
		assert_memory_equal(reason, "line ", 5);
		free(cut);
	}
	for (size_t i = 0; i < b.length; i++) {
		b.data[i] ^= 1;
		assert_int_equal(
			store_parse(r, b.data, b.length, false, BOOT, NULL, &loaded, reason),
			-EBADMSG);
		b.data[i] ^= 1;
	}
	assert_null(registry_entries(r, NULL));
	assert_int_equal(store_parse(r, b.data, b.length, false, BOOT, NULL, &loaded, reason), 0);
	assert_string_equal(reason, "");
	assert_true(registry_sample_same(full, r, false));
	buf_free(&b);
	registry_free(full);
	registry_free(r);
}

static int failing_sink(void *context, const char *data, size_t length)
{
	int *calls = context;

	(void)data, (void)length;
	return --*calls < 0 ? -EIO : 0;
}

static void many_entries_are_written_in_pieces_and_read_again(void **state)
{
	struct registry *many = registry_new(), *r = registry_new();
	struct buf b = BUF_INIT(STORE_FILE_MAX);
	char reason[STORE_REASON];
	bool loaded;
	int calls = 2;

	(void)state;
	for (uint32_t i = 0; i < 20000; i++) {
		char key[64];
		int length = snprintf(key, sizeof(key), "iqn.2001-05.com.example:%u", i);

		registry_sample_add(many, INDEX_AUTH, i % 100, key, (size_t)length, 1);
	}
	assert_int_equal(store_format(many, true, BOOT, NULL, append, &b), 0);
	assert_int_equal(store_parse(r, b.data, b.length, true, BOOT, NULL, &loaded, reason), 0);
	assert_true(registry_sample_same(many, r, true));
	assert_int_equal(store_format(many, true, BOOT, NULL, failing_sink, &calls), -EIO);
	assert_int_equal(calls, -1); /* not asked again after the error */
	buf_free(&b);
	registry_free(many);
	registry_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_wrong_line_is_named),
		cmocka_unit_test(a_key_that_is_too_long_is_refused),
		cmocka_unit_test(no_part_of_a_file_is_taken_for_a_file),
		cmocka_unit_test(many_entries_are_written_in_pieces_and_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
