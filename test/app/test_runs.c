/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * Bursts in which packets differ from those before in one thing: what is found for several at once
 * is what is found for each of them alone.
 */

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "bed.h"
#include "fdb_cache.h"
#include "forward.h"
#include "offload.h"
#include "packet.h"

enum {
	IN,
	/* A locked guest, and an uplink. */
	TO,
	UPLINK,
	/* A guest that is isolated, as IN is. */
	ISOLATED,
	/* A guest that is not locked. */
	FREE,
	/* No member of the bridge any more. */
	GONE,
	PORTS,
};

/* Addresses behind the uplink and behind IN, if that learns; of nobody. */
#define BEHIND_UPLINK MAC(50)
#define BEHIND_IN MAC(51)
#define BEHIND_GONE MAC(52)
#define NOBODY MAC(99)
#define GROUP_MAC UINT64_C(0x0100005E0001)
#define RESERVED_MAC UINT64_C(0xC28001)
/* VLAN that all have tagged, and one that nobody has. */
#define TAGGED 20
#define FOREIGN_VLAN 30
#define LENGTH 60

/* A packet: the usual one, but for what is not 0. */
struct odd {
	const char *name;
	uint64_t to;
	uint64_t from;
	/* Instead of the flags that the usual one has. */
	uint64_t flags;
	/* Bytes of the first segment, and of all. */
	uint32_t first;
	uint32_t length;
	uint16_t type;
	uint16_t tci;
	bool zero_source;
	/* An ARP packet that is right. */
	bool arp;
};

#define STRIPPED (RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED)

static const struct odd odds[] = {
	{ .name = "nothing" },
	{ .name = "other length", .length = 1000 },
	{ .name = "ARP", .type = RTE_ETHER_TYPE_ARP, .arp = true },
	{ .name = "forged ARP", .type = RTE_ETHER_TYPE_ARP },
	{ .name = "IPv6", .type = RTE_ETHER_TYPE_IPV6 },
	{ .name = "other type", .type = 0x88B5 },
	{ .name = "802.1Q, 10", .type = RTE_ETHER_TYPE_VLAN, .tci = 10 },
	{ .name = "802.1Q, tagged", .type = RTE_ETHER_TYPE_VLAN, .tci = 0x6000 | TAGGED },
	{ .name = "802.1Q, foreign", .type = RTE_ETHER_TYPE_VLAN, .tci = FOREIGN_VLAN },
	{ .name = "802.1Q, priority", .type = RTE_ETHER_TYPE_VLAN, .tci = 0xE000 },
	{ .name = "802.1ad", .type = RTE_ETHER_TYPE_QINQ, .tci = TAGGED },
	{ .name = "from nobody known", .from = NOBODY },
	{ .name = "from a guest", .from = MAC(TO) },
	{ .name = "from a guest that has sent", .from = MAC(FREE) },
	{ .name = "from behind the uplink", .from = BEHIND_UPLINK },
	{ .name = "from another behind IN", .from = BEHIND_IN },
	{ .name = "from a group", .from = MAC_BROADCAST },
	{ .name = "from 0", .zero_source = true },
	{ .name = "stripped, tagged", .flags = STRIPPED, .tci = TAGGED },
	{ .name = "stripped, foreign", .flags = STRIPPED, .tci = FOREIGN_VLAN },
	{ .name = "stripped, priority", .flags = STRIPPED, .tci = 0x2000 },
	{ .name = "no checksum", .flags = RTE_MBUF_F_RX_L4_CKSUM_NONE },
	{ .name = "bad checksum", .flags = RTE_MBUF_F_RX_L4_CKSUM_BAD },
	{ .name = "good checksum", .flags = RTE_MBUF_F_RX_L4_CKSUM_GOOD },
	{ .name = "LRO", .flags = RTE_MBUF_F_RX_LRO },
	{ .name = "13 bytes", .first = 13, .length = 13 },
	{ .name = "first 13 bytes", .first = 13 },
	{ .name = "first 14 bytes", .first = 14 },
	{ .name = "to the uplink", .to = BEHIND_UPLINK },
	{ .name = "to nobody known", .to = NOBODY },
	{ .name = "to all", .to = MAC_BROADCAST },
	{ .name = "to a group", .to = GROUP_MAC },
	{ .name = "to a reserved group", .to = RESERVED_MAC },
	{ .name = "to itself", .to = MAC(IN) },
	{ .name = "to another behind IN", .to = BEHIND_IN },
	{ .name = "to an isolated port", .to = MAC(ISOLATED) },
	{ .name = "to a port that has gone", .to = BEHIND_GONE },
};

