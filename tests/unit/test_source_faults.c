/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every source over every recording with one thing going wrong at a time: the k-th file, link or
 * directory cannot be read, the k-th allocation fails, what was listed is not there any more when
 * it is opened; for every k, in the first poll and in a later one.
 *
 * A fault makes holes, never other values: the poll fails, or gives a fragment of which every line
 * is also in that of a poll without it. And it leaves no mark: polls after it are as good as ever.
 *
 * Wrapped: __wrap_root_read __wrap_root_read_link __wrap_root_list __wrap_root_read_filtered
 * __wrap_root_file_read __wrap_root_tcp_sockets __wrap_root_exchange __wrap_malloc __wrap_calloc
 * __wrap_realloc __wrap_reallocarray __wrap_strdup __wrap_clock_now_ns
 */
#include "base/clock.h"
#include "tests/support/failing_memory.h"
#include "tests/support/failing_root.h"
#include "tests/support/source_lab.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);
char *__wrap_strdup(const char *text)
{
	return fails_now() ? NULL : __real_strdup(text);
}

/*
 * `alike`: of the same kinds of things as one before it, only more: each fifth of its operations.
 */
static const struct {
	const char *name;
	bool alike;
} recordings[] = {
	{ "open-iscsi/two-targets", false },
	{ "open-iscsi/many", true },
	{ "open-iscsi/blackhole", false },
	{ "open-iscsi/recovery-expired", true },
	{ "open-iscsi/abandoned", false },
	{ "open-iscsi/logout", true },
	{ "open-iscsi/logged-out", false },
	{ "open-iscsi/login-refused", false },
	{ "open-iscsi/idle", false },
	{ "open-iscsi/offload", false },
	{ "open-iscsi/ipv6", false },
	{ "open-iscsi/old-kernel", false },
	{ "open-iscsi/states", false },
	{ "open-iscsi/hostile", false },
	{ "lio/digests", false },
	{ "lio/sessions", true },
	{ "lio/login-failures", true },
	{ "lio/session-failures", false },
	{ "lio/disabled", false },
	{ "lio/ipv6", false },
	{ "lio/idle", true },
	{ "lio/errors", false },
	{ "lio/hostile", false },
	{ "lio/no-targets", false },
	{ "lio/none", false },
	{ "scst/two-targets", false },
	{ "scst/paths", false },
	{ "scst/stopped", false },
	{ "scst/no-target", false },
	{ "scst/errors", false },
	{ "multipath/alua", false },
	{ "multipath/path-lost", false },
};

/* With sanitizers, which make all this five times as slow, not each one in one run of one test. */
#ifdef __SANITIZE_ADDRESS__
#define STRIDE 2u
#else
#define STRIDE 1u
#endif

static unsigned int stride_of(size_t at)
{
	return recordings[at].alike ? 5 * STRIDE : STRIDE;
}

static const int errors[] = { -EIO, -EACCES, -ENOENT, -ENODEV, -EINTR, -EAGAIN };

/* The clock of the source stands, or a slow machine would see more than a fast one. */
static uint64_t start_ns, ahead_ns;

uint64_t __real_clock_now_ns(void);
uint64_t __wrap_clock_now_ns(void);
uint64_t __wrap_clock_now_ns(void)
{
	if (!start_ns)
		start_ns = __real_clock_now_ns();
	return start_ns + ahead_ns;
}

static struct source_log all_good; /* of the recording, in a poll without a fault */
static const char *recording;
static char source_name[32];

static void begin(void)
{
	snprintf(source_name, sizeof(source_name), "%.*s", (int)strcspn(recording, "/"), recording);
	memset(&failing, 0, sizeof(failing));
	fail_at = allocations = 0;
	source_lab_begin(source_name, recording);
}

static void good_polls(unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		if (source_lab_poll() < 0)
			fail_msg("%s: %s", recording, source_lab.message);
}

static struct source_log good_lines(unsigned int polls)
{
	good_polls(polls);
	if (polls)
		source_lab_keep();
	return source_lab.fragment ? source_lab_lines() : (struct source_log){ .count = 0 };
}

/* ---- what may be otherwise ---- */

static bool is_gone(void)
{
	/* A directory that may not be listed is one for the sources. */
	return failing.error == -ENOENT || failing.error == -ENODEV ||
	       (failing.was_list && failing.error == -EACCES);
}

static bool has_one_of(const char *line, const char *const words[])
{
	for (; *words; words++)
		if (strstr(line, *words))
			return true;
	return false;
}

/* Of the node that sessions are at whose initiator's name is not known. */
static bool is_of_nameless(const char *line)
{
	static const char node[] = "node  initiator ", link[] = " node initiator";
	size_t length = strlen(line), word;

	if (length > sizeof(link) && strcmp(line + length - (sizeof(link) - 1), link) == 0)
		return true;
	if (strncmp(line, node, sizeof(node) - 1) != 0)
		return false;
	word = strcspn(line + sizeof(node) - 1, " ");
	return word < 40 && !memchr(line + sizeof(node) - 1, '.', word);
}

