/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XENBUS_H
#define XENBUS_H

/**
 * @file
 * The part of the guest kernels' xenbus driver: programs of a domain share its one connection to
 * xenstore, the ring of xen/io/xs_wire.h.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <xenevtchn.h>
#include <xengnttab.h>

#include <xen/io/xs_wire.h>

#define BUS_MESSAGE_MAX (sizeof(struct xsd_sockmsg) + XENSTORE_PAYLOAD_MAX)
/* What may wait for a program that does not read before it is cut off. */
#define BUS_BACKLOG_MAX (4u << 20)

/** Bytes in transit. */
struct bytes {
	char *data;
	size_t off;
	size_t len;
	size_t cap;
};

struct bus_client {
	struct bus_client *next;
	int fd;
	bool gone;
	struct bytes in;
	struct bytes out;
	uint32_t *txs;
	unsigned int n_txs;
};

struct bus_watch {
	struct bus_watch *next;
	struct bus_client *client;
	uint32_t id;
	char *path;
	char *token;
};

struct bus_request {
	struct bus_request *next;
	struct bus_client *client; /* NULL: nobody waits for the reply */
	uint32_t id;
	uint32_t client_id;
	uint32_t type;
	uint32_t tx;
	uint32_t watch; /* made by this request, or 0 */
};

struct bus {
	struct bus *next;
	unsigned int domid;
	xengntshr_handle *shr;
	xenevtchn_handle *xce;
	struct xenstore_domain_interface *ring;
	uint32_t gref;
	int port;
	int listen_fd;
	uint32_t next_id;
	struct bytes in;
	struct bytes out;
	struct bus_client *clients;
	struct bus_watch *watches;
	struct bus_request *requests;
};

/* bytes.c */
int
bytes_add(struct bytes *b, const void *data, size_t len);
void
bytes_drop(struct bytes *b, size_t len);
void
bytes_free(struct bytes *b);
static inline size_t
bytes_left(const struct bytes *b)
{
	return b->len - b->off;
}

/* xenbus.c: a domain's bus */
struct bus *
bus_open(const char *dir, unsigned int domid);
void
bus_close(struct bus *bus, const char *dir);
void
bus_event(struct bus *bus);
void
bus_flush(struct bus *bus);

/* xenbus_client.c: the protocol towards programs */
void
client_accept(struct bus *bus);
void
client_read(struct bus *bus, struct bus_client *client);
void
client_write(struct bus_client *client);
void
clients_sweep(struct bus *bus);
void
client_reply(struct bus *bus, const struct xsd_sockmsg *msg, const char *body);

/* oxenstored.c: the real daemon */
pid_t
oxenstored_start(const char *dir, bool restart);
int
oxenstored_wait(const char *dir, pid_t pid);
int
oxenstored_stop(pid_t pid);
int
oxenstored_trim_dump(const char *dir);

/* clean.c */
void
clean_machine(const char *dir);

#endif /* XENBUS_H */
