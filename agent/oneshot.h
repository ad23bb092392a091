/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands that work without snmpd: one poll in this process, then something is printed. They
 * run the daemon's own code from the sources to the encoders, and change nothing: the index
 * registry is loaded (live machine only) but not saved.
 */
#ifndef AGENT_ONESHOT_H
#define AGENT_ONESHOT_H

#include "agent/config.h"

enum oneshot_command {
	ONESHOT_NONE,
	ONESHOT_ONCE, /* a line for each source unit, and counts */
	ONESHOT_DUMP_TEXT,
	ONESHOT_DUMP_JSON,
	ONESHOT_DUMP_PROM,
	ONESHOT_WALK,	/* argument: numeric OID or name of a table or column, NULL all */
	ONESHOT_RECORD, /* argument: the file to write */
};

struct oneshot_settings {
	struct config config;
	const char *root; /* --root, or NULL */
	enum oneshot_command command;
	const char *argument;
};

/* Runs it; returns the exit status: 0, or 1 when something failed (also a source, for ONCE). */
int oneshot_run(const struct oneshot_settings *settings);

#endif
