/* SPDX-License-Identifier: BSD-2-Clause */
/* Events: columns that are more than one field. Called by the engine. */
#include "agent/path_mib_values.h"

#include "model/event.h"

/*
 * The date of an event stays what it was: it may be of an earlier boot, whose monotonic clock means
 * nothing now. mib_show_date adds what is taken off here.
 */
bool encode_event_date(const struct mib_cell *cell, struct mib_value *ret)
{
	const struct event *event = cell->row->object;
	const struct opt_time time = {
		.ns = event->wall_ns.value - mib_view_snapshot(cell->view)->wall_zero_ns,
		.known = event->wall_ns.known,
	};

	return mib_show_date(cell, &time, ret);
}

/* The first accessible object of the row's table, in whichever module it is. */
bool encode_event_row(const struct mib_cell *cell, struct mib_value *ret)
{
	const struct event *event = cell->row->object;
	const char *object = event_type_object(event->row_type.known ? event->row_type.value : 0);
	const uint32_t key[MIB_KEY_MAX] = { event->row_0.value, event->row_1.value,
		event->row_2.value, event->row_3.value };
	const struct mib_table *table = NULL;
	size_t i = 0;

	while (object && mib_modules[i] && !mib_find_column(mib_modules[i], object, &table))
		i++;
	if (!table)
		return mib_encode_nothing(cell, ret);
	mib_name_column(mib_modules[i], table, &table->columns[0], &ret->name);
	for (uint8_t k = 0; k < table->rows->key_length; k++)
		ret->name.ids[ret->name.length++] = key[k];
	ret->syntax = MIB_OBJECT_ID;
	ret->oid.ids = ret->name.ids;
	ret->oid.length = ret->name.length;
	return true;
}
