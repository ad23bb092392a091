/* SPDX-License-Identifier: BSD-2-Clause */
/* Which objects have a row in which table of RFC 7147, and under which index. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "agent/mib_rows.h"
#include "tests/support/handmade.h"

/* Instance 3 with node 4 (both roles), a session 5 and its connection 6, an identity 7, a portal 8
 * of both roles. */
struct fixture {
	struct snapshot *s;
	struct instance *instance;
	struct node *node;
	struct portal *portal;
	struct auth *auth;
	struct session *session;
	struct connection *connection;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->s = handmade_new();
	f->instance = handmade_add(f->s, OBJECT_INSTANCE, NULL);
	f->instance->object.index = 30; /* the registry's; the row's index is `number` */
	OPT_SET(f->instance->number, 3);
	f->node = handmade_add(f->s, OBJECT_NODE, NULL);
	f->node->object.index = 4;
	f->node->instance = 0;
	OPT_SET(f->node->roles, 0xc0);
	f->session = handmade_add(f->s, OBJECT_SESSION, NULL);
	f->session->object.index = 5;
	f->session->instance = 0;
	f->session->node = 0;
	f->connection = handmade_add(f->s, OBJECT_CONNECTION, NULL);
	f->connection->object.index = 6;
	f->connection->session = 0;
	f->auth = handmade_add(f->s, OBJECT_AUTH, NULL);
	f->auth->object.index = 7;
	f->auth->instance = 0;
	f->auth->node = 0;
	OPT_SET(f->auth->roles, 0xc0);
	f->portal = handmade_add(f->s, OBJECT_PORTAL, NULL);
	f->portal->object.index = 8;
	f->portal->instance = 0;
	OPT_SET(f->portal->roles, 0xc0);
	OPT_SET(f->portal->port, 3260);
	OPT_SET(f->portal->tag, 1);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	snapshot_put(f->s);
	free(f);
	return 0;
}

/* The index of the only row of a set as text, "" when there is none. */
static const char *index_of(const struct fixture *f, const struct mib_rowset *set)
{
	static char text[64];
	const struct mib_row *rows;
	struct mib_view *view;
	uint32_t count;

	text[0] = '\0';
	assert_int_equal(mib_view_new(&iscsi_mib, f->s, &view), 0);
	rows = mib_view_rows(view, set, &count);
	assert_true(count <= 1);
	for (uint8_t i = 0; count && i < set->key_length; i++) {
		size_t length = strlen(text);

		snprintf(
			text + length, sizeof(text) - length, "%s%u", i ? "." : "", rows[0].key[i]);
	}
	mib_view_free(view);
	return text;
}

static void every_object_has_its_rows(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(index_of(f, &rows_instance), "3");
	assert_string_equal(index_of(f, &rows_portal), "3.8");
	assert_string_equal(index_of(f, &rows_tgt_portal), "3.8.0");
	assert_string_equal(index_of(f, &rows_intr_portal), "3.8.0");
	assert_string_equal(index_of(f, &rows_node), "3.4");
	assert_string_equal(index_of(f, &rows_target), "3.4");
	assert_string_equal(index_of(f, &rows_initiator), "3.4");
	assert_string_equal(index_of(f, &rows_tgt_auth), "3.4.7");
	assert_string_equal(index_of(f, &rows_intr_auth), "3.4.7");
	assert_string_equal(index_of(f, &rows_session), "3.4.5");
	assert_string_equal(index_of(f, &rows_connection), "3.4.5.6");
}

static void a_portal_of_one_node_has_the_node_in_its_index(void **state)
{
	struct fixture *f = *state;

	f->portal->node = 0;
	assert_string_equal(index_of(f, &rows_portal), "3.8");
	assert_string_equal(index_of(f, &rows_tgt_portal), "3.8.4");
	assert_string_equal(index_of(f, &rows_intr_portal), "3.8.4");
	f->node->object.index = 0;
	assert_string_equal(index_of(f, &rows_tgt_portal), "");
	assert_string_equal(index_of(f, &rows_intr_portal), "");
}

