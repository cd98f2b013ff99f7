/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Captures and mirrors as the control thread has them: begin, end, and what lcores are told. */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>

#include <cmocka.h>

#include <rte_cycles.h>

#include "bed.h"
#include "bridge.h"
#include "capture_writer.h"
#include "vswitch.h"

#define WAIT_S 60

static struct vswitch sw;
static struct port ports[4];
/* What bridge_publish() returns, and capture_writer_start() without a thread; 0: it makes one. */
static int publish_ret, thread_ret;

int
__real_capture_writer_start(struct capture_writer *writer, pthread_t *thread);
int
__wrap_capture_writer_start(struct capture_writer *writer, pthread_t *thread);

int
__wrap_capture_writer_start(struct capture_writer *writer, pthread_t *thread)
{
	if (thread_ret == 0)
		return __real_capture_writer_start(writer, thread);
	memset(thread, 0xA5, sizeof(*thread));
	return thread_ret;
}

/* The ports' part of it is bed_dp's ports as they are. */
int
bridge_publish(struct vswitch *sw_)
{
	unsigned int i;

	if (publish_ret != 0)
		return publish_ret;
	memset(bed_dp.rx_copies, 0, sizeof(bed_dp.rx_copies));
	memset(bed_dp.tx_copies, 0, sizeof(bed_dp.tx_copies));
	memset(bed_dp.mirror_ports, 0, sizeof(bed_dp.mirror_ports));
	memset(bed_dp.mirror_copies, 0, sizeof(bed_dp.mirror_copies));
	for (i = 0; i < RTE_DIM(bed_dp.ports); i++) {
		bed_dp.ports[i].rx_copies = NULL;
		bed_dp.ports[i].tx_copies = NULL;
	}
	capture_fill(sw_, &bed_dp);
	mirror_fill(sw_, &bed_dp);
	return 0;
}

static struct port *
add_port(uint16_t id, const char *name)
{
	struct port *port = &ports[id];

	port->id = id;
	snprintf(port->spec.name, sizeof(port->spec.name), "%s", name);
	sw.ports[id] = port;
	bed_port(id, 0);
	return port;
}

static int
begin(void **state)
{
	int ret = bed_begin(state);

	memset(&sw, 0, sizeof(sw));
	memset(ports, 0, sizeof(ports));
	publish_ret = thread_ret = 0;
	add_port(0, "up0");
	add_port(1, "vif1.0");
	add_port(3, "host0");
	bed_native(3, 77);
	return ret;
}

static int
end(void **state)
{
	capture_close(&sw);
	return bed_end(state);
}

static struct capture *
capture_at(const char *port, enum direction direction, uint32_t seconds)
{
	struct capture_spec spec = {
		.direction = direction,
		.seconds = seconds,
		.snaplen = 64,
	};
	struct capture *capture = NULL;

	snprintf(spec.port, sizeof(spec.port), "%s", port);
	assert_int_equal(capture_begin(&sw, &spec, memfd_create("capture", 0), &capture), 0);
	return capture;
}

/* Serve until it has ended. */
static void
wait_ended(const struct capture *capture)
{
	uint64_t limit = rte_rdtsc() + WAIT_S * rte_get_tsc_hz();

	while (!capture_ended(capture) && rte_rdtsc() < limit) {
		capture_serve(&sw);
		rte_delay_us_sleep(1000);
	}
	assert_true(capture_ended(capture));
}

static void
assert_end(const struct capture *capture, enum capture_end wanted)
{
	struct capture_result result;

	wait_ended(capture);
	capture_result(capture, &result);
	assert_int_equal(result.end, wanted);
	assert_null(bed_dp.ports[1].rx_copies);
}

