/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_CLIENT_CLIENT_H
#define KEYPILOT_CLIENT_CLIENT_H

#include <jansson.h>

#include "keypilot/core/clock.h"
#include "keypilot/device/driver.h"
#include "keypilot/model/profile.h"

/*
 * The WebAuthn client: a page's options in, a response or a DOMException out, as the
 * browser that the profile describes does it. Relying parties never link this.
 * Spec: WebAuthn L3 §5.1.3, §5.1.4, §5.1.8, §5.1.9
 */

/* Where the page stands: in a window, or in a frame of another page. */
enum kp_framing { KP_FRAME_TOP, KP_FRAME_SAME_ORIGIN, KP_FRAME_CROSS_ORIGIN };

/* Spec: Credential Management Level 1, CredentialMediationRequirement */
enum kp_mediation {
        KP_MEDIATION_OPTIONAL,
        KP_MEDIATION_CONDITIONAL,
        KP_MEDIATION_REQUIRED,
        KP_MEDIATION_SILENT
};

/*
 * Where the call stands: the --page file of the command line, or a page of the world.
 * Everything borrowed.
 */
struct kp_page {
        const char *origin; /* "https://login.example", or the URL of the page */
        enum kp_framing framing;
        const char *top_origin; /* NULL: none */
        const char *allow;      /* the iframe's allow attribute; NULL: none */
        /* the header of the page, or of the page around a frame; NULL: none */
        const char *permissions_policy;
        bool user_activation; /* the person clicked just before */
        enum kp_mediation mediation;
        bool immediate; /* uiMode "immediate": only what is at hand, or nothing */
        bool aborted;   /* the page's AbortSignal had fired before the call */
        /*
         * What the person does with each simulated key, for whoever plays the person:
         * array of {touches, verifies}, or one object for all of them; NULL: everything
         */
        const json_t *person;
        /* what hosts answer, array of {host, status, headers, body}; NULL: none */
        const json_t *well_known;
};

/*
 * Read a --page file's object. Members: origin (the only required one), framing (top,
 * same-origin-iframe, cross-origin-iframe), topOrigin (required in a
 * cross-origin-iframe), allow, permissionsPolicy, userActivation (true where absent),
 * mediation (optional, conditional, required, silent), uiMode (immediate), aborted,
 * person ({touches, verifies}, true where absent; an array: one for each key),
 * wellKnown.
 *
 * ret      borrows from `object`
 * Errors   KP_ESCHEMA with the member
 */
int kp_page_read(
        const json_t *object, struct kp_page *ret, struct kp_error *err) KP_MUST_CHECK;

/* What the person does with the key of that number, from 0. Everything, unless said. */
void kp_page_person(
        const struct kp_page *page, size_t key, bool *ret_touches, bool *ret_verifies);

/*
 * Is it an address that a page can have? "null" is: an opaque origin.
 *
 * Errors   KP_ESCHEMA it is none
 */
int kp_page_origin_check(const char *origin, struct kp_error *err) KP_MUST_CHECK;

/* The person in front of it. A NULL function: the person cannot, and gives up. */
struct kp_user {
        void *self;
        /*
         * Asked for the key's PIN. Append it and return 1, or 0 to give up, or -1 with
         * an error.
         *
         * retries  left on the key; -1: unknown
         */
        int (*pin)(void *self, int retries, struct kp_buf *ret, struct kp_error *err);
        /*
         * Asked to choose a PIN for a key that has none; the same return values.
         *
         * min_len  code points
         */
        int (*new_pin)(
                void *self, int64_t min_len, struct kp_buf *ret, struct kp_error *err);
        /* Which of several passkeys: index, or -1 to give up. NULL: the first. */
        int (*choose)(
                void *self, const struct kp_assertion *assertions, size_t n_assertions);
        /* The key blinks now: for telling the person. NULL: nothing to tell. */
        void (*touch)(void *self);
        bool refuses_attestation; /* says no where the client asks for consent */
};

/* One key within the client's reach. */
struct kp_client_key {
        struct kp_driver *driver;
        const char *attachment; /* "cross-platform" or "platform" */
        bool real;              /* the extra rules for other people's keys hold */
        /*
         * How it is connected: "usb", "nfc", "ble", "hybrid", "internal". NULL:
         * "internal" for a platform key, otherwise "usb".
         */
        const char *transport;
};

/* A client with its keys and its person. Everything borrowed. */
struct kp_client {
        struct kp_actor actor; /* the client profile's facts; role "client" */
        struct kp_client_key *keys;
        size_t n_keys;
        struct kp_clock *clock;
        struct kp_random *random;
        struct kp_user *user; /* NULL: nobody is there */
};

/* A ceremony that did not give a credential. Spec: WebIDL §2.8.1 DOMException names */
struct kp_exception {
        char name[32];      /* "NotAllowedError", "TypeError"...; "": there is none */
        char message[200];  /* for people; English, as browsers write it */
        uint8_t ctap;       /* the key's status that led to it; 0: none */
        const char *reason; /* a word of kp_client_reasons; NULL: there is none */
};

/*
 * Why a client refuses, in stable words. Rules match on them, so they never change.
 * What a site learns is only the name beside it: whatever would tell something about
 * keys and people is the same NotAllowedError. Spec: WebAuthn L3 §14.5.1, §14.5.2
 */
struct kp_client_reason {
        const char *word;
        const char *exception;
        const char *what; /* one line, for the documentation */
};
/* In order of word, terminated by a NULL word. */
extern const struct kp_client_reason kp_client_reasons[];

/*
 * navigator.credentials.create({publicKey}) and .get({publicKey}).
 *
 * options        PublicKeyCredentialCreationOptionsJSON or ...RequestOptionsJSON
 * ret_response   RegistrationResponseJSON or AuthenticationResponseJSON; NULL after an
 *                exception. The caller releases it with json_decref()
 * ret_exception  filled; name "" after success
 * Errors         the harness's own only: KP_ESCHEMA the page's origin is none,
 *                KP_ESAFETY a rule for real keys, KP_EIO, KP_ENOMEM
 */
int kp_client_create(struct kp_client *client, const struct kp_page *page,
        const json_t *options, json_t **ret_response,
        struct kp_exception *ret_exception, struct kp_error *err) KP_MUST_CHECK;
int kp_client_get(struct kp_client *client, const struct kp_page *page,
        const json_t *options, json_t **ret_response,
        struct kp_exception *ret_exception, struct kp_error *err) KP_MUST_CHECK;

#endif
