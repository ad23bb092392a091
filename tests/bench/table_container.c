/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The agent's values served as most subagents are written: libnetsnmpagent and a table_container.
 * LINK: -lnetsnmpagent -lnetsnmp
 *
 *	table_container SOCKET TABLE
 *
 * Values are kept ready in their binary form; the handler only copies them.
 */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/agent/net-snmp-agent-includes.h>

#include "tests/bench/table_data.h"

#include <signal.h>

struct value {
	u_char type;
	size_t length;
	union {
		long number;
		struct counter64 counter64;
		u_char octets[256];
		oid ids[32];
	};
};

struct row {
	netsnmp_index index;
	oid ids[TABLE_INDEX];
	struct value *values;
};

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

/* "0A 1B" */
static void set_octets(struct value *value, const char *text)
{
	value->type = ASN_OCTET_STR;
	for (; *text; text += text[2] ? 3 : 2) {
		const char pair[] = { text[0], text[1], '\0' };

		value->octets[value->length++] = (u_char)strtoul(pair, NULL, 16);
	}
}

static void set_number(struct value *value, u_char type, const char *text)
{
	value->type = type;
	value->number = (long)strtoul(text, NULL, 10);
	value->length = sizeof(value->number);
}

static void convert(const struct table_value *from, struct value *to)
{
	if (strcmp(from->type, "string") == 0) {
		to->type = ASN_OCTET_STR;
		to->length = strlen(from->text);
		memcpy(to->octets, from->text, to->length);
	} else if (strcmp(from->type, "octet") == 0) {
		set_octets(to, from->text);
	} else if (strcmp(from->type, "objectid") == 0) {
		struct bench_name name;

		bench_parse_name(from->text, &name);
		to->type = ASN_OBJECT_ID;
		to->length = name.length * sizeof(oid);
		memcpy(to->ids, name.ids, to->length);
	} else if (strcmp(from->type, "counter64") == 0) {
		unsigned long long number = strtoull(from->text, NULL, 10);

		to->type = ASN_COUNTER64;
		to->counter64.high = number >> 32;
		to->counter64.low = number & 0xffffffff;
		to->length = sizeof(to->counter64);
	} else {
		set_number(to,
			strcmp(from->type, "counter") == 0     ? ASN_COUNTER
			: strcmp(from->type, "gauge") == 0     ? ASN_GAUGE
			: strcmp(from->type, "timeticks") == 0 ? ASN_TIMETICKS
							       : ASN_INTEGER,
			from->text);
	}
}

static int handle(netsnmp_mib_handler *handler, netsnmp_handler_registration *registration,
	netsnmp_agent_request_info *info, netsnmp_request_info *request)
{
	(void)handler;
	(void)registration;
	for (; info->mode == MODE_GET && request; request = request->next) {
		const struct row *row = netsnmp_container_table_extract_context(request);
		const netsnmp_table_request_info *cell = netsnmp_extract_table_info(request);
		const struct value *value;

		if (request->processed)
			continue;
		if (!row || !cell) {
			netsnmp_set_request_error(info, request, SNMP_NOSUCHINSTANCE);
			continue;
		}
		value = &row->values[cell->colnum - 1];
		snmp_set_var_typed_value(
			request->requestvb, value->type, value->octets, value->length);
	}
	return SNMP_ERR_NOERROR;
}

static void fill(netsnmp_container *container, const struct table *table)
{
	for (size_t i = 0; i < table->row_count; i++) {
		struct row *row = calloc(1, sizeof(*row));

		if (row)
			row->values = calloc(table->column_count, sizeof(row->values[0]));
		if (!row || !row->values)
			bench_die("no memory");
		memcpy(row->ids, table->rows[i].index, sizeof(row->ids));
		row->index.oids = row->ids;
		row->index.len = TABLE_INDEX;
		for (size_t j = 0; j < table->column_count; j++)
			convert(&table->rows[i].values[j], &row->values[j]);
		CONTAINER_INSERT(container, row);
	}
}

static void serve(const struct table *table)
{
	netsnmp_container *container = netsnmp_container_find("bench:table_container");
	netsnmp_table_registration_info *info =
		SNMP_MALLOC_TYPEDEF(netsnmp_table_registration_info);
	netsnmp_handler_registration *registration = netsnmp_create_handler_registration(
		"bench", handle, table->entry.ids, table->entry.length - 1, HANDLER_CAN_RONLY);

	if (!container || !info || !registration)
		bench_die("no memory");
	netsnmp_table_helper_add_indexes(info, ASN_UNSIGNED, ASN_UNSIGNED, ASN_UNSIGNED, 0);
	info->min_column = 1;
	info->max_column = (unsigned)table->column_count;
	fill(container, table);
	if (netsnmp_container_table_register(
		    registration, info, container, TABLE_CONTAINER_KEY_NETSNMP_INDEX))
		bench_die("cannot register the table");
}

int main(int argc, char **argv)
{
	struct table table;

	if (argc != 3)
		bench_die("usage: table_container SOCKET TABLE");
	table_read(argv[2], &table);
	snmp_enable_stderrlog();
	netsnmp_ds_set_boolean(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_ROLE, 1);
	netsnmp_ds_set_string(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_X_SOCKET, argv[1]);
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_READ_CONFIGS, 1);
	signal(SIGTERM, on_signal);
	init_agent("bench");
	serve(&table);
	init_snmp("bench");
	while (!stop)
		agent_check_and_process(1);
	snmp_shutdown("bench");
	return EXIT_SUCCESS;
}
