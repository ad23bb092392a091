/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The same poll in one process, synchronously: --once, --dump, --walk, --check, --record. What a
 * source gives goes through the same fragment, the same check and the same table of units.
 */
#ifndef READER_ONCE_H
#define READER_ONCE_H

#include "reader/units.h"
#include "source/source.h"

/*
 * Polls every source of `sources` (NULL at its end) once, each until `timeout_ns` from its start.
 * What fails is in the table of units. Returns 0 or -ENOMEM.
 */
int once_poll(const struct source_ops *const sources[], const struct source_env *env,
	uint64_t timeout_ns, struct units *units);

#endif