/* What IN is, and its untagged VLAN. */
struct bridge_case {
	bool guest;
	enum guard_lock lock;
	uint16_t native;
	/* The usual packets come with their tag stripped. */
	bool tagged;
};

/* What has become of packets: by each port, in order; and of all of them. */
struct outcome {
	struct {
		uint64_t n;
		struct {
			uint64_t number;
			uint64_t tci;
			uint64_t flags;
			uint64_t length;
		} pkts[WORKER_BURST];
	} out[PORTS];
	uint64_t drops[PORTS][DROP_MAX];
	uint64_t flooded;
	uint64_t bytes;
	/* Keys, and ports; none twice in turn. */
	uint64_t nb_news;
	uint64_t news[WORKER_BURST][2];
};

/* Addresses are known in the VLAN. */
static void
make_vlan(const struct bridge_case *c, uint16_t vlan)
{
	static const uint16_t guests[] = { TO, ISOLATED, FREE };
	struct fdb *fdb = bed_worker.fdb;
	unsigned int i;

	for (i = 0; i < RTE_DIM(guests); i++)
		assert_int_equal(fdb_pin(fdb, fdb_key(MAC(guests[i]), 1, vlan), guests[i]), 0);
	bed_learn(BEHIND_UPLINK, UPLINK, vlan);
	bed_learn(BEHIND_GONE, GONE, vlan);
	if (c->guest)
		assert_int_equal(fdb_pin(fdb, fdb_key(MAC(IN), 1, vlan), IN), 0);
	else
		bed_learn(MAC(IN), IN, vlan);
	if (c->lock == GUARD_OFF)
		bed_learn(BEHIND_IN, IN, vlan);
}

static void
make_bridge(const struct bridge_case *c)
{
	/* Others have an untagged VLAN in any case. */
	uint16_t native = c->native == VLAN_NONE ? 0 : c->native, i;
	struct dp_port *p;

	p = c->guest ? bed_guest(IN, 1, MAC(IN), c->lock, VLAN_NONE) : bed_port(IN, 1);
	bed_native(IN, c->native);
	p->nb_ips = 1;
	p->ips[0] = (struct vif_ip){ .version = 4, .bytes = { 10, 0, 0, 1 } };
	bed_guest(TO, 1, MAC(TO), GUARD_MAC, VLAN_NONE);
	bed_port(UPLINK, 1);
	bed_guest(ISOLATED, 1, MAC(ISOLATED), GUARD_MAC, VLAN_NONE);
	bed_guest(FREE, 1, MAC(FREE), GUARD_OFF, VLAN_NONE);
	bed_port(GONE, 1);
	for (i = TO; i < PORTS; i++)
		bed_native(i, native);
	for (i = 0; i < PORTS; i++)
		vlan_tag(&bed_dp.ports[i].vlan, TAGGED);
	make_vlan(c, native);
	make_vlan(c, TAGGED);
	bed_dp.bridges[1].members &= ~RTE_BIT32(GONE);
	bed_dp.bridges[1].learning &= ~RTE_BIT32(GONE);
	bed_dp.bridges[1].isolated = RTE_BIT32(IN) | RTE_BIT32(ISOLATED);
}

