/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `iscsiadm -m session -P3` of open-iscsi 2.1.8 does to get at its values, access by access,
 * after its source: what a script costs that runs it. It needs no sessions but those of a
 * replicated host.
 *
 *	iscsiadm_mock DIRECTORY
 *
 * Prints `poll CPU_NANOSECONDS SESSIONS`.
 *
 * Sessions come from the library (libopeniscsiusr: session.c, sysfs.c, iface.c), which opens files
 * by their paths and finds the host of a session with realpath and a regular expression. What is
 * printed besides comes from the older code (usr/session_info.c, iscsi_sysfs.c, sysfs.c), which
 *looks for the directory of each value anew below /sys/subsystem, /sys/bus and /sys/class, and
 *finds the host in a list of all devices that it has seen, from end to end: so its time grows with
 *the square of the number of sessions. Text is printed, to nowhere.
 *
 * Left out, so that this is below what the program does: its start (146 system calls, its
 * configuration), one dialogue with iscsid for each session and what that costs iscsid, most of the
 * text, and those who parse it.
 */
#include "base/clock.h"
#include "tests/bench/bench.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <regex.h>
#include <stdarg.h>
#include <sys/stat.h>

#define SESSIONS "/sys/class/iscsi_session"

/* usr/sysfs.c: dev_list. */
struct device {
	struct device *next;
	char path[512];
	char subsystem[64];
};

static struct device *devices;
static FILE *out;

static void PRINTF_LIKE(2, 3) join(char path[512], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(path, 512, format, args);
	va_end(args);
}

static bool read_file(const char *path, char value[512])
{
	int fd = open(path, O_RDONLY);
	ssize_t n;

	value[0] = '\0';
	if (fd < 0)
		return false;
	n = read(fd, value, 511);
	close(fd);
	value[n > 0 ? n : 0] = '\0';
	value[strcspn(value, "\n")] = '\0';
	return n > 0;
}

