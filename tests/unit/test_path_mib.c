/* SPDX-License-Identifier: BSD-2-Clause */
/* Columns of iscsiPathTable that more than one field decides (agent/path_mib_values.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "agent/mib_view.h"
#include "model/path.h"
#include "model/session_state.h"
#include "tests/support/handmade.h"

/* What a GET of the path's row, which has the number 7, finds. Takes the snapshot. */
static enum mib_result get(struct snapshot *s, const char *object, struct mib_value *ret)
{
	const struct mib_table *table;
	const struct mib_column *column = mib_find_column(&path_mib, object, &table);
	struct mib_view *view;
	enum mib_result result;
	struct mib_name name;

	assert_non_null(column);
	mib_name_column(&path_mib, table, column, &name);
	name.ids[name.length++] = 7;
	assert_int_equal(mib_view_new(&path_mib, s, &view), 0);
	result = mib_get(view, name.ids, name.length, ret);
	mib_view_free(view);
	snapshot_put(s);
	return result;
}

/* An expected path without a session. */
static struct snapshot *host(uint32_t status)
{
	struct snapshot *s = handmade_new();
	struct path *path = handmade_add(s, OBJECT_PATH, NULL);

	path->object.index = 7;
	path->session = path->connection = LINK_NONE;
	OPT_SET(path->direction, PATH_OUTBOUND);
	OPT_SET(path->expected, 1);
	if (status)
		OPT_SET(path->status, status);
	return s;
}

static void a_path_that_is_missing_has_no_connection(void **state)
{
	struct mib_value value;

	(void)state;
	assert_int_equal(get(host(PATH_DISCONNECTED), "iscsiPathStatus", &value), MIB_FOUND);
	assert_int_equal(get(host(PATH_DISCONNECTED), "iscsiPathConnection", &value), MIB_FOUND);
	assert_int_equal(value.oid.length, 2);
	assert_int_equal(value.oid.ids[0], 0);
	assert_int_equal(value.oid.ids[1], 0);
}

/* Its session may be there, and could not be read. */
static void of_one_that_may_be_there_nothing_is_said(void **state)
{
	struct mib_value value;

	(void)state;
	assert_int_equal(get(host(0), "iscsiPathStatus", &value), MIB_NO_SUCH_INSTANCE);
	assert_int_equal(get(host(0), "iscsiPathConnection", &value), MIB_NO_SUCH_INSTANCE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_that_is_missing_has_no_connection),
		cmocka_unit_test(of_one_that_may_be_there_nothing_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
