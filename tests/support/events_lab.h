/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events of the kernel, one after the other, for tests of open_iscsi_events.c: what happens to
 * sessions of the initiator EVENTS_NAME, at a time that the test sets. What is wrong in the lab
 * itself fails the test.
 */
#ifndef TESTS_SUPPORT_EVENTS_LAB_H
#define TESTS_SUPPORT_EVENTS_LAB_H

#include "base/clock.h"
#include "source/open_iscsi_events.h"
#include "source/open_iscsi_records.h"
#include "tests/support/kernel_frames.h"

#define MS	      NS_PER_MS
#define EVENTS_TARGET "iqn.2026-11.org.example:disk"
#define EVENTS_NAME   "iqn.2026-11.org.example:host"

extern struct oiscsi_events events;
extern struct oiscsi_records records;
extern uint64_t now_ns;	 /* of the next event */
extern uint32_t stat_sn; /* of the last answer to a login */

/* Set-up and tear-down of a test. */
int events_begin(void **state);
int events_end(void **state);

/* Each returns what oiscsi_events_take does. */
int take(const struct frame *frame);
int happens(uint32_t type, uint32_t sid, uint32_t number);
int lost(uint32_t sid, uint32_t error);						  /* CONN_ERROR */
int answer(uint32_t sid, uint8_t status_class, uint8_t detail, const char *text); /* no success */
int goes_on(uint32_t sid, uint8_t stage);		     /* success, not final */
int accepted(uint32_t sid, uint16_t tsih, const char *text); /* final */

/* A session, as the first thing that is heard of it; its names are known. */
struct oiscsi_watch *created(uint32_t sid);
/* … which has been logged in for a minute. */
struct oiscsi_watch *logged_in(uint32_t sid);

/* The counters of EVENTS_NAME. */
const struct oiscsi_node_events *node(void);
void assert_login_counts(const uint64_t wanted[OISCSI_COUNTS]);
/* One failed login, counted by `column` too, and no failed session. */
void assert_one_failed_login(enum oiscsi_login_count column);

#endif
