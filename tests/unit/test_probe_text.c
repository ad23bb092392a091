/* SPDX-License-Identifier: BSD-2-Clause */
/* What libiscsi says in words: keys of login responses, the status of a login. */
#include "source/probe_text.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define NAME "iqn.2004-10.org.example:disk"

static struct probe_keys take(const char *message, const char *target)
{
	struct probe_keys keys = { .alias = "" };

	probe_keys_take(&keys, message, target);
	return keys;
}

static void a_key_is_taken_with_and_without_a_target_behind_it(void **state)
{
	static const struct {
		const char *message, *target, *alias;
	} rows[] = {
		{ "TargetLoginReply: TargetAlias=disk one [" NAME "]", NAME, "disk one" },
		{ "TargetLoginReply: TargetAlias=disk one [" NAME "/-1]", NAME, "disk one" },
		{ "TargetLoginReply: TargetAlias=disk one", "", "disk one" },
		{ "TargetLoginReply: TargetAlias= [" NAME "]", NAME, "" },
		/* An alias that looks like what libiscsi adds. */
		{ "TargetLoginReply: TargetAlias=a [" NAME "] [" NAME "]", NAME, "a [" NAME "]" },
		{ "TargetLoginReply: TargetAlias=a [b]", NAME, "a [b]" },
		{ "TargetLoginReply: TargetAlias=a [" NAME, NAME, "a [" NAME },
		{ "TargetLoginReply: TargetAlias=\x1b[2J\n\xff", "", "?[2J??" },
		{ "TargetLoginReply: TargetAlias", "", "" },
		{ "TargetLoginReply: targetalias=a", "", "" },
		{ "TargetLoginReply: XTargetAlias=a", "", "" },
		{ "TargetLoginReply: TargetAliasX=a", "", "" },
		{ "NOP-In received TargetLoginReply: TargetAlias=a", "", "" },
		{ "", "", "" },
		{ "TargetLoginReply: ", "", "" },
		{ "TargetLoginReply: ]", NAME, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct probe_keys keys = take(rows[i].message, rows[i].target);

		assert_string_equal(keys.alias, rows[i].alias);
	}
}

static void a_number_out_of_its_range_is_not_known(void **state)
{
	static const struct {
		const char *text;
		bool tag, max_recv;
	} rows[] = {
		{ "1024", true, true },
		{ "0x400", true, true },
		{ "0", true, false },
		{ "511", true, false },
		{ "65536", false, true },
		{ "16777215", false, true },
		{ "16777216", false, false },
		{ "99999999999999999999", false, false },
		{ "", false, false },
		{ "-1", false, false },
		{ "1024 ", false, false },
		{ "1,2", false, false },
		{ "10000000000000000000000000000000000000000000000000000000000000000", false,
			false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char message[200];
		struct probe_keys keys;

		snprintf(message, sizeof(message), "TargetLoginReply: TargetPortalGroupTag=%s",
			rows[i].text);
		keys = take(message, "");
		assert_int_equal(keys.tag.known, rows[i].tag);
		snprintf(message, sizeof(message), "TargetLoginReply: MaxRecvDataSegmentLength=%s",
			rows[i].text);
		keys = take(message, "");
		assert_int_equal(keys.max_recv.known, rows[i].max_recv);
	}
	assert_int_equal(take("TargetLoginReply: TargetPortalGroupTag=7", "").tag.value, 7);
}

static void other_keys_are_those_of_the_list(void **state)
{
	static const char *const messages[] = {
		"TargetLoginReply: HeaderDigest=None [" NAME "]",
		"TargetLoginReply: InitialR2T=Yes [" NAME "]",
		"TargetLoginReply: HeaderDigest=CRC32C [" NAME "]", /* again */
		"TargetLoginReply: CHAP_A=5 [" NAME "]",
		"TargetLoginReply: CHAP_N=user [" NAME "]",
		"TargetLoginReply: CHAP_R=0x00 [" NAME "]",
		"TargetLoginReply: X-com.example.secret=1 [" NAME "]",
		"TargetLoginReply: MaxBurstLength=1 FirstBurstLength=2 [" NAME "]",
		"TargetLoginReply: DataDigest= [" NAME "]",
		"TargetLoginReply: DataDigest=\tNone [" NAME "]",
		"TargetLoginReply: Digest=None [" NAME "]",
		"TargetLoginReply: MaxConnections=1 [" NAME "]",
	};
	struct probe_keys keys = { .alias = "" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(messages); i++)
		probe_keys_take(&keys, messages[i], NAME);
	assert_string_equal(keys.other, "HeaderDigest=None InitialR2T=Yes MaxConnections=1");
	assert_string_equal(keys.alias, "");
	assert_string_equal(keys.redirect, "");
}

static void what_has_no_room_is_left_out_whole(void **state)
{
	static const char *const names[] = { "HeaderDigest", "DataDigest", "InitialR2T",
		"ImmediateData", "MaxBurstLength", "FirstBurstLength" };
	struct probe_keys keys = { .alias = "" };
	char message[400];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(message, sizeof(message), "TargetLoginReply: %s=%060d", names[i], 1);
		probe_keys_take(&keys, message, "");
	}
	assert_true(strlen(keys.other) < PROBE_TEXT_MAX);
	assert_non_null(strstr(keys.other, "InitialR2T="));
	assert_null(strstr(keys.other, "ImmediateData"));
	assert_int_equal(keys.other[strlen(keys.other) - 1], '1');
	memset(message, 'a', sizeof(message));
	memcpy(message, "TargetLoginReply: TargetAlias=", 30);
	message[sizeof(message) - 1] = '\0';
	probe_keys_take(&keys, message, "");
	assert_int_equal(strlen(keys.alias), PROBE_TEXT_MAX - 1);
}

static void the_status_of_a_login_is_in_the_error_text(void **state)
{
	static const struct {
		const char *text;
		bool found;
		uint32_t class, detail;
	} rows[] = {
		{ "Failed to log in to target. Status: Target not found(515)", true, 2, 3 },
		{ "Failed to log in to target. Status: Unknown login error (a)(257)", true, 1, 1 },
		{ "Status: x(65535)", true, 255, 255 },
		{ "Status: x(65536)", false, 0, 0 },
		{ "Status: x(99999999999999999999)", false, 0, 0 },
		{ "Status: Success(0)", false, 0, 0 },
		{ "Status: x(255)", false, 0, 0 },
		{ "Status: x()", false, 0, 0 },
		{ "Status: x(515", false, 0, 0 },
		{ "Status: x(-515)", false, 0, 0 },
		{ "Status: x", false, 0, 0 },
		{ "iscsi_service: socket error Connection refused(111)", false, 0, 0 },
		{ "", false, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t class = 0, detail = 0;

		assert_int_equal(probe_status_parse(rows[i].text, &class, &detail), rows[i].found);
		assert_int_equal(class, rows[i].class);
		assert_int_equal(detail, rows[i].detail);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_is_taken_with_and_without_a_target_behind_it),
		cmocka_unit_test(a_number_out_of_its_range_is_not_known),
		cmocka_unit_test(other_keys_are_those_of_the_list),
		cmocka_unit_test(what_has_no_room_is_left_out_whole),
		cmocka_unit_test(the_status_of_a_login_is_in_the_error_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
