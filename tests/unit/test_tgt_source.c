/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the source tgt shows of an honest tgtd 1.0.85, and of its sockets.
 *
 * Wrapped: __wrap_root_exchange __wrap_root_list __wrap_root_tcp_sockets __wrap_root_read
 * __wrap_root_read_link
 */
#include "tests/support/tgt_wraps.h"

/* The identities of a target's node, joined. */
static const char *identities(const char *node_name)
{
	static char out[512];
	const struct auth *auths = ARRAY_OF(AUTH, auth);
	const struct node *nodes = ARRAY_OF(NODE, node);
	size_t length = 0;

	*out = 0;
	for (uint32_t i = 0; i < count_of(OBJECT_AUTH); i++)
		if (!strcmp(text_of(&nodes[auths[i].node].name), node_name))
			length += (size_t)snprintf(out + length, sizeof(out) - length, "%u:%s;",
				auths[i].identity_kind.value, text_of(&auths[i].identity));
	return out;
}

/* ---- what is shown of an honest tgtd ---- */

static void test_instance(void **state)
{
	const struct instance *instance;

	(void)state;
	run_good(NULL);
	assert_int_equal(count_of(OBJECT_INSTANCE), 1);
	instance = ARRAY_OF(INSTANCE, instance);
	assert_string_equal(last_poll.unit, "/var/run/tgtd/socket.0");
	assert_string_equal(text_of(&instance->key), "tgt:0");
	assert_int_equal(instance->number.value, 3);
	assert_string_equal(text_of(&instance->incarnation), "4711:815");
	assert_string_equal(text_of(&instance->description), "tgt target, control port 0");
	assert_string_equal(text_of(&instance->vendor), "Linux SCSI target framework (tgt)");
	assert_string_equal(text_of(&instance->vendor_version), "-");
	assert_string_equal(text_of(&instance->node_architecture), "Linux 6.1.0-test");
	assert_true(instance->version_min.known && instance->version_max.known);
	assert_false(instance->session_failures.known);
}

/* What a poll takes was counted from the second answer on. */
static void test_each_answer_is_in_the_time_of_a_poll(void **state)
{
	unsigned before;

	(void)state;
	run_good(NULL);
	before = fake.asked;
	fake.delay_ms = 5;
	run_good(NULL);
	assert_true(fake.asked > before);
	assert_true(last_poll.wall_ns >= (fake.asked - before) * 5 * NS_PER_MS);
}

static void test_portals(void **state)
{
	const struct portal *portals;

	(void)state;
	run_good(NULL);
	assert_int_equal(count_of(OBJECT_PORTAL), 2);
	portals = ARRAY_OF(PORTAL, portal);
	assert_true(is_address(&portals[0].address, "::1"));
	assert_true(is_address(&portals[1].address, "127.0.0.1"));
	assert_int_equal(portals[1].port.value, 32600);
	assert_int_equal(portals[1].tag.value, 1);
	assert_int_equal(portals[1].protocol.value, 6);
	assert_int_equal(portals[1].roles.value, 0x80);
	assert_int_equal(portals[1].node, LINK_NONE);
	assert_int_equal(portals[1].max_recv_data_segment_length.value, 8192);
	assert_int_equal(portals[1].primary_header_digest.value, 3);
	assert_int_equal(portals[1].secondary_header_digest.value, 1);
}

static void test_portals_when_targets_differ(void **state)
{
	CLEANUP_FREE char *changed = slurp("tgt/changed-t1.txt");
	const struct portal *portals;

	(void)state;
	put_answer((struct answer){ .mode = MODE_TARGET, .op = 2, .number = 2, .text = changed });
	run_good(NULL);
	portals = ARRAY_OF(PORTAL, portal);
	assert_int_equal(portals[0].max_recv_data_segment_length.value, 8192);
	assert_false(portals[0].primary_header_digest.known);
	assert_false(portals[0].secondary_data_digest.known);
	/* Alone it prefers CRC32C, and takes None. */
	put_answer((struct answer){ .mode = MODE_TARGET, .op = 2, .number = 1, .text = changed });
	run_good(NULL);
	portals = ARRAY_OF(PORTAL, portal);
	assert_int_equal(portals[0].max_recv_data_segment_length.value, 65536);
	assert_int_equal(portals[0].primary_header_digest.value, 4);
	assert_int_equal(portals[0].secondary_header_digest.value, 3);
}

