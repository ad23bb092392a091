/* SPDX-License-Identifier: BSD-2-Clause */
/* From entries to objects of the model. Reader process of the source probe; no I/O. */
#ifndef SOURCE_PROBE_MODEL_H
#define SOURCE_PROBE_MODEL_H

#include "model/builder.h"
#include "source/probe_entries.h"

/* Adds a probe for each entry; `name`: the InitiatorName. Returns 0 or the builder's error. */
int probe_model_build(struct builder *b, const struct probe_entries *entries, const char *name);

#endif
