/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* What simulated operations cost, and faults made on purpose. */

#include <errno.h>
#include <string.h>
#include <time.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include "sim.h"

#define NS_MAX 1000000000u

static uint64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

#if defined(__x86_64__)
uint64_t
sim_tsc_khz(void)
{
	uint64_t t0, t1, c0, c1;

	t0 = now_ns();
	c0 = __rdtsc();
	do {
		t1 = now_ns();
		c1 = __rdtsc();
	} while (t1 - t0 < 20000000);
	return (c1 - c0) * 1000000 / (t1 - t0);
}

/* Fenced, so that neither the work before nor that behind runs inside the delay. */
void
sim_spin(const struct sim_machine *m, uint64_t ns)
{
	uint64_t start, cycles;

	if (ns == 0)
		return;
	_mm_lfence();
	start = __rdtsc();
	cycles = ns * m->h->tsc_khz / 1000000;
	while (__rdtsc() - start < cycles)
		;
	_mm_lfence();
}
#else
uint64_t
sim_tsc_khz(void)
{
	return 0;
}

void
sim_spin(const struct sim_machine *m, uint64_t ns)
{
	uint64_t start = now_ns();

	(void)m;
	while (ns != 0 && now_ns() - start < ns)
		;
}
#endif

int
xensim_charges_get(struct xensim_charges *charges)
{
	struct sim_machine *m = sim_machine_get();

	if (m == NULL)
		return -errno;
	*charges = m->h->charges;
	sim_machine_put(m);
	return 0;
}

int
xensim_charges_set(const struct xensim_charges *charges)
{
	struct sim_machine *m;

	if (charges->hc_ns > NS_MAX || charges->op_ns > NS_MAX || charges->map_ns > NS_MAX ||
			charges->unmap_ns > NS_MAX || charges->evtchn_ns > NS_MAX)
		return -ERANGE;
	m = sim_machine_get();
	if (m == NULL)
		return -errno;
	sim_lock(m);
	m->h->charges = *charges;
	sim_unlock(m);
	sim_machine_put(m);
	return 0;
}

int
xensim_grant_limit_set(uint32_t pages)
{
	struct sim_machine *m;

	if (pages > XENSIM_MAX_GRANTS)
		return -ERANGE;
	m = sim_machine_get();
	if (m == NULL)
		return -errno;
	sim_lock(m);
	m->h->grant_limit = pages;
	sim_unlock(m);
	sim_machine_put(m);
	return 0;
}

/* Count an operation; true when it is the one that has to fail. */
bool
sim_fault_hit(struct sim_machine *m, enum xensim_fault fault, unsigned int domid)
{
	struct sim_fault *f = &m->h->fault[fault];
	uint32_t nth = sim_load(&f->nth);
	uint64_t count;

	if (sim_likely(nth == 0))
		return false;
	if (sim_load(&f->domid) != XENSIM_ALL && (unsigned int)sim_load(&f->domid) != domid)
		return false;
	count = __atomic_add_fetch(&f->count, 1, __ATOMIC_RELAXED);
	return sim_load(&f->every) ? count % nth == 0 : count == nth;
}

int
xensim_fault_set(enum xensim_fault fault, int domid, uint32_t nth, int every, int16_t status)
{
	struct sim_machine *m;
	struct sim_fault *f;

	if (fault >= XENSIM_FAULT_MAX || nth == 0 || domid < XENSIM_ALL ||
			domid > XENSIM_MAX_DOMID || status >= 0)
		return -EINVAL;
	m = sim_machine_get();
	if (m == NULL)
		return -errno;
	sim_lock(m);
	f = &m->h->fault[fault];
	sim_store(&f->count, 0);
	sim_store(&f->every, every != 0);
	sim_store(&f->domid, domid);
	sim_store(&f->status, status);
	sim_store(&f->nth, nth);
	__atomic_fetch_or(&m->h->faults_armed, 1u << fault, __ATOMIC_RELEASE);
	sim_unlock(m);
	sim_machine_put(m);
	return 0;
}

int
xensim_fault_clear(void)
{
	struct sim_machine *m = sim_machine_get();

	if (m == NULL)
		return -errno;
	sim_lock(m);
	sim_store(&m->h->faults_armed, 0);
	memset(m->h->fault, 0, sizeof(m->h->fault));
	sim_unlock(m);
	sim_machine_put(m);
	return 0;
}
