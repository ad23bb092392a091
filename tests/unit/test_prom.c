/* SPDX-License-Identifier: BSD-2-Clause */
/* model/prom.h: what is not known is in no label. The recordings are held in test_prom.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/text.h"
#include "model/prom.h"
#include "tests/support/ledger_lab.h"

static struct ledger_lab lab;
static char *printed;

static void print(void)
{
	size_t length;
	FILE *out = open_memstream(&printed, &length);

	assert_non_null(out);
	ledger_lab_end(&lab);
	assert_int_equal(prom_dump(lab.shown, lab.now_ns, out), 0);
	fclose(out);
}

static int setup(void **state)
{
	(void)state;
	ledger_lab_open(&lab);
	ledger_lab_begin(&lab, "a");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(printed);
	printed = NULL;
	ledger_lab_close(&lab);
	return 0;
}

static struct path *portal(void)
{
	struct path *path = ledger_lab_path(&lab, "p");
	struct text_address address;

	assert_int_equal(text_to_address("10.0.0.1", &address), 0);
	builder_address(&path->portal_address, &address);
	OPT_SET(path->status, 1);
	return path;
}

/* It was once port 0. */
static void a_port_that_is_not_known(void **state)
{
	(void)state;
	portal();
	print();
	assert_non_null(strstr(printed, "portal=\"10.0.0.1\""));
}

static void a_port_that_is(void **state)
{
	(void)state;
	OPT_SET(portal()->portal_port, 3260);
	print();
	assert_non_null(strstr(printed, "portal=\"10.0.0.1:3260\""));
}

/* It was once outbound. */
static void a_direction_that_is_not_known(void **state)
{
	struct session *session = ledger_lab_session(&lab, "s");

	(void)state;
	session->direction.known = 0;
	OPT_SET(session->connection_count, 1);
	print();
	assert_non_null(strstr(printed, "iscsi_session_connections{"));
	assert_null(strstr(printed, "direction="));
}

/* What a peer calls itself ends no label, no line and no sample. */
static void a_name_with_quotes_and_line_ends(void **state)
{
	struct path *path = portal();

	(void)state;
	builder_text(lab.builder, &path->initiator_name, "a\"} 1\nb\\c");
	print();
	assert_non_null(strstr(printed, "initiator=\"a\\\"} 1?b\\\\c\""));
}

/* Where the address is not known, what was configured is. */
static void a_portal_that_has_a_name_only(void **state)
{
	struct path *path = ledger_lab_path(&lab, "p");

	(void)state;
	OPT_SET(path->status, 1);
	builder_text(lab.builder, &path->portal_name, "storage.example:3260");
	print();
	assert_non_null(strstr(printed, "portal=\"storage.example:3260\""));
}

/* A map with one path. */
static void add_map(const char *wwid, const char *disk, bool is_iscsi)
{
	uint32_t at;
	struct map *map = builder_map(lab.builder, &at);
	struct map_path *path;

	builder_text(lab.builder, &map->key, wwid);
	builder_text(lab.builder, &map->wwid, wwid);
	path = builder_map_path(lab.builder, NULL);
	path->map = at;
	builder_text(lab.builder, &path->key, disk);
	path->is_iscsi = (struct opt_bool){ .value = is_iscsi, .known = 1 };
	OPT_SET(path->dm_state, 1);
	OPT_SET(path->checker_state, 1);
	OPT_SET(path->group_state, 1);
}

/* A map of Fibre Channel is not one of ours, nor is one of two objects with one key a row. */
static void what_has_no_row_is_not_printed(void **state)
{
	struct session *first = ledger_lab_session(&lab, "s"), *second;

	(void)state;
	OPT_SET(first->connection_count, 7);
	second = ledger_lab_session(&lab, "s");
	OPT_SET(second->connection_count, 8);
	add_map("36001405a", "sda", true);
	add_map("3600508b4", "sdb", false);
	print();
	assert_non_null(strstr(printed, "iscsi_map_status{wwid=\"36001405a\"} 1\n"));
	assert_null(strstr(printed, "3600508b4"));
	assert_non_null(strstr(printed, "iscsi_session_connections{"));
	assert_null(strstr(printed, "} 8\n"));
}

/* Devices have the index of their session. */
static void a_device_is_printed_with_its_session(void **state)
{
	uint32_t at;

	(void)state;
	ledger_lab_session(&lab, "s");
	for (int i = 0; i < 2; i++) {
		struct device *device;

		if (i)
			ledger_lab_session(&lab, "s"); /* no row: the key of the other one */
		device = builder_device(lab.builder, &at);
		device->instance = 0;
		device->session = (uint32_t)i;
		builder_text(lab.builder, &device->key, i ? "0:0:0:1" : "0:0:0:0");
		builder_text(lab.builder, &device->hctl, i ? "0:0:0:1" : "0:0:0:0");
		OPT_SET(device->state, 1);
	}
	print();
	assert_non_null(strstr(printed, "hctl=\"0:0:0:0\""));
	assert_null(strstr(printed, "hctl=\"0:0:0:1\""));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_port_that_is_not_known),
		TEST(a_port_that_is),
		TEST(a_direction_that_is_not_known),
		TEST(a_name_with_quotes_and_line_ends),
		TEST(a_portal_that_has_a_name_only),
		TEST(what_has_no_row_is_not_printed),
		TEST(a_device_is_printed_with_its_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
