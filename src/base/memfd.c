/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/memfd.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW)

static int write_all(int fd, const char *data, size_t length)
{
	while (length) {
		ssize_t n = write(fd, data, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		data += n;
		length -= (size_t)n;
	}
	return 0;
}

int memfd_seal(const char *name, const void *data, size_t length)
{
	CLEANUP_FD int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int rc;

	if (fd < 0)
		return -errno;
	rc = write_all(fd, data, length);
	if (rc < 0)
		return rc;
	if (fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL) < 0)
		return -errno;
	return steal_fd(&fd);
}

int memfd_map(int fd, size_t length, const void **ret)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;
	void *at;

	/* Of anything else than a memfd the seals cannot be had. */
	if (seals < 0 || (seals & SEALS) != SEALS)
		return -EPERM;
	if (fstat(fd, &st) < 0 || length == 0 || (uint64_t)st.st_size != length)
		return -EMSGSIZE;
	at = mmap(NULL, length, PROT_READ, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED)
		return -ENOMEM;
	*ret = at;
	return 0;
}

int memfd_read(int fd, void *to, size_t length, uint64_t at)
{
	char *next = to;

	while (length) {
		ssize_t n = pread(fd, next, length, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		next += n;
		at += (uint64_t)n;
		length -= (size_t)n;
	}
	return 0;
}
