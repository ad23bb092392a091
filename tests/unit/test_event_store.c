/* SPDX-License-Identifier: BSD-2-Clause */
/* index/event_store.h: events outlive a restart and a reboot; a file that is not ours does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/log.h"
#include "index/event_store.h"
#include "tests/support/scratch.h"

#include <inttypes.h>
#include <sys/stat.h>

#define BOOT  "01234567-89ab-cdef-0123-456789abcdef"
#define BOOT2 "fedcba98-7654-3210-fedc-ba9876543210"

static char logged[1024];
static int log_count;

static void keep_log(int priority, const char *message)
{
	(void)priority;
	snprintf(logged, sizeof(logged), "%s", message);
	log_count++;
}

static int append(void *context, const char *data, size_t length)
{
	return buf_append(context, data, length);
}

/* A log with an event of each type, and one of texts as long as they can be. */
static struct event_log *sample(size_t limit)
{
	struct event_log *log = event_log_new(limit);
	struct event_record record = { .told = TOLD_SENT };

	assert_non_null(log);
	for (uint32_t type = 1; type < EVENT_TYPES; type++) {
		record.type = type;
		record.row_type = type == EVENT_FLAPPING ? EVENT_PATH_DOWN : type;
		record.told = 1 + type % TOLD_OFF;
		record.wall_ns = UINT64_C(1700000000000000000) + type;
		record.time_ns = type * UINT64_C(1000000007);
		record.key[0] = type;
		record.key[EVENT_KEY_MAX - 1] = UINT32_MAX;
		snprintf(record.subject, sizeof(record.subject), "subject %% %u \xc3\xa9", type);
		snprintf(record.text, sizeof(record.text), "%s", type % 2 ? "= -" : "");
		assert_non_null(event_log_add(log, &record));
	}
	memset(record.subject, '%', EVENT_TEXT_MAX);
	memset(record.text, 'x', EVENT_TEXT_MAX);
	record.subject[EVENT_TEXT_MAX] = record.text[EVENT_TEXT_MAX] = '\0';
	assert_non_null(event_log_add(log, &record));
	return log;
}

static void assert_same(const struct event_log *a, size_t first, const struct event_log *b)
{
	assert_int_equal(event_log_count(a) - first, event_log_count(b));
	for (size_t i = 0; i < event_log_count(b); i++) {
		const struct event_record *x = event_log_at(a, first + i);
		const struct event_record *y = event_log_at(b, i);

		assert_int_equal(x->number, y->number);
		assert_int_equal(x->type, y->type);
		assert_int_equal(x->row_type, y->row_type);
		assert_int_equal(x->told, y->told);
		assert_int_equal(x->wall_ns, y->wall_ns);
		assert_int_equal(x->time_ns, y->time_ns);
		assert_memory_equal(x->key, y->key, sizeof(x->key));
		assert_string_equal(x->subject, y->subject);
		assert_string_equal(x->text, y->text);
	}
}

static int set_up(void **state)
{
	(void)state;
	scratch_begin();
	log_set_sink(keep_log);
	log_count = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	log_set_sink(NULL);
	scratch_end();
	return 0;
}

static void format(const struct event_log *log, uint32_t next, struct buf *out)
{
	assert_int_equal(event_store_format(log, BOOT, next, append, out), 0);
}

static void save(const struct event_log *log, uint32_t next)
{
	CLEANUP_BUF struct buf text = BUF_INIT(EVENT_STORE_MAX);

	format(log, next, &text);
	assert_int_equal(store_replace(scratch_path(""), STORE_EVENTS, text.data, text.length), 0);
}

