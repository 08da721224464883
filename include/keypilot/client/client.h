/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_CLIENT_CLIENT_H
#define KEYPILOT_CLIENT_CLIENT_H

#include <jansson.h>

#include "keypilot/core/clock.h"
#include "keypilot/device/driver.h"
#include "keypilot/model/profile.h"

/*
 * The WebAuthn client: a page's options in, a response or a DOMException out, as the browser
 * that the profile describes does it. Relying parties never link this.
 * Spec: WebAuthn L3 §5.1.3, §5.1.4, §5.1.8, §5.1.9
 */

enum kp_framing { KP_FRAME_TOP, KP_FRAME_SAME_ORIGIN, KP_FRAME_CROSS_ORIGIN };
enum kp_mediation { KP_MEDIATION_OPTIONAL, KP_MEDIATION_CONDITIONAL, KP_MEDIATION_REQUIRED, KP_MEDIATION_SILENT };

/* Where the call stands: the --page file of the command line, or a page of the world. */
struct kp_page {
        const char *origin;
        enum kp_framing framing;
        const char *top_origin;  /* NULL: none */
        const char *allow;       /* the iframe's allow attribute; NULL: none */
        const char *permissions_policy; /* the response header; NULL: none */
        bool user_activation;
        enum kp_mediation mediation;
        const json_t *well_known; /* array of {host, status, headers, body}; NULL: none */
};

/*
 * Read a --page file's object.
 *
 * ret      borrows from `object`
 * Errors   KP_ESCHEMA with the member
 */
int kp_page_read(const json_t *object, struct kp_page *ret, struct kp_error *err)
        KP_MUST_CHECK;

/* The person in front of it. */
struct kp_user {
        void *self;
        /*
         * Asked for the key's PIN. retries: left on the key, -1 unknown. Append the PIN and
         * return 1, or 0 to give up, or -1 with an error.
         */
        int (*pin)(void *self, int retries, struct kp_buf *ret, struct kp_error *err);
        /* Asked to choose a PIN for a key that has none; the same return values. */
        int (*new_pin)(void *self, int64_t min_len, struct kp_buf *ret, struct kp_error *err);
        /* Which of several passkeys: index, or -1 to give up. NULL: the first. */
        int (*choose)(void *self, const struct kp_assertion *assertions, size_t n_assertions);
};

/* One key within the client's reach. */
struct kp_client_key {
        struct kp_driver *driver;
        const char *attachment; /* "cross-platform" or "platform" */
        bool real;              /* the extra rules for other people's keys hold */
};

struct kp_client {
        struct kp_actor actor; /* the client profile's facts; role "client" */
        struct kp_client_key *keys;
        size_t n_keys;
        struct kp_clock *clock;
        struct kp_random *random;
        struct kp_user *user;
};

/* A ceremony that did not give a credential. Spec: WebIDL §2.8.1 DOMException names */
struct kp_exception {
        char name[32];     /* "NotAllowedError", "TypeError"...; "" when there is none */
        char message[200]; /* for people; English, as browsers write it */
        uint8_t ctap;      /* the key's status that led to it; 0: none */
        const char *reason; /* our stable word for why: "no-webauthn", "uv-required-but-key-has-none"... */
};

/*
 * navigator.credentials.create({publicKey}) and .get({publicKey}).
 *
 * options        PublicKeyCredentialCreationOptionsJSON or ...RequestOptionsJSON
 * ret_response   RegistrationResponseJSON or AuthenticationResponseJSON; NULL after an
 *                exception. The caller releases it with json_decref()
 * ret_exception  filled; name "" after success
 * Errors   the harness's own only
 */
int kp_client_create(struct kp_client *client, const struct kp_page *page,
        const json_t *options, json_t **ret_response, struct kp_exception *ret_exception,
        struct kp_error *err) KP_MUST_CHECK;
int kp_client_get(struct kp_client *client, const struct kp_page *page,
        const json_t *options, json_t **ret_response, struct kp_exception *ret_exception,
        struct kp_error *err) KP_MUST_CHECK;

#endif
