/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/words.h"

const char *words_of_error(uint32_t number)
{
	static const char *const words[] = {
		"error without a number of its own",
		"wrong DataSN",
		"wrong data offset",
		"wrong MaxCmdSN",
		"wrong ExpCmdSN",
		"unknown opcode",
		"wrong data length",
		"wrong length of additional headers",
		"protocol error",
		"wrong LUN",
		"unknown initiator task tag",
		"connection failed",
		"wrong R2TSN",
		"session failed",
		"wrong header digest",
		"wrong data digest",
		"parameter not found",
		"no SCSI command for this PDU",
		"invalid host",
		"sending failed",
		"TCP connection closed",
		"session reset by the SCSI error handler",
		"NOP-Out not answered in time",
	};

	if (!number)
		return "";
	number -= 1000;
	return number < ARRAY_SIZE(words) ? words[number] : "unknown error";
}

const char *words_of_login(uint32_t class, uint32_t detail)
{
	static const char *const redirected[] = { NULL, "target moved for now",
		"target moved for good" };
	static const char *const initiator[] = { "initiator error", "authentication failed",
		"not authorized", "target not found", "target removed", "version not supported",
		"too many connections", "missing parameter", "cannot be part of that session",
		"session type not supported", "no such session", "invalid during login" };
	static const char *const target[] = { "target error", "service unavailable",
		"out of resources" };

	switch (class) {
	case 0:
		return detail ? "success of an unknown kind" : "success";
	case 1:
		return detail > 0 && detail < ARRAY_SIZE(redirected) ? redirected[detail]
								     : "redirected";
	case 2:
		return detail < ARRAY_SIZE(initiator) ? initiator[detail] : "refused";
	case 3:
		return detail < ARRAY_SIZE(target) ? target[detail] : "failed at the target";
	default:
		return "unknown class of status";
	}
}
