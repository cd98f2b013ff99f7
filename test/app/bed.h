/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef BED_H
#define BED_H

/**
 * @file
 * A switch on the test bed: one worker, whose ports are entries of a dataplane and nothing more.
 * What would be sent stays in the worker, to be looked at.
 */

#include <stdint.h>

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "dataplane.h"
#include "fdb.h"
#include "worker.h"

/** Mbufs of the pool. */
#define BED_MBUFS 2047u
/** Addresses that the database can learn. */
#define BED_LEARNED 256u

/** Mbufs for all; test/unit/frame.c knows it by this name. No cache: what is out is out. */
extern struct rte_mempool *unit_pool;
extern struct worker bed_worker;
extern struct dataplane bed_dp;

/** Start DPDK: a group's setup. */
int
bed_setup(void **state);

int
bed_teardown(void **state);

/** A switch without ports: a test's setup. */
int
bed_begin(void **state);

/** Forget the switch; fail unless all mbufs are back: a test's teardown. */
int
bed_end(void **state);

/** Add a port that learns, with VLAN 0 untagged. */
struct dp_port *
bed_port(uint16_t port, uint16_t bridge);

/** Add a guest's port, whose address is pinned in its VLANs so far: in `native`. */
struct dp_port *
bed_guest(uint16_t port, uint16_t bridge, uint64_t mac, enum guard_lock lock, uint16_t native);

/** Change the untagged VLAN of a port. */
void
bed_native(uint16_t port, uint16_t native);

/** An address is behind a port: as the control thread learns it. */
void
bed_learn(uint64_t mac, uint16_t port, uint16_t vlan);

/** Forward a packet of an untagged frame of 60 bytes. */
void
bed_send(uint16_t in, uint64_t to, uint64_t from);

/** Forward one packet. */
void
bed_forward(uint16_t in, struct rte_mbuf *m);

/** Take the first packet out of those that would be sent by the port. NULL: there is none. */
struct rte_mbuf *
bed_take(uint16_t port);

/** Fail unless so many would be sent by the port; free them. */
void
bed_expect(uint16_t port, unsigned int n);

/** Fail unless nothing would be sent. */
void
bed_expect_nothing(void);

/** Fail unless all ports together have lost one packet since the last call, for that reason. */
void
bed_expect_drop(uint16_t port, enum drop reason);

/** Packets lost, by all ports for any reason. */
uint64_t
bed_drops(void);

/** What the worker tells next, false: nothing. */
bool
bed_news(struct worker_news *news);

/** Mbufs that are out. */
static inline unsigned int
bed_mbufs_out(void)
{
	return BED_MBUFS - rte_mempool_avail_count(unit_pool);
}

/** Numbers that are the same in each run. */
uint32_t
bed_random(void);

#endif /* BED_H */
