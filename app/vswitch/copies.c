/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>

#include <rte_cycles.h>
#include <rte_ether.h>

#include "copies.h"
#include "offload.h"
#include "worker.h"

/* The tag is the device's affair, and not in the data. */
static bool
has_device_tag(const struct rte_mbuf *m, bool out)
{
	return (m->ol_flags & (out ? RTE_MBUF_F_TX_VLAN : RTE_MBUF_F_RX_VLAN_STRIPPED)) != 0;
}

static struct rte_mbuf *
capture(struct capture_sink *sink, const struct capture_record *record, const struct rte_mbuf *m)
{
	struct capture_record *to;
	struct rte_mbuf *copy;

	if (record->interface == CAPTURE_INTERFACE_NONE)
		return NULL;
	copy = rte_pktmbuf_copy(m, sink->pool, 0, sink->snaplen);
	if (copy == NULL)
		return NULL;
	to = rte_mbuf_to_priv(copy);
	*to = *record;
	to->length = m->pkt_len;
	to->tagged = has_device_tag(m, record->out);
	to->tci = m->vlan_tci;
	return copy;
}

/* Make of a copy what worker_send() takes: its tag is in vlan_tci, and 0 if there is none. */
static int
normalize(const struct copies *copies, const struct rte_mbuf *m, struct rte_mbuf *copy)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(copy, const struct rte_ether_hdr *);

	if (copy->data_len < sizeof(*eth))
		return -EINVAL;
	copy->vlan_tci = 0;
	if (has_device_tag(m, copies->out)) {
		copy->vlan_tci = m->vlan_tci;
	} else if (eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_VLAN) &&
			copy->data_len >= sizeof(*eth) + sizeof(struct rte_vlan_hdr)) {
		rte_vlan_strip(copy);
		/* Where it was put in. */
		if (copies->out && copy->l2_len >= sizeof(struct rte_vlan_hdr))
			copy->l2_len -= sizeof(struct rte_vlan_hdr);
	}
	copy->ol_flags &= ~(RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_TX_VLAN);
	if (!copies->out && copies->set->undone && offload_undone(copy))
		return offload_receive(copy);
	return 0;
}

/* Those that are forwarded come first: a mirror does without the last mbufs. */
static struct rte_mbuf *
mirror(const struct copies *copies, const struct worker *w, const struct rte_mbuf *m)
{
	struct rte_mbuf *copy = NULL;

	if (!worker_is_scarce(w))
		copy = rte_pktmbuf_copy(m, w->pool, 0, UINT32_MAX);
	if (copy != NULL && normalize(copies, m, copy) != 0) {
		rte_pktmbuf_free(copy);
		copy = NULL;
	}
	return copy;
}

void
copies_take(struct copies *copies, struct worker *w, const struct dp_copies *set, uint16_t queue,
		bool out, struct rte_mbuf *const *pkts, uint16_t n)
{
	struct capture_record record = { .queue = queue, .out = out };
	unsigned int c;
	uint16_t i;

	copies->set = set;
	copies->out = out;
	copies->n = n;
	if (set->nb_captures != 0)
		record.tsc = rte_rdtsc();
	for (c = 0; c < set->nb_captures; c++) {
		record.interface = set->captures[c].interface;
		for (i = 0; i < n; i++)
			copies->captured[c][i] = capture(set->captures[c].sink, &record, pkts[i]);
	}
	for (i = 0; set->mirror != NULL && i < n; i++)
		copies->mirrored[i] = mirror(copies, w, pkts[i]);
}

static void
give_capture(const struct copies *copies, const struct worker *w, unsigned int c, uint16_t n)
{
	struct capture_sink *sink = copies->set->captures[c].sink;
	uint64_t *lost = &sink->lost[w->index].packets[copies->set->captures[c].interface];
	struct rte_mbuf *const *pkts = copies->captured[c];
	/* Of the type that rte_ring reads: by another the compiler need not write them before. */
	uint64_t had[COPIES_BURST];
	unsigned int i, nb_had = 0, put;

	for (i = 0; i < n; i++) {
		if (pkts[i] != NULL)
			had[nb_had++] = (uintptr_t)pkts[i];
	}
	put = rte_ring_enqueue_burst(sink->ring, (void *const *)had, nb_had, NULL);
	stats_count(lost, n - put);
	for (i = put; i < nb_had; i++)
		rte_pktmbuf_free((struct rte_mbuf *)(uintptr_t)had[i]);
	for (i = n; i < copies->n; i++)
		rte_pktmbuf_free(pkts[i]);
}

static void
give_mirror(const struct copies *copies, struct worker *w, uint16_t n)
{
	const struct dp_copies *set = copies->set;
	uint64_t packets = 0, lost;
	uint16_t i;

	for (i = 0; i < n; i++) {
		if (copies->mirrored[i] == NULL)
			continue;
		worker_mirror(w, set->to_port, set->to, copies->mirrored[i]);
		packets++;
	}
	for (; i < copies->n; i++)
		rte_pktmbuf_free(copies->mirrored[i]);
	lost = n - packets;
	stats_count(&w->stats[set->to].drops[DROP_MIRROR], lost);
	stats_count(&set->mirror->lcores[w->index].packets, packets);
	stats_count(&set->mirror->lcores[w->index].lost, lost);
}

void
copies_give(struct copies *copies, struct worker *w, uint16_t n)
{
	unsigned int c;

	for (c = 0; c < copies->set->nb_captures; c++)
		give_capture(copies, w, c, n);
	if (copies->set->mirror != NULL)
		give_mirror(copies, w, n);
}

void
copies_receive(struct worker *w, const struct dp_copies *set, uint16_t queue,
		struct rte_mbuf *const *pkts, uint16_t n)
{
	struct copies copies;

	RTE_BUILD_BUG_ON(WORKER_BURST > COPIES_BURST);
	copies_take(&copies, w, set, queue, false, pkts, n);
	copies_give(&copies, w, n);
}
