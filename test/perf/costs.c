/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * What a hypervisor takes for copies, maps and notifications, as the drivers ask for them: by Xen's
 * libraries, of pages that another domain has granted, or this one itself.
 */

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenstore.h>

#include "clock.h"

#define PAGE 4096u
#define PAGES 64u
/* What an operation copies: all of a call's fit into one local page. */
#define COPY_BYTES (PAGE / PAGES)
#define SAMPLES_MAX 65536u
/* Of a guest that takes an event before the next one is sent. */
#define EVENT_PAUSE_US 100
/* In the guest's directory, where it may write. */
#define KEY "data/xencosts"
#define DOMID_MAX 32751u

static const char usage[] =
		"usage: xencosts MS | xencosts MS GUEST | xencosts --serve DOMID\n"
		"Measures for MS milliseconds each what copies, maps and notifications take of\n"
		"this domain: with pages and an event channel that it has made itself, or with\n"
		"those of the domain GUEST, where xencosts --serve runs with this domain's number\n"
		"until its input ends. Prints lines of what, how many in one call, and the\n"
		"nanoseconds of a call.\n";

/* What is measured with: the other end's page references and event channel. */
struct costs {
	xengntshr_handle *gntshr;
	xengnttab_handle *gnttab;
	xenevtchn_handle *evtchn;
	unsigned int domid;
	uint32_t grefs[PAGES];
	/* To notify by; of the other end, if that is this domain, and to take its events from. */
	evtchn_port_t port;
	evtchn_port_t other;
	uint64_t ns;
};

/* Pages for a domain, and an event channel that waits for it. */
static void
grant(struct costs *c, unsigned int domid, evtchn_port_t *port)
{
	int ret;

	c->gntshr = xengntshr_open(NULL, 0);
	c->evtchn = xenevtchn_open(NULL, 0);
	if (c->gntshr == NULL || c->evtchn == NULL)
		errx(EXIT_FAILURE, "no grants or event channels here: %s", strerror(errno));
	if (xengntshr_share_pages(c->gntshr, domid, PAGES, c->grefs, 1) == NULL)
		errx(EXIT_FAILURE, "cannot grant %u pages to domain %u: %s", PAGES, domid,
				strerror(errno));
	ret = xenevtchn_bind_unbound_port(c->evtchn, domid);
	if (ret <= 0)
		errx(EXIT_FAILURE, "cannot make an event channel for domain %u: %s", domid,
				strerror(errno));
	*port = ret;
}

static void
take_event(xenevtchn_handle *evtchn)
{
	int port = xenevtchn_pending(evtchn);

	if (port <= 0 || xenevtchn_unmask(evtchn, port) != 0)
		errx(EXIT_FAILURE, "cannot take an event: %s", strerror(errno));
}

/* A guest's part: have pages, take events. */
static void
serve(unsigned int domid)
{
	struct costs c = { 0 };
	struct xs_handle *store = xs_open(0);
	struct pollfd fds[] = { { .events = POLLIN }, { .fd = STDIN_FILENO, .events = POLLIN } };
	char text[16 * (PAGES + 1)], in[64];
	unsigned int i, len;
	evtchn_port_t port;

	if (store == NULL)
		errx(EXIT_FAILURE, "no xenstore: %s", strerror(errno));
	grant(&c, domid, &port);
	len = snprintf(text, sizeof(text), "%u", port);
	for (i = 0; i < PAGES; i++)
		len += snprintf(text + len, sizeof(text) - len, " %u", c.grefs[i]);
	if (!xs_write(store, XBT_NULL, KEY, text, len))
		errx(EXIT_FAILURE, "cannot write " KEY ": %s", strerror(errno));
	printf("ready\n");
	fflush(stdout);
	fds[0].fd = xenevtchn_fd(c.evtchn);
	while (poll(fds, 2, -1) > 0) {
		if (fds[0].revents != 0)
			take_event(c.evtchn);
		if (fds[1].revents != 0 && read(STDIN_FILENO, in, sizeof(in)) <= 0)
			break;
	}
	xs_rm(store, XBT_NULL, KEY);
	xs_close(store);
}

