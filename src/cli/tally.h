/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_CLI_TALLY_H
#define KEYPILOT_CLI_TALLY_H

#include "keypilot/core/buf.h"

#include "cli.h"

/*
 * `verify --vectors` of WebAuthn and SAML: files of test vectors, one line a vector, a
 * last line that counts. Nothing is printed before every file was read: half an answer is
 * none. Spec: DESIGN "Contracts"
 */
enum kp_agreement { KP_AGREES, KP_DISAGREES, KP_VECTOR_SKIPPED };

struct kp_tally {
        unsigned n[3]; /* by enum kp_agreement */
        json_t *list;  /* with --json; otherwise NULL */
        struct kp_buf text;
};

const char *kp_agreement_name(enum kp_agreement agreement); /* "agree" */

/* Text out of a file goes to a terminal: control characters stay behind. */
void kp_tally_put(struct kp_tally *tally, const char *text);

/* Take over one vector's JSON, which NULL makes KP_ENOMEM. */
int kp_tally_append(
        struct kp_tally *tally, json_t *vector, struct kp_error *err) KP_MUST_CHECK;

/*
 * Run every file that --vectors and the operands name, print the tally.
 *
 * others   options that do not go with --vectors
 * run      judges one file; `mode` is handed on to it
 * Returns  an exit code, or -1 with an error
 */
int kp_tally_run(struct kp_cli *cli, const char *const *others, size_t n_others,
        int (*run)(const char *path, const void *mode, struct kp_tally *tally,
                struct kp_error *err),
        const void *mode, struct kp_error *err) KP_MUST_CHECK;

#endif
