/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Captures of what comes in by ports and goes out, and their files. */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/mman.h>

#include <cmocka.h>

#include <rte_cycles.h>

#include "bed.h"
#include "capture_writer.h"
#include "copied.h"
#include "packet.h"

/* The port that is captured. */
#define FROM 3
#define FILE_MAX (16u * 1024 * 1024)
#define BLOCKS_MAX 8192
#define WAIT_S 60

/* A block of a pcapng file, as far as it is of interest. */
struct block {
	uint32_t type;
	uint32_t len;
	const uint8_t *body;
};

static struct capture_writer *writer;
static uint8_t *file;
static size_t file_len;
static struct block blocks[BLOCKS_MAX];
static unsigned int nb_blocks;

static int
begin(void **state)
{
	memset(&copied_rx, 0, sizeof(copied_rx));
	memset(&copied_tx, 0, sizeof(copied_tx));
	signal(SIGPIPE, SIG_IGN);
	return bed_begin(state);
}

static int
end(void **state)
{
	capture_writer_free(writer);
	writer = NULL;
	free(file);
	file = NULL;
	return bed_end(state);
}

static void
name_interface(const char *name)
{
	struct capture_interface *interface = &writer->interfaces[writer->nb_interfaces++];

	snprintf(interface->name, sizeof(interface->name), "%s", name);
	snprintf(interface->description, sizeof(interface->description), "device of %s", name);
}

/* Capture what goes either way at FROM, into the file. */
static void
make_capture(uint32_t snaplen, int fd)
{
	writer = capture_writer_create(0, snaplen);
	assert_non_null(writer);
	writer->fd = fd;
	name_interface("other");
	name_interface("from");
	copied_rx.nb_captures = 1;
	copied_rx.captures[0].sink = &writer->sink;
	copied_rx.captures[0].interface = 1;
	copied_tx = copied_rx;
}

static int
make_file(void)
{
	int fd = memfd_create("capture", 0);

	assert_true(fd >= 0);
	return fd;
}

/* So many packets come in, and are forgotten. */
static void
receive(unsigned int n)
{
	struct rte_mbuf *pkts[COPIES_BURST];
	unsigned int i, part;

	for (; n > 0; n -= part) {
		part = RTE_MIN(n, (unsigned int)COPIES_BURST);
		for (i = 0; i < part; i++)
			pkts[i] = copied_make(100);
		copies_receive(&bed_worker, &copied_rx, COPIED_QUEUE, pkts, part);
		rte_pktmbuf_free_bulk(pkts, part);
	}
}

/* Read the whole file, and see that it is of blocks. */
static void
read_file(int fd)
{
	size_t at;

	file = malloc(FILE_MAX);
	assert_non_null(file);
	file_len = pread(fd, file, FILE_MAX, 0);
	nb_blocks = 0;
	for (at = 0; at < file_len; at += blocks[nb_blocks++].len) {
		assert_true(nb_blocks < BLOCKS_MAX && at + 12 <= file_len);
		memcpy(&blocks[nb_blocks].type, &file[at], 4);
		memcpy(&blocks[nb_blocks].len, &file[at + 4], 4);
		blocks[nb_blocks].body = &file[at + 8];
		assert_int_equal(blocks[nb_blocks].len % 4, 0);
		assert_true(at + blocks[nb_blocks].len <= file_len);
		assert_memory_equal(&file[at + blocks[nb_blocks].len - 4], &blocks[nb_blocks].len,
				4);
	}
	close(fd);
}

/* Have all written that was captured, and read it. */
static void
write_file(void)
{
	int fd = dup(writer->fd);

	writer->stop = true;
	capture_writer_run(writer);
	assert_true(writer->done);
	read_file(fd);
}

static uint32_t
word(const struct block *block, unsigned int i)
{
	uint32_t word;

	memcpy(&word, block->body + 4 * i, sizeof(word));
	return word;
}

/* The packet of that number. */
static const struct block *
packet_block(unsigned int n)
{
	unsigned int i;

	for (i = 0; i < nb_blocks; i++) {
		if (blocks[i].type == 6 && n-- == 0)
			return &blocks[i];
	}
	fail_msg("no such packet");
	return NULL;
}

static uint64_t
ns_of(const struct block *block)
{
	return (uint64_t)word(block, 1) << 32 | word(block, 2);
}