/* Each port is told once, also when it comes later or again. */
static void
test_interfaces(void **state __rte_unused)
{
	struct capture *all = capture_at("", DIRECTION_BOTH, 0);

	assert_int_equal(bed_dp.ports[3].rx_copies->captures[0].interface, 2);
	assert_ptr_equal(bed_dp.ports[3].tx_copies->captures[0].sink, &all->writer->sink);
	sw.ports[1] = NULL;
	add_port(2, "vif2.0");
	bridge_publish(&sw);
	assert_null(bed_dp.ports[1].rx_copies);
	assert_int_equal(bed_dp.ports[2].rx_copies->captures[0].interface, 3);
	/* Another one with the number of the first, and the first one with another number. */
	add_port(1, "vif5.0");
	add_port(2, "vif1.0");
	bridge_publish(&sw);
	assert_int_equal(bed_dp.ports[1].rx_copies->captures[0].interface, 4);
	assert_int_equal(bed_dp.ports[2].rx_copies->captures[0].interface, 1);
	assert_int_equal(all->writer->nb_interfaces, 5);
	capture_stop(all, CAPTURE_END_CLIENT);
	assert_end(all, CAPTURE_END_CLIENT);
	capture_leave(all);
	capture_serve(&sw);
	assert_null(sw.captures[0]);
}

/* Packets of one port too many are counted as lost, also once the capture has ended. */
static void
test_many_interfaces(void **state __rte_unused)
{
	struct capture *all = capture_at("", DIRECTION_BOTH, 0);
	struct rte_mbuf *m = rte_pktmbuf_alloc(bed_worker.pool);
	struct capture_result result;
	char name[NAME_SIZE];
	unsigned int i;

	for (i = 0; i < CAPTURE_INTERFACES_MAX; i++) {
		snprintf(name, sizeof(name), "vif%u.0", 100 + i);
		add_port(2, name);
		bridge_publish(&sw);
	}
	assert_int_equal(all->writer->nb_interfaces, CAPTURE_INTERFACES_MAX);
	assert_non_null(m);
	rte_pktmbuf_append(m, 60);
	copies_receive(&bed_worker, bed_dp.ports[2].rx_copies, 0, &m, 1);
	assert_int_equal(capture_lost(&sw), 1);
	copies_receive(&bed_worker, bed_dp.ports[1].rx_copies, 0, &m, 1);
	assert_int_equal(capture_lost(&sw), 1);
	rte_pktmbuf_free(m);
	capture_stop(all, CAPTURE_END_CLIENT);
	assert_end(all, CAPTURE_END_CLIENT);
	capture_result(all, &result);
	assert_int_equal(result.packets, 1);
	assert_int_equal(result.lost, 1);
}

static void
test_one_port(void **state __rte_unused)
{
	struct capture *one = capture_at("vif1.0", DIRECTION_RX, 0);
	struct capture *other = capture_at("vif1.0", DIRECTION_TX, 0);

	assert_null(bed_dp.ports[0].rx_copies);
	assert_null(bed_dp.ports[0].tx_copies);
	assert_int_equal(bed_dp.ports[1].rx_copies->nb_captures, 1);
	assert_ptr_equal(bed_dp.ports[1].rx_copies->captures[0].sink, &one->writer->sink);
	assert_ptr_equal(bed_dp.ports[1].tx_copies->captures[0].sink, &other->writer->sink);
	capture_forget_port(&sw, &ports[0]);
	assert_int_equal(one->end, CAPTURE_RUNS);
	capture_forget_port(&sw, &ports[1]);
	assert_end(one, CAPTURE_END_PORT);
	assert_end(other, CAPTURE_END_PORT);
}

static void
test_seconds(void **state __rte_unused)
{
	assert_end(capture_at("", DIRECTION_BOTH, 1), CAPTURE_END_SECONDS);
}

