/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_cycles.h>
#include <rte_log.h>
#include <rte_malloc.h>
#include <rte_mempool.h>

#include <xenevtchn.h>
#include <xengnttab.h>

#include "pool.h"
#include "xen_netif_queue.h"
#include "xenfront_grants.h"

#define POOL_SIZE 2048u

/* What is in an mbuf as it comes from a mempool, where that promises nothing. */
#define STALE 0xA5

static struct {
	struct rte_mempool pool;
	struct rte_pktmbuf_pool_private priv;
} mempool __rte_cache_aligned;

struct rte_mempool *const fuzz_pool = &mempool.pool;
uint32_t fuzz_pool_left;
uint8_t fuzz_granted[XEN_PAGE_BYTES];
uint8_t fuzz_copy_fails;
bool fuzz_late;
struct xenfront_region *fuzz_region;
static int32_t mbufs_out;

/* An mbuf, and what one with a granted page has behind it. */
struct fuzz_mbuf {
	struct rte_mbuf m;
	struct xenfront_buf buf;
};

static void
make_granted(struct fuzz_mbuf *f)
{
	static uint32_t gref = 5000;

	f->buf.shinfo.free_cb = xenfront_buf_back;
	f->buf.shinfo.fcb_opaque = &f->m;
	rte_mbuf_ext_refcnt_set(&f->buf.shinfo, 1);
	f->buf.region = fuzz_region;
	f->buf.mbuf = &f->m;
	f->buf.gref = gref++;
	f->m.shinfo = &f->buf.shinfo;
	f->m.ol_flags |= RTE_MBUF_F_EXTERNAL;
}

/* Has the mbuf a granted page? */
static bool
is_granted(const struct rte_mbuf *m)
{
	return fuzz_region != NULL && m->buf_len <= XEN_PAGE_BYTES;
}

static struct rte_mbuf *
mbuf_new(uint16_t buf_len)
{
	struct fuzz_mbuf *f = aligned_alloc(RTE_CACHE_LINE_SIZE, sizeof(*f));
	struct rte_mbuf *m = &f->m;

	fuzz_check(f != NULL);
	memset(f, STALE, sizeof(*f));
	m->pool = fuzz_pool;
	m->priv_size = 0;
	m->next = NULL;
	m->nb_segs = 1;
	m->refcnt = 1;
	m->ol_flags &= ~(RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_INDIRECT);
	m->buf_len = buf_len;
	m->buf_addr = malloc(buf_len);
	fuzz_check(m->buf_addr != NULL || buf_len == 0);
	if (is_granted(m))
		make_granted(f);
	mbufs_out++;
	return m;
}

static int
pool_put(struct rte_mempool *mp, void *const *objs, unsigned int n)
{
	struct rte_mbuf *m;
	unsigned int i;

	fuzz_check(mp == fuzz_pool);
	for (i = 0; i < n; i++) {
		m = objs[i];
		/* As whoever takes it from a real pool has to find it. */
		fuzz_check(m->refcnt == 1 && m->next == NULL && m->nb_segs == 1);
		free(m->buf_addr);
		free(m);
		mbufs_out--;
	}
	return 0;
}

static int
pool_get(struct rte_mempool *mp, void **objs, unsigned int n)
{
	unsigned int i;

	fuzz_check(mp == fuzz_pool);
	if (n > fuzz_pool_left)
		return -ENOBUFS;
	for (i = 0; i < n; i++)
		objs[i] = mbuf_new(fuzz_region != NULL ? XEN_PAGE_BYTES :
							 mempool.priv.mbuf_data_room_size);
	fuzz_pool_left -= n;
	return 0;
}

static int
pool_alloc(struct rte_mempool *mp __rte_unused)
{
	return 0;
}

static unsigned int
pool_count(const struct rte_mempool *mp __rte_unused)
{
	return fuzz_pool_left;
}

static const struct rte_mempool_ops pool_ops = {
	.name = "fuzz",
	.alloc = pool_alloc,
	.enqueue = pool_put,
	.dequeue = pool_get,
	.get_count = pool_count,
};

