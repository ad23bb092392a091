/* SPDX-License-Identifier: BSD-2-Clause */
/* How each kind of field is shown, at the edges of its range and when it is not known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "agent/mib.h"
#include "base/clock.h"
#include "tests/support/handmade.h"

/* One object of each kind, numbers 1, of which nothing is known but what makes it a row. */
struct fixture {
	struct snapshot *s;
	struct mib_view *view;
	struct mib_value value; /* of the last get */
};

static void *first(const struct fixture *f, enum object_kind kind)
{
	return f->s->arrays[kind].objects;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct instance *instance;
	struct node *node;
	struct portal *portal;
	struct session *session;
	struct connection *connection;

	assert_non_null(f);
	f->s = handmade_new();
	instance = handmade_add(f->s, OBJECT_INSTANCE, NULL);
	OPT_SET(instance->number, 1);
	node = handmade_add(f->s, OBJECT_NODE, NULL);
	node->instance = 0;
	OPT_SET(node->roles, 0xc0);
	portal = handmade_add(f->s, OBJECT_PORTAL, NULL);
	portal->instance = 0;
	session = handmade_add(f->s, OBJECT_SESSION, NULL);
	session->instance = session->node = 0;
	connection = handmade_add(f->s, OBJECT_CONNECTION, NULL);
	connection->session = 0;
	instance->object.index = node->object.index = portal->object.index = session->object.index =
		connection->object.index = 1;
	*state = f;
	assert_int_equal(mib_view_new(&iscsi_mib, f->s, &f->view), 0);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	mib_view_free(f->view);
	snapshot_put(f->s);
	free(f);
	return 0;
}

/* GET of a column in the only row. */
static enum mib_result get(struct fixture *f, const char *column_name)
{
	const struct mib_table *table = NULL;
	const struct mib_column *column = mib_find_column(&iscsi_mib, column_name, &table);
	struct mib_name name;

	assert_non_null(column);
	mib_name_column(&iscsi_mib, table, column, &name);
	for (uint8_t i = 0; i < table->rows->key_length; i++)
		name.ids[name.length++] = 1;
	return mib_get(f->view, name.ids, name.length, &f->value);
}

static void shows_number(
	struct fixture *f, const char *column, enum mib_syntax syntax, uint64_t number)
{
	assert_int_equal(get(f, column), MIB_FOUND);
	assert_int_equal(f->value.syntax, syntax);
	if (f->value.number != number)
		fail_msg("%s is %llu", column, (unsigned long long)f->value.number);
}

static void shows_octets(struct fixture *f, const char *column, const void *data, size_t length)
{
	assert_int_equal(get(f, column), MIB_FOUND);
	assert_true(f->value.syntax == MIB_OCTETS || f->value.syntax == MIB_BITS);
	assert_int_equal(f->value.octets.length, length);
	assert_memory_equal(f->value.octets.data, data, length);
}

static void is_hole(struct fixture *f, const char *column)
{
	if (get(f, column) != MIB_NO_SUCH_INSTANCE)
		fail_msg("%s is no hole", column);
}

static void a_known_number_is_shown_an_unknown_one_is_a_hole_or_none(void **state)
{
	struct fixture *f = *state;
	struct session *session = first(f, OBJECT_SESSION);
	struct portal *portal = first(f, OBJECT_PORTAL);

	is_hole(f, "iscsiSsnTSIH");
	is_hole(f, "iscsiSsnConnectionNumber");
	is_hole(f, "iscsiSsnDirection");
	is_hole(f, "iscsiPortalMaxRecvDataSegLength"); /* though it has a DEFVAL */
	shows_number(f, "iscsiTgtLastIntrFailurePort", MIB_UNSIGNED32, 0);
	OPT_SET(session->tsih, 65535);
	OPT_SET(session->connection_count, 4294967295);
	OPT_SET(session->direction, 2);
	OPT_SET(portal->max_recv_data_segment_length, 512);
	shows_number(f, "iscsiSsnTSIH", MIB_UNSIGNED32, 65535);
	shows_number(f, "iscsiSsnConnectionNumber", MIB_GAUGE32, 4294967295);
	shows_number(f, "iscsiSsnDirection", MIB_INTEGER, 2);
	shows_number(f, "iscsiPortalMaxRecvDataSegLength", MIB_UNSIGNED32, 512);
}

