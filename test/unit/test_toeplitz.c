/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * The Toeplitz hash: Microsoft's vectors ("Verifying the RSS Hash Calculation"), the code of
 * netif.h, and headers of all shapes.
 */

/* netif.h's own code. */
#define XEN_NETIF_DEFINE_TOEPLITZ

#include <arpa/inet.h>
#include <stdlib.h>

#include "frame.h"
#include "unit.h"
#include "xen_hash.h"

static const uint8_t key[XEN_HASH_KEY_MAX] = { 0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41,
	0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4,
	0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01,
	0xfa };

static const struct vector {
	const char *src;
	const char *dst;
	uint16_t sport;
	uint16_t dport;
	uint32_t ip;
	uint32_t tcp;
} vectors[] = {
	{ "66.9.149.187", "161.142.100.80", 2794, 1766, 0x323e8fc2, 0x51ccc178 },
	{ "199.92.111.2", "65.69.140.83", 14230, 4739, 0xd718262a, 0xc626b0ea },
	{ "24.19.198.95", "12.22.207.184", 12898, 38024, 0xd2d0a5de, 0x5c2b394a },
	{ "38.27.205.30", "209.142.163.6", 48228, 2217, 0x82989176, 0xafc7327f },
	{ "153.39.163.191", "202.188.127.2", 44251, 1303, 0x5d1809c5, 0x10e828a2 },
	{ "3ffe:2501:200:1fff::7", "3ffe:2501:200:3::1", 2794, 1766, 0x2cc18cd5, 0x40207d3d },
	{ "3ffe:501:8::260:97ff:fe40:efab", "ff02::1", 14230, 4739, 0x0f0c461c, 0xdde51bbf },
	{ "3ffe:1900:4545:3:200:f8ff:fe21:67cf", "fe80::200:f8ff:fe21:67cf", 44251, 38024,
			0x4b61e985, 0x02d1feef },
};

static bool
is_ipv6(const struct vector *v)
{
	return strchr(v->src, ':') != NULL;
}

/* The frame that the first members ask for, between the vector's ends. */
static void
make(struct frame *f, const struct vector *v)
{
	unsigned int at = is_ipv6(v) ? 8 : 12, len = is_ipv6(v) ? 16 : 4;
	int family = is_ipv6(v) ? AF_INET6 : AF_INET;

	f->ipv6 = is_ipv6(v);
	frame_make(f);
	assert_int_equal(inet_pton(family, v->src, f->data + f->l3 + at), 1);
	assert_int_equal(inet_pton(family, v->dst, f->data + f->l3 + at + len), 1);
	frame_set16(f->data + f->l4, v->sport);
	frame_set16(f->data + f->l4 + 2, v->dport);
}

/* The packet's hash is of a type (-1: none), and this one. */
static void
check(const struct frame *f, uint32_t types, int type, uint32_t hash)
{
	struct xen_hash_config cfg = {
		.algorithm = XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ,
		.types = types,
	};
	struct rte_mbuf *m = frame_mbuf(f);
	uint32_t got = 0;

	/* What somebody else has computed is not trusted. */
	m->ol_flags |= RTE_MBUF_F_RX_RSS_HASH;
	m->hash.rss = 0xDEADBEEF;
	xen_hash_set_key(&cfg, key, sizeof(key));
	assert_int_equal(xen_hash_packet(&cfg, m, &got), type);
	if (type >= 0)
		assert_int_equal(got, hash);
	rte_pktmbuf_free(m);
}

/* Every set of types, of which that one is chosen that takes in most. */
static void
check_types(const struct frame *f, const struct vector *v, bool tcp)
{
	int ip = is_ipv6(v) ? _XEN_NETIF_CTRL_HASH_TYPE_IPV6 : _XEN_NETIF_CTRL_HASH_TYPE_IPV4;
	uint32_t types;

	for (types = 1; types <= XEN_HASH_TYPES; types++) {
		if (tcp && (types & RTE_BIT32(ip + 1)) != 0)
			check(f, types, ip + 1, v->tcp);
		else if ((types & RTE_BIT32(ip)) != 0)
			check(f, types, ip, v->ip);
		else
			check(f, types, -1, 0);
	}
}

static void
test_vectors(void **state __rte_unused)
{
	struct frame f;
	unsigned int i;

	for (i = 0; i < RTE_DIM(vectors); i++) {
		f = (struct frame){ .payload = 10 };
		make(&f, &vectors[i]);
		check_types(&f, &vectors[i], true);
		f = (struct frame){ .payload = 10, .udp = true };
		make(&f, &vectors[i]);
		check_types(&f, &vectors[i], false);
	}
	unit_check_pool();
}

