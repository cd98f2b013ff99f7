/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XEN_NETIF_ARGS_H
#define XEN_NETIF_ARGS_H

#include "xen_netif.h"

/**
 * Parse the arguments of a vdev. What is wrong with them is logged in one line: the key, the value
 * and what is allowed. Any thread.
 *
 * @param name
 *   The vdev's name, for the log.
 * @param params
 *   "key=value,..."; may be NULL.
 * @param drv
 *   Says which keys there are.
 * @param args
 *   Receives the values or their defaults.
 * @return
 *   0 or -EINVAL.
 */
int
xen_netif_args_parse(const char *name, const char *params, const struct xen_netif_driver *drv,
		struct xen_netif_args *args);

#endif /* XEN_NETIF_ARGS_H */
