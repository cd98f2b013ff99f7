/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <stdlib.h>
#include <string.h>

#include "../vswitch/protocol.h"
#include "doctor.h"

/* What the switch has said of vifs and ports that are not there. */
static void
check_errors(struct doctor *d, const json_t *errors)
{
	char what[64];
	const json_t *row;
	const char *error, *port;
	size_t i;

	if (json_array_size(errors) == 0)
		doctor_say(d, "all ports", NULL);
	for (i = 0; i < json_array_size(errors); i++) {
		row = json_array_get(errors, i);
		error = json_string_value(json_object_get(row, "error"));
		port = json_string_value(json_object_get(row, "port"));
		if (port != NULL)
			snprintf(what, sizeof(what), "port %s", port);
		else
			snprintf(what, sizeof(what), "vif %d/%d",
					(int)json_integer_value(json_object_get(row, "domid")),
					(int)json_integer_value(json_object_get(row, "devid")));
		doctor_say(d, what, "%s", error == NULL ? "?" : error);
	}
}

void
doctor_check_switch(struct doctor *d)
{
	char path[DOCTOR_TEXT_SIZE], error[DOCTOR_TEXT_SIZE] = "";
	struct client client;
	json_t *version, *errors = NULL;

	doctor_path(path, "%s", d->config.control);
	client_errors_to(error, sizeof(error));
	/* One that was named by hand is not below the root. */
	version = client_open(&client, d->socket != NULL ? d->socket : path);
	if (version != NULL) {
		errors = client_request(&client, PROTOCOL_SHOW_ERRORS, NULL);
		client_close(&client);
	}
	client_errors_to(NULL, 0);
	if (errors == NULL) {
		doctor_say(d, "switch", "systemctl start dpdk-xenvswitch, and see its log (%s)",
				error);
	} else {
		doctor_say(d, "switch", NULL);
		check_errors(d, json_object_get(errors, "errors"));
	}
	json_decref(version);
	json_decref(errors);
}
