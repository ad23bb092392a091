/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Node records of open-iscsi: which sessions there should be. Filled by open_iscsi_records.c from
 * lines that root_read_filtered let through. In the reader process of the source only; no I/O.
 */
#ifndef SOURCE_OPEN_ISCSI_NODES_H
#define SOURCE_OPEN_ISCSI_NODES_H

#include "source/open_iscsi_portal_name.h"
#include "source/open_iscsi_text.h"

/* node.startup; what a record without it has is iscsid's own default. */
enum oiscsi_startup { OISCSI_MANUAL, OISCSI_AUTOMATIC, OISCSI_ONBOOT };

struct oiscsi_node {
	char *target;
	char *initiator_name; /* NULL: the default one */
	char *address;	      /* as it was given: may be the name of a host; NULL: not told */
	uint32_t port;
	struct oiscsi_portal_name portal; /* both; not set by oiscsi_node_parse */
	struct opt_u32 tag;		  /* portal group tag */
	char iface[64];			  /* name of its interface record */
	enum oiscsi_startup startup;
	uint32_t nr_sessions; /* that are to be made of it, 1 to OISCSI_NR_SESSIONS_MAX */
	/* It is not logged in when there is any session with its target: each interface is tried in
	 * turn until one leads there (usr/iscsiadm.c, login_by_startup). */
	bool leading_login;
};

struct oiscsi_nodes {
	struct oiscsi_node *list; /* in the order of their files */
	size_t count, capacity;
};

#define OISCSI_NODES_MAX       100000u
#define OISCSI_NR_SESSIONS_MAX 64u /* more of one record are no paths that could be missing */

/* The keys of a record that are read; NULL at its end. */
extern const char *const oiscsi_node_keys[];

/*
 * Reads the lines of one record; of several with one key the last counts. Texts are in *ret then,
 * and freed with oiscsi_node_clear. Returns 0 or -ENOMEM (nothing to be freed).
 */
int oiscsi_node_parse(const char *target, const char *text, size_t length, struct oiscsi_node *ret);

void oiscsi_node_clear(struct oiscsi_node *node);

/* Adds a node and takes it over (also on failure). 0, -ENOMEM; beyond the limit it is dropped. */
int oiscsi_nodes_add(struct oiscsi_nodes *nodes, struct oiscsi_node *node);

void oiscsi_nodes_clear(struct oiscsi_nodes *nodes);

#endif
