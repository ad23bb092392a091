/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/agentx_report.h"

#include "agent/agentx_wire.h"
#include "base/clock.h"
#include "base/log.h"

/* An outage of a master that was there is explained only when it lasts: a restart takes less. */
#define EXPLAIN_AFTER_NS (10 * NS_PER_S)

static struct {
	enum { SAID_NOTHING, SAID_CONNECTED, SAID_REFUSED, SAID_LOST, SAID_CANNOT } said;
	uint64_t lost_ns;
} report;

const char *agentx_error_text(uint16_t error)
{
	switch (error) {
	case 256:
		return "openFailed (256)";
	case AGENTX_ERROR_NOT_OPEN:
		return "notOpen (257)";
	case AGENTX_ERROR_UNSUPPORTED_CONTEXT:
		return "unsupportedContext (262)";
	case AGENTX_ERROR_DUPLICATE_REGISTRATION:
		return "duplicateRegistration (263): another agent serves it";
	case AGENTX_ERROR_PARSE:
		return "parseError (266)";
	case AGENTX_ERROR_REQUEST_DENIED:
		return "requestDenied (267)";
	case AGENTX_ERROR_PROCESSING:
		return "processingError (268)";
	default:
		return "an error of RFC 2741 section 6.2.16";
	}
}

/* The remedy for the usual mistakes. */
static const char *advice(int connect_error)
{
	switch (connect_error) {
	case -ENOENT:
	case -ECONNREFUSED:
		return "; is snmpd running, with `master agentx` in snmpd.conf?";
	case -EACCES:
	case -EPERM:
		return "; see agentXPerms in snmpd.conf(5)";
	case -EAGAIN:
		return "; it does not accept connections";
	default:
		return "";
	}
}

static void say_cannot(const struct agentx_facts *f)
{
	const char *address = f->settings->address;
	unsigned int interval = f->settings->ping_interval_s;

	if (f->connect_error)
		log_warning("cannot connect to the master agent at %s: %s%s; trying every %u s",
			address, strerror(-f->connect_error), advice(f->connect_error), interval);
	else if (f->open_error)
		log_warning("the master agent at %s refuses a session: %s; trying every %u s",
			address, agentx_error_text(f->open_error), interval);
	else
		log_warning("cannot open a session with the master agent at %s: it %s; "
			    "trying every %u s",
			address, stream_end_text(f->ended ? f->ended : STREAM_NOT_ANSWERING),
			interval);
	report.said = SAID_CANNOT;
}

static void report_disconnected(const struct agentx_facts *f)
{
	uint64_t now = clock_now_ns();

	switch (report.said) {
	case SAID_CONNECTED:
	case SAID_REFUSED:
		log_warning("lost the master agent at %s: it %s; trying again every %u s",
			f->settings->address, stream_end_text(f->ended),
			f->settings->ping_interval_s);
		report.said = SAID_LOST;
		report.lost_ns = now;
		break;
	case SAID_LOST:
		if (now - report.lost_ns >= EXPLAIN_AFTER_NS)
			say_cannot(f);
		break;
	case SAID_NOTHING:
		say_cannot(f);
		break;
	case SAID_CANNOT:
		break;
	}
}

void agentx_report(const struct agentx_facts *f)
{
	switch (f->state) {
	case AGENTX_CONNECTED:
		if (report.said != SAID_CONNECTED)
			log_notice("connected to the master agent at %s", f->settings->address);
		report.said = SAID_CONNECTED;
		break;
	case AGENTX_REFUSED:
		if (report.said != SAID_REFUSED)
			log_error("the master agent at %s refuses to register %s: %s; "
				  "its objects are not served, trying again every %u s",
				f->settings->address, f->refused_name,
				agentx_error_text(f->refused_error), f->settings->ping_interval_s);
		report.said = SAID_REFUSED;
		break;
	case AGENTX_DISCONNECTED:
		report_disconnected(f);
		break;
	}
}
