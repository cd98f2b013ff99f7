/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef CONFIG_H
#define CONFIG_H

/**
 * @file
 * The configuration file: what an administrator asks for, and nothing that was negotiated or found.
 * The file is dpdk-xenvswitch.conf(5).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "guard.h"
#include "name.h"
#include "vlan.h"

/** Bridges in a process: the keys of the forwarding database have four bits for them. */
#define CONFIG_BRIDGES_MAX 16
/** Ports in the file: as many as Debian's DPDK has in a process. */
#define CONFIG_PORTS_MAX 32
/** Processors of `lcores`. */
#define CONFIG_LCORES_MAX 32
/** Words of `eal`. */
#define CONFIG_EAL_WORDS_MAX 60
#define CONFIG_TEXT_SIZE 512
#define CONFIG_PATH_SIZE 108
#define CONFIG_ERROR_SIZE 512

/** What kind of port a `[port NAME]` is. */
enum config_kind {
	/** A NIC, or any other device of DPDK: the way to other hosts. */
	CONFIG_UPLINK,
	/** A network interface of this domain itself: a tap device with the port's name. */
	CONFIG_HOST,
};

/** `[bridge NAME]` */
struct config_bridge {
	char name[NAME_SIZE];
	/** Line of its section. */
	unsigned int line;
	/** `lock`: of its guests. Default: mac. */
	enum guard_lock lock;
	/** `isolated`: its guests reach uplinks and host ports alone. Default: no. */
	bool isolated;
	/** `age`: seconds until an address that is silent is forgotten, 10 to 86400; default 300.
	 */
	uint32_t age;
	/** `storm`: most broadcast, multicast and flooded packets a second of a port, 100 to
	 * 10000000; 0: any number. Default: `off`, 0.
	 */
	uint32_t storm;
};

/** `[port NAME]` */
struct config_port {
	char name[NAME_SIZE];
	/** Line of its section; UINT_MAX: config_port_add() has made it. */
	unsigned int line;
	/** `kind`: uplink (default) or tap. */
	enum config_kind kind;
	/** `bridge`: required; a bridge of the file. */
	char bridge[NAME_SIZE];
	/** `devargs`: of DPDK, such as 0000:03:00.0; required for an uplink, refused for a tap. */
	char devargs[CONFIG_TEXT_SIZE];
	/** `vlan` (native; 0 to 4094 or none; default 0) and `trunks` (list, all or none; default:
	 * all for an uplink, none for a tap).
	 */
	struct vlan_set vlan;
	/** `isolated`: it reaches no other isolated port. Default: no. */
	bool isolated;
	/** `vhost`: the kernel's vhost-net carries a tap's packets; refused for an uplink. Default:
	 * no.
	 */
	bool vhost;
	/** `queues`: Rx queues, 1 to 32; default 1. */
	uint16_t queues;
	/** `mtu`: 68 to 65517; default 1500. */
	uint16_t mtu;
	/** `macs`: most addresses that are learned of it, 1 to 65536; default: as many as there is
	 * room for, 0.
	 */
	uint32_t macs;
};

/** The file. */
struct config {
	/** `[switch] lcores`: processors that forward, up to CONFIG_LCORES_MAX, a list as `1,3-4`.
	 * Default: `1` where there are two processors or more, else `0`.
	 */
	char lcores[CONFIG_TEXT_SIZE];
	/** `[switch] eal`: options for DPDK's EAL, up to CONFIG_EAL_WORDS_MAX words, separated by
	 * blanks. Default: none.
	 */
	char eal[CONFIG_TEXT_SIZE];
	/** `[switch] mbufs`: packets in memory, 1024 to 4194304; default 32768. */
	uint32_t mbufs;
	/** `[switch] macs`: addresses that can be learned, 256 to 65536; default 16384. */
	uint32_t macs;
	/** `[switch] control`: path of the control socket, absolute.
	 * Default: /run/dpdk-xenvswitch/control.sock.
	 */
	char control[CONFIG_PATH_SIZE];
	/** `[switch] queues`: queue pairs that a guest is offered, 1 to 32; default 1. */
	uint16_t queues;
	/** `[switch] hotplug`: who says that vifs are connected, and removes the directories of
	 * those that are detached: `script` (default, false) or `switch`.
	 */
	bool hotplug;
	/** `metrics`: where they are to be had, as address_parse() takes it, or `off`. Default:
	 * `off`, empty.
	 */
	char metrics[ADDRESS_SIZE];
	unsigned int nb_bridges;
	struct config_bridge bridges[CONFIG_BRIDGES_MAX];
	unsigned int nb_ports;
	struct config_port ports[CONFIG_PORTS_MAX];
};

/** What was wrong: the first error, and its line (0: none). */
struct config_error {
	unsigned int line;
	char text[CONFIG_ERROR_SIZE];
};

/**
 * Read a configuration. Any thread.
 *
 * @param text
 *   The file's content, terminated. A byte that is neither printable ASCII, nor a blank, a tab or a
 *   newline is an error, but in a comment.
 * @param[out] config
 *   Written whole, or not at all.
 * @param[out] error
 *   On failure: one line without a newline, that names the key, the value (quoted, and not too
 *   long) and what is allowed.
 * @return
 *   0 or -EINVAL.
 */
int
config_parse(const char *text, struct config *config, struct config_error *error);

/**
 * The same for a file. A file of more than a MiB is refused.
 *
 * @return
 *   0, -EINVAL, or the negative errno with which it could not be read; \p error tells of that too.
 */
int
config_read(const char *path, struct config *config, struct config_error *error);

/**
 * Add a port to a configuration, as if it had a section `[port NAME]` of these keys. Any thread.
 *
 * @param[in,out] config
 *   With the port, or as it was.
 * @param keys
 *   Each KEY=VALUE, terminated; any bytes.
 * @param[out] error
 *   On failure what config_parse() would say of that section, without its line.
 * @return
 *   0 or -EINVAL.
 */
int
config_port_add(struct config *config, const char *name, const char *const *keys, unsigned int nb,
		struct config_error *error);

/** Take a port out of a configuration; -ENOENT: there is none of that name. Any thread. */
int
config_port_remove(struct config *config, const char *name);

/** The port of that name, or NULL. Any thread. */
struct config_port *
config_port_find(struct config *config, const char *name);

/** The bridge of that name, or NULL. Any thread. */
const struct config_bridge *
config_bridge_find(const struct config *config, const char *name);

#endif /* CONFIG_H */
