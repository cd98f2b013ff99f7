/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/stat.h>

#include <rte_cycles.h>
#include <rte_ether.h>
#include <rte_malloc.h>

#include "capture_writer.h"
#include "pcapng.h"

/* Bytes of a copy in one mbuf. */
#define ROOM_MAX 2048
/* Bytes that are gathered before they are written. */
#define GATHER (64 * 1024)
#define BURST 32
/* Between two looks at a ring that is empty, and at `stop` while the file takes nothing. */
#define LOOK_US 1000
#define WAIT_MS 100
#define NS_A_SECOND UINT64_C(1000000000)
#define APPLICATION "dpdk-xenvswitch " XENVIF_VERSION

/* A packet's data: two addresses, then its tag if that is none of it. */
#define ADDRESSES (2 * RTE_ETHER_ADDR_LEN)

static uint64_t
realtime(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * NS_A_SECOND + now.tv_nsec;
}

static uint64_t
ticks_to_ns(uint64_t ticks)
{
	uint64_t hz = rte_get_tsc_hz();

	return ticks / hz * NS_A_SECOND + ticks % hz * NS_A_SECOND / hz;
}

/* Since 1970. The two clocks are compared once a second. */
static uint64_t
time_of(struct capture_writer *writer, uint64_t tsc)
{
	uint64_t now = rte_rdtsc();

	if (writer->ns == 0 || now - writer->tsc >= rte_get_tsc_hz()) {
		writer->tsc = now;
		writer->ns = realtime();
	}
	if (tsc >= writer->tsc)
		return writer->ns + ticks_to_ns(tsc - writer->tsc);
	return writer->ns - ticks_to_ns(writer->tsc - tsc);
}

static bool
stopped(const struct capture_writer *writer)
{
	return __atomic_load_n(&writer->stop, __ATOMIC_ACQUIRE);
}

/* Does the file take the rest too slowly? */
static bool
gives_up(struct capture_writer *writer)
{
	uint64_t now = rte_rdtsc();

	if (!stopped(writer))
		return false;
	if (writer->stop_at == 0)
		writer->stop_at = now + CAPTURE_STOP_S * rte_get_tsc_hz();
	return now >= writer->stop_at;
}

static ssize_t
write_some(struct capture_writer *writer, const uint8_t *data, size_t len)
{
	struct pollfd fds = { .fd = writer->fd, .events = POLLOUT };

	if (writer->regular)
		return write(writer->fd, data, len);
	if (gives_up(writer)) {
		errno = ETIMEDOUT;
		return -1;
	}
	if (poll(&fds, 1, WAIT_MS) <= 0) {
		errno = EAGAIN;
		return -1;
	}
	return write(writer->fd, data, RTE_MIN(len, (size_t)PIPE_BUF));
}

/* Write what is gathered. */
static void
flush(struct capture_writer *writer)
{
	size_t at = 0;
	ssize_t n;

	while (at < writer->len && writer->error == 0) {
		n = write_some(writer, writer->buffer + at, writer->len - at);
		if (n >= 0)
			at += n;
		else if (errno != EAGAIN && errno != EINTR)
			writer->error = -errno;
	}
	if (writer->error == 0)
		__atomic_store_n(&writer->packets, writer->formatted, __ATOMIC_RELAXED);
	writer->len = 0;
}

/* Where the next block goes. */
static uint8_t *
place(struct capture_writer *writer)
{
	if (writer->len >= GATHER)
		flush(writer);
	return writer->buffer + writer->len;
}

/* Interfaces come before their first packets. */
static void
introduce(struct capture_writer *writer, unsigned int nb)
{
	const struct capture_interface *interface;
	uint8_t *block;

	for (; writer->known < nb; writer->known++) {
		interface = &writer->interfaces[writer->known];
		block = place(writer);
		writer->len += pcapng_interface(block, interface->name, interface->description,
				writer->sink.snaplen);
	}
}

