/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The line to the kernel's initiator: its netlink socket, drained whenever something is in it, and
 * what goes with that: names of sessions that have just begun, when the agent is to look again, and
 * why events are not received when they are not. In the reader process of the source open-iscsi.
 *
 * Draining must never wait: oiscsi_listener_pump is called after each file that a poll reads
 * (struct root's `between`), and between polls by oiscsi_listener_event.
 *
 * After any loss of messages (no room, no memory, not understood) all counters begin anew, under
 * another epoch: the agent then says that there was a discontinuity. They are never continued over
 * a gap.
 */
#ifndef SOURCE_OPEN_ISCSI_LISTENER_H
#define SOURCE_OPEN_ISCSI_LISTENER_H

#include "base/netlink.h"
#include "base/root.h"
#include "source/open_iscsi_events.h"

#define OISCSI_NOTE_MAX 160u

/* Takes the statistics of a connection that the kernel has sent, whoever asked for them. */
typedef void oiscsi_statistics_fn(void *context, const struct oiscsi_event *event, uint64_t now_ns);

struct oiscsi_listener {
	struct root *root;
	oiscsi_statistics_fn *take_statistics;
	void *context; /* of it */

	struct netlink *netlink; /* NULL: not listening */
	uint64_t openings;	 /* of it; counts up */
	int epoll_fd, timer_fd;	 /* -1 without a socket */
	uint8_t *frame;		 /* OISCSI_FRAME_MAX octets */
	uint64_t opened_ns;	 /* the epoch: since when events are counted */
	uint64_t dropped;	 /* netlink_memory.dropped of then */
	uint64_t retry_ns, back_off_ns;
	char note[OISCSI_NOTE_MAX]; /* why it does not listen, "" */

	struct oiscsi_events events;
	bool pumping;
	uint64_t pumped_ns;
	bool news;	       /* something to show, which has not been said */
	uint64_t settle_ns[2]; /* … and when to say so again; 0 not */
	uint64_t timer_ns;     /* what the timer is set to; 0 off */

	/* The request for statistics that waits for its answer (open_iscsi_stats.c). */
	bool waiting;
	uint32_t asked_sid, asked_cid;
	int answer; /* 1 it came, 0 not, or the kernel's error */
};

/* `l` outlives the root's use. Opens nothing yet. */
void oiscsi_listener_init(struct oiscsi_listener *l, struct root *root,
	oiscsi_statistics_fn *take_statistics, void *context);

/* Stops listening and forgets all events. */
void oiscsi_listener_close(struct oiscsi_listener *l);

/*
 * To be called in each poll: listens if `wanted` and not yet (when that fails, again after a
 * while), stops if not. `wanted` must be false while the kernel has no driver for iSCSI: opening
 * the socket would load the kernel's module, and keep it.
 */
void oiscsi_listener_follow(struct oiscsi_listener *l, bool wanted);

/*
 * What a poll read of a session (S/state). Takes what waits in the socket if that may be the end of
 * its login; looks for names that are still missing. Does nothing while it does not listen. 0 or
 * -ENOMEM.
 */
int oiscsi_listener_seen(struct oiscsi_listener *l, uint32_t sid, enum oiscsi_state state);

/*
 * Takes what waits in the socket. `now`: whatever was done a moment ago. Returns true when the
 * queue is known to be empty.
 */
bool oiscsi_listener_pump(struct oiscsi_listener *l, bool now);

/* As source_ops.event_fd and source_ops.event. */
int oiscsi_listener_fd(const struct oiscsi_listener *l);
int oiscsi_listener_event(struct oiscsi_listener *l);

#endif