static struct rte_mbuf *
make(const struct bridge_case *c, const struct odd *odd, uint32_t number)
{
	uint32_t length = odd->length != 0 ? odd->length : LENGTH;
	uint64_t from = odd->from != 0 ? odd->from : MAC(IN);
	struct rte_mbuf *m;
	struct packet p;

	put_eth(&p, odd->to != 0 ? odd->to : MAC(TO), odd->zero_source ? 0 : from);
	if (odd->type == RTE_ETHER_TYPE_VLAN || odd->type == RTE_ETHER_TYPE_QINQ) {
		put16(&p, odd->type);
		put16(&p, odd->tci);
		put16(&p, RTE_ETHER_TYPE_IPV4);
	} else {
		put16(&p, odd->type != 0 ? odd->type : RTE_ETHER_TYPE_IPV4);
	}
	if (odd->arp) {
		put_arp(&p, MAC(IN), IP4(10, 0, 0, 1));
	} else {
		put_ip4(&p, IP4(10, 0, 0, 1), IPPROTO_UDP, 8 + 10);
		put_udp(&p, 1000, 2000, 10);
	}
	if (p.len < length)
		put_fill(&p, 0x5A, length - p.len);
	p.len = length;
	m = packet_mbuf_cut(&p, &odd->first, odd->first != 0 && odd->first < length ? 1 : 0);
	/* What a driver leaves there that has stripped nothing. */
	m->vlan_tci = 0xABCD;
	if (c->tagged) {
		m->ol_flags = STRIPPED;
		m->vlan_tci = TAGGED;
	}
	if (odd->flags != 0)
		m->ol_flags = odd->flags;
	if ((odd->flags & STRIPPED) != 0)
		m->vlan_tci = odd->tci;
	m->hash.rss = number;
	return m;
}

/* Take what has become of packets that came from the switch. */
static void
collect(struct outcome *o)
{
	struct worker_news news;
	struct rte_mbuf *m;
	unsigned int i, j;
	uint64_t n;

	for (i = 0; i < PORTS; i++) {
		struct worker_out *out = &bed_worker.out[i];

		assert_int_equal(out->bytes, worker_sum_bytes(out->pkts, out->n));
		while ((m = bed_take(i)) != NULL) {
			n = o->out[i].n++;
			o->out[i].pkts[n].number = m->hash.rss;
			o->out[i].pkts[n].tci = m->vlan_tci;
			o->out[i].pkts[n].flags = m->ol_flags;
			o->out[i].pkts[n].length = m->pkt_len;
			rte_pktmbuf_free(m);
		}
		assert_int_equal(out->bytes, 0);
		for (j = 0; j < DROP_MAX; j++)
			o->drops[i][j] += bed_worker.stats[i].drops[j];
		o->flooded += bed_worker.stats[i].rx_flooded;
	}
	while (bed_news(&news)) {
		n = o->nb_news;
		if (n != 0 && o->news[n - 1][0] == news.key && o->news[n - 1][1] == news.port)
			continue;
		o->news[n][0] = news.key;
		o->news[n][1] = news.port;
		o->nb_news++;
	}
	memset(bed_worker.stats, 0, sizeof(bed_worker.stats));
	assert_int_equal(bed_mbufs_out(), 0);
}

/* Nothing is in the cache. */
static void
forget(void)
{
	struct fdb_cache *cache = bed_worker.fdb_cache;

	memset(cache->sets, 0xFF, sizeof(cache->sets[0]) << (64 - cache->shift));
}

/* A burst: odd ones from number `first` up to `end`, the others are as usual. */
struct burst {
	const struct bridge_case *bridge;
	const struct odd *odd;
	unsigned int first;
	unsigned int end;
};

static const struct odd *
odd_at(const struct burst *b, unsigned int i)
{
	return i >= b->first && i < b->end ? b->odd : &odds[0];
}

static void
send_burst(const struct burst *b, struct outcome *o)
{
	struct rte_mbuf *pkts[WORKER_BURST];
	unsigned int i;

	memset(o, 0, sizeof(*o));
	for (i = 0; i < WORKER_BURST; i++)
		pkts[i] = make(b->bridge, odd_at(b, i), i);
	o->bytes = forward_burst(&bed_worker, &bed_dp, IN, pkts, WORKER_BURST);
	collect(o);
}

