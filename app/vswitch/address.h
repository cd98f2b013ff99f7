/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef ADDRESS_H
#define ADDRESS_H

/** @file Where to listen: an address of IP and a port of TCP, as text. */

#include <sys/socket.h>

/** Room for one as text: an address of IPv6 in brackets, and the port. */
#define ADDRESS_SIZE 56
/** For messages: what is allowed. */
#define ADDRESS_RULE "ADDRESS:PORT, such as 127.0.0.1:9475 or [::1]:9475, the port from 1 to 65535"

/**
 * Read an address. Names are none. Any thread.
 *
 * @param[out] to
 *   Written on success alone.
 * @return
 *   Its length; -EINVAL: it is no address.
 */
int
address_parse(const char *text, struct sockaddr_storage *to);

#endif /* ADDRESS_H */
