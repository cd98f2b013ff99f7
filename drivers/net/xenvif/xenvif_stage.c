/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <rte_common.h>
#include <rte_lcore.h>
#include <rte_spinlock.h>

#include "xenvif_stage.h"

#define STAGE_BYTES ((size_t)XENVIF_STAGE_PAGES * XEN_PAGE_BYTES)

static struct {
	rte_spinlock_t lock;
	unsigned int nb_queues;
	unsigned int nb_stages;
	struct xenvif_stage *free;
} stages = { .lock = RTE_SPINLOCK_INITIALIZER };

/* No more stages are in use at once than there are queues, and than there are lcores. */
static unsigned int
nb_wanted(void)
{
	return RTE_MIN(stages.nb_queues, RTE_MAX(rte_lcore_count(), 1u));
}

/* Memory that is not there before it is used: many a queue never sees a packet to be cut. */
static struct xenvif_stage *
stage_create(void)
{
	struct xenvif_stage *stage = malloc(sizeof(*stage));

	if (stage == NULL)
		return NULL;
	stage->pages = mmap(NULL, STAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			-1, 0);
	if (stage->pages != MAP_FAILED)
		return stage;
	free(stage);
	return NULL;
}

int
xenvif_stage_reserve(void)
{
	struct xenvif_stage *stage;
	int ret = 0;

	rte_spinlock_lock(&stages.lock);
	stages.nb_queues++;
	if (stages.nb_stages < nb_wanted()) {
		stage = stage_create();
		if (stage != NULL) {
			stage->next = stages.free;
			stages.free = stage;
			stages.nb_stages++;
		} else {
			stages.nb_queues--;
			ret = -ENOMEM;
		}
	}
	rte_spinlock_unlock(&stages.lock);
	return ret;
}

void
xenvif_stage_release(void)
{
	struct xenvif_stage *stage = NULL;

	rte_spinlock_lock(&stages.lock);
	stages.nb_queues--;
	if (stages.nb_stages > nb_wanted() && stages.free != NULL) {
		stage = stages.free;
		stages.free = stage->next;
		stages.nb_stages--;
	}
	rte_spinlock_unlock(&stages.lock);
	if (stage == NULL)
		return;
	munmap(stage->pages, STAGE_BYTES);
	free(stage);
}

struct xenvif_stage *
xenvif_stage_get(void)
{
	struct xenvif_stage *stage;

	rte_spinlock_lock(&stages.lock);
	stage = stages.free;
	if (stage != NULL)
		stages.free = stage->next;
	rte_spinlock_unlock(&stages.lock);
	return stage;
}

void
xenvif_stage_put(struct xenvif_stage *stage)
{
	rte_spinlock_lock(&stages.lock);
	stage->next = stages.free;
	stages.free = stage;
	rte_spinlock_unlock(&stages.lock);
}
