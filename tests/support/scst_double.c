/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/scst_double.h"

#include <fnmatch.h>

struct scst_double scst;

static struct source_settings settings;

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "scst_double: %s: %s\n", what, scst.message);
	abort();
}

const struct scst_change *scst_find_change(struct scst_change changes[4], const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(scst.changes) && changes[i].pattern; i++) {
		if (fnmatch(changes[i].pattern, path, 0) != 0)
			continue;
		scst.now_ns += changes[i].takes_ns;
		if (changes[i].skip-- > 0 || (!changes[i].text && !changes[i].error))
			return NULL;
		return &changes[i];
	}
	return NULL;
}

static void take_unit(void *context, const struct unit_result *result)
{
	char reason[128];

	(void)context;
	scst.units++;
	scst.error = result->error;
	snprintf(scst.message, sizeof(scst.message), "%s", result->message);
	check(!strcmp(result->unit, ""), "the unit has a name");
	if (result->error)
		return;
	check(fragment_check(result->fragment, result->length, reason) == 0, "a bad fragment");
	free(scst.fragment);
	scst.fragment = result->fragment;
}

int scst_set_up(void **state)
{
	(void)state;
	memset(&scst, 0, sizeof(scst));
	scst.now_ns = 1000 * NS_PER_S;
	scst.env.settings = &settings;
	check(root_open("tests/fixtures/scst/two-targets.tree", &scst.env.root) == 0, "no fixture");
	check(source_find("scst")->open(&scst.env, &scst.source) == 0, "it does not open");
	scst.collection = collection_new(take_unit, NULL);
	check(scst.collection != NULL, "no memory");
	return 0;
}

int scst_tear_down(void **state)
{
	(void)state;
	source_find("scst")->close(scst.source);
	collection_free(scst.collection);
	free(scst.fragment);
	root_close(scst.env.root);
	return 0;
}

int scst_poll(void)
{
	scst.units = scst.error = 0;
	scst.asked[0] = scst.message[0] = 0;
	return source_find("scst")->collect(
		scst.source, scst.now_ns + 3 * NS_PER_S, scst.collection);
}

void scst_poll_good(void)
{
	check(scst_poll() == 0 && scst.units == 1 && scst.error == 0, "a poll failed");
}

uint32_t scst_rows(enum object_kind kind)
{
	return scst.fragment->arrays[kind].count;
}

const struct session *scst_session(void)
{
	const struct session *session = &SCST_ARRAY(SESSION, session)[1];

	check(scst_rows(OBJECT_SESSION) > 1 && strstr(scst_session_key(), ":cacdcd2520 "),
		"it is not the second session");
	return session;
}

const char *scst_session_key(void)
{
	return (const char *)scst.fragment + scst.fragment->arena_at +
	       SCST_ARRAY(SESSION, session)[1].key.offset;
}
