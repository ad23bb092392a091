/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The root of the project's own objects, as sub-identifiers: .1 the private MIB, .2 the
 * capabilities. The Makefile gives it (PRIVATE_OID); this is the default, the only one in the code.
 */
#ifndef AGENT_PRIVATE_OID_H
#define AGENT_PRIVATE_OID_H

#ifndef ISCSI_AGENTX_PRIVATE_OID
#define ISCSI_AGENTX_PRIVATE_OID 1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 7147
#endif

#endif
