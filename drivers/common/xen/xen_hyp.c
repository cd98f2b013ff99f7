/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "xen_compat.h"
#include "xen_hyp.h"
#include "xen_log.h"
#include "xen_toollog.h"

RTE_LOG_REGISTER_DEFAULT(xen_logtype, NOTICE);

static pthread_mutex_t gnttab_lock = PTHREAD_MUTEX_INITIALIZER;
static xengnttab_handle *gnttab_handle;
static unsigned int gnttab_refs;
static struct xen_toollog gnttab_log = XEN_TOOLLOG("libxengnttab");

int
xen_gnttab_get(xengnttab_handle **gnttab)
{
	int ret = 0;

	pthread_mutex_lock(&gnttab_lock);
	if (gnttab_refs == 0) {
		gnttab_handle = xengnttab_open((struct xentoollog_logger *)&gnttab_log, 0);
		if (gnttab_handle == NULL) {
			ret = errno != 0 ? -errno : -ENODEV;
			XEN_LOG(ERR,
					"cannot open /dev/xen/gntdev: %s (is this a Xen domain, "
					"with the module xen-gntdev loaded?)",
					strerror(-ret));
			goto unlock;
		}
	}
	gnttab_refs++;
	*gnttab = gnttab_handle;
unlock:
	pthread_mutex_unlock(&gnttab_lock);
	return ret;
}

void
xen_gnttab_put(void)
{
	pthread_mutex_lock(&gnttab_lock);
	if (--gnttab_refs == 0) {
		xengnttab_close(gnttab_handle);
		gnttab_handle = NULL;
	}
	pthread_mutex_unlock(&gnttab_lock);
}

/* What the kernel tells of the hypervisor; empty: nothing. */
static void
read_hypervisor(const char *path, char text[8])
{
	FILE *f = fopen(path, "r");

	text[0] = '\0';
	if (f == NULL)
		return;
	if (fgets(text, 8, f) == NULL)
		text[0] = '\0';
	fclose(f);
}

static bool
read_number(const char *path, unsigned int *number)
{
	char text[8];

	read_hypervisor(path, text);
	return sscanf(text, "%u", number) == 1;
}

bool
xen_version(unsigned int *major, unsigned int *minor)
{
	return read_number("/sys/hypervisor/version/major", major) &&
			read_number("/sys/hypervisor/version/minor", minor);
}

bool
xen_may_map_own_grants(void)
{
	char type[8];

	read_hypervisor("/sys/hypervisor/guest_type", type);
	return strncmp(type, "PVH", 3) != 0 && strncmp(type, "HVM", 3) != 0;
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_evtchn_open)
int
xen_evtchn_open(xenevtchn_handle **evtchn, struct xen_reason *why)
{
	int err;

	if (*evtchn != NULL)
		return 0;
	errno = 0;
	*evtchn = xenevtchn_open(NULL, 0);
	if (*evtchn != NULL)
		return 0;
	err = errno != 0 ? errno : ENODEV;
	return xen_reason_set(why, err, "cannot open /dev/xen/evtchn: %s%s", strerror(err),
			xen_is_shortage(err) ? "" : " (is the module xen-evtchn loaded?)");
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_evtchn_close)
void
xen_evtchn_close(xenevtchn_handle **evtchn)
{
	if (*evtchn != NULL)
		xenevtchn_close(*evtchn);
	*evtchn = NULL;
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_is_shortage)
bool
xen_is_shortage(int err)
{
	return err == EMFILE || err == ENFILE || err == ENOMEM || err == ENOSPC || err == EAGAIN;
}
