/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whose name a probe must not have. A target takes a login with the InitiatorName and ISID of
 * another session for that session come again, and ends the one that was there (RFC 7143, 6.3.5);
 * some tell sessions apart by the name alone. In the reader process of the source probe.
 */
#ifndef SOURCE_PROBE_NAMES_H
#define SOURCE_PROBE_NAMES_H

#include "source/open_iscsi_records.h"

/*
 * True when sessions of this host have the name, or would have: by initiatorname.iscsi, by a
 * record, by a session that is there.
 */
bool probe_name_is_taken(struct root *root, const struct oiscsi_records *records, const char *name);

#endif
