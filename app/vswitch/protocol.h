/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef PROTOCOL_H
#define PROTOCOL_H

/**
 * @file
 * The protocol of the control socket: all that a client knows of the switch. xenvswitchctl(8) has
 * the commands, what they take and what they answer.
 *
 * The socket is a stream of the Unix domain. A request is one line, a JSON object
 *
 *     {"command": NAME, "args": {ARGUMENT: VALUE, ...}}
 *
 * where `args` may be left out. Each request is answered, in order, by one line:
 *
 *     {"ok": true, "result": {...}}
 *     {"ok": false, "error": TEXT}
 *
 * TEXT is one line of printable ASCII. All text is UTF-8, lines end in a newline, and members that
 * a client does not know are to be ignored: more of them are no new version.
 *
 * What has many entries comes in parts: where the result has a number `next`, there is more, and
 * the same request with the argument `next` of that value gets it.
 *
 * The switch closes connections: that of a client that does not read its answer for
 * PROTOCOL_STALLED_S; that of one above PROTOCOL_CLIENTS_MAX, once it has been told; and, when
 * another comes, that of one that has been silent for PROTOCOL_STALLED_S.
 */

/** Of the command `version`. A client refuses a switch with another one. */
#define PROTOCOL_VERSION 1

#define PROTOCOL_SOCKET "/run/dpdk-xenvswitch/control.sock"

/** Bytes of a request at most, its newline counted in. A longer one is refused, and skipped. */
#define PROTOCOL_REQUEST_MAX 4096
/** Bytes of an answer at most, its newline counted in. */
#define PROTOCOL_ANSWER_MAX (1 << 20)
/** Clients at a time. */
#define PROTOCOL_CLIENTS_MAX 16
/** Seconds that a client may leave its answer unread. */
#define PROTOCOL_STALLED_S 30
/** Addresses in an answer to PROTOCOL_SHOW_MACS at most. */
#define PROTOCOL_MACS_MAX 1024

/* The commands, and the arguments that they take. */

#define PROTOCOL_COMMAND_VERSION "version"
#define PROTOCOL_SHOW_PORTS "show ports"
/** Takes PROTOCOL_ARG_PORT, PROTOCOL_ARG_BRIDGE and PROTOCOL_ARG_NEXT. */
#define PROTOCOL_SHOW_MACS "show macs"
#define PROTOCOL_SHOW_BRIDGES "show bridges"
#define PROTOCOL_SHOW_LCORES "show lcores"
#define PROTOCOL_SHOW_STATS "show stats"
/** Takes PROTOCOL_ARG_PORT and PROTOCOL_ARG_ALL. */
#define PROTOCOL_SHOW_DROPS "show drops"
/** Vifs that have no port, and why. */
#define PROTOCOL_SHOW_ERRORS "show errors"
#define PROTOCOL_RELOAD "reload"
#define PROTOCOL_RESET "reset"
/** Takes PROTOCOL_ARG_PORT, PROTOCOL_ARG_QUEUE and PROTOCOL_ARG_LCORE, which it needs. */
#define PROTOCOL_MOVE "move"
/** Takes PROTOCOL_ARG_DRY_RUN. */
#define PROTOCOL_REBALANCE "rebalance"
/** Takes PROTOCOL_ARG_PORT, a guest's, and PROTOCOL_ARG_RATE, which it needs. */
#define PROTOCOL_SET_RATE "set rate"

/** The name of a port. */
#define PROTOCOL_ARG_PORT "port"
/** The name of a bridge. */
#define PROTOCOL_ARG_BRIDGE "bridge"
/** true: also the counters that are 0. */
#define PROTOCOL_ARG_ALL "all"
/** Of the result before: the part behind it. */
#define PROTOCOL_ARG_NEXT "next"
/** The number of an Rx queue of the port. */
#define PROTOCOL_ARG_QUEUE "queue"
/** The number of an lcore that forwards. */
#define PROTOCOL_ARG_LCORE "lcore"
/** true: nothing is done, it is only said what would be. */
#define PROTOCOL_ARG_DRY_RUN "dry_run"
/** A rate of xl-network-configuration(5), such as 10Mb/s@50ms, or PROTOCOL_RATE_OFF. */
#define PROTOCOL_ARG_RATE "rate"
#define PROTOCOL_RATE_OFF "off"

#endif /* PROTOCOL_H */
