/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel at the other end of a netlink socket (base/netlink.h), as drivers/scsi/
 * scsi_transport_iscsi.c and net/netlink/af_netlink.c behave: events and statistics go to all
 * members of the group; errors to the asker. A request whose answer nobody has room for would keep
 * the real kernel in a loop for ever: here it ends the test.
 *
 * A test that includes this wraps root_netlink_open: `__wrap_root_netlink_open` calls
 * fake_kernel_open.
 */
#ifndef TESTS_SUPPORT_FAKE_KERNEL_H
#define TESTS_SUPPORT_FAKE_KERNEL_H

#include "base/netlink.h"
#include "base/root.h"
#include "tests/support/kernel_frames.h"

#define FAKE_QUEUE_MAX	  6000u
#define FAKE_FRAME_OCTETS 1280u /* of memory that one message takes */

struct fake_connection {
	uint32_t sid, cid;
	struct oiscsi_statistics statistics;
};

extern struct fake_kernel {
	/* What a test sets. */
	int open_error;	   /* of root_netlink_open, 0 none */
	int receive_error; /* once, before the next message */
	int send_error;
	bool cannot_measure;  /* memory is -EOPNOTSUPP: an old kernel */
	bool no_sys_admin;    /* requests are refused with -EPERM */
	bool other_namespace; /* the table has no kernel */
	int table_error;
	unsigned int room;	/* of our queue, in messages */
	unsigned int others;	/* other members … */
	uint64_t others_queued; /* … and what is in the fullest of their queues */
	uint64_t handle;	/* of the driver: another one is refused with -EINVAL */
	bool loses_answers;
	bool answers_twice; /* somebody else asks the same */
	struct fake_connection connections[2000];
	unsigned int connection_count;
	/* Called after each request, when not NULL. */
	void (*asked)(unsigned int requests);

	/* What a test looks at. */
	unsigned int opens, closes, requests, tables;
	uint64_t asked_sids[4000]; /* in their order */
	int last_protocol;
	unsigned int last_group;

	/* Its own. */
	bool opened;
	uint64_t dropped;
	struct frame *queue[FAKE_QUEUE_MAX];
	unsigned int first, count;
} fake_kernel;

/* A kernel with room for FAKE_QUEUE_MAX messages and nobody else; ends what was before. */
void fake_kernel_begin(void);
void fake_kernel_end(void);

/* root_netlink_open. */
int fake_kernel_open(struct root *root, int protocol, unsigned int group, struct netlink **ret);

/* A message to the group; dropped when our queue is full. */
void fake_kernel_say(const struct frame *frame);
void fake_kernel_event(uint32_t type, uint32_t sid, uint32_t number);

struct fake_connection *fake_kernel_connection(uint32_t sid);

#endif
