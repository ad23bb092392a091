/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a source of iSCSI state must offer. A source is one file src/source/<name>.c (with its
 * parsers beside it) and one line in source_list.c; its reader process, its health, its options
 * and its place in the lists follow from that.
 *
 * All functions run in the reader process of the source, or in the one-shot commands; never in
 * the agent process. They may block only within the deadline. They read through env->root and
 * nothing else, write nothing, start nothing, log nothing above LOG_DEBUG (the agent logs
 * changes of a unit's health from the message given to collection_fail).
 */
#ifndef SOURCE_SOURCE_H
#define SOURCE_SOURCE_H

#include "base/root.h"
#include "base/sandbox.h"
#include "model/builder.h"

/* Settings of the sources, from the configuration. To add one: a line in source/settings.def. */
#define SOURCE_PATH_MAX	 108 /* octets with NUL: what fits in sockaddr_un */
#define SOURCE_WORD_MAX	 128 /* octets with NUL */
#define SOURCE_LINE_MAX	 320 /* octets with NUL, of an option that has lines */
#define SOURCE_LINES_MAX 64u /* lines of such an option */

/* The value of an option that has lines, in their order. */
struct source_lines {
	uint32_t count;
	char lines[SOURCE_LINES_MAX][SOURCE_LINE_MAX];
};

struct source_settings {
#define SETTING_WORD(token, field, check, dflt, help)		  char field[SOURCE_WORD_MAX];
#define SETTING_LINES(token, field, check, example, help)	  struct source_lines field;
#define SETTING_FLAG(token, field, dflt, help)			  uint32_t field; /* 0 or 1 */
#define SETTING_PATH(token, field, dflt, help)			  char field[SOURCE_PATH_MAX];
#define SETTING_NUMBER(token, field, dflt, low, high, unit, help) uint32_t field;
#include "source/settings.def"
};

struct source_env {
	struct root *root;
	const struct source_settings *settings;
	/* Polls follow one another, and what happens between them is asked for: see event_fd. */
	bool lasting;
	/* A process that the source starts enters a sandbox of its own. */
	bool sandbox;
};

/* Where a source puts what it found. Opaque to it; reader/collection.c. */
struct collection;

/*
 * Begins a unit: a part of the source that fails on its own (a tgtd, by its socket path; "" for a
 * source with one unit). `unit` at most 127 octets. Returns the builder to fill.
 */
struct builder *collection_begin(struct collection *c, const char *unit);

/*
 * A remark on the unit begun, for when its result is good: what a manager should know of its rows,
 * such as that there are objects without one, or that a capability is missing and what therefore.
 * At most 159 octets. It is shown with the unit's health and logged when it changes, so it should
 * not when only a number does. To be given in each poll in which it is so: without one there is
 * none.
 */
void collection_note(struct collection *c, const char *format, ...) PRINTF_LIKE(2, 3);

/*
 * Ends the unit with a good result. Returns 0, or the builder's error, in which case the unit
 * has been ended as failed.
 */
int collection_end(struct collection *c);

/*
 * Ends the unit as failed: its rows stay those of the last good poll until staleMax. `error` is a
 * negative errno; the message says what was tried on which object.
 */
void collection_fail(struct collection *c, int error, const char *format, ...) PRINTF_LIKE(3, 4);

struct source; /* a source's own state between polls */

struct source_ops {
	const char *name;    /* "tgt": option, log topic, health row */
	const char *summary; /* one line for --list-sources and the man page */

	/* What its reader process keeps of root's capabilities, not in effect (base/privilege.h).
	 */
	uint64_t capabilities;

	/* What its reader process does, beside reading files (SANDBOX_…, base/sandbox.h). */
	unsigned int sandbox;

	/* 1 the stack is on this machine, 0 it is not, or a negative errno. Cheap; each poll. */
	int (*detect)(const struct source_env *env);

	/* Makes the state. Returns 0 or a negative errno. `env` outlives the state. */
	int (*open)(const struct source_env *env, struct source **ret);

	/*
	 * One poll: for each unit collection_begin, fill, collection_end or collection_fail.
	 * A unit that is not begun at all no longer exists; its rows go at once.
	 * Objects that vanish while they are read are left out, the others kept. Returns 0, or a
	 * negative errno when even the list of units could not be had (all units count as failed).
	 * Must be repeatable after any failure.
	 */
	int (*collect)(struct source *s, uint64_t deadline_ns, struct collection *c);

	/* Frees the state; NULL is accepted. */
	void (*close)(struct source *s);

	/*
	 * Both or none. A descriptor that is readable when something has happened, between polls
	 * (negative: none now); asked for again before each wait. And what is to be done then, at
	 * once and without waiting: > 0 when a poll should show it soon. Also called after each
	 * poll, which may have come upon something by itself.
	 */
	int (*event_fd)(struct source *s);
	int (*event)(struct source *s);
};

/* All sources, those with instances by their numbers; ends with NULL. source_list.c. */
extern const struct source_ops *const source_list[];

/* By name; NULL when there is none. */
const struct source_ops *source_find(const char *name);

#endif