/* The references that a guest has written; it may write anything, and Xen checks each. */
static void
read_guest(struct costs *c, evtchn_port_t *port)
{
	struct xs_handle *store = xs_open(0);
	char path[64], *text, *at;
	unsigned int len, i;
	int used;

	snprintf(path, sizeof(path), "/local/domain/%u/" KEY, c->domid);
	text = store == NULL ? NULL : xs_read(store, XBT_NULL, path, &len);
	if (text == NULL)
		errx(EXIT_FAILURE, "no %s: xencosts --serve does not run there", path);
	at = text;
	if (sscanf(at, "%u%n", port, &used) != 1)
		errx(EXIT_FAILURE, "%s has no event channel", path);
	for (i = 0; i < PAGES; i++) {
		at += used;
		if (sscanf(at, " %" SCNu32 "%n", &c->grefs[i], &used) != 1)
			errx(EXIT_FAILURE, "%s has %u pages, and not %u", path, i, PAGES);
	}
	free(text);
	xs_close(store);
}

static unsigned int
own_domid(void)
{
	struct xs_handle *store = xs_open(0);
	unsigned int len, domid;
	char *text = store == NULL ? NULL : xs_read(store, XBT_NULL, "domid", &len);

	if (text == NULL || sscanf(text, "%u", &domid) != 1)
		errx(EXIT_FAILURE, "xenstore does not say which domain this is");
	free(text);
	xs_close(store);
	return domid;
}

static void
begin(struct costs *c, bool guest)
{
	evtchn_port_t remote;
	int port;

	if (guest) {
		c->evtchn = xenevtchn_open(NULL, 0);
		read_guest(c, &remote);
	} else {
		c->domid = own_domid();
		grant(c, c->domid, &c->other);
		remote = c->other;
	}
	c->gnttab = xengnttab_open(NULL, 0);
	if (c->gnttab == NULL || c->evtchn == NULL)
		errx(EXIT_FAILURE, "no grants or event channels here: %s", strerror(errno));
	port = xenevtchn_bind_interdomain(c->evtchn, c->domid, remote);
	if (port <= 0)
		errx(EXIT_FAILURE, "cannot bind domain %u's event channel: %s", c->domid,
				strerror(errno));
	c->port = port;
}

static int
compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static uint64_t
median(uint64_t *samples, unsigned int n)
{
	qsort(samples, n, sizeof(samples[0]), compare);
	return samples[n / 2];
}

/* What two looks at the clock take by themselves. */
static uint64_t
clock_ns(void)
{
	uint64_t samples[1024], since;
	unsigned int i;

	for (i = 0; i < 1024; i++) {
		since = now_ns();
		samples[i] = now_ns() - since;
	}
	return median(samples, 1024);
}

static void
print(const char *what, unsigned int nb, uint64_t *samples, unsigned int n)
{
	uint64_t ns = median(samples, n), clock = clock_ns();

	printf("%s %u %" PRIu64 "\n", what, nb, ns > clock ? ns - clock : 0);
}

static void
measure_copies(struct costs *c, unsigned int nb)
{
	static uint8_t local[PAGE] __attribute__((aligned(PAGE)));
	static uint64_t samples[SAMPLES_MAX];
	xengnttab_grant_copy_segment_t segs[PAGES];
	uint64_t end = now_ns() + c->ns, since;
	unsigned int n = 0, i;

	memset(segs, 0, sizeof(segs));
	for (i = 0; i < nb; i++) {
		segs[i].source.foreign.ref = c->grefs[i];
		segs[i].source.foreign.domid = c->domid;
		segs[i].dest.virt = local + i * COPY_BYTES;
		segs[i].len = COPY_BYTES;
		segs[i].flags = GNTCOPY_source_gref;
	}
	do {
		since = now_ns();
		if (xengnttab_grant_copy(c->gnttab, nb, segs) != 0)
			errx(EXIT_FAILURE, "cannot copy from domain %u: %s", c->domid,
					strerror(errno));
		samples[n++] = now_ns() - since;
		for (i = 0; i < nb; i++) {
			if (segs[i].status != GNTST_okay)
				errx(EXIT_FAILURE, "a copy from domain %u: status %d", c->domid,
						segs[i].status);
		}
	} while (n < SAMPLES_MAX && now_ns() < end);
	print("copy", nb, samples, n);
}

