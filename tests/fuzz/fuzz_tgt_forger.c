/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An initiator with any name and any alias, on a tgtd that is otherwise known: this writes the
 * texts as tgtd 1.0.85 does (usr/target.c, usr/iscsi/session.c, usr/iscsi/target.c) and asserts
 * that nothing of what is believed of them is false. Input: an octet that selects the scene, the
 * name, an octet 0xff, the alias. An octet from 0x80 on stands for a whole piece of tgtd's text, so
 * that chance finds forgeries.
 */
#include "base/buf.h"
#include "source/tgt_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LOGIN_TEXT_MAX 8192u /* octets of text that tgtd takes with a login */
#define INFO_MAX       1024u /* what it prints for a nexus, with NUL */
#define ADDRESS	       "192.0.2.1"

struct actor {
	uint16_t nexus;
	uint32_t tid;
	const char *name, *alias; /* alias NULL: none */
};

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void print_nexus(struct buf *out, const struct actor *actor)
{
	char info[INFO_MAX];

	snprintf(info, sizeof(info),
		"            Initiator: %s alias: %s\n            Connection: %u\n"
		"                %s\n",
		actor->name, actor->alias ? actor->alias : "none", 0u, "IP Address: " ADDRESS);
	buf_printf(out, "        I_T nexus: %u\n%s", actor->nexus, info);
}

static void print_targets(struct buf *out, const struct actor *actors, size_t count, unsigned units)
{
	for (uint32_t tid = 1; tid <= 3; tid++) {
		buf_printf(out,
			"Target %u: iqn.disk%u\n    System information:\n        Driver: iscsi\n"
			"        State: ready\n    I_T nexus information:\n",
			tid, tid);
		for (size_t i = 0; i < count; i++)
			if (actors[i].tid == tid)
				print_nexus(out, &actors[i]);
		buf_text(out, "    LUN information:\n");
		for (unsigned lun = 0; lun < units; lun++)
			buf_printf(out,
				"        LUN: %u\n            Type: disk\n            SCSI ID: IET   "
				"  00010000\n            SCSI SN: beaf10\n            Size: 0 MB, "
				"Block size: 1\n            Online: Yes\n            Removable "
				"media: No\n            Prevent removal: No\n            Readonly: "
				"No\n            SWP: No\n            Thin-provisioning: No\n      "
				"      Backing store type: null\n            Backing store path: "
				"None\n            Backing store flags: \n",
				lun);
		buf_printf(out,
			"    Account information:\n        user%u\n    ACL information:\n"
			"        10.0.0.%u\n",
			tid, tid);
	}
}

static void print_connections(
	struct buf *out, const struct actor *actors, size_t count, uint32_t tid)
{
	for (size_t i = count; i-- > 0;)
		if (actors[i].tid == tid)
			buf_printf(out,
				"Session: %u\n    Connection: %u\n        Initiator: %s\n"
				"        %s\n",
				actors[i].nexus, 0u, actors[i].name, "IP Address: " ADDRESS);
}

static void check_list(struct tgt_slice list, const char *prefix, uint32_t tid)
{
	struct tgt_slice item;
	char expected[32];

	snprintf(expected, sizeof(expected), "%s%u", prefix, tid);
	must(tgt_access_next(&list, &item) && tgt_slice_is(&item, expected) && !list.length);
}

/* An alias that is believed is what was said, or its beginning up to a newline. */
static void check_alias(const struct actor *actor, const struct tgt_slice *alias)
{
	const char *said = actor->alias && strcmp(actor->alias, "none") != 0 ? actor->alias : "";
	size_t line = strcspn(said, "\n");
	struct tgt_slice first = { said, line };

	must(tgt_slice_equal(alias, &first) || (line == 4 && !alias->length));
}

static void check_target(
	const struct tgt_heading *heading, const struct actor *actors, size_t count)
{
	CLEANUP_FREE struct tgt_nexus_text *texts = NULL;
	struct tgt_slice accounts, acl, driver, alias;
	size_t text_count;
	char name[32];

	snprintf(name, sizeof(name), "iqn.disk%u", heading->tid);
	must(tgt_slice_is(&heading->name, name));
	must(tgt_section_driver(&heading->section, &driver) && tgt_slice_is(&driver, "iscsi"));
	if (tgt_section_access(&heading->section, &accounts, &acl)) {
		check_list(accounts, "user", heading->tid);
		check_list(acl, "10.0.0.", heading->tid);
	}
	if (tgt_nexus_texts_find(&heading->section, &texts, &text_count) < 0)
		return;
	for (size_t i = 0; i < count; i++) {
		struct tgt_slice said = { actors[i].name, strlen(actors[i].name) };

		if (actors[i].tid == heading->tid && !memchr(said.at, '\n', said.length) &&
			tgt_alias_find(texts, text_count, actors[i].nexus, &said, &alias))
			check_alias(&actors[i], &alias);
	}
}

