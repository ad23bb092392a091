/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes to a recording that is open, for unit tests: each replaces what it had of the path. What
 * is wrong in the call itself ends the test program.
 */
#ifndef TESTS_SUPPORT_TREE_SET_H
#define TESTS_SUPPORT_TREE_SET_H

#include "base/root.h"

void tree_set_file(struct root *root, const char *path, const char *text);
void tree_set_list(
	struct root *root, const char *path, const char *names); /* each with a newline */
void tree_set_link(struct root *root, const char *path, const char *target);

/* Negative errno values of reading a file, listing a directory, reading a link. */
void tree_set_file_error(struct root *root, const char *path, int error);
void tree_set_list_error(struct root *root, const char *path, int error);
void tree_set_link_error(struct root *root, const char *path, int error);

#endif
