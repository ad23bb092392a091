/* SPDX-License-Identifier: BSD-2-Clause */
/* Which sockets are certain to be those of LIO's connections, and which are not. */
#include "source/lio_socket.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct lio_memory memory;
static struct root_tcp_socket sockets[8];
static size_t socket_count;

static int set_up(void **state)
{
	(void)state;
	memset(&memory, 0, sizeof(memory));
	memset(sockets, 0, sizeof(sockets));
	socket_count = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	lio_memory_clear(&memory);
	return 0;
}

static struct lio_group *group(const char *target)
{
	return lio_target_group(lio_memory_target(&memory, target), 1);
}

static void add_portal(const char *target, const char *name)
{
	struct lio_portal *portal = lio_group_portal(group(target), name);

	portal->endpoint_known = text_to_endpoint(name, &portal->address, &portal->port) == 0;
}

/* A session of one connection; the same again is its next poll. */
static void add_session(const char *target, const char *acl, const char *remote)
{
	struct lio_info_connection connection = {
		.state = LIO_CONNECTION_FULL, .is_tcp = true, .address_known = true
	};
	struct lio_info info = { .sid = 1, .connections = &connection, .connection_count = 1 };
	struct opt_counter counters[LIO_SESSION_COUNTERS] = { { .known = 0 } };
	struct lio_group *g = group(target);

	snprintf(info.name, sizeof(info.name), "%s", acl);
	assert_int_equal(text_to_address(remote, &connection.address), 0);
	assert_true(lio_acl_take_session(g, lio_group_acl(g, acl), &info, counters) >= 0);
}

static void add_socket(const char *local, const char *remote)
{
	struct root_tcp_socket *s = &sockets[socket_count++];

	assert_int_equal(text_to_endpoint(local, &s->local, &s->local_port), 0);
	assert_int_equal(text_to_endpoint(remote, &s->remote, &s->remote_port), 0);
}

/* "local port remote-port" of a session's connection; "-" and 0 unknown. */
static const char *ends(const char *target, const char *acl)
{
	static char out[128];
	const struct lio_connection *c =
		&lio_group_acl(group(target), acl)->session->connections[0];
	char address[64];

	snprintf(out, sizeof(out), "%s %u %u",
		c->ends.local_known ? text_from_address(address, &c->ends.local) : "-",
		c->ends.local_port, c->ends.remote_port);
	return out;
}

static void match(void)
{
	assert_int_equal(lio_sockets_match(&memory, sockets, socket_count), 0);
}

static void test_only_socket(void **state)
{
	(void)state;
	add_portal("t", "10.0.0.1:3260");
	add_portal("t", "10.0.0.2:3261");
	add_session("t", "a", "10.0.0.9");
	add_socket("10.0.0.1:22", "10.0.0.9:5000");   /* another port */
	add_socket("10.0.0.3:3260", "10.0.0.9:5001"); /* another address */
	add_socket("10.0.0.2:3260", "10.0.0.9:5002"); /* the port of another address */
	add_socket("10.0.0.9:5003", "10.0.0.1:3260"); /* the other end */
	add_socket("10.0.0.1:3260", "10.0.0.8:5004"); /* of another initiator */
	add_socket("10.0.0.2:3261", "10.0.0.9:5005");
	match();
	assert_string_equal(ends("t", "a"), "10.0.0.2 3261 5005");
}

static void test_wildcard_portal(void **state)
{
	(void)state;
	add_portal("t", "0.0.0.0:3260");
	add_session("t", "a", "10.0.0.9");
	add_socket("10.0.0.7:3260", "10.0.0.9:5000");
	match();
	assert_string_equal(ends("t", "a"), "10.0.0.7 3260 5000");
}

static void test_two_sockets_are_not_certain(void **state)
{
	(void)state;
	add_portal("t", "10.0.0.1:3260");
	add_portal("t", "10.0.0.2:3260");
	add_session("t", "a", "10.0.0.9");
	add_socket("10.0.0.1:3260", "10.0.0.9:5000");
	add_socket("10.0.0.1:3260", "10.0.0.9:5001");
	match();
	assert_string_equal(ends("t", "a"), "10.0.0.1 3260 0");
	add_socket("10.0.0.2:3260", "10.0.0.9:5002");
	match();
	assert_string_equal(ends("t", "a"), "- 3260 0");
}

static void test_one_socket_of_two_connections_is_not_certain(void **state)
{
	(void)state;
	add_portal("t", "10.0.0.1:3260");
	add_portal("u", "10.0.0.1:3260");
	add_session("t", "a", "10.0.0.9");
	add_session("u", "a", "10.0.0.9");
	add_socket("10.0.0.1:3260", "10.0.0.9:5000");
	match();
	assert_string_equal(ends("t", "a"), "10.0.0.1 3260 0");
	assert_string_equal(ends("u", "a"), "10.0.0.1 3260 0");
}

