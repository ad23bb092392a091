/* SPDX-License-Identifier: BSD-2-Clause */
/* The mode errors: what has failed since the last check, from counters and a file of their sums. */
#include "plugin/client.h"
#include "plugin/mode.h"
#include "plugin/objects.h"
#include "plugin/result.h"
#include "plugin/sample.h"

#include <time.h>

struct counter {
	const char *label, *words;
	const oid *name;
	size_t length;
};

static int add_cell(void *context, const oid *index, size_t length, const struct value *value)
{
	uint64_t *sum = context;

	(void)index;
	(void)length;
	*sum += value->number;
	return 0;
}

static int sum_up(struct client *client, const struct counter counters[], struct sample *ret)
{
	for (int i = 0; i < SAMPLE_COUNTERS; i++) {
		int rc = client_walk(
			client, counters[i].name, counters[i].length, add_cell, &ret->counters[i]);

		if (rc < 0)
			return rc;
	}
	ret->time_s = (uint64_t)time(NULL);
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

static void compare(const struct counter counters[], const struct sample *before,
	const struct sample *now, const struct options *options, struct result *result)
{
	static const struct range none_is_good = { .given = true, .text = "0" };
	const struct range *warning = &options->warning;
	uint64_t total = 0;

	for (int i = 0; i < SAMPLE_COUNTERS; i++)
		total += sample_increase(before, now, i);
	result_text(result, "%llu errors", (unsigned long long)total);
	for (int i = 0; i < SAMPLE_COUNTERS; i++) {
		uint64_t increase = sample_increase(before, now, i);

		if (increase)
			result_text(result, ", %llu %s", (unsigned long long)increase,
				counters[i].words);
	}
	result_text(result, " in %llu s",
		(unsigned long long)(now->time_s > before->time_s ? now->time_s - before->time_s
								  : 0));
	if (!warning->given && !options->critical.given)
		warning = &none_is_good;
	result_value(result, "errors", total, "", warning, &options->critical);
}

int mode_errors(struct client *client, const struct options *options, struct result *result)
{
	const struct counter counters[SAMPLE_COUNTERS] = {
		{ "session_failures", "sessions failed", NAME(ISCSI_OBJECTS, 1, 1, 1, 10) },
		{ "digest_errors", "digest errors", NAME(ISCSI_OBJECTS, 1, 2, 1, 1) },
		{ "timeouts", "timeouts", NAME(ISCSI_OBJECTS, 1, 2, 1, 2) },
		{ "format_errors", "format errors", NAME(ISCSI_OBJECTS, 1, 2, 1, 3) },
		{ "logins_refused", "logins refused by targets here",
			NAME(ISCSI_OBJECTS, 6, 1, 1, 1) },
		{ "logins_failed", "logins failed", NAME(ISCSI_OBJECTS, 8, 1, 1, 1) },
		{ "path_failures", "outages of paths", NAME(PATH_COLUMN(31)) },
		{ "device_errors", "errors of devices", NAME(PATH_OBJECTS, 5, 1, 14) },
	};
	struct sample before, now = { .time_s = 0 };
	char path[4096];
	int rc, seen;

	if (!state_path(options, path, sizeof(path))) {
		result_raise(result, STATUS_UNKNOWN);
		result_text(result, "errors needs --state DIR, or MP_STATE_PATH");
		return 0;
	}
	rc = sum_up(client, counters, &now);
	if (rc < 0)
		return rc;
	seen = sample_load(path, &before);
	if (seen == 0)
		compare(counters, &before, &now, options, result);
	else
		result_text(result, "first look: what fails is counted from now on");
	for (int i = 0; i < SAMPLE_COUNTERS; i++)
		result_value(result, counters[i].label, now.counters[i], "c", NULL, NULL);
	rc = sample_save(path, &now);
	if (rc < 0) {
		result_raise(result, STATUS_UNKNOWN);
		result_text(result, ", %s cannot be written: %s", path, strerror(-rc));
	}
	return 0;
}
