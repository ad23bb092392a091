/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The source tgt: all tgtd on this host, each a unit by the path of its management socket. How one
 * is asked: tgt_read.c; what of its answers can be believed, since initiators write into some of
 * them: tgt_text.h; what is kept between polls: tgt_memory.h; what becomes of it: tgt_model.c.
 *
 * Runs in the reader process of the source and in the one-shot commands. It only asks tgtd, with
 * requests that change nothing (tgt_wire.c); it must not block beyond the deadline, and one tgtd
 * must not cost another its rows.
 */
#include "base/clock.h"
#include "base/log.h"
#include "source/source.h"
#include "source/tgt_model.h"
#include "source/host.h"
#include "source/tgt_read.h"
#include "source/tgt_socket.h"

#define CONTROL_PORT_MAX INT16_MAX /* tgtd keeps it in a short */

struct source {
	const struct source_env *env;
	struct tgt_unit **units; /* by control port */
	size_t unit_count;
	bool had_sockets; /* the table of TCP sockets could be read once */
	bool host_known;  /* architecture */
	char architecture[HOST_TEXT_MAX];
};

/* Splits the prefix into the directory to list and the beginning of the names in it. */
static int split_prefix(const struct source_env *env, char directory[128], const char **ret_base)
{
	const char *prefix = env->settings->tgt_socket;
	const char *slash = strrchr(prefix, '/');
	size_t length;

	if (!slash || !slash[1])
		return -EINVAL;
	length = slash == prefix ? 1 : (size_t)(slash - prefix);
	if (length >= 128)
		return -ENAMETOOLONG;
	memcpy(directory, prefix, length);
	directory[length] = 0;
	*ret_base = slash + 1;
	return 0;
}

/* "socket.7" with the beginning "socket" is 7; false for "socket.0.lock", "socket.07", … */
static bool parse_socket_name(const char *name, const char *base, uint32_t *ret_port)
{
	size_t length = strlen(base);
	const char *digits = name + length + 1;

	if (strncmp(name, base, length) != 0 || name[length] != '.' || !*digits ||
		strspn(digits, "0123456789") != strlen(digits) || (*digits == '0' && digits[1]))
		return false;
	return text_to_u32(digits, CONTROL_PORT_MAX, ret_port) == 0;
}

static int compare_ports(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* The control ports of all sockets, ascending. *ret freed by the caller. Returns their number. */
static ssize_t list_ports(const struct source_env *env, uint32_t **ret)
{
	CLEANUP_BUF struct buf names = BUF_INIT(ROOT_ANSWER_MAX);
	char directory[128];
	size_t count = 0;
	const char *base;
	uint32_t *ports;
	int listed, rc;

	rc = split_prefix(env, directory, &base);
	if (rc < 0)
		return rc;
	listed = root_list(env->root, directory, &names);
	if (listed == -ENOENT || listed == -ENOTDIR)
		listed = 0;
	if (listed < 0)
		return listed;
	ports = calloc((size_t)listed + 1, sizeof(*ports));
	if (!ports)
		return -ENOMEM;
	for (const char *name = names.data; listed > 0; listed--, name += strlen(name) + 1)
		if (parse_socket_name(name, base, &ports[count]))
			count++;
	qsort(ports, count, sizeof(*ports), compare_ports);
	*ret = ports;
	return (ssize_t)count;
}

static int tgt_detect(const struct source_env *env)
{
	CLEANUP_FREE uint32_t *ports = NULL;
	ssize_t count = list_ports(env, &ports);

	return count < 0 ? (int)count : count > 0;
}

static int tgt_open(const struct source_env *env, struct source **ret)
{
	struct source *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->env = env;
	*ret = s;
	return 0;
}

static void tgt_close(struct source *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->unit_count; i++)
		tgt_unit_free(s->units[i]);
	free(s->units);
	free(s);
}

static struct tgt_unit *new_unit(const struct source *s, uint32_t port)
{
	char path[160];

	snprintf(path, sizeof(path), "%s.%u", s->env->settings->tgt_socket, port);
	return tgt_unit_new(port, path);
}

/* The unit of a control port; NULL when it is new. */
static struct tgt_unit *find_unit(const struct source *s, uint32_t port)
{
	for (size_t i = 0; i < s->unit_count; i++)
		if (s->units[i]->control_port == port)
			return s->units[i];
	return NULL;
}

/* Makes the list of units that of the sockets; keeps the memory of those that stay. On failure
 * the list is as it was. */
