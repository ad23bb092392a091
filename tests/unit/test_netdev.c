/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source/netdev.h: which interface an address is on, or leads to, from the tables of the kernel;
 * and that nothing is told where it could be another one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "source/netdev.h"
#include "tests/support/scratch.h"
#include "tests/support/tree_set.h"
#include "tests/support/tree_text.h"

enum { UP = 1, GATEWAY = 2, REJECT = 0x200 };

/* A route of IPv4. */
struct route {
	const char *netdev;
	uint8_t destination[4];
	const char *gateway;
	unsigned int flags, metric, prefix;
};

static struct netdevs netdevs;

static int setup(void **state)
{
	(void)state;
	memset(&netdevs, 0, sizeof(netdevs));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	netdevs_clear(&netdevs);
	return 0;
}

/* As Linux prints them: numbers in the order of this machine. */
static void add_routes(const struct route *routes, size_t count)
{
	CLEANUP_BUF struct buf text = BUF_INIT(1u << 20);

	buf_text(&text, "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\t"
			"Window\tIRTT                                                       \n");
	for (size_t i = 0; i < count; i++) {
		const struct route *r = &routes[i];
		const uint32_t bits = r->prefix ? UINT32_MAX << (32 - r->prefix) : 0;
		const uint8_t mask[4] = { (uint8_t)(bits >> 24), (uint8_t)(bits >> 16),
			(uint8_t)(bits >> 8), (uint8_t)bits };
		uint32_t destination_number, mask_number;

		memcpy(&destination_number, r->destination, 4);
		memcpy(&mask_number, mask, 4);
		buf_printf(&text, "%s\t%08X\t%s\t%04X\t0\t0\t%u\t%08X\t0\t0\t0%20s\n", r->netdev,
			destination_number, r->gateway ? r->gateway : "00000000", r->flags,
			r->metric, mask_number, "");
	}
	assert_int_equal(netdevs_parse_route(&netdevs, text.data), 0);
}

#define ADD_ROUTES(...)                                               \
	do {                                                          \
		static const struct route routes[] = { __VA_ARGS__ }; \
		add_routes(routes, ARRAY_SIZE(routes));               \
	} while (0)

static struct text_address address(const char *text)
{
	struct text_address parsed;

	if (text_to_address(text, &parsed) < 0)
		fail_msg("%s is no address", text);
	return parsed;
}

/* "" when nothing is told. */
static const char *to_remote(const char *text)
{
	static char name[IF_NAMESIZE];
	const struct text_address remote = address(text);
	bool told = netdev_to_remote(&netdevs, &remote, name);

	assert_int_equal(told, name[0] != '\0');
	return name;
}

static const char *of_local(const char *text)
{
	static char name[IF_NAMESIZE];
	const struct text_address local = address(text);
	bool told = netdev_of_local(&netdevs, &local, name);

	assert_int_equal(told, name[0] != '\0');
	return name;
}

/* ---- IPv4 ---- */

static void the_longest_prefix_then_the_lowest_metric(void **state)
{
	(void)state;
	ADD_ROUTES({ "eth0", { 0 }, "0101A8C0", UP | GATEWAY, 100, 0 },
		{ "wlan0", { 0 }, "0102A8C0", UP | GATEWAY, 600, 0 },
		{ "eth1", { 10, 10, 1, 0 }, NULL, UP, 0, 24 },
		{ "eth2", { 10, 10, 0, 0 }, NULL, UP, 0, 16 },
		{ "eth3", { 10, 10, 1, 129 }, "0101A8C0", UP | GATEWAY, 900, 32 },
		{ "eth4", { 10, 10, 1, 128 }, NULL, UP, 0, 25 });
	assert_string_equal(to_remote("10.10.1.2"), "eth1");
	assert_string_equal(to_remote("10.10.2.2"), "eth2");
	assert_string_equal(to_remote("10.10.1.130"), "eth4");
	assert_string_equal(to_remote("10.10.1.127"), "eth1");
	assert_string_equal(to_remote("127.0.0.5"), "lo");
	/* Through a gateway: it may be the first of several next hops. */
	assert_string_equal(to_remote("10.10.1.129"), "");
	assert_string_equal(to_remote("192.0.2.1"), "");
}

