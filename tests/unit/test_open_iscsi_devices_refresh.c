/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When the devices of the initiator are read again: a new device, whose disk, ALUA handler and map
 * come in the moments after it, and an old one that gets another map.
 */
#include "base/clock.h"
#include "source/open_iscsi_devices.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#define SESSION "/sys/devices/platform/host2/session1"
#define DEVICE	SESSION "/target2:0:0/2:0:0:0"

static struct root *root;
static struct oiscsi_devices devices;
static struct oiscsi_session session_1 = { .sid = 1 }, session_2 = { .sid = 2 };
static struct oiscsi_session *sessions[] = { &session_1, &session_2 };
static struct oiscsi o;
static uint64_t now_ns;
static uint64_t object; /* of open files; 0: not known, as with all files of a directory */

uint64_t __wrap_root_file_object(const struct root_file *file);

uint64_t __wrap_root_file_object(const struct root_file *file)
{
	(void)file;
	return object;
}

/* The directories of a path that ends with '/', as far as they are not there. */
static void make_dirs(const char *path)
{
	char part[192];

	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		if (access(scratch_path(part), F_OK) < 0)
			scratch_dir(part);
	}
}

static void make_text(const char *path, const char *text)
{
	make_dirs(path);
	scratch_text(path, text);
}

static void make_map(const char *kernel_name, const char *name, const char *uuid)
{
	char path[192], target[64];

	snprintf(path, sizeof(path), "/sys/devices/virtual/block/%s/dm/name", kernel_name);
	make_text(path, name);
	snprintf(path, sizeof(path), "/sys/devices/virtual/block/%s/dm/uuid", kernel_name);
	make_text(path, uuid);
	snprintf(path, sizeof(path), DEVICE "/block/sda/holders/%s", kernel_name);
	snprintf(target, sizeof(target), "../../../../../../../../virtual/block/%s", kernel_name);
	scratch_link(path, target);
}

static void remove_map(const char *kernel_name)
{
	char path[192];

	snprintf(path, sizeof(path), DEVICE "/block/sda/holders/%s", kernel_name);
	assert_int_equal(unlink(scratch_path(path)), 0);
}

static void make_disk(void)
{
	make_text(DEVICE "/block/sda/size", "16384\n");
	make_dirs(DEVICE "/block/sda/holders/");
}

/* One poll this long after the one before it. Returns the device. */
static const struct oiscsi_device *poll_after(uint64_t ns)
{
	now_ns += ns;
	o.poll++;
	assert_int_equal(oiscsi_devices_read(&o, 10, now_ns, UINT64_MAX), 0);
	assert_int_equal(devices.of_sessions, 1);
	return devices.by_session[0];
}

static int begin(void **state)
{
	(void)state;
	scratch_begin();
	make_text(DEVICE "/state", "running\n");
	make_text(DEVICE "/vendor", "LIO-ORG \n");
	make_dirs(DEVICE "/scsi_device/2:0:0:0/");
	make_dirs("/sys/class/scsi_device/");
	scratch_link(DEVICE "/scsi_device/2:0:0:0/device", "../..");
	scratch_link("/sys/class/scsi_device/2:0:0:0",
		"../../devices/platform/host2/session1/target2:0:0/2:0:0:0/scsi_device/2:0:0:0");
	assert_int_equal(root_open(scratch_path(""), &root), 0);
	now_ns = 1000 * NS_PER_S;
	session_1.first_poll = session_2.first_poll = 0;
	o = (struct oiscsi){
		.root = root, .sessions = sessions, .session_count = 1, .devices = &devices
	};
	return 0;
}

static int end(void **state)
{
	(void)state;
	oiscsi_devices_clear(&devices);
	root_close(root);
	root = NULL;
	scratch_end();
	return 0;
}

static void the_disk_of_a_new_device_comes_later(void **state)
{
	const struct oiscsi_device *device = poll_after(0);

	(void)state;
	assert_string_equal(device->vendor, "LIO-ORG");
	assert_string_equal(device->name, "");
	assert_false(device->map_known || device->access.known);
	make_disk();
	scratch_text(DEVICE "/access_state", "active/optimized\n");
	device = poll_after(NS_PER_S);
	assert_string_equal(device->name, "sda");
	assert_int_equal(device->size.value, 16384 * 512);
	assert_true(device->map_known);
	assert_string_equal(device->map_name, "");
	assert_int_equal(device->access.value, 1);
}

