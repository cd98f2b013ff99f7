/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef WORKER_H
#define WORKER_H

/**
 * @file
 * An lcore that forwards: it polls its Rx queues in turn and runs each packet to completion.
 *
 * Everything in struct worker is written by its lcore alone, but for `stop`; others may read its
 * counters.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_common.h>
#include <rte_mbuf.h>
#include <rte_meter.h>
#include <rte_ring.h>

#include "dataplane.h"
#include "fair.h"
#include "fdb.h"
#include "stats.h"

/** Packets of an Rx burst at most. */
#define WORKER_BURST FAIR_PACKETS
/** Packets that are gathered for a port before they are sent. */
#define WORKER_OUT 128

/** What goes out by a port; `bytes` are those of its packets as they were put in. */
struct worker_out {
	uint16_t n;
	uint32_t bytes;
	struct rte_mbuf *pkts[WORKER_OUT];
};

/** What an lcore remembers of a port that packets come in by. */
struct worker_in {
	/** Of what may be flooded; set up for `storm`. */
	uint32_t storm;
	struct rte_meter_srtcm_profile storm_profile;
	struct rte_meter_srtcm storm_meter;
};

/** An address that was seen at a port and is not known there. */
struct worker_news {
	uint64_t key;
	uint16_t port;
};

struct fdb_cache;

struct worker {
	unsigned int index;
	unsigned int lcore;
	struct fdb *fdb;
	struct fdb_cache *fdb_cache;
	struct rte_rcu_qsbr *rcu;
	/** The current one; the control thread changes the pointer. */
	struct dataplane *const *dataplane;
	/** struct worker_news for the control thread. */
	struct rte_ring *news;
	/** Where mbufs of variants come from. */
	struct rte_mempool *pool;
	/** The TSC at the start of the round, and its seconds. */
	uint64_t tsc;
	uint32_t now;
	/** Ports with packets in `out`, and in `mirrored`. */
	uint32_t pending;
	uint32_t mirror_pending;
	/** Rounds in which there were packets, and all; TSC cycles of the former, and asleep. */
	uint64_t busy_rounds;
	uint64_t rounds;
	uint64_t busy;
	uint64_t slept;
	/** Empty rounds since the last packet. */
	uint32_t idle;
	bool stop;
	/** It runs; and the dataplane that it has taken: those before are not used any more. */
	bool running;
	const struct dataplane *taken;
	/** Rx queues whose interrupts wake it up, of `taken`: all of them, or none. */
	unsigned int nb_armed;
	struct worker_out out[RTE_MAX_ETHPORTS];
	/** Copies that mirrors send. */
	struct worker_out mirrored[RTE_MAX_ETHPORTS];
	struct worker_in in[RTE_MAX_ETHPORTS];
	struct fair fair[RTE_MAX_ETHPORTS][RXQS_MAX];
	/** Packets that each Rx queue has brought: its part of what the lcore has to do. */
	uint64_t polled[RTE_MAX_ETHPORTS][RXQS_MAX];
	struct port_stats stats[RTE_MAX_ETHPORTS];
} __rte_cache_aligned;

/**
 * The loop of an lcore: lcore_function_t with a struct worker.
 *
 * @return
 *   0, when `stop` was set.
 */
int
worker_run(void *worker);

/**
 * Wait until the worker has taken the dataplane, if it runs. The control thread.
 */
void
worker_wait(const struct worker *w, const struct dataplane *dp);

/**
 * Fewer than a quarter of all mbufs are left, but for those in caches: each lcore may count on its
 * own alone. The worker's lcore.
 */
bool
worker_is_scarce(const struct worker *w);

/** The bytes of packets. */
static inline uint32_t
worker_sum_bytes(struct rte_mbuf *const *pkts, uint16_t n)
{
	uint32_t bytes = 0;
	uint16_t i;

	for (i = 0; i < n; i++)
		bytes += pkts[i]->pkt_len;
	return bytes;
}

/** Send what is gathered for a port. The worker's lcore. */
void
worker_send(struct worker *w, const struct dataplane *dp, uint16_t port);

/** Send the copies that mirrors have gathered for a port. The worker's lcore. */
void
worker_send_mirrored(struct worker *w, const struct dataplane *dp, uint16_t port);

/** Gather a mirror's copy for a port. The worker's lcore. */
void
worker_mirror(struct worker *w, const struct dp_port *p, uint16_t port, struct rte_mbuf *m);

/** Count a packet that is lost, and free it. The worker's lcore. */
static inline void
worker_drop(struct worker *w, uint16_t port, enum drop reason, struct rte_mbuf *m)
{
	stats_count(&w->stats[port].drops[reason], 1);
	rte_pktmbuf_free(m);
}

/** So many packets more have been put into a port's list, to its end. The worker's lcore. */
static inline void
worker_out_many(struct worker *w, const struct dataplane *dp, uint16_t port, uint16_t n,
		uint32_t bytes)
{
	struct worker_out *out = &w->out[port];

	out->n += n;
	out->bytes += bytes;
	w->pending |= UINT32_C(1) << port;
	if (out->n == WORKER_OUT)
		worker_send(w, dp, port);
}

/** Gather a packet for a port. The worker's lcore. */
static inline void
worker_out(struct worker *w, const struct dataplane *dp, uint16_t port, struct rte_mbuf *m)
{
	struct worker_out *out = &w->out[port];

	out->pkts[out->n] = m;
	worker_out_many(w, dp, port, 1, m->pkt_len);
}

#endif /* WORKER_H */
