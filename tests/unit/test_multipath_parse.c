/* SPDX-License-Identifier: BSD-2-Clause */
/* What multipathd says, taken apart: frames, lines, the JSON of path groups, and forged ones. */
#include "source/multipath_parse.h"
#include "source/multipath_wire.h"

#include "base/root.h"
#include "model/path_join.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define TEXT(literal) ((struct multipath_text){ literal, sizeof(literal) - 1 })

static void assert_text(struct multipath_text text, const char *expected)
{
	if (text.length != strlen(expected) ||
		(text.length && memcmp(text.at, expected, text.length)))
		fail_msg("\"%.*s\" is not \"%s\"", (int)text.length, text.at, expected);
}

/* The answer of a text, in a buffer of its own. */
static const char *frame(const char *text, size_t length)
{
	static char data[256];
	size_t says = length + 1;

	assert_true(sizeof(says) + length + 1 <= sizeof(data));
	memcpy(data, &says, sizeof(says));
	memcpy(data + sizeof(says), text, length);
	data[sizeof(says) + length] = '\0';
	return data;
}

static void requests_only_show(void **state)
{
	(void)state;
	for (enum multipath_question q = 0; q < MULTIPATH_QUESTIONS; q++) {
		char request[MULTIPATH_REQUEST_MAX];
		size_t length = multipath_request(q, request), says;

		memcpy(&says, request, sizeof(says));
		assert_int_equal(says, length - sizeof(says));
		assert_int_equal(strlen(request + sizeof(says)) + 1, says);
		assert_memory_equal(request + sizeof(says), "show ", 5);
		/* What multipathd's own reader of commands takes for quotes, comments, blocks. */
		assert_null(strpbrk(request + sizeof(says), "\"'!#{}\n"));
		assert_true(strlen(multipath_question_text(q)) > 0);
	}
}

static void lengths_are_told_by_the_header(void **state)
{
	size_t length = 5;
	char data[sizeof(size_t)];

	(void)state;
	memcpy(data, &length, sizeof(length));
	for (size_t have = 0; have < sizeof(data); have++)
		assert_int_equal(multipath_answer_length(data, have), 0);
	assert_int_equal(multipath_answer_length(data, sizeof(data)), sizeof(data) + 5);
	length = 0;
	memcpy(data, &length, sizeof(length));
	assert_int_equal(multipath_answer_length(data, sizeof(data)), -EBADMSG);
	length = ROOT_ANSWER_MAX - sizeof(length);
	memcpy(data, &length, sizeof(length));
	assert_int_equal(multipath_answer_length(data, sizeof(data)), ROOT_ANSWER_MAX);
	length++;
	memcpy(data, &length, sizeof(length));
	assert_int_equal(multipath_answer_length(data, sizeof(data)), -E2BIG);
	length = SIZE_MAX;
	memcpy(data, &length, sizeof(length));
	assert_int_equal(multipath_answer_length(data, sizeof(data)), -E2BIG);
	/* A daemon of 32 bits: four octets of length, then its text. */
	memcpy(data, "\005\0\0\0mp:-", sizeof(data));
	assert_int_equal(multipath_answer_length(data, sizeof(data)), -E2BIG);
}

static void an_answer_is_its_text(void **state)
{
	static const struct {
		const char *says, *text;
	} answers[] = { { "mp:x\n", "mp:x\n" }, { "ok\n", "" }, { "", "" }, { "{}", "{}" } };
	const char *text, *reason;
	size_t length;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		size_t says = strlen(answers[i].says);

		assert_int_equal(multipath_answer_parse(frame(answers[i].says, says),
					 sizeof(says) + says + 1, &text, &length, &reason),
			0);
		assert_string_equal(text, answers[i].text);
		assert_int_equal(length, strlen(answers[i].text));
	}
}