/* The longer it has been there, the seldomer: after 1, 2, 4, 8 … and every 30 seconds. */
static void it_is_read_again_less_and_less_often(void **state)
{
	static const unsigned int again[] = { 1, 2, 4, 8, 16, 32, 62, 92, 122 };
	const struct oiscsi_device *device;
	size_t next = 0;

	(void)state;
	make_disk();
	poll_after(0);
	for (unsigned int second = 1; second <= 122; second++) {
		char size[16];

		snprintf(size, sizeof(size), "%u\n", second);
		scratch_text(DEVICE "/block/sda/size", size);
		device = poll_after(NS_PER_S);
		if (second == again[next])
			next++;
		assert_int_equal(device->size.value, next ? again[next - 1] * 512 : 16384 * 512);
	}
	assert_int_equal(next, ARRAY_SIZE(again));
}

/* The kernel keeps what INQUIRY told; another device of the same number is another object. */
static void inquiry_is_read_once_for_each_object(void **state)
{
	const struct oiscsi_device *device;

	(void)state;
	make_disk();
	poll_after(0); /* its files are opened in it */
	object = 7;
	poll_after(30 * NS_PER_S);
	scratch_text(DEVICE "/vendor", "OTHER\n");
	scratch_text(DEVICE "/block/sda/size", "8\n");
	device = poll_after(30 * NS_PER_S);
	assert_int_equal(device->size.value, 8 * 512); /* it was read again … */
	assert_string_equal(device->vendor, "LIO-ORG");
	object = 8;
	device = poll_after(30 * NS_PER_S);
	assert_string_equal(device->vendor, "OTHER");
	object = 0;
	scratch_text(DEVICE "/vendor", "THIRD\n");
	device = poll_after(30 * NS_PER_S);
	assert_string_equal(device->vendor, "THIRD");
}

/* From now on its address is that of a disk of `whose`. */
static void give_to(const char *whose)
{
	char path[192];

	snprintf(path, sizeof(path), "%s/target2:0:0/2:0:0:0/vendor", whose);
	make_text(path, "OTHER\n");
	snprintf(path, sizeof(path), "%s/target2:0:0/2:0:0:0/state", whose);
	make_text(path, "offline\n");
	snprintf(path, sizeof(path), "%s/target2:0:0/2:0:0:0/scsi_device/2:0:0:0/", whose);
	make_dirs(path);
	snprintf(path, sizeof(path), "%s/target2:0:0/2:0:0:0/scsi_device/2:0:0:0/device", whose);
	scratch_link(path, "../..");
	snprintf(path, sizeof(path), "../../devices/%s/target2:0:0/2:0:0:0/scsi_device/2:0:0:0",
		whose + strlen("/sys/devices/"));
	assert_int_equal(unlink(scratch_path("/sys/class/scsi_device/2:0:0:0")), 0);
	scratch_link("/sys/class/scsi_device/2:0:0:0", path);
}

/* The kernel gives the lowest free number to a host: no poll needs to see that there was none. */
static void an_address_that_is_given_again(void **state)
{
	const struct oiscsi_device *device;

	(void)state;
	make_disk();
	poll_after(0);
	assert_int_equal(poll_after(NS_PER_S)->sid, 1);
	give_to("/sys/devices/platform/host2/session2");
	o.sessions = &sessions[1];
	device = poll_after(NS_PER_S);
	assert_int_equal(device->sid, 2);
	assert_int_equal(device->state.value, 6);
	assert_string_equal(device->vendor, "OTHER");
	assert_string_equal(device->name, "");
	assert_false(device->size.known || device->map_known); /* its disk comes in a moment */
}

/* The numbers of sessions, too, when the module was loaded anew. */
static void an_address_and_a_session_that_are_given_again(void **state)
{
	const struct oiscsi_device *device;

	(void)state;
	make_disk();
	poll_after(0);
	assert_string_equal(poll_after(NS_PER_S)->name, "sda");
	scratch_text(DEVICE "/vendor", "OTHER\n");
	assert_int_equal(unlink(scratch_path(DEVICE "/block/sda/size")), 0);
	session_1.first_poll = o.poll + 1;
	device = poll_after(NS_PER_S);
	assert_int_equal(device->sid, 1);
	assert_string_equal(device->vendor, "OTHER");
	assert_false(device->size.known);
}

/*
 * It was that of a disk of this machine, which has been unplugged. The poll in which the session
 * began had no time left for the devices.
 */
static void an_address_that_no_session_had(void **state)
{
	(void)state;
	give_to("/sys/devices/pci0/usb1/host2");
	o.session_count = 0;
	o.poll++;
	assert_int_equal(oiscsi_devices_read(&o, 10, now_ns, UINT64_MAX), 0);
	assert_int_equal(devices.of_sessions, 0);
	give_to("/sys/devices/platform/host2/session2");
	o.sessions = &sessions[1];
	o.session_count = 1;
	session_2.first_poll = ++o.poll;
	assert_int_equal(poll_after(NS_PER_S)->sid, 2);
}

