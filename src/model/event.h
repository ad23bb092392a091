/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events: what has happened, as rows that stay. A notification may be lost on its way (UDP); the
 * last events, with numbers that go up by one, can be read at any time.
 *
 * The log keeps the newest ones, in the agent process. Each snapshot has a copy of it
 * (OBJECT_EVENT), so that a walk sees one state of it, and no row changes under a request.
 */
#ifndef MODEL_EVENT_H
#define MODEL_EVENT_H

#include "model/snapshot.h"

enum event_type {
	EVENT_NONE,
#define EVENT_TYPE(number, NAME, word, notification, subject, object) EVENT_##NAME = (number),
#include "model/event_type.def"
	EVENT_TYPES
};
_Static_assert(EVENT_TYPES <= 32, "a set of types is a number of 32 bits");

/* What an event says something of. */
enum event_subject {
	SUBJECT_NONE,
	SUBJECT_TARGET_LOGIN,
	SUBJECT_INITIATOR_LOGIN,
	SUBJECT_INSTANCE_SESSIONS,
	SUBJECT_PATH_STATUS,
	SUBJECT_PATH_PRIMARY,
	SUBJECT_MAP_STATUS,
	SUBJECT_SESSION_HEALTH,
	SUBJECT_TARGET_SESSIONS,
	SUBJECT_SOURCE_STATE,
	SUBJECT_FLAPPING,
	SUBJECT_AGENT,
};

/* What was decided about its notification: IscsiToldState of ISCSI-PATH-MIB. */
enum event_told {
	TOLD_SENT = 1, /* given to the master, or waits for it */
	TOLD_HELD, /* held back by the limit; itself or a newer one of its subject is sent later */
	TOLD_FLAPPING, /* its subject flaps: the last state is sent when that is over */
	TOLD_OFF,      /* the configuration leaves this type out, or it has no notification */
};

/* "pathDown"; NULL for a number that is no type. */
const char *event_type_word(uint32_t type);

/* "iscsiPathDown", "" for a type without one; NULL for a number that is no type. */
const char *event_type_notification(uint32_t type);

/* "iscsiPathStatus", "" for a type that has no row; NULL for a number that is no type. */
const char *event_type_object(uint32_t type);

/* SUBJECT_NONE for a number that is no type. */
enum event_subject event_type_subject(uint32_t type);

#define EVENT_KEY_MAX  4u
#define EVENT_TEXT_MAX 255u /* octets */

struct event_record {
	uint32_t number;   /* 1, 2, …; given by the log */
	uint32_t type;	   /* enum event_type */
	uint32_t told;	   /* enum event_told */
	uint32_t row_type; /* the type whose object's row it is about; its own but for FLAPPING.
			      EVENT_NONE: the row's index is not valid any more */
	uint64_t wall_ns;  /* when it happened: since 1970, by the clock as it was set then */
	uint64_t time_ns;  /* the same as CLOCK_MONOTONIC; 0: in an earlier boot */
	uint32_t key[EVENT_KEY_MAX];	  /* index of the row that it is about, zeros behind it */
	char subject[EVENT_TEXT_MAX + 1]; /* what it is about, in words; SnmpAdminString */
	char text[EVENT_TEXT_MAX + 1];	  /* what happened, likewise */
};

struct event_log;

/* Records that a log can be told to keep. */
#define EVENT_LIMIT_MAX 10000u

/* Keeps `limit` records, at least 1. NULL without memory. */
struct event_log *event_log_new(size_t limit);
void event_log_free(struct event_log *log);
void event_log_set_limit(struct event_log *log, size_t limit);

/*
 * Begins a round: forgets the oldest records beyond the limit. Within a round there may be more,
 * so that each event of it can be seen in one snapshot.
 */
void event_log_begin(struct event_log *log);

/*
 * Adds a copy with the next number; returns the record, valid until the next call that adds or
 * begins, or NULL without memory.
 */
struct event_record *event_log_add(struct event_log *log, const struct event_record *record);

/* Record `at` from 0, the oldest, on; valid as above. */
const struct event_record *event_log_at(const struct event_log *log, size_t at);
size_t event_log_count(const struct event_log *log);

/* The records that it is to keep at most. */
size_t event_log_limit(const struct event_log *log);

/* The number that the next record will have. */
uint32_t event_log_next(const struct event_log *log);

/* Changes whenever a record does, or is added or forgotten: to know what is saved. */
uint64_t event_log_changes(const struct event_log *log);

/*
 * Puts copies of records into a log that has none: those of an earlier process, the oldest first,
 * with the numbers that they had; of more than the limit the newest. `next` is above all of them.
 * Returns 0 or -ENOMEM (then the log is as before).
 */
int event_log_restore(
	struct event_log *log, const struct event_record *records, size_t count, uint32_t next);

/* Says how the event of that number was told, in the log and in the snapshot that it was put to. */
void event_log_set_told(
	struct event_log *log, struct snapshot *s, uint32_t number, enum event_told told);

/*
 * Puts the records into a snapshot that nobody has seen yet, in place of those that are there.
 * Returns 0 or -ENOMEM (then it has none).
 */
int event_log_put(const struct event_log *log, struct snapshot *s);

#endif
