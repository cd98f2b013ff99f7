/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <string.h>
#include <time.h>

#include <rte_bitops.h>
#include <rte_branch_prediction.h>
#include <rte_cycles.h>
#include <rte_interrupts.h>
#include <rte_prefetch.h>
#include <rte_rcu_qsbr.h>

#include "copies.h"
#include "forward.h"
#include "offload.h"
#include "worker.h"

/*
 * Empty rounds until an lcore sleeps: without interrupts a microsecond more each time, with them
 * until something comes, but for no longer than another dataplane may wait to be taken.
 */
#define IDLE_ROUNDS 2000
#define NAP_MAX_US 500
#define SLEEP_MS 50
#define EVENTS 16
/* Bytes of a frame, without check sequence: IEEE 802.3. */
#define SHORTEST 60
/* Mbufs that are given to a guest at a time when few are left: those of the longest packet. */
#define SCARCE_MBUFS 32
/* Between two looks at whether an lcore has taken a dataplane. */
#define WAIT_US 50

bool
worker_is_scarce(const struct worker *w)
{
	const struct rte_mempool_ops *ops = rte_mempool_get_ops(w->pool->ops_index);

	return ops->get_count(w->pool) < w->pool->size / 4;
}

/* The worker's Tx queue of a port. Lcores are mostly no more than queues: no division then. */
static inline uint16_t
own_txq(const struct worker *w, const struct dp_port *p)
{
	return likely(w->index < p->nb_txqs) ? w->index : w->index % p->nb_txqs;
}

/* Does a packet wait for the guest? Each may hold 32 mbufs: the descriptors are no bound. */
static bool
has_waiting(const struct dp_port *p, uint16_t port, uint16_t queue)
{
	return rte_eth_tx_descriptor_status(port, queue, p->nb_txd - 1) == RTE_ETH_TX_DESC_FULL;
}

/*
 * When mbufs are scarce no guest may have more than one part of a burst wait, which holds few of
 * them: what is for one that has is lost.
 */
static uint16_t
send_scarce(const struct dp_port *p, uint16_t port, uint16_t queue, struct rte_mbuf **pkts,
		uint16_t n)
{
	uint16_t sent = 0, taken, end;
	uint32_t mbufs;

	while (sent < n && !has_waiting(p, port, queue)) {
		mbufs = pkts[sent]->nb_segs;
		for (end = sent + 1; end < n && mbufs + pkts[end]->nb_segs <= SCARCE_MBUFS; end++)
			mbufs += pkts[end]->nb_segs;
		taken = rte_eth_tx_burst(port, queue, &pkts[sent], end - sent);
		sent += taken;
		if (sent < end)
			break;
	}
	return sent;
}

/*
 * Give the port packets that it can send as they are, of so many bytes: those that are sent may be
 * gone afterwards. How many it takes.
 */
static uint16_t
transmit_burst(struct worker *w, const struct dp_port *p, uint16_t port, struct rte_mbuf **pkts,
		uint16_t n, uint64_t bytes)
{
	struct port_stats *stats = &w->stats[port];
	uint16_t queue = own_txq(w, p), sent, i;

	if (p->tx_locks != NULL)
		rte_spinlock_lock(&p->tx_locks[queue]);
	if (p->guest && unlikely(worker_is_scarce(w)))
		sent = send_scarce(p, port, queue, pkts, n);
	else
		sent = rte_eth_tx_burst(port, queue, pkts, n);
	if (p->tx_locks != NULL)
		rte_spinlock_unlock(&p->tx_locks[queue]);
	stats_count(&stats->tx_packets, sent);
	for (i = sent; i < n; i++) {
		bytes -= pkts[i]->pkt_len;
		worker_drop(w, port, DROP_TX_FULL, pkts[i]);
	}
	stats_count(&stats->tx_bytes, bytes);
	return sent;
}

