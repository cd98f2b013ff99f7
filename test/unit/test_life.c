/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* The life of a port: what an application does to it, and what happens to xenstore meanwhile. */

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rte_bus_vdev.h>
#include <rte_malloc.h>

#include "bystander.h"
#include "vif.h"
#include "xen_bus.h"

#define CYCLES 1000
#define FLOOD 10000

/* Evaluations of all vifs so far; the linker puts this function around the driver's. */
static unsigned int evaluations;

void
__real_xenvif_evaluate(struct xen_bus_device *xbdev);
void
__wrap_xenvif_evaluate(struct xen_bus_device *xbdev);

void
__wrap_xenvif_evaluate(struct xen_bus_device *xbdev)
{
	__atomic_fetch_add(&evaluations, 1, __ATOMIC_RELAXED);
	__real_xenvif_evaluate(xbdev);
}

static unsigned int
evaluated(void)
{
	return __atomic_load_n(&evaluations, __ATOMIC_RELAXED);
}

/* A port under a running guest: attach, traffic, remove; the guest never leaves state 4. */
static void
cycle(struct vif *v, unsigned int i)
{
	static const char *const args[] = { ",queues=1", ",queues=2", ",queues=3", ",queues=4" };
	const struct vif_options options = { .app_queues = 1 + i % 3, .args = args[i % 4] };

	vif_add_port(v, &options);
	unit_wait(unit_link(v->port));
	if (i % 10 == 0)
		vif_send_good(v);
	vif_remove_port(v);
	assert_int_equal(rawfront_back_state(&v->f), XenbusStateConnected);
}

static uint64_t
heap_bytes(void)
{
	struct rte_malloc_socket_stats stats;

	assert_int_equal(rte_malloc_get_socket_stats(0, &stats), 0);
	return stats.heap_allocsz_bytes;
}

/* A thousand times, and the process holds what it held before. */
static void
test_cycles(void **state)
{
	uint64_t heap, rss, maps, ports;
	struct vif *v = *state;
	unsigned int i, fds;

	vif_remove_port(v);
	for (i = 0; i < 20; i++)
		cycle(v, i);
	unit_log_clear();
	fds = unit_fds();
	heap = heap_bytes();
	maps = unit_maps();
	ports = unit_ports();
	rss = unit_rss();
	for (i = 0; i < CYCLES; i++)
		cycle(v, i);
	assert_int_equal(unit_fds(), fds);
	assert_int_equal(heap_bytes(), heap);
	assert_int_equal(unit_maps(), maps);
	assert_int_equal(unit_ports(), ports);
	assert_int_equal(maps, 0);
	assert_int_equal(ports, 0);
	unit_check_pool();
#ifndef __SANITIZE_ADDRESS__
	/* A cycle's lines in the log are less than a KiB. */
	assert_true(unit_rss() < rss + CYCLES * 1024);
#else
	/* Freed memory is kept aside; what leaks is found at the end. */
	RTE_SET_USED(rss);
#endif
}

/* A probe alone, without queues and guest, leaves nothing either. */
static void
test_probe_cycles(void **state __rte_unused)
{
	unsigned int i, fds;
	uint64_t heap;

	assert_int_equal(unit_probe("net_xenvif_x", "domid=1,devid=4000"), 0);
	assert_int_equal(rte_vdev_uninit("net_xenvif_x"), 0);
	fds = unit_fds();
	heap = heap_bytes();
	for (i = 0; i < 200; i++) {
		assert_int_equal(unit_probe("net_xenvif_x", "domid=1,devid=4000"), 0);
		if (i % 2 == 0)
			assert_int_equal(rte_eth_dev_close(unit_port("net_xenvif_x")), 0);
		assert_int_equal(rte_vdev_uninit("net_xenvif_x"), 0);
	}
	assert_int_equal(unit_fds(), fds);
	assert_int_equal(heap_bytes(), heap);
}