static void two_that_are_as_good_tell_nothing(void **state)
{
	(void)state;
	ADD_ROUTES({ "eth0", { 10, 0, 0, 0 }, NULL, UP, 5, 24 },
		{ "eth1", { 10, 0, 0, 0 }, NULL, UP, 5, 24 },
		{ "eth0", { 10, 0, 1, 0 }, NULL, UP, 5, 24 },
		{ "eth0", { 10, 0, 1, 0 }, NULL, UP, 5, 24 },
		{ "eth2", { 10, 0, 2, 0 }, NULL, UP, 7, 24 },
		{ "eth3", { 10, 0, 2, 0 }, NULL, UP, 7, 24 },
		{ "eth4", { 10, 0, 2, 0 }, NULL, UP, 3, 24 });
	assert_string_equal(to_remote("10.0.0.9"), "");
	assert_string_equal(to_remote("10.0.1.9"), "eth0"); /* the same interface twice */
	assert_string_equal(to_remote("10.0.2.9"), "eth4"); /* a better one after two */
	assert_string_equal(to_remote("10.0.3.9"), "");
}

static void routes_that_do_not_count(void **state)
{
	(void)state;
	ADD_ROUTES({ "eth0", { 10, 0, 0, 0 }, NULL, 0, 0, 24 },
		{ "*", { 10, 0, 1, 0 }, NULL, UP | REJECT, 0, 24 },
		{ "a.very.long.name", { 10, 0, 2, 0 }, NULL, UP, 0, 24 },
		{ "a/b", { 10, 0, 3, 0 }, NULL, UP, 0, 24 },
		{ ".", { 10, 0, 4, 0 }, NULL, UP, 0, 24 },
		{ "*", { 10, 0, 5, 0 }, NULL, UP, 0, 24 }, /* blackhole, throw */
		{ "fifteen.letters", { 10, 0, 6, 0 }, NULL, UP, 0, 24 });
	for (int i = 0; i < 6; i++) {
		char text[24];

		snprintf(text, sizeof(text), "10.0.%d.1", i);
		assert_string_equal(to_remote(text), "");
		assert_string_equal(of_local(text), "");
	}
	assert_string_equal(to_remote("10.0.6.1"), "fifteen.letters");
}

/* A local address is in a network of its interface; a way that leads on tells nothing of it. */
static void the_owner_of_a_local_address(void **state)
{
	(void)state;
	ADD_ROUTES({ "eth0", { 0 }, "0101A8C0", UP | GATEWAY, 0, 0 },
		{ "eth1", { 10, 0, 1, 0 }, NULL, UP, 900, 24 },
		{ "eth2", { 10, 0, 1, 0 }, "0101A8C0", UP | GATEWAY, 0, 25 },
		{ "eth3", { 10, 0, 3, 0 }, NULL, UP, 100, 24 },
		{ "eth4", { 10, 0, 3, 0 }, NULL, UP, 200, 24 });
	assert_string_equal(of_local("10.0.1.5"), "eth1");
	assert_string_equal(of_local("10.0.2.5"), "");
	assert_string_equal(of_local("10.0.3.5"), ""); /* whatever the metrics: it may be either */
	assert_string_equal(of_local("127.0.0.1"), "lo");
}

/* "10.0.0.0/16 via inet6 fe80::1 dev eth0": the kernel has no room for that gateway. */
static void a_gateway_of_the_other_family(void **state)
{
	static const char text[] = "eth0\t0000000A\t00000000\t0003\t0\t0\t20\t0000FFFF\t0\t0\t0\n";

	(void)state;
	assert_int_equal(netdevs_parse_route(&netdevs, text), 0);
	assert_string_equal(of_local("10.0.0.5"), "");
	assert_string_equal(to_remote("10.0.0.9"), "");
}

static void lines_of_another_form_are_left_out(void **state)
{
	static const char text[] =
		"eth0\t0000000A\t00000000\t0001\t0\t0\t0\n"			/* no mask */
		"eth0\t000A\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0\n"	/* short */
		"eth0\t0000000A0\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0\n" /* long */
		"eth0\t0000000G\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0\n"
		"eth0\t0000000A\t00000000\t0001\t0\t0\t-1\t000000FF\t0\t0\t0\n"
		"\n\n\t \t\n"
		"eth9\t0000000B\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0"; /* no newline */
	CLEANUP_BUF struct buf endless = BUF_INIT(1u << 20);

	(void)state;
	assert_int_equal(netdevs_parse_route(&netdevs, text), 0);
	assert_int_equal(netdevs.route_count, 1);
	assert_string_equal(netdevs.routes[0].netdev, "eth9");
	assert_int_equal(netdevs.routes[0].prefix, 8);
	/* A line without end, and a good one after it. */
	buf_text(&endless, "eth0\t0000000A\t00000000\t0001\t0\t0\t0\t000000FF");
	for (int i = 0; i < 5000; i++)
		buf_text(&endless, "\t0");
	buf_text(&endless, "\neth8\t0000000C\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0\n");
	assert_int_equal(netdevs_parse_route(&netdevs, endless.data), 0);
	assert_int_equal(netdevs.route_count, 2);
	assert_string_equal(netdevs.routes[1].netdev, "eth8");
}

