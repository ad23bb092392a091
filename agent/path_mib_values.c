/* SPDX-License-Identifier: BSD-2-Clause */
/* Paths, sources and the agent; sessions: path_mib_session.c. Called by the engine. */
#include "agent/path_mib_values.h"

#include "agent/mib_rows.h"
#include "base/clock.h"
#include "model/path.h"
#include "model/words.h"

static const struct snapshot *snapshot_of(const struct mib_cell *cell)
{
	return mib_view_snapshot(cell->view);
}

bool encode_snapshot_age(const struct mib_cell *cell, struct mib_value *ret)
{
	return mib_show_number(
		cell, (clock_now_ns() - snapshot_of(cell)->made_ns) / NS_PER_MS, ret);
}

/* How long before the snapshot was made that was, in units of `unit_ns`. */
static bool show_age(const struct mib_cell *cell, const struct opt_time *event, uint64_t unit_ns,
	struct mib_value *ret)
{
	uint64_t made_ns = snapshot_of(cell)->made_ns, age;

	if (!event->known || !event->ns)
		return mib_encode_nothing(cell, ret);
	age = made_ns > event->ns ? (made_ns - event->ns) / unit_ns : 0;
	return mib_show_number(cell, age > UINT32_MAX ? UINT32_MAX : age, ret);
}

/* ---- the ends of a path ---- */

struct end {
	struct opt_addr address;
	struct opt_u32 port;
};

static const struct connection *connection_of(const struct mib_cell *cell)
{
	const struct path *path = cell->row->object;

	return path->connection == LINK_NONE
		       ? NULL
		       : &snapshot_connections(snapshot_of(cell))[path->connection];
}

static struct end local_end(const struct mib_cell *cell)
{
	const struct connection *c = connection_of(cell);

	return c ? (struct end){ c->local_address, c->local_port }
		 : (struct end){ .port.known = 0 };
}

/* Where an outbound path has no connection, its portal is where it would go. */
static struct end remote_end(const struct mib_cell *cell)
{
	const struct connection *c = connection_of(cell);
	const struct path *path = cell->row->object;
	bool outbound = path->direction.known && path->direction.value == PATH_OUTBOUND;

	if (c && c->remote_address.known)
		return (struct end){ c->remote_address, c->remote_port };
	return outbound ? (struct end){ path->portal_address, path->portal_port }
			: (struct end){ .port.known = 0 };
}

static bool show_endpoint(const struct mib_cell *cell, const struct end *end, struct mib_value *ret)
{
	char text[80];

	path_endpoint(text, &end->address, &end->port);
	return *text ? mib_show_text(cell, text, strlen(text), ret) : mib_encode_nothing(cell, ret);
}

static bool show_port(const struct mib_cell *cell, const struct end *end, struct mib_value *ret)
{
	return end->port.known ? mib_show_number(cell, end->port.value, ret)
			       : mib_encode_nothing(cell, ret);
}

/* A value that points into the copy of an address would not outlive it. */
static bool show_address(const struct mib_cell *cell, const struct end *end, struct mib_value *ret)
{
	if (!end->address.known)
		return mib_encode_nothing(cell, ret);
	memcpy(ret->text, end->address.octets, end->address.length);
	ret->syntax = MIB_OCTETS;
	ret->octets.data = ret->text;
	ret->octets.length = end->address.length;
	return true;
}

#define END_ENCODERS(side)                                                                    \
	bool encode_##side##_portal(const struct mib_cell *cell, struct mib_value *ret)       \
	{                                                                                     \
		struct end end = side##_end(cell);                                            \
                                                                                              \
		return show_endpoint(cell, &end, ret);                                        \
	}                                                                                     \
	bool encode_##side##_address_type(const struct mib_cell *cell, struct mib_value *ret) \
	{                                                                                     \
		struct end end = side##_end(cell);                                            \
                                                                                              \
		return mib_show_address_type(cell, &end.address, ret);                        \
	}                                                                                     \
	bool encode_##side##_address(const struct mib_cell *cell, struct mib_value *ret)      \
	{                                                                                     \
		struct end end = side##_end(cell);                                            \
                                                                                              \
		return show_address(cell, &end, ret);                                         \
	}                                                                                     \
	bool encode_##side##_port(const struct mib_cell *cell, struct mib_value *ret)         \
	{                                                                                     \
		struct end end = side##_end(cell);                                            \
                                                                                              \
		return show_port(cell, &end, ret);                                            \
	}

END_ENCODERS(local)
END_ENCODERS(remote)

