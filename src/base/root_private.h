/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files root*.c share: the three kinds of root behind one table of operations, and
 * the tree in memory that a recording is made of. Nobody else includes this but their tests.
 *
 *   root.c         paths, refusals, dispatch, what is kept for a recording
 *   root_secret.c  the list of what is never opened
 *   root_filter.c  the lines of a file that are not secret
 *   root_dir.c     the live machine and a prefix directory
 *   root_file.c    files that stay open between polls
 *   root_resolve.c symbolic links that stay below a prefix
 *   root_tree.c    a recording as a root; tree_map.c, tree_load.c, tree_save.c: its parts
 *   root_socket.c  one request and answer; root_tcp*.c the socket table
 *   root_netlink.c a netlink socket of the live machine
 */
#ifndef BASE_ROOT_PRIVATE_H
#define BASE_ROOT_PRIVATE_H

#include "base/root.h"

#include <limits.h>

/* What was asked of a root. Each (operation, path, request) is one record. */
enum tree_op { TREE_DIR, TREE_FILE, TREE_LINK, TREE_SOCKET };

/* Why a path is refused. */
enum root_refusal {
	ROOT_ALLOWED,
	ROOT_REFUSED_FILE, /* the file holds secrets among other lines; a directory may be listed */
	ROOT_REFUSED,
};
enum root_refusal root_path_refusal(const char *path);

/* The operations of a kind of root. Paths come canonical, and are not secret. */
struct root_ops {
	/* Appends the whole file to `out`, which is empty. 0 or a negative errno; -EACCES when
	 * links lead to what is refused more than `tolerated`. */
	int (*read)(
		struct root *root, const char *path, enum root_refusal tolerated, struct buf *out);
	/* The target, not NUL-terminated: appended to `out`, which is empty. */
	int (*read_link)(struct root *root, const char *path, struct buf *out);
	/* Appends the sorted names. Returns their number. */
	int (*list)(struct root *root, const char *path, struct buf *names);
	int (*exchange)(struct root *root, const char *socket_path, const void *request,
		size_t request_length, root_answer_length_fn *answer_length, uint64_t deadline_ns,
		struct buf *answer, struct root_peer *peer);
};

struct tree;

struct root {
	const struct root_ops *ops;
	bool live;
	int dir_fd;		  /* of the prefix directory, else -1 */
	struct tree *tree;	  /* of the recording that is replayed, else NULL */
	struct tree *record;	  /* what is kept for root_record_save, else NULL */
	int record_error;	  /* first failure to keep something */
	size_t kept_files;	  /* descriptors held by root_file.c */
	uint64_t kept_objects;	  /* how often it has opened one to hold it */
	size_t kept_max;	  /* how many it may hold, 0: not yet asked for */
	root_between_fn *between; /* see root_set_between; NULL none */
	void *between_context;
};

/* An operation is over. */
static inline void root_between(const struct root *root)
{
	if (root->between)
		root->between(root->between_context);
}

extern const struct root_ops root_dir_ops, root_tree_ops;

/*
 * Writes `path` without empty and "." components. -EINVAL when it is not absolute or has a "..",
 * -ENAMETOOLONG.
 */
int root_path_canonical(char out[PATH_MAX], const char *path);

/*
 * Resolves the symbolic links of an absolute path as a process would that has the root of the
 * tree as its root directory: absolute targets and ".." stay inside. `read_target` returns the
 * length of the target of the link at a path, or negative when there is no link. The last
 * component is left alone without `follow_last`. -ELOOP after 40 links, -ENAMETOOLONG.
 */
typedef ssize_t root_target_fn(void *context, const char *path, char *out, size_t capacity);
int root_resolve(char out[PATH_MAX], const char *path, bool follow_last,
	root_target_fn *read_target, void *context);

/*
 * Appends what is left to read of a regular file. `at_once`: a read that gives less than it might
 * is the end of it, as with attributes of sysfs. 0, -E2BIG (out->limit) or a negative errno.
 */
int root_fd_read(int fd, bool at_once, struct buf *out);

/* True for a path of the live machine's sysfs, but for what is mounted below it. */
bool root_is_sysfs_path(const struct root *root, const char *path);

/* Keeps the result `rc` of an operation for the recording, if one is made: the octets of
 * `content`, or a negative errno. */
void root_keep(
	struct root *root, enum tree_op op, const char *path, const char *content, ssize_t rc);