/* The same, with copies of those that it takes. */
static void
transmit_copied(struct worker *w, const struct dp_port *p, uint16_t port, struct rte_mbuf **pkts,
		uint16_t n)
{
	struct copies copies;
	uint16_t i, part;

	for (i = 0; i < n; i += part) {
		part = RTE_MIN(n - i, COPIES_BURST);
		copies_take(&copies, w, p->tx_copies, own_txq(w, p), true, &pkts[i], part);
		copies_give(&copies, w,
				transmit_burst(w, p, port, &pkts[i], part,
						worker_sum_bytes(&pkts[i], part)));
	}
}

static void
transmit(struct worker *w, const struct dp_port *p, uint16_t port, struct rte_mbuf **pkts,
		uint16_t n, uint64_t bytes)
{
	if (likely(p->tx_copies == NULL))
		transmit_burst(w, p, port, pkts, n, bytes);
	else
		transmit_copied(w, p, port, pkts, n);
}

/* A packet that nobody else has: this one, or a copy in its place. NULL: there was no mbuf. */
static struct rte_mbuf *
own(struct worker *w, uint16_t port, struct rte_mbuf *m)
{
	struct rte_mbuf *copy;

	if (RTE_MBUF_DIRECT(m) && rte_mbuf_refcnt_read(m) == 1)
		return m;
	copy = rte_pktmbuf_copy(m, w->pool, 0, UINT32_MAX);
	if (copy == NULL)
		stats_count(&w->stats[port].drops[DROP_NO_MBUF], 1);
	else
		copy->vlan_tci = m->vlan_tci;
	rte_pktmbuf_free(m);
	return copy;
}

/* Give the packet the tag that it has at this port. NULL: it could not be, and is gone. */
static struct rte_mbuf *
tag(struct worker *w, const struct dp_port *p, uint16_t port, struct rte_mbuf *m)
{
	if ((m->vlan_tci & VLAN_ID_MASK) == p->native)
		return m;
	if ((p->tx_offloads & RTE_ETH_TX_OFFLOAD_VLAN_INSERT) != 0) {
		m->ol_flags |= RTE_MBUF_F_TX_VLAN;
		return m;
	}
	m = own(w, port, m);
	if (m != NULL && rte_vlan_insert(&m) != 0) {
		worker_drop(w, port, DROP_NO_MBUF, m);
		return NULL;
	}
	return m;
}

/* Have a NIC's driver look at the packet. */
static bool
prepare(const struct dp_port *p, uint16_t port, uint16_t queue, struct rte_mbuf *m)
{
	if (!p->nic)
		return true;
	/* A NIC counts up the id of IPv4, and has to make a new sum of that. */
	if ((p->tx_offloads & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM) != 0 &&
			(m->ol_flags & (RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_IPV4)) ==
					(RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_IPV4))
		m->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
	return rte_eth_tx_prepare(port, queue, &m, 1) == 1;
}

/* Frames shorter than Ethernet's stop some NICs. */
static struct rte_mbuf *
pad(struct worker *w, uint16_t port, struct rte_mbuf *m)
{
	uint16_t missing = SHORTEST - m->pkt_len;
	char *padding;

	m = own(w, port, m);
	if (m == NULL)
		return NULL;
	padding = rte_pktmbuf_append(m, missing);
	if (padding == NULL) {
		worker_drop(w, port, DROP_NO_MBUF, m);
		return NULL;
	}
	memset(padding, 0, missing);
	return m;
}

/* A guest's packet may have any length and any number of segments. NULL: it is gone. */
static struct rte_mbuf *
shape(struct worker *w, const struct dp_port *p, uint16_t port, struct rte_mbuf *m)
{
	if ((m->ol_flags & RTE_MBUF_F_TX_TCP_SEG) == 0 &&
			m->pkt_len > p->mtu + (uint32_t)RTE_ETHER_HDR_LEN) {
		worker_drop(w, port, DROP_TOO_LONG, m);
		return NULL;
	}
	if (m->nb_segs > 1 && (p->tx_offloads & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) == 0) {
		m = own(w, port, m);
		if (m != NULL && rte_pktmbuf_linearize(m) != 0) {
			worker_drop(w, port, DROP_OFFLOAD, m);
			return NULL;
		}
	}
	return m != NULL && m->pkt_len < SHORTEST ? pad(w, port, m) : m;
}

