/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the configuration of open-iscsi. Called by open_iscsi.c in the reader process. Must ask
 * only for keys that are no secrets, and only through root_read_filtered.
 */
#include "source/open_iscsi_records.h"

#include "base/clock.h"

#define RECORD_NAME_MAX 700u /* octets of an iSCSI name that is kept */
#define TARGETS_MAX	100000u

struct reading {
	struct root *root;
	uint64_t deadline_ns;
	struct buf text;
	struct oiscsi_records *records;
};

static void iface_clear(struct oiscsi_iface *iface)
{
	free(iface->initiator_name);
}

static void target_clear(struct oiscsi_target *target)
{
	free(target->name);
	free(target->initiator_name);
}

void oiscsi_records_clear(struct oiscsi_records *records)
{
	for (size_t i = 0; i < records->iface_count; i++)
		iface_clear(&records->ifaces[i]);
	for (size_t i = 0; i < records->target_count; i++)
		target_clear(&records->targets[i]);
	oiscsi_nodes_clear(&records->nodes);
	free(records->ifaces);
	free(records->targets);
	free(records->initiator_name);
	memset(records, 0, sizeof(*records));
}

const struct oiscsi_iface *oiscsi_iface_find(const struct oiscsi_records *records, const char *name)
{
	for (size_t i = 0; i < records->iface_count; i++) {
		if (strcmp(records->ifaces[i].name, name) == 0)
			return &records->ifaces[i];
	}
	return NULL;
}

const char *oiscsi_initiator_name(
	const struct oiscsi_records *records, const char *own, const char *iface)
{
	const struct oiscsi_iface *record = NULL;

	if (own)
		return own;
	if (iface)
		record = oiscsi_iface_find(records, iface);
	return record && record->initiator_name ? record->initiator_name : records->initiator_name;
}

static bool is_late(const struct reading *r)
{
	return clock_now_ns() >= r->deadline_ns;
}

static void note_failure(struct reading *r, ssize_t rc)
{
	if (rc < 0 && rc != -ENOENT && rc != -ENOTDIR)
		r->records->incomplete = true;
}

static ssize_t read_lines(struct reading *r, const char *path, const char *const keys[])
{
	ssize_t rc = root_read_filtered(r->root, path, keys, &r->text);

	note_failure(r, rc);
	return rc;
}

static int list(struct reading *r, const char *path, struct buf *names)
{
	int count = root_list(r->root, path, names);

	note_failure(r, count);
	return count;
}

/* A directory's path and one of its entries. False when it is too long or no plain name. */
static bool path_below(char out[512], const char *directory, const char *name)
{
	int length = snprintf(out, 512, "%s/%s", directory, name);

	return length > 0 && length < 512 && !strchr(name, '/');
}

/* Makes *ret a copy of the value, if that is a name. Of several lines the first counts. */
static int take_name(const struct oiscsi_line *line, char **ret)
{
	char name[RECORD_NAME_MAX + 1];

	if (*ret || !oiscsi_line_copy(line, name, sizeof(name)))
		return 0;
	*ret = strdup(name);
	return *ret ? 0 : -ENOMEM;
}

/* iscsid says its host's name when it was given no alias. */
static void read_host_name(struct reading *r)
{
	char *alias = r->records->alias;
	ssize_t rc =
		root_read(r->root, "/proc/sys/kernel/hostname", alias, sizeof(r->records->alias));

	note_failure(r, rc);
	oiscsi_value(alias, rc);
}

static int read_names(struct reading *r, const char *directory)
{
	static const char *const keys[] = { "InitiatorName", "InitiatorAlias", NULL };
	struct oiscsi_records *records = r->records;
	struct oiscsi_line line;
	const char *text;
	char path[512];
	size_t length;
	int rc = 0;

	if (!path_below(path, directory, "initiatorname.iscsi") || read_lines(r, path, keys) < 0)
		return 0;
	text = r->text.data;
	length = r->text.length;
	while (rc == 0 && oiscsi_line_next(&text, &length, &line)) {
		if (oiscsi_line_is(&line, keys[0]))
			rc = take_name(&line, &records->initiator_name);
		else if (!records->alias[0])
			oiscsi_line_copy(&line, records->alias, sizeof(records->alias));
	}
	if (!records->alias[0])
		read_host_name(r);
	return rc;
}

