/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* The stand-in hypervisor obeys Xen's rules. */

#include <string.h>

#include "test_rig.h"

#define RIG(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		RIG(test_copy_statuses),
		RIG(test_copy_data),
		RIG(test_copy_local_refused),
		RIG(test_copy_counts),
		RIG(test_map),
		RIG(test_deferred),
		RIG(test_limit),
		RIG(test_masking),
		RIG(test_rebind),
		RIG(test_virq),
		RIG(test_notify_at_unmap),
		RIG(test_domain_destroyed),
		RIG(test_faults),
		RIG(test_kill),
		RIG(test_cycles),
	};

	if (argc == 4 && strcmp(argv[1], "--child") == 0)
		return child_main(argv[2], argv[3]);
	rig_signals();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
