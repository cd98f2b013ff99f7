/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef PORT_H
#define PORT_H

/**
 * @file
 * A port of the switch: a device of DPDK, with what is asked of it. All functions are for the
 * control thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_mempool.h>
#include <rte_spinlock.h>

#include "config.h"
#include "dataplane.h"
#include "guard.h"
#include "name.h"
#include "vif_keys.h"
#include "vlan.h"

#define PORT_DEVARGS_SIZE (CONFIG_TEXT_SIZE + 64)
#define PORT_ERROR_SIZE 256

/** The kernel's vhost-net. */
#define PORT_VHOST_NET "/dev/vhost-net"

enum port_kind {
	/** A guest's vif. */
	PORT_GUEST,
	/** The way to other hosts. */
	PORT_UPLINK,
	/** This domain itself. */
	PORT_HOST,
};

/** What is wanted of a port. */
struct port_spec {
	char name[NAME_SIZE];
	enum port_kind kind;
	/** Of DPDK; a change of these, of `queues` or of `mtu` makes it another port. */
	char devargs[PORT_DEVARGS_SIZE];
	/** Of a host's: it is PORT_VHOST_NET that carries its packets. */
	bool vhost;
	uint16_t queues;
	uint16_t mtu;
	/** Index of its bridge. */
	unsigned int bridge;
	struct vlan_set vlan;
	enum guard_lock lock;
	bool isolated;
	/** Most addresses that are learned of it; 0: any number. */
	uint32_t macs;
	uint32_t storm;
	/** Seconds until what was learned is forgotten. */
	uint32_t age;
	/** Of a guest. */
	unsigned int domid;
	unsigned int devid;
	struct rte_ether_addr mac;
	unsigned int nb_ips;
	struct vif_ip ips[VIF_IPS_MAX];
};

/** A port that is open: polled by lcores as soon as the dataplane has it. */
struct port {
	struct port_spec spec;
	/** Of ethdev. */
	uint16_t id;
	/** The device's name. */
	char device[RTE_ETH_NAME_MAX_LEN];
	uint16_t nb_rxqs;
	uint16_t nb_txqs;
	/** Descriptors of each Tx queue. */
	uint16_t nb_txd;
	uint64_t tx_offloads;
	/** Its Rx queues have interrupts. */
	bool wakes;
	/** The lcore that polls each Rx queue: an index of workers. */
	uint8_t worker[RXQS_MAX];
	/** Its address is pinned in the forwarding database. */
	bool pinned;
	rte_spinlock_t tx_locks[RTE_MAX_QUEUES_PER_PORT];
};

/** May what comes in by such a port lack checksums and segmentation, which stay so? */
static inline bool
port_undone(const struct port_spec *spec)
{
	return spec->kind == PORT_GUEST || spec->vhost;
}

/** Does a port that was made as `old` says do for `spec`, or is it another device? */
bool
port_same_device(const struct port_spec *old, const struct port_spec *spec);

/**
 * Make the device, configure and start it.
 *
 * @param nb_workers
 *   Lcores that send to it.
 * @param pool
 *   Where it takes mbufs from.
 * @param[out] error
 *   On failure: why, one line. PORT_ERROR_SIZE bytes.
 * @return
 *   The port; or NULL, with rte_errno.
 */
struct port *
port_open(const struct port_spec *spec, unsigned int nb_workers, struct rte_mempool *pool,
		char *error);

/** Stop it and remove the device, as far as that succeeds. No lcore may have the port. */
void
port_close(struct port *port);

/**
 * Try again to remove the devices of closed ports for which that has failed.
 *
 * @return
 *   0: none is left; or the negative errno of the first that is.
 */
int
port_remove_left(void);

/**
 * A device that is left of a closed port.
 *
 * @param i
 *   From 0 on.
 * @param[out] error
 *   Why it could not be removed: a negative errno.
 * @return
 *   The name of the port; NULL: there are no more.
 */
const char *
port_left(unsigned int i, int *error);

/** `guest`, or as the configuration has it: `uplink` or `tap`. */
const char *
port_kind_name(enum port_kind kind);

/** Is its link up? */
bool
port_link_up(const struct port *port);

#endif /* PORT_H */
