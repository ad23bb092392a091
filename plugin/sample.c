/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugin/sample.h"

#include "base/buf.h"

#include <fcntl.h>

#define MAGIC "check_iscsi_snmp 1"

int sample_load(const char *path, struct sample *ret)
{
	struct sample s = { .time_s = 0 };
	char text[512], *at;
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t length;

	if (fd < 0)
		return errno == ENOENT ? -ENOENT : -EINVAL;
	length = read(fd, text, sizeof(text) - 1);
	if (length <= 0)
		return -EINVAL;
	text[length] = '\0';
	if (strncmp(text, MAGIC, strlen(MAGIC)) != 0 || text[length - 1] != '\n')
		return -EINVAL;
	at = text + strlen(MAGIC);
	for (int i = 0; i < 1 + SAMPLE_COUNTERS; i++) {
		char *end;
		unsigned long long value;

		if (at[0] != ' ' || at[1] < '0' || at[1] > '9')
			return -EINVAL;
		errno = 0;
		value = strtoull(at, &end, 10);
		if (errno)
			return -EINVAL;
		*(i ? &s.counters[i - 1] : &s.time_s) = value;
		at = end;
	}
	if (strcmp(at, "\n") != 0)
		return -EINVAL;
	*ret = s;
	return 0;
}

int sample_save(const char *path, const struct sample *sample)
{
	CLEANUP_BUF struct buf text = BUF_INIT(512), aside = BUF_INIT(4096);
	CLEANUP_FD int fd = -1;
	int rc;

	buf_printf(&text, MAGIC " %llu", (unsigned long long)sample->time_s);
	for (int i = 0; i < SAMPLE_COUNTERS; i++)
		buf_printf(&text, " %llu", (unsigned long long)sample->counters[i]);
	buf_text(&text, "\n");
	rc = buf_printf(&aside, "%s.%ld", path, (long)getpid());
	if (rc < 0 || text.error)
		return rc < 0 ? rc : text.error;
	fd = open(aside.data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (write(fd, text.data, text.length) != (ssize_t)text.length)
		rc = errno ? -errno : -EIO;
	else if (rename(aside.data, path) < 0)
		rc = -errno;
	else
		return 0;
	unlink(aside.data);
	return rc;
}

uint64_t sample_increase(const struct sample *before, const struct sample *now, int index)
{
	if (now->counters[index] < before->counters[index])
		return 0;
	return now->counters[index] - before->counters[index];
}
