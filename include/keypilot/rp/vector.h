/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_RP_VECTOR_H
#define KEYPILOT_RP_VECTOR_H

#include "keypilot/rp/rp.h"

/*
 * Test vectors of other people: one ceremony each, with the verdict that it must get
 * and what a reader must read in it.
 */
enum kp_rp_agreement { KP_RP_AGREE, KP_RP_DISAGREE, KP_RP_SKIPPED };

struct kp_rp_vector_outcome {
        enum kp_rp_agreement agreement;
        const char *name;     /* these three borrowed from the vector */
        const char *expected; /* "valid" or "invalid", in the mode that was asked */
        const char *reason;   /* the vector's; "" where it has none */
        bool accepted;
        const char *check; /* of our refusal; NULL where there is none */
        char why[256];     /* our reason; what was read otherwise; what is needed */
};

/*
 * Judge one vector. What it needs and we do not have makes it skipped.
 *
 * now_ms   when certificates are judged, for vectors that do not say
 * ret      overwritten
 * Errors   KP_ESCHEMA the vector lacks a member or has it mistyped (vector and member
 *          told)
 */
int kp_rp_vector_run(const json_t *vector, enum kp_rp_mode mode, int64_t now_ms,
        struct kp_rp_vector_outcome *ret, struct kp_error *err) KP_MUST_CHECK;

#endif