/* As many as there may be, and what is refused leaves the file as it was. */
static void
test_refused(void **state __rte_unused)
{
	struct capture_spec spec = { .direction = DIRECTION_BOTH, .snaplen = 64 };
	int fd = memfd_create("capture", 0);
	struct capture *capture = NULL;
	unsigned int i;

	publish_ret = -ENOMEM;
	assert_int_equal(capture_begin(&sw, &spec, fd, &capture), -ENOMEM);
	assert_null(sw.captures[0]);
	publish_ret = 0;
	for (i = 0; i < CAPTURES_MAX; i++)
		capture_at("", DIRECTION_BOTH, 0);
	assert_int_equal(capture_begin(&sw, &spec, fd, &capture), -ENOSPC);
	assert_null(capture);
	assert_int_equal(lseek(fd, 0, SEEK_END), 0);
	close(fd);
	for (i = 0; i < CAPTURES_MAX; i++)
		capture_leave(sw.captures[i]);
	for (i = 0; i < CAPTURES_MAX; i++) {
		while (sw.captures[i] != NULL) {
			capture_serve(&sw);
			rte_delay_us_sleep(1000);
		}
	}
}

/* Without a thread there is none, and the file is the caller's. */
static void
test_no_thread(void **state __rte_unused)
{
	struct capture_spec spec = { .direction = DIRECTION_BOTH, .snaplen = 64 };
	int fd = memfd_create("capture", 0);
	struct capture *capture = NULL;

	thread_ret = -EAGAIN;
	assert_int_equal(capture_begin(&sw, &spec, fd, &capture), -EAGAIN);
	assert_null(capture);
	capture_serve(&sw);
	assert_null(bed_dp.ports[1].rx_copies);
	capture_serve(&sw);
	assert_null(sw.captures[0]);
	assert_int_equal(lseek(fd, 0, SEEK_END), 0);
	close(fd);
}

/* A file that has not taken all is told of, whatever the capture has ended for. */
static void
test_file_fails(void **state __rte_unused)
{
	struct capture_spec spec = { .direction = DIRECTION_BOTH, .snaplen = 64 };
	struct capture_result result;
	struct capture *capture;

	assert_int_equal(capture_begin(&sw, &spec, open("/dev/full", O_WRONLY), &capture), 0);
	capture_stop(capture, CAPTURE_END_CLIENT);
	assert_end(capture, CAPTURE_END_FILE);
	capture_result(capture, &result);
	assert_int_equal(result.error, -ENOSPC);
}

/* Without memory to tell lcores so, a capture ends later. */
static void
test_end_later(void **state __rte_unused)
{
	struct capture *capture = capture_at("", DIRECTION_BOTH, 0);

	publish_ret = -ENOMEM;
	capture_leave(capture);
	capture_serve(&sw);
	assert_ptr_equal(sw.captures[0], capture);
	assert_false(capture->released);
	assert_non_null(bed_dp.ports[1].rx_copies);
	publish_ret = 0;
	capture_serve(&sw);
	assert_true(capture->released);
	assert_null(bed_dp.ports[1].rx_copies);
}

/* What one has lost stays counted when it is over. */
static void
test_lost(void **state __rte_unused)
{
	struct capture *capture = capture_at("", DIRECTION_BOTH, 0);

	capture->writer->sink.lost[1].packets[2] = 7;
	assert_int_equal(capture_lost(&sw), 7);
	capture_stop(capture, CAPTURE_END_CLIENT);
	assert_end(capture, CAPTURE_END_CLIENT);
	assert_int_equal(capture_lost(&sw), 7);
	capture_leave(capture);
	capture_serve(&sw);
	assert_null(sw.captures[0]);
	assert_int_equal(capture_lost(&sw), 7);
}

/* Copies go out with any tag, not mirrored again, and into captures. */
static void
test_mirror(void **state __rte_unused)
{
	const struct dp_port *view = &bed_dp.mirror_ports[3];

	assert_int_equal(mirror_set(&sw, &ports[1], &ports[3], DIRECTION_BOTH), 0);
	assert_int_equal(mirror_set(&sw, &ports[3], &ports[1], DIRECTION_TX), 0);
	assert_ptr_equal(bed_dp.ports[1].rx_copies->to_port, view);
	assert_ptr_equal(bed_dp.ports[1].tx_copies->mirror, &sw.mirrors[1].counts);
	assert_int_equal(bed_dp.ports[1].tx_copies->to, 3);
	assert_null(bed_dp.ports[3].rx_copies);
	assert_int_equal(view->native, 0);
	assert_int_equal(bed_dp.ports[3].native, 77);
	assert_null(view->tx_copies);
	capture_at("", DIRECTION_TX, 0);
	assert_null(view->tx_copies->mirror);
	assert_int_equal(view->tx_copies->nb_captures, 1);
	assert_non_null(bed_dp.ports[3].tx_copies->mirror);
	assert_int_equal(bed_dp.ports[3].tx_copies->nb_captures, 1);
}

