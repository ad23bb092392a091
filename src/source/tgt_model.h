/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The objects of one tgtd (model/model.def) from what is known of it after a poll. In the reader
 * process only. No I/O.
 */
#ifndef SOURCE_TGT_MODEL_H
#define SOURCE_TGT_MODEL_H

#include "model/builder.h"
#include "source/tgt_memory.h"

/*
 * Adds all objects of the unit. `architecture`: of this host, "" unknown. Returns 0, or a negative
 * errno (the builder's, or -ENOMEM).
 */
int tgt_model_build(struct builder *b, const struct tgt_unit *unit, const char *architecture);

#endif
