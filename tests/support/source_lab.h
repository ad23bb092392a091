/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any source over any recording, for unit tests that let things go wrong below it: polls, and what
 * they give as lines that can be compared. What is wrong in the lab itself ends the program.
 */
#ifndef TESTS_SUPPORT_SOURCE_LAB_H
#define TESTS_SUPPORT_SOURCE_LAB_H

#include "model/fragment.h"
#include "source/source.h"

/* The last poll. */
struct source_lab {
	struct source_env env;
	int units;			 /* begun in it */
	int error;			 /* of the unit, or what collect returned */
	char message[160];		 /* of a failure; else the source's note */
	const struct fragment *fragment; /* NULL after a failure; checked */
};
extern struct source_lab source_lab;

/* Opens tests/fixtures/RECORDING.tree for the source of that name, which is opened by a poll. */
void source_lab_begin(const char *source, const char *recording);
void source_lab_end(void);

/* After the last one: the recording that was open is closed. */
void source_lab_close(void);

/*
 * One poll of a minute, after opening the source if it is not open. What was allocated by the
 * source is freed with it in source_lab_end. Returns source_lab.error.
 */
int source_lab_poll(void);

/* Keeps a copy of the last fragment; and whether the last one is the same, octet for octet. */
void source_lab_keep(void);
bool source_lab_is_as_kept(void);

/*
 * Every known field of the last poll, as "kind key field value", sorted: links by the keys that
 * they lead to, those of connections, devices and paths of a map with the key of what they are
 * in. Times are of this machine and left out. Freed with source_log_free.
 */
struct source_log {
	char *text;
	const char **list;
	size_t count;
};
struct source_log source_lab_lines(void);
void source_log_free(struct source_log *lines);

/* The first line of `part` that is not in `whole` and that `excused` (may be NULL) does not take;
 * NULL when there is none. */
const char *source_log_beyond(const struct source_log *part, const struct source_log *whole,
	bool (*excused)(const char *line));

#endif
