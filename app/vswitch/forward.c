/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_prefetch.h>

#include "fdb.h"
#include "forward.h"
#include "offload.h"

/* Groups that are for bridges alone, 01:80:c2:00:00:00 to 0f: IEEE 802.1Q, 8.6.3. */
#define RESERVED_MASK UINT64_C(0xF0FFFFFFFFFF)
#define RESERVED UINT64_C(0x0000C28001)
#define GROUP UINT64_C(1)
/* No key: that of a group. */
#define NO_KEY UINT64_MAX
/* EtherTypes in network order. */
#define TYPE_ARP RTE_BE16(RTE_ETHER_TYPE_ARP)
#define TYPE_IPV6 RTE_BE16(RTE_ETHER_TYPE_IPV6)
#define TYPE_VLAN RTE_BE16(RTE_ETHER_TYPE_VLAN)
#define TYPE_QINQ RTE_BE16(RTE_ETHER_TYPE_QINQ)

/* Packets whose destination has to be looked up. */
struct lookup {
	unsigned int n;
	uint64_t keys[WORKER_BURST];
	uint64_t found[WORKER_BURST];
	struct rte_mbuf *pkts[WORKER_BURST];
};

/* The eight bytes at an address as a number whose lowest byte is the first one. */
static __rte_always_inline uint64_t
load(const uint8_t *data)
{
	uint64_t number;

	memcpy(&number, data, sizeof(number));
	return rte_le_to_cpu_64(number);
}

/* Take the tag off a packet; what is left carries the VLAN in vlan_tci. */
static int
untag(const struct dp_port *p, struct rte_mbuf *m)
{
	uint16_t vlan;

	if ((m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) == 0) {
		if (m->data_len < RTE_ETHER_HDR_LEN + sizeof(struct rte_vlan_hdr))
			return DROP_SHORT;
		if (rte_vlan_strip(m) != 0)
			return DROP_SHORT;
	}
	m->ol_flags &= ~(RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED);
	vlan = m->vlan_tci & VLAN_ID_MASK;
	/* A tag of VLAN 0 tells a priority alone. */
	if (vlan == 0) {
		m->vlan_tci |= p->native;
		return p->native == VLAN_NONE ? DROP_VLAN : GUARD_PASSES;
	}
	return vlan_is_tagged(&p->vlan, vlan) ? GUARD_PASSES : DROP_VLAN;
}

/* What a locked port sends: from itself alone. */
static __rte_always_inline int
check_source(const struct dp_port *p, const struct rte_mbuf *m, uint64_t source)
{
	uint16_t type = rte_cpu_to_le_16(source >> 48);

	if (unlikely((source & FDB_MAC_MASK) != p->mac))
		return DROP_SOURCE_MAC;
	if (type == TYPE_ARP || type == TYPE_IPV6 || p->lock == GUARD_IP)
		return guard_check(p, m, type);
	return GUARD_PASSES;
}

/*
 * A guest's packet has one tag at most: a second one would be the first where the port that it
 * leaves by has the VLAN untagged.
 */
static __rte_always_inline bool
is_tagged_again(uint64_t source)
{
	uint16_t type = rte_cpu_to_le_16(source >> 48);

	return type == TYPE_VLAN || type == TYPE_QINQ;
}

/* May the packet come in? Its VLAN is in vlan_tci then. */
static __rte_always_inline int
admit(const struct dp_port *p, struct rte_mbuf *m)
{
	const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);
	uint64_t source;
	int verdict;

	if (unlikely(m->data_len < RTE_ETHER_HDR_LEN))
		return DROP_SHORT;
	source = load(data + RTE_ETHER_ADDR_LEN);
	if (unlikely(rte_cpu_to_le_16(source >> 48) == TYPE_VLAN ||
			    (m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0)) {
		verdict = untag(p, m);
		if (verdict != GUARD_PASSES)
			return verdict;
		source = load(rte_pktmbuf_mtod_offset(m, const uint8_t *, RTE_ETHER_ADDR_LEN));
	} else {
		if (unlikely(p->native == VLAN_NONE))
			return DROP_VLAN;
		m->vlan_tci = p->native;
	}
	if (p->guest && unlikely(is_tagged_again(source)))
		return DROP_VLAN;
	if (p->lock != GUARD_OFF) {
		verdict = check_source(p, m, source);
		if (unlikely(verdict != GUARD_PASSES))
			return verdict;
	}
	if (p->guest && offload_undone(m) && unlikely(offload_receive(m) != 0))
		return DROP_OFFLOAD;
	return GUARD_PASSES;
}

/* Have the control thread learn the address. When its ring is full, a later packet will tell. */
static void
tell(struct worker *w, uint16_t in, uint64_t key)
{
	struct worker_news news = { .key = key, .port = in };

	rte_ring_enqueue_elem(w->news, &news, sizeof(news));
}

/* A packet whose source is of interest: is it where it was? false: it is a guest's, elsewhere. */
static bool
learn(struct worker *w, const struct dp_port *p, uint16_t in, const struct rte_mbuf *m)
{
	struct worker_in *state = &w->in[in];
	uint64_t mac = load(rte_pktmbuf_mtod_offset(m, const uint8_t *, RTE_ETHER_ADDR_LEN)) &
			FDB_MAC_MASK;
	uint64_t key = fdb_key(mac, p->bridge, m->vlan_tci & VLAN_ID_MASK);

	if (key != state->source_key) {
		if ((mac & GROUP) != 0 || mac == 0)
			return true;
		fdb_lookup(w->fdb, &key, 1, &state->source_found);
		state->source_key = key;
	}
	if (state->source_found == FDB_NONE) {
		state->source_key = NO_KEY;
		tell(w, in, key);
		return true;
	}
	if (fdb_port(state->source_found) == in) {
		if ((state->source_found & FDB_PINNED) == 0)
			fdb_seen(w->fdb, state->source_found, w->now);
		return true;
	}
	if ((state->source_found & FDB_PINNED) != 0)
		return false;
	tell(w, in, key);
	return true;
}

