/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The source lio when files and directories cannot be read: only holes appear, and no row goes
 * that is there.
 *
 * Wrapped: __wrap_root_read __wrap_root_list __wrap_root_tcp_sockets
 */
#include "tests/support/lio_wraps.h"

#define ORG  "iqn.2026-11.org.example:"
#define CRC  ORG "crc"
#define HOST ORG "host1"
#define ACL  "crc/tpgt_1/acls/" HOST

static const char *const recordings[] = { "none", "no-targets", "idle", "sessions",
	"login-failures", "session-failures", "disabled", "digests", "ipv6", "errors", "hostile" };

/* True when the field is unknown in `a`, or the same in both fragments. */
static bool holds(const struct field_info *field, const struct fragment *fa, const void *a,
	const struct fragment *fb, const void *b)
{
	const char *x = (const char *)a + field->offset, *y = (const char *)b + field->offset;
	const struct opt_str *s = (const void *)x, *t = (const void *)y;
	static const size_t sizes[] = {
		[FIELD_u32] = sizeof(struct opt_u32),
		[FIELD_counter] = sizeof(struct opt_counter),
		[FIELD_bool] = sizeof(struct opt_bool),
		[FIELD_bits] = sizeof(struct opt_bits),
		[FIELD_addr] = sizeof(struct opt_addr),
		[FIELD_isid] = sizeof(struct opt_isid),
	};

	switch (field->type) {
	case FIELD_str:
		return !s->known ||
		       (t->known && s->length == t->length &&
			       !memcmp((const char *)fa + fa->arena_at + s->offset,
				       (const char *)fb + fb->arena_at + t->offset, s->length));
	case FIELD_link: /* positions differ when rows are missing */
	case FIELD_time: /* of this machine */
		return true;
	case FIELD_bool:
		return !((const struct opt_bool *)(const void *)x)->known ||
		       !memcmp(x, y, sizes[field->type]);
	case FIELD_bits:
		return !((const struct opt_bits *)(const void *)x)->known ||
		       !memcmp(x, y, sizes[field->type]);
	case FIELD_u32:
		return !((const struct opt_u32 *)(const void *)x)->known ||
		       ((const struct opt_u32 *)(const void *)x)->value ==
			       ((const struct opt_u32 *)(const void *)y)->value;
	case FIELD_counter:
		return !((const struct opt_counter *)(const void *)x)->known ||
		       ((const struct opt_counter *)(const void *)x)->value ==
			       ((const struct opt_counter *)(const void *)y)->value;
	case FIELD_addr:
		return !((const struct opt_addr *)(const void *)x)->known ||
		       !memcmp(x, y, sizes[field->type]);
	case FIELD_isid:
		return !((const struct opt_isid *)(const void *)x)->known ||
		       !memcmp(x, y, sizes[field->type]);
	}
	return false;
}

static const char *key_of(const struct fragment *f, enum object_kind kind, uint32_t at)
{
	const struct object_info *type = object_info(kind);
	const char *object = (const char *)fragment_array(f, kind) + (size_t)at * type->size;
	const struct opt_str *key = (const void *)(object + type->key_offset);

	return (const char *)f + f->arena_at + key->offset;
}

/* Connections are told apart by the key of their session too. */
static const char *parent_key(const struct fragment *f, enum object_kind kind, uint32_t at)
{
	const struct connection *connections = fragment_array(f, OBJECT_CONNECTION);

	return kind == OBJECT_CONNECTION ? key_of(f, OBJECT_SESSION, connections[at].session) : "";
}

static void assert_in(const struct fragment *part, const struct fragment *whole,
	enum object_kind kind, uint32_t at)
{
	const struct object_info *type = object_info(kind);
	const char *object = (const char *)fragment_array(part, kind) + (size_t)at * type->size;

	for (uint32_t k = 0; k < whole->arrays[kind].count; k++) {
		const char *other =
			(const char *)fragment_array(whole, kind) + (size_t)k * type->size;

		if (strcmp(key_of(part, kind, at), key_of(whole, kind, k)) != 0 ||
			strcmp(parent_key(part, kind, at), parent_key(whole, kind, k)) != 0)
			continue;
		for (uint32_t i = 0; i < type->field_count; i++)
			if (!holds(&type->fields[i], part, object, whole, other))
				fail_msg("read %u: %s %s: %s is not as it is", lio_fake.fail_read,
					type->name, key_of(part, kind, at), type->fields[i].name);
		return;
	}
	fail_msg("read %u: %s %s is not there", lio_fake.fail_read, type->name,
		key_of(part, kind, at));
}

/* All that `part` says, `whole` says too; only sessions (and "any", their identity) may lack. */
static void assert_only_holes(const struct fragment *part, const struct fragment *whole)
{
	assert_int_equal(part->arrays[OBJECT_INSTANCE].count, 1);
	assert_int_equal(part->arrays[OBJECT_NODE].count, whole->arrays[OBJECT_NODE].count);
	assert_int_equal(part->arrays[OBJECT_PORTAL].count, whole->arrays[OBJECT_PORTAL].count);
	for (enum object_kind kind = 0; kind < OBJECT_KINDS; kind++)
		for (uint32_t i = 0; i < part->arrays[kind].count; i++)
			assert_in(part, whole, kind, i);
}

/* Takes the fragment of the last good poll. */
static struct fragment *take_fragment(void)
{
	struct fragment *f = lio_poll.fragment;

	lio_poll.fragment = NULL;
	return f;
}

