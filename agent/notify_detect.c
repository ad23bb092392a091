/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/notify_detect.h"

#include "agent/mib_columns.h"
#include "agent/mib_view.h"

#define TRIGGERS_MAX ARRAY_SIZE(((struct mib_notification *)NULL)->triggers)

struct detector {
	const struct mib_view *before, *now;
	const struct mib_notification *notification;
	const struct mib_column *triggers[TRIGGERS_MAX];
	const struct mib_column *time;
};

static bool same_time(const struct opt_time *a, const struct opt_time *b)
{
	return a->known == b->known && a->ns == b->ns;
}

static const struct instance *instance_of(const struct mib_view *view, const struct node *node)
{
	return &snapshot_instances(mib_view_snapshot(view))[node->instance];
}

/* False when the counters of the row may have begun anew. */
static bool goes_on(const struct detector *d, const void *before, const void *now)
{
	const struct instance *instance_before = before, *instance_now = now;

	switch (d->notification->rows->kind) {
	case OBJECT_NODE:
		if (!same_time(&((const struct node *)before)->discontinuity,
			    &((const struct node *)now)->discontinuity))
			return false;
		instance_before = instance_of(d->before, before);
		instance_now = instance_of(d->now, now);
		break;
	case OBJECT_INSTANCE:
		break;
	default: /* no other row has triggers */
		return false;
	}
	return same_time(&instance_before->discontinuity, &instance_now->discontinuity);
}

static bool has_grown(const struct detector *d, const struct mib_column *column,
	const struct mib_row *before, const struct mib_row *now)
{
	const struct mib_cell cell_before = { .view = d->before, .column = column, .row = before };
	const struct mib_cell cell_now = { .view = d->now, .column = column, .row = now };
	struct mib_value value_before, value_now;

	return column->encode(&cell_before, &value_before) &&
	       column->encode(&cell_now, &value_now) && value_now.number > value_before.number;
}

static uint64_t time_of(const struct detector *d, const struct mib_row *row)
{
	uint64_t made_ns = mib_view_snapshot(d->now)->made_ns;
	const struct opt_time *time;

	if (!d->time)
		return made_ns;
	time = (const void *)((const char *)row->object + d->time->offset);
	return time->known && time->ns > mib_view_snapshot(d->before)->made_ns && time->ns < made_ns
		       ? time->ns
		       : made_ns;
}

static void compare_rows(const struct detector *d, const struct mib_row *before,
	const struct mib_row *now, notify_found_fn *found, void *context)
{
	if (!goes_on(d, before->object, now->object))
		return;
	for (size_t i = 0; d->triggers[i]; i++) {
		if (!has_grown(d, d->triggers[i], before, now))
			continue;
		found(context, d->notification, now, time_of(d, now));
		return;
	}
}

static void compare_all(const struct detector *d, notify_found_fn *found, void *context)
{
	uint32_t count_before, count_now, before = 0, now = 0;
	const struct mib_row *rows_before =
		mib_view_rows(d->before, d->notification->rows, &count_before);
	const struct mib_row *rows_now = mib_view_rows(d->now, d->notification->rows, &count_now);

	while (before < count_before && now < count_now) {
		int order =
			view_compare_keys(rows_before[before].key, rows_now[now].key, MIB_KEY_MAX);

		if (order == 0)
			compare_rows(d, &rows_before[before], &rows_now[now], found, context);
		before += order <= 0;
		now += order >= 0;
	}
}

/* Names to columns: a few string compares for each snapshot. */
static bool find_columns(struct detector *d, const struct mib_module *module)
{
	const struct mib_notification *n = d->notification;
	const struct mib_table *table;
	size_t count = 0;

	for (size_t i = 0; i + 1 < TRIGGERS_MAX && n->triggers[i]; i++)
		d->triggers[count++] = mib_find_column(module, n->triggers[i], &table);
	d->triggers[count] = NULL;
	d->time = n->time ? mib_find_column(module, n->time, &table) : NULL;
	if (d->time && d->time->encode != mib_encode_time)
		d->time = NULL;
	return count > 0;
}

void notify_detect(const struct mib_view *before, const struct mib_view *now,
	notify_found_fn *found, void *context)
{
	const struct mib_module *module = mib_view_module(now);

	for (uint16_t i = 0; i < module->notification_count; i++) {
		struct detector d = {
			.before = before, .now = now, .notification = &module->notifications[i]
		};

		if (find_columns(&d, module))
			compare_all(&d, found, context);
	}
}
