/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/state.h"

#include "agent/saver.h"
#include "base/boot.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fdpass.h"
#include "base/log.h"
#include "base/memfd.h"
#include "index/engine_store.h"
#include "index/event_store.h"
#include "index/store_lock.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define SAVE_DELAY_NS (2 * NS_PER_S)
/*
 * When only what is kept of the rows has changed. Events may come all day, and the file is written
 * as a whole: 50 ms for 10,000 sessions. An agent process that is killed forgets as much.
 */
#define KEPT_DELAY_NS (10 * NS_PER_S)
#define RETRY_NS      (60 * NS_PER_S)
/* A saver that has not answered for so long is worth a message. */
#define SLOW_NS (10 * NS_PER_S)

/*
 * Numbers of events that the file keeps free for those that are not saved yet: more than one
 * snapshot can have. When the process is killed they are not given again; when it ends in order
 * none is lost.
 */
#define EVENT_RESERVE 20000u
/* The same for the numbers of sessions: more than can log in until the file is saved. */
#define SESSION_RESERVE 10000u
/* And of other rows: they are fewer, and their numbers have to last for longer than a boot. */
#define ROW_RESERVE 1000u
/* The reserve is used up: not later than the next turn. */
#define AT_ONCE_NS 1u

/* Memory or descriptors may be wanting for a moment, most of all when everything starts. */
#define LOAD_TRIES    3
#define LOAD_PAUSE_MS 20

/* An agent process that was killed, whose parent was, or both, is gone by then. */
#define LOCK_WAIT_NS NS_PER_S

/* How far what is saved had changed. */
struct changes {
	uint64_t numbers; /* registry_changes; event_log_changes */
	uint64_t kept;	  /* registry_kept_changes; 0 of the other files */
};

struct file {
	enum store_file which;
	const char *directory;
	const char *what;      /* for messages */
	struct changes saved;  /* what the file holds */
	struct changes sent;   /* what the saver is writing */
	bool other_change;     /* beside the registry's */
	uint64_t due_ns;       /* when to hand it to the saver; 0 nothing to save */
	uint64_t serial;       /* of the request in flight; 0 none */
	uint64_t asked_ns;     /* when it was sent */
	bool failing, waiting; /* what has been logged */
};

struct state {
	struct config config;
	struct registry *registry;
	struct event_log *events; /* NULL none */
	uint32_t events_reserved; /* numbers below it are never given again */
	struct engine engine;	  /* of -M only */
	uint64_t engine_changes;
	char boot_id[BOOT_ID_LENGTH + 1];
	struct store_run run;
	bool known_before; /* there was a run file */
	bool run_saved;	   /* there is one of this process */
	struct file files[STORE_FILES];
	size_t file_count; /* the engine's is the last one, before it that of the event log */
	int saver;	   /* -1 none */
	uint64_t serial;
	bool closing;
};

static bool is_one_directory(const char *a, const char *b)
{
	struct stat one, other;

	return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev &&
	       one.st_ino == other.st_ino;
}

int state_lock(const struct config *config, int ret_locks[2])
{
	const char *const directories[] = { config->state_dir, config->run_dir };

	ret_locks[0] = ret_locks[1] = -1;
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		int rc;

		if (i == 1 && is_one_directory(directories[0], directories[1]))
			break;
		rc = store_lock(directories[i], LOCK_WAIT_NS, &ret_locks[i]);
		if (rc == -EBUSY) {
			log_error("%s: another iscsi-agentx keeps its index numbers there: not "
				  "starting",
				directories[i]);
			return rc;
		}
		/* One that cannot be used is none that anybody writes to; loading tells of it. */
	}
	return 0;
}

static struct changes changes_of(const struct state *s, const struct file *file)
{
	switch (file->which) {
	case STORE_ENGINE:
		return (struct changes){ .numbers = s->engine_changes };
	case STORE_EVENTS:
		return (struct changes){ .numbers = event_log_changes(s->events) };
	case STORE_RUN:
		return (struct changes){
			.numbers = registry_changes(s->registry, false),
			.kept = registry_kept_changes(s->registry),
		};
	default:
		return (struct changes){ .numbers = registry_changes(s->registry, true) };
	}
}

