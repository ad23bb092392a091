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

/* Sessions of all targets that LIO has, and those of them that it does not show. */
struct lio_session_count {
	struct opt_u32 reported, hidden; /* the latter only known with the former */
};
struct lio_session_count lio_model_count_sessions(const struct lio_memory *memory);

#endif
