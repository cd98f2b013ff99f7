/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * What a backend's answers do to RSS of net_xenfront: by one that is played by hand, and answers
 * wrongly, late or never.
 */

#include <errno.h>
#include <pthread.h>

#include "ctrl.h"
#include "rawback.h"
#include "rss.h"

/* A change of the hash in a thread of its own, while the test plays the backend. */
static struct {
	pthread_t thread;
	uint64_t flows;
	uint8_t *key;
	int ret;
} op;

static void *
run_op(void *arg)
{
	RTE_SET_USED(arg);
	op.ret = rss_update_hash(rawback.port, op.flows, op.key);
	return NULL;
}

static void
begin_op(uint64_t flows)
{
	op.flows = flows;
	assert_int_equal(pthread_create(&op.thread, NULL, run_op, NULL), 0);
}

static int
end_op(void)
{
	assert_int_equal(pthread_join(op.thread, NULL), 0);
	return op.ret;
}

/* The next request, which is of that type. */
static struct xen_netif_ctrl_request
request(uint16_t type)
{
	struct xen_netif_ctrl_request req = rawback_ctrl_request();

	assert_int_equal(req.type, type);
	return req;
}

/* ... and is granted. */
static struct xen_netif_ctrl_request
grant(uint16_t type)
{
	struct xen_netif_ctrl_request req = request(type);

	rawback_ctrl_answer(req.id, req.type, OKAY);
	return req;
}

static void
expect_idle(void)
{
	rawback_settle();
	assert_int_equal(rawback.ctrl->req_prod, rawback.ctrl_cons);
}

/* All that a connection begins with. */
static void
expect_all(uint32_t types)
{
	struct xen_netif_ctrl_request req;
	uint8_t got[sizeof(rss_key)];

	req = request(SET_KEY);
	assert_int_equal(req.data[1], sizeof(got));
	rawback_read(req.data[0], got, sizeof(got));
	assert_memory_equal(got, rss_key, sizeof(got));
	rawback_ctrl_answer(req.id, req.type, OKAY);
	req = grant(SET_SIZE);
	assert_int_equal(req.data[0], RSS_RETA_SIZE);
	assert_int_equal(grant(SET_ALGORITHM).data[0], TOEPLITZ);
	assert_int_equal(grant(SET_FLAGS).data[0], types);
	expect_idle();
}

/* A port with RSS, by a backend that has it all. */
static int
setup_rss(void **state)
{
	rawback_setup_ctrl(state);
	/* A port that was never told anything says that too. */
	assert_int_equal(grant(SET_ALGORITHM).data[0], NONE);
	assert_int_equal(rte_eth_dev_stop(rawback.port), 0);
	rss_start(rawback.port, 1, RTE_ETH_RSS_IPV4, rss_key);
	expect_all(1);
	unit_wait(unit_link(rawback.port));
	return 0;
}

/* Only what is new is said, and what is not what it was before is not taken for it. */
static void
test_messages(void **state __rte_unused)
{
	unsigned int i;

	begin_op(RTE_ETH_RSS_IPV6);
	assert_int_equal(grant(SET_FLAGS).data[0], 4);
	assert_int_equal(end_op(), 0);
	begin_op(RTE_ETH_RSS_IPV6);
	assert_int_equal(end_op(), 0);
	expect_idle();
	begin_op(0);
	assert_int_equal(grant(SET_ALGORITHM).data[0], NONE);
	assert_int_equal(end_op(), 0);
	begin_op(RTE_ETH_RSS_IPV6);
	assert_int_equal(grant(SET_ALGORITHM).data[0], TOEPLITZ);
	assert_int_equal(grant(SET_FLAGS).data[0], 4);
	assert_int_equal(end_op(), 0);
	expect_idle();
	/* More of them than the ring has entries. */
	for (i = 0; i < 200; i++) {
		begin_op(i % 2 == 0 ? RTE_ETH_RSS_IPV4 : RTE_ETH_RSS_IPV6);
		grant(SET_FLAGS);
		assert_int_equal(end_op(), 0);
	}
	rawback_reconnect();
	expect_all(4);
}

