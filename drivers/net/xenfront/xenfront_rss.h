/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XENFRONT_RSS_H
#define XENFRONT_RSS_H

/**
 * @file
 * How the application wants received packets spread over its queues (RSS), and how the backend
 * learns of it (netif.h, "Control messages").
 *
 * What the application wants is nif.rings.hash.cfg, with rx queues in the mapping: it is kept
 * whether or not there is a backend. The control thread brings it to the backend, message by
 * message, after each change and after each connect. An operation waits for that when there is a
 * connection, but for a limited time.
 */

#include <ethdev_driver.h>

#include "xen_hash.h"

struct xenfront;

/** See above. */
struct xenfront_rss {
	/* With nif.lock: changes with every change of what is wanted. */
	uint32_t asked;
	/* The last of these that the backend has got, or should have got; what came of it. */
	uint32_t finished;
	int result;
	/* Connected, by a control ring. */
	bool live;
	/* The backend has not answered in time: it is asked for nothing more. */
	bool dead;

	/* The rest is the control thread's: the change under way, and the limit of its message. */
	bool running;
	uint32_t target_asked;
	uint64_t until_ms;
	struct xen_hash_config target;
	/* What the backend has, as far as is known: a bit for each type of message. */
	uint32_t known;
	struct xen_hash_config has;
};

/** A connection begins. Control thread. */
void
xenfront_rss_begin(struct xenfront *front);

/**
 * The connection ends. Control thread.
 *
 * @param result
 *   0 or a negative errno, for an operation that waits: 0 leaves its wish to the next connection.
 */
void
xenfront_rss_end(struct xenfront *front, int result);

/** The backend does not answer its control ring: it is asked for nothing more. Control thread. */
void
xenfront_rss_dead(struct xenfront *front);

/** Take a response, and send the next request if there is one to be sent. Control thread. */
void
xenfront_rss_step(struct xenfront *front);

/* See the operations of the same names in struct eth_dev_ops. */
int
xenfront_rss_configure(struct rte_eth_dev *dev);
int
xenfront_rss_hash_update(struct rte_eth_dev *dev, struct rte_eth_rss_conf *conf);
int
xenfront_rss_hash_conf_get(struct rte_eth_dev *dev, struct rte_eth_rss_conf *conf);
int
xenfront_rss_reta_update(struct rte_eth_dev *dev, struct rte_eth_rss_reta_entry64 *reta,
		uint16_t size);
int
xenfront_rss_reta_query(struct rte_eth_dev *dev, struct rte_eth_rss_reta_entry64 *reta,
		uint16_t size);

/** Fill in what a port can do. */
void
xenfront_rss_infos(struct rte_eth_dev_info *info);

#endif /* XENFRONT_RSS_H */
