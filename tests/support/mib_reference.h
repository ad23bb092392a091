/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What mib_get and mib_next must answer, found in a plain way: all cells in one sorted list, halved
 * until the place is found (a fuzz target asks millions of times). Shares only the encoders and the
 * row sets' key functions with the engine.
 */
#ifndef TESTS_SUPPORT_MIB_REFERENCE_H
#define TESTS_SUPPORT_MIB_REFERENCE_H

#include "agent/mib.h"

struct reference_cell {
	mib_oid ids[32];
	size_t length;
	const struct mib_column *column;
	struct mib_row row;
};

struct reference {
	const struct mib_view *view;
	struct reference_cell *cells; /* sorted; holes are left out */
	size_t count, capacity;
};

void reference_make(const struct mib_view *view, struct reference *ret);
void reference_free(struct reference *r);

/* The cell and MIB_FOUND, or what else the answer is. */
enum mib_result reference_get(const struct reference *r, const mib_oid *name, size_t length,
	const struct reference_cell **ret);
enum mib_result reference_next(const struct reference *r, const mib_oid *name, size_t length,
	bool include, const struct reference_cell **ret);

/*
 * Asks the engine for the name in every way and compares: returns NULL, or what is wrong, in
 * words.
 */
const char *reference_compare(const struct reference *r, const mib_oid *name, size_t length);

/* True when both are the same value. */
bool reference_equal(const struct mib_value *a, const struct mib_value *b);

#endif
