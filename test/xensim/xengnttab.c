/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* libxengnttab.so.1 over the stand-in hypervisor: the interface of xengnttab.h. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <xentoollog.h>

#include "sim.h"

struct xengntdev_handle {
	struct sim_handle sim;
};

static struct sim_handle *
sim(struct xengntdev_handle *handle)
{
	return &handle->sim;
}

static struct xengntdev_handle *
handle_open(enum sim_kind kind)
{
	return (struct xengntdev_handle *)sim_handle_open(kind, true);
}

static int
handle_close(struct xengntdev_handle *handle)
{
	if (handle != NULL)
		sim_handle_close(sim(handle));
	return 0;
}

static int
not_supported(void)
{
	errno = EOPNOTSUPP;
	return -1;
}

static void
say(struct xentoollog_logger *logger, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void
say(struct xentoollog_logger *logger, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (logger != NULL)
		logger->vmessage(logger, XTL_ERROR, errno, "xengnttab", fmt, ap);
	else
		vfprintf(stderr, fmt, ap);
	va_end(ap);
}

/* The library logs each map call that fails. */
static void *
map(struct sim_handle *h, uint32_t n, const uint32_t *domids, uint32_t domid_step,
		const uint32_t *grefs, int prot, uint32_t notify_offset, uint32_t notify_port)
{
	void *addr = sim_map(h, n, domids, domid_step, grefs, prot, notify_offset, notify_port);
	int err = errno;

	if (addr == NULL)
		say(h->logger, "mmap failed: %s%s", strerror(err), h->logger == NULL ? "\n" : "");
	errno = err;
	return addr;
}

xengnttab_handle *
xengnttab_open(struct xentoollog_logger *logger, unsigned int open_flags)
{
	struct xengntdev_handle *handle = handle_open(SIM_KIND_GNTTAB);

	(void)open_flags;
	if (handle != NULL)
		sim(handle)->logger = logger;
	return handle;
}

int
xengnttab_close(xengnttab_handle *xgt)
{
	return handle_close(xgt);
}

int
xengnttab_fd(xengnttab_handle *xgt)
{
	return sim(xgt)->fd;
}

int
xengnttab_set_max_grants(xengnttab_handle *xgt, uint32_t nr_grants)
{
	(void)xgt;
	(void)nr_grants;
	return 0;
}

void *
xengnttab_map_grant_ref(xengnttab_handle *xgt, uint32_t domid, uint32_t ref, int prot)
{
	return map(sim(xgt), 1, &domid, 0, &ref, prot, SIM_NONE, SIM_NONE);
}

void *
xengnttab_map_grant_refs(xengnttab_handle *xgt, uint32_t count, uint32_t *domids, uint32_t *refs,
		int prot)
{
	return map(sim(xgt), count, domids, 1, refs, prot, SIM_NONE, SIM_NONE);
}

void *
xengnttab_map_domain_grant_refs(xengnttab_handle *xgt, uint32_t count, uint32_t domid,
		uint32_t *refs, int prot)
{
	return map(sim(xgt), count, &domid, 0, refs, prot, SIM_NONE, SIM_NONE);
}

void *
xengnttab_map_grant_ref_notify(xengnttab_handle *xgt, uint32_t domid, uint32_t ref, int prot,
		uint32_t notify_offset, evtchn_port_t notify_port)
{
	return map(sim(xgt), 1, &domid, 0, &ref, prot, notify_offset, notify_port);
}

int
xengnttab_unmap(xengnttab_handle *xgt, void *start_address, uint32_t count)
{
	return sim_unmap(sim(xgt), start_address, count);
}

int
xengnttab_grant_copy(xengnttab_handle *xgt, uint32_t count, xengnttab_grant_copy_segment_t *segs)
{
	return sim_copy(sim(xgt), count, segs);
}

int
xengnttab_dmabuf_exp_from_refs(xengnttab_handle *xgt, uint32_t domid, uint32_t flags,
		uint32_t count, const uint32_t *refs, uint32_t *fd)
{
	(void)xgt;
	(void)domid;
	(void)flags;
	(void)count;
	(void)refs;
	(void)fd;
	return not_supported();
}

int
xengnttab_dmabuf_exp_wait_released(xengnttab_handle *xgt, uint32_t fd, uint32_t wait_to_ms)
{
	(void)xgt;
	(void)fd;
	(void)wait_to_ms;
	return not_supported();
}

int
xengnttab_dmabuf_imp_to_refs(xengnttab_handle *xgt, uint32_t domid, uint32_t fd, uint32_t count,
		uint32_t *refs)
{
	(void)xgt;
	(void)domid;
	(void)fd;
	(void)count;
	(void)refs;
	return not_supported();
}

int
xengnttab_dmabuf_imp_release(xengnttab_handle *xgt, uint32_t fd)
{
	(void)xgt;
	(void)fd;
	return not_supported();
}

xengntshr_handle *
xengntshr_open(struct xentoollog_logger *logger, unsigned int open_flags)
{
	(void)logger;
	(void)open_flags;
	return handle_open(SIM_KIND_GNTSHR);
}

int
xengntshr_close(xengntshr_handle *xgs)
{
	return handle_close(xgs);
}

int
xengntshr_fd(xengntshr_handle *xgs)
{
	return sim(xgs)->fd;
}

void *
xengntshr_share_pages(xengntshr_handle *xgs, uint32_t domid, int count, uint32_t *refs,
		int writable)
{
	return sim_share(sim(xgs), domid, count < 0 ? 0 : (uint32_t)count, refs, writable != 0,
			SIM_NONE, SIM_NONE);
}

void *
xengntshr_share_page_notify(xengntshr_handle *xgs, uint32_t domid, uint32_t *ref, int writable,
		uint32_t notify_offset, evtchn_port_t notify_port)
{
	return sim_share(sim(xgs), domid, 1, ref, writable != 0, notify_offset, notify_port);
}

int
xengntshr_unshare(xengntshr_handle *xgs, void *start_address, uint32_t count)
{
	return sim_unshare(sim(xgs), start_address, count);
}
