/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a field of the model to a value of the MIB: one function for each textual convention. The
 * columns name them through the words of mib_columns.h, which hold the field's type against them.
 * Called by the engine, in the agent process and the one-shot commands. They trust the snapshot's
 * structure (fragment_check has seen it), but not the content of its texts: those are a peer's.
 */
#include "agent/mib_columns.h"

#include "base/clock.h"
#include "base/text.h"

#include <time.h>

#define ADMIN_STRING_MAX 255 /* octets of SnmpAdminString, RFC 3411 section 5 */
#define ISCSI_NAME_MIN	 16  /* octets of IscsiName, RFC 7147: 0 or 16..223 */
#define ISCSI_NAME_MAX	 223

static const mib_oid zero_dot_zero[] = { 0, 0 };

static const void *field_of(const struct mib_cell *cell)
{
	return (const char *)cell->row->object + cell->column->offset;
}

bool mib_show_number(const struct mib_cell *cell, uint64_t number, struct mib_value *ret)
{
	ret->syntax = cell->column->syntax;
	ret->number = number;
	return true;
}

static bool show_octets(
	const struct mib_cell *cell, const void *data, size_t length, struct mib_value *ret)
{
	ret->syntax = cell->column->syntax;
	ret->octets.data = data;
	ret->octets.length = length;
	return true;
}

void mib_value_nothing(const struct mib_column *column, struct mib_value *ret)
{
	ret->syntax = column->syntax;
	switch (ret->syntax) {
	case MIB_OCTETS:
		ret->octets.data = "";
		ret->octets.length = 0;
		break;
	case MIB_BITS:
		ret->text[0] = (char)column->nothing;
		ret->octets.data = ret->text;
		ret->octets.length = 1;
		break;
	case MIB_OBJECT_ID:
		ret->oid.ids = zero_dot_zero;
		ret->oid.length = ARRAY_SIZE(zero_dot_zero);
		break;
	case MIB_COUNTER32:
	case MIB_COUNTER64:
	case MIB_UNSIGNED32:
	case MIB_GAUGE32:
	case MIB_INTEGER:
	case MIB_TIMESTAMP:
		ret->number = column->nothing;
		break;
	}
}

bool mib_encode_nothing(const struct mib_cell *cell, struct mib_value *ret)
{
	if (!cell->column->has_nothing)
		return false;
	mib_value_nothing(cell->column, ret);
	return true;
}

bool mib_encode_u32(const struct mib_cell *cell, struct mib_value *ret)
{
	const struct opt_u32 *field = field_of(cell);

	if (!field->known)
		return mib_encode_nothing(cell, ret);
	return mib_show_number(cell, field->value, ret);
}

bool mib_encode_counter(const struct mib_cell *cell, struct mib_value *ret)
{
	const struct opt_counter *field = field_of(cell);

	if (!field->known)
		return mib_encode_nothing(cell, ret);
	return mib_show_number(cell,
		cell->column->syntax == MIB_COUNTER32 ? (uint32_t)field->value : field->value, ret);
}

bool mib_encode_truth(const struct mib_cell *cell, struct mib_value *ret)
{
	const struct opt_bool *field = field_of(cell);

	if (!field->known)
		return mib_encode_nothing(cell, ret);
	return mib_show_number(cell, field->value ? 1 : 2, ret); /* true(1), false(2) */
}

bool mib_encode_bits(const struct mib_cell *cell, struct mib_value *ret)
{
	const struct opt_bits *field = field_of(cell);

	if (!field->known)
		return mib_encode_nothing(cell, ret);
	return show_octets(cell, &field->value, 1, ret);
}

bool mib_show_text(
	const struct mib_cell *cell, const char *text, size_t length, struct mib_value *ret)
{
	_Static_assert(sizeof(ret->text) > ADMIN_STRING_MAX, "no room for an SnmpAdminString");
	return show_octets(
		cell, ret->text, text_sanitize(ret->text, ADMIN_STRING_MAX, text, length), ret);
}

bool mib_encode_text(const struct mib_cell *cell, struct mib_value *ret)
{
	const struct opt_str *field = field_of(cell);

	if (!field->known)
		return mib_encode_nothing(cell, ret);
	return mib_show_text(
		cell, snapshot_text(mib_view_snapshot(cell->view), field), field->length, ret);
}

/*
 * A name is an identity: one that is too long, too short or not clean is not shown in a changed
 * form, which could be the name of somebody else. LIO lets an administrator name an ACL "a".
 */
bool mib_show_iscsi_name(
	const struct mib_cell *cell, const struct opt_str *name, struct mib_value *ret)
{
	const char *text;

	if (!name->known)
		return mib_encode_nothing(cell, ret);
	text = snapshot_text(mib_view_snapshot(cell->view), name);
	if (name->length < ISCSI_NAME_MIN || !text_is_clean(text, name->length, ISCSI_NAME_MAX))
		return show_octets(cell, "", 0, ret);
	return show_octets(cell, text, name->length, ret);
}