/* What is refused is not wanted any more, and what came before it is undone. */
static void
test_refused(void **state __rte_unused)
{
	static const struct {
		uint32_t status;
		int ret;
	} cases[] = {
		{ UNSUPPORTED, -ENOTSUP },
		{ INVALID, -EINVAL },
		{ OVERFLOW, -ENOSPC },
		{ 4, -EIO },
		{ UINT32_MAX, -EIO },
	};
	uint8_t other[sizeof(rss_key)] = { 7 }, got[sizeof(rss_key)];
	struct rte_eth_rss_conf conf = { .rss_key = got, .rss_key_len = sizeof(got) };
	struct xen_netif_ctrl_request req;
	unsigned int i;

	for (i = 0; i < RTE_DIM(cases); i++) {
		begin_op(RTE_ETH_RSS_IPV6);
		req = request(SET_FLAGS);
		rawback_ctrl_answer(req.id, req.type, cases[i].status);
		assert_int_equal(end_op(), cases[i].ret);
		expect_idle();
	}
	unit_assert_log("RSS: the backend refuses the types of hashes (status 1");
	op.key = other;
	begin_op(RTE_ETH_RSS_IPV6);
	grant(SET_KEY);
	req = request(SET_FLAGS);
	rawback_ctrl_answer(req.id, req.type, INVALID);
	assert_int_equal(end_op(), -EINVAL);
	op.key = NULL;
	req = request(SET_KEY);
	rawback_read(req.data[0], got, sizeof(got));
	assert_memory_equal(got, rss_key, sizeof(got));
	rawback_ctrl_answer(req.id, req.type, OKAY);
	expect_idle();
	assert_int_equal(rte_eth_dev_rss_hash_conf_get(rawback.port, &conf), 0);
	assert_int_equal(conf.rss_hf, RTE_ETH_RSS_IPV4);
	assert_memory_equal(got, rss_key, sizeof(got));
	assert_true(unit_link(rawback.port));
	assert_int_equal(unit_xstat(rawback.port, "protocol_errors"), 0);
}

/* What is no response to the request ends the connection; its operation says so. */
static void
test_breaches(void **state __rte_unused)
{
	static const char *const other = "response to a request that is not outstanding";
	static const char *const ahead = "rsp_prod ahead of the requests";
	struct xen_netif_ctrl_request req = { 0 };
	unsigned int i;

	for (i = 0; i < 6; i++) {
		if (i < 4) {
			begin_op(RTE_ETH_RSS_IPV6);
			req = request(SET_FLAGS);
		}
		switch (i) {
		case 0:
			rawback_ctrl_answer(req.id + 1, req.type, OKAY);
			break;
		case 1:
			rawback_ctrl_answer(req.id, SET_KEY, OKAY);
			break;
		case 2:
			rawback.ctrl->rsp_prod += 1;
			rawback_ctrl_answer(req.id, req.type, OKAY);
			break;
		case 3:
			rawback.ctrl->rsp_prod -= 2;
			rawback_ctrl_answer(req.id, req.type, OKAY);
			break;
		case 4:
			/* Nothing was requested. */
			rawback_ctrl_answer(0, SET_FLAGS, OKAY);
			break;
		default:
			rawback.ctrl->rsp_prod = rawback.ctrl->req_prod + 0x80000000;
			rawback_ctrl_answer(0, 0, OKAY);
			break;
		}
		if (i < 4)
			assert_int_equal(end_op(), -EPROTO);
		unit_wait(strstr(unit_read("/local/domain/0/error/device/vif/0/error"),
					  i < 2 ? other : ahead) != NULL);
		unit_assert_log("backend's end of the control ring: ");
		assert_int_equal(unit_xstat(rawback.port, "protocol_errors"), i + 1);
		unit_remove("/local/domain/0/error/device/vif/0");
		rawback_reconnect();
		expect_all(1);
	}
}

/* No answer: the operation returns, and the ring is left alone until the next connection. */
static void
test_silence(void **state __rte_unused)
{
	struct xen_netif_ctrl_request req;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		unit_log_clear();
		begin_op(RTE_ETH_RSS_IPV6);
		req = request(SET_FLAGS);
		rawback_settle();
		unit_clock_skip(10000);
		rawback_settle();
		assert_int_equal(end_op(), -ETIMEDOUT);
		unit_assert_log("has not answered its control ring for 5 seconds");
		assert_int_equal(rss_update_hash(rawback.port, RTE_ETH_RSS_IPV6, NULL), -ETIMEDOUT);
		assert_int_equal(rss_update_reta(rawback.port, 0, 0), -ETIMEDOUT);
		/* Late, right or wrong. */
		if (i > 0)
			rawback_ctrl_answer(req.id + i - 1, req.type, OKAY);
		expect_idle();
		assert_true(unit_link(rawback.port));
		assert_int_equal(unit_xstat(rawback.port, "protocol_errors"), 0);
		rawback_reconnect();
		expect_all(1);
	}
}

