/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads a recording (format: root_tree.c). Called by root_open. The text may be damaged or made
 * by a stranger: every record is checked before it is kept, and the first fault ends it with a
 * message that names the line.
 */
#include "base/root_private.h"

#include "base/log.h"

struct load {
	const char *name; /* of the file, for messages */
	size_t line;	  /* from 1 */
	struct tree *tree;
	bool open; /* a record is being collected */
	bool is_error;
	struct tree_node node;
	struct buf path, request, data;
	size_t lines; /* of content in the record */
	bool answer_begun, failed;
};

static int fault(const struct load *load, const char *what)
{
	log_error("%s:%zu: %s; this is no recording that can be replayed", load->name, load->line,
		what);
	return -EBADMSG;
}

static int octal(const char *text)
{
	int value = 0;

	for (int i = 0; i < 3; i++) {
		if (text[i] < '0' || text[i] > '7')
			return -1;
		value = value * 8 + (text[i] - '0');
	}
	return value <= 255 ? value : -1;
}

/*
 * Appends the octets that an escaped text stands for. *ret_continued: it ends with a single
 * backslash, which only lines of content may.
 */
static int unescape(const struct load *load, const char *text, size_t length, struct buf *out,
	bool *ret_continued)
{
	*ret_continued = false;
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x20 || c > 0x7e)
			return fault(load, "an octet that is not escaped");
		if (c == '\\' && i + 1 == length) {
			*ret_continued = true;
			break;
		}
		if (c == '\\' && memchr("\\tr", text[i + 1], 3)) {
			i++;
			c = text[i] == 't' ? '\t' : text[i] == 'r' ? '\r' : '\\';
		} else if (c == '\\') {
			int value = length - i > 3 ? octal(text + i + 1) : -1;

			if (value < 0)
				return fault(load, "an unknown escape");
			c = (unsigned char)value;
			i += 3;
		}
		buf_append(out, &c, 1);
	}
	return out->error;
}

/* A word, a name or a target: not empty, on one line, without NUL. */
static int unescape_name(const struct load *load, const char *text, size_t length, struct buf *out)
{
	size_t before = out->length;
	bool continued;
	int rc = unescape(load, text, length, out, &continued);

	if (rc < 0)
		return rc;
	if (continued || out->length == before ||
		memchr(out->data + before, '\0', out->length - before))
		return fault(load, "an empty or broken name");
	return 0;
}

/* Cuts the next word of a head: up to a space or the end. */
static bool next_word(const char **at, const char *end, const char **ret, size_t *ret_length)
{
	const char *space;

	if (*at >= end)
		return false;
	space = memchr(*at, ' ', (size_t)(end - *at));
	*ret = *at;
	*ret_length = (size_t)((space ? space : end) - *at);
	*at = space ? space + 1 : end;
	return *ret_length > 0 && !(space && space + 1 == end);
}

static bool word_is(const char *word, size_t length, const char *expected)
{
	return strlen(expected) == length && memcmp(word, expected, length) == 0;
}

/* `word` is KEY=NUMBER with `key` "KEY=". */
static bool word_number(
	const char *word, size_t length, const char *key, uint64_t high, uint64_t *ret)
{
	size_t key_length = strlen(key);
	char number[24];

	if (length <= key_length || memcmp(word, key, key_length) != 0 ||
		length - key_length >= sizeof(number))
		return false;
	memcpy(number, word + key_length, length - key_length);
	number[length - key_length] = '\0';
	return strspn(number, "0123456789") == length - key_length &&
	       text_to_u64(number, high, ret) == 0;
}

static int parse_errno(const char *word, size_t length)
{
	uint64_t number;
	int known = tree_errno_number(word, length);

	if (known)
		return -known;
	return word_number(word, length, "", 4095, &number) ? -(int)number : 0;
}

