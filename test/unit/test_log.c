/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * What is said about a vif, in the log and in xenstore: its other end decides what and how often,
 * and must neither forge a line nor fill a disk.
 */

#include <ctype.h>
#include <stdio.h>

#include "rawback.h"
#include "vif.h"
#include "xen_reason.h"

#define CYCLES 40
#define MINUTE_MS 60000

#define FIFTY "01234567890123456789012345678901234567890123456789"

/* Values as they are written, and as they are shown. */
static const struct {
	const char *value;
	const char *shown;
} texts[] = {
	{ "", "''" },
	{ "plain text", "'plain text'" },
	{ "\x1b[2J\nEAL: port 1 compromised\n", "'\\x1b[2J\\x0aEAL: port 1 compromised\\x0a'" },
	{ "\r\t\x01\x7f\x80\xff", "'\\x0d\\x09\\x01\\x7f\\x80\\xff'" },
	/* What looks like an escape, and what looks like the end. */
	{ "\\x1b", "'\\\\x1b'" },
	{ "1' is right", "'1\\' is right'" },
	{ "%s%n", "'%s%n'" },
	{ FIFTY "12345678901234567", "'" FIFTY "12345678901234567'" },
	{ FIFTY "123456789012345678", "'" FIFTY "12345678901234567\\...'" },
	{ "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n",
			"'\\x0a\\x0a\\x0a\\x0a\\x0a\\x0a\\x0a\\x0a\\x0a\\x0a\\x0a\\x0a\\x0a"
			"\\x0a\\x0a\\x0a\\...'" },
};

/* The text is shown in the key, and in one line of the log, with nothing else than that. */
static void
expect_shown(const char *error_key, const char *shown)
{
	const char *error = unit_read("%s", error_key), *c;

	if (strstr(error, shown) == NULL)
		fail_msg("the error is \"%s\", not with %s", error, shown);
	for (c = error; *c != '\0'; c++)
		assert_true(isprint((unsigned char)*c));
	unit_assert_log(shown);
	assert_int_equal(unit_log_count("EAL: port 1"), strstr(shown, "EAL") != NULL);
	assert_int_equal(unit_log_count("\nEAL: port 1"), 0);
	assert_int_equal(unit_log_count("\x1b"), 0);
}

static void
test_quote(void **state __rte_unused)
{
	char shown[sizeof(struct xen_quote) + 2];
	struct xen_quote quote;
	unsigned int i;

	for (i = 0; i < RTE_DIM(texts); i++) {
		snprintf(shown, sizeof(shown), "'%s'", xen_quote(&quote, texts[i].value));
		assert_string_equal(shown, texts[i].shown);
	}
}

static void
error_path(const struct vif *v, char *path, size_t size)
{
	snprintf(path, size, "/local/domain/0/error/backend/vif/%u/%u/error", v->f.domid,
			v->f.devid);
}

/* The backend shows keys of the guest. */
static void
test_guest_text(void **state)
{
	static const char *const keys[] = { "tx-ring-ref", "feature-sg", "event-channel-tx",
		"multi-queue-num-queues" };
	struct vif *v = *state;
	char error[96];
	unsigned int i;

	error_path(v, error, sizeof(error));
	for (i = 0; i < RTE_DIM(texts); i++) {
		rawfront_reset(&v->f);
		unit_remove("%s", error);
		unit_log_clear();
		rawfront_init_rings(&v->f, 0);
		rawfront_publish(&v->f);
		unit_write(texts[i].value, "%s/%s", v->f.front, keys[i % RTE_DIM(keys)]);
		rawfront_state(&v->f, XenbusStateConnected);
		rawfront_wait(&v->f, XenbusStateClosed);
		expect_shown(error, texts[i].shown);
		rawfront_unset(&v->f, keys[i % RTE_DIM(keys)]);
		vif_reconnect(v);
	}
}

/* And the toolstack's: what names the guest is no path. */
static void
test_toolstack_text(void **state)
{
	static const struct {
		const char *path;
		const char *shown;
	} paths[] = {
		{ "/local/domain/1/x\n", "'/local/domain/1/x\\x0a'" },
		{ "/local/domain/1/'", "'/local/domain/1/\\''" },
		{ "/local/domain/1/", "'/local/domain/1/'" },
		{ "/local/domain/1//device", "'/local/domain/1//device'" },
	};
	struct vif *v = *state;
	char error[96];
	unsigned int i;

	error_path(v, error, sizeof(error));
	for (i = 0; i < RTE_DIM(paths); i++) {
		rawfront_toolstack_remove(&v->f);
		unit_wait(!unit_link(v->port));
		unit_log_clear();
		unit_write("1", "%s/frontend-id", v->f.back);
		unit_write(paths[i].path, "%s/frontend", v->f.back);
		unit_write("1", "%s/state", v->f.back);
		unit_wait(unit_read("%s", error)[0] != '\0');
		expect_shown(error, paths[i].shown);
		rawfront_init_rings(&v->f, 0);
		rawfront_toolstack(&v->f);
		vif_connect(v);
	}
}

