/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
#include <rte_ether.h>

#include "fdb.h"
#include "fdb_cache.h"
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

/* Is there nothing about the packet but its header that could make it unusual? */
static __rte_always_inline bool
has_usual_form(const struct rte_mbuf *m)
{
	return (m->ol_flags & UNUSUAL_FLAGS) == 0 && m->data_len >= RTE_ETHER_HDR_LEN;
}

static __rte_always_inline bool
is_usual(const struct usual *usual, const struct rte_mbuf *m)
{
	const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);

	return has_usual_form(m) && (load(data + RTE_ETHER_ADDR_LEN) & usual->mask) == usual->value;
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
	if (p->undone && offload_undone(m) && unlikely(offload_receive(m) != 0))
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

/* The same that is so far into an admitted packet, in the packet's VLAN and the base's bridge. */
static __rte_always_inline uint64_t
tagged_key_at(const struct rte_mbuf *m, unsigned int offset, uint64_t base)
{
	return load(rte_pktmbuf_mtod_offset(m, const uint8_t *, offset)) << 16 | base |
			(m->vlan_tci & VLAN_ID_MASK);
}

/* Addresses in the packets of a burst: found[of[i]] is what is known of that in packet i. */
struct addresses {
	uint64_t keys[WORKER_BURST + 1];
	uint64_t found[WORKER_BURST + 1];
	uint8_t of[WORKER_BURST];
	unsigned int last;
};

/* The addresses so far into the packets; only those that are not the same as the one before. */
static __rte_always_inline void
gather(const struct dp_port *p, struct rte_mbuf *const *pkts, uint16_t n, unsigned int offset,
		struct addresses *a)
{
	const uint64_t base = fdb_key(0, p->bridge, 0);
	uint64_t key;
	uint16_t i;

	a->keys[0] = NO_KEY;
	a->last = 0;
	for (i = 0; i < n; i++) {
		key = tagged_key_at(pkts[i], offset, base);
		if (key != a->keys[a->last])
			a->keys[++a->last] = key;
		a->of[i] = a->last;
	}
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
	bool refused[WORKER_BURST + 1], any = false;
	struct addresses a;
	uint16_t left = 0, i;

	gather(p, pkts, n, RTE_ETHER_ADDR_LEN, &a);
	fdb_cache_lookup_seen(w->fdb_cache, w->fdb, in, &a.keys[1], a.last, &a.found[1]);
	for (i = 1; i <= a.last; i++) {
		refused[i] = !learn(w, in, a.keys[i], a.found[i]);
		any |= refused[i];
	}
	if (likely(!any))
		return n;
	for (i = 0; i < n; i++) {
		if (refused[a.of[i]])
			worker_drop(w, in, DROP_SOURCE_OTHER, pkts[i]);
		else
			pkts[left++] = pkts[i];
	}
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
forward_unicast(struct worker *w, const struct dataplane *dp, uint16_t in,
		struct rte_mbuf *const *pkts, uint16_t n)
{
	const struct dp_bridge *bridge = &dp->bridges[dp->ports[in].bridge];
	struct addresses a;
	uint64_t found;
	uint16_t to, i;
	int verdict;

