/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A snapshot written out for people (text) and programs (JSON): --dump, the golden files, bug
 * reports. Every field of model.def that is known appears under its name there; links appear as
 * the index number of the object linked to. Texts of peers are made safe (text_sanitize).
 */
#ifndef MODEL_DUMP_H
#define MODEL_DUMP_H

#include "model/snapshot.h"

enum dump_format { DUMP_TEXT, DUMP_JSON };

/* Returns 0, or -EIO when `out` could not be written. `now_ns` is for the ages of the sources. */
int dump_snapshot(const struct snapshot *s, enum dump_format format, uint64_t now_ns, FILE *out);

/* The word for a state of a source: "ok", "failing", … */
const char *source_state_name(enum source_state state);

#endif
