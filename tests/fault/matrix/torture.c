/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LD_PRELOAD: lets chosen allocations and system calls of the program fail, in whichever of its
 * processes the test wants (torture.h), and makes its clock faster. A process that crashes says
 * where. Without TORTURE_FILE nothing is changed.
 *
 * Only what the program and its libraries call by name is seen: a system call that libc makes
 * inside of another function fails as that function does.
 */
#include "tests/fault/matrix/torture.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/vfs.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

/* libc's own, for dlsym(3) itself while it looks for the next one: that of a sanitizer, perhaps. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static struct torture *shared; /* NULL: nothing fails */
static struct torture_slot *slot;
static char role[16] = "main";
static const void *program; /* where the program is loaded, to tell its frames */
static bool busy;	    /* in this library itself */

static void find_slot(void)
{
	slot = NULL;
	for (int i = 0; shared && i < TORTURE_SLOTS; i++) {
		if (strncmp(shared->slots[i].role, role, sizeof(role)) == 0)
			slot = &shared->slots[i];
	}
}

static void set_role(const char *name)
{
	size_t length = strnlen(name, sizeof(role) - 1);

	memset(role, 0, sizeof(role));
	memcpy(role, name, length);
	find_slot();
}

/* Counts a call; true when it is to fail, with errno set. One that is to crash does not return. */
static bool fails(uint32_t kind, const char *what, int error)
{
	uint32_t number;

	if (!slot || !(slot->kind & kind) || busy)
		return false;
	number = ++slot->calls;
	if (number < slot->first || number - slot->first >= slot->length)
		return false;
	slot->failed++;
	strncpy(slot->what, what, sizeof(slot->what) - 1);
	if (slot->error == TORTURE_CRASH)
		__builtin_trap();
	errno = error;
	return true;
}

static void *next_of(const char *name)
{
	bool before = busy;
	void *found;

	busy = true;
	found = dlsym(RTLD_NEXT, name);
	busy = before;
	return found;
}

/* syscall(2) of libc, which takes as many arguments from whoever calls it. */
static long pass_on(long number, va_list more)
{
	static long (*next)(long, ...);
	long with[6];

	for (int i = 0; i < 6; i++)
		with[i] = va_arg(more, long);
	if (!next)
		next = (long (*)(long, ...))(uintptr_t)next_of("syscall");
	return next(number, with[0], with[1], with[2], with[3], with[4], with[5]);
}

/* The one below may fail, and those that are made of it would fail twice. */
static long raw(long number, ...)
{
	va_list more;
	long rc;

	va_start(more, number);
	rc = pass_on(number, more);
	va_end(more);
	return rc;
}

/* ---- crashes ---- */

static bool is_library(const char *path, const char *name)
{
	return strstr(path, name) != NULL;
}

static void describe_crash(int number, void *const frames[], int count)
{
	size_t at = (size_t)snprintf(
		shared->crash, sizeof(shared->crash), "%s, signal %d:", role, number);
	bool judged = false;

	for (int i = 0; i < count && at < sizeof(shared->crash); i++) {
		const char *file;
		Dl_info info;

		if (!dladdr(frames[i], &info) || !info.dli_fname)
			continue;
		file = strrchr(info.dli_fname, '/') ? strrchr(info.dli_fname, '/') + 1
						    : info.dli_fname;
		if (is_library(file, "torture.so"))
			continue;
		at += (size_t)snprintf(shared->crash + at, sizeof(shared->crash) - at,
			" %s+%#tx%s%s", file,
			(const char *)frames[i] - (const char *)info.dli_fbase,
			info.dli_sname ? "=" : "", info.dli_sname ? info.dli_sname : "");
		/* glibc 2.36 asks for a user without looking at what malloc has given. */
		judged |= info.dli_sname && strncmp(info.dli_sname, "__nss_", 6) == 0;
		if (judged || is_library(file, "libc.so") || is_library(file, "libasan.so"))
			continue;
		/* Whose fault it is: the first that is neither libc's nor what AddressSanitizer has
		 * in its place. By address, since the program has the name here that it was started
		 * by. */
		judged = true;
		if (info.dli_fbase == program)
			shared->mine++;
	}
}

static void crashed(int number, siginfo_t *info, void *context)
{
	const ucontext_t *state = context;
	void *frames[24];
	int count;

	(void)info;
	busy = true;
	signal(number, SIG_DFL);
#ifdef __x86_64__
	frames[0] = (void *)(uintptr_t)state->uc_mcontext.gregs[REG_RIP];
#else
	(void)state;
	frames[0] = NULL;
#endif
	count = backtrace(frames + 1, 23);
	/* The handler's own frames come before the one that the signal has interrupted. */
	for (int i = 1; i <= count; i++) {
		if (frames[i] == frames[0]) {
			memmove(frames, frames + i, (size_t)(count + 1 - i) * sizeof(frames[0]));
			count -= i;
			break;
		}
	}
	shared->crashes++;
	describe_crash(number, frames, count + 1);
	raise(number);
}

