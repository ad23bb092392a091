/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/tree_set.h"

#include "base/root_private.h"

static void must(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "tree_set: %s\n", what);
	abort();
}

static void put(struct root *root, enum tree_op op, const char *path, const char *data,
	size_t length, int error)
{
	must(tree_put(root->tree,
		     &(struct tree_node){
			     .op = op,
			     .error = error,
			     .path = path,
			     .data = data,
			     .length = length,
		     }) == 0,
		path);
}

void tree_set_file(struct root *root, const char *path, const char *text)
{
	put(root, TREE_FILE, path, text, strlen(text), 0);
}

void tree_set_list(struct root *root, const char *path, const char *names)
{
	char *copy = strdup(names);
	size_t length = strlen(names);

	must(copy != NULL, "no memory");
	for (size_t i = 0; i < length; i++) {
		if (copy[i] == '\n')
			copy[i] = '\0';
	}
	put(root, TREE_DIR, path, copy, length, 0);
	free(copy);
}

void tree_set_link(struct root *root, const char *path, const char *target)
{
	put(root, TREE_LINK, path, target, strlen(target), 0);
}

void tree_set_file_error(struct root *root, const char *path, int error)
{
	put(root, TREE_FILE, path, NULL, 0, error);
}

void tree_set_list_error(struct root *root, const char *path, int error)
{
	put(root, TREE_DIR, path, NULL, 0, error);
}

void tree_set_link_error(struct root *root, const char *path, int error)
{
	put(root, TREE_LINK, path, NULL, 0, error);
}
