/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* RSS, from the application's side: what it wants, and what has become of it. */

#include <errno.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>

#include "xenfront.h"

/*
 * How long an operation waits for the control thread, which gives up on the backend before that
 * unless it is kept from running; and how often it looks.
 */
#define OPERATION_LIMIT_MS 6000
#define OPERATION_LOOK_US 500

/* The flows of DPDK that netif.h has a type of hash for. */
static const struct {
	uint64_t flow;
	uint32_t type;
} flow_types[] = {
	{ RTE_ETH_RSS_IPV4, XEN_NETIF_CTRL_HASH_TYPE_IPV4 },
	{ RTE_ETH_RSS_NONFRAG_IPV4_TCP, XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP },
	{ RTE_ETH_RSS_IPV6, XEN_NETIF_CTRL_HASH_TYPE_IPV6 },
	{ RTE_ETH_RSS_NONFRAG_IPV6_TCP, XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP },
};

/* The key of an application that gives none: that of Microsoft's verification suite. */
static const uint8_t default_key[XEN_HASH_KEY_MAX] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, /* 0 */
	0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, /* 8 */
	0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, /* 16 */
	0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, /* 24 */
	0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa, /* 32 */
};

void
xenfront_rss_infos(struct rte_eth_dev_info *info)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(flow_types); i++)
		info->flow_type_rss_offloads |= flow_types[i].flow;
	info->hash_key_size = XEN_HASH_KEY_MAX;
	info->reta_size = XEN_HASH_MAPPING_MAX;
}

static void
set_flows(struct xen_hash_config *cfg, uint64_t flows)
{
	unsigned int i;

	cfg->types = 0;
	for (i = 0; i < RTE_DIM(flow_types); i++) {
		if ((flows & flow_types[i].flow) != 0)
			cfg->types |= flow_types[i].type;
	}
	cfg->algorithm = cfg->types != 0 ? XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ :
					   XEN_NETIF_CTRL_HASH_ALGORITHM_NONE;
}

static int
check_key(const struct rte_eth_dev *dev, const struct rte_eth_rss_conf *conf)
{
	if (conf->rss_key == NULL || conf->rss_key_len == XEN_HASH_KEY_MAX)
		return 0;
	XENFRONT_LOG(ERR, (const struct xenfront *)dev->data->dev_private,
			"rss_key_len=%u: a key has %u octets", conf->rss_key_len, XEN_HASH_KEY_MAX);
	return -EINVAL;
}

static int
check_reta_size(const struct rte_eth_dev *dev, uint16_t size)
{
	if (size == XEN_HASH_MAPPING_MAX)
		return 0;
	XENFRONT_LOG(ERR, (const struct xenfront *)dev->data->dev_private,
			"reta_size=%u: the redirection table has %u entries", size,
			XEN_HASH_MAPPING_MAX);
	return -EINVAL;
}

/* Another process takes no lock: it may die at any moment. */
static void
lock(struct xenfront *front)
{
	if (rte_eal_process_type() == RTE_PROC_PRIMARY)
		pthread_mutex_lock(&front->nif.lock);
}

static void
unlock(struct xenfront *front)
{
	if (rte_eal_process_type() == RTE_PROC_PRIMARY)
		pthread_mutex_unlock(&front->nif.lock);
}

/* What is wanted, unless there is a backend that cannot do that. */
static int
get_config(const struct rte_eth_dev *dev, struct xen_hash_config *cfg)
{
	struct xenfront *front = dev->data->dev_private;
	int ret = 0;

	/* The primary process may have closed the port. */
	if (front == NULL)
		return -ENODEV;
	lock(front);
	if (front->nif.nb_queues != 0 && !front->nif.rings.peer.ctrl_ring)
		ret = -ENOTSUP;
	*cfg = front->nif.rings.hash.cfg;
	unlock(front);
	return ret;
}

/* Want something else; which of the changes that is. With the lock held. */
static uint32_t
want(struct xenfront *front, const struct xen_hash_config *cfg)
{
	front->nif.rings.hash.cfg = *cfg;
	return ++front->rss.asked;
}

/* Is a change through, one way or another? Then with what result. */
static bool
is_through(struct xenfront *front, uint32_t asked, int *result)
{
	bool through;

	pthread_mutex_lock(&front->nif.lock);
	through = (int32_t)(front->rss.finished - asked) >= 0;
	*result = front->rss.result;
	pthread_mutex_unlock(&front->nif.lock);
	return through;
}

static int
wait_for(struct xenfront *front, uint32_t asked)
{
	uint64_t end = xen_bus_now_ms() + OPERATION_LIMIT_MS;
	int result;

	while (!is_through(front, asked, &result)) {
		if (xen_bus_now_ms() >= end)
			return -ETIMEDOUT;
		rte_delay_us_sleep(OPERATION_LOOK_US);
	}
	return result;
}

/*
 * Want something else, and see it done if there is a backend to do it: otherwise the next
 * connection begins with it. What is refused is not wanted any more. A callback of the application,
 * by the control thread itself, cannot wait.
 */
