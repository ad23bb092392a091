/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files of the registry (store.h): finding, checking, reading, replacing, setting aside. What
 * is in them: store_parse.c, store_write.c. Agent process, as its unprivileged user.
 *
 * The directories are the administrator's choice, so nothing in them is trusted before its owner
 * and mode have been looked at, no symbolic link in them is followed, and nothing but the three
 * names below is touched.
 */
#include "index/store.h"

#include "base/buf.h"
#include "base/log.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

/* The names differ, so that both files may be in one directory. */
struct names {
	const char *file, *temporary, *bad;
	const char *loss; /* what it means that the file cannot be used */
};

static const struct names state_names = { "index", "index.tmp", "index.bad",
	"rows may get other index numbers than before" };
static const struct names run_names = { "index.run", "index.run.tmp", "index.run.bad",
	"sessions and connections may get other index numbers than before" };

static const struct names *names_of(bool persistent)
{
	return persistent ? &state_names : &run_names;
}

/*
 * Only this process's user and root can have put it there. Root as a looker-on (`peek`) takes the
 * word of the one user who can have: mostly the agent's.
 */
static bool is_ours(const struct stat *st, bool peek)
{
	return (st->st_uid == geteuid() || st->st_uid == 0 || (peek && geteuid() == 0)) &&
	       !(st->st_mode & (S_IWGRP | S_IWOTH));
}

/* Opens the directory when it is ours. Returns the descriptor or a negative errno. */
static int open_directory(const char *directory, bool peek)
{
	CLEANUP_FD int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!is_ours(&st, peek))
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

static void set_aside(
	int directory_fd, const char *directory, const struct names *names, const char *reason)
{
	int rc = renameat(directory_fd, names->file, directory_fd, names->bad) < 0 ? errno : 0;

	if (rc)
		log_error("%s/%s: %s; ignoring it (it could not be renamed to %s: %s), %s",
			directory, names->file, reason, names->bad, strerror(rc), names->loss);
	else
		log_error("%s/%s: %s; set aside as %s, %s", directory, names->file, reason,
			names->bad, names->loss);
}

/* Reads and parses the file of an open directory; `reason` as store_parse. */
static int load_file(struct registry *r, int directory_fd, bool peek, bool persistent,
	const char *boot_id, struct store_run *run, bool *ret_loaded, char reason[STORE_REASON])
{
	CLEANUP_BUF struct buf text = BUF_INIT(STORE_FILE_MAX + 64 * 1024);
	int rc = read_file(directory_fd, names_of(persistent)->file, peek, &text);

	reason[0] = '\0';
	if (rc == -E2BIG || (rc == 0 && text.length > STORE_FILE_MAX)) {
		snprintf(reason, STORE_REASON, "larger than %u octets", STORE_FILE_MAX);
		return -EBADMSG;
	}
	if (rc < 0)
		return rc;
	return store_parse(r, text.data, text.length, persistent, boot_id, run, ret_loaded, reason);
}

static int no_file(int rc, bool *ret_loaded)
{
	if (rc != -ENOENT)
		return rc;
	*ret_loaded = false;
	return 0;
}

int store_load(struct registry *r, const char *directory, bool persistent, const char *boot_id,
	struct store_run *run, bool *ret_loaded)
{
	CLEANUP_FD int directory_fd = open_directory(directory, false);
	const struct names *names = names_of(persistent);
	char reason[STORE_REASON] = "";
	int rc = directory_fd;

	if (rc >= 0) {
		/* What a process left that was killed while it saved; mostly there is none. */
		(void)unlinkat(directory_fd, names->temporary, 0);
		rc = load_file(
			r, directory_fd, false, persistent, boot_id, run, ret_loaded, reason);
	}
	if (rc == -EBADMSG)
		set_aside(directory_fd, directory, names, reason);
	else if (rc == 0 && reason[0])
		log_notice("%s/%s: %s, leaving them out", directory, names->file, reason);
	return no_file(rc, ret_loaded);
}

int store_peek(struct registry *r, const char *directory, bool persistent, const char *boot_id,
	struct store_run *run, bool *ret_loaded)
{
	CLEANUP_FD int directory_fd = open_directory(directory, true);
	char reason[STORE_REASON];

	if (directory_fd < 0)
		return no_file(directory_fd, ret_loaded);
	return no_file(
		load_file(r, directory_fd, true, persistent, boot_id, run, ret_loaded, reason),
		ret_loaded);
}

static int write_all(void *context, const char *data, size_t length)
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

/* What a new file is made of: a registry, or text that was made of one. */
struct content {
	const struct registry *registry;
	const char *boot_id;
	const struct store_run *run;
	const char *text; /* not NULL: instead of the above */
	size_t length;
};

/* Writes the temporary file until it is on the disk. */
static int write_temporary(int directory_fd, bool persistent, const struct content *content)
{
	CLEANUP_FD int fd = openat(directory_fd, names_of(persistent)->temporary,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int rc;

	if (fd < 0)
		return -errno;
	if (content->text)
		rc = write_all(&fd, content->text, content->length);
	else
		rc = store_format(content->registry, persistent, content->boot_id, content->run,
			write_all, &fd);
	if (rc == 0 && fsync(fd) < 0)
		rc = -errno;
	return rc;
}

static int replace(const char *directory, bool persistent, const struct content *content)
{
	CLEANUP_FD int directory_fd = open_directory(directory, false);
	const struct names *names = names_of(persistent);
	int rc;

	if (directory_fd < 0)
		return directory_fd;
	if (unlinkat(directory_fd, names->temporary, 0) < 0 && errno != ENOENT)
		return -errno;
	rc = write_temporary(directory_fd, persistent, content);
	if (rc == 0 && renameat(directory_fd, names->temporary, directory_fd, names->file) < 0)
		rc = -errno;
	if (rc < 0) {
		(void)unlinkat(directory_fd, names->temporary, 0);
		return rc;
	}
	return fsync(directory_fd) < 0 ? -errno : 0;
}

int store_save(const struct registry *r, const char *directory, bool persistent,
	const char *boot_id, const struct store_run *run)
{
	const struct content content = { .registry = r, .boot_id = boot_id, .run = run };

	return replace(directory, persistent, &content);
}

int store_replace(const char *directory, bool persistent, const char *text, size_t length)
{
	const struct content content = { .text = text, .length = length };

	return replace(directory, persistent, &content);
}