/* The backend goes while it is asked: the next one is told. */
static void
test_vanished(void **state __rte_unused)
{
	unsigned int i;

	for (i = 0; i < 4; i++) {
		begin_op(i % 2 == 0 ? RTE_ETH_RSS_IPV6 : RTE_ETH_RSS_IPV4);
		request(SET_FLAGS);
		rawback_reconnect();
		assert_int_equal(end_op(), 0);
		expect_all(i % 2 == 0 ? 4 : 1);
	}
	/* The port is closed under a request: by the teardown. */
	assert_int_equal(rte_eth_dev_stop(rawback.port), 0);
	rss_start(rawback.port, 1, RTE_ETH_RSS_NONFRAG_IPV4_TCP, rss_key);
	request(SET_FLAGS);
}

/* Without a control ring there is no RSS, and a wish is one for another backend. */
static void
test_no_ring(void **state __rte_unused)
{
	struct rte_eth_rss_reta_entry64 reta[2] = { { .mask = 1 } };
	struct rte_eth_rss_conf conf = { 0 };

	assert_int_equal(rte_eth_dev_stop(rawback.port), 0);
	unit_log_clear();
	rss_start(rawback.port, 1, RTE_ETH_RSS_IPV4, rss_key);
	unit_wait(unit_link(rawback.port));
	assert_int_equal(rss_update_hash(rawback.port, RTE_ETH_RSS_IPV4, NULL), -ENOTSUP);
	assert_int_equal(rss_update_reta(rawback.port, 0, 0), -ENOTSUP);
	assert_int_equal(rte_eth_dev_rss_hash_conf_get(rawback.port, &conf), -ENOTSUP);
	assert_int_equal(rte_eth_dev_rss_reta_query(rawback.port, reta, RSS_RETA_SIZE), -ENOTSUP);
	rawback_reconnect();
	unit_assert_log("RSS: the backend has no control ring");
	/* Another backend has one; until it is there, wishes are kept for it. */
	rawback_release();
	rawback_state(XenbusStateClosing);
	rawback_state(XenbusStateClosed);
	unit_wait(!unit_link(rawback.port) && unit_grants() == 0);
	assert_int_equal(rss_update_hash(rawback.port, RTE_ETH_RSS_IPV6, NULL), 0);
	unit_write("1", "%s/feature-ctrl-ring", rawback.back);
	unit_write("1", "%s/state", rawback.back);
	rawback_connect();
	expect_all(4);
	/* Sizes that are none. */
	assert_int_equal(rte_eth_dev_rss_reta_query(rawback.port, reta, 64), -EINVAL);
	unit_assert_log("reta_size=64: the redirection table has 128 entries");
	conf.rss_key = rss_key;
	conf.rss_key_len = 39;
	assert_int_equal(rte_eth_dev_rss_hash_update(rawback.port, &conf), -EINVAL);
	/* DPDK says so itself since 24.11. */
	assert_true(unit_log_has("rss_key_len=39: a key has 40 octets") ||
			unit_log_has("invalid RSS key len: 39, valid value: 40"));
	expect_idle();
}

static int callback_ret;

static int
set_in_callback(uint16_t port, enum rte_eth_event_type type, void *arg, void *ret)
{
	RTE_SET_USED(type);
	RTE_SET_USED(arg);
	RTE_SET_USED(ret);
	__atomic_store_n(&callback_ret, rss_update_hash(port, RTE_ETH_RSS_IPV6, NULL),
			__ATOMIC_RELEASE);
	return 0;
}

/* The control thread cannot wait for itself. */
static void
test_callback(void **state __rte_unused)
{
	__atomic_store_n(&callback_ret, 1, __ATOMIC_RELEASE);
	assert_int_equal(rte_eth_dev_callback_register(rawback.port, RTE_ETH_EVENT_INTR_LSC,
					 set_in_callback, NULL),
			0);
	unit_write("0", "%s/carrier", rawback.back);
	assert_int_equal(grant(SET_FLAGS).data[0], 4);
	unit_wait(__atomic_load_n(&callback_ret, __ATOMIC_ACQUIRE) == 0);
	assert_int_equal(rte_eth_dev_callback_unregister(rawback.port, RTE_ETH_EVENT_INTR_LSC,
					 set_in_callback, NULL),
			0);
	expect_idle();
}

#define rss_test(fn) cmocka_unit_test_setup_teardown(fn, setup_rss, rawback_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		rss_test(test_messages),
		rss_test(test_refused),
		rss_test(test_breaches),
		rss_test(test_silence),
		rss_test(test_vanished),
		cmocka_unit_test_setup_teardown(test_no_ring, rawback_setup, rawback_teardown),
		rss_test(test_callback),
	};

	return cmocka_run_group_tests_name("rss_answers", tests, unit_setup, unit_teardown);
}
