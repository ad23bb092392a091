/* SPDX-License-Identifier: BSD-2-Clause */
/* The texts of SCST: what is a value, and that nothing else is taken for one. */
#include "source/scst_parse.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* In memory that ends with the text, so that a sanitizer sees a read beyond it. */
static char *exact(const char *text, size_t length)
{
	char *copy = malloc(length + !length);

	assert_non_null(copy);
	memcpy(copy, text, length);
	return copy;
}

static struct opt_u32 u32(const char *text, uint32_t low, uint32_t high)
{
	char *copy = exact(text, strlen(text));
	struct opt_u32 number = scst_parse_u32(copy, strlen(text), low, high);

	free(copy);
	return number;
}

static void a_value_is_the_first_line(void **state)
{
	char line[SCST_LINE_MAX + 1], large[SCST_LINE_MAX + 2];

	(void)state;
	assert_int_equal(scst_parse_line("a b\n[key]\n", 10, line), 3);
	assert_string_equal(line, "a b");
	assert_int_equal(scst_parse_line("a", 1, line), 1);
	assert_int_equal(scst_parse_line("\n", 1, line), 0);
	assert_int_equal(scst_parse_line("", 0, line), 0);
	assert_int_equal(scst_parse_line(NULL, 0, line), 0);
	assert_int_equal(scst_parse_line("a\0b\n", 4, line), -EINVAL);
	assert_string_equal(line, "");
	memset(large, 'x', sizeof(large));
	assert_int_equal(scst_parse_line(large, SCST_LINE_MAX, line), SCST_LINE_MAX);
	assert_int_equal(scst_parse_line(large, SCST_LINE_MAX + 1, line), -EINVAL);
}

static void a_number_is_decimal_and_in_its_range(void **state)
{
	static const char *const bad[] = { "", "\n", "511\n", "16777216\n", "-1\n", "+512\n",
		"0x400\n", "4294968320\n", "512 512\n", "512x\n", "x\n512\n", "512\n513\n",
		"512\n[key]\n512\n", "512\n[kex]\n", "Yes\n" };

	(void)state;
	assert_int_equal(u32("512\n", 512, 16777215).value, 512);
	assert_int_equal(u32("16777215", 512, 16777215).value, 16777215);
	assert_int_equal(u32("65536\n[key]\n", 512, 16777215).value, 65536);
	assert_true(u32("0\n", 0, 1).known);
	assert_true(u32("1\n\n", 0, 1).known);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (u32(bad[i], 512, 16777215).known)
			fail_msg("a number: %s", bad[i]);
}

static void a_counter_has_64_bits(void **state)
{
	(void)state;
	assert_true(scst_parse_counter("18446744073709551615\n", 21).value == UINT64_MAX);
	assert_false(scst_parse_counter("18446744073709551616\n", 21).known);
	assert_false(scst_parse_counter("0x10\n", 5).known);
	assert_false(scst_parse_counter("10\n11\n", 6).known);
	assert_false(scst_parse_counter("", 0).known);
}

