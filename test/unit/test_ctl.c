/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * The domain of a guest: what it is called, that it has died, where its memory is; with libxenctrl
 * in the conditions that it may be found in, and without it.
 */

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "fakectl.h"
#include "vif.h"
#include "xen_ctl.h"

#define DYING 0x1
#define OTHER_FLAGS 0x30182

/* What stands for libxenctrl; NULL: nothing is installed. And Xen's version; 0: it is not told. */
static const char *installed;
static unsigned int major, minor;
static char wanted[64];

/* The linker puts these in the place of the drivers'. */
void *
__real_dlopen(const char *name, int flags);
void *
__wrap_dlopen(const char *name, int flags);
bool
__wrap_xen_version(unsigned int *ma, unsigned int *mi);

void *
__wrap_dlopen(const char *name, int flags)
{
	char path[512];

	if (strstr(name, "libxenctrl") == NULL)
		return __real_dlopen(name, flags);
	snprintf(wanted, sizeof(wanted), "%s", name);
	if (installed == NULL)
		return NULL;
	snprintf(path, sizeof(path), FAKECTL_DIR "/fakectl_%s.so", installed);
	return __real_dlopen(path, flags);
}

bool
__wrap_xen_version(unsigned int *ma, unsigned int *mi)
{
	*ma = major;
	*mi = minor;
	return major != 0;
}

/* Another host, and its library: kept in memory, so that it may be told something. */
static struct fakectl *
install(const char *kind)
{
	char path[512];
	struct fakectl *fake;
	void *lib;

	xen_ctl_close();
	installed = kind;
	major = 4;
	minor = 17;
	wanted[0] = '\0';
	if (kind == NULL)
		return NULL;
	snprintf(path, sizeof(path), FAKECTL_DIR "/fakectl_%s.so", kind);
	lib = __real_dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	assert_non_null(lib);
	fake = dlsym(lib, "fakectl");
	assert_non_null(fake);
	dlclose(lib);
	*fake = (struct fakectl){ .domid = 1, .flags = OTHER_FLAGS, .nodes = 0x2, .ret = 1 };
	return fake;
}

static void
test_without(void **state __rte_unused)
{
	static const char *const kinds[] = { NULL, "lacking", "refusing" };
	struct fakectl *fake;
	unsigned int i, j;

	for (i = 0; i < RTE_DIM(kinds); i++) {
		fake = install(kinds[i]);
		for (j = 0; j < 3; j++) {
			assert_int_equal(xen_ctl_domain_alive(1), -ENOTSUP);
			assert_int_equal(xen_ctl_domain_node(1), -ENOTSUP);
		}
		if (fake != NULL)
			assert_int_equal(fake->open, 0);
		assert_string_equal(wanted, "libxenctrl.so.4.17");
	}
	/* It was tried once. */
	unit_log_clear();
	assert_int_equal(xen_ctl_domain_alive(1), -ENOTSUP);
	assert_int_equal(unit_log_count("libxenctrl"), 0);
	/* No Xen, or one that does not tell its version. */
	install("good");
	major = 0;
	assert_int_equal(xen_ctl_domain_alive(1), -ENOTSUP);
	assert_string_equal(wanted, "");
	xen_ctl_close();
}

static void
test_versions(void **state __rte_unused)
{
	install("good");
	minor = 20;
	assert_int_equal(xen_ctl_domain_alive(1), 1);
	assert_string_equal(wanted, "libxenctrl.so.4.20");
	xen_ctl_close();
	major = UINT32_MAX;
	minor = UINT32_MAX;
	assert_int_equal(xen_ctl_domain_alive(1), 1);
	assert_string_equal(wanted, "libxenctrl.so.4294967295.4294967295");
	xen_ctl_close();
}

static void
test_alive(void **state __rte_unused)
{
	struct fakectl *fake = install("good");

	assert_int_equal(xen_ctl_domain_alive(1), 1);
	assert_int_equal(fake->open, 1);
	/* The answer is of the next one. */
	assert_int_equal(xen_ctl_domain_alive(0), 0);
	assert_int_equal(xen_ctl_domain_alive(2), 0);
	fake->flags |= DYING;
	assert_int_equal(xen_ctl_domain_alive(1), 0);
	assert_int_equal(fake->open, 1);
	xen_ctl_close();
	assert_int_equal(fake->open, 0);
}

/* Not permitted, or nonsense: it is not asked again. */
static void
test_no_answer(void **state __rte_unused)
{
	static const int rets[] = { -1, 2 };
	struct fakectl *fake;
	unsigned int i;

	for (i = 0; i < RTE_DIM(rets); i++) {
		fake = install("good");
		assert_int_equal(xen_ctl_domain_alive(1), 1);
		fake->ret = rets[i];
		assert_int_equal(xen_ctl_domain_alive(1), -ENOTSUP);
		fake->ret = 1;
		assert_int_equal(xen_ctl_domain_alive(1), -ENOTSUP);
		assert_int_equal(fake->asked, 2);
		assert_int_equal(fake->open, 0);
	}
	xen_ctl_close();
}