/* As many bytes of the packet as there may be; how many there are. */
static uint32_t
copy_data(const struct rte_mbuf *m, uint32_t at, uint8_t *to, uint32_t len)
{
	const void *data;

	if (at >= m->pkt_len)
		return 0;
	len = RTE_MIN(len, m->pkt_len - at);
	data = rte_pktmbuf_read(m, at, len, to);
	if (data != to)
		memcpy(to, data, len);
	return len;
}

static uint32_t
put_data(const struct capture_writer *writer, const struct rte_mbuf *m,
		const struct capture_record *record, uint8_t *to)
{
	uint8_t tag[] = { RTE_ETHER_TYPE_VLAN >> 8, RTE_ETHER_TYPE_VLAN & 0xFF, record->tci >> 8,
		record->tci & 0xFF };
	uint32_t snaplen = writer->sink.snaplen, len, n;

	if (!record->tagged || m->pkt_len < ADDRESSES)
		return copy_data(m, 0, to, snaplen);
	len = copy_data(m, 0, to, ADDRESSES);
	n = RTE_MIN(sizeof(tag), snaplen - len);
	memcpy(to + len, tag, n);
	len += n;
	return len + copy_data(m, ADDRESSES, to + len, snaplen - len);
}

static void
format(struct capture_writer *writer, struct rte_mbuf *m)
{
	const struct capture_record *record = rte_mbuf_to_priv(m);
	struct pcapng_packet packet = {
		.interface = record->interface,
		.ns = time_of(writer, record->tsc),
		.length = record->length + (record->tagged ? sizeof(struct rte_vlan_hdr) : 0),
		.out = record->out,
		.queue = record->queue,
	};
	uint8_t *block;

	introduce(writer, record->interface + 1u);
	block = place(writer);
	packet.captured = put_data(writer, m, record, pcapng_packet_data(block));
	writer->len += pcapng_packet(block, &packet);
	writer->received[record->interface]++;
	writer->formatted++;
}

static bool
wants_more(const struct capture_writer *writer)
{
	return writer->error == 0 && (writer->count == 0 || writer->formatted < writer->count);
}

/* Take what has come, up to a burst; how many that were. */
static unsigned int
take(struct capture_writer *writer)
{
	struct rte_mbuf *pkts[BURST];
	unsigned int n, i;

	n = rte_ring_sc_dequeue_burst(writer->sink.ring, (void **)pkts, BURST, NULL);
	for (i = 0; i < n; i++) {
		if (wants_more(writer))
			format(writer, pkts[i]);
		else if (writer->error != 0)
			writer->unwritten++;
		rte_pktmbuf_free(pkts[i]);
	}
	return n;
}

static uint64_t
lost_of(const struct capture_writer *writer, unsigned int interface)
{
	const struct capture_sink *sink = &writer->sink;
	uint64_t lost = 0;
	unsigned int i;

	for (i = 0; i < WORKERS_MAX; i++)
		lost += __atomic_load_n(&sink->lost[i].packets[interface], __ATOMIC_RELAXED);
	return lost;
}

uint64_t
capture_writer_lost(const struct capture_writer *writer)
{
	unsigned int i, nb = __atomic_load_n(&writer->nb_interfaces, __ATOMIC_ACQUIRE);
	uint64_t lost = lost_of(writer, CAPTURE_INTERFACE_NONE);

	for (i = 0; i < nb; i++)
		lost += lost_of(writer, i);
	return lost;
}

static void
begin(struct capture_writer *writer)
{
	struct stat st;

	writer->regular = fstat(writer->fd, &st) == 0 && S_ISREG(st.st_mode);
	/* The client left that until the capture was allowed. What is appended to stays. */
	if (writer->regular && lseek(writer->fd, 0, SEEK_CUR) == 0 &&
			(fcntl(writer->fd, F_GETFL) & O_APPEND) == 0 &&
			ftruncate(writer->fd, 0) != 0)
		writer->error = -errno;
	writer->len = pcapng_section(writer->buffer, APPLICATION);
	introduce(writer, __atomic_load_n(&writer->nb_interfaces, __ATOMIC_ACQUIRE));
	flush(writer);
}

