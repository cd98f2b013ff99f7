/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 *
 * Captures of the random frames: what an interface sent and received, kept as a pcap file, and the
 * comparison of two such files.
 */

#include <errno.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "rigtool.h"

#define PCAP_MAGIC 0xa1b2c3d4u
#define PCAP_ETHERNET 1

struct pcap_head {
	uint32_t magic;
	uint16_t major;
	uint16_t minor;
	uint32_t zone;
	uint32_t figures;
	uint32_t snaplen;
	uint32_t link;
};

struct pcap_record {
	uint32_t seconds;
	uint32_t microseconds;
	uint32_t kept;
	uint32_t length;
};

/* Large enough for all that a link here carries. */
static uint8_t first[UINT16_MAX], second[UINT16_MAX];

static int
open_socket(const char *name)
{
	struct sockaddr_ll addr = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int size = 32 << 20;
	int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));

	addr.sll_ifindex = (int)if_nametoindex(name);
	if (fd < 0 || addr.sll_ifindex == 0 ||
			bind(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return fd;
}

static bool
of_ours(const uint8_t *frame, size_t length)
{
	return length >= ETH_HLEN && frame[12] == FRAME_TYPE >> 8 &&
			frame[13] == (FRAME_TYPE & 0xff);
}

int
frames_capture(int argc, char **argv)
{
	const struct pcap_head head = { .magic = PCAP_MAGIC,
		.major = 2,
		.minor = 4,
		.snaplen = UINT16_MAX,
		.link = PCAP_ETHERNET };
	struct pcap_record record = { 0 };
	long i, count;
	FILE *out;
	int fd;

	(void)argc;
	count = number("count", argv[2], 1, INT32_MAX);
	fd = open_socket(argv[0]);
	if (fd < 0)
		return failed(argv[0]);
	out = fopen(argv[1], "wb");
	if (out == NULL || fwrite(&head, sizeof(head), 1, out) != 1)
		return failed(argv[1]);
	fprintf(stderr, "listening\n");
	for (i = 0; i < count; i++) {
		ssize_t length;

		do {
			length = recv(fd, first, sizeof(first), 0);
		} while (length >= 0 && !of_ours(first, (size_t)length));
		if (length < 0)
			return failed("receive");
		record.kept = record.length = (uint32_t)length;
		if (fwrite(&record, sizeof(record), 1, out) != 1 ||
				fwrite(first, (size_t)length, 1, out) != 1)
			return failed(argv[1]);
	}
	return fclose(out) == 0 ? 0 : failed(argv[1]);
}

static FILE *
open_capture(const char *name)
{
	struct pcap_head head;
	FILE *in = fopen(name, "rb");

	if (in == NULL) {
		failed(name);
		return NULL;
	}
	if (fread(&head, sizeof(head), 1, in) != 1 || head.magic != PCAP_MAGIC ||
			head.link != PCAP_ETHERNET) {
		fprintf(stderr, "rigtool: %s is no capture of Ethernet frames\n", name);
		fclose(in);
		return NULL;
	}
	return in;
}

/* The next frame of ours; its length, 0 at the end, or -1 when the file is broken. */
static ssize_t
next_captured(FILE *in, uint8_t *frame)
{
	struct pcap_record record;

	while (fread(&record, sizeof(record), 1, in) == 1) {
		if (record.kept != record.length || record.kept > UINT16_MAX ||
				fread(frame, 1, record.kept, in) != record.kept)
			return -1;
		if (of_ours(frame, record.kept))
			return (ssize_t)record.kept;
	}
	return 0;
}

int
frames_compare(int argc, char **argv)
{
	FILE *one = open_capture(argv[0]), *other = open_capture(argv[1]);
	ssize_t n, m;
	long i;

	(void)argc;
	if (one == NULL || other == NULL)
		return 1;
	for (i = 0;; i++) {
		n = next_captured(one, first);
		m = next_captured(other, second);
		if (n <= 0 || n != m || memcmp(first, second, (size_t)n) != 0)
			break;
	}
	fclose(one);
	fclose(other);
	if (n == 0 && m == 0) {
		printf("%ld frames, identical and in order\n", i);
		return 0;
	}
	printf("frame %ld differs: %zd and %zd bytes\n", i, n, m);
	return 1;
}
