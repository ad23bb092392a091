/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is tried: lines and records become entries, once each, and keep what is known of them; whose
 * names a probe must not have; and what is shown.
 */
#include "model/fragment.h"
#include "source/probe_model.h"
#include "source/probe_names.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define DISK "iqn.2004-10.org.example:disk"
#define HOST "iqn.2004-10.org.example:host"

static struct source_settings settings;
static struct probe_entries entries;

static int begin(void **state)
{
	(void)state;
	memset(&settings, 0, sizeof(settings));
	scratch_begin();
	return 0;
}

static int finish(void **state)
{
	(void)state;
	probe_entries_clear(&entries);
	scratch_end();
	return 0;
}

static void set_lines(const char *first, const char *second)
{
	settings.probes.count = !!first + !!second;
	snprintf(settings.probes.lines[0], SOURCE_LINE_MAX, "%s", first ? first : "");
	snprintf(settings.probes.lines[1], SOURCE_LINE_MAX, "%s", second ? second : "");
}

static void make_directories(const char *path)
{
	char part[300];

	for (size_t i = 1; path[i]; i++) {
		if (path[i + 1] && path[i + 1] != '/')
			continue;
		snprintf(part, sizeof(part), "%.*s", (int)i + 1, path);
		if (path[i] != '/' && access(scratch_path(part), F_OK) < 0)
			scratch_dir(part);
	}
}

static void write_file(const char *directory, const char *name, const char *text)
{
	char path[400];

	make_directories(directory);
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	scratch_text(path, text);
}

/* A node record of an interface below the scratch directory. */
static void write_record_of(
	const char *iface, const char *target, const char *address, const char *port)
{
	char path[300], text[600];

	snprintf(path, sizeof(path), "/var/lib/iscsi/nodes/%s/%s,%s,1", target, address, port);
	snprintf(text, sizeof(text),
		"node.name = %s\nnode.tpgt = 1\nnode.startup = manual\n"
		"iface.iscsi_ifacename = %s\nnode.conn[0].address = %s\n"
		"node.conn[0].port = %s\n",
		target, iface, address, port);
	write_file(path, iface, text);
}

static void write_record(const char *target, const char *address, const char *port)
{
	write_record_of("default", target, address, port);
}

static struct root *open_root(void)
{
	struct root *root = NULL;

	assert_int_equal(root_open(scratch_path(""), &root), 0);
	return root;
}

static void read_records(struct root *root, struct oiscsi_records *ret)
{
	assert_int_equal(
		oiscsi_records_read(root, "/etc/iscsi", "/var/lib/iscsi", UINT64_MAX, ret), 0);
}

/* Refreshes with what the scratch directory holds; returns how many went. */
static size_t refresh(bool incomplete, uint64_t now_ns)
{
	CLEANUP_OISCSI_RECORDS struct oiscsi_records records = { .incomplete = true };
	struct root *root = open_root();
	struct probe_entries gone;
	size_t count;

	read_records(root, &records);
	records.incomplete = incomplete;
	assert_int_equal(probe_entries_refresh(&entries, &settings, &records, now_ns, &gone), 0);
	count = gone.count;
	probe_entries_clear(&gone);
	root_close(root);
	return count;
}

static void lines_and_records_are_one_list(void **state)
{
	(void)state;
	set_lines("10.0.0.1 " DISK, "10.0.0.2");
	write_record(DISK, "10.0.0.1", "3260");
	write_record(DISK, "10.0.0.3", "860");
	write_record(DISK, "array.example", "3260");
	write_record("no-name", "10.0.0.4", "3260");
	assert_int_equal(refresh(false, 5), 0);
	assert_int_equal(entries.count, 2);
	settings.probe_known_paths = 1;
	assert_int_equal(refresh(false, 7), 0);
	assert_int_equal(entries.count, 3);
	assert_string_equal(entries.list[0]->key, "10.0.0.1:3260 " DISK);
	assert_int_equal(entries.list[0]->origin, PROBE_CONFIGURED);
	assert_int_equal(entries.list[0]->due_ns, 5);
	assert_string_equal(entries.list[1]->key, "10.0.0.2:3260 ");
	assert_string_equal(entries.list[2]->key, "10.0.0.3:860 " DISK);
	assert_int_equal(entries.list[2]->origin, PROBE_RECORD);
	assert_int_equal(entries.list[2]->due_ns, 7);
}

