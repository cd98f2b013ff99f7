/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Grants: copies, maps and the life of a reference. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test_rig.h"

void
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

void
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

void
test_copy_local_refused(void **state)
{
	struct rig *r = *state;
	char a[8] = "a", b[8] = "b";
	xengnttab_grant_copy_segment_t s = { .source.virt = a, .dest.virt = b, .len = 8 };

	assert_int_equal(xengnttab_grant_copy(r->gnttab, 1, &s), -1);
	assert_int_equal(errno, EINVAL);
	assert_string_equal(b, "b");
}

void
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

void
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

void
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

void
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