/* Opens a regular file of the live machine or the prefix; anything else is not opened, nor what is
 * refused more than `tolerated` under the name that links lead to. */
int root_dir_open_file(const struct root *root, const char *path, enum root_refusal tolerated);

/* root_directory_object of a canonical path that is not secret; of the live machine. */
int root_dir_object(const struct root *root, const char *path, uint64_t *ret);

/* As root_read, but of any size up to out->limit; out is emptied first. */
int root_read_whole(struct root *root, const char *path, struct buf *out);

/*
 * The dialogue of root_exchange over the socket at `address`. `peer` is not NULL; it is filled as
 * soon as the connection stands.
 */
struct sockaddr_un;
int root_socket_exchange(const struct sockaddr_un *address, size_t address_length,
	const void *request, size_t request_length, root_answer_length_fn *answer_length,
	uint64_t deadline_ns, struct buf *answer, struct root_peer *peer);

/* Field 22 of /proc/PID/stat from its text. 0 or -EBADMSG. */
int root_parse_start_time(const char *stat, uint64_t *ret);

/* Cuts a complete answer to its length. -ECONNRESET when `answer` is not all of it. */
int root_answer_complete(root_answer_length_fn *answer_length, struct buf *answer);

/* A growing array of TCP sockets. */
struct tcp_list {
	struct root_tcp_socket *sockets;
	size_t count, capacity;
};

#define ROOT_TCP_MAX	  1000000u	      /* sockets */
#define ROOT_TCP_TEXT_MAX ((size_t)256 << 20) /* octets of /proc/net/tcp */

int tcp_list_add(struct tcp_list *list, const struct root_tcp_socket *socket);
void tcp_list_free(struct tcp_list *list);
#define CLEANUP_TCP_LIST __attribute__((cleanup(tcp_list_free)))

/* Adds the established sockets of the kernel's text /proc/net/tcp or tcp6. 0 or -EBADMSG … */
int tcp_text_parse(const char *text, size_t length, struct tcp_list *list);
/* Writes the sockets of one family in that format, the header line included. */
int tcp_text_write(struct buf *out, const struct tcp_list *list, bool ipv6);

/* Adds what one datagram of a SOCK_DIAG dump holds. 1 when it ends the dump, 0, or -errno. */
int tcp_diag_parse(const void *data, size_t length, uint32_t sequence, struct tcp_list *list,
	bool *interrupted);
/* Adds all established sockets of this network namespace. */
int tcp_diag_dump(struct tcp_list *list, uint64_t deadline_ns);

/*
 * One answer of the kernel about one socket. Returns 0, with ret->known when it had the numbers;
 * -EAGAIN (of another request), -EBADMSG, or the error that it tells (-ENOENT: no such socket),
 * with ret untouched.
 */
int tcp_info_parse(const void *data, size_t length, uint32_t sequence, struct root_tcp_info *ret);

/* One record. As a parameter all of it belongs to the caller; the tree keeps a copy. */
struct tree_node {
	enum tree_op op;
	int error;	       /* 0 or a negative errno */
	struct root_peer peer; /* of TREE_SOCKET */
	const char *path;
	const char *request; /* of TREE_SOCKET */
	size_t request_length;
	const char *data; /* content; target; names, each with a NUL; answer as far as it came */
	size_t length;
};

#define TREE_OCTETS_MAX ((size_t)256 << 20) /* of a recording in memory, and as a file */
#define TREE_NODES_MAX	4000000u

struct tree *tree_new(void);
void tree_free(struct tree *tree);

/* Adds a copy of `node` or replaces the record of the same key. -ENOMEM, -E2BIG. */
int tree_put(struct tree *tree, const struct tree_node *node);

/* The record of the key, or NULL. Valid until the next tree_put. */
const struct tree_node *tree_find(const struct tree *tree, enum tree_op op, const char *path,
	const void *request, size_t request_length);

/* All records, sorted by path, operation and request, in a new array of pointers. */
int tree_sorted(const struct tree *tree, const struct tree_node ***ret, size_t *ret_count);

/* Parses the text of a recording; `name` is for messages. -EBADMSG after a message, -ENOMEM. */
int tree_load(const char *name, const char *text, size_t length, struct tree **ret);
int tree_write(const struct tree *tree, struct buf *out);

/* The name of an errno (positive) or NULL; and back, 0 when it is none. */
const char *tree_errno_name(int number);
int tree_errno_number(const char *name, size_t length);

#endif
