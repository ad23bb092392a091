/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/probe_child.h"

#include "base/clock.h"
#include "base/privilege.h"
#include "base/sandbox.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* By number: a name would have to be looked up, maybe in the network. "nobody" everywhere. */
#define NOBODY 65534u
/* For the logout, and for a machine that is slow. */
#define GRACE_NS	(2 * NS_PER_S)
#define PIPE_AT		3
#define DESCRIPTORS_MAX 65536u
/* Its exit status when it could not tell what came of it, which is no fault of the target. */
#define STATUS_UNTOLD 113

/* ---- in the child ---- */

static void report(void *context, const struct probe_outcome *outcome)
{
	const int *fd = context;

	/* Shorter than PIPE_BUF, so all of it or nothing. When nobody reads, nobody needs it. */
	if (write(*fd, outcome, sizeof(*outcome)) < 0)
		_exit(STATUS_UNTOLD);
}

_Static_assert(sizeof(struct probe_outcome) <= 4096, "a report is written at once");

static void limit(int resource, uint64_t value)
{
	struct rlimit limits = { .rlim_cur = value, .rlim_max = value };

	setrlimit(resource, &limits);
}

/* Leaves 0, 1, 2 and the pipe: the reader's socket is not for code that a target talks to. */
static int keep_pipe(int fd)
{
	struct rlimit limits;

	if (fd != PIPE_AT && dup2(fd, PIPE_AT) < 0)
		return -errno;
#ifdef SYS_close_range
	if (syscall(SYS_close_range, PIPE_AT + 1, ~0u, 0) == 0)
		return 0;
#endif
	if (getrlimit(RLIMIT_NOFILE, &limits) < 0)
		return -errno;
	if (limits.rlim_cur > DESCRIPTORS_MAX)
		limits.rlim_cur = DESCRIPTORS_MAX;
	for (int i = PIPE_AT + 1; i < (int)limits.rlim_cur; i++)
		close(i);
	return 0;
}

/* In the child, so that a recording which the reader makes is not of its own memory. */
static void limit_memory(const struct probe_job *job)
{
	char text[128];
	uint64_t pages;

	if (!job->room || root_read(job->root, "/proc/self/statm", text, sizeof(text)) < 0)
		return;
	text[strcspn(text, " ")] = '\0';
	if (text_to_u64(text, UINT64_MAX / 65536, &pages) == 0)
		limit(RLIMIT_AS, pages * (uint64_t)sysconf(_SC_PAGESIZE) + job->room);
}

static int give_up_everything(const struct probe_job *job, pid_t parent)
{
	int rc = 0;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGALRM, SIG_DFL);
	prctl(PR_SET_NAME, "iscsi-probe", 0, 0, 0);
	if (geteuid() == 0) {
		privilege_raise(PRIVILEGE_OF(CAP_SETUID) | PRIVILEGE_OF(CAP_SETGID));
		rc = privilege_become(NOBODY, NOBODY);
	}
	if (rc == 0)
		rc = privilege_drop_capabilities(0);
	if (rc == 0)
		rc = privilege_die_with_parent(parent);
	if (rc == 0)
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	/* Its end even where nobody may end it: no reader, or one without CAP_KILL. */
	alarm((unsigned int)(job->timeout_ns / NS_PER_S) + 1);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_FSIZE, 0);
	limit(RLIMIT_NPROC, 0);
	return rc;
}

static void run(const struct probe_job *job, const struct probe_place *place, int fd, pid_t parent)
{
	struct probe_outcome outcome = { .result = PROBE_LOCAL_ERROR };
	uint64_t deadline_ns = clock_now_ns() + job->timeout_ns;
	int pipe_at = PIPE_AT, rc = keep_pipe(fd);

	limit_memory(job);
	if (rc == 0)
		rc = give_up_everything(job, parent);
	/* Where there are no filters, which the reader has logged, what was given up above is all.
	 */
	if (rc == 0 && job->sandbox)
		(void)sandbox_enter(SANDBOX_TCP);
	if (rc == 0)
		probe_session_run(
			job->library, place, job->name, deadline_ns, report, &pipe_at, &outcome);
	else
		snprintf(outcome.text, sizeof(outcome.text), "cannot give up privileges: %s",
			strerror(-rc));
	report(&pipe_at, &outcome);
}

