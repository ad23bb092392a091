/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of check_iscsi_snmp, by the letters of the plug-in API. */
#ifndef PLUGIN_OPTIONS_H
#define PLUGIN_OPTIONS_H

#include "plugin/range.h"

struct options {
	const char *mode;
	const char *host;
	uint32_t port;
	int version; /* 1, 2 (v2c) or 3 */
	const char *community;
	const char *level, *user;			   /* v3 */
	const char *auth_protocol, *auth_passphrase;	   /* v3 */
	const char *privacy_protocol, *privacy_passphrase; /* v3 */
	struct range warning, critical;
	const char *targets; /* names or patterns, separated by commas; NULL all */
	const char *state;   /* directory, of the mode errors */
	bool inbound;
	uint32_t timeout_s;
	int verbose;
};

/*
 * Reads the command line. Returns 0, or 1 when help or the version was printed, or -EINVAL after a
 * message on standard output, where monitors look.
 */
int options_parse(struct options *ret, int argc, char **argv);

#endif
