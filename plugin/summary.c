/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugin/summary.h"

#include "plugin/objects.h"
#include "plugin/result.h"

#define SOURCE_STATES PATH_OBJECTS, 6, 1, 4
/* Of IscsiSourceHealth, those without rows that are not failing, or have failed for long. */
#define SOURCE_STALE	2
#define SOURCE_STARTING 7

static int take_scalar(void *context, const oid *index, size_t length, const struct value *value)
{
	struct summary *s = context;

	if (length == 2 && index[0] < SUM_END && index[1] == 0)
		s->of[index[0]] = *value;
	return 0;
}

int summary_load(struct client *client, struct summary *ret)
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

static int take_state(void *context, const oid *index, size_t length, const struct value *value)
{
	struct summary *s = context;

	(void)index;
	if (length == 1 && value->known)
		s->unread += value->number == SOURCE_STALE || value->number == SOURCE_STARTING;
	return 0;
}

int summary_load_sources(struct client *client, struct summary *ret)
{
	struct summary s;
	int rc = summary_load(client, &s);

	if (rc == 0)
		rc = client_walk(client, NAME(SOURCE_STATES), take_state, &s);
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
