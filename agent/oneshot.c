/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/oneshot.h"

#include "agent/mib.h"
#include "agent/mib_walk.h"
#include "base/boot.h"
#include "base/clock.h"
#include "base/log.h"
#include "index/event_store.h"
#include "model/dump.h"
#include "model/prom.h"
#include "reader/once.h"
#include "source/source_select.h"

struct oneshot {
	const struct oneshot_settings *settings;
	struct root *root;
	struct units *units;
	struct registry *registry;
	struct event_log *events;
	struct store_run run;
	bool known_before;
	struct snapshot *snapshot;
	uint64_t started_ns;
};

/*
 * The numbers that the daemon has given: a walk by hand shows the rows under the same index. And
 * the events that it has seen, until a few seconds ago.
 */
static void load_saved(struct oneshot *o)
{
	const struct config *config = &o->settings->config;
	char boot_id[BOOT_ID_LENGTH + 1];
	bool loaded = false;

	if (!root_is_live(o->root))
		return;
	boot_id_read(boot_id);
	store_peek(o->registry, config->state_dir, true, boot_id, NULL, &loaded);
	loaded = false;
	store_peek(o->registry, config->run_dir, false, boot_id, &o->run, &loaded);
	o->known_before = loaded;
	event_store_peek(o->events, config->state_dir, boot_id);
}

static int poll_once(struct oneshot *o)
{
	const struct config *config = &o->settings->config;
	struct source_env env = { .root = o->root, .settings = &config->sources };
	const struct source_ops *sources[SOURCES_MAX + 1];
	CLEANUP_FREE struct snapshot_input *inputs = NULL;
	CLEANUP_FREE struct path_rules *rules = NULL;
	int rc;

	source_select(config->source_names, sources);
	rc = once_poll(sources, &env, config->poll_timeout * NS_PER_S, o->units);
	if (rc < 0)
		return rc;
	rc = units_add_disabled(o->units, sources);
	if (rc < 0)
		return rc;
	rc = units_inputs(o->units, o->known_before, &inputs);
	if (rc < 0)
		return rc;
	rules = malloc(sizeof(*rules));
	if (!rules)
		return -ENOMEM;
	config_path_rules(config, rules);
	rc = snapshot_build(
		inputs, (uint32_t)rc, o->registry, rules, 1, clock_now_ns(), &o->snapshot);
	if (rc < 0)
		return rc;
	snapshot_set_agent(o->snapshot, &(struct agent_facts){ .started_ns = o->started_ns });
	return event_log_put(o->events, o->snapshot);
}

/* A numeric OID, with or without a leading dot. Returns its length, or -EINVAL. */
static int parse_oid(const char *text, mib_oid ids[MIB_OID_MAX])
{
	int n = 0;

	text += *text == '.';
	for (;;) {
		size_t length = strspn(text, "0123456789");
		char part[16];
		uint32_t id;

		if (n == MIB_OID_MAX || length == 0 || length >= sizeof(part))
			return -EINVAL;
		memcpy(part, text, length);
		part[length] = '\0';
		if (text_to_u32(part, UINT32_MAX, &id) < 0)
			return -EINVAL;
		ids[n++] = id;
		text += length;
		if (*text == '\0')
			return n;
		if (*text++ != '.')
			return -EINVAL;
	}
}

/* The OID of a module, table or column by its name. Returns its length or -ENOENT. */
static int find_name(const struct mib_module *module, const char *text, mib_oid ids[MIB_OID_MAX])
{
	const struct mib_table *table = NULL;
	const struct mib_column *column = mib_find_column(module, text, &table);
	int n;

	if (!column)
		table = mib_find_table(module, text);
	if (!table && strcmp(module->name, text) != 0)
		return -ENOENT;
	n = module->root_length;
	memcpy(ids, module->root, module->root_length * sizeof(ids[0]));
	for (int i = 0; table && i < table->path_length; i++)
		ids[n++] = table->path[i];
	if (column)
		ids[n++] = column->sub_id;
	return n;
}

