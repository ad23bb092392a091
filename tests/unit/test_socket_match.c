/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets and connections by hand, then by chance: whatever the portals, nothing is said of a
 * connection that is not so. (What becomes of it for LIO: test_lio_socket.c, tgt:
 * test_tgt_source.c, SCST: tests/golden/scst.)
 */
#include "source/socket_match.h"
#include "tests/support/handmade.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define SEEKERS 16
#define SOCKETS 16
#define PORTALS 6

static struct text_address remotes[SEEKERS], locals[SEEKERS];
static struct socket_ends ends[SEEKERS];
static struct socket_seeker seekers[SEEKERS];
static struct socket_portal portals[SEEKERS][PORTALS];
static struct root_tcp_socket sockets[SOCKETS];
static size_t seeker_count, socket_count;

static int set_up(void **state)
{
	(void)state;
	memset(ends, 0, sizeof(ends));
	memset(seekers, 0, sizeof(seekers));
	memset(portals, 0, sizeof(portals));
	memset(sockets, 0, sizeof(sockets));
	seeker_count = socket_count = 0;
	return 0;
}

/* `list`: portals with a blank between them; "?:3260" is one whose address is not known, "?" one of
 * which nothing is. */
static void add_seeker(const char *remote, const char *local, const char *list)
{
	struct socket_seeker *seeker = &seekers[seeker_count];
	char copy[256], *rest = copy, *word;

	snprintf(copy, sizeof(copy), "%s", list);
	*seeker = (struct socket_seeker){ .portals = portals[seeker_count],
		.ends = &ends[seeker_count] };
	if (remote) {
		assert_int_equal(text_to_address(remote, &remotes[seeker_count]), 0);
		seeker->remote = &remotes[seeker_count];
	}
	if (local) {
		assert_int_equal(text_to_address(local, &locals[seeker_count]), 0);
		seeker->local = &locals[seeker_count];
	}
	while ((word = strsep(&rest, " ")) && *word) {
		struct socket_portal *portal = &portals[seeker_count][seeker->portal_count++];

		if (word[0] == '?')
			portal->port = word[1] ? (uint16_t)atoi(word + 2) : 0;
		else
			portal->address_known =
				text_to_endpoint(word, &portal->address, &portal->port) == 0;
	}
	seeker_count++;
}

static void add_socket(const char *local, const char *remote)
{
	struct root_tcp_socket *s = &sockets[socket_count++];

	assert_int_equal(text_to_endpoint(local, &s->local, &s->local_port), 0);
	assert_int_equal(text_to_endpoint(remote, &s->remote, &s->remote_port), 0);
}

/* "local port remote-port" of a seeker; "-" and 0 unknown. */
static const char *ends_of(size_t i)
{
	static char out[128];
	char address[64];

	snprintf(out, sizeof(out), "%s %u %u",
		ends[i].local_known ? text_from_address(address, &ends[i].local) : "-",
		ends[i].local_port, ends[i].remote_port);
	return out;
}

static void match(void)
{
	assert_int_equal(sockets_match(seekers, seeker_count, sockets, socket_count), 0);
}

static void test_one_of_each(void **state)
{
	(void)state;
	add_seeker("10.0.0.9", NULL, "0.0.0.0:3260");
	add_socket("10.0.0.1:3260", "10.0.0.9:5000");
	match();
	assert_string_equal(ends_of(0), "10.0.0.1 3260 5000");
	assert_true(ends[0].is_certain);
	assert_int_equal(ends[0].candidates, 1);
	/* It ended, and there is nothing else. */
	socket_count = 0;
	match();
	assert_string_equal(ends_of(0), "- 3260 0");
	assert_false(ends[0].is_certain);
}

static void test_without_portals_or_sockets(void **state)
{
	(void)state;
	add_seeker("10.0.0.9", NULL, "");
	add_seeker(NULL, NULL, "10.0.0.1:3260");
	match();
	assert_string_equal(ends_of(0), "- 0 0");
	assert_string_equal(ends_of(1), "10.0.0.1 3260 0");
	add_socket("10.0.0.1:3260", "10.0.0.9:5000");
	match();
	assert_string_equal(ends_of(0), "- 0 0");
	assert_string_equal(ends_of(1), "10.0.0.1 3260 0");
	assert_int_equal(sockets_match(seekers, 0, NULL, 0), 0);
}

static void test_portals_that_are_not_known(void **state)
{
	(void)state;
	add_seeker("10.0.0.9", NULL, "10.0.0.1:3260 ?:3260");
	add_seeker("10.0.0.9", NULL, "10.0.0.1:3260 ?");
	add_seeker("10.0.0.9", NULL, "?:3260");
	add_seeker("10.0.0.9", NULL, "?");
	match();
	assert_string_equal(ends_of(0), "- 3260 0");
	assert_string_equal(ends_of(1), "- 0 0");
	assert_string_equal(ends_of(2), "- 3260 0");
	assert_string_equal(ends_of(3), "- 0 0");
}