/* ---- IPv6 ---- */

#define ZERO "00000000000000000000000000000000"

static const char ipv6_routes[] =
	"fd000001000000000000000000000000 40 " ZERO " 00 " ZERO
	" 00000100 00000002 00000000 00000001     eth1\n" ZERO " 00 " ZERO
	" 00 fe800000000000000000000000000001"
	" 00000400 00000001 00000000 00000003     eth0\n"
	"fd000001000000000000000000000001 80 " ZERO " 00 " ZERO
	" 00000000 00000003 00000000 80200001     eth1\n"
	"fd000009000000000000000000000000 40 " ZERO " 00 " ZERO
	" ffffffff 00000001 00000000 00200200       lo\n" ZERO " 81 " ZERO " 00 " ZERO
	" 00000000 00000001 00000000 00000001     eth7\n" ZERO " 00 " ZERO " 00 " ZERO
	" ffffffff 00000001 00000000 00200200       lo\n";

static const char if_inet6[] = "fd000001000000000000000000000001 03 40 00 82     eth1\n"
			       "fe80000000000000021122fffe334455 03 40 20 80     eth1\n"
			       "fe80000000000000021122fffe334466 0a 40 20 80     eth2\n"
			       "fe800000000000000000000000000001 03 40 20 80     eth1\n"
			       "fe800000000000000000000000000001 0a 40 20 80     eth2\n"
			       "00000000000000000000000000000001 01 80 10 80       lo\n"
			       "fe8000000000000000000000000000 03 40 20 80       eth1\n"
			       "fe80000000000000000000000000000g 03 40 20 80     eth1\n"
			       "fe800000000000000000000000000002 123456789 40 20 80 eth1\n";

static void add_ipv6(void)
{
	assert_int_equal(netdevs_parse_ipv6_route(&netdevs, ipv6_routes), 0);
	assert_int_equal(netdevs_parse_if_inet6(&netdevs, if_inet6), 0);
	assert_int_equal(netdevs.route_count, 3);
	assert_int_equal(netdevs.address_count, 6);
}

static struct text_address with_zone(const char *text, uint32_t zone)
{
	struct text_address parsed = address(text);

	parsed.type = 4;
	parsed.length = 20;
	for (int i = 0; i < 4; i++)
		parsed.octets[16 + i] = (uint8_t)(zone >> (24 - 8 * i));
	return parsed;
}

static void ipv6_by_route(void **state)
{
	(void)state;
	add_ipv6();
	assert_string_equal(to_remote("fd00:1::2"), "eth1");
	assert_string_equal(to_remote("2001:db8::1"), ""); /* through a gateway */
	assert_string_equal(to_remote("fd00:1::1"), "lo"); /* this host itself */
	assert_string_equal(to_remote("::1"), "lo");
	/* A route of IPv4 is none for it, nor the other way round. */
	assert_string_equal(to_remote("10.0.0.1"), "");
}

static void ipv6_by_owner(void **state)
{
	(void)state;
	add_ipv6();
	assert_string_equal(of_local("fd00:1::1"), "eth1");
	assert_string_equal(of_local("fe80::211:22ff:fe33:4466"), "eth2");
	assert_string_equal(of_local("fd00:1::9"), "");
	/* Two interfaces may have the same one on their own links. */
	assert_string_equal(of_local("fe80::1"), "");
}

/* ---- connections ---- */

/* "" is an address that is not known. */
static const char *of_connection(const char *local, const char *remote)
{
	static char name[IF_NAMESIZE];
	const struct text_address none = { .type = 0 };
	const struct text_address from = *local ? address(local) : none;
	const struct text_address to = *remote ? address(remote) : none;
	bool told = netdev_of_connection(&netdevs, &from, &to, name);

	assert_int_equal(told, name[0] != '\0');
	return name;
}

