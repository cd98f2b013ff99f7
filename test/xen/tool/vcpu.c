/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 *
 * For how long Xen has let each vcpu of a domain run, in nanoseconds: on the machine that counts
 * these are the instructions of the vcpu and of Xen for it. xl shows tenths of a second.
 */

#include <stdio.h>
#include <xenctrl.h>

#include "rigtool.h"

#define DOMID_MAX 32751

int
vcpu_time(int argc, char **argv)
{
	uint32_t domid = number("domain", argv[0], 0, DOMID_MAX);
	xc_vcpuinfo_t info;
	xc_interface *xc;
	uint32_t vcpu;

	(void)argc;
	xc = xc_interface_open(NULL, NULL, 0);
	if (xc == NULL)
		return failed("xc_interface_open");
	for (vcpu = 0; xc_vcpu_getinfo(xc, domid, vcpu, &info) == 0; vcpu++)
		printf("%llu\n", (unsigned long long)info.cpu_time);
	xc_interface_close(xc);
	return vcpu == 0 ? failed("xc_vcpu_getinfo") : 0;
}