static void
end(struct capture_writer *writer)
{
	uint64_t ns = time_of(writer, rte_rdtsc());
	uint8_t *block;
	unsigned int i;

	for (i = 0; i < writer->known; i++) {
		block = place(writer);
		writer->len += pcapng_statistics(block, i, ns, writer->received[i],
				lost_of(writer, i));
	}
	flush(writer);
	if (close(writer->fd) != 0 && writer->error == 0)
		writer->error = -errno;
	writer->fd = -1;
	writer->lost = capture_writer_lost(writer) + writer->formatted - writer->packets;
	if (writer->error != 0)
		writer->lost += writer->unwritten + rte_ring_count(writer->sink.ring);
	__atomic_store_n(&writer->done, true, __ATOMIC_RELEASE);
}

XEN_THREAD_RESULT
capture_writer_run(void *arg)
{
	struct capture_writer *writer = arg;
	bool last;

	begin(writer);
	while (wants_more(writer)) {
		/* Before the ring is looked at: what came until then is taken. */
		last = stopped(writer);
		if (take(writer) != 0)
			continue;
		flush(writer);
		if (last)
			break;
		rte_delay_us_sleep(LOOK_US);
	}
	end(writer);
	return 0;
}

int
capture_writer_start(struct capture_writer *writer, pthread_t *thread)
{
	return xen_thread_create(thread, "vsw-capture", capture_writer_run, writer);
}

static int
create_sink(struct capture_sink *sink, unsigned int number, uint32_t snaplen)
{
	uint16_t room = RTE_PKTMBUF_HEADROOM + RTE_ALIGN(RTE_MIN(snaplen, (uint32_t)ROOM_MAX), 64u);
	char name[RTE_RING_NAMESIZE];

	sink->snaplen = snaplen;
	snprintf(name, sizeof(name), "capture%u", number);
	/* Whoever is preempted at it lets no lcore wait: the writer is no lcore's thread. */
	sink->ring = rte_ring_create(name, CAPTURE_MBUFS, SOCKET_ID_ANY,
			RING_F_EXACT_SZ | RING_F_MP_RTS_ENQ | RING_F_SC_DEQ);
	sink->pool = rte_pktmbuf_pool_create_by_ops(name, CAPTURE_MBUFS, 0,
			RTE_ALIGN(sizeof(struct capture_record), RTE_MBUF_PRIV_ALIGN), room,
			SOCKET_ID_ANY, "ring_mt_rts");
	return sink->ring == NULL || sink->pool == NULL ? -ENOMEM : 0;
}

struct capture_writer *
capture_writer_create(unsigned int number, uint32_t snaplen)
{
	struct capture_writer *writer;

	writer = rte_zmalloc("capture", sizeof(*writer), RTE_CACHE_LINE_SIZE);
	if (writer == NULL)
		return NULL;
	writer->fd = -1;
	writer->buffer = malloc(GATHER + PCAPNG_BLOCK_MAX + (size_t)snaplen);
	if (writer->buffer == NULL || create_sink(&writer->sink, number, snaplen) != 0) {
		capture_writer_free(writer);
		return NULL;
	}
	return writer;
}

void
capture_writer_free(struct capture_writer *writer)
{
	void *m;

	if (writer == NULL)
		return;
	while (writer->sink.ring != NULL && rte_ring_dequeue(writer->sink.ring, &m) == 0)
		rte_pktmbuf_free(m);
	rte_ring_free(writer->sink.ring);
	rte_mempool_free(writer->sink.pool);
	if (writer->fd >= 0)
		close(writer->fd);
	free(writer->buffer);
	rte_free(writer);
}
