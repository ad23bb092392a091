/* SPDX-License-Identifier: BSD-2-Clause */
/* What a builder seals passes the check; whatever is changed in it to a lie does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "model/builder.h"

struct sealed {
	struct fragment *fragment;
	size_t length;
};

static void build(struct sealed *ret)
{
	struct builder *b = builder_new();
	uint32_t instance_at, node_at, session_at;
	struct instance *instance = builder_instance(b, &instance_at);
	struct node *node;
	struct session *session;
	struct connection *connection;
	struct text_address address = { .type = 1, .length = 4, .octets = { 127, 0, 0, 1 } };

	builder_text(b, &instance->key, "tgt:0");
	OPT_SET(instance->number, 3);
	node = builder_node(b, &node_at);
	node->instance = instance_at;
	builder_text(b, &node->key, "target iqn.2026-11.example:a");
	builder_text(b, &node->name, "iqn.2026-11.example:a");
	OPT_SET(node->roles, 0x80);
	OPT_SET(node->initial_r2t, 1);
	session = builder_session(b, &session_at);
	session->instance = instance_at;
	session->node = node_at;
	builder_printf(b, &session->key, "1/%d", 7);
	OPT_SET(session->tx_octets, UINT64_MAX);
	connection = builder_connection(b, NULL);
	connection->session = session_at;
	builder_text(b, &connection->key, "0");
	builder_address(&connection->remote_address, &address);
	assert_int_equal(builder_error(b), 0);
	assert_int_equal(builder_seal(b, &ret->fragment, &ret->length), 0);
	builder_free(b);
}

static int setup(void **state)
{
	struct sealed *s = calloc(1, sizeof(*s));

	build(s);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct sealed *s = *state;

	free(s->fragment);
	free(s);
	return 0;
}

static void *object_of(struct sealed *s, enum object_kind kind)
{
	return (char *)s->fragment + s->fragment->arrays[kind].at;
}

static void refused(struct sealed *s, const char *expected)
{
	char reason[128] = "";

	assert_int_equal(fragment_check(s->fragment, s->length, reason), -EBADMSG);
	if (!strstr(reason, expected))
		fail_msg("reason is \"%s\", expected \"%s\"", reason, expected);
}

static void good_fragment_passes(void **state)
{
	struct sealed *s = *state;
	char reason[128];

	assert_int_equal(fragment_check(s->fragment, s->length, reason), 0);
}

static void unknown_fields_are_unknown(void **state)
{
	const struct node *node = object_of(*state, OBJECT_NODE);

	assert_false(node->alias.known);
	assert_false(node->max_burst_length.known);
	assert_int_equal(node->object.index, 0);
}

static void every_truncation_is_refused(void **state)
{
	struct sealed *s = *state;
	char reason[128];

	for (size_t n = 0; n < s->length; n++) {
		/* An exact copy, so that a read beyond it is seen by the sanitizers. */
		void *copy = malloc(n ? n : 1);

		memcpy(copy, s->fragment, n);
		assert_int_equal(fragment_check(copy, n, reason), -EBADMSG);
		free(copy);
	}
}

static void every_single_octet_changed_is_survived(void **state)
{
	struct sealed *s = *state;
	unsigned char *data = (unsigned char *)s->fragment;
	char reason[128];

	for (size_t n = 0; n < s->length; n++) {
		unsigned char before = data[n];

		for (unsigned v = 0; v < 256; v += 17) {
			data[n] = (unsigned char)v;
			fragment_check(s->fragment, s->length, reason);
		}
		data[n] = before;
	}
	assert_int_equal(fragment_check(s->fragment, s->length, reason), 0);
}

static void foreign_layout_is_refused(void **state)
{
	struct sealed *s = *state;

	s->fragment->layout++;
	refused(s, "not a fragment of this build");
}

static void known_must_be_zero_or_one(void **state)
{
	struct session *session = object_of(*state, OBJECT_SESSION);

	session->tx_octets.known = 2;
	refused(*state, "session 0: tx_octets has a bad flag");
}

static void boolean_must_be_zero_or_one(void **state)
{
	struct node *node = object_of(*state, OBJECT_NODE);

	node->initial_r2t.value = 2;
	refused(*state, "node 0: initial_r2t has a bad value");
}

static void bits_outside_of_the_mask_are_refused(void **state)
{
	struct node *node = object_of(*state, OBJECT_NODE);

	node->roles.value = 0x20;
	refused(*state, "node 0: roles has a bad value");
}

static void number_out_of_range_is_refused(void **state)
{
	struct session *session = object_of(*state, OBJECT_SESSION);

	OPT_SET(session->max_burst_length, 511);
	refused(*state, "session 0: max_burst_length is out of range");
	OPT_SET(session->max_burst_length, 16777216);
	refused(*state, "max_burst_length is out of range");
}

