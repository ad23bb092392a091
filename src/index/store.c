/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files of the registry (store.h). What is in them: store_parse.c, store_write.c; what is done
 * with files as such: store_disk.c. Agent process, and the saver process for store_replace.
 */
#include "index/store.h"

#include "index/engine_store.h"
#include "index/event_store.h"
#include "index/store_disk.h"

static const struct store_names state_names = { "index", "index.tmp", "index.bad",
	"rows may get other index numbers than before", STORE_FILE_MAX };
static const struct store_names run_names = { "index.run", "index.run.tmp", "index.run.bad",
	"sessions and connections may get other index numbers than before", STORE_FILE_MAX };

static const struct store_names *names_of(bool persistent)
{
	return persistent ? &state_names : &run_names;
}

/* Where the content of a file goes. */
struct target {
	struct registry *registry;
	bool persistent;
	const char *boot_id;
	struct store_run *run;
	bool *ret_loaded;
};

static int take(void *context, const char *text, size_t length, char reason[STORE_REASON])
{
	const struct target *t = context;

	return store_parse(t->registry, text, length, t->persistent, t->boot_id, t->run,
		t->ret_loaded, reason);
}

static int load(const char *directory, bool peek, struct target *t)
{
	int rc = store_disk_load(names_of(t->persistent), directory, peek, take, t);

	if (rc != -ENOENT)
		return rc;
	*t->ret_loaded = false;
	return 0;
}

int store_load(struct registry *r, const char *directory, bool persistent, const char *boot_id,
	struct store_run *run, bool *ret_loaded)
{
	struct target t = { r, persistent, boot_id, run, ret_loaded };

	return load(directory, false, &t);
}

int store_peek(struct registry *r, const char *directory, bool persistent, const char *boot_id,
	struct store_run *run, bool *ret_loaded)
{
	struct target t = { r, persistent, boot_id, run, ret_loaded };

	return load(directory, true, &t);
}

/* What a new file is made of: a registry, or text that was made before. */
struct content {
	const struct registry *registry;
	bool persistent;
	const char *boot_id;
	const struct store_run *run;
	const char *text; /* not NULL: instead of the above */
	size_t length;
};

static int write_content(void *context, int fd)
{
	const struct content *c = context;

	if (c->text)
		return store_disk_write(&fd, c->text, c->length);
	return store_format(c->registry, c->persistent, c->boot_id, c->run, store_disk_write, &fd);
}

int store_save(const struct registry *r, const char *directory, bool persistent,
	const char *boot_id, const struct store_run *run)
{
	struct content content = {
		.registry = r, .persistent = persistent, .boot_id = boot_id, .run = run
	};

	return store_disk_replace(names_of(persistent), directory, write_content, &content);
}

static const struct store_names *const all_names[STORE_FILES] = {
	[STORE_STATE] = &state_names,
	[STORE_RUN] = &run_names,
	[STORE_EVENTS] = &event_store_names,
	[STORE_ENGINE] = &engine_store_names,
};

bool store_is_own_name(const char *name)
{
	for (size_t i = 0; i < STORE_FILES; i++) {
		if (strcmp(name, all_names[i]->file) == 0 ||
			strcmp(name, all_names[i]->temporary) == 0 ||
			strcmp(name, all_names[i]->bad) == 0)
			return true;
	}
	return false;
}

int store_replace(const char *directory, enum store_file file, const char *text, size_t length)
{
	struct content content = { .text = text, .length = length };

	if (file >= STORE_FILES)
		return -EINVAL;
	return store_disk_replace(all_names[file], directory, write_content, &content);
}
