/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every source says of the host itself. In the reader processes. These do not change: they are
 * to be asked for until they return true, which is also when there is no such thing.
 */
#ifndef SOURCE_HOST_H
#define SOURCE_HOST_H

#include "base/root.h"

#define HOST_TEXT_MAX 245u

/*
 * "Linux 6.1.0 x86_64" (X#NodeArchitecture, RFC 7143 13.26), "" when it cannot be read. Linux
 * before 6.1 does not tell the machine.
 */
bool host_architecture(struct root *root, char out[HOST_TEXT_MAX]);

/* The release of the kernel, "" when it cannot be read. */
bool host_release(struct root *root, char out[HOST_TEXT_MAX]);

/*
 * Whether the kernel has 64 bits: by the machine's name, or where that says nothing by this
 * program, which has no more than the kernel.
 */
bool host_has_64_bits(struct root *root);

#endif
