/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_CORE_RANDOM_H
#define KEYPILOT_CORE_RANDOM_H

#include "keypilot/core/base.h"
#include "keypilot/core/error.h"

/*
 * Randomness that comes from the run. A seeded stream is AES-256-CTR under a key
 * derived from seed and label: same seed and label, same bytes, on every machine. The
 * system stream is the kernel's and serves real keys.
 */
struct kp_random;

/*
 * seed, label  C strings of any length; both are hashed into the key
 * ret          the caller frees it with kp_random_free()
 * Errors       KP_ENOMEM
 */
int kp_random_new_seeded(const char *seed, const char *label, struct kp_random **ret,
        struct kp_error *err) KP_MUST_CHECK;
int kp_random_new_system(struct kp_random **ret, struct kp_error *err) KP_MUST_CHECK;
void kp_random_free(struct kp_random **random); /* NULL-safe, leaves NULL */

/* Fill `bytes`. Cannot fail once the stream exists. */
void kp_random_bytes(struct kp_random *random, void *bytes, size_t bytes_len);

/*
 * While installed, OpenSSL draws its own randomness (key pairs, nonces, padding) from
 * this stream, in this process. Uninstall with NULL before the stream is freed.
 */
void kp_random_install(struct kp_random *random);

/* The same for a moment: returns what was installed before, to be installed again. */
struct kp_random *kp_random_lend(struct kp_random *random);

#endif