/* The backend leaves, and offers the vif again with a bad key: the frontend stays away. */
static void
offer_bad(const char *key, const char *value)
{
	rawback_state(XenbusStateClosing);
	rawback_release();
	rawback_state(XenbusStateClosed);
	unit_wait(rawback_front_is(XenbusStateInitialising));
	unit_write(value, "%s/%s", rawback.back, key);
	rawback_state(XenbusStateInitWait);
	unit_wait(!rawback_front_is(XenbusStateInitialising));
	unit_write("1", "%s/%s", rawback.back, key);
}

/* And with a good one, to a port that starts anew. */
static void
offer_good(void)
{
	rawback_state(XenbusStateInitialising);
	assert_int_equal(rte_eth_dev_stop(rawback.port), 0);
	assert_int_equal(rte_eth_dev_start(rawback.port), 0);
	rawback_connect();
}

/* The frontend shows keys of the backend, and the path to it. */
static void
test_backend_text(void **state __rte_unused)
{
	static const char *const keys[] = { "feature-sg", "multi-queue-max-queues",
		"feature-rx-copy" };
	static const char *const error = "/local/domain/0/error/device/vif/0/error";
	unsigned int i;

	for (i = 0; i < RTE_DIM(texts); i++) {
		unit_log_clear();
		offer_bad(keys[i % RTE_DIM(keys)], texts[i].value);
		expect_shown(error, texts[i].shown);
		unit_remove("/local/domain/0/error/device");
		offer_good();
	}
	unit_log_clear();
	unit_write("/local/domain/1/\x1b[2J\n", "%s/backend", rawback.front);
	unit_wait(unit_read("%s", error)[0] != '\0');
	expect_shown(error, "'/local/domain/1/\\x1b[2J\\x0a'");
	unit_write(rawback.back, "%s/backend", rawback.front);
	unit_remove("/local/domain/0/error/device");
}

/* Watch events of a path so far, less the one by which a watch begins. */
static unsigned int
events(struct xs_handle *xs)
{
	unsigned int n = 0;
	char **event;

	/* What was written before the answer to this is in the queue by then. */
	assert_non_null(event = (char **)xs_read(xs, XBT_NULL, "domid", &n));
	free(event);
	for (n = 0; (event = xs_check_watch(xs)) != NULL; n++)
		free(event);
	return n - 1;
}

/* A guest that cycles with a bad key: it is said once, and once a minute how often. */
static void
test_cycle_bad(void **state)
{
	struct xs_handle *xs = xs_open(0);
	struct vif *v = *state;
	char error[96];
	unsigned int i;

	error_path(v, error, sizeof(error));
	assert_non_null(xs);
	rawfront_reset(&v->f);
	assert_true(xs_watch(xs, error, "t"));
	unit_log_clear();
	for (i = 0; i < CYCLES; i++) {
		rawfront_set(&v->f, "feature-sg", "%s", "\n2");
		rawfront_state(&v->f, XenbusStateConnected);
		rawfront_wait(&v->f, XenbusStateClosed);
		rawfront_state(&v->f, XenbusStateInitialising);
		rawfront_wait(&v->f, XenbusStateInitWait);
	}
	assert_int_equal(unit_log_count("feature-sg="), 1);
	assert_int_equal(unit_log_count("connected"), 0);
	assert_int_equal(events(xs), 1);
	unit_clock_skip(MINUTE_MS);
	unit_write("x", "%s/anything", v->f.back);
	unit_wait(unit_log_has("39 more like this in the last minute: "));
	assert_int_equal(unit_log_count("feature-sg="), 2);
	/* Another reason: the key tells what is true now, the log waits. */
	rawfront_set(&v->f, "feature-sg", "%s", "x");
	rawfront_state(&v->f, XenbusStateConnected);
	rawfront_wait(&v->f, XenbusStateClosed);
	unit_wait(strstr(unit_read("%s", error), "feature-sg='x'") != NULL);
	assert_int_equal(unit_log_count("feature-sg='x'"), 0);
	unit_clock_skip(MINUTE_MS);
	unit_write("x", "%s/anything", v->f.back);
	unit_wait(unit_log_has("1 more like this in the last minute: "));
	assert_int_equal(unit_log_count("feature-sg='x'"), 1);
	xs_close(xs);
	vif_reconnect(v);
	vif_send_good(v);
}

