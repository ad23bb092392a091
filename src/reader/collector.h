/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The agent's side of the readers: asks each for a poll when it is due, waits no longer than the
 * deadline, checks what comes and puts it into the table of units. One request in flight for each
 * reader, the next one sooner than usual when the reader hints that something has happened; a
 * reader that does not answer is reported stuck, and the parent ends it. While a source has no
 * reader its polls fail as they are due, so that its rows do not look fresh.
 *
 * Agent process, its one thread, driven by its poll loop. Never blocks.
 */
#ifndef READER_COLLECTOR_H
#define READER_COLLECTOR_H

#include "reader/units.h"

#include <poll.h>

struct collector;

struct collector_settings {
	uint64_t poll_interval_ns;
	uint64_t poll_timeout_ns; /* what a poll may take */
	/*
	 * The reader of a source has not answered in time, or has sent what no reader sends: it is
	 * to be ended and a new one started (collector_attach). `source` as given to collector_add.
	 */
	void (*reader_failed)(void *context, int source);
	void *context;
};

/* `units` outlives the collector. NULL without memory. */
struct collector *collector_new(const struct collector_settings *settings, struct units *units);
void collector_free(struct collector *c);

/* New intervals from now on (SIGHUP). */
void collector_configure(struct collector *c, const struct collector_settings *settings);

/*
 * Adds a source, without a reader yet: one has the time of a poll to come. Returns its number from
 * 0, or -ENOMEM.
 */
int collector_add(struct collector *c, const char *name);

/* Gives a source its (new) reader: one end of the socket pair, taken over and made non-blocking. */
void collector_attach(struct collector *c, int source, int fd);

/* True while no reader is asked for anything. */
bool collector_is_settled(const struct collector *c);

/* One turn of the event loop, like agentx_prepare and agentx_dispatch. */
size_t collector_prepare(struct collector *c, struct pollfd *fds, size_t capacity, int *timeout_ms);
void collector_dispatch(struct collector *c, const struct pollfd *fds, size_t count);

#endif
