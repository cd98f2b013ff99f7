/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef SIM_H
#define SIM_H

/**
 * @file
 * What the parts of the stand-in hypervisor share: the layout of the machine's memory and the
 * calls behind the stand-in libraries.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xengnttab.h>

#include "xensim.h"

#define SIM_MAGIC 0x314d4953584e4558ULL
#define SIM_PAGE 4096u
#define SIM_MAX_HANDLES 4096u
#define SIM_MAX_MAPS 262144u
#define SIM_MAX_FRAMES 262144u
#define SIM_STRIPES 16u
#define SIM_GRANTS_PER_FRAME 512u
/* Grant references a domain's own kernel keeps for the toolstack, as Linux does. */
#define SIM_RESERVED_GRANTS 8u
#define SIM_NO_SLOT 0xff
#define SIM_NONE 0xffffffffu

#define sim_load(p) __atomic_load_n(p, __ATOMIC_RELAXED)
#define sim_load_acquire(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define sim_store(p, v) __atomic_store_n(p, v, __ATOMIC_RELAXED)
#define sim_store_release(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define sim_likely(x) __builtin_expect(!!(x), 1)
#define sim_unlikely(x) __builtin_expect(!!(x), 0)

enum sim_port_state {
	SIM_PORT_FREE,
	SIM_PORT_UNBOUND,
	SIM_PORT_INTERDOMAIN,
	SIM_PORT_VIRQ,
};

/* Bits of sim_port.ev. */
#define SIM_EV_PENDING 1u /* raised while masked */
#define SIM_EV_MASKED 2u /* delivered, not unmasked since */
#define SIM_EV_DELIVERED 4u /* in the fifo, not read since */

/** One event channel. `link` is read without the machine's lock by the notifier. */
struct sim_port {
	uint64_t link; /* sim_link() */
	uint32_t ev;
	uint32_t handle;
	uint16_t rdomid; /* of an unbound port: who may bind */
	uint16_t pad;
	uint32_t virq;
	uint64_t notifies;
	uint64_t delivered;
	uint64_t spurious;
} __attribute__((aligned(64)));

static inline uint64_t
sim_link(enum sim_port_state state, unsigned int slot, uint32_t port)
{
	return (uint64_t)state << 48 | (uint64_t)slot << 32 | port;
}

#define sim_link_state(link) ((enum sim_port_state)((link) >> 48))
#define sim_link_slot(link) ((unsigned int)((link) >> 32) & 0xffff)
#define sim_link_port(link) ((uint32_t)(link))

/** A version 1 grant entry in one word: flags, domid, frame from the low end; 0 = unused. */
static inline uint64_t
sim_grant(uint16_t flags, uint16_t domid, uint32_t frame)
{
	return (uint64_t)frame << 32 | (uint64_t)domid << 16 | flags;
}

#define sim_grant_frame(entry) ((uint32_t)((entry) >> 32))

/** What Xen keeps apart from the entry (active entries), and what the granting kernel keeps. */
struct sim_grant_info {
	uint32_t frame;
	uint32_t maps;
	uint32_t handle; /* gntshr handle, or SIM_NONE when it is gone */
	uint32_t notify_offset;
	uint32_t notify_port;
};

/** Counts of one thread on one handle; nobody else writes, so no locked instruction is needed. */
struct sim_stripe {
	uint32_t active[2]; /* copies running, by parity of sim_header.epoch */
	uint64_t calls;
	uint64_t hypercalls;
	uint64_t ops;
	uint64_t segments;
	uint64_t bytes;
	uint64_t errors;
} __attribute__((aligned(64)));

enum sim_kind {
	SIM_KIND_GNTTAB = 1,
	SIM_KIND_GNTSHR,
	SIM_KIND_EVTCHN,
};

struct sim_slot {
	uint32_t used; /* enum sim_kind, 0 = free */
	uint32_t gen;
	uint32_t dom;
	uint32_t dead; /* its domain was destroyed */
	int32_t pid;
	int32_t lock_fd;
	struct sim_stripe stripe[SIM_STRIPES];
};

struct sim_track {
	uint32_t handle; /* handle + 1, 0 = free */
	uint32_t dom;
	uint32_t gref;
	uint32_t notify_offset;
	uint32_t notify_port;
};

enum sim_dom_state {
	SIM_DOM_FREE,
	SIM_DOM_LIVE,
	SIM_DOM_DYING,
};

struct sim_dom {
	uint32_t state;
	uint32_t domid;
	char name[32];
	uint32_t nr_entries;
	uint32_t gref_hint;
	uint32_t pages_shared; /* counted against the limit */
	uint32_t port_high;
	struct xensim_counters past; /* of closed handles and ports, and of slow operations */
	struct xensim_counters base; /* at the last reset */
	uint64_t grant[XENSIM_MAX_GRANTS];
	struct sim_grant_info info[XENSIM_MAX_GRANTS];
	struct sim_port port[XENSIM_MAX_PORTS];
};

struct sim_fault {
	uint32_t nth; /* 0 = not armed */
	uint32_t every;
	int32_t domid;
	int32_t status;
	uint64_t count;
};

struct sim_header {
	uint64_t magic;
	uint64_t size;
	uint64_t tsc_khz;
	/* Read by every copy, written hardly ever. */
	struct xensim_charges charges;
	uint32_t faults_armed;
	uint32_t epoch;
	uint8_t dom_slot[XENSIM_MAX_DOMID + 1];
	struct sim_fault fault[XENSIM_FAULT_MAX];
	uint32_t grant_limit;
	uint32_t handle_high;
	uint32_t track_high;
	uint32_t track_hint;
	uint32_t frame_hint;
	uint32_t frames_used;
	pthread_mutex_t lock;
	uint64_t frame_map[SIM_MAX_FRAMES / 64];
	struct sim_slot slot[SIM_MAX_HANDLES];
	struct sim_track track[SIM_MAX_MAPS];
	struct sim_dom dom[XENSIM_MAX_DOMAINS];
};

