/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef VIF_H
#define VIF_H

/**
 * @file
 * A vif with both ends: a guest played by hand and a net_xenvif port.
 */

#include "toolstack.h"
#include "unit.h"
#include "xen_ring.h"

struct vif {
	struct rawfront f;
	uint16_t port;
	char name[32];
	bool has_port;
};

/** How a vif is made; zeros are the usual. */
struct vif_options {
	unsigned int domid; /* 0: 1 */
	unsigned int queues; /* of the guest; 0: 1 */
	unsigned int app_queues; /* 0: 1 */
	bool single_evtchn;
	bool ctrl; /* there is a control ring */
	uint64_t offloads;
	struct rte_mempool *pool;
	const char *args; /* of the port, after those that name the vif: ",queues=1" */
};

/** Make a vif with a started port, whose guest has published nothing yet. */
void
vif_open(struct vif *v, const struct vif_options *options);

/** Remove the port, as when its process ends: nothing is written to xenstore. */
void
vif_remove_port(struct vif *v);

/** Make and start a port for the vif, as vif_open() does. */
void
vif_add_port(struct vif *v, const struct vif_options *options);

/** Connect a vif of vif_open(), and wait for the port's link. */
void
vif_connect(struct vif *v);

/** Set a tx queue up anew with a number of descriptors, before the guest connects. */
void
vif_set_tx_descs(struct vif *v, uint16_t queue, uint16_t nb_desc);

/** Remove port and guest. */
void
vif_close(struct vif *v);

/** The error that the backend left in xenstore; empty when there is none. */
const char *
vif_error(const struct vif *v);

/**
 * Wait until the backend has closed the vif, and check what it said and that it holds nothing.
 *
 * @param why
 *   Has to be in the error key and in the log.
 */
void
vif_expect_failed(struct vif *v, const char *why);

/** After a failure or a reset: the guest starts anew with empty rings. */
void
vif_reconnect(struct vif *v);

/* For cmocka: *state is a connected vif of one queue; with SCATTER for the second. */
int
vif_setup(void **state);
int
vif_setup_scatter(void **state);
/* Checks that nothing is left: no grant mapped, no port bound, no mbuf lost. */
int
vif_teardown(void **state);

#define vif_test(fn) cmocka_unit_test_setup_teardown(fn, vif_setup, vif_teardown)
#define vif_test_scatter(fn) cmocka_unit_test_setup_teardown(fn, vif_setup_scatter, vif_teardown)

/* The guest transmits. */

/** Where the pattern of a data page begins: every page has its own. */
static inline uint32_t
vif_seed(unsigned int page)
{
	return page * XEN_PAGE_BYTES;
}

/** Put a TX request for a data page, which vif_open() has filled with its pattern. */
void
vif_put(struct vif *v, unsigned int page, uint16_t offset, uint16_t size, uint16_t flags,
		uint16_t id);

/** Put extra info of a type; more: another follows. */
void
vif_put_extra(struct vif *v, uint8_t type, bool more);

/** Put GSO extra info. */
void
vif_put_gso(struct vif *v, uint8_t type, uint16_t size);

/** Put a request to change the guest's multicast list (XEN_NETIF_EXTRA_TYPE_MCAST_*). */
void
vif_put_mcast(struct vif *v, unsigned int queue, uint8_t type, const struct rte_ether_addr *addr,
		uint16_t id);

/** Publish, and take what the port has to give. */
uint16_t
vif_burst(struct vif *v, struct rte_mbuf **pkts, uint16_t n);

/** The next TX response has to be this one. */
void
vif_expect_rsp(struct vif *v, uint16_t id, int16_t status);

/** There must be no further TX response. */
void
vif_expect_no_rsp(struct vif *v);

/** Send a packet of one page with an id of its own, and see it arrive and be answered. */
void
vif_send_good(struct vif *v);

/* The guest receives. */

/** Fill all data pages with something that no packet is. */
void
vif_blank_pages(struct vif *v);

/** Post n blank buffers in a queue: the guest's pages in turn, as many a queue. */
void
vif_post(struct vif *v, unsigned int queue, unsigned int n);

/** Buffers that are posted in a queue and have no response. */
unsigned int
vif_posted(const struct vif *v, unsigned int queue);

/** Is there a response that nobody has taken? */
bool
vif_has_packet(const struct vif *v, unsigned int queue);

/**
 * Take the responses of one packet, made by unit_packet(len, ..., seed) and put into blank pages:
 * dense, and with the ids of their own slots.
 *
 * @param first
 *   The id of its first buffer; those of the others follow. Negative: whichever.
 * @param flags
 *   Of its first response, without more_data.
 */
void
vif_expect_packet(struct vif *v, unsigned int queue, int first, uint32_t len, uint32_t seed,
		uint16_t flags);

/** There must be no further RX response. */
void
vif_expect_no_packet(struct vif *v, unsigned int queue);

/** Have what waits sent, by a burst that receives or sends nothing itself. */
void
vif_flush_by_rx(const struct vif *v, uint16_t queue);
void
vif_flush_by_tx(const struct vif *v, uint16_t queue);

/** A statistic of a ring: the name without its prefix. */
uint64_t
vif_tx_stat(const struct vif *v, unsigned int queue, const char *what);

/** All packets that the port has sent and lost. */
void
vif_expect_sent(const struct vif *v, uint64_t opackets, uint64_t oerrors);

#endif /* VIF_H */
