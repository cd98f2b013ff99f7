/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef FDB_H
#define FDB_H

/**
 * @file
 * The forwarding database: which port an address of a bridge's VLAN is behind.
 *
 * One thread writes, the control thread; lcores look up without a lock, and tell what they have
 * seen. They are readers of the RCU variable that the database was made with.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_byteorder.h>
#include <rte_common.h>
#include <rte_ether.h>

struct fdb;
struct rte_rcu_qsbr;

/** Most keys of a bulk lookup. */
#define FDB_BULK_MAX 64
/** Room for the guests' addresses, beside that for learned ones. */
#define FDB_PINNED_MAX 16384
/** Bits of a MAC address in a number. */
#define FDB_MAC_MASK UINT64_C(0xFFFFFFFFFFFF)

/** What a lookup finds: `port`, and where its entry is. */
#define FDB_NONE UINT64_MAX
#define FDB_PINNED UINT64_C(0x100)

/** The port of what was found. */
static inline uint16_t
fdb_port(uint64_t found)
{
	return found & 0xFF;
}

/** A MAC address as a number: its first byte is the lowest. */
static inline uint64_t
fdb_mac(const struct rte_ether_addr *mac)
{
	uint64_t number = 0;

	memcpy(&number, mac, sizeof(*mac));
	return rte_le_to_cpu_64(number);
}

/** The key of an address: 48 bits of it, 4 of the bridge's index, 12 of the VLAN. */
static inline uint64_t
fdb_key(uint64_t mac, unsigned int bridge, unsigned int vlan)
{
	return mac << 16 | bridge << 12 | vlan;
}

/** An entry, for those who show them. */
struct fdb_entry {
	struct rte_ether_addr mac;
	uint16_t bridge;
	uint16_t vlan;
	uint16_t port;
	bool pinned;
	/** Seconds since it was seen. */
	uint32_t idle;
};

/**
 * Make an empty database.
 *
 * @param learned
 *   Addresses that can be learned, beside FDB_PINNED_MAX that can be pinned.
 * @return
 *   It; or NULL, with rte_errno.
 */
struct fdb *
fdb_create(uint32_t learned, struct rte_rcu_qsbr *rcu);

/** Free it. No lcore may use it any more. */
void
fdb_free(struct fdb *fdb);

/**
 * Let an address be behind a port for good. One that was learned is replaced. Control thread.
 *
 * @return
 *   0; -EEXIST: it is pinned to another port; -ENOSPC: there is no room.
 */
int
fdb_pin(struct fdb *fdb, uint64_t key, uint16_t port);

/**
 * An lcore has seen the address behind the port: learn it, or take it from the port that it was
 * behind; an address that is pinned stays. When there is no room the port that has most of them
 * loses the one that was silent for longest. Control thread.
 *
 * @param limit
 *   Most addresses that the port may have; 0: any number.
 * @return
 *   0; -EEXIST: it is pinned; -ENOSPC: the port has as many as it may.
 */
int
fdb_learn(struct fdb *fdb, uint64_t key, uint16_t port, uint32_t limit, uint32_t now);

/**
 * Forget what was learned of a port and was silent for so many seconds, or twice as many at most.
 * Control thread.
 */
void
fdb_age(struct fdb *fdb, uint16_t port, uint32_t age, uint32_t now);

/** Forget all of a port, also what is pinned. Control thread. */
void
fdb_forget(struct fdb *fdb, uint16_t port);

/** Addresses that are learned of a port. Control thread. */
uint32_t
fdb_count(const struct fdb *fdb, uint16_t port);

/**
 * The next entry, in no order. Control thread.
 *
 * @param[in,out] next
 *   Where to go on; 0 to begin.
 * @return
 *   false: there are no more.
 */
bool
fdb_next(const struct fdb *fdb, uint32_t *next, uint32_t now, struct fdb_entry *entry);

/**
 * A number that changes whenever an entry is removed or changed: what was found before may be
 * wrong then. Any thread.
 */
uint32_t
fdb_generation(const struct fdb *fdb);

/**
 * Look up to FDB_BULK_MAX keys up; found[i] is FDB_NONE where there is no such. Lcores.
 */
void
fdb_lookup(const struct fdb *fdb, const uint64_t *keys, unsigned int n, uint64_t *found);

/** What was found has sent a packet: it is not silent. At most one write a second. Lcores. */
void
fdb_seen(struct fdb *fdb, uint64_t found, uint32_t now);

#endif /* FDB_H */
