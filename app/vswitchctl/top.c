/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../vswitch/protocol.h"
#include "show.h"

#define NS_PER_S 1000000000LL

/* Home, and nothing below. */
#define CLEAR "\033[H\033[2J"

/* Counters, and when they were asked for. */
struct sample {
	json_t *stats;
	int64_t ns;
};

static const char *const counters[] = { "rx_packets", "rx_bytes", "tx_packets", "tx_bytes",
	"drops" };

static const struct column columns[] = {
	{ "PORT", "name" },
	{ "RX-PACKETS/S", "rx_packets", .number = true },
	{ "RX-BYTES/S", "rx_bytes", .number = true },
	{ "TX-PACKETS/S", "tx_packets", .number = true },
	{ "TX-BYTES/S", "tx_bytes", .number = true },
	{ "DROPS/S", "drops", .number = true },
	{ NULL },
};

static const struct view rates_view = { "top", "rates", columns };

static int64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int
take_sample(struct client *client, struct sample *sample)
{
	sample->stats = client_request(client, PROTOCOL_SHOW_STATS, NULL);
	sample->ns = now_ns();
	return sample->stats == NULL ? -1 : 0;
}

/* The same port in an earlier sample; NULL: it was not there. */
static const json_t *
find_row(const struct sample *sample, const json_t *wanted)
{
	const json_t *rows = json_object_get(sample->stats, "stats"), *row;
	size_t i;

	for (i = 0; i < json_array_size(rows); i++) {
		row = json_array_get(rows, i);
		if (json_equal(json_object_get(row, "name"), json_object_get(wanted, "name")) &&
				json_equal(json_object_get(row, "number"),
						json_object_get(wanted, "number")))
			return row;
	}
	return NULL;
}

/* By the second. Counters that were reset meanwhile begin at 0. */
static json_int_t
rate(const json_t *before, const json_t *after, int64_t ns)
{
	json_int_t from = json_integer_value(before), to = json_integer_value(after);
	double n = to >= from ? to - from : to;

	return n * NS_PER_S / (ns > 0 ? ns : 1) + 0.5;
}

static json_t *
rates_of(const struct sample *before, const struct sample *after)
{
	const json_t *rows = json_object_get(after->stats, "stats"), *row, *old;
	json_t *list = json_array(), *rates;
	unsigned int c;
	size_t i;

	for (i = 0; i < json_array_size(rows); i++) {
		row = json_array_get(rows, i);
		old = find_row(before, row);
		if (old == NULL)
			continue;
		rates = json_pack("{s:O}", "name", json_object_get(row, "name"));
		for (c = 0; c < sizeof(counters) / sizeof(counters[0]); c++)
			json_object_set_new(rates, counters[c],
					json_integer(rate(json_object_get(old, counters[c]),
							json_object_get(row, counters[c]),
							after->ns - before->ns)));
		json_array_append_new(list, rates);
	}
	return json_pack("{s:o}", "rates", list);
}

static enum client_status
print_rates(const struct sample *before, const struct sample *after, bool json)
{
	json_t *rates = rates_of(before, after);
	enum client_status status;

	if (!json && isatty(STDOUT_FILENO))
		fputs(CLEAR, stdout);
	status = show_result(&rates_view, rates, json);
	json_decref(rates);
	if (status == CLIENT_OK && fflush(stdout) != 0) {
		client_error("the rates cannot be written");
		status = CLIENT_REFUSED;
	}
	return status;
}

enum client_status
show_top(struct client *client, unsigned int interval, unsigned int count, bool json)
{
	enum client_status status = CLIENT_OK;
	struct sample before, after;
	unsigned int i;

	if (take_sample(client, &before) != 0)
		return client->status;
	for (i = 0; (count == 0 || i < count) && status == CLIENT_OK; i++) {
		sleep(interval);
		if (take_sample(client, &after) != 0) {
			status = client->status;
			break;
		}
		status = print_rates(&before, &after, json);
		json_decref(before.stats);
		before = after;
	}
	json_decref(before.stats);
	return status;
}
