/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/scst_read.h"

#include "base/clock.h"

#include <stdarg.h>

int scst_reader_fail(struct scst_reader *r, int error, const char *what)
{
	if (r->error == 0) {
		r->error = error;
		snprintf(r->why, sizeof(r->why), "%s %s: %s", what, r->path, strerror(-error));
	}
	return r->error;
}

int scst_reader_check(struct scst_reader *r)
{
	if (r->error == 0 && clock_now_ns() >= r->deadline_ns)
		return scst_reader_fail(r, -ETIMEDOUT, "reading after");
	return r->error;
}

bool scst_is_gone(int error)
{
	return error == -ENOENT || error == -ENODEV || error == -ENOTDIR;
}

static int set_path(struct scst_reader *r, const char *format, va_list args) PRINTF_LIKE(2, 0);

static int set_path(struct scst_reader *r, const char *format, va_list args)
{
	int length = vsnprintf(r->path, sizeof(r->path), format, args);

	return length < 0 || (size_t)length >= sizeof(r->path) ? -ENAMETOOLONG : 0;
}

int scst_read(struct scst_reader *r, const char *format, ...)
{
	ssize_t length;
	va_list args;
	int rc;

	va_start(args, format);
	rc = set_path(r, format, args);
	va_end(args);
	r->text[0] = 0;
	r->length = 0;
	if (rc < 0)
		return rc;
	length = root_read(r->root, r->path, r->text, sizeof(r->text));
	if (length < 0) {
		r->text[0] = 0;
		return (int)length;
	}
	r->length = (size_t)length;
	return 0;
}

int scst_list(struct scst_reader *r, struct buf *names, const char *format, ...)
{
	va_list args;
	int rc;

	va_start(args, format);
	rc = set_path(r, format, args);
	va_end(args);
	buf_reset(names);
	if (rc == 0)
		rc = root_list(r->root, r->path, names);
	if (rc >= 0)
		return rc;
	if (scst_is_gone(rc))
		return -ENOENT;
	if (rc == -EACCES || rc == -EPERM)
		return -EACCES;
	return scst_reader_fail(r, rc, "listing");
}

const char *scst_next_name(const char *name)
{
	return name + strlen(name) + 1;
}
