/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The doorman of base/root.h: makes paths canonical, refuses secrets, passes the call on to the
 * live machine, the prefix directory or the recording, and keeps what came for --record. Used in
 * the reader processes and the one-shot commands. It opens nothing by itself but the root.
 */
#include "base/root_private.h"

#include "base/log.h"

#include <fcntl.h>
#include <sys/stat.h>

int root_path_canonical(char out[PATH_MAX], const char *path)
{
	size_t used = 0;

	if (path[0] != '/')
		return -EINVAL;
	while (*path) {
		size_t length;

		path += strspn(path, "/");
		length = strcspn(path, "/");
		if (length == 2 && path[0] == '.' && path[1] == '.')
			return -EINVAL;
		if (length > 0 && !(length == 1 && path[0] == '.')) {
			if (used + 1 + length >= PATH_MAX)
				return -ENAMETOOLONG;
			out[used++] = '/';
			memcpy(out + used, path, length);
			used += length;
		}
		path += length;
	}
	if (used == 0)
		out[used++] = '/';
	out[used] = '\0';
	return 0;
}

/* Canonical, and not one that would show a secret. */
static int admit(char out[PATH_MAX], const char *path, enum root_refusal tolerated)
{
	int rc = root_path_canonical(out, path);

	if (rc < 0)
		return rc;
	return root_path_refusal(out) > tolerated ? -EACCES : 0;
}

static int open_recording(const char *path, int fd, struct tree **ret)
{
	CLEANUP_BUF struct buf text = BUF_INIT(TREE_OCTETS_MAX);
	int rc = root_fd_read(fd, false, &text);

	if (rc < 0)
		return rc;
	return tree_load(path, text.data ? text.data : "", text.length, ret);
}

static int open_kind(struct root *root, const char *path)
{
	CLEANUP_FD int fd = -1;
	struct stat st;

	if (!path || strcmp(path, "/") == 0) {
		root->live = true;
		root->ops = &root_dir_ops;
		return 0;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode)) {
		root->ops = &root_dir_ops;
		root->dir_fd = steal_fd(&fd);
		return 0;
	}
	if (!S_ISREG(st.st_mode))
		return -ENOTDIR;
	root->ops = &root_tree_ops;
	return open_recording(path, fd, &root->tree);
}

int root_open(const char *path, struct root **ret)
{
	struct root *root = calloc(1, sizeof(*root));
	int rc;

	if (!root)
		return -ENOMEM;
	root->dir_fd = -1;
	rc = open_kind(root, path);
	if (rc < 0) {
		root_close(root);
		return rc;
	}
	*ret = root;
	return 0;
}

void root_close(struct root *root)
{
	if (!root)
		return;
	if (root->dir_fd >= 0)
		close(root->dir_fd);
	tree_free(root->tree);
	tree_free(root->record);
	free(root);
}

bool root_is_live(const struct root *root)
{
	return root->live;
}

void root_set_between(struct root *root, root_between_fn *between, void *context)
{
	root->between = between;
	root->between_context = context;
}

static void keep(struct root *root, const struct tree_node *node)
{
	int rc;

	if (!root->record)
		return;
	rc = tree_put(root->record, node);
	if (rc < 0 && root->record_error == 0)
		root->record_error = rc;
}

void root_keep(
	struct root *root, enum tree_op op, const char *path, const char *content, ssize_t rc)
{
	keep(root, &(struct tree_node){
			   .op = op,
			   .error = rc < 0 ? (int)rc : 0,
			   .path = path,
			   .data = content,
			   .length = rc < 0 ? 0 : (size_t)rc,
		   });
}

