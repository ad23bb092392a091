/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/tree_text.h"

#include "tests/support/scratch.h"

struct root *tree_text_open(const char *text)
{
	struct root *root = NULL;

	scratch_text("/x.tree", text);
	if (root_open(scratch_path("/x.tree"), &root) < 0)
		abort();
	return root;
}

/* The answer is complete with its first newline. */
static ssize_t line_length(const char *data, size_t have)
{
	const char *newline = memchr(data, '\n', have);

	if (data[0] == 'X')
		return -EBADMSG;
	return newline ? newline - data + 1 : 0;
}

int tree_text_ask(struct root *root, const char *socket, const char *request, size_t length,
	struct buf *answer, struct root_peer *peer)
{
	return root_exchange(root, socket, request, length, line_length, 0, answer, peer);
}

const char tree_text_all_kinds[] =
	TREE_TEXT_HEAD "dir /\n"
		       "|sys\n"
		       "dir /sys\n"
		       "|a b\n"
		       "|new\\012line\n"
		       "|\\303\\274\\040\n"
		       "file /sys/a\\040b/bare\n"
		       "|no newline\\\n"
		       "file /sys/a\\040b/binary\n"
		       "|\\000\\001\\377\\\\\\t\\r \\040\n"
		       "|\n"
		       "|x\\\n"
		       "error /sys/a\\040b/gone read ENODEV\n"
		       "error /sys/a\\040b/gone readlink 512\n"
		       "file /sys/a\\040b/nothing\n"
		       "file /sys/a\\040b/state\n"
		       "|LOGGED_IN\n"
		       "error /sys/closed list EACCES\n"
		       "dir /sys/empty\n"
		       "link /sys/link\n"
		       "|../x \\012y\n"
		       "file /sys/link/below\n"
		       "|1\n"
		       "socket /var/run/tgtd/socket.0 pid=812 uid=0 start=4711\n"
		       ">\\000\\001\\\n"
		       "<Target 1: iqn.a\n"
		       "socket /var/run/tgtd/socket.0 pid=812 uid=0 start=4711\n"
		       ">\\000\\002\n"
		       "<half\\\n"
		       "!ETIMEDOUT\n"
		       "socket @/org/x pid=0 uid=4294967295 start=18446744073709551615\n"
		       "!ECONNREFUSED\n";