bool encode_portal(const struct mib_cell *cell, struct mib_value *ret)
{
	const struct path *path = cell->row->object;
	struct end end = { path->portal_address, path->portal_port };
	char text[300];
	int length;

	if (!path->portal_name.known)
		return show_endpoint(cell, &end, ret);
	length = snprintf(text, sizeof(text), "%.*s", path->portal_name.length,
		snapshot_text(snapshot_of(cell), &path->portal_name));
	if (path->portal_port.known)
		length += snprintf(text + length, sizeof(text) - (size_t)length, ":%u",
			path->portal_port.value);
	return mib_show_text(cell, text, (size_t)length, ret);
}

/* ---- the other columns of a path ---- */

bool encode_connection_pointer(const struct mib_cell *cell, struct mib_value *ret)
{
	const struct connection *c = connection_of(cell);
	const struct path *path = cell->row->object;
	uint32_t key[MIB_KEY_MAX] = { 0 };
	const struct mib_column *column;
	const struct mib_table *table;

	if (path_may_be_missing(path))
		return false; /* nor is it known that there is none */
	if (!c || !rows_connection.key(snapshot_of(cell), c, key))
		return mib_encode_nothing(cell, ret);
	table = mib_find_table(&iscsi_mib, "iscsiConnectionAttributesTable");
	column = &table->columns[0]; /* the first accessible object of the row */
	mib_name_column(&iscsi_mib, table, column, &ret->name);
	for (uint8_t i = 0; i < rows_connection.key_length; i++)
		ret->name.ids[ret->name.length++] = key[i];
	ret->syntax = MIB_OBJECT_ID;
	ret->oid.ids = ret->name.ids;
	ret->oid.length = ret->name.length;
	return true;
}

bool encode_unique_id(const struct mib_cell *cell, struct mib_value *ret)
{
	const struct connection *c = connection_of(cell);
	uint32_t key[MIB_KEY_MAX] = { 0 };

	if (!c || !rows_connection.key(snapshot_of(cell), c, key) || key[0] > 0xff ||
		key[3] > 0xffffff)
		return mib_encode_nothing(cell, ret);
	return mib_show_number(cell, (uint64_t)key[0] << 56 | (uint64_t)key[2] << 24 | key[3], ret);
}

bool encode_primary(const struct mib_cell *cell, struct mib_value *ret)
{
	const struct path *path = cell->row->object;

	return path->primary.known ? mib_show_number(cell, path->primary.value, ret)
				   : mib_encode_nothing(cell, ret);
}

bool encode_error_text(const struct mib_cell *cell, struct mib_value *ret)
{
	const struct path *path = cell->row->object;
	const char *text = words_of_error(path->last_error.value);

	return path->last_error.known ? mib_show_text(cell, text, strlen(text), ret)
				      : mib_encode_nothing(cell, ret);
}

bool encode_login_text(const struct mib_cell *cell, struct mib_value *ret)
{
	const struct path *path = cell->row->object;
	const char *text = words_of_login(path->login_class.value, path->login_detail.value);

	return path->login_class.known && path->login_detail.known
		       ? mib_show_text(cell, text, strlen(text), ret)
		       : mib_encode_nothing(cell, ret);
}

/* The time is that of another status when this one began while nobody looked. */
static struct opt_time status_time(const struct mib_cell *cell)
{
	const struct path *path = cell->row->object;

	if (path->status.known && path->status_of_time.known &&
		path->status.value == path->status_of_time.value)
		return path->status_time;
	return (struct opt_time){ .known = 0 };
}

bool encode_status_age(const struct mib_cell *cell, struct mib_value *ret)
{
	struct opt_time event = status_time(cell);

	return show_age(cell, &event, NS_PER_S, ret);
}

bool encode_status_date(const struct mib_cell *cell, struct mib_value *ret)
{
	struct opt_time event = status_time(cell);

	return mib_show_date(cell, &event, ret);
}

bool encode_session_number(const struct mib_cell *cell, struct mib_value *ret)
{
	const struct path *path = cell->row->object;
	const struct session *session =
		path->session == LINK_NONE ? NULL
					   : &snapshot_sessions(snapshot_of(cell))[path->session];

	return session && session->kernel_number.known
		       ? mib_show_number(cell, session->kernel_number.value, ret)
		       : mib_encode_nothing(cell, ret);
}

/* ---- sources ---- */

bool encode_source_age(const struct mib_cell *cell, struct mib_value *ret)
{
	const struct source_info *source = cell->row->object;

	return show_age(cell, &source->last_good, NS_PER_MS, ret);
}

bool encode_source_good(const struct mib_cell *cell, struct mib_value *ret)
{
	return mib_show_date(
		cell, &((const struct source_info *)cell->row->object)->last_good, ret);
}
