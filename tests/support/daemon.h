/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A daemon behind a management socket, for unit tests of root_exchange: a process that is forked
 * for one test and ended with it, and a root to ask it through, over a directory of scratch.h.
 * What cannot be set up aborts the test program; what goes wrong in the daemon ends it.
 */
#ifndef TESTS_SUPPORT_DAEMON_H
#define TESTS_SUPPORT_DAEMON_H

#include "base/root.h"

#include <sys/types.h>

#define DAEMON_ANSWER_MAX 4096 /* octets of an answer */

extern struct root *daemon_root; /* its prefix is /t of the scratch directory */
extern struct buf daemon_answer; /* of the last question */
extern pid_t daemon_pid;	 /* 0 none */

/* For cmocka_unit_test_setup_teardown. */
int daemon_set_up(void **state);
int daemon_tear_down(void **state);

/* A listening socket in the file `path` of the scratch directory, whatever its length. */
int daemon_listen_at(const char *path, int backlog);

/* Forks it: runs `serve` for each connection to the socket `path`, or to "@abstract". */
typedef void daemon_serve_fn(int fd);
void daemon_start(const char *path, daemon_serve_fn *serve);

/* What a daemon does. Questions are "question"; answers one octet N, and N octets more. */
void daemon_pause_ms(int ms);
void daemon_send(int fd, const char *octets, size_t length);
void daemon_take_question(int fd);
void daemon_serve_well(int fd);	     /* "\005hello" */
void daemon_serve_half(int fd);	     /* "\005hel" */
void daemon_serve_a_trickle(int fd); /* an octet each 40 ms */

/* 0xff is no length, 0xfe a length above the limit, with 0xfd none can be told. */
ssize_t daemon_answer_length(const char *data, size_t have);

/* root_exchange through daemon_root, into daemon_answer. */
int daemon_ask_until(const char *path, const char *request, uint64_t deadline_ns);
int daemon_ask(const char *path, int ms);

#endif
