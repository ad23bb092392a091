/* SPDX-License-Identifier: BSD-2-Clause */
/* Called by scst.c in the reader process of the source; see scst_daemon.h for what it must not. */
#include "source/scst_daemon.h"

#include "base/clock.h"
#include "source/process_owner.h"

#define ASK_AGAIN_NS	(300 * NS_PER_S)
#define ASK_MISSING_NS	(30 * NS_PER_S)
#define SLOW_NS		(500 * NS_PER_MS)
#define SEGMENT_MIN	512u
#define SEGMENT_MAX	16777215u
#define OUTSTANDING_MAX 65535u

/*
 * What the machine or this process lacks at the moment, and not what the file is like: then it is
 * not known whether there is a daemon. A poll that took it for none would lose the portals without
 * a sign, and the first one would give the sessions, which are named after it, other numbers.
 */
static bool is_passing(int error)
{
	return error == -EMFILE || error == -ENFILE || error == -ENOMEM || error == -EIO ||
	       error == -EINTR;
}

/* Reads what tells of the daemon: false when it cannot be read. */
static bool read_of_daemon(struct scst_reader *r, const char *path)
{
	int rc = scst_read(r, "%s", path);

	if (is_passing(rc))
		scst_reader_fail(r, rc, "reading");
	return rc == 0;
}

static bool is_of_root(struct scst_reader *r, uint32_t pid)
{
	int rc = process_owner_is_trusted(r->root, pid);

	if (is_passing(rc)) {
		snprintf(r->path, sizeof(r->path), "/proc/%u/status", pid);
		scst_reader_fail(r, rc, "reading");
		return false;
	}
	r->stranger = rc <= 0;
	return !r->stranger;
}

/* True when its process is there; one of a stranger is not its. */
static bool find_process(struct scst_reader *r, const char *pid_file, struct scst_daemon *daemon)
{
	struct opt_u32 pid;
	char stat[32];

	if (!read_of_daemon(r, pid_file))
		return false;
	pid = scst_parse_u32(r->text, r->length, 1, INT32_MAX);
	if (!pid.known)
		return false;
	snprintf(stat, sizeof(stat), "/proc/%u/stat", pid.value);
	if (!read_of_daemon(r, stat) ||
		scst_parse_process(r->text, r->length, &daemon->process) < 0 ||
		!daemon->process.is_scstd || !is_of_root(r, pid.value))
		return false;
	daemon->pid = (int32_t)pid.value;
	return true;
}

