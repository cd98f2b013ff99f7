/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Metrics: their text, the manual's list of them, and clients that are silent, slow or many. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "fake_vswitch.h"
#include "metrics.h"

#define PAGE_LIMIT (1024 * 1024)
#define ANSWER_SIZE (256 * 1024)
/* Turns of a millisecond: more than any answer takes, and enough to see that there is none. */
#define TURNS_MAX 20000
#define TURNS_NONE 50
#define GET "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\n"

static struct metrics *metrics;
static unsigned int tcp_port;
static char answer[ANSWER_SIZE];

static int
setup(void **state __rte_unused)
{
	char address[64];

	fake_reset();
	tcp_port = 20000 + getpid() % 20000;
	do {
		snprintf(address, sizeof(address), "127.0.0.1:%u", ++tcp_port);
		metrics = metrics_open(&fake.sw, address);
	} while (metrics == NULL && errno == EADDRINUSE);
	return metrics == NULL ? -1 : 0;
}

static int
teardown(void **state __rte_unused)
{
	metrics_close(metrics);
	metrics = NULL;
	return 0;
}

static char *
make_text(void)
{
	struct snapshot snapshot;
	char *text;
	size_t len;

	snapshot_take(&fake.sw, &snapshot);
	text = metrics_text(&snapshot, &len);
	assert_non_null(text);
	assert_int_equal(strlen(text), len);
	return text;
}

/* --- The text --- */

#define HEAD(name, type, help) "# HELP " name " " help "\n# TYPE " name " " type "\n"
#define OF_UPLINK "{port=\"uplink\",bridge=\"lan\",kind=\"uplink\"} "
#define OF_GUEST "{port=\"vif3.0\",bridge=\"lan\",kind=\"guest\"} "
#define OF_TAP "{port=\"tap0\",bridge=\"wan\",kind=\"tap\"} "
#define PORTS(name, uplink, guest, tap) \
	name OF_UPLINK uplink "\n" name OF_GUEST guest "\n" name OF_TAP tap "\n"
#define LCORES(name, first, second) \
	name "{lcore=\"1\"} " first "\n" name "{lcore=\"3\"} " second "\n"

#define INFO "xenvswitch_info"
#define UPTIME "xenvswitch_uptime_seconds"
#define MBUFS "xenvswitch_mbufs"
#define AVAILABLE "xenvswitch_mbufs_available"
#define MACS "xenvswitch_macs"
#define LIMIT "xenvswitch_macs_limit"
#define REFUSED "xenvswitch_vifs_refused"
#define LINK "xenvswitch_port_link_up"
#define PORT_MACS "xenvswitch_port_macs"
#define RX_PACKETS "xenvswitch_port_rx_packets_total"
#define RX_BYTES "xenvswitch_port_rx_bytes_total"
#define FLOODED "xenvswitch_port_rx_flooded_total"
#define TX_PACKETS "xenvswitch_port_tx_packets_total"
#define TX_BYTES "xenvswitch_port_tx_bytes_total"
#define CAPTURES "xenvswitch_captures"
#define CAPTURE_LOST "xenvswitch_capture_lost_total"
#define MIRRORS "xenvswitch_mirrors"
#define DROPS "xenvswitch_port_drops_total"
#define QUEUES "xenvswitch_lcore_queues"
#define ROUNDS "xenvswitch_lcore_rounds_total"
#define BUSY "xenvswitch_lcore_busy_rounds_total"
#define SLEPT "xenvswitch_lcore_slept_seconds_total"

/* clang-format off */
static const char up_to_drops[] =
	HEAD(INFO, "gauge", "1, with the versions of the switch and of DPDK.")
	INFO "{version=\"" XENVIF_VERSION "\",dpdk=\"DPDK 1.2.3\"} 1\n"
	HEAD(UPTIME, "gauge", "Time since the switch has started.")
	UPTIME " 60\n"
	HEAD(MBUFS, "gauge", "Packets that there is memory for.")
	MBUFS " 4096\n"
	HEAD(AVAILABLE, "gauge", "Packets that there is memory left for.")
	AVAILABLE " 4000\n"
	HEAD(MACS, "gauge", "Addresses that are learned.")
	MACS " 7\n"
	HEAD(LIMIT, "gauge", "Addresses that can be learned.")
	LIMIT " 512\n"
	HEAD(REFUSED, "gauge",
		"Vifs that cannot have what they ask for: see xenvswitchctl show errors.")
	REFUSED " 1\n"
	HEAD(CAPTURES, "gauge", "Captures of packets into files.")
	CAPTURES " 1\n"
	HEAD(CAPTURE_LOST, "counter", "Packets that captures have lost.")
	CAPTURE_LOST " 4\n"
	HEAD(MIRRORS, "gauge", "Ports that are mirrored.")
	MIRRORS " 2\n"
	HEAD(LINK, "gauge", "1: the port's link is up; 0: it is not.")
	PORTS(LINK, "1", "1", "0")
	HEAD(PORT_MACS, "gauge", "Addresses that are learned of the port.")
	PORTS(PORT_MACS, "0", "2", "5")
	HEAD(RX_PACKETS, "counter", "Packets that came in by the port.")
	PORTS(RX_PACKETS, "0", "1", "0")
	HEAD(RX_BYTES, "counter", "Bytes that came in by the port.")
	PORTS(RX_BYTES, "0", "2", "0")
	HEAD(FLOODED, "counter", "Packets that came in for all, or for nobody that is known.")
	PORTS(FLOODED, "0", "5", "0")
	HEAD(TX_PACKETS, "counter", "Packets that went out by the port.")
	PORTS(TX_PACKETS, "0", "3", "0")
	HEAD(TX_BYTES, "counter", "Bytes that went out by the port.")
	PORTS(TX_BYTES, "0", "1099511627776", "0")
	HEAD(DROPS, "counter", "Packets that were lost, by reason.");

