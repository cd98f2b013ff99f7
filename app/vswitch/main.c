/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_rcu_qsbr.h>
#include <systemd/sd-daemon.h>

#include "balance.h"
#include "bridge.h"
#include "control.h"
#include "eal_args.h"
#include "fdb_cache.h"
#include "log.h"
#include "metrics.h"
#include "reload.h"
#include "telemetry.h"
#include "vswitch.h"
#include "xs_vifs.h"

#define DEFAULT_CONFIG "/etc/dpdk-xenvswitch.conf"
/* Addresses that may wait to be learned. */
#define NEWS_SIZE 4096
#define MBUF_CACHE 256
/* Milliseconds between looks at what lcores have seen, and while there is much of it. */
#define LOOK_MS 20
#define LOOK_AGAIN_MS 1
/* Seconds until what failed is tried again. */
#define RETRY 30

RTE_LOG_REGISTER(vswitch_logtype, xenvif.vswitch, NOTICE);

static const char usage[] =
		"Usage: dpdk-xenvswitch [OPTION]...\n"
		"\n"
		"Bridges Xen guests, NICs and this domain, in user space.\n"
		"\n"
		"  --config FILE  the configuration (default: " DEFAULT_CONFIG "),\n"
		"                 see dpdk-xenvswitch.conf(5)\n"
		"  --check        say whether the configuration is right, and end\n"
		"  -h, --help     this text\n"
		"  --version      the version\n"
		"\n"
		"SIGHUP has the configuration read again; SIGTERM and SIGINT end the switch.\n";

/* By what others may ask the switch. */
struct services {
	struct control *control;
	/* NULL: off. */
	struct metrics *metrics;
};

/* Long options; no short one has such a number. */
enum {
	OPTION_CONFIG = UCHAR_MAX + 1,
	OPTION_CHECK,
	OPTION_HELP,
	OPTION_VERSION
};

struct options {
	const char *config;
	bool check;
};

/* What getopt_long() has refused, whose own words do not tell of --help. */
static void
print_wrong_option(int option, char *const *argv)
{
	const char *word = argv[optind - 1];

	if (option == ':')
		fprintf(stderr, "dpdk-xenvswitch: '%s': a value has to follow; see --help\n", word);
	else if (optopt > UCHAR_MAX)
		fprintf(stderr, "dpdk-xenvswitch: '%s': takes no value; see --help\n", word);
	else if (optopt != 0)
		fprintf(stderr, "dpdk-xenvswitch: '-%c': is no option; see --help\n", optopt);
	else
		fprintf(stderr, "dpdk-xenvswitch: '%s': is no option; see --help\n", word);
}