static void test_receive_of_a_target_that_does_not_tell_it_could_be_the_smallest(void **state)
{
	CLEANUP_FREE char *without = slurp("tgt/default-t1.txt");
	char *line = strstr(without, "MaxRecvDataSegmentLength");

	(void)state;
	assert_non_null(line);
	*line = 'X';
	for (int tid = 1; tid <= 2; tid++) {
		put_answer((struct answer){
			.mode = MODE_TARGET, .op = 2, .number = tid, .text = without });
		run_good(NULL);
		assert_false(ARRAY_OF(PORTAL, portal)[0].max_recv_data_segment_length.known);
		assert_true(ARRAY_OF(PORTAL, portal)[0].primary_header_digest.known);
	}
}

static void test_nodes(void **state)
{
	const struct node *node;

	(void)state;
	run_good(NULL);
	assert_int_equal(count_of(OBJECT_NODE), 2);
	node = ARRAY_OF(NODE, node);
	assert_string_equal(text_of(&node->name), DISK1);
	assert_int_equal(node->roles.value, 0x80);
	assert_true(node->initial_r2t.known && node->initial_r2t.value);
	assert_int_equal(node->first_burst_length.value, 65536);
	assert_int_equal(node->max_connections.value, 1);
	assert_int_equal(node->default_time2retain.value, 20);
	assert_false(node->target_login_accepts.known);
}

static void test_redirecting_target_has_a_node_without_values(void **state)
{
	CLEANUP_FREE char *redirect = slurp("tgt/redirect-t1.txt");

	(void)state;
	put_answer((struct answer){ .mode = MODE_TARGET, .op = 2, .number = 1, .text = redirect });
	run_good(NULL);
	assert_int_equal(count_of(OBJECT_NODE), 2);
	assert_false(ARRAY_OF(NODE, node)[0].initial_r2t.known);
	assert_true(ARRAY_OF(NODE, node)[1].initial_r2t.known);
	assert_int_equal(ARRAY_OF(PORTAL, portal)[0].max_recv_data_segment_length.value, 8192);
}

static void test_identities(void **state)
{
	(void)state;
	put_answer((struct answer){
		.mode = MODE_DEVICE, .op = 6, .number = 1, .text = "tgt lun sid x\n" });
	put_answer((struct answer){
		.mode = MODE_DEVICE, .op = 6, .number = 2, .text = "tgt lun sid x\n" });
	run_good("accounts");
	assert_string_equal(identities(DISK1), "1:ALL;");
	/* bob is what the target shows of itself, no identity that may use it. */
	assert_string_equal(identities(DISK2), "2:127.0.0.0/8;2:::1;3:" VICTIM ";4:alice;");
}

/* Addresses of an ACL may have a zone, which may have any name. */
static void test_addresses_with_a_zone(void **state)
{
	CLEANUP_FREE char *before = slurp("tgt/sessions-t0.txt");
	CLEANUP_FREE char *text = NULL;
	char *list = strstr(before, "        127.0.0.0/8\n");

	(void)state;
	assert_non_null(list);
	*list = 0;
	assert_true(
		asprintf(&text,
			"%s        fe80::1%%eth0\n        [fe80::2%%br-lan]/64\n"
			"        eui.02004567A425678D\n        iqn.x:a%%b\n        beef%%eth0\n",
			before) > 0);
	put_answer((struct answer){ .mode = MODE_TARGET, .op = 2, .number = -1, .text = text });
	run_good(NULL);
	assert_string_equal(identities(DISK2),
		"2:[fe80::2%br-lan]/64;2:fe80::1%eth0;3:beef%eth0;3:eui.02004567A425678D;"
		"3:iqn.x:a%b;");
}

