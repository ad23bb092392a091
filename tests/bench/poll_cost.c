/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a poll of the source open-iscsi costs on a live host.
 *
 *	poll_cost DIRECTORY POLLS
 *
 * DIRECTORY (replicate.py --directory) becomes the root of this process, so that the source takes
 * it for the live machine; its files pass for those of sysfs, which are kept open between polls.
 * Prints for each poll `poll CPU_NANOSECONDS SESSIONS`. Counting system calls is left to strace:
 * the difference between runs of P and P + 1 polls is one poll. In user space this is the code of
 * the reader process; what sysfs itself costs is not in it, but it is not in iscsiadm_mock either.
 */
#include "agent/config.h"
#include "base/clock.h"
#include "model/fragment.h"
#include "reader/collection.h"
#include "tests/bench/bench.h"

#include <linux/magic.h>
#include <sys/resource.h>
#include <sys/vfs.h>

int __wrap_fstatfs(int fd, struct statfs *ret);
int __real_fstatfs(int fd, struct statfs *ret);

int __wrap_fstatfs(int fd, struct statfs *ret)
{
	int rc = __real_fstatfs(fd, ret);

	ret->f_type = SYSFS_MAGIC;
	return rc;
}

uint64_t __wrap_clock_now_ns(void);
uint64_t __real_clock_now_ns(void);

/*
 * Time stands still: what a poll reads because it is due again (some values of disks, each
 * 30 seconds) would depend on how fast the machine is, and how slow strace makes it.
 */
uint64_t __wrap_clock_now_ns(void)
{
	static uint64_t now_ns;

	if (!now_ns)
		now_ns = __real_clock_now_ns();
	return now_ns;
}

static uint32_t sessions;

static void take_unit(void *context, const struct unit_result *result)
{
	(void)context;
	if (result->error < 0)
		bench_die("the poll failed: %s", result->message);
	sessions = result->fragment->arrays[OBJECT_SESSION].count;
	free(result->fragment);
}

/* As the reader process has it: all that it may. */
static void allow_all_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		bench_die("getrlimit: %s", strerror(errno));
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
	static struct config config;
	struct source_env env = { .settings = &config.sources, .lasting = true };
	struct collection *c = collection_new(take_unit, NULL);
	const struct source_ops *ops = source_find("open-iscsi");
	struct source *source;
	uint32_t polls;

	if (argc != 3 || text_to_u32(argv[2], 1000, &polls) < 0)
		bench_die("usage: poll_cost DIRECTORY POLLS");
	config_defaults(&config);
	config.sources.open_iscsi_devices = 100000;
	allow_all_descriptors();
	if (chroot(argv[1]) < 0 || chdir("/") < 0)
		bench_die("%s: %s", argv[1], strerror(errno));
	if (!c || root_open(NULL, &env.root) < 0 || ops->detect(&env) != 1 ||
		ops->open(&env, &source) < 0)
		bench_die("%s is no host with sessions", argv[1]);
	for (uint32_t i = 0; i < polls; i++) {
		uint64_t before = clock_cpu_ns();

		if (ops->collect(source, clock_now_ns() + 600 * NS_PER_S, c) < 0)
			bench_die("the poll failed");
		printf("poll %" PRIu64 " %" PRIu32 "\n", clock_cpu_ns() - before, sessions);
	}
	ops->close(source);
	collection_free(c);
	root_close(env.root);
	return EXIT_SUCCESS;
}
