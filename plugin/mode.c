/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugin/mode.h"

#include <string.h>

static const struct mode modes[] = {
	{ "health", mode_health, "the agent's own verdict on the host, in one line" },
	{ "sessions", mode_sessions,
		"sessions that are logged in and connected; value: their number" },
	{ "paths", mode_paths, "paths, by target; value: those that are not connected" },
	{ "expected", mode_expected,
		"paths that node records want; value: those that are missing" },
	{ "targets", mode_targets,
		"targets of the host; value: their number; -T: these are there" },
	{ "errors", mode_errors, "failures since the last check; value: their number" },
	{ NULL, NULL, NULL },
};

const struct mode *mode_find(const char *name)
{
	for (const struct mode *m = modes; m->name; m++) {
		if (strcmp(m->name, name) == 0)
			return m;
	}
	return NULL;
}

void mode_print_list(FILE *out)
{
	for (const struct mode *m = modes; m->name; m++)
		fprintf(out, "        %-10s        %s\n", m->name, m->help);
}
