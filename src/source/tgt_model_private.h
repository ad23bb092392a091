/* SPDX-License-Identifier: BSD-2-Clause */
/* What tgt_model.c and tgt_model_session.c share. */
#ifndef SOURCE_TGT_MODEL_PRIVATE_H
#define SOURCE_TGT_MODEL_PRIVATE_H

#include "source/tgt_model.h"

/* Adds the sessions of a target that were in this poll. Returns 0 or a negative errno. */
int tgt_model_sessions(struct builder *b, const struct tgt_unit *unit,
	const struct tgt_target *target, uint32_t instance_at, uint32_t node_at);

#endif
