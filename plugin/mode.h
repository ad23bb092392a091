/* SPDX-License-Identifier: BSD-2-Clause */
/* The modes of check_iscsi_snmp: what is asked of the host, and what follows from it. */
#ifndef PLUGIN_MODE_H
#define PLUGIN_MODE_H

#include <stdio.h>

struct client;
struct options;
struct result;

/*
 * Asks, and writes into the result. Returns 0, or a negative errno of client.h, or -ENOENT when
 * the host does not show the agent's summary: no agent, or none that this user may see.
 */
typedef int mode_fn(struct client *client, const struct options *options, struct result *result);

/* Options that some modes have. */
enum {
	MODE_RANGES = 1,  /* -w, -c */
	MODE_TARGETS = 2, /* -T */
	MODE_INBOUND = 4,
	MODE_STATE = 8,
};

struct mode {
	const char *name;
	mode_fn *run;
	unsigned options;
	const char *help;
};

/* NULL when there is no such mode. */
const struct mode *mode_find(const char *name);

/*
 * The name of an option that was given and that the mode does not have, or NULL. It is refused: who
 * gives it believes that it has an effect.
 */
const char *mode_refuses(const struct mode *mode, const struct options *options);

/* A line for each, for --help. */
void mode_print_list(FILE *out);

mode_fn mode_health, mode_sessions, mode_targets; /* mode_summary.c */
mode_fn mode_paths, mode_expected;		  /* mode_paths.c */
mode_fn mode_errors;				  /* mode_errors.c */

#endif
