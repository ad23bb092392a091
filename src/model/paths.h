/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The join of what the initiator knows of its paths with what multipathd knows of them. Two
 * sources, two processes, two moments: they meet in the snapshot while it is made (snapshot.c), in
 * the agent process. Pure: no I/O, no state between snapshots.
 */
#ifndef MODEL_PATHS_H
#define MODEL_PATHS_H

#include "model/snapshot.h"

/* IscsiCheckerState of ISCSI-PATH-MIB: the words of multipathd's checkers. */
enum checker_state {
	CHECKER_READY = 1,
	CHECKER_GHOST, /* a standby path, as well as it can be */
	CHECKER_FAULTY,
	CHECKER_SHAKY,
	CHECKER_PENDING,
	CHECKER_TIMEOUT,
	CHECKER_DELAYED,
	CHECKER_UNCHECKED,
	CHECKER_DISCONNECTED,
};

/* How bad a state is: 0 ready, 1 ghost, … Of several the highest is the one to show. */
uint32_t checker_rank(uint32_t state);

/* True unless the checker says that the path cannot do I/O. */
bool checker_is_well(uint32_t state);

#endif
