/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The source multipath: the maps of multipathd and the devices in them, one unit. It has no
 * instance of ISCSI-MIB: what it says is joined to the paths of the initiator when a snapshot is
 * made (model/path_join.h). What is asked: multipath_wire.h; what of the answers can be believed:
 * multipath_parse.h; what becomes of them: multipath_model.h.
 *
 * Runs in the reader process of the source and in the one-shot commands. It must not start a
 * multipathd that somebody has stopped: where systemd holds its sockets (multipathd.socket),
 * connecting does that, and maps would appear over disks that are in use. So it connects only while
 * the process of multipathd's pid file is there.
 */
#include "source/multipath_model.h"
#include "source/multipath_wire.h"
#include "source/process_owner.h"
#include "source/source.h"

#define PID_FILE   "/run/multipathd.pid"
#define DAEMON	   "multipathd"
#define SHOWN_MAX  40 /* octets of a line that a message shows */
#define PLACES_MAX 2

/* As libmpathcmd tries them: a name of the file system (since 0.12), the older abstract one. */
static const char *const sockets[PLACES_MAX] = { "/run/multipathd.socket",
	"@/org/kernel/linux/storage/multipathd" };

struct source {
	const struct source_env *env;
};

/* 1 the process of the pid file is root's multipathd, 0 it is not or there is none, or an error. */
static int multipath_detect(const struct source_env *env)
{
	char text[64], path[64];
	uint32_t pid;
	ssize_t rc = root_read(env->root, PID_FILE, text, sizeof(text));

	if (rc < 0)
		return rc == -ENOENT || rc == -ENOTDIR ? 0 : (int)rc;
	if (text_to_u32(text, INT32_MAX, &pid) < 0 || pid == 0)
		return 0; /* being written */
	snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	rc = root_read(env->root, path, text, sizeof(text));
	if (rc < 0)
		return rc == -ENOENT || rc == -ESRCH ? 0 : (int)rc;
	text[strcspn(text, "\n")] = '\0';
	return strcmp(text, DAEMON) == 0 ? process_owner_is_trusted(env->root, pid) : 0;
}

static int multipath_open(const struct source_env *env, struct source **ret)
{
	struct source *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->env = env;
	*ret = s;
	return 0;
}

static void multipath_close(struct source *s)
{
	free(s);
}

static const char *exchange_reason(int error)
{
	switch (error) {
	case -ENOENT:
	case -ECONNREFUSED:
		return "nobody listens on its sockets";
	case -EACCES:
		return "its socket may not be used, or is that of another user";
	case -ETIMEDOUT:
		return "no answer in time";
	case -ECONNRESET:
		return "it closed without a complete answer";
	case -E2BIG:
		return "it announces an answer that is longer than any";
	case -EBADMSG:
		return "not an answer of multipathd";
	default:
		return "the exchange failed";
	}
}

/*
 * One question, on the first socket that somebody listens on. The text is in `buf`. Returns 0, or
 * what went wrong, with a reason in words.
 */
static int put(struct source *s, enum multipath_question question, uint64_t deadline_ns,
	struct buf *buf, struct multipath_text *ret, const char **ret_reason)
{
	char request[MULTIPATH_REQUEST_MAX];
	size_t length = multipath_request(question, request);
	int rc = -ENOENT;

	for (size_t i = 0; i < PLACES_MAX && (rc == -ENOENT || rc == -ECONNREFUSED); i++)
		rc = root_exchange(s->env->root, sockets[i], request, length,
			multipath_answer_length, deadline_ns, buf, NULL);
	*ret_reason = exchange_reason(rc);
	if (rc == 0)
		rc = multipath_answer_parse(
			buf->data, buf->length, &ret->at, &ret->length, ret_reason);
	return rc;
}

static int fail_question(
	struct collection *c, int rc, enum multipath_question question, const char *reason)
{
	collection_fail(
		c, rc, "asking multipathd for %s: %s", multipath_question_text(question), reason);
	return rc;
}