static int load_once(struct state *s, const struct file *file)
{
	bool loaded = false;
	int rc;

	if (file->which == STORE_EVENTS)
		return event_store_load(s->events, file->directory, s->boot_id);
	if (file->which == STORE_ENGINE)
		return engine_store_load(&s->engine, file->directory);
	rc = store_load(s->registry, file->directory, file->which == STORE_STATE, s->boot_id,
		&s->run, &loaded);
	if (file->which == STORE_RUN)
		s->known_before = loaded;
	return rc;
}

/* Nothing is wrong with the file. */
static bool may_pass(int rc)
{
	return rc == -ENOMEM || rc == -EMFILE || rc == -ENFILE || rc == -EAGAIN || rc == -EINTR ||
	       rc == -EIO;
}

/* What is not loaded is lost for good, with the next save: so not at the first refusal. */
static void load(struct state *s, const struct file *file)
{
	int rc = load_once(s, file);

	for (int tries = 1; may_pass(rc) && tries < LOAD_TRIES; tries++) {
		poll(NULL, 0, LOAD_PAUSE_MS);
		rc = load_once(s, file);
	}
	/* A damaged file has been logged and set aside there. */
	if (rc >= 0 || rc == -EBADMSG)
		return;
	log_warning("%s: the saved %s cannot be used (%s): %s", file->directory, file->what,
		strerror(-rc),
		file->which == STORE_EVENTS   ? "the event table begins anew"
		: file->which == STORE_ENGINE ? "there will be a new one"
					      : "rows may get new ones");
}

/* Without it the files of this boot are taken for those of another one. */
static void read_boot_id(struct state *s)
{
	for (int tries = 1; boot_id_read(s->boot_id) < 0 && tries < LOAD_TRIES; tries++)
		poll(NULL, 0, LOAD_PAUSE_MS);
}

struct state *state_open(
	const struct config *config, struct registry *registry, struct event_log *events)
{
	struct state *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->config = *config;
	s->registry = registry;
	s->events = events;
	s->saver = -1;
	read_boot_id(s);
	s->files[STORE_STATE] = (struct file){
		.which = STORE_STATE, .directory = s->config.state_dir, .what = "index numbers"
	};
	s->files[STORE_RUN] = (struct file){
		.which = STORE_RUN, .directory = s->config.run_dir, .what = "index numbers"
	};
	s->files[STORE_EVENTS] = (struct file){
		.which = STORE_EVENTS, .directory = s->config.state_dir, .what = "events"
	};
	s->file_count = events ? STORE_ENGINE : STORE_EVENTS;
	for (size_t i = 0; i < s->file_count; i++)
		load(s, &s->files[i]);
	/* What one file told the other need not be told: it is saved with the next change. */
	for (size_t i = 0; i < s->file_count; i++)
		s->files[i].saved = changes_of(s, &s->files[i]);
	return s;
}

void state_load_engine(struct state *s, struct engine *ret)
{
	struct file *file = &s->files[STORE_ENGINE];

	*file = (struct file){
		.which = STORE_ENGINE, .directory = s->config.state_dir, .what = "engine ID"
	};
	s->file_count = STORE_FILES;
	load(s, file);
	*ret = s->engine;
}

void state_set_engine(struct state *s, const struct engine *engine)
{
	s->engine = *engine;
	s->engine_changes++;
	s->files[STORE_ENGINE].due_ns = clock_now_ns();
}

bool state_engine_is_saved(const struct state *s)
{
	return s->files[STORE_ENGINE].saved.numbers == s->engine_changes;
}

bool state_known_before(const struct state *s)
{
	return s->known_before;
}

uint64_t state_uptime_zero(const struct state *s)
{
	return s->run.uptime_zero_ns;
}