struct sim_fifo {
	int fd;
	uint32_t gen;
};

/** A machine as mapped by this process. */
struct sim_machine {
	struct sim_header *h;
	uint8_t *frames;
	size_t size;
	int fd;
	int lock_fd;
	int refs;
	char *dir;
	struct sim_machine *next;
	pthread_mutex_t fifo_lock;
	struct sim_fifo *fifo; /* by handle: where to send its events */
};

/** Pages mapped by a handle in this process. */
struct sim_range {
	struct sim_range *next;
	void *addr;
	uint32_t count;
	uint32_t id[]; /* grant references (gntshr) or map tracks (gnttab) */
};

/** A library handle; both library types are this. */
struct sim_handle {
	struct sim_machine *m;
	struct sim_dom *dom;
	struct sim_slot *slot;
	struct sim_range *ranges;
	pthread_mutex_t lock;
	uint32_t idx;
	uint16_t domid;
	enum sim_kind kind;
	int fd; /* given out by the library's _fd() call */
	int lock_fd;
	/* Where the library says what has failed; NULL: standard error. */
	struct xentoollog_logger *logger;
};

/* machine.c */
struct sim_machine *
sim_machine_get(void);
void
sim_machine_put(struct sim_machine *m);
const char *
sim_dir(void);
int
sim_domid(void);
void
sim_lock(struct sim_machine *m);
void
sim_unlock(struct sim_machine *m);
struct sim_dom *
sim_dom_find(struct sim_machine *m, unsigned int domid);
void
sim_complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* repair.c */
void
sim_repair(struct sim_machine *m);

/* handle.c */
struct sim_handle *
sim_handle_open(enum sim_kind kind, bool cloexec);
struct sim_handle *
sim_handle_adopt(int fd);
void
sim_handle_close(struct sim_handle *h);
bool
sim_slot_alive(struct sim_machine *m, uint32_t idx);
void
sim_reap(struct sim_machine *m);
void
sim_slot_release(struct sim_machine *m, uint32_t idx);
uint32_t
sim_thread_stripe(void);

/* grant.c: the machine's lock is held where not said otherwise */
void
sim_grants_end(struct sim_machine *m, struct sim_dom *dom, const uint32_t *grefs, uint32_t n);
void
sim_grants_end_handle(struct sim_machine *m, struct sim_dom *dom, uint32_t handle);
void
sim_grant_unmap_one(struct sim_machine *m, uint32_t track);
void
sim_copies_wait(struct sim_machine *m);
void *
sim_share(struct sim_handle *h, unsigned int domid, uint32_t n, uint32_t *grefs, bool writable,
		uint32_t notify_offset, uint32_t notify_port);
int
sim_unshare(struct sim_handle *h, void *addr, uint32_t n);

/* frame.c */
int
sim_frames_alloc(struct sim_machine *m, uint32_t n, uint32_t *frames);
void
sim_frames_free(struct sim_machine *m, const uint32_t *frames, uint32_t n);
void *
sim_frames_mmap(struct sim_machine *m, const uint32_t *frames, uint32_t n, int prot);

/* map.c */
void *
sim_map(struct sim_handle *h, uint32_t n, const uint32_t *domids, uint32_t domid_step,
		const uint32_t *grefs, int prot, uint32_t notify_offset, uint32_t notify_port);
int
sim_unmap(struct sim_handle *h, void *addr, uint32_t n);
void
sim_unmap_all(struct sim_handle *h);

/* copy.c */
int
sim_copy(struct sim_handle *h, uint32_t n, struct xengnttab_grant_copy_segment *segs);

/* evtchn.c, port.c */
int
sim_port_bind_unbound(struct sim_handle *h, unsigned int domid);
int
sim_port_bind_interdomain(struct sim_handle *h, unsigned int domid, uint32_t rport);
int
sim_port_bind_virq(struct sim_handle *h, unsigned int virq);
int
sim_port_unbind(struct sim_handle *h, uint32_t port);
int
sim_port_notify(struct sim_handle *h, uint32_t port);
int
sim_port_pending(struct sim_handle *h);
int
sim_port_unmask(struct sim_handle *h, uint32_t port);
void
sim_port_free(struct sim_machine *m, struct sim_dom *dom, uint32_t port);
void
sim_ports_free_handle(struct sim_machine *m, struct sim_dom *dom, uint32_t handle);
void
sim_port_send(struct sim_machine *m, struct sim_dom *dom, uint32_t port);
void
sim_port_raise(struct sim_machine *m, struct sim_dom *dom, uint32_t port);
int
sim_fifo_create(struct sim_machine *m, uint32_t idx, bool cloexec);
void
sim_fifo_path(const struct sim_machine *m, uint32_t idx, char *path, size_t size);
void
sim_fifo_sweep(struct sim_machine *m);

/* charge.c */
uint64_t
sim_tsc_khz(void);
void
sim_spin(const struct sim_machine *m, uint64_t ns);
bool
sim_fault_hit(struct sim_machine *m, enum xensim_fault fault, unsigned int domid);

static inline unsigned int
sim_dom_index(const struct sim_machine *m, const struct sim_dom *dom)
{
	return (unsigned int)(dom - m->h->dom);
}

#endif /* SIM_H */
