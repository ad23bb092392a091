/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A notifier (agent/notify.h) on a bench: a host of paths, a source and an instance that a test
 * changes, a clock that it turns, and what would have gone to the master. A program that uses it
 * names what is wrapped, for the linker's list (Makefile):
 *	__wrap_clock_now_ns __wrap_clock_wall_zero_ns __wrap_clock_ms_until
 */
#ifndef TESTS_SUPPORT_NOTIFY_BENCH_H
#define TESTS_SUPPORT_NOTIFY_BENCH_H

#include "agent/notify.h"

#define BENCH_PATHS    40u
#define BENCH_SENT_MAX 30000u

/* What a poll finds; the test changes it between two polls. */
struct bench_host {
	uint32_t status[BENCH_PATHS]; /* PATH_CONNECTED …; 0: there is no such path */
	bool missing[BENCH_PATHS];    /* expected, and has no session */
	uint32_t condition;	      /* of the one session */
	uint32_t source_state;	      /* IscsiSourceHealth */
	uint64_t session_failures;    /* of the instance */
	uint64_t discontinuity_ns;    /* likewise */
	uint32_t more_paths;	      /* so many more, with many_status */
	uint32_t many_status;
};

struct bench_sent {
	uint8_t module;	      /* 0 ISCSI-MIB, 1 ISCSI-PATH-MIB */
	uint8_t notification; /* its sub-identifier */
	uint32_t row; /* first sub-identifier of the row that it is about, or of the event */
	uint64_t at_ns, event_ns;
	uint64_t number; /* of the first object that is no text */
};

extern struct bench_host host;
extern struct config bench_config;
extern uint64_t bench_now_ns;
extern uint64_t bench_unread; /* what the master has not taken: notifier_settings.waiting */
extern struct bench_sent bench_sent[BENCH_SENT_MAX];
extern size_t bench_sent_count;
extern struct event_log *bench_log;
extern struct notifier *bench_notifier;

/* For cmocka: all paths connected, all well, configuration by default, nothing polled yet. */
int bench_set_up(void **state);
int bench_tear_down(void **state);

/* After bench_config was changed. */
void bench_configure(void);

/* Time passes, then a poll: a snapshot, told and served. Returns how many notifications went. */
size_t bench_poll(uint64_t after_ns);

/* The same, but there is no memory for the views. */
void bench_poll_in_vain(uint64_t after_ns);

/* Time passes without a poll, turn by turn when the notifier wants one; how many went. */
size_t bench_wait(uint64_t ns);

/* The event of that number as the view shows it now, NULL when there is none. */
const struct event *bench_event(uint32_t number);
uint32_t bench_last_event(void);

#endif
