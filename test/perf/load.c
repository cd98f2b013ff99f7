/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * Guests that send as fast as they can, by pairs: vifs 0 and 1, 2 and 3, ... of this domain. Their
 * frames are made before and lie in pages that are granted for good, and what comes is counted and
 * not looked at: whoever is between the vifs has more to do than this side.
 */

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "leanfront.h"

#define VIFS_MAX 32
#define MAC_BYTES 6
#define FRAME_BYTES 60
#define TX_PAGES 160u
/* Different frames of a vif. */
#define FRAMES (TX_PAGES * LEANFRONT_FRAMES_PAGE)
/* Rounds between two looks at standard input. */
#define ROUNDS 1024
/* The first rounds, in which each address is shown to who learns it, are slow. */
#define LEARN_US 2000
#define LEARN_FRAMES 32u
/* Between the answer to a ping and the next ping: an lcore with nothing else to do sleeps. */
#define PING_NS 1000000u
#define PINGS_MAX 65536u

static const char usage[] =
		"usage: xenload VIFS MACS [ping]\n"
		"Frames between pairs of this domain's vifs, which are 0 to VIFS - 1, with so\n"
		"many addresses behind one of a pair; 1: the vif's own; 0: vif 0 alone sends,\n"
		"to all others. ping: the last pair sends one frame at a time and back.\n"
		"Prints for each line of its input how many packets have come, how often a ring\n"
		"to send by was full, how often one was looked at, and since the line before, in\n"
		"nanoseconds, the median and the 99th percentile of its round trip;\n"
		"ends when the input does.\n";

static struct leanfront vifs[VIFS_MAX];
static uint8_t own_mac[VIFS_MAX][MAC_BYTES];
static unsigned int nb_vifs, macs;
/* Packets that came; looks at Tx rings, and how often one was full. */
static uint64_t received, looks, full;
/* Round trips of pings; when the last one was sent or, if none is under way, had come. */
static uint32_t rtts[PINGS_MAX];
static unsigned int nb_rtts;
static uint64_t ping_since;
static bool pinging, ping_out;

/* A vif with an odd number may have many hosts behind it, as the way to a network has. */
static unsigned int
hosts_of(unsigned int vif)
{
	return vif % 2 == 1 && macs > 1 ? macs : 1;
}

static void
put_mac(uint8_t *where, unsigned int vif, uint32_t number)
{
	unsigned int hosts = hosts_of(vif), host = number % hosts;
	const uint8_t mac[MAC_BYTES] = { 2, 0, 0, vif, host >> 8, host };

	memcpy(where, hosts > 1 ? mac : own_mac[vif], MAC_BYTES);
}

/* The first ones have all addresses in turn, for who has to learn them. */
static void
make_frames(unsigned int vif)
{
	uint32_t random = 1 + vif;
	unsigned int i;
	uint8_t *frame;

	for (i = 0; i < FRAMES; i++) {
		random = random * 1103515245 + 12345;
		frame = leanfront_frame(&vifs[vif], i);
		memset(frame, 0, LEANFRONT_ROOM);
		put_mac(frame, vif ^ 1, random >> 8);
		put_mac(frame + MAC_BYTES, vif, i < macs ? i : random >> 8);
		if (macs == 0)
			memset(frame, 0xFF, MAC_BYTES);
		/* IPv4 */
		frame[2 * MAC_BYTES] = 8;
	}
}

static void
vif_open(unsigned int i)
{
	char mac[32];
	uint8_t *m = own_mac[i];

	leanfront_boot(&vifs[i], i, false, TX_PAGES, FRAME_BYTES);
	rawfront_get(vifs[i].raw.front, "mac", mac, sizeof(mac));
	if (sscanf(mac, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &m[0], &m[1], &m[2], &m[3], &m[4],
			    &m[5]) != MAC_BYTES)
		rawfront_fail("vif %u: mac '%s'", i, mac);
}

/* All slots that are free, at most max. */
static void
transmit(struct leanfront *f, uint32_t max)
{
	uint32_t room = leanfront_room(f);

	looks++;
	full += room == 0;
	leanfront_transmit(f, room < max ? room : max);
}

/* One frame at a time by the last pair of vifs. */
static void
ping(void)
{
	struct leanfront *from = &vifs[nb_vifs - 1], *to = &vifs[nb_vifs - 2];
	uint64_t now;

	if (leanfront_receive(to) != 0)
		transmit(to, 1);
	now = now_ns();
	if (ping_out && leanfront_receive(from) != 0) {
		rtts[nb_rtts % PINGS_MAX] = now - ping_since;
		nb_rtts++;
		ping_out = false;
		ping_since = now;
	} else if (!ping_out && now - ping_since > PING_NS) {
		transmit(from, 1);
		ping_out = true;
		ping_since = now;
	}
}

static int
compare(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Of those since the last time, in percent; they are sorted then. */
static uint32_t
rtt_percentile(unsigned int percent)
{
	unsigned int n = nb_rtts < PINGS_MAX ? nb_rtts : PINGS_MAX;

	qsort(rtts, n, sizeof(rtts[0]), compare);
	return n == 0 ? 0 : rtts[(uint64_t)(n - 1) * percent / 100];
}

static void
show_addresses(void)
{
	unsigned int i, j;

	for (i = 0; macs > 1 && i < FRAMES; i += LEARN_FRAMES) {
		for (j = 0; j < nb_vifs; j++) {
			received += leanfront_receive(&vifs[j]);
			transmit(&vifs[j], LEARN_FRAMES);
		}
		usleep(LEARN_US);
	}
}

/* A line of standard input asks for the counters. false: it has ended. */
static bool
answer(void)
{
	struct pollfd fd = { .fd = STDIN_FILENO, .events = POLLIN };
	char c;

	while (poll(&fd, 1, 0) == 1) {
		if (read(fd.fd, &c, 1) != 1)
			return false;
		if (c == '\n') {
			printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu32 " %" PRIu32 "\n",
					received, full, looks, rtt_percentile(50),
					rtt_percentile(99));
			fflush(stdout);
			nb_rtts = 0;
		}
	}
	return true;
}

static void
run(void)
{
	unsigned int receivers = pinging ? nb_vifs - 2 : nb_vifs, i, round;
	unsigned int senders = macs == 0 ? 1 : receivers;

	show_addresses();
	while (answer()) {
		for (round = 0; round < ROUNDS; round++) {
			for (i = 0; i < receivers; i++)
				received += leanfront_receive(&vifs[i]);
			for (i = 0; i < senders; i++)
				transmit(&vifs[i], XEN_NETIF_RING_SIZE);
			if (pinging)
				ping();
		}
	}
}

int
main(int argc, char **argv)
{
	unsigned int i;

	pinging = argc == 4 && strcmp(argv[3], "ping") == 0;
	if (argc != (pinging ? 4 : 3) || sscanf(argv[1], "%u", &nb_vifs) != 1 || nb_vifs < 2 ||
			nb_vifs > VIFS_MAX || nb_vifs % 2 != 0 ||
			sscanf(argv[2], "%u", &macs) != 1 || macs > FRAMES) {
		fputs(usage, stderr);
		return 2;
	}
	leanfront_open();
	for (i = 0; i < nb_vifs; i++)
		vif_open(i);
	for (i = 0; i < nb_vifs; i++) {
		make_frames(i);
		rawfront_connect(&vifs[i].raw);
	}
	run();
	for (i = 0; i < nb_vifs; i++)
		rawfront_die(&vifs[i].raw);
	leanfront_close();
	return EXIT_SUCCESS;
}