int
LLVMFuzzerInitialize(int *argc __rte_unused, char ***argv __rte_unused)
{
	int ops = rte_mempool_register_ops(&pool_ops);

	fuzz_check(ops >= 0);
	mempool.pool.ops_index = ops;
	mempool.pool.private_data_size = sizeof(mempool.priv);
	mempool.priv.flags = RTE_PKTMBUF_POOL_F_PINNED_EXT_BUF;
	/* Of a vif that is broken there would be two lines each. */
	rte_log_set_global_level(RTE_LOG_EMERG);
	return 0;
}

void
fuzz_pool_reset(uint16_t room)
{
	mempool.priv.mbuf_data_room_size = room + RTE_PKTMBUF_HEADROOM;
	mempool.pool.elt_size = sizeof(struct rte_mbuf);
	fuzz_pool_left = POOL_SIZE;
	mempool.pool.size = POOL_SIZE;
	memset(fuzz_granted, 0, sizeof(fuzz_granted));
	fuzz_copy_fails = 0;
	fuzz_late = false;
	fuzz_region = NULL;
	mbufs_out = 0;
}

void
fuzz_pool_check(void)
{
	fuzz_check(mbufs_out == 0);
}

/* What an application may have done to a packet of its own. */
static void
claim(struct rte_mbuf *m, struct fuzz_input *in)
{
	static const uint64_t flags[] = {
		RTE_MBUF_F_TX_IP_CKSUM,
		RTE_MBUF_F_TX_TCP_CKSUM,
		RTE_MBUF_F_TX_UDP_CKSUM,
		RTE_MBUF_F_TX_IPV4,
		RTE_MBUF_F_TX_IPV6,
		RTE_MBUF_F_TX_TCP_SEG,
		RTE_MBUF_F_RX_RSS_HASH,
	};
	uint8_t what = fuzz_u8(in), wrong = fuzz_u8(in);
	unsigned int i;

	for (i = 0; i < RTE_DIM(flags); i++) {
		if ((what & (1 << i)) != 0)
			m->ol_flags |= flags[i];
	}
	m->l2_len = fuzz_u8(in);
	m->l3_len = fuzz_u8(in);
	m->hash.rss = fuzz_u8(in) * 0x1010101u;
	if ((m->ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0) {
		m->l4_len = fuzz_u8(in);
		m->tso_segsz = fuzz_u16(in);
	}
	if ((wrong & 1) != 0)
		m->nb_segs = wrong;
	if ((wrong & 2) != 0)
		m->pkt_len += (wrong >> 2) - 32;
}

struct rte_mbuf *
fuzz_packet(struct fuzz_input *in)
{
	uint8_t shape = fuzz_u8(in), claims = fuzz_u8(in), bytes = fuzz_u8(in);
	/* One, a few, or so many that no batch has room for them. */
	unsigned int segs = shape < 0x80 ? 1 :
			shape < 0xF0	 ? 1 + shape % 32 :
					   200 + shape * 16 % 256;
	struct rte_mbuf *head = NULL, **next = &head;
	uint16_t len;
	unsigned int i;

	for (i = 0; i < segs; i++) {
		len = i < 32 ? fuzz_u16(in) % 16384 : shape % 4;
		*next = mbuf_new(len);
		rte_pktmbuf_reset(*next);
		(*next)->data_off = 0;
		(*next)->data_len = len;
		head->pkt_len += len;
		next = &(*next)->next;
	}
	head->nb_segs = segs;
	fuzz_bytes(in, head->buf_addr, RTE_MIN(bytes, head->data_len));
	if (claims != 0)
		claim(head, in);
	return head;
}

/* What the port may have said in a packet's flags. */
static uint64_t
known_flags(const struct xen_netif_queue *q)
{
	uint64_t flags = RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_RX_L4_CKSUM_MASK | RTE_MBUF_F_RX_LRO;

	if (q->rss_hash)
		flags |= RTE_MBUF_F_RX_RSS_HASH;
	if (q->legacy_ol_flags)
		flags |= RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_IPV4 |
				RTE_MBUF_F_TX_IPV6 | RTE_MBUF_F_TX_IP_CKSUM;
	if ((q->classify & XEN_NETIF_CLASSIFY_VLAN) != 0)
		flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
	if ((q->classify & XEN_NETIF_CLASSIFY_IPV4) != 0)
		flags |= RTE_MBUF_F_RX_IP_CKSUM_MASK;
	return flags;
}

/* Nothing of a packet is what its mbufs had in them before. */
static void
check_fresh(const struct rte_mbuf *m, const struct xen_netif_queue *q)
{
	const uint64_t lengths = RTE_MBUF_F_RX_LRO | RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_TCP_SEG;
	const struct rte_mbuf *seg;

	fuzz_check((m->ol_flags & ~known_flags(q)) == 0);
	fuzz_check(m->port == q->port_id);
	fuzz_check(m->packet_type == 0 || (m->ol_flags & RTE_MBUF_F_RX_LRO) != 0 ||
			(q->classify & XEN_NETIF_CLASSIFY_PTYPE) != 0);
	fuzz_check((m->packet_type &
				   ~(RTE_PTYPE_L2_MASK | RTE_PTYPE_L3_MASK | RTE_PTYPE_L4_MASK)) ==
			0);
	fuzz_check(m->vlan_tci == 0 || (m->ol_flags & RTE_MBUF_F_RX_VLAN) != 0);
	fuzz_check(m->tx_offload == 0 || (m->ol_flags & lengths) != 0);
	fuzz_check(m->outer_l2_len == 0 && m->outer_l3_len == 0);
	for (seg = m; seg != NULL; seg = seg->next) {
		fuzz_check(((seg->ol_flags & RTE_MBUF_F_EXTERNAL) != 0) == is_granted(seg));
		fuzz_check(seg == m || (seg->ol_flags & ~RTE_MBUF_F_EXTERNAL) == 0);
	}
}

void
fuzz_packet_received(struct rte_mbuf *m, const struct xen_netif_queue *q)
{
	const uint16_t room = fuzz_region != NULL ? XEN_PAGE_BYTES : q->room;
	const struct rte_mbuf *seg;
	uint32_t len = 0, segs = 0;

	for (seg = m; seg != NULL; seg = seg->next, segs++) {
		fuzz_check(seg->data_len >= 1 && seg->data_len <= room && seg->refcnt == 1);
		fuzz_check((uint32_t)seg->data_off + seg->data_len <= seg->buf_len);
		len += seg->data_len;
	}
	fuzz_check(m->pkt_len == len && m->nb_segs == segs);
	fuzz_check(len >= 14 && len <= XEN_NETIF_PKT_MAX);
	check_fresh(m, q);
	rte_pktmbuf_free(m);
}

/* The calls that the bursts make. */

int
xengnttab_grant_copy(xengnttab_handle *xgt __rte_unused, uint32_t count,
		xengnttab_grant_copy_segment_t *segs)
{
	uint8_t page[XEN_PAGE_BYTES];
	unsigned int i;

	fuzz_check(count != 0);
	for (i = 0; i < count; i++) {
		fuzz_check(segs[i].len != 0);
		if (segs[i].flags == GNTCOPY_source_gref) {
			fuzz_check(segs[i].source.foreign.offset + segs[i].len <= XEN_PAGE_BYTES);
			memcpy(segs[i].dest.virt, fuzz_granted + segs[i].source.foreign.offset,
					segs[i].len);
		} else {
			fuzz_check(segs[i].flags == GNTCOPY_dest_gref);
			fuzz_check(segs[i].dest.foreign.offset + segs[i].len <= XEN_PAGE_BYTES);
			memcpy(page, segs[i].source.virt, segs[i].len);
		}
		segs[i].status = fuzz_copy_fails != 0 && i % fuzz_copy_fails == 0 ?
				GNTST_bad_gntref :
				GNTST_okay;
	}
	return 0;
}

int
xenevtchn_notify(xenevtchn_handle *xce __rte_unused, evtchn_port_t port __rte_unused)
{
	return 0;
}

uint64_t
rte_get_tsc_hz(void)
{
	return fuzz_late ? 1 : UINT32_MAX * 1000ull;
}

void *
rte_zmalloc_socket(const char *type __rte_unused, size_t size, unsigned int align __rte_unused,
		int socket __rte_unused)
{
	return calloc(1, size);
}

void
rte_free(void *ptr)
{
	free(ptr);
}
