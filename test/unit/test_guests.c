/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Guests as they are, of test/guest: traffic both ways and resets, each in its own manner. */

#include <stdio.h>

#include "frame.h"
#include "vif.h"

#define ROUNDS 60
#define RESETS 4
#define PKTS 64
#define PAGES_MAX 18

/* A packet: the page where it begins, or its seed, and how long it is. */
struct sent {
	uint32_t page;
	uint32_t len;
};

/* What a guest does the while. */
struct life {
	struct vif v;
	const struct rawfront_kind *kind;
	unsigned int queues;
	unsigned int tx_slots;
	unsigned int rx_slots;
	uint32_t seed;
	/* What was sent to it and it has not had yet, a queue. */
	unsigned int nb_due[RAWFRONT_QUEUES_MAX];
	struct sent due[RAWFRONT_QUEUES_MAX][PKTS];
};

/* The page of a slot, of which the ring of a queue has the same all its life: as some guests do. */
static unsigned int
page_of(unsigned int queue, uint32_t slot)
{
	return queue % 2 * XEN_NETIF_RING_SIZE + slot % XEN_NETIF_RING_SIZE;
}

static void
post(struct life *l, unsigned int queue)
{
	struct rawfront_queue *q = &l->v.f.q[queue];
	unsigned int page;

	while (q->rx_prod - q->rx_cons < l->rx_slots) {
		page = page_of(queue, q->rx_prod);
		memset(rawfront_page(&l->v.f, page), 0xA5, XEN_PAGE_BYTES);
		rawfront_rx_put(&l->v.f, queue, l->kind->first_id + page % XEN_NETIF_RING_SIZE,
				l->v.f.gref[page]);
	}
	rawfront_rx_push(&l->v.f, queue);
}

static void
take_packet(struct life *l, unsigned int queue, const struct sent *s)
{
	struct netif_rx_response rsp;
	uint32_t done = 0, i, slot;
	const uint8_t *page;

	do {
		slot = l->v.f.q[queue].rx_cons;
		if (!rawfront_rx_rsp(&l->v.f, queue, &rsp))
			fail_msg("%s: a packet without its end", l->kind->name);
		assert_true(rsp.status > 0 && rsp.offset == 0);
		page = rawfront_page(&l->v.f, page_of(queue, slot));
		for (i = 0; i < (uint32_t)rsp.status; i++)
			assert_int_equal(page[i], unit_byte(s->page, done + i));
		done += rsp.status;
	} while ((rsp.flags & NETRXF_more_data) != 0);
	assert_int_equal(done, s->len);
}

/* Take what has come, in order, and post as much again; how many packets. */
static unsigned int
take_packets(struct life *l, unsigned int queue)
{
	unsigned int n;

	for (n = 0; vif_has_packet(&l->v, queue); n++) {
		assert_in_range(n, 0, l->nb_due[queue] - 1);
		take_packet(l, queue, &l->due[queue][n]);
	}
	l->nb_due[queue] -= n;
	memmove(l->due[queue], l->due[queue] + n, l->nb_due[queue] * sizeof(l->due[0][0]));
	post(l, queue);
	return n;
}

/* Look at the ports, and ask for the next event when everything has been taken. */
static void
look(struct life *l)
{
	struct netif_tx_response rsp;
	unsigned int i;

	rawfront_event(&l->v.f);
	for (i = 0; i < l->queues; i++) {
		while (rawfront_tx_rsp(&l->v.f, i, &rsp))
			assert_true(rsp.status == NETIF_RSP_OKAY || rsp.status == NETIF_RSP_NULL);
		take_packets(l, i);
		rawfront_arm(&l->v.f, i);
	}
}

/* The guest puts one packet into its ring, of one slot or several. */
static void
put_packet(struct life *l, unsigned int queue, struct sent *s)
{
	struct rawfront *f = &l->v.f;
	unsigned int slots = l->kind->sg ? 1 + l->seed % 4 : 1, i;
	struct netif_tx_request req = { 0 };
	uint32_t piece = 60 + l->seed % 900;

	s->page = l->seed % (RAWFRONT_PAGES - PAGES_MAX);
	s->len = slots * piece;
	for (i = 0; i < slots; i++) {
		req.gref = f->gref[s->page + i];
		req.id = rawfront_next_id(f, queue);
		req.size = i == 0 ? s->len : piece;
		req.flags = i + 1 < slots ? NETTXF_more_data : 0;
		rawfront_tx_put(f, queue, &req);
	}
	l->seed += 7919;
}

