/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an event does to a session and to the counters (open_iscsi_events.h has the rules in words).
 * Called by open_iscsi_listener.c in the reader process of the source. Must count nothing that has
 * not certainly happened, and nothing twice.
 */
#include "source/open_iscsi_events.h"

#include "base/clock.h"
#include "source/open_iscsi_records.h"

/*
 * Errors that come closer than this belong to one loss: the kernel reports a closed connection when
 * it reads as well as when it writes, milliseconds apart; iscsid takes seconds to try again.
 */
#define SAME_LOSS_NS (NS_PER_S / 2)

/*
 * iscsid gives up an attempt within milliseconds of an answer that it does not like. When it takes
 * longer, it is because no other answer came (its login timeout is 15 s).
 */
#define GIVEN_UP_AT_ONCE_NS (2 * NS_PER_S)

/*
 * An answer that does not carry on the numbers of the one before it (RFC 7143 11.13.4) is of
 * another connection. Both signs are asked for: some target may not count as it should.
 */
#define OTHER_ATTEMPT_NS NS_PER_S

#define DEFAULT_PORT 3260 /* RFC 7143 13.8 */

/* ---- failed logins ---- */

/* The column that counts an answer of a class other than success, by RFC 7143 11.13.5. */
static enum oiscsi_login_count column_of_status(uint8_t status_class, uint8_t detail)
{
	if (status_class == OISCSI_REDIRECTION)
		return OISCSI_COUNT_REDIRECTS;
	if (status_class == OISCSI_INITIATOR_ERROR && detail == 1)
		return OISCSI_COUNT_AUTH_FAILS;
	if (status_class == OISCSI_INITIATOR_ERROR && detail == 2)
		return OISCSI_COUNT_AUTHORIZE;
	return OISCSI_COUNT_OTHER;
}

/* The target is not (or no longer) there: 02/03, 02/04. */
static bool says_unmapped(uint8_t status_class, uint8_t detail)
{
	return status_class == OISCSI_INITIATOR_ERROR && (detail == 3 || detail == 4);
}

static struct oiscsi_node_events *node_of(struct oiscsi_events *e, const struct oiscsi_watch *watch)
{
	return oiscsi_node_events_get(
		e, oiscsi_initiator_name(e->records, watch->initiator_name, watch->iface_name));
}

/* An adapter that logs in by itself does not look into the records: its name is not theirs. */
static bool is_nobodys(const struct oiscsi_watch *watch)
{
	return watch->by_adapter && !watch->initiator_name;
}

static int replace(char **text, const char *by)
{
	char *copy = by ? strdup(by) : NULL;

	if (by && !copy)
		return -ENOMEM;
	free(*text);
	*text = copy;
	return 0;
}

static void attempt_over(struct oiscsi_watch *watch, uint64_t now_ns)
{
	watch->attempt = false;
	watch->answers = 0;
	watch->over_ns = now_ns;
	watch->redirected = false;
}

/* `column`: what counts it beside FAILURES, or FAILURES for nothing else. */
static int login_failed(struct oiscsi_events *e, struct oiscsi_watch *watch,
	enum oiscsi_login_count column, uint64_t now_ns)
{
	struct oiscsi_node_events *node;

	if (is_nobodys(watch)) {
		attempt_over(watch, now_ns);
		return 1;
	}
	node = node_of(e, watch);
	if (!node || replace(&node->failure_target, watch->target_name) < 0)
		return -ENOMEM;
	node->login[OISCSI_COUNT_FAILURES]++;
	if (column != OISCSI_COUNT_FAILURES)
		node->login[column]++;
	node->failure_ns = now_ns;
	node->failure_type = column;
	node->failure_portal = watch->redirected ? watch->redirect : watch->portal;
	attempt_over(watch, now_ns);
	return 1;
}

/* ---- logins ---- */

static void lose(struct oiscsi_watch *watch)
{
	watch->phase = OISCSI_PHASE_LOST;
	watch->doubt = true;
	watch->login_serial++;
}

static void leave_full(struct oiscsi_watch *watch)
{
	if (watch->phase == OISCSI_PHASE_FULL)
		lose(watch);
}

static void enter_full(struct oiscsi_events *e, struct oiscsi_watch *watch, uint64_t now_ns)
{
	attempt_over(watch, now_ns);
	oiscsi_outage_ends(e, watch, now_ns);
	watch->phase = OISCSI_PHASE_FULL;
	watch->episode = watch->unmapped = watch->doubt = false;
}

