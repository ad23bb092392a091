/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything that touches AgentX (RFC 2741), behind one interface: the library below it could be
 * replaced without a change elsewhere. Today libnetsnmpagent opens the session, registers and
 * closes (agentx.c, agentx_library.c), and a guard between it and the master (agentx_transport.c
 * on agentx_stream.c) keeps a stopped, hostile or restarted master from blocking or crashing this
 * process. The guard also answers the requests (agentx_answer.c) and sends the notifications
 * (agentx_queue.c), without the library.
 *
 * Used by the agent process only (daemon.c), from its one thread. Nothing here reads iSCSI state:
 * requests are answered from the views given to agentx_serve, without I/O and without allocation.
 *
 * The bounds: a turn waits at most 300 ms for the master (it opens a session, or registers, and
 * the master is silent: once for each try to connect) or 200 ms (the master does not read). In a
 * session nothing waits: a Ping that is not answered for 5 s ends it.
 */
#ifndef AGENT_AGENTX_H
#define AGENT_AGENTX_H

#include "agent/agentx_queue.h"
#include "agent/mib.h"

#include <poll.h>

#define AGENTX_MODULES_MAX 4

struct agentx_settings {
	char address[108];	  /* path of the master's UNIX socket, for messages */
	uint32_t ping_interval_s; /* ping, retry of a lost connection and of a refused one; 1..60 */
	/*
	 * Gives a connected, non-blocking, close-on-exec stream socket to the master, or a negative
	 * errno (-EAGAIN: its backlog is full). Must not block longer than 300 ms. In the daemon
	 * the root parent makes it, since this process may not.
	 */
	int (*open_socket)(void *context);
	void *context;
	uint32_t notify_queue; /* notifications that may wait for the master; above 8 */
	/*
	 * What agentx_uptime_zero_ns was in an earlier process of this boot, 0 unknown: it is kept
	 * if it still fits, so that no time stamp moves by a new measurement.
	 */
	uint64_t uptime_zero_ns;
};

/*
 * Initialises the library, registers one region for each module (a NULL ends the list; at most
 * AGENTX_MODULES_MAX, their roots not one below the other) and the capabilities in sysORTable, and
 * tries to connect. A missing master is no error: it is tried again every ping interval. Changes
 * the process: SIGPIPE is ignored, MIBS, MIBDIRS and SNMPCONFPATH are set so that the library
 * reads and writes no file. `settings` is copied, `modules` are kept.
 * Returns 0, -E2BIG, -EEXIST (modules that overlap), -ENOMEM or -EIO. Once in a process.
 */
int agentx_start(const struct agentx_settings *settings, const struct mib_module *const modules[]);

/*
 * From now on requests are answered from these views, one for each module in the order of
 * agentx_start; the caller keeps the views alive until it has given others. NULL views: every
 * name is noSuchObject.
 */
void agentx_serve(struct mib_view *const views[]);

/*
 * Hands a notification over: `octets` is a PDU that agentx_write_notify (agentx_write.h) began, at
 * most AGENTX_NOTIFY_MAX of them, and is copied; `event_ns` is when it happened. It is sent in the
 * next turn, or when there is a master again; agentx_queue.h tells what is kept. Returns 0 or
 * -ENOMEM (counted as dropped). After agentx_start.
 */
#define AGENTX_NOTIFY_MAX 8192u
int agentx_notify(const uint8_t *octets, size_t length, uint64_t event_ns);

/* How many of them the master has not taken yet. */
uint64_t agentx_notify_waiting(void);

/* Another limit of waiting notifications (SIGHUP). */
void agentx_set_notify_queue(uint32_t limit);

/*
 * One turn of the event loop, as poll(2) wants it. prepare writes the descriptors to wait for
 * (rebuilt each turn: never keep them) and lowers *timeout_ms (-1: no limit) to when a turn is
 * needed; returns their number, at most `capacity` (64 is plenty). After poll(2), dispatch handles
 * what is ready and the timers; the descriptors are those of prepare with revents set. Call it
 * after each poll(2), also when it returned 0 or these descriptors were not ready.
 */
size_t agentx_prepare(struct pollfd *fds, size_t capacity, int *timeout_ms);
void agentx_dispatch(const struct pollfd *fds, size_t count);

/*
 * The short way through a turn, which nearly all are: when of all descriptors of the process only
 * some of these are ready, answers requests. True when that was all: those of prepare still hold,
 * and so does its time limit, counted from then. False: dispatch has to be called, with the same
 * descriptors.
 */
bool agentx_answer_requests(const struct pollfd *fds, size_t count);

enum agentx_state {
	AGENTX_DISCONNECTED, /* no session with the master; retrying */
	AGENTX_REFUSED,	  /* session open, but a registration was refused (another agent has it) */
	AGENTX_CONNECTED, /* session open and everything registered */
};
enum agentx_state agentx_state(void);

/*
 * When the master's sysUpTime was 0, CLOCK_MONOTONIC ns. Changes only when the master restarts
 * (not with each ping's rounding): time stamps shown stay what they were. Before the first
 * connection what the settings said.
 */
uint64_t agentx_uptime_zero_ns(void);

/* What happened since agentx_start; for the health rows and the tests. */
struct agentx_counts {
	uint64_t connects;	/* sessions opened */
	uint64_t disconnects;	/* sessions lost */
	uint64_t requests;	/* Get, GetNext, GetBulk and SET phases handled */
	uint64_t bad_pdus;	/* messages of the master that no master sends */
	uint64_t send_timeouts; /* sends given up, each ends the session */
	struct agentx_queue_counts notifications;
	uint64_t waiting; /* notifications in the queue now */
};
void agentx_counts(struct agentx_counts *ret);

/*
 * Closes the session and frees the library's state; takes at most 300 ms. Logging still works
 * after it, nothing else of net-snmp does.
 */
void agentx_stop(void);

#endif
