/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_DEVICE_TAP_RULES_H
#define KEYPILOT_DEVICE_TAP_RULES_H

#include "keypilot/codec/cbor.h"
#include "keypilot/device/tap.h"

/*
 * What a message asks for, and whether a key that is somebody's own may hear it. Pure:
 * no seam, no trace.
 */
struct kp_tap_message {
        uint32_t cid;
        uint8_t hid_cmd;
        const uint8_t *payload; /* borrowed */
        size_t payload_len;
        uint8_t ctap_cmd;    /* CTAPHID_CBOR: its first byte */
        uint8_t subcommand;  /* clientPIN, credentialManagement; 0: none */
        cbor_item_t *params; /* of ctap_cmd; NULL: none, or not canonical CBOR */
};

/* Take a whole message apart. End it with kp_tap_message_done(). Never fails. */
void kp_tap_message_read(uint32_t cid, uint8_t hid_cmd, const uint8_t *payload,
        size_t payload_len, struct kp_tap_message *ret);
void kp_tap_message_done(struct kp_tap_message *message);

/*
 * What the tap knows about PIN tries on this connection. A PIN goes to a real key only
 * while `enough`, and never a third time after two wrong ones.
 */
struct kp_tap_pin {
        bool enough; /* the last getPINRetries said KP_TAP_PIN_RETRIES or more */
        bool asked;  /* getPINRetries was answered at all */
        unsigned wrong_in_a_row;
};
#define KP_TAP_PIN_RETRIES 5
#define KP_TAP_PIN_WRONG 2

/* A message that carries a PIN is about to go out; what came back. */
void kp_tap_pin_tried(struct kp_tap_pin *pin);
void kp_tap_pin_answered(struct kp_tap_pin *pin, uint8_t status);
/* The answer to getPINRetries, status byte first. */
void kp_tap_pin_retries(
        struct kp_tap_pin *pin, const uint8_t *answer, size_t answer_len);

bool kp_tap_is_pin_try(const struct kp_tap_message *message);

/* Credentials that may be removed, end to end: two bytes of length, then the id. */
bool kp_tap_may_remove(
        const struct kp_buf *removable, const uint8_t *id, size_t id_len);

/*
 * NULL: the message may go out. Otherwise the word for why not (a fixed vocabulary),
 * and in `ret_text` a sentence for people.
 */
struct kp_tap_verdict {
        const char *why;
        char text[160];
};
bool kp_tap_judge(enum kp_tap_rules rules, const struct kp_tap_message *message,
        const struct kp_tap_pin *pin, const struct kp_buf *removable,
        struct kp_tap_verdict *ret);

#endif
