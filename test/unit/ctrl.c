/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <stdio.h>
#include <stdlib.h>

#include "ctrl.h"

int
ctrl_setup(void **state)
{
	const struct vif_options options = {
		.queues = CTRL_QUEUES,
		.app_queues = CTRL_QUEUES,
		.ctrl = true,
	};
	static struct vif v;

	unit_log_clear();
	vif_open(&v, &options);
	vif_connect(&v);
	*state = &v;
	return 0;
}

const char *
ctrl_port_hash(uint16_t port)
{
	static char line[1024];
	char *text = NULL, *begin;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(f);
	assert_int_equal(rte_eth_dev_priv_dump(port, f), 0);
	fclose(f);
	begin = strstr(text, "hash: ");
	snprintf(line, sizeof(line), "%.*s", begin != NULL ? (int)strcspn(begin, "\n") : 0,
			begin != NULL ? begin : "");
	free(text);
	return line;
}

const char *
ctrl_hash(const struct vif *v)
{
	return ctrl_port_hash(v->port);
}

uint32_t *
ctrl_entries(struct vif *v)
{
	return (uint32_t *)rawfront_page(&v->f, CTRL_PAGE_MAPPING);
}

uint32_t
ctrl_call(struct vif *v, uint16_t type, uint32_t data0, uint32_t data1, uint32_t data2)
{
	return rawfront_ctrl_call(&v->f, type, data0, data1, data2, NULL);
}

void
ctrl_set_all(struct vif *v)
{
	uint32_t i, *entries = ctrl_entries(v);

	for (i = 0; i < XEN_HASH_MAPPING_MAX; i++)
		entries[i] = i % CTRL_QUEUES;
	assert_int_equal(ctrl_call(v, SET_ALGORITHM, TOEPLITZ, 0, 0), OKAY);
	assert_int_equal(ctrl_call(v, SET_FLAGS, XEN_HASH_TYPES, 0, 0), OKAY);
	assert_int_equal(ctrl_call(v, SET_KEY, v->f.gref[CTRL_PAGE_KEY], 40, 0), OKAY);
	assert_int_equal(ctrl_call(v, SET_SIZE, 8, 0, 0), OKAY);
	assert_int_equal(ctrl_call(v, SET_MAPPING, v->f.gref[CTRL_PAGE_MAPPING], 8, 0), OKAY);
}