/* The value of an option of a block, behind so many bytes of its body. */
static const uint8_t *
option(const struct block *block, size_t at, uint16_t code)
{
	uint16_t found, len;

	while (at + 4 <= block->len - 12) {
		memcpy(&found, block->body + at, 2);
		memcpy(&len, block->body + at + 2, 2);
		if (found == code)
			return block->body + at + 4;
		at += 4 + RTE_ALIGN(len, 4);
	}
	fail_msg("no option %u", code);
	return NULL;
}

static unsigned int
count_blocks(uint32_t type)
{
	unsigned int i, n = 0;

	for (i = 0; i < nb_blocks; i++)
		n += blocks[i].type == type;
	return n;
}

static void
assert_packet(const struct block *block, uint32_t captured, uint32_t length, uint32_t direction)
{
	assert_int_equal(word(block, 0), 1);
	assert_int_equal(word(block, 3), captured);
	assert_int_equal(word(block, 4), length);
	assert_int_equal(*option(block, 20 + RTE_ALIGN(captured, 4), 2), direction);
}

/* A file from its begin to its end. */
static void
test_file(void **state __rte_unused)
{
	uint64_t now = time(NULL) * UINT64_C(1000000000);
	struct packet p;

	make_capture(262144, make_file());
	put_any(&p, MAC(1), MAC(2), 101);
	copied_receive(packet_mbuf(&p, 30));
	copied_receive(copied_make(60));
	write_file();
	assert_int_equal(nb_blocks, 1 + 2 + 2 + 2);
	assert_int_equal(blocks[0].type, 0x0A0D0D0A);
	assert_int_equal(word(&blocks[0], 0), 0x1A2B3C4D);
	assert_memory_equal(option(&blocks[0], 16, 4), "dpdk-xenvswitch ", 16);
	assert_int_equal(blocks[2].type, 1);
	assert_int_equal(word(&blocks[2], 0), 1);
	assert_int_equal(word(&blocks[2], 1), 262144);
	assert_memory_equal(option(&blocks[2], 8, 2), "from", 4);
	assert_memory_equal(option(&blocks[2], 8, 3), "device of from", 14);
	assert_int_equal(*option(&blocks[2], 8, 9), 9);
	assert_packet(&blocks[3], 101, 101, 1);
	assert_memory_equal(blocks[3].body + 20, p.data, p.len);
	assert_int_equal(*option(&blocks[3], 20 + 104, 6), 7);
	assert_true(ns_of(&blocks[3]) > now - UINT64_C(60000000000));
	assert_true(ns_of(&blocks[3]) < now + UINT64_C(600000000000));
	assert_true(ns_of(&blocks[3]) <= ns_of(&blocks[4]));
	assert_int_equal(blocks[6].type, 5);
	assert_int_equal(word(&blocks[6], 0), 1);
	assert_int_equal(*option(&blocks[6], 12, 4), 2);
	assert_int_equal(*option(&blocks[6], 12, 5), 0);
	assert_int_equal(writer->packets, 2);
	assert_int_equal(writer->lost, 0);
	assert_int_equal(writer->error, 0);
}

/* What the device has of a tag is in the file as it was on the wire, whatever snaplen leaves. */
static void
test_tags(void **state __rte_unused)
{
	static const uint8_t tag[] = { 0x81, 0x00, 0xE0, 0x14, 0x88, 0xB5 };
	static const uint32_t snaplens[] = { 14, 15, 18, 64, 65, 100 };
	unsigned int i;

	for (i = 0; i < RTE_DIM(snaplens); i++) {
		struct rte_mbuf *m = copied_make(61);
		uint32_t captured = RTE_MIN(snaplens[i], 65u);

		make_capture(snaplens[i], make_file());
		m->ol_flags = RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
		m->vlan_tci = 0xE014;
		copied_receive(m);
		/* Of no meaning there. */
		m = copied_make(61);
		m->ol_flags = RTE_MBUF_F_TX_VLAN;
		m->vlan_tci = 0xE014;
		copied_receive(m);
		write_file();
		assert_packet(packet_block(0), captured, 65, 1);
		assert_memory_equal(packet_block(0)->body + 20 + 12, tag,
				RTE_MIN(captured - 12, sizeof(tag)));
		assert_packet(packet_block(1), RTE_MIN(snaplens[i], 61u), 61, 1);
		capture_writer_free(writer);
		free(file);
	}
	writer = NULL;
	file = NULL;
}