static const char behind_drops[] =
	HEAD(QUEUES, "gauge", "Queues that the lcore polls.")
	LCORES(QUEUES, "2", "2")
	HEAD(ROUNDS, "counter", "Rounds of polling.")
	LCORES(ROUNDS, "0", "1000")
	HEAD(BUSY, "counter", "Rounds in which there were packets.")
	LCORES(BUSY, "0", "10")
	HEAD(SLEPT, "counter", "Time asleep.")
	LCORES(SLEPT, "0.000000", "5.000001");
/* clang-format on */

/* All reasons of a port. */
static size_t
expect_drops(char *to, size_t room, unsigned int port, const char *labels)
{
	size_t len = 0;
	unsigned int i;

	for (i = 0; i < DROP_MAX; i++)
		len += snprintf(to + len, room - len, DROPS "{%s,reason=\"%s\"} %u\n", labels,
				stats_drop_name(i), (unsigned int)fake.stats[port].drops[i]);
	assert_true(len < room);
	return len;
}

/* Line by line: what differs is told. */
static void
assert_lines(const char *text, const char *expected)
{
	char *wanted = strdup(expected), *found = strdup(text), *at = NULL, *line, *other, *save;

	line = strtok_r(wanted, "\n", &at);
	other = strtok_r(found, "\n", &save);
	while (line != NULL && other != NULL) {
		assert_string_equal(other, line);
		line = strtok_r(NULL, "\n", &at);
		other = strtok_r(NULL, "\n", &save);
	}
	free(wanted);
	free(found);
	assert_string_equal(text, expected);
}

static void
test_text(void **state __rte_unused)
{
	char expected[16384], *text;
	size_t len;

	fake.sw.workers[1]->slept += 2;
	fake.sw.captures[2] = &fake.capture;
	fake.sw.mirrors[FAKE_TAP].on = true;
	fake.sw.mirrors[FAKE_UPLINK].on = true;
	text = make_text();
	len = snprintf(expected, sizeof(expected), "%s", up_to_drops);
	len += expect_drops(expected + len, sizeof(expected) - len, FAKE_UPLINK,
			"port=\"uplink\",bridge=\"lan\",kind=\"uplink\"");
	len += expect_drops(expected + len, sizeof(expected) - len, FAKE_GUEST,
			"port=\"vif3.0\",bridge=\"lan\",kind=\"guest\"");
	len += expect_drops(expected + len, sizeof(expected) - len, FAKE_TAP,
			"port=\"tap0\",bridge=\"wan\",kind=\"tap\"");
	assert_true(len + sizeof(behind_drops) <= sizeof(expected));
	strcpy(expected + len, behind_drops);
	assert_lines(text, expected);
	free(text);
}

/* No name is as these, whatever the format would allow. */
static void
test_escapes(void **state __rte_unused)
{
	struct port *port = fake.sw.ports[FAKE_TAP];
	char *text;

	snprintf(port->spec.name, sizeof(port->spec.name), "a\"b\\c\nd");
	text = make_text();
	assert_non_null(strstr(text,
			"\n" LINK "{port=\"a\\\"b\\\\c\\nd\",bridge=\"wan\",kind=\"tap\"} 0\n"));
	free(text);
}

/* Weeks asleep are more cycles than can be multiplied. */
static void
test_long_sleep(void **state __rte_unused)
{
	char *text;

	fake.sw.workers[1]->slept = UINT64_C(2000000) * 100000000 + 1000000;
	text = make_text();
	assert_non_null(strstr(text, "\n" SLEPT "{lcore=\"3\"} 100000000.500000\n"));
	free(text);
}

