/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_CLI_WEBAUTHN_PERSON_H
#define KEYPILOT_CLI_WEBAUTHN_PERSON_H

#include "keypilot/client/client.h"
#include "keypilot/model/authenticator.h"

#include "cli.h"

/*
 * The person at the keyboard: PIN from a file, from the terminal, or, for simulated
 * keys, the public test PIN. Never from an argument or the environment.
 */
struct kp_person {
        enum kp_lang lang;
        const char *pin_file; /* NULL: none */
        bool real;            /* a real key is among the keys */
        char test_pin[64];    /* that simulated keys have or will get */
        unsigned asked;       /* neither a file nor the test PIN is tried twice */
        struct kp_user user;
};

/* ret      self points to itself: do not move it */
void kp_person_init(struct kp_person *ret);

/*
 * The test PIN for a simulated key: the one its profile comes with, or the one that it
 * is given when a client sets the first.
 */
void kp_person_know(
        struct kp_person *person, const struct kp_authenticator_profile *profile);

#endif
