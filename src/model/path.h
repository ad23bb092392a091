/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What all sources have in common of paths, and what every one has without doing anything for it.
 * Reader processes and one-shot commands; no I/O.
 */
#ifndef MODEL_PATH_H
#define MODEL_PATH_H

#include "model/builder.h"

enum { PATH_INBOUND = 1, PATH_OUTBOUND = 2 }; /* iscsiSsnDirection */

#define PATH_KEY_MAX 1901u /* octets with NUL */

/* What makes it the same path after another login. NULL or "" is what is not known. */
struct path_identity {
	uint32_t direction;
	const char *initiator, *iface, *target;
	const char *portal; /* "10.0.0.1:3260" */
	uint32_t ordinal;   /* 1, 2, …: of several that are alike in all of that */
};

/* Writes the key; false, and "", when it would be too long (names that no stack accepts). */
bool path_key(char out[PATH_KEY_MAX], const struct path_identity *identity);

/*
 * "10.0.0.1:3260", "[2001:db8::1]:3260"; the address alone while the port is unknown, "" while the
 * address is.
 */
void path_endpoint(char out[80], const struct opt_addr *address, const struct opt_u32 *port);

/* The status that the condition of its session stands for; unknown while that is. */
void path_set_status(struct path *path, const struct session *session);

/*
 * True when the initiator should have the path, has no session for it, and that is certain: a
 * record whose session may be there, but could not be read, has no status.
 */
bool path_is_missing(const struct path *path);

/* True when it cannot be told whether there is a session that is this expected path. */
bool path_may_be_missing(const struct path *path);

/*
 * Completes what a source has put into the builder:
 *   - a session is linked to its first connection;
 *   - an inbound session without a condition gets the one that its connections' states stand for;
 * it has no EnabledDefault (NotApplicable) and no interface record;
 *   - a connection of an inbound session without a path gets one, if both names and the portal
 *     are known. (An outbound path is its source's: the portal is the one that was configured.)
 * Returns 0 or the builder's error.
 */
int path_complete(struct builder *b);

#endif
