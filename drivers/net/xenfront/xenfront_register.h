/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XENFRONT_REGISTER_H
#define XENFRONT_REGISTER_H

/**
 * @file
 * How the backend learns which granted pages come again and again (netif.h, "Static Grants"), so
 * that it keeps them mapped: after each connect, by the control ring, queue by queue. Packets do
 * not wait for that, and pass without it. Control thread.
 */

#include <stdbool.h>
#include <stdint.h>

struct xenfront;

/** See above. */
struct xenfront_register {
	/* There is something left to be said. */
	bool on;
	/* A request of this is under way on the control ring; until when, in milliseconds. */
	bool waiting;
	uint64_t until_ms;
	/* The regions that there were when the vif connected, each with a reference. */
	uint64_t regions;
	uint16_t queue;
	/* The backend has said how many pages of the queue it keeps; so many more may be added. */
	bool asked;
	uint32_t left;
	/* The next page of the queue, and the pages of the list under way. */
	unsigned int region;
	uint32_t page;
	uint32_t nb_listed;
};

/** A connection begins. */
void
xenfront_register_begin(struct xenfront *front);

/** Send the next request, if there is one to be sent and none under way. */
void
xenfront_register_next(struct xenfront *front);

/** Take the response to the request that is under way, if it has come. */
void
xenfront_register_take(struct xenfront *front);

/** The rings are gone. */
void
xenfront_register_end(struct xenfront *front);

#endif /* XENFRONT_REGISTER_H */
