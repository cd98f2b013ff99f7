/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>

#include "bridge.h"
#include "capture.h"
#include "capture_writer.h"
#include "protocol.h"
#include "vswitch.h"

/* Milliseconds that writers have at the end of the switch, beyond what a pipe may take. */
#define CLOSE_MS ((CAPTURE_STOP_S + 1) * 1000)

const char *
capture_end_name(enum capture_end end)
{
	static const char *const names[] = {
		[CAPTURE_RUNS] = "runs",
		[CAPTURE_END_COUNT] = PROTOCOL_END_COUNT,
		[CAPTURE_END_SECONDS] = PROTOCOL_END_SECONDS,
		[CAPTURE_END_CLIENT] = PROTOCOL_END_CLIENT,
		[CAPTURE_END_PORT] = PROTOCOL_END_PORT,
		[CAPTURE_END_FILE] = PROTOCOL_END_FILE,
	};

	return names[end];
}

static bool
is_done(const struct capture *capture)
{
	return __atomic_load_n(&capture->writer->done, __ATOMIC_ACQUIRE);
}

static struct capture_writer *
create_writer(const struct capture_spec *spec, unsigned int number, int fd)
{
	struct capture_writer *writer = capture_writer_create(number, spec->snaplen);

	if (writer == NULL)
		return NULL;
	writer->count = spec->count;
	writer->fd = fd;
	return writer;
}

static void
destroy(struct capture *capture)
{
	capture_writer_free(capture->writer);
	free(capture);
}

int
capture_begin(struct vswitch *sw, const struct capture_spec *spec, int fd, struct capture **to)
{
	struct capture *capture;
	unsigned int i;
	int ret;

	for (i = 0; i < CAPTURES_MAX && sw->captures[i] != NULL; i++)
		;
	if (i == CAPTURES_MAX)
		return -ENOSPC;
	capture = calloc(1, sizeof(*capture));
	if (capture == NULL)
		return -ENOMEM;
	capture->spec = *spec;
	if (spec->seconds != 0)
		capture->deadline = rte_get_tsc_cycles() + spec->seconds * rte_get_tsc_hz();
	ret = -ENOMEM;
	capture->writer = create_writer(spec, i, fd);
	if (capture->writer == NULL)
		goto fail;
	sw->captures[i] = capture;
	ret = bridge_publish(sw);
	if (ret != 0)
		goto fail_forget;
	ret = capture_writer_start(capture->writer, &capture->thread);
	if (ret != 0)
		goto fail_publish;
	*to = capture;
	return 0;

fail_publish:
	/* It may be set nevertheless. */
	capture->thread = 0;
	/* Its lcores are told by whoever comes next, if they cannot be told now. */
	capture->end = CAPTURE_END_CLIENT;
	capture->left = true;
	capture->writer->fd = -1;
	capture->writer->done = true;
	return ret;
fail_forget:
	sw->captures[i] = NULL;
	capture->writer->fd = -1;
fail:
	destroy(capture);
	return ret;
}

void
capture_stop(struct capture *capture, enum capture_end end)
{
	if (capture->end == CAPTURE_RUNS)
		capture->end = end;
}

bool
capture_ended(const struct capture *capture)
{
	return capture->released && is_done(capture);
}

void
capture_result(const struct capture *capture, struct capture_result *result)
{
	const struct capture_writer *writer = capture->writer;

	memset(result, 0, sizeof(*result));
	result->end = capture->end;
	result->packets = __atomic_load_n(&writer->packets, __ATOMIC_RELAXED);
	if (!is_done(capture)) {
		result->lost = capture_writer_lost(writer);
		return;
	}
	result->lost = writer->lost;
	/* What a pipe has not taken in time is lost, and no more than that. */
	if (writer->error == 0 || writer->error == -ETIMEDOUT)
		return;
	result->end = CAPTURE_END_FILE;
	result->error = writer->error;
}

void
capture_leave(struct capture *capture)
{
	capture_stop(capture, CAPTURE_END_CLIENT);
	capture->left = true;
}

/* Why it is to end, if it is. */
static void
look(struct capture *capture)
{
	const struct capture_writer *writer = capture->writer;

	if (is_done(capture))
		capture_stop(capture, writer->error != 0 ? CAPTURE_END_FILE : CAPTURE_END_COUNT);
	else if (capture->deadline != 0 && rte_get_tsc_cycles() >= capture->deadline)
		capture_stop(capture, CAPTURE_END_SECONDS);
}

/* Once lcores have let go of them, their writers have all that will come. */
static void
release(struct vswitch *sw)
{
	struct capture *capture;
	unsigned int i;

	if (bridge_publish(sw) != 0)
		return;
	for (i = 0; i < CAPTURES_MAX; i++) {
		capture = sw->captures[i];
		if (capture == NULL || capture->end == CAPTURE_RUNS || capture->released)
			continue;
		capture->released = true;
		__atomic_store_n(&capture->writer->stop, true, __ATOMIC_RELEASE);
	}
}

