/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * base/tree_load.c with any text: what it accepts is written and read back the same, and a
 * replay of all that is in it, recorded, is the recording again.
 */
#include "base/root_private.h"

#include "base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

static void no_message(int priority, const char *message)
{
	(void)priority;
	CHECK(message[0] != '\0');
}

static ssize_t any_length(const char *data, size_t have)
{
	(void)data;
	return (ssize_t)have;
}

static void read_one(struct root *root, const struct tree_node *node, struct buf *out)
{
	char text[PATH_MAX];

	if (node->op == TREE_FILE)
		root_read_whole(root, node->path, out);
	else if (node->op == TREE_LINK)
		root_read_link(root, node->path, text, sizeof(text));
	else if (node->op == TREE_DIR)
		CHECK(root_list(root, node->path, out) <= (int)ROOT_LIST_MAX);
	else
		root_exchange(root, node->path, node->request, node->request_length, any_length, 0,
			out, NULL);
}

/* True when replaying shows all of the recording: nothing refused, no answer too short. */
static bool is_plain(const struct tree_node *node)
{
	if (node->op == TREE_SOCKET && node->path[0] == '@')
		return node->error < 0 || node->length > 0;
	if (node->op == TREE_SOCKET)
		return root_path_refusal(node->path) < ROOT_REFUSED &&
		       (node->error < 0 || node->length > 0);
	return !root_path_is_secret(node->path) && node->length < PATH_MAX;
}

static void check_replay(struct tree *tree, const struct buf *text)
{
	struct root root = { .ops = &root_tree_ops, .dir_fd = -1, .tree = tree };
	CLEANUP_FREE const struct tree_node **nodes = NULL;
	CLEANUP_BUF struct buf out = BUF_INIT(1 << 20);
	CLEANUP_BUF struct buf again = BUF_INIT(1 << 24);
	bool plain = true;
	size_t count;

	CHECK(tree_sorted(tree, &nodes, &count) == 0);
	CHECK(root_record_start(&root) == 0);
	for (size_t i = 0; i < count; i++) {
		read_one(&root, nodes[i], &out);
		plain = plain && is_plain(nodes[i]);
	}
	CHECK(tree_write(root.record, &again) == 0);
	if (plain)
		CHECK(again.length == text->length &&
			memcmp(again.data, text->data, text->length) == 0);
	tree_free(root.record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_BUF struct buf text = BUF_INIT(1 << 24);
	CLEANUP_BUF struct buf again = BUF_INIT(1 << 24);
	struct tree *tree, *copy;

	log_set_sink(no_message);
	if (tree_load("fuzz", (const char *)data, size, &tree) < 0)
		return 0;
	CHECK(tree_write(tree, &text) == 0);
	CHECK(tree_load("fuzz", text.data, text.length, &copy) == 0);
	CHECK(tree_write(copy, &again) == 0);
	CHECK(text.length == again.length && memcmp(text.data, again.data, text.length) == 0);
	tree_free(copy);
	check_replay(tree, &text);
	tree_free(tree);
	return 0;
}
