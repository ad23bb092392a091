/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/source_lab.h"

#include "base/clock.h"
#include "reader/collection.h"

#define LINES_MAX (64u << 20)

struct source_lab source_lab;

static struct source_settings settings = {
	.open_iscsi_config = "/etc/iscsi",
	.open_iscsi_records = "/var/lib/iscsi",
	.open_iscsi_devices = 10000,
};
static const struct source_ops *ops;
static struct source *source;
static struct collection *collection;

/* Stays open for the next one that begins with it. */
static struct root *root;
static char root_path[128];

static void must(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "source_lab: %s\n", what);
	abort();
}

static void forget(void)
{
	free((void *)(uintptr_t)source_lab.fragment);
	source_lab.fragment = NULL;
	source_lab.units = source_lab.error = 0;
	source_lab.message[0] = '\0';
}

static void take(void *context, const struct unit_result *result)
{
	char reason[128];

	(void)context;
	source_lab.units++;
	source_lab.error = result->error;
	snprintf(source_lab.message, sizeof(source_lab.message), "%s", result->message);
	source_lab.fragment = result->fragment;
	must(!result->error == (result->fragment != NULL), "an error and a fragment, or neither");
	if (result->fragment && fragment_check(result->fragment, result->length, reason) < 0)
		must(false, reason);
}

void source_lab_begin(const char *name, const char *recording)
{
	char path[128];

	if (collection)
		source_lab_end(); /* of a test that failed */
	memset(&source_lab, 0, sizeof(source_lab));
	ops = source_find(name);
	must(ops != NULL, name);
	snprintf(path, sizeof(path), "tests/fixtures/%s.tree", recording);
	if (strcmp(path, root_path) != 0) {
		root_close(root);
		must(root_open(path, &root) == 0, path);
		memcpy(root_path, path, sizeof(root_path));
	}
	source_lab.env.root = root;
	source_lab.env.settings = &settings;
	collection = collection_new(take, NULL);
	must(collection != NULL, "no memory");
}

void source_lab_end(void)
{
	forget();
	ops->close(source);
	collection_free(collection);
	source = NULL;
	collection = NULL;
}

int source_lab_poll(void)
{
	int rc = 0;

	forget();
	if (!source)
		rc = ops->open(&source_lab.env, &source);
	if (rc == 0)
		rc = ops->collect(source, clock_now_ns() + 60 * NS_PER_S, collection);
	must(source_lab.units <= 1, "more than one unit");
	if (rc < 0)
		source_lab.error = rc;
	return source_lab.error;
}

static struct fragment *kept;

void source_lab_keep(void)
{
	const struct fragment *from = source_lab.fragment;

	free(kept);
	kept = from ? malloc(from->length) : NULL;
	must(!from == !kept, "no memory");
	if (kept)
		memcpy(kept, from, from->length);
}

bool source_lab_is_as_kept(void)
{
	const struct fragment *last = source_lab.fragment;

	if (!last || !kept)
		return last == kept;
	return last->length == kept->length && memcmp(last, kept, kept->length) == 0;
}

void source_lab_close(void)
{
	free(kept);
	kept = NULL;
	root_close(root);
	root = NULL;
	root_path[0] = '\0';
}

/* ---- lines ---- */

static const char *text_of(const struct opt_str *field)
{
	return (const char *)source_lab.fragment + source_lab.fragment->arena_at + field->offset;
}

static const char *object_at(enum object_kind kind, uint32_t at)
{
	return (const char *)fragment_array(source_lab.fragment, kind) +
	       (size_t)at * object_info(kind)->size;
}

static const char *key_of(enum object_kind kind, uint32_t at)
{
	return text_of((const void *)(object_at(kind, at) + object_info(kind)->key_offset));
}

/* The key of what an object is in, where its own alone does not tell it from others; "" none. */
static const char *place_of(enum object_kind kind, uint32_t at)
{
	const void *object = object_at(kind, at);

	if (kind == OBJECT_CONNECTION)
		return key_of(OBJECT_SESSION, ((const struct connection *)object)->session);
	if (kind == OBJECT_DEVICE)
		return key_of(OBJECT_SESSION, ((const struct device *)object)->session);
	if (kind == OBJECT_MAP_PATH)
		return key_of(OBJECT_MAP, ((const struct map_path *)object)->map);
	return "";
}

