/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames of the kernel's iSCSI netlink. Called by open_iscsi_listener.c and open_iscsi_stats.c in
 * the reader process.
 */
#include "source/open_iscsi_wire.h"

#include <linux/netlink.h>

/* struct iscsi_uevent as far as it is used, and struct iscsi_stats (Linux, scsi/iscsi_if.h). */
struct event {
	uint32_t type, iferror;
	uint64_t transport_handle;
	union {
		uint32_t words[6];
		struct {
			uint32_t sid, cid;
		} get_stats;
	} u;
	union {
		uint32_t words[4];
		struct {
			uint32_t sid, cid;
		} connection; /* recv_req, connerror, conn_login */
		struct {
			uint32_t sid, host_no;
		} session; /* c_session_ret, unbind_session */
		struct {
			uint32_t host_no, sid;
		} destroyed; /* d_session: in this order */
	} r;
} __attribute__((aligned(8)));

struct statistics {
	uint64_t txdata_octets, rxdata_octets;
	uint32_t noptx_pdus, scsicmd_pdus, tmfcmd_pdus, login_pdus, text_pdus, dataout_pdus,
		logout_pdus, snack_pdus;
	uint32_t noprx_pdus, scsirsp_pdus, tmfrsp_pdus, textrsp_pdus, datain_pdus, logoutrsp_pdus,
		r2t_pdus, async_pdus, rjt_pdus;
	uint32_t digest_err, timeout_err;
	uint32_t custom_length; /* how many struct iscsi_stats_custom follow */
} __attribute__((aligned(8)));

struct alignment {
	uint32_t first;
	uint64_t second;
};
enum { LAYOUT_IS_KNOWN = offsetof(struct alignment, second) == 8 };

#define AT(type, field, octets)                                               \
	_Static_assert(!LAYOUT_IS_KNOWN || offsetof(type, field) == (octets), \
		#field " is where the kernel has it")
AT(struct event, transport_handle, 8);
AT(struct event, u, 16);
AT(struct event, r, 40);
AT(struct statistics, noptx_pdus, 16);
AT(struct statistics, scsicmd_pdus, 20);
AT(struct statistics, noprx_pdus, 48);
AT(struct statistics, scsirsp_pdus, 52);
AT(struct statistics, custom_length, 92);
_Static_assert(sizeof(struct event) == OISCSI_EVENT_OCTETS, "struct iscsi_uevent");
_Static_assert(!LAYOUT_IS_KNOWN || sizeof(struct statistics) == OISCSI_STATISTICS_OCTETS,
	"struct iscsi_stats");
_Static_assert(sizeof(struct nlmsghdr) == OISCSI_FRAME_HEAD, "struct nlmsghdr");

/* Fills in what this type of event has. */
static void take_event(const struct event *event, struct oiscsi_event *ret)
{
	switch (event->type) {
	case OISCSI_EVENT_STATISTICS:
	case OISCSI_EVENT_REFUSED: /* the kernel sends the request back, with another type */
		ret->sid = event->u.get_stats.sid;
		ret->cid = event->u.get_stats.cid;
		break;
	case OISCSI_EVENT_PDU:
	case OISCSI_EVENT_CONNECTION_ERROR:
	case OISCSI_EVENT_LOGIN_STATE:
		ret->sid = event->r.connection.sid;
		ret->cid = event->r.connection.cid;
		break;
	case OISCSI_EVENT_CREATED:
	case OISCSI_EVENT_UNBOUND:
		ret->sid = event->r.session.sid;
		break;
	case OISCSI_EVENT_DESTROYED:
		ret->sid = event->r.destroyed.sid;
		break;
	default:
		break;
	}
	if (event->type == OISCSI_EVENT_CONNECTION_ERROR || event->type == OISCSI_EVENT_LOGIN_STATE)
		ret->code = event->r.words[2];
}

int oiscsi_event_parse(const void *frame, size_t length, struct oiscsi_event *ret)
{
	struct nlmsghdr head;
	struct event event;

	if (!LAYOUT_IS_KNOWN)
		return -EOPNOTSUPP;
	if (length < OISCSI_FRAME_HEAD + sizeof(event))
		return -EBADMSG;
	memcpy(&head, frame, sizeof(head));
	if (head.nlmsg_len < OISCSI_FRAME_HEAD + sizeof(event) || head.nlmsg_len > length)
		return -EBADMSG;
	memcpy(&event, (const char *)frame + OISCSI_FRAME_HEAD, sizeof(event));
	*ret = (struct oiscsi_event){ .type = event.type };
	take_event(&event, ret);
	if (event.type == OISCSI_EVENT_REFUSED)
		ret->error = (int32_t)event.iferror < 0 ? (int32_t)event.iferror : -EIO;
	if (event.type == OISCSI_EVENT_PDU || event.type == OISCSI_EVENT_STATISTICS) {
		ret->data = (const uint8_t *)frame + OISCSI_FRAME_HEAD + sizeof(event);
		ret->length = head.nlmsg_len - OISCSI_FRAME_HEAD - sizeof(event);
	}
	return 0;
}

int oiscsi_statistics_parse(const void *data, size_t length, struct oiscsi_statistics *ret)
{
	struct statistics from;

	if (length < sizeof(from))
		return -EBADMSG;
	memcpy(&from, data, sizeof(from));
	if (from.custom_length > OISCSI_CUSTOM_MAX ||
		length - sizeof(from) < (size_t)from.custom_length * OISCSI_CUSTOM_OCTETS)
		return -EBADMSG;
	*ret = (struct oiscsi_statistics){
		.tx_octets = from.txdata_octets,
		.rx_octets = from.rxdata_octets,
		.command_pdus = from.scsicmd_pdus,
		.response_pdus = from.scsirsp_pdus,
		.nop_sent_pdus = from.noptx_pdus,
		.nop_received_pdus = from.noprx_pdus,
	};
	return 0;
}

void oiscsi_statistics_request(uint8_t out[OISCSI_REQUEST_OCTETS], uint32_t sequence,
	uint64_t handle, uint32_t sid, uint32_t cid)
{
	struct nlmsghdr head = { .nlmsg_len = OISCSI_REQUEST_OCTETS,
		.nlmsg_type = OISCSI_EVENT_STATISTICS,
		.nlmsg_seq = sequence };
	struct event event = { .type = OISCSI_EVENT_STATISTICS,
		.transport_handle = handle,
		.u = { .get_stats = { .sid = sid, .cid = cid } } };

	memset(out, 0, OISCSI_REQUEST_OCTETS);
	memcpy(out, &head, sizeof(head));
	memcpy(out + sizeof(head), &event, sizeof(event));
}