static int login_stands(struct oiscsi_events *e, struct oiscsi_watch *watch, uint64_t now_ns)
{
	if (!is_nobodys(watch)) {
		struct oiscsi_node_events *node = node_of(e, watch);

		if (!node)
			return -ENOMEM;
		node->login[OISCSI_COUNT_ACCEPTS]++;
	}
	watch->logins++;
	watch->login_serial++;
	enter_full(e, watch, now_ns);
	return 1;
}

static void begin_attempt(struct oiscsi_watch *watch)
{
	watch->attempt = true;
	watch->answers = 0;
	oiscsi_login_keys_reset(&watch->keys);
}

static bool is_of_another_attempt(const struct oiscsi_watch *watch,
	const struct oiscsi_login_response *response, uint64_t now_ns)
{
	/* A refusal may have any number. */
	return watch->attempt && watch->answers > 0 && response->status_class == OISCSI_SUCCESS &&
	       response->stat_sn != watch->stat_sn + 1 &&
	       now_ns - watch->answered_ns >= OTHER_ATTEMPT_NS;
}

static void learn(struct oiscsi_watch *watch, const struct oiscsi_login_response *response)
{
	struct oiscsi_learned *learned = &watch->learned;

	*learned = (struct oiscsi_learned){ .known = true, .tsih = response->tsih };
	memcpy(learned->isid.octets, response->isid, sizeof(learned->isid.octets));
	learned->isid.known = 1;
	memcpy(learned->target_alias, watch->keys.target_alias, sizeof(learned->target_alias));
	learned->alias_known = watch->keys.portal_group_told || learned->target_alias[0];
	learned->time2wait = watch->keys.time2wait;
	learned->time2retain = watch->keys.time2retain;
	learned->max_connections = watch->keys.max_connections;
}

/* No zone of this machine is what a target means. */
static int no_zone(void *context, const char *name, uint32_t *ret)
{
	(void)context, (void)name, (void)ret;
	return -ENODEV;
}

/*
 * The next attempt goes where a redirection says; unknown when that is a host's name. The ones
 * after it go to the portal again, also after "moved permanently": iscsid means to remember that
 * address (usr/initiator.c, failback_saddr), but each redirection leaves iscsi_recv_login_rsp
 * before.
 */
static void follow(struct oiscsi_watch *watch)
{
	struct oiscsi_end end = { .address = { .type = 0 } };
	const char *text = watch->keys.target_address;
	uint16_t port;

	if (text_to_endpoint_in(text, no_zone, NULL, &end.address, &port) == 0)
		OPT_SET(end.port, port);
	else if (text_to_address_in(text, no_zone, NULL, &end.address) == 0)
		OPT_SET(end.port, DEFAULT_PORT);
	watch->redirected = true;
	watch->redirect = end;
}

static int refused(struct oiscsi_events *e, struct oiscsi_watch *watch,
	const struct oiscsi_login_response *response, uint64_t now_ns)
{
	enum oiscsi_login_count column =
		column_of_status(response->status_class, response->status_detail);
	int rc = login_failed(e, watch, column, now_ns);

	if (rc < 0)
		return rc;
	if (column == OISCSI_COUNT_REDIRECTS)
		follow(watch);
	if (watch->episode && !watch->unmapped &&
		says_unmapped(response->status_class, response->status_detail)) {
		watch->unmapped = true;
		e->unmapped++;
		if (e->failure_sid == watch->sid)
			e->failure_type = OISCSI_FAILURE_UNMAPPED;
	}
	return rc;
}

static int take_login_response(struct oiscsi_events *e, struct oiscsi_watch *watch,
	const struct oiscsi_event *event, uint64_t now_ns)
{
	struct oiscsi_login_response response;
	int rc = 0;

	if (oiscsi_login_response_parse(event->data, event->length, &response) < 0)
		return 0; /* iscsid cannot make anything of it either */
	if (is_of_another_attempt(watch, &response, now_ns)) {
		rc = login_failed(e, watch, OISCSI_COUNT_FAILURES, now_ns);
		if (rc < 0)
			return rc;
	}
	leave_full(watch);
	if (!watch->attempt)
		begin_attempt(watch);
	watch->answers++;
	watch->stage = response.current_stage;
	watch->stat_sn = response.stat_sn;
	watch->answered_ns = now_ns;
	OPT_SET(watch->login_class, response.status_class);
	OPT_SET(watch->login_detail, response.status_detail);
	oiscsi_login_keys_add(&watch->keys, response.text, response.text_length, response.more);
	if (response.status_class != OISCSI_SUCCESS)
		return refused(e, watch, &response, now_ns);
	if (!oiscsi_login_is_final(&response))
		return rc;
	learn(watch, &response);
	return login_stands(e, watch, now_ns);
}