static void the_cid_is_shown_as_it_is_even_0(void **state)
{
	struct fixture *f = *state;
	struct connection *connection = first(f, OBJECT_CONNECTION);

	is_hole(f, "iscsiCxnCid");
	OPT_SET(connection->cid, 0);
	shows_number(f, "iscsiCxnCid", MIB_UNSIGNED32, 0);
}

static void a_counter32_is_the_low_half_of_the_counter64(void **state)
{
	struct fixture *f = *state;
	struct session *session = first(f, OBJECT_SESSION);

	is_hole(f, "iscsiSsnTxDataOctets");
	is_hole(f, "iscsiSsnLCTxDataOctets");
	OPT_SET(session->tx_octets, UINT64_C(0xfedcba9876543210));
	shows_number(f, "iscsiSsnTxDataOctets", MIB_COUNTER64, UINT64_C(0xfedcba9876543210));
	shows_number(f, "iscsiSsnLCTxDataOctets", MIB_COUNTER32, 0x76543210);
	OPT_SET(session->tx_octets, UINT64_C(0x100000000));
	shows_number(f, "iscsiSsnLCTxDataOctets", MIB_COUNTER32, 0);
}

static void truth_is_1_and_2(void **state)
{
	struct fixture *f = *state;
	struct node *node = first(f, OBJECT_NODE);

	is_hole(f, "iscsiNodeInitialR2T");
	shows_number(f, "iscsiCxnRecvMarker", MIB_INTEGER, 2); /* it cannot be another */
	OPT_SET(node->initial_r2t, 1);
	OPT_SET(node->immediate_data, 0);
	shows_number(f, "iscsiNodeInitialR2T", MIB_INTEGER, 1);
	shows_number(f, "iscsiNodeImmediateData", MIB_INTEGER, 2);
}

static void bits_are_one_octet(void **state)
{
	struct fixture *f = *state;
	struct session *session = first(f, OBJECT_SESSION);

	shows_octets(f, "iscsiNodeRoles", "\xc0", 1);
	is_hole(f, "iscsiPortalRoles");
	is_hole(f, "iscsiSsnTaskReporting");
	OPT_SET(session->task_reporting, 0x60);
	shows_octets(f, "iscsiSsnTaskReporting", "\x60", 1);
	assert_int_equal(f->value.syntax, MIB_BITS);
}

static void text_is_made_safe_and_cut_at_255_octets(void **state)
{
	struct fixture *f = *state;
	struct node *node = first(f, OBJECT_NODE);
	char text[300];

	is_hole(f, "iscsiNodeAlias");
	handmade_text(f->s, &node->alias, "", 0);
	shows_octets(f, "iscsiNodeAlias", "", 0);
	handmade_text(f->s, &node->alias, "\xc3\xa4\xff\x1b[2J", 7);
	shows_octets(f, "iscsiNodeAlias", "\xc3\xa4??[2J", 7);
	memset(text, 'x', sizeof(text));
	handmade_text(f->s, &node->alias, text, 255);
	shows_octets(f, "iscsiNodeAlias", text, 255);
	handmade_text(f->s, &node->alias, text, 300);
	shows_octets(f, "iscsiNodeAlias", text, 255);
	memcpy(text + 254, "\xc3\xa4", 2); /* a character across the limit goes whole */
	handmade_text(f->s, &node->alias, text, 300);
	shows_octets(f, "iscsiNodeAlias", text, 254);
}

static void of_two_peers_the_one_that_there_is_not_is_a_zero_length_string(void **state)
{
	struct fixture *f = *state;
	struct session *session = first(f, OBJECT_SESSION);

	is_hole(f, "iscsiSsnInitiatorName");
	is_hole(f, "iscsiSsnTargetName");
	OPT_SET(session->direction, 1);
	is_hole(f, "iscsiSsnInitiatorName");
	shows_octets(f, "iscsiSsnTargetName", "", 0);
	handmade_text(f->s, &session->initiator_name, "iqn.2004-10.org.example:a", 25);
	handmade_text(f->s, &session->target_name, "iqn.2004-10.org.example:b", 25);
	shows_octets(f, "iscsiSsnInitiatorName", "iqn.2004-10.org.example:a", 25);
	shows_octets(f, "iscsiSsnTargetName", "", 0);
	OPT_SET(session->direction, 2);
	shows_octets(f, "iscsiSsnInitiatorName", "", 0);
	shows_octets(f, "iscsiSsnTargetName", "iqn.2004-10.org.example:b", 25);
}

