/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* The stand-in hypervisor obeys Xen's rules. */

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

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
	xengnttab_handle *gnttab;       /* of domain 0 */
	xengntshr_handle *shr;          /* of GUEST */
	xenevtchn_handle *back;
	xenevtchn_handle *front;
};

/* Of the machine that exists now. */
static const char *dir;

static void
interrupted(int sig)
{
	if (dir != NULL)
		xensim_machine_destroy(dir);
	_exit(128 + sig);
}

static int
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

static int
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

static struct xensim_counters
counters(int domid)
{
	struct xensim_counters c;

	assert_int_equal(xensim_counters_get(domid, &c), 0);
	return c;
}

static xengnttab_grant_copy_segment_t
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

static xengnttab_grant_copy_segment_t
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

static void
test_copy_statuses(void **state)
{
	struct rig *r = *state;
	static char buf[2 * PAGE];
	uint32_t rw, ro, others, *pages;
	unsigned int i;

	pages = xengntshr_share_pages(r->shr, 0, 1, &rw, 1);
	assert_non_null(pages);
	assert_non_null(xengntshr_share_pages(r->shr, 0, 1, &ro, 0));
	assert_non_null(xengntshr_share_pages(r->shr, OTHER, 1, &others, 1));
	const struct {
		xengnttab_grant_copy_segment_t seg;
		int status;
	} table[] = {
		{ seg_from(GUEST, rw, 0, buf, 64), GNTST_okay },
		{ seg_from(GUEST, ro, PAGE - 1, buf, 1), GNTST_okay },
		{ seg_to(GUEST, rw, 1, buf, PAGE - 1), GNTST_okay },
		{ seg_from(GUEST, rw, 0, buf + PAGE / 2, PAGE), GNTST_okay },
		{ seg_to(GUEST, ro, 0, buf, 1), GNTST_general_error },
		{ seg_from(GUEST, others, 0, buf, 1), GNTST_general_error },
		{ seg_from(GUEST, 500, 0, buf, 1), GNTST_general_error },
		{ seg_from(GUEST, 512, 0, buf, 1), GNTST_bad_gntref },
		{ seg_from(GUEST, 0xffffffff, 0, buf, 1), GNTST_bad_gntref },
		{ seg_from(9, rw, 0, buf, 1), GNTST_bad_domain },
		{ seg_from(0x7ff5, rw, 0, buf, 1), GNTST_bad_domain },
		{ seg_from(GUEST, rw, 1, buf, PAGE), GNTST_bad_copy_arg },
		{ seg_to(GUEST, rw, PAGE, buf, 1), GNTST_bad_copy_arg },
		{ seg_from(GUEST, rw, 65535, buf, 65535), GNTST_bad_copy_arg },
		{ seg_from(GUEST, rw, PAGE, buf, 0), GNTST_okay },
		{ seg_from(GUEST, 512, 0, buf, 0), GNTST_okay },
	};

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		xengnttab_grant_copy_segment_t s = table[i].seg;

		assert_int_equal(xengnttab_grant_copy(r->gnttab, 1, &s), 0);
		if (s.status != table[i].status)
			fail_msg("line %u: status %d, expected %d", i, s.status, table[i].status);
	}
}

