/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * Interrupts of rx queues: what an application's lcore sleeps on. Each queue has one descriptor,
 * ready when an event channel of its rings is, or when this process has a reason of its own.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_interrupts.h>

#include "xen_compat.h"
#include "xen_log.h"
#include "xen_netif_ops.h"

static void
wake(const struct xen_netif_intr *intr, uint16_t id)
{
	/* Only a counter that is at its end refuses: then it is ready all the same. */
	(void)!eventfd_write(intr->q[id].wake, 1);
}

void
xen_netif_intr_wake(const struct xen_netif *nif)
{
	uint16_t i;

	for (i = 0; i < nif->intr.nb_queues; i++)
		wake(&nif->intr, i);
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_netif_queue_wake)
void
xen_netif_queue_wake(struct xen_netif_rings *rings, uint16_t ring)
{
	const struct xen_netif *nif = container_of(rings, struct xen_netif, rings);

	wake(&nif->intr, ring % nif->intr.nb_queues);
}

static void
queue_close(struct xen_netif_intr *intr, uint16_t id)
{
	if (intr->q[id].epoll >= 0)
		close(intr->q[id].epoll);
	if (intr->q[id].wake >= 0)
		close(intr->q[id].wake);
	intr->q[id].epoll = -1;
	intr->q[id].wake = -1;
}

void
xen_netif_intr_configure(struct rte_eth_dev *dev)
{
	if (dev->intr_handle != NULL)
		rte_intr_free_epoll_fd(dev->intr_handle);
}

/* Nobody sleeps any more. Rings may yet be bound through the handles. */
static void
intr_close(struct rte_eth_dev *dev)
{
	struct xen_netif *nif = dev->data->dev_private;
	uint16_t i;

	for (i = 0; i < XEN_NETIF_QUEUES_MAX; i++)
		queue_close(&nif->intr, i);
	nif->intr.nb_queues = 0;
	nif->rings.interrupts = false;
	xen_netif_intr_configure(dev);
	rte_intr_vec_list_free(dev->intr_handle);
	rte_intr_instance_free(dev->intr_handle);
	dev->intr_handle = NULL;
}

