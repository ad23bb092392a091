/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/open_iscsi_lab.h"

#include "base/clock.h"
#include "reader/collection.h"
#include "tests/support/tree_set.h"

extern const struct source_ops open_iscsi_source;

struct lab_result lab_result;

static struct root *root;
static struct source *source;
static struct collection *collection;
static struct source_env env;
static struct source_settings settings = {
	.open_iscsi_config = "/etc/iscsi",
	.open_iscsi_records = "/var/lib/iscsi",
};

static void must(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "open_iscsi_lab: %s\n", what);
	abort();
}

static void forget(void)
{
	free((void *)(uintptr_t)lab_result.fragment);
	memset(&lab_result, 0, sizeof(lab_result));
}

static void take(void *context, const struct unit_result *result)
{
	char reason[128];

	(void)context;
	lab_result.units++;
	lab_result.error = result->error;
	snprintf(lab_result.message, sizeof(lab_result.message), "%s", result->message);
	lab_result.fragment = result->fragment;
	if (result->fragment && fragment_check(result->fragment, result->length, reason) < 0)
		must(false, reason);
}

void lab_begin(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "tests/fixtures/open-iscsi/%s.tree", name);
	must(root_open(path, &root) == 0, path);
	env = (struct source_env){ .root = root, .settings = &settings };
	settings.open_iscsi_statistics = 0;
	settings.open_iscsi_devices = 0;
	collection = collection_new(take, NULL);
	must(collection != NULL, "no memory");
	must(open_iscsi_source.open(&env, &source) == 0, "open");
}

void lab_end(void)
{
	forget();
	open_iscsi_source.close(source);
	collection_free(collection);
	root_close(root);
	source = NULL;
	collection = NULL;
	root = NULL;
}

void lab_restart_reader(void)
{
	open_iscsi_source.close(source);
	must(open_iscsi_source.open(&env, &source) == 0, "open");
}

void lab_listen(bool lasting, bool statistics)
{
	env.lasting = lasting;
	settings.open_iscsi_statistics = statistics;
	lab_restart_reader();
}

void lab_look_at_devices(uint32_t limit)
{
	settings.open_iscsi_devices = limit;
}

int lab_event(void)
{
	return open_iscsi_source.event(source);
}

int lab_poll_within(uint64_t ns)
{
	forget();
	return open_iscsi_source.collect(source, clock_now_ns() + ns, collection);
}

int lab_poll(void)
{
	return lab_poll_within(UINT64_C(60000000000));
}

void lab_file(const char *path, const char *text)
{
	tree_set_file(root, path, text);
}

void lab_error(const char *path, int error)
{
	tree_set_file_error(root, path, error);
}

void lab_list(const char *path, const char *names)
{
	tree_set_list(root, path, names);
}

void lab_list_error(const char *path, int error)
{
	tree_set_list_error(root, path, error);
}

void lab_link_error(const char *path, int error)
{
	tree_set_link_error(root, path, error);
}

uint32_t lab_count(enum object_kind kind)
{
	must(lab_result.fragment != NULL, lab_result.message);
	return lab_result.fragment->arrays[kind].count;
}

const char *lab_text(const struct opt_str *field)
{
	if (!field->known)
		return "-";
	return (const char *)lab_result.fragment + lab_result.fragment->arena_at + field->offset;
}

const struct session *lab_session(uint32_t at)
{
	must(at < lab_count(OBJECT_SESSION), "no such session");
	return (const struct session *)fragment_array(lab_result.fragment, OBJECT_SESSION) + at;
}

const struct instance *lab_instance(void)
{
	must(lab_count(OBJECT_INSTANCE) == 1, "not one instance");
	return fragment_array(lab_result.fragment, OBJECT_INSTANCE);
}

