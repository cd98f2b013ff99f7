/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * Guests as they are: what each kind of frontend does in its own way, and what of a backend it
 * would not survive, or would take for good.
 */

#include "rawfront.h"

#define COPY \
	{ \
		"request-rx-copy", "1" \
	}
#define NOTIFY \
	{ \
		"feature-rx-notify", "1" \
	}
#define SG \
	{ \
		"feature-sg", "1" \
	}

const struct rawfront_key rawfront_linux_keys[] = {
	COPY,
	NOTIFY,
	SG,
	{ "feature-gso-tcpv4", "1" },
	{ "feature-gso-tcpv6", "1" },
	{ "feature-ipv6-csum-offload", "1" },
	{ NULL, NULL },
};

/* It writes what it wants to be reset: see its reset. */
static const struct rawfront_key freebsd_keys[] = {
	COPY,
	NOTIFY,
	SG,
	{ "feature-gso-tcpv4", "1" },
	{ "feature-no-csum-offload", "1" },
	{ NULL, NULL },
};

static const struct rawfront_key windows_keys[] = {
	COPY,
	NOTIFY,
	SG,
	{ "feature-gso-tcpv4", "1" },
	{ "feature-gso-tcpv6", "1" },
	{ "feature-no-csum-offload", "0" },
	{ "feature-ipv6-csum-offload", "1" },
	{ "request-multicast-control", "1" },
	{ NULL, NULL },
};

static const struct rawfront_key openbsd_keys[] = {
	COPY,
	NOTIFY,
	{ "request-multicast-control", "1" },
	SG,
	{ "feature-no-csum-offload", "0" },
	{ NULL, NULL },
};

static const struct rawfront_key ipxe_keys[] = {
	COPY,
	NOTIFY,
	SG,
	{ "feature-no-csum-offload", "1" },
	{ NULL, NULL },
};

static const struct rawfront_key minios_keys[] = {
	COPY,
	{ NULL, NULL },
};

static const struct rawfront_key mirage_keys[] = {
	COPY,
	{ "feature-rx-flip", "0" },
	NOTIFY,
	SG,
	{ "feature-gso-tcpv4", "0" },
	{ "feature-smart-poll", "0" },
	{ "feature-no-csum-offload", "1" },
	{ NULL, NULL },
};

/* An id outside its table is a bug of the backend to it, and one that it has not used as well. */
static void
mind_ids(const struct rawfront *f, unsigned int queue, uint32_t idx,
		const struct netif_tx_response *rsp)
{
	const struct rawfront_slot *slot = &f->q[queue].sent[idx & XEN_NETIF_RING_MASK];
	uint16_t last = f->kind->last_id != 0 ? f->kind->last_id : XEN_NETIF_RING_MASK;

	if (slot->extra)
		return;
	if (rsp->id < f->kind->first_id || rsp->id > last || rsp->id != slot->req.id)
		rawfront_fail("%s: the response to id %u where %u was used", f->kind->name, rsp->id,
				slot->req.id);
}

/* It takes the response for that of its next slot, whatever its id. */
static void
mind_position(const struct rawfront *f, unsigned int queue, uint32_t idx,
		const struct netif_tx_response *rsp)
{
	const struct rawfront_slot *slot = &f->q[queue].sent[idx & XEN_NETIF_RING_MASK];

	if (!slot->extra && (rsp->id != slot->req.id || rsp->status == NETIF_RSP_NULL))
		rawfront_fail("%s: slot %u is not answered by the response in its place",
				f->kind->name, idx);
}

/* Extra info is answered by NULL, right after the request that it goes with. */
static void
mind_nulls(const struct rawfront *f, unsigned int queue, uint32_t idx,
		const struct netif_tx_response *rsp)
{
	const struct rawfront_slot *slot = &f->q[queue].sent[idx & XEN_NETIF_RING_MASK];

	if (slot->extra != (rsp->status == NETIF_RSP_NULL))
		rawfront_fail("%s: slot %u: status %d", f->kind->name, idx, rsp->status);
	mind_ids(f, queue, idx, rsp);
}

/* Each response stands in the slot of its buffer. */
static void
mind_slot(const struct rawfront *f, unsigned int queue, uint32_t idx,
		const struct netif_rx_response *rsp)
{
	uint16_t id = f->q[queue].posted[idx & XEN_NETIF_RING_MASK].id;

	if (rsp->id != id)
		rawfront_fail("%s: id %u in the slot of id %u", f->kind->name, rsp->id, id);
}

/* And a checksum that is blank has been validated. */
static void
mind_blank(const struct rawfront *f, unsigned int queue, uint32_t idx,
		const struct netif_rx_response *rsp)
{
	mind_slot(f, queue, idx, rsp);
	if ((rsp->flags & (NETRXF_csum_blank | NETRXF_data_validated)) == NETRXF_csum_blank)
		rawfront_fail("%s: a blank checksum that is not validated", f->kind->name);
	if ((rsp->flags & NETRXF_gso_prefix) != 0)
		rawfront_fail("%s: a prefix of GSO", f->kind->name);
}

/* One page a packet, and nothing else. */
static void
mind_single(const struct rawfront *f, unsigned int queue, uint32_t idx,
		const struct netif_rx_response *rsp)
{
	mind_slot(f, queue, idx, rsp);
	if ((rsp->flags & (NETRXF_more_data | NETRXF_extra_info)) != 0)
		rawfront_fail("%s: flags %#x", f->kind->name, rsp->flags);
}

const struct rawfront_kind rawfront_guests[] = {
	{
			.name = "linux",
			.keys = rawfront_linux_keys,
			.multi_queue = true,
			.split = true,
			.sg = true,
			.mind_tx = mind_ids,
			.mind_rx = mind_slot,
			.minds_spurious = true,
	},
	{
			.name = "freebsd",
			.keys = freebsd_keys,
			.multi_queue = true,
			.sg = true,
			.first_id = 1,
			.last_id = 256,
			.mind_tx = mind_ids,
			.mind_rx = mind_slot,
	},
	{
			.name = "windows",
			.keys = windows_keys,
			.multi_queue = true,
			.split = true,
			.sg = true,
			.last_id = 1023,
			.mind_tx = mind_nulls,
			.mind_rx = mind_blank,
	},
	{
			.name = "openbsd",
			.keys = openbsd_keys,
			.sg = true,
			.hasty = true,
			.no_transaction = true,
			.arm = RAWFRONT_ARM_HALF,
			.mind_tx = mind_position,
			.mind_rx = mind_slot,
	},
	{
			.name = "ipxe",
			.keys = ipxe_keys,
			.sg = true,
			.closes_at_once = true,
			.posts_late = true,
			.tx_slots = 16,
			.rx_slots = 18,
			.last_id = 15,
			.arm = RAWFRONT_ARM_FIRST,
			.mind_tx = mind_ids,
			.mind_rx = mind_slot,
	},
	{
			.name = "minios",
			.keys = minios_keys,
			.hasty = true,
			.arm = RAWFRONT_ARM_HALF,
			.mind_tx = mind_ids,
			.mind_rx = mind_single,
	},
	{
			.name = "mirage",
			.keys = mirage_keys,
			.sg = true,
			.closes_at_once = true,
			.mind_tx = mind_position,
			.mind_rx = mind_slot,
	},
};

const unsigned int rawfront_nb_guests = sizeof(rawfront_guests) / sizeof(rawfront_guests[0]);
