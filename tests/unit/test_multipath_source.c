/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The source multipath over recordings that are made here: when it asks and whom, what becomes of
 * the answers, and what ends a poll. Real daemons: tests/fault/test_multipath_faults.py.
 *
 * Wrapped: __wrap_malloc __wrap_calloc __wrap_realloc __wrap_reallocarray
 */
#include "model/fragment.h"
#include "reader/collection.h"
#include "source/multipath_wire.h"
#include "source/source.h"
#include "tests/support/failing_memory.h"
#include "tests/support/scratch.h"
#include "tests/support/tree_text.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define PATH_SOCKET	"/run/multipathd.socket"
#define ABSTRACT_SOCKET "@/org/kernel/linux/storage/multipathd"
#define RUNS                                \
	"file /run/multipathd.pid\n|4711\n" \
	"file /proc/4711/comm\n|multipathd\n"

/* Two maps; sda and sdc in the active groups, sdb enabled, sdd failed, sde in no map. */
static const char maps[] = "mp:--|dm-0|active|3 chk|3600a|mpatha\n"
			   "mp:--|dm-1|suspend|-|3600b|mpathb\n"
			   "mp:nvme|nvme0n1|undef|n/a|uuid.1|nqn:nsid.1\n"
			   "mp:--|undef|undef|off|3600c|mpathc\n";
static const char groups[] =
	"{\"maps\":[{\"name\":\"mpatha\",\"path_groups\":["
	"{\"dm_st\":\"active\",\"group\":1,\"paths\":[{\"dev\":\"sda\"}]},"
	"{\"dm_st\":\"enabled\",\"group\":2,\"paths\":[{\"dev\":\"sdb\"},{\"dev\":\"sdd\"}]}]},"
	"{\"name\":\"mpathb\",\"path_groups\":["
	"{\"dm_st\":\"active\",\"group\":1,\"paths\":[{\"dev\":\"sdc\"}]}]}]}\n";
static const char paths[] = "mp:--|sda|1:0:0:1|active|ready|50|scsi:iscsi|mpatha\n"
			    "mp:--|sdb|2:0:0:1|active|ghost|10|scsi:iscsi|mpatha\n"
			    "mp:--|sdc|3:0:0:0|active|faulty|50|scsi:fcp|mpathb\n"
			    "mp:--|sdd|4:0:0:1|failed|faulty|-1|scsi:iscsi|mpatha\n"
			    "mp:--|sde|5:0:0:1|undef|undef|-1|scsi:iscsi|[orphan]\n"
			    "mp:--|sdf|6:0:0:1|active|ready|50|scsi:iscsi|unheard-of\n";

static struct {
	int units, error;
	char message[UNIT_MESSAGE_MAX];
	struct fragment *fragment;
} polled;

static const struct source_settings settings;

/* Appends lines of a dialogue, each octet as \OOO. */
static void put_octets(struct buf *out, char mark, const char *octets, size_t length)
{
	buf_append(out, &mark, 1);
	for (size_t i = 0; i < length; i++)
		buf_printf(out, "\\%03o", (unsigned char)octets[i]);
	buf_text(out, "\\\n");
}

/* A dialogue over a socket: the answer is a text of multipathd, or NULL for an error. */
static void put_dialogue(struct buf *out, const char *socket, enum multipath_question question,
	const char *answer, const char *error)
{
	char request[MULTIPATH_REQUEST_MAX];
	size_t length = multipath_request(question, request), says;

	buf_printf(out, "socket %s pid=4711 uid=0 start=1\n", socket);
	put_octets(out, '>', request, length);
	if (answer) {
		CLEANUP_BUF struct buf framed = BUF_INIT(1 << 20);

		says = strlen(answer) + 1;
		buf_append(&framed, &says, sizeof(says));
		buf_append(&framed, answer, says);
		put_octets(out, '<', framed.data, framed.length);
	}
	if (error)
		buf_printf(out, "!%s\n", error);
}

static void take_unit(void *context, const struct unit_result *result)
{
	char reason[128];

	(void)context;
	polled.units++;
	polled.error = result->error;
	snprintf(polled.message, sizeof(polled.message), "%s", result->message);
	assert_string_equal(result->unit, "");
	free(polled.fragment);
	polled.fragment = result->fragment;
	if (result->fragment)
		assert_int_equal(fragment_check(result->fragment, result->length, reason), 0);
}