static void add_octets(struct buf *out, const uint8_t *octets, size_t length)
{
	for (size_t i = 0; i < length; i++)
		buf_printf(out, "%02x", octets[i]);
}

/* False when it is not known, or of this machine. */
static bool add_value(struct buf *out, const struct field_info *info, const void *field)
{
	static const char empty[] = "";
	const struct opt_addr *address = field;
	const uint32_t *link = field;

	switch (info->type) {
	case FIELD_u32:
		buf_printf(out, "%u", ((const struct opt_u32 *)field)->value);
		return ((const struct opt_u32 *)field)->known;
	case FIELD_counter:
		buf_printf(out, "%llu",
			(unsigned long long)((const struct opt_counter *)field)->value);
		return ((const struct opt_counter *)field)->known;
	case FIELD_bool:
		buf_printf(out, "%d", ((const struct opt_bool *)field)->value);
		return ((const struct opt_bool *)field)->known;
	case FIELD_bits:
		buf_printf(out, "%x", ((const struct opt_bits *)field)->value);
		return ((const struct opt_bits *)field)->known;
	case FIELD_str:
		buf_text(out, ((const struct opt_str *)field)->known ? text_of(field) : empty);
		return ((const struct opt_str *)field)->known;
	case FIELD_addr:
		buf_printf(out, "%u:", address->type);
		add_octets(out, address->octets, address->known ? address->length : 0);
		return address->known;
	case FIELD_isid:
		add_octets(out, ((const struct opt_isid *)field)->octets, 6);
		return ((const struct opt_isid *)field)->known;
	case FIELD_link:
		if (*link != LINK_NONE)
			buf_text(out, key_of((enum object_kind)info->high, *link));
		return *link != LINK_NONE;
	case FIELD_time:
		break;
	}
	return false;
}

static void add_object(struct buf *out, enum object_kind kind, uint32_t at)
{
	const struct object_info *info = object_info(kind);

	for (uint32_t i = 0; i < info->field_count; i++) {
		size_t before = out->length;

		buf_printf(out, "%s %s %s %s ", info->name, place_of(kind, at), key_of(kind, at),
			info->fields[i].name);
		if (add_value(out, &info->fields[i], object_at(kind, at) + info->fields[i].offset))
			buf_append(out, "", 1);
		else
			out->length = before;
	}
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct source_log source_lab_lines(void)
{
	struct buf out = BUF_INIT(LINES_MAX);
	struct source_log lines = { .count = 0 };

	must(source_lab.fragment != NULL, source_lab.message);
	for (enum object_kind kind = 0; kind < OBJECT_KINDS; kind++)
		for (uint32_t i = 0; i < source_lab.fragment->arrays[kind].count; i++)
			add_object(&out, kind, i);
	must(out.error == 0, "no memory");
	lines.text = out.data;
	for (size_t at = 0; at < out.length; at += strlen(out.data + at) + 1)
		lines.count++;
	lines.list = calloc(lines.count + 1, sizeof(*lines.list));
	must(lines.list != NULL, "no memory");
	lines.count = 0;
	for (size_t at = 0; at < out.length; at += strlen(out.data + at) + 1)
		lines.list[lines.count++] = out.data + at;
	qsort(lines.list, lines.count, sizeof(*lines.list), compare_lines);
	return lines;
}

void source_log_free(struct source_log *lines)
{
	free(lines->text);
	free(lines->list);
	memset(lines, 0, sizeof(*lines));
}

const char *source_log_beyond(const struct source_log *part, const struct source_log *whole,
	bool (*excused)(const char *line))
{
	size_t at = 0;

	for (size_t i = 0; i < part->count; i++) {
		while (at < whole->count && strcmp(whole->list[at], part->list[i]) < 0)
			at++;
		if (at < whole->count && strcmp(whole->list[at], part->list[i]) == 0)
			continue;
		if (!excused || !excused(part->list[i]))
			return part->list[i];
	}
	return NULL;
}
