/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/vhost.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_malloc.h>

#include "config_keys.h"
#include "log.h"
#include "offload.h"
#include "port.h"

/* Descriptors: those of a vif's Tx queue are where packets wait for a guest that is slow. */
#define RX_DESCRIPTORS 512
#define TX_DESCRIPTORS 1024

/* More devices than a process can have. */
#define LEFT_MAX (2 * RTE_MAX_ETHPORTS)
#define LEFT "left of a closed port, and cannot be removed"

/* Devices that are a port's already. */
static bool used[RTE_MAX_ETHPORTS];

/* Devices of closed ports that could not be removed yet: what is left to be done with them. */
static struct left {
	char name[NAME_SIZE];
	struct rte_device *device;
	uint16_t id;
	/* The number is another port's, or nobody's. */
	bool closed;
	int error;
} left[LEFT_MAX];
static unsigned int nb_left;

const char *
port_kind_name(enum port_kind kind)
{
	switch (kind) {
	case PORT_GUEST:
		return "guest";
	case PORT_UPLINK:
		return "uplink";
	case PORT_HOST:
	default:
		return "tap";
	}
}

bool
port_link_up(const struct port *port)
{
	struct rte_eth_link link;

	return rte_eth_link_get_nowait(port->id, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

bool
port_same_device(const struct port_spec *old, const struct port_spec *spec)
{
	return strcmp(old->devargs, spec->devargs) == 0 && old->queues == spec->queues &&
			old->mtu == spec->mtu;
}

/* The first port of the device; devices with several of them are rare. */
static int
find_port(const char *devargs, uint16_t *id)
{
	struct rte_dev_iterator iterator;
	uint16_t port;

	RTE_ETH_FOREACH_MATCHING_DEV(port, devargs, &iterator) {
		*id = port;
		rte_eth_iterator_cleanup(&iterator);
		return 0;
	}
	return -ENODEV;
}

static uint64_t
rx_offloads(const struct port_spec *spec, const struct rte_eth_dev_info *info)
{
	uint64_t offloads = RTE_ETH_RX_OFFLOAD_SCATTER;

	if (port_undone(spec))
		offloads |= RTE_ETH_RX_OFFLOAD_TCP_LRO | RTE_ETH_RX_OFFLOAD_TCP_CKSUM |
				RTE_ETH_RX_OFFLOAD_UDP_CKSUM;
	if (spec->kind == PORT_UPLINK)
		offloads |= RTE_ETH_RX_OFFLOAD_VLAN_STRIP;
	return offloads & info->rx_offload_capa;
}

static uint64_t
tx_offloads(const struct port_spec *spec, const struct rte_eth_dev_info *info)
{
	uint64_t offloads = OFFLOAD_TX_PORT;

	/* Most drivers that insert tags write them into the packet, also into a shared one. */
	if (spec->kind != PORT_GUEST)
		offloads &= ~RTE_ETH_TX_OFFLOAD_VLAN_INSERT;
	/* A tap device has them done by its driver in software, and not for IPv6. */
	if (spec->kind == PORT_HOST && !spec->vhost)
		offloads = RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	return offloads & info->tx_offload_capa;
}

static int
setup_queues(struct port *port, const struct rte_eth_dev_info *info,
		const struct rte_eth_conf *conf, struct rte_mempool *pool)
{
	uint16_t nb_rxd = RX_DESCRIPTORS, q;
	struct rte_eth_rxconf rx = info->default_rxconf;
	struct rte_eth_txconf tx = info->default_txconf;
	int ret;

	rx.offloads = conf->rxmode.offloads;
	tx.offloads = conf->txmode.offloads;
	port->nb_txd = TX_DESCRIPTORS;
	ret = rte_eth_dev_adjust_nb_rx_tx_desc(port->id, &nb_rxd, &port->nb_txd);
	for (q = 0; ret == 0 && q < port->nb_rxqs; q++)
		ret = rte_eth_rx_queue_setup(port->id, q, nb_rxd, SOCKET_ID_ANY, &rx, pool);
	for (q = 0; ret == 0 && q < port->nb_txqs; q++)
		ret = rte_eth_tx_queue_setup(port->id, q, port->nb_txd, SOCKET_ID_ANY, &tx);
	return ret;
}

static bool
is_tap(const struct rte_eth_dev_info *info)
{
	return strcmp(info->driver_name, "net_tap") == 0;
}

/* Whether it has them no capability tells. Those of a tap device are always enabled. */
static bool
has_interrupts(const struct port *port, const struct rte_eth_dev_info *info)
{
	int ret = rte_eth_dev_rx_intr_enable(port->id, 0);

	if (ret == -ENOTSUP && is_tap(info))
		return rte_eth_dev_rx_intr_ctl_q_get_fd(port->id, 0) >= 0;
	return ret == 0 && rte_eth_dev_rx_intr_disable(port->id, 0) == 0;
}

/* Configure the device for its port, and start it; without interrupts if it does not with them. */
static int
start(struct port *port, unsigned int nb_workers, struct rte_mempool *pool, bool interrupts)
{
	const struct port_spec *spec = &port->spec;
	struct rte_eth_conf conf = {
		.rxmode = { .mtu = spec->mtu },
		.intr_conf = { .rxq = interrupts },
	};
	struct rte_eth_dev_info info;
	int ret = rte_eth_dev_info_get(port->id, &info);

	if (ret != 0)
		return ret;
	port->nb_rxqs = RTE_MIN(spec->queues, info.max_rx_queues);
	port->nb_txqs = RTE_MIN(nb_workers, info.max_tx_queues);
	/* A tap device has as many of one kind as of the other, also as an uplink. */
	if (is_tap(&info) || spec->vhost)
		port->nb_txqs = port->nb_rxqs;
	conf.rxmode.offloads = rx_offloads(spec, &info);
	conf.txmode.offloads = tx_offloads(spec, &info);
	if ((conf.rxmode.offloads & RTE_ETH_RX_OFFLOAD_TCP_LRO) != 0)
		conf.rxmode.max_lro_pkt_size = info.max_lro_pkt_size;
	if (port->nb_rxqs > 1 && spec->kind == PORT_UPLINK) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf = info.flow_type_rss_offloads &
				(RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP);
	}
	ret = rte_eth_dev_configure(port->id, port->nb_rxqs, port->nb_txqs, &conf);
	if (ret == 0)
		ret = setup_queues(port, &info, &conf, pool);
	if (ret != 0)
		return ret;
	port->tx_offloads = conf.txmode.offloads;
	/* Nobody asks what kind of packet it is. */
	rte_eth_dev_set_ptypes(port->id, RTE_PTYPE_UNKNOWN, NULL, 0);
	ret = rte_eth_dev_start(port->id);
	if (ret != 0 && interrupts)
		return start(port, nb_workers, pool, false);
	if (ret != 0)
		return ret;
	port->wakes = interrupts && has_interrupts(port, &info);
	ret = rte_eth_promiscuous_enable(port->id);
	return ret == -ENOTSUP ? 0 : ret;
}

/* Do what is left to be done. */
static int
try_remove(struct left *l)
{
	int ret = 0;

	if (!l->closed) {
		ret = rte_eth_dev_stop(l->id);
		if (ret == 0)
			ret = rte_eth_dev_close(l->id);
		/* Its number is free whatever its driver says. */
		l->closed = !rte_eth_dev_is_valid_port(l->id);
		used[l->id] = !l->closed;
	}
	if (ret == 0 && l->device != NULL)
		ret = rte_dev_remove(l->device);
	l->error = ret;
	return ret;
}

static void
remove_device(const struct port *port)
{
	bool full = nb_left == LEFT_MAX;
	struct left l = { .id = port->id };
	struct rte_eth_dev_info info;

	memcpy(l.name, port->spec.name, sizeof(l.name));
	if (rte_eth_dev_info_get(port->id, &info) == 0)
		l.device = info.device;
	if (try_remove(&l) == 0)
		return;
	LOG(WARNING, "port %s: cannot remove its device: %s; %s", l.name, rte_strerror(-l.error),
			full ? "it stays, as too many others are left" : "trying again");
	if (!full)
		left[nb_left++] = l;
}

int
port_remove_left(void)
{
	unsigned int i, kept = 0;
	int ret = 0;

	for (i = 0; i < nb_left; i++) {
		if (try_remove(&left[i]) == 0) {
			LOG(NOTICE, "port %s: its device is removed now", left[i].name);
			continue;
		}
		ret = ret != 0 ? ret : left[i].error;
		left[kept++] = left[i];
	}
	nb_left = kept;
	return ret;
}

static bool
is_left(uint16_t id)
{
	unsigned int i;

	for (i = 0; i < nb_left; i++) {
		if (!left[i].closed && left[i].id == id)
			return true;
	}
	return false;
}

/* Is it one that no port has any more, and that stays? */
static bool
is_left_device(const char *name)
{
	unsigned int i;

	for (i = 0; i < nb_left; i++) {
		if (left[i].closed && left[i].device != NULL &&
				strcmp(rte_dev_name(left[i].device), name) == 0)
			return true;
	}
	return false;
}

/*
 * The driver says of nothing why, and keeps what it has opened when it fails late: have done what
 * may fail before.
 */
static int
check_vhost(const struct port_spec *spec, char *error)
{
	int fd = open(PORT_VHOST_NET, O_RDWR | O_CLOEXEC), ret = 0;

	if (fd < 0 || ioctl(fd, VHOST_SET_OWNER, NULL) != 0) {
		ret = -errno;
		snprintf(error, PORT_ERROR_SIZE, "vhost=yes: " PORT_VHOST_NET ": %s%s",
				strerror(-ret), fd < 0 ? "; modprobe vhost-net" : "");
	} else if (if_nametoindex(spec->name) != 0) {
		ret = -EEXIST;
		snprintf(error, PORT_ERROR_SIZE, "vhost=yes: an interface %s is there already",
				spec->name);
	}
	if (fd >= 0)
		close(fd);
	return ret;
}

/* Have a driver make the port. A device of another kind is given back. */
static int
make_device(const char *devargs, uint16_t *id, char *error)
{
	int ret = rte_dev_probe(devargs), len = strcspn(devargs, ",");
	char name[PORT_DEVARGS_SIZE];

	if (ret != 0) {
		snprintf(error, PORT_ERROR_SIZE, "no device '%.128s': %s", devargs,
				ret == -EFAULT ? "no driver of DPDK's takes it" :
						 rte_strerror(-ret));
		return ret;
	}
	ret = find_port(devargs, id);
	if (ret == 0)
		return 0;
	snprintf(name, sizeof(name), "%.*s", len, devargs);
	if (is_left_device(name)) {
		snprintf(error, PORT_ERROR_SIZE, "device '%.128s' is " LEFT, devargs);
		return -EBUSY;
	}
	snprintf(error, PORT_ERROR_SIZE, "device '%.128s' has no port", devargs);
	if (rte_eal_hotplug_remove(config_is_pci(name) ? "pci" : "vdev", name) != 0)
		LOG(WARNING, "device '%.128s' has no port, and stays", devargs);
	return ret;
}

const char *
port_left(unsigned int i, int *error)
{
	if (i >= nb_left)
		return NULL;
	*error = left[i].error;
	return left[i].name;
}

struct port *
port_open(const struct port_spec *spec, unsigned int nb_workers, struct rte_mempool *pool,
		char *error)
{
	struct port *port = rte_zmalloc("port", sizeof(*port), 0);
	unsigned int i;
	int ret;

	if (port == NULL) {
		snprintf(error, PORT_ERROR_SIZE, "no memory");
		rte_errno = ENOMEM;
		return NULL;
	}
	port->spec = *spec;
	for (i = 0; i < RTE_DIM(port->tx_locks); i++)
		rte_spinlock_init(&port->tx_locks[i]);
	if (rte_eth_dev_count_avail() == RTE_MAX_ETHPORTS) {
		snprintf(error, PORT_ERROR_SIZE,
				"this DPDK has room for %u ports in a process, and all are taken",
				RTE_MAX_ETHPORTS);
		ret = -ENOSPC;
		goto fail;
	}
	ret = spec->vhost ? check_vhost(spec, error) : 0;
	if (ret != 0)
		goto fail;
	ret = make_device(spec->devargs, &port->id, error);
	if (ret != 0)
		goto fail;
	/* The probe of a device that is there succeeds, by whatever of its names. */
	if (used[port->id]) {
		snprintf(error, PORT_ERROR_SIZE, "device '%.128s' is %s", spec->devargs,
				is_left(port->id) ? LEFT : "another port's already");
		ret = -EBUSY;
		goto fail;
	}
	rte_eth_dev_get_name_by_port(port->id, port->device);
	ret = start(port, nb_workers, pool, true);
	if (ret != 0) {
		snprintf(error, PORT_ERROR_SIZE, "device '%.128s' does not start: %s",
				spec->devargs, rte_strerror(-ret));
		remove_device(port);
		goto fail;
	}
	used[port->id] = true;
	return port;

fail:
	rte_free(port);
	rte_errno = -ret;
	return NULL;
}

void
port_close(struct port *port)
{
	remove_device(port);
	rte_free(port);
}
