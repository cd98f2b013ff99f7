/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef SLEEPER_H
#define SLEEPER_H

/**
 * @file
 * A thread that sleeps on the interrupts of rx queues, as an application does that has asked for
 * them (unit_rx_interrupts).
 */

#include <stdint.h>

#include <rte_epoll.h>
#include <rte_ethdev.h>

/** Have this thread woken up by a queue; 0 or -errno. */
static inline int
sleeper_watch(uint16_t port, uint16_t queue)
{
	return rte_eth_dev_rx_intr_ctl_q(port, queue, RTE_EPOLL_PER_THREAD, RTE_INTR_EVENT_ADD,
			(void *)(uintptr_t)queue);
}

/** The queue that woke this thread up within so many milliseconds; -1: none did. */
static inline int
sleeper_sleep(int ms)
{
	struct rte_epoll_event event;

	if (rte_epoll_wait(RTE_EPOLL_PER_THREAD, &event, 1, ms) != 1)
		return -1;
	return (uintptr_t)event.epdata.data;
}

#endif /* SLEEPER_H */