static void what_is_no_answer_is_refused(void **state)
{
	static const struct {
		const char *says;
		int error;
	} answers[] = { { "timeout\n", -ETIMEDOUT }, { "fail\ntimeout\n", -ETIMEDOUT },
		{ "fail\n", -EIO }, { "fail\ndevice not found\n", -EIO },
		{ "permission deny: need to be root", -EACCES },
		{ "fail\npermission deny: need to be root\n", -EACCES },
		{ "multipath-tools v0.6.4 (12/12, 2016)\nCLI commands reference:\n",
			-EOPNOTSUPP } };
	const char *text = NULL, *reason, *data;
	size_t length = 7, header = sizeof(size_t);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		size_t says = strlen(answers[i].says);

		assert_int_equal(multipath_answer_parse(frame(answers[i].says, says),
					 header + says + 1, &text, &length, &reason),
			answers[i].error);
		assert_true(strlen(reason) > 0);
	}
	data = frame("ab\0cd", 5);
	assert_int_equal(
		multipath_answer_parse(data, header + 6, &text, &length, &reason), -EBADMSG);
	data = frame("abcd", 4);
	assert_int_equal(
		multipath_answer_parse(data, header + 4, &text, &length, &reason), -EBADMSG);
	assert_int_equal(
		multipath_answer_parse(data, header + 6, &text, &length, &reason), -EBADMSG);
	assert_int_equal(multipath_answer_parse(data, header, &text, &length, &reason), -EBADMSG);
	assert_int_equal(multipath_answer_parse(data, 3, &text, &length, &reason), -EBADMSG);
	assert_null(text);
	assert_int_equal(length, 7);
	/* The name of a target in an answer is not the list of commands. */
	data = frame("{\"CLI commands reference\":1}", 28);
	assert_int_equal(multipath_answer_parse(data, header + 29, &text, &length, &reason), 0);
}

static void lines_are_those_of_multipathd_itself(void **state)
{
	struct multipath_text rest = TEXT("mp:--|a\n"
					  "mp:[nvme]|nvme0c0n1|0:0:1:1|live\n|optimized\n\nx\n"
					  "mp:|b\n"
					  "garbage\n"
					  "mp:nvme|c\n"
					  "mp:--|d");
	static const char *const own[] = { "mp:--|a", "mp:|b", "garbage", "mp:--|d" };
	struct multipath_text line;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		assert_true(multipath_next_line(&rest, &line));
		assert_text(line, own[i]);
	}
	assert_false(multipath_next_line(&rest, &line));
	rest = TEXT("");
	assert_false(multipath_next_line(&rest, &line));
	rest = TEXT("\n");
	assert_true(multipath_next_line(&rest, &line));
	assert_text(line, "");
}

static void a_map_is_a_line(void **state)
{
	struct multipath_map map;

	(void)state;
	assert_int_equal(
		multipath_parse_map(TEXT("mp:--|dm-12|active|3 chk|3600140599|mpath a"), &map), 1);
	assert_text(map.device, "dm-12");
	assert_text(map.queueing, "3 chk");
	assert_text(map.wwid, "3600140599");
	assert_text(map.name, "mpath a");
	assert_int_equal(map.state.value, MULTIPATH_MAP_ACTIVE);
	assert_int_equal(multipath_parse_map(TEXT("mp:|dm-0|suspend|-|w|n"), &map), 1);
	assert_int_equal(map.state.value, MULTIPATH_MAP_SUSPENDED);
	assert_int_equal(multipath_parse_map(TEXT("mp:--|dm-0|undef|off|w|n"), &map), 1);
	assert_false(map.state.known);
	assert_int_equal(multipath_parse_map(TEXT("mp:--|undef|undef|off|w|n"), &map), 0);
}

