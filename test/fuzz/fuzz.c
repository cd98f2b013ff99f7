/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

#define PAGE_BYTES 4096u
#define PAGES_MAX 4

/* Shared pages, and which of their bytes have been loaded. */
static struct {
	unsigned int nb;
	struct {
		uintptr_t start;
		uint32_t skip;
		bool loaded[PAGE_BYTES];
	} page[PAGES_MAX];
} watch;

void
fuzz_failed(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

void
fuzz_watch(const void *page, uint32_t skip)
{
	fuzz_check(watch.nb < PAGES_MAX);
	watch.page[watch.nb].start = (uintptr_t)page;
	watch.page[watch.nb].skip = skip;
	memset(watch.page[watch.nb].loaded, 0, sizeof(watch.page[watch.nb].loaded));
	watch.nb++;
}

void
fuzz_watch_end(void)
{
	watch.nb = 0;
}

/* None of this is instrumented: it is what the instrumentation calls. */
__attribute__((no_sanitize("address", "undefined", "coverage"))) static void
load(uintptr_t at, uint32_t size)
{
	uint32_t i, first;
	unsigned int n;

	for (n = 0; n < watch.nb; n++) {
		if (at - watch.page[n].start >= PAGE_BYTES)
			continue;
		first = at - watch.page[n].start;
		for (i = first; i < first + size && i < PAGE_BYTES; i++) {
			if (i < watch.page[n].skip)
				continue;
			if (watch.page[n].loaded[i]) {
				watch.nb = 0;
				fprintf(stderr, "byte %u of a shared page\n", i);
				fuzz_failed(__FILE__, __LINE__, "loaded once");
			}
			watch.page[n].loaded[i] = true;
		}
	}
}

void
fuzz_watch_loaded(const void *at, uint32_t size)
{
	load((uintptr_t)at, size);
}

/* The drivers are built with -fsanitize-coverage=trace-loads, which calls these. */
#define TRACE_LOAD(size, type) \
	void __sanitizer_cov_load##size(const type *at); \
	__attribute__((no_sanitize("address", "undefined", \
			"coverage"))) void __sanitizer_cov_load##size(const type *at) \
	{ \
		if (watch.nb != 0) \
			load((uintptr_t)at, size); \
	}

TRACE_LOAD(1, uint8_t)
TRACE_LOAD(2, uint16_t)
TRACE_LOAD(4, uint32_t)
TRACE_LOAD(8, uint64_t)
TRACE_LOAD(16, __uint128_t)
