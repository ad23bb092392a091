/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The event log on disk: <state dir>/events, so that what has happened can be read after a restart
 * of the agent or of the host, and no number is given to two events. Text like that of the index
 * files (store_text.h), written by the same process in the same way:
 *
 *   iscsi-agentx-events 1            format version
 *   boot 01234567-89ab-…             boot_id of the writer
 *   next NUMBER                      the first number that is certainly not used
 *   count EVENTS                     how many lines follow
 *   NUMBER TYPE TOLD ROW WALL TIME KEY KEY KEY KEY =SUBJECT =TEXT
 *   end CHECKSUM
 *
 * TYPE and ROW (whose object's row it is about) are words of event_type.def, ROW is - when the row
 * is not known any more; TOLD as in event.h; WALL ns since 1970, TIME ns of CLOCK_MONOTONIC, 0 when
 * it was in another boot; SUBJECT and TEXT as a KEY of the index files. Numbers go up.
 *
 * A file that is not of this form, or cut, or damaged, is set aside as events.bad and logged; the
 * table then begins anew, with number 1. An event of a type that this program has not is left out.
 */
#ifndef INDEX_EVENT_STORE_H
#define INDEX_EVENT_STORE_H

#include "index/store_disk.h"
#include "model/event.h"

extern const struct store_names event_store_names;

/* Octets of the longest file: EVENT_LIMIT_MAX events with two texts each, all octets as %XX. */
#define EVENT_STORE_MAX (EVENT_LIMIT_MAX * (2 * 3 * EVENT_TEXT_MAX + 256u) + 256u)

/*
 * Loads the file into a log without records. Events of another boot lose their TIME, and those of
 * sessions their row: numbers of sessions begin anew with each boot. Returns 0 (also without a
 * file), or what store_load returns.
 */
int event_store_load(struct event_log *log, const char *directory, const char *boot_id);

/* The same for a command that only looks, as store_peek. */
int event_store_peek(struct event_log *log, const char *directory, const char *boot_id);

/* As event_store_load, from memory. Returns as store_parse; on failure the log is as before. */
int event_store_parse(struct event_log *log, const char *text, size_t length, const char *boot_id,
	char reason[STORE_REASON]);

/*
 * The content of the file: the newest events, as many as the log is to keep. `next`: not below
 * event_log_next(). Returns as store_format.
 */
int event_store_format(const struct event_log *log, const char *boot_id, uint32_t next,
	store_sink_fn *sink, void *context);

#endif