static int check_path(struct load *load)
{
	const char *path = load->path.data;
	char canonical[PATH_MAX];

	if (path[0] == '@' && load->node.op == TREE_SOCKET)
		return load->path.length >= 2 && load->path.length < PATH_MAX
			       ? 0
			       : fault(load, "a socket without a name");
	if (root_path_canonical(canonical, path) < 0 || strcmp(canonical, path) != 0)
		return fault(load, "a path that is not absolute or has . or .. or // in it");
	return 0;
}

static int parse_error_tail(struct load *load, const char *at, const char *end)
{
	static const char *const operations[] = {
		[TREE_DIR] = "list", [TREE_FILE] = "read", [TREE_LINK] = "readlink"
	};
	const char *word;
	size_t length;

	if (!next_word(&at, end, &word, &length))
		return fault(load, "no operation");
	load->node.op = TREE_SOCKET;
	for (size_t i = 0; i < ARRAY_SIZE(operations); i++) {
		if (word_is(word, length, operations[i]))
			load->node.op = (enum tree_op)i;
	}
	if (load->node.op == TREE_SOCKET)
		return fault(load, "an operation other than list, read and readlink");
	if (!next_word(&at, end, &word, &length) || at != end)
		return fault(load, "no name of an errno, or more than that");
	load->node.error = parse_errno(word, length);
	return load->node.error < 0 ? 0 : fault(load, "an unknown errno");
}

static int parse_socket_tail(struct load *load, const char *at, const char *end)
{
	static const char *const keys[] = { "pid=", "uid=", "start=" };
	static const uint64_t high[] = { INT32_MAX, UINT32_MAX, UINT64_MAX };
	uint64_t values[3];

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *word;
		size_t length;

		if (!next_word(&at, end, &word, &length) ||
			!word_number(word, length, keys[i], high[i], &values[i]))
			return fault(load, "a socket without pid=N uid=N start=N");
	}
	if (at != end)
		return fault(load, "more than pid=N uid=N start=N");
	load->node.peer.pid = (int32_t)values[0];
	load->node.peer.uid = (uint32_t)values[1];
	load->node.peer.start_time = values[2];
	return 0;
}

static int parse_head(struct load *load, const char *line, size_t length)
{
	static const char *const kinds[] = { [TREE_DIR] = "dir",
		[TREE_FILE] = "file",
		[TREE_LINK] = "link",
		[TREE_SOCKET] = "socket" };
	const char *at = line, *end = line + length, *word;
	size_t word_length, kind;
	int rc;

	load->node = (struct tree_node){ .error = 0 };
	if (!next_word(&at, end, &word, &word_length))
		return fault(load, "an empty or broken line");
	load->is_error = word_is(word, word_length, "error");
	for (kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
		if (word_is(word, word_length, kinds[kind]))
			break;
	}
	if (kind == ARRAY_SIZE(kinds) && !load->is_error)
		return fault(load, "an unknown kind of record");
	if (!next_word(&at, end, &word, &word_length))
		return fault(load, "no path");
	rc = unescape_name(load, word, word_length, &load->path);
	if (rc < 0)
		return rc;
	load->node.op = load->is_error ? TREE_FILE : (enum tree_op)kind;
	if (load->is_error)
		rc = parse_error_tail(load, at, end);
	else if (load->node.op == TREE_SOCKET)
		rc = parse_socket_tail(load, at, end);
	else if (at != end)
		rc = fault(load, "more than a path");
	if (rc < 0)
		return rc;
	load->open = true;
	return check_path(load);
}

static int add_content(struct load *load, const char *line, size_t length, struct buf *out)
{
	bool continued;
	int rc = unescape(load, line + 1, length - 1, out, &continued);

	return rc < 0 || continued ? rc : buf_append(out, "\n", 1);
}

