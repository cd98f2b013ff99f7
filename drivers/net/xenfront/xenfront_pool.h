/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XENFRONT_POOL_H
#define XENFRONT_POOL_H

/**
 * @file
 * The mempool whose buffers are granted to the backend once: operations by which any application
 * makes one, for instance with EAL's option --mbuf-pool-ops-name.
 */

/** Their name. */
#define XENFRONT_POOL_OPS "xenfront_granted"

/**
 * Register the operations, once: a port has granted memory. Not from the start, for all processes
 * have to register the same operations in the same order.
 *
 * @return
 *   0 or -errno.
 */
int
xenfront_pool_register(void);

#endif /* XENFRONT_POOL_H */
