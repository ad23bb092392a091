/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --walk: the cells of a view as `snmpwalk -On -Oe` (net-snmp 5.9, no MIB modules loaded) prints
 * them, so that both can be compared line by line. One-shot commands only.
 */
#ifndef AGENT_MIB_WALK_H
#define AGENT_MIB_WALK_H

#include "agent/mib.h"

/*
 * Prints every cell below `from`, one line each (a long Hex-STRING takes several); `from` itself
 * when it is a cell. `length` 0: everything. Returns the number of cells printed, at most INT_MAX,
 * or -EIO when `out` could not be written.
 */
int mib_walk(const struct mib_view *view, const mib_oid *from, size_t length, FILE *out);

/* Prints one cell: name, " = ", syntax, value, newline. Errors stay in `out` (ferror). */
void mib_walk_print(const struct mib_name *name, const struct mib_value *value, FILE *out);

#endif
