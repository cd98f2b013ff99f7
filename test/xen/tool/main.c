/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 *
 * The tool of the Xen rig: traffic that can be compared byte by byte. It is linked statically, so
 * that it runs in a guest without a library, in dom0, and on the host at the cable's other end.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rigtool.h"

static const struct {
	const char *name;
	int args;
	int (*run)(int argc, char **argv);
	const char *usage;
} commands[] = {
	{ "tcp-listen", 1, tcp_listen,
			"PORT: accept one connection, write what comes to standard output" },
	{ "tcp-serve", 1, tcp_serve, "PORT: accept one connection, send standard input" },
	{ "tcp-connect", 2, tcp_connect,
			"ADDRESS PORT: send standard input, wait for the peer's end" },
	{ "frames-send", 4, frames_send, "LINK SEED COUNT GAP-US: send random frames" },
	{ "frames-recv", 4, frames_recv,
			"LINK SEED COUNT SECONDS: expect just these frames, in order" },
	{ "frames-capture", 3, frames_capture,
			"LINK FILE COUNT: keep so many of these frames, of both directions" },
	{ "frames-compare", 2, frames_compare, "FILE FILE: compare the frames of two captures" },
	{ "arp-forge", 4, arp_forge,
			"INTERFACE MAC ADDRESS COUNT: say that the address is this MAC's" },
	{ "features", 1, features, "INTERFACE: print what it leaves to its driver now" },
	{ "segmentation", 2, segmentation,
			"INTERFACE on|off: whether TCP gives it packets that are yet to be cut" },
	{ "xdp-attach", 1, xdp_attach,
			"INTERFACE: an XDP program that lets all pass, until it is killed" },
	{ "vcpu-time", 1, vcpu_time, "DOMID: print the nanoseconds that each vcpu of it has run" },
	{ "trace-count", 1, trace_count, "FILE: count the hypercalls that xentrace recorded" },
};

int
failed(const char *what)
{
	fprintf(stderr, "rigtool: %s: %s\n", what, strerror(errno));
	return 1;
}

long
number(const char *what, const char *text, long min, long max)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || value < min || value > max) {
		fprintf(stderr, "rigtool: %s '%s' must be a number from %ld to %ld\n", what, text,
				min, max);
		exit(2);
	}
	return value;
}

static int
usage(FILE *to)
{
	size_t i;

	fprintf(to, "Usage: rigtool COMMAND ARGUMENT...\n");
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(to, "  %s %s\n", commands[i].name, commands[i].usage);
	fprintf(to, "LINK is an interface, or udp:OWN-PORT:PEER-PORT: datagrams on 127.0.0.1\n");
	return to == stdout ? 0 : 2;
}

int
main(int argc, char **argv)
{
	size_t i;

	if (argc < 2)
		return usage(stderr);
	if (strcmp(argv[1], "--help") == 0)
		return usage(stdout);
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(argv[1], commands[i].name) == 0 && argc - 2 == commands[i].args)
			return commands[i].run(argc - 2, argv + 2);
	return usage(stderr);
}
