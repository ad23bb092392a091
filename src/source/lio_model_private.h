/* SPDX-License-Identifier: BSD-2-Clause */
/* What lio_model.c and lio_model_session.c share. */
#ifndef SOURCE_LIO_MODEL_PRIVATE_H
#define SOURCE_LIO_MODEL_PRIVATE_H

#include "source/lio_model.h"

/* Adds the sessions of a target. Returns 0 or a negative errno. */
int lio_model_sessions(
	struct builder *b, const struct lio_target *target, uint32_t instance_at, uint32_t node_at);

/* The number of sessions that it adds. */
uint32_t lio_model_sessions_shown(const struct lio_target *target);

#endif
