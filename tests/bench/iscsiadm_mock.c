/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An estimate of what `iscsiadm -m session -P3` does for each session, meant to be below what it
 * does: what a script costs that runs it to get at the same values. The list of files was made by
 * hand and not traced from the program, which needs real sessions.
 *
 *	iscsiadm_mock DIRECTORY
 *
 * open-iscsi 2.1 (usr/sysfs.c) reads an attribute by lstat, open, read and close, looks at its
 * directories with opendir, and for each session asks for some sixty values: negotiated and
 * configured parameters, the host's addresses, the state of each disk. Attributes that this tree
 * lacks are asked for as well: they cost an lstat. Not counted: that it looks through all SCSI
 * devices for each session, so that its time grows with the square of their number; the 146 system
 * calls of its start; the text it prints, and those who parse it.
 */
#include "base/clock.h"
#include "tests/bench/bench.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>

static const char *const session_files[] = { "targetname", "tpgt", "ifacename", "initiatorname",
	"state", "creator", "target_state", "recovery_tmo", "abort_tmo", "lu_reset_tmo",
	"tgt_reset_tmo", "username", "username_in", "initial_r2t", "immediate_data",
	"first_burst_len", "max_burst_len", "max_outstanding_r2t", "data_pdu_in_order",
	"data_seq_in_order", "erl", "fast_abort", "chap_in_idx", "chap_out_idx", "discovery_sess",
	"tsid" };
static const char *const connection_files[] = { "persistent_address", "persistent_port", "address",
	"port", "state", "header_digest", "data_digest", "max_recv_dlength", "max_xmit_dlength",
	"ifmarker", "ofmarker", "exp_statsn", "ping_tmo", "recv_tmo", "local_port" };
static const char *const host_files[] = { "netdev", "ipaddress", "hwaddress", "initiatorname",
	"port_state", "port_speed" };
static const char *const disk_files[] = { "state", "vendor", "model", "rev", "type",
	"access_state" };

static void PRINTF_LIKE(1, 2) read_attribute(const char *format, ...)
{
	char path[256], value[4096];
	struct stat st;
	va_list args;
	int fd;

	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	if (lstat(path, &st) < 0)
		return;
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return;
	if (read(fd, value, sizeof(value)) < 0)
		bench_die("%s: %s", path, strerror(errno));
	close(fd);
}

static void look_through(const char *path)
{
	DIR *directory = opendir(path);

	if (!directory)
		return;
	while (readdir(directory))
		;
	closedir(directory);
}

static void show_session(uint32_t sid)
{
	char path[256];

	snprintf(path, sizeof(path), "/sys/class/iscsi_session/session%" PRIu32, sid);
	look_through(path);
	for (size_t i = 0; i < ARRAY_SIZE(session_files); i++)
		read_attribute("%s/%s", path, session_files[i]);
	for (size_t i = 0; i < ARRAY_SIZE(connection_files); i++)
		read_attribute("/sys/class/iscsi_connection/connection%" PRIu32 ":0/%s", sid,
			connection_files[i]);
	for (size_t i = 0; i < ARRAY_SIZE(host_files); i++)
		read_attribute("/sys/class/iscsi_host/host%" PRIu32 "/%s", sid, host_files[i]);
	read_attribute("/sys/class/scsi_host/host%" PRIu32 "/proc_name", sid);
	for (size_t i = 0; i < ARRAY_SIZE(disk_files); i++)
		read_attribute(
			"/sys/class/scsi_device/%" PRIu32 ":0:0:1/device/%s", sid, disk_files[i]);
	snprintf(path, sizeof(path), "/sys/class/scsi_device/%" PRIu32 ":0:0:1/device/block", sid);
	look_through(path);
}

int main(int argc, char **argv)
{
	uint64_t before = clock_cpu_ns();
	uint32_t sessions = 0, sid;
	struct dirent *entry;
	DIR *directory;

	if (argc != 2 || chroot(argv[1]) < 0 || chdir("/") < 0)
		bench_die("usage: iscsiadm_mock DIRECTORY");
	directory = opendir("/sys/class/iscsi_session");
	if (!directory)
		bench_die("no sessions");
	while ((entry = readdir(directory))) {
		if (strncmp(entry->d_name, "session", 7) != 0 ||
			text_to_u32(entry->d_name + 7, UINT32_MAX, &sid) < 0)
			continue;
		show_session(sid);
		sessions++;
	}
	closedir(directory);
	printf("poll %" PRIu64 " %" PRIu32 "\n", clock_cpu_ns() - before, sessions);
	return EXIT_SUCCESS;
}