static void an_iscsi_name_has_16_to_223_clean_octets_or_none(void **state)
{
	struct fixture *f = *state;
	struct node *node = first(f, OBJECT_NODE);
	char text[300];

	is_hole(f, "iscsiNodeName");
	memset(text, 'x', sizeof(text));
	handmade_text(f->s, &node->name, text, 15);
	shows_octets(f, "iscsiNodeName", "", 0);
	handmade_text(f->s, &node->name, text, 16);
	shows_octets(f, "iscsiNodeName", text, 16);
	handmade_text(f->s, &node->name, text, 223);
	shows_octets(f, "iscsiNodeName", text, 223);
	handmade_text(f->s, &node->name, text, 224);
	shows_octets(f, "iscsiNodeName", "", 0);
	handmade_text(f->s, &node->name, "iqn.2026-11.example:\xc3\xa4", 22);
	shows_octets(f, "iscsiNodeName", "iqn.2026-11.example:\xc3\xa4", 22);
	handmade_text(f->s, &node->name, "iqn.2026-11.example:\xc3", 21);
	shows_octets(f, "iscsiNodeName", "", 0);
	handmade_text(f->s, &node->name, "iqn.2026-11.example:\n", 21);
	shows_octets(f, "iscsiNodeName", "", 0);
	handmade_text(f->s, &node->name, "iqn.2026-11.example:\0x", 22);
	shows_octets(f, "iscsiNodeName", "", 0);
}

static const struct opt_addr ipv4 = {
	.known = 1, .type = 1, .length = 4, .octets = { 192, 0, 2, 7 }
};
static const struct opt_addr ipv6 = {
	.known = 1, .type = 2, .length = 16, .octets = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 }
};
static const struct opt_addr ipv6z = {
	.known = 1, .type = 4, .length = 20, .octets = { 0xfe, 0x80, [15] = 1, [19] = 3 }
};

static void an_address_is_type_and_octets(void **state)
{
	struct fixture *f = *state;
	struct portal *portal = first(f, OBJECT_PORTAL);

	is_hole(f, "iscsiPortalAddrType");
	is_hole(f, "iscsiPortalAddr");
	portal->address = ipv4;
	shows_number(f, "iscsiPortalAddrType", MIB_INTEGER, 1);
	shows_octets(f, "iscsiPortalAddr", "\xc0\x00\x02\x07", 4);
	portal->address = ipv6;
	shows_number(f, "iscsiPortalAddrType", MIB_INTEGER, 2);
	shows_octets(f, "iscsiPortalAddr", ipv6.octets, 16);
	portal->address = ipv6z;
	shows_number(f, "iscsiPortalAddrType", MIB_INTEGER, 4);
	shows_octets(f, "iscsiPortalAddr", ipv6z.octets, 20);
}

static void an_unknown_address_of_a_failure_is_unknown_0_and_empty(void **state)
{
	struct fixture *f = *state;
	struct node *node = first(f, OBJECT_NODE);

	shows_number(f, "iscsiTgtLastIntrFailureAddrType", MIB_INTEGER, 0);
	shows_octets(f, "iscsiTgtLastIntrFailureAddr", "", 0);
	shows_number(f, "iscsiTgtLastIntrFailurePort", MIB_UNSIGNED32, 0);
	node->target_last_failure_address = ipv6;
	shows_number(f, "iscsiTgtLastIntrFailureAddrType", MIB_INTEGER, 2);
	shows_octets(f, "iscsiTgtLastIntrFailureAddr", ipv6.octets, 16);
	shows_number(f, "iscsiIntrLastTgtFailureAddrType", MIB_INTEGER, 0);
}

static void both_addresses_of_a_connection_have_its_one_type(void **state)
{
	struct fixture *f = *state;
	struct connection *connection = first(f, OBJECT_CONNECTION);

	is_hole(f, "iscsiCxnAddrType");
	is_hole(f, "iscsiCxnLocalAddr");
	is_hole(f, "iscsiCxnRemoteAddr");
	connection->local_address = ipv4;
	shows_number(f, "iscsiCxnAddrType", MIB_INTEGER, 1);
	shows_octets(f, "iscsiCxnLocalAddr", ipv4.octets, 4);
	is_hole(f, "iscsiCxnRemoteAddr");
	connection->remote_address = ipv4;
	shows_number(f, "iscsiCxnAddrType", MIB_INTEGER, 1);
	shows_octets(f, "iscsiCxnLocalAddr", ipv4.octets, 4);
	shows_octets(f, "iscsiCxnRemoteAddr", ipv4.octets, 4);
	connection->remote_address = ipv6z;
	shows_number(f, "iscsiCxnAddrType", MIB_INTEGER, 4);
	is_hole(f, "iscsiCxnLocalAddr");
	shows_octets(f, "iscsiCxnRemoteAddr", ipv6z.octets, 20);
	connection->local_address.known = 0;
	is_hole(f, "iscsiCxnLocalAddr");
}