static void test_sessions(void **state)
{
	const struct session *session;

	(void)state;
	run_good(NULL);
	assert_int_equal(count_of(OBJECT_SESSION), 3);
	assert_session(1, VICTIM, "victim's alias");
	assert_session(2, VICTIM, "");
	assert_session(3, OTHER, "");
	session = session_of(1);
	assert_string_equal(text_of(&session->key), "4711:815 tid 1 nexus 1 epoch 0");
	assert_string_equal(text_of(&ARRAY_OF(NODE, node)[session->node].name), DISK1);
	assert_string_equal(text_of(&ARRAY_OF(NODE, node)[session_of(2)->node].name), DISK2);
	assert_int_equal(session->direction.value, 1);
	assert_int_equal(session->type.value, 1);
	assert_int_equal(session->connection_count.value, 1);
	assert_int_equal(session->protocol_level.value, 1);
	assert_int_equal(session->task_reporting.value, 0x80);
	assert_int_equal(session->command_pdus.value, 3);
	assert_int_equal(session->rx_octets.value, 392);
	assert_int_equal(session->tx_octets.value, 300);
	assert_false(session->response_pdus.known); /* 0 for 3 commands */
	assert_false(session->isid.known);
	assert_false(session->nop_sent_pdus.known);
}

static void test_negotiated_values_that_follow(void **state)
{
	const struct session *session;

	(void)state;
	run_good(NULL);
	session = session_of(1);
	assert_true(session->initial_r2t.known && session->initial_r2t.value);
	assert_false(session->immediate_data.known);
	assert_int_equal(session->max_outstanding_r2t.value, 1);
	assert_true(session->data_pdu_in_order.value && session->data_sequence_in_order.value);
	assert_true(session->error_recovery_level.known);
	assert_int_equal(session->negotiated_max_connections.value, 1);
	assert_int_equal(session->target_portal_tag.value, 1);
	assert_false(session->first_burst_length.known);
	assert_false(session->max_burst_length.known);
}

static void test_negotiated_values_that_do_not_follow(void **state)
{
	CLEANUP_FREE char *changed = slurp("tgt/changed-t1.txt");
	const struct connection *connection;
	const struct session *session;

	(void)state;
	memcpy(strstr(changed, "MaxConnections=1"), "MaxConnections=2", 16);
	put_answer((struct answer){ .mode = MODE_TARGET, .op = 2, .number = 1, .text = changed });
	run_good(NULL);
	session = session_of(1);
	assert_false(session->initial_r2t.known);
	assert_false(session->negotiated_max_connections.known);
	assert_true(session->immediate_data.known && !session->immediate_data.value);
	assert_false(session->max_outstanding_r2t.known);
	assert_false(session->data_pdu_in_order.known);
	assert_true(session->data_sequence_in_order.known);
	assert_false(session->error_recovery_level.known);
	connection = connection_of(1, 0);
	assert_int_equal(connection->max_recv_data_segment_length.value, 65536);
	assert_false(connection->header_digest.known); /* CRC32C is only preferred */
	assert_false(connection->data_digest.known);
}

static void test_session_keeps_what_it_logged_in_with(void **state)
{
	CLEANUP_FREE char *changed = slurp("tgt/changed-t1.txt");

	(void)state;
	run_good(NULL);
	put_answer((struct answer){ .mode = MODE_TARGET, .op = 2, .number = 1, .text = changed });
	run_good("forged-name"); /* a login in between: nexus 5 */
	assert_true(session_of(1)->initial_r2t.known && session_of(1)->initial_r2t.value);
	assert_int_equal(connection_of(1, 0)->max_recv_data_segment_length.value, 8192);
	assert_int_equal(connection_of(1, 0)->header_digest.value, 3);
	/* Of the new one it is not known which parameters it met. */
	assert_false(session_of(5)->initial_r2t.known);
	assert_false(session_of(5)->immediate_data.known);
	assert_true(session_of(5)->data_sequence_in_order.known); /* did not change */
	assert_false(connection_of(5, 0)->max_recv_data_segment_length.known);
	/* The node shows what is configured now. */
	assert_false(ARRAY_OF(NODE, node)[0].initial_r2t.value);
}

