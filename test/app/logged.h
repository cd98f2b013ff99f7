/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef LOGGED_H
#define LOGGED_H

/** @file What DPDK's log is given. */

/** From now on the log is kept, and printed nowhere. 0, or -1. */
int
logged_begin(void);

/** How often it has the text. */
unsigned int
logged_count(const char *text);

/** Forget it: the log is printed again. */
void
logged_end(void);

#endif /* LOGGED_H */
