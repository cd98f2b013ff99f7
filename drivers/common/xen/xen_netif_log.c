/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "xen_compat.h"
#include "xen_log.h"
#include "xen_netif.h"
#include "xen_trace.h"

/* For how long lines are held back after one was written. */
#define HOLD_MS 60000u

static void
say(const struct xen_netif *nif, enum xen_netif_line line, const char *text)
{
	if (line == XEN_NETIF_FAILED)
		XEN_LOG(ERR, "%s: %s", nif->xbdev.path, text);
	else
		XEN_LOG(NOTICE, "%s: %s", nif->xbdev.path, text);
}

static void
say_held(struct xen_netif *nif, enum xen_netif_line line)
{
	struct xen_netif_held *held = &nif->held[line];
	char text[XEN_REASON_MAX + sizeof("4294967295 more like this in the last minute: ")];

	snprintf(text, sizeof(text), "%u more like this in the last minute: %s", held->nb,
			held->last);
	say(nif, line, text);
	held->nb = 0;
}

/* A trace has all of them, however many they are. */
static void
trace(const struct xen_netif *nif, enum xen_netif_line line)
{
	const char *text = nif->held[line].last;

	if (line == XEN_NETIF_CONNECTED)
		rte_xen_trace_connected(nif->port_id, nif->nb_queues);
	else if (line == XEN_NETIF_DISCONNECTED)
		rte_xen_trace_disconnected(nif->port_id, text);
	else if (line == XEN_NETIF_FAILED)
		rte_xen_trace_failed(nif->port_id, text);
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_netif_log)
void
xen_netif_log(struct xen_netif *nif, enum xen_netif_line line, const char *fmt, ...)
{
	struct xen_netif_held *held = &nif->held[line];
	uint64_t now = xen_bus_now_ms();
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(held->last, sizeof(held->last), fmt, ap);
	va_end(ap);
	pthread_mutex_lock(&nif->lock);
	memcpy(nif->reason[line], held->last, sizeof(nif->reason[line]));
	pthread_mutex_unlock(&nif->lock);
	trace(nif, line);
	if (now < held->until || held->nb != 0) {
		held->nb++;
		return;
	}
	held->until = now + HOLD_MS;
	say(nif, line, held->last);
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_netif_fail)
void
xen_netif_fail(struct xen_netif *nif, const struct xen_reason *why)
{
	xen_netif_log(nif, XEN_NETIF_FAILED, "%s", why->text);
	xen_store_write_error(nif->xbdev.path, why);
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_netif_log_held)
void
xen_netif_log_held(struct xen_netif *nif)
{
	uint64_t now = xen_bus_now_ms();
	enum xen_netif_line line;

	for (line = 0; line < XEN_NETIF_LINES; line++) {
		if (nif->held[line].nb == 0)
			continue;
		if (now >= nif->held[line].until) {
			say_held(nif, line);
			nif->held[line].until = now + HOLD_MS;
		} else {
			xen_bus_set_timer(&nif->xbdev, nif->held[line].until - now);
		}
	}
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_netif_log_end)
void
xen_netif_log_end(struct xen_netif *nif)
{
	enum xen_netif_line line;

	for (line = 0; line < XEN_NETIF_LINES; line++) {
		if (nif->held[line].nb != 0)
			say_held(nif, line);
		nif->held[line].until = 0;
	}
}
