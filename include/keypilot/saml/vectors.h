/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_SAML_VECTORS_H
#define KEYPILOT_SAML_VECTORS_H

#include <jansson.h>

#include "keypilot/saml/verify.h"

/*
 * Messages of other people's test suites, judged one by one: an index in JSON, the
 * decoded messages and certificates beside it.
 *
 * What a vector does not state (a null entity_id, acs, request_id or clock) is not
 * checked. An index that names several certificates or keys names them by path, beside
 * itself.
 */
enum kp_saml_agreement { KP_SAML_AGREES, KP_SAML_DISAGREES, KP_SAML_SKIPPED };

struct kp_saml_vector_mode {
        bool lenient;
        bool refuse_sha1; /* SHA-1 is allowed otherwise: most of the old ones use it */
};

struct kp_saml_vector_result {
        char id[120];
        enum kp_saml_agreement agreement;
        struct kp_federation_verdict verdict; /* ours */
        char expected[40];                    /* theirs, in their word */
        char reason[200];                     /* theirs, for people */
        /* why it disagrees, or what a skipped one needs; "" otherwise */
        char note[300];
        /*
         * The stated reason can be reached only with signature checking off: the rule
         * that refuses then, "" where nothing does or the vector does not say so.
         */
        char rule_unsigned[40];
};

/* An index, and where its files are. */
struct kp_saml_vectors {
        json_t *root;
        const json_t *vectors; /* an array, borrowed from root */
        char *dir;
};

/*
 * Load an index.
 *
 * ret      filled on success only; the caller ends it with kp_saml_vectors_done()
 * Errors   KP_EIO, KP_EPARSE; KP_ESCHEMA no array "vectors"
 */
int kp_saml_vectors_load(const char *path, struct kp_saml_vectors *ret,
        struct kp_error *err) KP_MUST_CHECK;
void kp_saml_vectors_done(struct kp_saml_vectors *vectors);

/*
 * Judge vector `i`.
 *
 * ret      overwritten
 * Errors   KP_EIO a file that it names; KP_ESCHEMA a vector that cannot be understood
 */
int kp_saml_vector_run(const struct kp_saml_vectors *vectors, size_t i,
        const struct kp_saml_vector_mode *mode, struct kp_saml_vector_result *ret,
        struct kp_error *err) KP_MUST_CHECK;

#endif
