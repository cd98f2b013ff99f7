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
 * A capture belongs to its connection. PROTOCOL_CAPTURE comes with the file to write to, a
 * descriptor that SCM_RIGHTS passes with a byte of the request, and is answered when the capture
 * has begun; PROTOCOL_CAPTURE_WAIT when it has ended: by itself, or because the client has closed
 * its connection, or that direction of it which it sends by.
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
/** Captures at a time. */
#define PROTOCOL_CAPTURES_MAX 4
/** Bytes of a packet that a capture may have, and has if none are named. */
#define PROTOCOL_SNAPLEN_MIN 14
#define PROTOCOL_SNAPLEN_MAX 262144
/** Limits of what ends a capture. */
#define PROTOCOL_COUNT_MAX 1000000000
#define PROTOCOL_SECONDS_MAX 86400
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
/** Vifs and ports of the configuration that are not there, and why. */
#define PROTOCOL_SHOW_ERRORS "show errors"
#define PROTOCOL_RELOAD "reload"
#define PROTOCOL_RESET "reset"
/** Takes PROTOCOL_ARG_PORT, PROTOCOL_ARG_QUEUE and PROTOCOL_ARG_LCORE, which it needs. */
#define PROTOCOL_MOVE "move"
/** Takes PROTOCOL_ARG_DRY_RUN. */
#define PROTOCOL_REBALANCE "rebalance"
/** Takes PROTOCOL_ARG_PORT, a guest's, and PROTOCOL_ARG_RATE, which it needs. */
#define PROTOCOL_SET_RATE "set rate"
/** Takes PROTOCOL_ARG_NAME, which it needs, and PROTOCOL_ARG_KEYS. */
#define PROTOCOL_ADD_PORT "add port"
/** Takes PROTOCOL_ARG_NAME, which it needs: of a port of the configuration. */
#define PROTOCOL_REMOVE_PORT "remove port"

/**
 * Takes PROTOCOL_ARG_PORT, PROTOCOL_ARG_DIRECTION, PROTOCOL_ARG_COUNT, PROTOCOL_ARG_SECONDS and
 * PROTOCOL_ARG_SNAPLEN.
 */
#define PROTOCOL_CAPTURE "capture"
#define PROTOCOL_CAPTURE_WAIT "capture wait"
#define PROTOCOL_SHOW_CAPTURES "show captures"
/**
 * Takes PROTOCOL_ARG_PORT, which it needs, and PROTOCOL_ARG_OFF, or PROTOCOL_ARG_TO and
 * PROTOCOL_ARG_DIRECTION.
 */
#define PROTOCOL_MIRROR "mirror"
#define PROTOCOL_SHOW_MIRRORS "show mirrors"

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
/** The name of another port: where a mirror's copies go. */
#define PROTOCOL_ARG_TO "to"
/** true: the port is to be mirrored no more. */
#define PROTOCOL_ARG_OFF "off"
/** What comes in by a port, what goes out by it, or both, which is the default. */
#define PROTOCOL_ARG_DIRECTION "direction"
#define PROTOCOL_DIRECTION_RX "rx"
#define PROTOCOL_DIRECTION_TX "tx"
#define PROTOCOL_DIRECTION_BOTH "both"
/** Packets, seconds: which end a capture. */
#define PROTOCOL_ARG_COUNT "count"
#define PROTOCOL_ARG_SECONDS "seconds"
/** Bytes of each packet. */
#define PROTOCOL_ARG_SNAPLEN "snaplen"
/** Of the result of PROTOCOL_CAPTURE_WAIT: why it has ended. */
#define PROTOCOL_END_CLIENT "client"
#define PROTOCOL_END_COUNT "count"
#define PROTOCOL_END_FILE "file"
#define PROTOCOL_END_PORT "port"
#define PROTOCOL_END_SECONDS "seconds"
/** The name of a port that need not be there. */
#define PROTOCOL_ARG_NAME "name"
/** Keys of `[port NAME]` of dpdk-xenvswitch.conf(5): a list of texts KEY=VALUE. */
#define PROTOCOL_ARG_KEYS "keys"
/** So many of them at most. */
#define PROTOCOL_KEYS_MAX 32

#endif /* PROTOCOL_H */
