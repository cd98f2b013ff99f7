/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XEN_COMPAT_H
#define XEN_COMPAT_H

/**
 * @file
 * Every difference between the DPDK releases that the drivers build against (22.11 and later).
 */

#include <pthread.h>

#include <rte_lcore.h>
#include <rte_telemetry.h>
#include <rte_version.h>

#if RTE_VERSION < RTE_VERSION_NUM(23, 11, 0, 0)
static inline int
xen_thread_create(pthread_t *thread, const char *name, void *(*fn)(void *), void *arg)
{
	return rte_ctrl_thread_create(thread, name, NULL, fn, arg);
}
#else
#include <signal.h>

static inline int
xen_thread_create(pthread_t *thread, const char *name, void *(*fn)(void *), void *arg)
{
	sigset_t all, old;
	int ret;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret = -pthread_create(thread, NULL, fn, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (ret == 0)
		pthread_setname_np(*thread, name);
	return ret;
}
#endif

/* The operation dev_supported_ptypes_get() says how many there are since 24.03. */
#if RTE_VERSION < RTE_VERSION_NUM(24, 3, 0, 0)
#define XEN_PTYPES_COUNT
#define XEN_PTYPES_SET_COUNT(n) RTE_SET_USED(n)
#else
#define XEN_PTYPES_COUNT , size_t *nb_ptypes
#define XEN_PTYPES_SET_COUNT(n) (*nb_ptypes = (n))
#endif

/* Their names since 23.03 have "uint" in them. */
#if RTE_VERSION < RTE_VERSION_NUM(23, 3, 0, 0)
#define XEN_TEL_U64_VAL RTE_TEL_U64_VAL
#define xen_tel_array_u64 rte_tel_data_add_array_u64
#define xen_tel_dict_u64 rte_tel_data_add_dict_u64
#else
#define XEN_TEL_U64_VAL RTE_TEL_UINT_VAL
#define xen_tel_array_u64 rte_tel_data_add_array_uint
#define xen_tel_dict_u64 rte_tel_data_add_dict_uint
#endif

#endif /* XEN_COMPAT_H */