/* With good keys it is no different: each kind of line once. */
static void
test_cycle_good(void **state)
{
	struct vif *v = *state;
	unsigned int i;

	rawfront_reset(&v->f);
	unit_log_clear();
	for (i = 0; i < CYCLES; i++) {
		rawfront_init_rings(&v->f, 0);
		vif_connect(v);
		rawfront_state(&v->f, XenbusStateInitialising);
		rawfront_wait(&v->f, XenbusStateInitWait);
	}
	assert_int_equal(unit_log_count("disconnected: the guest has started over"), 1);
	assert_int_equal(unit_log_count(": connected, 1 queues"), 1);
	unit_clock_skip(MINUTE_MS);
	unit_write("x", "%s/anything", v->f.back);
	unit_wait(unit_log_has("39 more like this in the last minute: disconnected: the guest"));
	unit_wait(unit_log_has("39 more like this in the last minute: connected, 1 queues"));
	/* A minute without a line, and the next one is written at once. */
	unit_clock_skip(MINUTE_MS);
	rawfront_init_rings(&v->f, 0);
	vif_connect(v);
	unit_wait(unit_log_count("connected, 1 queues") == 3);
	/* What is held back of a vif that goes is written then. */
	vif_reconnect(v);
	rawfront_reset(&v->f);
	rawfront_init_rings(&v->f, 0);
	vif_connect(v);
	rawfront_toolstack_remove(&v->f);
	unit_wait(unit_log_has("1 more like this in the last minute: connected"));
	rawfront_init_rings(&v->f, 0);
	rawfront_toolstack(&v->f);
	vif_connect(v);
	unit_wait(unit_log_count("connected, 1 queues") == 3);
}

/* What the toolstack asks for and does not get is said, and again of a new vif. */
static void
test_rate(void **state)
{
	struct vif *v = *state;

	unit_log_clear();
	unit_write("\x1b[2J\n", "%s/rate", v->f.back);
	unit_wait(unit_log_has("rate='\\x1b[2J\\x0a' has to be"));
	vif_reconnect(v);
	assert_int_equal(unit_log_count("rate="), 0);
	rawfront_toolstack_remove(&v->f);
	unit_wait(!unit_link(v->port));
	unit_log_clear();
	rawfront_init_rings(&v->f, 0);
	rawfront_toolstack(&v->f);
	unit_write("\x1b[2J\n", "%s/rate", v->f.back);
	vif_connect(v);
	unit_wait(unit_log_has("rate='\\x1b[2J\\x0a' has to be"));
	assert_int_equal(unit_log_count("rate="), 1);
	unit_remove("%s/rate", v->f.back);
	vif_send_good(v);
}

/* A backend that cycles, with good keys and with a bad one. */
static void
test_cycle_backend(void **state __rte_unused)
{
	unsigned int i;

	unit_log_clear();
	for (i = 0; i < CYCLES; i++) {
		offer_bad("feature-sg", "2");
		offer_good();
	}
	assert_int_equal(unit_log_count("disconnected: the backend has closed its end"), 1);
	assert_int_equal(unit_log_count(": connected, 1 queues"), 1);
	assert_int_equal(unit_log_count("feature-sg='2'"), 1);
	unit_clock_skip(MINUTE_MS);
	unit_write("x", "%s/anything", rawback.front);
	unit_wait(unit_log_has("39 more like this in the last minute: disconnected: the backend"));
	unit_wait(unit_log_has("39 more like this in the last minute: connected, 1 queues"));
	unit_wait(unit_log_has("39 more like this in the last minute: /local/domain/1/backend"));
	unit_remove("/local/domain/0/error/device");
}

#define front_test(fn) cmocka_unit_test_setup_teardown(fn, rawback_setup, rawback_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quote),
		vif_test(test_guest_text),
		vif_test(test_toolstack_text),
		front_test(test_backend_text),
		vif_test(test_cycle_bad),
		vif_test(test_cycle_good),
		vif_test(test_rate),
		front_test(test_cycle_backend),
	};

	return cmocka_run_group_tests_name("log", tests, unit_setup, unit_teardown);
}
