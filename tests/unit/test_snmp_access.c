/* SPDX-License-Identifier: BSD-2-Clause */
/* agent/snmp_access.h: which lines of the access file pass, and which files are read at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/snmp_access.h"
#include "base/log.h"
#include "tests/support/scratch.h"

#include <sys/stat.h>

static char logged[2048];

static void keep_log(int priority, const char *message)
{
	size_t used = strlen(logged);

	(void)priority;
	snprintf(logged + used, sizeof(logged) - used, "%s\n", message);
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

/* The only line of a text; valid until the next call. */
static const struct access_line *only(const char *text)
{
	static struct access_line line;
	const char *at = text, *end = text + strlen(text);
	struct access_line more;
	unsigned int number = 0;

	assert_true(access_next_line(&at, end, &number, &line));
	assert_false(access_next_line(&at, end, &number, &more));
	return &line;
}

static void assert_wrong(const char *text, const char *why)
{
	const struct access_line *line = only(text);

	assert_non_null(line->wrong);
	if (!strstr(line->wrong, why))
		fail_msg("%s: %s", text, line->wrong);
}

static void lines_are_tokens_and_values(void **state)
{
	const char *text = "\n# comment\n \t\n\t ROcommunity \t public  10.0.0.0/8\t\r\nsysName x";
	const char *at = text, *end = text + strlen(text);
	struct access_line line;
	unsigned int number = 0;

	(void)state;
	assert_true(access_next_line(&at, end, &number, &line));
	assert_int_equal(line.number, 4);
	assert_int_equal(line.kind, ACCESS_RIGHT);
	assert_string_equal(line.token, "ROcommunity");
	assert_string_equal(line.text, "ROcommunity \t public  10.0.0.0/8");
	assert_string_equal(line.value, "public  10.0.0.0/8");
	assert_null(line.wrong);
	assert_true(access_next_line(&at, end, &number, &line));
	assert_int_equal(line.number, 5);
	assert_int_equal(line.kind, ACCESS_SYSTEM);
	assert_string_equal(line.value, "x");
	assert_false(access_next_line(&at, end, &number, &line));
}

static void tokens_of_programs_do_not_pass(void **state)
{
	static const char *const refused[] = { "exec", "extend", "pass", "pass_persist", "perl",
		"proxy", "master", "agentaddress", "dlmod", "rwcommunity", "rwuser", "includeFile",
		"[snmp]", "iquerySecName", "usmUser", "oldEngineID", "engineBoots",
		"rocommunityrocommunityrocommunity" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		char text[128];

		snprintf(text, sizeof(text), "%s something", refused[i]);
		assert_wrong(text, "is no token of this file");
	}
}

static void what_no_handler_may_see_is_wrong(void **state)
{
	const char with_nul[] = "rocommunity pub\0lic";
	const char *at = with_nul;
	char longest[ACCESS_LINE_MAX + 1];
	struct access_line line;
	unsigned int number = 0;

	(void)state;
	assert_true(access_next_line(&at, with_nul + sizeof(with_nul) - 1, &number, &line));
	assert_non_null(strstr(line.wrong, "NUL"));
	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "rocommunity ", 12);
	longest[ACCESS_LINE_MAX] = '\0';
	assert_wrong(longest, "longer than 999");
	longest[ACCESS_LINE_MAX - 1] = '\0';
	assert_null(only(longest)->wrong);
	assert_wrong("rouser", "has no value");
	assert_wrong("rouser  ", "has no value");
}

static void sinks_are_datagrams(void **state)
{
	(void)state;
	assert_wrong("trap2sink tcp:192.0.2.1:162 public", "udp");
	assert_wrong("trapsess -v 2c -c public TCP6:[::1]:162", "udp");
	assert_wrong("informsink dtlsudp:192.0.2.1", "udp");
	assert_wrong("trapsess -v 3\tunix:/tmp/x", "udp");
	assert_null(only("trap2sink 192.0.2.1 tcp")->wrong);
	assert_null(only("trapsess -v 2c -c public udp:192.0.2.1:162")->wrong);
	assert_int_equal(only("informsink 192.0.2.1 public")->kind, ACCESS_SINK);
}

static void a_text_is_summed_up_without_its_secrets(void **state)
{
	const char *text =
		"rocommunity secret\nexec secret\nview v included .1\ntrap2sink a secret\n"
		"rouser u\n";
	struct access_summary summary;

	(void)state;
	access_check(text, strlen(text), "FILE", &summary);
	assert_int_equal(summary.rights, 2);
	assert_int_equal(summary.sinks, 1);
	assert_int_equal(summary.bad, 1);
	assert_non_null(strstr(logged, "FILE: line 2: exec is no token"));
	assert_null(strstr(logged, "secret"));
}

static void assert_not_loaded(const char *why)
{
	size_t length = 7;

	logged[0] = '\0';
	assert_null(access_load(scratch_path("/access"), &length));
	assert_int_equal(length, 7);
	if (!strstr(logged, why))
		fail_msg("not for the reason %s: %s", why, logged);
}

static void only_a_file_that_is_ours_is_read(void **state)
{
	size_t length = 0;
	char *text;

	(void)state;
	assert_not_loaded("-M needs this file");
	scratch_text("/access", "rocommunity public\n");
	assert_int_equal(chmod(scratch_path("/access"), 0600), 0);
	text = access_load(scratch_path("/access"), &length);
	assert_non_null(text);
	assert_string_equal(text, "rocommunity public\n");
	assert_int_equal(length, strlen(text));
	access_free(text, length);
	for (mode_t mode = 0; mode < 010; mode++) {
		assert_int_equal(chmod(scratch_path("/access"), 0600 | mode), 0);
		if (mode)
			assert_not_loaded("chmod 0600");
	}
	assert_int_equal(chmod(scratch_path("/access"), 0620), 0);
	assert_not_loaded("chmod 0600");
	assert_int_equal(rename(scratch_path("/access"), scratch_path("/other")), 0);
	scratch_link("/access", "other");
	assert_not_loaded("symbolic link");
	assert_int_equal(unlink(scratch_path("/access")), 0);
	assert_int_equal(mkfifo(scratch_path("/access"), 0600), 0);
	assert_not_loaded("no regular file");
}

static void an_empty_file_is_a_text(void **state)
{
	size_t length = 7;
	char *text;

	(void)state;
	scratch_text("/access", "");
	assert_int_equal(chmod(scratch_path("/access"), 0640), 0);
	text = access_load(scratch_path("/access"), &length);
	assert_non_null(text);
	assert_int_equal(length, 0);
	assert_string_equal(text, "");
	access_free(text, length);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(lines_are_tokens_and_values),
		TEST(tokens_of_programs_do_not_pass),
		TEST(what_no_handler_may_see_is_wrong),
		TEST(sinks_are_datagrams),
		TEST(a_text_is_summed_up_without_its_secrets),
		TEST(only_a_file_that_is_ours_is_read),
		TEST(an_empty_file_is_a_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
