/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Follows symbolic links by their text, so that neither an absolute target nor a row of ".."
 * leaves the tree. For recordings always; for prefix directories where the kernel has no
 * openat2(2) (before Linux 5.6), which resolves the same way without a race.
 */
#include "base/root_private.h"

#define LINKS_MAX 40 /* as the kernel */

struct walk {
	char rest[2 * PATH_MAX]; /* components still to walk */
	size_t length;		 /* of the result so far */
	int links;
};

static void drop_last(char *path, size_t *length)
{
	while (*length > 0 && path[--*length] != '/')
		;
	path[*length] = '\0';
}

/* Puts the target of a link in front of what is left to walk. */
static int follow(struct walk *walk, char *out, const char *rest, const char *target, size_t length)
{
	size_t rest_length = strlen(rest);

	if (++walk->links > LINKS_MAX)
		return -ELOOP;
	if (length == 0)
		return -ENOENT;
	if (length + 1 + rest_length >= sizeof(walk->rest))
		return -ENAMETOOLONG;
	if (target[0] == '/') {
		walk->length = 0;
		out[0] = '\0';
	} else {
		drop_last(out, &walk->length);
	}
	memmove(walk->rest + length + 1, rest, rest_length + 1);
	memcpy(walk->rest, target, length);
	walk->rest[length] = '/';
	return 0;
}

int root_resolve(char out[PATH_MAX], const char *path, bool follow_last,
	root_target_fn *read_target, void *context)
{
	struct walk walk = { .length = 0 };
	char target[PATH_MAX];
	const char *at = walk.rest;

	if (strlen(path) >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(walk.rest, path, strlen(path) + 1);
	out[0] = '\0';
	for (;;) {
		size_t length;
		ssize_t got;
		int rc;

		at += strspn(at, "/");
		length = strcspn(at, "/");
		if (length == 0)
			break;
		if (length == 1 && at[0] == '.') {
			at += length;
			continue;
		}
		if (length == 2 && at[0] == '.' && at[1] == '.') {
			drop_last(out, &walk.length);
			at += length;
			continue;
		}
		if (walk.length + 1 + length >= PATH_MAX)
			return -ENAMETOOLONG;
		out[walk.length++] = '/';
		memcpy(out + walk.length, at, length);
		walk.length += length;
		out[walk.length] = '\0';
		at += length;
		if (!follow_last && at[strspn(at, "/")] == '\0')
			break;
		got = read_target(context, out, target, sizeof(target));
		if (got < 0)
			continue;
		rc = follow(&walk, out, at, target, (size_t)got);
		if (rc < 0)
			return rc;
		at = walk.rest;
	}
	if (walk.length == 0)
		memcpy(out, "/", 2);
	return 0;
}
