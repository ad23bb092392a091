/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration of open-iscsi: names of the initiator, iscsid.conf, records of interfaces and
 * of nodes (targets to log in to). All by root_read_filtered: some of these files hold CHAP
 * secrets. In the reader process of the source only.
 */
#ifndef SOURCE_OPEN_ISCSI_RECORDS_H
#define SOURCE_OPEN_ISCSI_RECORDS_H

#include "base/root.h"
#include "source/open_iscsi_nodes.h"
#include "source/open_iscsi_text.h"

#include <net/if.h>

/* An interface record. */
struct oiscsi_iface {
	char name[64];
	char transport[32]; /* "" unknown */
	char netdev[IF_NAMESIZE];
	struct text_address address; /* of type 0: none */
	char *initiator_name;	     /* NULL: the default one */
};

/* Whom to log in to, from a node record. */
struct oiscsi_target {
	char *name;
	char *initiator_name; /* NULL: the default one */
};

struct oiscsi_records {
	bool incomplete;   /* something that is there could not be read */
	bool config_known; /* else iscsid.conf could not be read */
	struct oiscsi_config config;
	char *initiator_name;	     /* default name, NULL unknown */
	char alias[256];	     /* "" unknown */
	struct oiscsi_iface *ifaces; /* in the order of their files' names */
	size_t iface_count;
	struct oiscsi_target *targets; /* sorted, each once */
	size_t target_count;
	struct oiscsi_nodes nodes; /* the node records themselves */
};

void oiscsi_records_clear(struct oiscsi_records *records);

/* Frees at the end of a scope. */
#define CLEANUP_OISCSI_RECORDS __attribute__((cleanup(oiscsi_records_clear)))

/*
 * Reads all of it. `config_dir` has iscsid.conf and initiatorname.iscsi; `record_dir` has ifaces/
 * and nodes/, or else config_dir has. A file that cannot be read leaves its part unknown. Returns
 * 0, -ETIMEDOUT or -ENOMEM; then `ret` is untouched.
 */
int oiscsi_records_read(struct root *root, const char *config_dir, const char *record_dir,
	uint64_t deadline_ns, struct oiscsi_records *ret);

/* The record of an interface by its name; NULL when there is none. */
const struct oiscsi_iface *oiscsi_iface_find(
	const struct oiscsi_records *records, const char *name);

/*
 * The name of the initiator that makes a session: its own, or by the record of its interface, or
 * the default; NULL when it cannot be known. `own` and `iface` may be NULL.
 */
const char *oiscsi_initiator_name(
	const struct oiscsi_records *records, const char *own, const char *iface);

#endif
