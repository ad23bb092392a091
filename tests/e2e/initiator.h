/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iscsi-demo-initiator: an initiator in user space (libiscsi) for the demo and the end-to-end
 * tests. It keeps one or many normal sessions, does small paced reads and writes, and writes down
 * what it saw itself, so that the tests have a witness that is not the agent and not the target.
 *
 * It writes on, and reads from, the LUN it is given: never point it at a LUN with data on it.
 *
 * One process, one poll loop (initiator.c); one state machine per session (initiator_session.c).
 */
#ifndef TESTS_E2E_INITIATOR_H
#define TESTS_E2E_INITIATOR_H

#include "base/base.h"

#include <iscsi/iscsi.h>

/* What the command line says about a session; the texts belong to argv or live for ever. */
struct session_settings {
	const char *portal;    /* ADDRESS:PORT or [ADDRESS]:PORT */
	const char *target;    /* name of the target */
	const char *initiator; /* our name; "%n" in it becomes the number of the session */
	const char *alias;     /* InitiatorAlias, or NULL: none is sent */
	const char *user;      /* CHAP name, or NULL */
	const char *password;  /* CHAP secret; never printed */
	enum iscsi_header_digest header_digest;
	enum iscsi_immediate_data immediate_data;
	enum iscsi_initial_r2t initial_r2t;
	unsigned int lun;
	unsigned int rate;   /* SCSI commands per second; 0: none at all */
	unsigned int blocks; /* blocks per read or write, 1..64 */
	unsigned int retry;  /* seconds until a lost session is logged in again; 0: never */
};

enum session_state {
	SESSION_WAITING, /* nothing open; next try at due_ns */
	SESSION_LOGIN,	 /* connecting or logging in */
	SESSION_SETUP,	 /* logged in; first commands on the way */
	SESSION_READY,	 /* logged in; reads and writes when due */
	SESSION_LOGOUT,	 /* logout on the way */
	SESSION_ENDED,	 /* for good */
};

struct session {
	struct session_settings settings;
	unsigned int number;
	enum session_state state;
	bool dropped; /* the context is dead: to be destroyed by the loop, not in its callback */
	bool failed;  /* ended in another way than by our logout */
	bool paused;
	unsigned int setup_tries;
	unsigned int outstanding; /* SCSI commands without an answer */
	uint64_t due_ns;	  /* CLOCK_MONOTONIC of the next command, or of the next try */
	uint32_t block_octets;
	uint32_t block_count;
	uint32_t next_block;
	unsigned char *data;
	struct iscsi_context *context;

	/* Our own count over all logins of this session. */
	uint64_t logins;
	uint64_t commands;
	uint64_t reads;
	uint64_t writes;
	uint64_t read_octets;
	uint64_t written_octets;
};

/* CLOCK_MONOTONIC, ns. */
uint64_t initiator_now_ns(void);

/* Writes one event: "<number> <event…>" and a newline, flushed. */
void session_event(const struct session *s, const char *format, ...) PRINTF_LIKE(2, 3);

/* Begins to connect. A failure is an event and leaves the session waiting or ended. */
void session_start(struct session *s);

/* poll(2)'s view: the descriptor (-1: none) and the events wanted. */
int session_fd(const struct session *s);
short session_events(const struct session *s);

/* Handles what poll(2) found. */
void session_service(struct session *s, short revents);

/* Does what is due: the next command, the next try. */
void session_turn(struct session *s, uint64_t now_ns);

/* When session_turn has something to do; UINT64_MAX: only after an event on the descriptor. */
uint64_t session_due_ns(const struct session *s);

/* No further commands until session_resume; then the counts are written once nothing is open. */
void session_pause(struct session *s);
void session_resume(struct session *s);

/* Begins the logout; ends at once when there is no session. */
void session_logout(struct session *s);

/* "counts commands=… reads=… …" */
void session_print_counts(const struct session *s);

/* Closes whatever is open and frees the session's memory. */
void session_close(struct session *s);

#endif