static const int crash_signals[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL };

static void catch_crashes(void)
{
	struct sigaction action = { .sa_sigaction = crashed, .sa_flags = SA_SIGINFO | SA_NODEFER };
	void *frames[2];

	backtrace(frames, 2); /* loads what it needs */
	for (size_t i = 0; i < sizeof(crash_signals) / sizeof(crash_signals[0]); i++)
		sigaction(crash_signals[i], &action, NULL);
}

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("TORTURE_FILE");
	Dl_info info;
	void *at;
	int fd;

	if (!path)
		return;
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		abort();
	at = mmap(NULL, sizeof(struct torture), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (at == MAP_FAILED || !dladdr((const void *)(uintptr_t)getauxval(AT_ENTRY), &info))
		abort();
	program = info.dli_fbase;
	shared = at;
	catch_crashes();
	find_slot();
}

/* A child of the program resets all signals; those that tell of a crash stay. */
sighandler_t signal(int number, sighandler_t handler)
{
	static sighandler_t (*next)(int, sighandler_t);

	if (!next)
		next = (sighandler_t(*)(int, sighandler_t))(uintptr_t)next_of("signal");
	for (size_t i = 0; shared && !busy && i < sizeof(crash_signals) / sizeof(int); i++) {
		if (number == crash_signals[i])
			return SIG_DFL;
	}
	return next(number, handler);
}

/* ---- memory ---- */

void *malloc(size_t size)
{
	static void *(*next)(size_t);

	if (!next && !busy)
		next = (void *(*)(size_t))(uintptr_t)next_of("malloc");
	if (fails(TORTURE_MEMORY, "malloc", ENOMEM))
		return NULL;
	return next ? next(size) : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	static void *(*next)(size_t, size_t);

	if (!next && !busy)
		next = (void *(*)(size_t, size_t))(uintptr_t)next_of("calloc");
	if (fails(TORTURE_MEMORY, "calloc", ENOMEM))
		return NULL;
	return next ? next(count, size) : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	static void *(*next)(void *, size_t);

	if (!next && !busy)
		next = (void *(*)(void *, size_t))(uintptr_t)next_of("realloc");
	if (fails(TORTURE_MEMORY, "realloc", ENOMEM))
		return NULL;
	return next ? next(old, size) : __libc_realloc(old, size);
}

/* ---- system calls ---- */

/* What may be interrupted is, when the test says so. */
static bool call_of_kind_fails(uint32_t kind, const char *what, int error, bool interruptible)
{
	return fails(kind, what, error) &&
	       (!slot->error || !interruptible || (errno = slot->error, true));
}

static bool call_fails(const char *what, int error, bool interruptible)
{
	return call_of_kind_fails(TORTURE_CALL, what, error, interruptible);
}

