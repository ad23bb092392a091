/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The source open-iscsi: the initiator of this host, by sysfs and its configuration files; one
 * unit. What is read and how often: open_iscsi_read.h and open_iscsi_login.c; what is kept between
 * polls: open_iscsi_memory.h; what becomes of it: open_iscsi_model.c.
 *
 * Runs in the reader process of the source and in the one-shot commands. It only reads; no secret
 * may get into it (open_iscsi_records.h), and it must not block beyond the deadline.
 *
 * What happens between polls comes from the kernel over netlink (open_iscsi_listener.h), and so do
 * the counters of PDUs and octets (open_iscsi_stats.h).
 */
#include "base/clock.h"
#include "source/host.h"
#include "source/open_iscsi_alias.h"
#include "source/open_iscsi_devices.h"
#include "source/open_iscsi_model.h"
#include "source/open_iscsi_paths.h"
#include "source/open_iscsi_read.h"
#include "source/open_iscsi_stats.h"
#include "source/source.h"

#include "base/privilege.h"

#include <linux/capability.h>

#define CLASS_TRANSPORT "/sys/class/iscsi_transport"
/* The records are on disk, many, and change by hand. */
#define RECORDS_INTERVAL_NS (30ull * 1000 * 1000 * 1000)
/* A poll asks for statistics for no longer than this: an event must not wait for its end. */
#define ASK_FOR_NS (200 * NS_PER_MS)
/* Sessions that no poll has shown, and no event named, for so long. */
#define FORGET_AFTER_NS (60 * NS_PER_S)

struct source {
	const struct source_env *env;
	struct oiscsi o;
	struct oiscsi_listener listener;
	struct oiscsi_asker asker;
	struct oiscsi_devices devices;
	uint64_t records_read_ns; /* 0: not yet, or not all */
	bool machine_known;	  /* o.architecture and what follows from the kernel's release */
};

static int oiscsi_detect(const struct source_env *env)
{
	CLEANUP_BUF struct buf names = BUF_INIT(ROOT_ANSWER_MAX);
	int count = root_list(env->root, CLASS_TRANSPORT, &names);

	if (count == -ENOENT)
		return 0;
	return count < 0 ? count : 1;
}

/* "Linux 6.1.0 x86_64", "" when it cannot be read. Linux before 6.1 does not tell the machine. */
static void read_machine(struct source *s)
{
	char release[HOST_TEXT_MAX];

	if (s->machine_known)
		return;
	s->machine_known =
		host_architecture(s->o.root, s->o.architecture) && host_release(s->o.root, release);
	snprintf(s->o.release, sizeof(s->o.release), "%.*s", (int)sizeof(s->o.release) - 1,
		s->machine_known ? release : "");
	/* See open_iscsi_login.c. */
	s->o.ports_are_safe = oiscsi_release_is_since(s->o.release, 6, 1);
}

static void take_events(void *context)
{
	struct source *s = context;

	oiscsi_listener_pump(&s->listener, false);
}

static int oiscsi_open(const struct source_env *env, struct source **ret)
{
	struct source *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->env = env;
	s->o.root = env->root;
	s->o.listener = &s->listener;
	s->o.follows_events = env->lasting;
	oiscsi_listener_init(&s->listener, env->root, oiscsi_stats_take, &s->o);
	s->listener.events.records = &s->o.records;
	root_set_between(env->root, take_events, s);
	if (env->lasting && !env->settings->open_iscsi_statistics)
		privilege_forget(PRIVILEGE_OF(CAP_SYS_ADMIN));
	s->o.devices = &s->devices;
	*ret = s;
	return 0;
}

static void oiscsi_close(struct source *s)
{
	if (!s)
		return;
	root_set_between(s->o.root, NULL, NULL);
	oiscsi_listener_close(&s->listener);
	oiscsi_clear(&s->o);
	oiscsi_devices_clear(&s->devices);
	free(s);
}

/* "tcp, iser" from the list of the class. As many names as fit. */
static void join_transports(const struct buf *names, int count, char out[128])
{
	const char *name = names->data;
	size_t used = 0;

	out[0] = '\0';
	for (; count > 0; count--, name += strlen(name) + 1) {
		size_t length = strlen(name);

		if (used + 2 + length >= 128)
			break;
		used += (size_t)snprintf(out + used, 128 - used, "%s%s", used ? ", " : "", name);
	}
}

/* The last ones stay when the time is not enough. 1 they are new, 0 or -ENOMEM. */
static int read_records(struct source *s, uint64_t now_ns, uint64_t deadline_ns)
{
	const struct source_settings *settings = s->env->settings;
	/* There may be any number of them, and the sessions are more important. */
	uint64_t half_ns = deadline_ns > now_ns ? (deadline_ns - now_ns) / 2 : 0;
	int rc;

	if (s->records_read_ns && now_ns - s->records_read_ns < RECORDS_INTERVAL_NS)
		return 0;
	rc = oiscsi_records_read(s->o.root, settings->open_iscsi_config,
		settings->open_iscsi_records, now_ns + half_ns, &s->o.records);
	if (rc < 0)
		return rc == -ETIMEDOUT ? 0 : rc;
	s->records_read_ns = s->o.records.incomplete ? 0 : now_ns;
	s->o.records_known = true;
	return 1;
}

static bool session_exists(const void *context, uint32_t sid)
{
	return oiscsi_session_find(context, sid) != NULL;
}

