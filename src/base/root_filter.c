/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that hold secrets among other lines: root_read_filtered. Called by the sources in their
 * reader processes and by the one-shot commands. What it reads is in one block of memory that
 * does not grow, so that no copy of it stays behind, and which is wiped whatever happens. Nothing
 * but allowed lines may leave this file: not to the caller, a recording or a log.
 */
#include "base/root_private.h"

#define FILTER_CAPACITY ((size_t)ROOT_FILE_MAX + 1)

/* A mistake of a caller must not become a leak. */
static bool names_secret(const char *key)
{
	static const char *const words[] = { "passw", "secret", "credential", "token" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcasestr(key, words[i]))
			return true;
	}
	return false;
}

/* Octets of the line at `text`, up to a control character: after a CR or a NUL something else may
 * begin, which would go with the line. */
static size_t line_length(const char *text, size_t length)
{
	size_t at = 0;

	while (at < length && ((unsigned char)text[at] >= ' ' || text[at] == '\t'))
		at++;
	return at;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool line_is_allowed(const char *line, size_t length, const char *const keys[])
{
	size_t key_length = 0, at;

	while (key_length < length && !is_blank(line[key_length]) && line[key_length] != '=')
		key_length++;
	for (at = key_length; at < length && is_blank(line[at]);)
		at++;
	if (key_length == 0 || at == length || line[at] != '=')
		return false;
	for (; *keys; keys++) {
		if (strlen(*keys) == key_length && memcmp(*keys, line, key_length) == 0)
			return true;
	}
	return false;
}

static ssize_t keep_allowed(const struct buf *content, const char *const keys[], struct buf *out)
{
	const char *text = content->data;
	size_t left = content->length;
	ssize_t count = 0;

	while (left > 0) {
		size_t length;

		for (; left > 0 && is_blank(*text); left--)
			text++;
		length = line_length(text, left);
		if (line_is_allowed(text, length, keys)) {
			buf_append(out, text, length);
			buf_text(out, "\n");
			count++;
		}
		if (length < left)
			length++; /* the character that ends it */
		text += length;
		left -= length;
	}
	return out->error < 0 ? out->error : count;
}

static ssize_t read_allowed(
	struct root *root, const char *path, const char *const keys[], struct buf *out)
{
	char *memory = malloc(FILTER_CAPACITY);
	struct buf content = {
		.data = memory,
		.capacity = FILTER_CAPACITY,
		.limit = ROOT_FILE_MAX,
	};
	ssize_t rc;

	if (!memory)
		return -ENOMEM;
	memory[0] = '\0';
	rc = root->ops->read(root, path, ROOT_REFUSED_FILE, &content);
	if (rc == 0)
		rc = keep_allowed(&content, keys, out);
	explicit_bzero(memory, FILTER_CAPACITY);
	free(memory);
	return rc;
}

ssize_t root_read_filtered(
	struct root *root, const char *path, const char *const keys[], struct buf *out)
{
	char canonical[PATH_MAX];
	ssize_t rc;

	buf_reset(out);
	for (size_t i = 0; keys[i]; i++) {
		if (names_secret(keys[i]))
			return -EINVAL;
	}
	rc = root_path_canonical(canonical, path);
	if (rc < 0)
		return rc;
	if (root_path_refusal(canonical) > ROOT_REFUSED_FILE)
		return -EACCES;
	rc = read_allowed(root, canonical, keys, out);
	if (rc < 0)
		buf_reset(out);
	root_keep(root, TREE_FILE, canonical, out->data, rc < 0 ? rc : (ssize_t)out->length);
	return rc;
}