static int skip_dots(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void free_names(struct dirent **names, int count)
{
	while (count-- > 0)
		free(names[count]);
	free(names);
}

/* ---- libopeniscsiusr ---- */

/* _sysfs_prop_get_str and its like. */
static void library_read(const char *directory, const char *attribute)
{
	char path[512], value[512];

	join(path, "%s/%s", directory, attribute);
	read_file(path, value);
	fprintf(out, "\t\t%s: %s\n", attribute, value);
}

#define LIBRARY_READ(directory, ...)                                     \
	do {                                                             \
		static const char *const attributes[] = { __VA_ARGS__ }; \
		for (size_t at = 0; at < ARRAY_SIZE(attributes); at++)   \
			library_read(directory, attributes[at]);         \
	} while (0)

/* _iscsi_host_id_of_session. */
static uint32_t library_host(const char *session)
{
	static const char pattern[] = "\\(.\\{1,\\}/devices/.\\{1,\\}/host[0-9]\\{1,\\}\\)/"
				      "session[0-9]\\{1,\\}/iscsi_session/";
	char real[PATH_MAX], path[512];
	struct dirent **names = NULL;
	regmatch_t match[2];
	uint32_t host = 0;
	regex_t regex;
	int count;

	if (!realpath(session, real) || regcomp(&regex, pattern, 0) != 0)
		bench_die("%s: no session", session);
	if (regexec(&regex, real, 2, match, 0) != 0)
		bench_die("%s is no session", real);
	regfree(&regex);
	join(path, "%.*s/iscsi_host/", (int)match[1].rm_eo, real);
	count = scandir(path, &names, skip_dots, alphasort);
	if (count != 1 || strncmp(names[0]->d_name, "host", 4) != 0 ||
		text_to_u32(names[0]->d_name + 4, UINT32_MAX, &host) < 0)
		bench_die("%s: no host", path);
	free_names(names, count);
	return host;
}

/* _iscsi_session_get. */
static uint32_t library_session(uint32_t sid)
{
	char session[512], connection[512], path[512];
	uint32_t host;

	join(session, SESSIONS "/session%" PRIu32, sid);
	join(connection, "/sys/class/iscsi_connection/connection%" PRIu32 ":0", sid);
	if (access(session, F_OK) < 0 || access(connection, F_OK) < 0)
		bench_die("%s is half there", session);
	LIBRARY_READ(session, "targetname", "username", "password", "username_in", "password_in",
		"recovery_tmo", "lu_reset_tmo", "tgt_reset_tmo", "abort_tmo", "tpgt");
	LIBRARY_READ(connection, "persistent_address", "persistent_port", "address", "port");
	host = library_host(session);
	join(path, "/sys/class/scsi_host/host%" PRIu32, host);
	LIBRARY_READ(path, "proc_name");
	LIBRARY_READ(session, "initiatorname", "ifacename");
	join(path, "/sys/class/iscsi_host/host%" PRIu32, host);
	LIBRARY_READ(path, "hwaddress", "netdev", "port_state", "port_speed", "ipaddress");
	return host;
}

/* ---- usr/sysfs.c ---- */

/* sysfs_lookup_devpath_by_subsys_id. */
static void look_up(const char *subsystem, const char *id, char path[512])
{
	struct stat st;

	join(path, "/sys/subsystem/%s/devices/%s", subsystem, id);
	if (stat(path, &st) == 0)
		return;
	join(path, "/sys/bus/%s/devices/%s", subsystem, id);
	if (stat(path, &st) == 0)
		return;
	join(path, "/sys/class/%s/%s", subsystem, id);
	if (stat(path, &st) < 0)
		bench_die("%s/%s: no such device", subsystem, id);
}

/* sysfs_get_value: sysfs_get_str, sysfs_get_int. */
static void get_value(const char *subsystem, const char *id, const char *attribute)
{
	char directory[512], path[1024], value[512] = "";
	struct stat st;

	look_up(subsystem, id, directory);
	snprintf(path, sizeof(path), "%s/%s", directory, attribute);
	if (lstat(path, &st) == 0)
		read_file(path, value);
	fprintf(out, "\t\t%s: %s\n", attribute, value);
}

#define GET_VALUES(subsystem, id, ...)                                   \
	do {                                                             \
		static const char *const attributes[] = { __VA_ARGS__ }; \
		for (size_t at = 0; at < ARRAY_SIZE(attributes); at++)   \
			get_value(subsystem, id, attributes[at]);        \
	} while (0)

static struct device *find_device(const char *path)
{
	struct device *device = devices;

	while (device && strcmp(device->path, path) != 0)
		device = device->next;
	return device;
}

static void read_last_part(const char *path, const char *link, char part[64])
{
	char full[1024], target[512];
	ssize_t n;

	snprintf(full, sizeof(full), "%s/%s", path, link);
	n = readlink(full, target, sizeof(target) - 1);
	part[0] = '\0';
	if (n <= 0)
		return;
	target[n] = '\0';
	snprintf(part, 64, "%.63s", strrchr(target, '/') ? strrchr(target, '/') + 1 : target);
}

/* sysfs_device_get, of a path without links. */
static struct device *get_device(const char *path)
{
	struct device *device = find_device(path);
	struct stat st;
	char driver[64];

	if (device || lstat(path, &st) < 0)
		return device;
	device = calloc(1, sizeof(*device));
	if (!device)
		bench_die("no memory");
	join(device->path, "%s", path);
	read_last_part(path, "subsystem", device->subsystem);
	read_last_part(path, "driver", driver);
	device->next = devices;
	devices = device;
	return device;
}

/* iscsi_sysfs_get_host_no_from_sid: up from the session to what is of the subsystem scsi. */
static void find_host(const char *id)
{
	char path[512], target[512];
	struct device *device;
	struct stat st;
	ssize_t n;

	look_up("iscsi_session", id, path);
	if (find_device(path) || lstat(path, &st) < 0)
		bench_die("%s: no link", path);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0 || strncmp(target, "../../", 6) != 0)
		bench_die("%s: no link", path);
	target[n] = '\0';
	join(path, "/sys/%s", target + 6);
	find_device(path);
	device = get_device(path);
	while (device && strcmp(device->subsystem, "scsi") != 0 && strrchr(path, '/')) {
		*strrchr(path, '/') = '\0';
		device = get_device(path);
	}
	fprintf(out, "\t\tHost Number: %s\n", device ? device->path : "");
}