/* What goes out, as far as the port takes it. */
static void
test_sent(void **state __rte_unused)
{
	struct dp_port *p = copied_port(FROM);
	unsigned int i;

	make_capture(262144, make_file());
	p->tx_copies = &copied_tx;
	copied_sent[FROM].room = 37;
	for (i = 0; i < 50; i++)
		worker_out(&bed_worker, &bed_dp, FROM, copied_make(60 + i));
	worker_send(&bed_worker, &bed_dp, FROM);
	copied_expect(FROM, 37);
	assert_int_equal(bed_worker.stats[FROM].tx_packets, 37);
	assert_int_equal(bed_worker.stats[FROM].drops[DROP_TX_FULL], 13);
	write_file();
	assert_int_equal(count_blocks(6), 37);
	for (i = 0; i < 37; i++)
		assert_packet(packet_block(i), 60 + i, 60 + i, 2);
	assert_int_equal(writer->lost, 0);
	assert_int_equal(rte_mempool_in_use_count(writer->sink.pool), 0);
}

/* A tag that the port's device is to put in, and one that is there already. */
static void
test_sent_tags(void **state __rte_unused)
{
	struct dp_port *p = copied_port(FROM);
	struct rte_mbuf *m;
	unsigned int i;

	make_capture(262144, make_file());
	p->tx_copies = &copied_tx;
	vlan_tag(&p->vlan, 20);
	for (i = 0; i < 2; i++) {
		p->tx_offloads = i == 0 ? RTE_ETH_TX_OFFLOAD_VLAN_INSERT : 0;
		m = copied_make(60);
		m->vlan_tci = 20;
		worker_out(&bed_worker, &bed_dp, FROM, m);
		worker_send(&bed_worker, &bed_dp, FROM);
	}
	copied_expect(FROM, 2);
	write_file();
	for (i = 0; i < 2; i++) {
		assert_packet(packet_block(i), 64, 64, 2);
		assert_memory_equal(packet_block(i)->body + 20 + 12, "\x81\x00\x00\x14\x88\xB5", 6);
	}
}

static void
test_count(void **state __rte_unused)
{
	make_capture(262144, make_file());
	writer->count = 5;
	receive(40);
	write_file();
	assert_int_equal(count_blocks(6), 5);
	assert_int_equal(writer->packets, 5);
	assert_int_equal(writer->lost, 0);
}

/* A port that comes later is in the file before its packets are. */
static void
test_later(void **state __rte_unused)
{
	make_capture(262144, make_file());
	writer->nb_interfaces = 1;
	receive(0);
	name_interface("from");
	receive(1);
	write_file();
	assert_int_equal(count_blocks(1), 2);
	assert_int_equal(count_blocks(6), 1);
	assert_packet(packet_block(0), 100, 100, 1);
}

/* More packets than there is room for: lost, counted, and nobody waits. */
static void
test_no_room(void **state __rte_unused)
{
	make_capture(262144, make_file());
	receive(CAPTURE_MBUFS + 900);
	assert_int_equal(capture_writer_lost(writer), 900);
	write_file();
	assert_int_equal(count_blocks(6), CAPTURE_MBUFS);
	assert_int_equal(writer->packets, CAPTURE_MBUFS);
	assert_int_equal(writer->lost, 900);
	assert_int_equal(rte_mempool_in_use_count(writer->sink.pool), 0);
	/* 900 of 4995: the file's statistics have it. */
	assert_int_equal(*(const uint16_t *)option(&blocks[nb_blocks - 1], 12, 5), 900);
}

static bool
is_done(void)
{
	return __atomic_load_n(&writer->done, __ATOMIC_ACQUIRE);
}

static void
wait_done(pthread_t thread)
{
	uint64_t limit = rte_rdtsc() + WAIT_S * rte_get_tsc_hz();

	while (!is_done() && rte_rdtsc() < limit)
		rte_delay_us_sleep(1000);
	assert_true(is_done());
	pthread_join(thread, NULL);
}

/* A pipe that nobody reads from holds nobody up, not even the capture's end. */
static void
test_pipe_unread(void **state __rte_unused)
{
	pthread_t thread;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	make_capture(262144, fds[1]);
	receive(CAPTURE_MBUFS);
	assert_int_equal(capture_writer_start(writer, &thread), 0);
	/* As long as the pipe takes something. */
	while (rte_ring_count(writer->sink.ring) == CAPTURE_MBUFS)
		rte_delay_us_sleep(1000);
	receive(100);
	assert_false(is_done());
	__atomic_store_n(&writer->stop, true, __ATOMIC_RELEASE);
	wait_done(thread);
	assert_int_equal(writer->error, -ETIMEDOUT);
	assert_int_equal(writer->packets + writer->lost, CAPTURE_MBUFS + 100);
	assert_true(writer->lost > 0);
	close(fds[0]);
}