/* The row has another key: what makes it could not be read at first, or it is another session. */
static bool is_rekeyed(const char *line)
{
	return is_of_nameless(line) || strstr(line, " sid ?") ||
	       (strstr(line, "sid ") && !strstr(line, " creator ")) ||
	       (is_gone() && strstr(line, " epoch ")) ||
	       ((is_gone() || failing.was_list) && strstr(line, " life ") &&
		       !strstr(line, " life 0.0"));
}

/* Of several sessions on one path the first that was read is the first. */
static bool is_one_of_several(const char *line)
{
	const char *field = strstr(line, " at ");
	size_t length;

	if (strncmp(line, "path ", 5) != 0 || !field)
		return false;
	length = (size_t)(field - line) + 4 + strcspn(field + 4, " ");
	for (size_t i = 0; i < all_good.count; i++)
		if (strncmp(all_good.list[i], line, length) == 0 &&
			strncmp(all_good.list[i] + length, " #", 2) == 0)
			return true;
	return false;
}

static bool is_excused(const char *line)
{
	static const char *const always[] = {
		/* Texts that are put together say less when a part of them is missing; counts are
		 * of what could be read. */
		" vendor_version ",
		" description ",
		" connection_count ",
		" device_count ",
		" device_fault_count ",
		" sessions_reported ",
		" sessions_hidden ",
		/* Expired, and not abandoned: whether nobody reconnects it is not known. */
		" condition 5",
		/* What was known last, said only while the status is not known. */
		" status_of_time ",
		NULL,
	};
	/* What is not there any more is known to be none; without the name of its interface it is
	 * another path. */
	static const char *const when_gone[] = { " enabled_default ", " expected ", " map_name ",
		" map_wwid ", " iface ", " login ", " node_architecture ", " condition ",
		" condition_of_time ", " local_address ", " remote_address ", " state ",
		" target_portal_tag ", " target_last_failure_", NULL };

	/* These say what several others have in common, or come to. */
	bool is_of_several = strncmp(line, "path ", 5) == 0 || strncmp(line, "portal ", 7) == 0 ||
			     strncmp(line, "instance ", 9) == 0;

	return has_one_of(line, always) || is_rekeyed(line) || is_one_of_several(line) ||
	       (is_gone() && (has_one_of(line, when_gone) || is_of_several));
}

/* What a file that was not there for a moment had is known to be none; but the rows are there. */
static bool may_be_missing(const char *line)
{
	return is_excused(line) || (is_gone() && !strstr(line, " key "));
}

static void assert_only_holes(const char *when)
{
	struct source_log lines = source_lab_lines();
	const char *beyond = source_log_beyond(&lines, &all_good, is_excused);

	if (beyond)
		fail_msg("%s, %s: %s: %s", recording, when, strerror(-failing.error), beyond);
	source_log_free(&lines);
}

static bool has_another_key(const struct source_log *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		if (is_rekeyed(lines->list[i]))
			return true;
	return false;
}

/* What a file says of a target is not the target: its row stays without it. */
static bool is_of_no_target(const char *line)
{
	bool is_of_target = strncmp(line, "node ", 5) == 0 || strncmp(line, "portal ", 7) == 0;

	return !is_of_target || !strstr(line, " key ");
}

static void assert_targets_stay(const char *when)
{
	struct source_log lines = source_lab_lines();
	const char *beyond = source_log_beyond(&all_good, &lines, is_of_no_target);

	if (beyond)
		fail_msg("%s, %s: %s: lost is %s", recording, when, strerror(-failing.error),
			beyond);
	source_log_free(&lines);
}

/* Polls until all is as it would be without the fault: the next but one at the latest. */
static void assert_no_mark(const char *when)
{
	struct source_log lines;
	const char *beyond;

	failing.fail_at = 0;
	failing.is_gone = false;
	failing.gone[0] = '\0';
	fail_at = 0;
	if (is_gone())
		ahead_ns += 61 * NS_PER_S; /* what has gone is not looked for at once */
	good_polls(2);
	if (source_lab_is_as_kept())
		return;
	lines = good_lines(0);
	beyond = source_log_beyond(&lines, &all_good, is_excused);
	if (beyond)
		fail_msg("%s, after %s: %s: now there is: %s", recording, when,
			strerror(-failing.error), beyond);
	beyond = source_log_beyond(&all_good, &lines, may_be_missing);
	if (beyond && !has_another_key(&lines))
		fail_msg("%s, after %s: %s: missing is: %s", recording, when,
			strerror(-failing.error), beyond);
	source_log_free(&lines);
}

/* ---- reads that fail ---- */

/* The fault is in the poll after `before` good ones. Returns how many operations that poll has. */
static unsigned int fail_one_read(unsigned int before, unsigned int at, int error)
{
	unsigned int operations;
	char when[600];

	begin();
	good_polls(before);
	failing.operations = 0;
	failing.fail_at = at;
	failing.error = error;
	source_lab_poll();
	operations = failing.operations;
	snprintf(when, sizeof(when), "operation %u of poll %u (%s)", at, before + 1, failing.path);
	if (source_lab.error && source_lab.error != error && !is_gone())
		fail_msg("%s, %s: %s gives %s", recording, when, strerror(-error),
			strerror(-source_lab.error));
	if (source_lab.fragment)
		assert_only_holes(when);
	if (source_lab.fragment && !failing.was_list && !is_gone() &&
		strcmp(source_name, "lio") == 0)
		assert_targets_stay(when);
	assert_no_mark(when);
	source_lab_end();
	return operations;
}

