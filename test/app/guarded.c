/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "guarded.h"

struct dp_port guarded;

void
guarded_lock(enum guard_lock lock)
{
	static const uint8_t v4[][4] = { { 10, 0, 0, 1 }, { 10, 0, 0, 2 } };
	struct ip6 v6 = ip6_ula(OWN);
	unsigned int i;

	memset(&guarded, 0, sizeof(guarded));
	guarded.mac = MAC(OWN);
	guarded.lock = lock;
	for (i = 0; i < RTE_DIM(v4); i++) {
		guarded.ips[i].version = 4;
		memcpy(guarded.ips[i].bytes, v4[i], 4);
	}
	guarded.ips[i].version = 6;
	memcpy(guarded.ips[i++].bytes, &v6, sizeof(v6));
	guarded.nb_ips = i;
}

/* What the switch asks when it has read the Ethernet header, of which nothing is cut. */
static int
ask(const struct packet *p, const uint32_t *cuts, unsigned int nb_cuts)
{
	struct rte_mbuf *m = packet_mbuf_exact(p, cuts, nb_cuts);
	uint16_t type;
	int verdict;

	memcpy(&type, &p->data[12], sizeof(type));
	verdict = guard_check(&guarded, m, type);
	rte_pktmbuf_free(m);
	return verdict;
}

int
guarded_verdict(const struct packet *p)
{
	int verdict = ask(p, NULL, 0);
	uint32_t cuts[PACKET_MAX], i;

	for (cuts[0] = RTE_ETHER_HDR_LEN; cuts[0] < p->len; cuts[0]++) {
		if (ask(p, cuts, 1) != verdict)
			fail_msg("%u bytes cut at %u: not %d", p->len, cuts[0], verdict);
		for (cuts[1] = 1; cuts[1] < 10; cuts[1]++) {
			if (ask(p, cuts, 2) != verdict)
				fail_msg("%u bytes cut at %u, %u: not %d", p->len, cuts[0],
						cuts[0] + cuts[1], verdict);
		}
	}
	/* Byte by byte, with empty segments among them. */
	for (i = 0; i < RTE_MIN(p->len, 300u); i++)
		cuts[i] = i == 0 ? RTE_ETHER_HDR_LEN : i % 7 != 0;
	assert_int_equal(ask(p, cuts, i), verdict);
	return verdict;
}

void
guarded_never_passes(const struct packet *p, uint32_t from)
{
	struct packet cut = *p;

	for (cut.len = from; cut.len <= p->len; cut.len++) {
		if (ask(&cut, NULL, 0) == GUARD_PASSES)
			fail_msg("%u bytes of %u pass", cut.len, p->len);
	}
}

void
guarded_survives(const struct packet *p)
{
	struct packet cut = *p;

	for (cut.len = RTE_ETHER_HDR_LEN; cut.len < p->len; cut.len++)
		guarded_verdict(&cut);
}