	gather(&dp->ports[in], pkts, n, 0, &a);
	fdb_cache_lookup(w->fdb_cache, w->fdb, &a.keys[1], a.last, &a.found[1]);
	for (i = 0; i < n; i++) {
		found = a.found[a.of[i]];
		if (found == FDB_NONE) {
			forward_flood(w, dp, in, pkts[i], bridge->learning);
			continue;
		}
		to = fdb_port(found);
		verdict = check_way(bridge, in, to);
		if (verdict != GUARD_PASSES) {
			worker_drop(w, in, verdict, pkts[i]);
			continue;
		}
		worker_out(w, dp, to, pkts[i]);
	}
}

/* What was found before may not be so any more. */
static void
renew_cache(const struct worker *w)
{
	struct fdb_cache *cache = w->fdb_cache;
	uint32_t generation = fdb_generation(w->fdb);

	if (unlikely(cache->generation != generation || cache->now != w->now))
		fdb_cache_renew(cache, generation, w->now);
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

/* Ports that may be sent to from a port. */
static uint32_t
ways_from(const struct dp_bridge *bridge, uint16_t in)
{
	uint32_t ways = bridge->members & ~(UINT32_C(1) << in);

	return (bridge->isolated >> in & 1) != 0 ? ways & ~bridge->isolated : ways;
}

/* Packets at the start of a burst, from and to where this lcore has found others before. */
struct run {
	uint16_t n;
	/* Where each goes, and the ports that any goes to. */
	uint8_t to[WORKER_BURST];
	uint32_t ports;
	uint32_t bytes;
};

/*
 * Those that are as usual, from where this lcore has found them to be in this second already if the
 * port learns, to where it has found others to go.
 */
static __rte_always_inline void
find_run(const struct fdb_cache *cache, const struct dp_port *p, uint16_t in,
		struct rte_mbuf **pkts, uint16_t n, struct run *run, const bool learns)
{
	const struct usual usual = usual_of(p);
	const uint16_t native = p->native;
	const uint64_t base = fdb_key(0, p->bridge, native);
	uint64_t source, last, next, found;
	uint32_t ports = 0, bytes = 0;
	const uint8_t *data;
	uint8_t to = 0;
	uint16_t i;

	run->n = 0;
	run->bytes = 0;
	if (n == 0 || !is_usual(&usual, pkts[0]))
		return;
	/* Each with what follows the address; unlike those of the first packet. */
	data = rte_pktmbuf_mtod(pkts[0], const uint8_t *);
	source = ~load(data + RTE_ETHER_ADDR_LEN);
	last = ~load(data);
	for (i = 0; i < n && has_usual_form(pkts[i]); i++) {
		data = rte_pktmbuf_mtod(pkts[i], const uint8_t *);
		next = load(data + RTE_ETHER_ADDR_LEN);
		if (next != source) {
			if ((next & usual.mask) != usual.value)
				break;
			if (learns &&
					(!fdb_cache_find_seen(cache, next << 16 | base, &found) ||
							fdb_port(found) != in))
				break;
			source = next;
		}
		pkts[i]->vlan_tci = native;
		next = load(data);
		if (next != last) {
			if (!fdb_cache_find(cache, next << 16 | base, &found))
				break;
			last = next;
			to = fdb_port(found);
			ports |= UINT32_C(1) << to;
		}
		run->to[i] = to;
		bytes += pkts[i]->pkt_len;
	}
	run->n = i;
	run->ports = ports;
	run->bytes = bytes;
}

/* These are no part of their caller, so that what each needs is in the processor's registers. */
static __rte_noinline void
find_run_learning(const struct fdb_cache *cache, const struct dp_port *p, uint16_t in,
		struct rte_mbuf **pkts, uint16_t n, struct run *run)
{
	find_run(cache, p, in, pkts, n, run, true);
}

static __rte_noinline void
find_run_fixed(const struct fdb_cache *cache, const struct dp_port *p, uint16_t in,
		struct rte_mbuf **pkts, uint16_t n, struct run *run)
{
	find_run(cache, p, in, pkts, n, run, false);
}

/* The same of packets that were admitted one by one: to where this lcore has found others to go. */
static __rte_noinline void
find_run_admitted(const struct fdb_cache *cache, const struct dp_port *p,
		struct rte_mbuf *const *pkts, uint16_t n, struct run *run)
{
	const uint64_t base = fdb_key(0, p->bridge, 0);
	uint64_t last = NO_KEY, found = FDB_NONE, key;
	uint16_t i;

	run->ports = 0;
	run->bytes = 0;
	for (i = 0; i < n; i++) {
		key = tagged_key_at(pkts[i], 0, base);
		if (key != last) {
			if (!fdb_cache_find(cache, key, &found))
				break;
			last = key;
			run->ports |= UINT32_C(1) << fdb_port(found);
		}
		run->to[i] = fdb_port(found);
		run->bytes += pkts[i]->pkt_len;
	}
	run->n = i;
}

/* Send those on their way; how many, for where one may not go each is looked at by itself. */
static uint16_t
forward_run(struct worker *w, const struct dataplane *dp, uint16_t in, struct rte_mbuf **pkts,
		const struct run *run)
{
	struct worker_out *out;
	uint16_t i;

	if (run->n == 0 || (run->ports & ~ways_from(&dp->bridges[dp->ports[in].bridge], in)) != 0)
		return 0;
	out = &w->out[run->to[0]];
	if ((run->ports & (run->ports - 1)) == 0 && out->n + run->n <= WORKER_OUT) {
		memcpy(&out->pkts[out->n], pkts, run->n * sizeof(pkts[0]));
		worker_out_many(w, dp, run->to[0], run->n, run->bytes);
		return run->n;
	}
	for (i = 0; i < run->n; i++)
		worker_out(w, dp, run->to[i], pkts[i]);
	return run->n;
}

/* How many packets of the burst are left, that are for one port. */
static uint16_t
forward_groups(struct worker *w, const struct dataplane *dp, uint16_t in, struct rte_mbuf **pkts,
		uint16_t n)
{
	uint16_t left = 0, i;
	uint64_t to;

	for (i = 0; i < n; i++) {
		to = load(rte_pktmbuf_mtod(pkts[i], const uint8_t *)) & FDB_MAC_MASK;
		if (unlikely((to & GROUP) != 0))
			forward_group(w, dp, in, pkts[i], to);
		else
			pkts[left++] = pkts[i];
	}
	return left;
}

uint32_t
forward_burst(struct worker *w, const struct dataplane *dp, uint16_t in, struct rte_mbuf **pkts,
		uint16_t n)
{
	const struct dp_port *p = &dp->ports[in];
	struct run run;
	uint32_t bytes;
	uint16_t gone;

	renew_cache(w);
	if (p->learns)
		find_run_learning(w->fdb_cache, p, in, pkts, n, &run);
	else
		find_run_fixed(w->fdb_cache, p, in, pkts, n, &run);
	gone = forward_run(w, dp, in, pkts, &run);
	if (gone == n)
		return run.bytes;
	bytes = gone == 0 ? 0 : run.bytes;
	pkts += gone;
	bytes += worker_sum_bytes(pkts, n - gone);
	n = admit_burst(w, p, in, pkts, n - gone);
	if (p->learns)
		n = learn_burst(w, p, in, pkts, n);
	find_run_admitted(w->fdb_cache, p, pkts, n, &run);
	gone = forward_run(w, dp, in, pkts, &run);
	pkts += gone;
	n = forward_groups(w, dp, in, pkts, n - gone);
	forward_unicast(w, dp, in, pkts, n);
	return bytes;
}
