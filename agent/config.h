/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration: one table (options.def) gives the structure, net-snmp's config tokens, the
 * defaults and ranges, --help/-H, the sample file and the man page's list (both tested).
 *
 * struct config is plain memory without pointers: it passes from the loader to the parent and on
 * to the agent process by fork and by message.
 */
#ifndef AGENT_CONFIG_H
#define AGENT_CONFIG_H

#include "source/source.h"

#define CONFIG_PATH_MAX	 108 /* octets with NUL: what fits in sockaddr_un */
#define CONFIG_WORDS_MAX 128

struct config {
/* TYPE is SECONDS, PATH, WORD, WORDS or NUMBER; see the head of options.def. */
#define OPTION_SECONDS(token, field, dflt, low, high, unit, help) uint32_t field;
#define OPTION_NUMBER(token, field, dflt, low, high, unit, help)  uint32_t field;
#define OPTION_PATH(token, field, dflt, help)			  char field[CONFIG_PATH_MAX];
#define OPTION_WORD(token, field, dflt, help)			  char field[CONFIG_WORDS_MAX];
#include "agent/options.def"
	struct source_settings sources;
};

/* The defaults of options.def. */
void config_defaults(struct config *ret);

/* Where configuration is read from. */
struct config_location {
	const char *file; /* -c FILE: read besides, or instead with no_default; NULL none */
	bool no_default;  /* -C: not the default files (/etc/snmp/iscsi-agentx.conf …) */
};

/*
 * Reads the configuration with net-snmp's reader in a child process of its own, so that the caller
 * keeps no state of the library and no bad file can harm it; waits at most 5 s. Each bad line is
 * logged with file, line and consequence; its option keeps the default.
 * Returns the number of bad lines (0: all well), or a negative errno when nothing could be read
 * (then *ret is untouched). Used by the root parent (start, SIGHUP: with bad lines the old
 * configuration stays) and by the one-shot commands.
 */
int config_load(const struct config_location *files, struct config *ret);

/* Prints every token with unit, range, default and help: -H. */
void config_print_directives(FILE *out);

/* Prints a commented configuration file with all tokens at their defaults (conf/, tested). */
void config_print_sample(FILE *out);

#endif