static void the_isid_is_six_octets(void **state)
{
	struct fixture *f = *state;
	struct session *session = first(f, OBJECT_SESSION);

	is_hole(f, "iscsiSsnISID");
	session->isid = (struct opt_isid){ .known = 1, .octets = { 0, 2, 0x3d, 0, 0, 1 } };
	shows_octets(f, "iscsiSsnISID", "\x00\x02\x3d\x00\x00\x01", 6);
}

static void a_time_is_the_masters_sysuptime_then(void **state)
{
	struct fixture *f = *state;
	struct session *session = first(f, OBJECT_SESSION);
	const uint64_t zero_ns = 5 * NS_PER_S;
	const char *const column = "iscsiSsnDiscontinuityTime";

	shows_number(f, column, MIB_TIMESTAMP, 0); /* not known */
	session->discontinuity = (struct opt_time){ .known = 1, .ns = 7 * NS_PER_S };
	shows_number(f, column, MIB_TIMESTAMP, 0); /* sysUpTime not known */
	mib_view_set_uptime_zero(f->view, zero_ns);
	assert_true(mib_view_uptime_zero(f->view) == zero_ns);
	shows_number(f, column, MIB_TIMESTAMP, 200);
	session->discontinuity.ns = 7 * NS_PER_S + NS_PER_CS - 1;
	shows_number(f, column, MIB_TIMESTAMP, 200);
	session->discontinuity.ns = zero_ns - 1; /* before the master began */
	shows_number(f, column, MIB_TIMESTAMP, 0);
	session->discontinuity.ns = 0; /* never */
	shows_number(f, column, MIB_TIMESTAMP, 0);
	session->discontinuity.ns = zero_ns + (UINT64_C(0x100000000) + 3) * NS_PER_CS;
	shows_number(f, column, MIB_TIMESTAMP, 3); /* sysUpTime has wrapped */
}

/* The OID that a cause column shows, as its last two tables' numbers and the counter; 0 for 0.0. */
static mib_oid cause(struct fixture *f, const char *column)
{
	static const mib_oid root[] = { 1, 3, 6, 1, 2, 1, 142, 1 };

	assert_int_equal(get(f, column), MIB_FOUND);
	assert_int_equal(f->value.syntax, MIB_OBJECT_ID);
	if (f->value.oid.length == 2) {
		assert_int_equal(f->value.oid.ids[0], 0);
		assert_int_equal(f->value.oid.ids[1], 0);
		return 0;
	}
	assert_int_equal(f->value.oid.length, 12);
	assert_memory_equal(f->value.oid.ids, root, sizeof(root));
	assert_int_equal(f->value.oid.ids[10], 1);
	return f->value.oid.ids[8] * 10000 + f->value.oid.ids[9] * 100 + f->value.oid.ids[11];
}

static void a_cause_is_the_oid_of_the_counter_that_counted_it(void **state)
{
	struct fixture *f = *state;
	struct instance *instance = first(f, OBJECT_INSTANCE);
	struct node *node = first(f, OBJECT_NODE);

	assert_int_equal(cause(f, "iscsiInstLastSsnFailureType"), 0);
	assert_int_equal(cause(f, "iscsiTgtLastFailureType"), 0);
	assert_int_equal(cause(f, "iscsiIntrLastFailureType"), 0);
	for (uint32_t n = 0; n <= 9; n++) {
		OPT_SET(instance->last_failure_type, n);
		OPT_SET(node->target_last_failure_type, n);
		OPT_SET(node->initiator_last_failure_type, n);
		assert_int_equal(
			cause(f, "iscsiInstLastSsnFailureType"), n >= 1 && n <= 4 ? 10200 + n : 0);
		assert_int_equal(
			cause(f, "iscsiTgtLastFailureType"), n >= 2 && n <= 6 ? 60200 + n : 0);
		assert_int_equal(
			cause(f, "iscsiIntrLastFailureType"), n >= 2 && n <= 7 ? 80200 + n : 0);
	}
	OPT_SET(instance->last_failure_type, 65537);
	assert_int_equal(cause(f, "iscsiInstLastSsnFailureType"), 0);
}