static void roles_choose_the_tables(void **state)
{
	struct fixture *f = *state;

	f->node->roles.value = f->auth->roles.value = f->portal->roles.value = 0x80;
	assert_string_equal(index_of(f, &rows_target), "3.4");
	assert_string_equal(index_of(f, &rows_initiator), "");
	assert_string_equal(index_of(f, &rows_tgt_auth), "3.4.7");
	assert_string_equal(index_of(f, &rows_intr_auth), "");
	assert_string_equal(index_of(f, &rows_tgt_portal), "3.8.0");
	assert_string_equal(index_of(f, &rows_intr_portal), "");
	f->node->roles.value = f->auth->roles.value = f->portal->roles.value = 0x40;
	assert_string_equal(index_of(f, &rows_target), "");
	assert_string_equal(index_of(f, &rows_initiator), "3.4");
	assert_string_equal(index_of(f, &rows_tgt_auth), "");
	assert_string_equal(index_of(f, &rows_intr_auth), "3.4.7");
	assert_string_equal(index_of(f, &rows_tgt_portal), "");
	assert_string_equal(index_of(f, &rows_intr_portal), "3.8.0");
	f->node->roles.value = f->auth->roles.value = f->portal->roles.value = 0xc0;
	f->node->roles.known = f->auth->roles.known = f->portal->roles.known = 0;
	assert_string_equal(index_of(f, &rows_target), "");
	assert_string_equal(index_of(f, &rows_initiator), "");
	assert_string_equal(index_of(f, &rows_tgt_auth), "");
	assert_string_equal(index_of(f, &rows_intr_auth), "");
	assert_string_equal(index_of(f, &rows_tgt_portal), "");
	assert_string_equal(index_of(f, &rows_intr_portal), "");
	assert_string_equal(index_of(f, &rows_node), "3.4");
}

static void a_portal_without_a_tag_or_port_is_none_of_a_group(void **state)
{
	struct fixture *f = *state;

	f->portal->port.known = 0;
	assert_string_equal(index_of(f, &rows_tgt_portal), "");
	assert_string_equal(index_of(f, &rows_intr_portal), "3.8.0"); /* needs no port */
	f->portal->port.known = 1;
	f->portal->tag.known = 0;
	assert_string_equal(index_of(f, &rows_tgt_portal), "");
	assert_string_equal(index_of(f, &rows_intr_portal), "");
	assert_string_equal(index_of(f, &rows_portal), "3.8");
}

static void without_a_number_there_is_no_row(void **state)
{
	struct fixture *f = *state;

	f->connection->object.index = 0;
	assert_string_equal(index_of(f, &rows_connection), "");
	f->auth->object.index = 0;
	assert_string_equal(index_of(f, &rows_tgt_auth), "");
	assert_string_equal(index_of(f, &rows_intr_auth), "");
	f->portal->object.index = 0;
	assert_string_equal(index_of(f, &rows_portal), "");
	assert_string_equal(index_of(f, &rows_tgt_portal), "");
	assert_string_equal(index_of(f, &rows_intr_portal), "");
	assert_string_equal(index_of(f, &rows_session), "3.4.5");
}

static void what_is_below_an_object_without_a_number_has_no_row(void **state)
{
	struct fixture *f = *state;

	f->session->object.index = 0;
	assert_string_equal(index_of(f, &rows_session), "");
	assert_string_equal(index_of(f, &rows_connection), "");
	f->session->object.index = 5;
	f->node->object.index = 0;
	assert_string_equal(index_of(f, &rows_node), "");
	assert_string_equal(index_of(f, &rows_target), "");
	assert_string_equal(index_of(f, &rows_initiator), "");
	assert_string_equal(index_of(f, &rows_session), "");
	assert_string_equal(index_of(f, &rows_connection), "");
	assert_string_equal(index_of(f, &rows_tgt_auth), "");
	assert_string_equal(index_of(f, &rows_intr_auth), "");
	assert_string_equal(index_of(f, &rows_portal), "3.8");
}

static void an_instance_needs_its_fixed_number_and_the_registrys(void **state)
{
	struct fixture *f = *state;
	const struct mib_rowset *all[] = { &rows_instance, &rows_portal, &rows_tgt_portal,
		&rows_intr_portal, &rows_node, &rows_target, &rows_initiator, &rows_tgt_auth,
		&rows_intr_auth, &rows_session, &rows_connection };

	f->instance->number.known = 0;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		assert_string_equal(index_of(f, all[i]), "");
	f->instance->number.known = 1;
	f->instance->object.index = 0;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		assert_string_equal(index_of(f, all[i]), "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_object_has_its_rows),
		TEST(a_portal_of_one_node_has_the_node_in_its_index),
		TEST(roles_choose_the_tables),
		TEST(a_portal_without_a_tag_or_port_is_none_of_a_group),
		TEST(without_a_number_there_is_no_row),
		TEST(what_is_below_an_object_without_a_number_has_no_row),
		TEST(an_instance_needs_its_fixed_number_and_the_registrys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
