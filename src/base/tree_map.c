/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The records of a recording in memory: a hash table of (operation, path, request), because one
 * that is being made gets thousands of them per poll, many again and again. Used by root.c (to
 * keep), root_tree.c (to replay), tree_load.c and tree_save.c.
 */
#include "base/root_private.h"

#include "base/hash.h"

struct tree {
	struct tree_node **nodes; /* in order of arrival */
	size_t count, capacity;
	uint32_t *slots;   /* position + 1 in nodes, 0 is free; open addressing */
	size_t slot_count; /* a power of 2, at least twice count */
	size_t octets;	   /* of all nodes */
};

struct tree *tree_new(void)
{
	return calloc(1, sizeof(struct tree));
}

void tree_free(struct tree *tree)
{
	if (!tree)
		return;
	for (size_t i = 0; i < tree->count; i++)
		free(tree->nodes[i]);
	free(tree->nodes);
	free(tree->slots);
	free(tree);
}

static size_t node_octets(const struct tree_node *node)
{
	return sizeof(*node) + strlen(node->path) + 1 + node->request_length + node->length + 1;
}

/* One block: the node, its path, request and data, and a NUL. */
static struct tree_node *node_copy(const struct tree_node *node)
{
	size_t path_length = strlen(node->path) + 1;
	struct tree_node *copy = malloc(node_octets(node));
	char *at;

	if (!copy)
		return NULL;
	*copy = *node;
	at = (char *)(copy + 1);
	copy->path = memcpy(at, node->path, path_length);
	at += path_length;
	if (node->request_length)
		memcpy(at, node->request, node->request_length);
	copy->request = at;
	at += node->request_length;
	if (node->length)
		memcpy(at, node->data, node->length);
	copy->data = at;
	at[node->length] = '\0';
	return copy;
}

static uint64_t key_hash(
	enum tree_op op, const char *path, const void *request, size_t request_length)
{
	unsigned char op_octet = (unsigned char)op;
	uint64_t hash = hash_bytes(HASH_INIT, &op_octet, 1);

	hash = hash_bytes(hash, path, strlen(path) + 1);
	return hash_bytes(hash, request, request_length);
}

static bool key_equal(const struct tree_node *node, enum tree_op op, const char *path,
	const void *request, size_t request_length)
{
	return node->op == op && node->request_length == request_length &&
	       strcmp(node->path, path) == 0 &&
	       (request_length == 0 || memcmp(node->request, request, request_length) == 0);
}

/* The slot of the key, or the free one where it belongs. */
static uint32_t *find_slot(const struct tree *tree, enum tree_op op, const char *path,
	const void *request, size_t request_length)
{
	size_t mask = tree->slot_count - 1;
	size_t at = key_hash(op, path, request, request_length) & mask;

	while (tree->slots[at] &&
		!key_equal(tree->nodes[tree->slots[at] - 1], op, path, request, request_length))
		at = (at + 1) & mask;
	return &tree->slots[at];
}

static int grow(struct tree *tree)
{
	size_t capacity = tree->capacity ? tree->capacity * 2 : 64;
	struct tree_node **nodes;
	uint32_t *slots;

	nodes = realloc(tree->nodes, capacity * sizeof(*nodes));
	if (!nodes)
		return -ENOMEM;
	tree->nodes = nodes;
	slots = calloc(capacity * 2, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	free(tree->slots);
	tree->slots = slots;
	tree->slot_count = capacity * 2;
	tree->capacity = capacity;
	for (size_t i = 0; i < tree->count; i++) {
		const struct tree_node *node = nodes[i];

		*find_slot(tree, node->op, node->path, node->request, node->request_length) =
			(uint32_t)i + 1;
	}
	return 0;
}

int tree_put(struct tree *tree, const struct tree_node *node)
{
	struct tree_node *copy;
	uint32_t *slot;
	size_t octets;
	int rc;

	if (node->length > TREE_OCTETS_MAX || node->request_length > TREE_OCTETS_MAX)
		return -E2BIG;
	octets = node_octets(node);
	if (tree->count >= TREE_NODES_MAX || tree->octets + octets > TREE_OCTETS_MAX)
		return -E2BIG;
	if (tree->count == tree->capacity) {
		rc = grow(tree);
		if (rc < 0)
			return rc;
	}
	copy = node_copy(node);
	if (!copy)
		return -ENOMEM;
	slot = find_slot(tree, node->op, node->path, node->request, node->request_length);
	if (*slot) {
		tree->octets -= node_octets(tree->nodes[*slot - 1]);
		free(tree->nodes[*slot - 1]);
	} else {
		*slot = (uint32_t)++tree->count;
	}
	tree->nodes[*slot - 1] = copy;
	tree->octets += octets;
	return 0;
}

const struct tree_node *tree_find(const struct tree *tree, enum tree_op op, const char *path,
	const void *request, size_t request_length)
{
	uint32_t slot;

	if (tree->count == 0)
		return NULL;
	slot = *find_slot(tree, op, path, request, request_length);
	return slot ? tree->nodes[slot - 1] : NULL;
}

/* '/' before all other octets, so that a directory's content follows it. */
static int compare_paths(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	if (*a == *b)
		return 0;
	if (*a == '\0' || *b == '\0')
		return *a ? 1 : -1;
	if (*a == '/' || *b == '/')
		return *a == '/' ? -1 : 1;
	return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
}

static int compare_nodes(const void *a, const void *b)
{
	const struct tree_node *x = *(const struct tree_node *const *)a;
	const struct tree_node *y = *(const struct tree_node *const *)b;
	size_t shorter =
		x->request_length < y->request_length ? x->request_length : y->request_length;
	int order = compare_paths(x->path, y->path);

	if (order == 0)
		order = (int)x->op - (int)y->op;
	if (order == 0 && shorter > 0)
		order = memcmp(x->request, y->request, shorter);
	if (order == 0 && x->request_length != y->request_length)
		order = x->request_length < y->request_length ? -1 : 1;
	return order;
}

int tree_sorted(const struct tree *tree, const struct tree_node ***ret, size_t *ret_count)
{
	const struct tree_node **sorted = calloc(tree->count + 1, sizeof(*sorted));

	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < tree->count; i++)
		sorted[i] = tree->nodes[i];
	qsort(sorted, tree->count, sizeof(*sorted), compare_nodes);
	*ret = sorted;
	*ret_count = tree->count;
	return 0;
}
