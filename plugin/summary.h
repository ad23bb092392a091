/* SPDX-License-Identifier: BSD-2-Clause */
/* The scalars of iscsiPathSummary, which every mode of the private module begins with. */
#ifndef PLUGIN_SUMMARY_H
#define PLUGIN_SUMMARY_H

#include "plugin/client.h"

/* Their sub-identifiers. */
enum {
	SUM_STATUS = 1,
	SUM_TEXT,
	SUM_SESSIONS,
	SUM_SESSIONS_FULL,
	SUM_SESSIONS_FAILED,
	SUM_SESSIONS_INBOUND,
	SUM_TARGETS,
	SUM_PATHS_EXPECTED,
	SUM_PATHS_CONNECTED,
	SUM_PATHS_RECONNECTING,
	SUM_PATHS_MISSING,
	SUM_MAPS,
	SUM_MAPS_SHORT,
	SUM_DEVICES,
	SUM_DEVICES_FAULTY,
	SUM_SOURCES,
	SUM_SOURCES_FAILING,
	SUM_END
};

/* Of IscsiOverallStatus. */
enum { SUMMARY_OK = 1, SUMMARY_DEGRADED, SUMMARY_CRITICAL, SUMMARY_UNKNOWN };

struct summary {
	struct value of[SUM_END];
	uint64_t failing; /* sources that cannot be read now */
	/* Sources without any row that may have some: stale, just starting, or failing without rows
	 * of before, as one does that was never read since the agent runs. */
	uint64_t unread;
	uint64_t unread_targets; /* of these, those that may have targets */
	/* What is not read never has targets (open-iscsi, multipath, probe): all of them are there.
	 */
	bool targets_whole;
};

struct result;

/*
 * The scalars, and what the source table tells of `unread`: the summary counts what fails, but not
 * what is starting, nor which sources fail and whether they have rows left. Returns 0, -ENOENT when
 * the host shows none of the scalars, -ENOMEM, or an error of client_walk.
 */
int summary_load(struct client *client, struct summary *ret);

/* Adds to the first line how many sources are not read; nothing when all are. */
void summary_say_sources(const struct summary *s, struct result *result);

/*
 * When the host says that it does not know, or when there are no `rows` that answer the question of
 * a mode and a source is not read, which may have them: raises UNKNOWN and says why. Where several
 * sources are summed, the rows of some of them are no answer while one is unread. Returns true when
 * nothing that is counted is known then, since there is no answer.
 */
bool summary_doubt(const struct summary *s, bool rows, struct result *result);

#endif