static void records_of_other_transports_are_left_out(void **state)
{
	(void)state;
	settings.probe_known_paths = 1;
	write_file("/var/lib/iscsi/ifaces", "rdma",
		"iface.iscsi_ifacename = rdma\niface.transport_name = iser\n");
	write_file("/var/lib/iscsi/ifaces", "eth",
		"iface.iscsi_ifacename = eth\niface.transport_name = tcp\n"
		"iface.net_ifacename = eth1\n");
	write_record_of("rdma", DISK, "10.0.0.1", "3260");
	write_record_of("eth", DISK, "10.0.0.2", "3260");
	write_record_of("unheard-of", DISK, "10.0.0.3", "3260");
	refresh(false, 5);
	assert_int_equal(entries.count, 2);
	assert_string_equal(entries.list[0]->key, "10.0.0.2:3260 " DISK);
	assert_string_equal(entries.list[1]->key, "10.0.0.3:3260 " DISK);
}

static void what_is_known_stays_while_it_is_wanted(void **state)
{
	struct probe_entry *entry;

	(void)state;
	set_lines("10.0.0.1 " DISK, "10.0.0.2");
	settings.probe_known_paths = 1;
	write_record(DISK, "10.0.0.1", "3260");
	refresh(false, 5);
	entry = entries.list[0];
	entry->failures = 3;
	entry->due_ns = 99;
	/* Now only the record wants it. */
	set_lines(NULL, NULL);
	assert_int_equal(refresh(false, 6), 1);
	assert_int_equal(entries.count, 1);
	assert_ptr_equal(entries.list[0], entry);
	assert_int_equal(entry->origin, PROBE_RECORD);
	assert_int_equal(entry->failures, 3);
	assert_int_equal(entry->due_ns, 99);
}

static void no_record_goes_while_some_cannot_be_read(void **state)
{
	(void)state;
	set_lines("10.0.0.2", NULL);
	settings.probe_known_paths = 1;
	write_record(DISK, "10.0.0.1", "3260");
	refresh(false, 5);
	assert_int_equal(entries.count, 2);
	scratch_end();
	scratch_begin();
	set_lines(NULL, NULL);
	assert_int_equal(refresh(true, 6), 1); /* the line's goes all the same */
	assert_int_equal(entries.count, 1);
	assert_int_equal(refresh(false, 7), 1);
	assert_int_equal(entries.count, 0);
}

static void a_line_whose_interface_is_not_there_is_left_out(void **state)
{
	(void)state;
	set_lines("[fe80::1%no-such-one0]", "10.0.0.1");
	refresh(false, 5);
	assert_true(entries.without_zone);
	assert_int_equal(entries.count, 1);
	set_lines("10.0.0.1", NULL);
	refresh(false, 6);
	assert_false(entries.without_zone);
}

static void there_is_a_limit(void **state)
{
	CLEANUP_OISCSI_RECORDS struct oiscsi_records records = { .incomplete = false };
	struct probe_entries gone;

	(void)state;
	settings.probe_known_paths = 1;
	for (unsigned int i = 0; i < PROBE_ENTRIES_MAX + 3; i++) {
		struct oiscsi_node node = { .target = strdup(DISK),
			.portal = { .address = { 1, 4, { 10, 0, (uint8_t)(i >> 8), (uint8_t)i } },
				.port = 3260 } };

		assert_int_equal(oiscsi_nodes_add(&records.nodes, &node), 0);
	}
	assert_int_equal(probe_entries_refresh(&entries, &settings, &records, 5, &gone), 0);
	assert_int_equal(gone.count, 0);
	probe_entries_clear(&gone);
	assert_int_equal(entries.count, PROBE_ENTRIES_MAX);
	assert_int_equal(entries.left_out, 3);
}

static void an_answer_ends_the_count_of_failures(void **state)
{
	static const struct {
		enum probe_result result;
		uint32_t failures;
	} steps[] = {
		{ PROBE_TIMEOUT, 1 },
		{ PROBE_TARGET_ERROR, 2 },
		{ PROBE_CONNECTION_REFUSED, 3 },
		{ PROBE_REFUSED, 0 },
		{ PROBE_UNREACHABLE, 1 },
		{ PROBE_REDIRECTED, 0 },
		{ PROBE_CLOSED, 1 },
		{ PROBE_PROTOCOL_ERROR, 2 },
		{ PROBE_LOCAL_ERROR, 3 },
		{ PROBE_OK, 0 },
		{ PROBE_OK, 0 },
		{ PROBE_TIMEOUT, 1 },
	};
	struct probe_entry entry = { .due_ns = 0 };
	uint64_t answered_ns = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		entry.child.outcome.result = steps[i].result;
		assert_int_equal(probe_entry_finish(&entry, i + 1),
			i == 0 || steps[i].result != steps[i - 1].result);
		if (!steps[i].failures)
			answered_ns = i + 1;
		assert_int_equal(entry.failures, steps[i].failures);
		assert_int_equal(entry.answered_ns, answered_ns);
		assert_int_equal(entry.probed_ns, i + 1);
		assert_int_equal(entry.outcome.result, steps[i].result);
	}
}

