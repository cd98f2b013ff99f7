/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Domains and processes that end, and faults made on purpose. */

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

void
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

/* A process of its own: bind to the port, answer every event with one, hold maps and grants. */
int
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
		execl("/proc/self/exe", "test_xensim", "--child", port_text, ref_text,
				(char *)NULL);
		_exit(127);
	}
	return pid;
}

void
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

void
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