/* Statistics, and what has happened while the sessions were read. 0 or -ENOMEM. */
static int ask_and_listen(struct source *s, uint64_t now_ns, uint64_t deadline_ns)
{
	uint64_t began_ns = clock_now_ns(), until_ns = began_ns + ASK_FOR_NS;
	struct oiscsi_events *events = &s->listener.events;

	/* Half of what is left of the time: the rest is for putting it together. */
	if (deadline_ns < until_ns)
		until_ns = began_ns + (deadline_ns > began_ns ? (deadline_ns - began_ns) / 2 : 0);
	if (s->env->settings->open_iscsi_statistics)
		oiscsi_stats_ask(&s->asker, &s->o, now_ns, until_ns);
	oiscsi_listener_pump(&s->listener, true);
	if (now_ns > FORGET_AFTER_NS)
		oiscsi_events_sweep(events, now_ns - FORGET_AFTER_NS, session_exists, &s->o);
	return s->o.records.initiator_name
		       ? oiscsi_events_name_default(events, s->o.records.initiator_name)
		       : 0;
}

/* There may be any number of them, and the sessions must be shown in time. */
static int read_devices(struct source *s, uint64_t now_ns, uint64_t deadline_ns)
{
	uint64_t most_ns = deadline_ns > now_ns ? (deadline_ns - now_ns) / 4 * 3 : 0;

	return oiscsi_devices_read(
		&s->o, s->env->settings->open_iscsi_devices, now_ns, now_ns + most_ns);
}

static int collect_unit(
	struct source *s, uint64_t deadline_ns, struct builder *b, struct oiscsi_failure *why)
{
	uint64_t now_ns = clock_now_ns();
	int rc = read_records(s, now_ns, deadline_ns);
	bool fresh = rc > 0;

	read_machine(s);
	s->o.polled_ns = now_ns;
	if (rc < 0) {
		snprintf(why->text, sizeof(why->text), "reading the node records: %s",
			strerror(-rc));
		return rc;
	}
	if (oiscsi_read_value(s->o.root, s->o.module_version, sizeof(s->o.module_version), "%s",
		    "/sys/module/scsi_transport_iscsi/version") <= 0)
		s->o.module_version[0] = '\0';
	rc = oiscsi_read(&s->o, now_ns, deadline_ns, why);
	if (rc < 0)
		return rc;
	oiscsi_alias_read(&s->o, fresh);
	rc = oiscsi_sockets_match(&s->o, deadline_ns);
	if (rc == 0)
		rc = oiscsi_portals_read(&s->o);
	if (rc == 0)
		rc = ask_and_listen(s, now_ns, deadline_ns);
	if (rc == 0)
		rc = oiscsi_paths_read(&s->o, now_ns, deadline_ns);
	if (rc == 0)
		rc = read_devices(s, now_ns, deadline_ns);
	if (rc == 0)
		rc = oiscsi_paths_take_outages(&s->o);
	if (rc == 0)
		rc = oiscsi_model_build(b, &s->o);
	if (rc < 0)
		snprintf(why->text, sizeof(why->text), "putting the sessions together: %s",
			strerror(-rc));
	return rc;
}

/* One poll alone has no use for events, but statistics need a socket as well. */
static bool wants_kernel(const struct source *s)
{
	return s->env->lasting || s->env->settings->open_iscsi_statistics;
}

/* What is not shown, and why nothing is counted; the latter alone when it is too long for both. */
static void remark(const struct source *s, struct collection *c)
{
	const char *missing = oiscsi_remark(&s->o);
	const char *kernel = s->listener.note[0] ? s->listener.note : s->asker.note;

	if (*missing && (!*kernel || strlen(missing) + strlen(kernel) + 2 < OISCSI_NOTE_MAX))
		collection_note(c, "%s%s%s", missing, *kernel ? "; " : "", kernel);
	else if (*kernel)
		collection_note(c, "%s", kernel);
}

static int oiscsi_collect(struct source *s, uint64_t deadline_ns, struct collection *c)
{
	CLEANUP_BUF struct buf names = BUF_INIT(ROOT_ANSWER_MAX);
	int count = root_list(s->o.root, CLASS_TRANSPORT, &names), rc;
	struct oiscsi_failure why = { .text = "" };
	struct builder *b;

	/* A socket keeps the kernel's module: not without a driver that needs it anyway. */
	if (count >= 0 || count == -ENOENT)
		oiscsi_listener_follow(&s->listener, count > 0 && wants_kernel(s));
	if (count == -ENOENT)
		return 0; /* the stack has gone, and the unit with it */
	b = collection_begin(c, "");
	if (count < 0) {
		collection_fail(c, count, "listing %s: %s", CLASS_TRANSPORT, strerror(-count));
		return 0;
	}
	join_transports(&names, count, s->o.transports);
	rc = collect_unit(s, deadline_ns, b, &why);
	if (rc < 0) {
		collection_fail(c, rc, "%s", why.text);
		return 0;
	}
	remark(s, c);
	collection_end(c);
	return 0;
}

static int oiscsi_event_fd(struct source *s)
{
	return oiscsi_listener_fd(&s->listener);
}

static int oiscsi_event(struct source *s)
{
	return oiscsi_listener_event(&s->listener);
}

const struct source_ops open_iscsi_source = {
	.name = "open-iscsi",
	.summary = "the open-iscsi initiator, by sysfs, netlink, iscsid.conf and node records",
	.capabilities = PRIVILEGE_OF(CAP_NET_ADMIN) | PRIVILEGE_OF(CAP_SYS_ADMIN),
	.sandbox = SANDBOX_SOCK_DIAG | SANDBOX_ISCSI | SANDBOX_CAPABILITIES,
	.detect = oiscsi_detect,
	.open = oiscsi_open,
	.collect = oiscsi_collect,
	.event_fd = oiscsi_event_fd,
	.event = oiscsi_event,
	.close = oiscsi_close,
};