static void names_of_own_sessions_are_taken(void **state)
{
	CLEANUP_OISCSI_RECORDS struct oiscsi_records records = { .incomplete = true };
	struct root *root;

	(void)state;
	write_file("/etc/iscsi", "initiatorname.iscsi", "InitiatorName=" HOST "\n");
	write_file("/var/lib/iscsi/ifaces", "one",
		"iface.iscsi_ifacename = one\niface.transport_name = tcp\n"
		"iface.initiatorname = " HOST ".iface\n");
	write_file("/var/lib/iscsi/nodes/" DISK "/10.0.0.1,3260,1", "default",
		"node.conn[0].address = 10.0.0.1\niface.initiatorname = " HOST ".record\n");
	write_file("/sys/class/iscsi_session/session3", "initiatorname", HOST ".session\n");
	write_file("/sys/class/iscsi_session/session4", "initiatorname", "(null)\n");
	root = open_root();
	read_records(root, &records);
	assert_true(probe_name_is_taken(root, &records, HOST));
	assert_true(probe_name_is_taken(root, &records, "iqn.2004-10.ORG.example:Host"));
	assert_true(probe_name_is_taken(root, &records, HOST ".iface"));
	assert_true(probe_name_is_taken(root, &records, HOST ".record"));
	assert_true(probe_name_is_taken(root, &records, HOST ".session"));
	assert_false(probe_name_is_taken(root, &records, HOST ".probe"));
	assert_false(probe_name_is_taken(root, &records, "iqn.2004-10.org.example:hos"));
	root_close(root);
}

static void a_row_holds_what_is_known(void **state)
{
	struct builder *b = builder_new();
	struct fragment *fragment = NULL;
	const struct probe *rows;
	char reason[128];
	size_t length;

	(void)state;
	set_lines("10.0.0.1 " DISK, "10.0.0.2");
	refresh(false, 5);
	entries.list[0]->child.outcome = (struct probe_outcome){ .result = PROBE_REFUSED,
		.connect_us = { 70, 1 },
		.login_class = { 2, 1 },
		.login_detail = { 1, 1 },
		.text = "authentication failed" };
	snprintf(entries.list[0]->child.outcome.keys.alias, PROBE_TEXT_MAX, "one");
	probe_entry_finish(entries.list[0], 77);
	assert_int_equal(probe_model_build(b, &entries, HOST), 0);
	assert_int_equal(builder_seal(b, &fragment, &length), 0);
	assert_int_equal(fragment_check(fragment, length, reason), 0);
	assert_int_equal(fragment->arrays[OBJECT_PROBE].count, 2);
	rows = fragment_array(fragment, OBJECT_PROBE);
	assert_int_equal(rows[0].result.value, PROBE_REFUSED);
	assert_int_equal(rows[0].connect_us.value, 70);
	assert_false(rows[0].ping_us.known || rows[0].redirect.known || rows[0].keys.known);
	assert_int_equal(rows[0].alias.length, 3);
	assert_int_equal(rows[0].probed.ns, 77);
	assert_int_equal(rows[0].answered.ns, 77);
	/* Not tried yet. */
	assert_int_equal(rows[1].target_name.length, 0);
	assert_true(rows[1].target_name.known && rows[1].probed.known && !rows[1].probed.ns);
	assert_false(rows[1].result.known || rows[1].text.known || rows[1].failures.known);
	free(fragment);
	builder_free(b);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lines_and_records_are_one_list),
		TEST(records_of_other_transports_are_left_out),
		TEST(what_is_known_stays_while_it_is_wanted),
		TEST(no_record_goes_while_some_cannot_be_read),
		TEST(a_line_whose_interface_is_not_there_is_left_out),
		TEST(there_is_a_limit),
		TEST(an_answer_ends_the_count_of_failures),
		TEST(names_of_own_sessions_are_taken),
		TEST(a_row_holds_what_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
