/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_AUTHENTICATOR_BIO_H
#define KEYPILOT_AUTHENTICATOR_BIO_H

#include "keypilot/authenticator/authenticator.h"

/* Fingerprints of a simulated key. Spec: CTAP 2.1 §6.7 */
#define KP_AUTH_BIO_MAX 32
struct kp_auth_template {
        uint8_t id[2];
        struct kp_buf name; /* empty: none */
};

struct kp_auth_bio {
        /* kept without power */
        struct kp_auth_template templates[KP_AUTH_BIO_MAX];
        size_t n;
        /* lost without power: the enrolment that runs */
        bool enrolling;
        uint8_t id[2];
        int64_t remaining; /* good samples that are still wanted */
        /* not of the key but of the person: how the next samples come out */
        uint8_t samples[KP_SAMPLES_MAX];
        size_t n_samples, at_sample;
};

#endif