static void read_config(struct reading *r, const char *directory)
{
	struct oiscsi_records *records = r->records;
	char path[512];
	ssize_t rc;

	if (!path_below(path, directory, "iscsid.conf"))
		return;
	rc = read_lines(r, path, oiscsi_config_keys);
	/* iscsid does without the file. */
	if (rc < 0 && rc != -ENOENT)
		return;
	oiscsi_config_parse(r->text.data ? r->text.data : "", r->text.length, &records->config);
	records->config_known = true;
}

/* ---- interface records ---- */

static int iface_parse(struct reading *r, const char *file, struct oiscsi_iface *iface)
{
	const char *text = r->text.data ? r->text.data : "";
	size_t length = r->text.length;
	struct oiscsi_line line;
	char value[80];
	int rc = 0;

	snprintf(iface->name, sizeof(iface->name), "%s", file);
	while (rc == 0 && oiscsi_line_next(&text, &length, &line)) {
		if (oiscsi_line_is(&line, "iface.transport_name"))
			oiscsi_line_copy(&line, iface->transport, sizeof(iface->transport));
		else if (oiscsi_line_is(&line, "iface.net_ifacename"))
			oiscsi_line_copy(&line, iface->netdev, sizeof(iface->netdev));
		else if (oiscsi_line_is(&line, "iface.initiatorname"))
			rc = take_name(&line, &iface->initiator_name);
		else if (oiscsi_line_copy(&line, value, sizeof(value)) &&
			 (root_to_address(r->root, value, &iface->address) < 0 ||
				 text_address_is_wildcard(&iface->address)))
			memset(&iface->address, 0, sizeof(iface->address));
	}
	return rc;
}

