/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/event.h"

struct event_log {
	struct event_record *records; /* the oldest first */
	size_t count, capacity, limit;
	uint32_t next;
	uint64_t changes;
};

const char *event_type_word(uint32_t type)
{
	static const char *const words[EVENT_TYPES] = {
#define EVENT_TYPE(number, NAME, word, notification, subject, object) [EVENT_##NAME] = #word,
#include "model/event_type.def"
	};

	return type < EVENT_TYPES ? words[type] : NULL;
}

const char *event_type_notification(uint32_t type)
{
	static const char *const names[EVENT_TYPES] = {
#define EVENT_TYPE(number, NAME, word, notification, subject, object) \
	[EVENT_##NAME] = #notification,
#include "model/event_type.def"
	};

	return type < EVENT_TYPES ? names[type] : NULL;
}

const char *event_type_object(uint32_t type)
{
	static const char *const objects[EVENT_TYPES] = {
#define EVENT_TYPE(number, NAME, word, notification, subject, object) [EVENT_##NAME] = #object,
#include "model/event_type.def"
	};

	return type < EVENT_TYPES ? objects[type] : NULL;
}

enum event_subject event_type_subject(uint32_t type)
{
	static const uint8_t subjects[EVENT_TYPES] = {
#define EVENT_TYPE(number, NAME, word, notification, subject, object) \
	[EVENT_##NAME] = SUBJECT_##subject,
#include "model/event_type.def"
	};

	return type < EVENT_TYPES ? subjects[type] : SUBJECT_NONE;
}

struct event_log *event_log_new(size_t limit)
{
	struct event_log *log = calloc(1, sizeof(*log));

	if (!log)
		return NULL;
	log->limit = limit ? limit : 1;
	log->next = 1;
	return log;
}

void event_log_free(struct event_log *log)
{
	if (!log)
		return;
	free(log->records);
	free(log);
}

void event_log_set_limit(struct event_log *log, size_t limit)
{
	log->limit = limit ? limit : 1;
}

void event_log_begin(struct event_log *log)
{
	size_t surplus = log->count > log->limit ? log->count - log->limit : 0;

	if (!surplus)
		return;
	log->count -= surplus;
	log->changes++;
	memmove(log->records, log->records + surplus, log->count * sizeof(*log->records));
}

int event_log_restore(
	struct event_log *log, const struct event_record *records, size_t count, uint32_t next)
{
	size_t surplus = count > log->limit ? count - log->limit : 0;
	struct event_record *copies = reallocarray(log->records, count + 1, sizeof(*copies));

	if (!copies)
		return -ENOMEM;
	log->records = copies;
	log->capacity = count + 1;
	log->count = count - surplus;
	memcpy(copies, records + surplus, log->count * sizeof(*copies));
	log->next = next;
	log->changes++;
	return 0;
}

struct event_record *event_log_add(struct event_log *log, const struct event_record *record)
{
	struct event_record *added;

	if (log->count == log->capacity) {
		size_t capacity = log->capacity ? log->capacity * 2 : 16;
		struct event_record *records =
			reallocarray(log->records, capacity, sizeof(*records));

		if (!records)
			return NULL;
		log->records = records;
		log->capacity = capacity;
	}
	added = &log->records[log->count++];
	*added = *record;
	added->number = log->next;
	/* After 2^32 - 1 events, which nobody lives to see, it goes on with 1. */
	log->next = log->next == UINT32_MAX ? 1 : log->next + 1;
	log->changes++;
	return added;
}

const struct event_record *event_log_at(const struct event_log *log, size_t at)
{
	return &log->records[at];
}

size_t event_log_count(const struct event_log *log)
{
	return log->count;
}

size_t event_log_limit(const struct event_log *log)
{
	return log->limit;
}

uint32_t event_log_next(const struct event_log *log)
{
	return log->next;
}

uint64_t event_log_changes(const struct event_log *log)
{
	return log->changes;
}

static struct opt_str put_text(struct snapshot *s, const char *text)
{
	size_t length = strlen(text);
	struct opt_str field = {
		.offset = (uint32_t)s->arena_length, .length = (uint16_t)length, .known = 1
	};

	memcpy(s->arena + s->arena_length, text, length + 1);
	s->arena_length += length + 1;
	return field;
}

static void put_record(struct snapshot *s, const struct event_record *record, struct event *ret)
{
	ret->object.index = record->number;
	ret->key = put_text(s, "event");
	OPT_SET(ret->type, record->type);
	OPT_SET(ret->row_type, record->row_type);
	OPT_SET(ret->told, record->told);
	OPT_SET(ret->wall_ns, record->wall_ns);
	ret->time = (struct opt_time){ .ns = record->time_ns, .known = 1 };
	OPT_SET(ret->row_0, record->key[0]);
	OPT_SET(ret->row_1, record->key[1]);
	OPT_SET(ret->row_2, record->key[2]);
	OPT_SET(ret->row_3, record->key[3]);
	ret->subject = put_text(s, record->subject);
	ret->text = put_text(s, record->text);
}

/* Where the record of that number is; log->count when there is none. */
static size_t find_record(const struct event_log *log, uint32_t number)
{
	uint32_t back = log->next - number; /* 1: the last one, as long as there is no gap */
	size_t at = log->count;

	if (back && back <= log->count && log->records[log->count - back].number == number)
		return log->count - back;
	while (at-- > 0) {
		if (log->records[at].number == number)
			return at;
	}
	return log->count;
}

void event_log_set_told(
	struct event_log *log, struct snapshot *s, uint32_t number, enum event_told told)
{
	struct event *events = s->arrays[OBJECT_EVENT].objects;
	size_t at = find_record(log, number);

	if (at == log->count)
		return;
	log->changes += log->records[at].told != told;
	log->records[at].told = told;
	if (at < s->arrays[OBJECT_EVENT].count && events[at].object.index == number)
		OPT_SET(events[at].told, told);
}

static size_t text_room(const struct event_log *log)
{
	size_t room = log->count * sizeof("event");

	for (size_t i = 0; i < log->count; i++)
		room += strlen(log->records[i].subject) + strlen(log->records[i].text) + 2;
	return room;
}

int event_log_put(const struct event_log *log, struct snapshot *s)
{
	size_t room = text_room(log);
	struct event *events = calloc(log->count + 1, sizeof(*events));
	char *arena = events ? realloc(s->arena, s->arena_length + room + 1) : NULL;

	s->arrays[OBJECT_EVENT].count = 0;
	if (arena)
		s->arena = arena;
	if (!arena || s->arena_length + room > UINT32_MAX) {
		free(events);
		return -ENOMEM;
	}
	for (size_t i = 0; i < log->count; i++)
		put_record(s, &log->records[i], &events[i]);
	free(s->arrays[OBJECT_EVENT].objects);
	s->arrays[OBJECT_EVENT].objects = events;
	s->arrays[OBJECT_EVENT].count = (uint32_t)log->count;
	return 0;
}
