/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The objects of LIO (model/model.def) from what is known of it after a poll. In the reader process
 * only. No I/O.
 */
#ifndef SOURCE_LIO_MODEL_H
#define SOURCE_LIO_MODEL_H

#include "model/builder.h"
#include "source/lio_memory.h"

/*
 * Adds all objects. `architecture` and `release` of this host, "" unknown. Returns 0, or a negative
 * errno (the builder's, or -ENOMEM).
 */
int lio_model_build(struct builder *b, const struct lio_memory *memory, const char *architecture,
	const char *release);

/* Sessions that it adds for a target. */
uint32_t lio_model_sessions_shown(const struct lio_target *target);

#endif