static void a_connection_of_ipv4(void **state)
{
	(void)state;
	ADD_ROUTES({ "eth0", { 10, 0, 1, 0 }, NULL, UP, 0, 24 },
		{ "eth1", { 10, 0, 2, 0 }, NULL, UP, 0, 24 },
		{ "eth2", { 10, 0, 3, 0 }, NULL, UP, 100, 24 },
		{ "eth3", { 10, 0, 3, 0 }, NULL, UP, 200, 24 },
		/* two next hops, by eth0 and eth1: this is all that is printed */
		{ "eth0", { 10, 9, 0, 0 }, "0101000A", UP | GATEWAY, 20, 16 });
	assert_string_equal(of_connection("10.0.2.5", "10.9.0.1"), "eth1");
	assert_string_equal(of_connection("10.0.2.5", ""), "eth1");
	assert_string_equal(of_connection("", "10.0.2.9"), "eth1");
	assert_string_equal(of_connection("10.0.2.5", "10.0.2.5"), "lo");
	assert_string_equal(of_connection("127.0.0.1", "127.0.0.2"), "lo");
	/* A local address of the host, not of a link; or of one of two links. */
	assert_string_equal(of_connection("10.8.0.5", "10.9.0.1"), "");
	assert_string_equal(of_connection("10.0.3.5", "10.0.3.9"), "");
	assert_string_equal(of_connection("", "10.9.0.1"), "");
	assert_string_equal(of_connection("", ""), "");
}

static void a_connection_of_ipv6(void **state)
{
	/* fd00:8::1/128 is on lo, fd00:8::2/128 on a dummy, fd00:8::3/128 on eth1 (by DHCP). */
	static const char addresses[] = "fd000008000000000000000000000001 01 80 00 80       lo\n"
					"fd000008000000000000000000000002 04 80 00 80   dummy0\n"
					"fd000008000000000000000000000003 03 80 00 80     eth1\n"
					"fd000008000000000000000000000004 04 80 00 80   dummy0\n";
	static const char routes[] =
		"fd000009000000000000000000000000 40 " ZERO " 00 " ZERO
		" 00000100 00000001 00000000 00000001     eth1\n"
		"fd000007000000000000000000000000 40 " ZERO " 00 "
		"fe800000000000000000000000000001 00000014 00000001 00000000 00000003 eth2\n"
		"fd000008000000000000000000000004 80 " ZERO " 00 " ZERO
		" 00000000 00000003 00000000 80200001   dummy0\n"
		"fe800000000000000000000000000000 40 " ZERO " 00 " ZERO
		" 00000100 00000001 00000000 00000001   dummy0\n";

	(void)state;
	assert_int_equal(netdevs_parse_if_inet6(&netdevs, addresses), 0);
	/* Without routes the owner is told, but for the loopback. */
	assert_string_equal(of_connection("fd00:8::2", "fd00:9::1"), "dummy0");
	assert_string_equal(of_connection("fd00:8::1", "fd00:9::1"), "");
	assert_int_equal(netdevs_parse_ipv6_route(&netdevs, routes), 0);
	assert_string_equal(of_connection("fd00:8::1", "fd00:9::1"), "eth1");
	assert_string_equal(of_connection("fd00:8::2", "fd00:9::1"), "eth1");
	assert_string_equal(of_connection("fd00:8::3", "fd00:9::1"), "eth1");
	assert_string_equal(of_connection("", "fd00:9::1"), "eth1");
	/* Through a gateway: it may be one of a group of next hops. */
	assert_string_equal(of_connection("fd00:8::1", "fd00:7::1"), "");
	/* Where no route is known, the owner is. */
	assert_string_equal(of_connection("fd00:8::3", "2001:db8::1"), "eth1");
	assert_string_equal(of_connection("fd00:8::3", ""), "eth1");
	assert_string_equal(of_connection("fd00:8::1", ""), "");
	/* This host is the target too. */
	assert_string_equal(of_connection("fd00:8::1", "fd00:8::1"), "lo");
	assert_string_equal(of_connection("fd00:8::3", "fd00:8::4"), "lo");
}

static void ipv6_by_zone(void **state)
{
	static const struct {
		uint32_t zone;
		const char *local, *remote;
	} rows[] = { { 3, "eth1", "eth1" }, { 10, "eth2", "eth2" }, { 11, "", "" } };
	char name[IF_NAMESIZE];

	(void)state;
	add_ipv6();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct text_address one = with_zone("fe80::1", rows[i].zone);

		netdev_of_local(&netdevs, &one, name);
		assert_string_equal(name, rows[i].local);
		netdev_to_remote(&netdevs, &one, name);
		assert_string_equal(name, rows[i].remote);
	}
}

