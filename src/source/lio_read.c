/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walks /sys/kernel/config/target/iscsi. Called by lio.c in the reader process of the source. Must
 * never write, and never open what is below auth/.
 */
#include "source/lio_read.h"

#include "source/lio_read_private.h"

#include <netinet/in.h>

static const char *const counter_files[LIO_COUNTERS] = {
	[LIO_NEGOTIATE] = "iscsi_login_stats/negotiate_fails",
	[LIO_OTHER] = "iscsi_login_stats/other_fails",
	[LIO_REDIRECT] = "iscsi_login_stats/redirects",
	[LIO_AUTHORIZE] = "iscsi_login_stats/authorize_fails",
	[LIO_AUTHENTICATE] = "iscsi_login_stats/authenticate_fails",
	[LIO_ACCEPTS] = "iscsi_login_stats/accepts",
	[LIO_LOGOUT_NORMAL] = "iscsi_logout_stats/normal_logouts",
	[LIO_LOGOUT_OTHER] = "iscsi_logout_stats/abnormal_logouts",
	[LIO_SESSIONS_FAILED] = "iscsi_instance/fail_sess",
	[LIO_FAILED_DIGEST] = "iscsi_sess_err/digest_errors",
	[LIO_FAILED_TIMEOUT] = "iscsi_sess_err/cxn_errors",
	[LIO_FAILED_FORMAT] = "iscsi_sess_err/format_errors",
};

/* A file of fabric_statistics. */
static ssize_t read_statistic(
	struct lio_reader *r, const struct lio_target *target, const char *file)
{
	return lio_reader_file(r, LIO_DIRECTORY "/%s/fabric_statistics/%s", target->name, file);
}

/* A name that the kernel has of a failure; "" for the words that it has for none. */
static void read_failure_name(struct lio_reader *r, const struct lio_target *target,
	const char *file, char out[LIO_NAME_MAX + 1])
{
	lio_reader_name(r, read_statistic(r, target, file), out);
	if (!strcmp(out, "None") || !strcmp(out, "Unknown"))
		*out = 0;
}

static void read_failure_address(struct lio_reader *r, struct lio_target *target)
{
	ssize_t length = read_statistic(r, target, "iscsi_tgt_attr/fail_intr_addr");

	target->failure_address_known =
		length > 0 && root_to_address(r->root, r->text, &target->failure_address) == 0;
}

static struct opt_u32 read_session_number(struct lio_reader *r, const struct lio_target *target)
{
	return lio_reader_u32(r, read_statistic(r, target, "iscsi_instance/sessions"), UINT32_MAX);
}

/* The kernel keeps these counters in 32 bits. */
static void read_statistics(struct lio_reader *r, struct lio_target *target)
{
	for (int i = 0; i < LIO_COUNTERS; i++)
		target->counters[i] = lio_reader_counter(
			r, read_statistic(r, target, counter_files[i]), UINT32_MAX);
	read_failure_name(r, target, "iscsi_tgt_attr/fail_intr_name", target->failure_name);
	read_failure_address(r, target);
	target->session_failure_type =
		lio_reader_u32(r, read_statistic(r, target, "iscsi_instance/fail_type"), 3);
	read_failure_name(r, target, "iscsi_instance/fail_rem_name", target->session_failure_name);
	target->sessions = read_session_number(r, target);
}

/* What each target tells of all of LIO. */
static void read_versions(
	struct lio_reader *r, struct lio_memory *memory, const struct lio_target *target)
{
	char vendor[LIO_NAME_MAX + 1];
	struct opt_u32 version;

	lio_reader_name(r, read_statistic(r, target, "iscsi_instance/vendor"), vendor);
	if (*vendor)
		memcpy(memory->vendor, vendor, sizeof(vendor));
	version = lio_reader_u32(r, read_statistic(r, target, "iscsi_instance/min_ver"), 255);
	if (version.known)
		memory->version_min = version;
	version = lio_reader_u32(r, read_statistic(r, target, "iscsi_instance/max_ver"), 255);
	if (version.known)
		memory->version_max = version;
}