/*
 * Is there something to do for the packet that the device does not do? What is padded is completed
 * here, too: there are devices that take the padding for part of what they sum.
 */
static bool
is_incomplete(const struct dp_port *p, const struct rte_mbuf *m)
{
	return offload_missing(m, p->tx_offloads) ||
			(!p->guest && m->pkt_len < SHORTEST && (m->ol_flags & OFFLOAD_TX) != 0);
}

/* Have done what the device does not do: one packet, or several, or none if that cannot be. */
static uint16_t
complete(struct worker *w, const struct dp_port *p, uint16_t port, struct rte_mbuf *m,
		struct rte_mbuf **ready)
{
	int ret;

	ready[0] = m;
	if (!is_incomplete(p, m))
		return 1;
	if ((m->ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0) {
		ret = offload_segment(m, w->pool, ready, OFFLOAD_SEGMENTS_MAX);
	} else {
		ret = offload_complete(m);
		ret = ret == 0 ? 1 : ret;
	}
	if (ret > 0)
		return ret;
	worker_drop(w, port, ret == -ENOMEM ? DROP_NO_MBUF : DROP_OFFLOAD, m);
	return 0;
}

/* Make one packet ready for the port: a packet or several, or none if it cannot be. */
static uint16_t
finish(struct worker *w, const struct dp_port *p, uint16_t port, struct rte_mbuf *m,
		struct rte_mbuf **ready)
{
	uint16_t n, left = 0, i;

