/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef UNIT_H
#define UNIT_H

/**
 * @file
 * What the unit tests share: DPDK without root and hugepages, the log as text, ports, waiting, and
 * the toolstack's hand in xenstore. A test program is domain 0; its guests are rawfront.h's.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <xenstore.h>

#include "rawfront.h"
#include "xensim.h"

/** How long anything may take that is waited for. No test depends on it being short. */
#define UNIT_LIMIT_MS RAWFRONT_LIMIT_MS

/** Mbufs of unit_pool, and the bytes that fit into one. */
#define UNIT_MBUFS 2048u
#define UNIT_ROOM 2048u

/** Longest value read out of xenstore by unit_read(). */
#define UNIT_VALUE_MAX 512

/** The test's own connection to xenstore: the toolstack's and the guests' kernels'. */
extern struct xs_handle *unit_store;

/** Mbufs for ports and tests, without a cache: what is out is out. */
extern struct rte_mempool *unit_pool;

/** Start DPDK, a machine's domain 1 and 2, and the connection to xenstore: a group's setup. */
int
unit_setup(void **state);

/** End what unit_setup() started. */
int
unit_teardown(void **state);

/** Milliseconds of a monotonic clock. */
uint64_t
unit_now_ms(void);

/** The drivers' clock jumps ahead, but for timers that are set already. */
void
unit_clock_skip(uint64_t ms);

/**
 * The drivers' clock stands still, and the control thread with it when it has something to do at a
 * later time; or goes on, as if it had not.
 */
void
unit_clock_stop(bool stop);

/** Milliseconds since a time of unit_now_ms(). */
static inline uint64_t
unit_age_ms(uint64_t since)
{
	return unit_now_ms() - since;
}

/** What runs between two looks at something that is waited for; NULL: nothing but a nap. */
extern void (*unit_idle_hook)(void);

/** A nap of the test, with the hook run. */
void
unit_idle(void);

/** Wait until a condition holds; the test fails when it does not within UNIT_LIMIT_MS. */
#define unit_wait(cond) \
	do { \
		uint64_t unit_end = unit_now_ms() + UNIT_LIMIT_MS; \
		while (!(cond)) { \
			if (unit_now_ms() > unit_end) \
				fail_msg("not within %u ms: %s", UNIT_LIMIT_MS, #cond); \
			unit_idle(); \
		} \
	} while (0)

/**
 * Forget the log so far, also for the drivers: they hold back no line for one that was before.
 * Every thread's lines are caught from unit_setup() on.
 */
void
unit_log_clear(void);

/** Does the log have this text? */
bool
unit_log_has(const char *text);

/** Where the text stands in the log the first time, or -1. */
long
unit_log_find(const char *text);

/** How many times the text is in the log. */
unsigned int
unit_log_count(const char *text);

/** Fail, with the log, unless it has this text. */
void
unit_assert_log(const char *text);

/** Read a key; empty when there is none. The path is made from fmt. Not for several threads. */
const char *
unit_read(const char *fmt, ...) __rte_format_printf(1, 2);

/** Write a key. */
void
unit_write(const char *value, const char *fmt, ...) __rte_format_printf(2, 3);

/** Remove a key or directory, if it is there. */
void
unit_remove(const char *fmt, ...) __rte_format_printf(1, 2);

/** Probe a vdev; 0 or what the driver answered. */
int
unit_probe(const char *name, const char *args);

/** Number of the port with that name. */
uint16_t
unit_port(const char *name);

/** Ports that are started from now on are to have rx interrupts. */
extern bool unit_rx_interrupts;

/**
 * Configure a port, set up as many rx and tx queues, and start it.
 *
 * @param offloads
 *   RTE_ETH_RX_OFFLOAD_*.
 */
void
unit_start(uint16_t port, uint16_t queues, uint64_t offloads, struct rte_mempool *pool);

/** The same with as many rx and tx queues as one likes. */
void
unit_start_queues(uint16_t port, uint16_t nb_rxq, uint16_t nb_txq, uint64_t offloads,
		struct rte_mempool *pool);

/** Stop, close and remove a port; its losses have to add up: see unit_check_losses(). */
void
unit_remove_port(const char *name);

/** The port's link is up. */
bool
unit_link(uint16_t port);

/** Count the port's link events from now on, apart by the link at each of them; or no longer. */
void
unit_lsc_begin(uint16_t port);
void
unit_lsc_end(uint16_t port);

/** Has the link come up and gone down so often? */
bool
unit_lsc_are(unsigned int up, unsigned int down);

/** An extended statistic of a port, by its name. */
uint64_t
unit_xstat(uint16_t port, const char *name);
/** The same of a queue: "rx" or "tx", its number and what is counted, such as "packets". */
uint64_t
unit_queue_xstat(uint16_t port, const char *dir, unsigned int queue, const char *what);

/**
 * Fail unless each lost packet is in one of the statistics that say why: those of the rings that
 * end in "_errors" or "_dropped" make up ierrors and oerrors.
 */
void
unit_check_losses(uint16_t port);

/** What domain 0 holds now is none of the drivers': unit_setup() calls this. */
void
unit_count_from_here(void);

/** Grants that domain 0 maps. */
uint64_t
unit_maps(void);

/** Event channels of domain 0 that are in use. */
uint64_t
unit_ports(void);

/** Grants of domain 0's own pages. */
uint64_t
unit_grants(void);

/** Notifications that domain 0 has sent. */
uint64_t
unit_notifies(void);

/** Open file descriptors of the process. */
unsigned int
unit_fds(void);

/** Bytes of the process in memory. */
uint64_t
unit_rss(void);

/**
 * Make a packet of len bytes in segments of seg bytes at most, filled with unit_byte().
 *
 * @param seed
 *   Where the pattern begins.
 */
struct rte_mbuf *
unit_packet(uint32_t len, uint16_t seg, uint32_t seed);

/** The same of another mempool's mbufs. */
struct rte_mbuf *
unit_packet_of(struct rte_mempool *pool, uint32_t len, uint16_t seg, uint32_t seed);

/** Byte number i of the pattern that begins with seed. */
static inline uint8_t
unit_byte(uint32_t seed, uint32_t i)
{
	uint32_t x = (seed + i) * 2654435761u;

	return (x >> 24) ^ (x >> 9);
}

/** Fail unless the packet has len bytes, of the pattern from seed on. */
void
unit_check_packet(const struct rte_mbuf *m, uint32_t len, uint32_t seed);

/** One of all lengths that packets have, a long one for every third n. */
static inline uint32_t
unit_any_len(unsigned int n)
{
	return n % 3 == 0 ? 60 + n * 7919 % (UINT16_MAX - 60 + 1) : 60 + n * 31 % 9000;
}

/** Take all mbufs of unit_pool but some, and give them back. */
void
unit_take_mbufs(unsigned int left);
void
unit_give_mbufs_back(void);

/** Fail unless every mbuf of unit_pool is back. */
void
unit_check_pool(void);

#endif /* UNIT_H */
