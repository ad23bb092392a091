/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/state.h"

#include "agent/saver.h"
#include "base/boot.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fdpass.h"
#include "base/log.h"
#include "base/memfd.h"

#include <fcntl.h>
#include <sys/socket.h>

#define SAVE_DELAY_NS (2 * NS_PER_S)
/*
 * When only what is kept of the rows has changed. Events may come all day, and the file is written
 * as a whole: 50 ms for 10,000 sessions. An agent process that is killed forgets as much.
 */
#define KEPT_DELAY_NS (10 * NS_PER_S)
#define RETRY_NS      (60 * NS_PER_S)
/* A saver that has not answered for so long is worth a message. */
#define SLOW_NS (10 * NS_PER_S)

/* How far the registry had changed. */
struct changes {
	uint64_t numbers; /* registry_changes */
	uint64_t kept;	  /* registry_kept_changes; 0 of the persistent file */
};

struct file {
	bool persistent;
	const char *directory;
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
	char boot_id[BOOT_ID_LENGTH + 1];
	struct store_run run;
	bool known_before;
	struct file files[2];
	int saver; /* -1 none */
	uint64_t serial;
};

static struct changes changes_of(const struct state *s, const struct file *file)
{
	return (struct changes){
		.numbers = registry_changes(s->registry, file->persistent),
		.kept = file->persistent ? 0 : registry_kept_changes(s->registry),
	};
}

static void load(struct state *s, struct file *file)
{
	bool loaded = false;
	int rc = store_load(
		s->registry, file->directory, file->persistent, s->boot_id, &s->run, &loaded);

	/* A damaged file has been logged and set aside there. */
	if (rc < 0 && rc != -EBADMSG)
		log_warning("%s: the saved index numbers cannot be used (%s): rows may get new "
			    "ones",
			file->directory, strerror(-rc));
	if (!file->persistent)
		s->known_before = loaded;
}

struct state *state_open(const struct config *config, struct registry *registry)
{
	struct state *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->config = *config;
	s->registry = registry;
	s->saver = -1;
	boot_id_read(s->boot_id);
	s->files[0] = (struct file){ .persistent = true, .directory = s->config.state_dir };
	s->files[1] = (struct file){ .persistent = false, .directory = s->config.run_dir };
	for (size_t i = 0; i < ARRAY_SIZE(s->files); i++)
		load(s, &s->files[i]);
	/* What one file told the other need not be told: it is saved with the next change. */
	for (size_t i = 0; i < ARRAY_SIZE(s->files); i++)
		s->files[i].saved = changes_of(s, &s->files[i]);
	return s;
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
	s->files[1].other_change = true;
}

static void detach_saver(struct state *s)
{
	if (s->saver >= 0)
		close(s->saver);
	s->saver = -1;
	/* What it was writing may be there or not: it is to be written again. */
	for (size_t i = 0; i < ARRAY_SIZE(s->files); i++) {
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
}

static int send_text(struct state *s, const struct file *file, const struct buf *text)
{
	struct saver_request request = {
		.serial = s->serial,
		.length = text->length,
		.persistent = file->persistent,
	};
	CLEANUP_FD int fd = memfd_seal("index", text->data, text->length);

	if (fd < 0)
		return fd;
	return fdpass_send(s->saver, &request, sizeof(request), fd, MSG_DONTWAIT);
}

static int append_text(void *context, const char *data, size_t length)
{
	return buf_append(context, data, length);
}

/* Formats the file and hands it to the saver. */
static void hand_over(struct state *s, struct file *file)
{
	CLEANUP_BUF struct buf text = BUF_INIT(STORE_FILE_MAX);
	struct changes changes = changes_of(s, file);
	int rc = store_format(
		s->registry, file->persistent, s->boot_id, &s->run, append_text, &text);

	s->serial++;
	if (rc == 0)
		rc = send_text(s, file, &text);
	if (rc < 0) {
		if (!file->failing)
			log_error("%s: cannot hand the index numbers over to be saved (%s); trying "
				  "again",
				file->directory, strerror(-rc));
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
	struct file *file = &s->files[reply->persistent ? 0 : 1];

	if (reply->serial != file->serial)
		return;
	file->serial = 0;
	if (file->waiting || (file->failing && !reply->error))
		log_notice("%s: the index numbers are saved again", file->directory);
	file->waiting = false;
	if (reply->error) {
		if (!file->failing)
			log_error("%s: cannot save the index numbers (%s); trying again",
				file->directory, strerror(-reply->error));
		file->due_ns = clock_now_ns() + RETRY_NS;
	} else {
		file->saved = file->sent;
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
			log_error(
				"%s: the disk has not taken the index numbers for %u s; serving goes "
				"on",
				file->directory, (unsigned int)(SLOW_NS / NS_PER_S));
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
	for (size_t i = 0; i < ARRAY_SIZE(s->files); i++) {
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
	for (size_t i = 0; i < ARRAY_SIZE(s->files); i++)
		look_after(s, &s->files[i]);
}

static bool is_unsaved(const struct state *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(s->files); i++) {
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
	while (s->saver >= 0 && is_unsaved(s) && clock_now_ns() < deadline_ns) {
		struct pollfd fd = { .fd = s->saver, .events = POLLIN };

		for (size_t i = 0; i < ARRAY_SIZE(s->files); i++) {
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