/* ---- in the reader ---- */

int probe_child_start(
	const struct probe_job *job, const struct probe_place *place, struct probe_child *ret)
{
	int ends[2];
	pid_t parent = getpid(), pid;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		run(job, place, ends[1], parent);
		_exit(EXIT_SUCCESS);
	}
	close(ends[1]);
	if (pid < 0) {
		int rc = -errno;

		close(ends[0]);
		return rc;
	}
	memset(ret, 0, sizeof(*ret));
	ret->pid = pid;
	ret->fd = ends[0];
	ret->kill_ns = clock_now_ns() + job->timeout_ns + GRACE_NS;
	return 0;
}

bool probe_child_take(struct probe_child *child)
{
	struct probe_outcome said;

	for (;;) {
		ssize_t n = read(child->fd, &said, sizeof(said));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return false;
		if (n < 0)
			child->error = errno;
		if (n != sizeof(said))
			return true;
		child->outcome = said;
	}
}

/* ---- what is believed ---- */

static void check_number(struct opt_u32 *field, uint32_t low, uint32_t high)
{
	if (field->known != 1 || field->value < low || field->value > high)
		*field = (struct opt_u32){ .known = 0 };
}

static void check_text(char text[PROBE_TEXT_MAX])
{
	char copy[PROBE_TEXT_MAX];

	memcpy(copy, text, PROBE_TEXT_MAX);
	memset(text, 0, PROBE_TEXT_MAX);
	text_sanitize(text, PROBE_TEXT_MAX - 1, copy, strnlen(copy, PROBE_TEXT_MAX));
}

static void check_outcome(struct probe_outcome *o)
{
	if (o->result >= PROBE_RESULTS)
		o->result = PROBE_UNDECIDED;
	check_number(&o->connect_us, 0, UINT32_MAX);
	check_number(&o->login_us, 0, UINT32_MAX);
	check_number(&o->ping_us, 0, UINT32_MAX);
	check_number(&o->login_class, 0, UINT8_MAX);
	check_number(&o->login_detail, 0, UINT8_MAX);
	check_number(&o->target_count, 0, UINT32_MAX);
	check_number(&o->keys.tag, 0, UINT16_MAX);
	check_number(&o->keys.max_recv, 512, 16777215);
	check_text(o->keys.alias);
	check_text(o->keys.redirect);
	check_text(o->keys.other);
	check_text(o->text);
}

void probe_child_end(struct probe_child *child)
{
	struct probe_outcome *o = &child->outcome;
	int status = 0;
	bool late;
	pid_t rc;

	kill(child->pid, SIGKILL); /* it has nothing to do any more, or will not end by itself */
	do {
		rc = waitpid(child->pid, &status, 0);
	} while (rc < 0 && errno == EINTR);
	late = clock_now_ns() >= child->kill_ns ||
	       (rc > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM);
	close(child->fd);
	child->pid = 0;
	child->fd = -1;
	check_outcome(o);
	if (o->result != PROBE_UNDECIDED)
		return;
	if (late) {
		o->result = PROBE_TIMEOUT;
		if (!o->text[0])
			snprintf(o->text, sizeof(o->text), "no answer");
		return;
	}
	if (child->error || (rc > 0 && WIFEXITED(status) && WEXITSTATUS(status) == STATUS_UNTOLD)) {
		o->result = PROBE_LOCAL_ERROR;
		snprintf(o->text, sizeof(o->text), "its result was lost%s%s",
			child->error ? ": " : "", child->error ? strerror(child->error) : "");
		return;
	}
	o->result = PROBE_PROTOCOL_ERROR;
	snprintf(o->text, sizeof(o->text), "libiscsi did not survive the answer (signal %d)",
		rc > 0 && WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}
