/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/snmp_access.h"

#include "base/buf.h"
#include "base/log.h"

#include <fcntl.h>
#include <strings.h>
#include <sys/stat.h>

static const struct {
	const char *token;
	enum access_kind kind;
} tokens[] = {
	{ "rocommunity", ACCESS_RIGHT },
	{ "rocommunity6", ACCESS_RIGHT },
	{ "rouser", ACCESS_RIGHT },
	{ "access", ACCESS_RIGHT },
	{ "authcommunity", ACCESS_RIGHT },
	{ "authuser", ACCESS_RIGHT },
	{ "authgroup", ACCESS_RIGHT },
	{ "authaccess", ACCESS_RIGHT },
	{ "setaccess", ACCESS_RIGHT },
	{ "com2sec", ACCESS_RULE },
	{ "com2sec6", ACCESS_RULE },
	{ "group", ACCESS_RULE },
	{ "view", ACCESS_RULE },
	{ "createUser", ACCESS_RULE },
	{ "authtrapenable", ACCESS_RULE },
	{ "dontLogTCPWrappersConnects", ACCESS_RULE },
	{ "maxGetbulkRepeats", ACCESS_RULE },
	{ "maxGetbulkResponses", ACCESS_RULE },
	{ "trapcommunity", ACCESS_RULE },
	{ "v1trapaddress", ACCESS_RULE },
	{ "engineID", ACCESS_ENGINE },
	{ "engineIDType", ACCESS_ENGINE },
	{ "engineIDNic", ACCESS_ENGINE },
	{ "exactEngineID", ACCESS_ENGINE },
	{ "trapsink", ACCESS_SINK },
	{ "trap2sink", ACCESS_SINK },
	{ "informsink", ACCESS_SINK },
	{ "trapsess", ACCESS_SINK },
	{ "sysContact", ACCESS_SYSTEM },
	{ "sysDescr", ACCESS_SYSTEM },
	{ "sysLocation", ACCESS_SYSTEM },
	{ "sysName", ACCESS_SYSTEM },
};

static enum access_kind kind_of(const char *token)
{
	for (size_t i = 0; i < ARRAY_SIZE(tokens); i++) {
		if (strcasecmp(tokens[i].token, token) == 0)
			return tokens[i].kind;
	}
	return ACCESS_UNKNOWN;
}

/* A stream is connected to when the line is read, and written to: both may wait for the peer. */
static bool names_a_stream(const char *value)
{
	static const char *const streams[] = { "tcp", "tls", "dtls", "ssh", "unix" };
	const char *at = value;

	while (*at) {
		size_t length = strcspn(at, " \t"), blanks;

		for (size_t i = 0; i < ARRAY_SIZE(streams); i++) {
			size_t known = strlen(streams[i]);

			if (length >= known && memchr(at, ':', length) &&
				strncasecmp(at, streams[i], known) == 0)
				return true;
		}
		at += length;
		blanks = strspn(at, " \t");
		at += blanks;
	}
	return false;
}

static const char *find_wrong(const struct access_line *line)
{
	if (line->kind == ACCESS_UNKNOWN)
		return "is no token of this file, see iscsi-agentx.conf(5)";
	if (!*line->value)
		return "has no value";
	if (line->kind == ACCESS_SINK && names_a_stream(line->value))
		return "goes over a stream: notifications are sent over udp or udp6 only";
	return NULL;
}