/* VLAN tags, options and extension headers are stepped over, in one segment and in many. */
static void
test_shapes(void **state __rte_unused)
{
	static const struct frame shapes[] = {
		{ .vlans = 1 },
		{ .vlans = 2 },
		{ .options = 1 },
		{ .options = 4 },
		{ .vlans = 1, .options = 3 },
	};
	static const char *const exts[] = { "h", "hr", "hd", "D", "rd" };
	static const uint16_t segs[] = { 0, 1, 7, 33, 60 };
	unsigned int i, j, k;
	struct frame f;

	for (i = 0; i < RTE_DIM(vectors); i++) {
		for (j = 0; j < RTE_DIM(shapes) + RTE_DIM(exts); j++) {
			for (k = 0; k < RTE_DIM(segs); k++) {
				f = j < RTE_DIM(shapes) ? shapes[j] : (struct frame){ 0 };
				if (j >= RTE_DIM(shapes) && !is_ipv6(&vectors[i]))
					continue;
				if (j >= RTE_DIM(shapes))
					f.ext = exts[j - RTE_DIM(shapes)];
				f.payload = 100;
				f.seg = segs[k];
				f.split = segs[k] != 0;
				f.exact = true;
				make(&f, &vectors[i]);
				check_types(&f, &vectors[i], true);
			}
		}
	}
	unit_check_pool();
}

/* The ports of fragments do not count, as only the first one has them. */
static void
test_fragments(void **state __rte_unused)
{
	static const char *const exts[] = { "m", "o" };
	unsigned int i;
	struct frame f;

	for (i = 0; i < RTE_DIM(vectors); i++) {
		f = (struct frame){ .payload = 64 };
		if (is_ipv6(&vectors[i]))
			f.ext = exts[i % 2];
		make(&f, &vectors[i]);
		/* More to follow, or an offset. */
		if (!is_ipv6(&vectors[i]))
			frame_set16(f.data + f.l3 + 6, i % 2 != 0 ? 0x2000 : 8);
		check_types(&f, &vectors[i], false);
	}
	unit_check_pool();
}

/* What is no IP, or cut short, has no hash. */
static void
test_none(void **state __rte_unused)
{
	struct frame f = { .payload = 10 };
	uint32_t len;

	make(&f, &vectors[0]);
	frame_set16(f.data + 12, 0x0806);
	check(&f, XEN_HASH_TYPES, -1, 0);
	for (len = 1; len < 14 + 20; len++) {
		make(&f, &vectors[0]);
		f.len = len;
		f.seg = 9;
		check(&f, XEN_HASH_TYPES, -1, 0);
	}
	/* The addresses of one whose TCP is cut short are there. */
	make(&f, &vectors[0]);
	f.len = f.l4 + 3;
	check(&f, XEN_HASH_TYPES, _XEN_NETIF_CTRL_HASH_TYPE_IPV4, vectors[0].ip);
	unit_check_pool();
}

/* A key of any length counts as if zeros followed, as in netif.h's own code. */
static void
test_keys(void **state __rte_unused)
{
	struct xen_hash_config cfg = {
		.algorithm = XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ,
		.types = XEN_HASH_TYPES,
	};
	uint8_t data[36], octets[XEN_HASH_KEY_MAX];
	struct frame f = { .payload = 10 };
	uint32_t len, got, wanted;
	struct rte_mbuf *m;

	make(&f, &vectors[7]);
	memcpy(data, f.data + f.l3 + 8, 32);
	memcpy(data + 32, f.data + f.l4, 4);
	m = frame_mbuf(&f);
	for (len = 0; len <= XEN_HASH_KEY_MAX; len++) {
		xen_hash_set_key(&cfg, key, len);
		xen_hash_get_key(&cfg, octets);
		assert_memory_equal(octets, key, len);
		if (len < sizeof(octets))
			assert_int_equal(octets[len], 0);
		assert_int_equal(xen_hash_packet(&cfg, m, &got),
				_XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP);
		wanted = xen_netif_toeplitz_hash(key, len, data, sizeof(data));
		assert_int_equal(got, wanted);
		if (len == 0)
			assert_int_equal(got, 0);
	}
	rte_pktmbuf_free(m);
	unit_check_pool();
}

/* A queue by a mapping, or by the hash alone; whatever a mapping says, it is one that there is. */
static void
test_queue(void **state __rte_unused)
{
	struct xen_hash_config cfg = { .mapping = { 3, 1, 31, 2 } };

	assert_int_equal(xen_hash_queue(&cfg, 0xFFFFFFFF, 4), 3);
	assert_int_equal(xen_hash_queue(&cfg, 9, 4), 1);
	assert_int_equal(xen_hash_queue(&cfg, 9, 1), 0);
	cfg.mapping_size = 4;
	assert_int_equal(xen_hash_queue(&cfg, 4, 4), 3);
	assert_int_equal(xen_hash_queue(&cfg, 5, 4), 1);
	assert_int_equal(xen_hash_queue(&cfg, 6, 4), 3);
	assert_int_equal(xen_hash_queue(&cfg, 7, 4), 2);
	assert_int_equal(xen_hash_queue(&cfg, 7, 2), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_queue),
	};

	return cmocka_run_group_tests_name("toeplitz", tests, unit_setup, unit_teardown);
}
