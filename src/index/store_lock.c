/* SPDX-License-Identifier: BSD-2-Clause */
#include "index/store_lock.h"

#include "base/clock.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>

#define LOOK_AGAIN_MS 20

int store_lock(const char *directory, uint64_t wait_ns, int *ret_fd)
{
	uint64_t deadline_ns = clock_now_ns() + wait_ns;
	CLEANUP_FD int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (clock_now_ns() >= deadline_ns)
			return -EBUSY;
		poll(NULL, 0, LOOK_AGAIN_MS);
	}
	*ret_fd = steal_fd(&fd);
	return 0;
}