static void what_is_no_map_is_refused(void **state)
{
	static const char *const lines[] = { "", "mp:", "mp:--", "mp:--|dm-0|active|off|w",
		"--|dm-0|active|off|w|n", "mp:--|dm-0|active|off||n", "mp:--|dm-0|active|off|w|",
		"mp:--|sda|active|off|w|n", "mp:--|dm-|active|off|w|n",
		"mp:--|dm-1x|active|off|w|n", "mp:--|dm-../../etc|active|off|w|n",
		"mp:--|dm-12345678901|active|off|w|n", "mp:[nvme]|dm-0|active|off|w|n",
		/* Where the WWID ends cannot be told. */
		"mp:--|dm-0|active|off|w|x|n", "multipath-tools v0.9.4" };
	char line[512];
	struct multipath_map map = { .name = TEXT("untouched") };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct multipath_text text = { lines[i], strlen(lines[i]) };

		if (multipath_parse_map(text, &map) != -EBADMSG)
			fail_msg("\"%s\" was taken", lines[i]);
	}
	snprintf(line, sizeof(line), "mp:--|dm-0|active|off|w|%0256d", 0);
	assert_int_equal(
		multipath_parse_map((struct multipath_text){ line, strlen(line) }, &map), -EBADMSG);
	snprintf(line, sizeof(line), "mp:--|dm-0|active|off|w|%0255d", 0);
	assert_text(map.name, "untouched");
	assert_int_equal(
		multipath_parse_map((struct multipath_text){ line, strlen(line) }, &map), 1);
}

static void a_path_is_a_line(void **state)
{
	/* enum checker_state */
	static const char *const checkers[] = { "ready", "ghost", "faulty", "shaky", "i/o pending",
		"i/o timeout", "delayed", "undef", "disconnected" };
	struct multipath_path path;

	(void)state;
	assert_int_equal(
		multipath_parse_path(TEXT("mp:--|sdb|1:0:0:18446744073709551615|active|ready|50|"
					  "scsi:iscsi|mp|a|"),
			&path),
		1);
	assert_text(path.device, "sdb");
	assert_text(path.hctl, "1:0:0:18446744073709551615");
	assert_text(path.map, "mp|a|");
	assert_int_equal(path.dm_state.value, MULTIPATH_DM_ACTIVE);
	assert_int_equal(path.checker_state.value, 1);
	assert_int_equal(path.priority.value, 50);
	assert_true(path.is_iscsi);
	/* As before 0.7.8: no protocol. */
	assert_int_equal(
		multipath_parse_path(TEXT("mp:|sda|#:#:#:#|failed|faulty|-1||m"), &path), 1);
	assert_int_equal(path.hctl.length, 0);
	assert_int_equal(path.dm_state.value, MULTIPATH_DM_FAILED);
	assert_int_equal(path.checker_state.value, CHECKER_FAULTY);
	assert_false(path.priority.known);
	assert_false(path.is_iscsi);
	assert_int_equal(
		multipath_parse_path(TEXT("mp:--|sda|0:0:0:0|undef|new word||scsi:fcp|m"), &path),
		1);
	assert_false(path.dm_state.known);
	assert_false(path.checker_state.known);
	assert_false(path.priority.known);
	assert_false(path.is_iscsi);
	for (size_t i = 0; i < ARRAY_SIZE(checkers); i++) {
		char line[128];

		snprintf(line, sizeof(line), "mp:--|sda|0:0:0:0|active|%s|0|scsi:iscsi|m",
			checkers[i]);
		assert_int_equal(
			multipath_parse_path((struct multipath_text){ line, strlen(line) }, &path),
			1);
		assert_int_equal(path.checker_state.value, i + 1);
		assert_true(path.priority.known);
	}
}

static void a_path_in_no_map_is_left_out(void **state)
{
	struct multipath_path path;

	(void)state;
	assert_int_equal(
		multipath_parse_path(
			TEXT("mp:--|sda|0:0:0:0|undef|undef|-1|scsi:iscsi|[orphan]"), &path),
		0);
	assert_int_equal(
		multipath_parse_path(
			TEXT("mp:--|sda|0:0:0:0|undef|undef|-1|scsi:iscsi|[offline]"), &path),
		0);
}

