/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A host's iSCSI in a few numbers, one status and one line: the only place of the rules. They are
 * told to users in iscsiSumStatus of mibs/ISCSI-PATH-MIB and in docs/CIM-MAPPING.md. Pure.
 */
#ifndef MODEL_SUMMARY_H
#define MODEL_SUMMARY_H

#include "model/snapshot.h"

/* IscsiOverallStatus of ISCSI-PATH-MIB. */
enum summary_status { SUMMARY_OK = 1, SUMMARY_DEGRADED, SUMMARY_CRITICAL, SUMMARY_UNKNOWN };

#define SUMMARY_TEXT_MAX 256u /* octets with NUL */

/*
 * Fills `ret`, but for `text`, which is returned for the caller to put where it lives. Objects
 * without a number (they have no row) do not count; the objects of the sources (SOURCE) must be
 * there already.
 *
 *   critical  an initiator of this host has no connected path left to a target that it should
 *             reach, unless all devices of a session with it are in maps that a connected session
 *             has a path in; or no path of a map takes I/O
 *   degraded  a path that should be there is not connected; a device cannot do I/O; a map has
 *             fewer paths than it should have
 *   unknown   a source is on this host and nothing is known of it: it has not been read yet, or
 *             its rows are gone; or it cannot be told whether a path is connected
 *   ok        none of it
 *
 * The first that is true counts. Returns 0, or -ENOMEM with both outputs untouched.
 */
int summary_make(const struct snapshot *s, struct summary *ret, char text[SUMMARY_TEXT_MAX]);

#endif