/* While access states are told, nobody asks whether there are any. */
static void a_handler_that_goes_is_noticed(void **state)
{
	(void)state;
	make_disk();
	scratch_text(DEVICE "/access_state", "standby\n");
	poll_after(0);
	assert_true(poll_after(30 * NS_PER_S)->access.known);
	assert_int_equal(unlink(scratch_path(DEVICE "/access_state")), 0);
	assert_false(poll_after(NS_PER_S)->access.known);
	assert_false(poll_after(30 * NS_PER_S)->has_access);
}

static void a_map_is_seen_at_once(void **state)
{
	const struct oiscsi_device *device;

	(void)state;
	make_disk();
	poll_after(0);
	for (unsigned int second = 0; second < 100; second++)
		poll_after(NS_PER_S);
	make_map("dm-0", "mpatha\n", "mpath-3600\n");
	device = poll_after(NS_PER_S);
	assert_string_equal(device->map_name, "mpatha");
	assert_string_equal(device->map_wwid, "3600");

	/* Another one, which is of LVM; then none. */
	remove_map("dm-0");
	make_map("dm-1", "vg-data\n", "LVM-abc\n");
	device = poll_after(NS_PER_S);
	assert_string_equal(device->map_name, "vg-data");
	assert_string_equal(device->map_wwid, "");
	remove_map("dm-1");
	device = poll_after(NS_PER_S);
	assert_true(device->map_known);
	assert_string_equal(device->map_name, "");
}

/* A map is listed a moment before its name can be read: that is no map without a name. */
static void a_map_without_a_name_is_asked_again(void **state)
{
	const struct oiscsi_device *device;

	(void)state;
	make_disk();
	for (unsigned int second = 0; second < 40; second++)
		poll_after(NS_PER_S);
	scratch_dir(DEVICE "/block/sda/holders/dm-0");
	assert_false(poll_after(NS_PER_S)->map_known);
	assert_int_equal(rmdir(scratch_path(DEVICE "/block/sda/holders/dm-0")), 0);
	make_map("dm-0", "mpatha\n", "mpath-3600\n");
	device = poll_after(NS_PER_S);
	assert_true(device->map_known);
	assert_string_equal(device->map_name, "mpatha");
}

/*
 * A change of the access state is when the preferred path may change. What could not be read then
 * is asked for at the next poll, not in half a minute. A link to itself fails with ELOOP.
 */
static void a_preferred_path_that_fails_is_asked_again(void **state)
{
	const struct oiscsi_device *device;

	(void)state;
	make_disk();
	scratch_text(DEVICE "/access_state", "active/optimized\n");
	scratch_text(DEVICE "/preferred_path", "1\n");
	poll_after(0);
	for (unsigned int second = 0; second < 100; second++)
		device = poll_after(NS_PER_S);
	assert_true(device->preferred.known && device->preferred.value);

	assert_int_equal(unlink(scratch_path(DEVICE "/preferred_path")), 0);
	scratch_link(DEVICE "/preferred_path", "preferred_path");
	scratch_text(DEVICE "/access_state", "standby\n");
	device = poll_after(NS_PER_S);
	assert_int_equal(device->access.value, 3);
	assert_false(device->preferred.known);

	assert_int_equal(unlink(scratch_path(DEVICE "/preferred_path")), 0);
	scratch_text(DEVICE "/preferred_path", "0\n");
	device = poll_after(NS_PER_S);
	assert_true(device->preferred.known);
	assert_false(device->preferred.value);
}

/* By numbers, not by text: 3:0:0:10 is behind 3:0:0:9. */
static void addresses_are_in_order(void **state)
{
	static const struct oiscsi_hctl sorted[] = { { 3, 0, 0, 9 }, { 3, 0, 0, 10 },
		{ 3, 0, 1, 0 }, { 3, 0, 10, 0 }, { 3, 2, 0, 0 }, { 3, 10, 0, 0 }, { 20, 0, 0, 0 } };

	(void)state;
	for (int i = 0; i < (int)ARRAY_SIZE(sorted); i++)
		for (int k = 0; k < (int)ARRAY_SIZE(sorted); k++)
			assert_int_equal(
				oiscsi_hctl_compare(&sorted[i], &sorted[k]), i < k ? -1 : i > k);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_disk_of_a_new_device_comes_later),
		TEST(it_is_read_again_less_and_less_often),
		TEST(inquiry_is_read_once_for_each_object),
		TEST(an_address_that_is_given_again),
		TEST(an_address_and_a_session_that_are_given_again),
		TEST(an_address_that_no_session_had),
		TEST(a_handler_that_goes_is_noticed),
		TEST(a_map_is_seen_at_once),
		TEST(a_map_without_a_name_is_asked_again),
		TEST(a_preferred_path_that_fails_is_asked_again),
		TEST(addresses_are_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
