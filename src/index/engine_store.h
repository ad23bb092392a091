/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who an SNMP engine is and how often it has been started (RFC 3414 section 2.2), on disk: for the
 * agent that needs no snmpd (-M). <state dir>/engine, text like that of the index files
 * (store_text.h), written by the same process in the same way:
 *
 *   iscsi-agentx-engine 1     format version
 *   boots NUMBER              the snmpEngineBoots of the last start
 *   id HEX                    snmpEngineID
 *   end CHECKSUM
 *
 * A file that is not of this form, or cut, or damaged, is set aside as engine.bad and logged; the
 * engine then gets a new ID, so that no pair of ID and boots is used twice. Not so where accessFile
 * gives the ID (engineID, engineIDType, exactEngineID): it stays, and boots begin with 1 again,
 * which is logged. No key and no passphrase is in it: keys are made from the configuration at each
 * start.
 */
#ifndef INDEX_ENGINE_STORE_H
#define INDEX_ENGINE_STORE_H

#include "index/store_disk.h"

#define ENGINE_ID_MAX	 32u	     /* octets, RFC 3411 */
#define ENGINE_BOOTS_MAX 2147483647u /* then the engine must get a new ID */
#define ENGINE_STORE_MAX 256u	     /* octets of the longest file */

struct engine {
	uint8_t id[ENGINE_ID_MAX];
	uint32_t id_length; /* octets; 0 there is none yet */
	uint32_t boots;
};

extern const struct store_names engine_store_names;

/* Loads it. Returns 0 (without a file *ret is all zeros), or what store_load returns. */
int engine_store_load(struct engine *ret, const char *directory);

/* As engine_store_load, from memory. Returns as store_parse; on failure *ret is untouched. */
int engine_store_parse(
	struct engine *ret, const char *text, size_t length, char reason[STORE_REASON]);

/* The content of the file. Returns as store_format. */
int engine_store_format(const struct engine *engine, store_sink_fn *sink, void *context);

#endif