/* One poll of a machine of these records; returns what detect said. */
static int poll_tree(const char *records)
{
	CLEANUP_BUF struct buf text = BUF_INIT(1 << 20);
	const struct source_ops *ops = source_find("multipath");
	struct source_env env = { .settings = &settings };
	struct collection *c = collection_new(take_unit, NULL);
	struct source *source = NULL;
	int present;

	polled.units = polled.error = 0;
	buf_text(&text, TREE_TEXT_HEAD);
	buf_text(&text, records);
	assert_int_equal(text.error, 0);
	env.root = tree_text_open(text.data);
	present = ops->detect(&env);
	if (present > 0 && c && ops->open(&env, &source) == 0) {
		assert_int_equal(ops->collect(source, UINT64_MAX, c), 0);
		ops->close(source);
	}
	collection_free(c);
	root_close(env.root);
	return present;
}

/*
 * One poll of a multipathd that gives these answers at `socket`; the last one where it is asked for
 * its maps once more.
 */
static void poll_changing(const char *socket, const char *map_lines, const char *json,
	const char *path_lines, const char *new_map_lines)
{
	CLEANUP_BUF struct buf text = BUF_INIT(1 << 20);

	buf_text(&text, RUNS);
	put_dialogue(&text, socket, MULTIPATH_ASK_MAPS, map_lines, NULL);
	put_dialogue(&text, socket, MULTIPATH_ASK_GROUPS, json, NULL);
	put_dialogue(&text, socket, MULTIPATH_ASK_PATHS, path_lines, NULL);
	if (new_map_lines)
		put_dialogue(&text, socket, MULTIPATH_ASK_AGAIN, new_map_lines, NULL);
	buf_text(&text, "file /sys/block/dm-0/size\n|65536\n");
	assert_int_equal(poll_tree(text.data), 1);
	assert_int_equal(polled.units, 1);
}

static void poll_answers(
	const char *socket, const char *map_lines, const char *json, const char *path_lines)
{
	poll_changing(socket, map_lines, json, path_lines, NULL);
}

static const char *text_of(const struct opt_str *field)
{
	return field->known
		       ? (const char *)polled.fragment + polled.fragment->arena_at + field->offset
		       : "?";
}

