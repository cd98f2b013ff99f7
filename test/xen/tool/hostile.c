/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 *
 * A frontend in user space that breaks the rules of xen/io/netif.h, each time in one way, and
 * reports what the backend did about it. Its guest has no netfront driver.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xen/io/netif.h>
#include <xen/io/xenbus.h>
/* These rely on the types of those. */
#include <xen/evtchn.h>
#include <xen/gntalloc.h>

#include "rigtool.h"
#include "store.h"

#define PAGE 4096u
#define PAGES 3
/* A reference that no grant table of a guest this small reaches. */
#define NO_GREF 0x00ffff00u
/* Seconds for the backend to do anything at all. */
#define PATIENCE 60
#define TICK_US 20000

struct front {
	char dir[32];
	char back[128];
	int gntalloc;
	int evtchn;
	uint32_t port;
	uint32_t gref[PAGES];
	netif_tx_sring_t *tx;
	netif_rx_sring_t *rx;
	uint8_t *data;
	uint32_t prod;
};

static unsigned long
back_state(const struct front *f)
{
	char value[32];

	if (store_read(f->back, "state", value, sizeof(value)) != 0)
		return XenbusStateUnknown;
	return strtoul(value, NULL, 10);
}

static int
wait_back(const struct front *f, unsigned long state)
{
	int i;

	for (i = 0; i < PATIENCE * (1000000 / TICK_US); i++) {
		if (back_state(f) == state)
			return 0;
		usleep(TICK_US);
	}
	fprintf(stderr, "rigtool: the backend is in state %lu, not %lu\n", back_state(f), state);
	return -1;
}

/* Grants the backend's domain a page; NULL on failure. */
static void *
grant_page(struct front *f, uint16_t domid, unsigned int i)
{
	struct ioctl_gntalloc_alloc_gref arg = {
		.domid = domid, .flags = GNTALLOC_FLAG_WRITABLE, .count = 1
	};
	void *page;

	if (ioctl(f->gntalloc, IOCTL_GNTALLOC_ALLOC_GREF, &arg) != 0)
		return NULL;
	f->gref[i] = arg.gref_ids[0];
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, f->gntalloc, (off_t)arg.index);
	if (page == MAP_FAILED)
		return NULL;
	memset(page, 0, PAGE);
	return page;
}

static int
open_front(struct front *f, const char *devid)
{
	struct ioctl_evtchn_bind_unbound_port bind;
	char value[32];
	uint16_t domid;
	int port;

	snprintf(f->dir, sizeof(f->dir), "device/vif/%.4s", devid);
	if (store_read(f->dir, "backend", f->back, sizeof(f->back)) != 0 ||
			store_read(f->dir, "backend-id", value, sizeof(value)) != 0)
		return -1;
	domid = (uint16_t)strtoul(value, NULL, 10);
	f->gntalloc = open("/dev/xen/gntalloc", O_RDWR | O_CLOEXEC);
	f->evtchn = open("/dev/xen/evtchn", O_RDWR | O_CLOEXEC);
	f->tx = grant_page(f, domid, 0);
	f->rx = grant_page(f, domid, 1);
	f->data = grant_page(f, domid, 2);
	if (f->tx == NULL || f->rx == NULL || f->data == NULL)
		return -1;
	bind.remote_domain = domid;
	port = ioctl(f->evtchn, IOCTL_EVTCHN_BIND_UNBOUND_PORT, &bind);
	f->port = (uint32_t)port;
	f->tx->req_event = f->tx->rsp_event = 1;
	f->rx->req_event = f->rx->rsp_event = 1;
	return port < 0 ? -1 : 0;
}

