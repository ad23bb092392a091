/* SPDX-License-Identifier: BSD-2-Clause */
/* The mode errors: what has failed since the last check, from counters and a file of their rows. */
#include "plugin/mode.h"
#include "plugin/objects.h"
#include "plugin/result.h"
#include "plugin/sample.h"
#include "plugin/summary.h"

#include <time.h>

struct counter {
	const char *label, *words;
	const oid *name;
	size_t length;
	bool old_at_sight; /* of struct sample_rows */
};

/* A counter that is walked. */
struct taking {
	struct sample *sample;
	int counter;
};

static int add_cell(void *context, const oid *index, size_t length, const struct value *value)
{
	const struct taking *t = context;
	uint32_t numbers[SAMPLE_INDEX];

	if (!value->known || length > SAMPLE_INDEX)
		return 0;
	if (t->sample->counters[t->counter].count == SAMPLE_ROWS)
		return -E2BIG;
	for (size_t i = 0; i < length; i++)
		numbers[i] = (uint32_t)index[i];
	return sample_add(t->sample, t->counter, numbers, length, value->number);
}

/*
 * The rows as they are now, between two looks at the summary: an agent that stops in between shows
 * no rows, which would be kept as none. `ret_summary` is of what failed at either.
 */
static int take_sample(struct client *client, const struct counter counters[], struct sample *ret,
	struct summary *ret_summary)
{
	struct summary before, after;
	struct value uptime;
	int rc = summary_load(client, &before);

	if (rc == 0)
		rc = client_get(client, NAME(HOST_UPTIME), &uptime);
	for (int i = 0; rc == 0 && i < SAMPLE_COUNTERS; i++) {
		struct taking t = { .sample = ret, .counter = i };

		ret->counters[i].old_at_sight = counters[i].old_at_sight;
		rc = client_walk(client, counters[i].name, counters[i].length, add_cell, &t);
	}
	if (rc == 0)
		rc = summary_load(client, &after);
	if (rc != 0)
		return rc;
	if (before.failing > after.failing)
		after.failing = before.failing;
	if (before.unread > after.unread)
		after.unread = before.unread;
	ret->time_s = (uint64_t)time(NULL);
	ret->uptime = uptime.known ? uptime.number : 0;
	ret->whole = !after.failing && !after.unread;
	*ret_summary = after;
	return 0;
}

/* DIR/check_iscsi_snmp-HOST-PORT; false when no directory was named, or the name is too long. */
static bool state_path(const struct options *options, char *out, size_t size)
{
	const char *directory = options->state ? options->state : getenv("MP_STATE_PATH");
	int length;

	if (!directory || !*directory)
		return false;
	length = snprintf(
		out, size, "%s/check_iscsi_snmp-%s-%u", directory, options->host, options->port);
	if (length < 0 || (size_t)length >= size)
		return false;
	/* A host is no directory. */
	for (char *c = out + strlen(directory) + 1; *c; c++) {
		if (*c == '/')
			*c = '_';
	}
	return true;
}

static uint64_t say_growth(
	const struct counter counters[], const uint64_t growth[], struct result *result)
{
	uint64_t total = 0;

	for (int i = 0; i < SAMPLE_COUNTERS; i++)
		total = sample_sum(total, growth[i]);
	result_text(result, "%llu errors", (unsigned long long)total);
	for (int i = 0; i < SAMPLE_COUNTERS; i++) {
		if (growth[i])
			result_text(result, ", %llu %s", (unsigned long long)growth[i],
				counters[i].words);
	}
	return total;
}

static bool has_rows(const struct sample *s)
{
	for (int i = 0; i < SAMPLE_COUNTERS; i++) {
		if (s->counters[i].here)
			return true;
	}
	return false;
}

static void compare(const struct counter counters[], const struct sample *before,
	const struct sample *now, const uint64_t growth[], const struct options *options,
	struct result *result)
{
	static const struct range none_is_good = { .given = true, .text = "0" };
	const struct range *warning = &options->warning;
	uint64_t total = say_growth(counters, growth, result);

