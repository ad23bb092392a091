/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/pid_file.h"

#include "base/clock.h"
#include "base/log.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#define LOCK_WAIT_NS  NS_PER_S
#define LOOK_AGAIN_MS 20

/* A link, or what belongs to somebody else, could lead root to write elsewhere. */
static int open_own(const char *path)
{
	CLEANUP_FD int fd =
		open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
	struct stat st;

	if (fd < 0)
		return errno == ELOOP ? -EPERM : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_nlink > 1)
		return -EPERM;
	return steal_fd(&fd);
}

/* Who had the lock until now has removed the file that we have open. */
static bool is_removed(int fd, const char *path)
{
	struct stat open_one, named;

	return fstat(fd, &open_one) == 0 &&
	       (lstat(path, &named) < 0 || named.st_dev != open_one.st_dev ||
		       named.st_ino != open_one.st_ino);
}

/*
 * A record lock and not flock(2): a child has no part in it, and one that hangs in the kernel would
 * otherwise keep the file from the next daemon.
 */
static int open_locked(const char *path)
{
	uint64_t deadline_ns = clock_now_ns() + LOCK_WAIT_NS;
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	for (;;) {
		CLEANUP_FD int fd = open_own(path);

		if (fd < 0)
			return fd;
		if (fcntl(fd, F_SETLK, &whole) == 0) {
			if (!is_removed(fd, path))
				return steal_fd(&fd);
			continue;
		}
		if (errno != EAGAIN && errno != EACCES && errno != EINTR)
			return -errno;
		if (clock_now_ns() >= deadline_ns)
			return -EBUSY;
		poll(NULL, 0, LOOK_AGAIN_MS);
	}
}

static int write_id(int fd)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	if (ftruncate(fd, 0) < 0)
		return -errno;
	return write(fd, text, (size_t)length) == length ? 0 : -EIO;
}

int pid_file_write(const char *path)
{
	CLEANUP_FD int fd = open_locked(path);
	int rc = fd < 0 ? fd : write_id(fd);

	if (rc == -EBUSY)
		log_error("%s is the file of a process that runs: not starting", path);
	else if (rc < 0)
		log_error("cannot write the process id to %s (%s): not starting", path,
			strerror(-rc));
	return rc < 0 ? rc : steal_fd(&fd);
}

void pid_file_remove(const char *path, int fd)
{
	/* While it is locked: the next daemon's is another one. */
	unlink(path);
	close(fd);
}
