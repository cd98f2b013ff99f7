/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* RSS, from the control thread's side: what is wanted is brought to the backend. */

#include <errno.h>
#include <string.h>

#include "xenfront.h"

/* May a message be left out, for the backend knows what it would say? */
static bool
known(const struct xenfront_rss *rss, uint16_t type, bool same)
{
	return same && (rss->known & RTE_BIT32(type)) != 0;
}

/*
 * The next message that makes the backend's configuration the one that is wanted; 0: it is. Hashing
 * begins when all else is set.
 */
static uint16_t
next_message(const struct xenfront_rss *rss)
{
	const struct xen_hash_config *to = &rss->target, *is = &rss->has;
	bool on = xen_hash_on(to);

	if (on &&
			!known(rss, XEN_NETIF_CTRL_TYPE_SET_HASH_KEY,
					memcmp(to->key, is->key, sizeof(to->key)) == 0))
		return XEN_NETIF_CTRL_TYPE_SET_HASH_KEY;
	if (on &&
			!known(rss, XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE,
					to->mapping_size == is->mapping_size))
		return XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE;
	if (on && memcmp(to->mapping, is->mapping, sizeof(to->mapping)) != 0)
		return XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING;
	if (!known(rss, XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM, to->algorithm == is->algorithm))
		return XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM;
	if (on && !known(rss, XEN_NETIF_CTRL_TYPE_SET_HASH_FLAGS, to->types == is->types))
		return XEN_NETIF_CTRL_TYPE_SET_HASH_FLAGS;
	return 0;
}

/* A queue of the application that no queue pair has been made for stands for one that was. */
static void
fill_mapping(const struct xenfront *front)
{
	const struct xen_hash_config *cfg = &front->rss.target;
	uint32_t i, *entries = (uint32_t *)front->ctrl.page;

	for (i = 0; i < cfg->mapping_size; i++)
		entries[i] = cfg->mapping[i] % front->nif.nb_queues;
}

static void
send_message(struct xenfront *front, uint16_t type)
{
	const struct xen_hash_config *cfg = &front->rss.target;
	uint32_t data[3] = { 0 };

	switch (type) {
	case XEN_NETIF_CTRL_TYPE_SET_HASH_KEY:
		xen_hash_get_key(cfg, front->ctrl.page);
		data[0] = front->ctrl.page_ref;
		data[1] = XEN_HASH_KEY_MAX;
		break;
	case XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE:
		data[0] = cfg->mapping_size;
		break;
	case XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING:
		fill_mapping(front);
		data[0] = front->ctrl.page_ref;
		data[1] = cfg->mapping_size;
		break;
	case XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM:
		data[0] = cfg->algorithm;
		break;
	default:
		data[0] = cfg->types;
		break;
	}
	xenfront_ctrlring_send(front, type, data);
}

/* The backend has done what a message said. */
static void
note_done(struct xenfront_rss *rss, uint16_t type)
{
	const struct xen_hash_config *to = &rss->target;
	struct xen_hash_config *is = &rss->has;

	rss->known |= RTE_BIT32(type);
	switch (type) {
	case XEN_NETIF_CTRL_TYPE_SET_HASH_KEY:
		memcpy(is->key, to->key, sizeof(is->key));
		break;
	case XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE:
		is->mapping_size = to->mapping_size;
		memset(is->mapping, 0, sizeof(is->mapping));
		break;
	case XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING:
		memcpy(is->mapping, to->mapping, sizeof(is->mapping));
		break;
	case XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM:
		is->algorithm = to->algorithm;
		/* They belong to the algorithm. */
		rss->known &= ~RTE_BIT32(XEN_NETIF_CTRL_TYPE_SET_HASH_FLAGS);
		break;
	default:
		is->types = to->types;
		break;
	}
}

static void
finish(struct xenfront *front, int result)
{
	struct xenfront_rss *rss = &front->rss;

	pthread_mutex_lock(&front->nif.lock);
	rss->result = result;
	rss->dead = result == -ETIMEDOUT;
	/* A silent backend is not asked for what has been wanted meanwhile, either. */
	rss->finished = rss->dead ? rss->asked : rss->target_asked;
	pthread_mutex_unlock(&front->nif.lock);
	rss->running = false;
}

