/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Recordings: begun by root_record_start, filled by root.c, written here in the format that
 * root_tree.c describes. In the one-shot command --record; the only file of src/base that
 * writes one.
 */
#include "base/root_private.h"

#include <fcntl.h>
#include <libgen.h>
#include <sys/stat.h>

static void write_octet(struct buf *out, unsigned char c, bool escape)
{
	if (c == '\\')
		buf_text(out, "\\\\");
	else if (c == '\t')
		buf_text(out, "\\t");
	else if (c == '\r')
		buf_text(out, "\\r");
	else if (escape || c < 0x20 || c > 0x7e)
		buf_printf(out, "\\%03o", c);
	else
		buf_append(out, &c, 1);
}

static void write_word(struct buf *out, const char *word)
{
	for (; *word; word++)
		write_octet(out, (unsigned char)*word, *word == ' ');
}

static void write_line(struct buf *out, char mark, const char *text, size_t length)
{
	buf_append(out, &mark, 1);
	for (size_t i = 0; i < length; i++)
		write_octet(out, (unsigned char)text[i], text[i] == ' ' && i + 1 == length);
}

/* Content: a line for each line, and a backslash after the last if it has no newline. */
static void write_text(struct buf *out, char mark, const char *text, size_t length)
{
	while (length > 0) {
		const char *end = memchr(text, '\n', length);
		size_t octets = end ? (size_t)(end - text) : length;

		write_line(out, mark, text, octets);
		buf_text(out, end ? "\n" : "\\\n");
		octets += end ? 1 : 0;
		text += octets;
		length -= octets;
	}
}

static void write_errno(struct buf *out, int error)
{
	const char *name = tree_errno_name(-error);

	if (name)
		buf_text(out, name);
	else
		buf_printf(out, "%d", -error);
}

static void write_names(struct buf *out, const struct tree_node *node)
{
	for (size_t at = 0; at < node->length;) {
		size_t length = strlen(node->data + at);

		write_line(out, '|', node->data + at, length);
		buf_text(out, "\n");
		at += length + 1;
	}
}

static void write_socket(struct buf *out, const struct tree_node *node)
{
	buf_text(out, "socket ");
	write_word(out, node->path);
	buf_printf(out, " pid=%d uid=%u start=%llu\n", node->peer.pid, node->peer.uid,
		(unsigned long long)node->peer.start_time);
	write_text(out, '>', node->request, node->request_length);
	write_text(out, '<', node->data, node->length);
	if (node->error < 0) {
		buf_text(out, "!");
		write_errno(out, node->error);
		buf_text(out, "\n");
	}
}

static void write_node(struct buf *out, const struct tree_node *node)
{
	static const char *const kinds[] = {
		[TREE_DIR] = "dir ", [TREE_FILE] = "file ", [TREE_LINK] = "link "
	};
	static const char *const operations[] = {
		[TREE_DIR] = " list ", [TREE_FILE] = " read ", [TREE_LINK] = " readlink "
	};

	if (node->op == TREE_SOCKET) {
		write_socket(out, node);
		return;
	}
	buf_text(out, node->error < 0 ? "error " : kinds[node->op]);
	write_word(out, node->path);
	if (node->error < 0) {
		buf_text(out, operations[node->op]);
		write_errno(out, node->error);
	}
	buf_text(out, "\n");
	if (node->op == TREE_DIR) {
		write_names(out, node);
	} else if (node->op == TREE_FILE) {
		write_text(out, '|', node->data, node->length);
	} else if (node->error == 0) {
		write_line(out, '|', node->data, node->length);
		buf_text(out, "\n");
	}
}

int tree_write(const struct tree *tree, struct buf *out)
{
	CLEANUP_FREE const struct tree_node **sorted = NULL;
	size_t count;
	int rc = tree_sorted(tree, &sorted, &count);

	if (rc < 0)
		return rc;
	buf_text(out, "iscsi-agentx tree 1\n");
	for (size_t i = 0; i < count; i++)
		write_node(out, sorted[i]);
	return out->error;
}

int root_record_start(struct root *root)
{
	struct tree *record = tree_new();

	if (!record)
		return -ENOMEM;
	tree_free(root->record);
	root->record = record;
	root->record_error = 0;
	return 0;
}

static int write_all(int fd, const char *data, size_t length)
{
	while (length > 0) {
		ssize_t done = write(fd, data, length);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		data += done;
		length -= (size_t)done;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* So that the new name survives a power cut. */
static int sync_directory_of(const char *path)
{
	CLEANUP_FREE char *copy = strdup(path);
	CLEANUP_FD int fd = -1;

	if (!copy)
		return -ENOMEM;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return fsync(fd) < 0 ? -errno : 0;
}

int root_record_save(struct root *root, const char *path)
{
	CLEANUP_BUF struct buf text = BUF_INIT(TREE_OCTETS_MAX);
	CLEANUP_FREE char *temporary = NULL;
	CLEANUP_FD int fd = -1;
	int rc;

	if (!root->record)
		return -EINVAL;
	if (root->record_error < 0)
		return root->record_error;
	rc = tree_write(root->record, &text);
	if (rc < 0)
		return rc;
	if (asprintf(&temporary, "%s.XXXXXX", path) < 0) {
		temporary = NULL;
		return -ENOMEM;
	}
	fd = mkostemp(temporary, O_CLOEXEC); /* mode 0600 */
	if (fd < 0)
		return -errno;
	rc = write_all(fd, text.data, text.length);
	if (rc == 0 && rename(temporary, path) < 0)
		rc = -errno;
	if (rc < 0) {
		unlink(temporary);
		return rc;
	}
	return sync_directory_of(path);
}