static void test_both_addresses_known(void **state)
{
	(void)state;
	add_seeker("10.0.0.9", "10.0.0.1", "0.0.0.0:3260");
	add_seeker("10.0.0.9", "10.0.0.2", "0.0.0.0:3260");
	add_seeker("10.0.0.9", "10.0.0.2", "0.0.0.0:3260");
	add_socket("10.0.0.1:3260", "10.0.0.9:5000");
	add_socket("10.0.0.2:3260", "10.0.0.9:5001");
	add_socket("10.0.0.2:3260", "10.0.0.9:5002");
	add_socket("10.0.0.2:3261", "10.0.0.9:5003");
	match();
	assert_string_equal(ends_of(0), "10.0.0.1 3260 5000");
	assert_string_equal(ends_of(1), "10.0.0.2 3260 0");
	assert_string_equal(ends_of(2), "10.0.0.2 3260 0");
	assert_int_equal(ends[2].candidates, 2);
}

static void test_a_missing_socket_is_not_another_connections(void **state)
{
	(void)state;
	/* 2 came in by 10.0.0.3:3261; its socket is closed already. */
	add_seeker("10.0.0.9", NULL, "10.0.0.1:3260");
	add_seeker("10.0.0.9", NULL, "10.0.0.2:3260");
	add_seeker("10.0.0.9", NULL, "10.0.0.1:3260 10.0.0.2:3260 10.0.0.3:3261");
	add_socket("10.0.0.1:3260", "10.0.0.9:5000");
	add_socket("10.0.0.2:3260", "10.0.0.9:5001");
	match();
	assert_string_equal(ends_of(2), "- 0 0");
	assert_string_equal(ends_of(0), "10.0.0.1 3260 0");
}

/* ---- by chance ---- */

static const char *const places[] = { "10.0.0.1:3260", "10.0.0.1:3261", "10.0.0.2:3260",
	"[fd00::1]:3260", "[fd00::1]:3261" };
static const char *const hosts[] = { "10.0.0.8", "10.0.0.9", "fd00::9" };

/* A connection that came in at one of its portals, and perhaps its socket. */
static void add_by_chance(uint64_t *seed, struct root_tcp_socket *ret_truth, bool complete)
{
	size_t place = handmade_chance(seed, ARRAY_SIZE(places)), first = place;
	const char *host = hosts[place >= 3 ? 2 : handmade_chance(seed, 2)];
	char list[256] = "", end[64];

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (i == first || handmade_chance(seed, 2))
			snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s",
				*list ? " " : "", places[i]);
	add_seeker(host, NULL, list);
	snprintf(end, sizeof(end), place >= 3 ? "[%s]:%zu" : "%s:%zu", host, 5000 + seeker_count);
	add_socket(places[place], end);
	*ret_truth = sockets[socket_count - 1];
	if (!complete && !handmade_chance(seed, 3))
		socket_count--;
}

static void assert_true_of(const struct socket_ends *said, const struct root_tcp_socket *truth)
{
	assert_true(!said->local_known || text_address_equal(&said->local, &truth->local));
	assert_true(!said->local_port || said->local_port == truth->local_port);
	assert_true(!said->remote_port || said->remote_port == truth->remote_port);
}

static void test_by_chance_nothing_is_wrong(void **state)
{
	struct root_tcp_socket truth[SEEKERS];
	uint64_t seed = 1, certain = 0;

	for (unsigned round = 0; round < 20000; round++) {
		size_t count = 1 + handmade_chance(&seed, 6);
		bool complete = handmade_chance(&seed, 2);

		set_up(state);
		for (size_t i = 0; i < count; i++)
			add_by_chance(&seed, &truth[i], complete);
		match();
		for (size_t i = 0; i < count; i++) {
			assert_true_of(&ends[i], &truth[i]);
			certain += ends[i].is_certain;
		}
		/* And what was certain stays so while the others change. */
		add_by_chance(&seed, &truth[count], complete);
		match();
		for (size_t i = 0; i <= count; i++)
			assert_true_of(&ends[i], &truth[i]);
	}
	assert_true(certain > 1000);
}

static void test_many_connections_of_one_host(void **state)
{
	enum { MANY = 1000 };
	struct root_tcp_socket *many = calloc(MANY, sizeof(*many));
	struct socket_seeker *all = calloc(MANY, sizeof(*all));
	struct socket_ends *known = calloc(MANY, sizeof(*known));
	struct text_address *from = calloc(MANY, sizeof(*from));

	(void)state;
	assert_true(many && all && known && from);
	add_seeker("10.0.0.9", NULL, "10.0.0.1:3260 10.0.0.2:3260");
	add_socket("10.0.0.1:3260", "10.0.0.9:5000");
	for (uint16_t i = 0; i < MANY; i++) {
		many[i] = sockets[0];
		many[i].remote_port = (uint16_t)(5000 + i);
		from[i] = remotes[0];
		all[i] = seekers[0];
		all[i].remote = &from[i];
		all[i].ends = &known[i];
	}
	assert_int_equal(sockets_match(all, MANY, many, MANY), 0);
	for (size_t i = 0; i < MANY; i++) {
		assert_true(known[i].local_known && known[i].local_port == 3260);
		assert_int_equal(known[i].remote_port, 0);
	}
	free(many);
	free(all);
	free(known);
	free(from);
}

#define SOCKET_TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SOCKET_TEST(test_one_of_each),
		SOCKET_TEST(test_without_portals_or_sockets),
		SOCKET_TEST(test_portals_that_are_not_known),
		SOCKET_TEST(test_both_addresses_known),
		SOCKET_TEST(test_a_missing_socket_is_not_another_connections),
		SOCKET_TEST(test_by_chance_nothing_is_wrong),
		SOCKET_TEST(test_many_connections_of_one_host),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