/* What comes from other ports in this second is known to do so. */
static void
send_elsewhere(void)
{
	static const struct bridge_case cases[] = { { .tagged = false }, { .tagged = true } };
	static const struct odd behind = { .from = BEHIND_UPLINK }, own = { .from = MAC(FREE) };
	struct outcome o = { .nb_news = 0 };
	unsigned int i;

	for (i = 0; i < RTE_DIM(cases); i++) {
		bed_forward(UPLINK, make(&cases[i], &behind, 0));
		bed_forward(FREE, make(&cases[i], &own, 0));
	}
	collect(&o);
	assert_int_equal(o.out[TO].n, 2 * i);
	assert_int_equal(o.nb_news, 0);
}

/* Each of the packets alone, and nothing is known of others before. */
static void
send_alone(const struct burst *b, struct outcome *o)
{
	struct rte_mbuf *m;
	unsigned int i;

	memset(o, 0, sizeof(*o));
	for (i = 0; i < WORKER_BURST; i++) {
		forget();
		m = make(b->bridge, odd_at(b, i), i);
		o->bytes += m->pkt_len;
		forward_burst(&bed_worker, &bed_dp, IN, &m, 1);
		collect(o);
	}
}

static void
fail_burst(const struct burst *b, const char *warm, const struct outcome *alone,
		const struct outcome *o)
{
	unsigned int i, j;

	for (i = 0; i < PORTS; i++) {
		print_error("port %u: %u instead of %u\n", i, (unsigned int)o->out[i].n,
				(unsigned int)alone->out[i].n);
		for (j = 0; j < DROP_MAX; j++) {
			if (o->drops[i][j] != alone->drops[i][j])
				print_error("%s: %u instead of %u\n", stats_drop_name(j),
						(unsigned int)o->drops[i][j],
						(unsigned int)alone->drops[i][j]);
		}
	}
	print_error("news: %u instead of %u; bytes: %u instead of %u\n", (unsigned int)o->nb_news,
			(unsigned int)alone->nb_news, (unsigned int)o->bytes,
			(unsigned int)alone->bytes);
	fail_msg("native %u, lock %u, tagged %u: %s, from %u up to %u, warm: %s", b->bridge->native,
			b->bridge->lock, b->bridge->tagged, b->odd->name, b->first, b->end, warm);
}

/* What makes a packet unusual is seen, be it one or several. */
static void
check_alone(const struct burst *b, const struct outcome *alone)
{
	unsigned int n = b->end - b->first;

	if (b->odd->first != 0 && b->odd->first < RTE_ETHER_HDR_LEN)
		assert_int_equal(alone->drops[IN][DROP_SHORT], n);
	if (!b->bridge->guest || b->bridge->native == VLAN_NONE)
		return;
	if (b->odd->flags == RTE_MBUF_F_RX_LRO)
		assert_int_equal(alone->drops[IN][DROP_OFFLOAD], n);
	if (b->odd->flags == RTE_MBUF_F_RX_L4_CKSUM_NONE)
		assert_int_equal(alone->out[TO].pkts[b->first].flags & OFFLOAD_TX,
				RTE_MBUF_F_TX_UDP_CKSUM);
}

/* With a cache that knows the usual packets, and with one that knows all of them. */
static void
check_burst(const struct burst *b)
{
	const struct burst usual = { .bridge = b->bridge, .odd = odds };
	static struct outcome alone, warming, o;

	send_alone(b, &alone);
	check_alone(b, &alone);
	forget();
	send_elsewhere();
	send_burst(&usual, &warming);
	send_burst(b, &o);
	if (memcmp(&o, &alone, sizeof(o)) != 0)
		fail_burst(b, "usual", &alone, &o);
	send_burst(b, &o);
	if (memcmp(&o, &alone, sizeof(o)) != 0)
		fail_burst(b, "all", &alone, &o);
}