static int
epoll_add(int epoll, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int
queue_open(struct xen_netif_intr *intr, uint16_t id, struct xen_reason *why)
{
	int fd, flags, ret = xen_evtchn_open(&intr->q[id].evtchn, why);

	if (ret < 0)
		return ret;
	fd = xenevtchn_fd(intr->q[id].evtchn);
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return xen_reason_set(why, errno, "fcntl: %s", strerror(errno));
	intr->q[id].epoll = epoll_create1(EPOLL_CLOEXEC);
	if (intr->q[id].epoll < 0)
		return xen_reason_set(why, errno, "epoll_create1: %s", strerror(errno));
	intr->q[id].wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (intr->q[id].wake < 0)
		return xen_reason_set(why, errno, "eventfd: %s", strerror(errno));
	ret = epoll_add(intr->q[id].epoll, fd);
	if (ret == 0)
		ret = epoll_add(intr->q[id].epoll, intr->q[id].wake);
	if (ret < 0)
		return xen_reason_set(why, -ret, "epoll_ctl: %s", strerror(-ret));
	return 0;
}

/* What ethdev and EAL find the descriptors by. EAL reads nothing from them. */
static int
handle_fill(struct rte_eth_dev *dev, const struct xen_netif_intr *intr, uint16_t nb_queues)
{
	struct rte_intr_handle *handle = dev->intr_handle;
	uint16_t i;

	if (rte_intr_vec_list_alloc(handle, NULL, nb_queues) != 0 ||
			rte_intr_type_set(handle, RTE_INTR_HANDLE_VDEV) != 0 ||
			rte_intr_efd_counter_size_set(handle, 0) != 0 ||
			rte_intr_nb_efd_set(handle, nb_queues) != 0 ||
			rte_intr_max_intr_set(handle, nb_queues + 1) != 0)
		return -ENOMEM;
	for (i = 0; i < nb_queues; i++) {
		if (rte_intr_vec_list_index_set(handle, i, RTE_INTR_VEC_RXTX_OFFSET + i) != 0 ||
				rte_intr_efds_index_set(handle, i, intr->q[i].epoll) != 0)
			return -ENOMEM;
	}
	return 0;
}

static int
intr_open(struct rte_eth_dev *dev, uint16_t nb_queues, struct xen_reason *why)
{
	struct xen_netif *nif = dev->data->dev_private;
	uint32_t had = 0;
	uint16_t i;
	int ret = 0;

	for (i = 0; i < nb_queues && ret == 0; i++) {
		had |= nif->intr.q[i].evtchn != NULL ? RTE_BIT32(i) : 0;
		ret = queue_open(&nif->intr, i, why);
	}
	if (ret == 0) {
		dev->intr_handle = rte_intr_instance_alloc(RTE_INTR_INSTANCE_F_PRIVATE);
		if (dev->intr_handle == NULL || handle_fill(dev, &nif->intr, nb_queues) < 0)
			ret = xen_reason_set(why, ENOMEM, "no memory");
	}
	if (ret == 0) {
		nif->intr.nb_queues = nb_queues;
		nif->rings.interrupts = true;
		return 0;
	}
	intr_close(dev);
	/* No ring has been bound through those that are new. */
	while (i-- > 0) {
		if ((had & RTE_BIT32(i)) == 0)
			xen_evtchn_close(&nif->intr.q[i].evtchn);
	}
	return ret;
}

int
xen_netif_intr_start(struct rte_eth_dev *dev)
{
	uint16_t nb_queues = dev->data->dev_conf.intr_conf.rxq ? dev->data->nb_rx_queues : 0;
	struct xen_netif *nif = dev->data->dev_private;
	struct xen_reason why;
	int ret = 0;

	pthread_mutex_lock(&nif->lock);
	/* As long as they are right they stay, for the application may sleep on them already. */
	if (nb_queues != nif->intr.nb_queues) {
		intr_close(dev);
		if (nb_queues != 0)
			ret = intr_open(dev, nb_queues, &why);
	}
	pthread_mutex_unlock(&nif->lock);
	if (ret < 0)
		XEN_LOG(ERR, "%s: no rx interrupts: %s", dev->device->name, why.text);
	return ret;
}

void
xen_netif_intr_release(struct rte_eth_dev *dev)
{
	struct xen_netif *nif = dev->data->dev_private;
	uint16_t i;

	intr_close(dev);
	for (i = 0; i < XEN_NETIF_QUEUES_MAX; i++)
		xen_evtchn_close(&nif->intr.q[i].evtchn);
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_netif_intr_evtchn)
xenevtchn_handle *
xen_netif_intr_evtchn(const struct xen_netif *nif, uint16_t nb_queues, unsigned int ring)
{
	return nb_queues == 0 ? nif->evtchn : nif->intr.q[ring % nb_queues].evtchn;
}

/*
 * Take the events that have come, and have others come again. A port gives one at a time, but
 * whoever is at the other end may send them as fast as they are taken. True when there may be more.
 */
static bool
take_events(xenevtchn_handle *evtchn)
{
	xenevtchn_port_or_error_t port;
	unsigned int i;

	for (i = 0; i < 2 * XEN_NETIF_QUEUES_MAX; i++) {
		port = xenevtchn_pending(evtchn);
		if (port < 0)
			return false;
		xenevtchn_unmask(evtchn, port);
	}
	return true;
}

/*
 * An event that nobody has taken stays with the handle when its port goes. The kernel has room for
 * 64, or one a port, and gives none any more when there have been more than that.
 */
RTE_EXPORT_INTERNAL_SYMBOL(xen_netif_intr_unbound)
void
xen_netif_intr_unbound(const struct xen_netif *nif)
{
	uint16_t i;

	for (i = 0; i < nif->intr.nb_queues; i++) {
		take_events(nif->intr.q[i].evtchn);
		wake(&nif->intr, i);
	}
}

int
xen_netif_rxq_intr_enable(struct rte_eth_dev *dev, uint16_t id)
{
	struct xen_netif *nif = dev->data->dev_private;
	eventfd_t count;
	bool more;

	if (id >= nif->intr.nb_queues)
		return -ENOTSUP;
	(void)!eventfd_read(nif->intr.q[id].wake, &count);
	more = take_events(nif->intr.q[id].evtchn);
	/* Whoever is asleep does not look at what is held back. */
	xen_netif_notify_flush_all(&nif->rings);
	more |= netif_driver(dev)->rxq_arm(dev->data->rx_queues[id]);
	more |= netif_driver(dev)->rxq_holds(dev->data->rx_queues[id]);
	/* Applications take no failure for a reason to look once more: they sleep, and wake up. */
	if (more)
		wake(&nif->intr, id);
	return 0;
}

/*
 * The other end has been asked for one event, and is not asked for another: while the application
 * polls it need not notify. A port that has given that one is masked until the next enable.
 */
int
xen_netif_rxq_intr_disable(struct rte_eth_dev *dev, uint16_t id)
{
	const struct xen_netif *nif = dev->data->dev_private;

	return id < nif->intr.nb_queues ? 0 : -ENOTSUP;
}