const struct node *lab_node(const char *name)
{
	const struct node *nodes = fragment_array(lab_result.fragment, OBJECT_NODE);

	for (uint32_t i = 0; i < lab_count(OBJECT_NODE); i++) {
		if (strcmp(lab_text(&nodes[i].name), name) == 0)
			return &nodes[i];
	}
	return NULL;
}

const struct connection *lab_connection(uint32_t at)
{
	must(at < lab_count(OBJECT_CONNECTION), "no such connection");
	return (const struct connection *)fragment_array(lab_result.fragment, OBJECT_CONNECTION) +
	       at;
}

const struct path *lab_path(uint32_t at)
{
	must(at < lab_count(OBJECT_PATH), "no such path");
	return (const struct path *)fragment_array(lab_result.fragment, OBJECT_PATH) + at;
}

const char *lab_address(const struct opt_addr *address)
{
	static char text[4][64];
	static unsigned int turn;
	struct text_address plain = { .type = address->type, .length = address->length };

	if (!address->known)
		return "-";
	memcpy(plain.octets, address->octets, sizeof(plain.octets));
	return text_from_address(text[turn++ % 4], &plain);
}

/* ---- all fields as lines ---- */

static void line_u32(struct buf *out, const struct opt_u32 *f)
{
	buf_printf(out, "%u\n", f->value);
}

static void line_counter(struct buf *out, const struct opt_counter *f)
{
	buf_printf(out, "%llu\n", (unsigned long long)f->value);
}

static void line_bool(struct buf *out, const struct opt_bool *f)
{
	buf_printf(out, "%d\n", f->value);
}

static void line_bits(struct buf *out, const struct opt_bits *f)
{
	buf_printf(out, "%x\n", f->value);
}

static void line_str(struct buf *out, const struct opt_str *f)
{
	buf_printf(out, "%s\n", lab_text(f));
}

static void line_addr(struct buf *out, const struct opt_addr *f)
{
	buf_printf(out, "%s\n", lab_address(f));
}

static void line_isid(struct buf *out, const struct opt_isid *f)
{
	for (size_t i = 0; i < sizeof(f->octets); i++)
		buf_printf(out, "%02x", f->octets[i]);
	buf_text(out, "\n");
}

static void line_time(struct buf *out, const struct opt_time *f)
{
	buf_printf(out, "%llu\n", (unsigned long long)f->ns);
}

/* Each line begins with the kind, the key of the object, and that of a connection's session. */
static void begin_line(struct buf *out, const char *kind, const char *key, const char *field)
{
	buf_printf(out, "%s %s %s ", kind, key, field);
}

#define OBJECT(kind, type)                                                                        \
	static void lines_##type(struct buf *out)                                                 \
	{                                                                                         \
		const struct type *objects = fragment_array(lab_result.fragment, OBJECT_##kind);  \
		const char *name = #type;                                                         \
                                                                                                  \
		for (uint32_t i = 0; i < lab_count(OBJECT_##kind); i++) {                         \
			const struct type *object = &objects[i];                                  \
			char key[2100];                                                           \
                                                                                                  \
			snprintf(key, sizeof(key), "%s",                                          \
				OBJECT_##kind == OBJECT_CONNECTION                                \
					? lab_text(&lab_session(lab_connection(i)->session)->key) \
					: lab_text(&object->key));                                \
			/* When its maker could not be read it is another row. */                 \
			if (strstr(key, " creator "))                                             \
				*strstr(key, " creator ") = '\0';
#define FIELD(sort, name_, low, high, text)                      \
	if (object->name_.known && strcmp(#name_, "key") != 0) { \
		begin_line(out, name, key, #name_);              \
		line_##sort(out, &object->name_);                \
	}
#define END_OBJECT \
	}          \
	}
#include "model/model.def"

char *lab_lines(void)
{
	struct buf out = BUF_INIT(16u << 20);

	buf_text(&out, "");
#define OBJECT(kind, type) lines_##type(&out);
#include "model/model.def"
	must(out.error == 0, "no memory");
	return out.data;
}