static void
guest_sends(struct life *l, unsigned int queue)
{
	struct rte_mbuf *pkts[PKTS + 1];
	struct sent s[PKTS];
	unsigned int n, got, i;
	uint32_t first = l->v.f.q[queue].tx_prod;

	for (n = 0; n < PKTS && l->v.f.q[queue].tx_prod - first + 4 <= l->tx_slots; n++)
		put_packet(l, queue, &s[n]);
	/* Windows has a list of groups, and changes it between packets. */
	if (l->kind->last_id == 1023 && l->v.f.q[queue].tx_prod - first + 2 <= l->tx_slots)
		vif_put_mcast(&l->v, queue, XEN_NETIF_EXTRA_TYPE_MCAST_ADD,
				&(struct rte_ether_addr){ { 0x33, 0x33, 0, 0, 0, 1 } },
				rawfront_next_id(&l->v.f, queue));
	rawfront_tx_push(&l->v.f, queue);
	for (got = 0; got < n; got += i) {
		i = rte_eth_rx_burst(l->v.port, queue, pkts + got, PKTS - got);
		if (i == 0)
			fail_msg("%s: %u packets of %u", l->kind->name, got, n);
	}
	/* What is no packet is taken too. */
	assert_int_equal(rte_eth_rx_burst(l->v.port, queue, pkts + n, 1), 0);
	for (i = 0; i < n; i++)
		assert_int_equal(pkts[i]->pkt_len, s[i].len);
	rte_pktmbuf_free_bulk(pkts, n);
}

/* The application sends to it: also more than it has posted buffers for. */
static void
guest_receives(struct life *l, unsigned int queue, unsigned int n)
{
	struct rte_mbuf *m;
	struct sent *s;

	while (n-- != 0 && l->nb_due[queue] < PKTS) {
		s = &l->due[queue][l->nb_due[queue]++];
		/* No multicast, which the guest may not want. */
		for (s->page = l->seed; (unit_byte(s->page, 0) & 1) != 0; s->page++)
			;
		s->len = 60 + l->seed % (l->kind->sg ? 9000 : XEN_PAGE_BYTES - 60 + 1);
		m = unit_packet(s->len, UNIT_ROOM, s->page);
		assert_int_equal(rte_eth_tx_burst(l->v.port, queue, &m, 1), 1);
		l->seed += 7919;
	}
}

static unsigned int
due(const struct life *l)
{
	unsigned int i, n = 0;

	for (i = 0; i < l->queues; i++)
		n += l->nb_due[i];
	return n;
}

static bool
has_key(const struct rawfront_kind *kind, const char *name, const char *value)
{
	const struct rawfront_key *k;

	for (k = kind->keys; k->name != NULL; k++) {
		if (strcmp(k->name, name) == 0 && strcmp(k->value, value) == 0)
			return true;
	}
	return false;
}

/* A packet whose checksum is left to the guest is left to it, if it takes that: see its keys. */
static void
check_blank(struct life *l, bool takes_blank)
{
	struct frame frame = { .payload = 100 };
	struct netif_rx_response rsp;
	struct rte_mbuf *m;
	uint32_t slot = l->v.f.q[0].rx_cons;
	const uint8_t *page = rawfront_page(&l->v.f, page_of(0, slot));

	frame_make(&frame);
	m = frame_mbuf(&frame);
	m->ol_flags |= frame_tx_flags(&frame);
	assert_int_equal(rte_eth_tx_burst(l->v.port, 0, &m, 1), 1);
	rawfront_event(&l->v.f);
	assert_true(rawfront_rx_rsp(&l->v.f, 0, &rsp));
	assert_int_equal(rsp.status, frame.len);
	assert_int_equal((rsp.flags & NETRXF_csum_blank) != 0, takes_blank);
	memcpy(frame.data, page, frame.len);
	assert_int_equal(frame_sum(&frame) == 0xFFFF, !takes_blank);
	post(l, 0);
	rawfront_arm(&l->v.f, 0);
}

/* Connect, in the guest's manner, and see what it gets. */
static void
connect_guest(struct life *l)
{
	char mac[32];
	unsigned int i;

	rawfront_init_rings(&l->v.f, 0);
	for (i = 0; i < l->queues && !l->kind->posts_late; i++)
		post(l, i);
	rawfront_connect(&l->v.f);
	unit_wait(unit_link(l->v.port));
	for (i = 0; i < l->queues && l->kind->posts_late; i++)
		post(l, i);
	/* The first event says that the backend listens. */
	unit_wait(rawfront_event(&l->v.f));
	rawfront_event(&l->v.f);
	l->v.f.spurious = l->v.f.events = 0;
	/* Some guests have their address from the backend. */
	rawfront_get(l->v.f.back, "mac", mac, sizeof(mac));
	assert_int_equal(strlen(mac), strlen("00:16:3e:00:00:00"));
}

