/* SPDX-License-Identifier: BSD-2-Clause */
#include "reader/unit_list.h"

static void unit_free(struct unit *unit)
{
	unit_fragment_free(&unit->fragment);
	free(unit);
}

void unit_list_clear(struct unit_list *list)
{
	for (uint32_t i = 0; i < list->count; i++)
		unit_free(list->units[i]);
	for (uint32_t i = 0; i < list->gone_count; i++)
		unit_free(list->gone[i]);
	list->count = list->gone_count = 0;
}

/* Where a unit of that name is, or `count`. */
static uint32_t find(struct unit *const units[], uint32_t count, const char *name)
{
	uint32_t at = 0;

	while (at < count && strcmp(units[at]->status.unit, name) != 0)
		at++;
	return at;
}

static struct unit *take_out(struct unit *units[], uint32_t *count, uint32_t at)
{
	struct unit *unit = units[at];

	(*count)--;
	memmove(&units[at], &units[at + 1], (*count - at) * sizeof(*units));
	return unit;
}

struct unit *unit_list_find(const struct unit_list *list, const char *name)
{
	uint32_t at = find(list->units, list->count, name);

	return at < list->count ? list->units[at] : NULL;
}

/*
 * For a status that has the row of another one from now on. Where both know the row, the one that
 * has counted more is right.
 */
static void take_counts(struct source_status *status, const struct source_status *from)
{
	if (from->polls > status->polls)
		status->polls = from->polls;
	if (from->failures < status->failures)
		return;
	status->failures = from->failures;
	status->last_error = from->last_error;
	memcpy(status->message, from->message, sizeof(status->message));
}

int unit_list_add(struct unit_list *list, const struct source_status *source, const char *name,
	struct unit **ret)
{
	uint32_t at = find(list->gone, list->gone_count, name);
	struct unit *unit, *gone = NULL;

	if (list->count == UNITS_MAX)
		return -ENOSPC;
	unit = calloc(1, sizeof(*unit));
	if (!unit)
		return -ENOMEM;
	memcpy(unit->status.source, source->source, sizeof(unit->status.source));
	snprintf(unit->status.unit, sizeof(unit->status.unit), "%s", name);
	unit->status.state = SOURCE_STARTING;
	unit->status.restarts = source->restarts;
	if (at < list->gone_count)
		gone = take_out(list->gone, &list->gone_count, at);
	if (gone)
		take_counts(&unit->status, &gone->status);
	else if (!*name)
		take_counts(&unit->status, source);
	free(gone);
	*ret = list->units[list->count++] = unit;
	return 0;
}

void unit_list_remove(struct unit_list *list, uint32_t position, struct source_status *source)
{
	struct unit *unit = take_out(list->units, &list->count, position);

	unit_fragment_free(&unit->fragment);
	if (!unit->status.unit[0]) {
		take_counts(source, &unit->status);
		free(unit);
		return;
	}
	if (list->gone_count == UNITS_MAX)
		free(take_out(list->gone, &list->gone_count, 0));
	list->gone[list->gone_count++] = unit;
}
