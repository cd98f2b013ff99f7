/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 *
 * Attaches an XDP program that lets every packet pass, as the driver's own and not the kernel's
 * generic one, for as long as it runs.
 */

#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rigtool.h"

static int
bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

int
xdp_attach(int argc __attribute__((unused)), char **argv)
{
	static const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr load = {
		.prog_type = BPF_PROG_TYPE_XDP,
		.insns = (uintptr_t)pass,
		.insn_cnt = sizeof(pass) / sizeof(pass[0]),
		.license = (uintptr_t) "Dual BSD/GPL",
	};
	union bpf_attr link = { .link_create = { .attach_type = BPF_XDP,
						.flags = XDP_FLAGS_DRV_MODE } };
	int fd;

	link.link_create.target_ifindex = if_nametoindex(argv[0]);
	if (link.link_create.target_ifindex == 0)
		return failed(argv[0]);
	fd = bpf(BPF_PROG_LOAD, &load);
	if (fd < 0)
		return failed("cannot load an XDP program");
	link.link_create.prog_fd = fd;
	if (bpf(BPF_LINK_CREATE, &link) < 0)
		return failed("cannot attach an XDP program");
	printf("attached\n");
	fflush(stdout);
	/* The link ends with the program. */
	for (;;)
		pause();
}