static void fail_each_read(unsigned int before)
{
	for (size_t r = 0; r < ARRAY_SIZE(recordings); r++) {
		unsigned int count;

		recording = recordings[r].name;
		begin();
		good_polls(before);
		failing.operations = 0;
		all_good = good_lines(1);
		count = failing.operations;
		source_lab_end();
		for (unsigned int at = 1 + (unsigned int)r % stride_of(r); at <= count;
			at += stride_of(r)) {
			/* Each operation with one error here, and with others elsewhere. */
			int error = errors[(at / stride_of(r) + r + before) % ARRAY_SIZE(errors)];
			unsigned int operations = fail_one_read(before, at, error);

			count = operations > count ? operations : count;
		}
		source_log_free(&all_good);
	}
}

static void a_read_that_fails_makes_holes(void **state)
{
	(void)state;
	fail_each_read(0);
}

static void a_read_that_fails_later_makes_holes(void **state)
{
	(void)state;
	fail_each_read(1);
}

/* ---- memory ---- */

/* The fault is in the poll after `before` good ones. Returns false when there is no such one. */
static bool fail_one_allocation(unsigned int before, unsigned long at)
{
	bool has_failed;
	char when[64];

	begin();
	good_polls(before);
	snprintf(when, sizeof(when), "allocation %lu of poll %u", at, before + 1);
	failing.error = -ENOMEM;
	allocations = 0;
	fail_at = at;
	source_lab_poll();
	has_failed = allocations >= at;
	fail_at = 0;
	if (source_lab.error && source_lab.error != -ENOMEM)
		fail_msg("%s, %s: %s", recording, when, source_lab.message);
	if (source_lab.fragment)
		assert_only_holes(when);
	assert_no_mark(when);
	source_lab_end();
	return has_failed;
}

static void fail_each_allocation(unsigned int before)
{
	for (size_t r = 0; r < ARRAY_SIZE(recordings); r++) {
		unsigned long at = 1 + r % stride_of(r);

		recording = recordings[r].name;
		begin();
		all_good = good_lines(before + 1);
		source_lab_end();
		while (fail_one_allocation(before, at))
			at += stride_of(r);
		assert_true(at > stride_of(r)); /* there are some */
		source_log_free(&all_good);
	}
}

static void an_allocation_that_fails_fails_a_poll_and_no_more(void **state)
{
	(void)state;
	fail_each_allocation(0);
}

static void an_allocation_that_fails_later_fails_a_poll_and_no_more(void **state)
{
	(void)state;
	fail_each_allocation(1);
}

/* ---- what goes after it was listed ---- */

static char entries[4096][512];
static size_t entry_count;

static void note_entries(const char *path, const struct buf *names, int count)
{
	const char *name = names->data;

	for (; count > 0; count--, name += strlen(name) + 1) {
		if (entry_count < ARRAY_SIZE(entries) &&
			(size_t)snprintf(entries[entry_count], sizeof(entries[0]), "%s/%s", path,
				name) < sizeof(entries[0]))
			entry_count++;
	}
}

static void what_goes_after_it_was_listed_is_left_out(void **state)
{
	(void)state;
	for (size_t r = 0; r < ARRAY_SIZE(recordings); r++) {

		recording = recordings[r].name;
		begin();
		entry_count = 0;
		failing.on_list = note_entries;
		all_good = good_lines(1);
		source_lab_end();
		for (size_t i = r % stride_of(r); i < entry_count; i += stride_of(r)) {
			size_t length = (size_t)(strrchr(entries[i], '/') - entries[i]);

			begin();
			failing.error = -ENOENT;
			snprintf(failing.gone, sizeof(failing.gone), "%.511s", entries[i]);
			snprintf(failing.listed, sizeof(failing.listed), "%.*s", (int)length,
				entries[i]);
			source_lab_poll();
			if (source_lab.error)
				fail_msg("%s: %s goes: %s", recording, entries[i],
					source_lab.message);
			if (source_lab.fragment)
				assert_only_holes(entries[i]);
			assert_no_mark(entries[i]);
			source_lab_end();
		}
		source_log_free(&all_good);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_read_that_fails_makes_holes),
		cmocka_unit_test(a_read_that_fails_later_makes_holes),
		cmocka_unit_test(an_allocation_that_fails_fails_a_poll_and_no_more),
		cmocka_unit_test(an_allocation_that_fails_later_fails_a_poll_and_no_more),
		cmocka_unit_test(what_goes_after_it_was_listed_is_left_out),
	};

	int rc = cmocka_run_group_tests(tests, NULL, NULL);

	source_lab_close();
	return rc;
}
