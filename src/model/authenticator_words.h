/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_MODEL_AUTHENTICATOR_WORDS_H
#define KEYPILOT_MODEL_AUTHENTICATOR_WORDS_H

#include "keypilot/model/authenticator.h"

/*
 * The words and numbers that the members of an authenticator profile may hold. Lists of
 * words end in NULL; where a member has an enum, they are in its order.
 */
extern const char *const kp_key_attachments[];
extern const char *const kp_key_attestations[];
extern const char *const kp_key_counters[];
extern const char *const kp_key_pins[];
extern const char *const kp_key_touch_timeouts[];
extern const char *const kp_key_versions[];
extern const char *const kp_key_extensions[];
extern const char *const kp_key_transports[];
extern const char *const kp_key_tells[];
extern const char *const kp_key_statuses[];
extern const char *const kp_key_formats[];

/* The attestation statement format of each kp_key_attestation: "packed". */
const char *kp_key_attestation_format(enum kp_key_attestation attestation);

/*
 * The place of the word among the known ones.
 *
 * member   for the error
 * Errors   -1 and KP_ESCHEMA, the known words told
 */
int kp_key_word_read(const char *member, const char *got, const char *const *known,
        struct kp_error *err) KP_MUST_CHECK;

/*
 * A list of words, each once.
 *
 * array    of strings; NULL: nothing is read
 * known    NULL: any that is not empty
 * Errors   KP_ESCHEMA
 */
int kp_key_words_read(const char *member, const json_t *array, const char *const *known,
        struct kp_words *ret, struct kp_error *err) KP_MUST_CHECK;

/* A list of numbers, each once and among the known ones. Errors   KP_ESCHEMA */
int kp_key_numbers_read(const char *member, const json_t *array, const int *known,
        size_t n_known, int *ret, size_t *ret_n, struct kp_error *err) KP_MUST_CHECK;

/* Lower-case hexadecimal digits with hyphens. Errors   KP_ESCHEMA */
int kp_key_aaguid_read(
        const char *text, uint8_t aaguid[16], struct kp_error *err) KP_MUST_CHECK;

/* Option IDs with true or false; the others become -1. Errors   KP_ESCHEMA */
int kp_key_options_read(const json_t *object, int8_t options[KP_N_OPTIONS],
        struct kp_error *err) KP_MUST_CHECK;

#endif
