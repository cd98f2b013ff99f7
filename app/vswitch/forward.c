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
#define TYPE_IPV4 RTE_BE16(RTE_ETHER_TYPE_IPV4)
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

/* What nearly all packets are: as long as a header, and admitted by one comparison of it. */
struct usual {
	/* Of the source address and the EtherType. */
	uint64_t mask;
	uint64_t value;
};

/* No packet is. */
static const struct usual nothing_usual = { .mask = 0, .value = UINT64_MAX };

/* What a driver says of packets that are looked at more closely. */
#define UNUSUAL_FLAGS (RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_LRO | RTE_MBUF_F_RX_L4_CKSUM_BAD)

/* The bits of RTE_MBUF_F_RX_L4_CKSUM_NONE are those of _BAD and _GOOD. */
static_assert((RTE_MBUF_F_RX_L4_CKSUM_NONE & RTE_MBUF_F_RX_L4_CKSUM_BAD) != 0,
		"a blank checksum is not seen");

/* Untagged IPv4; of the port's own address, if that is all that the port is locked to. */
static __rte_always_inline struct usual
usual_of(const struct dp_port *p)
{
	uint64_t type = (uint64_t)rte_le_to_cpu_16(TYPE_IPV4) << 48;

	if (p->native == VLAN_NONE || p->lock == GUARD_IP)
		return nothing_usual;
	if (p->lock == GUARD_OFF)
		return (struct usual){ .mask = ~FDB_MAC_MASK, .value = type };
	return (struct usual){ .mask = UINT64_MAX, .value = type | p->mac };
}

static __rte_always_inline bool
is_usual(const struct usual *usual, const struct rte_mbuf *m)
{
	const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);

	return (m->ol_flags & UNUSUAL_FLAGS) == 0 && m->data_len >= RTE_ETHER_HDR_LEN &&
			(load(data + RTE_ETHER_ADDR_LEN) & usual->mask) == usual->value;
}

/* May the packet come in? Its VLAN is in vlan_tci then. */
static int
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

/* The sources of a burst: found[of[i]] is what is known of that of packet i. */
struct sources {
	uint64_t keys[WORKER_BURST + 1];
	uint64_t found[WORKER_BURST + 1];
	uint8_t of[WORKER_BURST];
	unsigned int last;
};

/* Look all of them up at once that are not the same as the one before. */
static void
look_up_sources(const struct worker *w, const struct dp_port *p, const struct worker_in *state,
		struct rte_mbuf *const *pkts, uint16_t n, struct sources *s)
{
	uint64_t mac, key;
	uint16_t i;

	s->keys[0] = state->source_key;
	s->found[0] = state->source_found;
	s->last = 0;
	for (i = 0; i < n; i++) {
		mac = load(rte_pktmbuf_mtod_offset(pkts[i], const uint8_t *, RTE_ETHER_ADDR_LEN));
		key = fdb_key(mac & FDB_MAC_MASK, p->bridge, pkts[i]->vlan_tci & VLAN_ID_MASK);
		if (key != s->keys[s->last])
			s->keys[++s->last] = key;
		s->of[i] = s->last;
	}
	if (s->last > 0)
		fdb_lookup(w->fdb, &s->keys[1], s->last, &s->found[1]);
}

/* A packet whose source is of interest: is it where it was? false: it is a guest's, elsewhere. */
static bool
learn(struct worker *w, uint16_t in, uint64_t key, uint64_t found)
{
	uint64_t mac = key >> 16;

	if (likely(found != FDB_NONE && fdb_port(found) == in)) {
		if ((found & FDB_PINNED) == 0)
			fdb_seen(w->fdb, found, w->now);
		return true;
	}
	if (found != FDB_NONE && (found & FDB_PINNED) != 0)
		return false;
	if ((mac & GROUP) == 0 && mac != 0)
		tell(w, in, key);
	return true;
}

