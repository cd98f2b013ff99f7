/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * The hostile guest as a program in the domain whose vif it is: of the stand-in hypervisor, or in
 * the user space of a real guest, whose kernel has no driver for the vif. The backend has to poll.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "attack.h"

#define PAGES 32
#define QUEUES 4
#define ID_BEFORE 0x1111
#define ID_AFTER 0x2222
/* Failures one after the other that a backend may have before it is given up. */
#define FAILURES_MAX 3
/* Looks at a ring for each one at the backend's state. */
#define LOOKS 20

static struct xs_handle *store;

/* The attack under way, and where to go when it fails. */
static const struct attack *under_way;
static jmp_buf next_attack;

/*
 * What the attack before has left, so that as little as can be is done again: xenstore is slow in
 * an emulated machine.
 */
static struct {
	/* The keys are those of a guest of this form. */
	bool published;
	unsigned int queues;
	bool split;
	/* The backend is in state 4, or in 6. */
	bool connected;
	bool closed;
} left;

struct xs_handle *
rawfront_store(void)
{
	return store;
}

void
rawfront_fail(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (under_way == NULL) {
		fprintf(stderr, "xenhostile: %s\n", text);
		exit(EXIT_FAILURE);
	}
	printf("not ok %s - %s\n", under_way->name, text);
	fflush(stdout);
	longjmp(next_attack, 1);
}

void
rawfront_idle(void)
{
	const struct timespec nap = { .tv_nsec = 10000000 };

	nanosleep(&nap, NULL);
}

static void
boot(struct rawfront *f, const char *devid)
{
	store = xs_open(0);
	if (store == NULL)
		rawfront_fail("no xenstore: %s", strerror(errno));
	rawfront_find(f, strtoul(devid, NULL, 10));
	rawfront_boot(f, QUEUES, true, PAGES);
	f->ctrl = true;
}

/* A frontend whose keys are there, with a backend that waits for state 4. */
static void
start(struct rawfront *f, unsigned int queues, bool split)
{
	if (left.closed) {
		rawfront_state(f, XenbusStateInitialising);
		rawfront_wait(f, XenbusStateInitWait);
	} else {
		rawfront_reset(f);
	}
	rawfront_init_rings(f, 0);
	left.connected = left.closed = false;
	if (left.published && left.queues == queues && left.split == split)
		return;
	rawfront_unpublish(f);
	f->nb_queues = left.queues = queues;
	f->split = left.split = split;
	rawfront_publish(f);
	left.published = true;
}

static void
connect_vif(struct rawfront *f)
{
	if (left.connected)
		return;
	start(f, 1, true);
	rawfront_state(f, XenbusStateConnected);
	rawfront_wait(f, XenbusStateConnected);
	left.connected = true;
}

static void
expect_closed(struct rawfront *f)
{
	rawfront_wait(f, XenbusStateClosed);
	left.connected = false;
	left.closed = true;
}

static void
put_good(struct rawfront *f, uint16_t id)
{
	const struct netif_tx_request req = { .gref = f->gref[1], .id = id, .size = 60 };

	rawfront_tx_put(f, 0, &req);
}

static void
push_tx(struct rawfront *f)
{
	rawfront_tx_push(f, 0);
	rawfront_notify_tx(f, 0);
}

/* Wait until a ring has so many responses; fail when the backend does something else instead. */
static void
wait_responses(struct rawfront *f, const uint32_t *rsp_prod, uint32_t n)
{
	uint64_t end = rawfront_now_ms() + RAWFRONT_LIMIT_MS;
	unsigned int looks = 0;

	while (__atomic_load_n(rsp_prod, __ATOMIC_ACQUIRE) != n) {
		if (++looks % LOOKS == 0 && rawfront_back_state(f) != XenbusStateConnected)
			rawfront_fail("the vif was closed");
		if (rawfront_now_ms() > end)
			rawfront_fail("responses up to %u, not to %u",
					__atomic_load_n(rsp_prod, __ATOMIC_ACQUIRE), n);
		rawfront_idle();
	}
}

