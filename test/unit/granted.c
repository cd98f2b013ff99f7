/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include "granted.h"
#include "rawback.h"
#include "unit.h"

struct rte_mempool *
granted_pool(const char *name, unsigned int n, uint16_t room)
{
	return rte_pktmbuf_pool_create_by_ops(name, n, 0, 0, room, SOCKET_ID_ANY, GRANTED_OPS);
}

static struct rte_mempool *
make_pool(void)
{
	struct rte_mempool *pool = granted_pool("granted", GRANTED_MBUFS, GRANTED_ROOM);

	assert_non_null(pool);
	assert_int_equal(unit_grants(), GRANTED_MBUFS);
	return pool;
}

int
granted_setup(void **state __rte_unused)
{
	rawback_setup_pool(false, GRANTED_ARGS, make_pool);
	return 0;
}

unsigned int
granted_available(void)
{
	return rte_mempool_avail_count(rawback.pool);
}

void
granted_expect(unsigned int less)
{
	assert_int_equal(granted_available(), GRANTED_MBUFS - XEN_NETIF_RING_SIZE - less);
}

void
granted_expect_broken(const char *why)
{
	unit_wait(!unit_link(rawback.port));
	unit_wait(strstr(unit_read("/local/domain/0/error/device/vif/0/error"), why) != NULL);
	rawback_reconnect();
	unit_remove("/local/domain/0/error/device/vif/0");
	granted_expect(0);
}

void
granted_put(const uint16_t *lens, const uint16_t *offsets, unsigned int n, uint32_t seed)
{
	uint8_t data[XEN_PAGE_BYTES];
	unsigned int i, j, at = 0;

	for (i = 0; i < n; i++) {
		for (j = 0; j < lens[i]; j++)
			data[j] = unit_byte(seed, at++);
		rawback_fill_rx(rawback.rx_prod, offsets[i], data, lens[i]);
		rawback_put_rx(-1, offsets[i], i + 1 < n ? NETRXF_more_data : 0, lens[i]);
	}
}
