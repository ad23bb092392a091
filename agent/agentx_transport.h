/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guard: stands between the master and net-snmp's library, which sees the connection through a
 * transport of ours. Requests of the master are answered here (agentx_answer.c), at once and
 * wherever the process happens to be; the library only opens the session, registers, sends
 * notifications and closes. Used by agentx.c, in the agent process; one connection at a time.
 *
 * What the guard makes sure of, because the library does not (net-snmp 5.9.3):
 * - Nothing that the master sends or omits blocks or crashes: PDUs are whole and have a sane
 *   header, the library gets 28 octets of a Response and nothing else, sends are bounded.
 * - The library learns of a lost connection only in a turn (transport_library_turn). Inside one
 *   of its synchronous calls it gets an error as the answer instead: there, its treatment of a
 *   disconnect frees the list of callbacks that is being called.
 * - A call that was not answered in time is the last one: the connection is given up, so that a
 *   stopped master costs the process one time-out, not one for each registration.
 */
#ifndef AGENT_AGENTX_TRANSPORT_H
#define AGENT_AGENTX_TRANSPORT_H

#include "agent/agentx_stream.h"

/* The address that makes the library use this transport: agentXSocket. */
#define TRANSPORT_ADDRESS "iscsi-agentx:master"

/* The master answered. */
struct transport_reply {
	uint8_t request;    /* what was sent: enum agentx_pdu_type */
	uint16_t error;	    /* enum agentx_error */
	uint32_t uptime_cs; /* sysUpTime of the master */
	uint64_t sent_ns;   /* when the request was sent; the answer came just now; Notify: 0 */
	uint32_t packet;    /* number of the request */
};

struct transport_hooks {
	/* As in struct agentx_settings. */
	int (*open_socket)(void *context);
	void *context;
	/* As agentx_answer, with the views of the moment. */
	size_t (*answer)(const struct agentx_header *h, const uint8_t *payload, uint8_t *response);
	/* After each try to connect: 0 or what open_socket returned. */
	void (*tried)(int result);
	void (*replied)(const struct transport_reply *reply);
};

/*
 * Makes the transport known to the library; before init_agent. `hooks` lives as long as the
 * process. Returns 0, -ENOMEM, or -EEXIST the second time.
 */
int transport_register(const struct transport_hooks *hooks);

/* The connection's descriptor; -1: there is none. */
int transport_fd(void);

/*
 * Reads when `readable`, answers the requests that are complete. Returns true when the library has
 * to be given a turn: for a Response, or because the connection has ended.
 */
bool transport_serve(bool readable);

/* Brackets the one call of snmp_read2 in which the library may learn that the connection ended. */
void transport_library_turn(bool begin);

/* Sends a Ping; none may be on its way. Its answer comes to `replied`. 0 or -EPIPE. */
int transport_ping(void);

/*
 * Sends a Notify if the socket takes it at once; its answer comes to `replied`. `octets` is what
 * agentx_write_notify began: the header is filled in here. Returns 0 and the packet number, -EAGAIN
 * (no room: nothing was sent), -ENOTCONN (no open session), or -EPIPE (the connection has ended).
 */
int transport_notify(uint8_t *octets, size_t length, uint32_t *ret_packet);

/* When the Ping was sent that is not answered yet, CLOCK_MONOTONIC ns; 0: none. */
uint64_t transport_ping_sent_ns(void);

/* When transport_serve is needed though nothing is readable, CLOCK_MONOTONIC ns; UINT64_MAX. */
uint64_t transport_deadline(void);

/* Gives the connection up. */
void transport_end(enum stream_end why);

/* Why the last connection ended; STREAM_OPEN: it has not. */
enum stream_end transport_ended(void);

/* The master has ended it, in order or not: it was no fault of what it sent or did not send. */
bool transport_ended_by_master(void);

struct transport_counts {
	uint64_t requests;	/* answered */
	uint64_t bad_pdus;	/* connections that ended with one, and PDUs of a wrong type */
	uint64_t send_timeouts; /* connections that ended since the master did not read */
};
const struct transport_counts *transport_counts(void);

#endif