/* -1: go on; else the status to end with. */
static int
parse_options(int argc, char **argv, struct options *options)
{
	static const struct option list[] = {
		{ "config", required_argument, NULL, OPTION_CONFIG },
		{ "check", no_argument, NULL, OPTION_CHECK },
		{ "help", no_argument, NULL, OPTION_HELP },
		{ "version", no_argument, NULL, OPTION_VERSION },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	*options = (struct options){ .config = DEFAULT_CONFIG };
	while ((option = getopt_long(argc, argv, ":h", list, NULL)) != -1) {
		switch (option) {
		case OPTION_CONFIG:
			options->config = optarg;
			break;
		case OPTION_CHECK:
			options->check = true;
			break;
		case 'h':
		case OPTION_HELP:
			fputs(usage, stdout);
			return 0;
		case OPTION_VERSION:
			printf("dpdk-xenvswitch " XENVIF_VERSION "\n");
			return 0;
		default:
			print_wrong_option(option, argv);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "dpdk-xenvswitch: '%s': no argument is expected; see --help\n",
				argv[optind]);
		return 2;
	}
	return -1;
}

static void
print_error(const char *path, const struct config_error *error)
{
	if (error->line != 0)
		fprintf(stderr, "%s:%u: %s\n", path, error->line, error->text);
	else
		fprintf(stderr, "%s: %s\n", path, error->text);
}

static int
fail(const char *what, int ret)
{
	LOG(ERR, "%s: %s", what, rte_strerror(-ret));
	return ret;
}

static bool
is_bridge(const char *name, const void *arg)
{
	const struct vswitch *sw = arg;

	return config_bridge_find(&sw->config, name) != NULL;
}

static int
create_rcu(struct vswitch *sw)
{
	size_t size = rte_rcu_qsbr_get_memsize(WORKERS_MAX);

	sw->rcu = rte_zmalloc("rcu", size, RTE_CACHE_LINE_SIZE);
	if (sw->rcu == NULL)
		return -ENOMEM;
	return rte_rcu_qsbr_init(sw->rcu, WORKERS_MAX) == 0 ? 0 : -rte_errno;
}

static int
create_worker(struct vswitch *sw, unsigned int index)
{
	struct worker *w = rte_zmalloc("worker", sizeof(*w), RTE_CACHE_LINE_SIZE);

	if (w == NULL)
		return -ENOMEM;
	w->index = index;
	w->lcore = index + 1;
	w->fdb = sw->fdb;
	w->fdb_cache = fdb_cache_create(sw->config.macs, rte_lcore_to_socket_id(w->lcore));
	w->rcu = sw->rcu;
	w->dataplane = &sw->dataplane;
	w->news = sw->news;
	w->pool = sw->pool;
	sw->workers[index] = w;
	return w->fdb_cache != NULL ? 0 : -ENOMEM;
}

/* Everything that lcores need, and no port yet. */
static int
create(struct vswitch *sw)
{
	unsigned int i;
	int ret;

	sw->pool = rte_pktmbuf_pool_create("mbufs", sw->config.mbufs, MBUF_CACHE, 0,
			RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (sw->pool == NULL)
		return fail("[switch] mbufs: no memory for so many", -rte_errno);
	ret = create_rcu(sw);
	if (ret != 0)
		return fail("no memory", ret);
	sw->fdb = fdb_create(sw->config.macs, sw->rcu);
	if (sw->fdb == NULL)
		return fail("[switch] macs: no memory for so many", -rte_errno);
	sw->news = rte_ring_create_elem("news", sizeof(struct worker_news), NEWS_SIZE,
			SOCKET_ID_ANY, RING_F_SC_DEQ);
	sw->dataplane = rte_zmalloc("dataplane", sizeof(*sw->dataplane), RTE_CACHE_LINE_SIZE);
	if (sw->news == NULL || sw->dataplane == NULL)
		return fail("no memory", -ENOMEM);
	for (i = 0; i < sw->nb_workers; i++) {
		ret = create_worker(sw, i);
		if (ret != 0)
			return fail("no memory", ret);
	}
	return 0;
}

static int
launch(struct vswitch *sw)
{
	unsigned int i;
	int ret;

	for (i = 0; i < sw->nb_workers; i++) {
		ret = rte_eal_remote_launch(worker_run, sw->workers[i], sw->workers[i]->lcore);
		if (ret != 0)
			return fail("an lcore does not start", ret);
		/* From now on it is waited for when something changes. */
		while (!__atomic_load_n(&sw->workers[i]->running, __ATOMIC_ACQUIRE))
			rte_delay_us_sleep(100);
	}
	return 0;
}

/* In the opposite order. The vifs stay connected for whoever comes next. */
static void
destroy(struct vswitch *sw)
{
	unsigned int i;

	for (i = 0; i < sw->nb_workers; i++) {
		if (sw->workers[i] != NULL)
			__atomic_store_n(&sw->workers[i]->stop, true, __ATOMIC_RELAXED);
	}
	rte_eal_mp_wait_lcore();
	capture_close(sw);
	for (i = 0; i < RTE_MAX_ETHPORTS; i++) {
		if (sw->ports[i] != NULL)
			port_close(sw->ports[i]);
	}
	for (i = 0; i < sw->nb_workers; i++) {
		if (sw->workers[i] != NULL)
			rte_free(sw->workers[i]->fdb_cache);
		rte_free(sw->workers[i]);
	}
	rte_free(sw->dataplane);
	rte_ring_free(sw->news);
	fdb_free(sw->fdb);
	rte_free(sw->rcu);
	rte_mempool_free(sw->pool);
	xs_vifs_close(sw->vifs);
}

static void
handle_signal(struct vswitch *sw, int fd)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGHUP)
		sw->reload = true;
	else
		sw->stop = true;
}

static void
reload(struct vswitch *sw)
{
	struct config_error error;

	sw->reload = false;
	sd_notify(0, "RELOADING=1");
	if (reload_config(sw, &error) == 0)
		LOG(NOTICE, "%s: read again", sw->config_path);
	else if (error.line != 0)
		LOG(ERR, "%s:%u: %s", sw->config_path, error.line, error.text);
	else
		LOG(ERR, "%s: %s", sw->config_path, error.text);
	sd_notify(0, "READY=1");
}

/* Has each lcore polled since the last time? */
static bool
lcores_alive(const struct vswitch *sw, uint64_t *rounds)
{
	bool alive = true;
	uint64_t now;
	unsigned int i;

	for (i = 0; i < sw->nb_workers; i++) {
		now = __atomic_load_n(&sw->workers[i]->rounds, __ATOMIC_RELAXED);
		alive &= now != rounds[i];
		rounds[i] = now;
	}
	return alive;
}

/* Once a second systemd's watchdog hears of it, unless an lcore is stuck. */
static void
feed_watchdog(const struct vswitch *sw)
{
	static uint64_t rounds[WORKERS_MAX];
	static uint32_t fed;

	if (fed == sw->now)
		return;
	fed = sw->now;
	if (lcores_alive(sw, rounds))
		sd_notify(0, "WATCHDOG=1");
}