static int update_units(struct source *s)
{
	CLEANUP_FREE uint32_t *ports = NULL;
	ssize_t count = list_ports(s->env, &ports);
	struct tgt_unit **units;

	if (count < 0)
		return (int)count;
	units = calloc((size_t)count + 1, sizeof(struct tgt_unit *));
	if (!units)
		return -ENOMEM;
	for (ssize_t i = 0; ports && i < count; i++) {
		units[i] = find_unit(s, ports[i]);
		if (!units[i])
			units[i] = new_unit(s, ports[i]);
		if (units[i])
			continue;
		while (--i >= 0)
			if (!find_unit(s, ports[i]))
				tgt_unit_free(units[i]);
		free(units);
		return -ENOMEM;
	}
	for (size_t i = 0; i < s->unit_count; i++)
		if (!ports || !bsearch(&s->units[i]->control_port, ports, (size_t)count,
				      sizeof(*ports), compare_ports))
			tgt_unit_free(s->units[i]);
	free(s->units);
	s->units = units;
	s->unit_count = (size_t)count;
	return 0;
}

/* True unless tgtd is known to live in another network namespace than this process. */
static bool shares_network(struct root *root, int32_t pid)
{
	char path[64], ours[64], theirs[64];
	ssize_t ours_length, theirs_length;

	if (pid <= 0)
		return true;
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	ours_length = root_read_link(root, "/proc/self/ns/net", ours, sizeof(ours));
	theirs_length = root_read_link(root, path, theirs, sizeof(theirs));
	if (ours_length < 0 || theirs_length < 0)
		return true;
	return ours_length == theirs_length && !memcmp(ours, theirs, (size_t)ours_length);
}

/* The table of TCP sockets, read once in a poll. */
struct socket_table {
	bool asked;
	int error;
	struct root_tcp_socket *sockets;
	size_t count;
};

static int match_sockets(
	struct source *s, struct tgt_unit *unit, uint64_t deadline_ns, struct socket_table *table)
{
	if (!table->asked) {
		ssize_t count = root_tcp_sockets(s->env->root, deadline_ns, &table->sockets);

		table->error = count < 0 ? (int)count : 0;
		table->count = count > 0 ? (size_t)count : 0;
		table->asked = true;
		s->had_sockets |= count >= 0;
	}
	/* A table that is missing this once tells nothing: keep what is known. */
	if (table->error && s->had_sockets)
		return 0;
	if (!shares_network(s->env->root, unit->peer.pid))
		return tgt_sockets_match(unit, NULL, 0);
	return tgt_sockets_match(unit, table->sockets, table->count);
}

/* One tgtd, as a unit of the collection. */
static void collect_unit(struct source *s, struct tgt_unit *unit, uint64_t deadline_ns,
	struct socket_table *table, struct collection *c)
{
	struct tgt_failure why = { .text = "" };
	struct builder *b = collection_begin(c, unit->path); /* its clocks count all round trips */
	int rc = tgt_read_portals(unit, s->env->root, deadline_ns, &why);

	if (rc == 0)
		return; /* nobody listens: there is no such tgtd */
	if (rc > 0)
		rc = tgt_read_targets(unit, s->env->root, deadline_ns, &why);
	if (rc < 0) {
		collection_fail(c, rc, "%s", why.text);
		return;
	}
	if (!s->host_known)
		s->host_known = host_architecture(s->env->root, s->architecture);
	rc = match_sockets(s, unit, deadline_ns, table);
	if (rc == 0)
		rc = tgt_model_build(b, unit, s->architecture);
	if (rc < 0)
		collection_fail(c, rc, "putting together what tgtd said: %s", strerror(-rc));
	else
		collection_end(c);
}

static int tgt_collect(struct source *s, uint64_t deadline_ns, struct collection *c)
{
	struct socket_table table = { .asked = false };
	int rc = update_units(s);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < s->unit_count; i++) {
		/* Each gets an equal share of what is left, so that one that hangs leaves the rest
		 * theirs. */
		uint64_t now_ns = clock_now_ns();
		uint64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;

		collect_unit(s, s->units[i], now_ns + left_ns / (s->unit_count - i), &table, c);
	}
	free(table.sockets);
	return 0;
}

const struct source_ops tgt_source = {
	.name = "tgt",
	.summary = "targets of tgtd (Linux SCSI target framework), by its management sockets",
	.sandbox = SANDBOX_UNIX | SANDBOX_SOCK_DIAG,
	.detect = tgt_detect,
	.open = tgt_open,
	.collect = tgt_collect,
	.close = tgt_close,
};