static int
publish(const struct front *f, uint32_t tx_ref)
{
	if (store_write(f->dir, "tx-ring-ref", tx_ref) != 0 ||
			store_write(f->dir, "rx-ring-ref", f->gref[1]) != 0 ||
			store_write(f->dir, "event-channel", f->port) != 0 ||
			store_write(f->dir, "request-rx-copy", 1) != 0 ||
			store_write(f->dir, "feature-rx-notify", 1) != 0 ||
			store_write(f->dir, "feature-sg", 1) != 0)
		return -1;
	return store_write(f->dir, "state", XenbusStateConnected);
}

/* Ends the connection as a driver does: the next attack finds the vif as the toolstack made it. */
static int
close_front(const struct front *f)
{
	if (store_write(f->dir, "state", XenbusStateClosing) != 0 ||
			store_write(f->dir, "state", XenbusStateClosed) != 0 ||
			wait_back(f, XenbusStateClosed) != 0 ||
			store_write(f->dir, "state", XenbusStateInitialising) != 0)
		return -1;
	return wait_back(f, XenbusStateInitWait);
}

static void
put(struct front *f, uint32_t gref, uint16_t offset, uint16_t size, uint16_t flags)
{
	netif_tx_request_t *req = &f->tx->ring[f->prod & 255].req;

	req->gref = gref;
	req->offset = offset;
	req->size = size;
	req->flags = flags;
	req->id = (uint16_t)f->prod++;
}

static void
put_extra(struct front *f, uint8_t type)
{
	netif_extra_info_t extra = { .type = type };

	memcpy(&f->tx->ring[f->prod++ & 255], &extra, sizeof(extra));
}

/* --- the attacks: what is put on the ring for what the guest sends --- */

static void
good(struct front *f)
{
	put(f, f->gref[2], 0, 60, 0);
}

static void
prod_ahead(struct front *f)
{
	f->prod = 257;
}

static void
past_page(struct front *f)
{
	put(f, f->gref[2], 4000, 1000, 0);
}

static void
chain_past_prod(struct front *f)
{
	put(f, f->gref[2], 0, 200, NETTXF_more_data);
	put(f, f->gref[2], 0, 100, NETTXF_more_data);
}

static void
put_slots(struct front *f, unsigned int slots)
{
	unsigned int i;

	put(f, f->gref[2], 0, (uint16_t)(100 * slots), NETTXF_more_data);
	for (i = 1; i < slots; i++)
		put(f, f->gref[2], 0, 100, i + 1 < slots ? NETTXF_more_data : 0);
}

static void
slots_19(struct front *f)
{
	put_slots(f, 19);
}

static void
slots_21(struct front *f)
{
	put_slots(f, 21);
}

static void
extra_0(struct front *f)
{
	put(f, f->gref[2], 0, 60, NETTXF_extra_info);
	put_extra(f, 0);
}

static void
extra_99(struct front *f)
{
	put(f, f->gref[2], 0, 60, NETTXF_extra_info);
	put_extra(f, 99);
}

static void
extra_past_prod(struct front *f)
{
	put(f, f->gref[2], 0, 60, NETTXF_extra_info);
}

static void
bytes_13(struct front *f)
{
	put(f, f->gref[2], 0, 13, 0);
}

static void
no_grant(struct front *f)
{
	put(f, NO_GREF, 0, 60, 0);
}

static void
no_grant_fragment(struct front *f)
{
	put(f, f->gref[2], 0, 200, NETTXF_more_data);
	put(f, NO_GREF, 0, 100, 0);
}

static void
fragment_too_long(struct front *f)
{
	put(f, f->gref[2], 0, 100, NETTXF_more_data);
	put(f, f->gref[2], 0, 200, 0);
}

static void
empty_fragment(struct front *f)
{
	put(f, f->gref[2], 0, 160, NETTXF_more_data);
	put(f, f->gref[2], 0, 0, NETTXF_more_data);
	put(f, f->gref[2], 0, 100, 0);
}

/* --- and on the ring for what it receives: they meet the next frame that comes --- */

static void
rx_prod_ahead(struct front *f)
{
	f->rx->req_prod = 257;
}

