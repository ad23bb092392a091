/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is read how often: there may be thousands of devices, and to open a file costs 7 µs, to read
 * an open one 0.6. States each poll, from files that stay open where there are descriptors for it.
 * Counts likewise while there are at most COUNTS_MAX devices; beyond that COUNTS_MAX in each poll,
 * in turn, and then it would be a waste to keep their files. Which map is on a device: HOLDERS_MAX
 * of them in each poll, in turn. What seldom changes when a device is new, when its map is another
 * one, and again after REFRESH_NS, a few devices in each poll. A new device is not complete: its
 * disk, its handler for ALUA and its map come in the moments after it. So it is read again after
 * the time that it was there when it was read last.
 */
#include "source/open_iscsi_devices.h"

#include "base/clock.h"
#include "source/open_iscsi_read.h"

#define CLASS	       "/sys/class/scsi_device"
#define COUNTS_MAX     1000u
#define HOLDERS_MAX    16u
#define REFRESH_MAX    200u
#define REFRESH_MIN_NS (1ull * 1000 * 1000 * 1000)
#define REFRESH_NS     (30ull * 1000 * 1000 * 1000)
#define SECTOR	       512u
#define MAP_UUID_START "mpath-"

struct poll {
	struct root *root;
	uint64_t poll, now_ns, deadline_ns;
	size_t refreshed;
	bool incomplete; /* of the device that is being read: something may be readable next time */
	bool keeps_counts; /* the files of counts stay open */
};

static void device_clear(struct oiscsi_device *device)
{
	root_file_close(device->state_file);
	root_file_close(device->access_file);
	for (size_t i = 0; i < ARRAY_SIZE(device->count_files); i++)
		root_file_close(device->count_files[i]);
}

void oiscsi_devices_clear(struct oiscsi_devices *devices)
{
	for (size_t i = 0; i < devices->count; i++)
		device_clear(&devices->list[i]);
	free(devices->list);
	free(devices->by_session);
	memset(devices, 0, sizeof(*devices));
}

/* ---- which there are ---- */

static int compare_devices(const void *a, const void *b)
{
	return oiscsi_hctl_compare(
		&((const struct oiscsi_device *)a)->hctl, &((const struct oiscsi_device *)b)->hctl);
}

static void path_of(const struct oiscsi_hctl *h, const char *attribute, char out[192])
{
	snprintf(out, 192, CLASS "/%u:%u:%u:%llu%s%s", h->host, h->channel, h->target,
		(unsigned long long)h->lun, *attribute ? "/device/" : "", attribute);
}

static int add(struct poll *p, struct oiscsi_devices *devices, const struct oiscsi_hctl *hctl)
{
	struct oiscsi_device *device;
	char path[192];

	if (devices->count == devices->capacity) {
		size_t more = devices->capacity ? 2 * devices->capacity : 64;
		struct oiscsi_device *grown =
			reallocarray(devices->list, more, sizeof(*devices->list));

		if (!grown)
			return -ENOMEM;
		devices->list = grown;
		devices->capacity = more;
	}
	device = &devices->list[devices->count];
	memset(device, 0, sizeof(*device));
	device->hctl = *hctl;
	device->poll = p->poll;
	device->found_ns = p->now_ns;
	device->sid = UINT32_MAX;
	path_of(hctl, "state", path);
	if (root_file_open(p->root, path, &device->state_file) < 0)
		return -ENOMEM;
	devices->count++;
	return 0;
}

static void sweep(struct oiscsi_devices *devices, uint64_t poll)
{
	size_t kept = 0;

	for (size_t i = 0; i < devices->count; i++) {
		if (devices->list[i].poll == poll)
			devices->list[kept++] = devices->list[i];
		else
			device_clear(&devices->list[i]);
	}
	devices->count = kept;
	if (kept)
		qsort(devices->list, kept, sizeof(*devices->list), compare_devices);
}

/* Since the devices were listed last. */
static bool sessions_began(const struct oiscsi *o)
{
	for (size_t i = 0; i < o->session_count; i++) {
		if (o->sessions[i]->first_poll > o->devices->list_poll)
			return true;
	}
	return false;
}

/*
 * Numbers of hosts are given again, between two polls too; those of sessions when the module was
 * loaded anew. If the session of a device has gone, or is another one, its address is another
 * device's now. Such a device may also have the address of one that no session had.
 */