/* `content` is empty and stays so on failure. */
static int read_content(struct root *root, enum tree_op op, const char *name, struct buf *content)
{
	char path[PATH_MAX];
	int rc = admit(path, name, op == TREE_FILE ? ROOT_ALLOWED : ROOT_REFUSED_FILE);

	if (rc < 0)
		return rc;
	if (op == TREE_FILE)
		rc = root->ops->read(root, path, ROOT_ALLOWED, content);
	else if (op == TREE_LINK)
		rc = root->ops->read_link(root, path, content);
	else
		rc = root->ops->list(root, path, content);
	root_keep(root, op, path, content->data, rc < 0 ? rc : (ssize_t)content->length);
	if (rc < 0)
		buf_reset(content);
	root_between(root);
	return rc;
}

/* Into memory of the caller: a buffer whose limit keeps it from growing. */
static ssize_t read_fixed(
	struct root *root, enum tree_op op, const char *path, char *out, size_t capacity)
{
	struct buf content;
	int rc;

	if (capacity == 0)
		return -EINVAL;
	content = (struct buf){ .data = out, .capacity = capacity, .limit = capacity - 1 };
	out[0] = '\0';
	rc = read_content(root, op, path, &content);
	return rc < 0 ? rc : (ssize_t)content.length;
}

ssize_t root_read(struct root *root, const char *path, char *out, size_t capacity)
{
	return read_fixed(root, TREE_FILE, path, out, capacity);
}

int root_read_whole(struct root *root, const char *path, struct buf *out)
{
	buf_reset(out);
	return read_content(root, TREE_FILE, path, out);
}

ssize_t root_read_link(struct root *root, const char *path, char *out, size_t capacity)
{
	return read_fixed(root, TREE_LINK, path, out, capacity);
}

int root_list(struct root *root, const char *path, struct buf *names)
{
	buf_reset(names);
	return read_content(root, TREE_DIR, path, names);
}

int root_directory_object(struct root *root, const char *path, uint64_t *ret)
{
	char canonical[PATH_MAX];
	int rc = admit(canonical, path, ROOT_ALLOWED);

	*ret = 0;
	return rc < 0 || !root->live ? rc : root_dir_object(root, canonical, ret);
}

/* A socket in the abstract namespace keeps its name: there, all octets count. */
static int admit_socket(char out[PATH_MAX], const char *path)
{
	size_t length = strlen(path);

	if (path[0] != '@')
		return admit(out, path, ROOT_REFUSED_FILE);
	if (length < 2 || length >= PATH_MAX)
		return -EINVAL;
	memcpy(out, path, length + 1);
	return 0;
}

int root_exchange(struct root *root, const char *socket_path, const void *request,
	size_t request_length, root_answer_length_fn *answer_length, uint64_t deadline_ns,
	struct buf *answer, struct root_peer *ret_peer)
{
	struct root_peer peer = { .pid = 0 };
	char path[PATH_MAX];
	int rc;

	buf_reset(answer);
	rc = admit_socket(path, socket_path);
	if (rc < 0)
		return rc;
	rc = root->ops->exchange(
		root, path, request, request_length, answer_length, deadline_ns, answer, &peer);
	keep(root, &(struct tree_node){
			   .op = TREE_SOCKET,
			   .error = rc < 0 ? rc : 0,
			   .peer = peer,
			   .path = path,
			   .request = request,
			   .request_length = request_length,
			   .data = answer->data,
			   .length = answer->length,
		   });
	if (rc == 0 && ret_peer)
		*ret_peer = peer;
	root_between(root);
	return rc;
}

static int zone_below(void *context, const char *name, uint32_t *ret)
{
	char path[64], text[32];
	ssize_t length;

	snprintf(path, sizeof(path), "/sys/class/net/%s/ifindex", name);
	length = root_read(context, path, text, sizeof(text));
	if (length < 0)
		return (int)length;
	return text_to_u32(text, INT32_MAX, ret);
}

int root_to_address(struct root *root, const char *text, struct text_address *ret)
{
	return text_to_address_in(text, zone_below, root, ret);
}

int root_to_endpoint(
	struct root *root, const char *text, struct text_address *ret_address, uint16_t *ret_port)
{
	return text_to_endpoint_in(text, zone_below, root, ret_address, ret_port);
}
