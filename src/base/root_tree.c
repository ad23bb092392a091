/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A recording as a root: answers from memory what was read when it was made, errors included.
 * What is not in it is -ENOENT. Called through root.c in any process; touches no file.
 *
 * The format (written by tree_save.c, read by tree_load.c). Lines end with a newline, the last
 * one too; the first is
 *
 *	iscsi-agentx tree 1
 *
 * Then come records: a head line, and lines that belong to it. A line that begins with '#' is a
 * comment. The words of a head are separated by one space.
 *
 *	dir PATH		a directory that was listed; one line |NAME for each entry, in
 *				the order of their octets
 *	file PATH		a file that was read; its content in lines |TEXT
 *	link PATH		a symbolic link; its target in one line |TARGET
 *	error PATH OPERATION ERRNO
 *				what could not be done; OPERATION is list, read or readlink
 *	socket PATH pid=N uid=N start=N
 *				a dialogue; the request in lines >TEXT, the answer as far as it
 *				came in lines <TEXT, and !ERRNO if it failed. The numbers are those
 *				of struct root_peer. PATH may begin with @ (abstract)
 *
 * ERRNO is a name (ENOTCONN) or, for rare ones, a number. All paths are absolute, without empty,
 * "." and ".." components. The writer sorts the records by path ('/' before all other octets),
 * then dir, file, link, socket, then request.
 *
 * Octets: in every field \\ is a backslash, \t a tab, \r a carriage return, \OOO (three octal
 * digits) any octet. The writer uses them for all but the printable ASCII characters, in a head
 * for spaces too, and for a space that ends a line. A line of TEXT stands for its octets and a
 * newline; with a single backslash at its end there is no newline after it (the end of a file
 * without one, or a long line that goes on in the next). NAME and TARGET have no newline and no
 * such backslash.
 *
 * A record counts for exactly its path: files below a symbolic link may be recorded under the
 * path that was asked for. A path without a record is tried again with the links of the
 * recording resolved, so a packed directory tree reads like the directory.
 *
 * Numbers inside binary dialogues and the addresses of /proc/net/tcp are in the byte order of the
 * machine that was recorded.
 */
#include "base/root_private.h"

static ssize_t target_in_tree(void *context, const char *path, char *out, size_t capacity)
{
	const struct tree_node *node = tree_find(context, TREE_LINK, path, NULL, 0);

	if (!node || node->error < 0 || node->length > capacity)
		return -EINVAL;
	memcpy(out, node->data, node->length);
	return (ssize_t)node->length;
}

/* The record of the path as it is, else with links resolved. */
static int find(const struct root *root, enum tree_op op, const char *path,
	enum root_refusal tolerated, const void *request, size_t request_length,
	const struct tree_node **ret)
{
	const struct tree_node *node = tree_find(root->tree, op, path, request, request_length);
	char resolved[PATH_MAX];
	int rc;

	if (!node && path[0] == '/') {
		rc = root_resolve(resolved, path, op != TREE_LINK, target_in_tree, root->tree);
		if (rc < 0)
			return rc;
		/* A link must not be the way to what would be refused by name. */
		if (root_path_refusal(resolved) > tolerated)
			return -EACCES;
		node = tree_find(root->tree, op, resolved, request, request_length);
	}
	if (!node)
		return -ENOENT;
	*ret = node;
	return 0;
}

static int replay(const struct root *root, enum tree_op op, const char *path,
	enum root_refusal tolerated, struct buf *out)
{
	const struct tree_node *node;
	int rc = find(root, op, path, tolerated, NULL, 0, &node);

	if (rc < 0)
		return rc;
	return node->error < 0 ? node->error : buf_append(out, node->data, node->length);
}

static int tree_read(
	struct root *root, const char *path, enum root_refusal tolerated, struct buf *out)
{
	return replay(root, TREE_FILE, path, tolerated, out);
}

static int tree_read_link(struct root *root, const char *path, struct buf *out)
{
	return replay(root, TREE_LINK, path, ROOT_REFUSED_FILE, out);
}

static int tree_list(struct root *root, const char *path, struct buf *names)
{
	int rc = replay(root, TREE_DIR, path, ROOT_REFUSED_FILE, names), count = 0;

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < names->length; i++)
		count += names->data[i] == '\0';
	return count;
}

static int tree_exchange(struct root *root, const char *socket_path, const void *request,
	size_t request_length, root_answer_length_fn *answer_length, uint64_t deadline_ns,
	struct buf *answer, struct root_peer *peer)
{
	const struct tree_node *node;
	int rc = find(
		root, TREE_SOCKET, socket_path, ROOT_REFUSED_FILE, request, request_length, &node);

	(void)deadline_ns;
	if (rc < 0)
		return rc;
	*peer = node->peer;
	rc = buf_append(answer, node->data, node->length);
	if (rc < 0)
		return rc;
	/* A recording can be edited: its answer is checked like that of a daemon. */
	return node->error < 0 ? node->error : root_answer_complete(answer_length, answer);
}

const struct root_ops root_tree_ops = {
	.read = tree_read,
	.read_link = tree_read_link,
	.list = tree_list,
	.exchange = tree_exchange,
};
