/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asks one tgtd and puts the answers into its struct tgt_unit. In the reader process only; blocks
 * until the deadline at most.
 *
 * The answers are from different moments, so the order matters: the tables of the nexuses, the
 * text of the targets, then for each target its connections, then each session's counters. A
 * session is in the result when it was in the first and the last of these; what is between is
 * believed of it only as tgt_text.h says.
 */
#ifndef SOURCE_TGT_READ_H
#define SOURCE_TGT_READ_H

#include "source/tgt_memory.h"

/* Why it failed, in words for collection_fail. */
struct tgt_failure {
	char text[128];
};

/*
 * Begins a poll: asks for the portals. Returns 1, or 0 when there is no such tgtd (nobody listens,
 * or it has no iSCSI driver; the unit's memory is emptied), or a negative errno with *why set.
 */
int tgt_read_portals(
	struct tgt_unit *unit, struct root *root, uint64_t deadline_ns, struct tgt_failure *why);

/* The rest of the poll. Returns 0, or a negative errno with *why set; the memory is kept. */
int tgt_read_targets(
	struct tgt_unit *unit, struct root *root, uint64_t deadline_ns, struct tgt_failure *why);

#endif
