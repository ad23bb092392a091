/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who may ask an agent of its own (-M) and see what: the file accessFile, with tokens of
 * snmpd.conf(5). It holds communities and passphrases and belongs to root alone, so the root parent
 * reads it, as octets; the agent process, which may not open it, has the text by fork and hands
 * the lines to net-snmp's own handlers (snmp_configure.c). Only the tokens of one list pass: all
 * others of snmpd's (exec, extend, perl, proxy, master, …) do what this program does not.
 *
 * Pure but for access_load.
 */
#ifndef AGENT_SNMP_ACCESS_H
#define AGENT_SNMP_ACCESS_H

#include "base/base.h"

#define ACCESS_FILE_MAX	 (1024u * 1024) /* octets */
#define ACCESS_LINE_MAX	 1000u		/* octets with NUL: what net-snmp's handlers take */
#define ACCESS_TOKEN_MAX 32u		/* octets with NUL */

enum access_kind {
	ACCESS_UNKNOWN, /* no token of this file */
	ACCESS_RIGHT,	/* gives somebody access, alone or with others */
	ACCESS_RULE,	/* says more of it: a view, a user, a limit */
	ACCESS_ENGINE,	/* who the engine is: net-snmp wants it before all others */
	ACCESS_SINK,	/* where notifications go */
	ACCESS_SYSTEM,	/* a value of the system group: snmp_system.c */
};

/* Never copied: `value` points into it. */
struct access_line {
	unsigned int number;
	enum access_kind kind;
	char token[ACCESS_TOKEN_MAX];
	char text[ACCESS_LINE_MAX]; /* token and value, as net-snmp takes them */
	const char *value;	    /* in text, behind the token and blanks */
	const char *wrong;	    /* what is wrong with it, or NULL */
};

/*
 * The next line that is not empty and no comment, from *at, which moves on; *number counts lines
 * and is 0 before the first. Returns false at the end.
 */
bool access_next_line(
	const char **at, const char *end, unsigned int *number, struct access_line *ret);

/* What a text says, for the messages of who loads it. */
struct access_summary {
	unsigned int bad;    /* lines that are wrong */
	unsigned int rights; /* of ACCESS_RIGHT */
	unsigned int sinks;
};

/* Looks at all lines; those that are wrong are logged with `path` and number. */
void access_check(const char *text, size_t length, const char *path, struct access_summary *ret);

/* Wipes and frees what access_load has given; NULL is allowed. */
void access_free(char *text, size_t length);

/*
 * Reads the file: regular, no symbolic link, of root's or this user's, written by nobody else and
 * read by no others. Root parent and --check. Returns the octets, NUL-terminated, for
 * access_free, or NULL (logged, with what mends it). No other copy of them is left in memory.
 */
char *access_load(const char *path, size_t *ret_length);

#endif
