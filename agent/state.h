/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When the index registry and the event log are loaded and saved: the agent process's side of the
 * files of index/store.h and index/event_store.h. They are read here, once, at the start; they are
 * written by the saver process (saver.h), some time after a change, so that a storm of logins is
 * one write. Nothing here waits for a disk, but for the last save, a short time.
 */
#ifndef AGENT_STATE_H
#define AGENT_STATE_H

#include "agent/config.h"
#include "index/engine_store.h"
#include "index/store.h"
#include "model/event.h"

#include <poll.h>

struct state;

/*
 * Takes stateDir and runDir for this process, before anything in them is loaded; it has them until
 * it closes the descriptors (-1: that directory cannot be used, or is the other one) or ends. Waits
 * for a process that is about to end. Returns 0, or -EBUSY: another agent has one (logged).
 */
int state_lock(const struct config *config, int ret_locks[2]);

/*
 * Loads the files into `registry` and `events` (NULL: there is no event log), which outlive the
 * state. NULL without memory.
 */
struct state *state_open(
	const struct config *config, struct registry *registry, struct event_log *events);

/*
 * Hands over what is not saved yet, waits at most `wait_ns` for the saver to have written it, and
 * frees. NULL is accepted.
 */
void state_close(struct state *s, uint64_t wait_ns);

/*
 * Of an agent of its own (-M), after state_open with an event log: the engine as it was at the last
 * start, its id_length 0 when there is none.
 */
void state_load_engine(struct state *s, struct engine *ret);

/* The engine of this start, to be saved at once; true when the disk has it. */
void state_set_engine(struct state *s, const struct engine *engine);
bool state_engine_is_saved(const struct state *s);

/* True when the run-time file told of the sessions that are there. */
bool state_known_before(const struct state *s);

/* The master's zero of sysUpTime, as saved; and a new one, to be saved. */
uint64_t state_uptime_zero(const struct state *s);
void state_set_uptime_zero(struct state *s, uint64_t uptime_zero_ns);

/* The (new) saver process: one end of its socket pair, taken over. */
void state_attach_saver(struct state *s, int fd);

/* One turn of the event loop, like agentx_prepare and agentx_dispatch. At most 1 descriptor. */
size_t state_prepare(struct state *s, struct pollfd *fds, size_t capacity, int *timeout_ms);
void state_dispatch(struct state *s, const struct pollfd *fds, size_t count);

#endif
