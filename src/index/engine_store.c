/* SPDX-License-Identifier: BSD-2-Clause */
#include "index/engine_store.h"

#include "base/hash.h"
#include "index/store_words.h"

#include <inttypes.h>

#define MAGIC	"iscsi-agentx-engine"
#define VERSION 1u
/* RFC 3411, SnmpEngineID. */
#define ENGINE_ID_MIN 5u

const struct store_names engine_store_names = { "engine", "engine.tmp", "engine.bad",
	"the SNMP engine gets a new ID, unless accessFile gives it one", ENGINE_STORE_MAX };

static int digit_of(char c)
{
	const char *at = c ? strchr(STORE_HEX_DIGITS, c) : NULL;

	return at ? (int)(at - STORE_HEX_DIGITS) : -1;
}

/* `id HEX` */
static int parse_id(struct parser *p, struct engine *ret)
{
	struct word word;
	int rc = store_next_line(p);

	if (rc < 0)
		return rc;
	if (!store_word_is(store_next_word(p), "id"))
		return fail(p, "the line id is missing");
	word = store_next_word(p);
	if (word.length % 2 || word.length < 2 * ENGINE_ID_MIN || word.length > 2 * ENGINE_ID_MAX)
		return fail(p, "the id is of a wrong length");
	for (size_t i = 0; i < word.length; i += 2) {
		int high = digit_of(word.text[i]), low = digit_of(word.text[i + 1]);

		if (high < 0 || low < 0)
			return fail(p, "the id is no number");
		ret->id[i / 2] = (uint8_t)(high * 16 + low);
	}
	ret->id_length = (uint32_t)(word.length / 2);
	return store_line_is_done(p) ? 0 : fail(p, "the line goes on after the id");
}

int engine_store_parse(
	struct engine *ret, const char *text, size_t length, char reason[STORE_REASON])
{
	struct parser p = { .at = text, .end = text + length, .reason = reason };
	struct engine engine = { .id_length = 0 };
	uint64_t version = 0, boots = 0;
	int rc = store_parse_numbers(&p, MAGIC, &version, 1);

	/* First: another format may have another checksum. */
	if (rc == 0 && version != VERSION)
		rc = fail(&p, "format %" PRIu64 ", but this program knows format %u", version,
			VERSION);
	if (rc == 0)
		rc = store_parse_end(&p, text, length);
	if (rc == 0)
		rc = store_parse_numbers(&p, "boots", &boots, 1);
	if (rc == 0 && (boots == 0 || boots > ENGINE_BOOTS_MAX))
		rc = fail(&p, "boots is out of range");
	if (rc == 0)
		rc = parse_id(&p, &engine);
	if (rc == 0 && p.at != p.end) {
		p.line++;
		rc = fail(&p, "there are more lines");
	}
	if (rc < 0)
		return rc;
	engine.boots = (uint32_t)boots;
	*ret = engine;
	reason[0] = '\0';
	return 0;
}

static int take(void *context, const char *text, size_t length, char reason[STORE_REASON])
{
	return engine_store_parse(context, text, length, reason);
}

int engine_store_load(struct engine *ret, const char *directory)
{
	int rc;

	*ret = (struct engine){ .id_length = 0 };
	rc = store_disk_load(&engine_store_names, directory, false, take, ret);
	return rc == -ENOENT ? 0 : rc;
}

int engine_store_format(const struct engine *engine, store_sink_fn *sink, void *context)
{
	CLEANUP_BUF struct buf text = BUF_INIT(ENGINE_STORE_MAX);

	buf_printf(&text, MAGIC " %u\nboots %" PRIu32 "\nid ", VERSION, engine->boots);
	for (uint32_t i = 0; i < engine->id_length; i++)
		buf_printf(&text, "%02X", engine->id[i]);
	buf_text(&text, "\n");
	if (!text.error)
		buf_printf(&text, "end %016" PRIx64 "\n",
			hash_bytes(HASH_INIT, text.data, text.length));
	return text.error ? text.error : sink(context, text.data, text.length);
}