static void
test_copy_data(void **state)
{
	struct rig *r = *state;
	static unsigned char in[PAGE], out[PAGE];
	xengnttab_grant_copy_segment_t s[2];
	uint32_t ref[2];
	unsigned char *page;
	unsigned int len, i;

	page = xengntshr_share_pages(r->shr, 0, 2, ref, 1);
	assert_non_null(page);
	for (i = 0; i < 2 * PAGE; i++)
		assert_int_equal(page[i], 0);
	for (i = 0; i < PAGE; i++)
		in[i] = (unsigned char)(i * 7 + i / 251);
	for (len = 0; len < 300; len++) {
		memset(page, 0xee, PAGE);
		memset(out, 0xee, PAGE);
		s[0] = seg_to(GUEST, ref[0], 3, in + 5, (uint16_t)len);
		s[1] = seg_from(GUEST, ref[0], 3, out + 9, (uint16_t)len);
		assert_int_equal(xengnttab_grant_copy(r->gnttab, 2, s), 0);
		assert_memory_equal(page + 3, in + 5, len);
		assert_int_equal(page[2] & page[3 + len], 0xee);
		assert_memory_equal(out + 9, in + 5, len);
		assert_int_equal(out[8] & out[9 + len], 0xee);
	}
	memcpy(page, in, PAGE);
	s[0] = seg_from(GUEST, ref[0], 0, NULL, PAGE);
	s[0].flags |= GNTCOPY_dest_gref;
	s[0].dest.foreign.domid = GUEST;
	s[0].dest.foreign.ref = ref[1];
	s[0].dest.foreign.offset = 0;
	assert_int_equal(xengnttab_grant_copy(r->gnttab, 1, s), 0);
	assert_int_equal(s[0].status, GNTST_okay);
	assert_memory_equal(page + PAGE, in, PAGE);
}

static void
test_copy_local_refused(void **state)
{
	struct rig *r = *state;
	char a[8] = "a", b[8] = "b";
	xengnttab_grant_copy_segment_t s = { .source.virt = a, .dest.virt = b, .len = 8 };

	assert_int_equal(xengnttab_grant_copy(r->gnttab, 1, &s), -1);
	assert_int_equal(errno, EINVAL);
	assert_string_equal(b, "b");
}

static void
test_copy_counts(void **state)
{
	struct rig *r = *state;
	static char buf[4 * PAGE] __attribute__((aligned(PAGE)));
	xengnttab_grant_copy_segment_t s[40];
	struct xensim_charges charges;
	struct xensim_counters c;
	struct timespec t0, t1;
	uint32_t ref, i;

	assert_non_null(xengntshr_share_pages(r->shr, 0, 1, &ref, 1));
	assert_int_equal(xensim_counters_reset(XENSIM_ALL), 0);
	/* 39 in one page, and one over two: 41 operations, 3 hypercalls of 16. */
	for (i = 0; i < 39; i++)
		s[i] = seg_from(GUEST, ref, 0, buf + i, 100);
	s[39] = seg_from(GUEST, ref, 0, buf + PAGE - 50, 100);
	assert_int_equal(xengnttab_grant_copy(r->gnttab, 40, s), 0);
	c = counters(0);
	assert_int_equal(c.copy_calls, 1);
	assert_int_equal(c.copy_segments, 40);
	assert_int_equal(c.copy_ops, 41);
	assert_int_equal(c.copy_hypercalls, 3);
	assert_int_equal(c.copy_bytes, 4000);
	assert_int_equal(c.copy_errors, 0);
	assert_int_equal(counters(GUEST).copy_ops, 0);

	assert_int_equal(xensim_charges_get(&charges), 0);
	charges.hc_batch = 0;
	charges.hc_ns = 1000000;
	charges.op_ns = 100000;
	assert_int_equal(xensim_charges_set(&charges), 0);
	clock_gettime(CLOCK_MONOTONIC, &t0);
	assert_int_equal(xengnttab_grant_copy(r->gnttab, 40, s), 0);
	clock_gettime(CLOCK_MONOTONIC, &t1);
	assert_int_equal(counters(0).copy_hypercalls, 4);
	/* 1 ms and 41 * 0.1 ms; the clocks may differ by a little, other load only adds. */
	assert_true((t1.tv_sec - t0.tv_sec) * 1000000000LL + t1.tv_nsec - t0.tv_nsec > 5000000);
	charges.hc_ns = 1000000001;
	assert_int_equal(xensim_charges_set(&charges), -ERANGE);
}