/* A pipe that is read from late, and slowly, has all of it. */
static void
test_pipe_slow(void **state __rte_unused)
{
	int fds[2], fd = make_file();
	uint8_t bytes[3000];
	pthread_t thread;
	ssize_t n;

	assert_int_equal(pipe(fds), 0);
	make_capture(262144, fds[1]);
	writer->count = 2000;
	receive(2000);
	assert_int_equal(capture_writer_start(writer, &thread), 0);
	rte_delay_us_sleep(200000);
	while ((n = read(fds[0], bytes, sizeof(bytes))) > 0)
		assert_int_equal(write(fd, bytes, n), n);
	wait_done(thread);
	assert_int_equal(writer->packets, 2000);
	assert_int_equal(writer->lost, 0);
	read_file(fd);
	assert_int_equal(count_blocks(6), 2000);
	close(fds[0]);
}

/* A pipe that goes on taking a little does not hold up the capture's end, either. */
static void
test_pipe_too_slow(void **state __rte_unused)
{
	uint8_t bytes[4096];
	pthread_t thread;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	make_capture(262144, fds[1]);
	receive(CAPTURE_MBUFS);
	writer->stop = true;
	assert_int_equal(capture_writer_start(writer, &thread), 0);
	/* All of it would take twice as long as it may, and more. */
	while (!is_done() && read(fds[0], bytes, sizeof(bytes)) > 0)
		rte_delay_us_sleep(50000);
	wait_done(thread);
	assert_int_equal(writer->error, -ETIMEDOUT);
	assert_int_equal(writer->packets + writer->lost, CAPTURE_MBUFS);
	assert_true(writer->lost > 0);
	close(fds[0]);
}

/* A file that takes nothing, and a pipe that nobody has any more. */
static void
test_fails(void **state __rte_unused)
{
	int fds[2];

	make_capture(262144, open("/dev/full", O_WRONLY));
	receive(40);
	capture_writer_run(writer);
	assert_int_equal(writer->error, -ENOSPC);
	assert_int_equal(writer->packets, 0);
	assert_int_equal(writer->lost, 40);
	capture_writer_free(writer);
	assert_int_equal(pipe(fds), 0);
	close(fds[0]);
	make_capture(262144, fds[1]);
	receive(1);
	capture_writer_run(writer);
	assert_int_equal(writer->error, -EPIPE);
	assert_int_equal(writer->lost, 1);
}

/* What is in a file is gone, unless it is to be appended to. */
static void
test_begin(void **state __rte_unused)
{
	static const char old[8192] = "old";
	char path[] = "/tmp/vsw_capture.XXXXXX";
	unsigned int append;
	int fd, other;

	for (append = 0; append < 2; append++) {
		fd = append == 0 ? mkstemp(path) : open(path, O_RDWR | O_TRUNC);
		assert_int_equal(write(fd, old, sizeof(old)), sizeof(old));
		other = open(path, O_WRONLY | (append == 0 ? 0 : O_APPEND));
		make_capture(262144, other);
		writer->stop = true;
		capture_writer_run(writer);
		assert_int_equal(lseek(fd, 0, SEEK_END) > (off_t)sizeof(old), append);
		assert_int_equal(pread(fd, &other, sizeof(other), append == 0 ? 0 : sizeof(old)),
				sizeof(other));
		assert_int_equal(other, 0x0A0D0D0A);
		close(fd);
		capture_writer_free(writer);
	}
	writer = NULL;
	unlink(path);
}

#define case_of(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		case_of(test_file),
		case_of(test_tags),
		case_of(test_sent),
		case_of(test_sent_tags),
		case_of(test_count),
		case_of(test_later),
		case_of(test_no_room),
		case_of(test_pipe_unread),
		case_of(test_pipe_slow),
		case_of(test_pipe_too_slow),
		case_of(test_fails),
		case_of(test_begin),
	};

	return cmocka_run_group_tests_name("vsw_capture", tests, bed_setup, bed_teardown);
}