static void check_each_read(const char *recording, int error)
{
	struct fragment *whole;
	unsigned reads;

	lio_fake.fail_error = error;
	lio_load(recording);
	lio_run_good();
	reads = lio_fake.reads;
	whole = take_fragment();
	assert_true(reads > 20);
	for (unsigned k = 1; k <= reads; k++) {
		lio_load(recording);
		lio_fake.fail_read = k;
		lio_run_good();
		assert_only_holes(lio_poll.fragment, whole);
		/* And in the poll after it all is there again. */
		lio_fake.fail_read = 0;
		lio_run_good();
		assert_only_holes(lio_poll.fragment, whole);
		assert_only_holes(whole, lio_poll.fragment);
		assert_int_equal(LIO_ARRAY(INSTANCE, instance)->discontinuity.ns, 0);
	}
	free(whole);
}

static void test_each_read_that_fails_is_a_hole(void **state)
{
	(void)state;
	check_each_read("digests", -ENODEV);
	check_each_read("ipv6", -EIO);
	check_each_read("session-failures", -EACCES);
	check_each_read("login-failures", -E2BIG);
}

static void test_each_read_that_fails_later_is_a_hole(void **state)
{
	struct fragment *whole;

	(void)state;
	lio_load("digests");
	lio_fake.fail_error = -EIO;
	lio_run_good();
	lio_run_good(); /* reads less: what was negotiated is known */
	whole = take_fragment();
	for (unsigned k = 1, reads = lio_fake.reads; k <= reads; k++) {
		lio_fake.fail_read = k;
		lio_run_good();
		assert_only_holes(lio_poll.fragment, whole);
		lio_fake.fail_read = 0;
		lio_run_good();
		assert_only_holes(whole, lio_poll.fragment);
	}
	free(whole);
}

static void test_list_that_fails_fails_the_poll(void **state)
{
	unsigned lists;

	(void)state;
	lio_load("digests");
	lio_run_good();
	lists = lio_fake.lists;
	lio_fake.fail_error = -EIO;
	for (unsigned k = 1; k <= lists; k++) {
		lio_fake.fail_list = k;
		assert_int_equal(lio_run(), 0);
		assert_int_equal(lio_poll.error, -EIO);
		assert_int_equal(lio_poll.good, 0);
		assert_non_null(
			strstr(lio_poll.message, "listing /sys/kernel/config/target/iscsi"));
		lio_fake.fail_list = 0;
		lio_run_good();
		assert_int_equal(lio_count_of(OBJECT_SESSION), 4);
		assert_non_null(strstr(lio_text_of(&lio_session(CRC, HOST)->key), "life 0.0"));
	}
}

static void test_want_of_memory_or_descriptors_fails_the_poll(void **state)
{
	static const int errors[] = { -ENOMEM, -EMFILE, -ENFILE };

	(void)state;
	lio_load("digests");
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		lio_fake.fail_read = 60;
		lio_fake.fail_error = errors[i];
		assert_int_equal(lio_run(), 0);
		assert_int_equal(lio_poll.error, errors[i]);
	}
}

static void test_deadline_is_kept(void **state)
{
	(void)state;
	lio_load("digests");
	lio_fake.reads = 0;
	assert_int_equal(source_find("lio")->collect(
				 lio_poll.source, clock_now_ns() - 1, lio_poll.collection),
		0);
	assert_int_equal(lio_poll.error, -ETIMEDOUT);
	assert_int_equal(lio_fake.reads, 0);
}

static void test_objects_that_vanish_meanwhile_are_left_out(void **state)
{
	(void)state;
	lio_load("digests");
	lio_put_error("/" ORG "rdma", -ENOENT);
	lio_put_error(ACL "/info", -ENODEV);
	lio_put_error("chelsio/tpgt_7/np", -ENOENT);
	lio_run_good();
	assert_int_equal(lio_count_of(OBJECT_NODE), 2);
	assert_null(lio_session(CRC, HOST));
	assert_non_null(lio_session(CRC, ORG "waiting"));
	assert_int_equal(lio_count_of(OBJECT_PORTAL), 1);
}

static void remove_target(const char *path)
{
	if (strstr(path, ORG "rdma/fabric_statistics/"))
		lio_fake.gone = ORG "rdma";
}

static void test_target_that_goes_after_it_was_listed(void **state)
{
	(void)state;
	lio_load("digests");
	lio_fake.before_read = remove_target;
	lio_run_good();
	assert_int_equal(lio_count_of(OBJECT_NODE), 2);
	assert_int_equal(lio_count_of(OBJECT_SESSION), 3);
}

static void test_file_that_is_too_long(void **state)
{
	char *text = malloc(70001);

	(void)state;
	assert_non_null(text);
	memset(text, 'x', 70000);
	text[70000] = 0;
	lio_load("digests");
	lio_put(ACL "/info", text);
	lio_put("crc/tpgt_1/param/TargetAlias", text);
	lio_put("iscsi_tgt_attr/fail_intr_name", text);
	free(text);
	lio_run_good();
	assert_null(lio_session(CRC, HOST));
	assert_false(lio_node(CRC)->alias.known);
	assert_false(lio_node(CRC)->target_last_failure_name.known);
}

static void test_no_recording_is_read_below_auth(void **state)
{
	(void)state; /* lio_double.c asserts it */
	for (size_t i = 0; i < ARRAY_SIZE(recordings); i++) {
		lio_load(recordings[i]);
		assert_int_equal(lio_run(), 0);
		assert_int_equal(lio_poll.error, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_each_read_that_fails_is_a_hole),
		TEST(test_each_read_that_fails_later_is_a_hole),
		TEST(test_list_that_fails_fails_the_poll),
		TEST(test_want_of_memory_or_descriptors_fails_the_poll),
		TEST(test_deadline_is_kept),
		TEST(test_objects_that_vanish_meanwhile_are_left_out),
		TEST(test_target_that_goes_after_it_was_listed),
		TEST(test_file_that_is_too_long),
		TEST(test_no_recording_is_read_below_auth),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
