/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/boot.h"

#include <fcntl.h>

int boot_id_read(char out[BOOT_ID_LENGTH + 1])
{
	CLEANUP_FD int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	char text[BOOT_ID_LENGTH];
	ssize_t n;

	snprintf(out, BOOT_ID_LENGTH + 1, "00000000-0000-0000-0000-000000000000");
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text));
	if (n != (ssize_t)sizeof(text))
		return n < 0 ? -errno : -EIO;
	memcpy(out, text, sizeof(text));
	return 0;
}