	/* What is to be segmented may be flooded, and its headers are changed for this port. */
	if (!p->guest && (m->ol_flags & OFFLOAD_TX) != 0)
		m = own(w, port, m);
	if (m == NULL)
		return 0;
	n = complete(w, p, port, m, ready);
	for (i = 0; i < n; i++) {
		m = p->guest ? ready[i] : shape(w, p, port, ready[i]);
		if (m != NULL)
			m = tag(w, p, port, m);
		if (m == NULL)
			continue;
		if (!prepare(p, port, own_txq(w, p), m)) {
			worker_drop(w, port, DROP_OFFLOAD, m);
			continue;
		}
		ready[left++] = m;
	}
	return left;
}

/* A port that does not take everything as it is. */
static void
send_finished(struct worker *w, const struct dp_port *p, uint16_t port, struct worker_out *out)
{
	struct rte_mbuf *ready[WORKER_BURST + OFFLOAD_SEGMENTS_MAX];
	uint16_t n = 0, i;

	for (i = 0; i < out->n; i++) {
		n += finish(w, p, port, out->pkts[i], &ready[n]);
		if (n >= WORKER_BURST) {
			transmit(w, p, port, ready, n, worker_sum_bytes(ready, n));
			n = 0;
		}
	}
	if (n > 0)
		transmit(w, p, port, ready, n, worker_sum_bytes(ready, n));
}

void
worker_send(struct worker *w, const struct dataplane *dp, uint16_t port)
{
	const struct dp_port *p = &dp->ports[port];
	struct worker_out *out = &w->out[port];

	if (p->plain)
		transmit(w, p, port, out->pkts, out->n, out->bytes);
	else
		send_finished(w, p, port, out);
	out->n = 0;
	out->bytes = 0;
}

static void
send_mirrored(struct worker *w, const struct dp_port *p, uint16_t port)
{
	send_finished(w, p, port, &w->mirrored[port]);
	w->mirrored[port].n = 0;
}

void
worker_send_mirrored(struct worker *w, const struct dataplane *dp, uint16_t port)
{
	send_mirrored(w, &dp->mirror_ports[port], port);
}

void
worker_mirror(struct worker *w, const struct dp_port *p, uint16_t port, struct rte_mbuf *m)
{
	struct worker_out *out = &w->mirrored[port];

	out->pkts[out->n++] = m;
	w->mirror_pending |= UINT32_C(1) << port;
	if (out->n == WORKER_OUT)
		send_mirrored(w, p, port);
}

/* Poll a queue; how many packets that were. */
static uint16_t
poll_rxq(struct worker *w, const struct dataplane *dp, const struct dp_rxq *rxq)
{
	struct rte_mbuf *pkts[WORKER_BURST];
	struct fair *fair = &w->fair[rxq->port][rxq->queue];
	struct port_stats *stats = &w->stats[rxq->port];
	const struct dp_copies *copies;
	uint16_t most = WORKER_BURST, n, i;
	uint32_t bytes;

	if (rxq->sharing != 0)
		most = fair_turn(fair, rxq->sharing);
	n = rte_eth_rx_burst(rxq->port, rxq->queue, pkts, most);
	if (n == 0)
		return 0;
	/* A guest's driver has just written them. */
	if (!dp->ports[rxq->port].guest) {
		for (i = 0; i < n; i++)
			rte_prefetch0(rte_pktmbuf_mtod(pkts[i], void *));
	}
	stats_count(&w->polled[rxq->port][rxq->queue], n);
	stats_count(&stats->rx_packets, n);
	copies = dp->ports[rxq->port].rx_copies;
	if (unlikely(copies != NULL))
		copies_receive(w, copies, rxq->queue, pkts, n);
	bytes = forward_burst(w, dp, rxq->port, pkts, n);
	stats_count(&stats->rx_bytes, bytes);
	if (rxq->sharing != 0)
		fair_charge(fair, n, bytes);
	return n;
}

/* All queues once, and all that they brought. */
static uint32_t
run_round(struct worker *w, const struct dataplane *dp)
{
	uint32_t packets = 0, left;
	uint16_t i;

	for (i = dp->first_rxq[w->index]; i < dp->first_rxq[w->index + 1]; i++)
		packets += poll_rxq(w, dp, &dp->rxqs[i]);
	for (left = w->pending; left != 0; left &= left - 1)
		worker_send(w, dp, rte_bsf32(left));
	w->pending = 0;
	/* Ports that are sent to above may be mirrored. */
	for (left = w->mirror_pending; unlikely(left != 0); left &= left - 1)
		worker_send_mirrored(w, dp, rte_bsf32(left));
	w->mirror_pending = 0;
	return packets;
}

/* Sleep a little longer after each empty round. */
static void
nap(struct worker *w)
{
	struct timespec pause = { .tv_sec = 0 };

	pause.tv_nsec = RTE_MIN(w->idle - IDLE_ROUNDS + 1, (uint32_t)NAP_MAX_US) * 1000;
	nanosleep(&pause, NULL);
}

/* Enable or disable the interrupts of all queues. */
static void
set_interrupts(const struct worker *w, const struct dataplane *dp, bool on)
{
	const struct dp_rxq *rxq = &dp->rxqs[dp->first_rxq[w->index]];
	unsigned int i;

	for (i = 0; i < w->nb_armed; i++, rxq++) {
		if (on)
			rte_eth_dev_rx_intr_enable(rxq->port, rxq->queue);
		else
			rte_eth_dev_rx_intr_disable(rxq->port, rxq->queue);
	}
}

/* Sleep until one of the queues has something. What came while they were told is seen before. */
static void
sleep_armed(struct worker *w, const struct dataplane *dp)
{
	struct rte_epoll_event events[EVENTS];

	set_interrupts(w, dp, true);
	if (run_round(w, dp) == 0) {
		rte_rcu_qsbr_thread_offline(w->rcu, w->index);
		rte_epoll_wait(RTE_EPOLL_PER_THREAD, events, EVENTS, SLEEP_MS);
		rte_rcu_qsbr_thread_online(w->rcu, w->index);
	}
	set_interrupts(w, dp, false);
}

/* A round without packets. */
static void
rest(struct worker *w, const struct dataplane *dp)
{
	uint64_t start;

	w->idle++;
	if (w->idle < IDLE_ROUNDS)
		return;
	start = rte_rdtsc();
	if (w->nb_armed > 0)
		sleep_armed(w, dp);
	else
		nap(w);
	stats_count(&w->slept, rte_rdtsc() - start);
}

/* Have the interrupts of all queues wake this lcore up, or no longer; all or none. */
static int
control_interrupts(const struct worker *w, const struct dataplane *dp, unsigned int n, int op)
{
	const struct dp_rxq *rxq = &dp->rxqs[dp->first_rxq[w->index]];
	unsigned int i;
	int ret;

	for (i = 0; i < n; i++, rxq++) {
		ret = rte_eth_dev_rx_intr_ctl_q(rxq->port, rxq->queue, RTE_EPOLL_PER_THREAD, op,
				NULL);
		if (ret < 0 && op == RTE_INTR_EVENT_ADD) {
			control_interrupts(w, dp, i, RTE_INTR_EVENT_DEL);
			return ret;
		}
	}
	return 0;
}

/* Go over to another dataplane. An lcore sleeps only if whatever may come wakes it up. */
static void
take(struct worker *w, const struct dataplane *dp)
{
	unsigned int first = dp->first_rxq[w->index], n = dp->first_rxq[w->index + 1] - first, i;

	if (w->taken != NULL)
		control_interrupts(w, w->taken, w->nb_armed, RTE_INTR_EVENT_DEL);
	for (i = 0; i < n && dp->rxqs[first + i].wakes; i++)
		;
	w->nb_armed = 0;
	if (i == n && control_interrupts(w, dp, n, RTE_INTR_EVENT_ADD) == 0)
		w->nb_armed = n;
	__atomic_store_n(&w->taken, dp, __ATOMIC_RELEASE);
}

void
worker_wait(const struct worker *w, const struct dataplane *dp)
{
	while (__atomic_load_n(&w->running, __ATOMIC_ACQUIRE) &&
			__atomic_load_n(&w->taken, __ATOMIC_ACQUIRE) != dp)
		rte_delay_us_sleep(WAIT_US);
}

/* The time, as far as it is needed. After a round with packets, what that has taken. */
static void
look_at_clock(struct worker *w, uint64_t hz)
{
	uint64_t before = w->tsc;

	w->tsc = rte_rdtsc();
	if (w->idle == 0)
		stats_count(&w->busy, w->tsc - before);
	if (w->tsc - (uint64_t)w->now * hz >= hz)
		w->now = w->tsc / hz;
}

int
worker_run(void *worker)
{
	uint64_t hz = rte_get_tsc_hz();
	const struct dataplane *dp;
	struct worker *w = worker;

	rte_rcu_qsbr_thread_register(w->rcu, w->index);
	rte_rcu_qsbr_thread_online(w->rcu, w->index);
	__atomic_store_n(&w->running, true, __ATOMIC_RELEASE);
	w->tsc = rte_rdtsc();
	while (!__atomic_load_n(&w->stop, __ATOMIC_RELAXED)) {
		dp = __atomic_load_n(w->dataplane, __ATOMIC_ACQUIRE);
		if (unlikely(dp != w->taken))
			take(w, dp);
		look_at_clock(w, hz);
		stats_count(&w->rounds, 1);
		if (run_round(w, dp) != 0) {
			stats_count(&w->busy_rounds, 1);
			w->idle = 0;
		} else {
			rest(w, dp);
		}
		rte_rcu_qsbr_quiescent(w->rcu, w->index);
	}
	if (w->taken != NULL)
		control_interrupts(w, w->taken, w->nb_armed, RTE_INTR_EVENT_DEL);
	__atomic_store_n(&w->running, false, __ATOMIC_RELEASE);
	rte_rcu_qsbr_thread_offline(w->rcu, w->index);
	rte_rcu_qsbr_thread_unregister(w->rcu, w->index);
	return 0;
}
