/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Event channels. */

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

void
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

void
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

void
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
