/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/buf.h"

#include <stdarg.h>

void buf_free(struct buf *b)
{
	size_t limit = b->limit;

	free(b->data);
	*b = (struct buf)BUF_INIT(limit);
}

void buf_reset(struct buf *b)
{
	b->length = 0;
	b->error = 0;
	if (b->data)
		b->data[0] = '\0';
}

int buf_reserve(struct buf *b, size_t length)
{
	size_t need, capacity;
	char *data;

	if (b->error)
		return b->error;
	if (length > b->limit || b->length > b->limit - length)
		return b->error = -E2BIG;
	need = b->length + length + 1;
	if (need <= b->capacity)
		return 0;
	capacity = b->capacity ? b->capacity : 256;
	while (capacity < need)
		capacity *= 2;
	data = realloc(b->data, capacity);
	if (!data)
		return b->error = -ENOMEM;
	b->data = data;
	b->capacity = capacity;
	b->data[b->length] = '\0';
	return 0;
}

int buf_append(struct buf *b, const void *data, size_t length)
{
	int rc = buf_reserve(b, length);

	if (rc < 0)
		return rc;
	if (length)
		memcpy(b->data + b->length, data, length);
	b->length += length;
	b->data[b->length] = '\0';
	return 0;
}

int buf_text(struct buf *b, const char *text)
{
	return buf_append(b, text, strlen(text));
}

int buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;
	int length, rc;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0)
		return b->error = b->error ? b->error : -EINVAL;
	rc = buf_reserve(b, (size_t)length);
	if (rc < 0)
		return rc;
	va_start(args, format);
	vsnprintf(b->data + b->length, (size_t)length + 1, format, args);
	va_end(args);
	b->length += (size_t)length;
	return 0;
}
