/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Single files and directories of configfs. Called by lio_read.c and lio_read_session.c in the
 * reader process of the source. Must not take the failure of one file for that of the poll, nor
 * that of the machine (no memory, no descriptors) for that of a file.
 */
#include "source/lio_read_private.h"

#include "base/clock.h"

#include <stdarg.h>

int lio_reader_fail(struct lio_reader *r, int error, const char *what)
{
	if (!r->error) {
		r->error = error;
		snprintf(r->why->text, sizeof(r->why->text), "%s %.100s: %s", what, r->path,
			strerror(-error));
	}
	return error;
}

/* An error of this process and not of what it reads. */
static bool is_want(ssize_t rc)
{
	return rc == -ENOMEM || rc == -EMFILE || rc == -ENFILE;
}

/* r->path; false when it has no room for it. */
static bool PRINTF_LIKE(2, 0) set_path(struct lio_reader *r, const char *format, va_list args)
{
	int length = vsnprintf(r->path, sizeof(r->path), format, args);

	return length >= 0 && (size_t)length < sizeof(r->path);
}

ssize_t lio_reader_file(struct lio_reader *r, const char *format, ...)
{
	ssize_t length;
	va_list args;
	bool fits;

	va_start(args, format);
	fits = set_path(r, format, args);
	va_end(args);
	if (!fits)
		length = -ENAMETOOLONG;
	else if (clock_now_ns() > r->deadline_ns)
		length = lio_reader_fail(r, -ETIMEDOUT, "reading");
	else
		length = root_read(r->root, r->path, r->text, sizeof(r->text));
	if (length < 0)
		*r->text = 0;
	if (is_want(length))
		lio_reader_fail(r, (int)length, "reading");
	return length;
}

int lio_reader_list(struct lio_reader *r, struct buf *names, const char *format, ...)
{
	va_list args;
	bool fits;
	int count;

	buf_reset(names);
	va_start(args, format);
	fits = set_path(r, format, args);
	va_end(args);
	if (!fits)
		return 0;
	if (clock_now_ns() > r->deadline_ns)
		return lio_reader_fail(r, -ETIMEDOUT, "listing");
	count = root_list(r->root, r->path, names);
	switch (count) {
	case -ENOENT:
	case -ENODEV:
	case -ENOTDIR:
	case -ELOOP:
	case -EACCES:
	case -EPERM:
		lio_reader_miss(r, count);
		return 0;
	default:
		return count < 0 ? lio_reader_fail(r, count, "listing") : count;
	}
}

int lio_reader_object(struct lio_reader *r, uint64_t *object, const char *format, ...)
{
	uint64_t found;
	va_list args;
	bool fits;
	int rc;

	va_start(args, format);
	fits = set_path(r, format, args);
	va_end(args);
	if (!fits)
		return 0;
	rc = root_directory_object(r->root, r->path, &found);
	if (is_want(rc))
		return lio_reader_fail(r, rc, "looking up");
	if (rc == 0)
		*object = found;
	return lio_reader_is_gone(rc) ? rc : 0;
}

bool lio_reader_is_gone(ssize_t rc)
{
	return rc == -ENOENT || rc == -ENODEV || rc == -ENOTDIR || rc == -EAGAIN;
}

void lio_reader_miss(struct lio_reader *r, ssize_t rc)
{
	r->missed |= rc < 0;
	r->doubted |= rc == -EBADMSG;
	r->refused |= rc < 0 && !lio_reader_is_gone(rc) && rc != -EBADMSG;
}

/* A text that can be a value: there is one, and no NUL in it. */
static bool is_text(const struct lio_reader *r, ssize_t length)
{
	return length > 0 && !memchr(r->text, 0, (size_t)length);
}

struct opt_u32 lio_reader_u32(const struct lio_reader *r, ssize_t length, uint32_t high)
{
	struct opt_u32 out = { .known = 0 };

	if (is_text(r, length) && text_to_u32(r->text, high, &out.value) == 0)
		out.known = 1;
	return out;
}

struct opt_counter lio_reader_counter(const struct lio_reader *r, ssize_t length, uint64_t high)
{
	struct opt_counter out = { .known = 0 };

	if (is_text(r, length) && text_to_u64(r->text, high, &out.value) == 0)
		out.known = 1;
	return out;
}

struct opt_bool lio_reader_bool(const struct lio_reader *r, ssize_t length)
{
	struct opt_bool out = { .known = 0 };
	bool value;

	if (is_text(r, length) && text_to_bool(r->text, &value) == 0)
		OPT_SET(out, value);
	return out;
}

void lio_reader_name(const struct lio_reader *r, ssize_t length, char out[LIO_NAME_MAX + 1])
{
	if (length > 0 && r->text[length - 1] == '\n')
		length--;
	if (length < 0 || length > (ssize_t)LIO_NAME_MAX || memchr(r->text, 0, (size_t)length))
		length = 0;
	memcpy(out, r->text, (size_t)length);
	out[length] = 0;
}