#define COUNT(KIND) polled.fragment->arrays[OBJECT_##KIND].count
#define AT(KIND, type, i) \
	(&((const struct type *)fragment_array(polled.fragment, OBJECT_##KIND))[i])

static void maps_and_their_devices_are_shown(void **state)
{
	static const char *const names[] = { "sda", "sdb", "sdc", "sdd" };
	static const uint32_t map_of[] = { 0, 0, 1, 0 }, group_of[] = { 1, 2, 1, 2 };
	static const uint32_t group_state_of[] = { 1, 2, 1, 2 }, dm_state_of[] = { 1, 1, 1, 2 };
	static const uint32_t checker_of[] = { 1, 2, 3, 3 };

	(void)state;
	poll_answers(PATH_SOCKET, maps, groups, paths);
	assert_int_equal(polled.error, 0);
	assert_string_equal(polled.message, "");
	assert_int_equal(COUNT(MAP), 2);
	assert_string_equal(text_of(&AT(MAP, map, 0)->key), "3600a");
	assert_string_equal(text_of(&AT(MAP, map, 0)->wwid), "3600a");
	assert_string_equal(text_of(&AT(MAP, map, 0)->name), "mpatha");
	assert_string_equal(text_of(&AT(MAP, map, 0)->device), "dm-0");
	assert_string_equal(text_of(&AT(MAP, map, 0)->queueing), "3 chk");
	assert_int_equal(AT(MAP, map, 0)->size.value, 65536 * 512);
	assert_int_equal(AT(MAP, map, 0)->dm_state.value, 1);
	assert_string_equal(text_of(&AT(MAP, map, 1)->name), "mpathb");
	assert_false(AT(MAP, map, 1)->queueing.known);
	assert_false(AT(MAP, map, 1)->size.known);
	assert_int_equal(AT(MAP, map, 1)->dm_state.value, 2);
	assert_int_equal(COUNT(MAP_PATH), 4);
	for (uint32_t i = 0; i < 4; i++) {
		const struct map_path *path = AT(MAP_PATH, map_path, i);

		assert_string_equal(text_of(&path->name), names[i]);
		assert_int_equal(path->map, map_of[i]);
		assert_int_equal(path->group.value, group_of[i]);
		assert_int_equal(path->group_state.value, group_state_of[i]);
		assert_int_equal(path->dm_state.value, dm_state_of[i]);
		assert_int_equal(path->checker_state.value, checker_of[i]);
		assert_int_equal(path->is_iscsi.known, i != 2);
	}
	assert_string_equal(text_of(&AT(MAP_PATH, map_path, 1)->hctl), "2:0:0:1");
	assert_int_equal(AT(MAP_PATH, map_path, 1)->priority.value, 10);
	assert_false(AT(MAP_PATH, map_path, 3)->priority.known);
}

static void without_groups_the_rest_is_known(void **state)
{
	static const char *const broken[] = { "{\"maps\":[{\"vend\":\"a\"b\"}]}", "{", "" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		poll_answers(PATH_SOCKET, maps, broken[i], paths);
		assert_int_equal(polled.error, 0);
		assert_non_null(strstr(polled.message, "path groups are no JSON"));
		assert_int_equal(COUNT(MAP_PATH), 4);
		assert_int_equal(AT(MAP_PATH, map_path, 0)->priority.value, 50);
		assert_false(AT(MAP_PATH, map_path, 0)->group.known);
		assert_false(AT(MAP_PATH, map_path, 0)->group_state.known);
	}
}

/* "fail" is said when one map cannot be looked at; of many maps the JSON is longer than any. */
static void groups_that_are_not_told_cost_no_more(void **state)
{
	CLEANUP_BUF struct buf text = BUF_INIT(1 << 20);

	(void)state;
	poll_answers(PATH_SOCKET, maps, "fail\n", paths);
	assert_int_equal(polled.error, 0);
	assert_string_equal(polled.message, "its path groups are unknown: it says: fail");
	assert_int_equal(COUNT(MAP), 2);
	assert_int_equal(COUNT(MAP_PATH), 4);
	assert_false(AT(MAP_PATH, map_path, 0)->group.known);
	buf_text(&text, RUNS);
	put_dialogue(&text, PATH_SOCKET, MULTIPATH_ASK_MAPS, maps, NULL);
	put_dialogue(&text, PATH_SOCKET, MULTIPATH_ASK_GROUPS, NULL, "E2BIG");
	put_dialogue(&text, PATH_SOCKET, MULTIPATH_ASK_PATHS, paths, NULL);
	assert_int_equal(poll_tree(text.data), 1);
	assert_int_equal(polled.error, 0);
	assert_non_null(strstr(polled.message, "groups are unknown: it announces"));
	assert_int_equal(COUNT(MAP_PATH), 4);
	assert_false(AT(MAP_PATH, map_path, 0)->group.known);
}

#define ONE_MAP	  "mp:--|dm-0|active|on|3600a|mpatha\n"
#define BOTH	  ONE_MAP "mp:--|dm-1|active|on|3600b|mpathb\n"
#define ORPHAN	  "mp:--|sda|1:0:0:1|undef|undef|-1|scsi:iscsi|[orphan]\n"
#define IN_MPATHB "mp:--|sdb|2:0:0:1|active|ready|50|scsi:iscsi|mpathb\n"

/* Between the answers: it has not failed. */
static void a_map_that_was_taken_away_is_none(void **state)
{
	(void)state;
	poll_changing(PATH_SOCKET, ONE_MAP, "{\"maps\":[]}", ORPHAN, "ok\n");
	assert_int_equal(polled.error, 0);
	assert_int_equal(COUNT(MAP), 0);
	assert_int_equal(COUNT(MAP_PATH), 0);
	/* The kernel has it no more, multipathd has not noticed. */
	poll_changing(PATH_SOCKET, ONE_MAP, "{\"maps\":[]}", "ok\n",
		"mp:--|undef|undef|on|3600a|mpatha\n");
	assert_int_equal(polled.error, 0);
	assert_int_equal(COUNT(MAP), 0);
	/* One of two, and its paths with it. */
	poll_changing(PATH_SOCKET, BOTH, "{\"maps\":[]}", IN_MPATHB,
		"mp:--|dm-1|active|on|3600b|mpathb\nmp:--|dm-2|active|on|3600c|mpathc\n");
	assert_int_equal(polled.error, 0);
	assert_int_equal(COUNT(MAP), 1);
	assert_string_equal(text_of(&AT(MAP, map, 0)->name), "mpathb");
	assert_int_equal(COUNT(MAP_PATH), 1);
	assert_int_equal(AT(MAP_PATH, map_path, 0)->map, 0);
}

/* Its paths go by the new name: which they are is not known, and not that there is none. */
static void a_map_that_was_renamed_ends_the_poll(void **state)
{
	(void)state;
	poll_changing(PATH_SOCKET, BOTH, "{\"maps\":[]}",
		"mp:--|sda|1:0:0:1|active|ready|50|scsi:iscsi|disk\n" IN_MPATHB,
		"mp:--|dm-0|active|on|3600a|disk\nmp:--|dm-1|active|on|3600b|mpathb\n");
	assert_int_equal(polled.error, -EAGAIN);
	assert_non_null(strstr(polled.message, "renamed"));
}

/* It is still there: all its paths are gone, and I/O waits for one (queue_if_no_path). */
static void a_map_without_a_path_stays(void **state)
{
	(void)state;
	poll_changing(PATH_SOCKET, BOTH, "{\"maps\":[]}", IN_MPATHB, BOTH);
	assert_int_equal(polled.error, 0);
	assert_int_equal(COUNT(MAP), 2);
	assert_string_equal(text_of(&AT(MAP, map, 0)->name), "mpathb");
	assert_string_equal(text_of(&AT(MAP, map, 1)->name), "mpatha");
	assert_string_equal(text_of(&AT(MAP, map, 1)->wwid), "3600a");
	assert_int_equal(AT(MAP, map, 1)->size.value, 65536 * 512);
	assert_int_equal(COUNT(MAP_PATH), 1);
	assert_int_equal(AT(MAP_PATH, map_path, 0)->map, 0);
}

static void a_daemon_without_maps_is_good(void **state)
{
	(void)state;
	poll_answers(PATH_SOCKET, "ok\n", "{\"maps\":[]}\n", "ok\n");
	assert_int_equal(polled.error, 0);
	assert_int_equal(COUNT(MAP), 0);
	assert_int_equal(COUNT(MAP_PATH), 0);
}

static void the_abstract_socket_is_the_second(void **state)
{
	CLEANUP_BUF struct buf text = BUF_INIT(1 << 20);

	(void)state;
	poll_answers(ABSTRACT_SOCKET, maps, groups, paths);
	assert_int_equal(polled.error, 0);
	assert_int_equal(COUNT(MAP), 2);
	/* Of a daemon that is no more. */
	buf_text(&text, RUNS);
	for (enum multipath_question q = 0; q < MULTIPATH_QUESTIONS; q++) {
		put_dialogue(&text, PATH_SOCKET, q, NULL, "ECONNREFUSED");
		put_dialogue(&text, ABSTRACT_SOCKET, q,
			q == MULTIPATH_ASK_GROUPS ? "{\"maps\":[]}" : "ok\n", NULL);
	}
	assert_int_equal(poll_tree(text.data), 1);
	assert_int_equal(polled.error, 0);
	/* But not when the first one is there and does not answer. */
	buf_reset(&text);
	buf_text(&text, RUNS);
	put_dialogue(&text, PATH_SOCKET, MULTIPATH_ASK_MAPS, NULL, "ETIMEDOUT");
	put_dialogue(&text, ABSTRACT_SOCKET, MULTIPATH_ASK_MAPS, "ok\n", NULL);
	assert_int_equal(poll_tree(text.data), 1);
	assert_int_equal(polled.error, -ETIMEDOUT);
}

/* systemd may hold the sockets: connecting would start what is not there. Nor does a stranger
 * count. */
static void nobody_is_asked_unless_the_daemon_runs(void **state)
{
	static const struct {
		const char *records;
		int present;
	} machines[] = {
		{ "", 0 },
		{ "file /run/multipathd.pid\n|4711\n", 0 },
		{ "file /run/multipathd.pid\n|4711\nfile /proc/4711/comm\n|sshd\n", 0 },
		{ "file /run/multipathd.pid\n|4711\nerror /proc/4711/comm read ESRCH\n", 0 },
		{ RUNS "file /proc/4711/status\n|Name:\\tmultipathd\n|Uid:\\t1000\\t0\\t0\\t0\n",
			0 },
		{ RUNS "file /proc/4711/status\n|Name:\\tmultipathd\n|Uid:\\t0\\t0\\t0\\t1000\n",
			0 },
		{ RUNS "file /proc/4711/status\n|Name:\\tmultipathd\n|Uid:\\t0\\t0\\t0\n", 0 },
		{ RUNS "file /proc/4711/status\n|Name:\\tmultipathd\n", 0 },
		{ RUNS "error /proc/4711/status read EIO\n",
			-EIO }, /* not "absent", without a word */
		{ "file /run/multipathd.pid\n", 0 },
		{ "file /run/multipathd.pid\n|../1\nfile /proc/1/comm\n|multipathd\n", 0 },
		{ "file /run/multipathd.pid\n|0\n", 0 },
		{ "error /run/multipathd.pid read EIO\n", -EIO },
		{ "file /run/multipathd.pid\n|4711\nerror /proc/4711/comm read EIO\n", -EIO },
	};
	CLEANUP_BUF struct buf text = BUF_INIT(1 << 20);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		buf_reset(&text);
		buf_text(&text, machines[i].records);
		for (enum multipath_question q = 0; q < MULTIPATH_QUESTIONS; q++)
			put_dialogue(&text, PATH_SOCKET, q, "ok\n", NULL);
		assert_int_equal(poll_tree(text.data), machines[i].present);
		assert_int_equal(polled.units, 0);
	}
}

static void what_fails_says_so(void **state)
{
	static const struct {
		const char *maps, *groups, *paths;
		int error;
		const char *words;
	} answers[] = {
		{ "fail\n", groups, paths, -EIO, "for the maps: it says: fail" },
		{ "timeout\n", groups, paths, -ETIMEDOUT, "busy" },
		{ "v0.4.9\nCLI commands reference:\n", groups, paths, -EOPNOTSUPP, "not know" },
		{ maps, "timeout\n", paths, -ETIMEDOUT, "for the path groups" },
		{ maps, groups, "fail\n", -EIO, "for the paths" },
		{ "gar\033[2Jbage\n", groups, paths, -EBADMSG, "that is none: gar?[2Jbage" },
		{ maps, groups, "mp:--|sda\n", -EBADMSG, "that is none: mp:--|sda" },
		{ "mp:--|dm-0|active|-|1|a\nmp:--|dm-1|active|-|2|a\n", groups, paths, -EOVERFLOW,
			"two maps have one name" },
	};

	(void)state;
	poll_changing(PATH_SOCKET, maps, groups, "ok\n", "timeout\n");
	assert_int_equal(polled.error, -ETIMEDOUT);
	assert_non_null(strstr(polled.message, "for the maps again: it was busy"));
	poll_changing(PATH_SOCKET, maps, groups, "ok\n", "garbage\n");
	assert_int_equal(polled.error, -EBADMSG);
	assert_non_null(strstr(polled.message, "that is none: garbage"));
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		poll_answers(PATH_SOCKET, answers[i].maps, answers[i].groups, answers[i].paths);
		assert_int_equal(polled.error, answers[i].error);
		if (!strstr(polled.message, answers[i].words))
			fail_msg("not of %s: %s", answers[i].words, polled.message);
	}
	assert_int_equal(poll_tree(RUNS), 1);
	assert_int_equal(polled.error, -ENOENT);
	assert_non_null(strstr(polled.message, "nobody listens"));
}

static void every_allocation_may_fail(void **state)
{
	CLEANUP_BUF struct buf text = BUF_INIT(1 << 20);
	const struct source_ops *ops = source_find("multipath");
	struct source_env env = { .settings = &settings };
	bool good = false;

	(void)state;
	buf_text(&text, TREE_TEXT_HEAD RUNS);
	put_dialogue(&text, PATH_SOCKET, MULTIPATH_ASK_MAPS, maps, NULL);
	put_dialogue(&text, PATH_SOCKET, MULTIPATH_ASK_GROUPS, groups, NULL);
	put_dialogue(&text, PATH_SOCKET, MULTIPATH_ASK_PATHS, IN_MPATHB, NULL);
	put_dialogue(&text, PATH_SOCKET, MULTIPATH_ASK_AGAIN, maps, NULL);
	env.root = tree_text_open(text.data);
	for (unsigned long n = 1; !good; n++) {
		struct collection *c = collection_new(take_unit, NULL);
		struct source *source = NULL;
		int rc;

		assert_non_null(c);
		polled.error = polled.units = 0;
		allocations = 0;
		fail_at = n;
		rc = ops->open(&env, &source);
		if (rc == 0)
			ops->collect(source, UINT64_MAX, c);
		good = allocations < fail_at;
		fail_at = 0;
		assert_int_equal(rc < 0 ? rc : polled.error, good ? 0 : -ENOMEM);
		assert_int_equal(polled.units, rc == 0);
		ops->close(source);
		collection_free(c);
		assert_true(n < 1000);
	}
	assert_int_equal(COUNT(MAP), 2);
	assert_int_equal(COUNT(MAP_PATH), 1);
	root_close(env.root);
}

static int set_up(void **state)
{
	(void)state;
	scratch_begin();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(polled.fragment);
	polled.fragment = NULL;
	scratch_end();
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(maps_and_their_devices_are_shown),
		TEST(without_groups_the_rest_is_known),
		TEST(groups_that_are_not_told_cost_no_more),
		TEST(a_map_that_was_taken_away_is_none),
		TEST(a_map_that_was_renamed_ends_the_poll),
		TEST(a_map_without_a_path_stays),
		TEST(a_daemon_without_maps_is_good),
		TEST(the_abstract_socket_is_the_second),
		TEST(nobody_is_asked_unless_the_daemon_runs),
		TEST(what_fails_says_so),
		TEST(every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
