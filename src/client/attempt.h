/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_SRC_CLIENT_ATTEMPT_H
#define KEYPILOT_SRC_CLIENT_ATTEMPT_H

#include "ceremony.h"

/* Credential ids, borrowed. */
struct kp_ids {
        struct kp_bytes *items;
        size_t n_items;
};

/* One key, asked in one ceremony. */
struct kp_attempt {
        struct kp_ceremony *ceremony;
        struct kp_client_key *key;
        const char *transport; /* how the key is connected */
        struct kp_key_info info;
        struct kp_buf pin; /* once the person typed it; wiped */
        bool has_pin;
        int pin_tries;
        void *request; /* of `send` */
        /*
         * Ask the key once. The answer stays with whoever made `request`; its status is
         * told here. Throws nothing.
         */
        int (*send)(struct kp_attempt *attempt, enum kp_ternary uv, const char *pin,
                uint8_t *ret_status, struct kp_error *err);
};

/* Ends it: wipes the PIN. */
void kp_attempt_done(struct kp_attempt *attempt);

/* Tell the person that the key blinks now; remembered by kp_attempt_touched(). */
void kp_attempt_touch(struct kp_attempt *attempt);
/* Remember a touch, if this is a status that a key gives only after one. */
void kp_attempt_touched(struct kp_attempt *attempt, uint8_t status);

/*
 * Ask the key with the user verification that the request, the key and the client's
 * habits lead to: no verification, built-in, a PIN (asked again while it is wrong), or
 * a PIN that is set first. Ends when the key's status is about something else.
 *
 * ret_status  the key's last word
 * Throws      NotAllowedError
 * Spec        WebAuthn L3 §5.1.3 step 21, §5.1.4.2; CTAP 2.1 §6.1.1, §6.2.1
 */
int kp_attempt_verified(struct kp_attempt *attempt, enum kp_requirement requirement,
        uint8_t *ret_status, struct kp_error *err) KP_MUST_CHECK;

/* What a status that no step knows means. Always KP_THROWN. */
int kp_attempt_refused(
        struct kp_attempt *attempt, uint8_t status, const char *transport);

/*
 * Find which of the ids the key knows, without a touch, in portions that it can take.
 *
 * pin         with it the key also finds what it hides from strangers; NULL: none
 * ret         index into ids; n_ids if it knows none
 * ret_status  0, or what the key says of the PIN
 * Spec        CTAP 2.1 §6.1.1 pre-flight, §12.1
 */
int kp_attempt_preflight(struct kp_attempt *attempt, const char *rp_id, const char *pin,
        const struct kp_ids *ids, size_t *ret, uint8_t *ret_status,
        struct kp_error *err) KP_MUST_CHECK;

/* How many ids a request may list; ids longer than the key's own are not from it. */
size_t kp_attempt_list_max(const struct kp_attempt *attempt);
/* Add an id that may lie on this key, once; there is room for it. */
void kp_attempt_id_add(
        const struct kp_attempt *attempt, const struct kp_buf *id, struct kp_ids *ret);

#endif