static bool is_another(const struct oiscsi *o, const struct oiscsi_device *device, bool began)
{
	const struct oiscsi_session *session = oiscsi_session_find(o, device->sid);

	if (device->sid == UINT32_MAX)
		return began;
	return !session || session->first_poll > o->devices->list_poll;
}

/* Those of the list stay, and get what is new of it; the others are forgotten. 0 or -ENOMEM. */
static int merge(
	struct poll *p, const struct oiscsi *o, const struct buf *names, size_t count, size_t limit)
{
	struct oiscsi_devices *devices = o->devices;
	const char *name = names->data;
	size_t before = devices->count, taken = 0;
	bool began = sessions_began(o);
	int rc = 0;

	devices->whole = true;
	for (; count > 0 && rc == 0; count--, name += strlen(name) + 1) {
		struct oiscsi_device key, *found = NULL;

		if (!oiscsi_hctl_parse(name, &key.hctl))
			continue;
		if (taken == limit) {
			devices->whole = false;
			break;
		}
		taken++;
		if (before)
			found = bsearch(&key, devices->list, before, sizeof(key), compare_devices);
		if (found && !is_another(o, found, began))
			found->poll = p->poll;
		else
			rc = add(p, devices, &key.hctl);
	}
	sweep(devices, p->poll);
	if (rc == 0)
		devices->list_poll = p->poll;
	return rc;
}

/* ---- values ---- */

/* EINVAL is what access_state gives without a handler, ENXIO what a device without it gives. */
static void note_failure(struct poll *p, int rc)
{
	if (rc < 0 && rc != -ENOENT && rc != -EINVAL && rc != -ENXIO)
		p->incomplete = true;
}

static int read_text(struct poll *p, const struct oiscsi_device *device, const char *attribute,
	char *text, size_t capacity)
{
	char path[192];
	int rc;

	path_of(&device->hctl, attribute, path);
	rc = oiscsi_read_value(p->root, text, capacity, "%s", path);
	note_failure(p, rc);
	return rc;
}

/* The same from a file that stays open from the first time on. */
static int read_open(struct poll *p, const struct oiscsi_device *device, struct root_file **file,
	const char *attribute, char *text, size_t capacity)
{
	char path[192];
	ssize_t rc = 0;

	if (!*file) {
		path_of(&device->hctl, attribute, path);
		rc = root_file_open(p->root, path, file);
	}
	if (rc == 0)
		rc = root_file_read(*file, text, capacity);
	return oiscsi_value(text, rc);
}

/* "0x1f" */
static struct opt_counter read_count(struct poll *p, const struct oiscsi_device *device,
	struct root_file **file, const char *attribute)
{
	struct opt_counter count = { .known = 0 };
	char text[32];
	uint64_t value;
	int rc = p->keeps_counts || *file
			 ? read_open(p, device, file, attribute, text, sizeof(text))
			 : read_text(p, device, attribute, text, sizeof(text));

	if (rc > 0 && text_to_u64(text, UINT64_MAX, &value) == 0)
		OPT_SET(count, value);
	return count;
}

/* The one entry of a directory, of several the first: 1, or 0 when there is none, or an error. */
static int first_entry(struct poll *p, const char *path, char out[32])
{
	CLEANUP_BUF struct buf names = BUF_INIT(ROOT_ANSWER_MAX);
	int count = root_list(p->root, path, &names);

	note_failure(p, count);
	if (count <= 0)
		return count == -ENOENT ? 0 : count;
	if (strlen(names.data) >= 32)
		return -ENAMETOOLONG;
	memcpy(out, names.data, strlen(names.data) + 1);
	return 1;
}

static void read_size(struct poll *p, struct oiscsi_device *device)
{
	char attribute[64], text[32];
	uint64_t sectors;

	device->size.known = 0;
	snprintf(attribute, sizeof(attribute), "block/%s/size", device->name);
	if (read_text(p, device, attribute, text, sizeof(text)) > 0 &&
		text_to_u64(text, UINT64_MAX / SECTOR, &sectors) == 0)
		OPT_SET(device->size, sectors * SECTOR);
}

/* A multipath map has the WWID in its UUID. False when it or its name cannot be read. */
static bool read_mapper(struct poll *p, struct oiscsi_device *device, const char *holder)
{
	char attribute[128], uuid[160];
	int rc;

	snprintf(attribute, sizeof(attribute), "block/%s/holders/%s/dm/uuid", device->name, holder);
	rc = read_text(p, device, attribute, uuid, sizeof(uuid));
	if (rc < 0 && rc != -ENOENT)
		return false;
	if (strncmp(uuid, MAP_UUID_START, strlen(MAP_UUID_START)) == 0)
		snprintf(device->map_wwid, sizeof(device->map_wwid), "%s",
			uuid + strlen(MAP_UUID_START));
	snprintf(attribute, sizeof(attribute), "block/%s/holders/%s/dm/name", device->name, holder);
	return read_text(p, device, attribute, device->map_name, sizeof(device->map_name)) > 0;
}