static void test_connections(void **state)
{
	const struct connection *connection;

	(void)state;
	run_good(NULL);
	assert_int_equal(count_of(OBJECT_CONNECTION), 3);
	connection = connection_of(2, 0);
	assert_string_equal(text_of(&connection->key), "0");
	assert_int_equal(connection->state.value, 2);
	assert_true(is_address(&connection->remote_address, "::1"));
	assert_int_equal(connection->local_port.value, 32600); /* all portals have it */
	assert_true(is_address(&connection->local_address, "-"));
	assert_false(connection->remote_port.known);
	assert_int_equal(connection->protocol.value, 6);
	assert_int_equal(connection->max_recv_data_segment_length.value, 8192);
	assert_false(connection->max_xmit_data_segment_length.known);
	assert_int_equal(connection->header_digest.value, 3);
	assert_int_equal(connection->data_digest.value, 3);
	assert_true(connection->recv_marker.known && !connection->recv_marker.value);
	assert_true(connection->version_active.known);
}

static void test_two_connections_of_one_session(void **state)
{
	(void)state;
	run_good("two-connections");
	assert_int_equal(session_of(6)->connection_count.value, 2);
	assert_int_equal(session_of(6)->rx_octets.value, 240 + 2232);
	assert_session(6, EVIL, "-"); /* its alias is too long for tgtd */
	/* One may still be in its login. */
	assert_false(connection_of(6, 0)->state.known);
	assert_false(connection_of(6, 7)->state.known);
	assert_true(connection_of(1, 0)->state.known);
}

/* ---- sockets ---- */

static void test_only_socket_gives_both_ends(void **state)
{
	(void)state;
	put_socket("::1", "::1", 50001);
	run_good("sessions");
	assert_true(is_address(&connection_of(2, 0)->local_address, "::1"));
	assert_int_equal(connection_of(2, 0)->local_port.value, 32600);
	assert_int_equal(connection_of(2, 0)->remote_port.value, 50001);
	assert_false(connection_of(1, 0)->remote_port.known);
}

static void test_two_sockets_give_what_they_have_in_common(void **state)
{
	(void)state;
	put_socket("127.0.0.1", "127.0.0.1", 50001);
	put_socket("127.0.0.1", "127.0.0.1", 50002);
	run_good("sessions");
	assert_true(is_address(&connection_of(1, 0)->local_address, "127.0.0.1"));
	assert_false(connection_of(1, 0)->remote_port.known);
	assert_false(connection_of(3, 0)->remote_port.known);
}

static void test_fewer_sockets_than_connections_give_nothing(void **state)
{
	(void)state;
	put_socket("127.0.0.1", "127.0.0.1", 50001); /* for 1 and 3 */
	run_good("sessions");
	assert_true(is_address(&connection_of(1, 0)->local_address, "-"));
	assert_false(connection_of(1, 0)->remote_port.known);
}

static void test_socket_once_known_stays_until_it_closes(void **state)
{
	(void)state;
	put_socket("::1", "::1", 50001);
	run_good("sessions");
	put_socket("::1", "::1", 50002); /* a discovery session */
	run_good(NULL);
	assert_int_equal(connection_of(2, 0)->remote_port.value, 50001);
	fake.socket_count = -EACCES; /* no table this once */
	run_good(NULL);
	assert_int_equal(connection_of(2, 0)->remote_port.value, 50001);
	fake.socket_count = 0;
	run_good(NULL);
	assert_false(connection_of(2, 0)->remote_port.known);
	assert_true(is_address(&connection_of(2, 0)->local_address, "-"));
	assert_false(connection_of(2, 0)->state.known); /* tgtd lists it, but it is closed */
}

