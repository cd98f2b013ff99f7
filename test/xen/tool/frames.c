/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 *
 * Random Ethernet frames that both ends know from a seed: what is received is compared byte by
 * byte, and the order too.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "rigtool.h"

#define FRAME_MIN 60u
#define FRAME_MAX 1514u

/* A xorshift generator, so that every end makes the same bytes. */
struct source {
	uint64_t state;
	uint32_t sequence;
};

static uint64_t
next_random(struct source *src)
{
	src->state ^= src->state << 13;
	src->state ^= src->state >> 7;
	src->state ^= src->state << 17;
	return src->state;
}

static void
source_init(struct source *src, long seed)
{
	src->state = UINT64_C(0x9e3779b97f4a7c15) * (uint64_t)(seed + 1);
	src->sequence = 0;
}

/* Writes the next frame, returns its length. */
static size_t
next_frame(struct source *src, uint8_t *frame)
{
	static const uint8_t head[ETH_HLEN] = { 0x02, 0, 0, 0, 0, 0x02, 0x02, 0, 0, 0, 0, 0x01,
		FRAME_TYPE >> 8, FRAME_TYPE & 0xff };
	size_t length = FRAME_MIN + next_random(src) % (FRAME_MAX - FRAME_MIN + 1);
	uint32_t sequence = htonl(src->sequence++);
	size_t i;

	memcpy(frame, head, sizeof(head));
	memcpy(frame + sizeof(head), &sequence, sizeof(sequence));
	for (i = sizeof(head) + sizeof(sequence); i < length; i++)
		frame[i] = (uint8_t)next_random(src);
	return length;
}

static int
open_interface(const char *name)
{
	struct sockaddr_ll addr = { .sll_family = AF_PACKET, .sll_protocol = htons(FRAME_TYPE) };
	int fd;

	addr.sll_ifindex = (int)if_nametoindex(name);
	if (addr.sll_ifindex == 0)
		return -1;
	fd = socket(AF_PACKET, SOCK_RAW, htons(FRAME_TYPE));
	if (fd >= 0 && bind(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int
open_cable(const char *ports)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	char *end;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0)
		return -1;
	addr.sin_port = htons((in_port_t)strtoul(ports, &end, 10));
	if (*end != ':' || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0)
		goto bad;
	addr.sin_port = htons((in_port_t)number("port", end + 1, 1, 65535));
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0)
		goto bad;
	return fd;
bad:
	close(fd);
	return -1;
}

static int
open_link(const char *name)
{
	int size = 32 << 20;
	int fd = strncmp(name, "udp:", 4) == 0 ? open_cable(name + 4) : open_interface(name);

	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return fd;
}

int
frames_send(int argc, char **argv)
{
	uint8_t frame[FRAME_MAX];
	struct timespec gap = { 0 };
	struct source src;
	long i, count;
	int fd;

	(void)argc;
	source_init(&src, number("seed", argv[1], 0, INT32_MAX));
	count = number("count", argv[2], 1, INT32_MAX);
	gap.tv_nsec = 1000 * number("gap", argv[3], 0, 999999);
	fd = open_link(argv[0]);
	if (fd < 0)
		return failed(argv[0]);
	for (i = 0; i < count; i++) {
		size_t length = next_frame(&src, frame);

		while (send(fd, frame, length, 0) < 0) {
			if (errno != ENOBUFS && errno != EAGAIN)
				return failed("send");
			usleep(1000);
		}
		if (gap.tv_nsec != 0)
			nanosleep(&gap, NULL);
	}
	printf("sent %ld frames\n", count);
	return 0;
}

/* The next frame of ours on the link within the limit, or -1. A cable carries other frames too. */
static ssize_t
receive(int fd, uint8_t *frame, size_t room, time_t end)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	while (time(NULL) < end) {
		ssize_t length;

		if (poll(&pfd, 1, 200) <= 0)
			continue;
		length = recv(fd, frame, room, 0);
		if (length >= ETH_HLEN && frame[12] == FRAME_TYPE >> 8 &&
				frame[13] == (FRAME_TYPE & 0xff))
			return length;
	}
	return -1;
}

int
frames_recv(int argc, char **argv)
{
	uint8_t want[FRAME_MAX], got[65536];
	struct source src;
	time_t end;
	long i, count;
	int fd;

	(void)argc;
	source_init(&src, number("seed", argv[1], 0, INT32_MAX));
	count = number("count", argv[2], 1, INT32_MAX);
	end = time(NULL) + number("seconds", argv[3], 1, 86400);
	fd = open_link(argv[0]);
	if (fd < 0)
		return failed(argv[0]);
	fprintf(stderr, "listening\n");
	for (i = 0; i < count; i++) {
		size_t length = next_frame(&src, want);
		ssize_t n = receive(fd, got, sizeof(got), end);

		if (n < 0) {
			printf("only %ld of %ld frames came\n", i, count);
			return 1;
		}
		if ((size_t)n != length || memcmp(want, got, length) != 0) {
			printf("frame %ld differs: %zd bytes, expected %zu\n", i, n, length);
			return 1;
		}
	}
	printf("%ld frames, identical and in order\n", count);
	return 0;
}
