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
/* A run file of today, with two fields of ours and one of nobody; a session; a line `kept`. */
#define R2HEAD "iscsi-agentx-index 2 run\nboot " BOOT "\nuptime_zero 0\n"
#define FIELDS                                                   \
	"field session tsih u32\nfield session failures count\n" \
	"field session mood str\n"
#define R2SESSION R2HEAD "count 1 1 3\n" FIELDS "next session 1 2\nsession 1 1 1 0 0 0 0 s\n"

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
		{ false, "iscsi-agentx-index 3 run\n",
			"line 1: format 3, but this program knows format 2" },
		{ false, "iscsi-agentx-index 0 run\n",
			"line 1: the format version 0 is out of range" },
		{ true, HEAD "count 0 0 0\n", "line 3: the line is too long" },
		{ false, R2HEAD "count 0 0\n", "line 4: count is not a number" },
		{ false, RHEAD "uptime_zero 0\ncount 0 0 0\n", "line 4: the line is too long" },
		{ false, R2HEAD "count 0 0 257\n", "line 4: more than 256 fields" },
		{ false, R2HEAD "count 0 0 1\n", "line 5: the file ends too early" },
		{ false, R2HEAD "count 0 0 1\nfeld session tsih u32\n",
			"line 5: a field was expected" },
		{ false, R2HEAD "count 0 0 1\nfield session tsih\n", "line 5: not a field" },
		{ false, R2HEAD "count 0 0 1\nfield session tsih u32 x\n", "line 5: not a field" },
		{ false,
			R2HEAD "count 0 0 2\nfield session tsih u32\n"
			       "field session tsih u32\n",
			"line 6: a field that comes twice" },
		{ false, R2HEAD "count 1 1 0\nnext session 1 2\nsession 1 1 1 0 0 0 s\n",
			"line 6: the epoch is not a number" },
		{ false, R2HEAD "count 0 0 0\nkept 0 1\n", "line 5: more lines than counted" },
		{ false, R2SESSION "kept\n", "line 10: more lines than counted" },
		{ false, R2SESSION "kept \n", "line 10: the field is not a number" },
		{ false, R2SESSION "kept 0\n", "line 10: field 0 has no value" },
		{ false, R2SESSION "kept 0 \n", "line 10: field 0 has no value" },
		{ false, R2SESSION "kept 0 1 \n", "line 10: the field is not a number" },
		{ false, R2SESSION "kept 3 1\n", "line 10: field 3 is none of the 3" },
		{ false, R2SESSION "kept 256 1\n", "line 10: the field 256 is out of range" },
		{ false, R2SESSION "kept 0 1 0 1\n", "line 10: field 0 comes twice" },
		{ false, R2SESSION "kept 2 =x 2 =x\n", "line 10: field 2 comes twice" },
		{ false, R2SESSION "kept 0 x\n", "line 10: the value is not a number" },
		{ false, R2SESSION "kept 0 01\n", "line 10: the value is not a number" },
		{ false, R2SESSION "kept 1 5\n", "line 10: the count is not BASE+LAST" },
		{ false, R2SESSION "kept 1 +\n", "line 10: the count is not a number" },
		{ false, R2SESSION "kept 1 1+\n", "line 10: the count is not a number" },
		{ false, R2SESSION "kept 1 1+2+3\n", "line 10: the count is not a number" },
		{ false, R2SESSION "kept 1 18446744073709551616+0\n",
			"line 10: the count 18446744073709551616 is out of range" },
		{ false, R2SESSION "kept 0 1\nkept 0 1\n", "line 11: more lines than counted" },
		{ false,
			R2HEAD "count 1 1 1\nfield node initiator_last_failure_name str\n"
			       "next session 1 2\nsession 1 1 1 0 0 0 0 s\nkept 0 =x\n",
			"line 8: field 0 is none of this row" },
		{ false,
			R2HEAD "count 1 1 1\nfield session target_alias str\n"
			       "next session 1 2\nsession 1 1 1 0 0 0 0 s\nkept 0 x\n",
			"line 8: the value does not begin with =" },
		{ false,
			R2HEAD "count 1 1 1\nfield session target_alias str\n"
			       "next session 1 2\nsession 1 1 1 0 0 0 0 s\nkept 0 =%4\n",
			"line 8: wrong % in the value" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct buf b = BUF_INIT(4096);

		buf_text(&b, cases[i].text);
		put_end(&b);
		assert_bad(cases[i].persistent, &b, cases[i].reason);
		buf_free(&b);
	}
}

