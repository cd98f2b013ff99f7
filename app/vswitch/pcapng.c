/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <string.h>

#include "pcapng.h"

/* Types of blocks. */
#define SECTION UINT32_C(0x0A0D0D0A)
#define INTERFACE 1
#define STATISTICS 5
#define PACKET 6

/* Options: those of all blocks, and of the block that they are named by. */
#define OPT_END 0
#define SECTION_APPLICATION 4
#define INTERFACE_NAME 2
#define INTERFACE_DESCRIPTION 3
#define INTERFACE_TSRESOL 9
#define PACKET_FLAGS 2
#define PACKET_QUEUE 6
#define STATISTICS_RECEIVED 4
#define STATISTICS_LOST 5

#define BYTE_ORDER UINT32_C(0x1A2B3C4D)
#define ETHERNET 1
/* Of the packet's flags. */
#define INBOUND 1
#define OUTBOUND 2
/* Times are in units of ten to the power of minus nine seconds. */
#define NANOSECONDS 9

struct section {
	uint32_t type;
	uint32_t len;
	uint32_t byte_order;
	uint16_t major;
	uint16_t minor;
	uint64_t section_len;
} __attribute__((packed));

struct interface {
	uint32_t type;
	uint32_t len;
	uint16_t link;
	uint16_t reserved;
	uint32_t snaplen;
};

struct packet {
	uint32_t type;
	uint32_t len;
	uint32_t interface;
	uint32_t ns_high;
	uint32_t ns_low;
	uint32_t captured;
	uint32_t length;
};

struct statistics {
	uint32_t type;
	uint32_t len;
	uint32_t interface;
	uint32_t ns_high;
	uint32_t ns_low;
};

/* Blocks and options are of whole words of 32 bits. */
static size_t
pad(uint8_t *block, size_t at)
{
	while (at % sizeof(uint32_t) != 0)
		block[at++] = 0;
	return at;
}

static size_t
put(uint8_t *block, size_t at, const void *data, size_t len)
{
	memcpy(&block[at], data, len);
	return at + len;
}

static size_t
put_option(uint8_t *block, size_t at, uint16_t code, const void *value, uint16_t len)
{
	at = put(block, at, &code, sizeof(code));
	at = put(block, at, &len, sizeof(len));
	return pad(block, put(block, at, value, len));
}

static size_t
put_text(uint8_t *block, size_t at, uint16_t code, const char *text)
{
	return put_option(block, at, code, text, strnlen(text, PCAPNG_TEXT_MAX));
}

/* The end of the options, and the block's length in both of its places. */
static size_t
finish(uint8_t *block, size_t at)
{
	uint32_t len;

	at = put_option(block, at, OPT_END, "", 0);
	len = at + sizeof(len);
	put(block, offsetof(struct packet, len), &len, sizeof(len));
	return put(block, at, &len, sizeof(len));
}

size_t
pcapng_section(uint8_t *block, const char *application)
{
	const struct section section = {
		.type = SECTION,
		.byte_order = BYTE_ORDER,
		.major = 1,
		.section_len = UINT64_MAX,
	};
	size_t at = put(block, 0, &section, sizeof(section));

	at = put_text(block, at, SECTION_APPLICATION, application);
	return finish(block, at);
}

size_t
pcapng_interface(uint8_t *block, const char *name, const char *description, uint32_t snaplen)
{
	const struct interface interface = {
		.type = INTERFACE,
		.link = ETHERNET,
		.snaplen = snaplen,
	};
	const uint8_t tsresol = NANOSECONDS;
	size_t at = put(block, 0, &interface, sizeof(interface));

	at = put_text(block, at, INTERFACE_NAME, name);
	at = put_text(block, at, INTERFACE_DESCRIPTION, description);
	at = put_option(block, at, INTERFACE_TSRESOL, &tsresol, sizeof(tsresol));
	return finish(block, at);
}

uint8_t *
pcapng_packet_data(uint8_t *block)
{
	return block + sizeof(struct packet);
}

size_t
pcapng_packet(uint8_t *block, const struct pcapng_packet *packet)
{
	const struct packet header = {
		.type = PACKET,
		.interface = packet->interface,
		.ns_high = packet->ns >> 32,
		.ns_low = packet->ns,
		.captured = packet->captured,
		.length = packet->length,
	};
	const uint32_t flags = packet->out ? OUTBOUND : INBOUND;
	size_t at = put(block, 0, &header, sizeof(header));

	at = pad(block, at + packet->captured);
	at = put_option(block, at, PACKET_FLAGS, &flags, sizeof(flags));
	at = put_option(block, at, PACKET_QUEUE, &packet->queue, sizeof(packet->queue));
	return finish(block, at);
}

size_t
pcapng_statistics(uint8_t *block, uint32_t interface, uint64_t ns, uint64_t received, uint64_t lost)
{
	const struct statistics statistics = {
		.type = STATISTICS,
		.interface = interface,
		.ns_high = ns >> 32,
		.ns_low = ns,
	};
	size_t at = put(block, 0, &statistics, sizeof(statistics));

	at = put_option(block, at, STATISTICS_RECEIVED, &received, sizeof(received));
	at = put_option(block, at, STATISTICS_LOST, &lost, sizeof(lost));
	return finish(block, at);
}
