/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_BOOT_H
#define BASE_BOOT_H

#include "base/base.h"

#define BOOT_ID_LENGTH 36

/*
 * The kernel's id of this boot (random(4), boot_id), NUL-terminated. Returns 0; without it
 * a negative errno, and `out` is all zeros in the same form, so that state is taken as foreign.
 */
int boot_id_read(char out[BOOT_ID_LENGTH + 1]);

#endif