void state_set_uptime_zero(struct state *s, uint64_t uptime_zero_ns)
{
	s->run.uptime_zero_ns = uptime_zero_ns;
	s->files[STORE_RUN].other_change = true;
}

static void detach_saver(struct state *s)
{
	if (s->saver >= 0)
		close(s->saver);
	s->saver = -1;
	/* What it was writing may be there or not: it is to be written again. */
	for (size_t i = 0; i < s->file_count; i++) {
		if (s->files[i].serial)
			s->files[i].due_ns = clock_now_ns();
		s->files[i].serial = 0;
	}
}

void state_attach_saver(struct state *s, int fd)
{
	detach_saver(s);
	s->saver = fd;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	/* What the last one could not take, since it was just ending, waits for no disk. */
	for (size_t i = 0; i < s->file_count; i++) {
		if (s->files[i].failing)
			s->files[i].due_ns = clock_now_ns();
	}
}

static int send_text(struct state *s, const struct file *file, const struct buf *text)
{
	struct saver_request request = {
		.serial = s->serial,
		.length = text->length,
		.file = file->which,
	};
	CLEANUP_FD int fd = memfd_seal("state", text->data, text->length);

	if (fd < 0)
		return fd;
	return fdpass_send(s->saver, &request, sizeof(request), fd, MSG_DONTWAIT);
}

static int append_text(void *context, const char *data, size_t length)
{
	return buf_append(context, data, length);
}

static int format(struct state *s, const struct file *file, struct buf *text)
{
	uint64_t next;

	if (file->which == STORE_ENGINE)
		return engine_store_format(&s->engine, append_text, text);
	s->run.sessions_reserved = s->closing ? 0 : SESSION_RESERVE;
	s->run.rows_reserved = s->closing ? 0 : ROW_RESERVE;
	if (file->which != STORE_EVENTS)
		return store_format(s->registry, file->which == STORE_STATE, s->boot_id, &s->run,
			append_text, text);
	next = event_log_next(s->events) + (s->closing ? UINT64_C(0) : EVENT_RESERVE);
	s->events_reserved = next < UINT32_MAX ? (uint32_t)next : UINT32_MAX;
	return event_store_format(s->events, s->boot_id, s->events_reserved, append_text, text);
}

/* Formats the file and hands it to the saver. */
static void hand_over(struct state *s, struct file *file)
{
	CLEANUP_BUF struct buf text = BUF_INIT(STORE_FILE_MAX);
	struct changes changes = changes_of(s, file);
	int rc = format(s, file, &text);

	s->serial++;
	if (rc == 0)
		rc = send_text(s, file, &text);
	if (rc < 0) {
		if (!file->failing)
			log_error("%s: cannot hand the %s over to be saved (%s); trying again",
				file->directory, file->what, strerror(-rc));
		file->failing = true;
		file->due_ns = clock_now_ns() + RETRY_NS;
		return;
	}
	file->serial = s->serial;
	file->sent = changes;
	file->asked_ns = clock_now_ns();
	file->other_change = false;
	file->due_ns = 0;
}

static void take_reply(struct state *s, const struct saver_reply *reply)
{
	struct file *file;

	if (reply->file >= s->file_count)
		return;
	file = &s->files[reply->file];
	if (reply->serial != file->serial)
		return;
	file->serial = 0;
	if (file->waiting || (file->failing && !reply->error))
		log_notice("%s: the %s are saved again", file->directory, file->what);
	file->waiting = false;
	if (reply->error) {
		if (!file->failing)
			log_error("%s: cannot save the %s (%s); trying again", file->directory,
				file->what, strerror(-reply->error));
		file->due_ns = clock_now_ns() + RETRY_NS;
	} else {
		file->saved = file->sent;
		s->run_saved |= file->which == STORE_RUN;
	}
	file->failing = reply->error != 0;
}