/* A vif of four queues takes less than 256 KiB beside its mbufs. */
static void
test_memory(void **state __rte_unused)
{
	const struct vif_options options = { .queues = 4, .app_queues = 4 };
	uint64_t heap = heap_bytes();
	struct vif v;

	vif_open(&v, &options);
	vif_connect(&v);
	assert_in_range(heap_bytes() - heap, 1, 256 * 1024 - 1);
	vif_close(&v);
	assert_int_equal(heap_bytes(), heap);
}

/* Stop and start: the guest stays connected, and what it sent meanwhile is there. */
static void
test_stop_start(void **state)
{
	struct rte_mbuf *pkts[64], *m;
	struct vif *v = *state;
	unsigned int i, j;

	for (i = 0; i < 20; i++) {
		for (j = 0; j < 5; j++)
			vif_put(v, j, 0, 60 + j, 0, j);
		rawfront_tx_push(&v->f, 0);
		assert_int_equal(rte_eth_dev_stop(v->port), 0);
		assert_false(unit_link(v->port));
		assert_int_equal(unit_maps(), 0);
		assert_int_equal(rawfront_back_state(&v->f), XenbusStateConnected);
		vif_expect_no_rsp(v);
		assert_int_equal(rte_eth_dev_start(v->port), 0);
		unit_wait(unit_link(v->port));
		assert_int_equal(rawfront_back_state(&v->f), XenbusStateConnected);
		/* Kicked, lest it waits for an answer to what it sent before. */
		assert_true(rawfront_event(&v->f));
		assert_int_equal(rte_eth_rx_burst(v->port, 0, pkts, 64), 5);
		for (j = 0; j < 5; j++) {
			unit_check_packet(pkts[j], 60 + j, vif_seed(j));
			vif_expect_rsp(v, j, NETIF_RSP_OKAY);
		}
		rte_pktmbuf_free_bulk(pkts, 5);
		rawfront_rx_post(&v->f, 0, 0, 1);
		m = unit_packet(60, UNIT_ROOM, 0);
		assert_int_equal(rte_eth_tx_burst(v->port, 0, &m, 1), 1);
	}
}

/* A backend that died between taking requests and answering them: they are taken again. */
static void
test_attach_live(void **state)
{
	struct rte_mbuf *pkts[128];
	struct vif *v = *state;
	unsigned int i;

	vif_remove_port(v);
	rawfront_init_rings(&v->f, 0xFFFFFFC0);
	for (i = 0; i < 100; i++)
		vif_put(v, i, 0, 60, 0, i);
	rawfront_tx_push(&v->f, 0);
	/* The one before has answered 30 of them. */
	v->f.q[0].tx->rsp_prod += 30;
	v->f.q[0].tx_cons += 30;
	rawfront_event(&v->f);
	vif_add_port(v, &(struct vif_options){ .app_queues = 1 });
	unit_wait(unit_link(v->port));
	assert_int_equal(rawfront_back_state(&v->f), XenbusStateConnected);
	assert_true(rawfront_event(&v->f));
	assert_int_equal(rte_eth_rx_burst(v->port, 0, pkts, 128), 70);
	for (i = 30; i < 100; i++) {
		unit_check_packet(pkts[i - 30], 60, vif_seed(i));
		vif_expect_rsp(v, i, NETIF_RSP_OKAY);
	}
	rte_pktmbuf_free_bulk(pkts, 70);
	vif_expect_no_rsp(v);
	vif_send_good(v);
}

