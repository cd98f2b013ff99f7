/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * A guest's end of a vif, in the domain where it runs, that breaks the protocol of xen/io/netif.h
 * on purpose, or only connects and resets itself. Uses nothing of the drivers.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenstore.h>

#include "xen_ring.h"

/* Generous: on a loaded machine everything may take long. */
#define LIMIT_S 60
#define PATH_LEN 96

struct guest {
	struct xs_handle *xs;
	xengntshr_handle *gntshr;
	xenevtchn_handle *evtchn;
	char front[PATH_LEN];
	char *back;
	uint32_t backend_id;
	struct netif_tx_sring *tx;
	struct netif_rx_sring *rx;
	uint32_t tx_ref;
	uint32_t rx_ref;
	uint32_t data_ref;
	int port;
};

static _Noreturn void
die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static _Noreturn void
die(const char *fmt, ...)
{
	va_list ap;

	fputs("xenhostile: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(EXIT_FAILURE);
}

static char *
store_read(struct guest *g, const char *dir, const char *key)
{
	char path[2 * PATH_LEN];
	unsigned int len;

	snprintf(path, sizeof(path), "%s/%s", dir, key);
	return xs_read(g->xs, XBT_NULL, path, &len);
}

static void
store_write(struct guest *g, const char *key, uint32_t value)
{
	char path[2 * PATH_LEN], text[16];

	snprintf(path, sizeof(path), "%s/%s", g->front, key);
	snprintf(text, sizeof(text), "%u", value);
	if (!xs_write(g->xs, XBT_NULL, path, text, strlen(text)))
		die("cannot write %s: %s", path, strerror(errno));
}

static uint32_t
store_number(struct guest *g, const char *dir, const char *key)
{
	char *text = store_read(g, dir, key);
	uint32_t value = text != NULL ? strtoul(text, NULL, 10) : 0;

	free(text);
	return value;
}

static void
wait_backend(struct guest *g, uint32_t state)
{
	const struct timespec pause = { .tv_nsec = 2000000 };
	time_t end = time(NULL) + LIMIT_S;
	uint32_t seen;

	for (;;) {
		seen = store_number(g, g->back, "state");
		if (seen == state)
			return;
		if (time(NULL) > end)
			die("the backend is in state %u, not in %u", seen, state);
		nanosleep(&pause, NULL);
	}
}

static void *
share_page(struct guest *g, uint32_t *ref)
{
	void *page = xengntshr_share_pages(g->gntshr, g->backend_id, 1, ref, 1);

	if (page == NULL)
		die("cannot grant a page: %s", strerror(errno));
	return page;
}

static void
guest_open(struct guest *g, const char *devid)
{
	snprintf(g->front, sizeof(g->front), "device/vif/%s", devid);
	g->xs = xs_open(0);
	g->gntshr = xengntshr_open(NULL, 0);
	g->evtchn = xenevtchn_open(NULL, 0);
	if (g->xs == NULL || g->gntshr == NULL || g->evtchn == NULL)
		die("no xenstore, grants or event channels: %s", strerror(errno));
	g->back = store_read(g, g->front, "backend");
	if (g->back == NULL)
		die("%s/backend: %s", g->front, strerror(errno));
	g->backend_id = store_number(g, g->front, "backend-id");
	g->tx = share_page(g, &g->tx_ref);
	g->rx = share_page(g, &g->rx_ref);
	share_page(g, &g->data_ref);
	g->port = xenevtchn_bind_unbound_port(g->evtchn, g->backend_id);
	if (g->port < 0)
		die("cannot make an event channel: %s", strerror(errno));
}

/* From whatever state the vif is in to Initialising, with a backend that waits. */
static void
reset(struct guest *g)
{
	uint32_t own = store_number(g, g->front, "state");

	if (own != XenbusStateInitialising) {
		if (own != XenbusStateClosed) {
			store_write(g, "state", XenbusStateClosing);
			store_write(g, "state", XenbusStateClosed);
		}
		wait_backend(g, XenbusStateClosed);
		store_write(g, "state", XenbusStateInitialising);
	}
	wait_backend(g, XenbusStateInitWait);
}

/* What another frontend has left, and what would say other things than this one. */
static void
remove_stale(struct guest *g)
{
	static const char *const keys[] = {
		"multi-queue-num-queues",
		"event-channel-tx",
		"event-channel-rx",
	};
	char path[2 * PATH_LEN];
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", g->front, keys[i]);
		xs_rm(g->xs, XBT_NULL, path);
	}
}

