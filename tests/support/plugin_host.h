/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A host in the place of plugin/client.h, for the one file of a test that includes this and is
 * linked with the modes: its cells, in the order of a walk, and the check of a mode.
 */
#ifndef TESTS_SUPPORT_PLUGIN_HOST_H
#define TESTS_SUPPORT_PLUGIN_HOST_H

#include "plugin/client.h"
#include "plugin/mode.h"
#include "plugin/objects.h"
#include "plugin/result.h"
#include "plugin/summary.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define CELLS 64

static struct cell {
	oid name[MAX_OID_LEN];
	size_t length;
	struct value value;
} cells[CELLS];
static size_t cell_count;
static size_t walked; /* the first so many are shown by a walk; 0: all */
static int walk_error, get_error;
static int walks_left; /* then nothing is shown any more; -1: for ever */
static int repeated;   /* cells of a host that has no end: the last one so many times */

int client_walk(struct client *client, const oid *column, size_t length, client_cell_fn *cell,
	void *context)
{
	(void)client;
	if (walks_left == 0)
		return walk_error;
	walks_left -= walks_left > 0;
	for (size_t i = 0; i < (walked ? walked : cell_count) + (size_t)repeated; i++) {
		const struct cell *c = &cells[i < cell_count ? i : cell_count - 1];
		int rc;

		if (c->length < length || memcmp(c->name, column, length * sizeof(oid)) != 0)
			continue;
		rc = cell(context, c->name + length, c->length - length, &c->value);
		if (rc < 0)
			return rc;
	}
	return walk_error;
}

int client_get(struct client *client, const oid *name, size_t length, struct value *ret)
{
	(void)client;
	*ret = (struct value){ .known = false };
	for (size_t i = 0; i < cell_count && walks_left != 0; i++) {
		if (cells[i].length == length &&
			memcmp(cells[i].name, name, length * sizeof(oid)) == 0)
			*ret = cells[i].value;
	}
	return get_error ? get_error : walk_error;
}

static inline struct value *add(const oid *name, size_t length)
{
	struct cell *c = &cells[cell_count++];

	assert_true(cell_count <= CELLS);
	memset(c, 0, sizeof(*c));
	memcpy(c->name, name, length * sizeof(oid));
	c->length = length;
	c->value.known = true;
	return &c->value;
}

static inline void set_text(struct value *value, const char *text)
{
	value->length = strlen(text);
	memcpy(value->text, text, value->length + 1);
}

enum { NONE, CONNECTED, DISCONNECTED, RECONNECTING };
enum { TO_INITIATOR = 1, TO_TARGET };

/* A row of iscsiPathTable; with NONE its status has no instance. */
static inline void add_path(oid index, uint64_t direction, uint64_t status, const char *target)
{
	add(NAME(PATH_COLUMN(4), index))->number = direction;
	if (status)
		add(NAME(PATH_COLUMN(2), index))->number = status;
	set_text(add(NAME(PATH_COLUMN(6), index)), target);
}

static inline void add_failures(oid index, uint64_t count)
{
	add(NAME(PATH_COLUMN(31), index))->number = count;
}

/* What the command line has said. */
static struct options options;

static inline void show_sources(uint64_t status, uint64_t failing)
{
	add(NAME(SUMMARY(SUM_STATUS)))->number = status;
	add(NAME(SUMMARY(SUM_SOURCES_FAILING)))->number = failing;
}

/* A host that shows nothing. */
static inline void host_clear(void)
{
	cell_count = walked = 0;
	walk_error = get_error = 0;
	walks_left = -1;
	repeated = 0;
}

/* One whose status is ok, and nothing else; before a test. */
static inline int host_begin(void **state)
{
	(void)state;
	host_clear();
	options = (struct options){ .host = "h", .port = 161 };
	show_sources(1, 0);
	return 0;
}

/* The first line, and its status. Valid until the next one. */
static inline const char *checked(mode_fn *mode, enum status *ret_status)
{
	static char line[2048];
	struct result result = RESULT_INIT;

	assert_int_equal(mode(NULL, &options, &result), 0);
	snprintf(line, sizeof(line), "%s", result.text.data);
	*ret_status = result.status;
	result_free(&result);
	return line;
}

/* All that a check prints. Valid until the next one. */
static inline const char *printed(mode_fn *mode)
{
	static char text[8192];
	struct result result = RESULT_INIT;
	FILE *out = fmemopen(text, sizeof(text), "w");

	assert_non_null(out);
	assert_int_equal(mode(NULL, &options, &result), 0);
	assert_int_equal(result_print(&result, out), result.status);
	fclose(out);
	result_free(&result);
	return text;
}

/* What the first line ends with then. */
#define UNREAD ", a source cannot be read"

static inline void show_counts(uint64_t sessions, uint64_t full, uint64_t failed, uint64_t inbound)
{
	add(NAME(SUMMARY(SUM_SESSIONS)))->number = sessions;
	add(NAME(SUMMARY(SUM_SESSIONS_FULL)))->number = full;
	add(NAME(SUMMARY(SUM_SESSIONS_FAILED)))->number = failed;
	add(NAME(SUMMARY(SUM_SESSIONS_INBOUND)))->number = inbound;
}

/* Of iscsiSourceTable: IscsiSourceHealth, the name, how many rows. */
static inline void show_state(oid source, uint64_t state)
{
	add(NAME(PATH_OBJECTS, 6, 1, 4, source))->number = state;
}

static inline void show_name(oid source, const char *name)
{
	set_text(add(NAME(PATH_OBJECTS, 6, 1, 2, source)), name);
}

static inline void show_rows(oid source, uint64_t rows)
{
	add(NAME(PATH_OBJECTS, 6, 1, 14, source))->number = rows;
}

static inline void add_target(oid number, const char *name)
{
	set_text(add(NAME(ISCSI_OBJECTS, 5, 1, 1, 2, 1, number)), name);
	set_text(add(NAME(ISCSI_OBJECTS, 5, 1, 1, 4, 1, number)), "\x80");
}

/* The mode prints this line, and nothing else. */
static inline void expect_all(mode_fn *mode, const char *wanted)
{
	const char *text = printed(mode);

	if (strncmp(text, wanted, strlen(wanted)) != 0 || text[strlen(wanted)] != '\n')
		fail_msg("wanted: %s\ngot: %s", wanted, text);
}

/* What it prints begins so. */
static inline void expect_start(mode_fn *mode, const char *wanted)
{
	const char *text = printed(mode);

	if (strncmp(text, wanted, strlen(wanted)) != 0)
		fail_msg("wanted: %s\ngot: %s", wanted, text);
}

#endif