static void
forget(struct vswitch *sw, unsigned int i)
{
	struct capture *capture = sw->captures[i];

	/* There is none if it could not be made. */
	if (capture->thread != 0)
		pthread_join(capture->thread, NULL);
	sw->capture_lost += capture->writer->lost;
	destroy(capture);
	sw->captures[i] = NULL;
}

void
capture_serve(struct vswitch *sw)
{
	struct capture *capture;
	bool ends = false;
	unsigned int i;

	for (i = 0; i < CAPTURES_MAX; i++) {
		capture = sw->captures[i];
		if (capture == NULL)
			continue;
		look(capture);
		ends |= capture->end != CAPTURE_RUNS && !capture->released;
		if (capture->left && capture_ended(capture))
			forget(sw, i);
	}
	if (ends)
		release(sw);
}

void
capture_forget_port(struct vswitch *sw, const struct port *port)
{
	struct capture *capture;
	unsigned int i;

	for (i = 0; i < CAPTURES_MAX; i++) {
		capture = sw->captures[i];
		if (capture != NULL && strcmp(capture->spec.port, port->spec.name) == 0)
			capture_stop(capture, CAPTURE_END_PORT);
	}
}

/* The port's number in the capture. */
static unsigned int
find_interface(struct capture_writer *writer, const struct port *port)
{
	struct capture_interface *interface;
	unsigned int i;

	for (i = 0; i < writer->nb_interfaces; i++) {
		if (strcmp(writer->interfaces[i].name, port->spec.name) == 0)
			return i;
	}
	if (i == CAPTURE_INTERFACES_MAX)
		return CAPTURE_INTERFACE_NONE;
	interface = &writer->interfaces[i];
	memcpy(interface->name, port->spec.name, sizeof(interface->name));
	snprintf(interface->description, sizeof(interface->description), "%s", port->device);
	__atomic_store_n(&writer->nb_interfaces, i + 1, __ATOMIC_RELEASE);
	return i;
}

static void
add(struct dp_copies *copies, struct capture_writer *writer, unsigned int interface)
{
	copies->captures[copies->nb_captures].sink = &writer->sink;
	copies->captures[copies->nb_captures].interface = interface;
	copies->nb_captures++;
}

static void
fill(const struct vswitch *sw, struct dataplane *dp, const struct capture *capture)
{
	const struct capture_spec *spec = &capture->spec;
	unsigned int interface, i;

	for (i = 0; i < RTE_MAX_ETHPORTS; i++) {
		if (sw->ports[i] == NULL)
			continue;
		if (spec->port[0] != '\0' && strcmp(spec->port, sw->ports[i]->spec.name) != 0)
			continue;
		interface = find_interface(capture->writer, sw->ports[i]);
		if ((spec->direction & DIRECTION_RX) != 0) {
			add(&dp->rx_copies[i], capture->writer, interface);
			dp->ports[i].rx_copies = &dp->rx_copies[i];
		}
		if ((spec->direction & DIRECTION_TX) != 0) {
			add(&dp->tx_copies[i], capture->writer, interface);
			dp->ports[i].tx_copies = &dp->tx_copies[i];
		}
	}
}

void
capture_fill(const struct vswitch *sw, struct dataplane *dp)
{
	unsigned int i;

	for (i = 0; i < CAPTURES_MAX; i++) {
		if (sw->captures[i] != NULL && sw->captures[i]->end == CAPTURE_RUNS)
			fill(sw, dp, sw->captures[i]);
	}
}

uint64_t
capture_lost(const struct vswitch *sw)
{
	uint64_t lost = sw->capture_lost;
	struct capture_result result;
	unsigned int i;

	for (i = 0; i < CAPTURES_MAX; i++) {
		if (sw->captures[i] == NULL)
			continue;
		capture_result(sw->captures[i], &result);
		lost += result.lost;
	}
	return lost;
}

void
capture_close(struct vswitch *sw)
{
	struct capture *capture;
	unsigned int i, waited = 0;

	for (i = 0; i < CAPTURES_MAX; i++) {
		if (sw->captures[i] != NULL)
			__atomic_store_n(&sw->captures[i]->writer->stop, true, __ATOMIC_RELEASE);
	}
	for (i = 0; i < CAPTURES_MAX; i++) {
		capture = sw->captures[i];
		for (; capture != NULL && !is_done(capture) && waited < CLOSE_MS; waited++)
			rte_delay_us_sleep(1000);
		if (capture != NULL && is_done(capture))
			forget(sw, i);
	}
}