/* May one more packet of the port be flooded? */
static bool
storm_allows(struct worker *w, const struct dp_port *p, uint16_t in)
{
	struct worker_in *state = &w->in[in];

	if (p->storm == 0)
		return true;
	if (state->storm != p->storm) {
		/* A byte stands for a packet, and the burst is a tenth of a second's. */
		struct rte_meter_srtcm_params params = {
			.cir = p->storm,
			.cbs = RTE_MAX(p->storm / 10, 1u),
			.ebs = 0,
		};

		rte_meter_srtcm_profile_config(&state->storm_profile, &params);
		rte_meter_srtcm_config(&state->storm_meter, &state->storm_profile);
		state->storm = p->storm;
	}
	return rte_meter_srtcm_color_blind_check(&state->storm_meter, &state->storm_profile, w->tsc,
			       1) == RTE_COLOR_GREEN;
}

static void
forward_flood(struct worker *w, const struct dataplane *dp, uint16_t in, struct rte_mbuf *m,
		uint32_t to)
{
	const struct dp_port *p = &dp->ports[in];

	if (!storm_allows(w, p, in)) {
		worker_drop(w, in, DROP_STORM, m);
		return;
	}
	flood(w, dp, in, m, to, m->vlan_tci & VLAN_ID_MASK);
}

static void
forward_group(struct worker *w, const struct dataplane *dp, uint16_t in, struct rte_mbuf *m,
		uint64_t group)
{
	if ((group & RESERVED_MASK) == RESERVED)
		worker_drop(w, in, DROP_RESERVED, m);
	else
		forward_flood(w, dp, in, m, dp->bridges[dp->ports[in].bridge].members);
}

/* May it go from port to port? The reason why not, or GUARD_PASSES. */
static int
check_way(const struct dp_bridge *bridge, uint16_t in, uint16_t to)
{
	if (to == in)
		return DROP_SAME_PORT;
	if ((bridge->isolated >> in & bridge->isolated >> to & 1) != 0)
		return DROP_ISOLATED;
	/* An entry of a port that is just going. */
	if ((bridge->members >> to & 1) == 0)
		return DROP_NO_MEMBER;
	return GUARD_PASSES;
}

static void
forward_lookups(struct worker *w, const struct dataplane *dp, uint16_t in, struct lookup *l)
{
	const struct dp_bridge *bridge = &dp->bridges[dp->ports[in].bridge];
	unsigned int i;
	uint16_t to;
	int verdict;

	fdb_lookup(w->fdb, l->keys, l->n, l->found);
	for (i = 0; i < l->n; i++) {
		if (l->found[i] == FDB_NONE) {
			forward_flood(w, dp, in, l->pkts[i], bridge->learning);
			continue;
		}
		to = fdb_port(l->found[i]);
		verdict = check_way(bridge, in, to);
		if (verdict != GUARD_PASSES) {
			worker_drop(w, in, verdict, l->pkts[i]);
			continue;
		}
		/* Flows come in trains: where this one goes the next one is likely to go. */
		w->in[in].key = l->keys[i];
		w->in[in].to = to;
		worker_out(w, dp, to, l->pkts[i]);
	}
}

/* What was found before may not be so any more. */
static void
refresh(struct worker *w, const struct dataplane *dp, struct worker_in *state)
{
	uint32_t generation = fdb_generation(w->fdb);

	if (likely(state->generation == generation && state->dataplane == dp))
		return;
	state->generation = generation;
	state->dataplane = dp;
	state->key = NO_KEY;
	state->source_key = NO_KEY;
}

void
forward_burst(struct worker *w, const struct dataplane *dp, uint16_t in, struct rte_mbuf **pkts,
		uint16_t n)
{
	const struct dp_port *p = &dp->ports[in];
	struct worker_in *state = &w->in[in];
	struct lookup l;
	uint64_t destination, key;
	int verdict;
	uint16_t i;

	l.n = 0;
	refresh(w, dp, state);
	for (i = 0; i < n; i++) {
		struct rte_mbuf *m = pkts[i];

		if (i + 1 < n)
			rte_prefetch0(rte_pktmbuf_mtod(pkts[i + 1], void *));
		verdict = admit(p, m);
		if (unlikely(verdict != GUARD_PASSES)) {
			worker_drop(w, in, verdict, m);
			continue;
		}
		if (p->learns && unlikely(!learn(w, p, in, m))) {
			worker_drop(w, in, DROP_SOURCE_OTHER, m);
			continue;
		}
		destination = load(rte_pktmbuf_mtod(m, const uint8_t *)) & FDB_MAC_MASK;
		if (unlikely((destination & GROUP) != 0)) {
			forward_group(w, dp, in, m, destination);
			continue;
		}
		key = fdb_key(destination, p->bridge, m->vlan_tci & VLAN_ID_MASK);
		if (key == state->key) {
			worker_out(w, dp, state->to, m);
			continue;
		}
		l.keys[l.n] = key;
		l.pkts[l.n++] = m;
	}
	if (l.n > 0)
		forward_lookups(w, dp, in, &l);
}
