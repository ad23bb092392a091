/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/own.h"

#include "base/clock.h"
#include "index/registry.h"
#include "model/summary.h"

#define SOURCE_TEXTS (sizeof(struct source_status)) /* its texts are in there */

struct own {
	struct snapshot *s;
	size_t text_at;
};

uint32_t own_count(enum object_kind kind, uint32_t units)
{
	if (kind == OBJECT_EVENT)
		return 0; /* event_log_put */
	return kind == OBJECT_SOURCE ? units : 1;
}

size_t own_text_room(uint32_t units)
{
	return (size_t)units * SOURCE_TEXTS + sizeof(ISCSI_AGENTX_VERSION) + SUMMARY_TEXT_MAX;
}

static void set_text(struct own *own, struct opt_str *field, const char *text)
{
	size_t length = strlen(text);

	memcpy(own->s->arena + own->text_at, text, length); /* zeros are behind it */
	*field = (struct opt_str){
		.offset = (uint32_t)own->text_at, .length = (uint16_t)length, .known = 1
	};
	own->text_at += length + 1;
}

static struct opt_u32 capped(uint64_t value)
{
	return (struct opt_u32){ .value = value > UINT32_MAX ? UINT32_MAX : (uint32_t)value,
		.known = 1 };
}

static uint32_t health_of(const struct source_status *u)
{
	switch (u->state) {
	case SOURCE_ABSENT:
		return HEALTH_ABSENT;
	case SOURCE_STARTING:
		return HEALTH_STARTING;
	case SOURCE_OK:
		return HEALTH_OK;
	case SOURCE_STALE:
		return HEALTH_STALE;
	case SOURCE_DISABLED:
		return HEALTH_DISABLED;
	case SOURCE_FAILING:
		break;
	}
	return u->last_error == -EACCES || u->last_error == -EPERM ? HEALTH_NO_PERMISSION
								   : HEALTH_ERROR;
}

static int number_source(
	struct registry *registry, const struct source_status *u, struct source_info *ret)
{
	struct registry_entry *entry;
	char key[sizeof(u->source) + sizeof(u->unit) + 1];
	int length =
		snprintf(key, sizeof(key), "%s%s%s", u->source, u->unit[0] ? " " : "", u->unit);
	int rc = registry_number(registry, INDEX_SOURCE, 1, key, (size_t)length, 0, &entry, NULL);

	if (rc == 0)
		ret->object.index = entry->number;
	return rc == -ENOMEM ? rc : 0; /* a full registry leaves it without a row */
}

static int fill_sources(struct own *own, struct registry *registry)
{
	struct snapshot *s = own->s;
	struct source_info *sources = s->arrays[OBJECT_SOURCE].objects;

	for (uint32_t i = 0; i < s->unit_count; i++) {
		const struct source_status *u = &s->units[i];
		struct source_info *source = &sources[i];
		int rc = number_source(registry, u, source);

		if (rc < 0)
			return rc;
		source->object.unit = i;
		set_text(own, &source->name, u->source);
		set_text(own, &source->unit, u->unit);
		OPT_SET(source->state, health_of(u));
		set_text(own, &source->last_error, u->message);
		source->last_good = (struct opt_time){ .ns = u->last_good_ns, .known = 1 };
		OPT_SET(source->polls, u->polls);
		OPT_SET(source->failures, u->failures);
		/* A good poll may have found no stack, and then it has no time. */
		if (u->wall_ns && (u->state == SOURCE_OK || u->state == SOURCE_FAILING ||
					  u->state == SOURCE_STALE)) {
			source->wall_us = capped(u->wall_ns / 1000);
			source->cpu_us = capped(u->cpu_ns / 1000);
		}
		OPT_SET(source->restarts, u->restarts);
		OPT_SET(source->rows, 0);
	}
	return 0;
}

static void count_rows(struct snapshot *s)
{
	struct source_info *sources = s->arrays[OBJECT_SOURCE].objects;

	for (enum object_kind k = 0; !object_is_of_agent(k); k++) {
		const char *at = s->arrays[k].objects;

		for (uint32_t i = 0; i < s->arrays[k].count; i++, at += object_info(k)->size)
			sources[((const struct object *)(const void *)at)->unit].rows.value++;
	}
	for (uint32_t i = 0; i < snapshot_count(s, OBJECT_INSTANCE); i++) {
		const struct instance *instance = &snapshot_instances(s)[i];

		if (instance->object.index)
			sources[instance->object.unit].instance_number = instance->number;
	}
}

int own_fill(struct snapshot *s, size_t text_at, struct registry *registry)
{
	struct own own = { .s = s, .text_at = text_at };
	struct agent_info *agent = s->arrays[OBJECT_AGENT].objects;
	struct summary *summary = s->arrays[OBJECT_SUMMARY].objects;
	char text[SUMMARY_TEXT_MAX];
	int rc = fill_sources(&own, registry);

	if (rc < 0)
		return rc;
	count_rows(s);
	set_text(&own, &agent->version, ISCSI_AGENTX_VERSION);
	agent->made = (struct opt_time){ .ns = s->made_ns, .known = 1 };
	OPT_SET(agent->generation, s->generation);
	rc = summary_make(s, summary, text);
	if (rc == 0)
		set_text(&own, &summary->text, text);
	return rc;
}