static bool shares_network(struct root *root, int32_t pid)
{
	char path[64], ours[64], theirs[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	if (root_read_link(root, "/proc/self/ns/net", ours, sizeof(ours)) < 0 ||
		root_read_link(root, path, theirs, sizeof(theirs)) < 0)
		return true;
	return !strcmp(ours, theirs);
}

void scst_daemon_find(struct scst_reader *r, struct scst_daemon *ret)
{
	ssize_t length;

	memset(ret, 0, sizeof(*ret));
	if (!find_process(r, "/run/iscsi-scstd.pid", ret) &&
		(r->error < 0 || !find_process(r, "/var/run/iscsi-scstd.pid", ret)))
		return;
	snprintf(r->path, sizeof(r->path), "/proc/%d/cmdline", (int)ret->pid);
	length = root_read(r->root, r->path, ret->arguments, sizeof(ret->arguments));
	ret->listener_known = length > 0 && scst_parse_arguments(ret->arguments, (size_t)length,
						    &ret->listener) == 0;
	ret->ipv6 = !scst_is_gone(scst_read(r, "/proc/%d/net/if_inet6", (int)ret->pid));
	ret->same_network = shares_network(r->root, ret->pid);
}

struct interview {
	struct scst_reader *r;
	struct scst_memory *m;
	uint64_t until_ns; /* then no more questions in this poll */
	bool incomplete;   /* something could not be read */
};

/* One question. False when no more may be asked; the answer is in r->text, "" for none. */
static bool ask(struct interview *i, const char *target, const char *attribute)
{
	uint64_t began_ns = clock_now_ns(), ended_ns;
	int rc;

	if (began_ns >= i->until_ns)
		return false;
	if (target)
		rc = scst_read(i->r, SCST_TREE "/%s/%s", target, attribute);
	else
		rc = scst_read(i->r, SCST_TREE "/%s", attribute);
	/* An attribute that this version does not have is no failure. */
	i->incomplete |= rc < 0 && !scst_is_gone(rc);
	ended_ns = clock_now_ns();
	if (ended_ns - began_ns >= SLOW_NS) {
		i->m->ask_after_ns = ended_ns + ASK_AGAIN_NS;
		i->until_ns = 0;
	}
	return true;
}

static void take_u32(struct interview *i, const char *target, const char *attribute, uint32_t low,
	uint32_t high, struct opt_u32 *field)
{
	if (ask(i, target, attribute))
		*field = scst_parse_u32(i->r->text, i->r->length, low, high);
}

static void take_bool(
	struct interview *i, const char *target, const char *attribute, struct opt_bool *field)
{
	if (ask(i, target, attribute))
		*field = scst_parse_bool(i->r->text, i->r->length);
}

static void take_digests(struct interview *i, const char *target, const char *attribute,
	struct opt_u32 *primary, struct opt_u32 *secondary)
{
	if (ask(i, target, attribute))
		scst_parse_digests(i->r->text, i->r->length, primary, secondary);
}

static uint64_t when_again(const struct interview *i)
{
	return clock_now_ns() + (i->incomplete ? ASK_MISSING_NS : ASK_AGAIN_NS);
}

static void ask_target(struct interview *i, const char *name, struct scst_config *c)
{
	i->incomplete = false;
	take_bool(i, name, "InitialR2T", &c->initial_r2t);
	take_bool(i, name, "ImmediateData", &c->immediate_data);
	take_u32(i, name, "MaxRecvDataSegmentLength", SEGMENT_MIN, SEGMENT_MAX,
		&c->max_recv_data_segment_length);
	take_u32(i, name, "MaxOutstandingR2T", 1, OUTSTANDING_MAX, &c->max_outstanding_r2t);
	take_u32(i, name, "FirstBurstLength", SEGMENT_MIN, SEGMENT_MAX, &c->first_burst_length);
	take_u32(i, name, "MaxBurstLength", SEGMENT_MIN, SEGMENT_MAX, &c->max_burst_length);
	take_digests(
		i, name, "HeaderDigest", &c->primary_header_digest, &c->secondary_header_digest);
	take_digests(i, name, "DataDigest", &c->primary_data_digest, &c->secondary_data_digest);
	if (ask(i, name, "alias"))
		c->alias_known =
			i->r->length && scst_parse_line(i->r->text, i->r->length, c->alias) >= 0;
	else
		return; /* not all was asked: go on in the next poll */
	c->next_ns = when_again(i);
}

void scst_daemon_ask(struct scst_reader *r, const struct scst_daemon *daemon, struct scst_memory *m)
{
	uint64_t now_ns = clock_now_ns();
	struct interview i = { .r = r, .m = m };

	if (!daemon->pid)
		return; /* it may be gone, or have no pid file: nothing is learned, nothing lost */
	if (daemon->pid != m->pid || daemon->process.start_time != m->start_time)
		scst_memory_forget_config(m);
	m->pid = daemon->pid;
	m->start_time = daemon->process.start_time;
	if (!daemon->process.answers || now_ns < m->ask_after_ns || now_ns >= r->deadline_ns)
		return;
	scst_read(r, SCST_TREE "/open_state");
	if (strcmp(r->text, "open\n") != 0)
		return;
	i.until_ns = now_ns + (r->deadline_ns - now_ns) / 2;
	if (now_ns >= m->enabled_next_ns && ask(&i, NULL, "enabled")) {
		m->enabled = scst_parse_bool(r->text, r->length);
		m->enabled_next_ns = when_again(&i);
	}
	for (size_t n = 0; n < m->target_count; n++)
		if (now_ns >= m->targets[n]->config.next_ns)
			ask_target(&i, m->targets[n]->name, &m->targets[n]->config);
}
