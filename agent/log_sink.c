/* SPDX-License-Identifier: BSD-2-Clause */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include "agent/log_sink.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"

#include <poll.h>
#include <sys/stat.h>

#define HANDLERS_MAX 16
#define RECENT	     8
#define REPEAT_NS    (3600 * NS_PER_S)

/* A place where messages go, of those that -L asked for, with the function that writes there. */
struct outlet {
	const netsnmp_log_handler *handler;
	NetsnmpLogHandler *write;
	/* The library's last messages, so that each outlet decides alike. */
	struct {
		uint64_t hash, shown_ns;
	} recent[RECENT];
	unsigned int next;
	unsigned int dropped; /* messages, since one was written */
};

static struct outlet outlets[HANDLERS_MAX];
static bool ours; /* the message on its way is one of base/log.h */

/* ---- the library's messages ---- */

static bool is_repeated(struct outlet *o, const char *text)
{
	uint64_t hash = hash_bytes(HASH_INIT, text, strlen(text)), now = clock_now_ns();

	for (unsigned int i = 0; i < RECENT; i++) {
		if (o->recent[i].shown_ns && o->recent[i].hash == hash &&
			now - o->recent[i].shown_ns < REPEAT_NS)
			return true;
	}
	o->recent[o->next].hash = hash;
	o->recent[o->next].shown_ns = now;
	o->next = (o->next + 1) % RECENT;
	return false;
}

/* Debug output comes in pieces of lines: it passes as it is, when it was asked for. */
static bool is_shown(struct outlet *o, int priority, const char *text)
{
	if (ours || snmp_get_do_debugging())
		return true;
	return priority <= LOG_ERR && !is_repeated(o, text);
}

static int descriptor_of(const netsnmp_log_handler *handler)
{
	switch (handler->type) {
	case NETSNMP_LOGHANDLER_STDOUT:
		return STDOUT_FILENO;
	case NETSNMP_LOGHANDLER_STDERR:
		return STDERR_FILENO;
	case NETSNMP_LOGHANDLER_FILE:
		return handler->magic ? fileno(handler->magic) : -1;
	default:
		return -1;
	}
}

/* Whoever reads the log through a pipe may have stopped: no process may wait for him. */
static bool would_wait(const netsnmp_log_handler *handler)
{
	struct pollfd fd = { .fd = descriptor_of(handler), .events = POLLOUT };

	return fd.fd >= 0 && poll(&fd, 1, 0) == 0;
}

static int write_or_drop(
	struct outlet *o, netsnmp_log_handler *handler, int priority, const char *text)
{
	char note[64];

	if (o->dropped && !would_wait(handler)) {
		snprintf(note, sizeof(note), "%u messages were dropped: nobody read them\n",
			o->dropped);
		o->dropped = 0;
		o->write(handler, LOG_WARNING, note);
	}
	if (!would_wait(handler))
		return o->write(handler, priority, text);
	o->dropped++;
	return 1;
}

static int write_filtered(netsnmp_log_handler *handler, int priority, const char *text)
{
	for (size_t i = 0; i < HANDLERS_MAX && outlets[i].handler; i++) {
		if (outlets[i].handler != handler)
			continue;
		if (is_shown(&outlets[i], priority, text))
			return write_or_drop(&outlets[i], handler, priority, text);
		return 1;
	}
	return 0;
}

/* ---- our messages ---- */

static void send_message(int priority, const char *message)
{
	ours = true;
	snmp_log(priority, "%s\n", message);
	ours = false;
}

/* ---- the journal ---- */

/* JOURNAL_STREAM is DEVICE:INODE of the stream; a standard error sent elsewhere is another file. */
static bool stderr_is_journal(void)
{
	const char *value = getenv("JOURNAL_STREAM");
	const char *colon = value ? strchr(value, ':') : NULL;
	char device_text[24];
	uint64_t device, inode;
	struct stat st;

	if (!colon || (size_t)(colon - value) >= sizeof(device_text))
		return false;
	memcpy(device_text, value, (size_t)(colon - value));
	device_text[colon - value] = '\0';
	if (text_to_u64(device_text, UINT64_MAX, &device) < 0 ||
		text_to_u64(colon + 1, UINT64_MAX, &inode) < 0)
		return false;
	return fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

static int write_journal(netsnmp_log_handler *handler, int priority, const char *text)
{
	(void)handler;
	fprintf(stderr, "<%d>%s", priority, text);
	return 1;
}

/* ---- set-up ---- */

int log_sink_options(char *argument, int argc, char **argv)
{
	return snmp_log_options(argument, argc, argv) < 0 ? -EINVAL : 0;
}

void log_sink_install(void)
{
	size_t count = 0;
	bool journal = false;

	if (!get_logh_head()) {
		snmp_enable_stderrlog();
		setvbuf(stderr, NULL, _IOLBF, BUFSIZ);
		journal = stderr_is_journal();
	}
	for (netsnmp_log_handler *h = get_logh_head(); h && count < HANDLERS_MAX; h = h->next) {
		if (h->handler == write_filtered)
			continue;
		outlets[count].handler = h;
		outlets[count].write = journal ? write_journal : h->handler;
		h->handler = write_filtered;
		count++;
	}
	log_set_sink(send_message);
}
