/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 *
 * Counts the hypercalls in what xentrace has recorded (xen/trace.h), by the physical CPU that they
 * were made on: with pinned vcpus that tells the domain.
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
#define EXTRA_MAX 7

#define OP_MASK 0x000fffffu
/* The width of argument i in its record: 0 absent, 1 of 32 bits, 2 of 64 bits. */
#define ARG_WORDS(head, i) ((head) >> (20 + 2 * (i)) & 3)

struct counts {
	uint64_t all;
	uint64_t grant_copy;
	uint64_t grant_copy_ops;
	uint64_t grant_other;
	uint64_t event_channel;
	uint64_t sched;
	uint64_t iret;
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
	if (nb == 0)
		return;
	c->all++;
	switch (extra[0] & OP_MASK) {
	case __HYPERVISOR_grant_table_op:
		count_grant_op(c, extra, nb);
		break;
	case __HYPERVISOR_event_channel_op:
		c->event_channel++;
		break;
	case __HYPERVISOR_sched_op:
		c->sched++;
		break;
	case __HYPERVISOR_iret:
		c->iret++;
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
print_counts(unsigned int cpu, const struct counts *c)
{
	const struct {
		const char *name;
		uint64_t value;
	} lines[] = {
		{ "hypercalls", c->all },
		{ "grant-copy", c->grant_copy },
		{ "grant-copy-ops", c->grant_copy_ops },
		{ "grant-other", c->grant_other },
		{ "event-channel", c->event_channel },
		{ "sched", c->sched },
		{ "iret", c->iret },
	};
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		printf("cpu%u %s %llu\n", cpu, lines[i].name, (unsigned long long)lines[i].value);
}

int
trace_count(int argc, char **argv)
{
	struct counts counts[CPUS_MAX] = { 0 };
	uint32_t event, extra[EXTRA_MAX];
	unsigned int cpu = 0, nb, i;
	uint64_t lost = 0;
	FILE *in;

	(void)argc;
	in = fopen(argv[0], "rb");
	if (in == NULL)
		return failed(argv[0]);
	while (read_record(in, &event, extra, &nb)) {
		if (event == TRC_TRACE_CPU_CHANGE && nb > 0)
			cpu = extra[0] < CPUS_MAX ? extra[0] : CPUS_MAX - 1;
		else if (event == TRC_LOST_RECORDS && nb > 0)
			lost += extra[0];
		else if (event == TRC_PV_HYPERCALL_V2 || event == TRC_PV_HYPERCALL_SUBCALL)
			count_hypercall(&counts[cpu], extra, nb);
	}
	fclose(in);
	for (i = 0; i < CPUS_MAX; i++)
		if (counts[i].all != 0)
			print_counts(i, &counts[i]);
	printf("lost %llu\n", (unsigned long long)lost);
	return 0;
}