static void
test_no_ports(void **state __rte_unused)
{
	char *text;

	memset(fake.sw.ports, 0, sizeof(fake.sw.ports));
	fake.sw.nb_workers = 0;
	text = make_text();
	assert_null(strstr(text, "port=\""));
	assert_null(strstr(text, "lcore=\""));
	assert_non_null(strstr(text, "\n" REFUSED " 1\n"));
	assert_non_null(strstr(text, "\n" MACS " 0\n"));
	free(text);
}

/* --- The connection --- */

static int
join(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(tcp_port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void
say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Serve for some turns, or until the connection has ended, which it tells; what came is added. */
static bool
serve(int fd, unsigned int turns)
{
	struct pollfd waits = { .fd = fd, .events = POLLIN };
	size_t len = strlen(answer);
	ssize_t n;

	while (turns-- > 0) {
		metrics_serve(metrics);
		if (poll(&waits, 1, 1) == 0)
			continue;
		n = recv(fd, answer + len, sizeof(answer) - 1 - len, MSG_DONTWAIT);
		if (n <= 0)
			return true;
		len += n;
		answer[len] = '\0';
	}
	return false;
}

/* All that a request is answered, until the switch closes. */
static const char *
hear(int fd)
{
	answer[0] = '\0';
	assert_true(serve(fd, TURNS_MAX));
	close(fd);
	return answer;
}

static const char *
ask(const char *request)
{
	int fd = join();

	say(fd, request);
	return hear(fd);
}

static void
assert_begins(const char *text, const char *wanted)
{
	if (strncmp(text, wanted, strlen(wanted)) != 0)
		fail_msg("not '%s': %s", wanted, text);
}

static void
assert_has(const char *text, const char *wanted)
{
	if (strstr(text, wanted) == NULL)
		fail_msg("no '%s': %s", wanted, text);
}

static const char *
body_of(const char *text)
{
	const char *end = strstr(text, "\r\n\r\n");

	assert_non_null(end);
	return end + 4;
}

static void
test_get(void **state __rte_unused)
{
	const char *got = ask(GET);
	char *text = make_text();

	assert_begins(got, OK);
	assert_has(got, "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
	assert_has(got, "\r\nConnection: close\r\n");
	assert_string_equal(body_of(got), text);
	assert_string_equal(body_of(ask("GET /metrics?x=1 HTTP/1.1\r\nHost: x\r\n\r\n")), text);
	assert_string_equal(body_of(ask("GET /metrics HTTP/1.0\r\n\r\n")), text);
	/* One request a connection. */
	assert_string_equal(body_of(ask(GET GET)), text);
	free(text);
}

static void
test_head(void **state __rte_unused)
{
	const char *got = ask("HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
	char *text = make_text(), header[64];

	assert_begins(got, OK);
	snprintf(header, sizeof(header), "\r\nContent-Length: %zu\r\n", strlen(text));
	assert_has(got, header);
	assert_string_equal(body_of(got), "");
	free(text);
}

static void
test_wrong(void **state __rte_unused)
{
	static const char *const paths[] = { "/", "/metrics/", "/metricsx", "/Metrics",
		"//metrics" };
	static const char *const methods[] = { "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "X" };
	char request[128];
	unsigned int i;

	for (i = 0; i < RTE_DIM(paths); i++) {
		snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", paths[i]);
		assert_begins(ask(request), "HTTP/1.1 404 ");
	}
	for (i = 0; i < RTE_DIM(methods); i++) {
		snprintf(request, sizeof(request),
				"%s /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n",
				methods[i]);
		assert_begins(ask(request), "HTTP/1.1 405 ");
		assert_has(answer, "\r\nAllow: GET, HEAD\r\n");
	}
}

/* It has no answer but an error; what may be the begin of a request waits for its end. */
static void
assert_garbage(const char *bytes, size_t len)
{
	int fd = join();

	assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), len);
	answer[0] = '\0';
	if (!serve(fd, TURNS_NONE)) {
		fake.sw.now += METRICS_TIMEOUT_S;
		assert_true(serve(fd, TURNS_MAX));
	}
	close(fd);
	assert_null(strstr(answer, " 200 "));
	assert_begins(ask(GET), OK);
}

static void
test_garbage(void **state __rte_unused)
{
	static const char begin[] = "GET /metrics HTTP/1.1\r\nHost: x\r\nX: ";
	static char much[20000];

	assert_garbage("\0\xff\r\n\r\n\0\0\n\n", 10);
	assert_garbage("\r\n\r\n\r\n", 6);
	assert_garbage("GET\r\n\r\n", 7);
	assert_garbage("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);
	memset(much, 'a', sizeof(much));
	assert_garbage(much, sizeof(much));
	memcpy(much, begin, sizeof(begin) - 1);
	assert_garbage(much, sizeof(much));
}

static void
test_silent(void **state __rte_unused)
{
	int silent = join(), slow = join();

	say(slow, "G");
	assert_false(serve(silent, TURNS_NONE));
	fake.sw.now += METRICS_TIMEOUT_S - 1;
	say(slow, "E");
	assert_false(serve(slow, TURNS_NONE));
	assert_begins(ask(GET), OK);
	fake.sw.now++;
	assert_string_equal(hear(silent), "");
	assert_string_equal(hear(slow), "");
	assert_begins(ask(GET), OK);
}

/* A client that is gone before it is answered. */
static void
test_gone(void **state __rte_unused)
{
	int fd = join();

	say(fd, GET);
	close(fd);
	fd = join();
	close(fd);
	assert_begins(ask(GET), OK);
}

static void
test_too_many(void **state __rte_unused)
{
	int fds[METRICS_CLIENTS_MAX], ninth;
	unsigned int i;

	for (i = 0; i < METRICS_CLIENTS_MAX; i++)
		fds[i] = join();
	assert_false(serve(fds[0], TURNS_NONE));
	ninth = join();
	say(ninth, GET);
	answer[0] = '\0';
	assert_false(serve(ninth, TURNS_NONE));
	assert_string_equal(answer, "");
	close(fds[0]);
	assert_begins(hear(ninth), OK);
	fds[0] = join();
	ninth = join();
	say(ninth, GET);
	assert_false(serve(ninth, TURNS_NONE));
	fake.sw.now += METRICS_TIMEOUT_S;
	assert_begins(hear(ninth), OK);
	for (i = 0; i < METRICS_CLIENTS_MAX; i++)
		close(fds[i]);
	assert_begins(ask(GET), OK);
}

/* It can be closed whoever is there. */
static void
test_close(void **state)
{
	int fd = join(), other = join();

	say(fd, "GET /me");
	assert_false(serve(fd, TURNS_NONE));
	assert_int_equal(teardown(state), 0);
	assert_true(recv(fd, answer, 1, 0) <= 0);
	close(fd);
	close(other);
	metrics_serve(NULL);
}

static void
test_open(void **state __rte_unused)
{
	struct metrics *second;
	char address[64];

	snprintf(address, sizeof(address), "127.0.0.1:%u", tcp_port);
	assert_null(metrics_open(&fake.sw, address));
	assert_int_equal(errno, EADDRINUSE);
	assert_null(metrics_open(&fake.sw, "off"));
	assert_int_equal(errno, EINVAL);
	/* No address of this host. */
	assert_null(metrics_open(&fake.sw, "192.0.2.1:9475"));
	assert_int_equal(errno, EADDRNOTAVAIL);
	snprintf(address, sizeof(address), "[::]:%u", tcp_port);
	second = metrics_open(&fake.sw, address);
	/* A host without IPv6. */
	if (second == NULL)
		assert_int_equal(errno, EAFNOSUPPORT);
	metrics_close(second);
}

/* --- The manual --- */

static char *
read_page(void)
{
	char *page = calloc(1, PAGE_LIMIT);
	FILE *file = fopen(SWITCH_PAGE, "r");

	assert_non_null(file);
	assert_non_null(page);
	assert_true(fread(page, 1, PAGE_LIMIT - 1, file) > 0);
	fclose(file);
	return page;
}

static unsigned int
count(const char *text, const char *what)
{
	unsigned int n = 0;

	while ((text = strstr(text, what)) != NULL) {
		text += strlen(what);
		n++;
	}
	return n;
}

static void
test_manual(void **state __rte_unused)
{
	char *page = read_page(), *text = make_text(), *save = NULL, *line;
	char name[64], help[128], entry[256];
	unsigned int n = 0;

	for (line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
		if (sscanf(line, "# HELP %63s %127[^\n]", name, help) != 2)
			continue;
		snprintf(entry, sizeof(entry), "\n.TP\n.B %s\n%s\n.", name, help);
		if (strcmp(name, DROPS) == 0)
			entry[strlen(entry) - 1] = '\0';
		assert_has(page, entry);
		n++;
	}
	assert_int_equal(count(page, "\n.B xenvswitch_"), n);
	free(text);
	free(page);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_escapes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_sleep, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_ports, setup, teardown),
		cmocka_unit_test_setup_teardown(test_get, setup, teardown),
		cmocka_unit_test_setup_teardown(test_head, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong, setup, teardown),
		cmocka_unit_test_setup_teardown(test_garbage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_silent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_close, setup, teardown),
		cmocka_unit_test_setup_teardown(test_open, setup, teardown),
		cmocka_unit_test_setup_teardown(test_manual, setup, teardown),
	};

	return cmocka_run_group_tests_name("vsw_metrics", tests, NULL, NULL);
}
