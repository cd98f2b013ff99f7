/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Grant copy: GNTTABOP_copy of xen/grant_table.h, as reached through Linux' gntdev.
 *
 * This is what benchmarks measure: beside the copy itself a segment costs a few loads and
 * compares. Nothing is locked but the counting in of a call.
 */

#include <errno.h>
#include <string.h>

#include "sim.h"

#define DOMID_SHIFT 16

struct copy_ctx {
	struct sim_machine *m;
	struct sim_handle *h;
	struct sim_dom *dom; /* last domain looked up */
	uint32_t domid;
	uint64_t expect; /* entry's flags and domid that let us read */
	uint64_t ops;
	uint64_t bytes;
	uint32_t errors;
	bool faults;
};

/* Short lengths are spelled out: they are known to the compiler then and need no call. */
static inline void
copy_bytes(void *dst, const void *src, size_t n)
{
	uint8_t *d = dst;
	const uint8_t *s = src;
	struct half {
		uint64_t w[2];
	} a, b, c, e;

	if (n > 64) {
		memcpy(d, s, n);
	} else if (n > 32) {
		memcpy(&a, s, 16);
		memcpy(&b, s + 16, 16);
		memcpy(&c, s + n - 32, 16);
		memcpy(&e, s + n - 16, 16);
		memcpy(d, &a, 16);
		memcpy(d + 16, &b, 16);
		memcpy(d + n - 32, &c, 16);
		memcpy(d + n - 16, &e, 16);
	} else if (n > 16) {
		memcpy(&a, s, 16);
		memcpy(&b, s + n - 16, 16);
		memcpy(d, &a, 16);
		memcpy(d + n - 16, &b, 16);
	} else if (n >= 8) {
		memcpy(&a.w[0], s, 8);
		memcpy(&a.w[1], s + n - 8, 8);
		memcpy(d, &a.w[0], 8);
		memcpy(d + n - 8, &a.w[1], 8);
	} else {
		while (n-- > 0)
			d[n] = s[n];
	}
}

/* The foreign side of a segment; the order of the tests is Xen's. */
static inline int
resolve(struct copy_ctx *c, const union xengnttab_copy_ptr *side, uint32_t len, bool write,
		uint8_t **addr)
{
	uint32_t domid = side->foreign.domid, ref = side->foreign.ref;
	uint64_t entry;

	if (sim_unlikely(domid != c->domid || c->dom == NULL)) {
		c->domid = domid;
		c->dom = sim_dom_find(c->m, domid == DOMID_SELF ? c->h->domid : domid);
		if (c->dom == NULL)
			return GNTST_bad_domain;
	}
	if (sim_unlikely(ref >= sim_load_acquire(&c->dom->nr_entries)))
		return GNTST_bad_gntref;
	entry = sim_load_acquire(&c->dom->grant[ref]);
	if (sim_unlikely((entry & 0xffffffff & ~(uint64_t)(write ? 0 : GTF_readonly)) != c->expect))
		return GNTST_general_error;
	if (sim_unlikely(side->foreign.offset + len > SIM_PAGE))
		return GNTST_bad_copy_arg;
	*addr = c->m->frames + (size_t)sim_grant_frame(entry) * SIM_PAGE + side->foreign.offset;
	return GNTST_okay;
}

/* gntdev makes one operation of every piece of a local side that lies in another page. */
static inline uint32_t
local_ops(const void *virt, uint32_t len)
{
	return (uint32_t)((((uintptr_t)virt & (SIM_PAGE - 1)) + len + SIM_PAGE - 1) / SIM_PAGE);
}

static inline int
copy_segment(struct copy_ctx *c, struct xengnttab_grant_copy_segment *seg)
{
	uint8_t *src = seg->source.virt, *dst = seg->dest.virt;
	uint32_t len = seg->len, ops = 1;
	int status = GNTST_okay;

	if (seg->flags & GNTCOPY_source_gref)
		status = resolve(c, &seg->source, len, false, &src);
	else
		ops = local_ops(src, len);
	if (status == GNTST_okay && (seg->flags & GNTCOPY_dest_gref))
		status = resolve(c, &seg->dest, len, true, &dst);
	if (!(seg->flags & GNTCOPY_dest_gref))
		ops = local_ops(dst, len);
	c->ops += ops;
	if (sim_unlikely(c->faults) && sim_fault_hit(c->m, XENSIM_FAULT_COPY, c->h->domid))
		status = (int)sim_load(&c->m->h->fault[XENSIM_FAULT_COPY].status);
	if (sim_unlikely(status != GNTST_okay)) {
		c->errors++;
		return status;
	}
	c->bytes += len;
	copy_bytes(dst, src, len);
	return GNTST_okay;
}

static inline void
count(uint64_t *counter, uint64_t n, bool shared)
{
	if (sim_unlikely(shared))
		__atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
	else
		sim_store(counter, sim_load(counter) + n);
}

static void
account(struct copy_ctx *c, struct sim_stripe *s, uint32_t segments, bool shared)
{
	const struct xensim_charges *charge = &c->m->h->charges;
	uint32_t batch = charge->hc_batch;
	uint64_t calls;

	calls = batch == 16	   ? (c->ops + 15) / 16 :
			batch == 0 ? c->ops != 0 :
				     (c->ops + batch - 1) / batch;
	count(&s->calls, 1, shared);
	count(&s->hypercalls, calls, shared);
	count(&s->ops, c->ops, shared);
	count(&s->segments, segments, shared);
	count(&s->bytes, c->bytes, shared);
	if (sim_unlikely(c->errors != 0))
		count(&s->errors, c->errors, shared);
	if (charge->hc_ns | charge->op_ns)
		sim_spin(c->m, calls * charge->hc_ns + c->ops * charge->op_ns);
}

/* Local to local is refused as by gntdev: the whole call fails, what was done stays done. */
int
sim_copy(struct sim_handle *h, uint32_t n, struct xengnttab_grant_copy_segment *segs)
{
	struct sim_machine *m = h->m;
	struct copy_ctx c = {
		.m = m,
		.h = h,
		.domid = SIM_NONE,
		.expect = sim_grant(GTF_permit_access, h->domid, 0),
		.faults = sim_load(&m->h->faults_armed) & (1u << XENSIM_FAULT_COPY),
	};
	uint32_t thread = sim_thread_stripe(), parity, i;
	struct sim_stripe *s = &h->slot->stripe[thread];
	int ret = 0;

	if (sim_unlikely(sim_load(&h->slot->dead))) {
		errno = ENODEV;
		return -1;
	}
	parity = sim_load(&m->h->epoch) & 1;
	__atomic_fetch_add(&s->active[parity], 1, __ATOMIC_SEQ_CST);
	for (i = 0; i < n; i++) {
		if (sim_unlikely(!(segs[i].flags & (GNTCOPY_source_gref | GNTCOPY_dest_gref)))) {
			errno = EINVAL;
			ret = -1;
			break;
		}
		segs[i].status = segs[i].len == 0 ? GNTST_okay :
						    (int16_t)copy_segment(&c, &segs[i]);
	}
	__atomic_fetch_sub(&s->active[parity], 1, __ATOMIC_RELEASE);
	account(&c, s, i, thread == SIM_STRIPES - 1);
	return ret;
}
