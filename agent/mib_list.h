/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --list-columns: what a module serves, for programs: the tests hold it against the MIB modules,
 * and the lists in docs/ are made from it. One-shot command only.
 */
#ifndef AGENT_MIB_LIST_H
#define AGENT_MIB_LIST_H

#include "agent/mib.h"

/*
 * One line for each column, then one for each notification, their parts separated by TABs:
 *
 *	column MODULE table entry OID name SYNTAX access index,index…
 *	notification MODULE name OID object,object…
 *
 * OID without a leading dot; SYNTAX one of Counter32 Counter64 Unsigned32 Gauge32 INTEGER
 * OCTET-STRING BITS OBJECT-IDENTIFIER TimeTicks; access as in the module: read-only, read-write,
 * read-create; the index of a table that augments another is that of the other. Of a scalar, table
 * is the node that it is below, entry and index are empty, OID is without the 0 of its instance.
 * Returns 0, or -EIO when `out` could not be written.
 */
int mib_list_columns(const struct mib_module *module, FILE *out);

#endif
