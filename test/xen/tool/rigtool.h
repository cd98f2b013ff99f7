/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef RIGTOOL_H
#define RIGTOOL_H

#include <stddef.h>

/* IEEE 802's type for local experiments: no stack answers it. */
#define FRAME_TYPE 0x88b5

/* A subcommand: its arguments follow its name; the value is the exit status. */
int
tcp_listen(int argc, char **argv);

int
tcp_serve(int argc, char **argv);

int
tcp_connect(int argc, char **argv);

int
frames_send(int argc, char **argv);

int
frames_recv(int argc, char **argv);

int
frames_capture(int argc, char **argv);

int
frames_compare(int argc, char **argv);

int
arp_forge(int argc, char **argv);

int
trace_count(int argc, char **argv);

int
vcpu_time(int argc, char **argv);

int
features(int argc, char **argv);

int
segmentation(int argc, char **argv);

int
xdp_attach(int argc, char **argv);

/**
 * Read a number.
 *
 * Ends the program, naming @p what and the range, when @p text is not a number from @p min to
 * @p max.
 */
long
number(const char *what, const char *text, long min, long max);

/** Print a message and errno's on standard error; the value is an exit status, 1. */
int
failed(const char *what);

#endif /* RIGTOOL_H */