static int read_ifaces(struct reading *r, const char *directory)
{
	static const char *const keys[] = { "iface.transport_name", "iface.net_ifacename",
		"iface.initiatorname", "iface.ipaddress", NULL };
	CLEANUP_BUF struct buf names = BUF_INIT(ROOT_ANSWER_MAX);
	int count = list(r, directory, &names);
	const char *name = names.data;
	char path[512];

	if (count <= 0)
		return 0;
	r->records->ifaces = calloc((size_t)count, sizeof(*r->records->ifaces));
	if (!r->records->ifaces)
		return -ENOMEM;
	for (; count > 0; count--, name += strlen(name) + 1) {
		struct oiscsi_iface *iface = &r->records->ifaces[r->records->iface_count];
		int rc;

		if (is_late(r))
			return -ETIMEDOUT;
		if (strlen(name) >= sizeof(iface->name) || !path_below(path, directory, name) ||
			read_lines(r, path, keys) < 0)
			continue;
		r->records->iface_count++;
		rc = iface_parse(r, name, iface);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* ---- node records ---- */

static int target_add(struct oiscsi_records *records, size_t *capacity, const char *name,
	const char *initiator_name)
{
	struct oiscsi_target target = { .name = strdup(name) };

	if (!target.name)
		return -ENOMEM;
	if (initiator_name) {
		target.initiator_name = strdup(initiator_name);
		if (!target.initiator_name)
			goto no_memory;
	}
	if (records->target_count == *capacity) {
		size_t more = *capacity ? 2 * *capacity : 16;
		struct oiscsi_target *grown = reallocarray(records->targets, more, sizeof(*grown));

		if (!grown)
			goto no_memory;
		records->targets = grown;
		*capacity = more;
	}
	records->targets[records->target_count++] = target;
	return 0;
no_memory:
	target_clear(&target);
	return -ENOMEM;
}

/*
 * One record. It keeps the name of the initiator that it was made with; when it cannot be read,
 * that of its interface stands for it. `iface`: the name of the file, "" when it has none.
 */
static int read_node(struct reading *r, size_t *capacity, const char *target, const char *path,
	const char *iface)
{
	const struct oiscsi_iface *record = oiscsi_iface_find(r->records, iface);
	ssize_t lines = read_lines(r, path, oiscsi_node_keys);
	struct oiscsi_node node;
	int rc;

	if (lines == -ENOENT)
		return 0; /* deleted meanwhile */
	if (lines < 0 && !record && *iface && strcmp(iface, "default") != 0)
		return 0; /* there is no telling whose it is */
	if (lines < 0)
		return target_add(
			r->records, capacity, target, record ? record->initiator_name : NULL);
	rc = oiscsi_node_parse(target, r->text.data ? r->text.data : "", r->text.length, &node);
	if (rc < 0)
		return rc;
	rc = target_add(r->records, capacity, target, node.initiator_name);
	if (rc < 0 || !node.address) { /* it does not say where to log in to: damaged */
		oiscsi_node_clear(&node);
		return rc;
	}
	oiscsi_portal_name(r->root, node.address, node.port, &node.portal);
	return oiscsi_nodes_add(&r->records->nodes, &node);
}

/* nodes/TARGET/ADDRESS,PORT,TPGT/IFACE, or, in old layouts, nodes/TARGET/ADDRESS,PORT. */
static int read_portal(struct reading *r, size_t *capacity, const char *target, const char *path)
{
	CLEANUP_BUF struct buf names = BUF_INIT(ROOT_ANSWER_MAX);
	int count = list(r, path, &names), rc = 0;
	const char *name = names.data;
	char below[512];

	if (count == -ENOTDIR || count == -ENOENT)
		return read_node(r, capacity, target, path, "");
	for (; count > 0 && rc == 0; count--, name += strlen(name) + 1) {
		if (path_below(below, path, name))
			rc = read_node(r, capacity, target, below, name);
	}
	return rc;
}

static int read_target(struct reading *r, size_t *capacity, const char *target, const char *path)
{
	CLEANUP_BUF struct buf names = BUF_INIT(ROOT_ANSWER_MAX);
	int count = list(r, path, &names), rc = 0;
	const char *name = names.data;
	char below[512];

	for (; count > 0 && rc == 0; count--, name += strlen(name) + 1) {
		if (is_late(r))
			return -ETIMEDOUT;
		if (r->records->target_count >= TARGETS_MAX)
			return 0;
		if (path_below(below, path, name))
			rc = read_portal(r, capacity, target, below);
	}
	return rc;
}

static int compare_texts(const char *a, const char *b)
{
	if (!a || !b)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

static int compare_targets(const void *a, const void *b)
{
	const struct oiscsi_target *x = a, *y = b;
	int rc = compare_texts(x->initiator_name, y->initiator_name);

	return rc ? rc : strcmp(x->name, y->name);
}

static void targets_sort(struct oiscsi_records *records)
{
	size_t kept = 0;

	if (records->target_count)
		qsort(records->targets, records->target_count, sizeof(*records->targets),
			compare_targets);
	for (size_t i = 0; i < records->target_count; i++) {
		if (kept && compare_targets(&records->targets[kept - 1], &records->targets[i]) == 0)
			target_clear(&records->targets[i]);
		else
			records->targets[kept++] = records->targets[i];
	}
	records->target_count = kept;
}

static int read_nodes(struct reading *r, const char *directory)
{
	CLEANUP_BUF struct buf names = BUF_INIT(ROOT_ANSWER_MAX);
	int count = list(r, directory, &names), rc = 0;
	const char *name = names.data;
	size_t capacity = 0;
	char path[512];

	for (; count > 0 && rc == 0; count--, name += strlen(name) + 1) {
		if (path_below(path, directory, name))
			rc = read_target(r, &capacity, name, path);
	}
	targets_sort(r->records);
	return rc;
}

/* True when the directory has a node record or an interface record, or may have. */
static bool has_records(struct reading *r, const char *directory)
{
	static const char *const names[] = { "nodes", "ifaces" };
	CLEANUP_BUF struct buf listed = BUF_INIT(ROOT_ANSWER_MAX);
	char path[512];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		int count;

		if (!path_below(path, directory, names[i]))
			continue;
		count = list(r, path, &listed);
		if (count > 0 || (count < 0 && count != -ENOENT && count != -ENOTDIR))
			return true;
	}
	return false;
}

int oiscsi_records_read(struct root *root, const char *config_dir, const char *record_dir,
	uint64_t deadline_ns, struct oiscsi_records *ret)
{
	CLEANUP_OISCSI_RECORDS struct oiscsi_records records = { .config_known = false };
	struct reading r = {
		.root = root,
		.deadline_ns = deadline_ns,
		.text = BUF_INIT(ROOT_FILE_MAX),
		.records = &records,
	};
	const char *directory = has_records(&r, record_dir) ? record_dir : config_dir;
	char path[512];
	int rc = read_names(&r, config_dir);

	read_config(&r, config_dir);
	if (rc == 0 && path_below(path, directory, "ifaces"))
		rc = read_ifaces(&r, path);
	if (rc == 0 && path_below(path, directory, "nodes"))
		rc = read_nodes(&r, path);
	buf_free(&r.text);
	if (rc < 0)
		return rc;
	oiscsi_records_clear(ret);
	*ret = records;
	memset(&records, 0, sizeof(records));
	return 0;
}
