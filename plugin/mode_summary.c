/* SPDX-License-Identifier: BSD-2-Clause */
/* The modes that a few scalars answer, and the list of targets. */
#include "plugin/client.h"
#include "plugin/mode.h"
#include "plugin/objects.h"
#include "plugin/pattern.h"
#include "plugin/result.h"
#include "plugin/summary.h"

#define TARGET_ROLE 0x80 /* the first of the BITS of iscsiNodeRoles */

int mode_health(struct client *client, const struct options *options, struct result *result)
{
	static const struct {
		int object;
		int all; /* with none of these, and a source not read, the value is not known */
		const char *label;
		bool several; /* sources are summed: without one of them it is not known either */
	} values[] = {
		{ SUM_SESSIONS, SUM_SESSIONS, "sessions", false },
		{ SUM_SESSIONS_FAILED, SUM_SESSIONS, "sessions_failed", false },
		{ SUM_SESSIONS_INBOUND, SUM_SESSIONS_INBOUND, "sessions_inbound", true },
		{ SUM_TARGETS, SUM_TARGETS, "targets", true },
		{ SUM_PATHS_EXPECTED, SUM_PATHS_EXPECTED, "paths_expected", false },
		{ SUM_PATHS_CONNECTED, SUM_PATHS_EXPECTED, "paths_connected", false },
		{ SUM_PATHS_RECONNECTING, SUM_PATHS_EXPECTED, "paths_reconnecting", false },
		{ SUM_PATHS_MISSING, SUM_PATHS_EXPECTED, "paths_missing", false },
		{ SUM_MAPS, SUM_MAPS, "maps", false },
		{ SUM_MAPS_SHORT, SUM_MAPS, "maps_short", false },
		{ SUM_DEVICES, SUM_DEVICES, "devices", false },
		{ SUM_DEVICES_FAULTY, SUM_DEVICES, "devices_faulty", false },
		{ SUM_SOURCES_FAILING, SUM_STATUS, "sources_failing", false },
	};
	/* Of IscsiOverallStatus, from 1: ok, degraded, critical, unknown. */
	static const enum status statuses[] = { STATUS_OK, STATUS_WARNING, STATUS_CRITICAL,
		STATUS_UNKNOWN };
	struct summary s;
	const char *colon;
	uint64_t status;
	bool whole;
	int rc;

	(void)options;
	rc = summary_load(client, &s);
	if (rc < 0)
		return rc;
	status = s.of[SUM_STATUS].number;
	result_raise(result, status >= 1 && status <= 4 ? statuses[status - 1] : STATUS_UNKNOWN);
	/* Its text begins with the status, which stands there already. */
	colon = strstr(s.of[SUM_TEXT].text, ": ");
	result_text(result, "%s", colon ? colon + 2 : s.of[SUM_TEXT].text);
	whole = status != SUMMARY_UNKNOWN && !s.failing && !s.unread;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		const struct value *v = &s.of[values[i].object];
		bool some = s.of[values[i].all].number > 0;

		if (values[i].several)
			some = s.targets_whole || (some && !s.unread_targets);
		if (v->known && (whole || some))
			result_value(result, values[i].label, v->number, "", NULL, NULL);
	}
	return 0;
}

/*
 * What is summed over all stacks of targets: what one does not show is missing in the sum, and a
 * sum can only grow by it; but `all` that was asked for may be seen.
 */
static void judge_sum(const struct summary *s, bool all, const char *label, uint64_t sum,
	const struct options *options, struct result *result)
{
	bool whole = all || s->targets_whole || (sum > 0 && !s->unread_targets);

	if (summary_doubt(s, whole, result))
		result_least(result, sum, &options->warning, &options->critical);
	else
		result_value(result, label, sum, "", &options->warning, &options->critical);
}

static void judge_inbound(
	const struct summary *s, const struct options *options, struct result *result)
{
	const struct value *v = &s->of[SUM_SESSIONS_INBOUND];

	result_text(
		result, "%llu sessions at the targets of this host", (unsigned long long)v->number);
	judge_sum(s, false, "sessions_inbound", v->number, options, result);
}

static void judge_outbound(
	const struct summary *s, const struct options *options, struct result *result)
{
	uint64_t all = s->of[SUM_SESSIONS].number, full = s->of[SUM_SESSIONS_FULL].number;
	uint64_t failed = s->of[SUM_SESSIONS_FAILED].number;

	result_text(result, "%llu of %llu sessions connected, %llu failed",
		(unsigned long long)full, (unsigned long long)all, (unsigned long long)failed);
	if (failed)
		result_raise(result, full ? STATUS_WARNING : STATUS_CRITICAL);
	if (summary_doubt(s, all > 0, result))
		return;
	result_value(result, "sessions_connected", full, "", &options->warning, &options->critical);
	result_value(result, "sessions", all, "", NULL, NULL);
	result_value(result, "sessions_failed", failed, "", NULL, NULL);
}