static void what_is_no_path_is_refused(void **state)
{
	static const char *const lines[] = { "", "mp:--|sda", "mp:--|sda|0:0:0:0|active|ready|1|p",
		"mp:--||0:0:0:0|active|ready|1|p|m", "mp:--|../x|0:0:0:0|active|ready|1|p|m",
		"mp:--|-|0:0:0:0|active|ready|1|p|m", "mp:--|s a|0:0:0:0|active|ready|1|p|m",
		"mp:--|sda|0:0:0:0|active|ready|1|p|", "sda|0:0:0:0|active|ready|1|p|m" };
	static const char *const hctls[] = { "0:0:0", "0:0:0:0:0", ":0:0:0:0", "0:0:0:", "0::0:0",
		"a:0:0:0", "-1:0:0:0", "0:0:0:0 " };
	static const char *const priorities[] = { "x", "-2", "0x10", "2147483648", "1 ",
		"99999999999999999" };
	struct multipath_path path;
	char line[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct multipath_text text = { lines[i], strlen(lines[i]) };

		if (multipath_parse_path(text, &path) != -EBADMSG)
			fail_msg("\"%s\" was taken", lines[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(hctls); i++) {
		snprintf(line, sizeof(line), "mp:--|sda|%s|active|ready|1|p|m", hctls[i]);
		assert_int_equal(
			multipath_parse_path((struct multipath_text){ line, strlen(line) }, &path),
			1);
		assert_int_equal(path.hctl.length, 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(priorities); i++) {
		snprintf(
			line, sizeof(line), "mp:--|sda|0:0:0:0|active|ready|%s|p|m", priorities[i]);
		assert_int_equal(
			multipath_parse_path((struct multipath_text){ line, strlen(line) }, &path),
			1);
		assert_false(path.priority.known);
	}
}

/* The members of a JSON text as "dev=number/state ", "!" for one that is refused. */
static const char *groups_of(const char *text)
{
	static char out[256];
	struct multipath_member *members = NULL;
	ssize_t count = multipath_parse_groups(text, strlen(text), &members);

	snprintf(out, sizeof(out), "%s", count < 0 ? "!" : "");
	for (ssize_t i = 0; i < count; i++) {
		const struct multipath_member *m = &members[i];
		size_t n = strlen(out);

		snprintf(out + n, sizeof(out) - n, "%.*s=%u/%c ", (int)m->device.length,
			m->device.at, m->number,
			m->state.known ? (char)('0' + m->state.value) : '?');
		assert_ptr_equal(multipath_find_member(members, (size_t)count, m->device), m);
	}
	assert_null(multipath_find_member(members, count > 0 ? (size_t)count : 0, TEXT("none")));
	free(members);
	return out;
}

#define GROUP(state, number, paths)                                                  \
	"{\"selector\":\"s 0\",\"pri\":50,\"dm_st\":\"" state "\",\"group\":" number \
	",\"paths\":[" paths "]}"
#define PATH(dev, extra)   "{\"dev\":\"" dev "\",\"dm_st\":\"active\"" extra "}"
#define MAP(extra, groups) "{\"name\":\"a\"" extra ",\"path_groups\":[" groups "]}"
#define ALL(maps)	   "{\"major_version\":0,\"maps\":[" maps "]}\n"
#define TARGET(name)	   ",\"target_wwnn\":\"" name "\""

static void groups_are_those_of_the_json(void **state)
{
	(void)state;
	assert_string_equal(groups_of(ALL("")), "");
	assert_string_equal(groups_of("{}"), "");
	assert_string_equal(
		groups_of(ALL(MAP("", GROUP("enabled", "2", PATH("sdb", "")) "," GROUP("active",
					      "1", PATH("sdc", "") "," PATH("sda", ""))) "," MAP("",
			GROUP("disabled", "1", PATH("sdd", ""))))),
		"sda=1/1 sdb=2/2 sdc=1/1 sdd=1/3 ");
	assert_string_equal(
		groups_of(ALL(MAP("", GROUP("undef", "70000", PATH("sda", ""))))), "sda=0/? ");
	assert_string_equal(
		groups_of(ALL(MAP("", GROUP("active", "-1", PATH("sda", ""))))), "sda=0/1 ");
	/* What is not known is passed over, in whatever order. */
	assert_string_equal(
		groups_of(
			"{\"new\":[{\"maps\":1}],\"maps\":[{\"path_groups\":[{\"paths\":[{\"x\":{"
			"\"dev\":\"no\"},\"dev\":\"sda\"}],\"group\":3,\"dm_st\":\"active\"}]}]}"),
		"sda=3/1 ");
}

static void what_has_another_form_is_refused(void **state)
{
	static const char *const texts[] = { "", "fail\n", "[]", "1", "{\"maps\":{}}",
		"{\"maps\":[1]}", "{\"maps\":[{\"path_groups\":1}]}", "{\"maps\":[],\"maps\":[]}",
		"{\"maps\":[{\"path_groups\":[{\"paths\":[{\"dev\":\"a\",\"dev\":\"b\"}]}]}]}",
		"{\"maps\":[{\"path_groups\":[{\"paths\":[1]}]}]}",
		"{\"maps\":[{\"path_groups\":[{\"paths\":[{\"dev\":\"a\"}]}]}]} x",
		"{\"maps\":[{\"path_groups\":[{\"paths\":[{\"dev\":\"a\"}]}]}]",
		ALL(MAP("", GROUP("active", "1", PATH("sda", TARGET("a\"b"))))),
		ALL(MAP(",\"prod\":\"back\\slash\"", GROUP("active", "1", PATH("sda", "")))),
		ALL(MAP(",\"prod\":\"two\nlines\"", GROUP("active", "1", PATH("sda", "")))) };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (strcmp(groups_of(texts[i]), "!") != 0)
			fail_msg("\"%s\" was taken: %s", texts[i], groups_of(texts[i]));
	}
}

/* A target's name, and vendor and product of its disk, are printed as they are. */
static void a_forged_device_has_no_group(void **state)
{
	(void)state;
	/* Another device of this group: the real one is there too. */
	assert_string_equal(
		groups_of(ALL(MAP("",
			GROUP("active", "1",
				PATH("sda", TARGET("x\"},{\"dev\":\"sdb\",\"y\":\"")))) "," MAP("",
			GROUP("enabled", "2", PATH("sdb", ""))))),
		"sda=1/1 ");
	/* A whole map of its own. */
	assert_string_equal(
		groups_of(ALL(MAP(
			"", GROUP("active", "1",
				    PATH("sda", TARGET("x\"}]}]},{\"path_groups\":[{\"dm_st\":"
						       "\"active\",\"group\":1,\"paths\":[{"
						       "\"dev\":\"sdb\",\"y\":\"")))) "," MAP("",
			GROUP("enabled", "2", PATH("sdb", ""))))),
		"sda=1/1 ");
	/* The state of the group that it is in, said again behind the paths. */
	assert_string_equal(groups_of(ALL(MAP("",
				    GROUP("enabled", "1",
					    PATH("sda", TARGET("x\"}],\"dm_st\":\"active\",\"y\":[{"
							       "\"z\":\"")))))),
		"!");
	/* Vendor and product come before the groups. */
	assert_string_equal(groups_of(ALL(MAP(",\"prod\":\"\",\"path_groups\":[],\"a\":\"\"",
				    GROUP("enabled", "1", PATH("sda", ""))))),
		"!");
}

static unsigned long fail_at; /* the fail_at-th from now on fails; 0 none does */
void *__real_reallocarray(void *old, size_t count, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
	return fail_at && --fail_at == 0 ? NULL : __real_reallocarray(old, count, size);
}

static void without_memory_there_is_no_result(void **state)
{
	static const char text[] = ALL(MAP("", GROUP("active", "1", PATH("sda", ""))));
	struct multipath_member *members = NULL;

	(void)state;
	fail_at = 1;
	assert_int_equal(multipath_parse_groups(text, strlen(text), &members), -ENOMEM);
	assert_null(members);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_only_show),
		cmocka_unit_test(lengths_are_told_by_the_header),
		cmocka_unit_test(an_answer_is_its_text),
		cmocka_unit_test(what_is_no_answer_is_refused),
		cmocka_unit_test(lines_are_those_of_multipathd_itself),
		cmocka_unit_test(a_map_is_a_line),
		cmocka_unit_test(what_is_no_map_is_refused),
		cmocka_unit_test(a_path_is_a_line),
		cmocka_unit_test(a_path_in_no_map_is_left_out),
		cmocka_unit_test(what_is_no_path_is_refused),
		cmocka_unit_test(groups_are_those_of_the_json),
		cmocka_unit_test(what_has_another_form_is_refused),
		cmocka_unit_test(a_forged_device_has_no_group),
		cmocka_unit_test(without_memory_there_is_no_result),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
