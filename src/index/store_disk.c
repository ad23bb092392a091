/* SPDX-License-Identifier: BSD-2-Clause */
#include "index/store_disk.h"

#include "base/log.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

/*
 * Only this process's user and root can have put it there. Root as a looker-on (`peek`) takes the
 * word of the one user who can have: mostly the agent's.
 */
static bool is_ours(const struct stat *st, bool peek)
{
	return (st->st_uid == geteuid() || st->st_uid == 0 || (peek && geteuid() == 0)) &&
	       !(st->st_mode & (S_IWGRP | S_IWOTH));
}

/*
 * Opens the directory when it is ours; to write there, when it is so alone, as the parent makes it:
 * one that it has left to others is theirs, whoever owns it. Returns the descriptor or a negative
 * errno.
 */
static int open_directory(const char *directory, bool peek)
{
	CLEANUP_FD int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!is_ours(&st, peek) || (!peek && st.st_mode & (S_IRWXG | S_IRWXO)))
		return -EPERM;
	return steal_fd(&fd);
}

static int read_all(int fd, struct buf *out)
{
	for (;;) {
		ssize_t got;
		int rc = buf_reserve(out, 64 * 1024);

		if (rc < 0)
			return rc;
		got = read(fd, out->data + out->length, 64 * 1024);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : 0;
		out->length += (size_t)got;
	}
}

/* Reads the file of an open directory. Returns 0, -ENOENT, -EPERM, -E2BIG or another errno. */
static int read_file(int directory_fd, const char *name, bool peek, struct buf *out)
{
	/* O_NONBLOCK: a FIFO of this name must not stop us. */
	CLEANUP_FD int fd = openat(
		directory_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return errno == ELOOP ? -EPERM : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || !is_ours(&st, peek))
		return -EPERM;
	return read_all(fd, out);
}

static void set_aside(int directory_fd, const char *directory, const struct store_names *names,
	const char *reason)
{
	int rc = renameat(directory_fd, names->file, directory_fd, names->bad) < 0 ? errno : 0;

	if (rc)
		log_error("%s/%s: %s; ignoring it (it could not be renamed to %s: %s), %s",
			directory, names->file, reason, names->bad, strerror(rc), names->loss);
	else
		log_error("%s/%s: %s; set aside as %s, %s", directory, names->file, reason,
			names->bad, names->loss);
}

/* Reads the file of an open directory and hands it over; `reason` as store_take_fn. */
static int take_file(const struct store_names *names, int directory_fd, bool peek,
	store_take_fn *take, void *context, char reason[STORE_REASON])
{
	CLEANUP_BUF struct buf text = BUF_INIT(names->max + 64 * 1024);
	int rc = read_file(directory_fd, names->file, peek, &text);

	reason[0] = '\0';
	if (rc == -E2BIG || (rc == 0 && text.length > names->max)) {
		snprintf(reason, STORE_REASON, "larger than %zu octets", names->max);
		return -EBADMSG;
	}
	return rc < 0 ? rc : take(context, text.data, text.length, reason);
}

int store_disk_load(const struct store_names *names, const char *directory, bool peek,
	store_take_fn *take, void *context)
{
	CLEANUP_FD int directory_fd = open_directory(directory, peek);
	char reason[STORE_REASON] = "";
	int rc = directory_fd;

	if (rc < 0)
		return rc;
	/* What a process left that was killed while it saved; mostly there is none. */
	if (!peek)
		(void)unlinkat(directory_fd, names->temporary, 0);
	rc = take_file(names, directory_fd, peek, take, context, reason);
	if (rc == -EBADMSG && !peek)
		set_aside(directory_fd, directory, names, reason);
	else if (rc == 0 && reason[0] && !peek)
		log_notice("%s/%s: %s, leaving them out", directory, names->file, reason);
	return rc;
}

/* Writes the temporary file until it is on the disk. */
static int write_temporary(
	const struct store_names *names, int directory_fd, store_write_fn *write, void *context)
{
	CLEANUP_FD int fd = openat(directory_fd, names->temporary,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int rc;

	if (fd < 0)
		return -errno;
	rc = write(context, fd);
	if (rc == 0 && fsync(fd) < 0)
		rc = -errno;
	return rc;
}

int store_disk_replace(const struct store_names *names, const char *directory,
	store_write_fn *write, void *context)
{
	CLEANUP_FD int directory_fd = open_directory(directory, false);
	int rc;

	if (directory_fd < 0)
		return directory_fd;
	if (unlinkat(directory_fd, names->temporary, 0) < 0 && errno != ENOENT)
		return -errno;
	rc = write_temporary(names, directory_fd, write, context);
	if (rc == 0 && renameat(directory_fd, names->temporary, directory_fd, names->file) < 0)
		rc = -errno;
	if (rc < 0) {
		(void)unlinkat(directory_fd, names->temporary, 0);
		return rc;
	}
	return fsync(directory_fd) < 0 ? -errno : 0;
}

int store_disk_write(void *context, const char *data, size_t length)
{
	const int *fd = context;

	while (length > 0) {
		ssize_t written = write(*fd, data, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		data += written;
		length -= (size_t)written;
	}
	return 0;
}
