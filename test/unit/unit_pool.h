/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef UNIT_POOL_H
#define UNIT_POOL_H

/**
 * Operations of a mempool whose mbufs go from thread to thread; NULL: DPDK's own. The thread
 * sanitizer does not see into DPDK's libraries: without being told, it takes what one thread wrote
 * to an mbuf before it freed it, and the next one after it got it, for a race.
 */
extern const char *const unit_pool_ops;

#endif /* UNIT_POOL_H */