static void
test_node(void **state __rte_unused)
{
	struct fakectl *fake = install("good");

	assert_int_equal(xen_ctl_domain_node(1), 1);
	fake->nodes = 0x1;
	assert_int_equal(xen_ctl_domain_node(1), 0);
	fake->nodes = UINT64_C(1) << 63;
	assert_int_equal(xen_ctl_domain_node(1), 63);
	fake->nodes = 0x3;
	assert_int_equal(xen_ctl_domain_node(1), -ENOTSUP);
	fake->nodes = 0;
	assert_int_equal(xen_ctl_domain_node(1), -ENOTSUP);
	assert_int_equal(xen_ctl_domain_node(2), -ENOTSUP);
	xen_ctl_close();
}

/* What the port's dump says; for one line of it. */
static bool
dump_has(const struct vif *v, const char *line)
{
	size_t size;
	char *text;
	bool has;
	FILE *f;

	f = open_memstream(&text, &size);
	assert_non_null(f);
	assert_int_equal(rte_eth_dev_priv_dump(v->port, f), 0);
	fclose(f);
	has = strstr(text, line) != NULL;
	free(text);
	return has;
}

/* The control thread looks at the vif again. */
static void
look_again(const struct vif *v)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		unit_remove("%s/carrier", v->f.back);
		unit_wait(unit_read("%s/carrier", v->f.back)[0] != '\0');
	}
}

static void
test_name(void **state __rte_unused)
{
	const struct vif_options options = { 0 };
	struct vif v;

	install(NULL);
	unit_log_clear();
	unit_write("web\n'1'", "/local/domain/1/name");
	vif_open(&v, &options);
	vif_connect(&v);
	unit_assert_log(": connected, 1 queues (domain 'web\\x0a\\'1\\'')\n");
	assert_true(dump_has(&v, "  other end: domain 'web\\x0a\\'1\\''\n"));
	unit_remove("/local/domain/1/name");
	vif_send_good(&v);
	rawfront_reset(&v.f);
	unit_assert_log("closing its end (domain 'web\\x0a\\'1\\'')\n");
	unit_log_clear();
	rawfront_init_rings(&v.f, 0);
	vif_connect(&v);
	unit_assert_log(": connected, 1 queues (domain 1)\n");
	assert_true(dump_has(&v, "  other end: domain 1\n"));
	vif_close(&v);
}

/* The toolstack has not noticed yet: the guest's pages are let go of, and the vif is closed. */
static void
test_dies(void **state __rte_unused)
{
	const struct vif_options options = { 0 };
	struct fakectl *fake = install("good");
	struct vif v;

	unit_log_clear();
	vif_open(&v, &options);
	vif_connect(&v);
	assert_true(dump_has(&v, "Xen's NUMA node 1\n"));
	vif_send_good(&v);
	look_again(&v);
	vif_send_good(&v);
	__atomic_fetch_or(&fake->flags, DYING, __ATOMIC_SEQ_CST);
	/* Xenstored says that some domain has died, no more. */
	assert_int_equal(system("\"$XENSIM_TOOL\" domain-create 9 && "
				"\"$XENSIM_TOOL\" domain-destroy 9"),
			0);
	rawfront_wait(&v.f, XenbusStateClosed);
	unit_wait(!unit_link(v.port));
	unit_assert_log("disconnected: its domain is dead (domain ");
	assert_int_equal(unit_maps(), 0);
	assert_int_equal(unit_ports(), 0);
	/* A detach has nobody to wait for. */
	rawfront_detach(&v.f);
	rawfront_wait(&v.f, XenbusStateClosed);
	vif_close(&v);
	assert_int_equal(fake->open, 0);
}

/* A domain that was never there is another machine's: as where nothing can be asked. */
static void
test_stranger(void **state __rte_unused)
{
	const struct vif_options options = { 0 };
	struct fakectl *fake = install("good");
	struct vif v;

	fake->domid = 7;
	vif_open(&v, &options);
	vif_connect(&v);
	look_again(&v);
	vif_send_good(&v);
	assert_false(dump_has(&v, "NUMA"));
	assert_true(__atomic_load_n(&fake->asked, __ATOMIC_RELAXED) != 0);
	vif_close(&v);
}

/* Permission is taken away while the vif is connected. */
static void
test_forbidden(void **state __rte_unused)
{
	const struct vif_options options = { 0 };
	struct fakectl *fake = install("good");
	struct vif v;

	vif_open(&v, &options);
	vif_connect(&v);
	fake->ret = -1;
	look_again(&v);
	vif_send_good(&v);
	assert_true(unit_link(v.port));
	vif_close(&v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_alive),
		cmocka_unit_test(test_no_answer),
		cmocka_unit_test(test_node),
		cmocka_unit_test(test_name),
		cmocka_unit_test(test_dies),
		cmocka_unit_test(test_stranger),
		cmocka_unit_test(test_forbidden),
	};

	return cmocka_run_group_tests(tests, unit_setup, unit_teardown);
}