void
xenfront_rss_dead(struct xenfront *front)
{
	finish(front, -ETIMEDOUT);
}

static int
status_errno(uint32_t status)
{
	switch (status) {
	case XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED:
		return -ENOTSUP;
	case XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER:
		return -EINVAL;
	case XEN_NETIF_CTRL_STATUS_BUFFER_OVERFLOW:
		return -ENOSPC;
	default:
		return -EIO;
	}
}

static const char *
message_name(uint16_t type)
{
	static const char *const names[] = {
		[XEN_NETIF_CTRL_TYPE_SET_HASH_FLAGS] = "types of hashes",
		[XEN_NETIF_CTRL_TYPE_SET_HASH_KEY] = "key",
		[XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE] = "size of the redirection table",
		[XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING] = "redirection table",
		[XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM] = "algorithm",
	};

	return names[type];
}

/* Without hashes there is nothing that a refusal could change. */
static void
take_answer(struct xenfront *front, const struct xen_netif_ctrl_response *rsp)
{
	if (rsp->status == XEN_NETIF_CTRL_STATUS_SUCCESS || !xen_hash_on(&front->rss.target)) {
		note_done(&front->rss, rsp->type);
		return;
	}
	xen_netif_log(&front->nif, XEN_NETIF_NOTED,
			"RSS: the backend refuses the %s (status %u of its control ring)",
			message_name(rsp->type), rsp->status);
	finish(front, status_errno(rsp->status));
}

/* Begin with what is wanted now; false: that is done, or was tried. */
static bool
begin_change(struct xenfront *front)
{
	struct xenfront_rss *rss = &front->rss;

	pthread_mutex_lock(&front->nif.lock);
	rss->running = rss->finished != rss->asked;
	rss->target_asked = rss->asked;
	rss->target = front->nif.rings.hash.cfg;
	pthread_mutex_unlock(&front->nif.lock);
	return rss->running;
}

/* Send the next message. */
static void
go_on(struct xenfront *front)
{
	uint16_t type;

	while (front->rss.running || begin_change(front)) {
		type = next_message(&front->rss);
		if (type != 0) {
			send_message(front, type);
			front->rss.until_ms = xenfront_ctrlring_limit(front);
			return;
		}
		finish(front, 0);
	}
}

static void
wait_on(struct xenfront *front)
{
	if (!xenfront_ctrlring_wait(front, front->rss.until_ms, "RSS"))
		finish(front, -ETIMEDOUT);
}

void
xenfront_rss_step(struct xenfront *front)
{
	struct xen_netif_ctrl_response rsp;
	int ret;

	if (front->ctrl.page == NULL || front->rss.dead)
		return;
	ret = xenfront_ctrlring_take(front, &rsp);
	if (ret == 0)
		take_answer(front, &rsp);
	if (ret == 0 || (ret == -EAGAIN && !front->rss.running))
		go_on(front);
	else if (ret == -EAGAIN)
		wait_on(front);
}

/* What the backend has been told before, by whomever, is not known to be forgotten. */
void
xenfront_rss_begin(struct xenfront *front)
{
	struct xenfront_rss *rss = &front->rss;
	bool wanted;

	rss->running = false;
	rss->known = 0;
	memset(&rss->has, 0, sizeof(rss->has));
	pthread_mutex_lock(&front->nif.lock);
	rss->live = front->ctrl.page != NULL;
	rss->dead = false;
	rss->finished = rss->asked - 1;
	wanted = xen_hash_on(&front->nif.rings.hash.cfg);
	pthread_mutex_unlock(&front->nif.lock);
	if (wanted && front->ctrl.page == NULL)
		xen_netif_log(&front->nif, XEN_NETIF_NOTED,
				"RSS: the backend has no control ring: it spreads packets over the "
				"queues by itself");
}

void
xenfront_rss_end(struct xenfront *front, int result)
{
	struct xenfront_rss *rss = &front->rss;

	pthread_mutex_lock(&front->nif.lock);
	rss->live = false;
	rss->finished = rss->asked;
	rss->result = result;
	pthread_mutex_unlock(&front->nif.lock);
	rss->running = false;
}