static void test_socket_of_another_service_does_not_count(void **state)
{
	(void)state;
	put_socket("::1", "::1", 50001);
	fake.sockets[0].local_port = 22;
	run_good("sessions");
	assert_false(connection_of(2, 0)->remote_port.known);
	fake.sockets[0].local_port = 32600;
	assert_int_equal(text_to_address("2001:db8::1", &fake.sockets[0].local), 0);
	run_good(NULL); /* no portal has this address */
	assert_false(connection_of(2, 0)->remote_port.known);
}

static void test_sockets_of_another_network_namespace_do_not_count(void **state)
{
	(void)state;
	put_socket("::1", "::1", 50001);
	fake.other_netns = "net:[2]";
	run_good("sessions");
	assert_false(connection_of(2, 0)->remote_port.known);
	assert_int_equal(connection_of(2, 0)->local_port.value, 32600);
}

/* The process of a tgtd in another pid namespace is not known, and so not where it lives. */
static void test_sockets_of_a_process_that_is_not_known_count(void **state)
{
	(void)state;
	put_socket("::1", "::1", 50001);
	fake.peer = (struct root_peer){ .pid = 0 };
	fake.other_netns = "net:[2]";
	run_good("sessions");
	assert_int_equal(connection_of(2, 0)->remote_port.value, 50001);
}

static void test_portal_that_is_listed_twice_is_one(void **state)
{
	(void)state;
	put_answer((struct answer){ .mode = MODE_PORTAL,
		.op = 2,
		.text = "Portal: 192.0.2.1:3260,1\nPortal: 192.0.2.1:3260,1\n" });
	run_good("sessions");
	assert_int_equal(count_of(OBJECT_PORTAL), 1);
	assert_true(is_address(&connection_of(1, 0)->local_address, "192.0.2.1"));
}

static void test_single_portal_is_the_local_end(void **state)
{
	(void)state;
	put_answer((struct answer){
		.mode = MODE_PORTAL, .op = 2, .number = 0, .text = "Portal: 192.0.2.1:3260,1\n" });
	fake.socket_count = -EACCES;
	run_good("sessions");
	assert_true(is_address(&connection_of(1, 0)->local_address, "192.0.2.1"));
	assert_int_equal(connection_of(1, 0)->local_port.value, 3260);
}

static void test_rdma_has_no_socket_and_no_tcp(void **state)
{
	(void)state;
	put_answer((struct answer){ .mode = MODE_CONNECTION,
		.op = 2,
		.number = 2,
		.text = "Session: 2\n    Connection: 0\n        Initiator: " VICTIM "\n"
			"        RDMA IP Address: 192.0.2.9\n" });
	run_good("sessions");
	assert_true(is_address(&connection_of(2, 0)->remote_address, "192.0.2.9"));
	assert_false(connection_of(2, 0)->protocol.known);
	assert_false(connection_of(2, 0)->local_port.known);
	assert_false(connection_of(2, 0)->max_recv_data_segment_length.known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_instance),
		TEST(test_each_answer_is_in_the_time_of_a_poll),
		TEST(test_portals),
		TEST(test_portals_when_targets_differ),
		TEST(test_receive_of_a_target_that_does_not_tell_it_could_be_the_smallest),
		TEST(test_nodes),
		TEST(test_redirecting_target_has_a_node_without_values),
		TEST(test_identities),
		TEST(test_addresses_with_a_zone),
		TEST(test_sessions),
		TEST(test_negotiated_values_that_follow),
		TEST(test_negotiated_values_that_do_not_follow),
		TEST(test_session_keeps_what_it_logged_in_with),
		TEST(test_connections),
		TEST(test_two_connections_of_one_session),
		TEST(test_only_socket_gives_both_ends),
		TEST(test_two_sockets_give_what_they_have_in_common),
		TEST(test_fewer_sockets_than_connections_give_nothing),
		TEST(test_socket_once_known_stays_until_it_closes),
		TEST(test_socket_of_another_service_does_not_count),
		TEST(test_sockets_of_another_network_namespace_do_not_count),
		TEST(test_sockets_of_a_process_that_is_not_known_count),
		TEST(test_portal_that_is_listed_twice_is_one),
		TEST(test_single_portal_is_the_local_end),
		TEST(test_rdma_has_no_socket_and_no_tcp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