/* What is usual comes through, and is what this lcore knows afterwards: there are runs. */
static void
check_usual(const struct bridge_case *c)
{
	const struct burst usual = { .bridge = c, .odd = odds };
	uint16_t vlan = c->tagged ? TAGGED : c->native;
	struct outcome o;
	uint64_t found;

	forget();
	send_burst(&usual, &o);
	if (vlan == VLAN_NONE) {
		assert_int_equal(o.drops[IN][DROP_VLAN], WORKER_BURST);
		return;
	}
	assert_int_equal(o.out[TO].n, WORKER_BURST);
	assert_true(fdb_cache_find(bed_worker.fdb_cache, fdb_key(MAC(TO), 1, vlan), &found));
	assert_int_equal(fdb_port(found), TO);
	assert_int_equal(bed_dp.ports[IN].learns,
			fdb_cache_find_seen(bed_worker.fdb_cache, fdb_key(MAC(IN), 1, vlan),
					&found));
}

/* Whether one packet is odd, or all from there on. */
static void
check_odds(const struct bridge_case *c)
{
	static const unsigned int places[] = { 0, 1, WORKER_BURST / 2, WORKER_BURST - 1 };
	struct burst b = { .bridge = c };
	unsigned int i, j;

	for (i = 0; i < RTE_DIM(odds); i++) {
		for (j = 0; j < RTE_DIM(places); j++) {
			b.odd = &odds[i];
			b.first = places[j];
			b.end = places[j] + 1;
			check_burst(&b);
			b.end = WORKER_BURST;
			check_burst(&b);
		}
	}
}

static void
check_port(bool guest, enum guard_lock lock)
{
	static const uint16_t natives[] = { 0, 10, VLAN_NONE };
	struct bridge_case c = { .guest = guest, .lock = lock };
	unsigned int i;

	for (i = 0; i < 2 * RTE_DIM(natives); i++) {
		if (i > 0) {
			assert_int_equal(bed_end(NULL), 0);
			assert_int_equal(bed_begin(NULL), 0);
		}
		c.native = natives[i / 2];
		c.tagged = i % 2 != 0;
		make_bridge(&c);
		check_usual(&c);
		check_odds(&c);
	}
}

static void
test_uplink(void **state __rte_unused)
{
	check_port(false, GUARD_OFF);
}

static void
test_unlocked(void **state __rte_unused)
{
	check_port(true, GUARD_OFF);
}

static void
test_locked(void **state __rte_unused)
{
	check_port(true, GUARD_MAC);
}

static void
test_locked_to_ip(void **state __rte_unused)
{
	check_port(true, GUARD_IP);
}

/* An uplink, and packets of it that are known. */
static const struct bridge_case uplink = { .native = 10 };
static const struct bridge_case tagged_uplink = { .native = 10, .tagged = true };

/* Addresses whose packets come in runs stay, although others send to them and have asked before. */
static void
test_seen(void **state __rte_unused)
{
	struct worker *w = &bed_worker;
	static const struct odd other = { .from = BEHIND_IN };
	static const struct odd to_both[] = { { .from = BEHIND_UPLINK, .to = MAC(IN) },
		{ .from = BEHIND_UPLINK, .to = BEHIND_IN } };
	struct burst b = { .bridge = &uplink, .odd = &other, .first = 10, .end = WORKER_BURST };
	struct outcome o = { .nb_news = 0 };
	unsigned int known;

	make_bridge(&uplink);
	known = fdb_count(w->fdb, IN);
	for (; w->now < 1000; w->now += 9) {
		bed_forward(UPLINK, make(&uplink, &to_both[0], 0));
		bed_forward(UPLINK, make(&uplink, &to_both[1], 0));
		collect(&o);
		assert_int_equal(o.out[IN].n, 2);
		b.bridge = &uplink;
		send_burst(&b, &o);
		b.bridge = &tagged_uplink;
		send_burst(&b, &o);
		fdb_age(w->fdb, IN, 10, w->now + 9);
		assert_int_equal(fdb_count(w->fdb, IN), known);
		memset(&o, 0, sizeof(o));
	}
}

#define case_of(name) cmocka_unit_test_setup_teardown(name, bed_begin, bed_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		case_of(test_uplink),
		case_of(test_unlocked),
		case_of(test_locked),
		case_of(test_locked_to_ip),
		case_of(test_seen),
	};

	return cmocka_run_group_tests_name("vsw_runs", tests, bed_setup, bed_teardown);
}
