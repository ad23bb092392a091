/* SPDX-License-Identifier: BSD-2-Clause */
/* What `errors` counted the last time, in a file of its own: increases are told, not sums. */
#ifndef PLUGIN_SAMPLE_H
#define PLUGIN_SAMPLE_H

#include "base/base.h"

#define SAMPLE_COUNTERS 8

struct sample {
	uint64_t time_s; /* of the clock of the day */
	uint64_t counters[SAMPLE_COUNTERS];
};

/* Returns 0, -ENOENT when there is none, or -EINVAL when the file is not one of ours. */
int sample_load(const char *path, struct sample *ret);

/* Written aside and renamed; no link is followed. Returns 0 or a negative errno. */
int sample_save(const char *path, const struct sample *sample);

/*
 * By how much counter `index` has grown. 0 when it cannot be said, since it is smaller than before:
 * the watched host began anew, or rows that were counted are gone.
 */
uint64_t sample_increase(const struct sample *before, const struct sample *now, int index);

#endif
