/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * root_tcp_sockets: from the kernel on the live machine, else from the text below the root.
 * Called by the target sources in the reader processes to find the ports of a connection.
 *
 * For a recording the result is kept as /proc/net/tcp and /proc/net/tcp6, wherever it came from,
 * and only the established sockets of it.
 */
#include "base/root_private.h"

#include "base/clock.h"

static const char *const paths[] = { "/proc/net/tcp", "/proc/net/tcp6" };

static int compare_sockets(const void *a, const void *b)
{
	const struct root_tcp_socket *x = a, *y = b;
	int order = memcmp(&x->local, &y->local, sizeof(x->local));

	if (order == 0)
		order = (int)x->local_port - (int)y->local_port;
	if (order == 0)
		order = memcmp(&x->remote, &y->remote, sizeof(x->remote));
	return order ? order : (int)x->remote_port - (int)y->remote_port;
}

/* -ENOENT when neither file is there: no table is not an empty table. */
static int read_text(struct root *root, struct tcp_list *list)
{
	CLEANUP_BUF struct buf text = BUF_INIT(ROOT_TCP_TEXT_MAX);
	size_t found = 0;

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		int rc;

		buf_reset(&text);
		rc = root->ops->read(root, paths[i], ROOT_ALLOWED, &text);
		if (rc == -ENOENT)
			continue;
		if (rc == 0)
			rc = tcp_text_parse(text.data ? text.data : "", text.length, list);
		if (rc < 0)
			return rc;
		found++;
	}
	return found > 0 ? 0 : -ENOENT;
}

static int keep_text(struct root *root, const struct tcp_list *list, int error)
{
	int rc = 0;

	for (size_t i = 0; i < ARRAY_SIZE(paths) && rc == 0; i++) {
		CLEANUP_BUF struct buf text = BUF_INIT(ROOT_TCP_TEXT_MAX);

		if (error == 0)
			rc = tcp_text_write(&text, list, i == 1);
		if (rc == 0)
			rc = tree_put(root->record, &(struct tree_node){ .op = TREE_FILE,
							    .error = error,
							    .path = paths[i],
							    .data = text.data,
							    .length = text.length });
	}
	return rc;
}

static int collect(struct root *root, uint64_t deadline_ns, struct tcp_list *list)
{
	int rc;

	if (clock_now_ns() >= deadline_ns)
		return -ETIMEDOUT;
	if (!root->live)
		return read_text(root, list);
	rc = tcp_diag_dump(list, deadline_ns);
	if (rc == 0 || rc == -ETIMEDOUT || rc == -ENOMEM || rc == -E2BIG)
		return rc;
	list->count = 0;
	return read_text(root, list);
}

ssize_t root_tcp_sockets(struct root *root, uint64_t deadline_ns, struct root_tcp_socket **ret)
{
	CLEANUP_TCP_LIST struct tcp_list list = { .count = 0 };
	int rc = collect(root, deadline_ns, &list);

	root_between(root);
	if (list.count > 1)
		qsort(list.sockets, list.count, sizeof(*list.sockets), compare_sockets);
	if (root->record) {
		int kept = keep_text(root, &list, rc);

		if (kept < 0 && root->record_error == 0)
			root->record_error = kept;
	}
	if (rc < 0)
		return rc;
	if (!list.sockets) {
		/* A pointer that can be freed, and read by nobody. */
		list.sockets = calloc(1, sizeof(*list.sockets));
		if (!list.sockets)
			return -ENOMEM;
	}
	*ret = steal_pointer(&list.sockets);
	return (ssize_t)list.count;
}
