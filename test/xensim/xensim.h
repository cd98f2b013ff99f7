/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XENSIM_H
#define XENSIM_H

/**
 * @file
 * Control interface of the stand-in hypervisor, for unit tests and the tool `xensim`.
 *
 * A machine is a folder. Every function works on the machine named by xensim_set_dir(), else by
 * the environment variable XENSIM_DIR. All functions return 0 or a negative errno unless said
 * otherwise, and may be called by any thread of any process.
 */

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Domains a machine can hold at one time. */
#define XENSIM_MAX_DOMAINS 64
/** Highest domain id that may be used (below DOMID_FIRST_RESERVED). */
#define XENSIM_MAX_DOMID 32751
/** Grant table entries a domain may have, at most. */
#define XENSIM_MAX_GRANTS 65536
/** Event channels a domain may have, at most (port 0 is never used). */
#define XENSIM_MAX_PORTS 4096
/** Asks for the whole machine where a domain id is expected. */
#define XENSIM_ALL (-1)

/** What a domain, or the whole machine, did and holds. */
struct xensim_counters {
	uint64_t hypercalls; /**< every hypercall: copy, map, unmap, bind, notify */
	uint64_t copy_hypercalls; /**< of these, grant copies: ceil(ops / hc_batch) a call */
	uint64_t copy_calls; /**< calls of xengnttab_grant_copy() */
	uint64_t copy_ops; /**< copy operations; a local side is split at 4 KiB pages */
	uint64_t copy_segments; /**< segments handed in */
	uint64_t copy_bytes; /**< bytes of the segments that succeeded */
	uint64_t copy_errors; /**< segments with a status other than GNTST_okay */
	uint64_t maps_live; /**< foreign grants mapped now */
	uint64_t maps_total; /**< foreign grants ever mapped */
	uint64_t grants_live; /**< own grants in use, deferred ones included */
	uint64_t ports_live; /**< event channels that are not free */
	uint64_t notifies; /**< notifications sent */
	uint64_t notifies_delivered; /**< events that made a file descriptor of ours readable */
	uint64_t notifies_spurious; /**< events the receiver found no work for */
	uint64_t handles_live; /**< open library handles */
};

/** Cost of simulated operations; all 0 but hc_batch = 16 in a new machine. */
struct xensim_charges {
	uint32_t hc_ns; /**< per hypercall of a grant copy */
	uint32_t op_ns; /**< per copy operation */
	uint32_t map_ns; /**< per page mapped */
	uint32_t unmap_ns; /**< per page unmapped */
	uint32_t evtchn_ns; /**< per notification sent */
	uint32_t hc_batch; /**< copy operations in one hypercall; 0: all of a call */
};

/** Operation that a fault hits. */
enum xensim_fault {
	XENSIM_FAULT_COPY, /**< copy segment; it gets the status and moves no data */
	XENSIM_FAULT_MAP, /**< call that maps grants; it fails with EINVAL */
	XENSIM_FAULT_BIND, /**< call that binds an event channel; it fails with ENOSPC */
	XENSIM_FAULT_MAX,
};

/**
 * Make a machine with domain 0 in it, and set it for this process as by xensim_set_dir().
 *
 * @param dir
 *   Folder; made when missing. -EEXIST when it already holds a machine.
 */
int
xensim_machine_create(const char *dir);

/**
 * Remove a machine's files, and the folder when it is empty then. Processes that still use it
 * keep their memory; nobody can find it any more. If it was set by xensim_set_dir(), unset it.
 */
int
xensim_machine_destroy(const char *dir);

/** Set the machine for this process (NULL: that of XENSIM_DIR again). The name is copied. */
int
xensim_set_dir(const char *dir);

/**
 * Set the domain for handles that the calling thread opens from now on.
 *
 * @param domid
 *   Domain id, or negative: that of XENSIM_DOMID, or 0 without that.
 */
void
xensim_set_domid(int domid);

/**
 * Create a domain.
 *
 * @param domid
 *   1..XENSIM_MAX_DOMID; -EEXIST when taken, -ENOSPC when the machine is full.
 * @param name
 *   Up to 31 characters; NULL: "domN".
 */
int
xensim_domain_create(unsigned int domid, const char *name);

/**
 * Destroy a domain: its event channels close, its grants end (a page that others still map
 * lives until the last of them unmaps), and domain 0 gets VIRQ_DOM_EXC. -ENOENT when unknown.
 */
int
xensim_domain_destroy(unsigned int domid);

/** Tell whether a domain exists: 1 or 0, or a negative errno. name may be NULL or 32 bytes. */
int
xensim_domain_info(unsigned int domid, char *name);

/** Write the ids of all domains, ascending; returns how many, at most n. */
int
xensim_domain_list(unsigned int *domids, unsigned int n);

/** Read or set the charges. hc_ns etc. are at most 1 s. */
int
xensim_charges_get(struct xensim_charges *charges);
int
xensim_charges_set(const struct xensim_charges *charges);

/** Limit of pages one domain may have granted by xengntshr at a time (0..XENSIM_MAX_GRANTS). */
int
xensim_grant_limit_set(uint32_t pages);

/**
 * Arm a fault.
 *
 * @param fault
 *   What fails.
 * @param domid
 *   Only operations made by this domain count and fail; XENSIM_ALL: by any.
 * @param nth
 *   The nth operation from now fails, counted from 1.
 * @param every
 *   0: only that one. Otherwise every nth.
 * @param status
 *   GNTST_* (negative) of the segment for XENSIM_FAULT_COPY; ignored otherwise.
 */
int
xensim_fault_set(enum xensim_fault fault, int domid, uint32_t nth, int every, int16_t status);

/** Disarm all faults. */
int
xensim_fault_clear(void);

/** Read the counters of a domain, or of all (XENSIM_ALL). Dead processes are cleaned up first. */
int
xensim_counters_get(int domid, struct xensim_counters *counters);

/** Start the counters of a domain (or all) from 0 again; the *_live ones are untouched. */
int
xensim_counters_reset(int domid);

/** Raise a virtual interrupt of a domain; nothing happens when it is not bound. */
int
xensim_virq_raise(unsigned int domid, unsigned int virq);

/**
 * Declare that an event on this port found no work. For test frontends; meant to be looked up
 * weakly (dlsym), so that the caller also runs where there is no xensim.
 *
 * @param port
 *   Port of the domain that the calling thread's next handle would belong to.
 */
int
xensim_evtchn_spurious(uint32_t port);

/** Address of a page frame of a domain by number, NULL when it is not that domain's. Maps anew;
 * to be released with munmap(). For what plays the toolstack's and xenstored's part.
 */
void *
xensim_frame_map(unsigned int domid, uint64_t frame, int prot);

/** Frame number behind a grant of a domain, or a negative errno. */
int64_t
xensim_grant_frame(unsigned int domid, uint32_t gref);

#ifdef __cplusplus
}
#endif

#endif /* XENSIM_H */