static void
test_map(void **state)
{
	struct rig *r = *state;
	uint32_t refs[600], bad[2], ro;
	unsigned int i;
	char *ours, *theirs, *ro_page;

	ours = xengntshr_share_pages(r->shr, 0, 600, refs, 1);
	ro_page = xengntshr_share_pages(r->shr, 0, 1, &ro, 0);
	assert_true(ours != NULL && ro_page != NULL);
	theirs = xengnttab_map_domain_grant_refs(r->gnttab, 600, GUEST, refs,
		PROT_READ | PROT_WRITE);
	assert_non_null(theirs);
	assert_ptr_not_equal(ours, theirs);
	for (i = 0; i < 600; i++) {
		ours[i * PAGE] = (char)i;
		assert_int_equal(theirs[i * PAGE], (char)i);
	}
	assert_int_equal(counters(0).maps_live, 600);
	assert_int_equal(xengnttab_unmap(r->gnttab, theirs, 599), -1);
	assert_int_equal(xengnttab_unmap(r->gnttab, theirs, 600), 0);
	assert_int_equal(counters(0).maps_live, 0);
	assert_int_equal(counters(0).maps_total, 600);

	bad[0] = refs[0];
	bad[1] = 4000;
	assert_null(xengnttab_map_domain_grant_refs(r->gnttab, 2, GUEST, bad, PROT_READ));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(counters(0).maps_live, 0);
	assert_null(xengnttab_map_grant_ref(r->gnttab, GUEST, ro, PROT_READ | PROT_WRITE));
	theirs = xengnttab_map_grant_ref(r->gnttab, GUEST, ro, PROT_READ);
	assert_non_null(theirs);
	strcpy(ro_page, "read");
	assert_string_equal(theirs, "read");
	assert_null(xengnttab_map_grant_ref(r->gnttab, OTHER, refs[0], PROT_READ));
}

static void
test_deferred(void **state)
{
	struct rig *r = *state;
	uint32_t ref, next;
	char *page, *mapped, *again;

	page = xengntshr_share_pages(r->shr, 0, 1, &ref, 1);
	mapped = xengnttab_map_grant_ref(r->gnttab, GUEST, ref, PROT_READ | PROT_WRITE);
	assert_true(page != NULL && mapped != NULL);
	strcpy(page, "still here");
	assert_int_equal(xengntshr_unshare(r->shr, page, 1), 0);
	assert_int_equal(counters(GUEST).grants_live, 1);
	again = xengntshr_share_pages(r->shr, 0, 1, &next, 1);
	assert_non_null(again);
	assert_int_not_equal(next, ref);
	assert_string_equal(mapped, "still here");
	assert_int_equal(again[0], 0);
	assert_int_equal(xengnttab_unmap(r->gnttab, mapped, 1), 0);
	assert_int_equal(counters(GUEST).grants_live, 1);
	assert_int_equal(xengntshr_unshare(r->shr, again, 1), 0);
	assert_int_equal(counters(GUEST).grants_live, 0);
	/* Used again, and clean. */
	again = xengntshr_share_pages(r->shr, 0, 1, &next, 1);
	assert_int_equal(next, ref);
	assert_int_equal(again[0], 0);
}

static void
test_limit(void **state)
{
	struct rig *r = *state;
	uint32_t refs[8];
	void *page;

	assert_int_equal(xensim_grant_limit_set(8), 0);
	page = xengntshr_share_pages(r->shr, 0, 8, refs, 1);
	assert_non_null(page);
	assert_null(xengntshr_share_pages(r->shr, 0, 1, refs, 1));
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(xengntshr_unshare(r->shr, page, 8), 0);
	assert_non_null(xengntshr_share_pages(r->shr, 0, 1, refs, 1));
}

static bool
readable(xenevtchn_handle *xce, int ms)
{
	struct pollfd pfd = { .fd = xenevtchn_fd(xce), .events = POLLIN };

	return poll(&pfd, 1, ms) == 1;
}

static void
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

