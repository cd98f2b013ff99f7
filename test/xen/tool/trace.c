/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 *
 * Counts the hypercalls in what xentrace has recorded (xen/trace.h), by the physical CPU that they
 * were made on: with pinned vcpus that tells the domain. Where the records tell which vcpu a CPU
 * goes on to, those of dom0 are told apart.
 */

/* The numbers of today's hypercalls, not of those that Xen 3.0 had. */
#define __XEN_TOOLS__ 1

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <xen/xen.h>
/* These rely on the types of that. */
#include <xen/grant_table.h>
#include <xen/trace.h>

#include "rigtool.h"

#define CPUS_MAX 8
#define VCPUS_MAX 8
#define EXTRA_MAX 7

#define OP_MASK 0x000fffffu
/* The width of argument i in its record: 0 absent, 1 of 32 bits, 2 of 64 bits. */
#define ARG_WORDS(head, i) ((head) >> (20 + 2 * (i)) & 3)

/* More than there are hypercalls. */
#define OPS_MAX 64

struct counts {
	uint64_t exits;
	uint64_t all;
	uint64_t grant_copy;
	uint64_t grant_copy_ops;
	uint64_t grant_other;
	uint64_t of[OPS_MAX];
};

/* Those that a running domain makes; others go by their numbers. */
static const char *const op_names[OPS_MAX] = {
	[__HYPERVISOR_mmu_update] = "mmu-update",
	[__HYPERVISOR_stack_switch] = "stack-switch",
	[__HYPERVISOR_fpu_taskswitch] = "fpu-taskswitch",
	[__HYPERVISOR_update_descriptor] = "update-descriptor",
	[__HYPERVISOR_memory_op] = "memory",
	[__HYPERVISOR_multicall] = "multicall",
	[__HYPERVISOR_update_va_mapping] = "update-va-mapping",
	[__HYPERVISOR_set_timer_op] = "set-timer",
	[__HYPERVISOR_xen_version] = "xen-version",
	[__HYPERVISOR_console_io] = "console-io",
	[__HYPERVISOR_grant_table_op] = "grant-table",
	[__HYPERVISOR_iret] = "iret",
	[__HYPERVISOR_vcpu_op] = "vcpu",
	[__HYPERVISOR_set_segment_base] = "set-segment-base",
	[__HYPERVISOR_mmuext_op] = "mmuext",
	[__HYPERVISOR_sched_op] = "sched",
	[__HYPERVISOR_event_channel_op] = "event-channel",
	[__HYPERVISOR_physdev_op] = "physdev",
	[__HYPERVISOR_sysctl] = "sysctl",
	[__HYPERVISOR_domctl] = "domctl",
};

/* The arguments that are recorded of a grant table operation: the command and the number of ops. */
static void
count_grant_op(struct counts *c, const uint32_t *extra, unsigned int nb)
{
	uint32_t head = extra[0];
	unsigned int at = 1 + ARG_WORDS(head, 0);

	if (nb < 2 || ARG_WORDS(head, 0) == 0 || extra[1] != GNTTABOP_copy) {
		c->grant_other++;
		return;
	}
	c->grant_copy++;
	at += ARG_WORDS(head, 1);
	if (at < nb && ARG_WORDS(head, 2) != 0)
		c->grant_copy_ops += extra[at];
}

static void
count_hypercall(struct counts *c, const uint32_t *extra, unsigned int nb)
{
	uint32_t op;

	if (nb == 0)
		return;
	c->all++;
	op = extra[0] & OP_MASK;
	if (op < OPS_MAX)
		c->of[op]++;
	if (op == __HYPERVISOR_grant_table_op)
		count_grant_op(c, extra, nb);
}

/* Whatever takes a vcpu to Xen; of a PV one only its hypercalls. */
static void
count_event(struct counts *c, uint32_t event, const uint32_t *extra, unsigned int nb)
{
	switch (event) {
	case TRC_HVM_VMEXIT:
	case TRC_HVM_VMEXIT64:
		c->exits++;
		break;
	case TRC_HVM_VMMCALL:
	case TRC_PV_HYPERCALL_V2:
	case TRC_PV_HYPERCALL_SUBCALL:
		count_hypercall(c, extra, nb);
		break;
	}
}

/* Reads one record; false at the end of the file. */
static bool
read_record(FILE *in, uint32_t *event, uint32_t *extra, unsigned int *nb)
{
	uint32_t head, cycles[2];

	if (fread(&head, sizeof(head), 1, in) != 1)
		return false;
	*event = head & 0x0fffffffu;
	*nb = head >> 28 & 7;
	if (head >> 31 != 0 && fread(cycles, sizeof(cycles), 1, in) != 1)
		return false;
	return fread(extra, sizeof(*extra), *nb, in) == *nb;
}

static void
print_count(const char *who, const char *name, uint64_t count)
{
	printf("%s %s %llu\n", who, name, (unsigned long long)count);
}

static void
print_counts(const char *kind, unsigned int nr, const struct counts *c)
{
	char number[16], who[16];
	unsigned int op;

	if (c->all == 0)
		return;
	snprintf(who, sizeof(who), "%s%u", kind, nr);
	print_count(who, "hypercalls", c->all);
	/* The records of one that has exits tell a hypercall's number, and not its arguments. */
	if (c->exits != 0) {
		print_count(who, "exits", c->exits);
	} else {
		print_count(who, "grant-copy", c->grant_copy);
		print_count(who, "grant-copy-ops", c->grant_copy_ops);
		print_count(who, "grant-other", c->grant_other);
	}
	for (op = 0; op < OPS_MAX; op++) {
		if (c->of[op] == 0)
			continue;
		snprintf(number, sizeof(number), "op-%u", op);
		print_count(who, op_names[op] != NULL ? op_names[op] : number, c->of[op]);
	}
}

/* The vcpu of dom0 that a CPU goes on to, or NULL; extra: domain and vcpu of before, and of now. */
static struct counts *
vcpu_of(struct counts *vcpus, const uint32_t *extra, unsigned int nb)
{
	return nb >= 4 && extra[2] == 0 && extra[3] < VCPUS_MAX ? &vcpus[extra[3]] : NULL;
}

int
trace_count(int argc, char **argv)
{
	struct counts cpus[CPUS_MAX] = { 0 }, vcpus[VCPUS_MAX] = { 0 }, *now[CPUS_MAX] = { NULL };
	uint32_t event, extra[EXTRA_MAX];
	unsigned int cpu = 0, nb, i;
	uint64_t lost = 0;
	FILE *in;

	(void)argc;
	in = fopen(argv[0], "rb");
	if (in == NULL)
		return failed(argv[0]);
	while (read_record(in, &event, extra, &nb)) {
		if (event == TRC_TRACE_CPU_CHANGE && nb > 0) {
			cpu = extra[0] < CPUS_MAX ? extra[0] : CPUS_MAX - 1;
		} else if (event == TRC_LOST_RECORDS && nb > 0) {
			lost += extra[0];
		} else if (event == TRC_SCHED_SWITCH) {
			now[cpu] = vcpu_of(vcpus, extra, nb);
		} else {
			count_event(&cpus[cpu], event, extra, nb);
			if (now[cpu] != NULL)
				count_event(now[cpu], event, extra, nb);
		}
	}
	fclose(in);
	for (i = 0; i < CPUS_MAX; i++)
		print_counts("cpu", i, &cpus[i]);
	for (i = 0; i < VCPUS_MAX; i++)
		print_counts("dom0.vcpu", i, &vcpus[i]);
	printf("lost %llu\n", (unsigned long long)lost);
	return 0;
}
