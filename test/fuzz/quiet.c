/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* For targets that need nothing set up: nobody is there to be notified or woken. */

#include <rte_common.h>
#include <rte_log.h>

#include <xenevtchn.h>

#include "fuzz.h"

int
xenevtchn_notify(xenevtchn_handle *xce __rte_unused, evtchn_port_t port __rte_unused)
{
	return 0;
}

/* That nobody can be woken would be logged. */
int
LLVMFuzzerInitialize(int *argc __rte_unused, char ***argv __rte_unused)
{
	rte_log_set_global_level(RTE_LOG_EMERG);
	return 0;
}