/* One question that must have an answer. On failure the unit has been ended as failed. */
static int ask(struct source *s, enum multipath_question question, uint64_t deadline_ns,
	struct buf *buf, struct multipath_text *ret, struct collection *c)
{
	const char *reason;
	int rc = put(s, question, deadline_ns, buf, ret, &reason);

	return rc < 0 ? fail_question(c, rc, question, reason) : 0;
}

/*
 * The groups, which the rest can do without. "fail" is said when a single map cannot be looked at
 * any more, as while it is taken away, and of a few thousand maps the text is longer than any.
 */
static int ask_groups(struct source *s, uint64_t deadline_ns, struct buf *buf,
	struct multipath_text *ret, struct collection *c)
{
	const char *reason;
	int rc = put(s, MULTIPATH_ASK_GROUPS, deadline_ns, buf, ret, &reason);

	if (rc == -EIO || rc == -E2BIG) {
		*ret = (struct multipath_text){ NULL, 0 };
		collection_note(c, "its path groups are unknown: %s", reason);
		return 0;
	}
	return rc < 0 ? fail_question(c, rc, MULTIPATH_ASK_GROUPS, reason) : 0;
}

/* What a unit that could not be put together says. */
static void fail_unit(struct collection *c, int rc, struct multipath_text line)
{
	char shown[SHOWN_MAX + 1];

	text_sanitize(shown, SHOWN_MAX, line.at, line.length);
	if (rc == -EBADMSG)
		collection_fail(c, rc, "multipathd's answer has a line that is none: %s", shown);
	else if (rc == -EAGAIN)
		collection_fail(c, rc, "multipathd renamed a map while it was asked");
	else if (rc == -EOVERFLOW)
		collection_fail(c, rc, "multipathd says that two maps have one name");
	else
		collection_fail(c, rc, "putting together what multipathd said: %s", strerror(-rc));
}

/* From the answers to rows. The unit is ended. */
static void put_together(struct source *s, uint64_t deadline_ns,
	const struct multipath_answers *answers, struct builder *b, struct collection *c)
{
	CLEANUP_BUF struct buf maps = BUF_INIT(ROOT_ANSWER_MAX);
	struct multipath_text again = { "", 0 }, line;
	struct multipath_model model;
	int rc = multipath_model_fill(&model, b, s->env->root, answers, &line);
	bool failed = false; /* and ended */

	if (model.groups_error)
		collection_note(c,
			"its path groups are no JSON, maybe by a name or a product with a "
			"quote: they are unknown");
	if (rc == 0 && model.empty_count) {
		failed = ask(s, MULTIPATH_ASK_AGAIN, deadline_ns, &maps, &again, c) < 0;
		if (!failed)
			rc = multipath_model_settle(&model, again, &line);
	}
	if (rc < 0)
		fail_unit(c, rc, line);
	else if (!failed)
		collection_end(c);
	multipath_model_clear(&model);
}

static int multipath_collect(struct source *s, uint64_t deadline_ns, struct collection *c)
{
	CLEANUP_BUF struct buf maps = BUF_INIT(ROOT_ANSWER_MAX);
	CLEANUP_BUF struct buf groups = BUF_INIT(ROOT_ANSWER_MAX);
	CLEANUP_BUF struct buf paths = BUF_INIT(ROOT_ANSWER_MAX);
	struct builder *b = collection_begin(c, "");
	struct multipath_answers answers;
	int rc = ask(s, MULTIPATH_ASK_MAPS, deadline_ns, &maps, &answers.maps, c);

	if (rc == 0)
		rc = ask_groups(s, deadline_ns, &groups, &answers.groups, c);
	/* Last: asking for the maps makes multipathd ask the kernel for their state. */
	if (rc == 0)
		rc = ask(s, MULTIPATH_ASK_PATHS, deadline_ns, &paths, &answers.paths, c);
	if (rc == 0)
		put_together(s, deadline_ns, &answers, b, c);
	return 0;
}

const struct source_ops multipath_source = {
	.name = "multipath",
	.summary = "multipath maps over the disks of sessions, from multipathd",
	.sandbox = SANDBOX_UNIX,
	.detect = multipath_detect,
	.open = multipath_open,
	.collect = multipath_collect,
	.close = multipath_close,
};
