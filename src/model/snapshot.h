/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole state at one moment, sealed: what every request is answered from. Made in the agent
 * process from the last good fragment of each source unit; immutable after snapshot_build;
 * reference-counted (one thread, so the count is a plain number) and freed in one call.
 */
#ifndef MODEL_SNAPSHOT_H
#define MODEL_SNAPSHOT_H

#include "model/fragment.h"

struct registry;
struct path_rules;

enum source_state {
	SOURCE_ABSENT = 1, /* the stack is not on this machine */
	SOURCE_STARTING,   /* no answer yet */
	SOURCE_OK,
	SOURCE_FAILING,	 /* the last poll failed; rows are those of the last good one */
	SOURCE_STALE,	 /* failing for longer than staleMax; its rows are gone */
	SOURCE_DISABLED, /* left out by the configuration */
};

/* The health of one source unit, a row of the private MIB's source table. */
struct source_status {
	char source[16]; /* name of the source: "tgt" */
	char unit[128];	 /* "" or the unit within it: "/var/run/tgtd/socket.0" */
	enum source_state state;
	int last_error;		  /* negative errno of the last failure, 0 none yet */
	char message[160];	  /* the last failure in words, "" none */
	char note[160];		  /* a remark on the rows of the last good poll, "" none */
	uint64_t last_good_ns;	  /* CLOCK_MONOTONIC; 0 never */
	uint64_t polls, failures; /* since the agent's start */
	uint64_t wall_ns, cpu_ns; /* of the last poll, in the reader */
	uint32_t restarts;	  /* of its reader process */
	bool has_rows;		  /* in a snapshot: the rows of its last good poll are in it */
};

/* Of a unit of a snapshot: whether it has its rows, be they of now or of the last good poll. */
static inline bool source_has_rows(const struct source_status *u)
{
	return u->state == SOURCE_OK || (u->state == SOURCE_FAILING && u->has_rows);
}

struct snapshot {
	uint32_t references;
	uint64_t generation;   /* 1, 2, … in the life of the agent process */
	uint64_t made_ns;      /* CLOCK_MONOTONIC */
	uint64_t wall_zero_ns; /* clock_wall_zero_ns() then, for all dates in it */
	struct {
		void *objects;
		uint32_t count;
	} arrays[OBJECT_KINDS];
	char *arena;
	size_t arena_length;
	struct source_status *units;
	uint32_t unit_count;
};

/* One source unit that goes into a snapshot: its health and its last good fragment or NULL. */
struct snapshot_input {
	const struct source_status *status;
	const struct fragment *fragment; /* checked; of a sealed one only the head is here … */
	bool is_sealed;			 /* … and what follows it is in a sealed memfd: */
	int memfd;
	/*
	 * The unit was never seen before, by this process or in the saved state: the beginning of
	 * what is there already is unknown, and its discontinuity times are 0.
	 */
	bool first;
};

/*
 * Merges the fragments, gives every object its number (registry), fills the counts of the
 * instances and the times that only the agent knows (ledger.h), joins the paths with what
 * multipathd says of them and with `rules` (path_join.h; NULL none), and adds the objects that the
 * agent makes itself (own.h). An object without a number has no row: of two instances with one
 * number, or two objects with one key under one parent, the later one; and every object when the
 * registry is full. Each such case is logged once per snapshot. Returns 0, -ENOMEM, or what
 * memfd_read says; the registry may have given numbers then, and a repeat gives the same.
 */
int snapshot_build(const struct snapshot_input *inputs, uint32_t count, struct registry *registry,
	const struct path_rules *rules, uint64_t generation, uint64_t now_ns,
	struct snapshot **ret);

/* What the agent process knows of itself. For a snapshot that nobody has seen yet. */
struct agent_facts {
	uint64_t started_ns; /* CLOCK_MONOTONIC, when it began */
	/* Notifications, since then; notify.h. */
	uint64_t notify_sent, notify_suppressed, notify_dropped;
	uint32_t notify_waiting;
};
void snapshot_set_agent(struct snapshot *s, const struct agent_facts *facts);

/* One more user; returns its argument. */
struct snapshot *snapshot_get(struct snapshot *s);

/* One user less; the last one frees. NULL is accepted. */
void snapshot_put(struct snapshot *s);

#define OBJECT(kind, type)                                                            \
	static inline const struct type *snapshot_##type##s(const struct snapshot *s) \
	{                                                                             \
		return s->arrays[OBJECT_##kind].objects;                              \
	}
#include "model/model.def"

static inline uint32_t snapshot_count(const struct snapshot *s, enum object_kind kind)
{
	return s->arrays[kind].count;
}

/* The text of a known field. */
static inline const char *snapshot_text(const struct snapshot *s, const struct opt_str *field)
{
	return s->arena + field->offset;
}

#endif
