/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef FUZZ_STORE_H
#define FUZZ_STORE_H

/**
 * @file
 * A xenstore in the place of libxenstore. It answers what is read with one line of the input after
 * the other, whatever the key is: so a key that is read twice has two values, as when its writer
 * rewrites it in between.
 *
 * A line is a value, with "\n", "\0" and "\\" for what it cannot hold. A line of one character may
 * be: "-", there is no such key; "!", it may not be read; "?", xenstored does not answer. After
 * the last line there are no keys.
 */

#include "fuzz.h"
#include "xen_store.h"

/** Set the answers. */
void
fuzz_store_set(const uint8_t *data, size_t size);

/** What a reason's err is before a reader may set it. */
#define FUZZ_NO_REASON 0x5A

/**
 * Fail unless a reader that could not read what it wanted has said why: in one line of printable
 * characters, whatever was written; or nothing, when xenstored did not answer.
 */
void
fuzz_store_check(int ret, const struct xen_reason *why);

#endif /* FUZZ_STORE_H */
