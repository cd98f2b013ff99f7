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

#include <rte_kvargs.h>
#include <rte_lcore.h>
#include <rte_spinlock.h>
#include <rte_telemetry.h>
#include <rte_version.h>

/*
 * What other libraries may use is said beside it since 25.07, and read there by DPDK's own build
 * alone; version.map says the same for all others.
 */
#if __has_include(<eal_export.h>)
#include <eal_export.h>
#endif
#ifndef RTE_EXPORT_INTERNAL_SYMBOL
#define RTE_EXPORT_INTERNAL_SYMBOL(symbol)
#endif

/* The compiler's attributes have names of DPDK's own, this one since 24.11. */
#if RTE_VERSION < RTE_VERSION_NUM(24, 11, 0, 0)
#define XEN_SECTION(name) __attribute__((section(name)))
#else
#define XEN_SECTION(name) __rte_section(name)
#endif

/* clang follows locks since 23.03, but not those that are in an array. */
#if RTE_VERSION < RTE_VERSION_NUM(23, 3, 0, 0)
#define XEN_NO_LOCK_ANALYSIS
#else
#define XEN_NO_LOCK_ANALYSIS __rte_no_thread_safety_analysis
#endif

/* What runs in a control thread returns a number since 23.11: have it return 0. */
#if RTE_VERSION < RTE_VERSION_NUM(23, 11, 0, 0)
#define XEN_THREAD_RESULT void *

static inline int
xen_thread_create(pthread_t *thread, const char *name, void *(*fn)(void *), void *arg)
{
	return rte_ctrl_thread_create(thread, name, NULL, fn, arg);
}

static inline void
xen_thread_detach(pthread_t thread)
{
	pthread_detach(thread);
}
#else
#include <rte_thread.h>

#define XEN_THREAD_RESULT uint32_t

static inline int
xen_thread_create(pthread_t *thread, const char *name, rte_thread_func fn, void *arg)
{
	rte_thread_t id;
	int ret;

	ret = rte_thread_create_control(&id, name, fn, arg);
	if (ret == 0)
		*thread = (pthread_t)id.opaque_id;
	return ret;
}

static inline void
xen_thread_detach(pthread_t thread)
{
	rte_thread_detach((rte_thread_t){ .opaque_id = (uintptr_t)thread });
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

/* Their names since 23.03 have "uint" in them, and signed numbers have 64 bits, too. */
#if RTE_VERSION < RTE_VERSION_NUM(23, 3, 0, 0)
#define XEN_TEL_INT int
#define XEN_TEL_U64_VAL RTE_TEL_U64_VAL
#define xen_tel_array_u64 rte_tel_data_add_array_u64
#define xen_tel_dict_u64 rte_tel_data_add_dict_u64
#else
#define XEN_TEL_INT int64_t
#define XEN_TEL_U64_VAL RTE_TEL_UINT_VAL
#define xen_tel_array_u64 rte_tel_data_add_array_uint
#define xen_tel_dict_u64 rte_tel_data_add_dict_uint
#endif

/* A key without a value is kept from the handler since 24.11, and the reason with it. */
#if RTE_VERSION < RTE_VERSION_NUM(24, 11, 0, 0)
#define xen_kvargs_process rte_kvargs_process
#else
#define xen_kvargs_process rte_kvargs_process_opt
#endif

/* What tells EAL of a tracepoint's fields is a function of its own since 25.03. */
#if RTE_VERSION < RTE_VERSION_NUM(25, 3, 0, 0)
#define XEN_TRACE_REGISTER(trace) ((void (*)(void))trace)
#else
#define XEN_TRACE_REGISTER(trace) trace##_register
#endif

/* The operation rx_queue_count() can fail since 25.11. */
#if RTE_VERSION < RTE_VERSION_NUM(25, 11, 0, 0)
#define XEN_QUEUE_COUNT uint32_t
#else
#define XEN_QUEUE_COUNT int
#endif

/* The operation stats_get() has what is counted by queue apart since 25.11, if it is asked for. */
#if RTE_VERSION < RTE_VERSION_NUM(25, 11, 0, 0)
#define XEN_QSTATS_PARAM
#define XEN_QSTATS_NONE
#define XEN_QSTATS(stats) (stats)
#else
#define XEN_QSTATS_PARAM , struct eth_queue_stats *qstats
#define XEN_QSTATS_NONE , NULL
#define XEN_QSTATS(stats) (qstats)
#endif

#endif /* XEN_COMPAT_H */
