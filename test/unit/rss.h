/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef RSS_H
#define RSS_H

/**
 * @file
 * A port with RSS, and what an application changes of that.
 */

#include <stdint.h>

#include "xen_hash.h"

/** Entries of the redirection table. */
#define RSS_RETA_SIZE 128

/** A key. */
extern uint8_t rss_key[XEN_HASH_KEY_MAX];

/** Start a port with as many queues of both kinds, and RSS; the key may be NULL. */
void
rss_start(uint16_t port, uint16_t queues, uint64_t flows, uint8_t *key);

/** Change flows and key, unless that is NULL. */
int
rss_update_hash(uint16_t port, uint64_t flows, uint8_t *key);

/** Have every entry of the table be the same queue, but for the first ones. */
int
rss_update_reta(uint16_t port, uint16_t queue, unsigned int from);

#endif /* RSS_H */