/* Between two packets that arrive; a breach leaves those before it alone, and all behind it. */
static void
play_tx(struct rawfront *f, const struct attack *a, enum attack_outcome outcome)
{
	struct netif_tx_response rsp;
	unsigned int slots;

	connect_vif(f);
	put_good(f, ID_BEFORE);
	/* With a wrong index nothing is taken: the packet before it goes first. */
	if (a->ahead != 0) {
		push_tx(f);
		wait_responses(f, &f->q[0].tx->rsp_prod, f->q[0].tx_prod);
	}
	slots = attack_play(f, a);
	if (outcome != ATTACK_CLOSED)
		put_good(f, ID_AFTER);
	push_tx(f);
	if (outcome == ATTACK_CLOSED)
		expect_closed(f);
	else
		wait_responses(f, &f->q[0].tx->rsp_prod, f->q[0].tx_prod);
	rawfront_tx_expect(f, 0, 1, NETIF_RSP_OKAY);
	if (outcome != ATTACK_CLOSED) {
		rawfront_tx_expect(f, 0, slots,
				attack_answered_okay(outcome) ? NETIF_RSP_OKAY : NETIF_RSP_ERROR);
		rawfront_tx_expect(f, 0, 1, NETIF_RSP_OKAY);
	}
	if (rawfront_tx_rsp(f, 0, &rsp))
		rawfront_fail("a response too many: id %u status %d", rsp.id, rsp.status);
}

/*
 * What is posted meets the next packet for this guest. It sends one: that comes back where nobody
 * else sends any.
 */
static void
play_rx(struct rawfront *f, const struct attack *a, enum attack_outcome outcome)
{
	struct netif_rx_response rsp;
	uint16_t id;

	connect_vif(f);
	id = f->q[0].rx_prod;
	attack_play(f, a);
	rawfront_rx_push(f, 0);
	rawfront_notify_rx(f, 0);
	put_good(f, ID_AFTER);
	push_tx(f);
	if (outcome == ATTACK_CLOSED) {
		expect_closed(f);
		return;
	}
	wait_responses(f, &f->q[0].tx->rsp_prod, f->q[0].tx_prod);
	rawfront_tx_expect(f, 0, 1, NETIF_RSP_OKAY);
	wait_responses(f, &f->q[0].rx->rsp_prod, f->q[0].rx_prod);
	if (!rawfront_rx_rsp(f, 0, &rsp) || rsp.id != id)
		rawfront_fail("the response is not that to id %u", id);
	if ((rsp.status < 0) != (outcome == ATTACK_DROPPED))
		rawfront_fail("status %d", rsp.status);
}

/* A request to a vif that nobody has sent any to. */
static void
play_ctrl(struct rawfront *f, const struct attack *a, enum attack_outcome outcome)
{
	uint64_t end = rawfront_now_ms() + RAWFRONT_LIMIT_MS;
	struct xen_netif_ctrl_response rsp;
	uint16_t id;

	connect_vif(f);
	id = f->ctrl_prod;
	attack_play(f, a);
	rawfront_ctrl_push(f);
	if (outcome == ATTACK_CLOSED) {
		expect_closed(f);
		return;
	}
	while (!rawfront_ctrl_rsp(f, &rsp)) {
		if (rawfront_now_ms() > end)
			rawfront_fail("no response");
		rawfront_idle();
	}
	if (rsp.id != id || rsp.type != a->ctrl.type || rsp.status != a->ctrl.status)
		rawfront_fail("id %u type %u status %u, not id %u type %u status %u", rsp.id,
				rsp.type, rsp.status, id, a->ctrl.type, a->ctrl.status);
}

static void
play_keys(struct rawfront *f, const struct attack *a)
{
	bool state = strcmp(a->key, "state") == 0;
	char before[32];

	start(f, a->queues != 0 ? a->queues : 1, !a->single);
	rawfront_get(f->front, a->key, before, sizeof(before));
	attack_play(f, a);
	if (!state)
		rawfront_state(f, XenbusStateConnected);
	expect_closed(f);
	if (a->queues != 0)
		left.published = false;
	else if (before[0] == '\0')
		rawfront_unset(f, a->key);
	else if (!state)
		rawfront_set(f, a->key, "%s", before);
}

/* The domain of the backend lets this domain read and write what the backend says of the vif. */
static void
forget_reason(const struct rawfront *f)
{
	char dir[192];

	rawfront_error_dir(f, dir, sizeof(dir));
	rawfront_put(XBT_NULL, dir, "error", "%s", "");
}

static void
expect_reason(const struct rawfront *f, const struct attack *a)
{
	char reason[512], key[80];

	rawfront_error(f, reason, sizeof(reason));
	if (strstr(reason, a->why) == NULL)
		rawfront_fail("the reason in xenstore is '%s', without '%s'", reason, a->why);
	if (!a->named)
		return;
	snprintf(key, sizeof(key), "/device/vif/%u/%s", f->devid, a->key);
	if (strstr(reason, key) == NULL)
		rawfront_fail("the reason in xenstore is '%s', without '%s'", reason, key);
}