/* An entry of a directory. Order makes duplicates visible, and root_list need not sort. */
static int add_name(struct load *load, const char *line, size_t length)
{
	struct buf *names = &load->data;
	size_t start = names->length, before = start;
	const char *name;
	int rc = unescape_name(load, line + 1, length - 1, names);

	if (rc == 0)
		rc = buf_append(names, "", 1);
	if (rc < 0)
		return rc;
	name = names->data + start;
	if (strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return fault(load, "a name that no directory has");
	while (before > 0 && (before == start || names->data[before - 1] != '\0'))
		before--;
	if (start > 0 && strcmp(names->data + before, name) >= 0)
		return fault(load, "names that are not in order");
	return load->lines < ROOT_LIST_MAX ? 0 : fault(load, "too many names");
}

static int add_line(struct load *load, const char *line, size_t length)
{
	bool socket = load->open && load->node.op == TREE_SOCKET;
	char mark = line[0];

	if (!load->open || load->is_error || load->failed || socket == (mark == '|'))
		return fault(load, "a line that belongs to no record");
	load->lines++;
	if (mark == '>' && load->answer_begun)
		return fault(load, "a request after the answer");
	if (mark == '>')
		return add_content(load, line, length, &load->request);
	if (mark == '<') {
		load->answer_begun = true;
		return add_content(load, line, length, &load->data);
	}
	if (mark == '!') {
		load->failed = true;
		load->node.error = parse_errno(line + 1, length - 1);
		return load->node.error < 0 ? 0 : fault(load, "an unknown errno");
	}
	if (load->node.op == TREE_DIR)
		return add_name(load, line, length);
	if (load->node.op == TREE_LINK)
		return load->lines == 1 ? unescape_name(load, line + 1, length - 1, &load->data)
					: fault(load, "a link with two targets");
	return add_content(load, line, length, &load->data);
}

/* Keeps the record that is complete now. */
static int finish(struct load *load)
{
	struct tree_node *node = &load->node;
	int rc = 0;

	if (!load->open)
		return 0;
	node->path = load->path.data;
	node->request = load->request.data;
	node->request_length = load->request.length;
	node->data = load->data.data;
	node->length = load->data.length;
	if (node->op == TREE_LINK && node->error == 0 && load->lines == 0)
		rc = fault(load, "the link before has no target");
	else if (tree_find(load->tree, node->op, node->path, node->request, node->request_length))
		rc = fault(load, "the record before is there twice");
	else
		rc = tree_put(load->tree, node);
	buf_reset(&load->path);
	buf_reset(&load->request);
	buf_reset(&load->data);
	load->open = load->answer_begun = load->failed = false;
	load->lines = 0;
	return rc;
}

static int parse_line(struct load *load, const char *line, size_t length)
{
	int rc;

	if (load->line == 1)
		return word_is(line, length, "iscsi-agentx tree 1")
			       ? 0
			       : fault(load, "not \"iscsi-agentx tree 1\"");
	if (length > 0 && line[0] == '#')
		return 0;
	if (length > 0 && strchr("|><!", line[0]))
		return add_line(load, line, length);
	rc = finish(load);
	return rc < 0 ? rc : parse_head(load, line, length);
}

static int parse_all(struct load *load, const char *text, size_t length)
{
	const char *end = text + length;

	if (length == 0) {
		load->line = 1;
		return fault(load, "an empty file");
	}
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		int rc;

		load->line++;
		if (!newline)
			return fault(load, "a line without an end");
		rc = parse_line(load, text, (size_t)(newline - text));
		if (rc < 0)
			return rc;
		text = newline + 1;
	}
	load->line++;
	return finish(load);
}

int tree_load(const char *name, const char *text, size_t length, struct tree **ret)
{
	struct load load = {
		.name = name,
		.path = BUF_INIT(4 * PATH_MAX),
		.request = BUF_INIT(TREE_OCTETS_MAX),
		.data = BUF_INIT(TREE_OCTETS_MAX),
		.tree = tree_new(),
	};
	int rc = load.tree ? parse_all(&load, text, length) : -ENOMEM;

	if (rc == -E2BIG)
		rc = fault(&load, "a record that is too large");

	buf_free(&load.path);
	buf_free(&load.request);
	buf_free(&load.data);
	if (rc < 0) {
		tree_free(load.tree);
		return rc;
	}
	*ret = load.tree;
	return 0;
}