static void read_parameters(
	struct lio_reader *r, const struct lio_target *target, struct lio_group *group)
{
	group->before = group->parameters;
	group->before_read = group->all_read;
	group->polled = group->was;
	group->parameters = (struct lio_parameters){ .alias_known = false };
	group->all_read = true;
	for (size_t i = 0; i < lio_parameter_file_count; i++) {
		const struct lio_parameter_file *file = &lio_parameter_files[i];
		ssize_t length = lio_reader_file(r, LIO_DIRECTORY "/%s/tpgt_%u/%s%s", target->name,
			group->tag, file->elsewhere ? "" : "param/",
			file->elsewhere ? file->elsewhere : file->name);

		if (length >= 0)
			lio_parameter_parse(&group->parameters, i, r->text, (size_t)length);
		else
			group->all_read &= file->negotiated;
	}
	lio_group_take_parameters(group);
}

/* Of the target, in this poll until now. */
static uint32_t sessions_of_acls(const struct lio_target *target)
{
	uint32_t count = 0;

	for (size_t i = 0; i < target->group_count; i++)
		for (size_t k = 0; k < target->groups[i].acl_count; k++)
			count += target->groups[i].acls[k].told &&
				 target->groups[i].acls[k].session != NULL;
	return count;
}

/* Since the sessions of the target were counted: those seen after that were among them. */
static bool nobody_came(struct lio_reader *r, const struct lio_target *target)
{
	const struct opt_counter *before = &target->counters[LIO_ACCEPTS];
	struct opt_counter now = lio_reader_counter(
		r, read_statistic(r, target, counter_files[LIO_ACCEPTS]), UINT32_MAX);

	return before->known && now.known && now.value == before->value;
}

/* A file that is not there is one of a recording. */
static bool stops_at_warning(struct lio_reader *r)
{
	ssize_t length = lio_reader_file(r, "/proc/sys/kernel/panic_on_warn");
	struct opt_u32 value = lio_reader_u32(r, length, UINT32_MAX);

	return length != -ENOENT && (!value.known || value.value);
}

/*
 * The kernel lets dynamic_sessions grow to one octet more than its page, and with a page of more
 * than 4 KiB beyond what configfs takes (fs/configfs/file.c, SIMPLE_ATTR_SIZE): then it is -EIO
 * for as long as the same sessions are there, and once in a boot a WARN_ON_ONCE(). Before Linux 5.4
 * it is a BUG_ON(). Where the kernel would stop, the file is only read while it cannot be as long.
 */
static bool is_short(struct lio_reader *r, const struct lio_target *target)
{
	/* "name\n\0", and some that log in meanwhile */
	uint32_t safe = 4096 / (LIO_IQN_MAX + 2) - 2;
	const struct opt_u32 *sessions = &target->sessions;

	if (sessions->known && sessions->value <= safe)
		return true;
	if (r->long_is_error && !stops_at_warning(r))
		return true;
	/* Those that ACLs show are not in the list. */
	return sessions->known && nobody_came(r, target) &&
	       sessions->value <= safe + sessions_of_acls(target);
}

/* The kernel ends the list, without a word, where a name has no room in a page of 4 KiB. */
static bool may_be_cut(ssize_t length)
{
	return length + LIO_IQN_MAX + 1 > 4096;
}

/* Returns 0 or a negative errno, which ends the poll; so do those below that return one. */
static int read_guests(
	struct lio_reader *r, const struct lio_target *target, struct lio_group *group)
{
	ssize_t length;

	if (!is_short(r, target)) {
		r->missed = r->withheld = true;
		lio_group_keep_guests(group, target);
		return r->error;
	}
	length = lio_reader_file(
		r, LIO_DIRECTORY "/%s/tpgt_%u/dynamic_sessions", target->name, group->tag);
	lio_reader_miss(r, length);
	if (lio_reader_is_gone(length)) {
		lio_group_drop_guests(group);
	} else if (length < 0) {
		lio_group_keep_guests(group, target);
	} else {
		r->list_may_be_cut |= may_be_cut(length);
		group->guests_sessions = target->sessions;
		group->guests_accepts = target->counters[LIO_ACCEPTS];
		if (lio_group_take_guests(group, r->text, (size_t)length) < 0)
			lio_reader_fail(r, -ENOMEM, "keeping the sessions of");
	}
	return r->error;
}

static void read_group_attributes(
	struct lio_reader *r, const struct lio_target *target, struct lio_group *group)
{
	ssize_t length;

	length = lio_reader_file(r, LIO_DIRECTORY "/%s/tpgt_%u/enable", target->name, group->tag);
	group->enabled = lio_reader_bool(r, length);
	length = lio_reader_file(
		r, LIO_DIRECTORY "/%s/tpgt_%u/attrib/generate_node_acls", target->name, group->tag);
	group->demo = lio_reader_bool(r, length);
	read_parameters(r, target, group);
}

