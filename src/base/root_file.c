/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that are read on every poll: states and counters. On the live machine a file of sysfs is
 * kept open, for to open it costs several times what it costs to read it. Used by the sources in
 * their reader processes.
 *
 * Only of sysfs: there, every read from the start asks the driver again, and the file of an
 * object that went away is -ENODEV for ever, even when another object has its name now. configfs
 * shows an open file its first content again and again, and a plain file may be replaced: those
 * are opened each time.
 */
#include "base/root_private.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/resource.h>
#include <sys/vfs.h>

/* Each costs the kernel 4.5 kB, a page of it for what was read last: 74 MB at most. */
#define KEPT_MAX 16384u
#define RESERVE	 256u

struct root_file {
	struct root *root;
	int fd;		 /* -1 while not kept */
	uint64_t object; /* while it is: which time something was opened to be kept */
	char path[];	 /* canonical */
};

int root_file_open(struct root *root, const char *path, struct root_file **ret)
{
	struct root_file *file;
	char canonical[PATH_MAX];
	int rc = root_path_canonical(canonical, path);

	if (rc < 0)
		return rc;
	if (root_path_refusal(canonical) != ROOT_ALLOWED)
		return -EACCES;
	file = malloc(sizeof(*file) + strlen(canonical) + 1);
	if (!file)
		return -ENOMEM;
	file->root = root;
	file->fd = -1;
	memcpy(file->path, canonical, strlen(canonical) + 1);
	*ret = file;
	return 0;
}

static void forget(struct root_file *file)
{
	if (file->fd < 0)
		return;
	close(file->fd);
	file->fd = -1;
	file->root->kept_files--;
}

void root_file_close(struct root_file *file)
{
	if (!file)
		return;
	forget(file);
	free(file);
}

/* All descriptors that this process may have but a reserve for everything else. */
static size_t kept_max(void)
{
	struct rlimit limit;
	size_t all, reserve;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 0;
	all = limit.rlim_cur < SIZE_MAX ? limit.rlim_cur : SIZE_MAX;
	reserve = all / 2 < RESERVE ? all / 2 : RESERVE;
	return all - reserve < KEPT_MAX ? all - reserve : KEPT_MAX;
}

static bool may_keep(struct root *root)
{
	if (!root->kept_max)
		root->kept_max = kept_max();
	return root->kept_files < root->kept_max;
}

/* Opens it to be kept, if it is of the kind that can be. */
static void keep_open(struct root_file *file)
{
	struct statfs fs;
	int fd;

	if (!root_is_sysfs_path(file->root, file->path) || !may_keep(file->root))
		return;
	fd = root_dir_open_file(file->root, file->path, ROOT_ALLOWED);
	if (fd < 0)
		return; /* the plain read tells why */
	if (fstatfs(fd, &fs) < 0 || fs.f_type != SYSFS_MAGIC) {
		close(fd);
		return;
	}
	file->fd = fd;
	file->object = ++file->root->kept_objects;
	file->root->kept_files++;
}

uint64_t root_file_object(const struct root_file *file)
{
	return file->fd < 0 ? 0 : file->object;
}

/* sysfs gives an attribute, at most a page, in one read. */
static ssize_t read_kept(int fd, char *out, size_t capacity)
{
	ssize_t got;
	char beyond;

	do
		got = pread(fd, out, capacity - 1, 0);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	if ((size_t)got == capacity - 1 && pread(fd, &beyond, 1, got) > 0)
		return -E2BIG;
	return got;
}

ssize_t root_file_read(struct root_file *file, char *out, size_t capacity)
{
	ssize_t got;

	if (capacity == 0)
		return -EINVAL;
	if (file->fd < 0)
		keep_open(file);
	if (file->fd < 0)
		return root_read(file->root, file->path, out, capacity);
	got = read_kept(file->fd, out, capacity);
	if (got == -ENODEV) {
		/* Its object is gone; there may be another one of this name. */
		forget(file);
		return root_read(file->root, file->path, out, capacity);
	}
	out[got > 0 ? got : 0] = '\0';
	root_keep(file->root, TREE_FILE, file->path, out, got);
	root_between(file->root);
	return got;
}
