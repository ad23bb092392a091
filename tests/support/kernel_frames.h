/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages of the kernel's iSCSI netlink for unit tests: recorded ones (tests/fixtures/netlink),
 * and hand-made ones. What is wrong with a recording ends the test program.
 */
#ifndef TESTS_SUPPORT_KERNEL_FRAMES_H
#define TESTS_SUPPORT_KERNEL_FRAMES_H

#include "base/buf.h"
#include "source/open_iscsi_wire.h"

struct frame {
	uint8_t data[8192];
	size_t length;
	uint64_t time_ns; /* of a recorded one */
};

/* A recording being read. */
struct frames {
	struct buf text;
	const char *at;
	char remark[80]; /* the last one before the frame: what was being done */
};
void frames_open(struct frames *f, const char *name); /* "losses" */
void frames_close(struct frames *f);
bool frames_next(struct frames *f, struct frame *ret);

/* An event without more to it. `number`: the error or state of types that have one. */
struct frame frame_event(uint32_t type, uint32_t sid, uint32_t cid, uint32_t number);

/* The answer to a request that the kernel did not like. */
struct frame frame_refusal(uint32_t sid, uint32_t cid, int error);

struct frame frame_statistics(
	uint32_t sid, uint32_t cid, const struct oiscsi_statistics *statistics, uint32_t customs);

struct login_response {
	uint8_t flags; /* T 0x80, C 0x40, CSG << 2, NSG */
	uint8_t status_class, status_detail;
	uint16_t tsih;
	uint32_t stat_sn;
	const char *text; /* pairs, each with a '|' in the place of its NUL; NULL none */
};
struct frame frame_login_response(uint32_t sid, const struct login_response *response);
struct frame frame_logout_response(uint32_t sid);

#endif
