/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugin/client.h"

#define BULK_ROWS 25 /* of a GETBULK: an answer that is not fragmented on the way */
#define RETRIES	  2

struct client {
	void *session; /* of the library's single API */
	long version;
	const char *auth_protocol;
	bool encrypts;
	bool answered; /* a request was: the keys are right */
	char reason[256];
};

/* The library says it on standard error, where no monitor looks. */
static bool is_passphrase(const char *text)
{
	return text && strlen(text) >= USM_LENGTH_P_MIN;
}

static const char *set_keys(netsnmp_session *s, const struct options *o)
{
	if (s->securityLevel >= SNMP_SEC_LEVEL_AUTHNOPRIV) {
		int type = usm_lookup_auth_type(o->auth_protocol);
		const oid *name;

		if (type < 0)
			return "-a: no such protocol";
		if (!is_passphrase(o->auth_passphrase))
			return "-A: a passphrase of at least 8 characters is needed";
		name = sc_get_auth_oid(type, &s->securityAuthProtoLen);
		s->securityAuthProto = snmp_duplicate_objid(name, s->securityAuthProtoLen);
		s->securityAuthKeyLen = USM_AUTH_KU_LEN;
		if (generate_Ku(s->securityAuthProto, (u_int)s->securityAuthProtoLen,
			    (const u_char *)o->auth_passphrase, strlen(o->auth_passphrase),
			    s->securityAuthKey, &s->securityAuthKeyLen) != SNMPERR_SUCCESS)
			return "-A: no key could be made of it";
	}
	if (s->securityLevel >= SNMP_SEC_LEVEL_AUTHPRIV) {
		int type = usm_lookup_priv_type(o->privacy_protocol);
		const oid *name;

		if (type < 0)
			return "-x: no such protocol";
		if (!is_passphrase(o->privacy_passphrase))
			return "-X: a passphrase of at least 8 characters is needed";
		name = sc_get_priv_oid(type, &s->securityPrivProtoLen);
		s->securityPrivProto = snmp_duplicate_objid(name, s->securityPrivProtoLen);
		s->securityPrivKeyLen = USM_PRIV_KU_LEN;
		if (generate_Ku(s->securityAuthProto, (u_int)s->securityAuthProtoLen,
			    (const u_char *)o->privacy_passphrase, strlen(o->privacy_passphrase),
			    s->securityPrivKey, &s->securityPrivKeyLen) != SNMPERR_SUCCESS)
			return "-X: no key could be made of it";
	}
	return NULL;
}

static const char *set_user(netsnmp_session *s, const struct options *o)
{
	s->securityName = strdup(o->user);
	s->securityNameLen = strlen(o->user);
	s->securityModel = USM_SEC_MODEL_NUMBER;
	if (strcasecmp(o->level, "noAuthNoPriv") == 0)
		s->securityLevel = SNMP_SEC_LEVEL_NOAUTH;
	else if (strcasecmp(o->level, "authNoPriv") == 0)
		s->securityLevel = SNMP_SEC_LEVEL_AUTHNOPRIV;
	else if (strcasecmp(o->level, "authPriv") == 0)
		s->securityLevel = SNMP_SEC_LEVEL_AUTHPRIV;
	else
		return "-L: no such level";
	return set_keys(s, o);
}

static void free_user(netsnmp_session *s)
{
	free(s->securityName);
	free(s->securityAuthProto);
	free(s->securityPrivProto);
}

/* The library is told to look for nothing: a check must say the same whoever runs it. */
static void start_library(void)
{
	setenv("MIBS", "", 1);
	setenv("MIBDIRS", "/nonexistent", 1);
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_READ_CONFIGS, 1);
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1);
	snmp_disable_log();
	init_snmp("check_iscsi_snmp");
}

int client_open(const struct options *options, struct client **ret, const char **ret_reason)
{
	bool ipv6 = strchr(options->host, ':') != NULL;
	static const long versions[] = { 0, SNMP_VERSION_1, SNMP_VERSION_2c, SNMP_VERSION_3 };
	struct client *c = calloc(1, sizeof(*c));
	netsnmp_session wanted;
	const char *wrong = NULL;
	char peer[300];

	if (!c) {
		*ret_reason = strerror(ENOMEM);
		return -ENOMEM;
	}
	start_library();
	snmp_sess_init(&wanted);
	snprintf(peer, sizeof(peer), ipv6 ? "udp6:[%s]:%u" : "udp:%s:%u", options->host,
		options->port);
	wanted.peername = peer;
	wanted.version = c->version = versions[options->version];
	wanted.retries = RETRIES;
	/* All tries together are over before the time of the check. */
	wanted.timeout = (long)options->timeout_s * 1000000 / (RETRIES + 2);
	if (options->version == 3) {
		wrong = set_user(&wanted, options);
		c->auth_protocol = options->auth_protocol;
		c->encrypts = wanted.securityLevel >= SNMP_SEC_LEVEL_AUTHPRIV;
	} else {
		wanted.community = (u_char *)(uintptr_t)options->community;
		wanted.community_len = strlen(options->community);
	}
	if (!wrong) {
		c->session = snmp_sess_open(&wanted);
		if (!c->session)
			wrong = snmp_api_errstring(wanted.s_snmp_errno);
	}
	free_user(&wanted);
	if (wrong) {
		free(c);
		*ret_reason = wrong;
		return -EINVAL;
	}
	*ret = c;
	return 0;
}

void client_close(struct client *client)
{
	if (!client)
		return;
	snmp_sess_close(client->session);
	free(client);
}

const char *client_reason(const struct client *client)
{
	return client->reason;
}