/* Each change of the link is told once; the administrator's wish reaches the guest. */
static void
test_link(void **state)
{
	struct vif *v = *state;

	unit_lsc_begin(v->port);
	rawfront_reset(&v->f);
	unit_wait(unit_lsc_are(0, 1));
	rawfront_init_rings(&v->f, 0);
	vif_connect(v);
	unit_wait(unit_lsc_are(1, 1));
	assert_int_equal(rte_eth_dev_set_link_down(v->port), 0);
	unit_wait(unit_lsc_are(1, 2));
	unit_wait(strcmp(unit_read("%s/carrier", v->f.back), "0") == 0);
	assert_false(unit_link(v->port));
	assert_int_equal(rawfront_back_state(&v->f), XenbusStateConnected);
	assert_int_equal(unit_maps(), 2);
	/* A reset meanwhile: still no carrier. */
	rawfront_reset(&v->f);
	rawfront_init_rings(&v->f, 0);
	rawfront_connect(&v->f);
	assert_false(unit_link(v->port));
	assert_string_equal(unit_read("%s/carrier", v->f.back), "0");
	/* So for a vif whose key is lost. */
	unit_remove("%s/carrier", v->f.back);
	unit_wait(strcmp(unit_read("%s/carrier", v->f.back), "0") == 0);
	assert_int_equal(rte_eth_dev_set_link_up(v->port), 0);
	unit_wait(unit_lsc_are(2, 2));
	unit_wait(strcmp(unit_read("%s/carrier", v->f.back), "1") == 0);
	/* What an earlier process has left of its own wish does not count. */
	unit_write("0", "%s/carrier", v->f.back);
	unit_wait(strcmp(unit_read("%s/carrier", v->f.back), "1") == 0);
	vif_send_good(v);
	assert_true(unit_lsc_are(2, 2));
	unit_lsc_end(v->port);
}

/* A guest that writes its state without a pause costs an evaluation every few milliseconds. */
static void
test_flood(void **state)
{
	unsigned int i, before, spent;
	struct vif *v = *state;
	uint64_t start;

	bystander_start();
	before = evaluated();
	start = unit_now_ms();
	for (i = 0; i < FLOOD; i++) {
		if (i % 3 == 0)
			rawfront_state(&v->f, XenbusStateConnected);
		else
			rawfront_set(&v->f, i % 3 == 1 ? "request-multicast-control" : "whatever",
					"%u", i % 2);
		if (i % 50 == 0)
			bystander_run();
	}
	/* What is still to come is taken before the count. */
	rawfront_reset(&v->f);
	spent = evaluated() - before;
	print_message("%u writes in %u ms: %u evaluations\n", FLOOD,
			(unsigned int)(unit_now_ms() - start), spent);
	assert_true(spent <= (unit_now_ms() - start) / 4 + 50);
	rawfront_init_rings(&v->f, 0);
	vif_connect(v);
	vif_send_good(v);
	bystander_stop();
}

/* Run the tool that started this machine, and go on with the traffic until it is through. */
static void
restart_xenstored(struct vif *v)
{
	const char *tool = getenv("XENSIM_TOOL");
	int status;
	pid_t pid;

	assert_non_null(tool);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		execl(tool, tool, "restart-xenstored", getenv("XENSIM_DIR"), NULL);
		_exit(127);
	}
	while (waitpid(pid, &status, WNOHANG) == 0) {
		unit_idle();
		vif_send_good(v);
		/* The control thread has something to do the while. */
		assert_int_equal(rte_eth_dev_set_link_up(v->port), 0);
	}
	assert_int_equal(status, 0);
	xs_close(unit_store);
	unit_wait((unit_store = xs_open(0)) != NULL);
}

/* xenstored goes and comes back: no vif notices, and afterwards all is as it was. */
static void
test_xenstored_restarted(void **state)
{
	struct vif *v = *state;
	unsigned int i;

	bystander_start();
	for (i = 0; i < 3; i++) {
		unit_log_clear();
		restart_xenstored(v);
		unit_wait(unit_log_has("connected to xenstore"));
		assert_true(unit_link(v->port));
		assert_int_equal(unit_xstat(v->port, "disconnects"), i);
		rawfront_reset(&v->f);
		rawfront_init_rings(&v->f, 0);
		vif_connect(v);
		vif_send_good(v);
	}
	rawfront_detach(&v->f);
	rawfront_wait(&v->f, XenbusStateClosed);
	bystander_stop();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		vif_test(test_cycles),
		vif_test(test_probe_cycles),
		vif_test(test_memory),
		vif_test(test_stop_start),
		vif_test(test_attach_live),
		vif_test(test_link),
		vif_test(test_flood),
		vif_test(test_xenstored_restarted),
	};

	return cmocka_run_group_tests_name("life", tests, unit_setup, unit_teardown);
}
