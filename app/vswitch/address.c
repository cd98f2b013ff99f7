/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "address.h"
#include "text.h"

/* The host without its brackets. */
static int
parse_host(const char *host, uint16_t port, struct sockaddr_storage *to)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	size_t len = strlen(host);
	char inner[ADDRESS_SIZE];

	if (inet_pton(AF_INET, host, &in.sin_addr) == 1) {
		memcpy(to, &in, sizeof(in));
		return sizeof(in);
	}
	if (len < 2 || host[0] != '[' || host[len - 1] != ']')
		return -EINVAL;
	memcpy(inner, host + 1, len - 2);
	inner[len - 2] = '\0';
	if (inet_pton(AF_INET6, inner, &in6.sin6_addr) != 1)
		return -EINVAL;
	memcpy(to, &in6, sizeof(in6));
	return sizeof(in6);
}

int
address_parse(const char *text, struct sockaddr_storage *to)
{
	const char *colon = strrchr(text, ':');
	char host[ADDRESS_SIZE];
	uint32_t port;

	if (colon == NULL || strlen(text) >= ADDRESS_SIZE)
		return -EINVAL;
	if (text_number(colon + 1, 1, UINT16_MAX, &port) != 0)
		return -EINVAL;
	memcpy(host, text, colon - text);
	host[colon - text] = '\0';
	return parse_host(host, port, to);
}
