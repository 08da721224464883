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
        bool has_pin;         /* the file was read */
        struct kp_buf pin;    /* what it holds; wiped */
        bool real;            /* a real key is among the keys */
        char test_pin[64];    /* that simulated keys have or will get */
        int last_retries;     /* as the key said when it last asked; -1: it did not */
        bool asked_new; /* a new PIN that was not good enough is not offered again */
        struct kp_user user;
};

/* ret      self points to itself: do not move it */
void kp_person_init(struct kp_person *ret);
void kp_person_done(struct kp_person *person); /* wipes the PIN */

/*
 * Read `pin_file` now rather than when somebody asks; nothing to do without one.
 *
 * Errors   KP_EIO unreadable; KP_ESCHEMA no PIN of 1 to 63 bytes in the first line
 */
int kp_person_read_pin(struct kp_person *person, struct kp_error *err) KP_MUST_CHECK;

/*
 * The test PIN for a simulated key: the one its profile comes with, or the one that it
 * is given when a client sets the first.
 */
void kp_person_know(
        struct kp_person *person, const struct kp_authenticator_profile *profile);

#endif