int mode_sessions(struct client *client, const struct options *options, struct result *result)
{
	static const int inbound[] = { SUM_SESSIONS_INBOUND, SUM_END };
	static const int outbound[] = { SUM_SESSIONS, SUM_SESSIONS_FULL, SUM_SESSIONS_FAILED,
		SUM_END };
	struct summary s;
	int rc = summary_load(client, &s);

	if (rc < 0)
		return rc;
	for (const int *i = options->inbound ? inbound : outbound; *i != SUM_END; i++) {
		if (s.of[*i].known)
			continue;
		result_raise(result, STATUS_UNKNOWN);
		result_text(result, "the agent does not tell how many sessions there are");
		return 0;
	}
	if (options->inbound)
		judge_inbound(&s, options, result);
	else
		judge_outbound(&s, options, result);
	return 0;
}

/* ---- targets ---- */

struct node {
	oid instance, number;
	char name[CLIENT_TEXT];
};

struct nodes {
	struct node *list;
	size_t count;
};

static struct node *node_at(const struct nodes *nodes, const oid *index)
{
	for (size_t i = 0; i < nodes->count; i++) {
		struct node *n = &nodes->list[i];

		if (n->instance == index[0] && n->number == index[1])
			return n;
	}
	return NULL;
}

static int take_role(void *context, const oid *index, size_t length, const struct value *value)
{
	struct nodes *nodes = context;
	struct node *list;

	if (length != 2 || !value->length || !((uint8_t)value->text[0] & TARGET_ROLE))
		return 0;
	list = reallocarray(nodes->list, nodes->count + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	nodes->list = list;
	list[nodes->count++] = (struct node){ .instance = index[0], .number = index[1] };
	return 0;
}

static int take_name(void *context, const oid *index, size_t length, const struct value *value)
{
	struct node *n = length == 2 ? node_at(context, index) : NULL;

	if (n)
		memcpy(n->name, value->text, sizeof(n->name));
	return 0;
}

/*
 * Names what is not there. While rows may be missing, that is not known: a target that cannot be
 * seen is not one that is gone. Returns true when the list has names only, and all were found: a
 * pattern may fit more than what can be seen.
 */
static bool look_for(
	const struct nodes *nodes, const char *list, const struct summary *s, struct result *result)
{
	bool unread = !s->targets_whole &&
		      (s->unread_targets || s->of[SUM_STATUS].number == SUMMARY_UNKNOWN ||
			      (s->failing && !nodes->count));
	const char *between = unread ? ": not seen " : ": missing ";
	bool all = true;
	char pattern[256];

	while (pattern_next(&list, pattern, sizeof(pattern))) {
		bool found = false;

		for (size_t i = 0; i < nodes->count && !found; i++)
			found = pattern_list_fits(pattern, nodes->list[i].name);
		all = all && found && pattern_is_name(pattern);
		if (found)
			continue;
		result_text(result, "%s%s", between, pattern);
		result_raise(result, unread ? STATUS_UNKNOWN : STATUS_CRITICAL);
		between = ", ";
	}
	return all;
}

static void judge_targets(const struct nodes *nodes, const struct summary *s,
	const struct options *options, struct result *result)
{
	size_t fitting = 0;
	bool named; /* what was asked for is seen, whatever else there may be */

	for (size_t i = 0; i < nodes->count; i++) {
		if (!pattern_list_fits(options->targets, nodes->list[i].name))
			continue;
		fitting++;
		if (options->verbose)
			result_detail(result, "%s", nodes->list[i].name);
	}
	result_text(result, "%zu targets", fitting);
	named = options->targets && look_for(nodes, options->targets, s, result);
	judge_sum(s, named, "targets", fitting, options, result);
}

int mode_targets(struct client *client, const struct options *options, struct result *result)
{
	struct nodes nodes = { .count = 0 };
	struct summary s;
	int rc = summary_load(client, &s);

	if (rc == 0)
		rc = client_walk(client, NAME(ISCSI_OBJECTS, 5, 1, 1, 4), take_role, &nodes);
	if (rc == 0)
		rc = client_walk(client, NAME(ISCSI_OBJECTS, 5, 1, 1, 2), take_name, &nodes);
	if (rc == 0)
		judge_targets(&nodes, &s, options, result);
	free(nodes.list);
	return rc;
}