static void what_is_saved_comes_back(void **state)
{
	struct event_log *log = sample(100), *again = event_log_new(100);
	struct event_record more = { .type = EVENT_PATH_UP };
	struct stat st;

	(void)state;
	save(log, 1000);
	assert_int_equal(stat(scratch_path("/events"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(scratch_path("/events.tmp"), &st), -1);
	assert_int_equal(event_store_load(again, scratch_path(""), BOOT), 0);
	assert_same(log, 0, again);
	assert_int_equal(event_log_next(again), 1000);
	assert_int_equal(event_log_add(again, &more)->number, 1000);
	assert_int_equal(log_count, 0);
	event_log_free(log);
	event_log_free(again);
}

static void no_file_and_no_directory_is_no_error(void **state)
{
	struct event_log *log = event_log_new(10);

	(void)state;
	assert_int_equal(event_store_load(log, scratch_path(""), BOOT), 0);
	assert_int_equal(event_store_load(log, "/nonexistent/x", BOOT), 0);
	assert_int_equal(event_store_peek(log, "/nonexistent/x", BOOT), 0);
	assert_int_equal(event_log_count(log), 0);
	assert_int_equal(event_log_next(log), 1);
	assert_int_equal(log_count, 0);
	event_log_free(log);
}

/* Times of another boot mean nothing, and neither do its numbers of sessions. */
static void after_a_reboot_there_is_only_the_date(void **state)
{
	struct event_log *log = sample(100), *second = event_log_new(100);
	struct event_log *third = event_log_new(100);
	CLEANUP_BUF struct buf text = BUF_INIT(EVENT_STORE_MAX);
	char reason[STORE_REASON];

	(void)state;
	save(log, event_log_next(log));
	assert_int_equal(event_store_load(second, scratch_path(""), BOOT2), 0);
	assert_int_equal(event_log_count(second), event_log_count(log));
	for (size_t i = 0; i < event_log_count(second); i++) {
		const struct event_record *before = event_log_at(log, i);
		const struct event_record *now = event_log_at(second, i);

		assert_int_equal(now->time_ns, 0);
		assert_int_equal(now->wall_ns, before->wall_ns);
		assert_int_equal(now->number, before->number);
		assert_int_equal(now->row_type,
			before->type == EVENT_SESSION_HEALTH ? EVENT_NONE : before->row_type);
	}
	/* And once more, by the agent that began in the second boot. */
	assert_int_equal(
		event_store_format(second, BOOT2, event_log_next(second), append, &text), 0);
	assert_int_equal(event_store_parse(third, text.data, text.length, BOOT2, reason), 0);
	assert_same(second, 0, third);
	event_log_free(log);
	event_log_free(second);
	event_log_free(third);
}

static void only_the_newest_are_kept(void **state)
{
	struct event_log *log = sample(3), *again = event_log_new(2), *all = event_log_new(100);
	CLEANUP_BUF struct buf text = BUF_INIT(EVENT_STORE_MAX);
	char reason[STORE_REASON];
	size_t count = event_log_count(log);

	(void)state;
	assert_true(count > 3); /* of one round: the log has more than it is to keep */
	format(log, event_log_next(log), &text);
	assert_int_equal(event_store_parse(all, text.data, text.length, BOOT, reason), 0);
	assert_same(log, count - 3, all);
	assert_int_equal(event_store_parse(again, text.data, text.length, BOOT, reason), 0);
	assert_same(log, count - 2, again);
	event_log_free(log);
	event_log_free(again);
	event_log_free(all);
}

static void the_largest_file_fits(void **state)
{
	struct event_log *log = event_log_new(EVENT_LIMIT_MAX), *again;
	struct event_record record = { .type = EVENT_INITIATOR_LOGIN_FAILURE,
		.told = 1,
		.row_type = EVENT_INITIATOR_LOGIN_FAILURE,
		.wall_ns = UINT64_MAX,
		.time_ns = UINT64_MAX,
		.key = { UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX } };
	CLEANUP_BUF struct buf text = BUF_INIT(EVENT_STORE_MAX);
	char reason[STORE_REASON];

	(void)state;
	memset(record.subject, ' ', EVENT_TEXT_MAX);
	memset(record.text, ' ', EVENT_TEXT_MAX);
	/* The numbers as long as they can be. */
	assert_int_equal(event_log_restore(log, &record, 0, UINT32_MAX - EVENT_LIMIT_MAX - 1), 0);
	for (size_t i = 0; i < EVENT_LIMIT_MAX; i++)
		assert_non_null(event_log_add(log, &record));
	format(log, UINT32_MAX, &text);
	assert_true(text.length <= EVENT_STORE_MAX);
	again = event_log_new(EVENT_LIMIT_MAX);
	assert_int_equal(event_store_parse(again, text.data, text.length, BOOT, reason), 0);
	assert_same(log, 0, again);
	event_log_free(log);
	event_log_free(again);
}

/* Cut at every octet, and every octet changed. */
static void no_part_of_a_file_is_taken_for_a_file(void **state)
{
	struct event_log *full = sample(100), *log = event_log_new(100);
	CLEANUP_BUF struct buf b = BUF_INIT(EVENT_STORE_MAX);
	char reason[STORE_REASON];

	(void)state;
	format(full, event_log_next(full), &b);
	for (size_t length = 0; length < b.length; length++) {
		/* A copy of exactly this length: AddressSanitizer sees a read beyond it. */
		char *cut = malloc(length ? length : 1);

		memcpy(cut, b.data, length);
		assert_int_equal(event_store_parse(log, cut, length, BOOT, reason), -EBADMSG);
		assert_memory_equal(reason, "line ", 5);
		free(cut);
	}
	for (size_t i = 0; i < b.length; i++) {
		b.data[i] ^= 1;
		assert_int_equal(event_store_parse(log, b.data, b.length, BOOT, reason), -EBADMSG);
		b.data[i] ^= 1;
	}
	assert_int_equal(event_log_count(log), 0);
	assert_int_equal(event_log_next(log), 1);
	assert_int_equal(event_store_parse(log, b.data, b.length, BOOT, reason), 0);
	assert_string_equal(reason, "");
	assert_same(full, 0, log);
	event_log_free(full);
	event_log_free(log);
}

#define HEAD "iscsi-agentx-events 1\nboot " BOOT "\n"
#define ROW  "7 pathUp 1 pathUp 1 2 3 0 0 0 =s =t\n"

static int parse_with_end(struct event_log *log, const char *text, char reason[STORE_REASON])
{
	CLEANUP_BUF struct buf b = BUF_INIT(65536);

	buf_text(&b, text);
	buf_printf(&b, "end %016" PRIx64 "\n", hash_bytes(HASH_INIT, b.data, b.length));
	return event_store_parse(log, b.data, b.length, BOOT, reason);
}

static void every_wrong_line_is_named(void **state)
{
	static const struct {
		const char *text, *reason;
	} cases[] = {
		{ "iscsi-agentx-index 1 state\n", "line 1: this is no events file" },
		{ "iscsi-agentx-events 2\n", "line 1: format 2, but this program knows format 1" },
		{ "iscsi-agentx-events 1 x\n", "line 1: the line is too long" },
		{ "iscsi-agentx-events 1\nboot x\n", "line 2: wrong boot_id" },
		{ HEAD "next 0\n", "line 3: next is out of range" },
		{ HEAD "next 4294967296\n", "line 3: next is out of range" },
		{ HEAD "next 8\ncount 10001\n", "line 4: more than 10000 events" },
		{ HEAD "next 8\ncount 1\n", "line 5: the file ends too early" },
		{ HEAD "next 8\ncount 0\n" ROW, "line 5: more lines than counted" },
		{ HEAD "next 7\ncount 1\n" ROW, "line 5: number 7 is not below the next number" },
		{ HEAD "next 8\ncount 2\n" ROW ROW, "line 6: the number 7 is out of range" },
		{ HEAD "next 8\ncount 1\n0 pathUp 1 pathUp 1 2 3 0 0 0 =s =t\n",
			"line 5: the number 0 is out of range" },
		{ HEAD "next 8\ncount 1\n7  1 pathUp 1 2 3 0 0 0 =s =t\n",
			"line 5: the type is missing" },
		{ HEAD "next 8\ncount 1\n7 path\tUp 1 pathUp 1 2 3 0 0 0 =s =t\n",
			"line 5: wrong octet in the type" },
		{ HEAD "next 8\ncount 1\n7 pathUp 5 pathUp 1 2 3 0 0 0 =s =t\n",
			"line 5: told 5 is out of range" },
		{ HEAD "next 8\ncount 1\n7 pathUp 1 pathUp 1 2 3 0 0 4294967296 =s =t\n",
			"line 5: the index 4294967296 is out of range" },
		{ HEAD "next 8\ncount 1\n7 pathUp 1 pathUp 1 2 3 0 0 0 s =t\n",
			"line 5: the subject is missing" },
		{ HEAD "next 8\ncount 1\n7 pathUp 1 pathUp 1 2 3 0 0 0 =s =%41\n",
			"line 5: wrong % in the text" },
		{ HEAD "next 8\ncount 1\n7 pathUp 1 pathUp 1 2 3 0 0 0 =s =%00\n",
			"line 5: the text is no text" },
		{ HEAD "next 8\ncount 1\n7 pathUp 1 pathUp 1 2 3 0 0 0 =%C3 =t\n",
			"line 5: the subject is no text" },
		{ HEAD "next 8\ncount 1\n7 pathUp 1 pathUp 1 2 3 0 0 0 =s =t \n",
			"line 5: the line goes on after the text" },
	};
	struct event_log *log = event_log_new(10);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char reason[STORE_REASON] = "";

		assert_int_equal(parse_with_end(log, cases[i].text, reason), -EBADMSG);
		assert_string_equal(reason, cases[i].reason);
		assert_int_equal(event_log_count(log), 0);
	}
	event_log_free(log);
}

/* Of a later version of this program that knows more types. */
static void events_of_unknown_types_are_left_out(void **state)
{
	struct event_log *log = event_log_new(10);
	char reason[STORE_REASON];

	(void)state;
	assert_int_equal(parse_with_end(log,
				 HEAD "next 20\ncount 3\n" ROW
				      "8 pathMelted 1 pathMelted 1 2 3 0 0 0 =s =t\n"
				      "9 flapping 1 pathMelted 1 2 3 0 0 0 =s =\n",
				 reason),
		0);
	assert_int_equal(event_log_count(log), 2);
	assert_int_equal(event_log_at(log, 0)->number, 7);
	assert_int_equal(event_log_at(log, 1)->number, 9);
	assert_int_equal(event_log_at(log, 1)->row_type, EVENT_NONE);
	assert_string_equal(event_log_at(log, 1)->text, "");
	assert_int_equal(event_log_next(log), 20);
	event_log_free(log);
}

static void a_damaged_file_is_set_aside_with_one_message(void **state)
{
	struct event_log *log = event_log_new(10);
	char expected[512];
	struct stat st;

	(void)state;
	scratch_text("/events", "#!/bin/sh\n");
	assert_int_equal(event_store_peek(log, scratch_path(""), BOOT), -EBADMSG);
	assert_int_equal(log_count, 0);
	assert_int_equal(event_store_load(log, scratch_path(""), BOOT), -EBADMSG);
	snprintf(expected, sizeof(expected),
		"%s/events: line 1: this is no events file; set aside as events.bad, the event "
		"table begins anew",
		scratch_path(""));
	assert_string_equal(logged, expected);
	assert_int_equal(log_count, 1);
	assert_int_equal(stat(scratch_path("/events"), &st), -1);
	assert_int_equal(stat(scratch_path("/events.bad"), &st), 0);
	assert_int_equal(event_log_count(log), 0);
	event_log_free(log);
}

static void the_caller_needs_a_boot_id(void **state)
{
	struct event_log *log = sample(100);
	CLEANUP_BUF struct buf text = BUF_INIT(EVENT_STORE_MAX);
	char reason[STORE_REASON];

	(void)state;
	assert_int_equal(event_store_format(log, "x", 1, append, &text), -EINVAL);
	assert_int_equal(event_store_parse(log, "x", 1, "x", reason), -EINVAL);
	assert_int_equal(store_replace(scratch_path(""), STORE_FILES, "x", 1), -EINVAL);
	event_log_free(log);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_is_saved_comes_back),
		TEST(no_file_and_no_directory_is_no_error),
		TEST(after_a_reboot_there_is_only_the_date),
		TEST(only_the_newest_are_kept),
		TEST(the_largest_file_fits),
		TEST(no_part_of_a_file_is_taken_for_a_file),
		TEST(every_wrong_line_is_named),
		TEST(events_of_unknown_types_are_left_out),
		TEST(a_damaged_file_is_set_aside_with_one_message),
		TEST(the_caller_needs_a_boot_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
