/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef FUZZ_H
#define FUZZ_H

/**
 * @file
 * What the fuzz targets share: an input taken apart byte by byte, checks, and a watch on shared
 * memory that tells when the drivers look at a byte of it twice.
 *
 * A target is one file with libFuzzer's LLVMFuzzerTestOneInput(). It says at its top how it reads
 * its input.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/** libFuzzer calls this with one input after the other. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** libFuzzer calls this once, before the first input; a target need not have it. */
int
LLVMFuzzerInitialize(int *argc, char ***argv);

/** What is left of an input. What is read past its end is zero. */
struct fuzz_input {
	const uint8_t *data;
	size_t left;
};

/** Take bytes. */
static inline void
fuzz_bytes(struct fuzz_input *in, void *to, size_t size)
{
	size_t n = size < in->left ? size : in->left;

	memset(to, 0, size);
	if (n == 0)
		return;
	memcpy(to, in->data, n);
	in->data += n;
	in->left -= n;
}

static inline uint8_t
fuzz_u8(struct fuzz_input *in)
{
	uint8_t n;

	fuzz_bytes(in, &n, sizeof(n));
	return n;
}

static inline uint16_t
fuzz_u16(struct fuzz_input *in)
{
	uint16_t n;

	fuzz_bytes(in, &n, sizeof(n));
	return n;
}

/** Take a ring index: two bytes, so that half of them are shortly before the wrap. */
static inline uint32_t
fuzz_index(struct fuzz_input *in)
{
	return (uint32_t)(int16_t)fuzz_u16(in);
}

/** End the run with the place and the text, in the way that makes libFuzzer keep the input. */
_Noreturn void
fuzz_failed(const char *file, int line, const char *what);

/** What has to hold, whatever the input. */
#define fuzz_check(cond) \
	do { \
		if (!(cond)) \
			fuzz_failed(__FILE__, __LINE__, #cond); \
	} while (0)

/**
 * Watch shared pages: the run ends when drivers/ loads a byte of them a second time. Whoever may
 * rewrite a page at any moment gains nothing by it where each byte is looked at once (XSA-155).
 *
 * @param page
 *   The page, of 4096 bytes.
 * @param skip
 *   Bytes at its start, the ring's indices, that may be loaded at any time.
 */
void
fuzz_watch(const void *page, uint32_t skip);

/** A byte range counts as loaded: the target has done it, as the driver's caller. */
void
fuzz_watch_loaded(const void *at, uint32_t size);

/** Watch nothing any more. */
void
fuzz_watch_end(void);

#endif /* FUZZ_H */
