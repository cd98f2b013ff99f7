/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* A machine with two guests, and handles of both ends. */

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test_rig.h"

/* Of the machine that exists now. */
static const char *dir;

static void
interrupted(int sig)
{
	if (dir != NULL)
		xensim_machine_destroy(dir);
	_exit(128 + sig);
}

int
setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	strcpy(r->dir, "/dev/shm/xensim-test-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	assert_int_equal(xensim_machine_create(r->dir), 0);
	dir = r->dir;
	setenv("XENSIM_DIR", r->dir, 1);
	assert_int_equal(xensim_domain_create(GUEST, "guest"), 0);
	assert_int_equal(xensim_domain_create(OTHER, NULL), 0);
	xensim_set_domid(GUEST);
	r->shr = xengntshr_open(NULL, 0);
	r->front = xenevtchn_open(NULL, 0);
	xensim_set_domid(0);
	r->gnttab = xengnttab_open(NULL, 0);
	r->back = xenevtchn_open(NULL, 0);
	assert_true(r->shr && r->front && r->gnttab && r->back);
	*state = r;
	return 0;
}

int
teardown(void **state)
{
	struct rig *r = *state;
	struct xensim_counters c;

	xengnttab_close(r->gnttab);
	xengntshr_close(r->shr);
	xenevtchn_close(r->back);
	xenevtchn_close(r->front);
	memset(&c, 0xff, sizeof(c));
	xensim_counters_get(XENSIM_ALL, &c);
	assert_int_equal(xensim_machine_destroy(r->dir), 0);
	dir = NULL;
	assert_int_equal(c.maps_live + c.grants_live + c.ports_live + c.handles_live, 0);
	assert_int_not_equal(access(r->dir, F_OK), 0);
	free(r);
	return 0;
}

struct xensim_counters
counters(int domid)
{
	struct xensim_counters c;

	assert_int_equal(xensim_counters_get(domid, &c), 0);
	return c;
}

xengnttab_grant_copy_segment_t
seg_from(uint32_t domid, uint32_t ref, uint16_t offset, void *dst, uint16_t len)
{
	xengnttab_grant_copy_segment_t s = { .flags = GNTCOPY_source_gref, .len = len };

	s.source.foreign.domid = (uint16_t)domid;
	s.source.foreign.ref = ref;
	s.source.foreign.offset = offset;
	s.dest.virt = dst;
	s.status = 77;
	return s;
}

xengnttab_grant_copy_segment_t
seg_to(uint32_t domid, uint32_t ref, uint16_t offset, void *src, uint16_t len)
{
	xengnttab_grant_copy_segment_t s = { .flags = GNTCOPY_dest_gref, .len = len };

	s.dest.foreign.domid = (uint16_t)domid;
	s.dest.foreign.ref = ref;
	s.dest.foreign.offset = offset;
	s.source.virt = src;
	s.status = 77;
	return s;
}

bool
readable(xenevtchn_handle *xce, int ms)
{
	struct pollfd pfd = { .fd = xenevtchn_fd(xce), .events = POLLIN };

	return poll(&pfd, 1, ms) == 1;
}

void
connect_ports(struct rig *r, int *front, int *back)
{
	*front = xenevtchn_bind_unbound_port(r->front, 0);
	assert_true(*front > 0);
	*back = xenevtchn_bind_interdomain(r->back, GUEST, (evtchn_port_t)*front);
	assert_true(*back > 0);
	/* Xen raises one event at the binding end. */
	assert_true(readable(r->back, LIMIT_MS));
	assert_int_equal(xenevtchn_pending(r->back), *back);
	assert_int_equal(xenevtchn_unmask(r->back, (evtchn_port_t)*back), 0);
	assert_false(readable(r->back, 0));
}

void
rig_signals(void)
{
	signal(SIGINT, interrupted);
	signal(SIGTERM, interrupted);
	signal(SIGHUP, interrupted);
}
