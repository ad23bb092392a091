/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whose session it is, from sysfs, while it is there: a login that is refused leaves nothing behind
 * a few milliseconds later. Called by open_iscsi_listener.c in the reader process, again and again
 * until iscsid has told the kernel.
 */
#ifndef SOURCE_OPEN_ISCSI_NAMES_H
#define SOURCE_OPEN_ISCSI_NAMES_H

#include "base/root.h"
#include "source/open_iscsi_events.h"

/*
 * Reads what is still missing of a session's names and of the portal that iscsid was told. Never
 * waits. True when nothing is missing any more; without memory it is as if it could not be read.
 */
bool oiscsi_names_read(struct root *root, struct oiscsi_watch *watch);

#endif
