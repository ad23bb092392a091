/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source/open_iscsi_devices.h: the SCSI devices of sessions, from trees as the kernel has them and
 * as it does not. A value that cannot be read or understood is unknown; none is counted as none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/clock.h"
#include "source/open_iscsi_devices.h"
#include "tests/support/scratch.h"
#include "tests/support/tree_set.h"
#include "tests/support/tree_text.h"

#define CLASS	"/sys/class/scsi_device"
#define DISK	CLASS "/3:0:0:1/device/"
#define PLENTY	10000u
#define FOREVER UINT64_MAX

enum { SID = 7, OTHER_SID = 8 };

static struct root *root;
static struct oiscsi_devices devices;
static struct oiscsi_session session_7 = { .sid = SID }, session_8 = { .sid = OTHER_SID };
static struct oiscsi_session *sessions[] = { &session_7, &session_8 };
static struct oiscsi o;
static uint64_t now_ns;
static struct builder *b;
static struct fragment *shown; /* of the last look: session 0 is SID, 1 OTHER_SID */

/* A disk of SID in a map, one of OTHER_SID without, a disk of this machine. */
static const char tree[] = TREE_TEXT_HEAD
	"dir " CLASS "\n|0:0:0:0\n|3:0:0:1\n|4:0:0:0\n"
	"link " CLASS "/0:0:0:0\n"
	"|../../devices/pci0000:00/ata1/host0/target0:0:0/0:0:0:0/scsi_device/0:0:0:0\n"
	"link " CLASS "/3:0:0:1\n"
	"|../../devices/platform/host3/session7/target3:0:0/3:0:0:1/scsi_device/3:0:0:1\n"
	"file " DISK "state\n|running\n"
	"file " DISK "vendor\n|LIO-ORG\\040\n"
	"file " DISK "model\n|disk           \\040\n"
	"file " DISK "access_state\n|active/optimized\n"
	"file " DISK "preferred_path\n|1\n"
	"file " DISK "iorequest_cnt\n|0x1f\n"
	"file " DISK "iodone_cnt\n|0x1e\n"
	"file " DISK "ioerr_cnt\n|0x2\n"
	"file " DISK "iotmo_cnt\n|0x0\n"
	"dir " DISK "block\n|sdc\n"
	"file " DISK "block/sdc/size\n|2097152\n"
	"dir " DISK "block/sdc/holders\n|dm-3\n"
	"file " DISK "block/sdc/holders/dm-3/dm/uuid\n|mpath-3600140512345678\n"
	"file " DISK "block/sdc/holders/dm-3/dm/name\n|mpatha\n"
	"link " CLASS "/4:0:0:0\n"
	"|../../devices/platform/host4/session8/target4:0:0/4:0:0:0/scsi_device/4:0:0:0\n"
	"file " CLASS "/4:0:0:0/device/state\n|transport-offline\n";

static int setup(void **state)
{
	(void)state;
	scratch_begin();
	root = tree_text_open(tree);
	memset(&devices, 0, sizeof(devices));
	now_ns = 1000 * NS_PER_S;
	o = (struct oiscsi){
		.root = root, .sessions = sessions, .session_count = 2, .devices = &devices
	};
	b = builder_new();
	assert_non_null(b);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	oiscsi_devices_clear(&devices);
	root_close(root);
	builder_free(b);
	free(shown);
	shown = NULL;
	scratch_end();
	return 0;
}

static void look_with(size_t limit, uint64_t deadline_ns)
{
	static const uint32_t sids[] = { SID, OTHER_SID };
	char reason[128];
	size_t length;

	now_ns += 5 * NS_PER_S;
	o.poll++;
	assert_int_equal(oiscsi_devices_read(&o, limit, now_ns, deadline_ns), 0);
	builder_reset(b);
	builder_text(b, &builder_instance(b, NULL)->key, "i");
	OPT_SET(builder_instance_at(b, 0)->number, 1);
	builder_text(b, &builder_node(b, NULL)->key, "n");
	builder_node_at(b, 0)->instance = 0;
	for (uint32_t i = 0; i < ARRAY_SIZE(sids); i++) {
		struct session *session = builder_session(b, NULL);

		session->instance = session->node = 0;
		builder_printf(b, &session->key, "%u", sids[i]);
		assert_int_equal(oiscsi_model_devices(b, &devices, sids[i], 0, i), 0);
	}
	free(shown);
	assert_int_equal(builder_seal(b, &shown, &length), 0);
	if (fragment_check(shown, length, reason) < 0)
		fail_msg("%s", reason);
}

static void look(void)
{
	look_with(PLENTY, FOREVER);
}

static const struct session *session(uint32_t at)
{
	return (const struct session *)fragment_array(shown, OBJECT_SESSION) + at;
}

