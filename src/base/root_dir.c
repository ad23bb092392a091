/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The live machine and a prefix directory. Used in the reader processes through root.c. Opens
 * nothing but regular files, directories and, for a dialogue, sockets: a FIFO would wait for a
 * writer, and to open a device is to use it.
 *
 * A prefix directory may come from a stranger. Its symbolic links are resolved inside it
 * (openat2(2) with RESOLVE_IN_ROOT), so it cannot lead to the live machine. Kernels before 5.6
 * have no openat2; there the links are followed by their text (root_resolve.c), which holds
 * for a tree that nobody changes meanwhile.
 */
#include "base/root_private.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#define READ_FLAGS (O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

static ssize_t target_below(void *context, const char *path, char *out, size_t capacity)
{
	const int *dir_fd = context;

	return readlinkat(*dir_fd, path + 1, out, capacity);
}

/* What openat2 does, on kernels that lack it. */
static int open_resolved(int dir_fd, const char *path, int flags)
{
	char resolved[PATH_MAX];
	int rc, fd;

	rc = root_resolve(resolved, path, !(flags & O_NOFOLLOW), target_below, &dir_fd);
	if (rc < 0)
		return rc;
	fd = openat(dir_fd, resolved[1] ? resolved + 1 : ".", flags | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

static int open_below(const struct root *root, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)flags,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	long fd;

	if (root->live) {
		fd = open(path, flags);
		return fd < 0 ? -errno : (int)fd;
	}
	for (int tries = 0; tries < 8; tries++) {
		fd = syscall(SYS_openat2, root->dir_fd, path, &how, sizeof(how));
		if (fd >= 0)
			return (int)fd;
		/* EAGAIN: something was renamed while the kernel walked. */
		if (errno != EAGAIN && errno != EINTR)
			break;
	}
	/* EPERM: sandboxes that do not know the call. */
	if (errno == ENOSYS || errno == EPERM)
		return open_resolved(root->dir_fd, path, flags);
	return -errno;
}

/* The path of what an O_PATH descriptor refers to, for calls that have no *at form. */
static void fd_path(char out[32], int fd)
{
	snprintf(out, 32, "/proc/self/fd/%d", fd);
}

/* Refuses what has an innocent name but is a link to a secret. */
static int check_target(const struct root *root, int fd, enum root_refusal tolerated)
{
	char link[32], target[PATH_MAX], prefix[PATH_MAX];
	ssize_t length, prefix_length = 0;

	fd_path(link, fd);
	length = readlink(link, target, sizeof(target) - 1);
	if (length < 0)
		return -errno;
	target[length] = '\0';
	if (!root->live) {
		fd_path(link, root->dir_fd);
		prefix_length = readlink(link, prefix, sizeof(prefix) - 1);
		if (prefix_length < 0)
			return -errno;
		if (prefix_length == 1)
			prefix_length = 0; /* "/" */
		/* The prefix itself may have any name. */
		if (prefix_length > length || memcmp(prefix, target, (size_t)prefix_length) != 0)
			return -EACCES;
	}
	return root_path_refusal(target + prefix_length) > tolerated ? -EACCES : 0;
}

static int require_type(int fd, mode_t type)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if ((st.st_mode & S_IFMT) == type)
		return 0;
	return S_ISDIR(st.st_mode) ? -EISDIR : -EACCES;
}

bool root_is_sysfs_path(const struct root *root, const char *path)
{
	static const char *const others[] = { "/sys/kernel/config/", "/sys/kernel/debug/",
		"/sys/fs/" };

	if (!root->live || strncmp(path, "/sys/", 5) != 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (strncmp(path, others[i], strlen(others[i])) == 0)
			return false;
	}
	return true;
}

/* /sys and /proc hold no devices, FIFOs and sockets, and their links lead to nothing secret. */
static bool is_kernel_path(const struct root *root, const char *path)
{
	return root->live && (strncmp(path, "/sys/", 5) == 0 || strncmp(path, "/proc/", 6) == 0);
}

int root_dir_open_file(const struct root *root, const char *path, enum root_refusal tolerated)
{
	CLEANUP_FD int fd = -1;
	CLEANUP_FD int found = -1;
	char link[32];
	int rc;

	/* A directory among them says so when it is read. */
	if (is_kernel_path(root, path))
		return open_below(root, path, READ_FLAGS);
	/* Look at it before it is opened: for O_PATH a device is only a name. */
	found = open_below(root, path, O_PATH | O_CLOEXEC);
	if (found < 0)
		return found;
	rc = require_type(found, S_IFREG);
	if (rc < 0)
		return rc;
	rc = check_target(root, found, tolerated);
	if (rc < 0)
		return rc;
	fd_path(link, found);
	fd = open(link, READ_FLAGS);
	if (fd < 0)
		return -errno;
	rc = require_type(fd, S_IFREG);
	return rc < 0 ? rc : steal_fd(&fd);
}