/* What --walk names. Returns the length of its OID, or -EINVAL (logged). */
static int find_start(const char *text, mib_oid ids[MIB_OID_MAX])
{
	int n = -ENOENT;

	if (!text)
		return 0;
	for (size_t i = 0; mib_modules[i] && n < 0; i++)
		n = find_name(mib_modules[i], text, ids);
	if (n < 0)
		n = parse_oid(text, ids);
	if (n < 0)
		log_error("--walk: %s is neither an OID in numbers nor a module, table or object",
			text);
	return n;
}

static int walk_module(
	struct oneshot *o, const struct mib_module *module, const mib_oid *from, size_t length)
{
	struct mib_view *view;
	int rc = mib_view_new(module, o->snapshot, &view);

	if (rc < 0)
		return rc;
	mib_view_set_uptime_zero(view, o->run.uptime_zero_ns);
	rc = mib_walk(view, from, length, stdout);
	mib_view_free(view);
	return rc;
}

static int walk(struct oneshot *o)
{
	mib_oid from[MIB_OID_MAX];
	int length = find_start(o->settings->argument, from), rc = length;

	for (size_t i = 0; mib_modules[i] && rc >= 0; i++)
		rc = walk_module(o, mib_modules[i], from, (size_t)length);
	return rc;
}

static int summarize(const struct snapshot *s)
{
	int rc = 0;

	for (uint32_t i = 0; i < s->unit_count; i++) {
		const struct source_status *u = &s->units[i];

		printf("%s%s%s: %s%s%s%s%s\n", u->source, u->unit[0] ? " " : "", u->unit,
			source_state_name(u->state), u->message[0] ? ", " : "", u->message,
			u->note[0] ? ", " : "", u->note);
		if (u->state == SOURCE_FAILING)
			rc = -EIO;
	}
	for (enum object_kind k = 0; k < OBJECT_KINDS; k++)
		printf("%ss: %u\n", object_info(k)->name, snapshot_count(s, k));
	return rc;
}

static int run_command(struct oneshot *o)
{
	int rc;

	if (o->settings->command == ONESHOT_RECORD) {
		rc = root_record_start(o->root);
		if (rc < 0)
			return rc;
	}
	load_saved(o);
	rc = poll_once(o);
	if (rc < 0)
		return rc;
	switch (o->settings->command) {
	case ONESHOT_ONCE:
		return summarize(o->snapshot);
	case ONESHOT_DUMP_TEXT:
		return dump_snapshot(o->snapshot, DUMP_TEXT, clock_now_ns(), stdout);
	case ONESHOT_DUMP_JSON:
		return dump_snapshot(o->snapshot, DUMP_JSON, clock_now_ns(), stdout);
	case ONESHOT_DUMP_PROM:
		return prom_dump(o->snapshot, clock_now_ns(), stdout);
	case ONESHOT_WALK:
		return walk(o);
	case ONESHOT_RECORD:
		rc = root_record_save(o->root, o->settings->argument);
		if (rc < 0)
			log_error("--record: cannot write %s: %s", o->settings->argument,
				strerror(-rc));
		return rc;
	case ONESHOT_NONE:
		break;
	}
	return -EINVAL;
}

int oneshot_run(const struct oneshot_settings *settings)
{
	struct oneshot o = { .settings = settings, .started_ns = clock_now_ns() };
	int rc = root_open(settings->root, &o.root);

	if (rc < 0) {
		log_error("--root %s cannot be read: %s", settings->root ? settings->root : "/",
			strerror(-rc));
		return EXIT_FAILURE;
	}
	o.units = units_new(settings->config.stale_max * NS_PER_S);
	o.registry = registry_new();
	o.events = event_log_new(settings->config.event_table_size);
	rc = o.units && o.registry && o.events ? run_command(&o) : -ENOMEM;
	if (rc == -ENOMEM)
		log_error("no memory");
	if (fflush(stdout) != 0 || ferror(stdout)) {
		log_error("cannot write the output");
		rc = -EIO;
	}
	snapshot_put(o.snapshot);
	units_free(o.units);
	registry_free(o.registry);
	event_log_free(o.events);
	root_close(o.root);
	return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