static void truth_is_told_in_four_words(void **state)
{
	static const struct {
		const char *text;
		int known, value;
	} cases[] = { { "Yes\n", 1, 1 }, { "No\n[key]\n", 1, 0 }, { "1\n", 1, 1 },
		{ "0\n\n", 1, 0 }, { "yes\n", 0, 0 }, { "Yes \n", 0, 0 }, { "2\n", 0, 0 },
		{ "\n", 0, 0 }, { "", 0, 0 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct opt_bool truth = scst_parse_bool(cases[i].text, strlen(cases[i].text));

		assert_int_equal(truth.known, cases[i].known);
		assert_int_equal(truth.value, cases[i].value);
	}
}

static void digests_have_a_first_and_a_second_choice(void **state)
{
	static const struct {
		const char *text;
		uint32_t primary, secondary; /* 0 unknown */
	} cases[] = { { "None\n", 3, 1 }, { "CRC32C\n[key]\n", 4, 1 }, { "None,CRC32C\n", 4, 3 },
		{ "CRC32C, None\n", 4, 3 }, { "Unknown\n", 0, 0 }, { "None,None\n", 0, 0 },
		{ "CRC32C,CRC32C\n", 0, 0 }, { "None,\n", 0, 0 }, { "None CRC32C\n", 0, 0 },
		{ "None,SHA1\n", 0, 0 }, { "none\n", 0, 0 }, { "\n", 0, 0 }, { "", 0, 0 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct opt_u32 primary, secondary, one;

		scst_parse_digests(cases[i].text, strlen(cases[i].text), &primary, &secondary);
		assert_int_equal(primary.known, cases[i].primary != 0);
		assert_int_equal(secondary.known, cases[i].secondary != 0);
		if (primary.known)
			assert_int_equal(primary.value, cases[i].primary);
		if (secondary.known)
			assert_int_equal(secondary.value, cases[i].secondary);
		one = scst_parse_digest(cases[i].text, strlen(cases[i].text));
		assert_int_equal(one.known, cases[i].secondary == 1);
	}
}

static void an_sid_is_isid_and_tsih_as_in_memory(void **state)
{
	static const char *const bad[] = { "", "\n", "0x10\n", "1FF\n", "12g\n", "1 2\n",
		"11112222333344445\n", "-1\n" };
	const uint8_t octets[8] = { 0x00, 0x02, 0x3d, 0, 0, 1, 0x12, 0x34 };
	struct opt_isid isid;
	struct opt_u32 tsih;
	uint64_t sid, found;
	char text[32];

	(void)state;
	memcpy(&sid, octets, sizeof(sid));
	snprintf(text, sizeof(text), "%llx\n", (unsigned long long)sid);
	assert_int_equal(scst_parse_sid(text, strlen(text), &found, &isid, &tsih), 0);
	assert_true(found == sid && isid.known);
	assert_memory_equal(isid.octets, octets, 6);
	assert_int_equal(tsih.value, 0x1234);
	assert_int_equal(scst_parse_sid("0\n", 2, &found, &isid, &tsih), 0);
	assert_true(isid.known);
	assert_false(tsih.known);
	assert_int_equal(scst_parse_sid("ffffffffffffffff\n", 17, &found, &isid, &tsih), 0);
	assert_int_equal(tsih.value, 65535);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(
			scst_parse_sid(bad[i], strlen(bad[i]), &found, &isid, &tsih), -EINVAL);
		assert_false(isid.known || tsih.known);
	}
}

static void a_name_is_one_line_without_a_portal(void **state)
{
	char name[SCST_LINE_MAX + 1];

	(void)state;
	assert_int_equal(scst_parse_name("iqn.a:b\n", 8, name), 7);
	assert_string_equal(name, "iqn.a:b");
	assert_int_equal(scst_parse_name("iqn.a#10.0.0.2\n", 15, name), 5);
	assert_string_equal(name, "iqn.a");
	assert_int_equal(scst_parse_name("#10.0.0.2\n", 10, name), 0);
	/* An initiator cannot hide half of what it is called. */
	assert_int_equal(scst_parse_name("iqn.a\niqn.b\n", 12, name), 0);
	assert_string_equal(name, "");
	assert_int_equal(scst_parse_name("iqn.a", 5, name), 0);
	assert_int_equal(scst_parse_name("iqn\0a\n", 6, name), 0);
	assert_int_equal(scst_parse_name("\n", 1, name), 0);
	assert_int_equal(scst_parse_name("", 0, name), 0);
}

static void states_are_those_that_scst_has(void **state)
{
	static const struct {
		const char *text;
		uint32_t value; /* 0 unknown */
	} cases[] = { { "closing", 3 }, { "established idle ", 2 },
		{ "in_read_list write_processing ", 2 }, { "space_waiting reinstating ", 2 },
		{ "closing ", 0 }, { "closing established ", 0 }, { "dancing ", 0 }, { " ", 0 },
		{ "", 0 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct opt_u32 found = scst_parse_state(cases[i].text, strlen(cases[i].text));

		assert_int_equal(found.known, cases[i].value != 0);
		if (found.known)
			assert_int_equal(found.value, cases[i].value);
	}
}

#define STAT(name, state) \
	"731 (" name ") " state " 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 99\n"

static void a_process_is_known_by_its_name_and_state(void **state)
{
	static const struct {
		const char *text;
		int rc;
		bool is_scstd, answers;
	} cases[] = { { STAT("iscsi-scstd", "S"), 0, true, true },
		{ STAT("iscsi-scstd", "R"), 0, true, true },
		{ STAT("iscsi-scstd", "T"), 0, true, false },
		{ STAT("iscsi-scstd", "D"), 0, true, false }, { STAT("bash", "S"), 0, false, true },
		{ STAT("iscsi-scstd) S (x", "S"), 0, false, true },
		{ STAT("a) S 1 (iscsi-scstd", "Z"), 0, false, false },
		{ "731 (iscsi-scstd) S 1 2 3\n", -EBADMSG, false, false },
		{ "731 iscsi-scstd S\n", -EBADMSG, false, false },
		{ "731 )iscsi-scstd( S\n", -EBADMSG, false, false },
		{ "731 (iscsi-scstd)", -EBADMSG, false, false }, { "", -EBADMSG, false, false },
		{ "1 (iscsi-scstd) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 x 1\n", -EBADMSG,
			false, false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct scst_process process = { .start_time = 1 };

		assert_int_equal(scst_parse_process(cases[i].text, strlen(cases[i].text), &process),
			cases[i].rc);
		assert_int_equal(process.is_scstd, cases[i].is_scstd);
		assert_int_equal(process.answers, cases[i].answers);
		assert_true(process.start_time == (cases[i].rc ? 1 : 4711));
	}
}

/* `words` with '|' for NUL; the text of the listener as "address,address port", or "bad". */
static const char *listens(const char *words)
{
	static char out[512];
	size_t length = strlen(words), used = 0;
	char *copy = exact(words, length);
	struct scst_listener listener;

	for (size_t i = 0; i < length; i++)
		if (copy[i] == '|')
			copy[i] = 0;
	snprintf(out, sizeof(out), "bad");
	if (scst_parse_arguments(copy, length, &listener) == 0) {
		for (size_t i = 0; i < listener.address_count; i++)
			used += (size_t)snprintf(out + used, sizeof(out) - used, "%.*s,",
				(int)listener.addresses[i].length, listener.addresses[i].at);
		snprintf(out + used, sizeof(out) - used, " %u", listener.port);
	}
	free(copy);
	return out;
}

static void a_daemon_listens_where_its_arguments_say(void **state)
{
	static const struct {
		const char *words, *listens;
	} cases[] = { { "iscsi-scstd|", " 3260" }, { "x|-p|3261|", " 3261" },
		{ "x|-p3261|", " 3261" }, { "x|-fp|3261|", " 3261" },
		{ "x|--port=3261|-f|", " 3261" }, { "x|--po|3261|--foreground|", " 3261" },
		{ "x|-a|10.0.0.2|", "10.0.0.2, 3260" },
		{ "x|-a10.0.0.2 fd00::1|-p|1|", "10.0.0.2,fd00::1, 1" },
		{ "x|--address=| 10.0.0.2  |", "bad" },
		{ "x|-a| 10.0.0.2  ::1 |", "10.0.0.2,::1, 3260" },
		/* a second list goes over the first */
		{ "x|-a|1.1.1.1 2.2.2.2|-a|3.3.3.3|", "3.3.3.3,2.2.2.2, 3260" },
		{ "x|-d|255|-u|0|-g0|-c|/etc/f|-s|1|", " 3260" }, { "x|-p|3260|-p|860|", " 860" },
		{ "x|-p|", "bad" }, { "x|-p|0|", "bad" }, { "x|-p|010|", "bad" },
		{ "x|-p|65536|", "bad" }, { "x|-p|x|", "bad" }, { "x|-p||", "bad" },
		{ "x|-z|", "bad" }, { "x|--zone|1|", "bad" }, { "x|--|", "bad" }, { "x|-|", "bad" },
		{ "x|more|", "bad" }, { "x||", "bad" }, { "x|--foreground=1|", "bad" },
		{ "x|--port|", "bad" }, { "x|-v|", "bad" }, { "", "bad" }, { "x", "bad" },
		{ "x|-f", "bad" }, { "x|-p|3261", "bad" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (strcmp(listens(cases[i].words), cases[i].listens) != 0)
			fail_msg("%s: %s", cases[i].words, listens(cases[i].words));
}

static void a_daemon_has_no_more_addresses_than_its_limit(void **state)
{
	char words[1024] = "x|-a|";
	size_t length = strlen(words);

	(void)state;
	for (size_t i = 0; i < SCST_ADDRESSES_MAX; i++)
		length += (size_t)snprintf(words + length, sizeof(words) - length, "::%zu ", i);
	words[length] = '|';
	assert_string_not_equal(listens(words), "bad");
	memcpy(words + length, "::9|", 5);
	assert_string_equal(listens(words), "bad");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_is_the_first_line),
		cmocka_unit_test(a_number_is_decimal_and_in_its_range),
		cmocka_unit_test(a_counter_has_64_bits),
		cmocka_unit_test(truth_is_told_in_four_words),
		cmocka_unit_test(digests_have_a_first_and_a_second_choice),
		cmocka_unit_test(an_sid_is_isid_and_tsih_as_in_memory),
		cmocka_unit_test(a_name_is_one_line_without_a_portal),
		cmocka_unit_test(states_are_those_that_scst_has),
		cmocka_unit_test(a_process_is_known_by_its_name_and_state),
		cmocka_unit_test(a_daemon_listens_where_its_arguments_say),
		cmocka_unit_test(a_daemon_has_no_more_addresses_than_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