static void
live(struct life *l)
{
	unsigned int i, round;

	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < l->queues; i++) {
			guest_sends(l, i);
			look(l);
			guest_receives(l, i, round % 7);
			look(l);
		}
	}
	/* What has waited for buffers comes, though nobody says that there are some. */
	for (round = 0; due(l) != 0; round++) {
		assert_in_range(round, 0, PKTS);
		vif_flush_by_rx(&l->v, 0);
		look(l);
	}
	check_blank(l, !has_key(l->kind, "feature-no-csum-offload", "1"));
	if (l->kind->minds_spurious)
		assert_int_equal(l->v.f.spurious, 0);
	if (l->kind->arm == RAWFRONT_ARM_FIRST)
		assert_in_range(l->v.f.events, 0, 2 * l->queues);
	vif_expect_sent(&l->v, unit_xstat(l->v.port, "tx_good_packets"), 0);
}

static void
run_guest(const struct rawfront_kind *kind)
{
	struct vif_options options = { .queues = kind->multi_queue ? 2 : 1,
		.single_evtchn = !kind->split,
		.offloads = RTE_ETH_RX_OFFLOAD_SCATTER };
	static struct life l;
	unsigned int i;

	print_message("%s\n", kind->name);
	options.app_queues = options.queues;
	l = (struct life){ .kind = kind, .queues = options.queues };
	l.tx_slots = kind->tx_slots != 0 ? kind->tx_slots : XEN_NETIF_RING_SIZE;
	l.rx_slots = kind->rx_slots != 0 ? kind->rx_slots : XEN_NETIF_RING_SIZE;
	vif_open(&l.v, &options);
	l.v.f.kind = kind;
	for (i = 0; i < RESETS; i++) {
		connect_guest(&l);
		live(&l);
		rawfront_reset(&l.v.f);
		/* Its pages are its own again. */
		assert_int_equal(unit_maps(), 0);
		assert_int_equal(unit_ports(), 0);
	}
	assert_int_equal(unit_xstat(l.v.port, "connects"), RESETS);
	assert_int_equal(unit_xstat(l.v.port, "protocol_errors"), 0);
	vif_close(&l.v);
	unit_check_pool();
}

static void
test_guests(void **state __rte_unused)
{
	unsigned int i;

	for (i = 0; i < rawfront_nb_guests; i++)
		run_guest(&rawfront_guests[i]);
}

/* What one guest has agreed on is nothing to the next in its place: each kind after each other. */
static void
test_after_each_other(void **state __rte_unused)
{
	const struct vif_options options = {
		.queues = 2, .offloads = RTE_ETH_RX_OFFLOAD_SCATTER, .app_queues = 2
	};
	static struct life l;
	unsigned int i, j;

	vif_open(&l.v, &options);
	for (i = 0; i < rawfront_nb_guests * rawfront_nb_guests; i++) {
		for (j = 0; j < 2; j++) {
			l.kind = &rawfront_guests[j == 0 ? i % rawfront_nb_guests :
							   i / rawfront_nb_guests];
			l.queues = l.v.f.nb_queues = l.kind->multi_queue ? 2 : 1;
			l.v.f.split = l.kind->split;
			l.v.f.kind = l.kind;
			l.tx_slots = 16;
			l.rx_slots = 18;
			connect_guest(&l);
			guest_sends(&l, l.queues - 1);
			guest_receives(&l, 0, 3);
			look(&l);
			check_blank(&l, !has_key(l.kind, "feature-no-csum-offload", "1"));
			rawfront_reset(&l.v.f);
			rawfront_unpublish(&l.v.f);
		}
	}
	vif_close(&l.v);
	unit_check_pool();
}

/* FreeBSD changes its offloads by a reset: each connection has what was asked for it. */
static void
test_freebsd_offloads(void **state __rte_unused)
{
	const struct vif_options options = { .single_evtchn = true };
	static struct life l;
	unsigned int i;

	l.kind = &rawfront_guests[1];
	assert_string_equal(l.kind->name, "freebsd");
	l.queues = 1;
	l.rx_slots = XEN_NETIF_RING_SIZE;
	vif_open(&l.v, &options);
	l.v.f.kind = l.kind;
	for (i = 0; i < 6; i++) {
		rawfront_wait(&l.v.f, XenbusStateInitWait);
		rawfront_init_rings(&l.v.f, 0);
		post(&l, 0);
		rawfront_publish(&l.v.f);
		if (i % 2 != 0)
			rawfront_unset(&l.v.f, "feature-no-csum-offload");
		rawfront_state(&l.v.f, XenbusStateConnected);
		unit_wait(unit_link(l.v.port));
		check_blank(&l, i % 2 != 0);
		rawfront_reset(&l.v.f);
	}
	vif_close(&l.v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_guests),
		cmocka_unit_test(test_after_each_other),
		cmocka_unit_test(test_freebsd_offloads),
	};

	return cmocka_run_group_tests_name("guests", tests, unit_setup, unit_teardown);
}
