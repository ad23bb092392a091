/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugin/mode.h"

#include "plugin/options.h"

static const struct mode modes[] = {
	{ "health", mode_health, 0, "the agent's own verdict on the host, in one line" },
	{ "sessions", mode_sessions, MODE_RANGES | MODE_INBOUND,
		"sessions that are logged in and connected; value: their number" },
	{ "paths", mode_paths, MODE_RANGES | MODE_TARGETS,
		"paths, by target; value: those that are not connected" },
	{ "expected", mode_expected, MODE_RANGES | MODE_TARGETS,
		"paths that node records want; value: those that are missing" },
	{ "targets", mode_targets, MODE_RANGES | MODE_TARGETS,
		"targets of the host; value: their number; -T: these are there" },
	{ "errors", mode_errors, MODE_RANGES | MODE_STATE,
		"failures since the last check; value: their number" },
	{ NULL, NULL, 0, NULL },
};

const struct mode *mode_find(const char *name)
{
	for (const struct mode *m = modes; m->name; m++) {
		if (strcmp(m->name, name) == 0)
			return m;
	}
	return NULL;
}

const char *mode_refuses(const struct mode *mode, const struct options *options)
{
	const struct {
		bool given;
		unsigned option;
		const char *name;
	} all[] = {
		{ options->warning.given, MODE_RANGES, "-w" },
		{ options->critical.given, MODE_RANGES, "-c" },
		{ options->targets, MODE_TARGETS, "-T" },
		{ options->inbound, MODE_INBOUND, "--inbound" },
		{ options->state, MODE_STATE, "--state" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		if (all[i].given && !(mode->options & all[i].option))
			return all[i].name;
	}
	return NULL;
}

void mode_print_list(FILE *out)
{
	for (const struct mode *m = modes; m->name; m++)
		fprintf(out, "        %-10s        %s\n", m->name, m->help);
}
