/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "bed.h"
#include "copied.h"
#include "packet.h"

struct copied_sent copied_sent[RTE_MAX_ETHPORTS];
struct dp_copies copied_rx, copied_tx;

static uint16_t
fake_tx(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	struct copied_sent *sent = queue;
	uint16_t i;

	for (i = 0; i < n && sent->n < sent->room; i++)
		sent->pkts[sent->n++] = pkts[i];
	return i;
}

struct dp_port *
copied_port(uint16_t port)
{
	static void *queues[RTE_MAX_ETHPORTS], *callbacks[RTE_MAX_ETHPORTS];
	struct copied_sent *sent = &copied_sent[port];

	memset(sent, 0, sizeof(*sent));
	sent->room = COPIED_SENT_MAX;
	queues[port] = sent;
	rte_eth_fp_ops[port].tx_pkt_burst = fake_tx;
	rte_eth_fp_ops[port].txq.data = &queues[port];
	rte_eth_fp_ops[port].txq.clbk = &callbacks[port];
	return bed_port(port, 0);
}

void
copied_expect(uint16_t port, unsigned int n)
{
	assert_int_equal(copied_sent[port].n, n);
	rte_pktmbuf_free_bulk(copied_sent[port].pkts, n);
	copied_sent[port].n = 0;
}

struct rte_mbuf *
copied_make(uint32_t len)
{
	struct packet p;

	put_any(&p, MAC(1), MAC(2), len);
	return packet_mbuf(&p, 0);
}

void
copied_receive(struct rte_mbuf *m)
{
	copies_receive(&bed_worker, &copied_rx, COPIED_QUEUE, &m, 1);
	rte_pktmbuf_free(m);
}