static void check_targets(const struct tgt_slice *text, const struct actor *actors, size_t count)
{
	static const uint32_t tids[] = { 1, 2, 3 };
	CLEANUP_FREE struct tgt_heading *headings = NULL;
	size_t heading_count;

	if (tgt_headings_find(text, &headings, &heading_count) < 0 ||
		tgt_headings_judge(headings, heading_count, tids, ARRAY_SIZE(tids)) < 0)
		return;
	for (size_t i = 0; i < heading_count; i++)
		if (headings[i].certain)
			check_target(&headings[i], actors, count);
}

static void check_connections(
	const struct tgt_slice *text, const struct actor *actors, size_t count, uint32_t tid)
{
	CLEANUP_FREE struct tgt_record *records = NULL;
	struct tgt_connection_id ids[8];
	size_t id_count = 0, record_count;

	for (size_t i = 0; i < count; i++)
		if (actors[i].tid == tid)
			ids[id_count++] = (struct tgt_connection_id){ actors[i].nexus, 0 };
	if (tgt_records_find(text, &records, &record_count) < 0 ||
		tgt_records_judge(records, &record_count, ids, id_count) < 0)
		return;
	for (size_t i = 0; i < count; i++) {
		const struct tgt_record *record =
			tgt_record_find(records, record_count, actors[i].nexus, 0);

		if (!record)
			continue;
		must(actors[i].tid == tid);
		must(tgt_slice_is(&record->name, actors[i].name));
		must(tgt_slice_is(&record->address, ADDRESS) && !record->rdma);
	}
}

static const char *const pieces[] = {
	"        I_T nexus: ",
	"            Initiator: ",
	" alias: ",
	"            Connection: ",
	"                IP Address: ",
	"    LUN information:\n",
	"    Account information:\n",
	"    ACL information:\n",
	"Target ",
	": ",
	"    System information:\n        Driver: iser\n",
	"    I_T nexus information:\n",
	"Session: ",
	"    Connection: ",
	"        Initiator: ",
	"        IP Address: ",
	"        RDMA ",
	"iqn.victim4",
	"iqn.victim5",
	"        ",
	"\n",
	"0\n",
	"9.9.9.9\n",
	"        I_T nexus: 4\n            Initiator: iqn.victim4 alias: forged\n",
	"            Connection: 0\n                IP Address: 9.9.9.9\n",
	"Target 3: iqn.forged\n",
	"Target 2: iqn.forged\n",
	"        LUN: 0\n            Type: disk\n",
	"Session: 4\n    Connection: 0\n        Initiator: ",
	"Session: 3\n    Connection: 0\n        Initiator: ",
	"pppppppppppppppppppppppppppppp",
	"pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp"
	"pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp",
};

/* Writes the name and the alias said by the input; returns the alias, or NULL without one. */
static const char *expand(const uint8_t *data, size_t size, struct buf *out)
{
	size_t alias_at = 0;

	for (size_t i = 0; i < size; i++) {
		if (data[i] == 0xff && !alias_at) {
			buf_append(out, "", 1);
			alias_at = out->length;
		} else if (data[i] >= 0x80) {
			buf_text(out, pieces[(data[i] - 0x80u) % ARRAY_SIZE(pieces)]);
		} else if (data[i]) {
			buf_append(out, &data[i], 1);
		}
	}
	return alias_at ? out->data + alias_at : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_BUF struct buf targets = BUF_INIT(1 << 20), connections = BUF_INIT(1 << 20);
	CLEANUP_BUF struct buf said = BUF_INIT(LOGIN_TEXT_MAX);
	/* Sorted by nexus; the attacker is one of the middle ones, in the first or second target.
	 */
	struct actor actors[] = {
		{ 1, 1, "iqn.victim1", "alias1" },
		{ 2, 2, "iqn.victim2", NULL },
		{ 3, 1, NULL, NULL },
		{ 4, 1, "iqn.victim4", "alias4" },
		{ 5, 2, "iqn.victim5", NULL },
		{ 6, 3, "iqn.victim6", "alias6" },
	};
	size_t count = ARRAY_SIZE(actors);

	if (size < 2)
		return 0;
	actors[2].alias = expand(data + 1, size - 1, &said);
	if (said.error || !said.length)
		return 0;
	actors[2].name = said.data;
	if (data[0] & 1)
		actors[2].tid = 2;
	if (data[0] & 2) /* the attacker is the last of its target */
		actors[3].tid = actors[4].tid = 3;
	print_targets(&targets, actors, count, (data[0] >> 2) & 3);
	if (targets.error)
		return 0;
	check_targets(&(struct tgt_slice){ targets.data, targets.length }, actors, count);
	for (uint32_t tid = 1; tid <= 3; tid++) {
		buf_reset(&connections);
		print_connections(&connections, actors, count, tid);
		if (!connections.error && connections.length)
			check_connections(
				&(struct tgt_slice){ connections.data, connections.length }, actors,
				count, tid);
	}
	return 0;
}