static void number_out_of_range_but_unknown_passes(void **state)
{
	struct sealed *s = *state;
	struct session *session = object_of(s, OBJECT_SESSION);
	char reason[128];

	session->max_burst_length.value = 1;
	assert_int_equal(fragment_check(s->fragment, s->length, reason), 0);
}

static void text_outside_of_the_arena_is_refused(void **state)
{
	struct node *node = object_of(*state, OBJECT_NODE);

	node->name.offset = UINT32_MAX;
	refused(*state, "node 0: name lies outside of the arena");
}

static void text_without_its_end_is_refused(void **state)
{
	struct node *node = object_of(*state, OBJECT_NODE);

	node->name.length--;
	refused(*state, "node 0: name is not terminated");
}

static void text_longer_than_its_field_is_refused(void **state)
{
	struct node *node = object_of(*state, OBJECT_NODE);

	node->alias = (struct opt_str){ .length = 256, .known = 1 };
	refused(*state, "node 0: alias has a bad length");
}

static void link_outside_is_refused(void **state)
{
	struct connection *connection = object_of(*state, OBJECT_CONNECTION);

	connection->session = 1;
	refused(*state, "connection 0: session points outside");
}

static void missing_link_is_refused(void **state)
{
	struct session *session = object_of(*state, OBJECT_SESSION);

	session->node = LINK_NONE;
	refused(*state, "session 0: node is missing");
}

static void object_without_key_is_refused(void **state)
{
	struct session *session = object_of(*state, OBJECT_SESSION);

	session->key.known = 0;
	refused(*state, "session 0 has no key");
}

static void address_of_wrong_length_is_refused(void **state)
{
	struct connection *connection = object_of(*state, OBJECT_CONNECTION);

	connection->remote_address.length = 16;
	refused(*state, "connection 0: remote_address is no address");
	connection->remote_address.type = 200;
	refused(*state, "remote_address is no address");
}

static void session_of_a_foreign_node_is_refused(void **state)
{
	struct builder *b = builder_new();
	struct sealed s;
	uint32_t at[2];
	(void)state;

	for (int i = 0; i < 2; i++) {
		struct instance *instance = builder_instance(b, &at[i]);
		struct node *node;

		builder_printf(b, &instance->key, "i%d", i);
		node = builder_node(b, NULL);
		node->instance = at[i];
		builder_text(b, &node->key, "n");
	}
	struct session *session = builder_session(b, NULL);
	session->instance = 0;
	session->node = 1;
	builder_text(b, &session->key, "s");
	assert_int_equal(builder_seal(b, &s.fragment, &s.length), 0);
	refused(&s, "session 0: node of another instance");
	free(s.fragment);
	builder_free(b);
}

/* Two instances with one object of each kind, which belong together. */
static void build_twins(struct sealed *ret)
{
	struct builder *b = builder_new();

	for (uint32_t i = 0; i < 2; i++) {
		struct instance *instance = builder_instance(b, NULL);
		struct node *node;
		struct portal *portal;
		struct auth *auth;
		struct session *session;
		struct connection *connection;
		struct path *path;
		struct device *device;

		builder_printf(b, &instance->key, "i%u", i);
		node = builder_node(b, NULL);
		node->instance = i;
		builder_text(b, &node->key, "n");
		portal = builder_portal(b, NULL);
		portal->instance = portal->node = i;
		builder_text(b, &portal->key, "p");
		auth = builder_auth(b, NULL);
		auth->instance = auth->node = i;
		builder_text(b, &auth->key, "a");
		session = builder_session(b, NULL);
		session->instance = session->node = session->connection = i;
		builder_text(b, &session->key, "s");
		connection = builder_connection(b, NULL);
		connection->session = i;
		builder_text(b, &connection->key, "c");
		path = builder_path(b, NULL);
		path->instance = path->session = path->connection = i;
		builder_text(b, &path->key, "path");
		device = builder_device(b, NULL);
		device->instance = device->session = i;
		builder_text(b, &device->key, "d");
	}
	assert_int_equal(builder_seal(b, &ret->fragment, &ret->length), 0);
	builder_free(b);
}

