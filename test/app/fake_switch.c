/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* fake_switch SOCKET ADDRESSES [ERRORS]: a control socket, with a switch behind it that is none. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control.h"
#include "fake_vswitch.h"

/* Of the guest's packets a second. */
#define RATE_PER_MS 10

static uint64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * UINT64_C(1000) + now.tv_nsec / 1000000;
}

int
main(int argc, char **argv)
{
	struct pollfd fds[CONTROL_FDS_MAX];
	struct control *control;
	unsigned int n;

	if (argc != 3 && argc != 4)
		return 2;
	fake_reset();
	fake.nb_macs = atoi(argv[2]);
	if (argc == 4)
		fake.nb_errors = atoi(argv[3]);
	fake.reload_ret = -EINVAL;
	fake.reload_error = (struct config_error){ 7, "age 'never'; allowed: 10 to 86400" };
	control = control_open(&fake.sw, argv[1]);
	if (control == NULL) {
		perror(argv[1]);
		return 1;
	}
	for (;;) {
		n = control_poll(control, fds);
		poll(fds, n, 20);
		fake.sw.now = now_ms() / 1000;
		fake.stats[FAKE_GUEST].rx_packets = now_ms() * RATE_PER_MS;
		/* A capture that is to end has done so. */
		fake.capture_ended = fake.capture.end != CAPTURE_RUNS;
		control_serve(control, fds, n);
	}
}