/* Loads a run file that must be right, to which the checksum is added. */
static struct registry *load_run(const char *content)
{
	struct registry *r = registry_new();
	struct buf b = BUF_INIT(4096);
	char reason[STORE_REASON];
	bool loaded = false;
	int rc;

	buf_text(&b, content);
	put_end(&b);
	rc = store_parse(r, b.data, b.length, false, BOOT, NULL, &loaded, reason);
	if (rc < 0)
		fail_msg("%s", reason);
	assert_true(loaded);
	buf_free(&b);
	return r;
}

static void a_file_of_the_first_format_is_loaded(void **state)
{
	struct registry *r = load_run(RHEAD "uptime_zero 9\ncount 1 1\nnext session 1 6\n"
					    "session 1 5 1 7 8 9 s\n");
	const struct registry_entry *e = registry_find(r, INDEX_SESSION, 1, "s", 1);

	(void)state;
	assert_int_equal(e->number, 5);
	assert_int_equal(e->since_ns, 7);
	assert_int_equal(e->discontinuity_ns, 8);
	assert_int_equal(e->incarnation, 9);
	assert_int_equal(e->epoch, 0);
	assert_null(e->kept);
	registry_free(r);
}

static void fields_are_known_by_name_and_type(void **state)
{
	static const struct {
		const char *content;
		const char *kept; /* words of the line that this program writes for it; "" none */
	} cases[] = {
		{ R2SESSION "kept 0 513\n", " 513" },
		{ R2SESSION "kept 1 3+4 0 513\n", " 3+4 513" },
		/* A field that this program does not have, wherever it comes. */
		{ R2SESSION "kept 2 =x%20y 0 513\n", " 513" },
		{ R2SESSION "kept 0 513 2 7+%!\n", " 513" },
		{ R2SESSION "kept 2 x\n", "" },
		/* A value that it would not take. */
		{ R2SESSION "kept 0 0 1 0+1\n", " 0+1" },
		{ R2SESSION "kept 0 65536\n", "" },
		{ R2SESSION "kept 0 4294967297\n", "" },
		/* A field of this name and another type or kind. */
		{ R2HEAD "count 1 1 2\nfield session tsih str\nfield node tsih u32\n"
			 "next session 1 2\nsession 1 1 1 0 0 0 0 s\nkept 0 =513 1 513\n",
			"" },
		{ R2HEAD "count 1 1 1\nfield device tsih u32\n"
			 "next session 1 2\nsession 1 1 1 0 0 0 0 s\nkept 0 513\n",
			"" },
		{ R2SESSION, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct registry *r = load_run(cases[i].content);
		const struct registry_entry *e = registry_find(r, INDEX_SESSION, 1, "s", 1);
		struct buf b = BUF_INIT(65536);
		char words[64] = "", *line, *word;

		assert_int_equal(e->number, 1);
		assert_int_equal(store_format(r, false, BOOT, NULL, append, &b), 0);
		line = strstr(b.data, "\nkept ");
		assert_true(!line == !e->kept);
		if (line) {
			*strchr(line + 1, '\n') = '\0';
			strtok_r(line + 1, " ", &line);
			while (strtok_r(NULL, " ", &line) && (word = strtok_r(NULL, " ", &line)))
				snprintf(words + strlen(words), sizeof(words) - strlen(words),
					" %s", word);
		}
		assert_string_equal(words, cases[i].kept);
		buf_free(&b);
		registry_free(r);
	}
}

/* An older program can go on with the numbers that must outlive everything. */
static void the_state_file_is_still_of_the_first_format(void **state)
{
	struct registry *r = registry_new();
	struct buf b = BUF_INIT(65536);

	(void)state;
	registry_sample_fill(r);
	assert_int_equal(store_format(r, true, BOOT, NULL, append, &b), 0);
	assert_memory_equal(b.data, HEAD, strlen(HEAD));
	assert_null(strstr(b.data, "field "));
	assert_null(strstr(b.data, "kept "));
	buf_free(&b);
	registry_free(r);
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
		cmocka_unit_test(a_file_of_the_first_format_is_loaded),
		cmocka_unit_test(fields_are_known_by_name_and_type),
		cmocka_unit_test(the_state_file_is_still_of_the_first_format),
		cmocka_unit_test(a_key_that_is_too_long_is_refused),
		cmocka_unit_test(no_part_of_a_file_is_taken_for_a_file),
		cmocka_unit_test(many_entries_are_written_in_pieces_and_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