static void take_line(const char *begin, size_t length, struct access_line *ret)
{
	size_t token = 0;

	while (token < length && begin[token] != ' ' && begin[token] != '\t')
		token++;
	ret->wrong = NULL;
	ret->kind = ACCESS_UNKNOWN;
	ret->value = ret->text;
	ret->text[0] = '\0';
	snprintf(ret->token, sizeof(ret->token), "%.*s", (int)token, begin);
	if (length >= sizeof(ret->text)) {
		ret->wrong = "is longer than 999 octets";
		return;
	}
	if (memchr(begin, '\0', length)) {
		ret->wrong = "holds a NUL";
		return;
	}
	memcpy(ret->text, begin, length);
	ret->text[length] = '\0';
	ret->value = ret->text + token;
	ret->value += strspn(ret->value, " \t");
	if (token < sizeof(ret->token))
		ret->kind = kind_of(ret->token);
	ret->wrong = find_wrong(ret);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

bool access_next_line(
	const char **at, const char *end, unsigned int *number, struct access_line *ret)
{
	while (*at < end) {
		const char *begin = *at, *stop = memchr(begin, '\n', (size_t)(end - begin));

		if (!stop)
			stop = end;
		*at = stop < end ? stop + 1 : end;
		++*number;
		while (begin < stop && is_blank(*begin))
			begin++;
		while (stop > begin && is_blank(stop[-1]))
			stop--;
		if (begin == stop || *begin == '#')
			continue;
		ret->number = *number;
		take_line(begin, (size_t)(stop - begin), ret);
		return true;
	}
	return false;
}

void access_check(const char *text, size_t length, const char *path, struct access_summary *ret)
{
	const char *at = text, *end = text + length;
	unsigned int number = 0;
	struct access_line line;

	*ret = (struct access_summary){ .bad = 0 };
	while (access_next_line(&at, end, &number, &line)) {
		if (line.wrong) {
			/* Not the value: it may be a secret. */
			log_error("%s: line %u: %s %s, ignoring the line", path, line.number,
				line.token, line.wrong);
			ret->bad++;
			continue;
		}
		ret->rights += line.kind == ACCESS_RIGHT;
		ret->sinks += line.kind == ACCESS_SINK;
	}
	explicit_bzero(&line, sizeof(line));
}

static int read_all(int fd, struct buf *out)
{
	for (;;) {
		ssize_t got;
		int rc = buf_reserve(out, 4096);

		if (rc < 0)
			return rc;
		got = read(fd, out->data + out->length, 4096);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : 0;
		out->length += (size_t)got;
		out->data[out->length] = '\0';
	}
}

/* What keeps the file from being used, with what mends it, or NULL. */
static const char *find_fault(const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return "it is no regular file";
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return "it must belong to root: chown root";
	if (st->st_mode & (S_IWGRP | S_IRWXO))
		return "it holds what gives access, and others may read or write it: chmod 0600";
	return NULL;
}

/* Opens the file and reads it. Returns 0 or a negative errno; -EPERM with what is wrong in *fault.
 */
static int read_file(const char *path, struct buf *text, const char **fault)
{
	/* O_NONBLOCK: a FIFO of this name must not stop us. */
	CLEANUP_FD int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	*fault = find_fault(&st);
	if (*fault)
		return -EPERM;
	/* All at once: a buffer that grows leaves copies where it was. */
	buf_reserve(text, ACCESS_FILE_MAX);
	return read_all(fd, text);
}

static const char *explain(int rc)
{
	if (rc == -ENOENT)
		return "; -M needs this file, which says who may ask: see accessFile in "
		       "iscsi-agentx.conf(5)";
	return rc == -ELOOP ? "; accessFile must name the file itself, no symbolic link" : "";
}

void access_free(char *text, size_t length)
{
	if (text)
		explicit_bzero(text, length);
	free(text);
}

static void wipe_buffer(struct buf *text)
{
	access_free(text->data, text->length);
}

char *access_load(const char *path, size_t *ret_length)
{
	__attribute__((cleanup(wipe_buffer))) struct buf text = BUF_INIT(ACCESS_FILE_MAX);
	const char *fault = NULL;
	int rc = read_file(path, &text, &fault);
	char *taken;

	if (rc == 0)
		rc = buf_reserve(&text, 1); /* of an empty file too */
	if (rc < 0) {
		log_error(
			"%s: %s%s", path, fault ? fault : strerror(-rc), fault ? "" : explain(rc));
		return NULL;
	}
	*ret_length = text.length;
	taken = text.data;
	taken[text.length] = '\0';
	text.data = NULL;
	return taken;
}
