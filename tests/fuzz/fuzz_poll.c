/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whole polls of a source over a recording of which some files, directories, links and answers say
 * something else: any octets, or any errno. Whatever a stack says, a poll gives an error or a
 * fragment that passes fragment_check (the lab ends the program otherwise), in a steady poll that
 * finds the change as well as in the first poll of a reader that begins with it.
 *
 * The first octet selects the recording. Then come changes: two octets for which node, one for
 * what kind of change, one for the length of the text, and the text.
 */
#include "base/log.h"
#include "base/root_private.h"
#include "tests/support/source_lab.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
	const char *source, *name;
} recordings[] = {
	{ "open-iscsi", "open-iscsi/two-targets" },
	{ "open-iscsi", "open-iscsi/disks" },
	{ "open-iscsi", "open-iscsi/blackhole" },
	{ "open-iscsi", "open-iscsi/offload" },
	{ "lio", "lio/sessions" },
	{ "lio", "lio/session-failures" },
	{ "scst", "scst/two-targets" },
	{ "multipath", "multipath/path-lost" },
	{ "open-iscsi", "open-iscsi/hostile" },
	{ "open-iscsi", "open-iscsi/multipath" },
};

static const int errors[] = { -EIO, -EACCES, -ENOENT, -ENODEV, -ENOTCONN, -EINVAL, -EMFILE };

#define CHANGES_MAX 16
static struct tree_node changes[CHANGES_MAX];

/* As it was recorded: loaded once, so that an input costs its polls and nothing else. */
static struct {
	struct root *root;
	const struct tree_node **nodes;
	size_t count;
} recorded[ARRAY_SIZE(recordings)];

static void no_message(int priority, const char *message)
{
	(void)priority;
	(void)message;
}

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void load(size_t at)
{
	char path[128];

	if (recorded[at].root)
		return;
	snprintf(path, sizeof(path), "tests/fixtures/%s.tree", recordings[at].name);
	must(root_open(path, &recorded[at].root) == 0);
	must(tree_sorted(recorded[at].root->tree, &recorded[at].nodes, &recorded[at].count) == 0);
	must(recorded[at].count > 0);
}

/* Names that a directory can have, each with its NUL; a recording with others is not loaded. */
static bool is_listing(const char *names, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!names[i] && (!i || !names[i - 1]))
			return false;
	return !length || !names[length - 1];
}

static size_t read_changes(const uint8_t *data, size_t size, size_t recording)
{
	size_t count = 0;

	while (size >= 4 && count < CHANGES_MAX) {
		size_t node = ((size_t)data[0] << 8 | data[1]) % recorded[recording].count;
		size_t length = data[3] < size - 4 ? data[3] : size - 4;

		changes[count] = *recorded[recording].nodes[node];
		if (data[2] & 1) {
			changes[count].error = errors[(data[2] >> 1) % ARRAY_SIZE(errors)];
			changes[count].data = NULL;
			changes[count].length = length = 0;
		} else {
			changes[count].error = 0;
			changes[count].data = (const char *)data + 4;
			changes[count].length = length;
		}
		if (changes[count].op != TREE_DIR ||
			is_listing(changes[count].data, changes[count].length))
			count++;
		data += 4 + length;
		size -= 4 + length;
	}
	return count;
}

static void put(const struct tree_node *nodes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		must(tree_put(source_lab.env.root->tree, &nodes[i]) == 0);
}

static void put_back(size_t recording, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t at = 0; at < recorded[recording].count; at++) {
			const struct tree_node *node = recorded[recording].nodes[at];

			if (node->op == changes[i].op && strcmp(node->path, changes[i].path) == 0 &&
				node->request_length == changes[i].request_length)
				put(node, 1);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t recording, count;

	if (size < 5)
		return 0;
	log_set_sink(no_message);
	recording = data[0] % ARRAY_SIZE(recordings);
	load(recording);
	count = read_changes(data + 1, size - 1, recording);
	for (int first = 0; first < 2; first++) {
		source_lab_begin(recordings[recording].source, recordings[recording].name);
		if (!first)
			must(source_lab_poll() == 0);
		put(changes, count);
		source_lab_poll();
		source_lab_poll();
		put_back(recording, count);
		must(source_lab_poll() == 0);
		source_lab_end();
	}
	return 0;
}
