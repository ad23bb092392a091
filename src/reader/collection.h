/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The source's side of a poll: what collection_begin, _note, _end and _fail (source/source.h)
 * collect is handed, unit by unit, to a function: in a reader process the one that sends it to the
 * agent, in the one-shot commands the one that keeps it.
 */
#ifndef READER_COLLECTION_H
#define READER_COLLECTION_H

#include "source/source.h"

#define UNIT_NAME_MAX	 128 /* octets with NUL */
#define UNIT_MESSAGE_MAX 160

/* The result of one unit. `fragment` is NULL when error is set; else the function takes it over
 * (free(3)). */
struct unit_result {
	const char *unit;
	int error;	     /* 0 or negative errno */
	const char *message; /* of a good unit: the source's note, "" none */
	struct fragment *fragment;
	size_t length;
	uint64_t wall_ns, cpu_ns; /* what the unit cost */
};

typedef void unit_result_fn(void *context, const struct unit_result *result);

/* NULL without memory. Freed with collection_free, which takes NULL. */
struct collection *collection_new(unit_result_fn *give, void *context);
void collection_free(struct collection *c);

#endif
