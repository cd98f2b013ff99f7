/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * A guest that is notified as Linux is: it counts the events of each ring, and those that Linux
 * would find spurious. It sends packets at a rate and takes what comes when an event says so.
 */

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "leanfront.h"

#define RATE_MAX 10000000u
/* A timer would be later than it is to be. */
#define SPIN_NS 100000u
/* Between two looks for events, as many are sent at most. */
#define SEND_MAX 64u
/* A poll of Linux that takes fewer is the last one, and asks for the next event. */
#define BUDGET 64u
/* A wait that only an event, or a line of input, ends. */
#define FOREVER UINT64_MAX

static const char usage[] =
		"usage: xennotify RATE\n"
		"Sends so many packets a second by vif 0 of this domain, 0: as many as there is\n"
		"room for, and takes what comes as Linux does. Prints for each line of its input\n"
		"how many packets have gone and come, and for the TX and the RX ring how many\n"
		"events there were, and how many of them were spurious. Ends with its input.\n";

struct ring_count {
	uint64_t events;
	uint64_t spurious;
};

static struct leanfront vif;
static uint64_t sent, received;
static struct ring_count tx_count, rx_count;
/* Responses of the RX ring that an event was for, and that nobody has taken yet. */
static uint32_t rx_known;

/* Ask for an event with the next response; false when that is there already. */
static bool
arm(uint32_t *rsp_event, const uint32_t *rsp_prod, uint32_t cons)
{
	__atomic_store_n(rsp_event, cons + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(rsp_prod, __ATOMIC_ACQUIRE) == cons;
}

/* Take what has been sent, and ask for the next event; false when there was nothing. */
static bool
clean_tx(void)
{
	struct rawfront_queue *q = &vif.raw.q[0];
	uint32_t before = q->tx_cons;

	do {
		q->tx_cons = __atomic_load_n(&q->tx->rsp_prod, __ATOMIC_ACQUIRE);
	} while (!arm(&q->tx->rsp_event, &q->tx->rsp_prod, q->tx_cons));
	return q->tx_cons != before;
}

static void
poll_rx(void)
{
	struct rawfront_queue *q = &vif.raw.q[0];
	uint32_t n;

	do {
		n = leanfront_receive(&vif);
		received += n;
		rx_known = 0;
	} while (n >= BUDGET || !arm(&q->rx->rsp_event, &q->rx->rsp_prod, q->rx_cons));
}

/* Is there more than the event before was for? */
static bool
new_rx(void)
{
	struct rawfront_queue *q = &vif.raw.q[0];
	uint32_t waiting = __atomic_load_n(&q->rx->rsp_prod, __ATOMIC_ACQUIRE) - q->rx_cons;
	bool more = waiting > rx_known;

	rx_known = waiting;
	return more;
}

static void
count(struct ring_count *c, bool work)
{
	c->events++;
	c->spurious += !work;
}

static void
take_event(void)
{
	struct rawfront_queue *q = &vif.raw.q[0];
	int port = xenevtchn_pending(vif.raw.evtchn);

	if (port <= 0)
		rawfront_fail("cannot take an event: %s", strerror(errno));
	if (port == q->port_tx)
		count(&tx_count, clean_tx());
	else if (port == q->port_rx)
		count(&rx_count, new_rx());
	if (xenevtchn_unmask(vif.raw.evtchn, port) != 0)
		rawfront_fail("cannot unmask an event channel: %s", strerror(errno));
	if (port == q->port_rx && rx_known != 0)
		poll_rx();
}

/* Each packet by itself, as a network stack sends them. */
static void
send_packets(uint32_t max)
{
	uint32_t i;

	for (i = 0; i < max && leanfront_room(&vif) != 0; i++) {
		leanfront_transmit(&vif, 1);
		clean_tx();
		sent++;
	}
}

static bool
answer(void)
{
	char c;

	if (read(STDIN_FILENO, &c, 1) != 1)
		return false;
	if (c == '\n') {
		printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
				sent, received, tx_count.events, tx_count.spurious, rx_count.events,
				rx_count.spurious);
		fflush(stdout);
	}
	return true;
}

/* Until there may be something to do: events, and lines of input. False: the input has ended. */
static bool
wait_ns(uint64_t ns)
{
	struct timespec ts = { .tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S };
	struct pollfd fds[] = {
		{ .fd = xenevtchn_fd(vif.raw.evtchn), .events = POLLIN },
		{ .fd = STDIN_FILENO, .events = POLLIN },
	};

	if (ppoll(fds, 2, ns == FOREVER ? NULL : &ts, NULL) <= 0)
		return true;
	if (fds[0].revents != 0)
		take_event();
	return fds[1].revents == 0 || answer();
}

static void
run(unsigned int rate)
{
	uint64_t gap = rate == 0 ? 0 : NS_PER_S / rate, due = now_ns(), now;
	uint64_t wait = 0;

	while (wait_ns(wait)) {
		if (rate == 0) {
			send_packets(SEND_MAX);
			wait = leanfront_room(&vif) != 0 ? 0 : FOREVER;
			continue;
		}
		now = now_ns();
		if (now >= due) {
			send_packets(1);
			/* What was missed is not made up for. */
			due = now - due > gap ? now + gap : due + gap;
		}
		wait = due > now + SPIN_NS ? due - now - SPIN_NS : 0;
	}
}

int
main(int argc, char **argv)
{
	unsigned int rate;
	uint32_t i;

	if (argc != 2 || sscanf(argv[1], "%u", &rate) != 1 || rate > RATE_MAX) {
		fputs(usage, stderr);
		return 2;
	}
	leanfront_open();
	leanfront_boot(&vif, 0, true, 1, LEANFRONT_ROOM);
	for (i = 0; i < vif.nb_frames; i++)
		memset(leanfront_frame(&vif, i), 2, LEANFRONT_ROOM);
	leanfront_leave(&vif);
	rawfront_connect(&vif.raw);
	poll_rx();
	clean_tx();
	run(rate);
	leanfront_leave(&vif);
	rawfront_die(&vif.raw);
	leanfront_close();
	return EXIT_SUCCESS;
}
