/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugin/summary.h"

#include "plugin/objects.h"
#include "plugin/result.h"

#define SOURCE_NAMES  PATH_OBJECTS, 6, 1, 2
#define SOURCE_STATES PATH_OBJECTS, 6, 1, 4
#define SOURCE_ROWS   PATH_OBJECTS, 6, 1, 14

/* Of IscsiSourceHealth. */
enum { STALE = 2, ERROR = 3, NO_PERMISSION = 5, STARTING = 7 };

static int take_scalar(void *context, const oid *index, size_t length, const struct value *value)
{
	struct summary *s = context;

	if (length == 2 && index[0] < SUM_END && index[1] == 0)
		s->of[index[0]] = *value;
	return 0;
}

static int load_scalars(struct client *client, struct summary *ret)
{
	struct summary s = { .of = { { .known = false } } };
	int rc = client_walk(client, NAME(PATH_OBJECTS, 1), take_scalar, &s);

	if (rc < 0)
		return rc;
	if (!s.of[SUM_STATUS].known)
		return -ENOENT;
	s.failing = s.of[SUM_SOURCES_FAILING].number;
	*ret = s;
	return 0;
}

/* Sources that fail or are not read yet, in the order of a walk. */
struct source {
	oid index;
	uint64_t state;
	bool rows;	 /* of before */
	bool targetless; /* it never has any */
};

struct sources {
	struct source *list;
	size_t count, at;
};

static int take_state(void *context, const oid *index, size_t length, const struct value *value)
{
	struct sources *f = context;
	struct source *list;

	if (length != 1 || !value->known)
		return 0;
	if (value->number != STALE && value->number != ERROR && value->number != NO_PERMISSION &&
		value->number != STARTING)
		return 0;
	list = reallocarray(f->list, f->count + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	f->list = list;
	list[f->count++] = (struct source){ .index = index[0], .state = value->number };
	return 0;
}

/* The source of a cell, or NULL: one that is read. */
static struct source *source_of(
	struct sources *f, const oid *index, size_t length, const struct value *value)
{
	if (length != 1 || !value->known)
		return NULL;
	while (f->at < f->count && f->list[f->at].index < index[0])
		f->at++;
	return f->at < f->count && f->list[f->at].index == index[0] ? &f->list[f->at] : NULL;
}

static int take_rows(void *context, const oid *index, size_t length, const struct value *value)
{
	struct source *source = source_of(context, index, length, value);

	if (source)
		source->rows = value->number > 0;
	return 0;
}

static int take_name(void *context, const oid *index, size_t length, const struct value *value)
{
	struct source *source = source_of(context, index, length, value);

	/* One of a later agent may have some. */
	if (source)
		source->targetless = !strcmp(value->text, "open-iscsi") ||
				     !strcmp(value->text, "multipath") ||
				     !strcmp(value->text, "probe");
	return 0;
}

/* What is asked of the sources in doubt, of which there are none but on a bad day. */
static int load_doubt(struct client *client, struct sources *f)
{
	int rc = client_walk(client, NAME(SOURCE_ROWS), take_rows, f);

	f->at = 0;
	return rc == 0 ? client_walk(client, NAME(SOURCE_NAMES), take_name, f) : rc;
}

static void count_doubt(const struct sources *f, struct summary *s)
{
	uint64_t failing = s->failing;
	bool targetless = false;

	for (size_t i = 0; i < f->count; i++) {
		const struct source *source = &f->list[i];
		/* Those of a stale source are gone. */
		bool failed = source->state == ERROR || source->state == NO_PERMISSION;
		bool unread = !(failed && source->rows);

		s->unread += unread;
		s->unread_targets += unread && !source->targetless;
		if (!source->targetless)
			continue;
		targetless = true;
		if (failing && source->state != STARTING)
			failing--;
	}
	s->targets_whole = targetless && !failing && !s->unread_targets;
}

int summary_load(struct client *client, struct summary *ret)
{
	struct summary s;
	struct sources sources = { .count = 0 };
	int rc = load_scalars(client, &s);

	if (rc == 0)
		rc = client_walk(client, NAME(SOURCE_STATES), take_state, &sources);
	if (rc == 0 && sources.count)
		rc = load_doubt(client, &sources);
	if (rc == 0) {
		count_doubt(&sources, &s);
		*ret = s;
	}
	free(sources.list);
	return rc;
}

void summary_say_sources(const struct summary *s, struct result *result)
{
	if (s->failing == 1)
		result_text(result, ", a source cannot be read");
	else if (s->failing)
		result_text(
			result, ", %llu sources cannot be read", (unsigned long long)s->failing);
	else if (s->unread)
		result_text(result, ", a source has not been read yet");
}

bool summary_doubt(const struct summary *s, bool rows, struct result *result)
{
	bool unknown = s->of[SUM_STATUS].number == SUMMARY_UNKNOWN;

	if (!unknown && (rows || !(s->failing || s->unread)))
		return false;
	result_raise(result, STATUS_UNKNOWN);
	if (s->failing || s->unread)
		summary_say_sources(s, result);
	else
		result_text(result, ", the agent does not know the status of this host");
	return !rows;
}
