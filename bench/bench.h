/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_BENCH_H
#define KEYPILOT_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How fast cells are, in proportion to the public-key operations in them. The
 * operations are counted while the cells run (count.c stands between everything and
 * libcrypto) and then done bare, the same number of each, with libcrypto alone
 * (floor.c).
 */
enum op { OP_GENERATE, OP_SIGN, OP_VERIFY, OP_DERIVE, OP_ENCRYPT, OP_DECRYPT };
#define N_OPS 6

enum key {
        KEY_P256,
        KEY_P384,
        KEY_P521,
        KEY_ED25519,
        KEY_RSA2048,
        KEY_RSA4096,
        KEY_OTHER
};
#define N_KEYS 7

extern const char *const op_names[N_OPS];
extern const char *const key_names[N_KEYS];

struct counts {
        uint64_t n[N_OPS][N_KEYS];
};

/* Counters that worker processes share; NULL: no counting. Call before any worker
 * starts. */
struct counts *counts_share(void);

/* Seconds that one operation takes bare; 0 where this machine cannot do it. */
double floor_seconds(enum op op, enum key key);

/*
 * Do `counts` / `divisor` of each operation, rounded up. What they need must be there:
 * floor_seconds() was asked for each of them.
 */
void floor_run(const struct counts *counts, uint64_t divisor);

double now_seconds(void);

#endif