/* Or a row would appear below the index of somebody else. */
static void members_of_another_family_are_refused(void **state)
{
	static const struct {
		enum object_kind kind;
		size_t link; /* of the first object, which is made to lead to the second one's */
		const char *expected;
	} rows[] = {
		{ OBJECT_PORTAL, offsetof(struct portal, node), "portal 0: node of another" },
		{ OBJECT_AUTH, offsetof(struct auth, node), "auth 0: node of another" },
		{ OBJECT_SESSION, offsetof(struct session, node), "session 0: node of another" },
		{ OBJECT_SESSION, offsetof(struct session, connection),
			"session 0: connection of another session" },
		{ OBJECT_PATH, offsetof(struct path, session), "path 0: session of another" },
		{ OBJECT_PATH, offsetof(struct path, connection),
			"path 0: connection of another session" },
		{ OBJECT_DEVICE, offsetof(struct device, session), "device 0: session of another" },
	};
	const uint32_t other = 1;
	char reason[128] = "";
	struct sealed s;

	(void)state;
	build_twins(&s);
	assert_int_equal(fragment_check(s.fragment, s.length, reason), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *link = (char *)object_of(&s, rows[i].kind) + rows[i].link;
		uint32_t before;

		memcpy(&before, link, sizeof(before));
		assert_int_equal(before, 0);
		memcpy(link, &other, sizeof(other));
		refused(&s, rows[i].expected);
		memcpy(link, &before, sizeof(before));
	}
	assert_int_equal(fragment_check(s.fragment, s.length, reason), 0);
	free(s.fragment);
}

static void limit_of_objects_sticks(void **state)
{
	struct builder *b = builder_new();
	struct sealed s = { NULL, 0 };
	(void)state;

	for (uint32_t i = 0; i < FRAGMENT_OBJECTS_MAX; i++)
		assert_non_null(builder_auth(b, NULL));
	assert_null(builder_auth(b, NULL));
	assert_int_equal(builder_error(b), -E2BIG);
	assert_null(builder_session(b, NULL));
	assert_int_equal(builder_seal(b, &s.fragment, &s.length), -E2BIG);
	assert_null(s.fragment);
	builder_reset(b);
	assert_non_null(builder_session(b, NULL));
	builder_free(b);
}

/* A source may copy a field whole, with what its stack held in the octets that mean nothing. */
static void octets_that_mean_nothing_are_not_handed_over(void **state)
{
	struct builder *b = builder_new();
	struct node *node = builder_node(b, NULL);
	struct fragment *f;
	size_t length;
	(void)state;

	memset(&node->max_burst_length, 0xA5, sizeof(node->max_burst_length));
	node->max_burst_length.known = 0;
	memset(&node->max_connections, 0xA5, sizeof(node->max_connections));
	node->max_connections.value = 1;
	node->max_connections.known = 1;
	memset(&node->target_logout_normals, 0xA5, sizeof(node->target_logout_normals));
	node->target_logout_normals.known = 0;
	memset(&node->alias, 0xA5, sizeof(node->alias));
	node->alias.known = 0;
	assert_int_equal(builder_seal(b, &f, &length), 0);
	assert_null(memchr(f, 0xA5, length));
	assert_int_equal(
		((const struct node *)fragment_array(f, OBJECT_NODE))->max_connections.value, 1);
	free(f);
	builder_free(b);
}

static bool fail_realloc;
void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);

void *__wrap_realloc(void *p, size_t n)
{
	return fail_realloc ? NULL : __real_realloc(p, n);
}

static void lack_of_memory_sticks(void **state)
{
	struct builder *b = builder_new();
	struct opt_str text = { .known = 0 };
	(void)state;

	fail_realloc = true;
	assert_int_equal(builder_text(b, &text, "x"), -ENOMEM);
	fail_realloc = false;
	assert_false(text.known);
	assert_null(builder_node(b, NULL));
	assert_int_equal(builder_error(b), -ENOMEM);
	builder_free(b);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(good_fragment_passes),
		TEST(unknown_fields_are_unknown),
		TEST(every_truncation_is_refused),
		TEST(every_single_octet_changed_is_survived),
		TEST(foreign_layout_is_refused),
		TEST(known_must_be_zero_or_one),
		TEST(boolean_must_be_zero_or_one),
		TEST(bits_outside_of_the_mask_are_refused),
		TEST(number_out_of_range_is_refused),
		TEST(number_out_of_range_but_unknown_passes),
		TEST(text_outside_of_the_arena_is_refused),
		TEST(text_without_its_end_is_refused),
		TEST(text_longer_than_its_field_is_refused),
		TEST(link_outside_is_refused),
		TEST(missing_link_is_refused),
		TEST(object_without_key_is_refused),
		TEST(address_of_wrong_length_is_refused),
		cmocka_unit_test(session_of_a_foreign_node_is_refused),
		cmocka_unit_test(members_of_another_family_are_refused),
		cmocka_unit_test(octets_that_mean_nothing_are_not_handed_over),
		cmocka_unit_test(limit_of_objects_sticks),
		cmocka_unit_test(lack_of_memory_sticks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
