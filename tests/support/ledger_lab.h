/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One stack as a source tells of it, poll after poll, and what becomes of it in the agent: the
 * registry lives on, the reader and the agent process can be started anew. A poll is said so:
 *
 *	ledger_lab_begin(&lab, "epoch");
 *	OPT_SET(ledger_lab_node(&lab, "n")->initiator_login_failures, 3);
 *	ledger_lab_end(&lab);
 *	assert_int_equal(ledger_lab_shown_node(&lab, "n")->initiator_login_failures.value, 3);
 */
#ifndef TESTS_SUPPORT_LEDGER_LAB_H
#define TESTS_SUPPORT_LEDGER_LAB_H

#include "index/registry.h"
#include "model/builder.h"
#include "model/snapshot.h"

struct ledger_lab {
	struct registry *registry;
	struct builder *builder;
	struct snapshot *shown; /* after the last poll */
	uint64_t now_ns;	/* of the last poll; it goes up by 100 with each */
};

/* An agent that starts for the first time in this boot. */
void ledger_lab_open(struct ledger_lab *lab);
void ledger_lab_close(struct ledger_lab *lab);

/* Begins a poll with the instance, which is returned. `epoch` NULL: it does not count events. */
struct instance *ledger_lab_begin(struct ledger_lab *lab, const char *epoch);

/* Adds a row; the pointer is good until the next one of its kind. */
struct node *ledger_lab_node(struct ledger_lab *lab, const char *key);
struct session *ledger_lab_session(struct ledger_lab *lab, const char *key);
struct path *ledger_lab_path(struct ledger_lab *lab, const char *key);

/* The fragment of the poll that was begun; freed by the caller. */
struct fragment *ledger_lab_seal(struct ledger_lab *lab);

/* Ends the poll: a snapshot is made and the registry swept. It must succeed. */
void ledger_lab_end(struct ledger_lab *lab);

/* The same with a result, and without the sweep when it is not 0. */
int ledger_lab_try(struct ledger_lab *lab, const struct fragment *fragment);

/* What is shown; of a row that must be there. */
const struct instance *ledger_lab_shown(const struct ledger_lab *lab);
const struct node *ledger_lab_shown_node(const struct ledger_lab *lab, const char *key);
const struct session *ledger_lab_shown_session(const struct ledger_lab *lab, const char *key);
const struct path *ledger_lab_shown_path(const struct ledger_lab *lab, const char *key);
const char *ledger_lab_text(
	const struct ledger_lab *lab, const struct opt_str *field); /* "-" unknown */

/*
 * The agent process is started anew: it has what the files hold, by way of their text. `run` false:
 * the file of the run-time directory was lost. `reboot`: it is another boot.
 */
void ledger_lab_restart(struct ledger_lab *lab, bool run, bool reboot);

/* The entry of a row, NULL when there is none. */
const struct registry_entry *ledger_lab_entry(
	const struct ledger_lab *lab, enum index_kind kind, const char *key);

#endif