static int read_portals(struct lio_reader *r, const struct lio_target *target,
	struct lio_group *group, struct buf *names)
{
	int count =
		lio_reader_list(r, names, LIO_DIRECTORY "/%s/tpgt_%u/np", target->name, group->tag);

	for (const char *name = names->data; count > 0; count--, name += strlen(name) + 1) {
		struct lio_portal *portal;

		if (strlen(name) > LIO_NAME_MAX)
			continue;
		portal = lio_group_portal(group, name);
		if (!portal)
			return lio_reader_fail(r, -ENOMEM, "keeping the portals of");
		portal->endpoint_known =
			root_to_endpoint(r->root, name, &portal->address, &portal->port) == 0;
	}
	return r->error;
}

/* Whether a portal of the group has the file with 1 in it; unknown when one cannot be read. */
static struct opt_bool any_portal(struct lio_reader *r, const struct lio_target *target,
	const struct lio_group *group, const char *file)
{
	struct opt_bool any = { .known = 1 };

	for (size_t i = 0; i < group->portal_count; i++) {
		struct opt_bool this_one;
		ssize_t length;

		if (!group->portals[i].exists)
			continue;
		length = lio_reader_file(r, LIO_DIRECTORY "/%s/tpgt_%u/np/%s/%s", target->name,
			group->tag, group->portals[i].name, file);
		this_one = lio_reader_bool(r, length);
		any.known &= this_one.known;
		any.value |= this_one.value;
	}
	return any;
}

/*
 * The kernel tells of a connection whether it is plain TCP. If not, it is iSER, which is TCP, UDP
 * or neither, or cxgbit, which is TCP in the adapter.
 */
static bool is_adapter_only(
	struct lio_reader *r, const struct lio_target *target, const struct lio_group *group)
{
	struct opt_bool adapter = any_portal(r, target, group, "cxgbit");
	struct opt_bool rdma = any_portal(r, target, group, "iser");

	return adapter.known && adapter.value && rdma.known && !rdma.value;
}

static void find_protocols(
	struct lio_reader *r, const struct lio_target *target, struct lio_group *group)
{
	bool asked = false, adapter = false;

	for (size_t i = 0; i < group->acl_count; i++) {
		struct lio_session *session = group->acls[i].exists ? group->acls[i].session : NULL;

		for (size_t k = 0; session && k < session->connection_count; k++) {
			struct lio_connection *connection = &session->connections[k];

			if (!connection->is_tcp && !asked) {
				adapter = is_adapter_only(r, target, group);
				asked = true;
			}
			connection->protocol = (struct opt_u32){ .known = 0 };
			if (connection->is_tcp || adapter)
				OPT_SET(connection->protocol, IPPROTO_TCP);
		}
	}
}

static int read_acls(struct lio_reader *r, const struct lio_target *target, struct lio_group *group,
	struct buf *names)
{
	int count = lio_reader_list(
		r, names, LIO_DIRECTORY "/%s/tpgt_%u/acls", target->name, group->tag);

	for (const char *name = names->data; count > 0; count--, name += strlen(name) + 1)
		if (strlen(name) <= LIO_NAME_MAX && !lio_group_acl(group, name))
			return lio_reader_fail(r, -ENOMEM, "keeping the ACLs of");
	for (size_t i = 0; i < group->acl_count && !r->error; i++)
		if (group->acls[i].exists)
			lio_read_session(r, target->name, group, &group->acls[i]);
	find_protocols(r, target, group);
	return r->error;
}

/* Whether the group is there now, and which it is: the one that it was where nothing else tells. */
static bool find_group(struct lio_reader *r, const struct lio_target *target,
	const struct lio_group *group, uint64_t *ret)
{
	int rc;

	*ret = group->object;
	rc = lio_reader_object(r, ret, LIO_DIRECTORY "/%s/tpgt_%u", target->name, group->tag);
	return rc == 0;
}

static int read_group(struct lio_reader *r, const struct lio_target *target,
	struct lio_group *group, struct buf *names)
{
	int rc;

	read_group_attributes(r, target, group);
	rc = read_portals(r, target, group, names);
	if (rc == 0)
		rc = read_acls(r, target, group, names);
	if (rc == 0)
		rc = read_guests(r, target, group);
	return rc;
}

