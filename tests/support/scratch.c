/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char base[512];

static void die(const char *what, const char *path)
{
	fprintf(stderr, "scratch: cannot %s %s: %s\n", what, path, strerror(errno));
	abort();
}

void scratch_begin(void)
{
	const char *parent = getenv("TMPDIR");

	snprintf(base, sizeof(base), "%s/iscsi-agentx-XXXXXX", parent ? parent : "/tmp");
	if (!mkdtemp(base))
		die("make", base);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

void scratch_end(void)
{
	if (nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
		die("remove", base);
}

const char *scratch_path(const char *path)
{
	static char buffers[4][4096];
	static unsigned int turn;
	char *out = buffers[turn++ % 4];

	snprintf(out, sizeof(buffers[0]), "%s%s", base, path);
	return out;
}

void scratch_dir(const char *path)
{
	if (mkdir(scratch_path(path), 0755) < 0)
		die("make", path);
}

void scratch_file(const char *path, const void *content, size_t length)
{
	int fd = open(scratch_path(path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, content, length) != (ssize_t)length)
		die("write", path);
	close(fd);
}

void scratch_text(const char *path, const char *text)
{
	scratch_file(path, text, strlen(text));
}

void scratch_link(const char *path, const char *target)
{
	if (symlink(target, scratch_path(path)) < 0)
		die("link", path);
}

char *scratch_read(const char *path, size_t *ret_length)
{
	FILE *file = fopen(scratch_path(path), "re");
	char *content = NULL;
	size_t room = 0;
	ssize_t got;

	if (!file)
		die("open", path);
	got = getdelim(&content, &room, EOF, file);
	if (got < 0 && !feof(file))
		die("read", path);
	fclose(file);
	*ret_length = got < 0 ? 0 : (size_t)got;
	if (got < 0 && content)
		content[0] = '\0';
	return content ? content : strdup("");
}