	result_text(result, " in %llu s",
		(unsigned long long)(now->time_s > before->time_s ? now->time_s - before->time_s
								  : 0));
	if (!warning->given && !options->critical.given)
		warning = &none_is_good;
	if (now->whole || has_rows(now))
		result_value(result, "errors", total, "", warning, &options->critical);
}

/* The counters that some row has; without one there is no value, and 0 would be a lie. */
static void show_counters(
	const struct counter counters[], const struct sample *now, struct result *result)
{
	for (int i = 0; i < SAMPLE_COUNTERS; i++) {
		const struct sample_rows *rows = &now->counters[i];
		uint64_t sum = 0;

		for (size_t n = 0; n < rows->count; n++) {
			if (rows->list[n].seen == now->check)
				sum = sample_sum(sum, rows->list[n].value);
		}
		if (rows->here)
			result_value(result, counters[i].label, sum, "c", NULL, NULL);
	}
}

/* What follows from `now`, and keeps it. */
static int judge(const char *path, const struct counter counters[], struct sample *now,
	const struct summary *summary, const struct options *options, struct result *result)
{
	struct sample before = { .time_s = 0 };
	uint64_t growth[SAMPLE_COUNTERS];
	int seen = sample_load(path, &before), rc;

	if (seen < 0 && seen != -ENOENT && seen != -EINVAL)
		return seen;
	rc = sample_follow(now, seen == 0 ? &before : NULL, growth);
	if (rc < 0)
		goto out;
	if (seen == 0)
		compare(counters, &before, now, growth, options, result);
	else
		result_text(result, "first look: what fails is counted from now on");
	/* What was counted is known all the same. */
	(void)summary_doubt(summary, now->whole, result);
	show_counters(counters, now, result);
	seen = sample_save(path, now);
	if (seen < 0) {
		result_raise(result, STATUS_UNKNOWN);
		result_text(result, ", %s cannot be written: %s", path, strerror(-seen));
	}
out:
	sample_free(&before);
	return rc;
}

int mode_errors(struct client *client, const struct options *options, struct result *result)
{
	/*
	 * Nodes, instances and paths are counted from 0, and keep their rows. Each login makes rows
	 * of devices, with the number of its session, and the discovery of a healthy one ends with
	 * errors, such as unit attentions.
	 */
	const struct counter counters[SAMPLE_COUNTERS] = {
		{ "session_failures", "sessions failed", NAME(ISCSI_OBJECTS, 1, 1, 1, 10), false },
		{ "digest_errors", "digest errors", NAME(ISCSI_OBJECTS, 1, 2, 1, 1), false },
		{ "timeouts", "timeouts", NAME(ISCSI_OBJECTS, 1, 2, 1, 2), false },
		{ "format_errors", "format errors", NAME(ISCSI_OBJECTS, 1, 2, 1, 3), false },
		{ "logins_refused", "logins refused by targets here",
			NAME(ISCSI_OBJECTS, 6, 1, 1, 1), false },
		{ "logins_failed", "logins failed", NAME(ISCSI_OBJECTS, 8, 1, 1, 1), false },
		{ "path_failures", "outages of paths", NAME(PATH_COLUMN(31)), false },
		{ "device_errors", "errors of devices", NAME(PATH_OBJECTS, 5, 1, 14), true },
	};
	struct sample now = { .time_s = 0 };
	struct summary summary;
	char path[4096];
	int rc;

	if (!state_path(options, path, sizeof(path))) {
		result_raise(result, STATUS_UNKNOWN);
		result_text(result, "errors needs --state DIR, or MP_STATE_PATH");
		return 0;
	}
	rc = take_sample(client, counters, &now, &summary);
	if (rc == -E2BIG) {
		result_raise(result, STATUS_UNKNOWN);
		result_text(result, "more rows than %d of one counter", SAMPLE_ROWS);
		rc = 0;
	} else if (rc == 0) {
		rc = judge(path, counters, &now, &summary, options, result);
	}
	sample_free(&now);
	return rc;
}