static int read_groups(struct lio_reader *r, struct lio_target *target, struct buf *names)
{
	for (size_t i = 0; i < target->group_count && !r->error; i++) {
		struct lio_group *group = &target->groups[i];
		uint64_t object;

		if (!group->exists)
			continue;
		group->exists = find_group(r, target, group, &object);
		if (group->exists) {
			lio_group_take_object(group, object);
			if (read_group(r, target, group, names) < 0)
				break;
			/* Another one that took its place meanwhile is of the next poll. */
			group->exists =
				find_group(r, target, group, &object) && object == group->object;
		}
		if (!group->exists)
			lio_reader_miss(r, -EAGAIN);
	}
	return r->error;
}

/* True when it is a directory with statistics: all others beside the targets have none. */
static bool is_target(struct lio_reader *r, const char *name, struct buf *names)
{
	int count = lio_reader_list(r, names, LIO_DIRECTORY "/%s", name);

	for (const char *entry = names->data; count > 0; count--, entry += strlen(entry) + 1)
		if (!strcmp(entry, "fabric_statistics"))
			return true;
	return false;
}

static int read_target(struct lio_reader *r, struct lio_target *target, struct buf *names)
{
	struct opt_u32 sessions;
	bool any = false;
	uint32_t tag;
	int count, rc;

	r->missed = false;
	count = lio_reader_list(r, names, LIO_DIRECTORY "/%s", target->name);
	for (const char *name = names->data; count > 0; count--, name += strlen(name) + 1)
		if (lio_tpg_parse(name, &tag) == 0 && !lio_target_group(target, tag))
			return lio_reader_fail(r, -ENOMEM, "keeping the groups of");
	read_statistics(r, target);
	rc = read_groups(r, target, names);
	sessions = read_session_number(r, target);
	if (!sessions.known || sessions.value != target->sessions.value)
		target->sessions.known = 0; /* somebody logged in or out meanwhile */
	target->all_seen = !r->missed;
	for (int i = 0; i < LIO_COUNTERS; i++)
		any |= target->counters[i].known;
	/* Perhaps it went away meanwhile. */
	if (rc == 0 && !any)
		target->exists = is_target(r, target->name, names);
	return r->error;
}

/* The release of LIO, and what targets tell of it. */
static void read_instance(struct lio_reader *r, struct lio_memory *memory)
{
	ssize_t length = lio_reader_file(r, LIO_DIRECTORY "/lio_version");

	lio_reader_name(r, length, memory->version);
	*memory->vendor = 0;
	memory->version_min = memory->version_max = (struct opt_u32){ .known = 0 };
	for (size_t i = 0; i < memory->target_count; i++)
		if (memory->targets[i].exists && (!*memory->vendor || !memory->version_min.known ||
							 !memory->version_max.known))
			read_versions(r, memory, &memory->targets[i]);
}

static int read_all(struct lio_reader *r, struct lio_memory *memory, struct buf *names)
{
	CLEANUP_BUF struct buf below = BUF_INIT(ROOT_ANSWER_MAX);
	int count = root_list(r->root, LIO_DIRECTORY, names);

	lio_memory_begin(memory);
	if (count == -ENOENT || count == -ENOTDIR)
		return 0;
	snprintf(r->path, sizeof(r->path), "%s", LIO_DIRECTORY);
	if (count < 0)
		return lio_reader_fail(r, count, "listing");
	for (const char *name = names->data; count > 0; count--, name += strlen(name) + 1)
		if (strlen(name) <= LIO_NAME_MAX && is_target(r, name, &below) &&
			!lio_memory_target(memory, name))
			return lio_reader_fail(r, -ENOMEM, "keeping targets of");
	for (size_t i = 0; i < memory->target_count && !r->error; i++)
		if (memory->targets[i].exists)
			read_target(r, &memory->targets[i], &below);
	if (!r->error)
		read_instance(r, memory);
	return r->error ? r->error : 1;
}

int lio_read(
	struct lio_memory *memory, struct root *root, uint64_t deadline_ns, struct lio_failure *why)
{
	CLEANUP_BUF struct buf names = BUF_INIT(ROOT_ANSWER_MAX);
	struct lio_reader *r = calloc(1, sizeof(*r));
	int rc;

	if (!r) {
		snprintf(why->text, sizeof(why->text), "no memory to read " LIO_DIRECTORY);
		return -ENOMEM;
	}
	r->root = root;
	r->deadline_ns = deadline_ns;
	r->why = why;
	r->long_is_error = memory->long_is_error;
	rc = read_all(r, memory, &names);
	memory->doubted = r->doubted;
	memory->refused = r->refused;
	memory->withheld = r->withheld;
	memory->list_may_be_cut = r->list_may_be_cut;
	free(r);
	return rc;
}