/* The control thread's loop. */
static void
serve(struct vswitch *sw, const struct services *services, int signals)
{
	struct pollfd fds[2 + CONTROL_FDS_MAX];
	unsigned int n, learned = 0;

	while (!sw->stop) {
		fds[0] = (struct pollfd){ .fd = signals, .events = POLLIN };
		fds[1] = (struct pollfd){ .fd = xs_vifs_fd(sw->vifs), .events = POLLIN };
		n = control_poll(services->control, &fds[2]);
		if (poll(fds, 2 + n, learned > 0 ? LOOK_AGAIN_MS : LOOK_MS) < 0)
			continue;
		sw->now = rte_get_tsc_cycles() / rte_get_tsc_hz();
		if (fds[0].revents != 0)
			handle_signal(sw, signals);
		capture_serve(sw);
		control_serve(services->control, &fds[2], n);
		metrics_serve(services->metrics);
		if (sw->reload)
			reload(sw);
		if (xs_vifs_update(sw->vifs) || (sw->failed && sw->now - sw->applied >= RETRY))
			reload_apply(sw);
		sw->now = rte_get_tsc_cycles() / rte_get_tsc_hz();
		learned = vswitch_housekeeping(sw);
		balance_sample(sw, rte_get_tsc_cycles());
		telemetry_update(sw);
		feed_watchdog(sw);
	}
}

static int
open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	/* Before there are threads, which inherit it. */
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* The folder of the socket; what is wrong with it the socket's own error tells. */
static void
make_folder(const char *path)
{
	char folder[CONFIG_PATH_SIZE];

	snprintf(folder, sizeof(folder), "%s", path);
	mkdir(dirname(folder), 0755);
}

static int
open_services(struct vswitch *sw, struct services *services)
{
	const struct config *config = &sw->config;
	int ret;

	make_folder(config->control);
	services->control = control_open(sw, config->control);
	if (services->control == NULL) {
		ret = -errno;
		LOG(ERR, "control socket '%s': %s", config->control, strerror(-ret));
		return ret;
	}
	if (config->metrics[0] != '\0') {
		services->metrics = metrics_open(sw, config->metrics);
		if (services->metrics == NULL) {
			ret = -errno;
			LOG(ERR, "[switch] metrics='%s': %s", config->metrics, strerror(-ret));
			return ret;
		}
	}
	ret = telemetry_open(sw);
	return ret == 0 ? 0 : fail("telemetry", ret);
}

static void
close_services(struct services *services)
{
	if (services->control != NULL)
		control_close(services->control);
	metrics_close(services->metrics);
}

static int
run(struct vswitch *sw, int signals)
{
	struct services services = { 0 };
	int ret = create(sw);

	if (ret != 0)
		goto out;
	ret = -ENOMEM;
	sw->vifs = xs_vifs_open(is_bridge, sw);
	if (sw->vifs == NULL)
		goto out;
	sw->started = sw->now = rte_get_tsc_cycles() / rte_get_tsc_hz();
	ret = open_services(sw, &services);
	if (ret != 0)
		goto out;
	ret = launch(sw);
	if (ret != 0)
		goto out;
	xs_vifs_wait(sw->vifs);
	xs_vifs_update(sw->vifs);
	reload_apply(sw);
	LOG(NOTICE, "ready: %u lcore%s, control socket %s", sw->nb_workers,
			sw->nb_workers == 1 ? "" : "s", sw->config.control);
	sd_notify(0, "READY=1");
	serve(sw, &services, signals);
	sd_notify(0, "STOPPING=1");

out:
	close_services(&services);
	destroy(sw);
	return ret;
}

/* Is there a capture whose writer hangs? */
static bool
has_captures(const struct vswitch *sw)
{
	unsigned int i;

	for (i = 0; i < CAPTURES_MAX; i++) {
		if (sw->captures[i] != NULL)
			return true;
	}
	return false;
}

int
main(int argc, char **argv)
{
	static struct vswitch sw;
	static struct eal_args args;
	struct config_error error;
	struct options options;
	int signals, ret;

	ret = parse_options(argc, argv, &options);
	if (ret >= 0)
		return ret;
	sw.config_path = options.config;
	if (config_read(options.config, &sw.config, &error) != 0) {
		print_error(options.config, &error);
		return EXIT_FAILURE;
	}
	if (options.check) {
		printf("%s: ok\n", options.config);
		return EXIT_SUCCESS;
	}
	if (eal_args_make(&args, &sw.config, argv[0]) != 0) {
		fprintf(stderr,
				"%s: [switch] lcores='%s', eal='%s': too long for DPDK together "
				"with the processors of this process\n",
				options.config, sw.config.lcores, sw.config.eal);
		return EXIT_FAILURE;
	}
	sw.nb_workers = args.nb_workers;
	signals = open_signals();
	/* DPDK would tell the journal everything twice: by standard error, and as syslog. */
	if (getenv("JOURNAL_STREAM") != NULL)
		rte_openlog_stream(stderr);
	if (rte_eal_init(args.argc, args.argv) < 0) {
		fprintf(stderr, "%s: DPDK does not start with [switch] lcores='%s', eal='%s'\n",
				options.config, sw.config.lcores, sw.config.eal);
		return EXIT_FAILURE;
	}
	ret = run(&sw, signals);
	/* It would have no memory any more, and may go on before the process ends. */
	if (!has_captures(&sw))
		rte_eal_cleanup();
	close(signals);
	return ret == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
