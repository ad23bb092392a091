/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The source probe with the real libiscsi: what it remarks on, and that it leaves no process
 * behind. With a target at the other end: tests/e2e/test_probe.py.
 */
#include "base/clock.h"
#include "model/fragment.h"
#include "reader/collection.h"
#include "source/probe_child.h"
#include "source/probe_entries.h"

#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h>

#define DISK "iqn.2004-10.org.example:disk"

extern const struct source_ops probe_source;

static struct source_settings settings;
static struct source_env env;
static struct source *source;
static struct collection *collection;
static struct {
	unsigned int units;
	int error;
	char message[UNIT_MESSAGE_MAX];
	uint32_t probes;
} result;
static uint32_t record_count; /* how many there are */
static int start_error;	      /* of every try, 0 none */

int __wrap_oiscsi_records_read(struct root *root, const char *config, const char *records,
	uint64_t deadline_ns, struct oiscsi_records *ret);
int __wrap_oiscsi_records_read(struct root *root, const char *config, const char *records,
	uint64_t deadline_ns, struct oiscsi_records *ret)
{
	(void)root, (void)config, (void)records, (void)deadline_ns;
	*ret = (struct oiscsi_records){ .incomplete = false };
	for (uint32_t i = 0; i < record_count; i++) {
		struct oiscsi_node node = { .target = strdup(DISK),
			.portal = { .address = { 1, 4, { 10, 0, (uint8_t)(i >> 8), (uint8_t)i } },
				.port = 3260 } };

		assert_int_equal(oiscsi_nodes_add(&ret->nodes, &node), 0);
	}
	return 0;
}

int __real_probe_child_start(
	const struct probe_job *job, const struct probe_place *place, struct probe_child *ret);
int __wrap_probe_child_start(
	const struct probe_job *job, const struct probe_place *place, struct probe_child *ret);
int __wrap_probe_child_start(
	const struct probe_job *job, const struct probe_place *place, struct probe_child *ret)
{
	return start_error ? start_error : __real_probe_child_start(job, place, ret);
}

static void take(void *context, const struct unit_result *from)
{
	(void)context;
	result.units++;
	result.error = from->error;
	snprintf(result.message, sizeof(result.message), "%s", from->message);
	result.probes = from->fragment ? from->fragment->arrays[OBJECT_PROBE].count : 0;
	free(from->fragment);
}

static int begin(void **state)
{
	(void)state;
	settings = (struct source_settings){ .probe_timeout = 60, .probe_interval = 60 };
	snprintf(settings.probe_initiator_name, sizeof(settings.probe_initiator_name),
		"iqn.2004-10.org.example:probe");
	env = (struct source_env){ .settings = &settings, .lasting = true };
	record_count = 0;
	start_error = -EAGAIN;
	assert_int_equal(root_open(NULL, &env.root), 0);
	collection = collection_new(take, NULL);
	assert_non_null(collection);
	assert_int_equal(probe_source.open(&env, &source), 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	probe_source.close(source);
	source = NULL;
	collection_free(collection);
	root_close(env.root);
	return 0;
}

static void poll_once(void)
{
	memset(&result, 0, sizeof(result));
	assert_int_equal(
		probe_source.collect(source, clock_now_ns() + 10 * NS_PER_S, collection), 0);
	assert_int_equal(result.units, 1);
	assert_int_equal(result.error, 0);
}

static void set_line(uint32_t at, const char *text)
{
	snprintf(settings.probes.lines[at], SOURCE_LINE_MAX, "%s", text);
	settings.probes.count = at + 1;
}

static void with_nothing_left_out_there_is_no_remark(void **state)
{
	(void)state;
	set_line(0, "10.0.0.1 " DISK);
	poll_once();
	assert_int_equal(result.probes, 1);
	assert_string_equal(result.message, "");
}

static void a_zone_that_is_no_interface_is_remarked_on(void **state)
{
	(void)state;
	set_line(0, "10.0.0.1 " DISK);
	set_line(1, "[fe80::1%nosuch0] " DISK);
	poll_once();
	assert_int_equal(result.probes, 1);
	assert_non_null(strstr(result.message, "zone that is no interface"));
}

static void more_than_there_is_room_for_is_remarked_on(void **state)
{
	(void)state;
	settings.probe_known_paths = 1;
	record_count = PROBE_ENTRIES_MAX;
	poll_once();
	assert_int_equal(result.probes, PROBE_ENTRIES_MAX);
	assert_string_equal(result.message, "");
	end(state);
	begin(state);
	settings.probe_known_paths = 1;
	record_count = PROBE_ENTRIES_MAX + 1;
	poll_once();
	assert_int_equal(result.probes, PROBE_ENTRIES_MAX);
	assert_non_null(strstr(result.message, "more than 1000 portals and targets"));
}

/* A portal that takes the connection and says nothing: the try ends with its source. */
static void a_try_that_goes_on_ends_with_the_source(void **state)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), peer;
	struct pollfd fd = { .fd = listener, .events = POLLIN };
	char line[64], octets[4096];
	ssize_t got;

	(void)state;
	if (geteuid() != 0) {
		print_message("skipped: needs root\n");
		skip();
	}
	start_error = 0;
	assert_int_equal(bind(listener, (struct sockaddr *)&address, length), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
	snprintf(line, sizeof(line), "127.0.0.1:%u " DISK, ntohs(address.sin_port));
	set_line(0, line);
	poll_once();
	assert_int_equal(result.probes, 1);
	assert_int_equal(poll(&fd, 1, 30000), 1);
	peer = accept(listener, NULL, NULL);
	assert_true(peer >= 0);
	end(state);
	fd.fd = peer;
	do { /* its request for a login may have come, too */
		assert_int_equal(poll(&fd, 1, 30000), 1);
		got = read(peer, octets, sizeof(octets));
	} while (got > 0);
	assert_true(got == 0 || errno == ECONNRESET);
	close(peer);
	close(listener);
	begin(state);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(with_nothing_left_out_there_is_no_remark),
		TEST(a_zone_that_is_no_interface_is_remarked_on),
		TEST(more_than_there_is_room_for_is_remarked_on),
		TEST(a_try_that_goes_on_ends_with_the_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