static void pointers_and_storage_types_are_constant(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(cause(f, "iscsiNodeTransportType"), 0);
	assert_int_equal(cause(f, "iscsiSsnAuthIdentity"), 0);
	shows_number(f, "iscsiNodeStorageType", MIB_INTEGER, 5);
	shows_number(f, "iscsiPortalStorageType", MIB_INTEGER, 5);
}

/* ---- notifications ---- */

static const struct mib_notification *notification(const char *name)
{
	for (uint16_t i = 0; i < iscsi_mib.notification_count; i++) {
		if (strcmp(iscsi_mib.notifications[i].name, name) == 0)
			return &iscsi_mib.notifications[i];
	}
	fail_msg("no %s", name);
	return NULL;
}

static void a_notification_has_every_varbind_even_of_holes(void **state)
{
	static const uint32_t key[MIB_KEY_MAX] = { 1, 1 };
	static const mib_oid counter[] = { 1, 3, 6, 1, 2, 1, 142, 1, 6, 1, 1, 1, 1, 1 };
	struct fixture *f = *state;
	const struct mib_notification *n = notification("iscsiTgtLoginFailure");
	struct mib_value v;
	struct mib_name name;

	assert_int_equal(n->column_count, 6);
	for (uint8_t i = 0; i < n->column_count; i++) {
		assert_int_equal(mib_notification_value(f->view, n, i, key, NULL, &name, &v), 0);
		assert_int_equal(name.length, 14);
		assert_int_equal(name.ids[11], i < 1 ? 1 : i + 2);
		switch (i) {
		case 0:
			assert_int_equal(v.syntax, MIB_COUNTER32);
			assert_int_equal(v.number, 0);
			assert_int_equal(
				mib_compare(name.ids, name.length, counter, ARRAY_SIZE(counter)),
				0);
			break;
		case 1:
			assert_int_equal(v.syntax, MIB_OBJECT_ID);
			assert_int_equal(v.oid.length, 2);
			break;
		case 2:
		case 4:
			assert_int_equal(v.syntax, MIB_OCTETS);
			assert_int_equal(v.octets.length, 0);
			break;
		default:
			assert_int_equal(v.number, 0);
		}
	}
}

static void a_notification_shows_what_get_shows(void **state)
{
	static const uint32_t key[MIB_KEY_MAX] = { 1 };
	struct fixture *f = *state;
	struct instance *instance = first(f, OBJECT_INSTANCE);
	const struct mib_notification *n = notification("iscsiInstSessionFailure");
	struct mib_value v;
	struct mib_name name;

	OPT_SET(instance->session_failures, UINT64_C(0x100000002));
	assert_int_equal(mib_notification_value(f->view, n, 0, key, NULL, &name, &v), 0);
	assert_int_equal(v.number, 2);
	assert_int_equal(name.length, 13);
	assert_int_equal(mib_get(f->view, name.ids, name.length, &v), MIB_FOUND);
	assert_int_equal(v.number, 2);
}

static void a_notification_about_a_row_that_is_gone_is_an_error(void **state)
{
	static const uint32_t key[MIB_KEY_MAX] = { 1, 2 };
	struct fixture *f = *state;
	struct mib_value v;
	struct mib_name name;

	assert_int_equal(mib_notification_value(f->view, notification("iscsiIntrLoginFailure"), 0,
				 key, NULL, &name, &v),
		-ENOENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_known_number_is_shown_an_unknown_one_is_a_hole_or_none),
		TEST(the_cid_is_shown_as_it_is_even_0),
		TEST(a_counter32_is_the_low_half_of_the_counter64),
		TEST(truth_is_1_and_2),
		TEST(bits_are_one_octet),
		TEST(text_is_made_safe_and_cut_at_255_octets),
		TEST(an_iscsi_name_has_16_to_223_clean_octets_or_none),
		TEST(of_two_peers_the_one_that_there_is_not_is_a_zero_length_string),
		TEST(an_address_is_type_and_octets),
		TEST(an_unknown_address_of_a_failure_is_unknown_0_and_empty),
		TEST(both_addresses_of_a_connection_have_its_one_type),
		TEST(the_isid_is_six_octets),
		TEST(a_time_is_the_masters_sysuptime_then),
		TEST(a_cause_is_the_oid_of_the_counter_that_counted_it),
		TEST(pointers_and_storage_types_are_constant),
		TEST(a_notification_has_every_varbind_even_of_holes),
		TEST(a_notification_shows_what_get_shows),
		TEST(a_notification_about_a_row_that_is_gone_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