static void an_address_that_is_none(void **state)
{
	const struct text_address none = { .type = 0 };
	char name[IF_NAMESIZE] = "x";

	(void)state;
	add_ipv6();
	assert_false(netdev_of_local(&netdevs, &none, name));
	assert_string_equal(name, "");
	assert_false(netdev_to_remote(&netdevs, &none, name));
	netdevs_clear(&netdevs); /* and tables that are empty */
	assert_string_equal(to_remote("10.0.0.1"), "");
	assert_string_equal(of_local("fd00:1::1"), "");
}

/* ---- files ---- */

/* A kernel without IPv6 has one of them only; a table that is none has no rows. */
static void tables_that_are_not_there_are_empty(void **state)
{
	struct root *root = tree_text_open(
		TREE_TEXT_HEAD "file /proc/net/if_inet6\n"
			       "|fd000001000000000000000000000001 03 40 00 82     eth1\n"
			       "error /proc/net/ipv6_route read ENOENT\n"
			       "file /proc/net/route\n"
			       "|\\000\\001\\377 not a table\n");

	(void)state;
	assert_int_equal(netdevs_read(root, &netdevs), 0);
	assert_int_equal(netdevs.route_count, 0);
	assert_int_equal(netdevs.address_count, 1);
	assert_string_equal(of_local("fd00:1::1"), "eth1");
	root_close(root);
}

/* Half of the tables could tell another interface than all of them. */
static void without_one_of_the_tables_nothing_is_told(void **state)
{
	struct root *root = tree_text_open(
		TREE_TEXT_HEAD "file /proc/net/if_inet6\n"
			       "|fd000001000000000000000000000001 03 40 00 82     eth1\n"
			       "error /proc/net/ipv6_route read EIO\n");

	(void)state;
	assert_int_equal(netdevs_read(root, &netdevs), -EIO);
	assert_int_equal(netdevs.address_count, 0);
	root_close(root);
}

static void speeds(void **state)
{
	static const struct {
		const char *text;
		uint32_t speed; /* 0 unknown */
	} rows[] = { { "10000\n", 10000 }, { "1\n", 1 }, { "0\n", 0 }, { "-1\n", 0 },
		{ "4294967295\n", 0 }, { "2147483647\n", 2147483647 }, { "", 0 }, { "fast\n", 0 },
		{ "10 000\n", 0 }, { "99999999999999999999\n", 0 } };
	struct root *root = tree_text_open(TREE_TEXT_HEAD);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct opt_u32 speed;

		tree_set_file(root, "/sys/class/net/eth0/speed", rows[i].text);
		speed = netdev_speed(root, "eth0");
		assert_int_equal(speed.known, rows[i].speed != 0);
		if (speed.known)
			assert_int_equal(speed.value, rows[i].speed);
	}
	tree_set_file_error(root, "/sys/class/net/eth0/speed", -EINVAL); /* it is down */
	assert_false(netdev_speed(root, "eth0").known);
	assert_false(netdev_speed(root, "eth1").known);
	assert_false(netdev_speed(root, "").known);
	assert_false(netdev_speed(root, "../../../etc").known);
	root_close(root);
}

static int begin_files(void **state)
{
	scratch_begin();
	return setup(state);
}

static int end_files(void **state)
{
	teardown(state);
	scratch_end();
	return 0;
}

int main(void)
{
#define TEST(name)  cmocka_unit_test_setup_teardown(name, setup, teardown)
#define FILES(name) cmocka_unit_test_setup_teardown(name, begin_files, end_files)
	const struct CMUnitTest tests[] = {
		TEST(the_longest_prefix_then_the_lowest_metric),
		TEST(two_that_are_as_good_tell_nothing),
		TEST(routes_that_do_not_count),
		TEST(the_owner_of_a_local_address),
		TEST(a_gateway_of_the_other_family),
		TEST(lines_of_another_form_are_left_out),
		TEST(ipv6_by_route),
		TEST(ipv6_by_owner),
		TEST(a_connection_of_ipv4),
		TEST(a_connection_of_ipv6),
		TEST(ipv6_by_zone),
		TEST(an_address_that_is_none),
		FILES(tables_that_are_not_there_are_empty),
		FILES(without_one_of_the_tables_nothing_is_told),
		FILES(speeds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