/* The device-mapper device on it, of several the first; "" none. False: it cannot be told. */
static bool find_holder(struct poll *p, const struct oiscsi_device *device, char out[32])
{
	CLEANUP_BUF struct buf names = BUF_INIT(ROOT_ANSWER_MAX);
	char path[192], attribute[64];
	const char *name;
	int count;

	snprintf(attribute, sizeof(attribute), "block/%s/holders", device->name);
	path_of(&device->hctl, attribute, path);
	count = root_list(p->root, path, &names);
	out[0] = '\0';
	note_failure(p, count);
	if (count < 0)
		return false;
	for (name = names.data; count > 0; count--, name += strlen(name) + 1) {
		if (strncmp(name, "dm-", 3) != 0 || strlen(name) >= 32)
			continue;
		memcpy(out, name, strlen(name) + 1);
		break;
	}
	return true;
}

/* What INQUIRY told the kernel keeps as long as it has the device. */
static void read_inquiry(struct poll *p, struct oiscsi_device *device)
{
	uint64_t object = root_file_object(device->state_file);

	if (object && object == device->object)
		return;
	read_text(p, device, "vendor", device->vendor, sizeof(device->vendor));
	read_text(p, device, "model", device->model, sizeof(device->model));
	device->object = p->incomplete ? 0 : object;
}

/* Name, size and map. While the directory of its name is there, that is its name. */
static void read_disk(struct poll *p, struct oiscsi_device *device)
{
	bool listed = device->name[0] && find_holder(p, device, device->holder);
	char path[192];
	int disk = 1;

	device->map_name[0] = device->map_wwid[0] = '\0';
	device->size.known = 0;
	if (!listed) {
		device->holder[0] = '\0';
		path_of(&device->hctl, "block", path);
		disk = first_entry(p, path, device->name);
		listed = disk > 0 && find_holder(p, device, device->holder);
	}
	if (disk > 0) {
		read_size(p, device);
		device->map_known =
			listed && (!device->holder[0] || read_mapper(p, device, device->holder));
		return;
	}
	device->name[0] = '\0';
	/* No disk: a tape, an enclosure; or one that comes in a moment. */
	device->map_known = disk == 0 && p->now_ns - device->found_ns >= REFRESH_MIN_NS;
}

/* The target says so together with its access states, but it seldom changes alone. */
static void read_preferred(struct poll *p, struct oiscsi_device *device)
{
	char text[32];

	device->preferred.known = 0;
	if (device->has_access && read_text(p, device, "preferred_path", text, sizeof(text)) > 0 &&
		(strcmp(text, "0") == 0 || strcmp(text, "1") == 0))
		OPT_SET(device->preferred, text[0] == '1');
}

static void read_seldom(struct poll *p, struct oiscsi_device *device)
{
	char text[64];

	p->incomplete = false;
	read_inquiry(p, device);
	/* As long as it tells its state it has one. */
	device->has_access = device->access.known ||
			     read_text(p, device, "access_state", text, sizeof(text)) > 0;
	read_preferred(p, device);
	read_disk(p, device);
	device->read_ns = p->incomplete ? 0 : p->now_ns;
	p->refreshed++;
}

static bool has_other_map(struct poll *p, const struct oiscsi_device *device)
{
	char holder[32];

	return device->name[0] && find_holder(p, device, holder) &&
	       (!device->map_known || strcmp(holder, device->holder) != 0);
}

/* `in_turn`: to be asked in this poll which map is on it. */
static bool is_due(struct poll *p, const struct oiscsi_device *device, bool in_turn)
{
	uint64_t wait_ns = device->read_ns - device->found_ns;

	if (!device->read_ns)
		return true;
	if (p->refreshed >= REFRESH_MAX)
		return false;
	if (wait_ns < REFRESH_MIN_NS)
		wait_ns = REFRESH_MIN_NS;
	if (wait_ns > REFRESH_NS)
		wait_ns = REFRESH_NS;
	return p->now_ns - device->read_ns >= wait_ns || (in_turn && has_other_map(p, device));
}

