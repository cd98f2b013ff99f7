/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "control_command.h"
#include "protocol.h"
#include "text.h"
#include "vswitch.h"

static const char *const directions[] = {
	[DIRECTION_RX] = PROTOCOL_DIRECTION_RX,
	[DIRECTION_TX] = PROTOCOL_DIRECTION_TX,
	[DIRECTION_BOTH] = PROTOCOL_DIRECTION_BOTH,
};

int
control_set_to(const struct vswitch *sw, const json_t *value, struct control_args *args)
{
	args->to = json_is_string(value) ? vswitch_port(sw, json_string_value(value)) : NULL;
	return args->to == NULL ? -EINVAL : 0;
}

int
control_set_off(const struct vswitch *sw __rte_unused, const json_t *value,
		struct control_args *args)
{
	args->off = json_is_true(value);
	return json_is_boolean(value) ? 0 : -EINVAL;
}

int
control_set_direction(const struct vswitch *sw __rte_unused, const json_t *value,
		struct control_args *args)
{
	enum direction i;

	for (i = DIRECTION_RX; json_is_string(value) && i <= DIRECTION_BOTH; i++) {
		if (strcmp(json_string_value(value), directions[i]) == 0) {
			args->direction = i;
			return 0;
		}
	}
	return -EINVAL;
}

static int
set_number(const json_t *value, json_int_t min, json_int_t max, uint32_t *number)
{
	if (!json_is_integer(value) || json_integer_value(value) < min ||
			json_integer_value(value) > max)
		return -EINVAL;
	*number = json_integer_value(value);
	return 0;
}

int
control_set_count(const struct vswitch *sw __rte_unused, const json_t *value,
		struct control_args *args)
{
	return set_number(value, 1, PROTOCOL_COUNT_MAX, &args->count);
}

int
control_set_seconds(const struct vswitch *sw __rte_unused, const json_t *value,
		struct control_args *args)
{
	return set_number(value, 1, PROTOCOL_SECONDS_MAX, &args->seconds);
}

int
control_set_snaplen(const struct vswitch *sw __rte_unused, const json_t *value,
		struct control_args *args)
{
	return set_number(value, PROTOCOL_SNAPLEN_MIN, PROTOCOL_SNAPLEN_MAX, &args->snaplen);
}

/* Such a device takes everything, or refuses it, at once. */
static bool
is_prompt(dev_t device)
{
	const dev_t null = makedev(1, 3), full = makedev(1, 7);

	return device == null || device == full;
}

/* Can it be written to? A terminal, for one, may block its writer for good. */
static int
check_file(int fd, char *why)
{
	struct stat st;
	int flags;

	if (fd < 0)
		return text_error(why, CONTROL_ERROR_SIZE, "no file has come with the request");
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || (flags & O_PATH) != 0 || (flags & O_ACCMODE) == O_RDONLY)
		return text_error(why, CONTROL_ERROR_SIZE, "the file is not open for writing");
	if (fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && !is_prompt(st.st_rdev))
		return text_error(why, CONTROL_ERROR_SIZE,
				"the file is a device, which may not take it; allowed: a file, a "
				"pipe, /dev/null or /dev/full");
	return 0;
}

json_t *
control_capture(struct vswitch *sw, const struct control_args *args, char *why)
{
	struct control_session *session = args->session;
	struct capture_spec spec = {
		.direction = args->direction,
		.count = args->count,
		.seconds = args->seconds,
		.snaplen = args->snaplen,
	};
	int ret;

	RTE_BUILD_BUG_ON(CAPTURES_MAX != PROTOCOL_CAPTURES_MAX);
	if (session->capture != NULL) {
		text_error(why, CONTROL_ERROR_SIZE, "this connection has a capture already");
		return NULL;
	}
	if (check_file(session->file, why) != 0)
		return NULL;
	if (args->port != NULL)
		memcpy(spec.port, args->port->spec.name, sizeof(spec.port));
	ret = capture_begin(sw, &spec, session->file, &session->capture);
	if (ret == 0) {
		session->file = -1;
		return json_object();
	}
	if (ret == -ENOSPC)
		text_error(why, CONTROL_ERROR_SIZE, "there are too many captures; allowed: %u",
				CAPTURES_MAX);
	else
		text_error(why, CONTROL_ERROR_SIZE, "%s", strerror(-ret));
	return NULL;
}

