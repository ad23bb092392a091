/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Saves and loads the files of the state directory for test_store_torn.py, which makes its system
 * calls fail.
 *
 *   store_save save index|index.run|events DIR GENERATION
 *     saves what carries the generation in all its parts
 *   store_save load index|index.run|events DIR
 *     prints the generation of what it loads, "none" or "mixed"
 *
 * Prints the error of store_save or store_load and exits with 1 when there is one.
 */
#include "base/buf.h"
#include "index/event_store.h"

#include <inttypes.h>

#define BOOT	"01234567-89ab-cdef-0123-456789abcdef"
#define ENTRIES 3000u /* enough for several writes */

static int report(int rc)
{
	if (rc == 0)
		return 0;
	printf("%s\n", strerrorname_np(-rc));
	return 1;
}

/* The file of the state directory, or that of the run directory. */
static int save_index(const char *directory, const char *generation, bool persistent)
{
	enum index_kind kind = persistent ? INDEX_NODE : INDEX_SESSION;
	struct registry *r = registry_new();
	int rc = r ? 0 : -ENOMEM;

	for (uint32_t i = 0; rc == 0 && i < ENTRIES; i++) {
		struct registry_entry *e;
		char key[128];

		snprintf(key, sizeof(key), "%s:iqn.2001-05.com.example:disk.%" PRIu32, generation,
			i);
		rc = registry_number(r, kind, 1, key, strlen(key), 1, &e, NULL);
	}
	if (rc == 0)
		rc = store_save(r, directory, persistent, BOOT, NULL);
	registry_free(r);
	return report(rc);
}

/* The part of the key before the colon, when all entries have the same one and none is missing. */
static void print_generation(const struct registry *r, enum index_kind kind)
{
	const struct registry_entry *first = registry_entries(r, NULL), *e = NULL;
	const char *colon = first ? strchr(first->key, ':') : NULL;
	bool mixed = registry_count(r, kind) != ENTRIES || !colon;

	while (!mixed && (e = registry_entries(r, e)))
		mixed = strncmp(e->key, first->key, (size_t)(colon - first->key) + 1) != 0;
	if (mixed)
		puts("mixed");
	else
		printf("%.*s\n", (int)(colon - first->key), first->key);
}

static int load_index(const char *directory, bool persistent)
{
	struct registry *r = registry_new();
	bool loaded = false;
	int rc = r ? store_load(r, directory, persistent, BOOT, NULL, &loaded) : -ENOMEM;

	if (rc == 0 && !loaded)
		puts("none");
	else if (rc == 0)
		print_generation(r, persistent ? INDEX_NODE : INDEX_SESSION);
	registry_free(r);
	return report(rc);
}

#define EVENTS 1000u

static int append(void *context, const char *text, size_t length)
{
	return buf_append(context, text, length);
}

/* As the saver process does it: the text is there before. */
static int save_events(const char *directory, const char *generation)
{
	struct event_log *log = event_log_new(EVENTS);
	struct buf text = BUF_INIT(EVENT_STORE_MAX);
	struct event_record record = {
		.type = EVENT_PATH_UP, .row_type = EVENT_PATH_UP, .told = TOLD_SENT
	};
	int rc = log ? 0 : -ENOMEM;

	snprintf(record.subject, sizeof(record.subject), "%s", generation);
	for (uint32_t i = 0; rc == 0 && i < EVENTS; i++)
		rc = event_log_add(log, &record) ? 0 : -ENOMEM;
	if (rc == 0)
		rc = event_store_format(log, BOOT, event_log_next(log), append, &text);
	if (rc == 0)
		rc = store_replace(directory, STORE_EVENTS, text.data, text.length);
	buf_free(&text);
	event_log_free(log);
	return report(rc);
}

static void print_events(const struct event_log *log)
{
	const struct event_record *first = event_log_count(log) ? event_log_at(log, 0) : NULL;
	bool mixed = event_log_count(log) != EVENTS;

	if (!first) {
		puts("none");
		return;
	}
	for (size_t i = 0; !mixed && i < EVENTS; i++)
		mixed = strcmp(event_log_at(log, i)->subject, first->subject) != 0;
	puts(mixed ? "mixed" : first->subject);
}

static int load_events(const char *directory)
{
	struct event_log *log = event_log_new(EVENTS);
	int rc = log ? event_store_load(log, directory, BOOT) : -ENOMEM;

	if (rc == 0)
		print_events(log);
	event_log_free(log);
	return report(rc);
}

int main(int argc, char **argv)
{
	bool saves = argc == 5 && !strcmp(argv[1], "save");
	bool loads = argc == 4 && !strcmp(argv[1], "load");
	const char *file = saves || loads ? argv[2] : "";

	if (!strcmp(file, "events"))
		return saves ? save_events(argv[3], argv[4]) : load_events(argv[3]);
	if (!strcmp(file, "index") || !strcmp(file, "index.run"))
		return saves ? save_index(argv[3], argv[4], !strcmp(file, "index"))
			     : load_index(argv[3], !strcmp(file, "index"));
	fprintf(stderr,
		"usage: %s save index|index.run|events DIR GENERATION | load index|index.run|events DIR\n",
		argv[0]);
	return 2;
}