/* How many packets of the burst are left. */
static uint16_t
learn_burst(struct worker *w, const struct dp_port *p, uint16_t in, struct rte_mbuf **pkts,
		uint16_t n)
{
	struct worker_in *state = &w->in[in];
	uint16_t left = 0, i;
	struct sources s;

	look_up_sources(w, p, state, pkts, n, &s);
	for (i = 0; i < n; i++) {
		if (learn(w, in, s.keys[s.of[i]], s.found[s.of[i]]))
			pkts[left++] = pkts[i];
		else
			worker_drop(w, in, DROP_SOURCE_OTHER, pkts[i]);
	}
	/* What is not known yet may be so soon. */
	state->source_key = s.found[s.last] == FDB_NONE ? NO_KEY : s.keys[s.last];
	state->source_found = s.found[s.last];
	return left;
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

/* How many packets of the burst may come in; their VLANs are in vlan_tci then. */
static __rte_always_inline uint16_t
admit_burst(struct worker *w, const struct dp_port *p, uint16_t in, struct rte_mbuf **pkts,
		uint16_t n)
{
	const struct usual usual = usual_of(p);
	const uint16_t native = p->native;
	uint16_t left = 0, i;
	int verdict;

	for (i = 0; i < n; i++) {
		struct rte_mbuf *m = pkts[i];

		if (i + 1 < n)
			rte_prefetch0(rte_pktmbuf_mtod(pkts[i + 1], void *));
		if (likely(is_usual(&usual, m))) {
			m->vlan_tci = native;
		} else {
			verdict = admit(p, m);
			if (verdict != GUARD_PASSES) {
				worker_drop(w, in, verdict, m);
				continue;
			}
		}
		pkts[left++] = m;
	}
	return left;
}

/* What a packet has that goes where the last one went, and is as usual. */
static __rte_always_inline struct usual
train_of(const struct dp_port *p, const struct worker_in *state, uint16_t in)
{
	struct usual usual = usual_of(p);

	if (!p->learns || usual.mask == 0)
		return usual;
	/* Its source is known, as the last one's. */
	if (state->source_key == NO_KEY || fdb_port(state->source_found) != in)
		return nothing_usual;
	usual.mask = UINT64_MAX;
	usual.value |= state->source_key >> 16;
	return usual;
}

/*
 * Flows come in trains. How many packets at the start of the burst go where the last one went; they
 * are on their way then.
 */
static uint16_t
forward_train(struct worker *w, const struct dataplane *dp, uint16_t in, struct rte_mbuf **pkts,
		uint16_t n)
{
	const struct dp_port *p = &dp->ports[in];
	const struct worker_in *state = &w->in[in];
	const struct usual usual = train_of(p, state, in);
	const uint64_t destination = state->key >> 16;
	const uint16_t native = p->native;
	struct worker_out *out = &w->out[state->to];
	struct rte_mbuf **room = &out->pkts[out->n];
	uint16_t i;

	if (fdb_key(destination, p->bridge, native) != state->key || out->n + n > WORKER_OUT)
		return 0;
	for (i = 0; i < n; i++) {
		struct rte_mbuf *m = pkts[i];

		if (i + 1 < n)
			rte_prefetch0(rte_pktmbuf_mtod(pkts[i + 1], void *));
		if (!is_usual(&usual, m) ||
				(load(rte_pktmbuf_mtod(m, const uint8_t *)) & FDB_MAC_MASK) !=
						destination)
			break;
		m->vlan_tci = native;
		room[i] = m;
	}
	if (i == 0)
		return 0;
	if (p->learns && (state->source_found & FDB_PINNED) == 0)
		fdb_seen(w->fdb, state->source_found, w->now);
	worker_out_many(w, dp, state->to, i);
	return i;
}

void
forward_burst(struct worker *w, const struct dataplane *dp, uint16_t in, struct rte_mbuf **pkts,
		uint16_t n)
{
	const struct dp_port *p = &dp->ports[in];
	const uint16_t bridge = p->bridge;
	struct worker_in *state = &w->in[in];
	uint64_t destination, key;
	struct lookup l;
	uint16_t i;

	l.n = 0;
	refresh(w, dp, state);
	i = forward_train(w, dp, in, pkts, n);
	pkts += i;
	n -= i;
	if (n == 0)
		return;
	n = admit_burst(w, p, in, pkts, n);
	if (p->learns)
		n = learn_burst(w, p, in, pkts, n);
	for (i = 0; i < n; i++) {
		struct rte_mbuf *m = pkts[i];

		destination = load(rte_pktmbuf_mtod(m, const uint8_t *)) & FDB_MAC_MASK;
		if (unlikely((destination & GROUP) != 0)) {
			forward_group(w, dp, in, m, destination);
			continue;
		}
		key = fdb_key(destination, bridge, m->vlan_tci & VLAN_ID_MASK);
		if (likely(key == state->key)) {
			worker_out(w, dp, state->to, m);
			continue;
		}
		l.keys[l.n] = key;
		l.pkts[l.n++] = m;
	}
	if (l.n > 0)
		forward_lookups(w, dp, in, &l);
}
