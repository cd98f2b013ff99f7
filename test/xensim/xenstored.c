/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* For LD_PRELOAD into oxenstored: the few calls of libxenctrl that it makes, answered by the
 * stand-in hypervisor. The rest of libxenctrl stays what it is.
 */

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define XC_WANT_COMPAT_MAP_FOREIGN_API
#include <xenctrl.h>

#include "xensim.h"

#define MAX_LIST 256

xc_interface *
xc_interface_open(xentoollog_logger *logger, xentoollog_logger *dombuild_logger,
		unsigned int open_flags)
{
	static uint64_t dummy[512];

	(void)logger;
	(void)dombuild_logger;
	(void)open_flags;
	return (xc_interface *)dummy;
}

int
xc_interface_close(xc_interface *xch)
{
	(void)xch;
	return 0;
}

const xc_error *
xc_get_last_error(xc_interface *xch)
{
	static const xc_error error = { .code = XC_ERROR_NONE };

	(void)xch;
	return &error;
}

/* As the hypercall: the first domain whose id is not below the one asked for, and those behind. */
int
xc_domain_getinfolist(xc_interface *xch, uint32_t first_domain, unsigned int max_domains,
		xc_domaininfo_t *info)
{
	unsigned int domids[MAX_LIST], got = 0;
	int n, i;

	(void)xch;
	n = xensim_domain_list(domids, MAX_LIST);
	if (n < 0) {
		errno = -n;
		return -1;
	}
	for (i = 0; i < n && got < max_domains; i++) {
		if (domids[i] < first_domain)
			continue;
		memset(&info[got], 0, sizeof(info[got]));
		info[got].domain = (domid_t)domids[i];
		info[got].flags = XEN_DOMINF_running;
		got++;
	}
	return (int)got;
}

/* Asked for since Xen 4.18, whose header has it, too. */
int
xc_domain_getinfo_single(xc_interface *xch, uint32_t domid, xc_domaininfo_t *info);

int
xc_domain_getinfo_single(xc_interface *xch, uint32_t domid, xc_domaininfo_t *info)
{
	xc_domaininfo_t found;
	int n = xc_domain_getinfolist(xch, domid, 1, &found);

	if (n < 0)
		return -1;
	if (n == 0 || found.domain != domid) {
		errno = ESRCH;
		return -1;
	}
	if (info != NULL)
		*info = found;
	return 0;
}

void *
xc_map_foreign_range(xc_interface *xch, uint32_t dom, int size, int prot, unsigned long mfn)
{
	(void)xch;
	if (size != 4096) {
		errno = EINVAL;
		return NULL;
	}
	return xensim_frame_map(dom, mfn, prot);
}
