/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fragment_check on any octets, and what it lets through given to everything that relies on it:
 * the merge, the numbering, what is remembered of the polls before and for those after, both dumps.
 * The first octet of the input patches a good fragment rather than replacing it, so that the fuzzer
 * gets behind the header.
 */
#include "base/log.h"
#include "index/registry.h"
#include "model/builder.h"
#include "model/dump.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void silent(int priority, const char *message)
{
	(void)priority, (void)message;
}

/* One object of each kind, linked as they should be. */
static struct fragment *good_fragment(size_t *ret_length)
{
	struct builder *b = builder_new();
	struct fragment *f = NULL;
	struct instance *instance;
	struct connection *connection;
	struct session *session;
	struct portal *portal;
	struct node *node;
	struct auth *auth;

	if (!b)
		abort();
	instance = builder_instance(b, NULL);
	builder_text(b, &instance->key, "i");
	builder_text(b, &instance->event_epoch, "e");
	OPT_SET(instance->number, 3);
	OPT_SET(instance->session_failures, 4);
	builder_text(b, &instance->last_failure_remote_name, "r");
	portal = builder_portal(b, NULL);
	portal->instance = portal->node = 0;
	builder_text(b, &portal->key, "p");
	node = builder_node(b, NULL);
	node->instance = 0;
	builder_text(b, &node->key, "n");
	builder_text(b, &node->name, "iqn.2026-11.example:node");
	auth = builder_auth(b, NULL);
	auth->instance = auth->node = 0;
	builder_text(b, &auth->key, "a");
	for (int i = 0; i < 2; i++) {
		session = builder_session(b, NULL);
		session->instance = session->node = 0;
		builder_printf(b, &session->key, "s%d", i);
		builder_text(b, &session->login, "port 1");
		builder_text(b, &session->target_alias, "alias");
		session->last_error_time = (struct opt_time){ 5, 1 };
		OPT_SET(session->failures, 6);
		connection = builder_connection(b, NULL);
		connection->session = (uint32_t)i;
		builder_text(b, &connection->key, "c");
	}
	if (builder_seal(b, &f, ret_length) < 0)
		abort();
	builder_free(b);
	return f;
}

/* A poll of the agent. */
static void build(struct registry *registry, const struct fragment *fragment, FILE *out)
{
	static uint64_t now_ns = 1000;
	struct source_status status = { .source = "fuzz", .state = SOURCE_OK };
	struct snapshot_input input = { .status = &status, .fragment = fragment };
	struct snapshot *s;

	if (snapshot_build(&input, 1, registry, NULL, 1, ++now_ns, &s) < 0)
		return;
	dump_snapshot(s, DUMP_TEXT, 2000, out);
	dump_snapshot(s, DUMP_JSON, 2000, out);
	snapshot_put(s);
	registry_sweep(registry, 2);
}

static void use(const struct fragment *fragment)
{
	struct registry *registry = registry_new();
	FILE *nowhere = fopen("/dev/null", "w");
	size_t length;
	struct fragment *good = good_fragment(&length);

	if (!registry || !nowhere)
		abort();
	build(registry, good, nowhere);
	build(registry, fragment, nowhere);
	build(registry, good, nowhere);
	fclose(nowhere);
	registry_free(registry);
	free(good);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char reason[128];
	size_t length;
	struct fragment *f;

	log_set_sink(silent);
	if (size < 1)
		return 0;
	if (data[0] & 1) {
		/* As it comes, aligned as a mapping would be. */
		length = size - 1;
		f = malloc(length ? length : 1);
		if (!f)
			abort();
		memcpy(f, data + 1, length);
	} else {
		/* Patches: 3 octets each, position (16 bits, little endian) and value. */
		f = good_fragment(&length);
		for (size_t i = 1; i + 2 < size; i += 3)
			((uint8_t *)f)[(data[i] | data[i + 1] << 8) % length] = data[i + 2];
	}
	if (fragment_check(f, length, reason) == 0)
		use(f);
	free(f);
	return 0;
}