int root_fd_read(int fd, bool at_once, struct buf *out)
{
	for (;;) {
		size_t room = out->limit - out->length;
		size_t chunk = out->capacity > out->length ? out->capacity - out->length - 1 : 0;
		char beyond, *to = &beyond;
		ssize_t got;

		if (room > 0) {
			if (chunk < 4096)
				chunk = 4096;
			if (chunk > room)
				chunk = room;
			if (buf_reserve(out, chunk) < 0)
				return out->error;
			to = out->data + out->length;
		} else {
			chunk = 1; /* is there more than may be kept? */
		}
		got = read(fd, to, chunk);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return 0;
		if (room == 0)
			return -E2BIG;
		out->length += (size_t)got;
		out->data[out->length] = '\0';
		if (at_once && (size_t)got < chunk)
			return 0;
	}
}

static int dir_read(
	struct root *root, const char *path, enum root_refusal tolerated, struct buf *out)
{
	CLEANUP_FD int fd = root_dir_open_file(root, path, tolerated);

	return fd < 0 ? fd : root_fd_read(fd, root_is_sysfs_path(root, path), out);
}

static int dir_read_link(struct root *root, const char *path, struct buf *out)
{
	CLEANUP_FD int fd = open_below(root, path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	char target[PATH_MAX];
	struct stat st;
	ssize_t length;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISLNK(st.st_mode))
		return -EINVAL; /* as readlink(2) */
	length = readlinkat(fd, "", target, sizeof(target));
	if (length < 0)
		return -errno;
	return buf_append(out, target, (size_t)length);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Appends the `count` names of `found` in order. */
static int sort_names(const struct buf *found, size_t count, struct buf *names)
{
	CLEANUP_FREE const char **sorted = NULL;
	const char *at = found->data;

	if (count == 0)
		return 0;
	sorted = calloc(count, sizeof(*sorted));
	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		sorted[i] = at;
		at += strlen(at) + 1;
	}
	qsort(sorted, count, sizeof(*sorted), compare_names);
	for (size_t i = 0; i < count; i++)
		buf_append(names, sorted[i], strlen(sorted[i]) + 1);
	return names->error < 0 ? names->error : (int)count;
}

/* As the kernel gives them, getdents64(2). */
struct entry {
	uint64_t inode;
	int64_t next;
	uint16_t length; /* octets, of this one and to the next one */
	uint8_t type;
	char name[];
};

/* Appends the names of `length` octets of entries; counts them. */
static int take_entries(const char *at, size_t length, struct buf *found, size_t *count)
{
	const char *end = at + length;

	while (at < end) {
		const struct entry *entry = (const void *)at;

		at += entry->length;
		if (strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0)
			continue;
		if (++*count > ROOT_LIST_MAX)
			return -E2BIG;
		if (buf_append(found, entry->name, strlen(entry->name) + 1) < 0)
			return found->error;
	}
	return 0;
}

/*
 * Not by readdir(3), which asks for two things more about each directory before it reads it: of
 * disks many small ones are listed.
 */
static int read_names(int fd, struct buf *names)
{
	CLEANUP_BUF struct buf found = BUF_INIT((size_t)ROOT_LIST_MAX * (NAME_MAX + 1));
	_Alignas(struct entry) char room[32768];
	size_t count = 0;

	for (;;) {
		long got = syscall(SYS_getdents64, fd, room, sizeof(room));
		int rc;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return sort_names(&found, count, names);
		rc = take_entries(room, (size_t)got, &found, &count);
		if (rc < 0)
			return rc;
	}
}

static int dir_list(struct root *root, const char *path, struct buf *names)
{
	CLEANUP_FD int fd = open_below(root, path, READ_FLAGS | O_DIRECTORY);

	return fd < 0 ? fd : read_names(fd, names);
}

int root_dir_object(const struct root *root, const char *path, uint64_t *ret)
{
	CLEANUP_FD int fd = open_below(root, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	*ret = st.st_ino;
	return 0;
}

/*
 * A socket file is reached through /proc/self/fd: the prefix may be longer than sun_path, and a
 * symbolic link in it must not lead out of the prefix.
 */
static int dir_exchange(struct root *root, const char *socket_path, const void *request,
	size_t request_length, root_answer_length_fn *answer_length, uint64_t deadline_ns,
	struct buf *answer, struct root_peer *peer)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t length = offsetof(struct sockaddr_un, sun_path);
	CLEANUP_FD int fd = -1;
	char name[PATH_MAX];
	int rc;

	if (socket_path[0] == '@' && root->live) {
		size_t used = strlen(socket_path);

		if (used > sizeof(address.sun_path))
			return -ENAMETOOLONG;
		memcpy(address.sun_path, socket_path, used);
		address.sun_path[0] = '\0';
		return root_socket_exchange(&address, length + used, request, request_length,
			answer_length, deadline_ns, answer, peer);
	}
	rc = snprintf(name, sizeof(name), "%s%s", socket_path[0] == '@' ? "/" : "", socket_path);
	if (rc < 0 || (size_t)rc >= sizeof(name))
		return -ENAMETOOLONG;
	fd = open_below(root, name, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return fd;
	rc = require_type(fd, S_IFSOCK);
	if (rc < 0)
		return -ECONNREFUSED; /* as connect(2) */
	fd_path(name, fd);
	memcpy(address.sun_path, name, strlen(name));
	return root_socket_exchange(&address, length + strlen(name) + 1, request, request_length,
		answer_length, deadline_ns, answer, peer);
}

const struct root_ops root_dir_ops = {
	.read = dir_read,
	.read_link = dir_read_link,
	.list = dir_list,
	.exchange = dir_exchange,
};