bool mib_encode_iscsi_name(const struct mib_cell *cell, struct mib_value *ret)
{
	return mib_show_iscsi_name(cell, field_of(cell), ret);
}

bool mib_show_address_type(
	const struct mib_cell *cell, const struct opt_addr *address, struct mib_value *ret)
{
	if (!address->known)
		return mib_encode_nothing(cell, ret);
	return mib_show_number(cell, address->type, ret);
}

bool mib_encode_address_type(const struct mib_cell *cell, struct mib_value *ret)
{
	return mib_show_address_type(cell, field_of(cell), ret);
}

bool mib_show_address(
	const struct mib_cell *cell, const struct opt_addr *address, struct mib_value *ret)
{
	if (!address->known)
		return mib_encode_nothing(cell, ret);
	return show_octets(cell, address->octets, address->length, ret);
}

bool mib_encode_address(const struct mib_cell *cell, struct mib_value *ret)
{
	return mib_show_address(cell, field_of(cell), ret);
}

bool mib_encode_isid(const struct mib_cell *cell, struct mib_value *ret)
{
	const struct opt_isid *field = field_of(cell);

	if (!field->known)
		return mib_encode_nothing(cell, ret);
	return show_octets(cell, field->octets, sizeof(field->octets), ret);
}

/*
 * RFC 2579: the sysUpTime at which the event occurred, 0 when it was before the last
 * initialisation of the management system or never. sysUpTime wraps after 497 days.
 */
bool mib_encode_time(const struct mib_cell *cell, struct mib_value *ret)
{
	const struct opt_time *field = field_of(cell);
	uint64_t zero_ns = mib_view_uptime_zero(cell->view);

	if (!field->known)
		return mib_encode_nothing(cell, ret);
	if (!zero_ns || field->ns < zero_ns)
		return mib_show_number(cell, 0, ret);
	return mib_show_number(cell, (uint32_t)((field->ns - zero_ns) / NS_PER_CS), ret);
}

/*
 * RFC 2579: year (two octets), month, day, hour, minute, second, tenth of a second, and the offset
 * of the local time from UTC: its sign, hours, minutes. The time of day is that of the snapshot's
 * clock (clock_wall_zero_ns): one event has one date in all of a snapshot.
 */
bool mib_show_date(const struct mib_cell *cell, const struct opt_time *event, struct mib_value *ret)
{
	uint64_t wall_ns = mib_view_snapshot(cell->view)->wall_zero_ns + event->ns;
	time_t seconds = (time_t)(wall_ns / NS_PER_S);
	char *octets = ret->text;
	struct tm t;
	long offset;

	/* Reads the zone of the host only the first time: agent/main.c does that. */
	if (!event->known || !event->ns || !localtime_r(&seconds, &t))
		return mib_encode_nothing(cell, ret);
	offset = labs(t.tm_gmtoff) / 60;
	*octets++ = (char)((t.tm_year + 1900) / 256);
	*octets++ = (char)((t.tm_year + 1900) % 256);
	*octets++ = (char)(t.tm_mon + 1);
	*octets++ = (char)t.tm_mday;
	*octets++ = (char)t.tm_hour;
	*octets++ = (char)t.tm_min;
	*octets++ = (char)t.tm_sec;
	*octets++ = (char)(wall_ns % NS_PER_S / (NS_PER_S / 10));
	*octets++ = t.tm_gmtoff < 0 ? '-' : '+';
	*octets++ = (char)(offset / 60);
	*octets++ = (char)(offset % 60);
	return show_octets(cell, ret->text, (size_t)(octets - ret->text), ret);
}

bool mib_encode_date(const struct mib_cell *cell, struct mib_value *ret)
{
	return mib_show_date(cell, field_of(cell), ret);
}

static const struct mib_column *find_counter(
	const struct mib_table *table, uint32_t lowest, uint32_t sub_id)
{
	for (uint16_t i = 0; i < table->column_count; i++) {
		const struct mib_column *column = &table->columns[i];

		if (column->sub_id == sub_id && sub_id >= lowest && column->syntax == MIB_COUNTER32)
			return column;
	}
	return NULL;
}

bool mib_encode_cause(const struct mib_cell *cell, struct mib_value *ret)
{
	const struct opt_u32 *field = field_of(cell);
	const struct mib_module *module = mib_view_module(cell->view);
	const struct mib_table *table;
	const struct mib_column *counter;

	if (!field->known || !field->value)
		return mib_encode_nothing(cell, ret);
	table = mib_find_table(module, cell->column->counters);
	counter = table ? find_counter(table, cell->column->lowest, field->value) : NULL;
	if (!counter)
		return mib_encode_nothing(cell, ret);
	mib_name_column(module, table, counter, &ret->name);
	ret->syntax = MIB_OBJECT_ID;
	ret->oid.ids = ret->name.ids;
	ret->oid.length = ret->name.length;
	return true;
}