static void
connect_rings(struct guest *g)
{
	reset(g);
	remove_stale(g);
	memset(g->tx, 0, XEN_PAGE_BYTES);
	memset(g->rx, 0, XEN_PAGE_BYTES);
	g->tx->req_event = 1;
	g->tx->rsp_event = 1;
	g->rx->req_event = 1;
	g->rx->rsp_event = 1;
	store_write(g, "tx-ring-ref", g->tx_ref);
	store_write(g, "rx-ring-ref", g->rx_ref);
	store_write(g, "event-channel", g->port);
	store_write(g, "request-rx-copy", 1);
	store_write(g, "feature-rx-notify", 1);
	store_write(g, "feature-sg", 1);
	store_write(g, "state", XenbusStateConnected);
	wait_backend(g, XenbusStateConnected);
}

static void
put_tx(struct guest *g, uint32_t slot, uint16_t offset, uint16_t size, uint16_t flags)
{
	g->tx->ring[slot & XEN_NETIF_RING_MASK].req = (struct netif_tx_request){
		.gref = g->data_ref,
		.offset = offset,
		.flags = flags,
		.id = slot,
		.size = size,
	};
}

static void
attack_tx_ahead(struct guest *g)
{
	xen_ring_store(&g->tx->req_prod, XEN_NETIF_RING_SIZE + 1);
}

/* Found out when there is a frame for this guest: it sends one, which has to come back to it. */
static void
attack_rx_ahead(struct guest *g)
{
	put_tx(g, 0, 0, 100, 0);
	xen_ring_store(&g->rx->req_prod, XEN_NETIF_RING_SIZE + 1);
	xen_ring_store(&g->tx->req_prod, 1);
}

static void
attack_past_page(struct guest *g)
{
	put_tx(g, 0, XEN_PAGE_BYTES - 10, 100, 0);
	xen_ring_store(&g->tx->req_prod, 1);
}

static void
attack_endless_chain(struct guest *g)
{
	put_tx(g, 0, 0, 200, NETTXF_more_data);
	xen_ring_store(&g->tx->req_prod, 1);
}

static void
attack_many_slots(struct guest *g)
{
	const uint32_t slots = 21;
	uint32_t i;

	put_tx(g, 0, 0, slots * 100, NETTXF_more_data);
	for (i = 1; i < slots; i++)
		put_tx(g, i, 0, 100, i + 1 < slots ? NETTXF_more_data : 0);
	xen_ring_store(&g->tx->req_prod, slots);
}

static void
attack_unknown_extra(struct guest *g)
{
	struct netif_extra_info extra = { .type = 99 };

	put_tx(g, 0, 0, 100, NETTXF_extra_info);
	memcpy(&g->tx->ring[1], &extra, sizeof(extra));
	xen_ring_store(&g->tx->req_prod, 2);
}

static const struct {
	const char *name;
	void (*run)(struct guest *g);
} attacks[] = {
	{ "tx-ahead", attack_tx_ahead },
	{ "rx-ahead", attack_rx_ahead },
	{ "past-page", attack_past_page },
	{ "endless-chain", attack_endless_chain },
	{ "many-slots", attack_many_slots },
	{ "unknown-extra", attack_unknown_extra },
};

static void
usage(FILE *f)
{
	size_t i;

	fputs("usage: xenhostile DEVID ATTACK | reset N\n"
	      "Connects the vif DEVID of this domain, breaks the protocol as named and waits\n"
	      "for the backend to close the vif (state 6); or connects and resets N times.\n"
	      "ATTACK is one of:",
			f);
	for (i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++)
		fprintf(f, " %s", attacks[i].name);
	fputc('\n', f);
}

int
main(int argc, char **argv)
{
	struct guest g = { 0 };
	unsigned long i, n;

	if (argc == 4 && strcmp(argv[2], "reset") == 0) {
		n = strtoul(argv[3], NULL, 10);
		guest_open(&g, argv[1]);
		for (i = 0; i < n; i++)
			connect_rings(&g);
		reset(&g);
		printf("connected and reset %lu times\n", n);
		return EXIT_SUCCESS;
	}
	for (i = 0; argc == 3 && i < sizeof(attacks) / sizeof(attacks[0]); i++) {
		if (strcmp(argv[2], attacks[i].name) != 0)
			continue;
		guest_open(&g, argv[1]);
		connect_rings(&g);
		attacks[i].run(&g);
		/* For a backend that polls it is nothing, but a guest would. */
		xenevtchn_notify(g.evtchn, g.port);
		wait_backend(&g, XenbusStateClosed);
		printf("%s: the backend has closed the vif\n", argv[2]);
		return EXIT_SUCCESS;
	}
	usage(stderr);
	return EXIT_FAILURE;
}
