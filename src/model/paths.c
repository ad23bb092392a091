/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/paths.h"

uint32_t checker_rank(uint32_t state)
{
	static const uint8_t ranks[] = {
		[CHECKER_READY] = 0,
		[CHECKER_GHOST] = 1,
		[CHECKER_PENDING] = 2,
		[CHECKER_UNCHECKED] = 3,
		[CHECKER_DELAYED] = 4,
		[CHECKER_SHAKY] = 5,
		[CHECKER_TIMEOUT] = 6,
		[CHECKER_FAULTY] = 7,
		[CHECKER_DISCONNECTED] = 8,
	};

	return state < ARRAY_SIZE(ranks) ? ranks[state] : 0;
}

bool checker_is_well(uint32_t state)
{
	return checker_rank(state) <= checker_rank(CHECKER_UNCHECKED);
}