static void receive_replies(struct state *s)
{
	while (s->saver >= 0) {
		struct saver_reply reply;
		int fd = -1;
		ssize_t n = fdpass_receive(s->saver, &reply, sizeof(reply), &fd);

		if (n == -EAGAIN)
			return;
		if (fd >= 0)
			close(fd);
		if (n == (ssize_t)sizeof(reply))
			take_reply(s, &reply);
		else
			detach_saver(s);
	}
}

/* How long what has changed may wait to be saved; 0: nothing has. */
static uint64_t delay_of(const struct state *s, const struct file *file)
{
	struct changes changes = changes_of(s, file);

	if (file->which == STORE_EVENTS &&
		event_log_next(s->events) + EVENT_RESERVE / 2 > s->events_reserved && !s->closing)
		return AT_ONCE_NS;
	if (file->which == STORE_ENGINE && changes.numbers != file->saved.numbers)
		return AT_ONCE_NS;
	/* In the file that is there, nothing may be in reserve. */
	if (file->which == STORE_RUN && !s->run_saved && !s->closing)
		return AT_ONCE_NS;
	if (file->other_change || changes.numbers != file->saved.numbers)
		return SAVE_DELAY_NS;
	return changes.kept != file->saved.kept ? KEPT_DELAY_NS : 0;
}

static bool has_changed(const struct state *s, const struct file *file)
{
	return delay_of(s, file) != 0;
}

static void look_after(struct state *s, struct file *file)
{
	uint64_t now = clock_now_ns(), delay_ns;

	if (file->serial) {
		if (!file->waiting && file->asked_ns + SLOW_NS <= now) {
			log_error("%s: the disk has not taken the %s for %u s; serving goes on",
				file->directory, file->what, (unsigned int)(SLOW_NS / NS_PER_S));
			file->waiting = true;
		}
		return;
	}
	delay_ns = delay_of(s, file);
	if (delay_ns && (!file->due_ns || (file->due_ns > now + delay_ns && !file->failing)))
		file->due_ns = now + delay_ns;
	if (file->due_ns && file->due_ns <= now && s->saver >= 0)
		hand_over(s, file);
}

size_t state_prepare(struct state *s, struct pollfd *fds, size_t capacity, int *timeout_ms)
{
	for (size_t i = 0; i < s->file_count; i++) {
		uint64_t due = s->files[i].due_ns;
		int ms = due && s->saver >= 0 ? clock_ms_until(due, 60 * 1000) : *timeout_ms;

		if (ms < *timeout_ms)
			*timeout_ms = ms;
	}
	if (s->saver < 0 || !capacity)
		return 0;
	fds[0] = (struct pollfd){ .fd = s->saver, .events = POLLIN };
	return 1;
}

void state_dispatch(struct state *s, const struct pollfd *fds, size_t count)
{
	if (count && fds[0].revents)
		receive_replies(s);
	for (size_t i = 0; i < s->file_count; i++)
		look_after(s, &s->files[i]);
}

static bool is_unsaved(const struct state *s)
{
	for (size_t i = 0; i < s->file_count; i++) {
		if (s->files[i].serial || s->files[i].due_ns || has_changed(s, &s->files[i]))
			return true;
	}
	return false;
}

void state_close(struct state *s, uint64_t wait_ns)
{
	uint64_t deadline_ns = clock_now_ns() + wait_ns;

	if (!s)
		return;
	/* The numbers that are in reserve are given back. */
	s->files[STORE_EVENTS].other_change = true;
	s->files[STORE_RUN].other_change = true;
	s->closing = true;
	while (s->saver >= 0 && is_unsaved(s) && clock_now_ns() < deadline_ns) {
		struct pollfd fd = { .fd = s->saver, .events = POLLIN };

		for (size_t i = 0; i < s->file_count; i++) {
			struct file *file = &s->files[i];

			if (!file->serial && !file->failing && has_changed(s, file))
				hand_over(s, file);
			else if (!file->serial)
				file->due_ns = 0;
		}
		if (poll(&fd, 1, clock_ms_until(deadline_ns, 1000)) <= 0)
			break;
		receive_replies(s);
	}
	detach_saver(s);
	free(s);
}
