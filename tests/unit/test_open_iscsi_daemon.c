/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source/open_iscsi_daemon.h: whether iscsid runs. It must not be said to be gone while it may be
 * there under another name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/buf.h"
#include "source/open_iscsi_daemon.h"
#include "tests/support/scratch.h"
#include "tests/support/tree_set.h"
#include "tests/support/tree_text.h"

#define TABLE "/proc/net/netlink"
#define HEAD \
	"sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n"
#define LINE(protocol, pid, groups)                         \
	"00000000804f6c27 " protocol "   " pid "   " groups \
	" 0        0        0     2        0        10139   \n"

static struct root *root;

static int setup(void **state)
{
	(void)state;
	scratch_begin();
	root = tree_text_open(TREE_TEXT_HEAD);
	tree_set_file(root, "/proc/259/comm", "iscsid\n");
	tree_set_file(root, "/proc/700/comm", "iscsi-r-open-is\n"); /* as the kernel cuts it */
	tree_set_file(root, "/proc/701/comm", "iscsi-agentx-a\n");
	tree_set_file(root, "/proc/300/comm", "iscsiuio\n");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	root_close(root);
	scratch_end();
	return 0;
}

static enum oiscsi_daemon look(const char *table)
{
	tree_set_file(root, TABLE, table);
	return oiscsi_daemon_look(root);
}

static void the_listeners_of_a_table(void **state)
{
	/* Of a machine with iscsid and a monitor of all netlink. */
	static const char text[] = HEAD LINE("0", "0", "00000000") LINE("4", "0", "00000000")
		LINE("8", "2563504545", "00000002") LINE("8", "0", "00000000")
			LINE("8", "259", "00000001") LINE("8", "287", "00000003")
				LINE("15", "301", "00000001") LINE("8", "288", "80000000");
	uint32_t ports[4] = { 0 };

	(void)state;
	assert_int_equal(oiscsi_listeners_parse(text, ports, 4), 2);
	assert_int_equal(ports[0], 259);
	assert_int_equal(ports[1], 287);
	/* More than there is room for: counted, and nothing written behind it. */
	ports[1] = 7;
	assert_int_equal(oiscsi_listeners_parse(text, ports, 1), 2);
	assert_int_equal(ports[1], 7);
	assert_int_equal(oiscsi_listeners_parse(text, NULL, 0), 2);
}

static void texts_that_are_no_table(void **state)
{
	static const char *const texts[] = { "", "\n\n\n", "sk Eth Pid Groups\n", "x 8\n",
		"x 8 1\n", "x 8 1 2\n", "x eight 1 1\n", "8 1 1\n", "x 8 1 0x\n" };
	uint32_t ports[4];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_int_equal(oiscsi_listeners_parse(texts[i], ports, 4), 0);
	assert_int_equal(oiscsi_listeners_parse("x 8 5 00000001", ports, 4), 1); /* cut short */
}

static void it_runs(void **state)
{
	(void)state;
	assert_int_equal(look(HEAD LINE("8", "259", "00000001")), OISCSI_DAEMON_RUNS);
	/* Among others, in any order. */
	assert_int_equal(look(HEAD LINE("8", "700", "00000001") LINE("8", "300", "00000001")
					 LINE("8", "259", "00000001")),
		OISCSI_DAEMON_RUNS);
	tree_set_file(root, "/proc/259/comm", "iscsid");
	assert_int_equal(look(HEAD LINE("8", "259", "00000001")), OISCSI_DAEMON_RUNS);
}

static void it_has_gone(void **state)
{
	(void)state;
	assert_int_equal(look(HEAD), OISCSI_DAEMON_GONE);
	assert_int_equal(look(HEAD LINE("8", "0", "00000000")), OISCSI_DAEMON_GONE);
	/* This program listens too. */
	assert_int_equal(look(HEAD LINE("8", "700", "00000001") LINE("8", "701", "00000001")),
		OISCSI_DAEMON_GONE);
	/* It has a socket, but does not listen: it is ending, or is no iscsid. */
	assert_int_equal(look(HEAD LINE("8", "259", "00000000")), OISCSI_DAEMON_GONE);
}

static void it_may_be_there(void **state)
{
	(void)state;
	/* A name that is not its own: a wrapper, or the number of a process in a container. */
	assert_int_equal(look(HEAD LINE("8", "300", "00000001")), OISCSI_DAEMON_UNKNOWN);
	tree_set_file(root, "/proc/259/comm", "iscsid-wrapper\n");
	assert_int_equal(look(HEAD LINE("8", "259", "00000001")), OISCSI_DAEMON_UNKNOWN);
	/* No process of the number, or it cannot be read. */
	assert_int_equal(look(HEAD LINE("8", "4294963200", "00000001")), OISCSI_DAEMON_UNKNOWN);
	tree_set_file_error(root, "/proc/259/comm", -EACCES);
	assert_int_equal(look(HEAD LINE("8", "259", "00000001")), OISCSI_DAEMON_UNKNOWN);
}

static void a_table_that_cannot_be_read(void **state)
{
	(void)state;
	assert_int_equal(oiscsi_daemon_look(root), OISCSI_DAEMON_UNKNOWN);
	tree_set_file_error(root, TABLE, -EACCES);
	assert_int_equal(oiscsi_daemon_look(root), OISCSI_DAEMON_UNKNOWN);
	/* Empty is not the table either: it has a head. */
	assert_int_equal(look(""), OISCSI_DAEMON_UNKNOWN);
}

static void more_listeners_than_are_looked_at(void **state)
{
	CLEANUP_BUF struct buf text = BUF_INIT(1u << 20);

	(void)state;
	buf_text(&text, HEAD);
	for (int i = 0; i < 64; i++)
		buf_text(&text, LINE("8", "700", "00000001"));
	assert_int_equal(look(text.data), OISCSI_DAEMON_GONE);
	buf_text(&text, LINE("8", "700", "00000001")); /* it may be the last one */
	assert_int_equal(look(text.data), OISCSI_DAEMON_UNKNOWN);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_listeners_of_a_table),
		cmocka_unit_test(texts_that_are_no_table),
		TEST(it_runs),
		TEST(it_has_gone),
		TEST(it_may_be_there),
		TEST(a_table_that_cannot_be_read),
		TEST(more_listeners_than_are_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
