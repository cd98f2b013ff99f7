/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef CAPTURE_WRITER_H
#define CAPTURE_WRITER_H

/**
 * @file
 * What becomes of a capture's copies: a thread of its own writes them to a file, which may be a
 * pipe that nobody reads. The file is not set to non-blocking, for others have it, too; what is
 * written at a time is what a pipe takes that is ready.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "copies.h"
#include "name.h"
#include "xen_compat.h"

/** Copies that may wait to be written, if none is longer than an mbuf's room. */
#define CAPTURE_MBUFS 4095
/** Seconds that a pipe may take for what is left, once the writer is to stop. */
#define CAPTURE_STOP_S 3

/** A port, as the file has it. */
struct capture_interface {
	char name[NAME_SIZE];
	/** The device's name. */
	char description[64];
};

struct capture_writer {
	struct capture_sink sink;
	/** The writer closes it when it has done. */
	int fd;
	/** Packets to be written; 0: any number. */
	uint64_t count;
	/** Only more of them come, by the control thread. */
	unsigned int nb_interfaces;
	struct capture_interface interfaces[CAPTURE_INTERFACES_MAX];
	/** For the writer: no more copies will come. */
	bool stop;
	/** By the writer: it has done, and what is below is as it will stay. */
	bool done;
	/** Packets that are in the file. */
	uint64_t packets;
	/** Once it has done: those that are not. */
	uint64_t lost;
	/** Negative errno of the file; -ETIMEDOUT: it took too long for the rest; 0. */
	int error;

	/* The writer's own. */
	bool regular;
	uint64_t stop_at;
	uint64_t tsc;
	uint64_t ns;
	uint64_t formatted;
	uint64_t unwritten;
	unsigned int known;
	uint64_t received[CAPTURE_INTERFACES_MAX];
	uint8_t *buffer;
	size_t len;
};

/**
 * Make what the writer needs. Control thread.
 *
 * @param number
 *   Of the capture, among those that there are at a time.
 * @param snaplen
 *   Bytes that are written of a packet at most.
 * @return
 *   It, all zero but for its sink and its fd, which is -1; NULL: there is no memory.
 */
struct capture_writer *
capture_writer_create(unsigned int number, uint32_t snaplen);

/** Free it, with the copies that are left. No lcore has it, and no thread runs. NULL: nothing. */
void
capture_writer_free(struct capture_writer *writer);

/** The thread, of a struct capture_writer; returns 0 when it is `done`. */
XEN_THREAD_RESULT
capture_writer_run(void *writer);
/** Start it: 0, or a negative errno. */
int
capture_writer_start(struct capture_writer *writer, pthread_t *thread);

/** Packets that lcores have lost so far. Any thread. */
uint64_t
capture_writer_lost(const struct capture_writer *writer);

#endif /* CAPTURE_WRITER_H */
