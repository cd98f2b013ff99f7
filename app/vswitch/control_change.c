/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control_command.h"
#include "protocol.h"
#include "rate.h"
#include "reload.h"
#include "text.h"
#include "vswitch.h"
#include "xs_vifs.h"

/* Two numbers of 32 bits. */
#define RATE_SIZE 24

/* NULL, with what went wrong. */
static json_t *
refuse(char *why, int ret)
{
	text_error(why, CONTROL_ERROR_SIZE, "%s", strerror(-ret));
	return NULL;
}

json_t *
control_move(struct vswitch *sw, const struct control_args *args, char *why)
{
	struct port *port = sw->ports[args->port->id];
	int ret;

	if (args->queue >= port->nb_rxqs) {
		text_error(why, CONTROL_ERROR_SIZE, "port '%s' has no queue %u; allowed: 0 to %u",
				port->spec.name, args->queue, port->nb_rxqs - 1);
		return NULL;
	}
	ret = balance_move(sw, port, args->queue, args->worker);
	return ret == 0 ? json_object() : refuse(why, ret);
}

/* In hundredths of an lcore. */
static json_int_t
percent(uint32_t load)
{
	return load / (BALANCE_FULL / 100);
}

/* NULL: there is no memory. */
static json_t *
list_steps(const struct vswitch *sw, const struct balance_plan *plan)
{
	const struct balance_step *step = plan->steps;
	json_t *list = json_array();
	unsigned int i;

	for (i = 0; i < plan->nb; i++, step++)
		json_array_append_new(list,
				json_pack("{s:s, s:i, s:i, s:i, s:I}", "port",
						sw->ports[step->port]->spec.name, "queue",
						step->queue, "from", sw->workers[step->from]->lcore,
						"to", sw->workers[step->to]->lcore, "load",
						percent(step->load)));
	return list;
}

json_t *
control_rebalance(struct vswitch *sw, const struct control_args *args, char *why)
{
	static struct balance_plan plan;
	int ret;

	ret = balance_rebalance(sw, args->dry_run, &plan);
	if (ret != 0)
		return refuse(why, ret);
	return json_pack("{s:o, s:I, s:I, s:b}", "moves", list_steps(sw, &plan), "spread",
			percent(plan.before), "expected", percent(plan.after), "done",
			plan.nb != 0 && !args->dry_run);
}

json_t *
control_set_rate(struct vswitch *sw, const struct control_args *args, char *why)
{
	const struct port_spec *spec = &args->port->spec;
	bool off = strcmp(args->rate, PROTOCOL_RATE_OFF) == 0;
	struct rate rate = { 0 };
	struct text_quote quote;
	char text[RATE_SIZE];
	int ret;

	if (spec->kind != PORT_GUEST) {
		text_error(why, CONTROL_ERROR_SIZE, "port '%s' is no guest's: it has no rate",
				spec->name);
		return NULL;
	}
	if (!off && rate_parse(args->rate, &rate) != 0) {
		text_error(why, CONTROL_ERROR_SIZE,
				"rate %s; allowed: " PROTOCOL_RATE_OFF ", or " RATE_RULE,
				text_quote(&quote, args->rate));
		return NULL;
	}
	snprintf(text, sizeof(text), "%u,%u", rate.bytes, rate.usec);
	ret = xs_vifs_set_rate(sw->vifs, spec->domid, spec->devid, off ? NULL : text);
	if (ret == -ENOTCONN || ret == -ETIMEDOUT) {
		text_error(why, CONTROL_ERROR_SIZE, "xenstore does not answer%s",
				ret == -ETIMEDOUT ? "; it may yet be done" : "");
		return NULL;
	}
	if (ret != 0)
		return refuse(why, ret);
	return off ? json_pack("{s:n}", "rate") : json_pack("{s:s}", "rate", text);
}

json_t *
control_add_port(struct vswitch *sw, const struct control_args *args, char *why)
{
	struct config_error error = { 0 };

	if (reload_add(sw, args->name, args->keys, args->nb_keys, &error) == 0)
		return json_object();
	text_error(why, CONTROL_ERROR_SIZE, "%s", error.text);
	return NULL;
}

json_t *
control_remove_port(struct vswitch *sw, const struct control_args *args, char *why)
{
	struct config_error error = { 0 };

	if (reload_remove(sw, args->name, &error) == 0)
		return json_object();
	text_error(why, CONTROL_ERROR_SIZE, "%s", error.text);
	return NULL;
}
