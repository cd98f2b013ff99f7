/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 *
 * What an interface leaves to its driver, as `ethtool -k` shows it and `ethtool -K` sets it.
 */

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rigtool.h"

/* More than Linux has. */
#define FEATURES_MAX 128

static int
ask(int fd, const char *link, void *cmd)
{
	struct ifreq req = { .ifr_data = cmd };

	strncpy(req.ifr_name, link, sizeof(req.ifr_name) - 1);
	return ioctl(fd, SIOCETHTOOL, &req);
}

int
features(int argc __attribute__((unused)), char **argv)
{
	union {
		struct ethtool_sset_info info;
		uint32_t room[5];
	} set = { .info = { .cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1 << ETH_SS_FEATURES } };
	static union {
		struct ethtool_gstrings strings;
		uint8_t room[sizeof(struct ethtool_gstrings) + FEATURES_MAX * ETH_GSTRING_LEN];
	} names = { .strings = { .cmd = ETHTOOL_GSTRINGS, .string_set = ETH_SS_FEATURES } };
	static union {
		struct ethtool_gfeatures features;
		uint8_t room[sizeof(struct ethtool_gfeatures) +
				FEATURES_MAX / 32 * sizeof(struct ethtool_get_features_block)];
	} values = { .features = { .cmd = ETHTOOL_GFEATURES } };
	uint32_t i, n;
	int fd;

	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0)
		return failed("socket");
	if (ask(fd, argv[0], &set) < 0)
		return failed(argv[0]);
	n = set.info.sset_mask != 0 ? set.info.data[0] : 0;
	if (n == 0 || n > FEATURES_MAX) {
		fprintf(stderr, "rigtool: %s has %u features\n", argv[0], n);
		return 1;
	}
	names.strings.len = n;
	values.features.size = (n + 31) / 32;
	if (ask(fd, argv[0], &names) < 0 || ask(fd, argv[0], &values) < 0)
		return failed(argv[0]);
	for (i = 0; i < n; i++)
		if (values.features.features[i / 32].active & (UINT32_C(1) << (i % 32)))
			printf("%.*s\n", ETH_GSTRING_LEN,
					(char *)names.strings.data + i * ETH_GSTRING_LEN);
	close(fd);
	return 0;
}

int
segmentation(int argc __attribute__((unused)), char **argv)
{
	struct ethtool_value tso = { .cmd = ETHTOOL_STSO }, gso = { .cmd = ETHTOOL_SGSO };
	int fd;

	if (strcmp(argv[1], "on") == 0) {
		tso.data = gso.data = 1;
	} else if (strcmp(argv[1], "off") != 0) {
		fprintf(stderr, "rigtool: '%s' must be on or off\n", argv[1]);
		return 2;
	}
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0)
		return failed("socket");
	if (ask(fd, argv[0], &tso) < 0 || ask(fd, argv[0], &gso) < 0)
		return failed(argv[0]);
	close(fd);
	return 0;
}
