/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The source lio: the target of the Linux kernel, as it shows itself in configfs. How it is read:
 * lio_read.c; what of its files can be believed: lio_parse.h; what is kept between polls:
 * lio_memory.h; how its counters are put right: lio_count.h; what becomes of it: lio_model.c.
 *
 * Runs in the reader process of the source and in the one-shot commands. It only reads, and opens
 * nothing below auth/.
 */
#include "base/clock.h"
#include "source/host.h"
#include "source/lio_count.h"
#include "source/lio_model.h"
#include "source/lio_read.h"
#include "source/lio_socket.h"
#include "source/open_iscsi_text.h"
#include "source/source.h"

struct source {
	const struct source_env *env;
	struct lio_memory memory;
	bool hides_sessions;
	bool had_sockets; /* the table of TCP sockets could be read once */
	char architecture[HOST_TEXT_MAX], release[HOST_TEXT_MAX];
	bool host_known; /* these two */
};

static int lio_detect(const struct source_env *env)
{
	CLEANUP_BUF struct buf names = BUF_INIT(ROOT_ANSWER_MAX);
	int listed = root_list(env->root, LIO_DIRECTORY, &names);

	if (listed == -ENOENT || listed == -ENOTDIR)
		return 0;
	return listed < 0 ? listed : 1;
}

static int lio_open(const struct source_env *env, struct source **ret)
{
	struct source *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->env = env;
	*ret = s;
	return 0;
}

static void lio_close(struct source *s)
{
	if (!s)
		return;
	lio_memory_clear(&s->memory);
	free(s);
}

/* Remarks on sessions without a row. While their number is not known, what was said stays. */
static void tell_of_hidden_sessions(struct source *s, struct collection *c)
{
	struct lio_session_count sessions = lio_model_count_sessions(&s->memory);

	if (sessions.hidden.known)
		s->hides_sessions = sessions.hidden.value > 0;
	if (s->memory.doubted)
		collection_note(c, "a session has no row: its file info is not what LIO prints");
	else if (s->memory.refused)
		collection_note(c,
			"a session may have no row: a file or directory of its target cannot be "
			"read");
	else if (s->memory.withheld)
		collection_note(c,
			"sessions of initiators without an ACL are not read: this kernel may stop "
			"at a list of so many");
	else if (s->hides_sessions && s->memory.list_may_be_cut)
		collection_note(c,
			"there are sessions without a row: LIO's list of those without an ACL is "
			"nearly full and may be cut");
	else if (s->hides_sessions)
		collection_note(c,
			"there are sessions without a row: of an initiator's sessions by "
			"one ACL LIO shows the newest");
}

/* A table that is missing this once tells nothing: what is known is kept. */
static int match_sockets(struct source *s, uint64_t deadline_ns)
{
	CLEANUP_FREE struct root_tcp_socket *sockets = NULL;
	ssize_t count = root_tcp_sockets(s->env->root, deadline_ns, &sockets);

	s->had_sockets |= count >= 0;
	if (count < 0 && s->had_sockets)
		return 0;
	return lio_sockets_match(&s->memory, sockets, count > 0 ? (size_t)count : 0);
}

static void learn_host(struct source *s, uint64_t deadline_ns)
{
	if (s->host_known || clock_now_ns() > deadline_ns)
		return;
	s->host_known = host_architecture(s->env->root, s->architecture) &&
			host_release(s->env->root, s->release);
	s->memory.counts_in_32_bits = !host_has_64_bits(s->env->root);
	s->memory.long_is_error = oiscsi_release_is_since(s->release, 5, 4);
}

static int lio_collect(struct source *s, uint64_t deadline_ns, struct collection *c)
{
	struct lio_failure why = { .text = "" };
	struct builder *b = collection_begin(c, ""); /* its clocks count what reading costs, too */
	int rc;

	learn_host(s, deadline_ns);
	rc = lio_read(&s->memory, s->env->root, deadline_ns, &why);
	if (rc >= 0) {
		lio_count(&s->memory, clock_now_ns());
		lio_memory_sweep(&s->memory);
	}
	if (rc == 0)
		return 0; /* the target has been unloaded */
	if (rc < 0) {
		collection_fail(c, rc, "%s", why.text);
		return 0;
	}
	rc = match_sockets(s, deadline_ns);
	if (rc == 0)
		rc = lio_model_build(b, &s->memory, s->architecture, s->release);
	if (rc < 0) {
		collection_fail(c, rc, "putting together what LIO said: %s", strerror(-rc));
		return 0;
	}
	tell_of_hidden_sessions(s, c);
	collection_end(c);
	return 0;
}

const struct source_ops lio_source = {
	.name = "lio",
	.summary = "targets of the Linux kernel (LIO), by configfs",
	.sandbox = SANDBOX_SOCK_DIAG,
	.detect = lio_detect,
	.open = lio_open,
	.collect = lio_collect,
	.close = lio_close,
};
