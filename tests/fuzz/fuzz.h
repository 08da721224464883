/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_TESTS_FUZZ_H
#define KEYPILOT_TESTS_FUZZ_H

#include "keypilot/core/buf.h"

/*
 * One fuzz target: bytes of a stranger into a parser. The same file is linked with
 * driver.c (a bounded, repeatable run in every build) or with libFuzzer (scripts/fuzz).
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Good messages to start from. Returns false past the end. */
bool kp_fuzz_seed(size_t i, struct kp_buf *ret);

/* Taken or refused: either is fine, as long as it comes back. */
static inline void
kp_any(int result)
{
        (void)result;
}

#endif
