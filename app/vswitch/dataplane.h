/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef DATAPLANE_H
#define DATAPLANE_H

/**
 * @file
 * What lcores read of ports and bridges. The control thread makes a new one whenever something
 * changes, and frees the old one when no lcore has it any more: nothing in it is ever written.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_common.h>
#include <rte_ethdev.h>
#include <rte_spinlock.h>

#include "config.h"
#include "guard.h"
#include "vif_keys.h"
#include "vlan.h"

/** Most lcores that forward. */
#define WORKERS_MAX CONFIG_LCORES_MAX
/** Most Rx queues of a port. */
#define RXQS_MAX 32
/** Most captures at a time. */
#define CAPTURES_MAX 4

struct capture_sink;
struct dp_port;
struct mirror_counts;

/** Who gets copies of what comes in by a port, or of what goes out. */
struct dp_copies {
	unsigned int nb_captures;
	struct {
		struct capture_sink *sink;
		/** The port's number in the capture, or CAPTURE_INTERFACE_NONE. */
		uint16_t interface;
	} captures[CAPTURES_MAX];
	/** NULL: it is not mirrored. Else where the mirror's copies go. */
	struct mirror_counts *mirror;
	uint16_t to;
	const struct dp_port *to_port;
	/** That of the port. */
	bool undone;
};

/** A port. */
struct dp_port {
	/** Its MAC address as fdb_mac() has it, if it is locked. */
	uint64_t mac;
	/** Index of its bridge. */
	uint16_t bridge;
	/** VLAN of untagged packets. */
	uint16_t native;
	enum guard_lock lock;
	/** Addresses are learned of it, and it is sent what is for nobody that is known. */
	bool learns;
	/** The port is a guest's. */
	bool guest;
	/** What its packets lack when they come in is left to whoever they go to: offload.h. */
	bool undone;
	/** Packets go out by it as they are: it does all offloads, and none is tagged. */
	bool plain;
	/** Its device wants to see packets before it is to send them: a NIC's, or vhost-net. */
	bool nic;
	/** Largest payload of what goes out by it; a guest's is its driver's affair. */
	uint16_t mtu;
	/** Descriptors of a Tx queue. */
	uint16_t nb_txd;
	/** Tx queues: as many as lcores, or they share these by the locks. */
	uint16_t nb_txqs;
	rte_spinlock_t *tx_locks;
	/** RTE_ETH_TX_OFFLOAD_*: what it does by itself. */
	uint64_t tx_offloads;
	/** Who gets copies of what comes in by it and goes out; NULL: nobody. */
	const struct dp_copies *rx_copies;
	const struct dp_copies *tx_copies;
	/** Packets a second that each lcore may flood; 0: any number. */
	uint32_t storm;
	struct vlan_set vlan;
	unsigned int nb_ips;
	struct vif_ip ips[VIF_IPS_MAX];
} __rte_cache_aligned;

/** A bridge; in its masks, bit i is port i. */
struct dp_bridge {
	uint32_t members;
	/** Those that are sent packets for addresses that nobody knows. */
	uint32_t learning;
	uint32_t isolated;
};

/** An Rx queue that an lcore polls. */
struct dp_rxq {
	uint16_t port;
	uint16_t queue;
	/** Queues of the port that the lcore polls; 0: its share is not limited. */
	uint16_t sharing;
	/** It has interrupts. */
	bool wakes;
};

struct dataplane {
	struct dp_port ports[RTE_MAX_ETHPORTS];
	struct dp_bridge bridges[CONFIG_BRIDGES_MAX];
	/** Those of lcore i are first_rxq[i] up to first_rxq[i + 1]. */
	uint16_t first_rxq[WORKERS_MAX + 1];
	struct dp_rxq rxqs[RTE_MAX_ETHPORTS * RXQS_MAX];
	struct dp_copies rx_copies[RTE_MAX_ETHPORTS];
	struct dp_copies tx_copies[RTE_MAX_ETHPORTS];
	/** Ports as mirrors send by them: with any tag, and not mirrored again. */
	struct dp_port mirror_ports[RTE_MAX_ETHPORTS];
	struct dp_copies mirror_copies[RTE_MAX_ETHPORTS];
};

#endif /* DATAPLANE_H */