static void
test_masking(void **state)
{
	struct rig *r = *state;
	int front, back, i;

	connect_ports(r, &front, &back);
	for (i = 0; i < 3; i++)
		assert_int_equal(xenevtchn_notify(r->front, (evtchn_port_t)front), 0);
	assert_int_equal(xenevtchn_pending(r->back), back);
	assert_false(readable(r->back, 0));
	assert_int_equal(xenevtchn_notify(r->front, (evtchn_port_t)front), 0);
	assert_false(readable(r->back, 0));
	assert_int_equal(xenevtchn_unmask(r->back, (evtchn_port_t)back), 0);
	assert_true(readable(r->back, LIMIT_MS));
	assert_int_equal(xenevtchn_pending(r->back), back);
	assert_int_equal(xenevtchn_unmask(r->back, (evtchn_port_t)back), 0);
	assert_false(readable(r->back, 0));
	assert_int_equal(counters(GUEST).notifies, 4);
	assert_int_equal(counters(0).notifies_delivered, 3);
	assert_int_equal(xenevtchn_notify(r->back, 4000), -1);
	assert_int_equal(errno, ENOTCONN);
}

static void
test_rebind(void **state)
{
	struct rig *r = *state;
	int front, back;

	connect_ports(r, &front, &back);
	assert_int_equal(xenevtchn_bind_interdomain(r->back, GUEST, (evtchn_port_t)front), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(xenevtchn_notify(r->front, (evtchn_port_t)front), 0);
	assert_int_equal(xenevtchn_unbind(r->back, (evtchn_port_t)back), 0);
	assert_false(readable(r->back, 0));
	assert_int_equal(xenevtchn_notify(r->front, (evtchn_port_t)front), 0);
	xensim_set_domid(OTHER);
	xenevtchn_handle *stranger = xenevtchn_open(NULL, 0);

	assert_non_null(stranger);
	assert_int_equal(xenevtchn_bind_interdomain(stranger, GUEST, (evtchn_port_t)front), -1);
	xenevtchn_close(stranger);
	xensim_set_domid(0);
	back = xenevtchn_bind_interdomain(r->back, GUEST, (evtchn_port_t)front);
	assert_true(back > 0);
	assert_int_equal(xenevtchn_notify(r->back, (evtchn_port_t)back), 0);
	assert_true(readable(r->front, LIMIT_MS));
	assert_int_equal(xenevtchn_pending(r->front), front);
}

static void
test_virq(void **state)
{
	struct rig *r = *state;
	int port;

	port = xenevtchn_bind_virq(r->back, VIRQ_DOM_EXC);
	assert_true(port > 0);
	assert_int_equal(xenevtchn_bind_virq(r->back, VIRQ_DOM_EXC), -1);
	assert_int_equal(errno, EEXIST);
	assert_int_equal(xensim_domain_destroy(OTHER), 0);
	assert_true(readable(r->back, LIMIT_MS));
	assert_int_equal(xenevtchn_pending(r->back), port);
	assert_int_equal(xensim_domain_destroy(OTHER), -ENOENT);
}

static void
test_domain_destroyed(void **state)
{
	struct rig *r = *state;
	xengnttab_grant_copy_segment_t s;
	char buf[8], *page, *mapped;
	int front, back;
	uint32_t ref, ref2;

	connect_ports(r, &front, &back);
	page = xengntshr_share_pages(r->shr, 0, 1, &ref, 1);
	mapped = xengnttab_map_grant_ref(r->gnttab, GUEST, ref, PROT_READ);
	assert_true(page != NULL && mapped != NULL);
	strcpy(page, "last");
	assert_int_equal(xensim_domain_destroy(GUEST), 0);
	s = seg_from(GUEST, ref, 0, buf, 8);
	assert_int_equal(xengnttab_grant_copy(r->gnttab, 1, &s), 0);
	assert_int_equal(s.status, GNTST_bad_domain);
	assert_string_equal(mapped, "last");
	assert_int_equal(xenevtchn_notify(r->back, (evtchn_port_t)back), 0);
	assert_int_equal(xenevtchn_notify(r->front, (evtchn_port_t)front), -1);
	assert_null(xengntshr_share_pages(r->shr, 0, 1, &ref2, 1));
	assert_int_equal(xensim_domain_create(GUEST, "again"), 0);
	assert_int_equal(xengnttab_unmap(r->gnttab, mapped, 1), 0);
	assert_int_equal(counters(GUEST).grants_live, 0);
}

static void
test_faults(void **state)
{
	struct rig *r = *state;
	xengnttab_grant_copy_segment_t s[5];
	char buf[8];
	uint32_t ref, i, round;

	assert_non_null(xengntshr_share_pages(r->shr, 0, 1, &ref, 1));
	assert_int_equal(xensim_fault_set(XENSIM_FAULT_COPY, 0, 3, 0, GNTST_eagain), 0);
	for (round = 0; round < 2; round++) {
		for (i = 0; i < 5; i++)
			s[i] = seg_from(GUEST, ref, 0, buf, 8);
		assert_int_equal(xengnttab_grant_copy(r->gnttab, 5, s), 0);
		for (i = 0; i < 5; i++)
			assert_int_equal(s[i].status,
				round == 0 && i == 2 ? GNTST_eagain : GNTST_okay);
	}
	assert_int_equal(xensim_fault_set(XENSIM_FAULT_MAP, XENSIM_ALL, 2, 1, -1), 0);
	for (i = 1; i <= 4; i++)
		assert_int_equal(xengnttab_map_grant_ref(r->gnttab, GUEST, ref, PROT_READ) == NULL,
			i % 2 == 0);
	assert_int_equal(xensim_fault_set(XENSIM_FAULT_BIND, GUEST, 1, 0, -1), 0);
	assert_true(xenevtchn_bind_unbound_port(r->back, GUEST) > 0);
	assert_int_equal(xenevtchn_bind_unbound_port(r->front, 0), -1);
	assert_true(xenevtchn_bind_unbound_port(r->front, 0) > 0);
	assert_int_equal(xensim_fault_clear(), 0);
	assert_int_equal(counters(0).copy_errors, 1);
}

static void
test_notify_at_unmap(void **state)
{
	struct rig *r = *state;
	int front, back;
	char *page, *mapped;
	uint32_t ref;

	connect_ports(r, &front, &back);
	page = xengntshr_share_pages(r->shr, 0, 1, &ref, 1);
	assert_non_null(page);
	memset(page, 1, PAGE);
	mapped = xengnttab_map_grant_ref_notify(r->gnttab, GUEST, ref, PROT_READ | PROT_WRITE, 17,
		(evtchn_port_t)back);
	assert_non_null(mapped);
	assert_int_equal(xengnttab_unmap(r->gnttab, mapped, 1), 0);
	assert_int_equal(page[17], 0);
	assert_int_equal(page[16] + page[18], 2);
	assert_true(readable(r->front, LIMIT_MS));
}

/* A process of its own: bind to the port, answer every event with one, hold maps and grants. */
static int
child_main(const char *port_text, const char *ref_text)
{
	xenevtchn_handle *xce = xenevtchn_open(NULL, 0);
	xengnttab_handle *gnttab = xengnttab_open(NULL, 0);
	xengntshr_handle *shr = xengntshr_open(NULL, 0);
	uint32_t refs[16];
	int port;

	if (xce == NULL || gnttab == NULL || shr == NULL)
		return 1;
	if (xengnttab_map_grant_ref(gnttab, GUEST, (uint32_t)atoi(ref_text), PROT_READ) == NULL)
		return 2;
	if (xengntshr_share_pages(shr, GUEST, 16, refs, 1) == NULL)
		return 3;
	port = xenevtchn_bind_interdomain(xce, GUEST, (evtchn_port_t)atoi(port_text));
	if (port < 0)
		return 4;
	for (;;) {
		if (xenevtchn_pending(xce) != port || xenevtchn_unmask(xce, (evtchn_port_t)port) ||
				xenevtchn_notify(xce, (evtchn_port_t)port))
			return 5;
	}
}

static pid_t
spawn(int port, uint32_t ref)
{
	char port_text[16], ref_text[16];
	pid_t pid;

	snprintf(port_text, sizeof(port_text), "%d", port);
	snprintf(ref_text, sizeof(ref_text), "%u", ref);
	pid = fork();
	if (pid == 0) {
		execl("/proc/self/exe", "test_xensim", "--child", port_text, ref_text, (char *)NULL);
		_exit(127);
	}
	return pid;
}

static void
test_kill(void **state)
{
	struct rig *r = *state;
	int port, round, i;
	uint32_t ref;
	pid_t pid;

	port = xenevtchn_bind_unbound_port(r->front, 0);
	assert_non_null(xengntshr_share_pages(r->shr, 0, 1, &ref, 1));
	/* Each new process binds to the port that the one killed before had. */
	for (round = 0; round < 3; round++) {
		pid = spawn(port, ref);
		assert_true(pid > 0);
		/* The event at its binding makes it send one. */
		for (i = 0; i < 10; i++) {
			assert_true(readable(r->front, LIMIT_MS));
			assert_int_equal(xenevtchn_pending(r->front), port);
			assert_int_equal(xenevtchn_unmask(r->front, (evtchn_port_t)port), 0);
			assert_int_equal(xenevtchn_notify(r->front, (evtchn_port_t)port), 0);
		}
		assert_int_equal(counters(0).maps_live, 1);
		assert_int_equal(counters(0).grants_live, 16);
		assert_int_equal(counters(0).handles_live, 5);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		assert_int_equal(counters(0).maps_live, 0);
		assert_int_equal(counters(0).grants_live, 0);
		assert_int_equal(counters(0).ports_live, 0);
		assert_int_equal(counters(0).handles_live, 2);
		while (readable(r->front, 0)) {
			xenevtchn_pending(r->front);
			xenevtchn_unmask(r->front, (evtchn_port_t)port);
		}
	}
}

static unsigned int
open_fds(void)
{
	unsigned int n = 0;
	int fd;

	for (fd = 0; fd < 1024; fd++)
		n += dup2(fd, fd) == fd;
	return n;
}

static void
test_cycles(void **state)
{
	struct rig *r = *state;
	xengntshr_handle *shr;
	xenevtchn_handle *xce;
	uint32_t refs[4];
	unsigned int i, fds;
	void *map;
	int port;

	port = xenevtchn_bind_unbound_port(r->front, 0);
	fds = open_fds();
	for (i = 0; i < 1000; i++) {
		xensim_set_domid(GUEST);
		shr = xengntshr_open(NULL, 0);
		xensim_set_domid(0);
		xce = xenevtchn_open(NULL, 0);
		assert_true(shr != NULL && xce != NULL);
		assert_non_null(xengntshr_share_pages(shr, 0, 4, refs, 1));
		map = xengnttab_map_domain_grant_refs(r->gnttab, 4, GUEST, refs, PROT_READ);
		assert_non_null(map);
		assert_true(xenevtchn_bind_interdomain(xce, GUEST, (evtchn_port_t)port) > 0);
		assert_int_equal(xenevtchn_notify(r->front, (evtchn_port_t)port), 0);
		xengntshr_close(shr);
		assert_int_equal(xengnttab_unmap(r->gnttab, map, 4), 0);
		xenevtchn_close(xce);
	}
	assert_int_equal(open_fds(), fds);
	assert_int_equal(counters(XENSIM_ALL).grants_live, 0);
	assert_int_equal(counters(XENSIM_ALL).maps_live, 0);
	assert_int_equal(counters(XENSIM_ALL).ports_live, 1);
}

#define RIG(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		RIG(test_copy_statuses), RIG(test_copy_data), RIG(test_copy_local_refused),
		RIG(test_copy_counts), RIG(test_map), RIG(test_deferred), RIG(test_limit),
		RIG(test_masking), RIG(test_rebind), RIG(test_virq), RIG(test_domain_destroyed),
		RIG(test_faults), RIG(test_notify_at_unmap), RIG(test_kill), RIG(test_cycles),
	};

	if (argc == 4 && strcmp(argv[1], "--child") == 0)
		return child_main(argv[2], argv[3]);
	signal(SIGINT, interrupted);
	signal(SIGTERM, interrupted);
	signal(SIGHUP, interrupted);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
