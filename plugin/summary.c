/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugin/summary.h"

#include "plugin/objects.h"
#include "plugin/result.h"

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

/* Sources that fail: unread, unless rows of before are found. In the order of a walk. */
struct failed {
	struct summary *summary;
	oid *list;
	size_t count, at;
};

static int take_state(void *context, const oid *index, size_t length, const struct value *value)
{
	struct failed *f = context;
	oid *list;

	if (length != 1 || !value->known)
		return 0;
	f->summary->unread += value->number == STALE || value->number == STARTING;
	if (value->number != ERROR && value->number != NO_PERMISSION)
		return 0;
	list = reallocarray(f->list, f->count + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	f->list = list;
	list[f->count++] = index[0];
	f->summary->unread++;
	return 0;
}

static int take_rows(void *context, const oid *index, size_t length, const struct value *value)
{
	struct failed *f = context;

	if (length != 1 || !value->known || !value->number)
		return 0;
	while (f->at < f->count && f->list[f->at] < index[0])
		f->at++;
	if (f->at < f->count && f->list[f->at] == index[0]) {
		f->summary->unread--;
		f->at++;
	}
	return 0;
}

int summary_load(struct client *client, struct summary *ret)
{
	struct summary s;
	struct failed failed = { .summary = &s };
	int rc = load_scalars(client, &s);

	if (rc == 0)
		rc = client_walk(client, NAME(SOURCE_STATES), take_state, &failed);
	if (rc == 0 && failed.count)
		rc = client_walk(client, NAME(SOURCE_ROWS), take_rows, &failed);
	free(failed.list);
	if (rc == 0)
		*ret = s;
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
