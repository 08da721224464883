/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_SRC_CLIENT_CEREMONY_H
#define KEYPILOT_SRC_CLIENT_CEREMONY_H

#include "options.h"
#include "origin.h"

/*
 * One call of create() or get(), from the page's options to the moment where keys are
 * asked, and what is remembered of it for the trace.
 */
#define KP_MAX_PROMPTS 32

struct kp_ceremony {
        struct kp_client *client;
        const struct kp_page *page;
        bool create;
        bool browser; /* false: a program without a browser's rules around the key */
        struct kp_options options;
        struct kp_origin origin;
        const char *client_origin; /* the origin in the client data */
        char *rp_id;
        char *app_id; /* checked; NULL: none */
        struct kp_buf client_data;
        uint8_t client_data_hash[32];
        int64_t began_ms;
        struct kp_exception *exception;
        const char *prompts[KP_MAX_PROMPTS]; /* what the person was asked, in order */
        size_t n_prompts;
};

/*
 * The steps before any key: API, options, place of the page, RP ID, client data.
 *
 * ret      starts with client, page, create and exception set; the caller ends it with
 *          kp_ceremony_done(), whatever came
 * Throws   what the specification lets a page learn
 * Spec     WebAuthn L3 §5.1.3 steps 1 to 16, §5.1.4 steps 1 to 13
 */
int kp_ceremony_begin(struct kp_ceremony *ret, const json_t *options,
        struct kp_error *err) KP_MUST_CHECK;
void kp_ceremony_done(struct kp_ceremony *ceremony);

bool kp_ceremony_fact_is(
        const struct kp_ceremony *ceremony, const char *name, const char *value);

/* Has the lifetime timer run out? Spec: WebAuthn L3 §5.1.3 step 4, §5.1.4 step 3 */
bool kp_ceremony_expired(const struct kp_ceremony *ceremony);

/* Remember that the person was asked. what   "pin", "new-pin", "touch", "choose" */
void kp_ceremony_prompt(struct kp_ceremony *ceremony, const char *what);

/* What the person was asked, for the trace. New reference. */
json_t *kp_ceremony_prompts(const struct kp_ceremony *ceremony);
const char *kp_framing_name(enum kp_framing framing);
const char *kp_mediation_name(enum kp_mediation mediation);

#endif