static int take_logout_response(
	struct oiscsi_events *e, struct oiscsi_watch *watch, uint64_t now_ns)
{
	struct oiscsi_node_events *node = node_of(e, watch);

	if (!node)
		return -ENOMEM;
	node->logouts++;
	attempt_over(watch, now_ns);
	/* For iscsiadm the devices are removed first. Else the target has asked for it (an
	 * asynchronous message), and iscsid keeps the session. */
	if (watch->phase != OISCSI_PHASE_ENDING)
		lose(watch);
	return 1;
}

static int take_pdu(struct oiscsi_events *e, struct oiscsi_watch *watch,
	const struct oiscsi_event *event, uint64_t now_ns)
{
	switch (oiscsi_pdu_opcode(event->data, event->length)) {
	case OISCSI_LOGIN_RESPONSE:
		return take_login_response(e, watch, event, now_ns);
	case OISCSI_LOGOUT_RESPONSE:
		return take_logout_response(e, watch, now_ns);
	default:
		return 0;
	}
}

/* An adapter that logs in by itself tells no more than this. */
static int take_login_state(
	struct oiscsi_events *e, struct oiscsi_watch *watch, uint32_t state, uint64_t now_ns)
{
	watch->by_adapter = true;
	if (state == OISCSI_LOGIN_BEGUN && !watch->attempt) {
		leave_full(watch);
		begin_attempt(watch);
	} else if (state == OISCSI_LOGIN_DONE) {
		return login_stands(e, watch, now_ns);
	} else if (state == OISCSI_LOGIN_FREE && watch->attempt) {
		return login_failed(e, watch, OISCSI_COUNT_FAILURES, now_ns);
	}
	return 0;
}

/* ---- failed sessions ---- */

/* enum iscsi_err of the kernel (scsi/iscsi_if.h) that is more than a lost connection. */
static const struct {
	uint32_t first, last;
	enum oiscsi_failure_type type;
} error_types[] = {
	/* DATASN, DATA_OFFSET, MAX_CMDSN, EXP_CMDSN, BAD_OPCODE, DATALEN, AHSLEN, PROTO, LUN,
	 * BAD_ITT; R2TSN; NO_SCSI_CMD */
	{ 1001, 1010, OISCSI_FAILURE_FORMAT },
	{ 1012, 1012, OISCSI_FAILURE_FORMAT },
	{ 1017, 1017, OISCSI_FAILURE_FORMAT },
	/* HDR_DGST, DATA_DGST */
	{ 1014, 1015, OISCSI_FAILURE_DIGEST },
	/* SCSI_EH_SESSION_RST: commands timed out, and nothing less helped. NOP_TIMEDOUT */
	{ 1021, 1022, OISCSI_FAILURE_TIMEOUT },
};

static enum oiscsi_failure_type type_of_error(uint32_t error)
{
	for (size_t i = 0; i < ARRAY_SIZE(error_types); i++) {
		if (error >= error_types[i].first && error <= error_types[i].last)
			return error_types[i].type;
	}
	return OISCSI_FAILURE_OTHER;
}

static int session_failed(
	struct oiscsi_events *e, struct oiscsi_watch *watch, uint32_t error, uint64_t now_ns)
{
	enum oiscsi_failure_type type = type_of_error(error);

	if (replace(&e->failure_target, watch->target_name) < 0 ||
		oiscsi_outage_begins(e, watch, now_ns) < 0)
		return -ENOMEM;
	e->failures++;
	e->failure_ns = now_ns;
	e->failure_sid = watch->sid;
	e->failure_type = type;
	watch->failures++;
	if (type == OISCSI_FAILURE_DIGEST) {
		e->digest_errors++;
		watch->digest_errors++;
	} else if (type == OISCSI_FAILURE_TIMEOUT) {
		e->timeouts++;
		watch->timeouts++;
	} else if (type == OISCSI_FAILURE_FORMAT) {
		e->format_errors++;
	}
	leave_full(watch);
	attempt_over(watch, now_ns);
	watch->episode = true;
	return 1;
}

static int take_error(
	struct oiscsi_events *e, struct oiscsi_watch *watch, uint32_t error, uint64_t now_ns)
{
	OPT_SET(watch->last_error, error);
	watch->last_error_ns = now_ns;
	switch (watch->phase) {
	case OISCSI_PHASE_FULL:
		return session_failed(e, watch, error, now_ns);
	case OISCSI_PHASE_NEW:
	case OISCSI_PHASE_LOST:
		if (watch->attempt || now_ns - watch->over_ns >= SAME_LOSS_NS)
			return login_failed(e, watch, OISCSI_COUNT_FAILURES, now_ns);
		return 1;
	default:
		return watch->attempt ? login_failed(e, watch, OISCSI_COUNT_FAILURES, now_ns) : 1;
	}
}