static void
rx_no_grant(struct front *f)
{
	f->rx->ring[0].req.gref = NO_GREF;
	__atomic_store_n(&f->rx->req_prod, 1, __ATOMIC_RELEASE);
}

static const struct {
	const char *name;
	void (*fill)(struct front *f);
} attacks[] = {
	{ "none", good },
	{ "prod-ahead-257", prod_ahead },
	{ "offset-past-page", past_page },
	{ "chain-past-prod", chain_past_prod },
	{ "slots-19", slots_19 },
	{ "slots-21", slots_21 },
	{ "extra-type-0", extra_0 },
	{ "extra-type-99", extra_99 },
	{ "extra-past-prod", extra_past_prod },
	{ "empty-fragment", empty_fragment },
	{ "bytes-13", bytes_13 },
	{ "no-grant", no_grant },
	{ "no-grant-fragment", no_grant_fragment },
	{ "fragment-too-long", fragment_too_long },
	{ "rx-prod-ahead-257", rx_prod_ahead },
	{ "rx-no-grant", rx_no_grant },
	{ "no-ring", NULL },
};

/* The verdict in the responses, or NULL while they are not there. */
static const char *
response(const struct front *f)
{
	uint32_t i, rsp;

	if (__atomic_load_n(&f->rx->rsp_prod, __ATOMIC_ACQUIRE) != 0)
		return f->rx->ring[0].rsp.status < 0 ? "dropped" : "accepted";
	rsp = __atomic_load_n(&f->tx->rsp_prod, __ATOMIC_ACQUIRE);
	if (rsp != f->prod || rsp == 0)
		return NULL;
	for (i = 0; i < rsp; i++)
		if (f->tx->ring[i & 255].rsp.status == NETIF_RSP_ERROR)
			return "dropped";
	return "accepted";
}

/* What the backend made of what is on the rings. */
static const char *
judge(const struct front *f)
{
	const char *verdict;
	int tick;

	for (tick = 0; tick < PATIENCE * (1000000 / TICK_US); tick++) {
		if (back_state(f) != XenbusStateConnected)
			return "disconnected";
		verdict = response(f);
		if (verdict != NULL)
			return verdict;
		usleep(TICK_US);
	}
	return "no answer";
}

static int
attack(struct front *f, void (*fill)(struct front *f))
{
	struct ioctl_evtchn_notify notify = { .port = f->port };
	int tick;

	if (wait_back(f, XenbusStateInitWait) != 0)
		return -1;
	/* Without a ring there is nothing to connect to. */
	if (publish(f, fill != NULL ? f->gref[0] : NO_GREF) != 0)
		return -1;
	if (fill == NULL) {
		for (tick = 0; back_state(f) == XenbusStateInitWait && tick < 3000; tick++)
			usleep(TICK_US);
		printf("%s\n", back_state(f) == XenbusStateConnected ? "accepted" : "disconnected");
		return 0;
	}
	if (wait_back(f, XenbusStateConnected) != 0)
		return -1;
	fill(f);
	__atomic_store_n(&f->tx->req_prod, f->prod, __ATOMIC_RELEASE);
	if (ioctl(f->evtchn, IOCTL_EVTCHN_NOTIFY, &notify) != 0)
		return -1;
	printf("%s\n", judge(f));
	return 0;
}

int
hostile(int argc, char **argv)
{
	struct front f = { 0 };
	unsigned int i;

	(void)argc;
	number("device id", argv[0], 0, 999);
	for (i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++)
		if (strcmp(argv[1], attacks[i].name) == 0)
			break;
	if (i == sizeof(attacks) / sizeof(attacks[0])) {
		fprintf(stderr, "rigtool: no attack '%s'\n", argv[1]);
		return 2;
	}
	if (open_front(&f, argv[0]) != 0)
		return failed("frontend");
	if (attack(&f, attacks[i].fill) != 0)
		return failed("attack");
	return close_front(&f) == 0 ? 0 : 1;
}
