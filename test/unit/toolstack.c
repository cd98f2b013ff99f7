/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <stdio.h>

#include "toolstack.h"
#include "unit.h"

struct xs_handle *
rawfront_store(void)
{
	return unit_store;
}

void
rawfront_fail(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fail_msg("%s", text);
	abort();
}

void
rawfront_idle(void)
{
	unit_idle();
}

void
rawfront_open(struct rawfront *f, unsigned int domid, unsigned int devid, unsigned int queues,
		bool split)
{
	memset(f, 0, sizeof(*f));
	f->domid = domid;
	f->devid = devid;
	snprintf(f->back, sizeof(f->back), "/local/domain/0/backend/vif/%u/%u", domid, devid);
	snprintf(f->front, sizeof(f->front), "/local/domain/%u/device/vif/%u", domid, devid);
	xensim_set_domid(domid);
	rawfront_boot(f, queues, split, RAWFRONT_PAGES);
	xensim_set_domid(-1);
	rawfront_toolstack(f);
}

void
rawfront_close(struct rawfront *f)
{
	if (f->back[0] == '\0')
		return;
	rawfront_toolstack_remove(f);
	rawfront_die(f);
	f->back[0] = '\0';
}

static void
make_vif(const struct rawfront *f, xs_transaction_t t)
{
	rawfront_put(t, f->back, "frontend", "%s", f->front);
	rawfront_put(t, f->back, "frontend-id", "%u", f->domid);
	rawfront_put(t, f->back, "online", "1");
	rawfront_put(t, f->back, "state", "1");
	rawfront_put(t, f->back, "script", "/etc/xen/scripts/vif-xenvif");
	rawfront_put(t, f->back, "mac", "00:16:3e:00:%02x:%02x", f->domid & 0xFF, f->devid & 0xFF);
	rawfront_put(t, f->back, "bridge", "none");
	rawfront_put(t, f->back, "handle", "%u", f->devid);
	rawfront_put(t, f->back, "type", "vif");
	rawfront_put(t, f->back, "hotplug-status", "connected");
	rawfront_put(t, f->front, "backend", "%s", f->back);
	rawfront_put(t, f->front, "backend-id", "0");
	rawfront_put(t, f->front, "state", "1");
	rawfront_put(t, f->front, "handle", "%u", f->devid);
	rawfront_put(t, f->front, "mac", "00:16:3e:00:%02x:%02x", f->domid & 0xFF, f->devid & 0xFF);
	rawfront_put(t, f->front, "trusted", "1");
	/* No limit but the protocol's. */
	rawfront_put(t, f->front, "mtu", "65535");
}

void
rawfront_toolstack(const struct rawfront *f)
{
	rawfront_transact(f, make_vif);
}

static void
detach_vif(const struct rawfront *f, xs_transaction_t t)
{
	rawfront_put(t, f->back, "online", "0");
	rawfront_put(t, f->back, "state", "5");
}

void
rawfront_detach(const struct rawfront *f)
{
	rawfront_transact(f, detach_vif);
}

void
rawfront_toolstack_remove(const struct rawfront *f)
{
	unit_remove("%s", f->back);
	unit_remove("%s", f->front);
	unit_remove("/local/domain/0/error/backend/vif/%u/%u", f->domid, f->devid);
}
