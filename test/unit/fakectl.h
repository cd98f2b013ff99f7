/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef FAKECTL_H
#define FAKECTL_H

/**
 * @file
 * A libxenctrl that knows what it was told of one domain.
 */

#include <stdint.h>

struct fakectl {
	uint32_t domid;
	/* Of struct xen_domctl_getdomaininfo. */
	uint32_t flags;
	/* Its memory is on these nodes. */
	uint64_t nodes;
	/* What getinfolist returns; 1: the domain, or the next one. */
	int ret;
	/* Handles that are open. */
	int open;
	/* Questions so far. */
	unsigned int asked;
};

/** What a library knows. */
extern struct fakectl fakectl;

#endif /* FAKECTL_H */
