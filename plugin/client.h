/* SPDX-License-Identifier: BSD-2-Clause */
/* One manager's session with the watched host: walks of columns. */
#ifndef PLUGIN_CLIENT_H
#define PLUGIN_CLIENT_H

#include "plugin/options.h"

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#define CLIENT_TEXT 256 /* octets with NUL; of longer texts the beginning */

struct value {
	bool known; /* false: the host has none, or of a type that no check asks for */
	uint64_t number;
	char text[CLIENT_TEXT]; /* of an OCTET STRING */
	size_t length;		/* octets of text, NULs among them */
};

struct client;

/*
 * Opens the session; nothing is read from configuration files, and no MIB module. Returns 0, or
 * -EINVAL with *ret_reason, a text that lives as long as the program: wrong passphrases, an unknown
 * name. `ret` is freed by client_close, which takes NULL; the texts of `options` live longer.
 */
int client_open(const struct options *options, struct client **ret, const char **ret_reason);
void client_close(struct client *client);

/*
 * One cell of a column: `index` is what follows the column's name. Returns 0, or a negative errno
 * which ends the walk.
 */
typedef int client_cell_fn(
	void *context, const oid *index, size_t index_length, const struct value *value);

/*
 * Walks a column. Returns 0, what `cell` has returned, -ETIMEDOUT (no answer), or -EIO, also when
 * the names do not increase: client_reason.
 */
int client_walk(struct client *client, const oid *column, size_t length, client_cell_fn *cell,
	void *context);

/*
 * One object. Returns 0, also when the host does not have or show it (*ret is not known then), or
 * an error of client_walk.
 */
int client_get(struct client *client, const oid *name, size_t length, struct value *ret);

/* Why the last request failed, in words. */
const char *client_reason(const struct client *client);

#endif