static void
play(struct rawfront *f, const struct attack *a, bool scatter)
{
	enum attack_outcome outcome = attack_outcome(a, scatter);

	if (outcome == ATTACK_CLOSED)
		forget_reason(f);
	if (a->target == ATTACK_TX)
		play_tx(f, a, outcome);
	else if (a->target == ATTACK_RX)
		play_rx(f, a, outcome);
	else if (a->target == ATTACK_CTRL)
		play_ctrl(f, a, outcome);
	else
		play_keys(f, a);
	if (outcome == ATTACK_CLOSED)
		expect_reason(f, a);
	printf("ok %s\n", a->name);
	fflush(stdout);
}

static void
reset(struct rawfront *f, unsigned long n)
{
	unsigned long i;

	for (i = 0; i < n; i++) {
		start(f, 1, false);
		rawfront_state(f, XenbusStateConnected);
		rawfront_wait(f, XenbusStateConnected);
	}
	rawfront_reset(f);
	printf("connected and reset %lu times\n", n);
}

/* Play an attack; false, with a line that says why, when the backend does not do as it has to. */
static bool
run(struct rawfront *f, const struct attack *a, bool scatter)
{
	under_way = a;
	if (setjmp(next_attack) == 0) {
		play(f, a, scatter);
		under_way = NULL;
		return true;
	}
	under_way = NULL;
	left.published = left.connected = left.closed = false;
	return false;
}

static int
run_attacks(struct rawfront *f, char **names, bool scatter)
{
	unsigned int failed = 0, in_a_row = 0, i = 0;
	bool all = strcmp(names[0], "all") == 0;
	const struct attack *a;

	for (;; i++) {
		if (!all && names[i] == NULL)
			break;
		a = all ? attack_nth(i) : attack_find(names[i]);
		if (a == NULL && all)
			break;
		if (a == NULL)
			rawfront_fail("no attack '%s'; see --list", names[i]);
		in_a_row = run(f, a, scatter) ? 0 : in_a_row + 1;
		failed += in_a_row != 0;
		if (in_a_row == FAILURES_MAX)
			rawfront_fail("given up after %s", a->name);
	}
	/* The vif is left as the toolstack has made it. */
	rawfront_reset(f);
	rawfront_unpublish(f);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void
list(bool scatter)
{
	const struct attack *a;
	unsigned int i;

	for (i = 0; (a = attack_nth(i)) != NULL; i++)
		printf("%s %s\n", a->name, attack_outcome_name(attack_outcome(a, scatter)));
}

static int
usage(FILE *f)
{
	fputs("usage: xenhostile [--scatter] DEVID all|ATTACK...\n"
	      "       xenhostile DEVID reset N\n"
	      "       xenhostile [--scatter] --list\n"
	      "Connects the vif DEVID of this domain and attacks its backend, one attack after\n"
	      "the other: prints 'ok ATTACK' when the backend has done as it has to, else\n"
	      "'not ok ATTACK - WHY'. Or connects and resets N times.\n"
	      "  --scatter  the backend takes packets larger than a mbuf of 2,048 bytes\n"
	      "  --list     the attacks, and what the backend has to do\n"
	      "The backend has to send something to the vif, be it what comes from it. What it\n"
	      "says of it, in /local/domain/BACKEND/error/backend/vif/DOMID/DEVID, must be this\n"
	      "domain's to read and write (xenstore-chmod).\n",
			f);
	return f == stdout ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	static struct rawfront f;
	bool scatter = false;

	if (argc > 1 && strcmp(argv[1], "--help") == 0)
		return usage(stdout);
	if (argc > 1 && strcmp(argv[1], "--scatter") == 0) {
		scatter = true;
		argv++;
		argc--;
	}
	if (argc == 2 && strcmp(argv[1], "--list") == 0) {
		list(scatter);
		return EXIT_SUCCESS;
	}
	if (argc < 3 || argv[1][0] == '-')
		return usage(stderr);
	boot(&f, argv[1]);
	if (strcmp(argv[2], "reset") != 0)
		return run_attacks(&f, argv + 2, scatter);
	if (argc != 4)
		return usage(stderr);
	reset(&f, strtoul(argv[3], NULL, 10));
	return EXIT_SUCCESS;
}
