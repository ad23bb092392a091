/* SPDX-License-Identifier: BSD-2-Clause */
/* /proc/net/netlink: recorded from Linux 6.1 while iscsid was running, and what no kernel prints.
 */
#include "base/netlink.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define ISCSI	 8
#define OUR_PORT 133

#define HEADING \
	"sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n"
#define KERNEL \
	"00000000260f5b46 8   0          00000000 0        0        0     2        0        1287    \n"
#define OURS \
	"00000000c75ddd4c 8   133        00000001 0        0        0     2        0        1315    \n"
#define ISCSID \
	"000000000d615582 8   163        00000001 0        0        0     2        0        11230   \n"
#define OTHERS                                                                                          \
	"00000000c5d2145a 0   0          00000000 0        0        0     2        0        4       \n" \
	"00000000c794018f 4   0          00000000 0        0        0     2        0        11071   \n"

static struct netlink_table table;

static int parse(const char *text)
{
	memset(&table, 0xff, sizeof(table));
	return netlink_table_parse(text, strlen(text), ISCSI, 1, OUR_PORT, &table);
}

static void a_recorded_table(void **state)
{
	(void)state;
	assert_int_equal(parse(HEADING OTHERS ISCSID OURS KERNEL), 0);
	assert_true(table.kernel);
	assert_int_equal(table.members, 1);
	assert_int_equal(table.most_queued, 0);
}

static void only_the_protocol_counts(void **state)
{
	(void)state;
	assert_int_equal(parse(HEADING OTHERS), 0);
	assert_false(table.kernel);
	assert_int_equal(table.members, 0);
	/* Another network namespace: a socket of ours, but none of the kernel. */
	assert_int_equal(parse(HEADING OTHERS OURS), 0);
	assert_false(table.kernel);
	assert_int_equal(table.members, 0);
}

static void the_fullest_queue_of_the_members(void **state)
{
	(void)state;
	assert_int_equal(parse(HEADING KERNEL "0 8 7 00000001 4000 0 0 2 0 1\n"
					      "0 8 8 00000003 71000 0 0 2 0 1\n"
					      "0 8 9 00000002 99999 0 0 2 0 1\n" /* iscsiuio */
					      "0 8 133 00000001 88888 0 0 2 0 1\n"
					      "0 8 4294967295 80000001 12 0 0 2 0 1\n"),
		0);
	assert_int_equal(table.members, 3);
	assert_int_equal(table.most_queued, 71000);
}

static void the_other_groups(void **state)
{
	const char *text = HEADING "0 8 7 80000000 1 0 0 2 0 1\n";

	(void)state;
	assert_int_equal(netlink_table_parse(text, strlen(text), ISCSI, 32, 0, &table), 0);
	assert_int_equal(table.members, 1);
	assert_int_equal(netlink_table_parse(text, strlen(text), ISCSI, 31, 0, &table), 0);
	assert_int_equal(table.members, 0);
}

static void nothing_is_an_empty_table(void **state)
{
	(void)state;
	assert_int_equal(parse(""), 0);
	assert_false(table.kernel);
	assert_int_equal(parse(HEADING "\n"), 0);
	assert_int_equal(parse("sk"), 0);
}

static void what_is_no_row_is_refused(void **state)
{
	static const char *const wrong[] = {
		"x\n",
		"0 8 7 00000001\n",
		"0 8 7 0000000g 1 0\n",
		"0 8 7 100000000 1 0\n",
		"0 8 -1 00000001 1 0\n",
		"0 8 7 00000001 -5 0\n",
		"0 8 4294967296 00000001 5 0\n",
		"0 8 7 0000000000000000000000000001 5 0\n",
		" \n",
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct netlink_table untouched;

		snprintf(text, sizeof(text), "%s%s", HEADING, wrong[i]);
		memset(&untouched, 0xff, sizeof(untouched));
		assert_int_equal(parse(text), -EBADMSG);
		assert_memory_equal(&table, &untouched, sizeof(table));
	}
}

/* Cut anywhere it is refused, or has less in it, and nothing behind it is read. */
static void a_cut_table(void **state)
{
	static const char text[] = HEADING ISCSID OURS KERNEL;

	(void)state;
	for (size_t length = 0; length < sizeof(text); length++) {
		char *copy = malloc(length ? length : 1);

		assert_non_null(copy);
		memcpy(copy, text, length);
		netlink_table_parse(copy, length, ISCSI, 1, OUR_PORT, &table);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_recorded_table),
		cmocka_unit_test(only_the_protocol_counts),
		cmocka_unit_test(the_fullest_queue_of_the_members),
		cmocka_unit_test(the_other_groups),
		cmocka_unit_test(nothing_is_an_empty_table),
		cmocka_unit_test(what_is_no_row_is_refused),
		cmocka_unit_test(a_cut_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
