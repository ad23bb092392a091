/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What iscsid says of this host in each login, InitiatorAlias. It reads initiatorname.iscsi, or the
 * name of the host, once, when it starts, and then logs in to the sessions that are there. (From
 * its sources: usr/iscsid.c, and iscsi_sync_session in usr/initiator.c.) So the alias of all
 * sessions is what the records said when that iscsid was first seen, whatever they say today; and
 * it is not known of sessions that were never seen with an iscsid: iscsistart, which may have made
 * them, does not look into the file.
 *
 * In the reader process of the source.
 */
#ifndef SOURCE_OPEN_ISCSI_ALIAS_H
#define SOURCE_OPEN_ISCSI_ALIAS_H

#include "source/open_iscsi_memory.h"

/*
 * Takes o->iscsid_pid and o->alias, when another iscsid runs than the one known. Called after the
 * sessions were read; `fresh`: the records were, too, in this poll. Else only the first iscsid is
 * looked for. Where nothing has changed it reads one file; and while no iscsid was seen, one for
 * each process that made a session (16 at most) and for each listener to the kernel's events.
 */
void oiscsi_alias_read(struct oiscsi *o, bool fresh);

#endif