static void
measure_maps(struct costs *c, unsigned int nb)
{
	static uint64_t map[SAMPLES_MAX], unmap[SAMPLES_MAX];
	uint64_t end = now_ns() + c->ns, since;
	unsigned int n = 0;
	void *pages;

	do {
		since = now_ns();
		pages = xengnttab_map_domain_grant_refs(c->gnttab, nb, c->domid, c->grefs, 3);
		map[n] = now_ns() - since;
		if (pages == NULL)
			errx(EXIT_FAILURE, "cannot map %u pages of domain %u: %s", nb, c->domid,
					strerror(errno));
		/* What is mapped is used, before it is unmapped. */
		memset(pages, 0, nb * PAGE);
		since = now_ns();
		if (xengnttab_unmap(c->gnttab, pages, nb) != 0)
			errx(EXIT_FAILURE, "cannot unmap: %s", strerror(errno));
		unmap[n++] = now_ns() - since;
	} while (n < SAMPLES_MAX && now_ns() < end);
	print("map", nb, map, n);
	print("unmap", nb, unmap, n);
}

/* Each is taken before the next one: else that one would be nothing to do for Xen. */
static void
measure_notifications(struct costs *c)
{
	static uint64_t samples[SAMPLES_MAX];
	uint64_t end = now_ns() + c->ns, since;
	unsigned int n = 0;

	do {
		since = now_ns();
		if (xenevtchn_notify(c->evtchn, c->port) != 0)
			errx(EXIT_FAILURE, "cannot notify domain %u: %s", c->domid,
					strerror(errno));
		samples[n++] = now_ns() - since;
		if (c->other != 0)
			take_event(c->evtchn);
		else
			usleep(EVENT_PAUSE_US);
	} while (n < SAMPLES_MAX && now_ns() < end);
	print("notify", 1, samples, n);
}

static void
measure(struct costs *c)
{
	static const unsigned int batches[] = { 1, 4, 16, 32, 64 };
	struct pollfd fd = { .fd = xenevtchn_fd(c->evtchn), .events = POLLIN };
	unsigned int i;

	/* Binding may have raised one. */
	while (poll(&fd, 1, 0) == 1)
		take_event(c->evtchn);
	for (i = 0; i < sizeof(batches) / sizeof(batches[0]); i++)
		measure_copies(c, batches[i]);
	measure_maps(c, 1);
	measure_maps(c, PAGES);
	measure_notifications(c);
}

int
main(int argc, char **argv)
{
	struct costs c = { 0 };
	unsigned int ms, domid;

	if (argc == 3 && strcmp(argv[1], "--serve") == 0 && sscanf(argv[2], "%u", &domid) == 1 &&
			domid <= DOMID_MAX) {
		serve(domid);
		return EXIT_SUCCESS;
	}
	if (argc < 2 || argc > 3 || sscanf(argv[1], "%u", &ms) != 1 || ms < 1 || ms > 3600000 ||
			(argc == 3 &&
					(sscanf(argv[2], "%u", &c.domid) != 1 ||
							c.domid > DOMID_MAX))) {
		fputs(usage, stderr);
		return 2;
	}
	c.ns = ms * NS_PER_S / 1000;
	begin(&c, argc == 3);
	measure(&c);
	return EXIT_SUCCESS;
}