static void read_access(struct poll *p, struct oiscsi_device *device)
{
	struct opt_u32 before = device->access;
	char text[64];
	uint32_t state;

	device->access.known = 0;
	if (!device->has_access)
		return;
	read_open(p, device, &device->access_file, "access_state", text, sizeof(text));
	state = oiscsi_access_state_parse(text);
	if (state)
		OPT_SET(device->access, state);
	if (device->read_ns == p->now_ns || (before.known && before.value == state))
		return;
	p->incomplete = false;
	read_preferred(p, device);
	if (p->incomplete)
		device->read_ns = 0;
}

static void read_state(struct poll *p, struct oiscsi_device *device)
{
	char text[64];
	uint32_t state = 0;

	device->state.known = 0;
	if (oiscsi_value(text, root_file_read(device->state_file, text, sizeof(text))))
		state = oiscsi_device_state_parse(text);
	if (state)
		OPT_SET(device->state, state);
	read_access(p, device);
}

static void read_counts(struct poll *p, struct oiscsi_device *device)
{
	struct root_file **files = device->count_files;

	device->requests = read_count(p, device, &files[0], "iorequest_cnt");
	device->completions = read_count(p, device, &files[1], "iodone_cnt");
	device->errors = read_count(p, device, &files[2], "ioerr_cnt");
	device->timeouts = read_count(p, device, &files[3], "iotmo_cnt");
	device->counted_ns = p->now_ns;
}

/* False when it is there and cannot be told; one that has gone is of none. */
static bool ask_whose(struct poll *p, struct oiscsi_device *device)
{
	char path[192], target[1024];
	ssize_t rc;

	if (device->asked)
		return true;
	path_of(&device->hctl, "", path);
	rc = root_read_link(p->root, path, target, sizeof(target));
	device->sid = rc > 0 ? oiscsi_sid_of_link(target) : UINT32_MAX;
	device->asked = rc > 0;
	return rc > 0 || rc == -ENOENT || rc == -ENODEV;
}

/* Those of sessions that were counted longest ago are the next. */
static uint64_t turn_of(const struct oiscsi_devices *devices)
{
	uint64_t oldest = UINT64_MAX;
	size_t count = 0;

	for (size_t i = 0; i < devices->count; i++) {
		if (devices->list[i].sid == UINT32_MAX)
			continue;
		count++;
		if (devices->list[i].counted_ns < oldest)
			oldest = devices->list[i].counted_ns;
	}
	return count <= COUNTS_MAX ? UINT64_MAX : oldest;
}

static void read_values(struct poll *p, struct oiscsi_devices *devices)
{
	uint64_t turn;
	size_t counted = 0, first;

	for (size_t i = 0; i < devices->count; i++)
		devices->whole &= ask_whose(p, &devices->list[i]);
	turn = turn_of(devices);
	p->keeps_counts = turn == UINT64_MAX;
	first = devices->count ? p->poll * HOLDERS_MAX % devices->count : 0;
	for (size_t i = 0; i < devices->count; i++) {
		struct oiscsi_device *device = &devices->list[i];
		bool in_turn = (i + devices->count - first) % devices->count < HOLDERS_MAX;

		if (device->sid == UINT32_MAX)
			continue;
		if (clock_now_ns() >= p->deadline_ns)
			return;
		if (is_due(p, device, in_turn))
			read_seldom(p, device);
		read_state(p, device);
		if (device->counted_ns <= turn && counted < COUNTS_MAX) {
			read_counts(p, device);
			counted++;
		}
	}
}

int oiscsi_devices_read(const struct oiscsi *o, size_t limit, uint64_t now_ns, uint64_t deadline_ns)
{
	struct poll p = {
		.root = o->root, .poll = o->poll, .now_ns = now_ns, .deadline_ns = deadline_ns
	};
	struct oiscsi_devices *devices = o->devices;
	CLEANUP_BUF struct buf names = BUF_INIT(ROOT_ANSWER_MAX);
	int count = limit ? root_list(o->root, CLASS, &names) : 0, rc;

	devices->listed = count >= 0 || count == -ENOENT;
	/* The class is there where a SCSI host can be: without it nothing is known, not even none.
	 */
	devices->known = limit && count >= 0;
	devices->of_sessions = 0;
	if (count < 0)
		return count == -ENOMEM ? count : 0;
	rc = merge(&p, o, &names, (size_t)count, limit);
	if (rc < 0)
		return rc;
	read_values(&p, devices);
	return oiscsi_devices_order(devices);
}
