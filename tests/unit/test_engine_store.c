/* SPDX-License-Identifier: BSD-2-Clause */
/* index/engine_store.h: the engine outlives a restart; a file that is not ours gives a new one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/hash.h"
#include "base/log.h"
#include "index/engine_store.h"
#include "tests/support/scratch.h"

#include <inttypes.h>
#include <sys/stat.h>

static const struct engine sample = {
	.id = { 0x80, 0x00, 0x1f, 0x88, 0x80, 0xab, 0xcd, 0xef }, .id_length = 8, .boots = 41
};

static char logged[1024];

static void keep_log(int priority, const char *message)
{
	(void)priority;
	snprintf(logged, sizeof(logged), "%s", message);
}

static int append(void *context, const char *data, size_t length)
{
	return buf_append(context, data, length);
}

static int set_up(void **state)
{
	(void)state;
	scratch_begin();
	log_set_sink(keep_log);
	logged[0] = '\0';
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	log_set_sink(NULL);
	scratch_end();
	return 0;
}

static void assert_sample(const struct engine *e, uint32_t boots)
{
	assert_int_equal(e->boots, boots);
	assert_int_equal(e->id_length, sample.id_length);
	assert_memory_equal(e->id, sample.id, sample.id_length);
}

/* What is refused changes nothing and has a reason. */
static void assert_refused(const char *text, size_t length, const char *why)
{
	struct engine engine = sample;
	char reason[STORE_REASON] = "";

	assert_int_equal(engine_store_parse(&engine, text, length, reason), -EBADMSG);
	assert_sample(&engine, sample.boots);
	if (!strstr(reason, why))
		fail_msg("%s: not for the reason %s, but: %s", text, why, reason);
}

/* The lines with a checksum that is right. */
static void assert_lines_refused(const char *lines, const char *why)
{
	char text[512];

	snprintf(text, sizeof(text), "%send %016" PRIx64 "\n", lines,
		hash_bytes(HASH_INIT, lines, strlen(lines)));
	assert_refused(text, strlen(text), why);
}

static void what_is_saved_is_loaded(void **state)
{
	CLEANUP_BUF struct buf text = BUF_INIT(ENGINE_STORE_MAX);
	struct engine engine = { .boots = 7 };
	struct stat st;

	(void)state;
	assert_int_equal(engine_store_load(&engine, scratch_path("")), 0);
	assert_int_equal(engine.id_length, 0);
	assert_int_equal(engine.boots, 0);
	assert_int_equal(engine_store_format(&sample, append, &text), 0);
	assert_int_equal(store_replace(scratch_path(""), STORE_ENGINE, text.data, text.length), 0);
	assert_int_equal(engine_store_load(&engine, scratch_path("")), 0);
	assert_sample(&engine, 41);
	assert_int_equal(stat(scratch_path("/engine"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void the_longest_fits(void **state)
{
	struct engine longest = { .id_length = ENGINE_ID_MAX, .boots = ENGINE_BOOTS_MAX }, again;
	CLEANUP_BUF struct buf text = BUF_INIT(ENGINE_STORE_MAX);
	char reason[STORE_REASON];

	(void)state;
	memset(longest.id, 0xff, sizeof(longest.id));
	assert_int_equal(engine_store_format(&longest, append, &text), 0);
	assert_int_equal(engine_store_parse(&again, text.data, text.length, reason), 0);
	assert_memory_equal(again.id, longest.id, ENGINE_ID_MAX);
	assert_int_equal(again.boots, ENGINE_BOOTS_MAX);
}

static void a_cut_or_changed_file_is_refused(void **state)
{
	CLEANUP_BUF struct buf text = BUF_INIT(ENGINE_STORE_MAX);

	(void)state;
	assert_int_equal(engine_store_format(&sample, append, &text), 0);
	for (size_t length = 0; length < text.length; length++)
		assert_refused(text.data, length, "line");
	for (size_t i = 0; i < text.length; i++) {
		text.data[i] ^= 1;
		assert_refused(text.data, text.length, "line");
		text.data[i] ^= 1;
	}
}

static void what_no_engine_is_is_refused(void **state)
{
	(void)state;
	assert_lines_refused("iscsi-agentx-engine 2\nboots 1\nid 8000000001\n", "format 2");
	assert_lines_refused("iscsi-agentx-engine 1\nboots 0\nid 8000000001\n", "out of range");
	assert_lines_refused("iscsi-agentx-engine 1\nboots 2147483648\nid 8000000001\n", "range");
	assert_lines_refused("iscsi-agentx-engine 1\nboots 1\nid 80000000\n", "length");
	assert_lines_refused("iscsi-agentx-engine 1\nboots 1\nid 80000000010\n", "length");
	assert_lines_refused("iscsi-agentx-engine 1\nboots 1\nid 800000000g\n", "no number");
	assert_lines_refused("iscsi-agentx-engine 1\nboots 1\nid 80000000ab\n", "no number");
	assert_lines_refused("iscsi-agentx-engine 1\nboots 1\nid 8000000001 x\n", "goes on");
	assert_lines_refused("iscsi-agentx-engine 1\nboots 1\n", "line");
	assert_lines_refused("iscsi-agentx-engine 1\nboots 1\nid 8000000001\nx\n", "more lines");
}

static void a_damaged_file_is_set_aside(void **state)
{
	struct engine engine;

	(void)state;
	scratch_text("/engine", "iscsi-agentx-engine 1\nboots 7\n");
	assert_int_equal(engine_store_load(&engine, scratch_path("")), -EBADMSG);
	assert_int_equal(engine.id_length, 0);
	assert_non_null(strstr(logged, "set aside as engine.bad, the SNMP engine gets a new ID"));
	assert_int_equal(engine_store_load(&engine, scratch_path("")), 0);
	scratch_link("/engine", "engine.bad");
	assert_int_equal(engine_store_load(&engine, scratch_path("")), -EPERM);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_is_saved_is_loaded),
		TEST(the_longest_fits),
		TEST(a_cut_or_changed_file_is_refused),
		TEST(what_no_engine_is_is_refused),
		TEST(a_damaged_file_is_set_aside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