static int
set_config(struct rte_eth_dev *dev, const struct xen_hash_config *cfg)
{
	struct xenfront *front = dev->data->dev_private;
	struct xen_hash_config old;
	uint32_t asked = 0;
	int ret = 0;
	bool wait;

	pthread_mutex_lock(&front->nif.lock);
	wait = front->rss.live && !xen_bus_in_thread();
	old = front->nif.rings.hash.cfg;
	if (front->rss.live && front->rss.dead)
		ret = -ETIMEDOUT;
	else
		asked = want(front, cfg);
	pthread_mutex_unlock(&front->nif.lock);
	if (ret < 0)
		return ret;
	xen_bus_kick(&front->nif.xbdev);
	if (!wait)
		return 0;
	ret = wait_for(front, asked);
	if (ret == 0)
		return 0;
	pthread_mutex_lock(&front->nif.lock);
	if (front->rss.asked == asked)
		want(front, &old);
	pthread_mutex_unlock(&front->nif.lock);
	xen_bus_kick(&front->nif.xbdev);
	return ret;
}

int
xenfront_rss_configure(struct rte_eth_dev *dev)
{
	const struct rte_eth_rss_conf *conf = &dev->data->dev_conf.rx_adv_conf.rss_conf;
	struct xenfront *front = dev->data->dev_private;
	struct xen_hash_config cfg = { 0 };
	unsigned int i;

	xen_netif_ops.dev_configure(dev);
	if ((dev->data->dev_conf.rxmode.mq_mode & RTE_ETH_MQ_RX_RSS_FLAG) != 0) {
		if (check_key(dev, conf) < 0)
			return -EINVAL;
		set_flows(&cfg, conf->rss_hf);
		xen_hash_set_key(&cfg, conf->rss_key != NULL ? conf->rss_key : default_key,
				XEN_HASH_KEY_MAX);
		cfg.mapping_size = XEN_HASH_MAPPING_MAX;
		for (i = 0; i < cfg.mapping_size && dev->data->nb_rx_queues != 0; i++)
			cfg.mapping[i] = i % dev->data->nb_rx_queues;
	}
	pthread_mutex_lock(&front->nif.lock);
	want(front, &cfg);
	pthread_mutex_unlock(&front->nif.lock);
	xen_bus_kick(&front->nif.xbdev);
	return 0;
}

int
xenfront_rss_hash_update(struct rte_eth_dev *dev, struct rte_eth_rss_conf *conf)
{
	struct xen_hash_config cfg;
	int ret = check_key(dev, conf);

	if (ret == 0)
		ret = get_config(dev, &cfg);
	if (ret < 0)
		return ret;
	set_flows(&cfg, conf->rss_hf);
	if (conf->rss_key != NULL)
		xen_hash_set_key(&cfg, conf->rss_key, XEN_HASH_KEY_MAX);
	return set_config(dev, &cfg);
}

int
xenfront_rss_hash_conf_get(struct rte_eth_dev *dev, struct rte_eth_rss_conf *conf)
{
	struct xen_hash_config cfg;
	unsigned int i;
	int ret;

	ret = get_config(dev, &cfg);
	if (ret < 0)
		return ret;
	if (conf->rss_key != NULL && conf->rss_key_len >= XEN_HASH_KEY_MAX)
		xen_hash_get_key(&cfg, conf->rss_key);
	conf->rss_key_len = XEN_HASH_KEY_MAX;
	conf->rss_hf = 0;
	for (i = 0; i < RTE_DIM(flow_types); i++) {
		if ((cfg.types & flow_types[i].type) != 0)
			conf->rss_hf |= flow_types[i].flow;
	}
	return 0;
}

/* The table's entry of that number; NULL: it is not meant. */
static uint16_t *
reta_entry(struct rte_eth_rss_reta_entry64 *reta, unsigned int i)
{
	struct rte_eth_rss_reta_entry64 *group = &reta[i / RTE_ETH_RETA_GROUP_SIZE];

	i %= RTE_ETH_RETA_GROUP_SIZE;
	return (group->mask & RTE_BIT64(i)) != 0 ? &group->reta[i] : NULL;
}

/* What is wanted, for a table of that size. */
static int
get_table(const struct rte_eth_dev *dev, uint16_t size, struct xen_hash_config *cfg)
{
	int ret = check_reta_size(dev, size);

	return ret == 0 ? get_config(dev, cfg) : ret;
}

int
xenfront_rss_reta_update(struct rte_eth_dev *dev, struct rte_eth_rss_reta_entry64 *reta,
		uint16_t size)
{
	struct xen_hash_config cfg;
	const uint16_t *entry;
	unsigned int i;
	int ret;

	ret = get_table(dev, size, &cfg);
	if (ret < 0)
		return ret;
	for (i = 0; i < size; i++) {
		entry = reta_entry(reta, i);
		if (entry != NULL)
			cfg.mapping[i] = *entry;
	}
	return set_config(dev, &cfg);
}

int
xenfront_rss_reta_query(struct rte_eth_dev *dev, struct rte_eth_rss_reta_entry64 *reta,
		uint16_t size)
{
	struct xen_hash_config cfg;
	uint16_t *entry;
	unsigned int i;
	int ret;

	ret = get_table(dev, size, &cfg);
	if (ret < 0)
		return ret;
	for (i = 0; i < size; i++) {
		entry = reta_entry(reta, i);
		if (entry != NULL)
			*entry = cfg.mapping[i];
	}
	return 0;
}
