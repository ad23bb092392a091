/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What it costs to get at the content of a small file, processor time in nanoseconds.
 *
 *	file_cost FILE
 *
 * Prints `cost ANEW KEPT`: by lstat, open, read and close, as iscsiadm does, and by one pread of a
 * descriptor that stays open, as a steady poll does. For an attribute of sysfs against a file of a
 * replicated tree: that is the part of a real host's cost that the tree lacks.
 */
#include "base/clock.h"
#include "tests/bench/bench.h"

#include <fcntl.h>
#include <sys/stat.h>

#define TIMES 20000

static void read_anew(const char *path)
{
	char value[4096];
	struct stat st;
	int fd;

	if (lstat(path, &st) < 0)
		bench_die("%s: %s", path, strerror(errno));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, value, sizeof(value)) < 0)
		bench_die("%s: %s", path, strerror(errno));
	close(fd);
}

int main(int argc, char **argv)
{
	uint64_t began_ns, anew_ns, kept_ns;
	char value[4096];
	int fd;

	if (argc != 2)
		bench_die("usage: file_cost FILE");
	began_ns = clock_cpu_ns();
	for (int i = 0; i < TIMES; i++)
		read_anew(argv[1]);
	anew_ns = clock_cpu_ns() - began_ns;
	fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	began_ns = clock_cpu_ns();
	for (int i = 0; i < TIMES; i++) {
		if (pread(fd, value, sizeof(value), 0) < 0)
			bench_die("%s: %s", argv[1], strerror(errno));
	}
	kept_ns = clock_cpu_ns() - began_ns;
	close(fd);
	printf("cost %" PRIu64 " %" PRIu64 "\n", anew_ns / TIMES, kept_ns / TIMES);
	return EXIT_SUCCESS;
}
