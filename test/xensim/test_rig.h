/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef TEST_RIG_H
#define TEST_RIG_H

/**
 * @file
 * What the tests of the stand-in hypervisor share.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <xenevtchn.h>
#include <xengnttab.h>

#include "xensim.h"

#define PAGE 4096
#define GUEST 1
#define OTHER 2
/* Nothing here takes long; a loaded machine may. */
#define LIMIT_MS 60000

struct rig {
	char dir[64];
	xengnttab_handle *gnttab; /* of domain 0 */
	xengntshr_handle *shr; /* of GUEST */
	xenevtchn_handle *back;
	xenevtchn_handle *front;
};

/* rig.c */
int
setup(void **state);
int
teardown(void **state);
void
rig_signals(void);
struct xensim_counters
counters(int domid);
xengnttab_grant_copy_segment_t
seg_from(uint32_t domid, uint32_t ref, uint16_t offset, void *dst, uint16_t len);
xengnttab_grant_copy_segment_t
seg_to(uint32_t domid, uint32_t ref, uint16_t offset, void *src, uint16_t len);
bool
readable(xenevtchn_handle *xce, int ms);
void
connect_ports(struct rig *r, int *front, int *back);

/* test_grants.c, test_events.c, test_life.c */
void
test_copy_statuses(void **state);
void
test_copy_data(void **state);
void
test_copy_local_refused(void **state);
void
test_copy_counts(void **state);
void
test_map(void **state);
void
test_deferred(void **state);
void
test_limit(void **state);
void
test_masking(void **state);
void
test_rebind(void **state);
void
test_virq(void **state);
void
test_notify_at_unmap(void **state);
void
test_domain_destroyed(void **state);
void
test_faults(void **state);
void
test_kill(void **state);
void
test_cycles(void **state);
int
child_main(const char *port_text, const char *ref_text);

#endif /* TEST_RIG_H */
