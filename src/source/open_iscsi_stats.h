/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asking the kernel for the statistics of connections (ISCSI_UEVENT_GET_STATS). In the reader
 * process of the source open-iscsi, over the socket of its listener.
 *
 * This is the one place where the agent says something to the kernel, and it is dangerous: the
 * answer goes to all members of the multicast group, and drivers/scsi/scsi_transport_iscsi.c
 * (iscsi_if_get_stats, Linux 2.6 to 7.x) sends it again and again until one of them has taken it,
 * in the context of the asker, holding the lock that every login and logout needs. If nobody takes
 * it, that never ends, the process cannot be killed, and the initiator is dead until the next boot.
 * So:
 *
 *  1. Our own socket is in the group before anything is asked, and it is certain to have room: it
 * is read empty before each request, and the kernel's count of its memory must be 0.
 *  2. One request at a time; its answer is there when the request returns.
 *  3. At most ASK_BURST requests, then a pause: answers go to iscsid too, whose queue holds some
 * 160. Before each burst the fullest queue of the other members must be nearly empty.
 *  4. A connection is asked for at most every ASK_INTERVAL, in turns.
 *  5. NETLINK_BROADCAST_ERROR is never set (a full queue of *another* member would be an error).
 *  6. Nothing is asked while a session is being removed, for half a minute at most: that can take
 *     long, with that lock held, and would hold us.
 *  7. openIscsiStatistics no turns it off; then the capability for it is given up as well.
 *
 * What remains: `iscsiadm -m session -s` takes the first answer that comes to iscsid, and if that
 * happens to be one of ours it prints the statistics of another session.
 */
#ifndef SOURCE_OPEN_ISCSI_STATS_H
#define SOURCE_OPEN_ISCSI_STATS_H

#include "source/open_iscsi_memory.h"

#define OISCSI_STATISTICS_AGE_NS                                        \
	(UINT64_C(60) * 1000 * 1000 * 1000) /* older ones are not shown \
					     */

struct oiscsi_asker {
	uint32_t sequence;
	uint32_t next_sid; /* whose turn it is */
	struct {
		char name[OISCSI_TRANSPORT_MAX];
		uint64_t handle;
	} handles[8]; /* of this poll */
	size_t handle_count;
	char note[OISCSI_NOTE_MAX]; /* why nothing is asked, "" */
};

/*
 * Asks for the statistics of those connections of `o` whose turn it is. `now_ns`: the beginning of
 * the poll; nothing is asked after `until_ns`. Waits some milliseconds between bursts, while events
 * are taken.
 */
void oiscsi_stats_ask(
	struct oiscsi_asker *asker, struct oiscsi *o, uint64_t now_ns, uint64_t until_ns);

/* An oiscsi_statistics_fn; `o` is a struct oiscsi. */
void oiscsi_stats_take(void *o, const struct oiscsi_event *event, uint64_t now_ns);

#endif
