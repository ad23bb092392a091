/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text keys of a login: which are kept, that nothing else is, and pairs that are spread over
 * several PDUs. In these texts '|' stands for the NUL between pairs.
 */
#include "source/open_iscsi_pdu.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct oiscsi_login_keys keys;

static int begin(void **state)
{
	(void)state;
	memset(&keys, 0xa5, sizeof(keys));
	oiscsi_login_keys_reset(&keys);
	return 0;
}

/* Adds a part; the memory of it ends where the text does. */
static void add(const char *text, size_t length, bool more)
{
	char *copy = malloc(length ? length : 1);

	assert_non_null(copy);
	for (size_t i = 0; i < length; i++)
		copy[i] = (char)(text[i] == '|' ? '\0' : text[i]);
	oiscsi_login_keys_add(&keys, copy, length, more);
	free(copy);
}

static void add_all(const char *text)
{
	add(text, strlen(text), false);
}

static bool memory_has(const char *word)
{
	return memmem(&keys, sizeof(keys), word, strlen(word)) != NULL;
}

static void the_kept_ones(void **state)
{
	(void)state;
	add_all("TargetAlias=North|TargetPortalGroupTag=1|MaxConnections=4|DefaultTime2Wait=3600|"
		"DefaultTime2Retain=0|TargetAddress=10.0.0.1:3261,1|HeaderDigest=CRC32C|");
	assert_string_equal(keys.target_alias, "North");
	assert_string_equal(keys.target_address, "10.0.0.1:3261");
	assert_int_equal(keys.max_connections.value, 4);
	assert_int_equal(keys.time2wait.value, 3600);
	assert_true(keys.time2retain.known);
	assert_true(keys.portal_group_told);
	assert_false(memory_has("Digest"));
}

static void none_of_them(void **state)
{
	(void)state;
	add_all("");
	add_all("|||");
	add_all("TargetPortalGroup=1|TargetPortalGroupTag|TargetAlia|targetalias=x|XTargetAlias=y|=|DefaultTime2Wait|A=TargetAlias=z|");
	assert_string_equal(keys.target_alias, "");
	assert_false(keys.time2wait.known || keys.time2retain.known || keys.max_connections.known);
	assert_false(keys.portal_group_told);
}

static void values_out_of_range_are_unknown(void **state)
{
	static const char *const wrong[] = { "3601", "-1", "", "x", "Reject", "NotUnderstood",
		"99999999999999999999", "1 2" };
	char text[80];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		add_all("DefaultTime2Wait=2|MaxConnections=1|");
		assert_true(keys.time2wait.known && keys.max_connections.known);
		/* The last word counts: a refusal takes back what was there. */
		snprintf(text, sizeof(text), "DefaultTime2Wait=%s|MaxConnections=%s|", wrong[i],
			i ? wrong[i] : "0");
		add_all(text);
		assert_false(keys.time2wait.known);
		assert_false(i > 0 && i != 7 && keys.max_connections.known);
	}
	add_all("MaxConnections=65536|");
	assert_false(keys.max_connections.known);
}

static void an_alias_is_made_safe(void **state)
{
	char text[512] = "TargetAlias=";

	(void)state;
	add_all("TargetAlias=a\nb\x01\xff|");
	assert_string_equal(keys.target_alias, "a?b??");
	memset(text + 12, 'x', 270);
	add_all(text);
	assert_int_equal(strlen(keys.target_alias), 255);
	/* Far too long to be one. */
	memset(text + 12, 'y', 400);
	add_all(text);
	assert_int_equal(keys.target_alias[0], 'x');
	add_all("TargetAlias=|");
	assert_string_equal(keys.target_alias, "");
}

static void secrets_are_never_kept(void **state)
{
	static const char text[] =
		"AuthMethod=CHAP|CHAP_A=5|CHAP_I=1|CHAP_C=0xcanary1|"
		"TargetAlias=ok|CHAP_N=canary2|CHAP_R=0xcanary3|CHAP_R=0xcanary4";

	(void)state;
	for (size_t split = 0; split < strlen(text); split++) {
		oiscsi_login_keys_reset(&keys);
		add(text, split, true);
		assert_false(memory_has("CHAP") || memory_has("canary"));
		add(text + split, strlen(text) - split, false);
		assert_false(memory_has("CHAP") || memory_has("canary"));
		assert_string_equal(keys.target_alias, "ok");
	}
}

static void a_pair_may_be_spread_over_pdus(void **state)
{
	static const char text[] =
		"X=1|TargetAlias=North east|DefaultTime2Retain=20|Y=DefaultTime2Wait=7|"
		"MaxConnections=1|DefaultTime2Wait=2";
	size_t length = strlen(text);

	(void)state;
	for (size_t first = 0; first <= length; first++) {
		for (size_t second = first; second <= length; second++) {
			oiscsi_login_keys_reset(&keys);
			add(text, first, true);
			add(text + first, second - first, true);
			add(text + second, length - second, false);
			assert_string_equal(keys.target_alias, "North east");
			assert_int_equal(keys.time2retain.value, 20);
			assert_int_equal(keys.max_connections.value, 1);
			assert_true(keys.time2wait.known);
			assert_int_equal(keys.time2wait.value, 2);
		}
	}
}

static void a_pair_that_is_not_continued_ends(void **state)
{
	(void)state;
	add_all("DefaultTime2Wait=2");
	assert_int_equal(keys.time2wait.value, 2);
	/* What follows is a PDU of its own. */
	add_all("5|DefaultTime2Retain=1");
	assert_int_equal(keys.time2wait.value, 2);
	assert_int_equal(keys.time2retain.value, 1);
}

static void a_pair_without_end_does_not_grow(void **state)
{
	char text[200];

	(void)state;
	memset(text, 'z', sizeof(text));
	add("TargetAlias=", 12, true);
	for (int i = 0; i < 1000; i++)
		add(text, sizeof(text), true);
	add("|DefaultTime2Wait=2", 19, false);
	assert_string_equal(keys.target_alias, "");
	assert_int_equal(keys.time2wait.value, 2);
}

static void an_address_that_is_too_long_is_none(void **state)
{
	char text[512] = "TargetAddress=";

	(void)state;
	add_all("TargetAddress=[2001:db8::1]:3260,65535|");
	assert_string_equal(keys.target_address, "[2001:db8::1]:3260");
	memset(text + 14, 'a', 400);
	add_all(text);
	assert_string_equal(keys.target_address, "[2001:db8::1]:3260");
	text[14 + 287] = '\0';
	add_all(text);
	assert_int_equal(strlen(keys.target_address), 287);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, begin)
	const struct CMUnitTest tests[] = {
		TEST(the_kept_ones),
		TEST(none_of_them),
		TEST(values_out_of_range_are_unknown),
		TEST(an_alias_is_made_safe),
		TEST(secrets_are_never_kept),
		TEST(a_pair_may_be_spread_over_pdus),
		TEST(a_pair_that_is_not_continued_ends),
		TEST(a_pair_without_end_does_not_grow),
		TEST(an_address_that_is_too_long_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
