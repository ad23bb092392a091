/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Recordings (base/root_tree.c) from text, for unit tests. Files are made in the directory of
 * scratch.h; without one, or when the text is no recording, the test program is aborted.
 */
#ifndef TESTS_SUPPORT_TREE_TEXT_H
#define TESTS_SUPPORT_TREE_TEXT_H

#include "base/root.h"

#define TREE_TEXT_HEAD "iscsi-agentx tree 1\n"

/* A recording with a record of each kind, in the order and form that a saved one has. */
extern const char tree_text_all_kinds[];

/* Opens it; closed with root_close. */
struct root *tree_text_open(const char *text);

/* root_exchange with a socket whose answer is complete with its first newline; 'X' is none. */
int tree_text_ask(struct root *root, const char *socket, const char *request, size_t length,
	struct buf *answer, struct root_peer *peer);

#endif