static uint32_t count(void)
{
	return shown->arrays[OBJECT_DEVICE].count;
}

static const struct device *device(uint32_t at)
{
	assert_true(at < count());
	return (const struct device *)fragment_array(shown, OBJECT_DEVICE) + at;
}

static const char *text(const struct opt_str *field)
{
	return field->known ? (const char *)shown + shown->arena_at + field->offset : "-";
}

/* `devices` or `faults` below 0: not known. */
static void assert_session(uint32_t at, int number, int faults)
{
	assert_int_equal(session(at)->device_count.known, number >= 0);
	assert_int_equal(session(at)->device_fault_count.known, faults >= 0);
	if (number >= 0)
		assert_int_equal(session(at)->device_count.value, number);
	if (faults >= 0)
		assert_int_equal(session(at)->device_fault_count.value, faults);
}

/* ---- what there is ---- */

static void devices_of_sessions_and_no_others(void **state)
{
	const struct device *disk;

	(void)state;
	look();
	assert_int_equal(count(), 2);
	assert_session(0, 1, 0);
	assert_session(1, 1, 1);
	disk = device(0);
	assert_int_equal(disk->session, 0);
	assert_string_equal(text(&disk->hctl), "3:0:0:1");
	assert_int_equal(disk->lun.value, 1);
	assert_string_equal(text(&disk->name), "sdc");
	assert_int_equal(disk->size.value, UINT64_C(1) << 30);
	assert_string_equal(text(&disk->vendor), "LIO-ORG");
	assert_string_equal(text(&disk->model), "disk");
	assert_int_equal(disk->state.value, 2);
	assert_int_equal(disk->access_state.value, 1);
	assert_true(disk->preferred.known && disk->preferred.value);
	assert_string_equal(text(&disk->map_name), "mpatha");
	assert_string_equal(text(&disk->map_wwid), "3600140512345678");
	assert_int_equal(disk->requests.value, 31);
	assert_int_equal(disk->completions.value, 30);
	assert_int_equal(disk->errors.value, 2);
	assert_true(disk->timeouts.known && disk->timeouts.value == 0);
	disk = device(1);
	assert_int_equal(disk->state.value, 7);
	assert_string_equal(text(&disk->name), "-"); /* no disk, or not yet */
	assert_string_equal(text(&disk->map_name), "-");
	assert_false(disk->size.known || disk->access_state.known || disk->requests.known);
}

/* ---- none, and not known ---- */

static void an_empty_class_is_none(void **state)
{
	(void)state;
	tree_set_list(root, CLASS, "");
	look();
	assert_session(0, 0, 0);
	assert_int_equal(count(), 0);
}

static void a_class_that_cannot_be_listed_is_unknown(void **state)
{
	static const int errors[] = { -ENOENT, -EACCES, -EIO };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		tree_set_list_error(root, CLASS, errors[i]);
		look();
		assert_session(0, -1, -1);
		assert_int_equal(count(), 0);
	}
	tree_set_list(root, CLASS, "3:0:0:1\n");
	look();
	assert_session(0, 1, 0);
}

static void a_limit_leaves_the_counts_unknown(void **state)
{
	(void)state;
	look_with(0, FOREVER);
	assert_session(0, -1, -1);
	assert_int_equal(count(), 0);
	look_with(2, FOREVER);
	assert_session(0, -1, -1);
	assert_session(1, -1, -1);
	assert_int_equal(count(), 1);
	look_with(3, FOREVER);
	assert_session(1, 1, 1);
}

/* It may be one of any session. */
static void a_device_whose_session_cannot_be_read(void **state)
{
	(void)state;
	tree_set_link_error(root, CLASS "/0:0:0:0", -EIO);
	look();
	assert_session(0, -1, -1);
	assert_session(1, -1, -1);
	assert_int_equal(count(), 2);
	tree_set_link_error(root, CLASS "/0:0:0:0", -ENOENT); /* it has gone meanwhile */
	look();
	assert_session(0, 1, 0);
	tree_set_link(root, CLASS "/0:0:0:0", "../x/session7/target0:0:0/0:0:0:0");
	look();
	assert_session(0, 2, -1); /* it has no state */
}

static void none_is_faulty_only_when_all_states_are_known(void **state)
{
	(void)state;
	tree_set_file_error(root, DISK "state", -EIO);
	look();
	assert_session(0, 1, -1);
	assert_false(device(0)->state.known);
	tree_set_file(root, DISK "state", "a word of a later kernel\n");
	look();
	assert_session(0, 1, -1);
	/* One of the same session that is. */
	tree_set_link(root, CLASS "/0:0:0:0", "../x/session7/target0:0:0/0:0:0:0");
	tree_set_file(root, CLASS "/0:0:0:0/device/state", "offline\n");
	oiscsi_devices_clear(&devices);
	look();
	assert_session(0, 2, 1);
}