static void
test_mirror_ends(void **state __rte_unused)
{
	uint64_t packets, lost;

	assert_int_equal(mirror_off(&sw, &ports[1]), -ENOENT);
	publish_ret = -ENOMEM;
	assert_int_equal(mirror_set(&sw, &ports[1], &ports[3], DIRECTION_RX), -ENOMEM);
	assert_false(sw.mirrors[1].on);
	publish_ret = 0;
	assert_int_equal(mirror_set(&sw, &ports[1], &ports[3], DIRECTION_RX), 0);
	sw.mirrors[1].counts.lcores[2].packets = 5;
	sw.mirrors[1].counts.lcores[0].lost = 3;
	publish_ret = -ENOMEM;
	assert_int_equal(mirror_off(&sw, &ports[1]), -ENOMEM);
	assert_int_equal(mirror_set(&sw, &ports[1], &ports[0], DIRECTION_TX), -ENOMEM);
	publish_ret = 0;
	assert_true(sw.mirrors[1].on);
	assert_int_equal(sw.mirrors[1].to, 3);
	assert_int_equal(sw.mirrors[1].direction, DIRECTION_RX);
	/* The other way, with the same counters; and to another port, from 0 on. */
	assert_int_equal(mirror_set(&sw, &ports[1], &ports[3], DIRECTION_TX), 0);
	assert_null(bed_dp.ports[1].rx_copies);
	mirror_read(&sw.mirrors[1], &packets, &lost);
	assert_int_equal(packets, 5);
	assert_int_equal(lost, 3);
	assert_int_equal(mirror_set(&sw, &ports[1], &ports[0], DIRECTION_TX), 0);
	mirror_read(&sw.mirrors[1], &packets, &lost);
	assert_int_equal(packets, 0);
	assert_int_equal(lost, 0);
	/* With either port. */
	assert_int_equal(mirror_set(&sw, &ports[3], &ports[1], DIRECTION_TX), 0);
	mirror_forget_port(&sw, &ports[3]);
	assert_false(sw.mirrors[3].on);
	assert_true(sw.mirrors[1].on);
	mirror_forget_port(&sw, &ports[0]);
	assert_false(sw.mirrors[1].on);
}

/* Lcores have none of a port that is going; it goes on if that fails. */
static void
test_mirror_goes_on(void **state __rte_unused)
{
	unsigned int id;

	assert_int_equal(mirror_set(&sw, &ports[1], &ports[3], DIRECTION_BOTH), 0);
	for (id = 1; id <= 3; id += 2) {
		sw.ports[id] = NULL;
		assert_int_equal(bridge_publish(&sw), 0);
		assert_null(bed_dp.ports[1].rx_copies);
		assert_null(bed_dp.ports[1].tx_copies);
		sw.ports[id] = &ports[id];
		assert_int_equal(bridge_publish(&sw), 0);
		assert_ptr_equal(bed_dp.ports[1].rx_copies->to_port, &bed_dp.mirror_ports[3]);
	}
}

#define case_of(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		case_of(test_interfaces),
		case_of(test_many_interfaces),
		case_of(test_one_port),
		case_of(test_seconds),
		case_of(test_refused),
		case_of(test_no_thread),
		case_of(test_file_fails),
		case_of(test_end_later),
		case_of(test_lost),
		case_of(test_mirror),
		case_of(test_mirror_ends),
		case_of(test_mirror_goes_on),
	};

	return cmocka_run_group_tests_name("vsw_copies", tests, bed_setup, bed_teardown);
}