/* ---- beginning and end ---- */

/* iscsid drops a session that never logged in. */
static int given_up(struct oiscsi_events *e, struct oiscsi_watch *watch, uint64_t now_ns)
{
	enum oiscsi_login_count column = OISCSI_COUNT_FAILURES;

	if (watch->answers > 0 && now_ns - watch->answered_ns < GIVEN_UP_AT_ONCE_NS) {
		if (watch->stage == OISCSI_SECURITY)
			column = OISCSI_COUNT_AUTHENTICATE;
		else if (watch->stage == OISCSI_OPERATIONAL)
			column = OISCSI_COUNT_NEGOTIATE;
	}
	return login_failed(e, watch, column, now_ns);
}

static int take_end(struct oiscsi_events *e, struct oiscsi_watch *watch, uint64_t now_ns)
{
	if (watch->phase == OISCSI_PHASE_NEW && watch->attempt) {
		int rc = given_up(e, watch, now_ns);

		if (rc < 0)
			return rc;
	}
	leave_full(watch);
	attempt_over(watch, now_ns);
	watch->phase = OISCSI_PHASE_ENDING;
	watch->ending_ns = now_ns;
	return 1;
}

static struct oiscsi_watch *begin_watch(struct oiscsi_events *e, uint32_t sid)
{
	struct oiscsi_watch *watch;

	oiscsi_watch_remove(e, sid); /* one of before a module was loaded anew */
	watch = oiscsi_watch_get(e, sid);
	if (!watch)
		return NULL;
	watch->phase = OISCSI_PHASE_NEW;
	OPT_SET(watch->last_error, 0);
	begin_attempt(watch);
	return watch;
}

static int take_of_session(struct oiscsi_events *e, struct oiscsi_watch *watch,
	const struct oiscsi_event *event, uint64_t now_ns)
{
	switch (event->type) {
	case OISCSI_EVENT_PDU:
		return take_pdu(e, watch, event, now_ns);
	case OISCSI_EVENT_CONNECTION_ERROR:
		return take_error(e, watch, event->code, now_ns);
	case OISCSI_EVENT_LOGIN_STATE:
		return take_login_state(e, watch, event->code, now_ns);
	case OISCSI_EVENT_UNBOUND:
	case OISCSI_EVENT_DESTROYED:
		return oiscsi_refusal_remember(e, watch) < 0 ? -ENOMEM : take_end(e, watch, now_ns);
	default: /* CREATED */
		return 1;
	}
}

static bool is_of_session(uint32_t type)
{
	return type == OISCSI_EVENT_PDU || type == OISCSI_EVENT_CONNECTION_ERROR ||
	       type == OISCSI_EVENT_LOGIN_STATE || type == OISCSI_EVENT_UNBOUND ||
	       type == OISCSI_EVENT_DESTROYED || type == OISCSI_EVENT_CREATED;
}

int oiscsi_events_take(struct oiscsi_events *e, const struct oiscsi_event *event, uint64_t now_ns)
{
	struct oiscsi_watch *watch;
	int rc;

	if (!is_of_session(event->type))
		return 0;
	watch = event->type == OISCSI_EVENT_CREATED ? begin_watch(e, event->sid)
						    : oiscsi_watch_get(e, event->sid);
	if (!watch)
		return -ENOMEM;
	watch->heard_ns = now_ns;
	rc = take_of_session(e, watch, event, now_ns);
	if (event->type == OISCSI_EVENT_DESTROYED)
		oiscsi_watch_remove(e, event->sid);
	return rc;
}

int oiscsi_events_seen(
	struct oiscsi_events *e, uint32_t sid, enum oiscsi_state state, uint64_t now_ns)
{
	struct oiscsi_watch *watch = oiscsi_watch_get(e, sid);

	if (!watch)
		return -ENOMEM;
	if (state == OISCSI_LOGGED_IN) {
		/* Not after an event that ended the login: sysfs follows when iscsid has stopped
		 * the connection. */
		if (watch->phase == OISCSI_PHASE_UNKNOWN || watch->phase == OISCSI_PHASE_NEW ||
			(watch->phase == OISCSI_PHASE_LOST && !watch->doubt)) {
			watch->learned.known = false; /* it was another login */
			enter_full(e, watch, now_ns);
		}
	} else if (state == OISCSI_FAILED || state == OISCSI_FREE) {
		watch->doubt = false;
		if (watch->phase == OISCSI_PHASE_UNKNOWN) {
			watch->phase = OISCSI_PHASE_LOST;
			watch->over_ns = now_ns;
		}
	}
	return 0;
}
