/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source/open_iscsi_portal_name.h: one portal, one text, in whatever way its address was written;
 * the path keeps its number by it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "source/open_iscsi_portal_name.h"
#include "tests/support/scratch.h"
#include "tests/support/tree_text.h"

static struct root *root;

/* Interface 4 is eth2. */
static int setup(void **state)
{
	(void)state;
	scratch_begin();
	root = tree_text_open(TREE_TEXT_HEAD "file /sys/class/net/eth2/ifindex\n|4\n");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	root_close(root);
	scratch_end();
	return 0;
}

static struct oiscsi_portal_name name_of(const char *address, uint32_t port)
{
	struct oiscsi_portal_name portal;

	memset(&portal, 0xa5, sizeof(portal));
	oiscsi_portal_name(root, address, port, &portal);
	assert_int_equal(portal.port, port);
	assert_true(strlen(portal.text) < sizeof(portal.text));
	return portal;
}

static void one_portal_has_one_text(void **state)
{
	static const struct {
		const char *address, *text;
		int type;
	} rows[] = {
		{ "10.0.0.1", "10.0.0.1:3260", 1 },
		{ "[10.0.0.1]", "10.0.0.1:3260", 1 },
		{ "2001:db8::1", "[2001:db8::1]:3260", 2 },
		{ "[2001:db8::1]", "[2001:db8::1]:3260", 2 },
		{ "2001:0DB8:0:0:0:0:0:1", "[2001:db8::1]:3260", 2 },
		{ "2001:db8::0001", "[2001:db8::1]:3260", 2 },
		{ "::1", "[::1]:3260", 2 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct oiscsi_portal_name portal = name_of(rows[i].address, 3260);

		assert_string_equal(portal.text, rows[i].text);
		assert_int_equal(portal.address.type, rows[i].type);
		assert_string_equal(portal.host, "");
	}
	assert_string_equal(name_of("10.0.0.1", 65535).text, "10.0.0.1:65535");
}

static void link_local_portals_keep_their_zone(void **state)
{
	struct oiscsi_portal_name portal = name_of("fe80::0211:22ff:fe33:4455%eth2", 3260);

	(void)state;
	assert_string_equal(portal.text, "[fe80::211:22ff:fe33:4455%eth2]:3260");
	assert_int_equal(portal.address.type, 4);
	assert_memory_equal(portal.address.octets + 16, "\0\0\0\4", 4);
	/* With brackets around, as iscsiadm writes it. */
	portal = name_of("[fe80::211:22ff:fe33:4455%eth2]", 3260);
	assert_string_equal(portal.text, "[fe80::211:22ff:fe33:4455%eth2]:3260");
	/* An interface that is not there: still the same portal; no address to show. */
	portal = name_of("fe80::211:22ff:fe33:4455%eth9", 3260);
	assert_string_equal(portal.text, "[fe80::211:22ff:fe33:4455%eth9]:3260");
	assert_int_equal(portal.address.type, 0);
	assert_string_equal(portal.host, "");
	/* Without a zone there are two of them on two links. */
	assert_string_not_equal(name_of("fe80::1", 3260).text, name_of("fe80::1%eth2", 3260).text);
}

static void names_of_hosts_are_not_looked_up(void **state)
{
	static const char *const names[] = { "array-1.example", "localhost", "10.0.0", "10.0.0.256",
		"1.2.3.4.5", "2001:db8::g", "fe80::%", "%eth2", "[", "[]" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct oiscsi_portal_name portal = name_of(names[i], 3260);
		char text[64];

		if (portal.address.type == 0 && !portal.host[0])
			continue; /* an address whose zone is not there */
		assert_int_equal(portal.address.type, 0);
		assert_string_equal(portal.host, names[i]);
		snprintf(text, sizeof(text), "%s:3260", names[i]);
		assert_string_equal(portal.text, text);
	}
}

static void the_longest_name(void **state)
{
	char longest[256];
	struct oiscsi_portal_name portal;

	(void)state;
	memset(longest, 'x', 255);
	longest[255] = '\0';
	portal = name_of(longest, 65535);
	assert_string_equal(portal.host, longest);
	assert_int_equal(strlen(portal.text), 255 + 6);
	longest[0] = '['; /* and one that looks like an address */
	longest[254] = '%';
	portal = name_of(longest, 1);
	assert_string_equal(portal.host, longest);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(one_portal_has_one_text),
		TEST(link_local_portals_keep_their_zone),
		TEST(names_of_hosts_are_not_looked_up),
		TEST(the_longest_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