json_t *
control_capture_wait(struct vswitch *sw __rte_unused, const struct control_args *args, char *why)
{
	if (args->session->capture == NULL) {
		text_error(why, CONTROL_ERROR_SIZE, "this connection has no capture");
		return NULL;
	}
	args->session->waits = true;
	return json_object();
}

json_t *
control_capture_result(const struct capture *capture)
{
	struct capture_result result;

	capture_result(capture, &result);
	return json_pack("{s:b, s:{s:s, s:I, s:I, s:s*}}", "ok", 1, "result", "end",
			capture_end_name(result.end), "packets", (json_int_t)result.packets, "lost",
			(json_int_t)result.lost, "error",
			result.error == 0 ? NULL : strerror(-result.error));
}

/* A number, or null where there is no limit. */
static json_t *
limit_value(uint32_t limit)
{
	return limit == 0 ? json_null() : json_integer(limit);
}

static json_t *
show_capture(const struct capture *capture)
{
	const struct capture_spec *spec = &capture->spec;
	struct capture_result result;

	capture_result(capture, &result);
	return json_pack("{s:s?, s:s, s:o, s:o, s:i, s:I, s:I}", "port",
			spec->port[0] == '\0' ? NULL : spec->port, "direction",
			directions[spec->direction], "count", limit_value(spec->count), "seconds",
			limit_value(spec->seconds), "snaplen", spec->snaplen, "packets",
			(json_int_t)result.packets, "lost", (json_int_t)result.lost);
}

/* A result of one list, of which all could be made. */
static json_t *
result_of(const char *name, json_t *list, bool complete)
{
	if (complete)
		return json_pack("{s:o}", name, list);
	json_decref(list);
	return NULL;
}

json_t *
control_show_captures(const struct vswitch *sw, const struct control_args *args __rte_unused)
{
	json_t *list = json_array();
	bool complete = true;
	unsigned int i;

	for (i = 0; i < CAPTURES_MAX; i++) {
		if (sw->captures[i] != NULL)
			complete &= json_array_append_new(list, show_capture(sw->captures[i])) == 0;
	}
	return result_of("captures", list, complete);
}

static bool
refuses_mirror(const struct control_args *args, char *why)
{
	if (args->off && args->to != NULL)
		text_error(why, CONTROL_ERROR_SIZE, "'off' and 'to'; allowed: one of them");
	else if (!args->off && args->to == NULL)
		text_error(why, CONTROL_ERROR_SIZE,
				"no argument 'to'; allowed: the name of a port, or 'off'");
	else if (args->to == args->port)
		text_error(why, CONTROL_ERROR_SIZE, "'to' is '%s'; allowed: another port than it",
				args->port->spec.name);
	else
		return false;
	return true;
}

json_t *
control_mirror(struct vswitch *sw, const struct control_args *args, char *why)
{
	int ret;

	if (refuses_mirror(args, why))
		return NULL;
	if (args->off)
		ret = mirror_off(sw, args->port);
	else
		ret = mirror_set(sw, args->port, args->to, args->direction);
	if (ret == 0)
		return json_object();
	if (ret == -ENOENT)
		text_error(why, CONTROL_ERROR_SIZE, "port '%s' is not mirrored",
				args->port->spec.name);
	else
		text_error(why, CONTROL_ERROR_SIZE, "%s", strerror(-ret));
	return NULL;
}

static json_t *
show_mirror(const struct vswitch *sw, unsigned int from)
{
	const struct mirror *mirror = &sw->mirrors[from];
	uint64_t packets, lost;

	mirror_read(mirror, &packets, &lost);
	return json_pack("{s:s, s:s, s:s, s:I, s:I}", "port", sw->ports[from]->spec.name, "to",
			sw->ports[mirror->to]->spec.name, "direction",
			directions[mirror->direction], "packets", (json_int_t)packets, "lost",
			(json_int_t)lost);
}

json_t *
control_show_mirrors(const struct vswitch *sw, const struct control_args *args __rte_unused)
{
	json_t *list = json_array();
	bool complete = true;
	unsigned int i;

	for (i = 0; i < RTE_DIM(sw->mirrors); i++) {
		if (sw->mirrors[i].on)
			complete &= json_array_append_new(list, show_mirror(sw, i)) == 0;
	}
	return result_of("mirrors", list, complete);
}
