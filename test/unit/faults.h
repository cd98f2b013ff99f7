/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef FAULTS_H
#define FAULTS_H

/**
 * @file
 * Every function of Xen's libraries that the drivers call, as one that fails now and then: the
 * linker puts these around the real ones. In each step of a test, calls fail that have not failed
 * in this step before, until there are none left. Calls are the same when they come from the same
 * place and mean the same key of xenstore, whatever its vif and queue.
 */

#include <stdbool.h>

/** A handle that this thread opens between these two is the test's: none of its calls fail. */
void
faults_own_begin(void);
void
faults_own_end(void);

/** A handle is the test's. */
void
faults_own(const void *handle);

/** Calls that fail in a step, at most. */
#define FAULTS_A_STEP 2

/** A step begins: some calls of the drivers fail from now on. NULL: none does. */
void
faults_step(const char *name);

/** Calls that have failed in this step. */
unsigned int
faults_struck(void);

/** Print the call that has failed last, for whoever wonders what a test stumbled over. */
void
faults_print_last(void);

/** Print how many calls have failed, and from how many places. */
void
faults_print(void);

/** Has a call of that function failed, or can none? */
bool
faults_tried(const char *function);

#endif /* FAULTS_H */
