/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef UNIT_LOG_H
#define UNIT_LOG_H

/** Catch DPDK's log from now on; with UNIT_VERBOSE set it goes to stderr as well. 0 or -1. */
int
unit_log_start(void);

/** Give the log back to stderr. */
void
unit_log_stop(void);

#endif /* UNIT_LOG_H */