/* ---- usr/iscsi_sysfs.c, usr/session_info.c ---- */

/* print_scsi_device_info: one disk. */
static void show_disk(const char *id)
{
	char path[512], block[1024];
	struct dirent *entry;
	struct stat st;
	DIR *directory;

	look_up("scsi", id, path);
	directory = opendir(path);
	while (directory && (entry = readdir(directory)) && strcmp(entry->d_name, "block") != 0)
		;
	if (directory)
		closedir(directory);
	snprintf(block, sizeof(block), "%s/block", path);
	directory = lstat(block, &st) == 0 ? opendir(block) : NULL;
	while (directory && (entry = readdir(directory)) && !skip_dots(entry))
		;
	if (directory)
		closedir(directory);
	get_value("scsi", id, "state");
}

/* iscsi_sysfs_for_each_device: those of this session. */
static void show_disks(uint32_t host, const char *id)
{
	char session[512], path[1024];
	struct dirent *entry, **names = NULL;
	DIR *directory;
	int count;

	look_up("iscsi_session", id, session);
	snprintf(path, sizeof(path), "%s/device", session);
	directory = opendir(path);
	while (directory && (entry = readdir(directory)) &&
		strncmp(entry->d_name, "target", 6) != 0)
		;
	if (directory)
		closedir(directory);
	look_up("iscsi_session", id, session);
	snprintf(path, sizeof(path), "%s/device/target%" PRIu32 ":0:0", session, host);
	count = scandir(path, &names, skip_dots, alphasort);
	for (int i = 0; i < count; i++) {
		if (strchr(names[i]->d_name, ':'))
			show_disk(names[i]->d_name);
	}
	if (count >= 0)
		free_names(names, count);
}

/* session_info_print_tree: one session. */
static void show_session(uint32_t sid, uint32_t host)
{
	char session[32], connection[32], name[32];

	snprintf(session, sizeof(session), "session%" PRIu32, sid);
	snprintf(connection, sizeof(connection), "connection%" PRIu32 ":0", sid);
	snprintf(name, sizeof(name), "host%" PRIu32, host);
	GET_VALUES("iscsi_session", session, "creator", "state", "data_pdu_in_order",
		"data_seq_in_order", "erl", "first_burst_len", "max_burst_len", "immediate_data",
		"initial_r2t", "max_outstanding_r2t");
	GET_VALUES("iscsi_connection", connection, "data_digest", "header_digest",
		"max_xmit_dlength", "max_recv_dlength");
	find_host(session);
	get_value("scsi_host", name, "state");
	show_disks(host, session);
}

int main(int argc, char **argv)
{
	uint64_t before = clock_cpu_ns();
	struct dirent **names = NULL;
	uint32_t *sids, *hosts;
	int count;

	out = fopen("/dev/null", "w");
	if (argc != 2 || !out || chroot(argv[1]) < 0 || chdir("/") < 0)
		bench_die("usage: iscsiadm_mock DIRECTORY");
	count = scandir(SESSIONS, &names, skip_dots, alphasort);
	if (count <= 0)
		bench_die("no sessions");
	sids = calloc((size_t)count, sizeof(*sids));
	hosts = calloc((size_t)count, sizeof(*hosts));
	if (!sids || !hosts)
		bench_die("no memory");
	for (int i = 0; i < count; i++) {
		if (strncmp(names[i]->d_name, "session", 7) != 0 ||
			text_to_u32(names[i]->d_name + 7, UINT32_MAX, &sids[i]) < 0)
			bench_die("%s: no session", names[i]->d_name);
		hosts[i] = library_session(sids[i]);
	}
	for (int i = 0; i < count; i++)
		show_session(sids[i], hosts[i]);
	printf("poll %" PRIu64 " %d\n", clock_cpu_ns() - before, count);
	free_names(names, count);
	return EXIT_SUCCESS;
}
