/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/ledger_lab.h"

#include "base/buf.h"
#include "index/store.h"

#define INSTANCE_KEY	"stack"
#define INSTANCE_NUMBER 1u
#define KEEP_ROUNDS	3u

static const char *const boots[] = { "01234567-89ab-cdef-0123-456789abcdef",
	"fedcba98-7654-3210-fedc-ba9876543210" };

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "ledger_lab: %s\n", what);
	abort();
}

void ledger_lab_open(struct ledger_lab *lab)
{
	*lab = (struct ledger_lab){
		.registry = registry_new(), .builder = builder_new(), .now_ns = 1000
	};
	check(lab->registry && lab->builder, "no memory");
}

void ledger_lab_close(struct ledger_lab *lab)
{
	snapshot_put(lab->shown);
	builder_free(lab->builder);
	registry_free(lab->registry);
}

struct instance *ledger_lab_begin(struct ledger_lab *lab, const char *epoch)
{
	struct instance *instance;

	builder_reset(lab->builder);
	instance = builder_instance(lab->builder, NULL);
	builder_text(lab->builder, &instance->key, INSTANCE_KEY);
	OPT_SET(instance->number, INSTANCE_NUMBER);
	if (epoch)
		builder_text(lab->builder, &instance->event_epoch, epoch);
	return instance;
}

struct node *ledger_lab_node(struct ledger_lab *lab, const char *key)
{
	struct node *node = builder_node(lab->builder, NULL);

	node->instance = 0;
	builder_text(lab->builder, &node->key, key);
	return node;
}

struct session *ledger_lab_session(struct ledger_lab *lab, const char *key)
{
	struct session *session;

	if (!builder_count(lab->builder, OBJECT_NODE))
		ledger_lab_node(lab, "node");
	session = builder_session(lab->builder, NULL);
	session->instance = session->node = 0;
	builder_text(lab->builder, &session->key, key);
	return session;
}

struct path *ledger_lab_path(struct ledger_lab *lab, const char *key)
{
	struct path *path = builder_path(lab->builder, NULL);

	path->instance = 0;
	builder_text(lab->builder, &path->key, key);
	return path;
}

struct fragment *ledger_lab_seal(struct ledger_lab *lab)
{
	struct fragment *f = NULL;
	char reason[128] = "";
	size_t length = 0;

	check(builder_seal(lab->builder, &f, &length) == 0, "the fragment cannot be made");
	check(fragment_check(f, length, reason) == 0, reason);
	return f;
}

int ledger_lab_try(struct ledger_lab *lab, const struct fragment *fragment)
{
	struct source_status status = { .source = "lab", .state = SOURCE_OK };
	struct snapshot_input input = { .status = &status, .fragment = fragment };
	struct snapshot *s = NULL;
	int rc;

	lab->now_ns += 100;
	rc = snapshot_build(&input, 1, lab->registry, NULL, 1, lab->now_ns, &s);
	if (rc < 0)
		return rc;
	snapshot_put(lab->shown);
	lab->shown = s;
	registry_sweep(lab->registry, KEEP_ROUNDS);
	return 0;
}

void ledger_lab_end(struct ledger_lab *lab)
{
	struct fragment *f = ledger_lab_seal(lab);

	check(ledger_lab_try(lab, f) == 0, "the snapshot cannot be made");
	free(f);
}

const struct instance *ledger_lab_shown(const struct ledger_lab *lab)
{
	return snapshot_instances(lab->shown);
}

const char *ledger_lab_text(const struct ledger_lab *lab, const struct opt_str *field)
{
	return field->known ? snapshot_text(lab->shown, field) : "-";
}

const struct node *ledger_lab_shown_node(const struct ledger_lab *lab, const char *key)
{
	const struct node *nodes = snapshot_nodes(lab->shown);
	uint32_t count = snapshot_count(lab->shown, OBJECT_NODE), i = 0;

	while (i < count && strcmp(ledger_lab_text(lab, &nodes[i].key), key) != 0)
		i++;
	check(i < count, "no such node");
	return &nodes[i];
}

const struct session *ledger_lab_shown_session(const struct ledger_lab *lab, const char *key)
{
	const struct session *sessions = snapshot_sessions(lab->shown);
	uint32_t count = snapshot_count(lab->shown, OBJECT_SESSION), i = 0;

	while (i < count && strcmp(ledger_lab_text(lab, &sessions[i].key), key) != 0)
		i++;
	check(i < count, "no such session");
	return &sessions[i];
}

const struct path *ledger_lab_shown_path(const struct ledger_lab *lab, const char *key)
{
	const struct path *paths = snapshot_paths(lab->shown);
	uint32_t count = snapshot_count(lab->shown, OBJECT_PATH), i = 0;

	while (i < count && strcmp(ledger_lab_text(lab, &paths[i].key), key) != 0)
		i++;
	check(i < count, "no such path");
	return &paths[i];
}

static int append(void *context, const char *data, size_t length)
{
	return buf_append(context, data, length);
}

void ledger_lab_restart(struct ledger_lab *lab, bool run, bool reboot)
{
	struct registry *r = registry_new();
	char reason[STORE_REASON] = "";
	bool loaded = false;

	check(r != NULL, "no memory");
	for (int persistent = 1; persistent >= (run ? 0 : 1); persistent--) {
		CLEANUP_BUF struct buf text = BUF_INIT(STORE_FILE_MAX);

		check(store_format(lab->registry, persistent, boots[0], NULL, append, &text) == 0,
			"the file cannot be made");
		check(store_parse(r, text.data, text.length, persistent, boots[reboot], NULL,
			      &loaded, reason) == 0,
			reason);
	}
	registry_free(lab->registry);
	lab->registry = r;
}

const struct registry_entry *ledger_lab_entry(
	const struct ledger_lab *lab, enum index_kind kind, const char *key)
{
	return registry_find(lab->registry, kind, INSTANCE_NUMBER, key, strlen(key));
}