/*
 * The host has told its engine ID, as this is without keys. Then it says that a digest is wrong,
 * and nothing to what it cannot decrypt.
 */
static void explain(struct client *c, int status)
{
	int system_error, snmp_error;
	char *text = NULL;

	if (status == STAT_TIMEOUT) {
		snprintf(c->reason, sizeof(c->reason), "no answer%s",
			c->encrypts && !c->answered
				? ", but its SNMP engine is there: are -X and -x those of the user?"
				: "");
		return;
	}
	snmp_sess_error(c->session, &system_error, &snmp_error, &text);
	if (snmp_error == SNMPERR_AUTHENTICATION_FAILURE)
		snprintf(c->reason, sizeof(c->reason),
			"authentication has failed: a wrong passphrase (-A), or the user has "
			"another protocol (-a) than %s",
			c->auth_protocol);
	else
		snprintf(c->reason, sizeof(c->reason), "%s", text ? text : "request failed");
	free(text);
}

/* Sends `request`, which is gone afterwards. Returns 0 and the answer, -ETIMEDOUT or -EIO. */
static int exchange(struct client *c, netsnmp_pdu *request, netsnmp_pdu **ret)
{
	netsnmp_pdu *answer = NULL;
	int status = snmp_sess_synch_response(c->session, request, &answer);

	if (status == STAT_SUCCESS && answer) {
		c->answered = true;
		*ret = answer;
		return 0;
	}
	/* There is no answer to free: the library hands out none with another status. */
	explain(c, status);
	return status == STAT_TIMEOUT ? -ETIMEDOUT : -EIO;
}

static struct value value_of(const netsnmp_variable_list *v)
{
	struct value value = { .known = true };

	switch (v->type) {
	case ASN_OCTET_STR:
		value.length = v->val_len < CLIENT_TEXT ? v->val_len : CLIENT_TEXT - 1;
		if (value.length)
			memcpy(value.text, v->val.string, value.length);
		break;
	case ASN_COUNTER64:
		value.number = (uint64_t)v->val.counter64->high << 32 | v->val.counter64->low;
		break;
	case ASN_INTEGER:
	case ASN_GAUGE: /* and Unsigned32 */
	case ASN_COUNTER:
	case ASN_TIMETICKS:
		value.number = (uint32_t)*v->val.integer;
		break;
	default:
		value.known = false;
	}
	return value;
}

/* An error status of the answer; noSuchName is how v1 says that there is nothing. */
static int check_status(struct client *c, const netsnmp_pdu *answer)
{
	if (answer->errstat == SNMP_ERR_NOERROR || answer->errstat == SNMP_ERR_NOSUCHNAME)
		return 0;
	snprintf(c->reason, sizeof(c->reason), "the host answers: %s",
		snmp_errstring((int)answer->errstat));
	return -EIO;
}

struct walk {
	const oid *column;
	size_t length;
	oid at[MAX_OID_LEN];
	size_t at_length;
	client_cell_fn *cell;
	void *context;
};

/* Returns 1 when the column goes on behind this answer, 0 at its end, or a negative errno. */
static int take_rows(struct client *c, struct walk *w, const netsnmp_pdu *answer)
{
	const netsnmp_variable_list *v = answer->variables;

	if (answer->errstat == SNMP_ERR_NOSUCHNAME || !v)
		return 0;
	for (; v; v = v->next_variable) {
		struct value value = value_of(v);
		int rc;

		if (v->type == SNMP_ENDOFMIBVIEW || v->name_length <= w->length ||
			snmp_oid_compare(v->name, w->length, w->column, w->length) != 0)
			return 0;
		if (snmp_oid_compare(v->name, v->name_length, w->at, w->at_length) <= 0) {
			snprintf(c->reason, sizeof(c->reason), "names that do not increase");
			return -EIO;
		}
		rc = w->cell(w->context, v->name + w->length, v->name_length - w->length, &value);
		if (rc < 0)
			return rc;
		memcpy(w->at, v->name, v->name_length * sizeof(oid));
		w->at_length = v->name_length;
	}
	return 1;
}

int client_walk(struct client *client, const oid *column, size_t length, client_cell_fn *cell,
	void *context)
{
	struct walk w = { .column = column, .length = length, .cell = cell, .context = context };
	bool bulk = client->version != SNMP_VERSION_1;
	int rc;

	memcpy(w.at, column, length * sizeof(oid));
	w.at_length = length;
	do {
		netsnmp_pdu *answer = NULL;
		netsnmp_pdu *request = snmp_pdu_create(bulk ? SNMP_MSG_GETBULK : SNMP_MSG_GETNEXT);

		if (bulk) {
			request->non_repeaters = 0;
			request->max_repetitions = BULK_ROWS;
		}
		snmp_add_null_var(request, w.at, w.at_length);
		rc = exchange(client, request, &answer);
		if (rc < 0)
			return rc;
		rc = check_status(client, answer);
		if (rc == 0)
			rc = take_rows(client, &w, answer);
		snmp_free_pdu(answer);
	} while (rc > 0);
	return rc;
}

int client_get(struct client *client, const oid *name, size_t length, struct value *ret)
{
	netsnmp_pdu *answer = NULL, *request = snmp_pdu_create(SNMP_MSG_GET);
	const netsnmp_variable_list *v;
	int rc;

	snmp_add_null_var(request, name, length);
	rc = exchange(client, request, &answer);
	if (rc < 0)
		return rc;
	rc = check_status(client, answer);
	v = answer->variables;
	if (rc == 0 && v && snmp_oid_compare(v->name, v->name_length, name, length) == 0)
		*ret = value_of(v);
	else if (rc == 0)
		*ret = (struct value){ .known = false };
	snmp_free_pdu(answer);
	return rc;
}