/* TYPE NAME(PARAMETERS), which fails with ERROR and returns BAD; I: it can be interrupted. */
#define WRAP(type, name, parameters, arguments, error, interruptible, bad)    \
	type name parameters                                                  \
	{                                                                     \
		static type(*next) parameters;                                \
		if (!next)                                                    \
			next = (type(*) parameters)(uintptr_t)next_of(#name); \
		if (call_fails(#name, error, interruptible))                  \
			return bad;                                           \
		return next arguments;                                        \
	}
#define CALL(name, parameters, arguments, error) \
	WRAP(int, name, parameters, arguments, error, false, -1)
#define SLOW(type, name, parameters, arguments, error) \
	WRAP(type, name, parameters, arguments, error, true, -1)

#include "tests/fault/matrix/torture_calls.h"

/* The descriptor is closed all the same, as Linux does it. */
int close(int fd)
{
	static int (*next)(int);
	int rc;

	if (!next)
		next = (int (*)(int))(uintptr_t)next_of("close");
	rc = next(fd);
	return call_fails("close", EIO, true) ? -1 : rc;
}

void *mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
	if (call_fails("mmap", ENOMEM, false))
		return MAP_FAILED;
	return (void *)(uintptr_t)raw(SYS_mmap, at, length, protection, flags, fd, offset);
}

/* What the program calls by number, since libc has no name for it or one that does more. */
static const struct numbered {
	long number;
	const char *name;
	int error;
	bool interruptible;
} numbered[] = {
	{ SYS_openat2, "openat2", EMFILE, true },
	{ SYS_getdents64, "getdents64", EIO, true },
	{ SYS_capget, "capget", EPERM, false },
	{ SYS_capset, "capset", EPERM, false },
	{ SYS_seccomp, "seccomp", EINVAL, false },
#ifdef SYS_close_range
	{ SYS_close_range, "close_range", ENOSYS, false },
#endif
};

static bool numbered_fails(long number)
{
	const uint32_t kind = TORTURE_CALL | TORTURE_NUMBERED;

	/* These a library may make for its own locks: none of the program's, and none fails. */
	if (number == SYS_futex || number == SYS_gettid)
		return false;
	for (size_t i = 0; i < sizeof(numbered) / sizeof(numbered[0]); i++) {
		if (numbered[i].number == number)
			return call_of_kind_fails(kind, numbered[i].name, numbered[i].error,
				numbered[i].interruptible);
	}
	return call_of_kind_fails(kind, "syscall", ENOSYS, false);
}

long syscall(long number, ...)
{
	va_list more;
	long rc;

	if (numbered_fails(number))
		return -1;
	va_start(more, number);
	rc = pass_on(number, more);
	va_end(more);
	return rc;
}

static unsigned int mode_of(int flags, va_list more)
{
	return flags & (O_CREAT | O_TMPFILE) ? va_arg(more, unsigned int) : 0;
}

int open(const char *path, int flags, ...)
{
	va_list more;
	unsigned int mode;

	va_start(more, flags);
	mode = mode_of(flags, more);
	va_end(more);
	if (call_fails("open", EMFILE, true))
		return -1;
	return (int)raw(SYS_openat, AT_FDCWD, path, flags, mode);
}

int openat(int directory, const char *path, int flags, ...)
{
	va_list more;
	unsigned int mode;

	va_start(more, flags);
	mode = mode_of(flags, more);
	va_end(more);
	if (call_fails("openat", EMFILE, true))
		return -1;
	return (int)raw(SYS_openat, directory, path, flags, mode);
}

int fcntl(int fd, int command, ...)
{
	va_list more;
	void *argument;

	va_start(more, command);
	argument = va_arg(more, void *);
	va_end(more);
	if (call_fails("fcntl", EINVAL, false))
		return -1;
	return (int)raw(SYS_fcntl, fd, command, argument);
}

int prctl(int option, ...)
{
	unsigned long arguments[4];
	va_list more;

	va_start(more, option);
	for (int i = 0; i < 4; i++)
		arguments[i] = va_arg(more, unsigned long);
	va_end(more);
	if (option == PR_SET_NAME)
		set_role((const char *)arguments[0]);
	else if (call_fails("prctl", EPERM, false))
		return -1;
	return (int)raw(SYS_prctl, option, arguments[0], arguments[1], arguments[2], arguments[3]);
}

pid_t fork(void)
{
	static pid_t (*next)(void);
	pid_t pid;

	if (!next)
		next = (pid_t(*)(void))(uintptr_t)next_of("fork");
	if (call_fails("fork", EAGAIN, false))
		return -1;
	pid = next();
	if (pid == 0)
		set_role("child");
	return pid;
}

/* ---- time ---- */

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	int rc = (int)raw(SYS_clock_gettime, clock, ret);
	uint64_t now;

	if (rc < 0 || clock != CLOCK_MONOTONIC || !shared || shared->speed <= 1)
		return rc;
	now = (uint64_t)ret->tv_sec * 1000000000u + (uint64_t)ret->tv_nsec;
	now = shared->base_ns + (now - shared->base_ns) * shared->speed;
	ret->tv_sec = (time_t)(now / 1000000000u);
	ret->tv_nsec = (long)(now % 1000000000u);
	return 0;
}

static int wait_of(int timeout_ms)
{
	if (timeout_ms <= 0 || !shared || shared->speed <= 1)
		return timeout_ms;
	return timeout_ms / (int)shared->speed + 1;
}

int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	if (call_fails("poll", ENOMEM, true))
		return -1;
	return (int)raw(SYS_poll, fds, count, wait_of(timeout_ms));
}

int __poll_chk(struct pollfd *fds, nfds_t count, int timeout_ms, size_t size);
int __poll_chk(struct pollfd *fds, nfds_t count, int timeout_ms, size_t size)
{
	(void)size;
	return poll(fds, count, timeout_ms);
}

int select(int count, fd_set *in, fd_set *out, fd_set *other, struct timeval *timeout)
{
	static int (*next)(int, fd_set *, fd_set *, fd_set *, struct timeval *);

	if (!next)
		next = (int (*)(int, fd_set *, fd_set *, fd_set *, struct timeval *))(
			uintptr_t)next_of("select");
	return call_fails("select", ENOMEM, true) ? -1 : next(count, in, out, other, timeout);
}