static void each_state_can_do_io_or_not(void **state)
{
	static const struct {
		const char *word;
		uint32_t number;
		int faults;
	} rows[] = { { "created", 1, 0 }, { "running", 2, 0 }, { "cancel", 3, 1 },
		{ "deleted", 4, 1 }, { "quiesce", 5, 0 }, { "offline", 6, 1 },
		{ "transport-offline", 7, 1 }, { "blocked", 8, 1 }, { "created-blocked", 9, 1 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		tree_set_file(root, DISK "state", rows[i].word);
		look();
		assert_int_equal(device(0)->state.value, rows[i].number);
		assert_session(0, 1, rows[i].faults);
	}
}

/* ---- values ---- */

static void values_that_are_none_are_unknown(void **state)
{
	static const char *const sizes[] = { "", "-1\n", "12 34\n", "0x\n",
		"36028797018963968\n" /* 2^64 octets */, "99999999999999999999\n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		tree_set_file(root, DISK "block/sdc/size", sizes[i]);
		tree_set_file(root, DISK "iorequest_cnt", sizes[i][0] == '3' ? "x" : sizes[i]);
		oiscsi_devices_clear(&devices);
		look();
		assert_false(device(0)->size.known);
		assert_false(device(0)->requests.known);
		assert_true(device(0)->completions.known);
	}
	tree_set_file(root, DISK "access_state", "unknown\n");
	tree_set_file(root, DISK "preferred_path", "2\n");
	tree_set_file_error(root, DISK "vendor", -EIO);
	oiscsi_devices_clear(&devices);
	look();
	assert_false(device(0)->access_state.known);
	assert_false(device(0)->preferred.known);
	assert_string_equal(text(&device(0)->vendor), "-");
}

static void of_the_holders_the_mapper_counts(void **state)
{
	(void)state;
	tree_set_list(root, DISK "block/sdc/holders", "bcache0\ndm-3\ndm-4\n");
	look();
	assert_string_equal(text(&device(0)->map_name), "mpatha");
	/* A map of another kind has no WWID; its name is shown. */
	tree_set_file(root, DISK "block/sdc/holders/dm-3/dm/uuid", "LVM-abc\n");
	oiscsi_devices_clear(&devices);
	look();
	assert_string_equal(text(&device(0)->map_name), "mpatha");
	assert_string_equal(text(&device(0)->map_wwid), "");
	/* No mapper: known to be none. */
	tree_set_list(root, DISK "block/sdc/holders", "");
	oiscsi_devices_clear(&devices);
	look();
	assert_string_equal(text(&device(0)->map_name), "");
	/* It cannot be listed, or has no name: unknown. */
	tree_set_list(root, DISK "block/sdc/holders", "dm-9\n");
	oiscsi_devices_clear(&devices);
	look();
	assert_string_equal(text(&device(0)->map_name), "-");
	tree_set_list_error(root, DISK "block/sdc/holders", -EIO);
	oiscsi_devices_clear(&devices);
	look();
	assert_string_equal(text(&device(0)->map_name), "-");
	assert_string_equal(text(&device(0)->map_wwid), "-");
}

/* Of a device that has been there for a while; of a new one: test_open_iscsi_devices_refresh.c. */
static void what_seldom_changes_is_read_again_after_a_while(void **state)
{
	(void)state;
	look();
	now_ns += 30 * NS_PER_S;
	look();
	tree_set_list(root, DISK "block", "sdz\n");
	tree_set_list_error(root, DISK "block/sdc/holders", -ENOENT);
	tree_set_file(root, DISK "vendor", "OTHER\n");
	tree_set_file(root, DISK "state", "offline\n");
	look();
	assert_string_equal(text(&device(0)->name), "sdc");
	assert_int_equal(device(0)->state.value, 6);
	now_ns += 30 * NS_PER_S;
	look();
	assert_string_equal(text(&device(0)->name), "sdz");
	assert_string_equal(text(&device(0)->vendor), "OTHER");
	assert_string_equal(text(&device(0)->map_name), "-"); /* of sdc it was */
}

static void devices_come_and_go(void **state)
{
	(void)state;
	look();
	tree_set_list(root, CLASS, "0:0:0:0\n4:0:0:0\n");
	look();
	assert_int_equal(count(), 1);
	assert_session(0, 0, 0);
	tree_set_file(root, DISK "vendor", "OTHER\n");
	tree_set_list(root, CLASS, "4:0:0:0\n3:0:0:1\nnot:a:device\n3:0:0:01\n-1:0:0:0\n");
	look();
	assert_int_equal(count(), 2);
	assert_string_equal(text(&device(0)->vendor), "OTHER"); /* it is another one */
}

static void a_lun_that_is_longer(void **state)
{
	(void)state;
	tree_set_list(root, CLASS, "3:0:0:18446744073709551615\n");
	tree_set_link(root, CLASS "/3:0:0:18446744073709551615", "../session7/target3:0:0/x");
	look();
	assert_string_equal(text(&device(0)->hctl), "3:0:0:18446744073709551615");
	assert_false(device(0)->lun.known);
}

/* ---- many ---- */

enum { MANY = 2500 };

static void make_many(void)
{
	CLEANUP_BUF struct buf names = BUF_INIT(MANY * 16);
	char path[128];

	for (int i = 0; i < MANY; i++) {
		buf_printf(&names, "5:0:0:%d\n", i);
		snprintf(path, sizeof(path), CLASS "/5:0:0:%d", i);
		tree_set_link(root, path, "../host5/session7/target5:0:0/x");
		snprintf(path, sizeof(path), CLASS "/5:0:0:%d/device/iorequest_cnt", i);
		tree_set_file(root, path, "0x5\n");
		snprintf(path, sizeof(path), CLASS "/5:0:0:%d/device/state", i);
		tree_set_file(root, path, "running\n");
	}
	tree_set_list(root, CLASS, names.data);
}

static void of_very_many_the_counts_are_read_in_turn(void **state)
{
	(void)state;
	make_many();
	for (int poll = 1; poll <= 4; poll++) {
		int counted = 0;

		look();
		assert_session(0, MANY, 0);
		for (uint32_t i = 0; i < MANY; i++)
			counted += device(i)->requests.known;
		assert_int_equal(counted, poll * 1000 < MANY ? poll * 1000 : MANY);
	}
}

static void without_time_nothing_is_said_of_them(void **state)
{
	(void)state;
	look_with(PLENTY, 0);
	assert_int_equal(count(), 2); /* they are there, as the list says … */
	assert_session(0, 1, -1);     /* … and nobody has looked at them */
	look();
	tree_set_file(root, DISK "state", "offline\n");
	look_with(PLENTY, 0);
	assert_session(0, 1, 0); /* as it was when last seen */
}

/* ---- texts ---- */

static void names_of_devices(void **state)
{
	static const char *const bad[] = { "", "1", "1:2:3", "1:2:3:", "1:2:3:4:5", "1:2:3:4 ",
		" 1:2:3:4", "+1:2:3:4", "1:2:3:-4", "4294967296:0:0:0",
		"1:2:3:18446744073709551616", "01:2:3:4", "a:b:c:d", "host0" };
	struct oiscsi_hctl hctl = { 9, 9, 9, 9 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_false(oiscsi_hctl_parse(bad[i], &hctl));
		assert_int_equal(hctl.host, 9);
	}
	assert_true(oiscsi_hctl_parse("4294967295:1:2:18446744073709551615", &hctl));
	assert_int_equal(hctl.host, UINT32_MAX);
	assert_int_equal(hctl.channel, 1);
	assert_int_equal(hctl.target, 2);
	assert_true(hctl.lun == UINT64_MAX);
}

static void sessions_in_links(void **state)
{
	static const struct {
		const char *link;
		uint32_t sid;
	} rows[] = { { "../../devices/platform/host3/session7/target3:0:0/3:0:0:1", 7 },
		{ "/session0/", 0 }, { "../session4294967295/x", UINT32_MAX },
		{ "../session4294967296/x", UINT32_MAX }, { "../session7x/y", UINT32_MAX },
		{ "../session/y", UINT32_MAX }, { "session7/x", UINT32_MAX },
		{ "../session-1/x", UINT32_MAX }, { "", UINT32_MAX }, { "////", UINT32_MAX },
		{ "../session7", 7 },
		{ "../sessionsessionsessionsessionsessionsession7/session9", 9 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(oiscsi_sid_of_link(rows[i].link), rows[i].sid);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(devices_of_sessions_and_no_others),
		TEST(an_empty_class_is_none),
		TEST(a_class_that_cannot_be_listed_is_unknown),
		TEST(a_limit_leaves_the_counts_unknown),
		TEST(a_device_whose_session_cannot_be_read),
		TEST(none_is_faulty_only_when_all_states_are_known),
		TEST(each_state_can_do_io_or_not),
		TEST(values_that_are_none_are_unknown),
		TEST(of_the_holders_the_mapper_counts),
		TEST(what_seldom_changes_is_read_again_after_a_while),
		TEST(devices_come_and_go),
		TEST(a_lun_that_is_longer),
		TEST(of_very_many_the_counts_are_read_in_turn),
		TEST(without_time_nothing_is_said_of_them),
		cmocka_unit_test(names_of_devices),
		cmocka_unit_test(sessions_in_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
