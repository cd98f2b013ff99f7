/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Built once for each condition that libxenctrl may be found in: FAKECTL_*. */

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include "fakectl.h"

/* More than any version has used so far; the driver has to have room for it. */
#define INFO_BYTES 512

struct toollog {
	void (*message)(struct toollog *log, int level, int err, const char *context,
			const char *fmt, va_list ap) __attribute__((format(printf, 5, 0)));
};

struct fakectl fakectl = { .ret = 1 };

void *
xc_interface_open(struct toollog *log, struct toollog *build_log, unsigned int flags);
int
xc_interface_close(void *handle);
int
xc_domain_getinfolist(void *handle, uint32_t first, unsigned int max, void *info);
int
xc_domain_node_getaffinity(void *handle, uint32_t domid, uint8_t *nodes);

#ifdef FAKECTL_REFUSING
static void
complain(struct toollog *log, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void
complain(struct toollog *log, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log->message(log, 5, ENOENT, "xc", fmt, ap);
	va_end(ap);
}
#endif

void *
xc_interface_open(struct toollog *log, struct toollog *build_log, unsigned int flags)
{
	if (log == NULL || build_log == NULL || flags != 0)
		return NULL;
#ifdef FAKECTL_REFUSING
	complain(log, "no handle on %s", "privcmd");
	return NULL;
#else
	fakectl.open++;
	return &fakectl;
#endif
}

int
xc_interface_close(void *handle)
{
	fakectl.open -= handle == &fakectl;
	return 0;
}

int
xc_domain_getinfolist(void *handle, uint32_t first, unsigned int max, void *info)
{
	uint16_t domid = fakectl.domid;

	if (handle != &fakectl || max != 1)
		return -1;
	fakectl.asked++;
	if (fakectl.ret != 1 || first > fakectl.domid)
		return fakectl.ret == 1 ? 0 : fakectl.ret;
	memset(info, 0xFF, INFO_BYTES);
	memcpy(info, &domid, sizeof(domid));
	memcpy((char *)info + 4, &fakectl.flags, sizeof(fakectl.flags));
	return 1;
}

#ifndef FAKECTL_LACKING
int
xc_domain_node_getaffinity(void *handle, uint32_t domid, uint8_t *nodes)
{
	if (handle != &fakectl || domid != fakectl.domid)
		return -1;
	memcpy(nodes, &fakectl.nodes, sizeof(fakectl.nodes));
	return 0;
}
#endif