static void test_known_socket_stays_known(void **state)
{
	(void)state;
	add_portal("t", "10.0.0.1:3260");
	add_session("t", "a", "10.0.0.9");
	add_socket("10.0.0.1:3260", "10.0.0.9:5000");
	match();
	add_session("t", "a", "10.0.0.9");
	add_session("t", "b", "10.0.0.9");
	add_socket("10.0.0.1:3260", "10.0.0.9:5001");
	match();
	assert_string_equal(ends("t", "a"), "10.0.0.1 3260 5000");
	assert_string_equal(ends("t", "b"), "10.0.0.1 3260 0");
}

static void test_known_socket_that_went_is_unknown(void **state)
{
	(void)state;
	add_portal("t", "10.0.0.1:3260");
	add_session("t", "a", "10.0.0.9");
	add_socket("10.0.0.1:3260", "10.0.0.9:5000");
	match();
	add_session("t", "a", "10.0.0.9");
	socket_count = 0;
	add_socket("10.0.0.1:3260", "10.0.0.9:5001");
	add_socket("10.0.0.1:3260", "10.0.0.9:5002");
	match();
	assert_string_equal(ends("t", "a"), "10.0.0.1 3260 0");
}

static void test_without_a_socket_the_portals_tell(void **state)
{
	(void)state;
	add_portal("t", "10.0.0.1:3260");
	add_session("t", "a", "10.0.0.9");
	add_portal("u", "10.0.0.1:3260");
	add_portal("u", "10.0.0.2:3260");
	add_session("u", "a", "10.0.0.9");
	add_portal("v", "10.0.0.1:3260");
	add_portal("v", "10.0.0.1:3261");
	add_session("v", "a", "10.0.0.9");
	add_portal("w", "[::]:3260");
	add_session("w", "a", "10.0.0.9");
	add_portal("x", "garbage");
	add_session("x", "a", "10.0.0.9");
	add_session("y", "a", "10.0.0.9");
	match();
	assert_string_equal(ends("t", "a"), "10.0.0.1 3260 0");
	assert_string_equal(ends("u", "a"), "- 3260 0");
	assert_string_equal(ends("v", "a"), "10.0.0.1 0 0");
	assert_string_equal(ends("w", "a"), "- 3260 0");
	assert_string_equal(ends("x", "a"), "- 0 0");
	assert_string_equal(ends("y", "a"), "- 0 0");
}

static void test_zone_comes_from_the_socket(void **state)
{
	const struct lio_connection *c;

	(void)state;
	add_portal("t", "[::]:3260");
	add_session("t", "a", "fe80::9");
	add_socket("[fe80::1%7]:3260", "[fe80::9%7]:5000");
	match();
	assert_string_equal(ends("t", "a"), "fe80::1%7 3260 5000");
	c = &lio_group_acl(group("t"), "a")->session->connections[0];
	assert_int_equal(c->address.type, 4);
}

static void test_one_link_local_address_on_two_links_is_not_certain(void **state)
{
	(void)state;
	add_portal("t", "[::]:3260");
	add_session("t", "a", "fe80::9");
	add_socket("[fe80::1%7]:3260", "[fe80::9%7]:5000");
	add_socket("[fe80::1%8]:3260", "[fe80::9%8]:5000");
	match();
	assert_string_equal(ends("t", "a"), "- 3260 0");
}

static void test_other_transports_have_no_socket(void **state)
{
	struct lio_connection *c;

	(void)state;
	add_portal("t", "0.0.0.0:3260");
	add_session("t", "a", "10.0.0.9");
	c = &lio_group_acl(group("t"), "a")->session->connections[0];
	c->is_tcp = false;
	add_socket("10.0.0.7:3260", "10.0.0.9:5000");
	match();
	assert_string_equal(ends("t", "a"), "- 3260 0");
}

static void test_portal_that_went_counts_no_more(void **state)
{
	(void)state;
	add_portal("t", "10.0.0.1:3260");
	add_portal("t", "10.0.0.2:3260");
	add_session("t", "a", "10.0.0.9");
	group("t")->portals[0].exists = false;
	add_socket("10.0.0.1:3260", "10.0.0.9:5000");
	match();
	assert_string_equal(ends("t", "a"), "10.0.0.2 3260 0");
}

#define SOCKET_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SOCKET_TEST(test_only_socket),
		SOCKET_TEST(test_wildcard_portal),
		SOCKET_TEST(test_two_sockets_are_not_certain),
		SOCKET_TEST(test_one_socket_of_two_connections_is_not_certain),
		SOCKET_TEST(test_known_socket_stays_known),
		SOCKET_TEST(test_known_socket_that_went_is_unknown),
		SOCKET_TEST(test_without_a_socket_the_portals_tell),
		SOCKET_TEST(test_zone_comes_from_the_socket),
		SOCKET_TEST(test_one_link_local_address_on_two_links_is_not_certain),
		SOCKET_TEST(test_other_transports_have_no_socket),
		SOCKET_TEST(test_portal_that_went_counts_no_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
